import { createPrivateKey } from 'node:crypto';
import {
  PlatformClient,
  mergeTracebackRequestSources,
  pollTracebackRequests,
  privateKeyJwt,
  streamTracebackRequests,
} from '@hopback/sdk/platform';
import type { TimerClock, TracebackRequestArrival, TracebackRequestSource } from '@hopback/sdk/platform';
import type { RecordStore } from '@hopback/sdk/records';
import {
  createCarrierResponder,
  createClientAnswerTransport,
  createLocalAnswerSigner,
  createReceiptVerifier,
  TracebackResponder,
  TrunkDirectory,
  officeDeadline,
  readTrunkDirectory,
  signAnswer,
  storeKnowledge,
} from '@hopback/sdk/traceback';
import { answerSha256 } from '@hopback/sdk/internal';
import type {
  AnswerSigner,
  AnswerTransport,
  CarrierResponderOptions,
  Decided,
  FindingArm,
  ReviewDecision,
  ReviewView,
  TracebackAnswer,
  TracebackRequest,
  VerifyReceipt,
} from '@hopback/sdk/traceback';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourHolds } from '../plan/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';
import { behaviourOf, withOtherFinding } from './behaviours.js';
import { answerPolicy, trunkTable } from './call-route.js';
import type { CallRoutes } from './call-route.js';
import type { NodeMembership, NodePlatform } from './node-material.js';

/** How long requests lie. */
interface LateOptions {
  /** After its issue, milliseconds of the platform's clock; Infinity: for ever. */
  readonly liesMs: (request: TracebackRequest) => number;
  readonly clock: TimerClock;
}

