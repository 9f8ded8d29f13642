import type {
  Capability,
  CaseGroup,
  CaseSelection,
  ConformanceCase,
  Observed,
  ReasonSeen,
  SentCall,
  SigningCase,
  SigningContext,
  VerificationCase,
  VerificationExpectation,
} from './case.js';
import { selectCases } from './case.js';
import { CONFORMANCE_CASES } from './cases/catalogue.js';
import type { ConformanceEnvironment } from './environment/environment.js';
import { atisTarget, secsipidxTarget, threeGppTarget } from './targets/rest-target.js';
import { deviceTarget, redirectTarget } from './targets/sip-target.js';
import type { ConformanceTarget, ConformanceTargetOptions, TargetKind } from './targets/target.js';

const OPEN: Readonly<
  Record<TargetKind, (options: ConformanceTargetOptions) => ConformanceTarget | Promise<ConformanceTarget>>
> = {
  atis: atisTarget,
  '3gpp': threeGppTarget,
  secsipidx: secsipidxTarget,
  redirect: redirectTarget,
  sip: deviceTarget,
};

/**
 * Opens the way to a service under test. Nothing is sent yet.
 * @param options - which interface, where, and what this service cannot show
 * @returns the target; close it, or take it with `await using`
 * @throws {@link HopbackError} `invalid-argument` for an invalid SIP URL; Node's own error when a port cannot be opened
 * @see ATIS-1000082, 3GPP TS 24.229 annex V
 * @example
 * ```ts
 * await using target = await openConformanceTarget({ kind: 'atis', url: 'http://127.0.0.1:8090' });
 * console.log(target.capabilities.has('codes'), target.capabilities.has('reasons')); // true false
 * ```
 */
export async function openConformanceTarget(options: ConformanceTargetOptions): Promise<ConformanceTarget> {
  return OPEN[options.kind](options);
}

/** What one case found. */
export interface CaseResult {
  readonly number: string;
  readonly title: string;
  readonly group: CaseGroup;
  readonly level: 'must' | 'should';
  /** The text that decides. */
  readonly source: string;
  readonly status: 'pass' | 'fail' | 'not-applicable';
  /** Why it failed or is not applicable. */
  readonly reason?: string;
  /** What the service answered, in a few words. */
  readonly said?: string;
  readonly durationMs: number;
}

/** Results by kind. */
export interface RunCounts {
  readonly pass: number;
  /** Cases of level must that failed. */
  readonly fail: number;
  /** Cases of level should that failed: the service conforms nevertheless. */
  readonly departs: number;
  readonly notApplicable: number;
}

/** What a service was found to be; the content of `summary.json`. */
export interface ConformanceRun {
  readonly version: 1;
  readonly target: {
    readonly kind: TargetKind;
    readonly url: string;
    /** Name of the service, for the head of a column. */
    readonly name: string;
  };
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** False where the time for the whole run was over before its end: what is not there was not asked. */
  readonly isComplete: boolean;
  readonly counts: RunCounts;
  /** By number. */
  readonly results: readonly CaseResult[];
}

/** A run, or why there was none. */
export type ConformanceOutcome =
  | { readonly status: 'ran'; readonly run: ConformanceRun }
  /** Nobody answered the first call. */
  | { readonly status: 'no-answer'; readonly said: string }
  | { readonly status: 'no-cases' };

/** Counts results. */
function countsOf(results: readonly CaseResult[]): RunCounts {
  const count = (fits: (result: CaseResult) => boolean): number => results.filter(fits).length;
  return {
    pass: count(({ status }) => status === 'pass'),
    fail: count(({ status, level }) => status === 'fail' && level === 'must'),
    departs: count(({ status, level }) => status === 'fail' && level === 'should'),
    notApplicable: count(({ status }) => status === 'not-applicable'),
  };
}

/** What a case found: a service conforms in it, does not, or cannot be asked by this interface. */
type CaseVerdict =
  | { readonly status: 'pass' }
  | { readonly status: 'fail'; readonly reason: string }
  | { readonly status: 'not-applicable'; readonly reason: string };

