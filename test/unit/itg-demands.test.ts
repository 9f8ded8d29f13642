import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sealJson } from '../../harness/src/platform/database/index.js';
import { createDemandsArea } from '../../harness/src/platform/demands/demands-area.js';
import { createHoldReader } from '../../harness/src/platform/demands/holds.js';
import type { RemovableItem } from '../../harness/src/platform/demands/holds.js';
import type { Demand, DemandScope, Production } from '../../sdk/src/platform/index.js';
import {
  appReport,
  campaign,
  closeDemandDatabase,
  DATABASE_PATIENCE_MS,
  demandLab,
  emptyWorld,
  liveRecord,
  OHIO,
  openDemandDatabase,
  smallPdf,
  STAFF,
  SUBMISSION,
  TEXAS,
  tracedOver,
  type DemandLab,
  type DemandWorld,
} from '../support/itg-demands.js';
import { pdfPages } from '../support/pdf-pages.js';

beforeAll(openDemandDatabase, DATABASE_PATIENCE_MS);
afterAll(closeDemandDatabase);

const AT = Date.parse('2026-10-22T10:00:00Z');
const SCOPE = SUBMISSION.scope;

/** A campaign with three calls within the scope, one before it, and one of another campaign; two reports; two tracebacks. */
function world(): DemandWorld {
  const made = emptyWorld();
  made.campaigns.push(campaign('c-1'), campaign('c-2'));
  const times = [AT, AT + 500, AT + 60_000, Date.parse('2026-10-18T10:00:00Z'), AT];
  for (const [index, atMs] of times.entries()) {
    const recordId = `rec-${index}`;
    made.records.push(liveRecord(recordId, atMs, { seconds: index * 10 }));
    made.calls.push({
      ...{
        callId: `record:acme:${recordId}`,
        campaignId: index === 4 ? 'c-2' : 'c-1',
        atMs,
        reporterId: 'acme',
        recordId,
      },
    });
  }
  for (const [index, calledAt] of ['2026-10-22T11:00:00.000Z', '2026-10-17T11:00:00.000Z'].entries()) {
    const reportId = `rep-${index}`;
    made.reports.push({ appId: 'app', report: appReport(reportId, calledAt) });
    made.calls.push({
      callId: `report:app:${reportId}`,
      campaignId: 'c-1',
      atMs: Date.parse(calledAt),
      reporterId: 'app',
      reportId,
    });
  }
  made.tracebacks.push({ ...tracedOver('t-1', '2026-10-22T10:00:00.000Z'), campaignId: 'c-1' });
  made.tracebacks.push({ ...tracedOver('t-2', '2026-10-22T10:00:00.000Z'), campaignId: 'c-2' });
  return made;
}

async function decided(
  lab: DemandLab,
  demandId: string,
  body: unknown = { decision: 'approve', reason: 'It fits.' },
): Promise<Demand> {
  return lab.value<Demand>('decideDemand', { caller: STAFF, parameters: { demandId }, body });
}

async function produced(lab: DemandLab, demandId: string): Promise<Production> {
  await lab.produce();
  const { productionIds } = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  return lab.value<Production>('fetchProduction', {
    caller: TEXAS,
    parameters: { productionId: productionIds.at(-1)! },
  });
}

async function octetsOf(lab: DemandLab, { productionId }: Production, name: string): Promise<Buffer> {
  const answer = await lab.call('fetchProductionFile', { caller: TEXAS, parameters: { productionId, name } });
  if (answer.kind !== 'file') expect.fail(`${name}: ${JSON.stringify(answer)}`);
  return Buffer.from(answer.bytes);
}

const text = async (lab: DemandLab, production: Production, name: string): Promise<string> =>
  (await octetsOf(lab, production, name)).toString('utf8');

test('a demand is durable, encrypted, and the same under the same key', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS, {}, 'one');
  expect(await lab.submit(TEXAS, {}, 'one')).toBe(demandId);
  const document = smallPdf();
  const documentSha256 = hash('sha256', document, 'hex');
  const other = { ...SUBMISSION, reference: 'another', documentSha256 };
  expect(
    await lab.refusal('submitDemand', {
      caller: TEXAS,
      body: other,
      document,
      parameters: { 'Idempotency-Key': 'one' },
    }),
  ).toBe('idempotency-key-reused');
  const demand = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  expect(demand).toMatchObject({
    state: 'under-review',
    documentSizeBytes: document.length,
    decisions: [],
    productionIds: [],
  });
  const answer = await lab.call('fetchDemandDocument', { caller: STAFF, parameters: { demandId } });
  expect(answer.kind === 'file' && Buffer.from(answer.bytes).equals(document)).toBe(true);
  expect((await lab.context.audited()).map(({ action }) => action)).toContain('demand.document-read');
});

