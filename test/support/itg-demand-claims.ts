import { hash } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { sealJson } from '../../harness/src/platform/database/index.js';
import { createDemandsArea } from '../../harness/src/platform/demands/demands-area.js';
import { createHoldReader, type RemovableItem } from '../../harness/src/platform/demands/holds.js';
import type { PlatformJob } from '../../harness/src/platform/core/index.js';
import type { Demand, DemandScope, Production } from '../../sdk/src/platform/index.js';
import { codeOf, STAFF, valueOf } from './itg-calls.js';
import {
  addRecord,
  addReport,
  appReport,
  campaign,
  demandLab,
  emptyWorld,
  jobOf,
  liveRecord,
  OHIO,
  smallPdf,
  SUBMISSION,
  TEXAS,
  tracedOver,
  type DemandLab,
  type DemandWorld,
} from './itg-demands.js';
import { pdfPages } from './pdf-pages.js';

const AT = Date.parse('2026-10-22T10:00:00Z');
const DAY_MS = 86_400_000;
const SCOPE = SUBMISSION.scope;
const WITH_REPORTS = { ...SCOPE, recordClasses: [...SCOPE.recordClasses, 'app-reports'] as const };
const CONTINUED = { until: '2026-10-28T00:00:00Z', everyHours: 24 };
const COURT_ORDER = { kind: 'court-order', scope: { ...SCOPE, to: '2026-11-24T00:00:00Z' } } as const;
const READY = 'org.hopback.production.ready.1';

/** A campaign with three calls within the scope, one before it, and one of another campaign; two reports; two tracebacks. */
function world(): DemandWorld {
  const made = emptyWorld();
  made.campaigns.push(campaign('c-1'), campaign('c-2'));
  const times = [AT, AT + 500, AT + 60_000, Date.parse('2026-10-18T10:00:00Z'), AT];
  for (const [index, atMs] of times.entries())
    addRecord(made, liveRecord(`rec-${index}`, atMs, { seconds: index * 10 }), index === 4 ? 'c-2' : 'c-1');
  for (const [index, calledAt] of ['2026-10-22T11:00:00.000Z', '2026-10-17T11:00:00.000Z'].entries())
    addReport(made, appReport(`rep-${index}`, calledAt), 'c-1');
  for (const number of [1, 2])
    made.tracebacks.push({ ...tracedOver(`t-${number}`, '2026-10-22T10:00:00.000Z'), campaignId: `c-${number}` });
  return made;
}

const text = async (lab: DemandLab, { productionId }: Production, name: string): Promise<string> =>
  (await lab.file(productionId, name)).toString('utf8');
const recordIdsIn = async (lab: DemandLab, production: Production): Promise<readonly string[]> => {
  const calls = JSON.parse(await text(lab, production, 'call-records-0001.json')) as { record: { recordId: string } }[];
  return calls.map(({ record }) => record.recordId).toSorted();
};
const actionsOf = async (lab: DemandLab): Promise<readonly string[]> =>
  (await lab.context.audited()).map(({ action }) => action);
const faultsOf = async (lab: DemandLab) => (await lab.context.events()).filter(({ type }) => type === 'platform.fault');

/** A production that an order approved. */
async function approved(lab: DemandLab, changes: Parameters<DemandLab['submit']>[1] = {}) {
  const demandId = await lab.submit(TEXAS, changes);
  await lab.decide(demandId);
  return { demandId, production: await lab.produced(demandId) };
}

/** Submits a court order that is approved and continues for three days. */
async function continuing(lab: DemandLab): Promise<string> {
  const demandId = await lab.submit(TEXAS, COURT_ORDER);
  expect(await lab.refusal('continueDemand', STAFF, { demandId }, CONTINUED)).toBe('conflict');
  await lab.decide(demandId);
  await lab.value('continueDemand', STAFF, { demandId }, CONTINUED);
  await lab.produce();
  return demandId;
}

/** Runs the job of supplements once a day. @returns the productions of the demand */
async function supplemented(lab: DemandLab, demandId: string, days: number): Promise<readonly string[]> {
  for (let day = 0; day < days; day += 1) {
    lab.context.clock.advance(DAY_MS);
    await lab.run('demands.supplements');
    await lab.produce();
  }
  return (await lab.demand(demandId)).productionIds;
}

