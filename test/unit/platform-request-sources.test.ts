import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { HopbackError, isHopbackError } from '../../sdk/src/errors.js';
import type { EventStreamOptions, StreamedEvent } from '../../sdk/src/platform/events/platform-events.js';
import type { RequestClient, RequestSourceState } from '../../sdk/src/platform/sources/source-state.js';
import { mergeTracebackRequestSources } from '../../sdk/src/platform/sources/source-state.js';
import {
  MAX_LOOKS,
  MAX_OPEN_ARRIVALS,
  NOTICE_POLL_INTERVAL_MS,
  POLL_INTERVAL_MS,
  pollTracebackRequests,
} from '../../sdk/src/platform/sources/poll-requests.js';
import {
  RELEASED_AGAIN_MS,
  STEP_OVER_ATTEMPTS,
  createWebhookRequestSource,
  streamTracebackRequests,
} from '../../sdk/src/platform/sources/stream-requests.js';
import type {
  TracebackRequestArrival,
  TracebackRequestSource,
} from '../../sdk/src/platform/traceback-request-source.js';
import type { FccNotice } from '../../sdk/src/contract/alert.js';
import type { PlatformEvent } from '../../sdk/src/contract/event.js';
import type { TracebackRequestStatus } from '../../sdk/src/contract/traceback-exchange.js';
import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { cancelledEvent, createdEvent, remindedEvent, sampleStatus } from '../support/platform-samples.js';

const turns = async (count = 10): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

let clock: ManualClock;
beforeEach(() => void (clock = new ManualClock()));

/** The client of a platform with these open requests, as far as sources use it. */
function platform(...ids: readonly string[]) {
  const requests = new Map(ids.map((id) => [`request-${id}`, sampleStatus(id)]));
  const acknowledged: unknown[] = [];
  const failures: Error[] = [];
  /** Errors of single requests. */
  const broken = new Map<string, Error>();
  let lists = 0;
  let looks = 0;
  const fail = (): void => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  const client = {
    tracebackRequests: {
      async *iterate() {
        lists += 1;
        fail();
        for (const status of requests.values())
          if (status.state === 'open' || status.state === 'acknowledged') yield status;
      },
      async retrieve({ requestId }: { readonly requestId: string }): Promise<TracebackRequestStatus> {
        looks += 1;
        fail();
        const failure = broken.get(requestId);
        if (failure !== undefined) throw failure;
        const status = requests.get(requestId);
        if (status === undefined)
          throw new HopbackError('request-refused', 'no such request', { details: { httpStatus: 404 } });
        return status;
      },
      async acknowledge(said: unknown) {
        fail();
        acknowledged.push(said);
        return sampleStatus('1');
      },
    },
  } as unknown as RequestClient;
  const set = (id: string, state: TracebackRequestStatus['state']): void =>
    void requests.set(`request-${id}`, sampleStatus(id, { state }));
  return { client, acknowledged, failures, broken, set, requests, lists: () => lists, looks: () => looks };
}

/** Iterates a source, and keeps the arrivals without acknowledging them. */
function taking(source: TracebackRequestSource) {
  const arrivals: TracebackRequestArrival[] = [];
  let ended: unknown;
  const over = (async () => {
    for await (const arrival of source) arrivals.push(arrival);
  })().then(
    () => (ended = 'ended'),
    (error: unknown) => (ended = isHopbackError(error) ? error.code : error),
  );
  return { arrivals, names: () => arrivals.map(nameOf), ended: () => ended, over };
}

const nameOf = (arrival: TracebackRequestArrival): string => {
  if (arrival.kind === 'notice') return `notice ${arrival.notice.noticeId} ${arrival.notice.state}`;
  return `${arrival.kind} ${arrival.kind === 'request' ? arrival.request.requestId : arrival.requestId}`;
};

