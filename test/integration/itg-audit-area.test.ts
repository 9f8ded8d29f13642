import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createAuditArea } from '../../harness/src/platform/audit/audit-area.js';
import type { PlatformArea } from '../../harness/src/platform/core/index.js';
import { AuditLog, type OpenedDatabase } from '../../harness/src/platform/database/index.js';
import {
  createLogSigner,
  merkleLeafHash,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '../../sdk/src/log/index.js';
import type { ConsistencyProof } from '../../sdk/src/log/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { callOperation, STAFF } from '../support/itg-calls.js';
import { createTestContext, type TestContext } from '../support/itg-context.js';
import { openTestDatabase } from '../support/itg-database.js';

const signer = createLogSigner(createTestKey().privateKeyPem);
const logId = 'itg.example/audit';
let directory: string;
let database: OpenedDatabase;
let context: TestContext;
let log: AuditLog;
let area: PlatformArea;

const opened = (): Promise<AuditLog> => AuditLog.open({ context, database, directory, logId, signer });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hopback-audit-'));
  database = await openTestDatabase();
  context = createTestContext({ database });
  log = await opened();
  area = createAuditArea(context, { log });
  for (let count = 0; count < 12; count += 1) await audited(count);
  await log.drain();
});
afterAll(async () => {
  await log.close();
  await database.close();
  await rm(directory, { recursive: true });
});

async function audited(count: number): Promise<void> {
  context.clock.advance(1_000);
  await context.transact((transaction) =>
    context.audit(transaction, {
      ...{ action: count % 2 === 0 ? 'demand.decided' : 'demand.withdrawn', organizationId: `org-${count % 3}` },
      ...{ actor: 'c-1', object: `demand:${count}`, details: { count } },
    }),
  );
}

/** The value of an answer, or the problem. */
async function called(operationId: string, parameters: Readonly<Record<string, string>> = {}): Promise<never> {
  const answer = await callOperation(area, operationId, STAFF, { parameters });
  return (answer.kind === 'json' ? answer.value : answer) as never;
}

test('entries are listed newest first, in pages, and narrowed by each parameter', async () => {
  const seen: number[] = [];
  for (let cursor: string | undefined; ;) {
    const page: { items: readonly { position: number }[]; nextCursor?: string } = await called('listAuditRecords', {
      limit: '5',
      ...(cursor !== undefined && { cursor }),
    });
    seen.push(...page.items.map(({ position }) => position));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  expect(seen).toEqual(Array.from({ length: 12 }, (_, at) => 12 - at));
  const found = async (parameters: Readonly<Record<string, string>>): Promise<number> => {
    const { items }: { items: readonly unknown[] } = await called('listAuditRecords', parameters);
    return items.length;
  };
  expect(await found({ object: 'demand:3' })).toBe(1);
  expect(await found({ action: 'demand.decided', organizationId: 'org-0' })).toBe(2);
  expect(await found({ actor: 'c-2' })).toBe(0);
  const at = new Date(context.clock.nowMs() - 2_000).toISOString();
  expect([await found({ from: at }), await found({ to: at })]).toEqual([3, 9]);
  expect(await called('listAuditRecords', { cursor: 'x' })).toMatchObject({ code: 'invalid-parameter' });
});

test('an entry comes with a proof that whoever has the key of the log can check', async () => {
  const { entry, proof }: { entry: { details: unknown; leafIndex: number }; proof: never } = await called(
    'fetchAuditRecord',
    { position: '7' },
  );
  expect(entry).toMatchObject({ position: 7, details: { count: 6 }, leafIndex: 6 });
  const { leaf, inclusion, checkpoint } = proof as { leaf: string; inclusion: never; checkpoint: string };
  const verdict = verifyCheckpoint(checkpoint, { publicKeys: [signer.publicKey], logId });
  if (verdict.status !== 'passed') throw new Error(verdict.reason);
  expect(verifyInclusion(inclusion, { leafHash: merkleLeafHash(leaf), rootHash: verdict.checkpoint.rootHash })).toBe(
    true,
  );
  expect(JSON.parse(leaf)).toMatchObject({ position: 7, action: 'demand.decided', details: { count: 6 } });
  for (const position of ['999', 'x', '-1', '1e3']) {
    expect(await called('fetchAuditRecord', { position })).toMatchObject({ code: 'not-found' });
  }
});

test('a log of some entries is proved to be the beginning of the log of more', async () => {
  const before: { size: number; checkpoint: string } = await called('fetchAuditCheckpoint');
  await audited(12);
  await log.drain();
  const proof: ConsistencyProof & { readonly checkpoint: string } = await called('fetchAuditConsistency', {
    from: String(before.size),
  });
  const roots = [before.checkpoint, proof.checkpoint].map((note) => {
    const verdict = verifyCheckpoint(note, { publicKeys: [signer.publicKey] });
    return verdict.status === 'passed' ? verdict.checkpoint.rootHash : '';
  });
  expect(verifyConsistency(proof, { fromRoot: roots[0]!, toRoot: roots[1]! })).toBe(true);
  for (const parameters of [{ from: '14' }, { from: '2', to: '1' }, { from: 'x' }, { from: '1', to: '99' }]) {
    expect(await called('fetchAuditConsistency', parameters)).toMatchObject({ code: 'invalid-parameter' });
  }
});

test('after a restart the log goes on where it ended, and rows that a crash kept from knowing their leaf learn it', async () => {
  await log.close();
  await database.database.updateTable('core_audit').set({ leaf_index: null }).where('position', '>', 3).execute();
  await audited(13);
  log = await opened();
  await log.drain();
  expect(await log.verify()).toMatchObject({ status: 'intact', waiting: 0, findingCount: 0 });
  const rows = await database.database.selectFrom('core_audit').selectAll().orderBy('position').execute();
  expect(rows.map(({ leaf_index: leafIndex }) => leafIndex)).toEqual(rows.map((_, at) => at));
  expect(log.size()).toBe(rows.length);
});

test('one look through all of it goes on at a time, and a long one is answered before it ends', async () => {
  let looks = 0;
  let end = (): void => undefined;
  const verify = log.verify.bind(log);
  const slow = vi.spyOn(log, 'verify').mockImplementation(async () => {
    looks += 1;
    await new Promise<void>((resolve) => (end = resolve));
    return verify();
  });
  const { operations } = createAuditArea(context, { log });
  const asked = async (): Promise<unknown> => {
    const answer = await operations['fetchAuditVerification']!({} as never);
    return answer.kind === 'json' ? answer.value : answer;
  };
  const both = Promise.all([asked(), asked()]);
  context.clock.advance(15_000);
  const startedAt = new Date(context.clock.nowMs() - 15_000).toISOString();
  expect(await both).toEqual([
    { status: 'running', startedAt },
    { status: 'running', startedAt },
  ]);
  const again = asked();
  end();
  expect(await again).toMatchObject({ status: 'intact', startedAt, findingCount: 0, findings: [] });
  expect(looks).toBe(1);
  const next = asked();
  end();
  expect(await next).toMatchObject({ status: 'intact' });
  expect(looks).toBe(2);
  slow.mockRestore();
  area = createAuditArea(context, { log });
  expect(await called('fetchAuditVerification')).toMatchObject({ status: 'intact', segments: 1 });
});
