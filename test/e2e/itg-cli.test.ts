import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestPlatform } from '../../sdk/src/testing/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { harnessCommand } from '../support/itg-command.js';
import { smallPdf, SUBMISSION } from '../support/itg-demands.js';

/** A platform in memory, and a command line with the profile of one of its clients. */
async function platformWithProfile(clientId: string) {
  const directory = await createTemporaryDirectory();
  const platform = await TestPlatform.start({ staff: ['itg'], agencies: ['texas'] });
  const { key, keyId } = platform.credentials(clientId).client;
  const profile = { baseUrl: platform.baseUrl, clientId, keyId, keyFile: 'client.pem' };
  await directory.write('client.pem', key);
  const env = { HOPBACK_PLATFORM_PROFILE: await directory.write('profile.json', JSON.stringify(profile)) };
  return {
    ...{ platform, folder: directory.path },
    run: (...argv: readonly string[]) => harnessCommand(argv, { env }),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await platform.close();
      await directory.close();
    },
  };
}

let staff: Awaited<ReturnType<typeof platformWithProfile>>;
beforeAll(async () => {
  staff = await platformWithProfile('itg');
});
afterAll(() => staff[Symbol.asyncDispose]());

test('staff open a traceback, list it as a table and as JSON, and look at it', async () => {
  const { run } = staff;
  const open = ['tracebacks', 'open', '--called', '+12025550123', '--at', '2026-11-02T15:41', '--zone', 'UTC'];
  const opened = await run(...open, '--json');
  expect(opened).toMatchObject({ exitCode: 0, err: '' });
  const traceback = JSON.parse(opened.out) as { readonly tracebackId: string; readonly call: unknown };
  expect(traceback.call).toMatchObject({ at: { local: '2026-11-02T15:41', precision: 'minute', zone: 'UTC' } });
  const listed = await run('tracebacks', 'list', '--state', 'open');
  const [head = '', row = ''] = listed.out.split('\n');
  expect(head).toMatch(/^TRACEBACK +STATE +OUTCOME +HOPS +CAMPAIGN +OPENED +UPDATED$/);
  expect(row).toMatch(new RegExp(`^${traceback.tracebackId} +open `));
  expect(JSON.parse((await run('tracebacks', 'list', '--json')).out)).toHaveLength(1);
  const shown = await run('tracebacks', 'show', traceback.tracebackId);
  expect(shown.out).toMatch(
    /^tracebacks show\n[^]*\n {2}hops\n {4}HOP +PROVIDER +STATE .*\n {4}1 +Alder Voice LLC +answered +received-from /,
  );
  staff.platform.assertConforming();
});

test('a list goes over pages as far as it is asked to, and says that there are more', async () => {
  const { run } = staff;
  for (let count = 0; count < 7; count += 1) staff.platform.openTraceback();
  const cut = await run('tracebacks', 'list', '--items', '3');
  expect(cut.out.trimEnd().split('\n')).toHaveLength(4);
  expect(cut.err).toContain('There are more');
  const all = await run('tracebacks', 'list', '--items', '7', '--json');
  expect(JSON.parse(all.out)).toHaveLength(7);
  expect((await run('tracebacks', 'list', '--items', 'many')).exitCode).toBe(2);
  expect((await run('campaigns', 'list')).out).toBe('none\n');
});

test('an agency submits a demand with its PDF, may not decide it, and sees its state', async () => {
  await using world = await platformWithProfile('texas');
  const { run } = world;
  const { documentSha256: _, ...demand } = SUBMISSION;
  const [body, pdf] = [join(world.folder, 'demand.json'), join(world.folder, 'demand.pdf')];
  await writeFile(body, JSON.stringify(demand));
  await writeFile(pdf, smallPdf());
  const submitted = await run('demands', 'submit', '--body', body, '--document', pdf, '--json');
  expect(submitted).toMatchObject({ exitCode: 0, err: '' });
  const { demandId } = JSON.parse(submitted.out) as { readonly demandId: string };
  const decide = ['demands', 'decide', demandId, '--decision', 'approve', '--reason', 'in order'];
  const refused = await run(...decide);
  expect(refused).toMatchObject({ exitCode: 1, out: '' });
  expect(refused.err).toContain('forbidden');
  const listed = await run('demands', 'list');
  expect(listed.out).toContain('Office of the Attorney General');
  expect(listed.out).toContain('under-review');
});

test('any operation is called by its name', async () => {
  const { run } = staff;
  const shown = await run('api', 'listProviders', '--json');
  expect((JSON.parse(shown.out) as readonly unknown[]).length).toBeGreaterThan(2);
  const none = await run('api', 'fetchProvider', 'nobody');
  expect(none).toMatchObject({ exitCode: 1 });
  expect(none.err).toContain('not-found');
});

test('a command line that is not understood is answered with what to do', async () => {
  const { run } = staff;
  for (const [argv, part] of [
    [['tracebacks'], 'tracebacks is one of: tracebacks list'],
    [['tracebacks', 'shwo'], 'Did you mean tracebacks show?'],
    [['tracebacks', 'show'], 'this command needs tracebackId'],
    [['tracebacks', 'open', '--called', '+12025550123'], '--at is needed'],
    [['demands', 'submit'], '--body FILE is needed'],
    [['alerts', 'list', '--colour', 'red'], 'there is no option --colour'],
    [['api'], 'hopback-harness help api lists'],
    [['api', 'listEverything'], 'no command api listEverything'],
    [['campaigns', 'list', '--profile', '/nowhere/profile.json'], 'cannot be read (ENOENT)'],
  ] as const) {
    const said = await run(...argv);
    expect(said.exitCode).toBe(2);
    expect(said.err).toContain(part);
    expect(said.out).toBe('');
  }
  const help = await run('tracebacks', 'open', '--help');
  expect(help).toMatchObject({ exitCode: 0, err: '' });
  expect(help.out).toContain('--zone');
  expect((await run('api', '--help')).out).toContain('api decideDemand');
  expect((await run()).out).toContain('demands decide');
});

test('a text of several lines is taken, and a file that is not there ends with 4, as JSON too', async () => {
  const { run } = staff;
  const decided = await run('demands', 'decide', 'dmd-1', '--decision', 'reject', '--reason', 'one\ntwo');
  expect(decided.exitCode).toBe(1);
  const missing = ['providers', 'import', '--csv', 'not-there.csv', '--source', 'test'];
  expect(await run(...missing)).toMatchObject({ exitCode: 4, err: expect.stringContaining('ENOENT') });
  const refused = await run('tracebacks', 'show', 'trc-none', '--json');
  expect(refused.exitCode).toBe(1);
  expect(JSON.parse(refused.out)).toMatchObject({ format: 'hopback.error.1', exitCode: 1 });
});
