import { readFile, stat, writeFile } from 'node:fs/promises';
import { conformanceRunOf } from '@hopback/harness/conformance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { harnessCommand } from '../support/itg-command.js';
import { freePorts } from '../support/recipe.js';
import { startStirService, verdict } from '../support/stir-service.js';

const directory = await createTemporaryDirectory();
const path = directory.at;
const conformance = (...argv: readonly string[]): ReturnType<typeof harnessCommand> =>
  harnessCommand(['conformance', ...argv]);

beforeAll(async () => {
  const [https = 0, http = 0] = await freePorts(2);
  const { exitCode, out } = await conformance(
    ...['--prepare', path('lab'), '--certificates', `127.0.0.1:${https}`, '--crl-port', String(http)],
  );
  if (exitCode !== 0 || !out.includes('README.md')) throw new Error(`it was not prepared: ${out}`);
});
afterAll(directory.close);

test.each([
  [[], 'say what to do: --prepare, --target, --list or --matrix'],
  [['--target', 'sbc'], 'must be one of atis, 3gpp'],
  [['--target', 'atis'], '--target needs --url, the address of the service'],
  [['--target', 'atis', '--url', 'sip:a:5060'], 'it is http://host:port'],
  [['--target', 'redirect', '--url', 'http://a'], 'it is sip:host:port'],
  [['--target', 'atis', '--url', 'http://a', '--lacks', 'codes,patience'], 'patience is not one of'],
  [['--target', 'atis', '--url', 'http://a', '--group', 'dive'], 'dive is not one of'],
  [['--target', 'atis', '--url', 'http://a', '--timeout', '0'], '--timeout'],
  [['--target', 'atis', '--url', 'http://a', '--max-seconds', 'x'], '--max-seconds'],
  [['--target', 'atis', '--url', 'http://a', '--concurrency', '65'], '--concurrency'],
  [['--target', 'atis', '--url', 'http://a', '--certificates', 'b:1'], 'goes with --prepare'],
  [['--prepare', 'x', '--certificates', 'a b'], 'must be HOST:PORT'],
  [['--prepare', 'x', '--certificates', 'b:1', '--crl-port', '70000'], '--crl-port'],
  [['--prepare', 'x', '--listen', '0.0.0.0'], 'go with --certificates'],
  [['--matrix'], 'summary.json'],
  [['extra'], 'no operand extra'],
  [['--colour'], '--colour'],
])('conformance %j is not understood, in words, with exit code 2', async (argv, why) => {
  const { exitCode, out, err } = await conformance(...argv);
  expect([exitCode, out]).toEqual([2, '']);
  expect(err).toContain(why);
});

test('cases are listed, also as JSON, and by group and number', async () => {
  const all = await conformance('--list', '--json');
  expect((JSON.parse(all.out) as readonly unknown[]).length).toBeGreaterThan(200);
  const some = await conformance('--list', '--group', 'revocation', '--only', 'V-451,V-452');
  expect(some.out.split('\n').map((line) => line.slice(0, 5))).toEqual(['V-451', 'V-452', '']);
  expect((await conformance('--list', '--only', 'V-999')).exitCode).toBe(2);
  expect((await conformance('--help')).out).toContain('Exit codes');
});

test('a folder keeps its keys for its owner, and another preparation has the same ones, the same place and a new CRL', async () => {
  const content = (): Promise<string> => readFile(path('lab/conformance.json'), 'utf8');
  const crl = (): Promise<string> => readFile(path('lab/sti-pa-crl.pem'), 'utf8');
  const before = [await content(), await crl()];
  for (const name of ['conformance.json', 'signing-key.pem'])
    expect((await stat(path(`lab/${name}`))).mode & 0o777).toBe(0o600);
  expect((await conformance('--prepare', path('lab'))).exitCode).toBe(0);
  expect(await content()).toBe(before[0]);
  expect(await crl()).not.toBe(before[1]);
});

