import type { CarriedTruth, TrueHop } from '../network/truth/index.js';
import type { SeenCall, SeenHop } from './run-facts.js';
import type { Judging } from './judging.js';

/** How many hops found what is true, of those that should have found something. */
export interface VerdictCount {
  good: number;
  of: number;
}

/**
 * Holds what each hop of a call found against what is true. A hop that was not seen counts as wrong where the call comes to it in any case and
 * something is to be found there, unless the call ended otherwise anyway. What somebody else's switch found is not known, and not asked.
 * @returns providers that the call should have come to, and was not seen at
 */
export function judgeVerdicts(
  judging: Judging,
  {
    seen,
    truth,
    isAsPlanned,
  }: { readonly seen: SeenCall; readonly truth: CarriedTruth; readonly isAsPlanned: boolean },
  count: VerdictCount,
): readonly string[] {
  const missing: string[] = [];
  truth.hops.forEach((hop, place) => {
    if (judging.external.has(hop.provider)) return;
    const found = sameHop(seen.hops, truth.hops, place);
    if (found === undefined && !(hop.isCertain && isAsPlanned)) return;
    const isAsked = !hop.verdict.verstat.includes('not-asked');
    if (found === undefined) {
      if (isAsked) count.of += 1;
      if (isAsked) missing.push(hop.provider);
      return;
    }
    count.of += 1;
    if (isTrue(found, hop)) count.good += 1;
    else judging.findings.add(wrongVerdict(seen.index, found, { hop, from: externalBefore(judging, hop) }));
  });
  return missing;
}

/**
 * What the callee was shown has to be what the last provider found. Where that is somebody else's switch there is nothing else to tell by what it found: it
 * counts, and to show nothing is wrong.
 */
export function judgeShown(
  { external, findings }: Judging,
  {
    seen: { index, shownVerstat, isAtCallee },
    truth: { hops },
  }: { readonly seen: SeenCall; readonly truth: CarriedTruth },
  count: VerdictCount,
): void {
  const last = hops.at(-1);
  if (last === undefined) return;
  const { provider, verdict } = last;
  const counts = external.has(provider) && isAtCallee === true && !verdict.verstat.includes('not-asked');
  if (shownVerstat === undefined && !counts) return;
  const isRight = shownVerstat !== undefined && verdict.verstat.includes(shownVerstat);
  if (counts) count.of += 1;
  if (counts && isRight) count.good += 1;
  if (isRight) return;
  findings.add({
    ...{ kind: 'verdict', callIndex: index, provider },
    expected: `the callee is shown ${verdict.verstat.join(' or ')}`,
    seen: `the callee was shown ${shownVerstat ?? 'no verstat'}`,
  });
}

/** The hop that was seen, of those at the same provider the one of the same turn. */
function sameHop(seen: readonly SeenHop[], hops: readonly TrueHop[], place: number): SeenHop | undefined {
  const provider = hops[place]?.provider;
  let turn = 0;
  for (let index = 0; index < place; index += 1) if (hops[index]?.provider === provider) turn += 1;
  for (const one of seen) {
    if (one.provider !== provider) continue;
    if (turn === 0) return one;
    turn -= 1;
  }
  return undefined;
}

function isTrue({ verstat: found, attestation, signerSpc }: SeenHop, { verdict }: TrueHop): boolean {
  const verstat = found ?? 'not-asked';
  if (!verdict.verstat.includes(verstat)) return false;
  if (verstat !== 'TN-Validation-Passed') return true;
  if (verdict.attestation !== undefined && verdict.attestation !== attestation) return false;
  return verdict.signerSpc === undefined || verdict.signerSpc === signerSpc;
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
