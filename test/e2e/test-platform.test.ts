import { gzipSync } from 'node:zlib';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import {
  bearerToken,
  createHttpsRecordTransport,
  PlatformClient,
  createTlsFetch,
  privateKeyJwt,
  WIRE_EXAMPLES,
} from '@hopback/sdk/platform';
import { ManualClock, TestPki, TestPlatform } from '@hopback/sdk/testing';
import { createLocalAnswerSigner, createReceiptVerifier, signAnswer } from '@hopback/sdk/traceback';
import type { TracebackAnswer, TracebackFinding, TracebackRequest } from '@hopback/sdk/traceback';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { clientOf, PLATFORM_BINDINGS, problemOf, receiving } from '../support/platform-bindings.js';

const CEDAR: TracebackFinding = { arm: 'received-from', upstream: { providerId: 'prv-cedar', name: 'Cedar' } };

function answerTo({ requestId, tracebackId, provider }: TracebackRequest, finding: TracebackFinding): TracebackAnswer {
  return {
    format: 'hopback.traceback-answer.1',
    answerId: `a-${requestId}`,
    ...{ requestId, tracebackId, provider },
    revision: 1,
    answeredAt: '2026-11-02T12:00:00Z',
    answeredBy: { kind: 'automatic', policyId: 'test' },
    finding,
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 1 },
  };
}

async function signed(platform: TestPlatform, answer: TracebackAnswer, as = 'prv-birch'): Promise<string> {
  return signAnswer(answer, await createLocalAnswerSigner(platform.credentials(as).answerKey));
}

