import { expect, test } from 'vitest';
import { PlatformClient } from '../../sdk/src/platform/client/platform-client.js';
import { EVENT_STREAM_LEAST_RETRY_MS, EVENT_STREAM_SILENCE_MS } from '../../sdk/src/platform/events/platform-events.js';
import type { EventStreamOptions, StreamedEvent } from '../../sdk/src/platform/events/platform-events.js';
import type { PlatformFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import type { PlatformEvent } from '../../sdk/src/contract/event.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { failureOf } from '../support/code-of.js';
import { cancelledEvent, createdEvent } from '../support/platform-samples.js';

/** What one connection does: pieces as they come, and what happens behind them. */
interface Connection {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly pieces?: readonly string[];
  /** `trickle` sends a thousand letters of a line that never ends, three times in the time of silence. */
  readonly ending?: 'end' | 'break' | 'silence' | 'trickle';
}

/** An event stream made of connections, and a clock on which waits are passed as soon as nothing else goes on. */
function lab(connections: readonly Connection[]) {
  const clock = new ManualClock();
  const asked: (string | undefined)[] = [];
  let refusals = 0;
  const fetch: PlatformFetch = async (_url, { headers }) => {
    const connection = connections[asked.length] ?? { status: 204 };
    asked.push(headers['last-event-id']);
    const { status = 200, type = 'text/event-stream', pieces = [], ending = 'end' } = connection;
    if (status === 0) throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    if (status !== 200) return new Response(null, { status, headers: connection.headers ?? {} });
    const waiting = [...pieces];
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const piece = waiting.shift();
        if (piece !== undefined) controller.enqueue(Buffer.from(piece));
        else if (ending === 'end') controller.close();
        else if (ending === 'break') controller.error(Object.assign(new Error('no'), { code: 'ECONNRESET' }));
        else {
          await new Promise<void>((resolve) => {
            if (ending === 'trickle') clock.schedule(resolve, EVENT_STREAM_SILENCE_MS / 3);
          });
          controller.enqueue(Buffer.from('x'.repeat(1_000)));
        }
      },
    });
    return new Response(body, { headers: { 'content-type': type } });
  };
  const client = new PlatformClient({
    ...{ baseUrl: 'https://itg.example', clock, fetch, random: () => 0 },
    authorization: { fields: () => ({}), refused: () => void (refusals += 1) },
  });
  const waits: number[] = [];

  /** Reads to the end of the stream, moving the clock on whenever nothing else goes on. */
  async function read(options: EventStreamOptions = {}): Promise<StreamedEvent[]> {
    const events: StreamedEvent[] = [];
    let over = false;
    const isOver = (): boolean => over;
    const reading = (async () => {
      for await (const event of client.events(options)) events.push(event);
    })().finally(() => (over = true));
    reading.catch(() => {});
    // Twenty turns without an end: the stream waits for time to pass, which then moves to whatever is next.
    for (let turns = 1; !isOver(); turns += 1) {
      await new Promise(setImmediate);
      if (turns % 20 !== 0 || isOver()) continue;
      const [before, connected] = [clock.nowMs(), asked.length];
      while (asked.length === connected && clock.pendingTimers() > 0) {
        clock.advance(1_000);
        await new Promise(setImmediate);
      }
      waits.push(clock.nowMs() - before);
    }
    await reading;
    return events;
  }
  return { client, read, asked, waits, clock, refusals: () => refusals };
}