/** Reads a source until the test ends. */
async function reading(make: (onState: (state: RequestSourceState) => void) => TracebackRequestSource) {
  const states: RequestSourceState[] = [];
  const words = (): readonly string[] =>
    states.map(({ status, httpStatus }) => (httpStatus === undefined ? status : `${status} ${httpStatus}`));
  const source = make((state) => void states.push(state));
  onTestFinished(() => source.close());
  const read = taking(source);
  await turns();
  return { source, states, words, ...read };
}

type Options<Make extends (options: never) => unknown> = Partial<Parameters<Make>[0]>;
type Platform = ReturnType<typeof platform>;

const poll = ({ client }: Platform, options: Options<typeof pollTracebackRequests> = {}) =>
  reading((onState) => pollTracebackRequests({ client, clock, random: () => 0.5, onState, ...options }));

const acknowledgeAll = async (arrivals: readonly TracebackRequestArrival[]): Promise<void> => {
  for (const arrival of arrivals) await arrival.acknowledge();
  await turns();
};

const pass = async (ms: number): Promise<void> => {
  clock.advance(ms);
  await turns();
};

/** Lets minutes pass one by one. */
async function minutes(count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) await pass(60_000);
}

const refusal = (httpStatus: number): HopbackError =>
  new HopbackError(httpStatus === 401 || httpStatus === 403 ? 'unauthorized' : 'request-refused', 'no', {
    details: { httpStatus },
  });
const unavailable = (details = {}): HopbackError => new HopbackError('unavailable', 'no', { retryable: true, details });

test('polling yields each open request once, and acknowledges it with the platform', async () => {
  const itg = platform('1', '2');
  const { arrivals, names } = await poll(itg);
  expect(names()).toEqual(['request request-1', 'request request-2']);
  expect(arrivals[0]).toMatchObject({ via: 'poll', receivedAtMs: clock.nowMs() });
  const receivedAt = new Date(clock.nowMs()).toISOString();
  const hours = { startsAt: '2026-11-02T13:00:00Z', dueAt: '2026-11-03T13:00:00Z' };
  await arrivals[0]!.acknowledge({ clock: hours, reference: 'case-7' });
  await arrivals[0]!.acknowledge();
  expect(itg.acknowledged).toEqual([{ requestId: 'request-1', receivedAt, clock: hours, reference: 'case-7' }]);
  await minutes(POLL_INTERVAL_MS / 60_000);
  expect([itg.lists(), names().length]).toEqual([2, 2]);
});

test('an acknowledgement that the platform does not answer is given up soon after the source closes, not before', async () => {
  const itg = platform('1');
  let isGivenUp = false;
  const acknowledge = (_said: unknown, { signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        isGivenUp = true;
        reject(new HopbackError('aborted', 'given up'));
      }),
    );
  const client = { tracebackRequests: { ...itg.client.tracebackRequests, acknowledge } } as unknown as RequestClient;
  const { arrivals, source } = await poll(itg, { client });
  const acknowledged = arrivals[0]!.acknowledge();
  clock.advance(50_000);
  await source.close();
  expect(isGivenUp).toBe(false);
  clock.advance(2_000);
  await acknowledged;
  expect(isGivenUp).toBe(true);
});

test('polling yields a released request again, and finds a cancellation', async () => {
  const itg = platform('1', '2');
  const { arrivals, names } = await poll(itg);
  arrivals[0]!.release();
  await arrivals[1]!.acknowledge();
  itg.set('2', 'cancelled');
  await minutes(1);
  expect(names().slice(2)).toEqual(['request request-1', 'cancelled request-2']);
  await acknowledgeAll(arrivals.slice(2));
  itg.set('1', 'answered');
  await minutes(3);
  expect(names()).toHaveLength(4);
});

test('a request that is open again after it was answered is yielded again', async () => {
  const itg = platform('1');
  const { arrivals, names } = await poll(itg);
  for (const state of ['open', 'answered', 'open'] as const) {
    itg.set('1', state);
    await turns();
    await arrivals.at(-1)?.acknowledge();
    clock.advance(POLL_INTERVAL_MS);
  }
  await turns();
  expect(names()).toEqual(['request request-1', 'request request-1']);
});