test('a document that is no PDF, or another than was stated, is refused', async () => {
  await using lab = await demandLab();
  const submit = (document: Uint8Array, documentSha256: string): Promise<string> =>
    lab.refusal('submitDemand', { caller: TEXAS, body: { ...SUBMISSION, documentSha256 }, document });
  expect(await submit(Buffer.from('no PDF'), hash('sha256', 'no PDF', 'hex'))).toBe('document-unreadable');
  expect(await submit(smallPdf(), hash('sha256', 'another', 'hex'))).toBe('document-unreadable');
  expect(await submit(new Uint8Array(), hash('sha256', '', 'hex'))).toBe('document-unreadable');
});

test('an agency sees its own demands and productions, and those of others are not there', async () => {
  await using lab = await demandLab({ world: world() });
  const [own, other] = [await lab.submit(TEXAS), await lab.submit(OHIO)];
  const idsOf = async (caller: typeof TEXAS): Promise<string[]> =>
    (await lab.value<{ items: Demand[] }>('listDemands', { caller })).items.map(({ demandId }) => demandId);
  expect(await idsOf(TEXAS)).toEqual([own]);
  expect(await idsOf(OHIO)).toEqual([other]);
  expect(await idsOf(STAFF)).toEqual([other, own]);
  await decided(lab, own);
  const { productionId } = await produced(lab, own);
  for (const operationId of ['fetchDemand', 'fetchDemandDocument'])
    expect(await lab.refusal(operationId, { caller: OHIO, parameters: { demandId: own } })).toBe('not-found');
  for (const operationId of ['fetchProduction', 'fetchProductionProgress', 'listProductionReceipts'])
    expect(await lab.refusal(operationId, { caller: OHIO, parameters: { productionId } })).toBe('not-found');
  expect(
    await lab.refusal('fetchProductionFile', { caller: OHIO, parameters: { productionId, name: 'manifest.json' } }),
  ).toBe('not-found');
  expect(
    await lab.refusal('withdrawDemand', { caller: OHIO, parameters: { demandId: own }, body: { reason: 'mine' } }),
  ).toBe('not-found');
});

test('pages of demands are newest first, each demand once', async () => {
  await using lab = await demandLab({ world: world() });
  const ids = [];
  for (let count = 0; count < 5; count += 1) ids.push(await lab.submit(TEXAS));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page: { items: Demand[]; nextCursor?: string } = await lab.value('listDemands', {
      caller: TEXAS,
      parameters: { limit: '2', ...(cursor !== undefined && { cursor }) },
    });
    seen.push(...page.items.map(({ demandId }) => demandId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(ids.toReversed());
  expect(await lab.refusal('listDemands', { caller: TEXAS, parameters: { cursor: 'x' } })).toBe('invalid-parameter');
});

test('what was approved is produced within its scope, classes apart, and what lies outside is not in it', async () => {
  await using lab = await demandLab({ world: world() });
  const recordClasses = ['traceback-records', 'call-records', 'customer-records', 'app-reports'] as const;
  const demandId = await lab.submit(TEXAS, { scope: { ...SCOPE, recordClasses } });
  const demand = await decided(lab, demandId);
  expect(demand).toMatchObject({ state: 'approved', decisions: [{ decision: 'approve' }] });
  expect(demand.productionIds).toHaveLength(1);
  const production = await produced(lab, demandId);
  expect(production.state).toBe('ready');
  const counts = Object.fromEntries(
    production.files
      .filter(({ name }) => name.endsWith('-0001.csv'))
      .map(({ recordClass, records }) => [recordClass, records]),
  );
  expect(counts).toEqual({ 'traceback-records': 5, 'customer-records': 1, 'call-records': 3, 'app-reports': 1 });
  const calls = JSON.parse(await text(lab, production, 'call-records-0001.json')) as { record: { recordId: string } }[];
  expect(calls.map(({ record }) => record.recordId).toSorted()).toEqual(['rec-0', 'rec-1', 'rec-2']);
  const all = (
    await Promise.all(
      production.files
        .filter(({ recordClass }) => recordClass === 'traceback-records')
        .map(({ name }) => text(lab, production, name)),
    )
  ).join('');
  for (const secret of ['Robo Leads', 'comment 2', 'THE SCRIPT', 't-2']) expect(all).not.toContain(secret);
  expect(await text(lab, production, 'customer-records-0001.csv')).toContain('Robo Leads LLC');
  expect(await text(lab, production, 'app-reports-0001.json')).not.toContain('social security');
  expect(await text(lab, production, 'call-records-0001.csv')).toContain('rec-0,2026-10-22T10:00:00.000000Z');
  const told = await lab.context.events();
  expect(told.map(({ type }) => type)).toEqual([
    'org.hopback.demand.decided.1',
    'demand.approved',
    'org.hopback.production.ready.1',
  ]);
  expect(told[2]?.audience).toEqual(['ag-tx']);
  expect(await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } })).toMatchObject({
    state: 'produced',
  });
});

