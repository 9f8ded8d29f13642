import type { Verstat } from '@hopback/sdk/stir';
import type { Behaviour } from '../../scenario/index.js';
import { behaviourHolds, unassignedCode } from '../plan/index.js';
import type { NetworkPlan, PlannedCall, PlannedProvider } from '../plan/index.js';
import { effectsOf } from './behaviours.js';
import type { BehaviourEffects, Leg, Reception } from './behaviours.js';
import type { Attestation, CarriedTruth, TrueFault, TrueIdentity, TrueVerdict } from './truth.js';

/** A behaviour of a provider, and what follows from it. */
interface KnownBehaviour {
  readonly behaviour: Behaviour;
  readonly effects: BehaviourEffects;
}

/** A provider, and what it does. */
export interface KnownProvider {
  readonly planned: PlannedProvider;
  readonly behaviours: readonly KnownBehaviour[];
  readonly isForeign: boolean;
  /** Whether what it does depends on where on the way it is. */
  readonly doesDivert: boolean;
}

/** A plan, arranged so that the truth of a call is told fast. */
export type KnownNetwork = ReturnType<typeof knownNetwork>;

/** An Identity that a provider kept. */
interface ReplayedIdentity {
  readonly callIndex: number;
  readonly atMs: number;
  readonly identity: readonly TrueIdentity[];
}

/** Arranges a plan. */
export function knownNetwork(plan: NetworkPlan) {
  const providers = new Map<string, KnownProvider>();
  for (const planned of plan.providers) {
    providers.set(planned.id, {
      planned,
      behaviours: planned.behaviours.map((behaviour) => ({ behaviour, effects: effectsOf(behaviour) })),
      isForeign: planned.role === 'foreign' || planned.country !== 'US',
      doesDivert: planned.behaviours.some(({ kind }) => kind === 'diverts'),
    });
  }
  let loads: ReadonlyMap<string, ReadonlyMap<number, number>> | undefined;
  const drawn = {
    call: undefined as PlannedCall | undefined,
    effects: new Map<string, readonly BehaviourEffects[]>(),
  };
  return {
    plan,
    providers,
    /** Calls that a provider is sent in each second of the run; for providers that can be overloaded alone. */
    load: (provider: string) => {
      loads ??= countLoads(plan);
      return loads.get(provider) ?? NOTHING;
    },
    /** By provider, the Identities of which it may have kept any: found when one is replayed. */
    replayed: new Map<string, readonly ReplayedIdentity[]>(),
    /** What the providers do to the call that was asked about last: of one call several things are asked, and to draw costs most of the time. */
    drawn,
  };
}

const NOTHING: ReadonlyMap<number, number> = new Map();

/** A provider of the plan; a way leads over no other. */
export function providerOf({ providers }: KnownNetwork, id: string): KnownProvider {
  const known = providers.get(id);
  if (known === undefined) throw new RangeError(`a way leads over ${id}, which is no provider of the plan`);
  return known;
}

/** What a provider does to, or says of, one call, in the order of its behaviours; `hop`: where on the way, for what is done there alone. */
export function effectsUnder(
  { behaviours, planned, doesDivert }: KnownProvider,
  { network, call }: { readonly network: KnownNetwork; readonly call: PlannedCall },
  hop?: number,
): readonly BehaviourEffects[] {
  if (behaviours.length === 0) return NONE;
  const { drawn, plan } = network;
  if (drawn.call !== call) {
    drawn.call = call;
    drawn.effects.clear();
  }
  const key = hop === undefined || !doesDivert ? planned.id : `${planned.id} ${hop}`;
  const known = drawn.effects.get(key);
  if (known !== undefined) return known;
  const effects = behaviours
    .filter(({ behaviour }, place) => {
      // To where a call is forwarded is planned: by who serves the number that was called.
      if (behaviour.kind === 'diverts')
        return call.diversions?.some((one) => one.hop === hop && one.behaviour === place) === true;
      return behaviourHolds(behaviour, call, { seed: plan.seed, provider: planned.id, place });
    })
    .map((one) => one.effects);
  drawn.effects.set(key, effects);
  return effects;
}

const NONE: readonly BehaviourEffects[] = [];

