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
 * Runs each mutant through the scenarios that should notice, until one fails. A scenario is run without a defect before it is asked for the first time.
 * @returns names of all; never rejects for a scenario that fails
 */
export async function huntMutants({ mutants, shorten, jobs, onLine }: HuntOptions): Promise<HuntResult> {
  const unsound: string[] = [];
  const caught: string[] = [];
  const survived: string[] = [];
  const sound = new Map<string, Promise<boolean>>();
  const trial = async (scenario: string): Promise<boolean> => {
    const end = await runScenario({ scenario, shorten });
    const isSound = end.kind === 'passed';
    if (!isSound) unsound.push(scenario);
    onLine(`without a defect: ${scenario} ${isSound ? 'passed' : `FAILED: ${whyOf(end)}`}`);
    return isSound;
  };
  const isSound = (scenario: string): Promise<boolean> => {
    const known = sound.get(scenario) ?? trial(scenario);
    sound.set(scenario, known);
    return known;
  };
  const left = [...mutants];
  const turn = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
      const { isCaught, line } = await hunt(mutant, { shorten, isSound });
      (isCaught ? caught : survived).push(mutant.name);
      const done = caught.length + survived.length;
      onLine(`${String(done)} of ${String(mutants.length)} ${mutant.name}: ${line}`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, turn));
  return { unsound, caught, survived };
}

interface HuntedBy {
  readonly shorten: number;
  /** Whether a scenario passes without a defect. */
  readonly isSound: (scenario: string) => Promise<boolean>;
}

async function hunt(
  mutant: Mutant,
  { shorten, isSound }: HuntedBy,
): Promise<{ readonly isCaught: boolean; readonly line: string }> {
  const tried: string[] = [];
  for (const scenario of mutant.scenarios) {
    if (!(await isSound(scenario))) {
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