test('a decision reaches no further than what was demanded, and is taken once', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS);
  const refused = async (scope: DemandScope): Promise<unknown> => {
    const answer = await lab.call('decideDemand', {
      caller: STAFF,
      parameters: { demandId },
      body: { decision: 'narrow', reason: 'r', scope },
    });
    return answer.kind === 'problem' ? [answer.code, answer.errors?.map(({ pointer }) => pointer)] : answer.kind;
  };
  expect(await refused({ ...SCOPE, to: '2026-10-25T00:00:00Z' })).toEqual(['invalid-body', ['/scope/to']]);
  expect(await refused({ ...SCOPE, campaignIds: ['c-1', 'c-2'] })).toEqual(['invalid-body', ['/scope/campaignIds']]);
  const { campaignIds: _, ...wide } = SCOPE;
  expect(await refused(wide)).toEqual(['invalid-body', ['/scope/campaignIds', '/decision']]);
  const scope = {
    ...SCOPE,
    recordClasses: ['call-records'],
    callingNumbers: ['12025550100'],
    from: '2026-10-22T10:00:30Z',
  };
  expect(await decided(lab, demandId, { decision: 'narrow', reason: 'Call 202-555-0188.', scope })).toMatchObject({
    state: 'narrowed',
    decisions: [{ scope }],
  });
  expect(
    await lab.refusal('decideDemand', {
      caller: STAFF,
      parameters: { demandId },
      body: { decision: 'reject', reason: 'r' },
    }),
  ).toBe('demand-not-open');
  const production = await produced(lab, demandId);
  expect(
    production.files.filter(({ recordClass }) => recordClass !== undefined).map(({ name, records }) => [name, records]),
  ).toEqual([
    ['call-records-0001.csv', 1],
    ['call-records-0001.json', 1],
  ]);
});

test('no number is in the database outside the sealed table, nor in the log', async () => {
  await using lab = await demandLab({ world: world() });
  const numbers = { callingNumbers: ['12025550100'], calledNumbers: ['12025550123'] };
  const demandId = await lab.submit(TEXAS, {
    scope: { ...SCOPE, ...numbers },
    comment: 'Call 202-555-0142 for questions.',
  });
  await decided(lab, demandId, {
    decision: 'narrow',
    reason: 'As to 12025550100.',
    scope: { ...SCOPE, ...numbers, recordClasses: ['traceback-records'] },
  });
  const production = await produced(lab, demandId);
  await text(lab, production, 'manifest.json');
  const { rows } = await sql<{
    name: string;
  }>`select table_name as name from information_schema.tables where table_schema = 'public'`.execute(
    lab.context.database,
  );
  for (const { name } of rows.filter((row) => row.name !== 'core_sealed')) {
    const dump = await sql`select * from ${sql.table(name)}`.execute(lab.context.database);
    expect([name, JSON.stringify(dump.rows).match(/2025550\d{3}|202-555-\d{4}|202 555 \d{4}/)?.[0]]).toEqual([
      name,
      undefined,
    ]);
  }
  expect(JSON.stringify(lab.context.logged)).not.toMatch(/2025550\d{3}/);
});

