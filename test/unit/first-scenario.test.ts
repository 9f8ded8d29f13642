import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Behaviour, BehaviourKind, CallingNumbers, ScenarioPhase } from '../../harness/src/scenario/index.js';
import { createTemporaryDirectory, type TemporaryDirectory } from '../peers/temporary-directory.js';
import { harnessCommand } from '../support/itg-command.js';

// `hopback-harness init` and every edit that the comments of its file suggest. test/e2e/run-command.test.ts runs the file over real SIP.

let directory: TemporaryDirectory;
let scenario = '';
beforeAll(async () => {
  directory = await createTemporaryDirectory();
  const file = join(directory.path, 'scenario.yaml');
  await harnessCommand(['init', file]);
  scenario = await readFile(file, 'utf8');
});
afterAll(() => directory?.[Symbol.asyncDispose]());

/** Replaces one piece of the file that `init` wrote, and plans the result. */
async function planWith(
  written: string,
  instead: string,
): Promise<{ readonly exitCode: number; readonly err: string }> {
  expect(scenario).toContain(written);
  const file = await directory.write('edited.yaml', scenario.replace(written, instead));
  const { exitCode, err } = await harnessCommand(['run', file, '--shorten', '5', '--dry-run']);
  return { exitCode, err };
}

const PLANNED = { exitCode: 0, err: '' };

test('init writes a file that run plans as it stands, and leaves a file that exists alone', async () => {
  const file = join(directory.path, 'own.yaml');
  expect(await harnessCommand(['init', file])).toMatchObject({ exitCode: 0 });
  const planned = await harnessCommand(['run', file, '--dry-run']);
  expect(planned).toMatchObject(PLANNED);
  expect(planned.out).toMatch(/ 67 {2}dialer\n +33 {2}office\n/);
  await writeFile(file, 'mine');
  expect((await harnessCommand(['init', file])).exitCode).toBe(4);
  expect(await readFile(file, 'utf8')).toBe('mine');
});

/** Except two: `forks` needs a second trunk, and `diverts` a carrier that serves the called number. */
const BEHAVIOURS: {
  readonly [Kind in Exclude<BehaviourKind, 'forks' | 'diverts'>]: Extract<Behaviour, { readonly kind: Kind }>;
} = {
  'strips-identity': { kind: 'strips-identity' },
  'signs-spoofed': { kind: 'signs-spoofed' },
  downgrades: { kind: 'downgrades', to: 'C' },
  'signs-as': { kind: 'signs-as', provider: 'dune', attestation: 'A' },
  'alters-identity': { kind: 'alters-identity' },
  'rewrites-numbers': { kind: 'rewrites-numbers', how: 'national' },
  'replays-identity': { kind: 'replays-identity' },
  overloads: { kind: 'overloads', perSecond: 2 },
  crashes: { kind: 'crashes', fromSeconds: 2, untilSeconds: 4 },
  certificate: { kind: 'certificate', fault: 'expired' },
  'certificate-server': { kind: 'certificate-server', fault: 'slow' },
  'record-gap': { kind: 'record-gap', fromSeconds: 2, untilSeconds: 4 },
  'purged-records': { kind: 'purged-records' },
  'clock-skew': { kind: 'clock-skew', seconds: 30 },
  silent: { kind: 'silent' },
  late: { kind: 'late', hours: 30 },
  refuses: { kind: 'refuses', reason: 'ask our lawyers' },
  'names-another': { kind: 'names-another', provider: 'dune' },
  'names-nobody': { kind: 'names-nobody', name: 'Nowhere Telecom' },
  'claims-origin': { kind: 'claims-origin' },
  denies: { kind: 'denies' },
};

test.each(Object.values(BEHAVIOURS))('its transit carrier can have the behaviour %j', async (behaviour) => {
  expect(await planWith('{ kind: silent }', JSON.stringify(behaviour))).toEqual(PLANNED);
});

test('its transit carrier can fork calls when it has a second trunk', async () => {
  const forks = scenario
    .replace('{ kind: silent }', '{ kind: forks, branches: 2 }')
    .replace('  - { id: alder,', '  - { id: ash, role: transit }\n  - { id: alder,')
    .replace('trunks:\n', 'trunks:\n  - { from: birch, to: ash }\n  - { from: ash, to: alder }\n');
  const file = await directory.write('forks.yaml', forks);
  expect(await harnessCommand(['run', file, '--dry-run'])).toMatchObject(PLANNED);
});

test.each(['originating', 'ipes', 'gateway', 'transit', 'terminating'])(
  'its transit carrier can have the role %s',
  async (role) => {
    expect(await planWith('role: transit\n', `role: ${role}\n`)).toEqual(PLANNED);
  },
);

const NUMBERS: { readonly [Kind in CallingNumbers['kind']]: Extract<CallingNumbers, { readonly kind: Kind }> } = {
  own: { kind: 'own', numbers: ['15553034200-15553034209'] },
  neighbour: { kind: 'neighbour' },
  snowshoe: { kind: 'snowshoe', prefixes: ['1213', '1786'], count: 100 },
  dno: { kind: 'dno', numbers: ['18005550100'] },
  invalid: { kind: 'invalid' },
  victim: { kind: 'victim', numbers: ['15553034200-15553034209'] },
};

test.each(Object.values(NUMBERS))('its dialer can show the numbers %j', async (numbers) => {
  expect(await planWith('{ kind: neighbour }', JSON.stringify(numbers))).toEqual(PLANNED);
});

const RATES: { readonly [Shape in ScenarioPhase['rate']['shape']]: ScenarioPhase['rate'] & { readonly shape: Shape } } =
  {
    constant: { shape: 'constant', perSecond: 3 },
    ramp: { shape: 'ramp', from: 1, to: 5 },
    spike: { shape: 'spike', perSecond: 2, peak: 6 },
    poisson: { shape: 'poisson', perSecond: 4 },
  };

test.each(Object.values(RATES))('its phase can have the rate %j', async (rate) => {
  expect(await planWith("{ shape: constant, perSecond: '${perSecond}' }", JSON.stringify(rate))).toEqual(PLANNED);
});

test('it can run without a traceback group, and with phones that register', async () => {
  const withoutPlatform = scenario.replace(/^platform:\n {2}.*\n/m, '').replace(/^ {2}(?:campaign_|wrong_).*\n/gm, '');
  const file = await directory.write('calls.yaml', withoutPlatform);
  expect(await harnessCommand(['run', file, '--dry-run'])).toMatchObject(PLANNED);
  expect(await planWith('count: 2000,', 'count: 40, by: phones,')).toEqual(PLANNED);
});