test('polling goes on after transient failures, and waits as long as it is asked to', async () => {
  const itg = platform('1');
  itg.failures.push(unavailable({ retryAfterMs: 600_000 }), new HopbackError('response-unreadable', 'no'));
  const { names } = await poll(itg);
  await minutes(1);
  expect(itg.lists()).toBe(1);
  await minutes(10);
  expect([itg.lists(), names()]).toEqual([3, ['request request-1']]);
});

test.each([401, 403, 404, 302])('polling goes on after %d, and reports its beginning and its end', async (status) => {
  const itg = platform('1');
  itg.failures.push(refusal(status), refusal(status), refusal(status));
  const { names, ended, states, words } = await poll(itg);
  expect(words()).toEqual([`refused ${status}`]);
  expect(states[0]!.nextAttemptAtMs).toBe(clock.nowMs() + POLL_INTERVAL_MS);
  await minutes(5);
  expect(words()).toEqual([`refused ${status}`, 'hearing']);
  expect([names(), ended()]).toEqual([['request request-1'], undefined]);
});

test('a platform that refuses is asked less and less often, every ten minutes in the end', async () => {
  const itg = platform('1');
  itg.failures.push(...Array.from({ length: 100 }, () => refusal(401)));
  await poll(itg, { random: () => 0.99 });
  await minutes(60);
  const before = itg.lists();
  await minutes(100);
  expect(itg.lists() - before).toBe(10);
});

test('failed look-ups of single requests hide neither other requests nor new ones', async () => {
  const itg = platform('1', '2', '3');
  const { arrivals, names } = await poll(itg);
  await acknowledgeAll(arrivals);
  itg.set('2', 'cancelled');
  itg.set('3', 'cancelled');
  itg.requests.delete('request-1');
  itg.broken.set('request-1', refusal(422)).set('request-2', unavailable());
  itg.requests.set('request-4', sampleStatus('4'));
  await minutes(1);
  expect(names().slice(3)).toEqual(['request request-4', 'cancelled request-3']);
  itg.broken.clear();
  await minutes(1);
  expect(names().slice(5)).toEqual(['cancelled request-2']);
});

test('a list that is empty by mistake causes no flood of look-ups, and all open requests are looked up in turn', async () => {
  const ids = Array.from({ length: 2 * MAX_LOOKS + 50 }, (_one, at) => String(at));
  const itg = platform(...ids);
  const empty = { tracebackRequests: { ...itg.client.tracebackRequests, iterate: async function* () {} } };
  for (const id of ids.slice(-3)) itg.set(id, 'cancelled');
  const { names } = await poll(itg, { client: empty, open: () => ids.map((id) => `request-${id}`) });
  expect([itg.looks(), names()]).toEqual([MAX_LOOKS, []]);
  await minutes(2);
  expect(names()).toEqual(ids.slice(-3).map((id) => `cancelled request-${id}`));
});

test('requests that are open in the journal but not with the platform are looked up by id', async () => {
  const itg = platform('1', '2', '3');
  itg.set('1', 'cancelled');
  itg.set('3', 'answered');
  const open = (): readonly string[] => ['request-1', 'request-2', 'request-3', 'request-9'];
  const { arrivals, names } = await poll(itg, { open });
  expect(names()).toEqual(['request request-2', 'cancelled request-1']);
  await acknowledgeAll(arrivals);
  const looked = itg.looks();
  await minutes(3);
  // A request that the platform does not know is not cancelled: its answer still goes out.
  expect([names().length, itg.looks()]).toEqual([2, looked]);
});

test('a journal that is not open yet does not stop the listing', async () => {
  const open = (): readonly string[] => {
    throw new ReferenceError('not yet');
  };
  const { names, words } = await poll(platform('1'), { open });
  expect([names(), words()]).toEqual([['request request-1'], ['hearing']]);
});