test('recordings take a court order', async () => {
  await using lab = await demandLab({ world: world() });
  const scope = { ...SCOPE, recordClasses: ['call-records', 'recordings'] as const };
  const demandId = await lab.submit(TEXAS, { scope });
  expect(
    await lab.refusal('decideDemand', {
      caller: STAFF,
      parameters: { demandId },
      body: { decision: 'approve', reason: 'r' },
    }),
  ).toBe('invalid-body');
  await decided(lab, demandId, {
    decision: 'narrow',
    reason: 'No content.',
    scope: { ...SCOPE, recordClasses: ['call-records'] },
  });
  const order = await lab.submit(TEXAS, { scope, kind: 'court-order' });
  await decided(lab, order);
  const production = await produced(lab, order);
  const recordings = await text(lab, production, 'recordings-0001.csv');
  expect(recordings).toContain('Your social security number has been suspended.');
  expect(recordings.trim().split('\r\n')).toHaveLength(2);
});

test('a document that begins as a page of HTML is kept, and the reviewer is told before opening it', async () => {
  await using lab = await demandLab({ world: world() });
  const document = Buffer.concat([Buffer.from('<!doctype html><script>alert(1)</script>\n'), smallPdf()]);
  const body = { ...SUBMISSION, documentSha256: hash('sha256', document, 'hex') };
  const { demandId } = await lab.value<{ demandId: string }>('submitDemand', {
    ...{ caller: TEXAS, body, document },
    parameters: {},
  });
  const { findings } = await lab.value<{
    findings: { step: string; result: string; reason: string; detail: string }[];
  }>('fetchDemandChecklist', { caller: STAFF, parameters: { demandId } });
  expect(findings[0]).toMatchObject({ step: 'document', result: 'look', reason: 'bytes-before-header' });
  expect(findings[0]?.detail).toContain('Noted: bytes-before-header.');
});

test('the checklist says what was found at each step, and how much is reached', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS, { scope: { ...SCOPE, campaignIds: ['c-1', 'c-9'] } });
  const { findings, reach } = await lab.value<{
    findings: { step: string; result: string; reason: string }[];
    reach: unknown;
  }>('fetchDemandChecklist', {
    caller: STAFF,
    parameters: { demandId },
  });
  expect(Object.fromEntries(findings.map(({ step, result, reason }) => [step, `${result} ${reason}`]))).toEqual({
    document: 'met plain',
    signature: 'look none-digital',
    authority: 'met known',
    jurisdiction: 'met same',
    'return-date': 'met ahead',
    period: 'met bounded',
    scope: 'met particular',
    named: 'look unknown',
    process: 'met reached',
    breadth: 'met moderate',
  });
  expect(reach).toEqual({
    'traceback-records': { items: 5, isAtLeast: false },
    'call-records': { items: 3, isAtLeast: false },
  });
  await lab.value('claimDemand', { caller: STAFF, parameters: { demandId } });
  const { items } = await lab.value<{ items: unknown[] }>('listReviewQueue', { caller: STAFF });
  expect(items).toMatchObject([
    { demandId, claimedBy: 'Reviewing counsel', clock: { priority: 'ordinary', isLate: false } },
  ]);
});

test('an urgent demand that names a live campaign comes first, and has what a motion for a restraining order rests on', async () => {
  await using lab = await demandLab({ world: world() });
  const [slow, fast] = [await lab.submit(TEXAS), await lab.submit(TEXAS, { isUrgent: true })];
  const queue = await lab.value<{ items: { demandId: string; clock: { priority: string } }[] }>('listReviewQueue', {
    caller: STAFF,
  });
  expect(queue.items.map(({ demandId, clock }) => [demandId, clock.priority])).toEqual([
    [fast, 'expedited'],
    [slow, 'ordinary'],
  ]);
  await decided(lab, slow);
  await decided(lab, fast);
  await lab.produce();
  const ready = (await lab.context.events()).filter(({ type }) => type === 'org.hopback.production.ready.1');
  expect(ready.map(({ data }) => (data as { production: Production }).production.demandId)).toEqual([fast, slow]);
  const production = await produced(lab, fast);
  const restraint = JSON.parse(await text(lab, production, 'restraint-package.json')) as Record<string, unknown>;
  expect(restraint).toMatchObject({
    volume: {
      ...{ calls: 3, carrierRecords: 3, appReports: 0 },
      byDay: [{ day: '2026-10-22', calls: 3 }],
      byDuration: [{ calls: 1 }, { calls: 0 }, { calls: 2 }, { calls: 0 }, { calls: 0 }],
    },
    paths: [
      {
        tracebackId: 't-1',
        outcome: 'origin',
        hops: [{ provider: 'Acme Telecom' }, { provider: 'Dune Voice', arm: 'origin' }],
      },
    ],
    requests: [{ provider: 'Acme Telecom' }, { provider: 'Dune Voice' }],
    recordings: [],
    latest: [{ id: 'rec-2' }, { id: 'rec-1' }, { id: 'rec-0' }],
  });
  expect((await text(lab, production, 'restraint-package.pdf')).slice(0, 5)).toBe('%PDF-');
  const ordinary = await produced(lab, slow);
  expect(ordinary.files.some(({ name }) => name.startsWith('restraint'))).toBe(false);
});

