import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import type { BehaviourEffects, BehaviourHop, Leg, Reception } from './behaviours.js';
import {
  attestationOf,
  divertedLeg,
  effectsUnder,
  keptIdentities,
  knownNetwork,
  providerOf,
  receivedIdentity,
  signedLeg,
  trueVerification,
} from './known-network.js';
import type { CallOf, KnownNetwork, KnownProvider } from './known-network.js';
import type {
  AnsweringHabits,
  CallTruth,
  CarriedTruth,
  FairOutcome,
  GivenAnswer,
  TrueAnswer,
  TrueHop,
  TrueIdentity,
  TrueStatement,
} from './truth.js';

/** The hops that a call comes through, and how it ends for the caller. */
interface CarriedCall {
  readonly hops: readonly TrueHop[];
  readonly finalStatus: readonly number[];
}

/** What a caller gets whose call is not answered: it gives up itself, or somebody on the way does, or the callee is busy. RFC 3261 section 21.4 */
const NOT_ANSWERED: readonly number[] = [408, 480, 486, 487];
const ANSWERED: readonly number[] = [200];
/** RFC 8197 */
const UNWANTED: readonly number[] = [607];
/** From when a switch goes down or comes up until everybody has noticed, milliseconds. */
const EDGE_MS = 2_000;
const SECOND_MS = 1_000;

/** Carries a call along its way, as each provider of it would. */
function carryCall(network: KnownNetwork, call: PlannedCall): CarriedCall {
  const of: CallOf = { network, call };
  const hops: TrueHop[] = [];
  const perhaps: number[] = [];
  let leg: Leg = { calling: call.calling, called: call.called, identity: NO_IDENTITY };
  let isCertain = true;
  for (let index = 0; index < call.way.length; index += 1) {
    const provider = providerOf(network, call.way[index] ?? '');
    const effects = effectsUnder(provider, of, index);
    const reception = receptionOf(provider, effects, of);
    if (reception?.isCertain === true) return { hops, finalStatus: [...perhaps, ...reception.status] };
    if (reception !== undefined) perhaps.push(...reception.status);
    isCertain &&= reception === undefined;
    const identity = receivedIdentity(leg, provider, of);
    // What came is what is carried, but for what is found wrong with it here.
    const receives: Leg = identity === leg.identity ? leg : { calling: leg.calling, called: leg.called, identity };
    const { verdict, refusal } = trueVerification(receives, provider);
    const isRefused = refusal?.isCertain === true;
    const sends = isRefused ? receives : sentLeg(leg, { of, index, provider, effects });
    const record = recordOf(effects);
    hops.push({
      provider: provider.planned.id,
      from: cameFrom(call, index),
      to: isRefused ? { refusedWith: refusal.status[0] ?? 438 } : goesTo(call, index),
      receives,
      // Who refuses a call because it has too many has not looked at it.
      verdict: reception === undefined ? verdict : { ...verdict, verstat: [...verdict.verstat, 'not-asked'] },
      sends,
      isOnRecord: record === 'kept',
      record,
      isCertain,
    });
    if (isRefused) return { hops, finalStatus: [...perhaps, ...refusal.status] };
    if (refusal !== undefined) perhaps.push(...refusal.status);
    isCertain &&= refusal === undefined;
    leg = sends;
  }
  const final = call.isRejected ? UNWANTED : call.isAnswered ? ANSWERED : NOT_ANSWERED;
  return { hops, finalStatus: perhaps.length === 0 ? final : [...final, ...perhaps] };
}

const NO_IDENTITY: readonly TrueIdentity[] = [];

function cameFrom({ way, caller }: PlannedCall, index: number): TrueHop['from'] {
  const before = way[index - 1];
  return before === undefined ? { caller } : { provider: before };
}

function goesTo({ way, destination, diversions }: PlannedCall, index: number): TrueHop['to'] {
  const next = way[index + 1];
  return next === undefined ? { destination: diversions?.at(-1)?.destination ?? destination } : { provider: next };
}

function recordOf(effects: readonly BehaviourEffects[]): TrueHop['record'] {
  if (effects.length === 0) return 'kept';
  if (effects.some(({ record }) => record === 'none')) return 'none';
  return effects.some(({ record }) => record === 'gone') ? 'gone' : 'kept';
}

