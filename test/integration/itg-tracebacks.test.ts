import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FccNotice } from '../../sdk/src/platform/index.js';
import type { TracebackAnswer, TracebackFinding, TracebackRequest } from '../../sdk/src/traceback/index.js';
import type { RequestOutcome } from '../../harness/src/platform/core/index.js';
import type { WaitingPage } from '../../harness/src/platform/tracebacks/index.js';
import { codeOf, STAFF, valueOf } from '../support/itg-calls.js';
import { CALLED, carrier, createTracebacksLab, from, openingOf, signed } from '../support/itg-tracebacks.js';
import type { TracebacksLab } from '../support/itg-tracebacks.js';

const ORIGIN = { arm: 'origin', customer: { customerId: 'customer-7' } } as const;

test('a traceback goes from hop to hop to the origin, and its events reach each provider and staff', async () => {
  await using lab = await createTracebacksLab();
  const tracebackId = await lab.open();
  expect((await lab.requestTo('a')).call.called).toBe(CALLED);
  expect(await lab.answer('a', from('b'))).toMatchObject({ kind: 'json' });
  const second = await lab.requestTo('b');
  expect(second).toMatchObject({ hop: 2, downstream: { providerId: 'prv-a' }, call: { callId: 'in-1@example' } });
  await lab.answer('b', from('c'));
  await lab.answer('c', ORIGIN);
  const shown = await lab.shown(tracebackId);
  expect(shown).toMatchObject({ state: 'closed', outcome: 'origin' });
  expect(shown.hops.map(({ provider }) => provider.providerId)).toEqual(['prv-a', 'prv-b', 'prv-c']);
  const events = await lab.context.events();
  const told = (type: string) => events.filter((event) => event.type.includes(type)).map(({ audience }) => audience);
  expect(told('traceback-request.created')).toEqual([['prv-a'], ['prv-b'], ['prv-c']]);
  expect(told('traceback.updated')).toEqual([['itg'], ['prv-a'], ['prv-b'], ['prv-c']]);
  expect(events.filter(({ type }) => type === 'traceback.concluded').map(({ data }) => data)).toEqual([
    { tracebackId, campaignId: 'c-1', isFinal: true },
  ]);
  const actions = (await lab.context.audited()).map(({ action }) => action);
  expect(actions.filter((action) => action === 'answer.received')).toHaveLength(3);
});

test('a provider sees its own hop and the hand-overs that it took part in, and no others', async () => {
  await using lab = await createTracebacksLab();
  const tracebackId = await lab.open();
  await lab.answer('a', from('b'));
  await lab.answer('b', from('c'));
  await lab.answer('c', from('d'));
  const seen = async (letter: string) =>
    JSON.stringify(await lab.value('fetchTraceback', carrier(letter), { tracebackId }));
  expect(await seen('a')).not.toMatch(/prv-[cd]|Example [cd]/);
  expect(await seen('b')).toMatch(/prv-a.*prv-c/);
  expect(await seen('b')).not.toMatch(/prv-d|Example d/);
  expect(await seen('c')).not.toMatch(/prv-a|Example a/);
  expect(await lab.refusal('fetchTraceback', carrier('z'), { tracebackId })).toBe('not-found');
});

test('the database has telephone numbers only sealed', async () => {
  await using lab = await createTracebacksLab();
  await lab.open();
  await lab.answer('a', { arm: 'received-from-unlisted', upstream: { name: 'Nobody', telephone: '+13125550111' } });
  // It joins the request that is answered already.
  await lab.open();
  const { rows } = await sql<{ text: string }>`
    select string_agg(t::text, ' ') as text from (
      select to_jsonb(s) as t from tracebacks_states s union all select to_jsonb(r) from tracebacks_requests r
      union all select to_jsonb(a) from tracebacks_answers a union all select to_jsonb(e) from core_events e
      union all select to_jsonb(u) from core_audit u
    ) as everything`.execute(lab.context.database);
  expect(rows[0]?.text).toContain('traceback-request.created');
  for (const number of ['2025550143', '3035550199', '3125550111']) expect(rows[0]?.text).not.toContain(number);
});