function countLoads({ providers, calls }: NetworkPlan): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const loads = new Map<string, Map<number, number>>();
  for (const { id, behaviours } of providers)
    if (behaviours.some(({ kind }) => kind === 'overloads')) loads.set(id, new Map());
  for (const { way, atMs, placedMs = atMs } of calls) {
    const second = Math.floor(placedMs / 1_000);
    for (const id of way) {
      const load = loads.get(id);
      if (load !== undefined) load.set(second, (load.get(second) ?? 0) + 1);
    }
  }
  return loads;
}

/** A call of a network. */
export interface CallOf {
  readonly network: KnownNetwork;
  readonly call: PlannedCall;
}

/** Where a call is, and whom it came from. */
interface SigningHop {
  readonly provider: KnownProvider;
  /** Undefined: a customer of the provider. */
  readonly from: KnownProvider | undefined;
  /** Whether `from` is where the call began. */
  readonly isFromOrigin: boolean;
}

/**
 * With what a provider signs a call that nobody has signed; undefined where it does not. An originating provider knows its customer, and vouches for
 * the number where it has given it to that customer. A gateway knows neither, and an intermediate one signs only what comes to it directly from an
 * originating provider that did not. ATIS-1000074 section 5.2.3; 47 CFR 64.6302(c), (d)
 */
export function attestationOf(
  leg: Leg,
  { provider, from, isFromOrigin }: SigningHop,
  effects: readonly BehaviourEffects[],
): Attestation | undefined {
  const { role, stir, numbers } = provider.planned;
  if (!stir || leg.identity.length > 0) return undefined;
  const isOriginator = role === 'originating' || role === 'ipes' || (role === 'foreign' && from === undefined);
  if (isOriginator) {
    const spoofed = effects.findLast(({ attestation }) => attestation !== undefined)?.attestation;
    if (spoofed !== undefined) return spoofed;
    if (from !== undefined) return 'C';
    return isAmong(leg.calling, numbers) ? 'A' : 'B';
  }
  if (role === 'gateway') return 'C';
  const isIntermediate = role === 'transit' || role === 'foreign';
  return isIntermediate && isFromOrigin && from !== undefined && isOriginating(from) ? 'C' : undefined;
}

const isOriginating = ({ planned: { role }, isForeign }: KnownProvider): boolean =>
  !isForeign && (role === 'originating' || role === 'ipes');

function isAmong(number: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => number.startsWith(prefix));
}

/** Makes a shaken PASSporT about the numbers of a leg, by one provider with the certificate of one. RFC 8588 */
export function signedLeg(
  { calling, called }: Leg,
  { signedBy, certificateOf, attestation }: SignedAs & { readonly attestation: Attestation },
  of: CallOf,
): TrueIdentity {
  const { spc, faults, doubtful } = certificateAt(certificateOf, of);
  const { index: madeFor } = of.call;
  return {
    ppt: 'shaken',
    signedBy,
    spc,
    attestation,
    orig: calling,
    dest: called,
    madeFor,
    faults,
    doubtful,
  };
}

/** Who makes a signature, and whose certificate stands for it. */
interface SignedAs {
  readonly signedBy: string;
  readonly certificateOf: string;
}

/** Makes a div PASSporT about the step from the number of a leg to another. RFC 8946 section 3 */
export function divertedLeg({ calling, called }: Leg, to: string, by: string, of: CallOf): TrueIdentity {
  return {
    ppt: 'div',
    signedBy: by,
    orig: calling,
    dest: to,
    div: called,
    madeFor: of.call.index,
    ...certificateAt(by, of),
  };
}

/**
 * Whose code the certificate of a provider has when a call is placed, and what is wrong with it. Where it was not always wrong, or is not for good, somebody may have the
 * good one in a cache, or the bad one: then it is doubtful from when it begins.
 */
function certificateAt(
  id: string,
  { network, call }: CallOf,
): {
  readonly spc: string;
  readonly faults: readonly TrueFault[];
  readonly doubtful: readonly TrueFault[];
} {
  const {
    behaviours,
    planned: { spc },
  } = providerOf(network, id);
  if (behaviours.length === 0) return { spc, faults: [], doubtful: [] };
  const faults: TrueFault[] = [];
  const doubtful: TrueFault[] = [];
  for (const { behaviour, effects } of behaviours) {
    if (effects.certificate === undefined) continue;
    const { fromSeconds = 0, untilSeconds } = behaviour;
    const isAlways = fromSeconds <= 0 && untilSeconds === undefined;
    if (call.atMs < fromSeconds * 1_000) continue;
    (isAlways ? faults : doubtful).push(...effects.certificate.faults);
    doubtful.push(...effects.certificate.doubtful);
  }
  const isOthers = faults.includes('certificate-wrong-spc');
  return { spc: isOthers ? unassignedCode(network.plan.providers) : spc, faults, doubtful };
}