const sent = (event: PlatformEvent, id: string = event.id): string => `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;
const first = createdEvent('1');
const second = cancelledEvent('2');

test('yields events as they come, repeated ones too, until the platform ends the stream with 204', async () => {
  const { read, asked } = lab([{ pieces: [': hello\n\n', sent(first) + sent(second), sent(first)] }]);
  expect(await read()).toEqual([
    { status: 'event', lastEventId: first.id, event: first },
    { status: 'event', lastEventId: second.id, event: second },
    { status: 'event', lastEventId: first.id, event: first },
  ]);
  expect(asked).toEqual([undefined, first.id]);
});

test('resumes behind the last complete event, whichever way a connection ends, and reports each connection', async () => {
  const half = sent(second).slice(0, -20);
  const { read, asked } = lab([
    { pieces: [sent(first), half], ending: 'break' },
    { pieces: [half], ending: 'end' },
    { status: 0 },
    { status: 503 },
    { pieces: [sent(second)] },
  ]);
  const reported: unknown[] = [];
  const events = await read({
    lastEventId: 'kept',
    onConnection: (connection) =>
      reported.push(connection.status === 'open' ? 'open' : [connection.error.code, connection.failures]),
  });
  expect(events.map(({ lastEventId }) => lastEventId)).toEqual([first.id, second.id]);
  expect(asked).toEqual(['kept', first.id, first.id, first.id, first.id, second.id]);
  expect(reported.filter((one) => one === 'open')).toHaveLength(3);
  expect(reported).toContainEqual(['unavailable', expect.any(Number)]);
});

test('gives up a connection on which nothing comes, not even a comment', async () => {
  const { read, asked, clock } = lab([
    { pieces: [sent(first), ': still here\n\n'], ending: 'silence' },
    { pieces: [sent(second)] },
  ]);
  const start = clock.nowMs();
  expect(await read()).toHaveLength(2);
  expect(asked).toEqual([undefined, first.id, second.id]);
  expect(clock.nowMs() - start).toBeGreaterThanOrEqual(EVENT_STREAM_SILENCE_MS);
});

test('waits before a new connection as long as the stream or Retry-After says', async () => {
  const told = lab([{ pieces: ['retry: 20000\n\n'] }]);
  await told.read();
  expect(told.waits).toEqual([20_000]);
  const asked = lab([{ status: 503, headers: { 'retry-after': '90' } }]);
  await asked.read();
  expect(asked.waits).toEqual([90_000]);
});

test('a stream that asks for no wait at all, and breaks off each time, makes no flood of connections', async () => {
  const { read, waits, asked } = lab(
    Array.from({ length: 20 }, (_one, at) => ({ pieces: [`retry: 0\n${sent(first, `e-${at}`)}`] })),
  );
  expect(await read()).toHaveLength(20);
  expect(asked.length - 1).toBe(20);
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(EVENT_STREAM_LEAST_RETRY_MS);
});

test('does not resume from an empty id or one in two lines', async () => {
  const { read, asked } = lab([
    { pieces: [sent(first, '7'), `id:\ndata: {}\n\n`, `id: 8\nX-Evil: 1\ndata: {}\n\n`, 'id: 9\r\n'] },
  ]);
  expect((await read()).map(({ lastEventId }) => lastEventId)).toEqual(['7', '7', '8']);
  expect(asked).toEqual([undefined, '8']);
});

test('an endless line counts as silence, however much of it comes', async () => {
  const { read, asked } = lab([
    { pieces: [': hello\n\n'], ending: 'trickle' },
    { pieces: [': hello\n\n'], ending: 'silence' },
  ]);
  expect(await read()).toEqual([]);
  expect(asked).toHaveLength(3);
});

test('a refused stream is a typed error: 403, 404, and a page that is no stream', async () => {
  expect(await failureOf(lab([{ status: 403 }]).read())).toMatchObject({ code: 'unauthorized', httpStatus: 403 });
  expect(await failureOf(lab([{ status: 404 }]).read())).toMatchObject({ code: 'request-refused', httpStatus: 404 });
  expect(await failureOf(lab([{ type: 'text/html' }]).read())).toMatchObject({
    code: 'response-unreadable',
    httpStatus: 200,
  });
  const expired = lab([{ status: 401 }, { pieces: [sent(first)] }]);
  expect(await expired.read()).toHaveLength(1);
  expect(expired.refusals()).toBe(1);
});

test('gives up after as many connections in a row as it may', async () => {
  const trial = lab(Array.from({ length: 9 }, () => ({ status: 0 })));
  expect(await failureOf(trial.read({ maxRetries: 2 }))).toMatchObject({ code: 'network-failed' });
  expect(trial.asked).toHaveLength(3);
});

test('passes over unreadable events, and reports them', async () => {
  const later = { ...first, type: 'org.hopback.weather.changed.1', data: {} } as unknown as PlatformEvent;
  const drifted = { ...first, data: { request: { ...sentRequest(), hop: 0 } } } as unknown as PlatformEvent;
  const { read } = lab([
    {
      pieces: [
        'id: 1\ndata: {\n\n',
        sent(later, '2'),
        sent(drifted, '3'),
        `id: 4\ndata: ${'x'.repeat(1_048_577)}\n\n`,
        sent(first, '5'),
      ],
    },
  ]);
  expect(await read()).toEqual([
    { status: 'unreadable', lastEventId: '1', reason: 'not-json', place: 'offset 1' },
    { status: 'unknown-type', lastEventId: '2', type: 'org.hopback.weather.changed.1', eventId: first.id },
    { status: 'unreadable', lastEventId: '3', reason: 'schema-drift', place: 'data.request.hop' },
    { status: 'unreadable', lastEventId: '4', reason: 'too-large' },
    { status: 'event', lastEventId: '5', event: first },
  ]);
});

const sentRequest = () => (first.type === 'org.hopback.traceback-request.created.1' ? first.data.request : undefined);

test('an id that no header field holds leaves the position where it is', async () => {
  const { read, asked } = lab([{ pieces: [sent(first, '7'), sent(second, '\u{1F4DE}')] }]);
  expect((await read()).map(({ lastEventId }) => lastEventId)).toEqual(['7', '7']);
  expect(asked).toEqual([undefined, '7']);
  expect(await failureOf(lab([]).read({ lastEventId: 'a b' }))).toMatchObject({ code: 'invalid-argument' });
});

test('ends when its signal aborts while it reads', async () => {
  const reading = new AbortController();
  const { client, clock } = lab([{ pieces: [sent(first)], ending: 'silence' }]);
  const events = client.events({ signal: reading.signal });
  expect((await events.next()).value?.status).toBe('event');
  const next = events.next();
  await new Promise(setImmediate);
  reading.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  expect(clock.pendingTimers()).toBe(0);
});

test('leaves nothing behind when its reader goes', async () => {
  const { client, clock } = lab([{ pieces: [sent(first)], ending: 'silence' }]);
  for await (const event of client.events()) {
    expect(event.status).toBe('event');
    break;
  }
  expect(clock.pendingTimers()).toBe(0);
});
