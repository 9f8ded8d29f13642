import { expect, test } from 'vitest';
import { readScenario } from '../../harness/src/scenario/index.js';
import type { ReadFile, ReadScenarioOptions, Scenario } from '../../harness/src/scenario/index.js';
import { changed, faultsOf, SCENARIO_TEXT } from '../support/scenario-samples.js';

async function read(text: string, options: Partial<ReadScenarioOptions> = {}): Promise<Scenario> {
  const result = await readScenario(text, { path: 'sample.yaml', ...options });
  if (result.status === 'faulty') throw new Error(result.faults.map(({ message }) => message).join('; '));
  return result.scenario;
}

const rateOf = ({ phases: [phase] }: Scenario): unknown => phase?.rate;
const constant = (perSecond: number): unknown => ({ shape: 'constant', perSecond });

test('an option wins over a variable that begins with HOPBACK_, that over the file, that over a default on the spot', async () => {
  const environment = { HOPBACK_PER_SECOND: '6' };
  const others = { PER_SECOND: '9', perSecond: '9' };
  expect(rateOf(await read(SCENARIO_TEXT, { variables: { perSecond: '5' }, environment }))).toEqual(constant(5));
  expect(rateOf(await read(SCENARIO_TEXT, { environment }))).toEqual(constant(6));
  expect(rateOf(await read(SCENARIO_TEXT, { environment: others }))).toEqual(constant(4));
  const text = changed(SCENARIO_TEXT, '${perSecond}', '${calls:-7}');
  expect(rateOf(await read(text))).toEqual(constant(7));
});

test('a variable is a number where one has to be, and text where that has to be, with quotes or without', async () => {
  const text = changed(SCENARIO_TEXT, 'phases:', 'maxConcurrent: ${perSecond}\nphases:').replace(
    "'${first}', count: 100 }",
    "'${first}' }",
  );
  const scenario = await read(text, { variables: { first: '12025550142' } });
  expect(scenario.maxConcurrent).toBe(4);
  expect(scenario.called[0]?.first).toBe('12025550142');
});

test('a variable within a text is put in there, and $${ is a ${ that is meant so', async () => {
  const scenario = await read(changed(SCENARIO_TEXT, 'So that tests have one.', 'At ${perSecond} a second, $${so}.'));
  expect(scenario.why).toBe('At 4 a second, ${so}.');
});

test('what a variable is worth cannot change the structure of the file', async () => {
  const scenario = await read(changed(SCENARIO_TEXT, 'So that tests have one.', '${reason:-none}'), {
    variables: { reason: 'one\nname: other' },
  });
  expect([scenario.name, scenario.why]).toEqual(['sample', 'one\nname: other']);
});

test('a variable that is unknown, that nothing uses or that has no name is a fault', async () => {
  expect(await faultsOf(changed(SCENARIO_TEXT, '${perSecond}', '${perSecnd}'))).toEqual([
    expect.stringMatching(/^28:68 .*HOPBACK_PER_SECND.*Did you mean perSecond\?$/),
  ]);
  const unused = await faultsOf(SCENARIO_TEXT, { variables: { persecond: '9' } });
  expect(unused).toEqual([expect.stringContaining('persecond')]);
  expect(await faultsOf(changed(SCENARIO_TEXT, '${perSecond}', '${per second}'))).toHaveLength(1);
});

const CSV = changed(
  SCENARIO_TEXT,
  'numbers: { kind: neighbour }',
  'numbers: { kind: neighbour }\n    csv: { file: calls.csv, calling: 0, called: 1, words: { name: 2 } }',
);
const files =
  (text: string): ReadFile =>
  async (path) => {
    if (path !== 'calls.csv') throw new Error('there is no such file');
    return Promise.resolve(text);
  };

test('rows of a CSV file come into the scenario, in the order that its first line says', async () => {
  const text = 'USER\n# who calls whom\n13125550101;12025550101;Ann\r\n\n13125550102; 12025550102 ;Bob\n';
  const [caller] = (await read(CSV, { readFile: files(text) })).callers;
  expect(caller?.csv).toMatchObject({
    order: 'user',
    rows: [
      ['13125550101', '12025550101', 'Ann'],
      ['13125550102', '12025550102', 'Bob'],
    ],
  });
});

test.each([
  ['another first line', '1;2;3\n', 'sample.yaml', 19],
  ['no rows', 'SEQUENTIAL\n# nothing\n', 'sample.yaml', 19],
  ['a field too few', 'RANDOM\n# one\n13125550101;12025550101\n', 'calls.csv', 3],
  ['a calling number that is none', 'RANDOM\nann;12025550101;Ann\n', 'calls.csv', 2],
  ['an unknown called number', 'RANDOM\n13125550101;12025550101;A\n13125550101;14155550100;B\n', 'calls.csv', 3],
])('%s of a CSV file is a fault with its place', async (_, text, file, line) => {
  const result = await readScenario(CSV, { path: 'sample.yaml', readFile: files(text) });
  expect(result.status === 'faulty' && result.faults.map((fault) => [fault.file, fault.line])).toEqual([[file, line]]);
});

test('a CSV file that cannot be read is one fault', async () => {
  for (const options of [{}, { readFile: files('') }])
    expect(await faultsOf(changed(CSV, 'calls.csv', 'other.csv'), options)).toHaveLength(1);
});

test('aliases that stand for more than anybody writes are refused', async () => {
  const bomb = `a: &a [${'x, '.repeat(9)}x]\n${Array.from({ length: 9 }, (_, at) => {
    const [own, before] = [String.fromCharCode(98 + at), String.fromCharCode(97 + at)];
    return `${own}: &${own} [${`*${before}, `.repeat(9)}*${before}]`;
  }).join('\n')}\n`;
  expect(await faultsOf(bomb)).toEqual([expect.stringContaining('aliases')]);
});

test('anchors within reason are followed, and a fault in what they stand for is told where it is written', async () => {
  const text = changed(SCENARIO_TEXT, 'numbers: { kind: neighbour }', 'numbers: &shown { kind: neighbor }').replace(
    'numbers: { kind: own, numbers: [13125550100-13125550109] }',
    'numbers: *shown',
  );
  expect((await faultsOf(text)).map((fault) => fault.split(' ')[0])).toEqual(['18:23', '18:23']);
  expect((await read(text.replace('neighbor', 'neighbour'))).callers[1]?.numbers).toEqual({ kind: 'neighbour' });
});

test.each([
  ['open brackets', '['.repeat(200_000)],
  ['closed brackets', `why: ${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ['open braces', '{a: '.repeat(100_000)],
  ['lists on one line', `${'- '.repeat(100_000)}x`],
  ['keys on one line', '? '.repeat(50_000)],
  ['indented lines', Array.from({ length: 300 }, (_, at) => `${' '.repeat(at)}a:`).join('\n')],
])('%s without end are one fault, told before anything is parsed', async (_, text) => {
  expect(await faultsOf(text)).toEqual([expect.stringContaining('nested')]);
});
