import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createPlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import type { PlatformClient, PlatformClientOptions } from '../../sdk/src/platform/client/platform-client.js';
import { MACHINE_CLOCK } from '../../sdk/src/core/runtime/clock.js';
import { TEST_NOW_MS } from '../../sdk/src/testing/manual-clock.js';
import { createdEvent, sampleStatus } from '../support/platform-samples.js';
import { hastyClock } from '../support/waits.js';

const STATUS = sampleStatus('1');
const TIMEOUT_MS = 77_777;

interface Lab {
  readonly client: PlatformClient;
  readonly waits: readonly number[];
}

function lab(options: Partial<PlatformClientOptions> & { readonly baseUrl: string }): Lab {
  const clock = hastyClock(TEST_NOW_MS, TIMEOUT_MS);
  const client = createPlatformClient({
    ...{ authorization: bearerToken('c2VjcmV0'), timeoutMs: TIMEOUT_MS, clock, random: () => 0.5 },
    ...options,
  });
  return { client, waits: clock.waits };
}

const retrieve = ({ client }: Lab) => client.tracebackRequests.retrieve({ requestId: 'request-1' });

/** What a call comes to: its value, or what its error says. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (!isHopbackError(error)) throw error;
    return { code: error.code, retryable: error.retryable, ...error.details };
  }
}

async function serving<Result>(listener: RequestListener, use: (baseUrl: string) => Promise<Result>): Promise<Result> {
  const real = createServer(listener);
  await new Promise<void>((resolve) => real.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(real.address() as AddressInfo).port}`);
  } finally {
    real.closeAllConnections();
    await new Promise((resolve) => real.close(resolve));
  }
}

/** Does something else to the first connections, and answers well then. */
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
    const trial = lab({ baseUrl });
    expect(await retrieve(trial)).toEqual(STATUS);
    expect(trial.waits).toEqual([250, 500]);
  });
});

test('nobody who listens is a connection that failed', async () => {
  const gone = await serving(
    () => {},
    async (baseUrl) => baseUrl,
  );
  expect(await outcomeOf(retrieve(lab({ baseUrl: gone, maxRetries: 2 })))).toMatchObject({
    ...{ code: 'network-failed', retryable: true, reason: 'ECONNREFUSED', attempts: 3 },
  });
});

test.each<readonly [string, RequestListener]>([
  ['no answer', () => {}],
  ['an answer that trickles', (_request, response) => void response.writeHead(200).write('{')],
])('%s is tried again when its time is over', async (_name, trouble) => {
  await serving(troubledAtFirst(1, trouble), async (baseUrl) => {
    // Long enough for the second attempt to be answered on a busy machine.
    const { client } = lab({ baseUrl, clock: MACHINE_CLOCK, random: () => 0, timeoutMs: 500 });
    expect(await client.tracebackRequests.retrieve({ requestId: 'r' }, { timeoutMs: 500 })).toEqual(STATUS);
  });
  await serving(trouble, async (baseUrl) => {
    const { client } = lab({ baseUrl, clock: MACHINE_CLOCK, timeoutMs: 50, maxRetries: 0 });
    expect(await outcomeOf(client.tracebackRequests.retrieve({ requestId: 'r' }))).toMatchObject({
      ...{ code: 'network-failed', retryable: true, reason: 'timeout' },
    });
  });
});

test('a stream that is cut anywhere, again and again, brings every event once and in order', async () => {
  const events = Array.from({ length: 20 }, (_one, at) => createdEvent(String(at)));
  const whole = events.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
  let connections = 0;
  const listener: RequestListener = (request, response) => {
    connections += 1;
    const last = request.headers['last-event-id'];
    const from = events.findIndex(({ id }) => id === last) + 1;
    if (from === events.length) return void response.writeHead(204).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // Two events and a half, in two pieces; now with the connection reset, now closed.
    const text = `retry: 1\n\n${whole.slice(from, from + 3).join('')}`;
    const cut = text.length - (from + 3 <= events.length ? 100 : 0);
    response.write(text.slice(0, cut / 2));
    response.write(text.slice(cut / 2, cut), () => {
      if (connections % 2 === 0) request.socket.resetAndDestroy();
      else request.socket.end();
    });
  };
  await serving(listener, async (baseUrl) => {
    const { client } = lab({ baseUrl, clock: MACHINE_CLOCK, random: () => 0 });
    const seen: string[] = [];
    for await (const item of client.events()) seen.push(item.lastEventId);
    // What was written before a reset may be lost with it, and comes again.
    expect(seen).toEqual(events.map(({ id }) => id));
    expect(connections).toBeGreaterThan(9);
  });
});

test('a file whose connection breaks off does not end well', async () => {
  const listener: RequestListener = (request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.destroy());
  };
  await serving(listener, async (baseUrl) => {
    const file = { name: 'records.ndjson', sizeBytes: 100, sha256: '0'.repeat(64) };
    const read = async () => {
      let size = 0;
      for await (const chunk of lab({ baseUrl, clock: MACHINE_CLOCK }).client.productions.file({
        productionId: 'p',
        file,
      }))
        size += chunk.length;
      return size;
    };
    expect(await outcomeOf(read())).toMatchObject({ code: 'network-failed', retryable: true });
  });
});