/** How the call is received; undefined: it is carried. */
function receptionOf(
  provider: KnownProvider,
  effects: readonly BehaviourEffects[],
  { network, call }: CallOf,
): Reception | undefined {
  const { atMs, placedMs = atMs } = call;
  const [earliestMs, latestMs] = [Math.min(atMs, placedMs), Math.max(atMs, placedMs)];
  for (const { behaviour, effects: effect } of provider.behaviours) {
    const reception = effect.receives?.(() => busiest(network.load(provider.planned.id), placedMs));
    if (reception === undefined) continue;
    const { kind, fromSeconds = 0, untilSeconds = Infinity } = behaviour;
    const edgesMs = [fromSeconds * SECOND_MS, untilSeconds * SECOND_MS];
    // Placed on the other side of an edge than planned, it may have come before or behind it.
    if (edgesMs.some((edgeMs) => earliestMs < edgeMs && edgeMs <= latestMs)) return { ...reception, isCertain: false };
    if (effects.includes(effect)) return reception;
    const isNear = edgesMs.some((edgeMs) => earliestMs - EDGE_MS <= edgeMs && edgeMs <= latestMs + EDGE_MS);
    if (kind === 'crashes' && isNear) return { ...reception, isCertain: false };
  }
  return undefined;
}

/** Calls of the busier two of the three seconds around a time: a call comes a little earlier or later than planned, and any second counts. */
function busiest(load: ReadonlyMap<number, number>, atMs: number): number {
  const second = Math.floor(atMs / 1_000);
  const [before, now, after] = [second - 1, second, second + 1].map((one) => load.get(one) ?? 0);
  return (now ?? 0) + Math.max(before ?? 0, after ?? 0);
}

interface Sending {
  readonly of: CallOf;
  readonly index: number;
  readonly provider: KnownProvider;
  readonly effects: readonly BehaviourEffects[];
}

/** Signed by role first; then what the provider does, in the order of its behaviours. */
function sentLeg(leg: Leg, sending: Sending): Leg {
  const { effects } = sending;
  const signed = signedFirst(leg, sending);
  if (effects.length === 0) return signed;
  const hop = behaviourHop(sending);
  return effects.reduce((sent, { sends }) => sends?.(sent, hop) ?? sent, signed);
}

function signedFirst(leg: Leg, { of, index, provider, effects }: Sending): Leg {
  if (leg.identity.length > 0) return leg;
  const { id } = provider.planned;
  const before = of.call.way[index - 1];
  const from = before === undefined ? undefined : providerOf(of.network, before);
  const attestation = attestationOf(leg, { provider, from, isFromOrigin: index === 1 }, effects);
  if (attestation === undefined) return leg;
  const { calling, called } = leg;
  return { calling, called, identity: [signedLeg(leg, { signedBy: id, certificateOf: id, attestation }, of)] };
}

function behaviourHop({ of, provider }: Sending): BehaviourHop {
  const { id, stir } = provider.planned;
  return {
    provider: id,
    callIndex: of.call.index,
    isSigner: stir,
    sign: (leg, certificateOf, attestation) => signedLeg(leg, { signedBy: id, certificateOf, attestation }, of),
    divert: (leg, to) => divertedLeg(leg, to, id, of),
    keptIdentities: () => keptIdentities(id, of, carryCall),
  };
}

/** How long nobody minds that an answer takes, hours. 47 CFR 64.1200(n)(1) */
const DEADLINE_HOURS = 24;

/** What the providers of a call know, and what they say; those that collude without having had the call come last. */
function statementsOf(network: KnownNetwork, call: PlannedCall, hops: readonly TrueHop[]): readonly TrueStatement[] {
  const statements = hops.map((hop): TrueStatement => {
    const truth = truthAt(network, hop);
    const said = givenBy(network, call, hop.provider) ?? silence(network, hop, truth);
    // Who means to lie, and names the one that it had the call from, does not.
    return { provider: hop.provider, truth, given: isSameAnswer(said, truth) ? truth : said };
  });
  const colluders = hops.flatMap(({ provider }) => colluderOf(network, call, provider) ?? []);
  for (const provider of new Set(colluders)) {
    if (statements.some((one) => one.provider === provider)) continue;
    statements.push({ provider, truth: NOT_FOUND, given: colludedBy(network, provider, hops) });
  }
  return statements;
}