const REVERSED = { ...SCOPE, from: SCOPE.to, to: SCOPE.from };
const BOTH_DATES = new RegExp(`${SCOPE.to}.*${SCOPE.from}`);

/** Stores a reversed scope in the place of the one that was submitted, as an earlier release did. */
async function reverse({ context }: DemandLab, demandIds: readonly string[]): Promise<void> {
  await context.transact(async (transaction) => {
    for (const demandId of demandIds) {
      const value = { ...SUBMISSION, scope: REVERSED, documentSha256: hash('sha256', smallPdf(), 'hex') };
      const submission = await sealJson(context, transaction, { value, belongsTo: `demand:${demandId}` });
      await sql`update demands_demands set submission = ${JSON.stringify(submission)}::jsonb
        where demand_id = ${demandId}`.execute(transaction);
      await sql`update demands_holds set from_ms = to_ms + 1 where demand_id = ${demandId}`.execute(transaction);
    }
  });
}

/** The job of holds of an area in which some cannot be placed. */
function refusingHolds(lab: DemandLab, isRefused: (holdId: string) => boolean): PlatformJob {
  const { holds } = lab.ports;
  const place: typeof holds.place = (hold) =>
    isRefused(hold.holdId) ? Promise.reject(new Error('full')) : holds.place(hold);
  return jobOf(createDemandsArea(lab.context, { ...lab.ports, holds: { ...holds, place } }), 'demands.holds');
}

