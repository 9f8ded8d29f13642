import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { runHarness } from '../../harness/src/cli/program.js';
import { startTestPlatform } from '../../sdk/src/testing/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

/** Runs a command line, and gives what it printed. */
async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number; readonly out: string; readonly err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const printed = { out: '', err: '' };
  out.on('data', (bytes: Buffer) => (printed.out += bytes.toString()));
  err.on('data', (bytes: Buffer) => (printed.err += bytes.toString()));
  const io = { stdout: out, stderr: err, env } as never;
  return { exitCode: await runHarness(argv, io), ...printed };
}

/** A platform in memory, and the profile of somebody who calls it. */
async function platformWithProfile(clientId: string): Promise<
  AsyncDisposable & {
    readonly platform: Awaited<ReturnType<typeof startTestPlatform>>;
    readonly env: Readonly<Record<string, string>>;
    readonly folder: string;
  }
> {
  const directory = await createTemporaryDirectory();
  const platform = await startTestPlatform({ staff: ['itg'], agencies: ['texas'] });
  const { key, keyId } = platform.credentials(clientId).client;
  const profile = { baseUrl: platform.baseUrl, clientId, keyId, keyFile: 'client.pem' };
  await writeFile(join(directory.path, 'client.pem'), key);
  await writeFile(join(directory.path, 'profile.json'), JSON.stringify(profile));
  const dispose = async (): Promise<void> => {
    await platform.close();
    await directory.close();
  };
  const env = { HOPBACK_PLATFORM_PROFILE: join(directory.path, 'profile.json') };
  return { platform, env, folder: directory.path, [Symbol.asyncDispose]: dispose };
}

test('staff open a traceback, list it as a table and as JSON, and look at it', async () => {
  await using world = await platformWithProfile('itg');
  const open = ['tracebacks', 'open', '--called', '+12025550123', '--at', '2026-11-02T15:41', '--zone', 'UTC'];
  const opened = await run([...open, '--json'], world.env);
  expect(opened).toMatchObject({ exitCode: 0, err: '' });
  const traceback = JSON.parse(opened.out) as { readonly tracebackId: string; readonly call: unknown };
  expect(traceback.call).toMatchObject({ at: { local: '2026-11-02T15:41', precision: 'minute', zone: 'UTC' } });
  const listed = await run(['tracebacks', 'list', '--state', 'open'], world.env);
  const [head = '', row = ''] = listed.out.split('\n');
  expect(head).toMatch(/^TRACEBACK +STATE +OUTCOME +HOPS +CAMPAIGN +OPENED +UPDATED$/);
  expect(row).toMatch(new RegExp(`^${traceback.tracebackId} +open `));
  expect(JSON.parse((await run(['tracebacks', 'list', '--json'], world.env)).out)).toHaveLength(1);
  const shown = await run(['tracebacks', 'show', traceback.tracebackId], world.env);
  expect(shown.out).toMatch(/^tracebacks show\n/);
  expect(shown.out).toMatch(
    /\n {2}hops\n {4}HOP +PROVIDER +STATE .*\n {4}1 +Alder Voice LLC +answered +received-from /,
  );
  world.platform.assertConforming();
});

test('a list goes over pages as far as it is asked to, and says that there are more', async () => {
  await using world = await platformWithProfile('itg');
  for (let count = 0; count < 7; count += 1) world.platform.openTraceback();
  const cut = await run(['tracebacks', 'list', '--items', '3'], world.env);
  expect(cut.out.trimEnd().split('\n')).toHaveLength(4);
  expect(cut.err).toContain('There are more');
  const all = await run(['tracebacks', 'list', '--items', '7', '--json'], world.env);
  expect(JSON.parse(all.out)).toHaveLength(7);
  expect((await run(['tracebacks', 'list', '--items', 'many'], world.env)).exitCode).toBe(2);
  expect((await run(['campaigns', 'list'], world.env)).out).toBe('none\n');
});