type Verified = Extract<Observed, { readonly kind: 'verified' }>;

const PASS: CaseVerdict = { status: 'pass' };
const failed = (reason: string): CaseVerdict => ({ status: 'fail', reason });

/** In words, for a reason why a case is not applicable. */
export const CAPABILITY_TEXT: Readonly<Record<Capability, string>> = {
  verify: 'verifies nothing',
  parties: 'is not told who calls whom',
  'sip-caller': 'has no header fields of SIP',
  'several-headers': 'takes one Identity header alone',
  target: 'knows no Request-URI apart from To',
  date: 'knows no Date',
  unsigned: 'is not asked for calls without Identity',
  folding: 'has no header fields over several lines',
  codes: 'shows no response code',
  verstat: 'shows no verstat',
  reasons: 'shows no Reason',
  sign: 'signs nothing',
  'sign-attestation': 'is not told the attestation',
  'sign-origid': 'is not told the origid',
  'sign-iat': 'is not told the iat',
  'sign-several': 'takes one called number alone',
  'sign-spelling': 'cannot carry other spellings of numbers',
  'sign-incomplete': 'has no request without its numbers',
  'sign-div': 'signs no div',
};

/**
 * Whether a target can be asked what a case is about.
 * @returns not applicable and why, or undefined where it can
 */
export function applicability(
  { needs }: Pick<ConformanceCase, 'needs'>,
  has: ReadonlySet<Capability>,
): Extract<CaseVerdict, { readonly status: 'not-applicable' }> | undefined {
  const lacking = needs.find((need) => !has.has(need));
  return lacking === undefined
    ? undefined
    : { status: 'not-applicable', reason: `the interface ${CAPABILITY_TEXT[lacking]}` };
}

/**
 * Judges an answer of a verification service. What the interface does not show is not judged.
 * @param about - the case and the call that was sent
 * @param observed - what came
 */
export function judgeVerification(
  about: { readonly conformanceCase: VerificationCase; readonly call: SentCall },
  observed: Observed,
): CaseVerdict {
  const trouble = troubleOf(observed);
  if (trouble !== undefined) return failed(trouble);
  if (observed.kind !== 'verified') return failed(`a signature was answered: ${observed.said}`);
  const { expects } = about.conformanceCase;
  const expected = typeof expects === 'function' ? expects(about.call) : expects;
  const outcome = outcomeProblem(expected, observed);
  if (outcome === undefined && expected.verstat !== undefined && observed.isFinalResponse === true)
    return {
      status: 'not-applicable',
      reason: `the call was refused, and a refusal shows no verstat: ${observed.said}`,
    };
  const problem =
    outcome ??
    verstatProblem(expected, observed) ??
    codeProblem(expected, observed) ??
    attestationProblem(expected, observed) ??
    reasonProblem(expected, observed.reasons);
  return problem === undefined ? PASS : failed(problem);
}

/**
 * Judges an answer of a signing service.
 * @param conformanceCase - what was asked
 * @param observed - what came
 * @param about - what a signature is held against
 */
function judgeSigning(conformanceCase: SigningCase, observed: Observed, about: SigningContext): CaseVerdict {
  const trouble = troubleOf(observed);
  if (trouble !== undefined) return failed(trouble);
  if (observed.kind !== 'signed' && observed.kind !== 'not-signed') return failed('a verdict was answered');
  const problem = conformanceCase.judges(observed, about);
  return problem === undefined ? PASS : failed(problem);
}

function troubleOf(observed: Observed): string | undefined {
  if (observed.kind === 'no-answer') return `no answer: ${observed.said}`;
  return observed.kind === 'not-understood' ? `not understood: ${observed.said}` : undefined;
}

function outcomeProblem({ outcome }: VerificationExpectation, { isPassed, said }: Verified): string | undefined {
  if (outcome === 'passed' && !isPassed) return `it did not pass: ${said}`;
  return outcome === 'refused' && isPassed ? `it passed: ${said}` : undefined;
}