test('a package says how many records an earlier release stored that are not joined', async () => {
  const made = world();
  made.calls = made.calls.map((one, at) => (at < 2 ? { ...one, isUnjoined: true } : one));
  await using lab = await demandLab({ world: made });
  const demandId = await lab.submit(TEXAS, { isUrgent: true });
  await decided(lab, demandId);
  const production = await produced(lab, demandId);
  const restraint = await text(lab, production, 'restraint-package.json');
  expect(JSON.parse(restraint)).toMatchObject({ volume: { calls: 3, unjoined: 2 } });
  const paper = pdfPages(await octetsOf(lab, production, 'restraint-package.pdf')).join('');
  expect(paper).toContain('2 of these records and reports were stored by an earlier release');
  expect(await text(lab, production, 'data-dictionary.md')).toContain('where they are not joined');
});

test('each retrieval leaves a receipt, and what has expired is gone with its files', async () => {
  await using lab = await demandLab({ world: world(), limits: { retrievalMs: 86_400_000 } });
  const demandId = await lab.submit(TEXAS);
  await decided(lab, demandId);
  const { productionIds } = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  const productionId = productionIds[0]!;
  const file = { caller: TEXAS, parameters: { productionId, name: 'manifest.json' } };
  expect(await lab.refusal('fetchProductionFile', file)).toBe('production-not-ready');
  const production = await produced(lab, demandId);
  const manifest = await text(lab, production, 'manifest.json');
  expect(
    await lab.refusal('fetchProductionFile', { caller: TEXAS, parameters: { productionId, name: 'other.csv' } }),
  ).toBe('not-found');
  const { receipts } = await lab.value<{ receipts: unknown[] }>('listProductionReceipts', {
    caller: TEXAS,
    parameters: { productionId },
  });
  expect(receipts).toMatchObject([
    { name: 'manifest.json', sha256: hash('sha256', manifest, 'hex'), organizationId: 'ag-tx' },
  ]);
  const until = new Date(lab.context.clock.nowMs() + 2 * 86_400_000).toISOString();
  await lab.value('extendProduction', {
    caller: STAFF,
    parameters: { productionId },
    body: { until, reason: 'Leave.' },
  });
  lab.context.clock.advance(86_400_000 + 60_000);
  await lab.run('demands.expiry');
  expect((await lab.call('fetchProductionFile', file)).kind).toBe('file');
  lab.context.clock.advance(86_400_000);
  expect(await lab.refusal('fetchProductionFile', file)).toBe('gone');
  await lab.run('demands.expiry');
  expect(await lab.refusal('fetchProductionFile', file)).toBe('gone');
  expect(await lab.value<Production>('fetchProduction', { caller: TEXAS, parameters: { productionId } })).toMatchObject(
    { state: 'expired' },
  );
  expect(
    await lab.refusal('extendProduction', {
      caller: STAFF,
      parameters: { productionId },
      body: { until, reason: 'r' },
    }),
  ).toBe('conflict');
  await lab.value('reissueProduction', {
    caller: STAFF,
    parameters: { productionId },
    body: { reason: 'Fetched too late.' },
  });
  expect(await produced(lab, demandId)).toMatchObject({ state: 'ready' });
});

test('a court order that goes on is supplemented until its end', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS, { kind: 'court-order', scope: { ...SCOPE, to: '2026-11-24T00:00:00Z' } });
  const body = { until: '2026-10-28T00:00:00Z', everyHours: 24 };
  expect(await lab.refusal('continueDemand', { caller: STAFF, parameters: { demandId }, body })).toBe('conflict');
  await decided(lab, demandId);
  await lab.value('continueDemand', { caller: STAFF, parameters: { demandId }, body });
  await lab.produce();
  const late = Date.parse('2026-10-25T08:00:00Z');
  lab.world.records.push(liveRecord('rec-late', late));
  lab.world.calls.push({
    callId: 'record:acme:rec-late',
    campaignId: 'c-1',
    atMs: late,
    reporterId: 'acme',
    recordId: 'rec-late',
  });
  for (let day = 0; day < 6; day += 1) {
    lab.context.clock.advance(86_400_000);
    await lab.run('demands.supplements');
    await lab.produce();
  }
  const demand = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  expect(demand.productionIds).toHaveLength(5);
  const second = await lab.value<Production>('fetchProduction', {
    caller: TEXAS,
    parameters: { productionId: demand.productionIds[1]! },
  });
  const ids = (JSON.parse(await text(lab, second, 'call-records-0001.json')) as { record: { recordId: string } }[]).map(
    ({ record }) => record.recordId,
  );
  expect(ids).toContain('rec-late');
});

