import type { PlannedCall } from '../network/plan/index.js';
import type { CallTruth, NetworkTruth, TrueHop } from '../network/truth/index.js';
import type { SeenCall, SeenHop } from '../oracle/index.js';

/** From one hop to the next, milliseconds: what a call takes over a country. */
const HOP_MS = 15;
/** How long a hop holds an INVITE, and one that it verifies, microseconds: what the bench of verification says of one processor. */
const HELD_US = 150;
const VERIFIED_US = 400;

/** Carries out the calls of a plan, one after the other; where something depends on the instant, the call is carried. */
export function* seenCalls(truth: NetworkTruth, startedAtMs: number): Generator<SeenCall> {
  for (const call of truth.plan.calls) yield seenCall(call, truth.ofCall(call), startedAtMs);
}

/** What is seen of a call that goes as it is true of it. */
export function seenCall(call: PlannedCall, { hops, finalStatus }: CallTruth, startedAtMs: number): SeenCall {
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
  const isVerified = verstat !== 'not-asked';
  const isPassed = verstat === 'TN-Validation-Passed';
  return {
    provider,
    atMs: placedAtMs + HOP_MS * place,
    ...(isVerified && { verstat }),
    ...(isPassed && verdict.attestation !== undefined && { attestation: verdict.attestation }),
    ...(isPassed && verdict.signerSpc !== undefined && { signerSpc: verdict.signerSpc }),
    reasons: [],
    heldUs: isVerified ? VERIFIED_US : HELD_US,
    ingressCallId: `${callIndex}-${place}`,
    egressCallIds: 'refusedWith' in to ? [] : [`${callIndex}-${place + 1}`],
  };
}