test('an answer has one receipt, and an answer that the contract rules out is refused', async () => {
  await using lab = await createTracebacksLab();
  await lab.open();
  const request = await lab.requestTo('a');
  const first = await lab.answer('a', from('b'), { request });
  const { requestId } = request;
  const refusal = async (more: object) => codeOf(await lab.answer('a', ORIGIN, { request, ...more }));
  expect(await refusal({})).toBe('conflict');
  expect(await refusal({ answerId: 'x' })).toBe('answer-out-of-sequence');
  expect(await refusal({ answerId: 'x', tracebackId: 't-other' })).toBe('answer-mismatch');
  expect(await lab.refusal('answerTracebackRequest', carrier('a'), { requestId }, { answer: 'a.b.c' })).toBe(
    'answer-signature-invalid',
  );
  const amends = { answerId: `${requestId}.1`, reason: 'a wrong trunk' };
  const amended = { request, answerId: 'x', revision: 2, amends };
  expect(await lab.answer('a', from('c'), amended)).toMatchObject({ kind: 'json' });
  expect((await lab.requestTo('c')).hop).toBe(2);
  const receipt = await lab.value('fetchAnswerReceipt', carrier('a'), { requestId, answerId: amends.answerId });
  expect(receipt).toEqual(valueOf(first));
  expect(await lab.refusal('fetchTracebackRequest', carrier('b'), { requestId })).toBe('not-found');
});

test('a provider is asked once about a call that two tracebacks lead to, and its answer continues both', async () => {
  await using lab = await createTracebacksLab();
  const [one, two] = [await lab.open(), await lab.open()];
  await lab.answer('a', from('b'));
  await lab.answer('b', ORIGIN);
  for (const tracebackId of [one, two])
    expect(await lab.shown(tracebackId)).toMatchObject({ outcome: 'origin', state: 'closed' });
  const events = await lab.context.events();
  expect(events.filter(({ type }) => type.includes('request.created'))).toHaveLength(2);
  expect(await lab.refusal('fetchTraceback', carrier('a'), { tracebackId: two })).toBe('not-found');
});

test('a request that two tracebacks share is cancelled when both are withdrawn', async () => {
  await using lab = await createTracebacksLab();
  const [one, two] = [await lab.open(), await lab.open()];
  const { requestId } = await lab.requestTo('a');
  const withdraw = (tracebackId: string) =>
    lab.value('withdrawTraceback', STAFF, { tracebackId }, { reason: 'a mistake' });
  const state = () => lab.value('fetchTracebackRequest', carrier('a'), { requestId });
  await withdraw(one);
  expect(await state()).toMatchObject({ state: 'open' });
  await withdraw(two);
  expect(await state()).toMatchObject({ state: 'cancelled' });
});

test('a silent provider is reminded, notified of the deadline and marked, each once', async () => {
  await using lab = await createTracebacksLab();
  const tracebackId = await lab.open();
  for (let hour = 0; hour < 60; hour += 1) await lab.pass(1);
  const events = await lab.context.events();
  const count = (part: string) => events.filter(({ type }) => type.includes(part)).length;
  expect([count('reminded'), count('overdue'), count('provider.responsiveness')]).toEqual([2, 1, 1]);
  expect(await lab.shown(tracebackId)).toMatchObject({ state: 'open', outcome: 'non-responsive' });
  const { items } = await lab.value<WaitingPage>('listWaiting', STAFF);
  const [item] = items[0]?.items ?? [];
  expect(item).toMatchObject({ kind: 'stalled', outcome: 'non-responsive' });
  const body = { outcomeKey: item?.kind === 'stalled' ? item.outcomeKey : '' };
  expect(await lab.value('acceptOutcome', STAFF, { tracebackId }, body)).toMatchObject({ state: 'closed' });
  expect(await lab.answer('a', from('b'))).toMatchObject({ kind: 'json' });
  expect(await lab.requestTo('b')).toMatchObject({ hop: 2 });
});