test('a court order that the platform closes as unusable is supplemented no more', async () => {
  await using lab = await demandLab({ world: world() });
  const { context } = lab;
  const demandId = await continuing(lab);
  const scope = { ...SCOPE, from: SCOPE.to, to: SCOPE.from };
  const value = { ...SUBMISSION, kind: 'court-order', scope, documentSha256: hash('sha256', smallPdf(), 'hex') };
  await context.transact(async (transaction) => {
    const sealed = await sealJson(context, transaction, { value, belongsTo: `demand:${demandId}` });
    await sql`update demands_demands set submission = ${JSON.stringify(sealed)}::jsonb`.execute(transaction);
    await sql`update demands_holds set from_ms = to_ms + 1`.execute(transaction);
  });
  await lab.run('demands.holds');
  const closed = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  expect(closed.state).toBe('rejected');
  const { rows } = await sql`select continuing_until_ms from demands_demands`.execute(context.database);
  expect(rows).toEqual([{ continuing_until_ms: null }]);
  context.clock.advance(86_400_000);
  await lab.run('demands.supplements');
  const demand = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  expect(demand.productionIds).toEqual(closed.productionIds);
});

test.each(['rejected', 'withdrawn', 'under-review'])(
  'a court order that an earlier release left going on although it is %s is not supplemented',
  async (state) => {
    await using lab = await demandLab({ world: world() });
    const demandId = await continuing(lab);
    await sql`update demands_demands set state = ${state}`.execute(lab.context.database);
    for (let day = 0; day < 4; day += 1) {
      lab.context.clock.advance(86_400_000);
      await lab.run('demands.supplements');
    }
    const demand = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
    expect(demand.productionIds).toHaveLength(1);
  },
);

/** Submits a court order that is approved and goes on for three days. */
async function continuing(lab: DemandLab): Promise<string> {
  const demandId = await lab.submit(TEXAS, { kind: 'court-order', scope: { ...SCOPE, to: '2026-11-24T00:00:00Z' } });
  await decided(lab, demandId);
  const body = { until: '2026-10-28T00:00:00Z', everyHours: 24 };
  await lab.value('continueDemand', { caller: STAFF, parameters: { demandId }, body });
  await lab.produce();
  return demandId;
}

test('what is demanded is held until it is rejected, withdrawn or fetched no more', async () => {
  await using lab = await demandLab({ world: world() });
  const [first, second] = [await lab.submit(TEXAS), await lab.submit(OHIO)];
  await lab.run('demands.holds');
  expect([...lab.holds.keys()].toSorted()).toEqual([first, second].toSorted());
  await decided(lab, second, { decision: 'reject', reason: 'No.' });
  await decided(lab, first, { decision: 'narrow', reason: 'r', scope: { ...SCOPE, from: '2026-10-20T00:00:00Z' } });
  await lab.run('demands.holds');
  expect([...lab.holds.values()]).toMatchObject([{ holdId: first, scope: { from: '2026-10-20T00:00:00Z' } }]);
  const demand = await lab.value<Demand>('withdrawDemand', {
    caller: TEXAS,
    parameters: { demandId: first },
    body: { reason: 'Settled.' },
  });
  expect(demand.state).toBe('withdrawn');
  await lab.run('demands.holds');
  expect(lab.holds.size).toBe(0);
  await lab.produce();
  expect((await lab.context.events()).some(({ type }) => type === 'org.hopback.production.ready.1')).toBe(false);
});