function verstatProblem({ verstat }: VerificationExpectation, observed: Verified): string | undefined {
  if (verstat === undefined || (observed.verstat !== undefined && verstat.includes(observed.verstat))) return undefined;
  return `verstat is ${observed.verstat ?? 'absent'} instead of ${verstat.join(' or ')}`;
}

function codeProblem({ codes }: VerificationExpectation, { codes: seen, said }: Verified): string | undefined {
  if (codes === undefined || seen.some((code) => codes.includes(code))) return undefined;
  return `the code is ${seen.length === 0 ? 'missing' : seen.join(', ')} instead of ${codes.join(' or ')}: ${said}`;
}

function attestationProblem(expected: VerificationExpectation, { attestation }: Verified): string | undefined {
  if (expected.attestation === undefined || attestation === undefined || attestation === expected.attestation)
    return undefined;
  return `the attestation told is ${attestation} instead of ${expected.attestation}`;
}

function reasonProblem(
  { reasonCauses, ppiOf }: VerificationExpectation,
  reasons: readonly ReasonSeen[],
): string | undefined {
  if (reasonCauses === undefined) return undefined;
  const causes = reasons.map(({ cause }) => cause).sort((left, right) => left - right);
  const expected = [...reasonCauses].sort((left, right) => left - right);
  if (causes.join() !== expected.join())
    return `the causes in Reason are ${causes.join(', ') || 'none'} instead of ${expected.join(', ') || 'none'}`;
  if (ppiOf === undefined || reasons.some(({ ppi }) => ppi !== undefined && ppiOf.includes(ppi))) return undefined;
  return 'no ppi in Reason names the token that failed';
}

/** Settings of {@link runConformance}. */
export interface ConformanceRunOptions extends CaseSelection {
  readonly target: ConformanceTarget;
  readonly environment: ConformanceEnvironment;
  /** Name of the service, for reports; default its URL. */
  readonly name?: string;
  /** Calls under way at once, 1 to 64; default 4, which no service takes for a flood. */
  readonly concurrency?: number;
  /** For the whole run; default 600,000 ms. Cases that have not begun by then are left out. */
  readonly maxDurationMs?: number;
  /** Hears of each result as it comes. */
  readonly onResult?: (result: CaseResult) => void;
}

const DEFAULT_CONCURRENCY = 4;
const MAX_CONCURRENCY = 64;
/** Two hundred cases of a service that lets each of them wait for ten seconds, four at once, with room. */
const DEFAULT_DURATION_MS = 600_000;

/**
 * Asks a service all cases of a selection, and judges its answers. Whatever the service does is a result: it never rejects for that.
 * @param options - the service, the environment that it was configured with, and which cases
 * @returns the run; or that nobody answered the first call, or that the selection is empty
 * @see RFC 8224 section 6.2, ATIS-1000082
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 *
 * const folder = await mkdtemp(`${tmpdir()}/conformance-`);
 * await using environment = await ConformanceEnvironment.open({ folder });
 * await using target = await openConformanceTarget({ kind: 'atis', url: 'http://127.0.0.1:1' });
 * console.log((await runConformance({ target, environment, only: ['V-001'] })).status); // no-answer
 * await rm(folder, { recursive: true });
 * ```
 */
