import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { CarriedTruth, TrueHop } from '../network/truth/index.js';
import type { ScenarioSharing, Metric } from '../scenario/index.js';
import { counted, createSpread, isSurelySuspicious, hopPairs, hopVerdict, plannedCall, rate } from './findings.js';
import type { Judging, SeenCall, SeenHop } from './findings.js';

/** How many records a provider has to have: not the same where it depends on the instant, and where a call comes in several branches. */
interface ExpectedRecords {
  readonly least: number;
  /** Of `least`, those that reach the platform in any case, by what their provider shares. */
  readonly shared: number;
  readonly most: number;
}

/** Counts the records that calls should leave behind. */
type RecordsCount = ReturnType<typeof createRecordsCount>;

/** How long after its end a call is written down, milliseconds: with a switch that crashes until then, it may be lost. */
const WRITING_MS = 5_000;

/** Starts to count, for the providers of a plan. */
function createRecordsCount({ providers, scenario }: NetworkPlan) {
  const counts = new Map<
    string,
    {
      least: number;
      shared: number;
      most: number;
    }
  >();
  const sharing = new Map<string, ScenarioSharing>();
  const forking = new Set<string>();
  const crashing = new Map<string, readonly { readonly fromMs: number; readonly untilMs: number }[]>();
  for (const { id, behaviours, shares } of providers) {
    counts.set(id, { least: 0, shared: 0, most: 0 });
    if (scenario.platform !== undefined) sharing.set(id, shares);
    if (behaviours.some(({ kind }) => kind === 'forks')) forking.add(id);
    const crashes = behaviours.filter(({ kind }) => kind === 'crashes');
    if (crashes.length > 0)
      crashing.set(
        id,
        crashes.map(({ fromSeconds = 0, untilSeconds = Infinity }) => ({
          fromMs: fromSeconds * 1_000,
          untilMs: untilSeconds * 1_000,
        })),
      );
  }
  const isLost = (provider: string, { atMs, placedMs = atMs, durationMs }: PlannedCall): boolean => {
    const writtenMs = Math.max(atMs, placedMs) + durationMs + WRITING_MS;
    const crashes = crashing.get(provider) ?? [];
    return crashes.some(({ fromMs, untilMs }) => Math.min(atMs, placedMs) < untilMs && writtenMs >= fromMs);
  };
  const isShared = (hop: TrueHop): boolean => {
    const shares = sharing.get(hop.provider) ?? 'nothing';
    return shares === 'suspicious' ? isSurelySuspicious(hop) : shares !== 'nothing';
  };
  return {
    /** `wasAnswered`: the caller got 200, so that the call came through every hop, whatever depended on the instant. */
    add: (call: PlannedCall, { hops }: CarriedTruth, wasAnswered: boolean) => {
      let isForked = false;
      for (const hop of hops) {
        const { provider, record, isCertain } = hop;
        isForked ||= forking.has(provider);
        const count = counts.get(provider);
        if (count === undefined || record === 'none') continue;
        if (record === 'kept' && (isCertain || wasAnswered) && !isLost(provider, call)) {
          count.least += 1;
          if (isShared(hop)) count.shared += 1;
        }
        count.most += isForked ? Infinity : 1;
      }
    },
    of: (provider: string): ExpectedRecords => counts.get(provider) ?? { least: 0, shared: 0, most: 0 },
  };
}

/** How many hops found what is true, of those that found something or should have. */
interface VerdictCount {
  good: number;
  of: number;
}

/**
 * Holds what each hop of a call found against what is true. Hops at which nothing is to be found, and nothing was, do not count: a network in which nobody
 * verifies would have them all right. One that the call has to come to, and was not seen at, is wrong, however the call ended. What somebody else's switch
 * found is not known, and not asked.
 * @returns providers that the call should have come to, and was not seen at
 */
function judgeVerdicts(
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
function judgeShown(
  { external, showing, findings }: Judging,
  {
    seen: { index, shownVerstat, isAtCallee, hops: seenHops },
    truth: { hops },
    isBlocked,
  }: {
    readonly seen: SeenCall;
    readonly truth: CarriedTruth;
    readonly isBlocked: boolean;
  },
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
    kind: 'verdict',
    callIndex: index,
    provider,
    expected: `the callee is shown ${verdict.verstat.join(' or ')}`,
    seen: `the callee was shown ${shownVerstat ?? 'no verstat'}`,
  });
}

