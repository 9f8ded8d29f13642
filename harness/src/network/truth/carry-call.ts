import type { PlannedCall } from '../plan/index.js';
import type { BehaviourEffects, BehaviourHop, Leg, Reception } from './behaviours/index.js';
import { effectsUnder, providerOf } from './known-network.js';
import type { KnownNetwork, KnownProvider } from './known-network.js';
import { receivedIdentity } from './received-identity.js';
import { attestationOf, divertedLeg, signedLeg } from './sign-leg.js';
import type { CallOf } from './sign-leg.js';
import { trueVerification } from './true-verdict.js';
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
    const effects = effectsUnder(provider, of);
    const reception = receptionOf(provider, effects, of);
    if (reception?.isCertain === true) return { hops, finalStatus: [...perhaps, ...reception.status] };
    if (reception !== undefined) perhaps.push(...reception.status);
    isCertain &&= reception === undefined;
    const received: Leg = { ...leg, identity: receivedIdentity(leg, provider, of) };
    const { verdict, refusal } = trueVerification(received, provider);
    const frame = { provider: provider.planned.id, from: cameFrom(call, index), receives: received, verdict };
    const kept = { ...recordOf(effects), isCertain };
    if (refusal?.isCertain === true) {
      hops.push({ ...frame, to: { refusedWith: refusal.status[0] ?? 438 }, sends: received, ...kept });
      return { hops, finalStatus: [...perhaps, ...refusal.status] };
    }
    const sends = sentLeg(leg, { of, index, provider, effects });
    hops.push({ ...frame, to: goesTo(call, index), sends, ...kept });
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

function goesTo({ way, destination }: PlannedCall, index: number): TrueHop['to'] {
  const next = way[index + 1];
  return next === undefined ? { destination } : { provider: next };
}

function recordOf(effects: readonly BehaviourEffects[]): Pick<TrueHop, 'record' | 'isOnRecord'> {
  const record = effects.some((one) => one.record === 'none')
    ? 'none'
    : effects.some((one) => one.record === 'gone')
      ? 'gone'
      : 'kept';
  return { record, isOnRecord: record === 'kept' };
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

/** Calls of the busiest second of the three around a time: a call is a little earlier or later than planned. */
function busiest(load: ReadonlyMap<number, number>, atMs: number): number {
  const second = Math.floor(atMs / 1_000);
  return [second - 1, second, second + 1].reduce((most, one) => Math.max(most, load.get(one) ?? 0), 0);
}

interface Sending {
  readonly of: CallOf;
  readonly index: number;
  readonly provider: KnownProvider;
  readonly effects: readonly BehaviourEffects[];
}

/** Signed by role first; then what the provider does, in the order of its behaviours. */
function sentLeg(leg: Leg, sending: Sending): Leg {
  const { of, index, provider, effects } = sending;
  const { id } = provider.planned;
  const before = of.call.way[index - 1];
  const attestation = attestationOf(
    leg,
    {
      provider,
      isFromOrigin: index === 1,
      ...(before !== undefined && { from: providerOf(of.network, before) }),
    },
    effects,
  );
  const signed: Leg =
    attestation === undefined
      ? leg
      : {
          calling: leg.calling,
          called: leg.called,
          identity: [signedLeg(leg, { signedBy: id, certificateOf: id, attestation }, of)],
        };
  if (effects.length === 0) return signed;
  const hop = behaviourHop(sending);
  return effects.reduce((sent, { sends }) => sends?.(sent, hop) ?? sent, signed);
}

function behaviourHop({ of, provider }: Sending): BehaviourHop {
  const { id, stir } = provider.planned;
  return {
    provider: id,
    callIndex: of.call.index,
    isSigner: stir,
    sign: (leg, certificateOf, attestation) => signedLeg(leg, { signedBy: id, certificateOf, attestation }, of),
    divert: (leg, to) => divertedLeg(leg, to, id, of),
    earlierIdentity: () => earlierIdentity(id, of),
  };
}

/** Among the first calls of a provider: where none of so many is signed, none is kept. */
const CALLS_TO_REPLAY = 1_000;

function earlierIdentity(id: string, { network, call }: CallOf): readonly TrueIdentity[] | undefined {
  if (!network.replayed.has(id)) {
    // While it is looked for there is none: two that replay on one way would else wait for each other.
    network.replayed.set(id, undefined);
    network.replayed.set(id, firstIdentity(id, network));
  }
  const kept = network.replayed.get(id);
  return kept === undefined || kept.callIndex >= call.index ? undefined : kept.identity;
}

function firstIdentity(
  id: string,
  network: KnownNetwork,
): { readonly callIndex: number; readonly identity: readonly TrueIdentity[] } | undefined {
  let tried = 0;
  for (const call of network.plan.calls) {
    if (!call.way.includes(id)) continue;
    tried += 1;
    if (tried > CALLS_TO_REPLAY) return undefined;
    const sends = carryCall(network, call).hops.find(({ provider }) => provider === id)?.sends;
    if (sends !== undefined && sends.identity.length > 0) return { callIndex: call.index, identity: sends.identity };
  }
  return undefined;
}
