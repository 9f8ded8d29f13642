import { cp, lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AuditLog, verifyAudit } from '../../harness/src/platform/database/index.js';
import type { AuditRow, OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { createLogSigner, verifyCheckpoint, verifyInclusion, merkleLeafHash } from '../../sdk/src/log/index.js';
import { parseSegmentFileName } from '../../sdk/src/log/segment-format.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';
import { recordsOfSegment, segmentOf } from '../support/tampered-log.js';

const signer = createLogSigner(createTestKey().privateKeyPem);
const logId = 'itg.example/audit';
const ENTRIES = 12;
let folder: string;
let directory: string;
let database: OpenedDatabase;
let context: TestContext;

const opened = (): Promise<AuditLog> => AuditLog.open({ context, database, directory, logId, signer });

async function audited(count: number): Promise<void> {
  await context.transact((transaction) =>
    context.audit(transaction, { action: 'a.b', organizationId: 'o', actor: `c-${count}`, object: `x:${count}` }),
  );
}

/** Rows 1 to `ENTRIES`, each in a record of its own. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hopback-audit-segments-'));
  directory = join(folder, 'log');
  database = await openTestDatabase();
  context = createTestContext({ database });
  await using log = await opened();
  for (let count = 1; count <= ENTRIES; count += 1) {
    await audited(count);
    await log.drain();
  }
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

/** Opens the log, adds an entry and closes it again. */
async function restarted(count: number): Promise<AuditLog> {
  await using log = await opened();
  await audited(count);
  await log.drain();
  return log;
}

const rowOf = (position: number): Promise<AuditRow> =>
  database.database.selectFrom('core_audit').selectAll().where('position', '=', position).executeTakeFirstOrThrow();
const rowAbout = (object: string): Promise<AuditRow> =>
  database.database.selectFrom('core_audit').selectAll().where('object', '=', object).executeTakeFirstOrThrow();
const run = (text: string): Promise<unknown> => sql.raw(text).execute(database.database);
const integrityOf = async (log: AuditLog, position: number): Promise<string | undefined> =>
  (await log.statesOf([await rowOf(position)]))[0]?.integrity;
const copied = (from: string, to: string): Promise<void> =>
  cp(from, to, { recursive: true, filter: async (path) => !(await lstat(path)).isSocket() });

async function segmentFile(): Promise<string> {
  const name = (await readdir(directory)).find((file) => parseSegmentFileName(file) !== undefined);
  return join(directory, name!);
}

/** Writes the records of the log anew, with checksums that are right. */
async function rewriteRecords(change: (payloads: readonly Buffer[]) => readonly Buffer[]): Promise<void> {
  const file = await segmentFile();
  const name = file.slice(directory.length + 1);
  const payloads = recordsOfSegment(name, await readFile(file)).map(({ payload }) => payload);
  await writeFile(file, segmentOf(name, change(payloads)));
}

const replaced = (from: string, to: string, at: number) => () =>
  rewriteRecords((payloads) =>
    payloads.with(at, Buffer.from(payloads[at]!.toString('latin1').replace(from, to), 'latin1')),
  );
const cutToNine = (): Promise<void> => rewriteRecords((payloads) => payloads.slice(0, 9));
const cutLastRecord = async (): Promise<void> => {
  const file = await segmentFile();
  const bytes = await readFile(file);
  const { payload } = recordsOfSegment(file.slice(directory.length + 1), bytes).at(-1)!;
  await writeFile(file, bytes.subarray(0, bytes.indexOf(payload) + 10));
};
const OLD_BACKUP = `delete from core_audit where position > 9; select setval('core_audit_positions', 9)`;
const STRAY_ROW = `insert into core_audit (at_ms, action, organization_id, actor, object, details, leaf_index)
  values (1, 'a', 'o', 'c', 'x', '{}', 12)`;
const CHECKPOINT = `update core_meta set value = replace(value, '12', '11') where name = 'audit.checkpoint'`;

const OTHER_LEAF = 'update core_audit set leaf_index = 3 where position = 9';
const NO_CHECKPOINT = `delete from core_meta where name = 'audit.checkpoint'`;

/** Ways to tamper while nobody has the log open. `proved` are entries of the old segment that the link of the new one still proves. */
const TAMPERINGS: readonly (readonly [
  what: string,
  tamper: string | (() => Promise<unknown>),
  broken: readonly [kind: string, position: number],
  shown?: readonly [position: number, integrity: string],
  proved?: number,
])[] = [
  ['a changed row', `update core_audit set actor = 'other' where position = 9`, ['changed', 9], [9, 'changed']],
  ['a changed time', 'update core_audit set at_ms = at_ms + 1 where position = 12', ['changed', 12], [12, 'changed']],
  ['a deleted tail of rows', 'delete from core_audit where position > 9', ['deleted', 10], [9, 'signed']],
  ['all rows deleted', 'delete from core_audit', ['deleted', 1]],
  ['a database of an old backup, whose positions begin again', OLD_BACKUP, ['deleted', 10], [9, 'signed']],
  ['a row that names a leaf that the log does not have', STRAY_ROW, ['log-damaged', 13], [13, 'unproved']],
  ['a row that names the leaf of another', OTHER_LEAF, ['misplaced', 9], [9, 'signed']],
  ['a changed checkpoint', CHECKPOINT, ['checkpoint-changed', 12], [12, 'signed']],
  ['a deleted checkpoint', NO_CHECKPOINT, ['checkpoint-changed', 12], [12, 'signed']],
  ['a changed leaf, checksums right', replaced('c-9', 'c-0', 8), ['log-damaged', 9], [9, 'unproved'], 8],
  ['a log that was cut', cutToNine, ['log-damaged', 10], [9, 'signed'], 9],
  ['a log whose last octets are gone', cutLastRecord, ['log-damaged', 12], [12, 'unproved'], 11],
  ['a log whose files are gone', async () => rm(await segmentFile()), ['log-damaged', 1], [5, 'unproved'], 0],
];

for (const [what, tamper, [kind, brokenAt], shown, proved = ENTRIES] of TAMPERINGS) {
  test(`${what}: the log opens, says where it is broken, and goes on in a segment that is linked to what is good`, async () => {
    await (typeof tamper === 'string' ? run(tamper) : tamper());
    {
      await using log = await opened();
      expect(log.broken()).toEqual({ kind, position: brokenAt });
      expect(context.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
      await audited(100);
      await log.drain();
      const row = await rowAbout('x:100');
      expect(await integrityOf(log, row.position)).toBe('signed');
      if (shown !== undefined) expect(await integrityOf(log, shown[0])).toBe(shown[1]);
      const [, second] = log.segments();
      expect(second?.link).toMatchObject({ brokenAt, kind, previous: { logId, size: proved } });
      const proof = await log.proofOf(row.position);
      const verdict = verifyCheckpoint(proof!.checkpoint, { publicKeys: [signer.publicKey], logId: second!.logId });
      if (verdict.status !== 'passed') throw new Error(verdict.reason);
      const against = { leafHash: merkleLeafHash(proof!.octets), rootHash: verdict.checkpoint.rootHash };
      expect(verifyInclusion(proof!.inclusion, against)).toBe(true);
      const previous = second?.link?.previous.checkpoint;
      if (proved > 0)
        expect(verifyCheckpoint(previous!, { publicKeys: [signer.publicKey], logId })).toMatchObject({
          status: 'passed',
          checkpoint: { size: proved },
        });
    }
    // The segment is begun once, and what was broken is not forgotten as long as it is so.
    await using again = await opened();
    expect(again.segments()).toHaveLength(2);
    await audited(101);
    await again.drain();
    const last = again.segments().at(-1)!;
    expect(last.log?.size).toBeGreaterThan(2);
    const verification = await again.verify();
    expect(verification.segments).toBe(2);
    if (kind === 'checkpoint-changed') {
      // The new segment signs for the old one: nothing is missing any more.
      expect(again.broken()).toBeUndefined();
      expect(verification).toMatchObject({ status: 'intact', findingCount: 0 });
      return;
    }
    expect(again.broken()?.position).toBe(brokenAt);
    expect(verification).toMatchObject({ status: 'broken', firstBadEntry: brokenAt });
  });
}

/** The database, of which reading the audit waits for a gate when that is shut. */
function gated(gate: () => Promise<void> | undefined): OpenedDatabase {
  const waiting = <Query extends object>(query: Query): Query =>
    new Proxy(query, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]): unknown => {
          if (name === 'execute') return Promise.resolve(gate()).then(() => member.apply(target, given));
          const made: unknown = member.apply(target, given);
          return typeof made === 'object' && made !== null && 'execute' in made ? waiting(made) : made;
        };
      },
    });
  const reading = new Proxy(database.database, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name !== 'selectFrom') return member.bind(target);
      return (table: 'core_audit') =>
        table === 'core_audit' ? waiting(target.selectFrom(table)) : target.selectFrom(table);
    },
  });
  return { ...database, database: reading };
}