// To open a database takes seconds: the tests from here on share one, and have providers and calls of their own.
let shared: TracebacksLab;
let calls = 0;
beforeAll(async () => {
  shared = await createTracebacksLab();
});
afterAll(() => shared[Symbol.asyncDispose]());

/** Opens a traceback of a call of its own that a provider delivered. */
function openAt(letter: string, called = `+1312555${String(1_000 + (calls += 1))}`): Promise<string> {
  const { call, ...opening } = openingOf();
  return shared.open({
    ...{ ...opening, call: { ...call, called } },
    firstProvider: { providerId: `prv-${letter}`, name: `Example ${letter}` },
  });
}

const waitsFor = async (tracebackId: string) => {
  const { items } = await shared.value<WaitingPage>('listWaiting', STAFF, { limit: '500' });
  return items.find((one) => one.tracebackId === tracebackId)?.items ?? [];
};
const ordered = (operationId: string, tracebackId: string, body: unknown) =>
  shared.refusal(operationId, STAFF, { tracebackId }, body);

async function outcomesOf(letter: string): Promise<readonly RequestOutcome[]> {
  const range = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, providerId: `prv-${letter}` };
  const outcomes: RequestOutcome[] = [];
  for await (const one of shared.area.desk.requestOutcomes(shared.context.database, range)) outcomes.push(one);
  return outcomes;
}

test('staff decides a dispute, and the request of the provider that was right is no longer counted as disputed', async () => {
  const tracebackId = await openAt('da');
  await shared.answer('da', from('db'));
  const { downstream } = await shared.requestTo('db');
  if (downstream === undefined) throw new Error('no downstream');
  await shared.answer('db', { arm: 'not-sent-to-downstream', downstream });
  const dispute = (await waitsFor(tracebackId)).find(({ kind }) => kind === 'dispute');
  if (dispute?.kind !== 'dispute') throw new Error('nothing is disputed');
  expect(dispute.parties.map(({ providerId }) => providerId)).toEqual(['prv-da', 'prv-db']);
  expect(await outcomesOf('da')).toMatchObject([{ isDisputed: true, arm: 'received-from' }]);
  expect(await outcomesOf('db')).toMatchObject([{ isDisputed: true, arm: 'not-sent-to-downstream' }]);
  const { disputeId } = dispute;
  const ruling = { disputeId, ruling: 'downstream-stands', reason: 'Its record shows the hand-over.' };
  expect(await ordered('decideDispute', tracebackId, { ...ruling, disputeId: 'none' })).toBe('conflict');
  expect(await ordered('decideDispute', tracebackId, ruling)).toBe('json');
  expect(await shared.shown(tracebackId)).toMatchObject({ state: 'closed', outcome: 'disputed' });
  expect(await waitsFor(tracebackId)).toEqual([]);
  expect(await outcomesOf('da')).toMatchObject([{ isDisputed: false }]);
  expect(await outcomesOf('db')).toMatchObject([{ isDisputed: true }]);
  const decided = (await shared.context.audited()).filter(({ action }) => action === 'dispute.decided');
  expect(decided).toMatchObject([{ actor: 'client-itg', object: `traceback:${tracebackId}` }]);
});

test('the provider that serves a call-back number is found by a traceback of its own, which is opened once', async () => {
  const tracebackId = await openAt('fa');
  const body = {
    ...{ forwardId: 'f-1', number: '+18005550177' },
    firstProvider: { providerId: 'prv-fb', name: 'Example fb' },
  };
  const forward = () => shared.value<{ tracebackId: string }>('traceForward', STAFF, { tracebackId }, body);
  const { tracebackId: forwardId } = await forward();
  expect(await forward()).toEqual({ tracebackId: forwardId });
  expect(await shared.requestTo('fb')).toMatchObject({ direction: 'forward', call: { called: '+18005550177' } });
  await shared.answer('fb', { arm: 'number-served-by', provider: { providerId: 'prv-fc', name: 'Example fc' } });
  await shared.answer('fc', { arm: 'serves-number', customer: { customerId: 'C-7' } });
  expect(await shared.shown(forwardId)).toMatchObject({
    direction: 'forward',
    state: 'closed',
    outcome: 'serves-number',
  });
  expect(await shared.shown(tracebackId)).toMatchObject({ direction: 'back', state: 'open' });
  expect(await ordered('traceForward', 't-none', body)).toBe('not-found');
  const rows = JSON.stringify([await shared.context.events(), await shared.context.audited()]);
  expect(rows).not.toContain('8005550177');
});

