import type { Mutant } from './mutants.js';
import { runScenario, type ScenarioRunOptions } from './scenario-run.js';

/** What is hunted, and how. */
export interface HuntOptions {
  readonly mutants: readonly Mutant[];
  readonly shorten: number;
  /** Scenarios at once. */
  readonly jobs: number;
  /** Told one line for each scenario and each mutant, as it is known. */
  readonly onLine: (line: string) => void;
}

/**
 * Runs each mutant through the scenarios that should notice, until one fails. A scenario is run without a defect before it is asked for the first time.
 * @returns names of mutants, and as `unsound` scenarios, or calls of them, that fail without a defect: no mutant was held against them
 */
export async function huntMutants({ mutants, shorten, jobs, onLine }: HuntOptions) {
  const unsound: string[] = [];
  const caught: string[] = [];
  const survived: string[] = [];
  const sound = new Map<string, Promise<boolean>>();
  const trial = async (tried: Tried): Promise<boolean> => {
    const end = await runScenario({ ...tried, shorten });
    const isSound = end.kind === 'passed';
    if (!isSound) unsound.push(nameOf(tried));
    onLine(`without a defect: ${nameOf(tried)} ${isSound ? 'passed' : `FAILED: ${whyOf(end)}`}`);
    return isSound;
  };
  const isSound = (tried: Tried): Promise<boolean> => {
    const known = sound.get(nameOf(tried)) ?? trial(tried);
    sound.set(nameOf(tried), known);
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

type Tried = Pick<ScenarioRunOptions, 'scenario' | 'part'>;

const nameOf = ({ scenario, part }: Tried): string => (part === 'all' ? scenario : `the calls of ${scenario}`);

/** What a mutant is held against, one after the other: what is short comes first. */
function trialsOf({ scenarios, needsPlatform }: Mutant): readonly Tried[] {
  const all = scenarios.map((scenario) => ({ scenario, part: 'all' }) as const);
  return needsPlatform === true
    ? all
    : [...scenarios.map((scenario) => ({ scenario, part: 'calls' }) as const), ...all];
}

interface HuntedBy {
  readonly shorten: number;
  /** Whether a scenario passes without a defect. */
  readonly isSound: (tried: Tried) => Promise<boolean>;
}

async function hunt(
  mutant: Mutant,
  { shorten, isSound }: HuntedBy,
): Promise<{ readonly isCaught: boolean; readonly line: string }> {
  const survived: string[] = [];
  for (const tried of trialsOf(mutant)) {
    const name = nameOf(tried);
    if (!(await isSound(tried))) {
      survived.push(`${name} fails without it`);
      continue;
    }
    const end = await runScenario({ ...tried, mutant, shorten });
    if (end.kind === 'failed' && end.isLoaded) return { isCaught: true, line: `caught by ${name}: ${end.finding}` };
    const loaded = end.isLoaded ? '' : ', where its module is not loaded';
    survived.push(`${name} ${end.kind === 'passed' ? 'passed' : `proves nothing (${whyOf(end)})`}${loaded}`);
  }
  return { isCaught: false, line: `survived: ${survived.join('; ')}` };
}

type Unpassed = Exclude<Awaited<ReturnType<typeof runScenario>>, { readonly kind: 'passed' }>;

const whyOf = (end: Unpassed): string => (end.kind === 'failed' ? end.finding : end.why);