test('a call is traced under a demand once, and none outside its scope', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS);
  const at = { asWritten: '2026-10-22 10:00', local: '2026-10-22T10:00', zone: 'UTC', precision: 'minute' };
  const opening = {
    direction: 'back',
    call: { called: '+1 202 555 0123', at },
    campaign: { campaignId: 'c-1', name: 'SSA' },
  };
  const trace = { caller: TEXAS, parameters: { demandId }, body: opening };
  expect(await lab.refusal('traceUnderDemand', trace)).toBe('conflict');
  await decided(lab, demandId);
  const first = await lab.value('traceUnderDemand', trace);
  expect(await lab.value('traceUnderDemand', trace)).toEqual(first);
  expect(lab.opened).toHaveLength(1);
  const body = { ...opening, call: { ...opening.call, at: { ...at, local: '2026-10-28T10:00' } } };
  expect(await lab.refusal('traceUnderDemand', { ...trace, body })).toBe('invalid-body');
});

test('a production that fails is tried again, and is whole then', async () => {
  const made = world();
  await using lab = await demandLab({ world: made, limits: { pageItems: 2 } });
  const demandId = await lab.submit(TEXAS);
  await decided(lab, demandId);
  const { calls } = made;
  made.calls = undefined as never;
  await lab.run('demands.productions');
  made.calls = calls;
  const { productionIds } = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
  const progress = { caller: TEXAS, parameters: { productionId: productionIds[0]! } };
  expect(await lab.value('fetchProductionProgress', progress)).toMatchObject({
    attempts: 1,
    failure: 'internal',
    phase: 'building',
  });
  lab.context.clock.advance(60_000);
  expect(await produced(lab, demandId)).toMatchObject({ state: 'ready' });
  expect(await lab.value('fetchProductionProgress', progress)).toMatchObject({ attempts: 2, items: 8, phase: 'done' });
});

test('a production is whole and told of once, wherever it was broken off before', async () => {
  await using lab = await demandLab({ world: world(), limits: { partBytes: 600, pageItems: 2 } });
  const demandId = await lab.submit(TEXAS, { isUrgent: true });
  await decided(lab, demandId);
  // Each attempt comes one step further: the step at which it dies is a write of a file or a transaction.
  let attempts = 0;
  for (let steps = 1; attempts < 200; steps += 1) {
    attempts += 1;
    const dying = lab.dying(steps);
    const job = dying.jobs.find(({ name }) => name === 'demands.productions')!;
    await job.run(lab.context.clock.nowMs()).catch(() => undefined);
    lab.context.clock.advance(3_600_000);
    const demand = await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } });
    if (demand.state === 'produced') break;
  }
  expect(attempts).toBeGreaterThan(15);
  const production = await produced(lab, demandId);
  expect(
    production.files
      .filter(({ recordClass }) => recordClass === 'call-records')
      .reduce((sum, { records = 0 }) => sum + records, 0),
  ).toBe(6);
  for (const { name, sha256 } of production.files) {
    const answer = await lab.call('fetchProductionFile', {
      caller: TEXAS,
      parameters: { productionId: production.productionId, name },
    });
    expect(answer.kind === 'file' && hash('sha256', answer.bytes, 'hex')).toBe(sha256);
  }
  const ready = (await lab.context.events()).filter(({ type }) => type === 'org.hopback.production.ready.1');
  expect(ready).toHaveLength(1);
  expect((await lab.context.audited()).filter(({ action }) => action === 'production.sealed')).toHaveLength(1);
});

test('retention leaves what a demand may reach, until the demand has come to its end', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS);
  const holds = createHoldReader();
  const isHeld = (item: Partial<RemovableItem>): Promise<boolean> =>
    holds.isHeld(lab.context.database, { recordClass: 'traceback-records', fromMs: AT, toMs: AT, ...item });
  expect(await isHeld({ campaignId: 'c-1' })).toBe(true);
  expect(await isHeld({})).toBe(true);
  expect(await isHeld({ campaignId: 'c-2' })).toBe(false);
  expect(await isHeld({ recordClass: 'recordings' })).toBe(false);
  expect(await isHeld({ fromMs: Date.parse(SCOPE.to), toMs: Date.parse(SCOPE.to) })).toBe(false);
  await decided(lab, demandId, { decision: 'reject', reason: 'No.' });
  expect(await isHeld({ campaignId: 'c-1' })).toBe(false);
});