describe.each(PLATFORM_BINDINGS)('a test platform over $name', ({ start }) => {
  test('a carrier walks a traceback through, with tokens for its key', async () => {
    await using platform = await start();
    const { client: credential } = platform.credentials('prv-birch');
    const client = new PlatformClient({ baseUrl: platform.baseUrl, authorization: await privateKeyJwt(credential) });
    const tracebackId = platform.openTraceback();
    const { requestId } = await platform.requestTo('prv-birch', tracebackId);

    const { items } = await client.tracebackRequests.list();
    expect(items.map((status) => status.request.requestId)).toEqual([requestId]);
    const { request } = await client.tracebackRequests.retrieve({ requestId });
    expect(request).toMatchObject({
      hop: 2,
      downstream: { providerId: 'prv-alder' },
      provider: { providerId: 'prv-birch' },
    });
    const receivedAt = '2026-11-02T12:00:00Z';
    expect((await client.tracebackRequests.acknowledge({ requestId, receivedAt })).state).toBe('acknowledged');

    const answer = await signed(platform, answerTo(request, CEDAR));
    const receipt = await client.tracebackRequests.answer({ requestId, answer });
    const verify = createReceiptVerifier(platform.keys);
    const { answerId } = receipt;
    expect(await verify(receipt.receipt)).toMatchObject({ status: 'verified', answerId });
    expect(await client.tracebackRequests.receipt({ requestId, answerId })).toEqual(receipt);
    // Of another process, under another key: the same bytes are the same answer.
    expect(await client.tracebackRequests.answer({ requestId, answer }, { idempotencyKey: 'other' })).toEqual(receipt);

    const whole = await platform.closed(tracebackId);
    expect(whole).toMatchObject({ state: 'closed', outcome: 'point-of-entry' });
    expect(whole.hops.map(({ provider, arm }) => [provider.providerId, arm])).toEqual([
      ['prv-alder', 'received-from'],
      ['prv-birch', 'received-from'],
      ['prv-cedar', 'point-of-entry'],
    ]);
    expect((await client.tracebackRequests.list({ state: 'open' })).items).toEqual([]);
    expect((await client.tracebackRequests.list({ state: 'answered' })).items).toHaveLength(1);
    expect((await platform.answered(requestId)).jws).toBe(answer);
    // As on the reference platform: what it came to beyond the next provider is not for this one.
    const shown = await client.tracebacks.retrieve({ tracebackId });
    expect(shown).toMatchObject({ state: 'closed', hops: [{}, { arm: 'received-from' }, { state: 'answered' }] });
    expect(shown).not.toHaveProperty('outcome');
    expect(shown.hops[2]).not.toHaveProperty('arm');
  });

  test('the upstream of a hop is shown to the two sides of the hand-off alone', async () => {
    await using platform = await start();
    const tracebackId = platform.openTraceback();
    const { requestId } = await platform.requestTo('prv-birch', tracebackId);
    await platform.answerAs(requestId, CEDAR);
    await platform.closed(tracebackId);
    const shownTo = async (clientId: string) =>
      (await clientOf(platform, clientId).tracebacks.retrieve({ tracebackId })).hops.map(
        ({ provider, upstream }) => `${provider.providerId} ${upstream?.providerId ?? '-'}`,
      );
    expect(await shownTo('prv-alder')).toEqual(['prv-alder prv-birch', 'prv-birch -']);
    expect(await shownTo('prv-birch')).toEqual(['prv-alder prv-birch', 'prv-birch prv-cedar', 'prv-cedar -']);
    expect(await shownTo('prv-cedar')).toEqual(['prv-birch prv-cedar', 'prv-cedar -']);
  });

  test('webhooks are signed, and tried again while they fail', async () => {
    const clock = new ManualClock();
    await using platform = await start({ clock });
    await using receiver = await receiving(clock, [503, 302]);
    const endpoint = platform.addWebhookEndpoint('prv-birch', { url: receiver.url });
    receiver.secrets.push(endpoint.secret);
    const { requestId } = platform.issueRequest('prv-birch');
    for (const [index, waitMs] of [0, 5_000, 300_000].entries()) {
      clock.advance(waitMs);
      await platform.until(() => platform.webhookAttempts()[index]);
    }
    expect(platform.webhookAttempts().map(({ status, attempt }) => [attempt, status])).toEqual([
      [1, 503],
      [2, 302],
      [3, 204],
    ]);
    expect(receiver.events.map(({ subject }) => subject)).toEqual([requestId]);
    expect(platform.webhookEndpoint(endpoint.endpointId).lastDeliveredAt).toBe(new Date(clock.nowMs()).toISOString());
  });

  test('an endpoint that is gone gets nothing more, and one with two secrets gets two signatures', async () => {
    const clock = new ManualClock();
    await using platform = await start({ clock });
    await using gone = await receiving(clock, [410]);
    await using receiver = await receiving(clock);
    const client = clientOf(platform);
    const dead = platform.addWebhookEndpoint('prv-birch', { url: gone.url });
    const alive = platform.addWebhookEndpoint('prv-birch', { url: receiver.url });
    receiver.secrets.push(alive.secret);
    await client.webhookEndpoints.rotateSecret({ endpointId: alive.endpointId });
    platform.issueRequest('prv-birch');
    await platform.until(() => (platform.webhookAttempts().length === 2 ? true : undefined));
    expect(platform.webhookEndpoint(dead.endpointId)).toMatchObject({ state: 'disabled', disabledReason: 'gone' });
    // By the old secret, which signs on for a day.
    expect(receiver.events).toHaveLength(1);
    platform.issueRequest('prv-birch');
    await platform.until(() => (receiver.events.length === 2 ? true : undefined));
    clock.advance(86_400_000);
    platform.issueRequest('prv-birch');
    await platform.until(() => platform.webhookAttempts().find(({ status }) => status === 401));
    expect(platform.webhookAttempts().filter(({ endpointId }) => endpointId === dead.endpointId)).toHaveLength(1);
    // The day is over for the token, too.
    const later = clientOf(platform);
    await later.webhookEndpoints.delete({ endpointId: alive.endpointId });
    expect((await later.webhookEndpoints.list()).items.map(({ endpointId }) => endpointId)).toEqual([dead.endpointId]);
  });

  test('reminders come before the deadline, and a silent provider becomes non-responsive after it', async () => {
    // Monday 09:00 in New York.
    const clock = new ManualClock(Date.UTC(2026, 10, 2, 14));
    await using platform = await start({ clock });
    const tracebackId = platform.openTraceback({ firstProvider: 'prv-birch' });
    const { requestId, dueAt } = await platform.requestTo('prv-birch', tracebackId);
    expect(dueAt).toBe('2026-11-03T14:00:00.000Z');
    const kinds = () => platform.events().map(({ event }) => event.type.slice('org.hopback.'.length, -2));
    clock.advance(23 * 3_600_000);
    expect(kinds()).toEqual(['traceback-request.created', ...Array<string>(2).fill('traceback-request.reminded')]);
    clock.advance(3_600_001);
    expect(kinds().at(-1)).toBe('traceback-request.overdue');
    expect(platform.traceback(tracebackId).hops[0]?.state).toBe('overdue');
    clock.advance(24 * 3_600_000);
    expect(platform.traceback(tracebackId)).toMatchObject({ state: 'open', outcome: 'non-responsive' });
    expect(platform.effects().map(({ effect }) => effect.type)).toContain('mark-non-responsive');
    const { isLate } = await platform.answerAs(requestId, CEDAR);
    expect(isLate).toBe(true);
    expect((await platform.closed(tracebackId)).outcome).toBe('point-of-entry');
    const { requests } = await clientOf(platform).providers.scorecard({ providerId: 'prv-birch' });
    expect(requests).toMatchObject({ received: 1, answeredInTime: 0, answeredLate: 1, unanswered: 0, open: 0 });
  });

  test('a notice is responded to in two parts', async () => {
    await using platform = await start();
    const { noticeId } = platform.issueNotice('prv-birch');
    const client = clientOf(platform);
    expect((await client.notices.list()).items.map((notice) => notice.noticeId)).toEqual([noticeId]);
    const [mitigation, report] = WIRE_EXAMPLES.NoticeResponse.map(({ value }) => value);
    expect((await client.notices.respond({ noticeId, ...mitigation! })).state).toBe('mitigation-stated');
    expect((await client.notices.respond({ noticeId, ...mitigation! })).responses).toHaveLength(1);
    expect(await codeOf(client.notices.respond({ noticeId, ...mitigation!, statement: 'Another.' }))).toBe(
      'request-refused',
    );
    expect((await client.notices.respond({ noticeId, ...report! })).state).toBe('reported');
    expect(await codeOf(clientOf(platform, 'prv-alder').notices.respond({ noticeId, ...report! }))).toBe(
      'request-refused',
    );
  });

  test('lists come page by page, each item once', async () => {
    await using platform = await start();
    const client = clientOf(platform);
    const opened = Array.from({ length: 7 }, () => platform.issueRequest('prv-birch').requestId);
    const seen: string[] = [];
    for await (const { request } of client.tracebackRequests.iterate({ limit: 2 })) {
      seen.push(request.requestId);
      // What is answered meanwhile leaves the list, and moves nothing in it.
      if (seen.length === 2) await platform.answerAs(seen[0]!, CEDAR);
    }
    expect(seen).toEqual(opened);
    expect(await codeOf(client.tracebackRequests.list({ cursor: 'none' }))).toBe('request-refused');
    const names: string[] = [];
    for await (const { businessName } of client.providers.iterate({ limit: 1 })) names.push(businessName);
    expect(names).toEqual(names.toSorted());
    expect(names).toHaveLength(3);
  });

  test('batches of records count each record once, and list the refused ones', async () => {
    await using platform = await start({
      refuseRecord: ({ disposition }) => (disposition === 'blocked' ? 'not-wanted' : undefined),
    });
    const { token } = platform.credentials('prv-birch');
    const transport = createHttpsRecordTransport({
      url: `${platform.baseUrl}/v1/record-batches`,
      authorization: bearerToken(token),
    });
    const [{ value: record }] = WIRE_EXAMPLES.SharedRecord;
    const other = { ...record, recordId: 'f'.repeat(32), disposition: 'blocked' as const };
    const deliver = (id: string, records: readonly unknown[]) =>
      transport.deliver(
        {
          ...{ id: id.repeat(32), source: '/switch/1', type: RECORD_BATCH_TYPE, timeMs: 1_793_000_000_000 },
          ...{ count: records.length, encoding: 'gzip' },
          body: gzipSync(records.map((one) => JSON.stringify(one)).join('\n')),
        },
        new AbortController().signal,
      );
    expect(await deliver('a', [record, other])).toMatchObject({
      status: 'acknowledged',
      rejected: [{ recordId: other.recordId, code: 'not-wanted' }],
    });
    expect(await deliver('b', [record])).toMatchObject({ status: 'acknowledged', rejected: [] });
    expect(await deliver('b', [record])).toMatchObject({ status: 'acknowledged', rejected: [] });
    expect(await deliver('b', [record, record])).toMatchObject({ status: 'refused' });
    expect(await deliver('c', [{ ...record, called: 12 }])).toMatchObject({ rejected: [{ code: 'invalid-record' }] });
    expect(platform.records().map(({ recordId }) => recordId)).toEqual([record.recordId]);
    expect(platform.batches().map(({ records, repeats }) => [records, repeats])).toEqual([
      [2, 0],
      [1, 1],
      [1, 0],
    ]);
    await transport.close();
  });

  test('campaigns, alerts, numbers and reports reach the organizations they are for', async () => {
    await using platform = await start({ apps: ['app-1'] });
    const example = <Name extends 'Campaign' | 'Alert' | 'DoNotOriginateEntry' | 'AppReport'>(name: Name) =>
      WIRE_EXAMPLES[name][0].value;
    platform.putCampaign(example('Campaign'));
    platform.putDoNotOriginate(example('DoNotOriginateEntry'));
    platform.raiseAlert(example('Alert'), ['prv-birch']);
    const carrier = clientOf(platform);
    const app = clientOf(platform, 'app-1');
    expect((await app.campaigns.list({ state: 'live' })).items).toMatchObject([{ providers: [], tracebackIds: [] }]);
    expect((await app.doNotOriginate.list({ changedSince: '2026-01-01T00:00:00Z' })).items).toEqual([]);
    expect((await carrier.doNotOriginate.list()).items).toEqual([example('DoNotOriginateEntry')]);
    expect((await clientOf(platform, 'prv-alder').alerts.list()).items).toEqual([]);
    const [alert] = (await carrier.alerts.list({ state: 'unacknowledged' })).items;
    await carrier.alerts.acknowledge({ alertId: alert!.alertId, acknowledgedBy: 'Traceback desk' });
    expect((await carrier.alerts.list({ state: 'unacknowledged' })).items).toEqual([]);
    expect(await app.appReports.create(example('AppReport'))).toMatchObject({ isRepeat: false });
    expect(await app.appReports.create(example('AppReport'))).toMatchObject({ isRepeat: true });
    expect(await codeOf(app.appReports.create({ ...example('AppReport'), durationSeconds: 1 }))).toBe(
      'request-refused',
    );
    expect(platform.reports()).toEqual([example('AppReport')]);
    const kinds = platform.events().map(({ event, to }) => [event.type.split('.')[2], to.length]);
    expect(kinds).toEqual([
      ['campaign', 4],
      ['alert', 1],
    ]);
  });

  test('an answer is believed once, by its revision, and under the key of its provider alone', async () => {
    await using platform = await start();
    const client = clientOf(platform);
    const request = platform.issueRequest('prv-birch');
    const { requestId } = request;
    const outcomeOf = async (answer: TracebackAnswer, as?: string) =>
      problemOf(client.tracebackRequests.answer({ requestId, answer: await signed(platform, answer, as) }));
    const first = answerTo(request, { arm: 'not-found' });
    expect(await outcomeOf(first, 'prv-alder')).toBe('answer-signature-invalid');
    expect(await outcomeOf({ ...first, requestId: 'another' })).toBe('answer-mismatch');
    expect(await outcomeOf({ ...first, provider: { providerId: 'prv-alder', name: 'Alder' } })).toBe('answer-mismatch');
    expect(await outcomeOf(answerTo(request, { arm: 'number-served-by', provider: { name: 'Cedar' } }))).toBe(
      'answer-mismatch',
    );
    expect(await outcomeOf({ ...first, revision: 2 })).toBe('answer-out-of-sequence');
    expect(await outcomeOf(first)).toBe('fulfilled');
    expect(await outcomeOf({ ...first, finding: { arm: 'not-our-number' } })).toBe('conflict');
    const next = { ...first, answerId: 'a-2', revision: 2, finding: CEDAR };
    expect(await outcomeOf(next)).toBe('answer-out-of-sequence');
    expect(await outcomeOf({ ...next, amends: { answerId: first.answerId, reason: 'Found after all.' } })).toBe(
      'fulfilled',
    );
    expect(await platform.closed(request.tracebackId)).toMatchObject({ outcome: 'point-of-entry' });
    const withdrawn = platform.issueRequest('prv-birch');
    platform.cancelTraceback(withdrawn.tracebackId);
    const late = await signed(platform, answerTo(withdrawn, CEDAR));
    const lateAnswer = client.tracebackRequests.answer({ requestId: withdrawn.requestId, answer: late });
    expect(await problemOf(lateAnswer)).toBe('request-cancelled');
  });
});

test('mutual TLS admits only clients with a certificate of its CA', async () => {
  const pki = new TestPki();
  const server = pki.issueTls({ addresses: ['127.0.0.1'] });
  const own = pki.issueTls({ names: ['birch.example'], extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] });
  const ca = pki.tlsRoot.certificatePem;
  await using platform = await TestPlatform.start({
    tls: { certificate: server.chainPem, privateKey: server.privateKeyPem, clientCa: ca },
  });
  const known = createTlsFetch({ ca, certificate: own.chainPem, privateKey: own.privateKeyPem });
  const unknown = createTlsFetch({ ca });
  expect((await clientOf(platform, 'prv-birch', { fetch: known.fetch }).tracebackRequests.list()).items).toEqual([]);
  expect(await codeOf(clientOf(platform, 'prv-birch', { fetch: unknown.fetch }).tracebackRequests.list())).toBe(
    'network-failed',
  );
  known.close();
  unknown.close();
});
