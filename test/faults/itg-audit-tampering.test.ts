import { cp, lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { AuditLog, verifyAudit } from '../../harness/src/platform/database/index.js';
import type {
  AuditFinding,
  AuditRow,
  AuditVerification,
  OpenedDatabase,
} from '../../harness/src/platform/database/index.js';
import { createLogSigner } from '../../sdk/src/log/index.js';
import { decodeMerkleRecord } from '../../sdk/src/log/merkle-tree.js';
import { parseSegmentFileName } from '../../sdk/src/log/segment-format.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { reportFault } from '../support/fault-counts.js';
import { createTestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';
import { recordsOfSegment, segmentOf } from '../support/tampered-log.js';

const TAMPERINGS = 1_000;
/** Eight with the table, of which one is with each of four columns, and seven with the log. */
const WAYS = 8 + 3 + 7;
const ENTRIES = 60;
const SEED = 20_261_127;

interface Lab {
  readonly database: OpenedDatabase;
  readonly directory: string;
  readonly rows: readonly AuditRow[];
  readonly random: (below: number) => number;
  readonly verified: (directory?: string) => Promise<AuditVerification>;
}

/** A tampering, undone by what it gives; and whether a finding says where it was. */
interface Tampering {
  readonly what: string;
  readonly verification: AuditVerification;
  readonly isLocated: (finding: AuditFinding) => boolean;
}

const insert = (lab: Lab, rows: readonly AuditRow[]) =>
  lab.database.database
    .insertInto('core_audit')
    .values(rows.map((row) => ({ ...row, details: JSON.stringify(row.details) })))
    .execute();

/** Puts the table back as it was. */
async function restored(lab: Lab): Promise<void> {
  await lab.database.database.deleteFrom('core_audit').execute();
  await insert(lab, lab.rows);
}

async function tableTampered(lab: Lab): Promise<Tampering> {
  const { random, rows, database } = lab;
  const row = rows[random(rows.length)]!;
  const { position } = row;
  const of = (kind: string, at: number) => (finding: AuditFinding) =>
    finding.in === 'table' && finding.kind === kind && finding.position === at;
  const update = (values: Readonly<Record<string, unknown>>) =>
    database.database.updateTable('core_audit').set(values).where('position', '=', position).execute();
  const remove = (compare: '=' | '>=') =>
    database.database.deleteFrom('core_audit').where('position', compare, position).execute();
  const column = ['action', 'organization_id', 'actor', 'object'][random(4)]!;
  const details = { ...(row.details as object), count: -1 - random(9) };
  const leafIndex = (row.leaf_index! + 1 + random(rows.length - 1)) % rows.length;
  // Positions have holes of transactions that were rolled back.
  const hole = position + 1;
  const other = rows[(rows.indexOf(row) + 1 + random(rows.length - 1)) % rows.length]!;
  const swap = async (): Promise<void> => {
    await sql`update core_audit set position = case when position = ${position} then ${-other.position}::bigint else ${-position}::bigint end
      where position in (${position}, ${other.position})`.execute(database.database);
    await sql`update core_audit set position = -position where position < 0`.execute(database.database);
  };
  const changed = of('changed', position);
  const ways: readonly (readonly [what: string, tamper: () => Promise<unknown>, isLocated: typeof changed])[] = [
    [`changed ${column}`, () => update({ [column]: `other-${random(1_000)}` }), changed],
    ['changed the time', () => update({ at_ms: row.at_ms + 1 + random(1_000) }), changed],
    ['changed details', () => update({ details: JSON.stringify(details) }), changed],
    ['named another leaf', () => update({ leaf_index: leafIndex }), of('misplaced', position)],
    ['deleted', () => remove('='), of('deleted', position)],
    ['cut', () => remove('>='), of('deleted', position)],
    ['inserted', () => insert(lab, [{ ...row, position: hole }]), of('inserted', hole)],
    ['swapped', swap, changed],
  ];
  const [what, tamper, isLocated] = ways[random(ways.length)]!;
  await tamper();
  const verification = await lab.verified();
  await restored(lab);
  return { what, verification, isLocated };
}

async function logTampered(lab: Lab): Promise<Tampering> {
  const { random } = lab;
  const directory = `${lab.directory}-tampered`;
  // But for the socket of the lock.
  await cp(lab.directory, directory, { recursive: true, filter: async (path) => !(await lstat(path)).isSocket() });
  const names = (await readdir(directory)).filter((file) => parseSegmentFileName(file) !== undefined);
  const name = names[random(names.length)]!;
  const path = join(directory, name);
  const bytes = await readFile(path);
  const records = recordsOfSegment(name, bytes).map(({ payload }) => payload);
  const first: number[] = [0];
  for (const payload of records) first.push(first.at(-1)! + decodeMerkleRecord(payload)!.entries.length);
  const at = random(records.length);
  const inRecord = (record: number) => (finding: AuditFinding) => {
    if (finding.in !== 'log') return false;
    const from = finding.finding.leafIndex;
    const through = 'throughIndex' in finding.finding ? finding.finding.throughIndex : from;
    return from < first[record + 1]! && through >= first[record]!;
  };
  const flipped = (octets: Buffer, offset: number): Buffer =>
    octets.with(offset, octets[offset]! ^ (1 << random(8))) as Buffer;
  const offset = random(records[at]!.length);
  const next = (at + 1 + random(records.length - 1)) % records.length;
  const repeated = at + 1 < records.length ? inRecord(at + 1) : (finding: AuditFinding) => finding.in === 'log';
  const within = bytes.indexOf(records[at]!) + offset;
  const rewritten = (payloads: readonly Buffer[]): Buffer => segmentOf(name, payloads);
  const ways: readonly (readonly [what: string, bytes: Buffer, isLocated: typeof repeated])[] = [
    [`flipped a bit of record ${at}`, Buffer.from(flipped(bytes, within)), inRecord(at)],
    [`rewrote record ${at}`, rewritten(records.with(at, Buffer.from(flipped(records[at]!, offset)))), inRecord(at)],
    [`removed record ${at}`, rewritten(records.toSpliced(at, 1)), inRecord(at)],
    ['repeated a record', rewritten(records.toSpliced(at + 1, 0, records[random(at + 1)]!)), repeated],
    [
      'swapped records',
      rewritten(records.with(at, records[next]!).with(next, records[at]!)),
      inRecord(Math.min(at, next)),
    ],
    [`cut before record ${at}`, rewritten(records.slice(0, at)), inRecord(at)],
    ['cut within a record', bytes.subarray(0, within), inRecord(at)],
  ];
  const [what, changed, isLocated] = ways[random(ways.length)]!;
  await writeFile(path, changed);
  const verification = await lab.verified(directory);
  await rm(directory, { recursive: true });
  return { what, verification, isLocated };
}

test(
  `${TAMPERINGS} tamperings with log and table of the audit: each is found where it is; nothing is found where nobody tampered`,
  { timeout: 300_000 },
  async () => {
    const directory = join(await mkdtemp(join(tmpdir(), 'hopback-audit-')), 'log');
    await using database = await openTestDatabase();
    const context = createTestContext({ database });
    const signer = createLogSigner(createTestKey().privateKeyPem);
    const logId = 'itg.example/audit';
    const { int: random } = new SeededRandom(SEED);
    await using log = await AuditLog.open({ context, database, directory, logId, signer });
    for (let count = 0; count < ENTRIES; count += 1) {
      await context.transact((transaction) =>
        context.audit(transaction, {
          ...{ action: 'a.b', organizationId: 'o', actor: `c-${count % 7}`, object: `x:${count}` },
          details: { count, text: 'é\u2028', nested: { b: [1, null], a: 1.5 } },
        }),
      );
      // Holes in the positions.
      await sql`select nextval('core_audit_positions')`.execute(database.database);
      if (random(3) === 0) await log.drain();
    }
    await log.drain();
    const rows = await database.database.selectFrom('core_audit').selectAll().orderBy('position').execute();
    const verified = (from = directory) =>
      verifyAudit({ database, directory: from, publicKeys: [signer.publicKey], logId });
    const intact = { status: 'intact', entries: ENTRIES, rows: ENTRIES, waiting: 0, findingCount: 0 };
    expect(await verified()).toMatchObject(intact);
    const lab: Lab = { database, directory, rows, random, verified };
    const missed: string[] = [];
    const ways = new Set<string>();
    let findings = 0;
    for (let count = 0; count < TAMPERINGS; count += 1) {
      const { what, verification, isLocated } = await (count % 2 === 0 ? tableTampered(lab) : logTampered(lab));
      findings += verification.findingCount;
      ways.add(what.replaceAll(/ \d+/g, ''));
      if (verification.status === 'broken' && verification.findings.some(isLocated)) continue;
      missed.push(
        `${what}: ${JSON.stringify({ ...verification, checkpoint: undefined, findings: verification.findings.slice(0, 2) })}`,
      );
    }
    expect(missed.slice(0, 5)).toEqual([]);
    expect(ways.size).toBe(WAYS);
    for (let count = 0; count < 20; count += 1) expect((await verified()).findingCount).toBe(0);
    expect(await log.verify()).toMatchObject({ status: 'intact', entries: ENTRIES });
    const located = { tamperings: TAMPERINGS, located: TAMPERINGS, missed: 0 };
    reportFault('audit-tampering', { ...located, findings, falseFindings: 0 });
    await rm(join(directory, '..'), { recursive: true });
  },
);