/** Carries a call along its way. */
type Carry = (network: KnownNetwork, call: PlannedCall) => CarriedTruth;

/** Among the first calls of a provider: where none of so many is signed, none is kept. */
const CALLS_TO_REPLAY = 1_000;
/** Calls that are placed so near to each other come to a provider in any order, milliseconds. */
const ANY_ORDER_MS = 3_000;

/**
 * What a provider that replays may have kept by the time of a call, each time the whole Identity of an earlier one: that of the first one that had
 * any, of which it cannot be known which it was where several came at once. Undefined stands for this call itself being the first.
 */
export function keptIdentities(
  id: string,
  { network, call }: CallOf,
  carry: Carry,
): readonly (readonly TrueIdentity[] | undefined)[] {
  if (!network.replayed.has(id)) {
    // While they are looked for there are none: two that replay on one way would else wait for each other.
    network.replayed.set(id, []);
    network.replayed.set(id, firstIdentities(id, network, carry));
  }
  const kept = network.replayed.get(id) ?? [];
  const [first] = kept;
  if (first === undefined) return [];
  const isFirst = call.atMs <= first.atMs + ANY_ORDER_MS;
  const others = kept.filter(({ callIndex, atMs }) => callIndex !== call.index && atMs <= call.atMs + ANY_ORDER_MS);
  return [...others.map(({ identity }) => identity), ...(isFirst ? [undefined] : [])];
}

function firstIdentities(id: string, network: KnownNetwork, carry: Carry): readonly ReplayedIdentity[] {
  const kept: ReplayedIdentity[] = [];
  let tried = 0;
  for (const call of network.plan.calls) {
    const [first] = kept;
    if (first !== undefined && call.atMs > first.atMs + ANY_ORDER_MS) break;
    if (!call.way.includes(id) || !isReplaying(id, { network, call })) continue;
    tried += 1;
    if (tried > CALLS_TO_REPLAY) break;
    const sends = carry(network, call).hops.find(({ provider }) => provider === id)?.sends;
    if (sends === undefined || sends.identity.length === 0) continue;
    kept.push({ callIndex: call.index, atMs: call.atMs, identity: sends.identity });
  }
  return kept;
}

function isReplaying(id: string, { network, call }: CallOf): boolean {
  const effects = effectsUnder(providerOf(network, id), { network, call });
  return effects.some(({ isReplaying: replays }) => replays === true);
}

/** How old a signature may be, seconds. RFC 8224 section 6.2 */
const FRESH_SECONDS = 60;
/** A call takes a moment from hop to hop, iat has whole seconds, and switches that run beside each other are late: at the edge it is not known. */
const FRESH_EDGE_SECONDS = 6;

/**
 * The Identity of a leg as its receiver finds it: what is wrong with each by itself stays, and what does not fit this call, or this time, comes to it.
 */
export function receivedIdentity(leg: Leg, receiver: KnownProvider, of: CallOf): readonly TrueIdentity[] {
  const { identity } = leg;
  if (identity.length === 0) return identity;
  const [only] = identity;
  if (identity.length === 1 && only !== undefined && isPlain(only, leg, of)) {
    if (receiver.behaviours.length + providerOf(of.network, only.signedBy).behaviours.length === 0) return identity;
  }
  const divs = identity.filter(({ ppt }) => ppt === 'div');
  const found = identity.map((one) => {
    const [faults, doubtful] = [[...one.faults], [...one.doubtful]];
    if (canonical(one.orig) !== canonical(leg.calling)) faults.push('caller-differs');
    if (!leadsTo(one, leg.called, divs)) faults.push('callee-differs');
    if (one.madeFor !== of.call.index) faults.push('replayed');
    const stale = staleness(one, receiver, of);
    // Below a div it is the outermost that has to be fresh. RFC 8946 section 4.2
    if (stale === 'stale' && (divs.length === 0 || one === divs.at(-1))) faults.push('stale');
    else if (stale !== 'fresh') doubtful.push('stale');
    return faults.length === one.faults.length && doubtful.length === one.doubtful.length
      ? one
      : { ...one, faults, doubtful };
  });
  return found.every((one, place) => one === identity[place]) ? identity : found;
}