test('entries are brought to the log while all of it is looked through', async () => {
  let [shut, isWaiting]: [Promise<void> | undefined, boolean] = [undefined, false];
  const gate = (): Promise<void> | undefined => {
    isWaiting = shut !== undefined;
    return shut;
  };
  await using log = await AuditLog.open({ context, database: gated(gate), directory, logId, signer });
  let open: () => void = () => undefined;
  shut = new Promise((resolve) => (open = resolve));
  const verified = log.verify();
  await expect.poll(() => isWaiting).toBe(true);
  await audited(100);
  // The gate is still shut: a log that waits for the look would never drain.
  await log.drain();
  expect(log.size()).toBe(ENTRIES + 1);
  open();
  expect(await verified).toMatchObject({ status: 'intact', entries: ENTRIES, rows: ENTRIES, findingCount: 0 });
});

test('what comes to the log during a look through it is no finding, and what was changed before is', async () => {
  await using log = await opened();
  const over = new AbortController();
  const writing = (async () => {
    for (let count = 100; !over.signal.aborted; count += 1) {
      await audited(count);
      await log.drain();
    }
  })();
  for (let looks = 0; looks < 20; looks += 1) expect(await log.verify()).toMatchObject({ status: 'intact' });
  await run(`update core_audit set actor = 'nobody' where position = 5`);
  expect(await log.verify()).toMatchObject({ status: 'broken', firstBadEntry: 5, findingCount: 1 });
  over.abort();
  await writing;
});

