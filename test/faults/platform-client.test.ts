import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HopbackError, isHopbackError } from '../../sdk/src/errors.js';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import type { RequestAuthorization } from '../../sdk/src/platform/retry.js';
import { privateKeyJwt } from '../../sdk/src/platform/client/private-key-jwt.js';
import { createPlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import type { PlatformClient, PlatformClientOptions } from '../../sdk/src/platform/client/platform-client.js';
import { MAX_RESPONSE_BYTES } from '../../sdk/src/platform/client/route-call.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import { sampleStatus } from '../support/platform-samples.js';
import { hastyClock } from '../support/waits.js';

const PLATFORM = 'https://itg.example';
const STATUS = sampleStatus('1');
/** Told apart from waits by its length alone. */
const TIMEOUT_MS = 77_777;

const server = setupServer();
beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

interface Lab {
  readonly client: PlatformClient;
  readonly waits: readonly number[];
}

function lab(options: Partial<PlatformClientOptions> = {}): Lab {
  const clock = hastyClock(TEST_NOW_MS, TIMEOUT_MS);
  const client = createPlatformClient({
    ...{ baseUrl: PLATFORM, authorization: bearerToken('c2VjcmV0'), timeoutMs: TIMEOUT_MS, clock, random: () => 0.5 },
    ...options,
  });
  return { client, waits: clock.waits };
}

const retrieve = ({ client }: Lab) => client.tracebackRequests.retrieve({ requestId: 'request-1' });
const acknowledge = ({ client }: Lab) =>
  client.tracebackRequests.acknowledge({ requestId: 'request-1', receivedAt: '2026-11-02T12:00:00Z' });

/** What a call comes to: its value, or what its error says. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    return { code: error.code, retryable: error.retryable, ...error.details };
  }
}

/** Answers a request after the other with what is scripted, and keeps them; the last answer stays. */
function answering(...answers: readonly (() => Response)[]): Request[] {
  const requests: Request[] = [];
  server.use(
    http.all(`${PLATFORM}/*`, ({ request }) => {
      requests.push(request.clone());
      return (answers[requests.length - 1] ?? answers.at(-1))!();
    }),
  );
  return requests;
}

const good = (): Response => HttpResponse.json(STATUS);
const bad =
  (status: number, headers: Record<string, string> = {}) =>
  (): Response =>
    HttpResponse.json({ type: 'about:blank', title: 'no', status, code: 'unavailable' }, { status, headers });

test.each([408, 425, 429, 500, 502, 503, 504, 507, 599])('%i is tried again, with waits that grow', async (status) => {
  const requests = answering(bad(status), bad(status), bad(status), good);
  const trial = lab();
  expect(await retrieve(trial)).toEqual(STATUS);
  expect(requests).toHaveLength(4);
  expect(trial.waits).toEqual([250, 500, 1_000]);
});

test.each([
  [400, 'request-refused'],
  [403, 'unauthorized'],
  [404, 'request-refused'],
  [405, 'request-refused'],
  [409, 'request-refused'],
  [410, 'request-refused'],
  [413, 'request-refused'],
  [422, 'request-refused'],
  [501, 'request-refused'],
])('%i is not tried again', async (status, code) => {
  const requests = answering(bad(status, { 'retry-after': '1' }), good);
  const trial = lab();
  expect(await outcomeOf(acknowledge(trial))).toMatchObject({
    code,
    retryable: false,
    httpStatus: status,
    attempts: 1,
  });
  expect([requests.length, trial.waits]).toEqual([1, []]);
});

test('gives up after as many retries as it may, and says how often it tried', async () => {
  const requests = answering(bad(503));
  expect(await outcomeOf(retrieve(lab()))).toMatchObject({
    code: 'unavailable',
    retryable: true,
    httpStatus: 503,
    attempts: 5,
  });
  expect(requests).toHaveLength(5);
  const { client } = lab();
  const once = client.tracebackRequests.retrieve({ requestId: 'request-1' }, { maxRetries: 0 });
  expect(await outcomeOf(once)).toMatchObject({ code: 'unavailable', attempts: 1 });
});

test.each([
  ['seconds', '7', 7_000],
  ['a date', 'Mon, 02 Nov 2026 12:00:09 GMT', 9_000],
  ['a date that is over', 'Mon, 02 Nov 2026 11:00:00 GMT', 0],
  ['something else', 'soon', 0],
])('waits as long as Retry-After says in %s, and no less', async (_form, value, askedMs) => {
  answering(bad(429, { 'retry-after': value }), good);
  const trial = lab();
  expect(await retrieve(trial)).toEqual(STATUS);
  expect(trial.waits).toEqual([askedMs + 250]);
});

test('asked to wait longer than a call may last, says so instead of asking before', async () => {
  const requests = answering(bad(503, { 'retry-after': '61' }), good);
  const trial = lab();
  expect(await outcomeOf(retrieve(trial))).toMatchObject({
    code: 'unavailable',
    retryable: true,
    retryAfterMs: 61_000,
  });
  expect([requests.length, trial.waits]).toEqual([1, []]);
});

test('repeats an unsafe call octet by octet under the same key, and a new call under another', async () => {
  const requests = answering(bad(500), bad(503), good);
  await acknowledge(lab());
  await acknowledge(lab());
  const keys = requests.map(({ headers }) => headers.get('idempotency-key'));
  expect(new Set(keys.slice(0, 3)).size).toBe(1);
  expect(keys[3]).not.toBe(keys[0]);
  expect(new Set(await Promise.all(requests.map((request) => request.text()))).size).toBe(1);
  await retrieve(lab());
  expect(requests.at(-1)?.headers.get('idempotency-key')).toBeNull();
});

test('a token that is refused is exchanged once, and does not count as a retry', async () => {
  const tokens = ['old', 'new'];
  const refused: unknown[] = [];
  const authorization: RequestAuthorization = {
    fields: () => ({ authorization: `Bearer ${tokens[0]}` }),
    refused: (fields) => {
      refused.push(fields);
      tokens.shift();
    },
  };
  const requests = answering(bad(401), good);
  const trial = lab({ authorization, maxRetries: 0 });
  expect(await retrieve(trial)).toEqual(STATUS);
  expect(requests.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer old', 'Bearer new']);
  expect(refused).toEqual([{ authorization: 'Bearer old' }]);
  expect(trial.waits).toEqual([]);
});

test('a second token that is refused, too, ends the call; so does the first where there is no other', async () => {
  const requests = answering(bad(401));
  const renewing: RequestAuthorization = { fields: () => ({}), refused: () => {} };
  expect(await outcomeOf(retrieve(lab({ authorization: renewing })))).toMatchObject({
    code: 'unauthorized',
    attempts: 2,
  });
  expect(await outcomeOf(retrieve(lab()))).toMatchObject({ code: 'unauthorized', attempts: 1 });
  expect(requests).toHaveLength(3);
});

test('a token that the platform forgot is exchanged for another with private_key_jwt, under load too', async () => {
  let issued = 0;
  const valid = new Set<string>();
  server.use(
    http.post(`${PLATFORM}/oauth/token`, () => {
      const token = `token-${(issued += 1)}`;
      valid.add(token);
      return HttpResponse.json({ access_token: token, token_type: 'Bearer', expires_in: 3_600 });
    }),
    http.get(`${PLATFORM}/v1/*`, ({ request }) =>
      valid.has((request.headers.get('authorization') ?? '').replace('Bearer ', '')) ? good() : bad(401)(),
    ),
  );
  const authorization = await privateKeyJwt({
    ...{ tokenUrl: `${PLATFORM}/oauth/token`, clientId: 'carrier-b', keyId: 'k1', key: createTestKey().privateKeyPem },
    clock: { nowMs: () => TEST_NOW_MS, schedule: () => () => {} },
  });
  const trial = lab({ authorization, maxRetries: 0 });
  for (let round = 1; round <= 3; round += 1) {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => retrieve(trial)));
    expect([outcomes.length, issued]).toEqual([10, round]);
    valid.clear();
  }
});