function isSameAnswer(said: GivenAnswer, truth: TrueAnswer): boolean {
  if ('otherCall' in said) return false;
  if (said.kind === 'upstream') return truth.kind === 'upstream' && truth.provider === said.provider;
  return said.kind === 'origin' && truth.kind === 'origin';
}

const NOT_FOUND: TrueAnswer = { kind: 'not-found' };
const SILENT: GivenAnswer = { kind: 'silent' };

/** What a provider that the call never came to says when it is asked about it. */
function answerWithoutTheCall(network: KnownNetwork, call: PlannedCall, provider: string): GivenAnswer {
  const { planned } = providerOf(network, provider);
  return (
    givenBy(network, call, provider) ?? (planned.answersTracebacks ? withoutCall(network, call, provider) : SILENT)
  );
}

/** Who has removed its records cannot say that there was none. */
function withoutCall(network: KnownNetwork, call: PlannedCall, id: string): GivenAnswer {
  const effects = effectsUnder(providerOf(network, id), { network, call });
  return effects.some(({ record }) => record !== undefined) ? { kind: 'not-retained' } : NOT_FOUND;
}

/** What the behaviours of a provider have it say; undefined: what it finds. The last that says something counts. */
function givenBy(network: KnownNetwork, call: PlannedCall, id: string): GivenAnswer | undefined {
  const provider = providerOf(network, id);
  if (provider.behaviours.length === 0) return undefined;
  return effectsUnder(provider, { network, call }).findLast(({ says }) => says !== undefined)?.says;
}

/** Who says that it sent the call to a provider that lies. */
function colluderOf(network: KnownNetwork, call: PlannedCall, id: string): string | undefined {
  const provider = providerOf(network, id);
  if (provider.behaviours.length === 0) return undefined;
  const colluder = effectsUnder(provider, { network, call }).findLast(({ says }) => says !== undefined)?.colluder;
  return colluder === undefined || !network.providers.has(colluder) ? undefined : colluder;
}

/**
 * Whom a colluder names: the first provider that sends it calls and was not on the way, since to name itself would be no use to it; where there is
 * none it takes the call upon itself.
 */
function colludedBy(network: KnownNetwork, id: string, hops: readonly TrueHop[]): GivenAnswer {
  const { planned } = providerOf(network, id);
  const onTheWay = new Set(hops.map(({ provider }) => provider));
  const framed = planned.upstream.find((one) => one !== id && !onTheWay.has(one));
  return framed === undefined ? { kind: 'origin', caller: '' } : { kind: 'upstream', provider: framed };
}

/** What a provider does with requests about a call, whether it had the call or not. */
function habitsOf(network: KnownNetwork, call: PlannedCall, id: string): AnsweringHabits {
  const provider = providerOf(network, id);
  if (provider.behaviours.length === 0) return provider.planned.answersTracebacks ? HONEST : NEVER;
  const says = givenBy(network, call, id) ?? (provider.planned.answersTracebacks ? undefined : SILENT);
  const colluder = colluderOf(network, call, id);
  return {
    ...(says !== undefined && { says }),
    ...(colluder !== undefined && { colluder }),
    afterHours: hoursOf(network, call, id),
  };
}

const HONEST: AnsweringHabits = { afterHours: 0 };
const NEVER: AnsweringHabits = { says: SILENT, afterHours: 0 };

function hoursOf(network: KnownNetwork, call: PlannedCall, id: string): number {
  const effects = effectsUnder(providerOf(network, id), { network, call });
  return effects.reduce((most, { afterHours = 0 }) => Math.max(most, afterHours), 0);
}

/** Whether the answer of a provider may come when it is marked already as one that does not answer. */
function isLate(network: KnownNetwork, call: PlannedCall, id: string): boolean {
  return hoursOf(network, call, id) >= DEADLINE_HOURS;
}

function silence(network: KnownNetwork, { provider }: TrueHop, truth: TrueAnswer): GivenAnswer {
  return providerOf(network, provider).planned.answersTracebacks ? truth : SILENT;
}

