import { cp, lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuditLog, verifyAudit } from '../../harness/src/platform/database/index.js';
import { createLogSigner } from '../../sdk/src/log/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { createTestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';

test('the folder of an audit has one log at a time, and the next goes on where it ended', async () => {
  await using database = await openTestDatabase();
  const context = createTestContext({ database });
  const folder = await mkdtemp(join(tmpdir(), 'hopback-audit-folder-'));
  const signer = createLogSigner(createTestKey().privateKeyPem);
  const place = { context, database, directory: join(folder, 'log'), logId: 'itg.example/audit', signer };
  const audited = (object: string): Promise<void> =>
    context.transact((transaction) =>
      context.audit(transaction, { action: 'a.b', organizationId: 'o', actor: 'c', object }),
    );
  const first = await openAuditLog(place);
  await audited('x:1');
  await first.drain();
  await expect(openAuditLog(place)).rejects.toMatchObject({
    code: 'storage-failed',
    details: { reason: 'folder-in-use' },
  });
  // What is copied of it can be looked through elsewhere.
  const copied = join(folder, 'copied');
  await cp(place.directory, copied, { recursive: true, filter: async (path) => !(await lstat(path)).isSocket() });
  const { logId } = place;
  expect(await verifyAudit({ database, directory: copied, publicKeys: [signer.publicKey], logId })).toMatchObject({
    ...{ status: 'intact', entries: 1, rows: 1 },
  });
  await first.close();
  await audited('x:2');
  await using second = await openAuditLog(place);
  await second.drain();
  expect(await second.verify()).toMatchObject({ status: 'intact', entries: 2, rows: 2, waiting: 0 });
  await rm(folder, { recursive: true });
});

test('who asks for a proof has the entry brought to the log, and does not wait while something else has the log', async () => {
  await using database = await openTestDatabase();
  const context = createTestContext({ database });
  const folder = await mkdtemp(join(tmpdir(), 'hopback-audit-proof-'));
  const signer = createLogSigner(createTestKey().privateKeyPem);
  await using log = await openAuditLog({
    ...{ context, database, directory: join(folder, 'log'), logId: 'itg.example/audit', signer },
  });
  const audited = async (object: string): Promise<number> => {
    await context.transact((transaction) =>
      context.audit(transaction, { action: 'a.b', organizationId: 'o', actor: 'c', object }),
    );
    const row = await database.database
      .selectFrom('core_audit')
      .select('position')
      .where('object', '=', object)
      .executeTakeFirstOrThrow();
    return row.position;
  };
  // Signals are gathered: of some entries that come one after the other most are not in the log yet.
  for (const object of ['x:1', 'x:2', 'x:3']) {
    const proved = await log.proofOf(await audited(object));
    expect(Buffer.from(proved?.octets ?? []).toString()).toContain(`"object":"${object}"`);
  }
  const unproved = await log.whilePaused(async () => log.proofOf(await audited('x:4')));
  expect(unproved).toBeUndefined();
  expect(await log.proofOf(1_000)).toBeUndefined();
  await rm(folder, { recursive: true });
});