test('a neighbour that staff reports of a silent provider is asked in its place', async () => {
  const tracebackId = await openAt('na');
  await shared.pass(60);
  expect(await outcomesOf('na')).toMatchObject([{ state: 'unanswered' }]);
  const report = {
    reportId: 'r-1',
    provider: { providerId: 'prv-nb', name: 'Example nb' },
    sentTo: { providerId: 'prv-na', name: 'Example na' },
  };
  expect(await ordered('reportNeighbour', tracebackId, report)).toBe('json');
  await shared.answer('nb', { arm: 'origin', customer: { customerId: 'C-9' } });
  expect(await shared.shown(tracebackId)).toMatchObject({ outcome: 'origin' });
  expect(await outcomesOf('nb')).toMatchObject([{ role: 'origin', hop: 2 }]);
});

test('a notice is issued once, answered by its provider alone, and counts as answered in the order of its responses', async () => {
  const issue = {
    ...{ providerId: 'prv-ma', reference: 'EB-2026-7', description: 'Calls that pretend to be of an office.' },
    ...{ calls: [openingOf().call], tracebackIds: [] },
  };
  const issued = await shared.value<FccNotice>('issueNotice', STAFF, {}, issue);
  expect(await shared.value('issueNotice', STAFF, {}, issue)).toEqual(issued);
  expect(Date.parse(issued.mitigationDueAt) - Date.parse(issued.issuedAt)).toBeGreaterThanOrEqual(48 * 3_600_000);
  const events = (await shared.context.events()).filter(({ type }) => type === 'org.hopback.notice.issued.1');
  expect(events.map(({ audience }) => audience)).toEqual([['prv-ma']]);
  const { noticeId } = issued;
  const response = (responseId: string, kind: string, statement = 'We stopped it.') => ({
    ...{ format: 'hopback.notice-response.1', responseId, kind, respondedAt: '2026-02-04T15:00:00Z' },
    ...{ finding: 'traffic-illegal', statement, measures: [], sources: [] },
  });
  const respond = (letter: string, body: unknown) =>
    shared.call('respondToNotice', carrier(letter), { parameters: { noticeId }, body });
  const stateAfter = async (body: unknown) => {
    const answer = await respond('ma', body);
    return answer.kind === 'json' ? (answer.value as FccNotice).state : codeOf(answer);
  };
  expect(await respond('mb', response('x', 'report'))).toMatchObject({ code: 'not-found' });
  expect(await stateAfter(response('one', 'mitigation'))).toBe('mitigation-stated');
  expect(await stateAfter(response('one', 'mitigation'))).toBe('mitigation-stated');
  expect(await stateAfter(response('one', 'mitigation', 'Another.'))).toBe('conflict');
  expect(await stateAfter(response('two', 'report'))).toBe('reported');
  const listed = await shared.value<{ items: FccNotice[] }>('listNotices', carrier('ma'));
  expect(listed.items.map(({ responses }) => responses.map(({ responseId }) => responseId))).toEqual([['one', 'two']]);
  expect(await shared.value('listNotices', carrier('mb'))).toMatchObject({ items: [] });
  const withdrawn = await shared.value('withdrawNotice', STAFF, { noticeId }, { reason: 'settled' });
  expect(withdrawn).toMatchObject({ state: 'withdrawn' });
  expect(await respond('ma', response('three', 'report'))).toMatchObject({ code: 'conflict' });
  const newer = await shared.value<FccNotice>('issueNotice', STAFF, {}, { ...issue, reference: 'EB-2026-8' });
  const { items } = await shared.value<{ items: FccNotice[] }>('listNotices', carrier('ma'));
  expect(items.map((notice) => notice.noticeId)).toEqual([newer.noticeId, noticeId]);
});