test('the folder of an audit has one log at a time, and a copy of it can be verified elsewhere', async () => {
  await using _ = await opened();
  const inUse = { code: 'storage-failed', details: { reason: 'folder-in-use' } };
  await expect(opened()).rejects.toMatchObject(inUse);
  const elsewhere = join(folder, 'copied');
  await copied(directory, elsewhere);
  const verified = await verifyAudit({ database, directory: elsewhere, publicKeys: [signer.publicKey], logId });
  expect(verified).toMatchObject({ status: 'intact', entries: ENTRIES, rows: ENTRIES });
});

test('a proof waits until its entry is in the log, but not while something else holds the log', async () => {
  await using log = await opened();
  const proofOf = async (count: number) => {
    await audited(count);
    return log.proofOf((await rowAbout(`x:${count}`)).position);
  };
  // Signals are batched: most entries that follow each other closely are not in the log yet.
  for (const count of [101, 102, 103])
    expect(Buffer.from((await proofOf(count))?.octets ?? []).toString()).toContain(`"object":"x:${count}"`);
  expect(await log.whilePaused(() => proofOf(104))).toBeUndefined();
  expect(await log.proofOf(1_000)).toBeUndefined();
});

test('a log that nobody tampered with is whole after any number of starts, and has one segment', async () => {
  for (let count = 0; count < 3; count += 1) {
    const log = await restarted(200 + count);
    expect([log.broken(), log.segments().length]).toEqual([undefined, 1]);
  }
  await using log = await opened();
  expect(await log.verify()).toMatchObject({ status: 'intact', entries: ENTRIES + 3, rows: ENTRIES + 3, waiting: 0 });
});

test('rows that wait for the log when the platform dies are no tampering, and a new segment takes them', async () => {
  await audited(13);
  await run(`update core_audit set actor = 'other' where position = 4`);
  await using log = await opened();
  await log.drain();
  expect(log.broken()).toEqual({ kind: 'changed', position: 4 });
  expect(await integrityOf(log, 13)).toBe('signed');
  expect((await rowOf(13)).leaf_index).toBeGreaterThan(0);
});

test('tampering while the log is open is found by the next check, by whoever looks at the entry, and by a look through all of it', async () => {
  await using log = await opened();
  await run(`update core_audit set object = 'x:other' where position = 5`);
  expect(log.broken()).toBeUndefined();
  expect(await integrityOf(log, 5)).toBe('changed');
  expect(log.broken()).toEqual({ kind: 'changed', position: 5 });
  expect(log.segments()).toHaveLength(1);
  await run(`update core_audit set object = 'x:other' where position = 3`);
  expect(await log.verify()).toMatchObject({ status: 'broken', firstBadEntry: 3, findingCount: 2 });
  expect(log.broken()).toEqual({ kind: 'changed', position: 3 });
  await log.check();
  expect(log.segments()).toHaveLength(2);
  await audited(300);
  await log.drain();
  // Mended, and looked through: the audit is whole again.
  await run(`update core_audit set object = 'x:5' where position = 5`);
  await run(`update core_audit set object = 'x:3' where position = 3`);
  expect(await log.verify()).toMatchObject({ status: 'intact' });
  expect(log.broken()).toBeUndefined();
});

