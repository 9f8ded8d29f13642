import type { PlannedCall } from '../network/plan/index.js';
import type { CarriedTruth, NetworkTruth, TrueHop } from '../network/truth/index.js';
import type { SeenCall, SeenHop } from '../oracle/index.js';

/** From one hop to the next, milliseconds: what a call takes over a country. */
const HOP_MS = 15;
/** How long a hop holds an INVITE, and one that it verifies, microseconds: what the bench of verification says of one processor. */
const HELD_US = 150;
const VERIFIED_US = 400;

/** Carries out the calls of a plan, one after the other; where something depends on the instant, the call is carried. */
export function* seenCalls(truth: NetworkTruth, startedAtMs: number): Generator<SeenCall> {
  for (const call of truth.plan.calls) yield seenCall(call, truth.carried(call), startedAtMs);
}

/** What is seen of a call that goes as it is true of it. */
export function seenCall(call: PlannedCall, { hops, finalStatus }: CarriedTruth, startedAtMs: number): SeenCall {
  const placedAtMs = startedAtMs + call.atMs;
  const last = hops.at(-1);
  const [shown] = last !== undefined && 'destination' in last.to ? last.verdict.verstat : [];
  return {
    index: call.index,
    placedAtMs,
    ...(finalStatus[0] !== undefined && { finalStatus: finalStatus[0] }),
    setupMs: 2 * HOP_MS * hops.length,
    hops: hops.map((hop, place) => seenHop(hop, { place, callIndex: call.index, placedAtMs })),
    ...(shown !== undefined && shown !== 'not-asked' && { shownVerstat: shown }),
    reasons: [],
  };
}

function seenHop(
  { provider, verdict, to }: TrueHop,
  { place, callIndex, placedAtMs }: { readonly place: number; readonly callIndex: number; readonly placedAtMs: number },
): SeenHop {
  const [verstat = 'not-asked'] = verdict.verstat;
  const hop: Draft<SeenHop> = {
    provider,
    atMs: placedAtMs + HOP_MS * place,
    reasons: NOTHING,
    heldUs: verstat === 'not-asked' ? HELD_US : VERIFIED_US,
    ingressCallId: `${callIndex}-${place}`,
    egressCallIds: 'refusedWith' in to ? NOTHING : [`${callIndex}-${place + 1}`],
  };
  if (verstat === 'not-asked') return hop;
  hop.verstat = verstat;
  if (verstat !== 'TN-Validation-Passed') return hop;
  if (verdict.attestation !== undefined) hop.attestation = verdict.attestation;
  if (verdict.signerSpc !== undefined) hop.signerSpc = verdict.signerSpc;
  return hop;
}

const NOTHING: readonly string[] = [];

/** Written member by member: members that may be absent cost a shape each where they are spread. */
type Draft<Shape> = { -readonly [Member in keyof Shape]: Shape[Member] };