test('a hold that cannot be placed keeps no other waiting, and is placed in a later round', async () => {
  await using lab = await demandLab({ world: world() });
  const [first, second] = [await lab.submit(TEXAS), await lab.submit(OHIO)];
  const refusing = new Set([first]);
  const { holds } = lab.ports;
  const place: typeof holds.place = (hold) =>
    refusing.has(hold.holdId) ? Promise.reject(new Error('full')) : holds.place(hold);
  const area = createDemandsArea(lab.context, { ...lab.ports, holds: { ...holds, place } });
  const job = area.jobs.find(({ name }) => name === 'demands.holds')!;
  await expect(job.run(lab.context.clock.nowMs())).rejects.toThrow();
  expect([...lab.holds.keys()]).toEqual([second]);
  refusing.clear();
  lab.context.clock.advance(5_000);
  await job.run(lab.context.clock.nowMs());
  expect([...lab.holds.keys()].toSorted()).toEqual([first, second].toSorted());
});

test('a hold that keeps failing is tried ever more rarely, is set aside with an alarm, and is placed once the cause is gone', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS);
  const { clock } = lab.context;
  const tries: number[] = [];
  let isRefusing = true;
  const place: typeof lab.ports.holds.place = async (hold) => {
    tries.push(clock.nowMs());
    if (isRefusing) throw new Error('full');
    await lab.ports.holds.place(hold);
  };
  const area = createDemandsArea(lab.context, { ...lab.ports, holds: { ...lab.ports.holds, place } });
  const job = area.jobs.find(({ name }) => name === 'demands.holds')!;
  const before = (await lab.context.audited()).length;
  for (let seconds = 0; seconds < 7_200; seconds += 2) {
    await job.run(clock.nowMs()).catch(() => undefined);
    clock.advance(2_000);
  }
  expect(tries).toHaveLength(10);
  expect(tries.slice(1).every((atMs, index) => atMs - tries[index]! >= 5_000 * 2 ** index)).toBe(true);
  const audited = (await lab.context.audited()).slice(before);
  expect(audited.map(({ action }) => action)).toEqual(['job.set-aside']);
  expect((await lab.context.events()).filter(({ type }) => type === 'platform.fault')).toMatchObject([
    { subject: `demand:${demandId}`, data: { organizationId: 'ag-tx', title: expect.stringContaining(demandId) } },
  ]);
  isRefusing = false;
  clock.advance(86_400_000);
  await job.run(clock.nowMs());
  expect([...lab.holds.keys()]).toEqual([demandId]);
});

test('the scope of a hold that an earlier release stored sealed is unsealed once, however often the hold fails', async () => {
  await using lab = await demandLab({ world: world() });
  const { context, ports } = lab;
  const demandId = await lab.submit(TEXAS);
  await context.transact(async (transaction) => {
    const scope = await sealJson(context, transaction, { value: SCOPE, belongsTo: `demand:${demandId}` });
    await sql`update demands_holds set held_scope = null, scope = ${JSON.stringify(scope)}::jsonb`.execute(transaction);
  });
  let failures = 3;
  const place: typeof ports.holds.place = (hold) =>
    (failures -= 1) >= 0 ? Promise.reject(new Error('full')) : ports.holds.place(hold);
  const area = createDemandsArea(context, { ...ports, holds: { ...ports.holds, place } });
  const job = area.jobs.find(({ name }) => name === 'demands.holds')!;
  const before = (await context.audited()).length;
  for (let round = 0; round < 4; round += 1) {
    await job.run(context.clock.nowMs()).catch(() => undefined);
    context.clock.advance(60_000);
  }
  expect(lab.holds.get(demandId)?.scope).toEqual({
    ...{ recordClasses: SCOPE.recordClasses, from: SCOPE.from, to: SCOPE.to },
  });
  const actions = (await context.audited()).slice(before).map(({ action }) => action);
  expect(actions).toEqual(['sealed.opened', 'demand.hold-placed']);
});

test('a demand that an earlier release let narrow to a reversed scope is reviewed anew, and what it demanded is held', async () => {
  await using lab = await demandLab({ world: world() });
  const demandId = await lab.submit(TEXAS);
  await decided(lab, demandId, {
    decision: 'narrow',
    reason: 'Less.',
    scope: { ...SCOPE, to: '2026-10-23T00:00:00Z' },
  });
  await sql`update demands_holds set from_ms = to_ms + 1`.execute(lab.context.database);
  await lab.run('demands.holds');
  expect(await lab.value<Demand>('fetchDemand', { caller: TEXAS, parameters: { demandId } })).toMatchObject({
    state: 'under-review',
  });
  expect(lab.holds.get(demandId)?.scope.to).toBe(SCOPE.to);
  const told = (await lab.context.events()).find(({ type }) => type === 'platform.fault');
  expect(told).toMatchObject({ subject: `demand:${demandId}`, data: { organizationId: 'ag-tx' } });
});
