import type { ConformanceCase, SigningCase, VerificationCase } from './case.js';
import { CONFORMANCE_CASES } from './cases/index.js';
import { countsOf } from './conformance-run.js';
import type { CaseResult, ConformanceOutcome } from './conformance-run.js';
import type { ConformanceEnvironment } from './environment/environment.js';
import type { Observed } from './observed.js';
import { selectCases } from './select-cases.js';
import type { CaseSelection } from './select-cases.js';
import type { ConformanceTarget } from './targets/target.js';
import { applicability, judgeSigning, judgeVerification } from './verdict.js';
import type { CaseVerdict } from './verdict.js';

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
 * await using environment = await openConformanceEnvironment({ folder });
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
    ...{ number, title, group, level, source, status: verdict.status },
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