/** What a provider of the way finds in its records. */
function truthAt(network: KnownNetwork, { provider, from, isOnRecord }: TrueHop): TrueAnswer {
  // Of a time without records it knows that it has none: it does not say that there was no call.
  if (!isOnRecord) return { kind: 'not-retained' };
  if ('caller' in from) return { kind: 'origin', caller: from.caller };
  const isEntry = !providerOf(network, provider).isForeign && providerOf(network, from.provider).isForeign;
  return isEntry ? { kind: 'point-of-entry', foreign: from.provider } : { kind: 'upstream', provider: from.provider };
}

/** A call of which it is to be said what a traceback may come to. */
interface TracedCall {
  readonly network: KnownNetwork;
  readonly call: PlannedCall;
  readonly hops: readonly TrueHop[];
  readonly statements: readonly TrueStatement[];
}

/**
 * Who would have to be named: where the call entered the country for the last time, or else where it began.
 */
function culpritOf(network: KnownNetwork, { way }: PlannedCall): CallTruth['culprit'] {
  for (let index = way.length - 1; index > 0; index -= 1) {
    const [provider, before] = [way[index] ?? '', way[index - 1] ?? ''];
    const isEntry = !providerOf(network, provider).isForeign && providerOf(network, before).isForeign;
    if (isEntry) return { kind: 'point-of-entry', provider };
  }
  return { kind: 'origin', provider: way[0] ?? '' };
}

/**
 * What a traceback may come to, by the evidence that there can be: the answers of those who are asked, from the last provider on, and the records of
 * honest ones, each of which names both of its neighbours. Where somebody says nothing the traceback may end, or go on at the neighbour whose record
 * shows the call; where two contradict each other it may end in a dispute, or go on with the one for whom a record speaks.
 */
function fairOutcomesOf(traced: TracedCall): readonly FairOutcome[] {
  const outcomes = new Map<string, FairOutcome>();
  const add = (kind: string, provider?: string): void => {
    outcomes.set(`${kind} ${provider ?? ''}`, provider === undefined ? { kind } : { kind, provider });
  };
  walk({ traced, add, asked: new Set(), walked: new Set() }, traced.hops.length - 1);
  for (const provider of twiceAlike(traced.call)) {
    // Its two records fit one question.
    add('loop');
    add('ambiguous', provider);
    add('several-neighbours', provider);
  }
  if (outcomes.size === 0) add('no-record');
  return [...outcomes.values()];
}

interface Adding {
  readonly traced: TracedCall;
  readonly add: (kind: string, provider?: string) => void;
  /** Whose statements have been followed. */
  readonly asked: ReadonlySet<string>;
  /** From which hops the way was walked already. */
  readonly walked: Set<number>;
}

/** What a traceback comes to that has reached a hop, and goes on from there as far as evidence can lead. */
function walk(adding: Adding, from: number): void {
  const { traced, add, walked } = adding;
  const { hops, statements, network, call } = traced;
  for (let index = from; index >= 0 && !walked.has(index); index -= 1) {
    walked.add(index);
    const { provider } = hops[index] as TrueHop;
    const { given, truth } = statements[index] as TrueStatement;
    const isTrue = given === truth && given.kind !== 'not-retained';
    const isSilent = isLate(network, call, provider);
    if (isSilent) addSilence(provider, adding);
    if (isTrue && given.kind === 'upstream') continue;
    if (isTrue) {
      add(given.kind, provider);
      if (given.kind === 'point-of-entry') add('foreign-provider');
      // While it is waited for, the one before may be asked already.
      if (isSilent) continue;
      return;
    }
    addUntrue(given, index, adding);
  }
}

/** What the word of a provider of the way leads to, when it is not the truth; the way beyond it is walked besides. */
function addUntrue(given: GivenAnswer, index: number, adding: Adding): void {
  const { traced, add } = adding;
  const { provider } = traced.hops[index] as TrueHop;
  const isFirst = index === traced.hops.length - 1;
  addTwice(provider, adding);
  // Whatever is not the truth is contradicted by the record of the neighbour before.
  if (index > 0) add('disputed');
  if (given.kind === 'not-found' && isFirst) {
    add('no-record', provider);
    add('number-not-ours', provider);
  }
  addStatement(given, provider, { ...adding, asked: new Set([...adding.asked, provider]) });
}

function addSilence(provider: string, adding: Adding): void {
  adding.add('non-responsive', provider);
  addTwice(provider, adding);
}