test('an agency submits a demand with its PDF, staff narrow it, and everybody sees how it stands', async () => {
  await using world = await platformWithProfile('texas');
  const demand = {
    ...{ kind: 'subpoena', reference: 'CID-17', authority: 'Tex. Bus. & Com. Code 17.61', returnOn: '2026-12-01' },
    agency: { name: 'Office of the Attorney General', jurisdiction: 'US-TX', contactEmail: 'cid@example.gov' },
    scope: { recordClasses: ['traceback-records'], from: '2026-10-01T00:00:00Z', to: '2026-11-01T00:00:00Z' },
    isUrgent: false,
  };
  const [body, pdf] = [join(world.folder, 'demand.json'), join(world.folder, 'demand.pdf')];
  await writeFile(body, JSON.stringify(demand));
  await writeFile(pdf, '%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n');
  const submitted = await run(['demands', 'submit', '--body', body, '--document', pdf, '--json'], world.env);
  expect(submitted).toMatchObject({ exitCode: 0, err: '' });
  const { demandId } = JSON.parse(submitted.out) as { readonly demandId: string };
  const decide = ['demands', 'decide', demandId, '--decision', 'approve', '--reason', 'in order'];
  const refused = await run(decide, world.env);
  expect(refused).toMatchObject({ exitCode: 1, out: '' });
  expect(refused.err).toContain('forbidden');
  const listed = await run(['demands', 'list'], world.env);
  expect(listed.out).toContain('Office of the Attorney General');
  expect(listed.out).toContain('under-review');
});

test('any operation is called by its name', async () => {
  await using world = await platformWithProfile('itg');
  const shown = await run(['api', 'listProviders', '--json'], world.env);
  expect((JSON.parse(shown.out) as readonly unknown[]).length).toBeGreaterThan(2);
  const none = await run(['api', 'fetchProvider', 'nobody'], world.env);
  expect(none).toMatchObject({ exitCode: 1 });
  expect(none.err).toContain('not-found');
});

test('what is not understood, or cannot be read, is said with what to do', async () => {
  await using world = await platformWithProfile('itg');
  for (const [argv, part] of [
    [['tracebacks'], 'tracebacks is one of: tracebacks list'],
    [['tracebacks', 'shwo'], 'Did you mean tracebacks show?'],
    [['tracebacks', 'show'], 'it takes tracebackId'],
    [['tracebacks', 'open', '--called', '+12025550123'], 'it takes --at'],
    [['demands', 'submit'], 'it takes --body FILE'],
    [['alerts', 'list', '--colour', 'red'], 'there is no option --colour'],
    [['api'], 'hopback-harness help api lists'],
    [['api', 'listEverything'], 'no command api listEverything'],
    [['campaigns', 'list', '--profile', '/nowhere/profile.json'], 'cannot be read (ENOENT)'],
  ] as const) {
    const said = await run(argv, world.env);
    expect(said.exitCode).toBe(2);
    expect(said.err).toContain(part);
    expect(said.out).toBe('');
  }
  const help = await run(['tracebacks', 'open', '--help']);
  expect(help).toMatchObject({ exitCode: 0, err: '' });
  expect(help.out).toContain('--zone');
  expect((await run(['api', '--help'])).out).toContain('api decideDemand');
  expect((await run([])).out).toContain('demands decide');
});

test('a text of several lines is taken, and a file that is not there ends with 4, as JSON too', async () => {
  await using world = await platformWithProfile('itg');
  const decided = await run(['demands', 'decide', 'dmd-1', '--decision', 'reject', '--reason', 'one\ntwo'], world.env);
  expect(decided.exitCode).toBe(1);
  const missing = ['providers', 'import', '--csv', 'not-there.csv', '--source', 'test'];
  expect(await run(missing, world.env)).toMatchObject({ exitCode: 4, err: expect.stringContaining('ENOENT') });
  const refused = await run(['tracebacks', 'show', 'trc-none', '--json'], world.env);
  expect(refused.exitCode).toBe(1);
  expect(JSON.parse(refused.out)).toMatchObject({ format: 'hopback.error.1', exitCode: 1 });
});
