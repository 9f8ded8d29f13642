import { readFile } from 'node:fs/promises';
import { HopbackError } from '@hopback/sdk/errors';
import { checkScenario } from './check/check-scenario.js';
import { schemaComplaints, suggestion } from './check/complaint.js';
import { faultText, pathText, readScenario } from './read/read-scenario.js';
import type { VariableSources } from './read/variables.js';
import { MEMBER_NAMES, Scenario } from './schema/scenario.schema.js';

/** Names of the scenarios that come with the package, from the simplest to everything at once. */
const SHIPPED = [
  'direct',
  'three-hops',
  'five-hops',
  'seven-hops',
  'tdm-gap',
  'gateway',
  'partial-adoption',
  'snowshoe',
  'neighbour',
  'wangiri',
  'dno',
  'diverted',
  'forked',
  'rewritten-numbers',
  'stolen-spc',
  'altered-identity',
  'expired-certificate',
  'revoked-certificate',
  'replay',
  'clock-skew',
  'silent-provider',
  'lying-provider',
  'colluding-neighbours',
  'late-answers',
  'purged-records',
  'record-gap',
  'campaign-while-carriers-crash',
  'traffic-storm',
  'demo',
  'everything',
] as const;

/** Beside the sources, where both the sources and what is compiled of them find it. */
const folder = new URL('../../src/scenario/shipped/', import.meta.url);

/**
 * The scenarios that come with the package: networks that are worth running against any equipment, each with the reason why.
 * @returns their names, from the simplest to everything at once; never throws
 * @see {@link readShippedScenario}
 * @example
 * ```ts
 * console.log(shippedScenarios()[0]); // direct
 * ```
 */
export const shippedScenarios = (): readonly string[] => SHIPPED;

/**
 * The text of a scenario that comes with the package, to be read, or changed into one of one's own.
 * @param name - one of {@link shippedScenarios}
 * @returns YAML
 * @throws {@link HopbackError} `invalid-argument` for another name, `storage-failed` where the package is not complete
 * @see {@link readScenario} for what is made of it
 * @example
 * ```ts
 * console.log((await shippedScenarioText('direct')).includes('why: >-')); // true
 * ```
 */
export async function shippedScenarioText(name: string): Promise<string> {
  if (!(SHIPPED as readonly string[]).includes(name))
    throw new HopbackError(
      'invalid-argument',
      `no scenario ${name.slice(0, 64)} is shipped${suggestion(name, SHIPPED)}`,
    );
  try {
    return await readFile(new URL(`${name}.yaml`, folder), 'utf8');
  } catch (cause) {
    throw new HopbackError('storage-failed', `the file of the scenario ${name} cannot be read`, { cause });
  }
}

/**
 * Reads a scenario that comes with the package.
 * @param name - one of {@link shippedScenarios}
 * @param sources - what its variables are worth; default what it says itself
 * @returns the scenario
 * @throws {@link HopbackError} `invalid-argument` for another name and for variables with which it makes no sense, `storage-failed` where the package is
 * not complete
 * @see {@link planNetwork}
 * @example
 * ```ts
 * const scenario = await readShippedScenario('gateway', { variables: { perSecond: '20' } });
 * console.log(scenario.providers.length); // 4
 * ```
 */
export async function readShippedScenario(name: string, sources: VariableSources = {}): Promise<Scenario> {
  const result = await readScenario(await shippedScenarioText(name), { ...sources, path: `${name}.yaml` });
  if (result.status === 'read') return result.scenario;
  throw new HopbackError('invalid-argument', result.faults.map(faultText).join('; '));
}

/** Faults that the message of an error names; the others are counted. */
const TOLD = 20;

/**
 * A scenario written in TypeScript: the same model as in a file, held to the same rules.
 * @param scenario - all of it; rows of CSV are given in `csv.rows`
 * @returns the same, which can be planned
 * @throws {@link HopbackError} `invalid-argument` with all that is wrong with it, member by member
 * @see {@link readScenario} for files
 * @example
 * ```ts
 * const scenario = defineScenario({
 *   format: 'hopback.scenario.1',
 *   name: 'direct',
 *   why: 'The smallest network: one hands the call to the other.',
 *   providers: [
 *     { id: 'alder', role: 'originating', numbers: ['1202555'] },
 *     { id: 'birch', role: 'terminating' },
 *   ],
 *   trunks: [{ from: 'alder', to: 'birch' }],
 *   callers: [{ id: 'ann', kind: 'ordinary', at: 'alder', numbers: { kind: 'own', numbers: ['12025550100'] }, calls: ['bob'] }],
 *   called: [{ id: 'bob', at: 'birch', first: '12025550150' }],
 *   phases: [{ name: 'talk', seconds: 2, rate: { shape: 'constant', perSecond: 5 } }],
 * });
 * console.log(scenario.name); // direct
 * ```
 */
export function defineScenario(scenario: Scenario): Scenario {
  const parsed = Scenario.safeParse(scenario);
  const complaints = parsed.success
    ? checkScenario(parsed.data)
    : schemaComplaints(parsed.error.issues, scenario, MEMBER_NAMES);
  if (parsed.success && complaints.length === 0) return parsed.data;
  const told = complaints.slice(0, TOLD).map(({ path, message }) => `${pathText(path)}: ${message}`);
  const rest = complaints.length - told.length;
  throw new HopbackError(
    'invalid-argument',
    `the scenario cannot be planned: ${told.join('; ')}${rest > 0 ? `; and ${String(rest)} more` : ''}`,
  );
}
