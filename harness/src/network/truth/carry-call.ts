import type { PlannedCall } from '../plan/index.js';
import type { BehaviourEffects, BehaviourHop, Leg, Reception } from './behaviours.js';
import { effectsUnder, providerOf } from './known-network.js';
import type { KnownNetwork, KnownProvider } from './known-network.js';
import { receivedIdentity } from './received-identity.js';
import { attestationOf, divertedLeg, signedLeg } from './sign-leg.js';
import type { CallOf } from './sign-leg.js';
import { trueVerification } from './true-verdict.js';
import { keptIdentities } from './kept-identities.js';
import type { TrueHop, TrueIdentity } from './truth.js';

/** The hops that a call comes through, and how it ends for the caller. */
export interface CarriedCall {
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

/** Carries a call along its way, as each provider of it would. */
export function carryCall(network: KnownNetwork, call: PlannedCall): CarriedCall {
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
  for (const { receives } of effects) {
    const reception = receives?.(() => busiest(network.load(provider.planned.id), call.atMs));
    if (reception !== undefined) return reception;
  }
  for (const { behaviour, effects: edge } of provider.behaviours) {
    if (behaviour.kind !== 'crashes') continue;
    const edges = [behaviour.fromSeconds ?? 0, behaviour.untilSeconds ?? Infinity];
    const isNear = edges.some((seconds) => Math.abs(call.atMs - seconds * 1_000) <= EDGE_MS);
    if (isNear) return { isCertain: false, status: edge.receives?.(() => 0)?.status ?? [] };
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