test('files of the log that are changed while it is open are found by the next check, and entries go to a new segment', async () => {
  await using log = await opened();
  await replaced('c-11', 'c-00', 10)();
  expect(await log.check()).toEqual({ kind: 'log-damaged', position: 11 });
  await audited(13);
  await log.drain();
  const row = await rowAbout('x:13');
  expect(await integrityOf(log, row.position)).toBe('signed');
  expect(log.segments()).toHaveLength(2);
});

test('a deleted entry is shown as it was signed, with its proof', async () => {
  await using log = await opened();
  await run('delete from core_audit where position = 7');
  expect(await log.deletedEntry(7)).toMatchObject({ integrity: 'deleted', signed: { actor: 'c-7', position: 7 } });
  expect(await log.deletedEntry(99)).toBeUndefined();
  expect(log.broken()).toEqual({ kind: 'deleted', position: 7 });
});

test('a segment whose folder is gone is missed, and one that died before its link is passed over', async () => {
  await run(`update core_audit set actor = 'other' where position = 9`);
  const first = await restarted(100);
  await rm(first.segments()[1]!.directory, { recursive: true });
  {
    await using log = await opened();
    expect(log.broken()?.position).toBe(9);
    expect(log.segments().map(({ number }) => number)).toEqual([1, 3]);
    expect(await log.verify()).toMatchObject({ status: 'broken' });
  }
  const third = (await readdir(directory)).find((name) => name.startsWith('segment-3'))!;
  await rm(join(directory, third), { recursive: true });
  await run(`update core_meta set value = value where name = 'audit.checkpoint'`);
  await using log = await opened();
  expect(log.segments().map(({ number }) => number)).toEqual([1, 4]);
});

test('two tamperings, each while the platform is stopped, make three segments that are linked in a row', async () => {
  await run(`update core_audit set actor = 'other' where position = 9`);
  await restarted(100);
  await run(`update core_audit set actor = 'other' where object = 'x:100'`);
  expect((await restarted(101)).broken()?.position).toBe(9);
  await using log = await opened();
  const [one, two, three] = log.segments();
  expect(two?.link?.previous.logId).toBe(one?.logId);
  expect(three?.link?.previous.logId).toBe(two?.logId);
  expect(await log.verify()).toMatchObject({ status: 'broken', segments: 3, findingCount: 2, firstBadEntry: 9 });
  expect([two?.link?.brokenAt, three?.link?.brokenAt]).toEqual([9, (await rowAbout('x:100')).position]);
  expect(three?.afterPosition).toBeGreaterThan(two!.afterPosition);
});

test('a checkpoint that was kept elsewhere shows a log, table and checkpoint that were cut together', async () => {
  let kept = '';
  {
    await using log = await opened();
    kept = log.checkpoint()!;
  }
  await cutToNine();
  await run('delete from core_audit where position > 9');
  await run(NO_CHECKPOINT);
  await run('update core_audit set leaf_index = null');
  {
    await using log = await opened();
    expect(log.checkpoint()).not.toBe(kept);
  }
  const against = { database, directory, publicKeys: [signer.publicKey], logId };
  expect(await verifyAudit(against)).toMatchObject({ status: 'intact' });
  expect(await verifyAudit({ ...against, heldCheckpoints: [kept] })).toMatchObject({
    status: 'broken',
    firstBadEntry: 10,
  });
  const foreign = createLogSigner(createTestKey().privateKeyPem);
  await expect(
    verifyAudit({ ...against, publicKeys: [foreign.publicKey], heldCheckpoints: [kept] }),
  ).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('another key than the one that signed the log is refused, and nothing is begun with it', async () => {
  const other = createLogSigner(createTestKey().privateKeyPem);
  await expect(AuditLog.open({ context, database, directory, logId, signer: other })).rejects.toMatchObject({
    code: 'key-unusable',
  });
  await using log = await opened();
  expect(log.broken()).toBeUndefined();
  expect(log.segments()).toHaveLength(1);
});
