import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from '../house/run.js';
import { runInProcess } from '../support/cli-lab.js';
import type { CliRun } from '../support/cli-lab.js';
import { openSidecarLab } from '../support/sidecar-lab.js';

const lab = await openSidecarLab();
const processes: ChildProcess[] = [];
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await lab[Symbol.asyncDispose]();
});

const run = (args: readonly string[], options: Parameters<typeof runInProcess>[2] = {}): Promise<CliRun> =>
  runInProcess(args, { nowMs: Date.now }, options);
const config = ['--config', lab.configurationPath];

test('config check says that all is in order, or what is wrong with its place', async () => {
  expect(await run(['config', 'check', ...config])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('✓') as string,
  });
  await lab.configure({ workers: 'many' });
  const wrong = await run(['config', 'check', ...config]);
  expect([wrong.exitCode, wrong.stdout]).toEqual([
    ...[1, expect.stringMatching(/hopback\.yaml:\d+:1: workers must be a number\n$/) as string],
  ]);
  await lab.configure();
  expect(await run(['config', 'check', ...config, '--set', 'listen.calls.port=high', '--json'])).toMatchObject({
    exitCode: 1,
  });
  await lab.configure({ signing: { key: 'nowhere.pem', certificate: 'chain.pem', x5u: lab.x5u } });
  const unusable = await run(['config', 'check', ...config]);
  expect([unusable.exitCode, unusable.stdout]).toEqual([
    1,
    expect.stringContaining('nowhere.pem cannot be read') as string,
  ]);
  expect((await run(['config', 'check', ...config, '--form-only'])).exitCode).toBe(0);
  const tls = { certificate: 'nowhere.pem', key: 'key.pem' };
  const wrongParts = [
    { listen: { calls: { port: 0, tls } } },
    { listen: { calls: { port: 0 }, admin: { port: 0 } }, records: { directory: 'records', sources: ['nowhere.pem'] } },
  ];
  for (const part of wrongParts) {
    await lab.configure(part);
    const checked = await run(['config', 'check', ...config]);
    expect([checked.exitCode, checked.stdout]).toEqual([1, expect.stringContaining('nowhere.pem') as string]);
  }
  await lab.configure();
});

test('config check fails for a private key that everybody can read, with the command that closes it', async () => {
  await lab.configure();
  const key = join(lab.directory, 'key.pem');
  await chmod(key, 0o644);
  const open = await run(['config', 'check', ...config]);
  expect([open.exitCode, open.stdout]).toEqual([
    1,
    `${lab.configurationPath}: ${key} can be read by every user of this machine. Run: chmod 600 ${key}, and replace the key if anyone else had access.\n`,
  ]);
  expect((await run(['config', 'check', ...config, '--json'])).json()).toMatchObject({
    isGood: false,
    openKeys: [open.stdout.slice(lab.configurationPath.length + 2, -1)],
  });
  await chmod(key, 0o640);
  expect(await run(['config', 'check', ...config])).toMatchObject({ exitCode: 0 });
  await chmod(key, 0o600);
});

test('config init writes a configuration that check finds in order', async () => {
  const path = join(lab.directory, 'made.yaml');
  const answers = ['', '0', 'roots', 'root.pem', 'sti-pa.pem', 'crl.der', 'crl-signer.pem', '', 'reject_request', 'no'];
  const made = await run(['config', 'init', '--output', path], { answers });
  expect([made.exitCode, made.stderr]).toEqual([0, '']);
  expect(await readFile(path, 'utf8')).toContain('failureAction: reject_request');
  expect((await run(['config', 'check', '--config', path])).exitCode).toBe(0);
  expect((await run(['config', 'init', '--output', path], { answers })).exitCode).toBe(4);
  const nonsense = await run(['config', 'init', '--output', `${path}.2`], { answers: ['', 'high'] });
  expect([nonsense.exitCode, nonsense.stderr]).toEqual([2, expect.stringContaining('listen.calls.port') as string]);
});

test('config schema prints a JSON Schema', async () => {
  expect((await run(['config', 'schema'])).json()).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
  });
});

test('serve says what is wrong with a configuration, and ends', async () => {
  await lab.configure({ workers: 0 });
  const wrong = await run(['serve', ...config]);
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('workers must be at least 1') as string]);
  await lab.configure();
});

interface Served {
  readonly child: ChildProcess;
  readonly line: (text: string) => Promise<Readonly<Record<string, unknown>>>;
  readonly ended: Promise<number>;
}

/** The command as a process of its own. */
function serve(more: readonly string[] = []): Served {
  const child = spawn(process.execPath, [join(ROOT, 'sdk/dist/cli/main.js'), 'serve', ...config, ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  const seen: Readonly<Record<string, unknown>>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    seen.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
    for (const look of waiting) look();
  });
  const line = (text: string): Promise<Readonly<Record<string, unknown>>> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = seen.find(({ msg }) => String(msg).startsWith(text));
        if (found === undefined) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { child, line, ended: once(child, 'exit').then(([code]) => code as number) };
}

const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body });

test('one process serves, logs in JSON with numbers masked, reloads at SIGHUP and ends at SIGTERM', async () => {
  const signing = { key: 'key.pem', certificate: 'chain.pem', x5u: lab.x5u, attestations: 'attestations.jsonl' };
  await lab.configure({ log: { calls: 'all' }, signing });
  const { child, line, ended } = serve();
  const url = String((await line('ready'))['calls']);
  expect(await (await post(`${url}/v1/check`, lab.identity())).text()).toBe('OK\n');
  const call = await line('call verified');
  expect(call).toMatchObject({ verstat: 'TN-Validation-Passed', attestation: 'A', reasons: [] });
  expect(JSON.stringify(call)).not.toContain('2025550');
  await lab.configure({ answers: { verstatSuffix: true } });
  expect((await post(`${url}/v1/sign-csv`, '12025550101,12025550199,A,,')).status).toBe(200);
  child.kill('SIGHUP');
  await line('in force');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const kept = await readFile(join(lab.directory, 'attestations.jsonl'), 'utf8');
  expect(JSON.parse(kept)).toMatchObject({ decidedBy: 'request', claims: { attestation: 'A' } });
  await lab.configure();
});

test('several processes that cannot start are given up, and none is left', async () => {
  const { ended } = serve(['--workers', '2', '--set', 'signing.key=nowhere.pem']);
  expect(await ended).toBe(4);
});

test('several processes serve one port, count together, and one that is killed is replaced', async () => {
  const { child, line, ended } = serve(['--workers', '2']);
  const { port, workers } = (await line('ready')) as { readonly port: number; readonly workers: readonly number[] };
  const url = `http://127.0.0.1:${String(port)}`;
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(`${url}/v1/check`, lab.identity())));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/stir_verifications_total\{verstat="TN-Validation-Passed",attest="A",reason="none"\} 20/);
  process.kill(workers[0] ?? 0, 'SIGKILL');
  await line('one ended by SIGKILL');
  // The other goes on.
  expect((await post(`${url}/v1/check`, lab.identity())).status).toBe(200);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});
