import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FccNotice, Traceback } from '../../sdk/src/platform/index.js';
import type { TracebackAnswer, TracebackFinding, TracebackRequest } from '../../sdk/src/traceback/index.js';
import type { RequestOutcome } from '../../harness/src/platform/core/index.js';
import type { WaitingPage } from '../../harness/src/platform/tracebacks/index.js';
import { answerFor, carrier, createTracebacksLab, from, openingOf, signed, STAFF } from '../support/itg-tracebacks.js';
import type { TracebacksLab } from '../support/itg-tracebacks.js';

// To open a database takes seconds: the tests of this file share one, and have providers and calls of their own.
let lab: TracebacksLab;
let calls = 0;
beforeAll(async () => {
  lab = await createTracebacksLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

/** Opens a traceback of a call of its own that a provider delivered. */
function openAt(letter: string, called = `+1312555${String(1_000 + (calls += 1))}`): Promise<string> {
  const { call, ...opening } = openingOf();
  return lab.open({
    ...{ ...opening, call: { ...call, called } },
    firstProvider: { providerId: `prv-${letter}`, name: `Example ${letter}` },
  });
}

const shown = (tracebackId: string): Promise<Traceback> =>
  lab.value<Traceback>('fetchTraceback', STAFF, { parameters: { tracebackId } });
const waitsFor = async (tracebackId: string) => {
  const { items } = await lab.value<WaitingPage>('listWaiting', STAFF, { parameters: { limit: '500' } });
  return items.find((one) => one.tracebackId === tracebackId)?.items ?? [];
};
const orderedBy = (operationId: string, tracebackId: string, body: unknown) =>
  lab.call(operationId, STAFF, { parameters: { tracebackId }, body });

async function outcomesOf(letter: string): Promise<readonly RequestOutcome[]> {
  const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, providerId: `prv-${letter}` };
  const outcomes: RequestOutcome[] = [];
  for await (const one of lab.area.desk.requestOutcomes(lab.context.database, range)) outcomes.push(one);
  return outcomes;
}

test('a dispute is decided by staff, and who is right is no longer counted as disputed', async () => {
  const tracebackId = await openAt('da');
  await lab.answer('da', from('db'));
  const { downstream } = await lab.requestTo('db');
  if (downstream === undefined) throw new Error('no downstream');
  await lab.answer('db', { arm: 'not-sent-to-downstream', downstream });
  const dispute = (await waitsFor(tracebackId)).find(({ kind }) => kind === 'dispute');
  if (dispute?.kind !== 'dispute') throw new Error('nothing is disputed');
  expect(dispute.parties.map(({ providerId }) => providerId)).toEqual(['prv-da', 'prv-db']);
  expect(await outcomesOf('da')).toMatchObject([{ isDisputed: true, arm: 'received-from' }]);
  expect(await outcomesOf('db')).toMatchObject([{ isDisputed: true, arm: 'not-sent-to-downstream' }]);
  const ruling = {
    disputeId: dispute.disputeId,
    ruling: 'downstream-stands',
    reason: 'Its record shows the hand-over.',
  };
  expect(await orderedBy('decideDispute', tracebackId, { ...ruling, disputeId: 'none' })).toMatchObject({
    code: 'conflict',
  });
  expect(await orderedBy('decideDispute', tracebackId, ruling)).toMatchObject({ kind: 'json' });
  expect(await shown(tracebackId)).toMatchObject({ state: 'closed', outcome: 'disputed' });
  expect(await waitsFor(tracebackId)).toEqual([]);
  expect(await outcomesOf('da')).toMatchObject([{ isDisputed: false }]);
  expect(await outcomesOf('db')).toMatchObject([{ isDisputed: true }]);
  const decided = (await lab.context.audited()).filter(({ action }) => action === 'dispute.decided');
  expect(decided).toMatchObject([{ actor: 'client-itg', object: `traceback:${tracebackId}` }]);
});

test('who serves a call-back number is found out in a traceback of its own, which is opened once', async () => {
  const tracebackId = await openAt('fa');
  const body = {
    ...{ forwardId: 'f-1', number: '+18005550177' },
    firstProvider: { providerId: 'prv-fb', name: 'Example fb' },
  };
  const parameters = { tracebackId };
  const forward = () => lab.value<{ tracebackId: string }>('traceForward', STAFF, { parameters, body });
  const { tracebackId: forwardId } = await forward();
  expect(await forward()).toEqual({ tracebackId: forwardId });
  expect(await lab.requestTo('fb')).toMatchObject({ direction: 'forward', call: { called: '+18005550177' } });
  await lab.answer('fb', { arm: 'number-served-by', provider: { providerId: 'prv-fc', name: 'Example fc' } });
  await lab.answer('fc', { arm: 'serves-number', customer: { customerId: 'C-7' } });
  expect(await shown(forwardId)).toMatchObject({ direction: 'forward', state: 'closed', outcome: 'serves-number' });
  expect(await shown(tracebackId)).toMatchObject({ direction: 'back', state: 'open' });
  expect(await orderedBy('traceForward', 't-none', body)).toMatchObject({ code: 'not-found' });
  const rows = JSON.stringify([await lab.context.events(), await lab.context.audited()]);
  expect(rows).not.toContain('8005550177');
});

test('a neighbour that staff reports of a silent provider is asked in its place', async () => {
  const tracebackId = await openAt('na');
  await lab.pass(60);
  expect(await outcomesOf('na')).toMatchObject([{ state: 'unanswered' }]);
  const report = {
    reportId: 'r-1',
    provider: { providerId: 'prv-nb', name: 'Example nb' },
    sentTo: { providerId: 'prv-na', name: 'Example na' },
  };
  expect(await orderedBy('reportNeighbour', tracebackId, report)).toMatchObject({ kind: 'json' });
  await lab.answer('nb', { arm: 'origin', customer: { customerId: 'C-9' } });
  expect(await shown(tracebackId)).toMatchObject({ outcome: 'origin' });
  expect(await outcomesOf('nb')).toMatchObject([{ role: 'origin', hop: 2 }]);
});

test('a notice is issued once, answered by its provider alone, and counts as answered in the order of its responses', async () => {
  const issue = {
    ...{ providerId: 'prv-ma', reference: 'EB-2026-7', description: 'Calls that pretend to be of an office.' },
    ...{ calls: [openingOf().call], tracebackIds: [] },
  };
  const issued = await lab.value<FccNotice>('issueNotice', STAFF, { body: issue });
  expect(await lab.value('issueNotice', STAFF, { body: issue })).toEqual(issued);
  expect(Date.parse(issued.mitigationDueAt) - Date.parse(issued.issuedAt)).toBeGreaterThanOrEqual(48 * 3_600_000);
  const events = (await lab.context.events()).filter(({ type }) => type === 'org.hopback.notice.issued.1');
  expect(events.map(({ audience }) => audience)).toEqual([['prv-ma']]);
  const { noticeId } = issued;
  const response = (responseId: string, kind: string, statement = 'We stopped it.') => ({
    ...{ format: 'hopback.notice-response.1', responseId, kind, respondedAt: '2026-02-04T15:00:00Z' },
    ...{ finding: 'traffic-illegal', statement, measures: [], sources: [] },
  });
  const respond = (letter: string, body: unknown) =>
    lab.call('respondToNotice', carrier(letter), { parameters: { noticeId }, body });
  const stateAfter = async (body: unknown) => {
    const answer = await respond('ma', body);
    return answer.kind === 'json' ? (answer.value as FccNotice).state : answer;
  };
  expect(await respond('mb', response('x', 'report'))).toMatchObject({ code: 'not-found' });
  expect(await stateAfter(response('one', 'mitigation'))).toBe('mitigation-stated');
  expect(await stateAfter(response('one', 'mitigation'))).toBe('mitigation-stated');
  expect(await stateAfter(response('one', 'mitigation', 'Another.'))).toMatchObject({ code: 'conflict' });
  expect(await stateAfter(response('two', 'report'))).toBe('reported');
  const listed = await lab.value<{ items: FccNotice[] }>('listNotices', carrier('ma'));
  expect(listed.items.map(({ responses }) => responses.map(({ responseId }) => responseId))).toEqual([['one', 'two']]);
  expect(await lab.value('listNotices', carrier('mb'))).toMatchObject({ items: [] });
  const withdrawn = { parameters: { noticeId }, body: { reason: 'settled' } };
  expect(await lab.value('withdrawNotice', STAFF, withdrawn)).toMatchObject({ state: 'withdrawn' });
  expect(await respond('ma', response('three', 'report'))).toMatchObject({ code: 'conflict' });
});

test('answers that come at once are taken in together, and one that cannot be does not spoil the others', async () => {
  const ids: string[] = [];
  for (const letter of ['ga', 'gb', 'gc', 'gd']) ids.push(await openAt(letter));
  const requests = new Map<string, TracebackRequest>();
  for (const letter of ['ga', 'gb', 'gc', 'gd']) requests.set(letter, await lab.requestTo(letter));
  // Signed before, so that they come at once.
  const submission = async (letter: string, finding: TracebackFinding, more: Partial<TracebackAnswer> = {}) => {
    const request = requests.get(letter)!;
    const body = { answer: await signed(answerFor(request, finding, more), letter) };
    return { by: carrier(letter), call: { parameters: { requestId: request.requestId }, body } };
  };
  const twice = await submission('gb', from('gy'));
  const submissions = [
    await submission('ga', from('gx')),
    twice,
    // Of another traceback.
    await submission('gc', from('gz'), { tracebackId: 't-other' }),
    // Nobody is known whom it was not sent to.
    await submission('gd', { arm: 'not-sent-to-downstream', downstream: { name: 'Example gz' } }),
    // The same once more.
    twice,
  ];
  const before = lab.context.transactionCounts().committed;
  const answers = await Promise.all(submissions.map(({ by, call }) => lab.call('answerTracebackRequest', by, call)));
  expect(answers.map((answer) => (answer.kind === 'problem' ? answer.code : answer.kind))).toEqual([
    ...['json', 'json', 'answer-mismatch', 'answer-mismatch', 'json'],
  ]);
  expect(answers[4]).toEqual(answers[1]);
  expect(lab.context.transactionCounts().committed - before).toBeLessThan(answers.length);
  for (const letter of ['gx', 'gy']) expect(await lab.requestTo(letter)).toMatchObject({ hop: 2 });
  expect((await shown(ids[2] ?? '')).hops).toMatchObject([{ state: 'asked' }]);
});

test('tracebacks that are opened at once ask a provider once about the same call', async () => {
  const [one, two] = await Promise.all([openAt('pa', '+13125559001'), openAt('pa', '+13125559001')]);
  const page = await lab.value<{ items: unknown[] }>('listTracebackRequests', carrier('pa'));
  expect(page.items).toHaveLength(1);
  await lab.answer('pa', { arm: 'origin', customer: { customerId: 'C-3' } });
  for (const id of [one, two]) expect(await shown(id)).toMatchObject({ outcome: 'origin', hops: [{ arm: 'origin' }] });
  const told = (await lab.context.events()).filter(({ audience }) => audience.includes('prv-pa'));
  expect(told.map(({ type }) => type.split('.').slice(2, 4).join('.')).toSorted()).toEqual([
    ...['traceback-answer.received', 'traceback-request.created', 'traceback.updated'],
  ]);
  expect(await outcomesOf('pa')).toMatchObject([{ state: 'answered', role: 'origin' }]);
});

test('of a provider that two tracebacks ask together it is said once that it is late, by the one that is left', async () => {
  const toldTo = async (provider: string) =>
    (await lab.context.events())
      .filter(({ audience, subject }) => audience.includes(provider) || subject === provider)
      .map(({ type }) => type.replace(/^org\.hopback\.traceback-request\.|\.1$/g, ''))
      .filter((type) => !type.startsWith('org.'));
  await openAt('oa', '+13125559002');
  await openAt('oa', '+13125559002');
  const first = await openAt('ob', '+13125559003');
  await openAt('ob', '+13125559003');
  const { requestId } = await lab.requestTo('ob');
  expect(await orderedBy('withdrawTraceback', first, { reason: 'a mistake' })).toMatchObject({ kind: 'json' });
  // The deadline is that of the next business day, and the time of grace comes after it.
  for (let hours = 0; hours < 130; hours += 1) await lab.pass(1);
  const once = ['created', 'reminded', 'reminded', 'overdue', 'provider.responsiveness'];
  expect(await toldTo('prv-oa')).toEqual(once);
  expect(await toldTo('prv-ob')).toEqual(once);
  const late = (await lab.context.events()).filter(({ subject }) => subject === 'prv-ob');
  expect(late.map(({ data }) => data)).toEqual([{ providerId: 'prv-ob', requestId, isNonResponsive: true }]);
});

test('tracebacks that were opened in a stretch of time are given by that time, and no others', async () => {
  const fromMs = lab.context.clock.nowMs() + 1;
  lab.context.clock.advance(1_000);
  const opened = [await openAt('ta'), await openAt('tb')];
  const ids: string[] = [];
  const range = { fromMs, toMs: lab.context.clock.nowMs() + 1 };
  for await (const id of lab.area.desk.openedBetween(lab.context.database, range)) ids.push(id);
  expect(ids).toEqual(opened);
});