/** Several neighbours have sent a call to a provider that it came to twice, and each of them leads round to it again. */
function addTwice(provider: string, { traced: { hops }, add }: Adding): void {
  if (hops.filter((hop) => hop.provider === provider).length < 2) return;
  add('several-neighbours', provider);
  add('loop');
}

/** What the word of anybody leads to. */
function addStatement(given: GivenAnswer, by: string, adding: Adding): void {
  const { add } = adding;
  switch (given.kind) {
    case 'silent':
      add('non-responsive', by);
      add('not-askable', by);
      break;
    case 'refused':
    case 'not-retained':
      add(given.kind, by);
      break;
    case 'unlisted':
      add('unlisted-provider');
      add('disputed');
      break;
    case 'origin':
    case 'point-of-entry':
      // It says so of itself.
      add(given.kind, by);
      if (given.kind === 'point-of-entry') add('foreign-provider');
      break;
    case 'not-found':
      add('disputed');
      break;
    case 'upstream':
      if ('otherCall' in given) add('disputed');
      else addNamed(given.provider, by, adding);
  }
}

/** What the one comes to that was named by somebody who did not have the call from it. */
function addNamed(named: string, by: string, adding: Adding): void {
  const { traced, add, asked } = adding;
  const { network, call, hops } = traced;
  add('disputed');
  if (asked.has(named)) {
    add('loop');
    return;
  }
  if (!network.providers.has(named)) {
    add('unlisted-provider');
    return;
  }
  // Nobody asks a foreign provider: who names it says of itself that the call came from abroad.
  if (providerOf(network, named).isForeign) add('foreign-provider');
  if (isLate(network, call, named)) add('non-responsive', named);
  const next = { ...adding, asked: new Set([...asked, named]) };
  const isColluder = colluderOf(network, call, by) === named;
  if (hops.some(({ provider }) => provider === named)) {
    add('loop');
    addTwice(named, adding);
    // The neighbour that did send it the call may lead on from there.
    hops.forEach(({ provider }, index) => {
      if (provider === named) walk(next, index - 1);
    });
    const own = traced.statements.find(({ provider }) => provider === named);
    // It had the call, and does not say that it sent it there; what it says of its own hop may be followed all the same.
    if (own !== undefined && own.given !== own.truth) addStatement(own.given, named, next);
  } else addStatement(answerWithoutTheCall(network, call, named), named, next);
  if (isColluder) addStatement(colludedBy(network, named, hops), named, next);
}

/** Providers that sent a call to the same neighbour twice, so that the same question is asked again. */
function twiceAlike({ way }: PlannedCall): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (let index = 1; index < way.length; index += 1) {
    const before = way[index - 1] ?? '';
    const pair = `${before} ${way[index] ?? ''}`;
    if (seen.has(pair)) twice.add(before);
    seen.add(pair);
  }
  return twice;
}

/**
 * Remembers what was made of objects, for as long as somebody holds them. What is made of one is the same whenever it is made, but for members that
 * whoever made it leaves to be changed.
 * @returns gives what is remembered of an object, or makes it; throws what making it throws
 */
function createRemembered<Key extends object, Value extends object>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

/** What is true of the calls of a plan. Nothing is kept of a call: each is told anew, in some microseconds. */
export interface NetworkTruth {
  readonly plan: NetworkPlan;
  /** Where a call of the plan comes to, and how it ends. */
  readonly carried: (call: PlannedCall) => CarriedTruth;
  /** Truth of a call of the plan. */
  readonly ofCall: (call: PlannedCall) => CallTruth;
  /** What a provider says when it is asked about a call that never came to it. `provider` is one of the plan. */
  readonly answerWithoutTheCall: (call: PlannedCall, provider: string) => GivenAnswer;
  /** What a provider does with requests about a call, whether it had the call or not. */
  readonly habits: (call: PlannedCall, provider: string) => AnsweringHabits;
  /** Whether a provider may have said nothing about a call when its time is up: it does not answer, or answers late. */
  readonly mayBeSilent: (call: PlannedCall, provider: string) => boolean;
  /**
   * Whether an outcome may name a provider as where a call began or came into the country: it is so, or the provider says so of itself, falsely.
   * Nobody else may be named, on whosever word.
   */
  readonly mayBeNamed: (call: PlannedCall, provider: string) => boolean;
}