test('polling yields a bounded number of requests until they are acknowledged', async () => {
  const { arrivals } = await poll(platform(...Array.from({ length: MAX_OPEN_ARRIVALS + 5 }, (_one, at) => String(at))));
  await turns(200);
  expect(arrivals).toHaveLength(MAX_OPEN_ARRIVALS);
  await acknowledgeAll(arrivals.slice(0, 3));
  await turns(50);
  expect(arrivals).toHaveLength(MAX_OPEN_ARRIVALS + 3);
});

const delivery = { webhookId: 'w', timestampSeconds: 0, receivedAtMs: 0 };

test('an acknowledgement that does not reach the platform still counts here', async () => {
  const itg = platform();
  const source = createWebhookRequestSource({ client: itg.client, clock });
  const { arrivals } = await reading(() => source);
  const consumed = source.consume(createdEvent('1'), delivery);
  await turns();
  itg.failures.push(new HopbackError('network-failed', 'no', { retryable: true }));
  await arrivals[0]!.acknowledge();
  await consumed;
  expect(itg.acknowledged).toEqual([]);
});

test('a webhook is acknowledged with its arrival, and refused when the arrival is released', async () => {
  const itg = platform('2');
  const others: string[] = [];
  const source = createWebhookRequestSource({
    ...{ client: itg.client, clock, others: (event) => void others.push(event.type) },
  });
  const { arrivals, names, over } = await reading(() => source);
  const outcomes = [createdEvent('1'), remindedEvent('2'), cancelledEvent('3')].map((event) =>
    Promise.resolve(source.consume(event, delivery)).then(
      () => 'taken',
      (error: unknown) => isHopbackError(error) && error.retryable,
    ),
  );
  await turns();
  expect(names().sort()).toEqual(['cancelled request-3', 'request request-1', 'request request-2']);
  for (const arrival of arrivals) {
    if (nameOf(arrival) === 'request request-1') arrival.release();
    else await arrival.acknowledge();
  }
  expect(await Promise.all(outcomes)).toEqual([true, 'taken', 'taken']);
  // A reminder of an answered or unknown request is accepted without an arrival.
  itg.set('2', 'answered');
  await source.consume(remindedEvent('2'), delivery);
  await source.consume(remindedEvent('9'), delivery);
  const alert = { ...createdEvent('1'), type: 'org.hopback.alert.raised.1' } as unknown as PlatformEvent;
  await source.consume(alert, delivery);
  expect(others).toEqual(['org.hopback.alert.raised.1']);
  const late = Promise.resolve(source.consume(createdEvent('4'), delivery)).catch(() => 'refused');
  await turns();
  await source.close();
  expect(await late).toBe('refused');
  expect(await over).toBe('ended');
  await expect(source.consume(createdEvent('5'), delivery)).rejects.toThrow();
});

