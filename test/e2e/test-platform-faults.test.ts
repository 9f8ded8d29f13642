import { isHopbackError } from '@hopback/sdk/errors';
import { bearerToken, PlatformClient, privateKeyJwt } from '@hopback/sdk/platform';
import { ManualClock, TEST_NOW_MS, type PlatformFault, type TestPlatform } from '@hopback/sdk/testing';
import { createReceiptVerifier } from '@hopback/sdk/traceback';
import { describe, expect, test } from 'vitest';
import { codeOf } from '../support/code-of.js';
import { clientOf, PLATFORM_BINDINGS, problemOf, receiving } from '../support/platform-bindings.js';
import { hastyClock } from '../support/waits.js';

const STREAM = ['streamEvents'] as const;

/** Never waited for: it leaves the time of an attempt to the connection. */
const ATTEMPT_MS = 30_000;

/** What a call without retries comes to under a fault. */
async function underFault(platform: TestPlatform, fault: PlatformFault): Promise<unknown> {
  const remove = platform.injectFault({ fault });
  const error: unknown = await clientOf(platform)
    .tracebackRequests.list()
    .catch((caught: unknown) => caught);
  remove();
  if (!isHopbackError(error)) return 'fulfilled';
  const { httpStatus, reason, retryAfterMs } = error.details;
  return [error.code, error.retryable, httpStatus, reason, ...(retryAfterMs === undefined ? [] : [retryAfterMs])];
}

/** Takes webhooks in, and reads the stream; both ways bring the same events. */
async function readingBoth(platform: TestPlatform) {
  const posted = await receiving();
  posted.secrets.push(platform.addWebhookEndpoint('prv-birch', { url: posted.url }).secret);
  const leaving = new AbortController();
  const streamed: string[] = [];
  const reading = (async () => {
    for await (const item of clientOf(platform).events({ signal: leaving.signal }))
      if (item.status === 'event') streamed.push(item.event.id);
  })();
  await platform.until(() => (platform.openStreams() > 0 ? true : undefined));
  const close = async (): Promise<void> => {
    leaving.abort();
    await reading;
    await posted[Symbol.asyncDispose]();
  };
  const read = async (count: number): Promise<void> => {
    while (streamed.length < count) await new Promise(setImmediate);
  };
  return { streamed, posted: posted.events, read, [Symbol.asyncDispose]: close };
}

const MET: readonly (readonly [PlatformFault, unknown])[] = [
  [{ kind: 'rate-limited', retryAfterSeconds: 120 }, ['unavailable', true, 429, 'unavailable', 120_000]],
  [{ kind: 'server-error' }, ['unavailable', true, 503, 'unavailable']],
  [{ kind: 'server-error', status: 502 }, ['unavailable', true, 502, 'unavailable']],
  [{ kind: 'connection-reset' }, ['network-failed', true, undefined, expect.any(String)]],
  [{ kind: 'truncated' }, ['network-failed', true, undefined, expect.any(String)]],
  [{ kind: 'truncated', keptBytes: 1 }, ['network-failed', true, undefined, expect.any(String)]],
  [{ kind: 'unknown-members' }, 'fulfilled'],
  [{ kind: 'missing-member', member: 'items' }, ['response-unreadable', false, 200, 'schema-drift']],
  [{ kind: 'wrong-type' }, ['response-unreadable', false, 200, 'schema-drift']],
  [{ kind: 'expired-token' }, ['unauthorized', false, 401, 'credential-refused']],
];

