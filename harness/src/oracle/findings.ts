import type { Verstat } from '@hopback/sdk/stir';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { NetworkTruth, TrueHop } from '../network/truth/index.js';
import type { Metric, MetricName } from '../scenario/index.js';

/** A discrepancy between the plan of a run and what was observed. */
export interface Finding {
  /** `incomplete` is what of the plan was not carried out. */
  readonly kind:
    | 'incomplete'
    | 'call-outcome'
    | 'verdict'
    | 'record'
    | 'stream'
    | 'answer'
    | 'traceback'
    | 'accusation'
    | 'campaign'
    | 'alert'
    | 'trouble';
  readonly callIndex?: number;
  readonly provider?: string;
  readonly tracebackId?: string;
  /** What is true, and what was seen, in words. */
  readonly expected: string;
  readonly seen: string;
}

/** What the oracle says of a run. */
export interface OracleReport {
  readonly metrics: Readonly<Record<MetricName, Metric>>;
  /** Gravest first: what was not carried out, accusations, verdicts, answers, the rest; at most 1,000, the others counted. */
  readonly findings: readonly Finding[];
  readonly findingsInAll: number;
}

/** The gravest first: of what was not carried out nothing is known; who is accused falsely suffers for it; what is found wrongly misleads; the rest is missing. */
const GRAVITY: readonly Finding['kind'][] = [
  ...(['incomplete', 'accusation', 'verdict', 'answer', 'traceback', 'campaign', 'alert'] as const),
  ...(['call-outcome', 'record', 'stream', 'trouble'] as const),
];

/** More than anybody reads; the others are counted. */
export const MAX_FINDINGS = 1_000;

/** Findings, of which as many are kept as a report has. */
type FindingList = ReturnType<typeof createFindingList>;

/** Starts an empty list. */
export function createFindingList() {
  const kept = new Map<Finding['kind'], Finding[]>(GRAVITY.map((kind) => [kind, []]));
  let findingsInAll = 0;
  return {
    add: (finding: Finding) => {
      findingsInAll += 1;
      const ofKind = kept.get(finding.kind);
      if (ofKind !== undefined && ofKind.length < MAX_FINDINGS) ofKind.push(finding);
    },
    found: (): { readonly findings: readonly Finding[]; readonly findingsInAll: number } => ({
      findings: GRAVITY.flatMap((kind) => kept.get(kind) ?? []).slice(0, MAX_FINDINGS),
      findingsInAll,
    }),
  };
}

const STEP = Math.log(1.01);
/** What is less is counted as this: a millionth of a millisecond is no time. */
const LEAST = 1e-6;
const PERCENTILES = ['50', '90', '95', '99', '99.9'] as const;

/** Counts values in steps of 1 %, so that a percentile is right to half of that. Values below 0 count as 0. */
export function createSpread() {
  const steps = new Map<number, number>();
  let [count, sum, min, max] = [0, 0, Infinity, 0];
  const at = (share: number): number => {
    if (count === 0) return 0;
    let left = Math.max(1, Math.ceil(count * share));
    for (const [step, values] of [...steps].sort(([one], [other]) => one - other)) {
      left -= values;
      if (left <= 0) return Math.min(max, Math.max(min, Math.exp(step * STEP)));
    }
    return max;
  };
  return {
    add: (given: number) => {
      const value = Math.max(0, given);
      const step = Math.round(Math.log(Math.max(value, LEAST)) / STEP);
      steps.set(step, (steps.get(step) ?? 0) + 1);
      count += 1;
      sum += value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    },
    metric: (): Extract<Metric, { readonly kind: 'distribution' }> => ({
      kind: 'distribution',
      count,
      min: count === 0 ? 0 : min,
      mean: count === 0 ? 0 : sum / count,
      max,
      percentiles: Object.fromEntries(PERCENTILES.map((name) => [name, at(Number(name) / 100)])) as Record<
        (typeof PERCENTILES)[number],
        number
      >,
    }),
  };
}

/** How much of something was as it should be. */
export function rate(good: number, of: number): Extract<Metric, { readonly kind: 'rate' }> {
  return {
    kind: 'rate',
    good,
    of,
    value: of === 0 ? 1 : good / of,
  };
}

/** How often something was. */
export function counted(count: number): Extract<Metric, { readonly kind: 'count' }> {
  return { kind: 'count', count };
}