/** The same with a stream of the items that a test puts into it. */
function streaming(...ids: readonly string[]) {
  const itg = platform(...ids);
  const asked: unknown[] = [];
  const waiting: StreamedEvent[] = [];
  const refusals: Error[] = [];
  let wake: () => void = () => {};
  let isOver = false;
  async function* events({ signal, lastEventId, onConnection }: EventStreamOptions = {}) {
    asked.push(lastEventId);
    const refused = refusals.shift();
    if (refused !== undefined) throw refused;
    onConnection?.({ status: 'open' });
    signal?.addEventListener('abort', () => wake());
    const isAborted = (): boolean => signal?.aborted === true;
    while (!isAborted()) {
      const event = waiting.shift();
      if (event !== undefined) yield event;
      else if (isOver) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const end = (): void => {
    isOver = true;
    wake();
  };
  const raw = (...items: readonly StreamedEvent[]): void => {
    waiting.push(...items);
    wake();
  };
  const put = (...added: readonly PlatformEvent[]): void =>
    raw(...added.map((event) => ({ status: 'event', lastEventId: event.id, event }) as const));
  return { ...itg, client: { ...itg.client, events }, asked, refusals, put, raw, end };
}

const stream = ({ client }: ReturnType<typeof streaming>, options: Options<typeof streamTracebackRequests> = {}) =>
  reading((onState) => streamTracebackRequests({ client, clock, random: () => 0.5, onState, ...options }));

/** A position that begins at `lastEventId`, and what is saved of it. */
function positionAt(lastEventId: string | undefined) {
  const saved: string[] = [];
  return { saved, position: { load: async () => lastEventId, save: async (id: string) => void saved.push(id) } };
}

test('the position in the stream moves only past acknowledged events', async () => {
  const itg = streaming();
  const { saved, position } = positionAt('kept');
  itg.put(createdEvent('1'), createdEvent('2'), cancelledEvent('3'), createdEvent('4'));
  const { arrivals, source } = await stream(itg, { position });
  expect(itg.asked).toEqual(['kept']);
  await acknowledgeAll(arrivals.slice(1, 3));
  expect(saved).toEqual([]);
  await acknowledgeAll(arrivals.slice(0, 1));
  expect(saved).toEqual(['cancelled-3']);
  await source.close();
  expect(saved).toEqual(['cancelled-3']);
});

test('a released event of the stream is yielded again, and so is a reminder whose request could not be looked up', async () => {
  const itg = streaming('2');
  itg.put(createdEvent('1'));
  const { arrivals, names } = await stream(itg);
  arrivals[0]!.release();
  await turns();
  await pass(RELEASED_AGAIN_MS);
  expect(names()).toEqual(['request request-1', 'request request-1']);
  itg.failures.push(unavailable());
  itg.put(remindedEvent('2'));
  await turns();
  await pass(RELEASED_AGAIN_MS);
  expect(names().at(-1)).toBe('request request-2');
});

test('passes over unreadable events, and connects again when the platform ends the stream', async () => {
  const itg = streaming();
  const { saved, position } = positionAt(undefined);
  const warnings: unknown[] = [];
  const logger = { debug: () => {}, warn: (fields: unknown) => void warnings.push(fields) };
  itg.raw(
    { status: 'unreadable', lastEventId: 'a', reason: 'schema-drift', place: 'data' },
    { status: 'unknown-type', lastEventId: 'b', type: 'org.hopback.weather.changed.1', eventId: 'b' },
  );
  itg.put(createdEvent('1'));
  const { arrivals, over, source, words } = await stream(itg, { position, logger });
  itg.end();
  await acknowledgeAll(arrivals.slice(0, 1));
  expect(saved).toEqual(['a', 'b', 'created-1']);
  expect([warnings.length, words()]).toEqual([3, ['hearing', 'refused 204']]);
  await minutes(1);
  expect(itg.asked.slice(0, 2)).toEqual([undefined, 'created-1']);
  await source.close();
  expect([await over, clock.pendingTimers()]).toEqual(['ended', 0]);
});

test.each([401, 403, 404, 301])(
  'the stream is requested again after %d, from the same position',
  async (httpStatus) => {
    const itg = streaming();
    itg.refusals.push(refusal(httpStatus), refusal(httpStatus));
    itg.put(createdEvent('1'));
    const { names, ended, words } = await stream(itg, positionAt('kept'));
    await minutes(2);
    expect(itg.asked).toEqual(['kept', 'kept', 'kept']);
    expect(words()).toEqual([`refused ${httpStatus}`, 'hearing']);
    expect([names(), ended()]).toEqual([['request request-1'], undefined]);
  },
);

test('a position that cannot be loaded is loaded again', async () => {
  const itg = streaming();
  let loads = 0;
  const load = async (): Promise<string> => {
    loads += 1;
    if (loads < 3) throw new Error('the disk');
    return 'kept';
  };
  await stream(itg, { position: { load, save: async () => {} } });
  await minutes(3);
  expect(itg.asked).toEqual(['kept']);
});

test.each([410, 400])(
  'a position that the platform refuses with %d is given up, and open requests are listed',
  async (httpStatus) => {
    const itg = streaming('1');
    itg.refusals.push(refusal(httpStatus));
    const { names } = await stream(itg, positionAt('of-last-year'));
    expect([itg.asked, names()]).toEqual([['of-last-year', undefined], ['request request-1']]);
  },
);

test('with the open requests of the journal a stream finds what happened while it stood still, at most once a minute', async () => {
  const itg = streaming('1', '2', '3');
  itg.set('1', 'cancelled');
  const { arrivals, names } = await stream(itg, { open: () => ['request-1', 'request-2'] });
  expect(names()).toEqual(['request request-3', 'cancelled request-1']);
  await acknowledgeAll(arrivals);
  itg.set('2', 'cancelled');
  itg.end();
  await turns();
  await pass(10_000);
  expect([itg.asked.length, itg.lists()]).toEqual([2, 1]);
  await minutes(1);
  expect([itg.lists(), names().slice(2)]).toEqual([2, ['cancelled request-2']]);
});

test('an unreadable event may have been a request, so that open requests are listed', async () => {
  const itg = streaming('1');
  itg.raw({ status: 'unreadable', lastEventId: 'a', reason: 'not-json' });
  expect((await stream(itg)).names()).toEqual(['request request-1']);
});

test('an event that cannot be handled is passed over, reported, and retried beside the stream', async () => {
  const itg = streaming('1');
  const { saved, position } = positionAt(undefined);
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const logger = { debug: () => {}, warn: (fields: Readonly<Record<string, unknown>>) => void warnings.push(fields) };
  itg.broken.set('request-1', refusal(422));
  itg.put(remindedEvent('1'), createdEvent('2'));
  const { arrivals, names } = await stream(itg, { position, logger });
  await acknowledgeAll(arrivals.slice(0, 1));
  expect(saved).toEqual([]);
  await minutes(STEP_OVER_ATTEMPTS);
  expect(saved).toEqual(['created-2']);
  expect(warnings.filter(({ isKept }) => isKept === true)).toMatchObject([{ eventId: 'reminded-1' }]);
  itg.broken.clear();
  await minutes(10);
  expect(names()).toEqual(['request request-2', 'request request-1']);
});

test('a hundred events that are always released do not block the event behind them', async () => {
  const itg = streaming();
  itg.put(...Array.from({ length: 100 }, (_one, at) => createdEvent(String(at))), cancelledEvent('last'));
  const { arrivals, names } = await stream(itg);
  let seen = 0;
  for (let minute = 0; minute < 15; minute += 1) {
    await turns(20);
    for (const arrival of arrivals.slice(seen)) if (arrival.kind === 'request') arrival.release();
    seen = arrivals.length;
    clock.advance(60_000);
  }
  expect(names()).toContain('cancelled request-last');
});

const noticeExample = WIRE_EXAMPLES.FccNotice[0].value;

test('polling yields each notice once for each of its states', async () => {
  const itg = platform();
  const issuedAt = new Date(clock.nowMs()).toISOString();
  const notices = [
    { ...noticeExample, noticeId: 'n-1', state: 'open', issuedAt },
    { ...noticeExample, noticeId: 'n-0', state: 'withdrawn', issuedAt: '2020-01-01T00:00:00Z' },
  ] as FccNotice[];
  let lists = 0;
  const iterate = async function* () {
    lists += 1;
    if (lists === 2) throw refusal(403);
    yield* notices;
  };
  const client = { ...itg.client, notices: { iterate } } as unknown as Parameters<
    typeof pollTracebackRequests
  >[0]['client'];
  const { arrivals, names, words } = await poll(itg, { client });
  await arrivals[0]!.acknowledge();
  notices[0] = { ...notices[0]!, state: 'withdrawn' };
  await minutes(2 * (NOTICE_POLL_INTERVAL_MS / 60_000));
  expect(names()).toEqual(['notice n-1 open', 'notice n-1 withdrawn']);
  // A refused list of notices does not affect requests.
  expect([words(), lists]).toEqual([['hearing'], 3]);
});

test('the stream and webhooks yield notices as arrivals', async () => {
  const itg = streaming();
  const { data: _data, type: _type, ...envelope } = createdEvent('1');
  const type = 'org.hopback.notice.issued.1' as const;
  const event = { ...envelope, id: 'issued-1', type, data: { notice: noticeExample } };
  itg.put(event);
  const streamed = await stream(itg);
  const webhooks = createWebhookRequestSource({ client: itg.client, clock });
  const posted = await reading(() => webhooks);
  const consumed = webhooks.consume(event, delivery);
  await turns();
  await posted.arrivals[0]!.acknowledge();
  await consumed;
  for (const { names } of [streamed, posted])
    expect(names()).toEqual([`notice ${noticeExample.noticeId} ${noticeExample.state}`]);
  expect(itg.acknowledged).toEqual([]);
});

test('webhooks with the open requests of the journal find what was not posted', async () => {
  const itg = platform('1', '2');
  itg.set('1', 'cancelled');
  const { names } = await reading(() =>
    createWebhookRequestSource({ client: itg.client, clock, open: () => ['request-1'] }),
  );
  expect(names()).toEqual(['request request-2', 'cancelled request-1']);
});

test('a merged source yields the arrivals of each source, goes on when one fails, and closes them all', async () => {
  const [polled, streamed, failing] = [platform('1'), streaming(), platform()];
  failing.failures.push(new HopbackError('unauthorized', 'no'));
  streamed.put(createdEvent('2'));
  const { arrivals, names, ended, over, source } = await reading(() =>
    mergeTracebackRequestSources([
      pollTracebackRequests({ client: failing.client, clock }),
      pollTracebackRequests({ client: polled.client, clock }),
      streamTracebackRequests({ client: streamed.client, clock }),
    ]),
  );
  expect(names().sort()).toEqual(['request request-1', 'request request-2']);
  expect(arrivals.map(({ via }) => via).sort()).toEqual(['event-stream', 'poll']);
  expect(ended()).toBeUndefined();
  await source.close();
  await over;
  expect(clock.pendingTimers()).toBe(0);
});

/** A custom source that fails so often, and then yields one arrival. */
function failingSource(times: number): TracebackRequestSource {
  let left = times;
  let isClosed = false;
  return {
    async *[Symbol.asyncIterator]() {
      if (isClosed) return;
      if (left-- > 0) throw new HopbackError('unauthorized', 'no');
      yield { kind: 'cancelled', requestId: 'request-7', receivedAtMs: 0, via: 'poll', release: () => {} } as never;
    },
    close: async () => void (isClosed = true),
    [Symbol.asyncDispose]: async () => {},
  };
}

test('a merged source reports the error of a source, and iterates that source again', async () => {
  const failures: unknown[] = [];
  const onFailed = (error: unknown): void => void failures.push(isHopbackError(error) && error.code);
  const { names, over } = await reading(() =>
    mergeTracebackRequestSources([failingSource(2)], { clock, random: () => 0.5, onFailed }),
  );
  expect(failures).toEqual(['unauthorized']);
  await minutes(2);
  expect([failures, names()]).toEqual([['unauthorized', 'unauthorized'], ['cancelled request-7']]);
  expect(await over).toBe('ended');
  expect(clock.pendingTimers()).toBe(0);
});

test('a merged source whose sources keep failing can be closed', async () => {
  const { over, source } = await reading(() => mergeTracebackRequestSources([failingSource(Infinity)], { clock }));
  await source.close();
  expect(await over).toBe('ended');
  await turns();
  expect(clock.pendingTimers()).toBe(0);
});

test('leaving the iteration closes a source and releases its open arrivals', async () => {
  const source = pollTracebackRequests({ client: platform('1').client, clock });
  for await (const arrival of source) {
    expect(nameOf(arrival)).toBe('request request-1');
    break;
  }
  await turns();
  expect(clock.pendingTimers()).toBe(0);
  await source.close();
});