/** A PASSporT that says of this very call what is on the wire: but for clocks there is nothing more to be looked at. */
function isPlain({ ppt, orig, dest, madeFor }: TrueIdentity, { calling, called }: Leg, { call }: CallOf): boolean {
  return ppt === 'shaken' && orig === calling && dest === called && madeFor === call.index;
}

/** Numbers that mean the same: digits with the country code; ten digits are of North America. RFC 8224 section 8.3 */
function canonical(number: string): string {
  const digits = number.startsWith('+') ? number.slice(1) : number;
  return /^[2-9][0-9]{9}$/.test(digits) ? `1${digits}` : digits;
}

/** Whether a PASSporT is about the number that is called, by as many div as stand between. RFC 8946 section 4.2 */
function leadsTo({ ppt, dest, ...one }: TrueIdentity, called: string, divs: readonly TrueIdentity[]): boolean {
  let at = canonical(dest);
  const after = ppt === 'div' ? divs.slice(divs.findIndex(({ div }) => div === one.div) + 1) : divs;
  for (const div of after) {
    if (canonical(div.div ?? '') !== at) return false;
    at = canonical(div.dest);
  }
  return at === canonical(called);
}

function staleness(one: TrueIdentity, receiver: KnownProvider, of: CallOf): 'fresh' | 'edge' | 'stale' {
  const { network, call } = of;
  const signer = providerOf(network, one.signedBy);
  const madeFor = one.madeFor === call.index ? call : network.plan.calls[one.madeFor];
  if (madeFor === undefined) return 'stale';
  const ageMs = call.atMs - madeFor.atMs;
  const ahead = clockOf(receiver, { network, call }) - clockOf(signer, { network, call: madeFor });
  const age = Math.abs(ageMs / 1_000 + ahead);
  if (age <= FRESH_SECONDS - FRESH_EDGE_SECONDS) return 'fresh';
  return age <= FRESH_SECONDS + FRESH_EDGE_SECONDS ? 'edge' : 'stale';
}

/** How far the clock of a provider is ahead at a call, seconds. */
function clockOf(
  provider: KnownProvider,
  of: { readonly network: KnownNetwork; readonly call: CallOf['call'] },
): number {
  if (provider.behaviours.length === 0) return 0;
  return effectsUnder(provider, of).reduce((sum, { clockSeconds = 0 }) => sum + clockSeconds, 0);
}

/** What a hop comes to, and whether it refuses the call for it. */
interface TrueVerification {
  readonly verdict: TrueVerdict;
  readonly refusal?: Reception;
}

interface FaultMeaning {
  readonly verstat: Verstat;
  /** What a provider answers that refuses calls for it; absent: it could not be checked, which is nobody's fault. RFC 8224 section 6.2.2 */
  readonly status?: number;
}

/** ATIS-1000082 table of conditions, by report: 8, 15, 16, 17; a signature that is not of what is read: RFC 8224 section 6.2.2. */
const FAULT_MEANINGS: Readonly<Record<TrueFault, FaultMeaning>> = {
  'caller-differs': { verstat: 'No-TN-Validation', status: 438 },
  'callee-differs': { verstat: 'No-TN-Validation', status: 438 },
  replayed: { verstat: 'No-TN-Validation', status: 438 },
  stale: { verstat: 'No-TN-Validation', status: 403 },
  'signature-false': { verstat: 'TN-Validation-Failed', status: 438 },
  'certificate-expired': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-revoked': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-untrusted': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-wrong-spc': { verstat: 'TN-Validation-Failed', status: 437 },
  'certificate-not-fetched': { verstat: 'No-TN-Validation' },
};

/**
 * What a provider has to find of the Identity of a call, by its role: a terminating one looks at every call, the others at signed ones, and an intermediate
 * one refuses none for what it finds.
 */