/** What was seen of a call at one provider. */
export interface SeenHop {
  readonly provider: string;
  readonly atMs: number;
  /** Absent: nothing was verified. */
  readonly verstat?: Verstat;
  readonly attestation?: string;
  readonly signerSpc?: string;
  readonly reasons: readonly string[];
  /** How long the INVITE was held here, microseconds. */
  readonly heldUs: number;
  /** Call-IDs on both sides, by which the ladder is drawn. */
  readonly ingressCallId: string;
  readonly egressCallIds: readonly string[];
}

/** What was seen of a call. Whoever carries a plan out makes it: over SIP, or in a simulation. */
export interface SeenCall {
  readonly index: number;
  /** When it was placed, milliseconds since the epoch; absent where it was not: the run ended, or too many calls were up. */
  readonly placedAtMs?: number;
  /** Final status of the INVITE at the caller; absent: none came. */
  readonly finalStatus?: number;
  /** From INVITE to final response at the caller, milliseconds. */
  readonly setupMs?: number;
  readonly hops: readonly SeenHop[];
  /** What reached the callee's side, where it did: verstat in the caller's field, and the Reason header fields that came back. */
  readonly shownVerstat?: Verstat;
  /** Whether it came to a callee that tells of it; absent: it is not known to. */
  readonly isAtCallee?: boolean;
  readonly reasons: readonly string[];
}

/** What a provider told a traceback. */
export interface SeenAnswer {
  readonly provider: string;
  readonly kind: string;
  /** Whom it named: id of a provider of the network, or the name that it gave. */
  readonly named?: string;
  /** From request to answer, milliseconds of the platform's clock. */
  readonly afterMs: number;
}

/** What became of a traceback. */
export interface SeenTraceback {
  readonly tracebackId: string;
  /** Campaign that the platform began it for; absent: somebody asked for it. */
  readonly campaignId?: string;
  readonly callIndex: number;
  readonly state: string;
  readonly outcome?: { readonly kind: string; readonly provider?: string };
  readonly openedAtMs: number;
  readonly concludedAtMs?: number;
  readonly answers: readonly SeenAnswer[];
}

/** A campaign that was found. */
export interface SeenCampaign {
  readonly campaignId: string;
  readonly name: string;
  /** Indexes of the calls that were put into it, of those that the plan has. */
  readonly calls: readonly number[];
  readonly firstSeenMs: number;
}

/** An alert that somebody got. */
export interface SeenAlert {
  readonly campaignId: string;
  readonly agency: string;
  readonly atMs: number;
}

/** Records that a provider made, and that the platform has of it. */
export interface SeenRecords {
  readonly provider: string;
  readonly stored: number;
  readonly streamed: number;
  readonly received: number;
}

/** How a provider came to its answers: by itself, or through somebody at its desk. */
export interface SeenAnswering {
  readonly provider: string;
  readonly automatic: number;
  readonly byPerson: number;
}

/** All that was seen of a run. */
export interface RunFacts {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly calls: readonly SeenCall[];
  readonly records: readonly SeenRecords[];
  readonly campaigns: readonly SeenCampaign[];
  readonly alerts: readonly SeenAlert[];
  readonly tracebacks: readonly SeenTraceback[];
  /** Absent where nobody sits at any desk. */
  readonly answering?: readonly SeenAnswering[];
  /** What went wrong in the network itself, none of which is planned: each with where and what. */
  readonly troubles: readonly { readonly where: string; readonly what: string }[];
}

/**
 * Facts as the oracle looks at them: calls are read once, in any order, so that they need not all be in memory. Without `campaigns` nobody looked
 * for any, and without `alerts` nobody was to be alerted.
 */
export type JudgedFacts = Omit<RunFacts, 'calls' | 'campaigns' | 'alerts'> &
  Partial<Pick<RunFacts, 'campaigns' | 'alerts'>> & { readonly calls: Iterable<SeenCall> };

/** What all parts of the oracle look at. */
export interface Judging {
  readonly plan: NetworkPlan;
  readonly truth: NetworkTruth;
  readonly facts: JudgedFacts;
  readonly findings: FindingList;
  /** Ids of providers that fork calls. */
  readonly forking: ReadonlySet<string>;
  /** Ids of providers that are somebody else's switch: what they found is not known. */
  readonly external: ReadonlySet<string>;
  /** Ids of providers that show to whom they serve what they found: those that terminate calls and take part in STIR/SHAKEN. */
  readonly showing: ReadonlySet<string>;
}

/** The call of the plan that was seen; undefined where the plan has no such call. */
export function plannedCall({ plan }: Judging, index: number): PlannedCall | undefined {
  return plan.calls[index];
}

