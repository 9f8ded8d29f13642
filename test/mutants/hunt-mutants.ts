import type { Mutant } from './mutant.js';
import { runScenario } from './scenario-run.js';

/** What is hunted, and how. */
export interface HuntOptions {
  readonly mutants: readonly Mutant[];
  readonly shorten: number;
  /** Scenarios at once. */
  readonly jobs: number;
  /** Told one line for each scenario and each mutant, as it is known. */
  readonly onLine: (line: string) => void;
}

/** What a hunt came to. */
export interface HuntResult {
  /** Scenarios that fail although the product has no defect: they prove nothing, and no mutant was held against them. */
  readonly unsound: readonly string[];
  readonly caught: readonly string[];
  readonly survived: readonly string[];
}

/**
 * Runs the scenarios without a defect first, then each mutant through those that should notice, until one fails.
 * @returns names of all; never rejects for a scenario that fails
 */
export async function huntMutants({ mutants, shorten, jobs, onLine }: HuntOptions): Promise<HuntResult> {
  const sound = new Set<string>();
  const scenarios = [...new Set(mutants.flatMap((mutant) => mutant.scenarios))];
  const unsound: string[] = [];
  await inTurns(scenarios, jobs, async (scenario) => {
    const end = await runScenario({ scenario, shorten });
    if (end.kind === 'passed') sound.add(scenario);
    else unsound.push(scenario);
    onLine(`without a defect: ${scenario} ${end.kind === 'passed' ? 'passed' : `FAILED: ${whyOf(end)}`}`);
  });
  const caught: string[] = [];
  const survived: string[] = [];
  let done = 0;
  await inTurns(mutants, jobs, async (mutant) => {
    const { isCaught, line } = await hunt(mutant, { shorten, sound });
    (isCaught ? caught : survived).push(mutant.name);
    done += 1;
    onLine(`${String(done)} of ${String(mutants.length)} ${mutant.name}: ${line}`);
  });
  return { unsound, caught, survived };
}

async function hunt(
  mutant: Mutant,
  { shorten, sound }: { readonly shorten: number; readonly sound: ReadonlySet<string> },
): Promise<{ readonly isCaught: boolean; readonly line: string }> {
  const tried: string[] = [];
  for (const scenario of mutant.scenarios) {
    if (!sound.has(scenario)) {
      tried.push(`${scenario} fails without it`);
      continue;
    }
    const end = await runScenario({ scenario, mutant, shorten });
    if (end.kind === 'failed' && end.isLoaded) return { isCaught: true, line: `caught by ${scenario}: ${end.finding}` };
    const loaded = end.isLoaded ? '' : ', where its module is not loaded';
    tried.push(`${scenario} ${end.kind === 'passed' ? 'passed' : `proves nothing (${whyOf(end)})`}${loaded}`);
  }
  return { isCaught: false, line: `survived: ${tried.join('; ')}` };
}

type Unpassed = Exclude<Awaited<ReturnType<typeof runScenario>>, { readonly kind: 'passed' }>;

const whyOf = (end: Unpassed): string => (end.kind === 'failed' ? end.finding : end.why);

/** Does the work for each, so many at once. */
async function inTurns<Item>(items: readonly Item[], jobs: number, work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const turn = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: jobs }, turn));
}
