import type { CarriedTruth, TrueHop } from '../network/truth/index.js';
import { hopPairs, hopVerdict } from './hop-verdicts.js';
import type { Judging } from './judging.js';
import type { SeenCall, SeenHop } from './run-facts.js';

/** How many hops found what is true, of those that found something or should have. */
export interface VerdictCount {
  good: number;
  of: number;
}

/**
 * Holds what each hop of a call found against what is true. Hops at which nothing is to be found, and nothing was, do not count: a network in which nobody
 * verifies would have them all right. One that the call has to come to, and was not seen at, is wrong, however the call ended. What somebody else's switch
 * found is not known, and not asked.
 * @returns providers that the call should have come to, and was not seen at
 */
export function judgeVerdicts(
  judging: Judging,
  { seen, truth }: { readonly seen: SeenCall; readonly truth: CarriedTruth },
  count: VerdictCount,
): readonly string[] {
  const missing: string[] = [];
  for (const pair of hopPairs(truth.hops, seen.hops)) {
    const { provider } = pair.truth;
    if (judging.external.has(provider)) continue;
    const verdict = hopVerdict(pair);
    if (verdict !== 'unasked') count.of += 1;
    if (verdict === 'right') count.good += 1;
    if (verdict === 'missing') missing.push(provider);
    if (verdict !== 'wrong' || pair.seen === undefined) continue;
    judging.findings.add(
      wrongVerdict(seen.index, pair.seen, { hop: pair.truth, from: externalBefore(judging, pair.truth) }),
    );
  }
  return missing;
}

/**
 * What the callee was shown has to be what the last provider found, and one that terminates calls has to show it. Where that is somebody else's switch there
 * is nothing else to tell by what it found: then it counts.
 * @param isBlocked - whether the call was not answered, and should have ended otherwise
 */
export function judgeShown(
  { external, showing, findings }: Judging,
  {
    seen: { index, shownVerstat, isAtCallee, hops: seenHops },
    truth: { hops },
    isBlocked,
  }: { readonly seen: SeenCall; readonly truth: CarriedTruth; readonly isBlocked: boolean },
  count: VerdictCount,
): void {
  const last = hops.at(-1);
  if (last === undefined) return;
  const { provider, verdict } = last;
  const isDue = isAtCallee === true && !verdict.verstat.includes('not-asked');
  const counts = isDue && external.has(provider);
  if (shownVerstat === undefined && !counts && !(isDue && showing.has(provider))) return;
  const isRight = shownVerstat !== undefined && verdict.verstat.includes(shownVerstat);
  if (counts && isRight) count.good += 1;
  // What our own switches found has been counted: what they show counts where they show another thing.
  const found = seenHops.findLast((hop) => hop.provider === provider)?.verstat;
  if (counts || (!isRight && shownVerstat !== found)) count.of += 1;
  if (isRight) return;
  // The expected result ends at a hop that blocks the call, or should have: the finding about the end of the call says so.
  if (refusingHop({ hops }) !== undefined || (isBlocked && shownVerstat === undefined)) return;
  findings.add({
    ...{ kind: 'verdict', callIndex: index, provider },
    expected: `the callee is shown ${verdict.verstat.join(' or ')}`,
    seen: `the callee was shown ${shownVerstat ?? 'no verstat'}`,
  });
}

/** The hop at which a call has to end because it is refused there; undefined where it goes on to the callee. */
export function refusingHop({ hops }: Pick<CarriedTruth, 'hops'>): TrueHop | undefined {
  const last = hops.at(-1);
  return last !== undefined && 'refusedWith' in last.to ? last : undefined;
}

function wrongVerdict(
  callIndex: number,
  { verstat, attestation, signerSpc, reasons }: SeenHop,
  { hop: { provider, verdict }, from }: { readonly hop: TrueHop; readonly from: string | undefined },
): Parameters<Judging['findings']['add']>[0] {
  const because = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
  return {
    kind: 'verdict',
    callIndex,
    provider,
    expected: `${inWords(verdict.verstat.join(' or '), verdict)}. ${verdict.because}`,
    seen: `${inWords(verstat ?? 'not-asked', { attestation, signerSpc })}${because}${from === undefined ? '' : `, as it came from ${from}`}`,
  };
}

/** The switch of somebody else's that a hop has the call from: what it received is what left there. */
function externalBefore({ external }: Judging, { from }: TrueHop): string | undefined {
  return 'provider' in from && external.has(from.provider) ? from.provider : undefined;
}

function inWords(
  verstat: string,
  { attestation, signerSpc }: { readonly attestation?: string | undefined; readonly signerSpc?: string | undefined },
): string {
  const found = verstat.replace('not-asked', 'nothing verified');
  const level = attestation === undefined ? '' : ` with ${attestation}`;
  return `${found}${level}${signerSpc === undefined ? '' : ` signed by ${signerSpc}`}`;
}