describe.each(PLATFORM_BINDINGS)('a test platform over $name', ({ start }) => {
  test('the client reports each fault of a call with its own error', async () => {
    await using platform = await start();
    platform.issueRequest('prv-birch');
    for (const [fault, met] of MET) expect([fault, await underFault(platform, fault)]).toEqual([fault, met]);
    expect(platform.calls('listTracebackRequests').map(({ status }) => status)).toEqual([
      429, 503, 502, 0, 200, 200, 200, 200, 200, 401,
    ]);
  });

  test('a slow answer comes when the clock says so, and an attempt gives up before', async () => {
    const clock = new ManualClock();
    await using platform = await start({ clock });
    platform.injectFault({ fault: { kind: 'slow', delayMs: 60_000 } });
    const client = clientOf(platform, 'prv-birch', { clock });
    const late = codeOf(client.tracebackRequests.list());
    // The pause of the platform, and the deadline of the attempt.
    while (clock.pendingTimers() < 2) await new Promise(setImmediate);
    clock.advance(ATTEMPT_MS);
    expect(await late).toBe('network-failed');
  });

  test('a forged receipt does not verify, and the right one can be fetched', async () => {
    await using platform = await start();
    const verify = createReceiptVerifier(platform.keys);
    const { requestId } = platform.issueRequest('prv-birch');
    const { answer } = await platform.answerAs(requestId, { arm: 'not-found' });
    const client = clientOf(platform);
    platform.injectFault({ fault: { kind: 'forged-receipt' }, times: 1 });
    const fetched = async () =>
      (await client.tracebackRequests.receipt({ requestId, answerId: answer.answerId })).receipt;
    expect(await verify(await fetched())).toEqual({ status: 'rejected', reason: 'signature' });
    expect((await verify(await fetched())).status).toBe('verified');
  });

  test('under one key another body is refused, and the same one replayed', async () => {
    await using platform = await start();
    const client = clientOf(platform);
    const create = (url: string) => client.webhookEndpoints.create({ url }, { idempotencyKey: 'key-1' });
    const first = await create('https://birch.example/hooks');
    expect(await create('https://birch.example/hooks')).toEqual(first);
    expect(await problemOf(create('https://birch.example/other'))).toBe('idempotency-key-reused');
    expect((await client.webhookEndpoints.list()).items).toHaveLength(1);
  });

  test('a request outside the contract is refused, and fails a test that does not expect it', async () => {
    const platform = await start();
    const { token } = platform.credentials('prv-birch');
    const post = (path: string, body: unknown, fields: Record<string, string> = {}) =>
      fetch(`${platform.baseUrl}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...fields },
        body: JSON.stringify(body),
      });
    const { requestId } = platform.issueRequest('prv-birch');
    const acknowledgement = `/v1/traceback-requests/${requestId}/acknowledgement`;
    const said = { format: 'hopback.request-acknowledgement.1', receivedAt: '2026-11-02T12:00:00Z' };
    expect((await post(acknowledgement, { ...said, receivedAt: 'today' })).status).toBe(400);
    expect((await post(acknowledgement, { ...said, clocks: {} })).status).toBe(200);
    expect((await post(acknowledgement, said, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post('/v1/webhook-endpoints', { url: 'https://birch.example/' })).status).toBe(400);
    expect((await post('/v1/nowhere', {})).status).toBe(404);
    expect((await post('/v1/demands', {})).status).toBe(403);
    expect(
      await fetch(`${platform.baseUrl}/v1/traceback-requests?limit=501&sort=up`, {
        headers: { authorization: `Bearer ${token}` },
      }).then(({ status }) => status),
    ).toBe(400);
    expect(platform.violations().map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([
      '/receivedAt invalid_format',
      '/clocks unknown-member',
      ' unsupported-media-type',
      'Idempotency-Key missing',
      'POST no-such-route',
      'limit invalid_format',
    ]);
    expect(await codeOf(platform.close())).toBe('request-refused');
    platform.takeViolations();
    platform.assertConforming();
  });

  test('a wrong credential gets no token, and a right one reaches no further than its scope', async () => {
    await using platform = await start({ apps: ['app-1'] });
    const { client: credential } = platform.credentials('prv-birch');
    const other = platform.credentials('prv-alder').client;
    const ask = async (changes: Partial<typeof credential>) => {
      const authorization = await privateKeyJwt({ ...credential, ...changes });
      return codeOf(
        new PlatformClient({ baseUrl: platform.baseUrl, authorization, maxRetries: 0 }).tracebackRequests.list(),
      );
    };
    expect(await ask({})).toBe('fulfilled');
    expect(await ask({ key: other.key })).toBe('unauthorized');
    expect(await ask({ keyId: 'another' })).toBe('unauthorized');
    expect(await ask({ clientId: other.clientId })).toBe('unauthorized');
    expect(await codeOf(clientOf(platform, 'app-1').tracebackRequests.list())).toBe('unauthorized');
    const nobody = new PlatformClient({
      baseUrl: platform.baseUrl,
      authorization: bearerToken('none'),
      maxRetries: 0,
    });
    expect(await codeOf(nobody.providers.list())).toBe('unauthorized');
  });

  test('events come twice, late, out of order, forged or not at all', async () => {
    await using platform = await start();
    await using both = await readingBoth(platform);
    for (const fault of ['duplicate', 'late', 'lost'] as const)
      platform.injectEventFault({ fault, times: 1, via: 'event-stream' });
    platform.injectEventFault({ fault: 'forged', times: 1, via: 'webhook' });
    const issued = Array.from({ length: 5 }, () => platform.issueRequest('prv-birch').requestId);
    platform.releaseEvents();
    await both.read(5);
    const ids = platform
      .events()
      .filter(({ to }) => to.includes('prv-birch'))
      .map(({ event }) => event.id);
    const [first, second, , fourth, fifth] = ids;
    // The third is lost, the second comes behind the fourth.
    expect(both.streamed).toEqual([first, first, fourth, second, fifth]);
    await platform.until(() => (platform.webhookAttempts().length === 5 ? true : undefined));
    const refused = platform.webhookAttempts().filter(({ status }) => status === 401);
    expect(refused.map(({ webhookId }) => webhookId)).toEqual([first]);
    expect(new Set(both.posted.map(({ subject }) => subject))).toEqual(new Set(issued.slice(1)));
    // What no event told of stands in the list.
    expect((await clientOf(platform).tracebackRequests.list()).items).toHaveLength(5);
  });

  test('a stream that the platform ends is taken up again without a gap', async () => {
    await using platform = await start();
    const clock = hastyClock(TEST_NOW_MS, 45_000);
    const leaving = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const item of clientOf(platform, 'prv-birch', { clock, timeoutMs: 45_000 }).events({
        signal: leaving.signal,
      }))
        if (item.status === 'event') seen.push(item.event.id);
    })();
    await platform.until(() => (platform.openStreams() > 0 ? true : undefined));
    platform.issueRequest('prv-birch');
    while (seen.length < 1) await new Promise(setImmediate);
    platform.dropStreams();
    platform.issueRequest('prv-birch');
    platform.injectFault({ fault: { kind: 'server-error' }, operations: STREAM, times: 2 });
    while (seen.length < 2) await new Promise(setImmediate);
    leaving.abort();
    await reading;
    expect(await codeOf(clientOf(platform).events({ lastEventId: 'evt-none' }).next())).toBe('request-refused');
    expect(seen).toEqual(
      platform
        .events()
        .filter(({ to }) => to.includes('prv-birch'))
        .map(({ event }) => event.id),
    );
  });
});

test('a connection that breaks is a network failure over msw also where another library has replaced Response', async () => {
  const { Response: own } = globalThis;
  globalThis.Response = class extends own {};
  try {
    const [msw] = PLATFORM_BINDINGS;
    await using platform = await (msw as (typeof PLATFORM_BINDINGS)[number]).start();
    platform.issueRequest('prv-birch');
    expect(await underFault(platform, { kind: 'connection-reset' })).toEqual([
      ...['network-failed', true, undefined, expect.any(String)],
    ]);
  } finally {
    globalThis.Response = own;
  }
});
