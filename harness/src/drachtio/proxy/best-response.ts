/**
 * Which of the final responses that a proxy has gathered goes back to the caller: one of 6xx before all others, then the lowest class;
 * within a class those first from which the caller learns how to do better.
 * @param statuses - at least one, 300 to 699
 * @returns the index of the best
 * @see RFC 3261 section 16.7 step 6
 */
export function bestResponse(statuses: readonly number[]): number {
  let best = 0;
  for (const [index, status] of statuses.entries()) {
    if (rank(status) < rank(statuses[best] ?? 0)) best = index;
  }
  return best;
}

function rank(status: number): number {
  if (status >= 600) return 0;
  const ofClass = Math.floor(status / 100) * 10;
  return HELPFUL.has(status) ? ofClass : ofClass + 1;
}

const HELPFUL: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);
