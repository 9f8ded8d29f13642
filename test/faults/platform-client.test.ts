import { createServer, type RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { MACHINE_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import { HopbackError } from '../../sdk/src/errors.js';
import { bearerToken, type RequestAuthorization } from '../../sdk/src/platform/retry.js';
import { PlatformClient, type PlatformClientOptions } from '../../sdk/src/platform/client/platform-client.js';
import { MAX_RESPONSE_BYTES } from '../../sdk/src/platform/client/route-call.js';
import { nodeFetch, type PlatformFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import type { PlatformRequestOptions } from '../../sdk/src/platform/client/requester.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { failureOf } from '../support/code-of.js';
import { whileListening } from '../support/http-server.js';
import { sampleStatus, scripted } from '../support/platform-samples.js';
import { hastyClock } from '../support/waits.js';

const STATUS = sampleStatus('1');
/** Distinguished from other waits by its length alone. */
const TIMEOUT_MS = 77_777;

interface Lab {
  readonly client: PlatformClient;
  readonly waits: readonly number[];
}

let respond: PlatformFetch;

function lab(options: Partial<PlatformClientOptions> = {}): Lab {
  const clock = hastyClock(TEST_NOW_MS, TIMEOUT_MS);
  const client = new PlatformClient({
    ...{ baseUrl: 'https://itg.example', authorization: bearerToken('c2VjcmV0'), timeoutMs: TIMEOUT_MS, clock },
    ...{ random: () => 0.5, fetch: (url, request) => respond(url, request) },
    ...options,
  });
  return { client, waits: clock.waits };
}

const retrieve = ({ client }: Lab, options?: PlatformRequestOptions) =>
  client.tracebackRequests.retrieve({ requestId: 'request-1' }, options);
const acknowledge = ({ client }: Lab) =>
  client.tracebackRequests.acknowledge({ requestId: 'request-1', receivedAt: '2026-11-02T12:00:00Z' });

/** Answers each request with the next of these, the last one again and again. */
function answering(...answers: readonly (() => Response)[]): readonly Request[] {
  const { requests, fetch } = scripted(...answers);
  respond = fetch;
  return requests;
}

const good = (): Response => Response.json(STATUS);
const bad =
  (status: number, headers: Record<string, string> = {}) =>
  (): Response =>
    Response.json({ type: 'about:blank', title: 'no', status, code: 'unavailable' }, { status, headers });

test.each([408, 429, 500])('%i is tried again, with waits that grow', async (status) => {
  const requests = answering(bad(status), bad(status), bad(status), good);
  const trial = lab();
  expect(await retrieve(trial)).toEqual(STATUS);
  expect(requests).toHaveLength(4);
  expect(trial.waits).toEqual([250, 500, 1_000]);
});

type Method = (trial: Lab, options?: PlatformRequestOptions) => Promise<unknown>;
const renewing: RequestAuthorization = { fields: () => ({}), refused: () => {} };
const unavailable = { code: 'unavailable', retryable: true };
const unreadable = { code: 'response-unreadable', retryable: false };
const asked = { 'retry-after': '1' };
const elsewhere = () => new Response(null, { status: 307, headers: { location: 'https://elsewhere.example/' } });

/** Answers to a call, what the call comes to after so many attempts, and its options where they are not those of the others. */
const ENDS: readonly (readonly [string, () => Response, object, number, Method?, Partial<PlatformClientOptions>?])[] = [
  ['403', bad(403, asked), { code: 'unauthorized', retryable: false, httpStatus: 403 }, 1, acknowledge],
  ['409', bad(409, asked), { code: 'request-refused', retryable: false, httpStatus: 409 }, 1, acknowledge],
  ['501', bad(501, asked), { code: 'request-refused', retryable: false, httpStatus: 501 }, 1, acknowledge],
  // So that the credential stays with the platform.
  ['a redirect', elsewhere, { code: 'request-refused', reason: 'misdirected', httpStatus: 307 }, 1, acknowledge],
  ['503 until the last retry', bad(503), { ...unavailable, httpStatus: 503 }, 5],
  ['503 of a call without retries', bad(503), unavailable, 1, (trial) => retrieve(trial, { maxRetries: 0 })],
  [
    'a wait that is longer than a call may last',
    bad(503, { 'retry-after': '61' }),
    { ...unavailable, retryAfterMs: 61_000 },
    1,
  ],
  ['a second token that is refused, too', bad(401), { code: 'unauthorized' }, 2, retrieve, { authorization: renewing }],
  ['a token that is refused where there is no other', bad(401), { code: 'unauthorized' }, 1],
  ['no JSON', () => new Response('<p>Welcome to the hotel</p>'), { ...unreadable, reason: 'not-json' }, 1],
  ['nothing', () => new Response(null, { status: 200 }), { ...unreadable, reason: 'not-json' }, 1],
  [
    'a repeated key',
    () => new Response('{"state":"open","state":"answered"}'),
    { ...unreadable, reason: 'not-json' },
    1,
  ],
  ['no UTF-8', () => new Response(new Uint8Array([0x22, 0xff, 0x22])), { ...unreadable, reason: 'not-utf8' }, 1],
  [
    'another schema',
    () => Response.json({ ...STATUS, state: 'forgotten' }),
    { ...unreadable, reason: 'schema-drift', place: 'state' },
    1,
  ],
];

test.each(ENDS.map(([name, ...rest]) => [name, rest] as const))(
  'a call ends with a typed error: %s',
  async (_name, rest) => {
    const [answer, expected, attempts, method = retrieve, options] = rest;
    const requests = answering(answer);
    const trial = lab(options);
    expect(await failureOf(method(trial))).toMatchObject({ ...expected, attempts });
    expect(requests).toHaveLength(attempts);
    if (attempts === 1) expect(trial.waits).toEqual([]);
  },
);

test('waits at least as long as Retry-After says', async () => {
  answering(bad(429, { 'retry-after': 'Mon, 02 Nov 2026 12:00:09 GMT' }), good);
  const trial = lab();
  expect(await retrieve(trial)).toEqual(STATUS);
  expect(trial.waits).toEqual([9_250]);
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

test('reads no more of an answer than it may', async () => {
  let sent = 0;
  const chunk = new Uint8Array(1_048_576).fill(0x20);
  answering(
    () =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            sent += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      ),
  );
  expect(await failureOf(retrieve(lab()))).toMatchObject({ code: 'response-unreadable', reason: 'too-large' });
  expect(sent).toBeLessThan(2 * MAX_RESPONSE_BYTES);
});

test('an invalid problem document leaves the status as it is', async () => {
  for (const body of ['<p>no</p>', '{"code":{"x":1},"detail":7,"errors":"many"}', '[]', 'null', '{'.repeat(9_000)]) {
    answering(() => new Response(body, { status: 422 }));
    expect(await failureOf(retrieve(lab()))).toEqual({
      ...{ code: 'request-refused', retryable: false, reason: 'refused', httpStatus: 422, attempts: 1 },
      ...{ method: 'GET', route: '/v1/traceback-requests/{requestId}' },
    });
  }
});

test('a failing token server is asked again only for a retryable error', async () => {
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
  // The token server may ask to wait.
  errors.push(new HopbackError('unavailable', 'no', { retryable: true, details: { retryAfterMs: 20_000 } }));
  const patient = lab({ authorization: passing });
  expect(await retrieve(patient)).toEqual(STATUS);
  expect(patient.waits).toEqual([20_250]);
  const lasting: RequestAuthorization = { fields: () => Promise.reject(new Error('secret')) };
  expect(await failureOf(retrieve(lab({ authorization: lasting })))).toMatchObject({
    code: 'unauthorized',
    reason: 'no-credential',
  });
});

test('an aborted call ends at once, during an attempt and between two', async () => {
  const inAttempt = new AbortController();
  respond = async (_url, { signal }) => {
    inAttempt.abort(new Error('enough'));
    signal.throwIfAborted();
    return good();
  };
  const aborted = { code: 'aborted' };
  expect(await failureOf(retrieve(lab(), { signal: inAttempt.signal }))).toMatchObject(aborted);
  const between = new AbortController();
  answering(bad(503));
  const clock = {
    nowMs: () => 0,
    schedule: (_callback: () => void, delayMs: number) => {
      if (delayMs !== TIMEOUT_MS) queueMicrotask(() => between.abort());
      return () => {};
    },
  };
  expect(await failureOf(retrieve(lab({ clock }), { signal: between.signal }))).toMatchObject(aborted);
  expect(await failureOf(retrieve(lab(), { signal: AbortSignal.abort() }))).toMatchObject(aborted);
});

const serving = <Result>(listener: RequestListener, use: (baseUrl: string) => Promise<Result>): Promise<Result> =>
  whileListening(createServer(listener), (port) => use(`http://127.0.0.1:${port}`));

/** Handles the first connections by `trouble`, and answers the others properly. */
function troubledAtFirst(times: number, trouble: RequestListener): RequestListener {
  let requests = 0;
  return (request, response) => {
    requests += 1;
    if (requests <= times) trouble(request, response);
    else response.end(JSON.stringify(STATUS));
  };
}

test.each<readonly [string, RequestListener]>([
  ['reset', (request) => request.socket.resetAndDestroy()],
  ['closed', (request) => request.socket.destroy()],
  ['cut in the middle of the fields', (request) => request.socket.end('HTTP/1.1 200 OK\r\ncontent-le')],
  [
    'cut in the middle of the body',
    (_request, response) =>
      void response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy()),
  ],
  ['answered in no HTTP', (request) => request.socket.end('HELO\r\n\r\n')],
])('a connection that is %s is tried again', async (_name, trouble) => {
  await serving(troubledAtFirst(2, trouble), async (baseUrl) => {
    const trial = lab({ baseUrl, fetch: nodeFetch });
    expect(await retrieve(trial)).toEqual(STATUS);
    expect(trial.waits).toEqual([250, 500]);
  });
});

test('a refused connection is reported as a connection that failed', async () => {
  const gone = await serving(
    () => {},
    async (baseUrl) => baseUrl,
  );
  expect(await failureOf(retrieve(lab({ fetch: nodeFetch, baseUrl: gone, maxRetries: 2 })))).toMatchObject({
    ...{ code: 'network-failed', retryable: true, reason: 'ECONNREFUSED', attempts: 3 },
  });
});

test.each<readonly [string, RequestListener]>([
  ['no answer', () => {}],
  ['an answer that trickles', (_request, response) => void response.writeHead(200).write('{')],
])('%s is tried again when its time is over', async (_name, trouble) => {
  await serving(troubledAtFirst(1, trouble), async (baseUrl) => {
    // Long enough for the second attempt to be answered on a busy machine.
    const trial = lab({ baseUrl, fetch: nodeFetch, clock: MACHINE_CLOCK, random: () => 0 });
    expect(await retrieve(trial, { timeoutMs: 500 })).toEqual(STATUS);
  });
  await serving(trouble, async (baseUrl) => {
    const trial = lab({ baseUrl, fetch: nodeFetch, clock: MACHINE_CLOCK, timeoutMs: 50, maxRetries: 0 });
    const timedOut = { code: 'network-failed', retryable: true, reason: 'timeout' };
    expect(await failureOf(retrieve(trial))).toMatchObject(timedOut);
  });
});

test('a file whose connection breaks off ends with an error', async () => {
  const listener: RequestListener = (request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.destroy());
  };
  await serving(listener, async (baseUrl) => {
    const file = { name: 'records.ndjson', sizeBytes: 100, sha256: '0'.repeat(64) };
    const read = async () => {
      let size = 0;
      for await (const chunk of lab({ baseUrl, fetch: nodeFetch, clock: MACHINE_CLOCK }).client.productions.file({
        productionId: 'p',
        file,
      }))
        size += chunk.length;
      return size;
    };
    expect(await failureOf(read())).toMatchObject({ code: 'network-failed', retryable: true });
  });
});
