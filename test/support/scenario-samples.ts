import { parse } from 'yaml';
import { readScenario, type ReadScenarioOptions, type Scenario } from '../../harness/src/scenario/index.js';

/** A scenario of three carriers as a file, line by line as tests count them. */
export const SCENARIO_TEXT = `format: hopback.scenario.1
name: sample
why: So that tests have one.
variables:
  perSecond: 4
  first: '12025550100'
providers:
  - { id: alder, role: originating, numbers: ['1312555'] }
  - { id: birch, role: transit }
  - { id: cedar, role: terminating }
trunks:
  - { from: alder, to: birch }
  - { from: birch, to: cedar }
callers:
  - id: dialer
    kind: robocaller
    at: alder
    numbers: { kind: neighbour }
    calls: [homes]
  - id: office
    kind: ordinary
    at: alder
    numbers: { kind: own, numbers: [13125550100-13125550109] }
    calls: [homes]
called:
  - { id: homes, at: cedar, first: '\${first}', count: 100 }
phases:
  - { name: flood, seconds: 5, rate: { shape: constant, perSecond: '\${perSecond}' } }
thresholds:
  verdict_accuracy: [rate==1]
`;

/** What {@link SCENARIO_TEXT} is, for tests of plans. */
export const SCENARIO = parse(
  SCENARIO_TEXT.replace(/variables:\n(?: .*\n)*/, '')
    .replace("'${perSecond}'", '4')
    .replace('${first}', '12025550100'),
) as Scenario;

/** Places and messages of what is wrong with a text, `line:column path message`; empty: nothing. */
export async function faultsOf(text: string, options: Partial<ReadScenarioOptions> = {}): Promise<readonly string[]> {
  const result = await readScenario(text, { path: 'sample.yaml', ...options });
  if (result.status === 'read') return [];
  return result.faults.map(({ line, column, path, message }) => `${String(line)}:${String(column)} ${path} ${message}`);
}

/** The same text with one piece of it changed; it has to be there. */
export function changed(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`there is no ${from}`);
  return text.replace(from, () => to);
}