export function trueVerification(
  { identity, calling, called }: Leg,
  { planned: { stir, role, failureAction, isExternal = false } }: KnownProvider,
): TrueVerification {
  if (!stir) return { verdict: NO_PART };
  const signed = identity.find(({ ppt }) => ppt === 'shaken');
  if (signed === undefined) return { verdict: role === 'terminating' ? UNSIGNED : NOT_SIGNED };
  if (identity.length === 1 && signed.faults.length + signed.doubtful.length === 0) return { verdict: passed(signed) };
  // Worst wins within the chain: the div belong to the one shaken. ATIS-1000085
  const faults = new Set(identity.flatMap((one) => one.faults));
  const certain = [...faults].filter((fault) => !EVIDENCE.includes(fault));
  const doubtful = new Set(identity.flatMap((one) => one.doubtful));
  // What somebody else's switch makes of evidence is for its owner to decide.
  for (const fault of EVIDENCE) {
    if (!isExternal) doubtful.delete(fault);
    else if (faults.has(fault)) doubtful.add(fault);
  }
  const verdict = verdictOf(signed, { certain, doubtful: [...doubtful] });
  const mayRefuse = failureAction === 'reject_request' && role !== 'transit' && role !== 'foreign';
  const found = mayRefuse ? refusalOf(certain, [...doubtful]) : undefined;
  // With a number that cannot be read nothing can be compared, which is nobody's fault either.
  const isReadable = DIGITS.test(calling) && DIGITS.test(called);
  const refusal = found === undefined || isReadable ? found : { isCertain: false, status: found.status };
  return refusal === undefined ? { verdict } : { verdict, refusal };
}

const DIGITS = /^\+?[0-9]+$/;

const NO_PART: TrueVerdict = { verstat: ['not-asked'], because: 'This provider takes no part in STIR/SHAKEN.' };
const NOT_SIGNED: TrueVerdict = { verstat: ['not-asked'], because: 'Nobody has signed the call.' };
const UNSIGNED: TrueVerdict = { verstat: ['No-TN-Validation'], because: 'Nobody has signed the call.' };

/**
 * Faults of which a verifier makes no failure of its own: a repeat may be the second branch of a fork, and is evidence (RFC 8224 section 12.1); a
 * certificate of another's code is a good one, and the verdict names that code.
 */
const EVIDENCE: readonly TrueFault[] = ['replayed', 'certificate-wrong-spc'];

const passed = (signed: TrueIdentity): TrueVerdict => verdictOf(signed, { certain: [], doubtful: [] });

function verdictOf(
  { attestation, spc, faults, doubtful: perhaps }: TrueIdentity,
  { certain, doubtful }: { readonly certain: readonly TrueFault[]; readonly doubtful: readonly TrueFault[] },
): TrueVerdict {
  const evidence = EVIDENCE.filter((fault) => faults.includes(fault) && !doubtful.includes(fault));
  const because =
    certain.length + doubtful.length === 0
      ? `Signed by ${spc} with ${attestation ?? 'no attestation'}, and nothing speaks against it${evidence.length === 0 ? '' : ` that fails it: ${evidence.join(', ')}`}.`
      : `Signed by ${spc}: ${[...certain, ...doubtful.map((fault) => `perhaps ${fault}`)].join(', ')}.`;
  const passes: readonly Verstat[] = certain.length === 0 ? ['TN-Validation-Passed'] : [];
  const verstat = new Set([...passes, ...[...certain, ...doubtful].map((fault) => FAULT_MEANINGS[fault].verstat)]);
  if (passes.length === 0) return { verstat: [...verstat], because };
  return {
    verstat: [...verstat],
    ...(attestation !== undefined && { attestation }),
    ...(!perhaps.includes('certificate-wrong-spc') && { signerSpc: spc }),
    because,
  };
}

function refusalOf(certain: readonly TrueFault[], doubtful: readonly TrueFault[]): Reception | undefined {
  const status = [...new Set([...certain, ...doubtful].flatMap((fault) => FAULT_MEANINGS[fault].status ?? []))];
  if (status.length === 0) return undefined;
  // A token that is false in one way and could not be checked in another may be found to be either.
  return {
    isCertain: certain.length > 0 && certain.every((fault) => FAULT_MEANINGS[fault].status !== undefined),
    status,
  };
}