/** A source whose requests nobody looks at for hours. What comes again meanwhile lies as well. */
function lateRequests(source: TracebackRequestSource, { liesMs, clock }: LateOptions): TracebackRequestSource {
  const ready: TracebackRequestArrival[] = [];
  /** What lies, by the id of the request: of what comes again the last one counts. */
  const lying = new Map<string, { readonly arrival: TracebackRequestArrival; readonly cancel: () => void }>();
  const state = { isOver: false };
  let wake: () => void = () => undefined;
  const put = (arrival: TracebackRequestArrival): void => {
    ready.push(arrival);
    wake();
  };
  const take = async (): Promise<void> => {
    for await (const arrival of source) {
      if (arrival.kind !== 'request') {
        put(arrival);
        continue;
      }
      const { requestId, issuedAt } = arrival.request;
      const afterMs = liesMs(arrival.request);
      const before = lying.get(requestId);
      before?.cancel();
      before?.arrival.release();
      const fire = (): void => {
        lying.delete(requestId);
        put(arrival);
      };
      const dueMs = Date.parse(issuedAt) + afterMs - clock.nowMs();
      if (dueMs <= 0) fire();
      else
        lying.set(requestId, { arrival, cancel: dueMs === Infinity ? () => undefined : clock.schedule(fire, dueMs) });
    }
  };
  const end = (): void => {
    state.isOver = true;
    for (const { cancel, arrival } of lying.values()) {
      cancel();
      arrival.release();
    }
    lying.clear();
    wake();
  };
  const close = async (): Promise<void> => {
    end();
    await source.close();
  };
  async function* arrivals(): AsyncGenerator<TracebackRequestArrival, void, undefined> {
    // A source that rejects ends this one; the responder iterates it anew.
    const taking = take().finally(end);
    try {
      while (!state.isOver || ready.length > 0) {
        const arrival = ready.shift();
        if (arrival !== undefined) yield arrival;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      await taking;
    } finally {
      await close();
      await taking.catch(() => undefined);
    }
  }
  return { [Symbol.asyncIterator]: arrivals, close, [Symbol.asyncDispose]: close };
}

/** The way of answers to the platform and back. */
interface AnswerChannel {
  readonly transport: AnswerTransport;
  readonly verifyReceipt: VerifyReceipt;
}

/**
 * Stands between a responder and the platform: the responder finds and signs the truth, and another answer is signed and sent in its place. Of the
 * receipt the responder is told that it is for what it wrote.
 * @param honest - the way to the platform
 * @param liar - whose key signs, and what is said
 */
function lyingTransport(
  honest: AnswerChannel,
  liar: { readonly signer: AnswerSigner; readonly says: (answer: TracebackAnswer) => TracebackAnswer },
): AnswerChannel {
  /** What was written, by the hash of what was sent in its place. */
  const written = new Map<string, string>();
  return {
    transport: {
      deliver: async (answer, signal) => {
        const said = await signAnswer(liar.says(payloadOf(answer.jws)), liar.signer);
        written.set(answerSha256(said), answerSha256(answer.jws));
        return honest.transport.deliver({ ...answer, jws: said }, signal);
      },
    },
    verifyReceipt: async (receipt) => {
      const reading = await honest.verifyReceipt(receipt);
      if (reading.status !== 'verified') return reading;
      return { ...reading, answerSha256: written.get(reading.answerSha256) ?? reading.answerSha256 };
    },
  };
}

/** The answer in a JWS that our own responder has just made. */
function payloadOf(jws: string): TracebackAnswer {
  const [, payload = ''] = jws.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as TracebackAnswer;
}

/** How a provider deals with requests. */
interface AnswerManners {
  /** Whether it has a responder at all. */
  readonly isAnswering: boolean;
  /** How long a request lies, milliseconds of the platform's clock; Infinity: for ever. Undefined where none ever does. */
  readonly liesMs?: (request: TracebackRequest) => number;
  /** What is said in place of what was found; undefined where it always says that. */
  readonly says?: (answer: TracebackAnswer, request: TracebackRequest | undefined) => TracebackAnswer;
}

/** Finds out how a provider deals with requests: by its behaviours, and by those who count on it. */
export function answerManners(plan: NetworkPlan, provider: PlannedProvider, routes: CallRoutes): AnswerManners {
  const { behaviours } = provider;
  const doings = behaviours.map(behaviourOf);
  const allies = plan.providers.filter((one) => one.id !== provider.id && alliances(one, provider.id).length > 0);
  const isAlwaysSilent = behaviours.some((one) => behaviourOf(one).isSilent === true && isUnbounded(one));
  const lies = doings.some(({ says }) => says !== undefined);
  const waits = doings.some(({ answersAfterMs, isSilent }) => answersAfterMs !== undefined || isSilent === true);
  const callOf = (request: TracebackRequest | undefined): PlannedCall | undefined => calledFor(request, plan, routes);
  const active = (of: PlannedProvider, call: PlannedCall | undefined): readonly Behaviour[] =>
    of.behaviours.filter((one, place) =>
      call === undefined ? isUnbounded(one) : behaviourHolds(one, call, { seed: plan.seed, provider: of.id, place }),
    );
  return {
    isAnswering: provider.answersTracebacks && !isAlwaysSilent,
    ...(waits && {
      liesMs: (request) =>
        active(provider, callOf(request)).reduce((ms, one) => {
          const { isSilent, answersAfterMs } = behaviourOf(one);
          return Math.max(ms, isSilent === true ? Infinity : (answersAfterMs?.(one) ?? 0));
        }, 0),
    }),
    ...((lies || allies.length > 0) && {
      says: (answer, request) => {
        const call = callOf(request);
        const lie = active(provider, call).findLast((one) => behaviourOf(one).says !== undefined);
        // Who lies does so too about a call that never came to it.
        if (lie !== undefined)
          return behaviourOf(lie).says?.(withCall(answer, call, request), lie, { provider: named(plan) }) ?? answer;
        const isCounted =
          call !== undefined &&
          !call.way.includes(provider.id) &&
          allies.some((one) => call.way.includes(one.id) && active(one, call).some((b) => isAlliance(b, provider.id)));
        return isCounted ? colluded(withCall(answer, call, request), call, { plan, provider }) : answer;
      },
    }),
  };
}

const isUnbounded = ({ fromSeconds, untilSeconds, share }: Behaviour): boolean =>
  fromSeconds === undefined && untilSeconds === undefined && share === undefined;

const isAlliance = (behaviour: Behaviour, ally: string): boolean =>
  behaviour.kind === 'names-another' && behaviour.colludes === true && behaviour.provider === ally;

const alliances = ({ behaviours }: PlannedProvider, ally: string): readonly Behaviour[] =>
  behaviours.filter((one) => isAlliance(one, ally));

const named =
  ({ providers }: NetworkPlan) =>
  (id: string): { readonly providerId: string; readonly name: string } => {
    const found = providers.find((one) => one.id === id);
    return { providerId: found?.providerId ?? id, name: found?.name ?? id };
  };

/**
 * What an ally says of a call that it never had: that it came from the first of those that send it calls and was not on the way, since to name itself
 * would be no use to it; where there is none it takes the call upon itself.
 */
function colluded(
  answer: TracebackAnswer,
  call: PlannedCall,
  { plan, provider }: { readonly plan: NetworkPlan; readonly provider: PlannedProvider },
): TracebackAnswer {
  const framed = provider.upstream.find((id) => id !== provider.id && !call.way.includes(id));
  return framed === undefined
    ? withOtherFinding(answer, { arm: 'origin', customer: {} })
    : withOtherFinding(answer, { arm: 'received-from', upstream: named(plan)(framed) });
}

/** The answer with a call: if none was found, an invented record that fits the request. */
function withCall(
  answer: TracebackAnswer,
  call: PlannedCall | undefined,
  request: TracebackRequest | undefined,
): TracebackAnswer {
  if (answer.call !== undefined || call === undefined) return answer;
  const { local, zone } = request?.call.at ?? {};
  const startedAt = zone === 'UTC' ? new Date(`${local ?? ''}Z`).toISOString() : answer.answeredAt;
  const { calling, called, isAnswered } = call;
  return { ...answer, call: { startedAt, calling, called, disposition: isAnswered ? 'answered' : 'no-answer' } };
}

/** The call of the plan that a request is about: of those with its numbers the one nearest in time is as good as any. */
function calledFor(
  request: TracebackRequest | undefined,
  { calls }: NetworkPlan,
  routes: CallRoutes,
): PlannedCall | undefined {
  const called = request?.call.called?.replace(/\D/g, '');
  const calling = request?.call.calling?.replace(/\D/g, '');
  if (called === undefined) return undefined;
  if (calling !== undefined) return routes.find(undefined, { calling, called })?.call;
  return calls.find((call) => call.called === called);
}

/** What whoever sits at the desk of a provider goes by: its own books, no more. */
export interface DeskBooks {
  readonly provider: PlannedProvider;
  readonly providers: readonly PlannedProvider[];
  readonly calls: NetworkPlan['calls'];
  /** Index of the call that a record is of; undefined for one of another time. */
  readonly indexOf: (recordId: string) => number | undefined;
}

/** What a person decides, but for who and when. */
type Decision = Pick<ReviewDecision, 'arm' | 'candidate' | 'provider' | 'contact' | 'reason'>;

const NO_RECORDS = 'No records of that time were written.';
const BY = 'Traceback desk';

/**
 * Whoever sits at the desk of a provider: decides at once what the responder leaves to a person, by the records that are shown and by what a provider
 * knows of its own calls.
 * @param responderOf - the responder, once it is open
 * @param onTrouble - told of a decision that was not taken
 */
function createDesk(
  books: DeskBooks,
  {
    responderOf,
    clock,
    onTrouble,
  }: {
    readonly responderOf: () => TracebackResponder | undefined;
    readonly clock: TimerClock;
    readonly onTrouble: (what: string) => void;
  },
): NonNullable<CarrierResponderOptions['notify']> {
  return async (event) => {
    if (event.kind !== 'review-wanted') return;
    const responder = responderOf();
    // Before the responder is there it is told again later.
    if (responder === undefined) throw new TypeError('the desk is not open yet');
    const { requestId } = event;
    const request = responder.entry(requestId)?.request;
    const view = responder.review(requestId, { showNumbers: true });
    if (request === undefined || view === undefined) return;
    const decision: ReviewDecision = {
      format: 'hopback.review-decision.1',
      decisionId: `${requestId}.desk`,
      requestId,
      by: BY,
      decidedAt: new Date(clock.nowMs()).toISOString(),
      ...decided(view, request, books),
    };
    const outcome = await decideDespite(responder, decision);
    if (outcome.status !== 'refused') return;
    const problems = outcome.problems.map(({ about, text }) => `${about}: ${text}`).join('; ');
    onTrouble(`the desk said ${decision.arm} of ${view.tracebackId}, which was not taken: ${problems}`);
  };
}

/** Hands a decision in, and once more with what has to be confirmed. */
async function decideDespite(responder: TracebackResponder, decision: ReviewDecision): Promise<Decided> {
  const first = await responder.decide(decision);
  if (first.status !== 'refused' || !first.problems.every(({ isConfirmable }) => isConfirmable === true)) return first;
  return responder.decide({ ...decision, despite: first.problems.map(({ about }) => about) });
}

/** What is decided about a request: which of the calls that were found is meant, and whom it came from; or why that cannot be said. */
export function decided(view: ReviewView, request: TracebackRequest, books: DeskBooks): Decision {
  const allowed = new Set(view.actions.flatMap(({ arms }) => arms.map(({ arm }) => arm)));
  const meant = callMeant(view, request, books);
  if (meant === 'several') return { arm: 'ambiguous' };
  if (meant === undefined) return withoutCall(allowed);
  const { candidate, call, arm } = meant;
  const downstream = request.downstream?.providerId;
  const hops = call.way.flatMap((id, hop) => (id === books.provider.id ? [hop] : []));
  const idOf = (providerId: string): string | undefined =>
    books.providers.find((one) => one.providerId === providerId)?.id;
  const hop =
    downstream === undefined ? hops.at(-1) : hops.find((one) => call.way[one + 1] === (idOf(downstream) ?? ''));
  if (hop === undefined) return { arm: 'not-sent-to-downstream', candidate };
  // What the record says is said, right or wrong; where the trunk says nothing a person knows its neighbours.
  return arm === undefined ? { ...cameFrom(call, hop, books), candidate } : { arm, candidate };
}

/** Whom a call came from at a hop of its way. */
function cameFrom({ way }: PlannedCall, hop: number, { provider, providers }: DeskBooks): Decision {
  const before = hop === 0 ? undefined : providers.find(({ id }) => id === way[hop - 1]);
  if (before === undefined) return { arm: 'origin' };
  const { name, country, providerId, id } = before;
  if (provider.country === HOME && country !== HOME)
    return { arm: 'point-of-entry', contact: { name, country, email: `tracebacks@${id}.example` } };
  return { arm: 'received-from', provider: { name, providerId } };
}

const HOME = 'US';

/** Which arms are left where no call is the one that is meant. */
function withoutCall(allowed: ReadonlySet<FindingArm>): Decision {
  const arm = (['not-retained', 'not-found'] as const).find((one) => allowed.has(one));
  return arm === undefined ? { arm: 'refused', reason: NO_RECORDS } : { arm };
}

/** Two calls with the same numbers that are as near to what was stated as this cannot be told apart, milliseconds. */
const APART_MS = 1_000;

interface Candidate {
  readonly candidate: string;
  /** What would be answered by its record; absent where that does not say whom it came from. */
  readonly arm?: FindingArm;
  readonly call: PlannedCall;
  readonly apartMs: number;
}

/**
 * The call that a request is about, of those that the responder has found: it went to the number that was stated, and of several it is the one that
 * came nearest to the time.
 */
function callMeant(
  { candidates }: ReviewView,
  { call: stated }: TracebackRequest,
  { calls, providers, indexOf }: DeskBooks,
): Candidate | 'several' | undefined {
  const atMs = Date.parse(`${stated.at.local}${offsetOf(stated.at.zone)}`);
  const all = candidates.flatMap(({ candidate, startedAt, finding }): readonly Candidate[] => {
    const call = calls[indexOf(candidate) ?? -1];
    return call === undefined
      ? []
      : [
          {
            candidate,
            call,
            apartMs: Math.abs(Date.parse(startedAt) - atMs),
            ...(finding !== undefined && { arm: finding.arm }),
          },
        ];
  });
  const fitting = all
    .filter(
      ({ call }) => isStated(stated.called, numbersOf(call)) && isStated(stated.calling, callersOf(call, providers)),
    )
    .toSorted((one, other) => one.apartMs - other.apartMs);
  const [first] = fitting;
  const second = fitting.find(({ call }) => call.index !== first?.call.index);
  if (first === undefined) return undefined;
  return second !== undefined && second.apartMs - first.apartMs < APART_MS ? 'several' : first;
}

/** Digits that a call was for, on its way. */
const numbersOf = ({ called, diversions = [] }: PlannedCall): readonly string[] => [
  called,
  ...diversions.map(({ to }) => to),
];

/** Digits that a call showed as its caller on its way. */
const callersOf = ({ calling, way }: PlannedCall, providers: readonly PlannedProvider[]): readonly string[] => [
  calling,
  ...providers
    .filter(({ id }) => way.includes(id))
    .flatMap(({ behaviours }) => behaviours)
    .flatMap((one) => (one.kind === 'rewrites-numbers' && one.how === 'calling' ? (one.value ?? []) : [])),
];

/** Whether a number was stated that is one of those; one that was not stated may be any. */
function isStated(stated: string | undefined, numbers: readonly string[]): boolean {
  const digits = stated?.replace(/\D/g, '');
  return digits === undefined || numbers.some((one) => one.slice(-NATIONAL) === digits.slice(-NATIONAL));
}

/** Digits of a number without its country. */
const NATIONAL = 10;

const offsetOf = (zone: string | undefined): string =>
  zone !== undefined && /^[+-]\d\d:\d\d$/.test(zone) ? zone : 'Z';

/** Settings of {@link openNodeAnswers}. */
interface NodeAnswersOptions {
  readonly plan: NetworkPlan;
  readonly provider: PlannedProvider;
  readonly directory: string;
  readonly store: RecordStore;
  readonly platform: NodePlatform;
  readonly membership: NodeMembership;
  readonly clock: TimerClock;
  readonly manners: AnswerManners;
  /** Which call a record of the provider is of, for whoever decides what is left to a person. */
  readonly indexOf: DeskBooks['indexOf'];
  readonly onTrouble: (what: string) => void;
}

/** Time zone of all offices. */
const OFFICE_ZONE = 'America/New_York';

/**
 * Opens the responder of a provider. An honest one has what any carrier has; a liar has the same, which finds the true answer, and stands between it
 * and the platform.
 */
export async function openNodeAnswers(options: NodeAnswersOptions): Promise<TracebackResponder> {
  const { plan, provider, directory, store, platform, membership, clock, manners, indexOf, onTrouble } = options;
  const { providers, calls } = plan;
  const identity = { providerId: provider.providerId, name: provider.name };
  const { clientId, keyId, answerKeyId, answerKeyPem, privateKeyPem } = membership;
  const key = createPrivateKey(privateKeyPem);
  const timed = { ...clock, monotonicMs: clock.nowMs };
  const current: { responder?: TracebackResponder } = {};
  const notify = createDesk(
    { provider, providers, calls, indexOf },
    { responderOf: () => current.responder, clock, onTrouble },
  );
  const common = {
    directory,
    provider: identity,
    policy: answerPolicy(provider),
    clock: timed,
    notify,
  };
  const { says, liesMs } = manners;
  if (says === undefined && liesMs === undefined) {
    current.responder = await createCarrierResponder({
      ...common,
      store,
      zone: OFFICE_ZONE,
      trunks: trunkTable(provider, providers),
      answerKey: { privateKeyPem: answerKeyPem, keyId: answerKeyId },
      platform: {
        baseUrl: platform.baseUrl,
        tokenUrl: platform.tokenUrl,
        receiptKeys: platform.receiptKeys,
        clientId,
        key,
        keyId,
      },
    });
    return current.responder;
  }
  const authorization = await privateKeyJwt({
    tokenUrl: platform.tokenUrl,
    clientId,
    key,
    keyId,
    clock,
  });
  const client = new PlatformClient({ baseUrl: platform.baseUrl, authorization, clock });
  const trunks = new TrunkDirectory(readTrunkDirectory(trunkTable(provider, providers)));
  const signer = await createLocalAnswerSigner({ privateKeyPem: answerKeyPem, keyId: answerKeyId });
  const honest: { readonly transport: AnswerTransport; readonly verifyReceipt: VerifyReceipt } = {
    transport: createClientAnswerTransport(client),
    verifyReceipt: createReceiptVerifier(platform.receiptKeys),
  };
  const liar = says && {
    signer,
    says: (answer: TracebackAnswer) => says(answer, current.responder?.entry(answer.requestId)?.request),
  };
  current.responder = await TracebackResponder.open({
    ...common,
    trunks,
    signer,
    ...storeKnowledge(store, { trunks }),
    deadlineOf: officeDeadline({ zone: OFFICE_ZONE }),
    platform: liar === undefined ? honest : lyingTransport(honest, liar),
    requests: ({ open }) => {
      const source = mergeTracebackRequestSources([
        streamTracebackRequests({ client, open, clock: timed }),
        pollTracebackRequests({ client, open, clock: timed }),
      ]);
      return liesMs === undefined ? source : lateRequests(source, { liesMs, clock });
    },
  });
  return current.responder;
}
