import { execFile } from 'node:child_process';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { argv, runInProcess, type CliRun } from '../support/cli-lab.js';
import { openSidecarLab } from '../support/sidecar-lab.js';
import { startSidecarProcess, type LogLine } from '../support/sidecar-process.js';

const lab = await openSidecarLab();
const { configurationPath } = lab;
beforeEach(() => lab.reset());
afterAll(() => lab[Symbol.asyncDispose]());

const run = (args: readonly string[], options: Parameters<typeof runInProcess>[2] = {}): Promise<CliRun> =>
  runInProcess(args, { nowMs: Date.now }, options);
const check = (...more: readonly string[]): Promise<CliRun> =>
  run(argv`config check --config ${configurationPath} ${more}`);

test('config check passes a configuration that is in order', async () => {
  expect(await check()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('✓') as string });
});

test.each<readonly [string, Readonly<Record<string, unknown>>, readonly string[], RegExp]>([
  ['a wrong member', { workers: 'many' }, [], /hopback\.yaml:\d+:3: workers must be a number\n$/],
  ['a wrong setting', {}, ['--set', 'listen.calls.port=high', '--json'], /listen\.calls\.port/],
  ['a key', { signing: { key: 'nowhere.pem', certificate: 'chain.pem', x5u: lab.x5u } }, [], /nowhere.pem cannot be/],
  ['TLS', { listen: { calls: { port: 0, tls: { certificate: 'nowhere.pem', key: 'key.pem' } } } }, [], /nowhere\.pem/],
  [
    'a source of records',
    { listen: { calls: { port: 0 }, admin: { port: 0 } }, records: { directory: 'r', sources: ['nowhere.pem'] } },
    [],
    /nowhere\.pem/,
  ],
])('config check fails for %s that cannot be used, and names it', async (_what, members, args, problem) => {
  await lab.configure(members);
  expect(await check(...args)).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(problem) as string });
});

test('config check --form-only looks at no file', async () => {
  await lab.configure({ signing: { key: 'nowhere.pem', certificate: 'chain.pem', x5u: lab.x5u } });
  expect((await check('--form-only')).exitCode).toBe(0);
});

test('config check fails for a private key that everybody can read, with the command that closes it', async () => {
  const key = join(lab.directory, 'key.pem');
  await chmod(key, 0o644);
  const open = await check();
  expect([open.exitCode, open.stdout]).toEqual([
    1,
    `${configurationPath}: ${key} can be read by every user of this machine. Run: chmod 600 ${key}, and replace the key if anyone else had access.\n`,
  ]);
  expect((await check('--json')).json()).toMatchObject({
    ...{ isGood: false, openKeys: [open.stdout.slice(configurationPath.length + 2, -1)] },
  });
  await chmod(key, 0o640);
  expect(await check()).toMatchObject({ exitCode: 0 });
  await chmod(key, 0o600);
});

test('config init writes a configuration that check finds in order', async () => {
  const path = join(lab.directory, 'made.yaml');
  const trust = ['roots', 'root.pem', 'sti-pa-root.pem', 'sti-pa.crl', 'crl-signer.pem'];
  const answers = ['', '0', ...trust, '', 'reject_request', 'no'];
  const init = argv`config init --output ${path}`;
  expect(await run(init, { answers })).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await readFile(path, 'utf8')).toContain('failureAction: reject_request');
  expect((await run(argv`config check --config ${path}`)).exitCode).toBe(0);
  expect((await run(init, { answers })).exitCode).toBe(4);
  const nonsense = await run(argv`config init --output ${`${path}.2`}`, { answers: ['', 'high'] });
  expect([nonsense.exitCode, nonsense.stderr]).toEqual([2, expect.stringContaining('listen.calls.port') as string]);
});

test('config schema prints a JSON Schema', async () => {
  expect((await run(['config', 'schema'])).json()).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
  });
});

test('serve reports what is wrong with a configuration, and ends', async () => {
  await lab.configure({ workers: 0 });
  const wrong = await run(argv`serve --config ${configurationPath}`);
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('workers must be at least 1') as string]);
});

const begins =
  (text: string) =>
  ({ msg }: LogLine): boolean =>
    String(msg).startsWith(text);

test('one process serves, logs in JSON with numbers masked, reloads at SIGHUP and ends at SIGTERM', async () => {
  const signing = { key: 'key.pem', certificate: 'chain.pem', x5u: lab.x5u, attestations: 'attestations.jsonl' };
  await lab.configure({ log: { calls: 'all' }, signing });
  await using service = await startSidecarProcess({ configurationPath });
  const post = (path: string, body: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${String(service.port)}${path}`, { method: 'POST', body });
  expect(await (await post('/v1/check', lab.identity())).text()).toBe('OK\n');
  const call = await service.heard(begins('call verified'));
  expect(call).toMatchObject({ verstat: 'TN-Validation-Passed', attestation: 'A', reasons: [] });
  expect(JSON.stringify(call)).not.toContain('2025550');
  await lab.configure({ answers: { verstatSuffix: true } });
  expect((await post('/v1/sign-csv', '12025550101,12025550199,A,,')).status).toBe(200);
  service.signal('SIGHUP');
  await service.heard(begins('in force'));
  service.signal('SIGTERM');
  expect(await service.ended).toEqual({ code: 0, signal: null });
  const kept = await readFile(join(lab.directory, 'attestations.jsonl'), 'utf8');
  expect(JSON.parse(kept)).toMatchObject({ decidedBy: 'request', claims: { attestation: 'A' } });
});

test('several processes that cannot start end the command with 4', async () => {
  const args = argv`serve --config ${configurationPath} --workers 2 --set signing.key=nowhere.pem`;
  const ended = promisify(execFile)(process.execPath, [join('sdk', 'dist', 'cli', 'main.js'), ...args]);
  await expect(ended).rejects.toMatchObject({ code: 4 });
});

test('several processes serve one port and count together', async () => {
  await using service = await startSidecarProcess({ configurationPath, args: ['--workers', '2'] });
  const call = { method: 'POST', body: lab.identity() };
  const url = `http://127.0.0.1:${String(service.port)}/v1/check`;
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(url, call)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const counts = await service.counts('stir_verifications_total');
  expect(counts).toEqual({ '{verstat="TN-Validation-Passed",attest="A",reason="none"}': 20 });
  service.signal('SIGTERM');
  expect(await service.ended).toEqual({ code: 0, signal: null });
});