/** What a hop has seen of what is true of it. Without `seen` the call was not seen there. */
export interface HopPair {
  readonly truth: TrueHop;
  readonly seen?: SeenHop;
}

/**
 * How a hop stands to what is true of it. `unasked`: nothing was found where nothing has to be, or the call need not have come there; it proves nothing,
 * since a switch that does nothing does the same. `missing`: the call comes there in any case, something is to be found, and it was not seen.
 */
type HopVerdict = 'right' | 'wrong' | 'missing' | 'unasked';

/** Puts what was seen beside what is true: the first hop of a provider to its first, the second to its second. */
export function hopPairs(truth: readonly TrueHop[], seen: readonly SeenHop[]): readonly HopPair[] {
  const taken = new Set<SeenHop>();
  return truth.map((trueHop) => {
    const found = seen.find((hop) => hop.provider === trueHop.provider && !taken.has(hop));
    if (found === undefined) return { truth: trueHop };
    taken.add(found);
    return { truth: trueHop, seen: found };
  });
}

/** Holds what a hop found against what is true; who attested what counts where it passed. */
export function hopVerdict({ truth: { verdict, isCertain }, seen }: HopPair): HopVerdict {
  if (seen === undefined) return isCertain && !verdict.verstat.includes('not-asked') ? 'missing' : 'unasked';
  const { verstat = 'not-asked', attestation, signerSpc } = seen;
  if (!verdict.verstat.includes(verstat)) return 'wrong';
  if (verstat === 'not-asked') return 'unasked';
  if (verstat !== 'TN-Validation-Passed') return 'right';
  if (verdict.attestation !== undefined && verdict.attestation !== attestation) return 'wrong';
  return verdict.signerSpc === undefined || verdict.signerSpc === signerSpc ? 'right' : 'wrong';
}

/**
 * A number that may be assigned to somebody: eleven digits, neither area code nor exchange beginning with 0 or 1 or ending in 11, and not one of those for
 * fiction (555-0100 to 555-0199). Toll-free numbers may have an exchange that ends in 11.
 * @see NANPA, Central Office Code Assignment Guidelines and 555 guidelines
 */
const ASSIGNABLE = /^1(?:8(?:00|22|33|44|55|66|77|88)|[2-9](?!11)\d\d(?![2-9]11))(?!55501)[2-9]\d{6}$/;
/** Country code 1 and ten digits: numbers that every switch writes down in the same form. */
const WRITTEN_ALIKE = /^1\d{10}$/;

/**
 * Whether a carrier that shares what is suspicious certainly shares its record of a hop. A calling number that nobody can have is enough by itself, whatever
 * other calls say. The number that came and the one that left may each stand in the record.
 */
export function isSurelySuspicious({ receives, sends }: Pick<TrueHop, 'receives' | 'sends'>): boolean {
  return [receives.calling, sends.calling].every((calling) => WRITTEN_ALIKE.test(calling) && !ASSIGNABLE.test(calling));
}

/**
 * Other calls of the plan that have, somewhere on their way, the numbers of one that is traced: whoever is asked about it may not be able to tell them
 * apart. The plan is gone through once.
 */
export function twinsOf({ plan, truth, facts }: Judging): (callIndex: number) => readonly PlannedCall[] {
  const calls = new Map<string, PlannedCall[]>();
  const renumbering = new Set(
    plan.providers.flatMap(({ id, behaviours }) =>
      behaviours.some(({ kind }) => kind === 'diverts' || kind === 'rewrites-numbers') ? [id] : [],
    ),
  );
  const pairsOf = (call: PlannedCall): ReadonlySet<string> => {
    const pairs = new Set([pair(call)]);
    if (call.way.some((id) => renumbering.has(id)))
      for (const { sends } of truth.carried(call).hops) pairs.add(pair(sends));
    return pairs;
  };
  const traced = new Set(facts.tracebacks.flatMap(({ callIndex }) => plan.calls[callIndex] ?? []));
  for (const call of traced) for (const numbers of pairsOf(call)) calls.set(numbers, []);
  if (traced.size > 0)
    for (const call of plan.calls) for (const numbers of pairsOf(call)) calls.get(numbers)?.push(call);
  return (callIndex) => {
    const call = plan.calls[callIndex];
    if (call === undefined) return [];
    const alike = new Set([...pairsOf(call)].flatMap((numbers) => calls.get(numbers) ?? []));
    alike.delete(call);
    return [...alike];
  };
}

function pair({ calling, called }: { readonly calling: string; readonly called: string }): string {
  return `${calling} ${called}`;
}
