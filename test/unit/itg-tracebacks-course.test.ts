import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Traceback } from '../../sdk/src/platform/index.js';
import { CALLED, carrier, createTracebacksLab, from, STAFF } from '../support/itg-tracebacks.js';

const ORIGIN = { arm: 'origin', customer: { customerId: 'customer-7' } } as const;

test('goes from hop to hop to the origin, and tells each provider and staff what concerns them', async () => {
  await using lab = await createTracebacksLab();
  const tracebackId = await lab.open();
  expect((await lab.requestTo('a')).call.called).toBe(CALLED);
  expect(await lab.answer('a', from('b'))).toMatchObject({ kind: 'json' });
  const second = await lab.requestTo('b');
  expect(second).toMatchObject({ hop: 2, downstream: { providerId: 'prv-a' }, call: { callId: 'in-1@example' } });
  await lab.answer('b', from('c'));
  await lab.answer('c', ORIGIN);
  const shown = await lab.value<Traceback>('fetchTraceback', STAFF, { parameters: { tracebackId } });
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

test('shows a provider its own hop and the hand-overs that it took part in, and nothing of those beyond', async () => {
  await using lab = await createTracebacksLab();
  const tracebackId = await lab.open();
  await lab.answer('a', from('b'));
  await lab.answer('b', from('c'));
  await lab.answer('c', from('d'));
  const seen = async (letter: string) =>
    JSON.stringify(await lab.value('fetchTraceback', carrier(letter), { parameters: { tracebackId } }));
  expect(await seen('a')).not.toMatch(/prv-[cd]|Example [cd]/);
  expect(await seen('b')).toMatch(/prv-a.*prv-c/);
  expect(await seen('b')).not.toMatch(/prv-d|Example d/);
  expect(await seen('c')).not.toMatch(/prv-a|Example a/);
  expect(await lab.call('fetchTraceback', carrier('z'), { parameters: { tracebackId } })).toMatchObject({
    code: 'not-found',
  });
});

test('has no telephone number in the database but sealed', async () => {
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

test('gives the same receipt for the same answer, and refuses what the contract refuses', async () => {
  await using lab = await createTracebacksLab();
  await lab.open();
  const request = await lab.requestTo('a');
  const first = await lab.answer('a', from('b'), { request });
  const submit = (body: unknown) =>
    lab.call('answerTracebackRequest', carrier('a'), { parameters: { requestId: request.requestId }, body });
  expect(await lab.answer('a', ORIGIN, { request })).toMatchObject({ code: 'conflict' });
  expect(await lab.answer('a', ORIGIN, { request, answerId: 'x' })).toMatchObject({ code: 'answer-out-of-sequence' });
  expect(await lab.answer('a', ORIGIN, { request, answerId: 'x', tracebackId: 't-other' })).toMatchObject({
    code: 'answer-mismatch',
  });
  expect(await submit({ answer: 'a.b.c' })).toMatchObject({ code: 'answer-signature-invalid' });
  const amends = { answerId: `${request.requestId}.1`, reason: 'a wrong trunk' };
  const amended = { request, answerId: 'x', revision: 2, amends };
  expect(await lab.answer('a', from('c'), amended)).toMatchObject({ kind: 'json' });
  expect((await lab.requestTo('c')).hop).toBe(2);
  expect(
    await lab.value('fetchAnswerReceipt', carrier('a'), {
      parameters: { requestId: request.requestId, answerId: `${request.requestId}.1` },
    }),
  ).toEqual(first.kind === 'json' && first.value);
  expect(
    await lab.call('fetchTracebackRequest', carrier('b'), { parameters: { requestId: request.requestId } }),
  ).toMatchObject({ code: 'not-found' });
});

test('asks a provider once about a call that two tracebacks lead to, and its answer leads both on', async () => {
  await using lab = await createTracebacksLab();
  const [one, two] = [await lab.open(), await lab.open()];
  await lab.answer('a', from('b'));
  await lab.answer('b', ORIGIN);
  for (const tracebackId of [one, two])
    expect(await lab.value('fetchTraceback', STAFF, { parameters: { tracebackId } })).toMatchObject({
      outcome: 'origin',
      state: 'closed',
    });
  const events = await lab.context.events();
  expect(events.filter(({ type }) => type.includes('request.created'))).toHaveLength(2);
  expect(await lab.call('fetchTraceback', carrier('a'), { parameters: { tracebackId: two } })).toMatchObject({
    code: 'not-found',
  });
});

test('a request that another traceback joined is cancelled when neither wants it any more', async () => {
  await using lab = await createTracebacksLab();
  const [one, two] = [await lab.open(), await lab.open()];
  const { requestId } = await lab.requestTo('a');
  const withdraw = (tracebackId: string) =>
    lab.value('withdrawTraceback', STAFF, { parameters: { tracebackId }, body: { reason: 'a mistake' } });
  const state = async () =>
    lab.value<{ state: string }>('fetchTracebackRequest', carrier('a'), { parameters: { requestId } });
  await withdraw(one);
  expect(await state()).toMatchObject({ state: 'open' });
  await withdraw(two);
  expect(await state()).toMatchObject({ state: 'cancelled' });
});

test('reminds, tells of the deadline, and marks a silent provider, each once', async () => {
  await using lab = await createTracebacksLab();
  const tracebackId = await lab.open();
  for (let hour = 0; hour < 60; hour += 1) await lab.pass(1);
  const events = await lab.context.events();
  const count = (part: string) => events.filter(({ type }) => type.includes(part)).length;
  expect([count('reminded'), count('overdue'), count('provider.responsiveness')]).toEqual([2, 1, 1]);
  expect(await lab.value('fetchTraceback', STAFF, { parameters: { tracebackId } })).toMatchObject({
    state: 'open',
    outcome: 'non-responsive',
  });
  const waiting = await lab.value<{ items: { items: { kind: string; outcomeKey?: string }[] }[] }>(
    'listWaiting',
    STAFF,
  );
  const [item] = waiting.items[0]?.items ?? [];
  expect(item).toMatchObject({ kind: 'stalled', outcome: 'non-responsive' });
  const body = { outcomeKey: item?.outcomeKey };
  expect(await lab.value('acceptOutcome', STAFF, { parameters: { tracebackId }, body })).toMatchObject({
    state: 'closed',
  });
  expect(await lab.answer('a', from('b'))).toMatchObject({ kind: 'json' });
  expect(await lab.requestTo('b')).toMatchObject({ hop: 2 });
});