/**
 * Arranges a plan so that the truth of each of its calls can be told.
 * @param plan - whose calls lead over its own providers
 * @returns the truth, the same object for the same plan; its functions throw `RangeError` for providers that the plan does not have. Never throws of itself
 * @see {@link callTruth}
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { onceOnly: true });
 * const truth = networkTruth(plan);
 * console.log(plan.calls.every((call) => truth.ofCall(call).finalStatus.length > 0)); // true
 * ```
 */
export function networkTruth(plan: NetworkPlan): NetworkTruth {
  return truthOfPlan(plan);
}

/** For plans that somebody still holds. */
const truthOfPlan = createRemembered((plan: NetworkPlan): NetworkTruth => {
  const network = knownNetwork(plan);
  return {
    plan,
    carried: (call) => carriedOnce(network, call),
    ofCall: (call) => truthOf(network, call),
    answerWithoutTheCall: (call, provider) => answerWithoutTheCall(network, call, provider),
    habits: (call, provider) => habitsOf(network, call, provider),
    mayBeSilent: (call, provider) =>
      habitsOf(network, call, provider).says?.kind === 'silent' || isLate(network, call, provider),
    mayBeNamed: (call, provider) => mayBeNamed(network, call, provider),
  };
});

/**
 * Tells what is true of a call: through which providers it comes, what each of them receives, finds, sends and writes down, what it will answer, and what a
 * traceback may fairly come to. From the plan alone, without verification or traceback code.
 * @param plan - that the call belongs to
 * @param call - of the plan
 * @returns the truth; the same plan and call always have the same
 * @throws `RangeError` where the way leads over a provider that the plan does not have
 * @see RFC 8224 section 6.2; RFC 8588; RFC 8946; ATIS-1000082; 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { onceOnly: true });
 * for (const call of plan.calls.slice(0, 1)) console.log(callTruth(plan, call).culprit.kind); // origin
 * ```
 */
export function callTruth(plan: NetworkPlan, call: PlannedCall): CallTruth {
  return networkTruth(plan).ofCall(call);
}

/** The call that was asked about last: who carries a plan out and who judges it ask about one after the other. */
const lastOf = createRemembered((_network: KnownNetwork): { carried?: readonly [PlannedCall, CarriedCall] } => ({}));

function carriedOnce(network: KnownNetwork, call: PlannedCall): CarriedCall {
  const last = lastOf(network);
  if (last.carried?.[0] === call) return last.carried[1];
  const carried = carryCall(network, call);
  last.carried = [call, carried];
  return carried;
}

function truthOf(network: KnownNetwork, call: PlannedCall): CallTruth {
  const { hops, finalStatus } = carriedOnce(network, call);
  const culprit = culpritOf(network, call);
  const statements = statementsOf(network, call, hops);
  const fairOutcomes = fairOutcomesOf({ network, call, hops, statements });
  const innocent = new Set(
    call.way.filter(
      (provider) => provider !== culprit.provider && !saysItself(network, call, { provider, statements }),
    ),
  );
  return {
    index: call.index,
    hops,
    finalStatus,
    culprit,
    answers: statements,
    fairOutcomes,
    innocent: [...innocent],
  };
}

function mayBeNamed(network: KnownNetwork, call: PlannedCall, provider: string): boolean {
  if (!network.providers.has(provider)) return false;
  if (culpritOf(network, call).provider === provider) return true;
  const { hops } = carriedOnce(network, call);
  return saysItself(network, call, { provider, statements: statementsOf(network, call, hops) });
}

/** Whether a provider says of itself what is not so: that the call began, or came into the country, with it. */
function saysItself(
  network: KnownNetwork,
  call: PlannedCall,
  { provider, statements }: { readonly provider: string; readonly statements: readonly TrueStatement[] },
): boolean {
  const own = statements.find((one) => one.provider === provider && one.given !== one.truth)?.given;
  const said =
    own ??
    (providerOf(network, provider).behaviours.length === 0 ? undefined : answerWithoutTheCall(network, call, provider));
  return said !== undefined && isSelfAccusation(network, said);
}

/** Who names a foreign provider says thereby that it took the call from abroad. */
function isSelfAccusation(network: KnownNetwork, said: GivenAnswer): boolean {
  if (said.kind === 'upstream') return network.providers.get(said.provider)?.isForeign === true;
  return said.kind === 'origin' || said.kind === 'point-of-entry';
}