export async function runConformance(options: ConformanceRunOptions): Promise<ConformanceOutcome> {
  const { target, name = target.url, maxDurationMs = DEFAULT_DURATION_MS } = options;
  const selected = selectCases(CONFORMANCE_CASES, options);
  if (selected.length === 0) return { status: 'no-cases' };
  const startedMs = Date.now();
  const silence = await probe(options);
  if (silence !== undefined) return { status: 'no-answer', said: silence };
  const numbered = selected.map((conformanceCase, index) => ({ conformanceCase, index }));
  const waiting = [...numbered.filter((one) => !isLast(one)), ...numbered.filter(isLast)];
  const results = new Map<number, CaseResult>();
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (Date.now() - startedMs > maxDurationMs) return;
      const result = await runCase(next.conformanceCase, options);
      results.set(next.index, result);
      options.onResult?.(result);
    }
  };
  const workers = Math.min(Math.max(options.concurrency ?? DEFAULT_CONCURRENCY, 1), MAX_CONCURRENCY);
  await Promise.all(Array.from({ length: workers }, work));
  const ordered = [...results.entries()].sort(([left], [right]) => left - right).map(([, result]) => result);
  return {
    status: 'ran',
    run: {
      version: 1,
      target: { kind: target.kind, url: target.url, name },
      startedAt: new Date(startedMs).toISOString(),
      durationMs: Date.now() - startedMs,
      isComplete: ordered.length === selected.length,
      counts: countsOf(ordered),
      results: ordered,
    },
  };
}

const isLast = ({ conformanceCase }: { readonly conformanceCase: ConformanceCase }): boolean =>
  conformanceCase.kind === 'verification' && conformanceCase.isLast === true;

/** One good call, to know whether anybody is there. @returns what was there in place of an answer */
async function probe({ target, environment }: ConformanceRunOptions): Promise<string | undefined> {
  const [good] = CONFORMANCE_CASES;
  if (good?.kind !== 'verification' || !target.capabilities.has('verify')) return undefined;
  const observed = await target.verify(good.sends(environment.settingOf({ number: 'V-000' })));
  return observed.kind === 'no-answer' ? observed.said : undefined;
}

async function runCase(conformanceCase: ConformanceCase, options: ConformanceRunOptions): Promise<CaseResult> {
  const { number, title, group, level, source } = conformanceCase;
  const startedMs = Date.now();
  const found = await findingOf(conformanceCase, options);
  const { verdict, said } = found;
  return {
    number,
    title,
    group,
    level,
    source,
    status: verdict.status,
    ...('reason' in verdict && { reason: verdict.reason }),
    ...(said !== undefined && { said }),
    durationMs: Date.now() - startedMs,
  };
}

interface Finding {
  readonly verdict: CaseVerdict;
  readonly said?: string;
}

async function findingOf(conformanceCase: ConformanceCase, options: ConformanceRunOptions): Promise<Finding> {
  const verdict = applicability(conformanceCase, options.target.capabilities);
  if (verdict !== undefined) return { verdict };
  return conformanceCase.kind === 'verification' ? verify(conformanceCase, options) : sign(conformanceCase, options);
}

async function verify(
  conformanceCase: VerificationCase,
  { target, environment }: ConformanceRunOptions,
): Promise<Finding> {
  const setting = environment.settingOf(conformanceCase);
  const shown = conformanceCase.showsReason && (await target.verify(conformanceCase.showsReason(setting)));
  if (shown?.kind === 'verified' && shown.reasons.length === 0)
    return {
      verdict: { status: 'not-applicable', reason: `it tells no failure in Reason: ${shown.said}` },
      said: shown.said,
    };
  const call = conformanceCase.sends(setting);
  // Silence to the first call is a fault, whatever came to the second.
  if (shown !== undefined && shown.kind !== 'verified')
    return { verdict: judgeVerification({ conformanceCase, call }, shown), said: shown.said };
  let observed: Observed = await target.verify(call);
  for (let time = 1; time < (call.times ?? 1); time += 1) observed = await target.verify(call);
  return { verdict: judgeVerification({ conformanceCase, call }, observed), said: observed.said };
}

async function sign(conformanceCase: SigningCase, { target, environment }: ConformanceRunOptions): Promise<Finding> {
  const setting = environment.settingOf(conformanceCase);
  const ask = conformanceCase.asks(setting);
  const observed = await target.sign(ask);
  const about = { ask, nowSeconds: setting.nowSeconds, ...setting.signing };
  return { verdict: judgeSigning(conformanceCase, observed, about), said: observed.said };
}