test('a service that refuses everything ends with 1, and the reports say why', async () => {
  await using service = await startStirService(verdict('No-TN-Validation'));
  await writeFile(path('token'), 'sesame\n', { mode: 0o600 });
  const options = ['--folder', path('lab'), '--target', 'atis', '--url', service.url, '--name', 'a <wall>'];
  const only = ['--group', 'good-calls', '--group', 'revocation', '--only', 'V-00*,V-451', '--lacks', 'date'];
  const run = await conformance(...options, ...only, '--out', path('out'), '--token-file', path('token'));
  expect(run.exitCode).toBe(1);
  expect(run.out).toMatch(/^Does not conform\n\n {2}✗ V-001 {2}passes a call that is attested A\n/);
  expect(run.out).toContain('✗ a <wall>: 1 conform, 4 do not, 3 depart from a recommendation, 2 cannot be shown');
  expect(new Set(service.heard.map(({ path: to, authorization }) => `${to} ${String(authorization)}`))).toEqual(
    new Set(['/stir/v1/verification Bearer sesame']),
  );
  const summary = conformanceRunOf(await readFile(path('out/summary.json'), 'utf8'));
  expect(summary?.counts).toEqual({ pass: 1, fail: 4, departs: 3, notApplicable: 2 });
  const junit = await readFile(path('out/junit.xml'), 'utf8');
  expect(junit).toContain('<testsuites name="conformance of a &lt;wall&gt;" tests="10" failures="4" skipped="5"');
  expect(junit).toContain('name="V-451 refuses a certificate that is revoked"');
  const page = await readFile(path('out/index.html'), 'utf8');
  expect(page).toContain('<h1>Conformance of a &lt;wall&gt;</h1>');
  expect(page).not.toMatch(/<script|https?:\/\/(?!127\.0\.0\.1)/);
  const matrix = await conformance('--matrix', path('out/summary.json'), path('out/summary.json'));
  expect(matrix.out).toContain('| V-451 | refuses a certificate that is revoked | must |');
  expect((await conformance('--matrix', path('token'))).exitCode).toBe(4);
});

test('departures alone end with 0, and with 1 where the command is strict', async () => {
  await using service = await startStirService(verdict('No-TN-Validation'));
  const argv = ['--folder', path('lab'), '--target', 'atis', '--url', service.url, '--only', 'V-005', '--json'];
  const run = await conformance(...argv);
  expect([run.exitCode, conformanceRunOf(run.out)?.counts.departs]).toEqual([0, 1]);
  expect((await conformance(...argv, '--strict')).exitCode).toBe(1);
});

test('where nobody answers it ends with 99, where the time is over with 97, where nothing is prepared with 4', async () => {
  const [nobody = 0] = await freePorts(1);
  const at = (url: string, ...rest: readonly string[]): ReturnType<typeof harnessCommand> =>
    conformance('--folder', path('lab'), '--target', 'atis', '--url', url, ...rest);
  const silent = await at(`http://127.0.0.1:${nobody}`);
  expect([silent.exitCode, silent.err]).toEqual([99, expect.stringContaining('nobody answers at http://127.0.0.1')]);
  // It answers the first call, and never again.
  await using service = await startStirService((request, response, count) => {
    if (count === 1) verdict('No-TN-Validation')(request, response, count);
  });
  const slow = await at(service.url, '--timeout', '1', '--max-seconds', '1', '--concurrency', '1');
  expect([slow.exitCode, slow.out]).toEqual([97, expect.stringContaining('was over before its end')]);
  const nowhere = await conformance('--folder', path('none'), '--target', 'atis', '--url', service.url);
  expect([nowhere.exitCode, nowhere.err]).toEqual([4, expect.stringContaining('is not prepared')]);
  await writeFile(path('conformance.json'), '{}');
  const other = await conformance('--folder', directory.path, '--target', 'atis', '--url', service.url);
  expect([other.exitCode, other.err]).toEqual([4, expect.stringContaining('is no folder of conformance tests')]);
});