test.each([
  ['not JSON', () => HttpResponse.html('<p>Welcome to the hotel</p>'), 'not-json'],
  ['nothing', () => new HttpResponse(null, { status: 200 }), 'not-json'],
  ['a key twice', () => HttpResponse.text('{"state":"open","state":"answered"}'), 'not-json'],
  ['no UTF-8', () => new HttpResponse(new Uint8Array([0x22, 0xff, 0x22])), 'not-utf8'],
  ['another form', () => HttpResponse.json({ ...STATUS, state: 'forgotten' }), 'schema-drift'],
  ['a list', () => HttpResponse.json([]), 'schema-drift'],
])('an answer that is %s is a typed error, and not asked for again', async (_name, answer, reason) => {
  const requests = answering(answer);
  expect(await outcomeOf(retrieve(lab()))).toMatchObject({
    code: 'response-unreadable',
    retryable: false,
    reason,
    attempts: 1,
  });
  expect(requests).toHaveLength(1);
});

test('says where an answer is in no form of the contract', async () => {
  answering(() => HttpResponse.json({ ...STATUS, request: { ...STATUS.request, hop: 'two' } }));
  expect(await outcomeOf(retrieve(lab()))).toMatchObject({ place: 'request.hop' });
});

test('reads no more of an answer than it may', async () => {
  let sent = 0;
  const chunk = new Uint8Array(1_048_576).fill(0x20);
  answering(
    () =>
      new HttpResponse(
        new ReadableStream({
          pull: (controller) => {
            sent += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      ),
  );
  expect(await outcomeOf(retrieve(lab()))).toMatchObject({ code: 'response-unreadable', reason: 'too-large' });
  expect(sent).toBeLessThan(2 * MAX_RESPONSE_BYTES);
});

test('a problem document that is none takes nothing from the status', async () => {
  for (const body of ['<p>no</p>', '{"code":{"x":1},"detail":7,"errors":"many"}', '[]', 'null', '{'.repeat(9_000)]) {
    answering(() => HttpResponse.text(body, { status: 422 }));
    expect(await outcomeOf(retrieve(lab()))).toEqual({
      ...{ code: 'request-refused', retryable: false, reason: 'refused', httpStatus: 422, attempts: 1 },
      ...{ method: 'GET', route: '/v1/traceback-requests/{requestId}' },
    });
  }
});

test.each([301, 302, 303, 307, 308])('%i leads nowhere: the credential stays here', async (status) => {
  const requests = answering(
    () => new HttpResponse(null, { status, headers: { location: 'https://elsewhere.example/' } }),
  );
  expect(await outcomeOf(acknowledge(lab()))).toMatchObject({
    code: 'request-refused',
    reason: 'misdirected',
    httpStatus: status,
  });
  expect(requests).toHaveLength(1);
});

test('a network error of fetch is tried again', async () => {
  const requests = answering(() => HttpResponse.error(), good);
  const trial = lab();
  expect(await retrieve(trial)).toEqual(STATUS);
  expect([requests.length, trial.waits]).toEqual([2, [250]]);
});

test('a credential that cannot be had is tried again only where that may help', async () => {
  const errors = [new HopbackError('network-failed', 'no', { retryable: true })];
  const passing: RequestAuthorization = {
    fields: () => {
      const error = errors.pop();
      if (error !== undefined) throw error;
      return {};
    },
  };
  answering(good);
  const trial = lab({ authorization: passing });
  expect(await retrieve(trial)).toEqual(STATUS);
  expect(trial.waits).toEqual([250]);
  // Whoever gives tokens may ask to be left alone for a while.
  errors.push(new HopbackError('unavailable', 'no', { retryable: true, details: { retryAfterMs: 20_000 } }));
  const patient = lab({ authorization: passing });
  expect(await retrieve(patient)).toEqual(STATUS);
  expect(patient.waits).toEqual([20_250]);
  const lasting: RequestAuthorization = { fields: () => Promise.reject(new Error('secret')) };
  expect(await outcomeOf(retrieve(lab({ authorization: lasting })))).toMatchObject({
    code: 'unauthorized',
    reason: 'no-credential',
  });
});

test('a call that its caller gives up ends at once, in an attempt and between two', async () => {
  const inAttempt = new AbortController();
  server.use(
    http.all(`${PLATFORM}/*`, () => {
      inAttempt.abort(new Error('enough'));
      return new Promise<never>(() => {});
    }),
  );
  const { client } = lab();
  const options = { signal: inAttempt.signal };
  expect(await outcomeOf(client.tracebackRequests.retrieve({ requestId: 'r' }, options))).toMatchObject({
    code: 'aborted',
  });
  const between = new AbortController();
  answering(bad(503));
  const clock = {
    nowMs: () => 0,
    schedule: (_callback: () => void, delayMs: number) => {
      if (delayMs !== TIMEOUT_MS) queueMicrotask(() => between.abort());
      return () => {};
    },
  };
  const waiting = lab({ clock }).client.tracebackRequests.retrieve({ requestId: 'r' }, { signal: between.signal });
  expect(await outcomeOf(waiting)).toMatchObject({ code: 'aborted' });
  expect(
    await outcomeOf(client.tracebackRequests.retrieve({ requestId: 'r' }, { signal: AbortSignal.abort() })),
  ).toMatchObject({ code: 'aborted' });
});

test('pages whose cursors go round in a circle end with a typed error', async () => {
  const requests = answering(() => HttpResponse.json({ items: [STATUS], nextCursor: 'again' }));
  const list = async () => {
    let items = 0;
    for await (const { state } of lab().client.tracebackRequests.iterate()) items += state.length;
    return items;
  };
  expect(await outcomeOf(list())).toMatchObject({ code: 'response-unreadable', reason: 'cursor-loop' });
  expect(requests.length).toBeLessThan(5);
});
