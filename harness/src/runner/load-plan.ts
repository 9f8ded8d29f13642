import { readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { planNetwork } from '../network/plan/index.js';
import type { NetworkPlan, PlanOptions } from '../network/plan/index.js';
import type { CallTruth } from '../network/truth/index.js';
import { oneLine } from '../report/index.js';
import { faultText, readScenario, shippedScenarioText, shippedScenarios } from '../scenario/index.js';
import type { ScenarioResult } from '../scenario/index.js';

/** What a run can be made from. */
interface PlanSource extends PlanOptions {
  /** Path of a scenario (YAML or JSON), name of a shipped one, or the folder of an earlier run. */
  readonly from: string;
  /** Values of variables, which come before those of the environment. */
  readonly set?: Readonly<Record<string, string>>;
  /** Variables `HOPBACK_…` of it are known to scenarios. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A plan that was made, or why there is none: lines for people, with file, line and column. */
export type LoadedPlan =
  | { readonly status: 'loaded'; readonly plan: NetworkPlan }
  | { readonly status: 'not-found'; readonly why: string }
  | { readonly status: 'faulty'; readonly faults: readonly string[] };

/**
 * Makes a plan of a scenario file, a shipped scenario or the folder of an earlier run. Never throws for what is in a file.
 * @throws {@link HopbackError} `invalid-argument` for a seed or scale out of bounds
 */
export async function loadPlan(source: PlanSource): Promise<LoadedPlan> {
  const { from } = source;
  const found = await sourceText(from);
  if (found === undefined) {
    return { status: 'not-found', why: `${from} is no file, no shipped scenario and no folder of a run` };
  }
  if (found.kind === 'run') return planOfRun(found.text, source);
  const read = await readIt(found, source);
  if (read.status === 'faulty') return { status: 'faulty', faults: read.faults.map(faultText) };
  return { status: 'loaded', plan: planNetwork(read.scenario, source) };
}

interface FoundText {
  readonly kind: 'scenario' | 'run';
  readonly path: string;
  readonly text: string;
}

async function sourceText(from: string): Promise<FoundText | undefined> {
  try {
    if ((await stat(from)).isDirectory()) {
      const path = join(from, 'plan.json');
      return { kind: 'run', path, text: await readFile(path, 'utf8') };
    }
    return { kind: 'scenario', path: from, text: await readFile(from, 'utf8') };
  } catch {
    if (!shippedScenarios().includes(from)) return undefined;
    return { kind: 'scenario', path: `${from}.yaml`, text: await shippedScenarioText(from) };
  }
}

function readIt({ path, text }: FoundText, { set = {}, env = {} }: PlanSource): Promise<ScenarioResult> {
  const folder = dirname(resolve(path));
  return readScenario(text, {
    path,
    variables: set,
    environment: env,
    readFile: (name) => readFile(resolve(folder, name), 'utf8'),
  });
}

/** The plan of an earlier run: its scenario is read again, as any other. */
async function planOfRun(text: string, source: PlanSource): Promise<LoadedPlan> {
  let file: {
    readonly scenario?: unknown;
    readonly seed?: unknown;
    readonly onceOnly?: unknown;
  };
  try {
    file = JSON.parse(text) as typeof file;
  } catch {
    return { status: 'faulty', faults: [`${source.from}/plan.json is not JSON`] };
  }
  const read = await readScenario(JSON.stringify(file.scenario ?? {}), { path: 'plan.json' });
  if (read.status === 'faulty') return { status: 'faulty', faults: read.faults.map(faultText) };
  const seed = source.seed ?? (typeof file.seed === 'number' ? file.seed : undefined);
  const onceOnly = source.onceOnly ?? file.onceOnly === true;
  return { status: 'loaded', plan: planNetwork(read.scenario, { ...source, seed, onceOnly }) };
}

/** Ways that are listed. */
const MAX_WAYS = 30;

/** What a plan would do, without doing it: who, how many calls, by which ways, and what is true of them. */
export function dryRunLines(plan: NetworkPlan, truthOf: (index: number) => CallTruth): readonly string[] {
  const { scenario, seed, providers, calls, durationMs } = plan;
  const [ways, phases, callers] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const [verdicts, ends, culprits, fair] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  for (const { index, way, phase, caller } of calls) {
    add(ways, way.join(' > '));
    add(phases, phase);
    add(callers, caller);
    const truth = truthOf(index);
    for (const { verdict } of truth.hops) add(verdicts, verdict.verstat.join(' or '));
    add(ends, truth.finalStatus.join(' or '));
    add(culprits, `${truth.culprit.kind} ${truth.culprit.provider}`);
    add(fair, [...new Set(truth.fairOutcomes.map(({ kind }) => kind))].join(' or '));
  }
  const odd = providers.filter(({ behaviours }) => behaviours.length > 0);
  return [
    `${oneLine(scenario.name)}, seed ${seed}: ${providers.length} providers, ${calls.length} calls in ${(durationMs / 1_000).toFixed(1)} s`,
    oneLine(scenario.why),
    ...listed('Calls by phase', phases),
    ...listed('Calls by caller', callers),
    ...listed('Ways', ways),
    ...(odd.length === 0
      ? []
      : [
          'Behaviours',
          ...odd.map(({ id, behaviours }) => `  ${id}: ${behaviours.map(({ kind }) => kind).join(', ')}`),
        ]),
    ...listed('True verdicts, one for each hop', verdicts),
    ...listed('True ends of calls', ends),
    ...listed('Where calls truly began or came in', culprits),
    ...listed('What tracebacks may fairly come to', fair),
  ];
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function listed(title: string, counts: ReadonlyMap<string, number>): readonly string[] {
  if (counts.size === 0) return [];
  const sorted = [...counts].toSorted(([, one], [, other]) => other - one);
  const left = sorted.length - MAX_WAYS;
  return [
    title,
    ...sorted.slice(0, MAX_WAYS).map(([name, count]) => `  ${String(count).padStart(7)}  ${oneLine(name)}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}