/** What the area of demands promises on every engine; the file that runs it opens the database. */
export function demandClaims(engine: string): void {
  const claim = (name: string, check: () => Promise<void>): void => test(`${engine}: ${name}`, check);

  claim(
    'a demand is stored once under its key with its document, and another one under that key is refused',
    async () => {
      await using lab = await demandLab({ world: world() });
      const callingNumbers = Array.from({ length: 400 }, (_, index) => `1202555${String(index).padStart(4, '0')}`);
      const order = { ...COURT_ORDER, scope: { ...COURT_ORDER.scope, callingNumbers } };
      const demandId = await lab.submit(TEXAS, order, 'one');
      const again = await Promise.all([1, 2, 3].map(() => lab.submit(TEXAS, order, 'one')));
      expect(again).toEqual([demandId, demandId, demandId]);
      const document = smallPdf();
      const body = { ...SUBMISSION, reference: 'another', documentSha256: hash('sha256', document, 'hex') };
      const parameters = { 'Idempotency-Key': 'one' };
      expect(codeOf(await lab.call('submitDemand', TEXAS, { body, document, parameters }))).toBe(
        'idempotency-key-reused',
      );
      const size = { documentSizeBytes: document.length, decisions: [], productionIds: [] };
      expect(await lab.demand(demandId)).toMatchObject({ state: 'under-review', scope: { callingNumbers }, ...size });
      await lab.run('demands.holds');
      const { recordClasses, from, to } = order.scope;
      expect(lab.holds.get(demandId)?.scope).toEqual({ recordClasses, from, to });
      const answer = await lab.call('fetchDemandDocument', STAFF, { parameters: { demandId } });
      expect(answer.kind === 'file' && Buffer.from(answer.bytes).equals(document)).toBe(true);
      expect(await actionsOf(lab)).toContain('demand.document-read');
    },
  );

  claim('a document that is not a PDF, or not the stated one, is refused', async () => {
    await using lab = await demandLab();
    for (const [document, stated] of [
      [Buffer.from('no PDF'), 'no PDF'],
      [smallPdf(), 'another'],
      [new Uint8Array(), ''],
    ] as const) {
      const body = { ...SUBMISSION, documentSha256: hash('sha256', stated, 'hex') };
      expect(codeOf(await lab.call('submitDemand', TEXAS, { body, document }))).toBe('document-unreadable');
    }
  });

  claim('an agency sees its own demands and productions, and those of others are not there', async () => {
    await using lab = await demandLab({ world: world() });
    const other = await lab.submit(OHIO);
    const { demandId, production } = await approved(lab);
    const idsOf = async (caller: typeof TEXAS): Promise<string[]> =>
      (await lab.value<{ items: Demand[] }>('listDemands', caller)).items.map((one) => one.demandId);
    expect([await idsOf(TEXAS), await idsOf(OHIO), await idsOf(STAFF)]).toEqual([
      ...[[demandId], [other]],
      [demandId, other],
    ]);
    const { productionId } = production;
    for (const [operationId, parameters, body] of [
      ['fetchDemand', { demandId }],
      ['fetchDemandDocument', { demandId }],
      ['withdrawDemand', { demandId }, { reason: 'mine' }],
      ['fetchProduction', { productionId }],
      ['fetchProductionProgress', { productionId }],
      ['listProductionReceipts', { productionId }],
      ['fetchProductionFile', { productionId, name: 'manifest.json' }],
    ] as const)
      expect([operationId, await lab.refusal(operationId, OHIO, parameters, body)]).toEqual([operationId, 'not-found']);
  });

  claim('pages of demands are newest first, each demand once', async () => {
    await using lab = await demandLab({ world: world() });
    const ids = [];
    for (let count = 0; count < 5; count += 1) ids.push(await lab.submit(TEXAS));
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const parameters = { limit: '2', ...(cursor !== undefined && { cursor }) };
      const page = await lab.value<{ items: Demand[]; nextCursor?: string }>('listDemands', TEXAS, parameters);
      seen.push(...page.items.map(({ demandId }) => demandId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids.toReversed());
    expect(await lab.refusal('listDemands', TEXAS, { cursor: 'x' })).toBe('invalid-parameter');
  });

  claim(
    'a production holds what lies within the approved scope, each class in its own files, and nothing else',
    async () => {
      await using lab = await demandLab({ world: world() });
      const recordClasses = ['traceback-records', 'call-records', 'customer-records', 'app-reports'] as const;
      const demandId = await lab.submit(TEXAS, { scope: { ...SCOPE, recordClasses } });
      const demand = await lab.decide(demandId);
      expect(demand).toMatchObject({ state: 'approved', decisions: [{ decision: 'approve', decidedBy: STAFF.name }] });
      expect(demand.productionIds).toHaveLength(1);
      const production = await lab.produced(demandId);
      expect(production.state).toBe('ready');
      const tables = production.files.filter(({ name }) => name.endsWith('-0001.csv'));
      expect(Object.fromEntries(tables.map(({ recordClass, records }) => [recordClass, records]))).toEqual({
        ...{ 'traceback-records': 5, 'customer-records': 1, 'call-records': 3, 'app-reports': 1 },
      });
      expect(await recordIdsIn(lab, production)).toEqual(['rec-0', 'rec-1', 'rec-2']);
      for (const { name } of production.files.filter(({ recordClass }) => recordClass === 'traceback-records'))
        expect(await text(lab, production, name)).not.toMatch(/Robo Leads|comment 2|THE SCRIPT|t-2/);
      expect(await text(lab, production, 'customer-records-0001.csv')).toContain('Robo Leads LLC');
      expect(await text(lab, production, 'app-reports-0001.json')).not.toContain('social security');
      expect(await text(lab, production, 'call-records-0001.csv')).toContain('rec-0,2026-10-22T10:00:00.000000Z');
      const events = await lab.context.events();
      expect(events.map(({ type }) => type)).toEqual(['org.hopback.demand.decided.1', 'demand.approved', READY]);
      expect(events[2]?.audience).toEqual(['ag-tx']);
      expect((await lab.demand(demandId)).state).toBe('produced');
    },
  );

  claim('a decision reaches no further than the demand, and is made once', async () => {
    await using lab = await demandLab({ world: world() });
    const demandId = await lab.submit(TEXAS);
    const wider = async (scope: DemandScope): Promise<unknown> => {
      const body = { decision: 'narrow', reason: 'r', scope };
      const answer = await lab.call('decideDemand', STAFF, { parameters: { demandId }, body });
      return answer.kind === 'problem' ? [answer.code, answer.errors?.map(({ pointer }) => pointer)] : answer.kind;
    };
    const { campaignIds: _, ...wide } = SCOPE;
    for (const [scope, ...pointers] of [
      [{ ...SCOPE, to: '2026-10-25T00:00:00Z' }, '/scope/to'],
      [{ ...SCOPE, campaignIds: ['c-1', 'c-2'] }, '/scope/campaignIds'],
      [wide, '/scope/campaignIds', '/decision'],
    ] as const)
      expect(await wider(scope)).toEqual(['invalid-body', pointers]);
    const scope = {
      ...{ ...SCOPE, recordClasses: ['call-records'], callingNumbers: ['12025550100'], from: '2026-10-22T10:00:30Z' },
    };
    const body = { decision: 'narrow', reason: 'Call 202-555-0188.', scope };
    expect(await lab.decide(demandId, body)).toMatchObject({ state: 'narrowed', decisions: [{ scope }] });
    const reject = { decision: 'reject', reason: 'r' };
    expect(await lab.refusal('decideDemand', STAFF, { demandId }, reject)).toBe('demand-not-open');
    const { files } = await lab.produced(demandId);
    expect(files.filter(({ recordClass }) => recordClass).map(({ name, records }) => [name, records])).toEqual([
      ['call-records-0001.csv', 1],
      ['call-records-0001.json', 1],
    ]);
  });

  claim('recordings require a court order', async () => {
    await using lab = await demandLab({ world: world() });
    const scope = { ...SCOPE, recordClasses: ['call-records', 'recordings'] as const };
    const demandId = await lab.submit(TEXAS, { scope });
    const approve = { decision: 'approve', reason: 'r' };
    expect(await lab.refusal('decideDemand', STAFF, { demandId }, approve)).toBe('invalid-body');
    const { production } = await approved(lab, { scope, kind: 'court-order' });
    const recordings = await text(lab, production, 'recordings-0001.csv');
    expect(recordings).toContain('Your social security number has been suspended.');
    expect(recordings.trim().split('\r\n')).toHaveLength(2);
  });

  claim('a document that begins as a page of HTML is kept, and the checklist warns the reviewer', async () => {
    await using lab = await demandLab({ world: world() });
    const document = Buffer.concat([Buffer.from('<!doctype html><script>alert(1)</script>\n'), smallPdf()]);
    const body = { ...SUBMISSION, documentSha256: hash('sha256', document, 'hex') };
    const { demandId } = valueOf(await lab.call('submitDemand', TEXAS, { body, document }));
    expect(await lab.value('fetchDemandChecklist', STAFF, { demandId })).toMatchObject({
      findings: [
        {
          ...{ step: 'document', result: 'look', reason: 'bytes-before-header' },
          detail: expect.stringContaining('Noted: bytes-before-header.') as string,
        },
        ...Array.from({ length: 9 }, () => ({})),
      ],
    });
  });

  claim('the checklist states the finding of each step and how much the demand reaches', async () => {
    await using lab = await demandLab({ world: world() });
    const demandId = await lab.submit(TEXAS, { scope: { ...WITH_REPORTS, campaignIds: ['c-1', 'c-9'] } });
    const { findings, ...rest } = await lab.value<{
      findings: { step: string; result: string; reason: string }[];
      reach: unknown;
    }>('fetchDemandChecklist', STAFF, { demandId });
    expect(Object.fromEntries(findings.map(({ step, result, reason }) => [step, `${result} ${reason}`]))).toEqual({
      ...{ document: 'met plain', signature: 'look none-digital', authority: 'met known', jurisdiction: 'met same' },
      ...{ 'return-date': 'met ahead', period: 'met bounded', scope: 'met particular', named: 'look unknown' },
      ...{ process: 'met reached', breadth: 'met moderate' },
    });
    expect(rest).toMatchObject({
      reach: {
        'traceback-records': { items: 5, isAtLeast: false },
        'call-records': { items: 3, isAtLeast: false },
        'app-reports': { items: 1, isAtLeast: false },
      },
      calls: { calls: 4, carrierRecords: 3, appReports: 1, isAtLeast: false },
    });
    await lab.value('claimDemand', STAFF, { demandId });
    const clock = { priority: 'ordinary', isLate: false };
    expect(await lab.value('listReviewQueue', STAFF)).toMatchObject({
      items: [{ demandId, claimedBy: STAFF.name, clock }],
    });
  });

  claim(
    'an urgent demand that names a live campaign comes first, and has what a motion for a restraining order needs',
    async () => {
      await using lab = await demandLab({ world: world() });
      const slow = await lab.submit(TEXAS);
      const fast = await lab.submit(TEXAS, { isUrgent: true, scope: WITH_REPORTS });
      expect(await lab.value('listReviewQueue', STAFF)).toMatchObject({
        items: [
          { demandId: fast, clock: { priority: 'expedited' } },
          { demandId: slow, clock: { priority: 'ordinary' } },
        ],
      });
      await lab.decide(slow);
      await lab.decide(fast);
      const production = await lab.produced(fast);
      const ready = (await lab.context.events()).filter(({ type }) => type === READY);
      expect(ready.map(({ data }) => (data as { production: Production }).production.demandId)).toEqual([fast, slow]);
      const calls = { calls: 4, carrierRecords: 3, appReports: 1 };
      expect(JSON.parse(await text(lab, production, 'restraint-package.json'))).toMatchObject({
        volume: {
          ...calls,
          byDay: [{ day: '2026-10-22', calls: 4 }],
          byDuration: [{ calls: 1 }, { calls: 0 }, { calls: 3 }, { calls: 0 }, { calls: 0 }],
        },
        paths: [
          {
            ...{ tracebackId: 't-1', outcome: 'origin' },
            hops: [{ provider: 'Acme Telecom' }, { provider: 'Dune Voice', arm: 'origin' }],
          },
        ],
        requests: [{ provider: 'Acme Telecom' }, { provider: 'Dune Voice' }],
        recordings: [],
        latest: [{ id: 'rep-0' }, { id: 'rec-2' }, { id: 'rec-1' }, { id: 'rec-0' }],
      });
      // Each table of the package counts the same calls.
      for (const name of ['restraint-durations.csv', 'restraint-days.csv', 'restraint-hours.csv']) {
        const [head = [], ...rows] = (await text(lab, production, name))
          .trimEnd()
          .split('\r\n')
          .map((line) => line.split(','));
        const sumOf = (column: string): number =>
          rows.reduce((total, row) => total + Number(row[head.indexOf(column)]), 0);
        expect([name, ...['calls', 'carrier_records', 'app_reports'].map(sumOf)]).toEqual([
          name,
          ...Object.values(calls),
        ]);
      }
      expect((await text(lab, production, 'restraint-package.pdf')).slice(0, 5)).toBe('%PDF-');
      const ordinary = await lab.produced(slow);
      expect(ordinary.files.some(({ name }) => name.startsWith('restraint'))).toBe(false);
    },
  );

  claim('a package states how many records of an earlier release are not joined', async () => {
    const made = world();
    made.calls = made.calls.map((one, at) => (at < 2 ? { ...one, isUnjoined: true } : one));
    await using lab = await demandLab({ world: made });
    const { production } = await approved(lab, { isUrgent: true });
    const restraint = await text(lab, production, 'restraint-package.json');
    expect(JSON.parse(restraint)).toMatchObject({ volume: { calls: 3, unjoined: 2 } });
    const paper = pdfPages(await lab.file(production.productionId, 'restraint-package.pdf')).join('');
    expect(paper).toContain('2 of these records and reports were stored by an earlier release');
    expect(await text(lab, production, 'data-dictionary.md')).toContain('where they are not joined');
  });

  claim(
    'each retrieval leaves a receipt, and an expired production is gone with its files until it is reissued',
    async () => {
      await using lab = await demandLab({ world: world(), limits: { retrievalMs: DAY_MS } });
      const { clock } = lab.context;
      const demandId = await lab.submit(TEXAS);
      const { productionIds } = await lab.decide(demandId);
      const productionId = productionIds[0] ?? '';
      const fetchFile = (name: string): Promise<string> =>
        lab.refusal('fetchProductionFile', TEXAS, { productionId, name });
      expect(await fetchFile('manifest.json')).toBe('production-not-ready');
      const manifest = await text(lab, await lab.produced(demandId), 'manifest.json');
      expect(await fetchFile('other.csv')).toBe('not-found');
      expect(await lab.value('listProductionReceipts', TEXAS, { productionId })).toMatchObject({
        receipts: [{ name: 'manifest.json', sha256: hash('sha256', manifest, 'hex'), organizationId: 'ag-tx' }],
      });
      const until = new Date(clock.nowMs() + 2 * DAY_MS).toISOString();
      await lab.value('extendProduction', STAFF, { productionId }, { until, reason: 'Leave.' });
      clock.advance(DAY_MS + 60_000);
      await lab.run('demands.expiry');
      expect(await fetchFile('manifest.json')).toBe('file');
      clock.advance(DAY_MS);
      expect(await fetchFile('manifest.json')).toBe('gone');
      await lab.run('demands.expiry');
      expect(await fetchFile('manifest.json')).toBe('gone');
      expect(await lab.value('fetchProduction', TEXAS, { productionId })).toMatchObject({ state: 'expired' });
      expect(await lab.refusal('extendProduction', STAFF, { productionId }, { until, reason: 'r' })).toBe('conflict');
      await lab.value('reissueProduction', STAFF, { productionId }, { reason: 'Fetched too late.' });
      expect(await lab.produced(demandId)).toMatchObject({ state: 'ready' });
    },
  );

  claim('a court order that continues is supplemented until its end', async () => {
    await using lab = await demandLab({ world: world() });
    const demandId = await continuing(lab);
    addRecord(lab.world, liveRecord('rec-late', Date.parse('2026-10-25T08:00:00Z')), 'c-1');
    const productionIds = await supplemented(lab, demandId, 6);
    expect(productionIds).toHaveLength(5);
    const second = await lab.value<Production>('fetchProduction', TEXAS, { productionId: productionIds[1] ?? '' });
    expect(await recordIdsIn(lab, second)).toContain('rec-late');
  });

  claim(
    'demands whose stored scope is reversed are rejected with both dates, once, and keep no hold waiting',
    async () => {
      await using lab = await demandLab();
      const reversed: string[] = [];
      // As many as the job of holds once looked at in one round.
      for (let count = 0; count < 50; count += 1) reversed.push(await lab.submit(TEXAS));
      await reverse(lab, reversed);
      const demandId = await lab.submit(OHIO);
      for (let round = 0; round < 2; round += 1) await lab.run('demands.holds');
      expect([...lab.holds.keys()]).toEqual([demandId]);
      const before = await actionsOf(lab);
      for (let round = 0; round < 5; round += 1) await lab.run('demands.holds');
      expect(await actionsOf(lab)).toEqual(before);
      for (const id of reversed) {
        const { state, decisions } = await lab.demand(id);
        expect(state).toBe('rejected');
        expect(decisions.at(-1)).toMatchObject({ decision: 'reject', reason: expect.stringMatching(BOTH_DATES) });
      }
      const told = (await lab.context.events()).filter(({ type }) => type === 'org.hopback.demand.decided.1');
      expect(told).toHaveLength(reversed.length);
      for (const { audience, data } of told)
        expect([audience, JSON.stringify(data)]).toEqual([['ag-tx', 'itg'], expect.stringMatching(BOTH_DATES)]);
    },
  );

  claim(
    'a scope that does not end later than it begins is refused with both dates, in a demand and in a decision',
    async () => {
      await using lab = await demandLab();
      const demandId = await lab.submit(TEXAS);
      const { from: to } = SCOPE;
      for (const from of [REVERSED.from, to, `${to.slice(0, -1)}.0004Z`]) {
        const scope = { ...SCOPE, from, to };
        const document = smallPdf();
        const body = { ...SUBMISSION, scope, documentSha256: hash('sha256', document, 'hex') };
        const narrow = { decision: 'narrow', reason: 'Less.', scope };
        for (const answer of [
          await lab.call('submitDemand', TEXAS, { body, document }),
          await lab.call('decideDemand', STAFF, { parameters: { demandId }, body: narrow }),
        ])
          expect(answer).toMatchObject({
            ...{ kind: 'problem', code: 'scope-unusable' },
            detail: expect.stringContaining(`begins at ${from} and ends at ${to}`) as string,
          });
      }
    },
  );

  claim('a court order that the platform closes as unusable is supplemented no more', async () => {
    await using lab = await demandLab({ world: world() });
    const { context } = lab;
    const demandId = await continuing(lab);
    await reverse(lab, [demandId]);
    await lab.run('demands.holds');
    const closed = await lab.demand(demandId);
    expect(closed.state).toBe('rejected');
    const { rows } = await sql`select continuing_until_ms from demands_demands`.execute(context.database);
    expect(rows).toEqual([{ continuing_until_ms: null }]);
    expect(await supplemented(lab, demandId, 1)).toEqual(closed.productionIds);
  });

  for (const state of ['rejected', 'withdrawn', 'under-review'])
    claim(
      `a court order that an earlier release left continuing although it is ${state} is not supplemented`,
      async () => {
        await using lab = await demandLab({ world: world() });
        const demandId = await continuing(lab);
        await sql`update demands_demands set state = ${state}`.execute(lab.context.database);
        expect(await supplemented(lab, demandId, 4)).toHaveLength(1);
      },
    );

  claim('demanded data is held until the demand is rejected, withdrawn or fetched no more', async () => {
    await using lab = await demandLab({ world: world() });
    const [first, second] = [await lab.submit(TEXAS), await lab.submit(OHIO)];
    await lab.run('demands.holds');
    expect([...lab.holds.keys()].toSorted()).toEqual([first, second].toSorted());
    await lab.decide(second, { decision: 'reject', reason: 'No.' });
    const from = '2026-10-20T00:00:00Z';
    await lab.decide(first, { decision: 'narrow', reason: 'r', scope: { ...SCOPE, from } });
    await lab.run('demands.holds');
    expect([...lab.holds.values()]).toMatchObject([{ holdId: first, scope: { from } }]);
    const withdrawn = await lab.value('withdrawDemand', TEXAS, { demandId: first }, { reason: 'Settled.' });
    expect(withdrawn).toMatchObject({ state: 'withdrawn' });
    await lab.run('demands.holds');
    expect(lab.holds.size).toBe(0);
    await lab.produce();
    expect((await lab.context.events()).some(({ type }) => type === READY)).toBe(false);
  });

  claim('a call is traced under a demand once, and no call outside its scope', async () => {
    await using lab = await demandLab({ world: world() });
    const demandId = await lab.submit(TEXAS);
    const at = { asWritten: '2026-10-22 10:00', local: '2026-10-22T10:00', zone: 'UTC', precision: 'minute' };
    const opening = (local: string) => ({
      ...{ direction: 'back', campaign: { campaignId: 'c-1', name: 'SSA' } },
      call: { called: '+1 202 555 0123', at: { ...at, local } },
    });
    expect(await lab.refusal('traceUnderDemand', TEXAS, { demandId }, opening(at.local))).toBe('conflict');
    await lab.decide(demandId);
    const first = await lab.value('traceUnderDemand', TEXAS, { demandId }, opening(at.local));
    expect(await lab.value('traceUnderDemand', TEXAS, { demandId }, opening(at.local))).toEqual(first);
    expect(lab.opened).toHaveLength(1);
    expect(await lab.refusal('traceUnderDemand', TEXAS, { demandId }, opening('2026-10-28T10:00'))).toBe(
      'invalid-body',
    );
  });

  claim('a production that fails is tried again, and is complete then', async () => {
    const made = world();
    await using lab = await demandLab({ world: made, limits: { pageItems: 2 } });
    const demandId = await lab.submit(TEXAS);
    const { productionIds } = await lab.decide(demandId);
    const { calls } = made;
    made.calls = undefined as never;
    await lab.run('demands.productions');
    made.calls = calls;
    const progress = () => lab.value('fetchProductionProgress', TEXAS, { productionId: productionIds[0] ?? '' });
    expect(await progress()).toMatchObject({ attempts: 1, failure: 'internal', phase: 'building' });
    lab.context.clock.advance(60_000);
    expect(await lab.produced(demandId)).toMatchObject({ state: 'ready' });
    expect(await progress()).toMatchObject({ attempts: 2, items: 8, phase: 'done' });
  });

  claim('a production is complete and announced once, wherever an earlier attempt broke off', async () => {
    await using lab = await demandLab({ world: world(), limits: { partBytes: 600, pageItems: 2 } });
    const demandId = await lab.submit(TEXAS, { isUrgent: true });
    await lab.decide(demandId);
    // Each attempt comes one step further: the step at which it dies is a write of a file or a transaction.
    let attempts = 0;
    while (attempts < 200 && (await lab.demand(demandId)).state !== 'produced') {
      attempts += 1;
      await jobOf(lab.dying(attempts), 'demands.productions')
        .run(lab.context.clock.nowMs())
        .catch(() => undefined);
      lab.context.clock.advance(3_600_000);
    }
    expect(attempts).toBeGreaterThan(15);
    const { productionId, files } = await lab.produced(demandId);
    const records = files.filter(({ recordClass }) => recordClass === 'call-records').map((file) => file.records ?? 0);
    expect(records.reduce((sum, count) => sum + count, 0)).toBe(6);
    for (const { name, sha256 } of files)
      expect(hash('sha256', await lab.file(productionId, name), 'hex')).toBe(sha256);
    expect((await lab.context.events()).filter(({ type }) => type === READY)).toHaveLength(1);
    expect((await actionsOf(lab)).filter((action) => action === 'production.sealed')).toHaveLength(1);
  });

  claim('retention leaves what a demand may reach, until the demand has ended', async () => {
    await using lab = await demandLab({ world: world() });
    const demandId = await lab.submit(TEXAS);
    const holds = createHoldReader();
    const isHeld = (item: Partial<RemovableItem>): Promise<boolean> =>
      holds.isHeld(lab.context.database, { recordClass: 'traceback-records', fromMs: AT, toMs: AT, ...item });
    const endMs = Date.parse(SCOPE.to);
    for (const [item, isKept] of [
      [{ campaignId: 'c-1' }, true],
      [{}, true],
      [{ campaignId: 'c-2' }, false],
      [{ recordClass: 'recordings' }, false],
      [{ fromMs: endMs, toMs: endMs }, false],
    ] as const)
      expect([item, await isHeld(item)]).toEqual([item, isKept]);
    await lab.decide(demandId, { decision: 'reject', reason: 'No.' });
    expect(await isHeld({ campaignId: 'c-1' })).toBe(false);
  });

  claim(
    'a hold that cannot be placed delays no other, is tried ten times at growing intervals, is set aside with an alarm, and is placed once the cause is gone',
    async () => {
      await using lab = await demandLab({ world: world() });
      const [first, second] = [await lab.submit(TEXAS), await lab.submit(OHIO)];
      const { clock } = lab.context;
      const tries: number[] = [];
      let isRefusing = true;
      const job = refusingHolds(lab, (holdId) => {
        if (holdId === first) tries.push(clock.nowMs());
        return holdId === first && isRefusing;
      });
      await expect(job.run(clock.nowMs())).rejects.toThrow();
      expect([...lab.holds.keys()]).toEqual([second]);
      const before = (await actionsOf(lab)).length;
      for (let seconds = 0; seconds < 7_200; seconds += 2) {
        await job.run(clock.nowMs()).catch(() => undefined);
        clock.advance(2_000);
      }
      expect(tries).toHaveLength(10);
      expect(tries.slice(1).every((atMs, index) => atMs - tries[index]! >= 5_000 * 2 ** index)).toBe(true);
      expect((await actionsOf(lab)).slice(before)).toEqual(['job.set-aside']);
      expect(await faultsOf(lab)).toMatchObject([
        { subject: `demand:${first}`, data: { organizationId: 'ag-tx', title: expect.stringContaining(first) } },
      ]);
      isRefusing = false;
      clock.advance(DAY_MS);
      await job.run(clock.nowMs());
      expect([...lab.holds.keys()].toSorted()).toEqual([first, second].toSorted());
    },
  );

  claim(
    'the scope of a hold that an earlier release stored sealed is unsealed once, however often the hold fails',
    async () => {
      await using lab = await demandLab({ world: world() });
      const { context } = lab;
      const demandId = await lab.submit(TEXAS);
      await context.transact(async (transaction) => {
        const scope = await sealJson(context, transaction, { value: SCOPE, belongsTo: `demand:${demandId}` });
        await sql`update demands_holds set held_scope = null, scope = ${JSON.stringify(scope)}::jsonb`.execute(
          transaction,
        );
      });
      let failures = 3;
      const job = refusingHolds(lab, () => (failures -= 1) >= 0);
      const before = (await actionsOf(lab)).length;
      for (let round = 0; round < 4; round += 1) {
        await job.run(context.clock.nowMs()).catch(() => undefined);
        context.clock.advance(60_000);
      }
      const { recordClasses, from, to } = SCOPE;
      expect(lab.holds.get(demandId)?.scope).toEqual({ recordClasses, from, to });
      expect((await actionsOf(lab)).slice(before)).toEqual(['sealed.opened', 'demand.hold-placed']);
    },
  );

  claim(
    'a demand that an earlier release let narrow to a reversed scope is reviewed again, and its original scope is held',
    async () => {
      await using lab = await demandLab({ world: world() });
      const demandId = await lab.submit(TEXAS);
      const scope = { ...SCOPE, to: '2026-10-23T00:00:00Z' };
      await lab.decide(demandId, { decision: 'narrow', reason: 'Less.', scope });
      await sql`update demands_holds set from_ms = to_ms + 1`.execute(lab.context.database);
      await lab.run('demands.holds');
      expect((await lab.demand(demandId)).state).toBe('under-review');
      expect(lab.holds.get(demandId)?.scope.to).toBe(SCOPE.to);
      expect(await faultsOf(lab)).toMatchObject([{ subject: `demand:${demandId}`, data: { organizationId: 'ag-tx' } }]);
    },
  );
}
