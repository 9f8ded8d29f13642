import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { operatorProfile, writeProfile } from '../../harness/src/cli/platform/start.js';
import { openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import {
  FIRST_OPERATOR_CLIENT,
  startReferenceWithAreas,
} from '../../harness/src/platform/reference/reference-platform.js';
import { privateKeyJwt } from '../../sdk/src/platform/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { harnessCommand, restoreCommand, startPlatformCommand } from '../support/itg-command.js';

/** Starts a platform. @returns it, and how its first operator calls it */
async function started(directory: string) {
  const platform = await startReferenceWithAreas({ directory });
  const { keyId, file } = platform.home.operatorKey;
  const profile = operatorProfile(directory);
  await writeProfile(profile, { baseUrl: platform.url, clientId: FIRST_OPERATOR_CLIENT, keyId, keyFile: file });
  const authorization = await privateKeyJwt({
    ...{ tokenUrl: platform.tokenUrl, clientId: FIRST_OPERATOR_CLIENT, keyId },
    key: await readFile(file, 'utf8'),
  });
  return {
    platform,
    command: (...argv: readonly string[]) => harnessCommand([...argv, '--profile', profile]),
    get: async (path: string): Promise<Response> => {
      const url = `${platform.url}${path}`;
      const signal = new AbortController().signal;
      return fetch(url, { headers: await authorization.fields({ method: 'GET', url }, signal) });
    },
    [Symbol.asyncDispose]: () => platform.close(),
  };
}

type Lab = Awaited<ReturnType<typeof started>>;

async function register(command: Lab['command'], id: string): Promise<void> {
  const { exitCode, err } = await command(
    ...['organizations', 'register', '--id', id, '--kind', 'carrier', '--name', `Carrier ${id}`, '--unlisted'],
  );
  expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
}

/** Registers a carrier. @returns the last position of the audit, once it is in the log */
async function registered({ command, platform }: Lab, id: string): Promise<number> {
  await register(command, id);
  await platform.opened.audit.log.drain();
  const { rows } = await sql<{ last: number }>`select max(position) as last from core_audit`.execute(
    platform.database.database,
  );
  return rows[0]?.last ?? 0;
}

const forgeActor = ({ platform }: Lab, position: number): Promise<unknown> =>
  sql`update core_audit set actor = 'someone-else' where position = ${position}`.execute(platform.database.database);

test('a forged entry of the audit is shown as forged, without a proof, and the command fails', async () => {
  await using folder = await createTemporaryDirectory();
  await using lab = await started(join(folder.path, 'platform'));
  const position = await registered(lab, 'carrier-1');
  const honest = await lab.command('audit', 'show', String(position), '--json');
  expect(honest.exitCode).toBe(0);
  expect(JSON.parse(honest.out)).toMatchObject({ entry: { actor: FIRST_OPERATOR_CLIENT }, proof: {} });
  await forgeActor(lab, position);
  const forged = await lab.command('audit', 'show', String(position), '--json');
  const shown = JSON.parse(forged.out) as { entry: { integrity?: string }; proof?: unknown };
  expect(shown.proof).toBeUndefined();
  expect(shown).toMatchObject({
    entry: { actor: 'someone-else', integrity: 'changed' },
    signed: { actor: FIRST_OPERATOR_CLIENT },
  });
  expect(forged.exitCode).toBe(1);
  const listed = await lab.command('audit', 'list', '--json');
  expect(JSON.parse(listed.out)).toContainEqual(expect.objectContaining({ position, integrity: 'changed' }));
  expect(listed.exitCode).toBe(1);
});

test('a platform whose audit was tampered with while it was stopped starts, says so, and signs what comes after', async () => {
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  const before = await started(directory);
  const position = await registered(before, 'carrier-1');
  const kept = (await (await before.get('/v1/audit/checkpoint')).json()) as { checkpoint: string; size: number };
  await forgeActor(before, position);
  await before.platform.close();

  await using lab = await started(directory);
  const readiness = await fetch(`${lab.platform.url}/readyz`);
  expect(readiness.status).toBe(200);
  // The detector may be warming still, which stands in a line of its own.
  expect(await readiness.text()).toContain(`ready\naudit: broken at ${position}\n`);
  expect((await lab.get('/v1/organizations')).headers.get('platform-warning')).toBe(`audit: broken at ${position}`);
  const after = await lab.command('audit', 'show', String(await registered(lab, 'carrier-2')), '--json');
  expect(after.exitCode).toBe(0);
  const checkpoint = (await (await lab.get('/v1/audit/checkpoint')).json()) as {
    segment: number;
    segments: readonly unknown[];
  };
  expect(checkpoint).toMatchObject({
    segment: 2,
    segments: [
      { segment: 1, size: kept.size, checkpoint: kept.checkpoint },
      { segment: 2, link: { brokenAt: position, previous: { size: kept.size, checkpoint: kept.checkpoint } } },
    ],
  });
  const verified = await lab.command('audit', 'verify', '--json');
  expect(verified.exitCode).toBe(1);
  expect(JSON.parse(verified.out)).toMatchObject({ status: 'broken', firstBadEntry: position, findingCount: 1 });
});

test('the command verifies the audit of a platform that runs and of one that does not, against checkpoints that were kept', async () => {
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  await using running = startPlatformCommand(['--directory', directory]);
  await running.until(({ event }) => event === 'ready');
  const profile = operatorProfile(directory);
  const asked = (...argv: readonly string[]) => harnessCommand(argv);
  await register((...argv) => asked(...argv, '--profile', profile), 'carrier-1');
  const kept = join(folder.path, 'checkpoint.json');
  await vi.waitFor(
    async () => {
      const { out } = await asked('audit', 'checkpoint', '--json', '--profile', profile);
      expect(JSON.parse(out)).toMatchObject({ size: 2 });
      await writeFile(kept, out);
    },
    { timeout: 60_000, interval: 200 },
  );
  const verify = (...more: readonly string[]) =>
    asked('platform', 'audit', 'verify', '--directory', directory, ...more);
  expect(await verify('--checkpoint', kept)).toMatchObject({
    exitCode: 0,
    out: '✓ the audit is as it was signed: 2 signed entries in 1 segment, 2 rows compared\n',
    err: '',
  });
  running.kill('SIGTERM');
  await running.ended;
  expect(await verify('--checkpoint', kept, '--json')).toMatchObject({ exitCode: 0, err: '' });
  // Everything that is on the machine was cut: only what was kept elsewhere shows it.
  {
    await using database = await openPlatformDatabase({ directory: join(directory, 'database') });
    await sql`delete from core_audit where position > 1`.execute(database.database);
  }
  const deleted = await verify();
  expect(deleted.exitCode).toBe(1);
  expect(deleted.out).toContain('✗ the audit is broken at entry 2: 1 of the checked entries is not as signed');
  expect(deleted.out).toContain('entry 2: deleted, in the table (segment 1, leaf 1)');
  await rm(join(directory, 'audit'), { recursive: true });
  {
    await using database = await openPlatformDatabase({ directory: join(directory, 'database') });
    await sql`update core_audit set leaf_index = null`.execute(database.database);
    await sql`delete from core_meta where name = 'audit.checkpoint'`.execute(database.database);
  }
  expect((await verify('--checkpoint', kept)).exitCode).toBe(1);
  await writeFile(kept, 'no checkpoint');
  expect((await verify('--checkpoint', kept)).exitCode).toBe(2);
  expect((await asked('platform', 'audit', 'verify', '--directory', join(folder.path, 'none'))).exitCode).toBe(4);
  expect((await asked('platform', 'audit')).exitCode).toBe(2);
}, 120_000);

test('an archive of a platform whose audit is broken can be made and restored, and says so', async () => {
  await using folder = await createTemporaryDirectory();
  const inFolder = (name: string): string => join(folder.path, name);
  const [directory, restored, archive] = [inFolder('platform'), inFolder('restored'), inFolder('archive')];
  {
    await using lab = await started(directory);
    await forgeActor(lab, await registered(lab, 'carrier-1'));
  }
  const backup = await harnessCommand(['platform', 'backup', archive, '--directory', directory]);
  expect(backup.exitCode).toBe(0);
  const restoring = await restoreCommand(archive, { of: directory, into: restored });
  expect(restoring.exitCode).toBe(1);
  expect(JSON.parse(restoring.out)).toMatchObject({ audit: { status: 'broken', firstBadEntry: 2 } });
  await using lab = await started(restored);
  expect(lab.platform.warnings()).toEqual(['audit: broken at 2']);
  await registered(lab, 'carrier-2');
});