test('answers that come at once are stored together, and one that is refused does not affect the others', async () => {
  const ids: string[] = [];
  const requests = new Map<string, TracebackRequest>();
  for (const letter of ['ga', 'gb', 'gc', 'gd']) {
    ids.push(await openAt(letter));
    requests.set(letter, await shared.requestTo(letter));
  }
  // Signed before, so that they come at once.
  const submission = async (letter: string, finding: TracebackFinding, more: Partial<TracebackAnswer> = {}) => {
    const request = requests.get(letter)!;
    const body = { answer: await signed(request, finding, letter, more) };
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
  const before = shared.context.transactionCounts().committed;
  const answers = await Promise.all(submissions.map(({ by, call }) => shared.call('answerTracebackRequest', by, call)));
  expect(answers.map(codeOf)).toEqual(['json', 'json', 'answer-mismatch', 'answer-mismatch', 'json']);
  expect(answers[4]).toEqual(answers[1]);
  expect(shared.context.transactionCounts().committed - before).toBeLessThan(answers.length);
  for (const letter of ['gx', 'gy']) expect(await shared.requestTo(letter)).toMatchObject({ hop: 2 });
  expect((await shared.shown(ids[2] ?? '')).hops).toMatchObject([{ state: 'asked' }]);
});

test('tracebacks that are opened at once ask a provider once about the same call', async () => {
  const [one, two] = await Promise.all([openAt('pa', '+13125559001'), openAt('pa', '+13125559001')]);
  const page = await shared.value<{ items: unknown[] }>('listTracebackRequests', carrier('pa'));
  expect(page.items).toHaveLength(1);
  await shared.answer('pa', { arm: 'origin', customer: { customerId: 'C-3' } });
  for (const id of [one, two])
    expect(await shared.shown(id)).toMatchObject({ outcome: 'origin', hops: [{ arm: 'origin' }] });
  const told = (await shared.context.events()).filter(({ audience }) => audience.includes('prv-pa'));
  expect(told.map(({ type }) => type.split('.').slice(2, 4).join('.')).toSorted()).toEqual([
    ...['traceback-answer.received', 'traceback-request.created', 'traceback.updated'],
  ]);
  expect(await outcomesOf('pa')).toMatchObject([{ state: 'answered', role: 'origin' }]);
});

test('a provider that two tracebacks ask together is reported late once, also when one of them is withdrawn', async () => {
  const toldTo = async (provider: string) =>
    (await shared.context.events())
      .filter(({ audience, subject }) => audience.includes(provider) || subject === provider)
      .map(({ type }) => type.replace(/^org\.hopback\.traceback-request\.|\.1$/g, ''))
      .filter((type) => !type.startsWith('org.'));
  await openAt('oa', '+13125559002');
  await openAt('oa', '+13125559002');
  const first = await openAt('ob', '+13125559003');
  await openAt('ob', '+13125559003');
  const { requestId } = await shared.requestTo('ob');
  expect(await ordered('withdrawTraceback', first, { reason: 'a mistake' })).toBe('json');
  // The deadline is that of the next business day, and the time of grace comes after it.
  for (let hours = 0; hours < 130; hours += 1) await shared.pass(1);
  const once = ['created', 'reminded', 'reminded', 'overdue', 'provider.responsiveness'];
  expect(await toldTo('prv-oa')).toEqual(once);
  expect(await toldTo('prv-ob')).toEqual(once);
  const late = (await shared.context.events()).filter(({ subject }) => subject === 'prv-ob');
  expect(late.map(({ data }) => data)).toEqual([{ providerId: 'prv-ob', requestId, isNonResponsive: true }]);
});

test('tracebacks are found by the time at which they were opened', async () => {
  const fromMs = shared.context.clock.nowMs() + 1;
  shared.context.clock.advance(1_000);
  const opened = [await openAt('ta'), await openAt('tb')];
  const ids: string[] = [];
  const range = { fromMs, toMs: shared.context.clock.nowMs() + 1 };
  for await (const id of shared.area.desk.openedBetween(shared.context.database, range)) ids.push(id);
  expect(ids).toEqual(opened);
});
