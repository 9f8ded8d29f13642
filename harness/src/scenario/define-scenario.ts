import { HopbackError } from '@hopback/sdk/errors';
import { checkScenario } from './check/check-scenario.js';
import { schemaComplaints } from './check/complaint.js';
import { pathText } from './read/read-scenario.js';
import type { Scenario } from './scenario.js';
import { MEMBER_NAMES, SCENARIO } from './schema/scenario.schema.js';

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
  const parsed = SCENARIO.safeParse(scenario);
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