/** The hop at which a call has to end because it is refused there; undefined where it goes on to the callee. */
function refusingHop({ hops }: Pick<CarriedTruth, 'hops'>): TrueHop | undefined {
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

/** What was placed of a campaign. */
export interface PlacedCampaign {
  /** Milliseconds since the epoch. */
  readonly firstAtMs: number;
  readonly placed: number;
  /** Calls of which anything reaches the platform: a report, or a record of a provider that shares. */
  readonly visible: number;
}

/** What the calls of a run come to. */
interface JudgedCalls {
  readonly metrics: Readonly<
    Record<
      | ('calls_placed' | 'calls_unplaced' | 'calls_answered' | 'calls_unavailable' | 'calls_wrong')
      | ('call_setup_ms' | 'verify_latency_ms' | 'verdict_accuracy'),
      Metric
    >
  >;
  readonly records: RecordsCount;
  readonly campaigns: ReadonlyMap<string, PlacedCampaign>;
}

/** Holds each call against its truth; the calls are gone through once. */
export function judgeCalls(judging: Judging): JudgedCalls {
  const { plan, truth, facts, findings } = judging;
  const [setup, held] = [createSpread(), createSpread()];
  const records = createRecordsCount(plan);
  const campaigns = createCampaignCount(judging);
  const verdicts = { good: 0, of: 0 };
  let [placed, answered, unavailable, wrong] = [0, 0, 0, 0];
  for (const seen of facts.calls) {
    const call = plannedCall(judging, seen.index);
    if (call === undefined) {
      const { index: callIndex } = seen;
      findings.add({ kind: 'call-outcome', callIndex, expected: 'no such call in the plan', seen: 'a call' });
      wrong += 1;
      continue;
    }
    if (seen.placedAtMs === undefined) continue;
    placed += 1;
    const isAnswered = seen.finalStatus === 200;
    if (isAnswered) answered += 1;
    if (seen.finalStatus === 503) unavailable += 1;
    if (seen.setupMs !== undefined) setup.add(seen.setupMs);
    for (const { verstat, heldUs } of seen.hops) if (verstat !== undefined) held.add(heldUs / 1_000);
    const known = truth.carried(call);
    records.add(call, known, isAnswered);
    campaigns.add(call, seen.placedAtMs);
    const outcome = wrongOutcome(seen, known);
    const missing = judgeVerdicts(judging, { seen, truth: known }, verdicts);
    const isBlocked = outcome !== undefined && !isAnswered;
    judgeShown(judging, { seen, truth: known, isBlocked }, verdicts);
    const trouble =
      atExternal(outcome, seen, { judging, call }) ?? lostCall(seen, call, { judging, truth: known, missing });
    if (trouble === undefined) continue;
    wrong += outcome === undefined ? 0 : 1;
    findings.add({ kind: 'call-outcome', callIndex: seen.index, ...trouble });
  }
  return {
    metrics: {
      calls_placed: counted(placed),
      calls_unplaced: counted(plan.calls.length - placed),
      calls_answered: counted(answered),
      calls_unavailable: counted(unavailable),
      calls_wrong: counted(wrong),
      call_setup_ms: setup.metric(),
      verify_latency_ms: held.metric(),
      verdict_accuracy: rate(verdicts.good, verdicts.of),
    },
    records,
    campaigns: campaigns.found,
  };
}

interface Trouble {
  readonly provider?: string;
  readonly expected: string;
  readonly seen: string;
}

function wrongOutcome({ finalStatus, isAtCallee }: SeenCall, truth: CarriedTruth): Trouble | undefined {
  if (finalStatus !== undefined && truth.finalStatus.includes(finalStatus)) {
    const provider = refusingHop(truth)?.provider;
    if (provider === undefined || isAtCallee !== true) return undefined;
    return { provider, expected: `the call ends at ${provider}`, seen: 'it came to the callee' };
  }
  return {
    expected: `the caller gets ${truth.finalStatus.join(' or ')}`,
    seen: finalStatus === undefined ? 'the caller got no final response' : `the caller got ${finalStatus}`,
  };
}

/** A call that ended otherwise, and whose last part nobody saw but a switch of others: the finding says whether anything came out of that switch. */
function atExternal(
  outcome: Trouble | undefined,
  { hops, isAtCallee = false }: SeenCall,
  { judging, call: { way } }: { readonly judging: Judging; readonly call: PlannedCall },
): Trouble | undefined {
  if (outcome === undefined || outcome.provider !== undefined) return outcome;
  const reached = way.findLastIndex((id) => hops.some(({ provider }) => provider === id));
  const next = way[reached + 1];
  if (next === undefined || !judging.external.has(next)) return outcome;
  const came = isAtCallee ? `the call came out of ${next} to the callee` : `nothing came out of ${next}`;
  return { provider: next, expected: outcome.expected, seen: `${outcome.seen}, and ${came}` };
}

/** A call that was not seen where it has to come to, or was seen where it never goes. */
function lostCall(
  seen: SeenCall,
  { way }: PlannedCall,
  {
    judging,
    truth,
    missing,
  }: {
    readonly judging: Judging;
    readonly truth: CarriedTruth;
    readonly missing: readonly string[];
  },
): Trouble | undefined {
  const [lost] = missing;
  if (lost !== undefined)
    return { provider: lost, expected: `the call comes to ${lost}`, seen: 'it was not seen there' };
  const isForked = way.some((id) => judging.forking.has(id));
  const end = refusingHop(truth) === undefined ? way.length : truth.hops.length;
  const strange = seen.hops.find(({ provider }) => !way.slice(0, end).includes(provider));
  if (strange === undefined || isForked) return undefined;
  const { provider } = strange;
  return { provider, expected: `the call never comes to ${provider}`, seen: 'it was seen there' };
}

function createCampaignCount({ plan }: Judging): {
  readonly add: (call: PlannedCall, placedAtMs: number) => void;
  readonly found: ReadonlyMap<string, PlacedCampaign>;
} {
  const sharing = new Set(plan.providers.filter(({ shares }) => shares !== 'nothing').map(({ id }) => id));
  const found = new Map<
    string,
    {
      firstAtMs: number;
      placed: number;
      visible: number;
    }
  >();
  return {
    found,
    add: ({ campaign, way, isReported }, placedAtMs) => {
      if (campaign === undefined) return;
      const known = found.get(campaign) ?? { firstAtMs: placedAtMs, placed: 0, visible: 0 };
      known.firstAtMs = Math.min(known.firstAtMs, placedAtMs);
      known.placed += 1;
      if (isReported || way.some((id) => sharing.has(id))) known.visible += 1;
      found.set(campaign, known);
    },
  };
}

/** Holds how many records there are against how many there have to be, and what the platform has against what was sent to it. */
export function judgeRecords(
  { plan, facts, findings }: Judging,
  expected: RecordsCount,
): Readonly<Record<'records_complete' | 'records_streamed', Metric>> {
  const complete = { good: 0, of: 0 };
  const streams = { good: 0, of: 0 };
  const shares = new Map(plan.providers.map((provider) => [provider.id, provider.shares]));
  for (const { provider, stored, streamed, received } of facts.records) {
    const { least, shared, most } = expected.of(provider);
    // What is there twice is as wrong as what is missing.
    complete.good += Math.max(0, Math.min(stored, least) - Math.max(0, stored - most));
    complete.of += least;
    if (stored < least || stored > most) {
      const range = least === most ? `${least}` : most === Infinity ? `${least} or more` : `${least} to ${most}`;
      findings.add({
        kind: 'record',
        provider,
        expected: `${range} records of its calls`,
        seen: `${stored} are stored`,
      });
    }
    // A record that is not stored is missed as a record, not once more as one that is shared.
    const due = Math.max(streamed, shared - Math.max(0, least - stored));
    if (shares.get(provider) === 'nothing' && Math.max(streamed, received) > 0) {
      streams.of += Math.max(streamed, received);
      const seen = `${streamed} were sent, ${received} are there`;
      findings.add({ kind: 'stream', provider, expected: 'nothing of its calls goes to the platform', seen });
      continue;
    }
    streams.good += Math.max(0, due - Math.abs(received - due));
    streams.of += due;
    if (received !== due) {
      const seen = `the platform has ${received}`;
      findings.add({ kind: 'stream', provider, expected: `the platform has ${due} records, each once`, seen });
    }
  }
  return { records_complete: rate(complete.good, complete.of), records_streamed: rate(streams.good, streams.of) };
}
