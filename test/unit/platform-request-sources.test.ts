import { expect, test } from 'vitest';
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
import type { PollOptions } from '../../sdk/src/platform/index.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { cancelledEvent, createdEvent, remindedEvent, sampleStatus } from '../support/platform-samples.js';

const turns = async (count = 10): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
};

/** A platform with requests in it, as much of it as sources see. */
function platform(...ids: readonly string[]) {
  const requests = new Map(ids.map((id) => [`request-${id}`, sampleStatus(id)]));
  const acknowledged: unknown[] = [];
  const failures: Error[] = [];
  /** Of single requests. */
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

/** Iterates a source and keeps what comes, as a responder would that takes its time. */
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

test('polling hands each open request on once, and acknowledges it with the platform', async () => {
  const clock = createManualClock();
  const itg = platform('1', '2');
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { arrivals, names } = taking(source);
  await turns();
  expect(names()).toEqual(['request request-1', 'request request-2']);
  expect(arrivals[0]).toMatchObject({ via: 'poll', receivedAtMs: clock.nowMs() });
  const receivedAt = new Date(clock.nowMs()).toISOString();
  const hours = { startsAt: '2026-11-02T13:00:00Z', dueAt: '2026-11-03T13:00:00Z' };
  await arrivals[0]!.acknowledge({ clock: hours, reference: 'case-7' });
  await arrivals[0]!.acknowledge();
  expect(itg.acknowledged).toEqual([{ requestId: 'request-1', receivedAt, clock: hours, reference: 'case-7' }]);
  clock.advance(POLL_INTERVAL_MS);
  await turns();
  expect([itg.lists(), names().length]).toEqual([2, 2]);
});

test('a platform that hangs over an acknowledgement is hung up on soon after the source closes, not before', async () => {
  const clock = createManualClock();
  const itg = platform('1');
  let wasHungUp = false;
  const acknowledge = (_said: unknown, { signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => {
        wasHungUp = true;
        reject(new HopbackError('aborted', 'hung up'));
      }),
    );
  const client = { tracebackRequests: { ...itg.client.tracebackRequests, acknowledge } } as unknown as RequestClient;
  const source = pollTracebackRequests({ client, clock, random: () => 0.5 });
  const { arrivals } = taking(source);
  await turns();
  const told = arrivals[0]!.acknowledge();
  clock.advance(50_000);
  await source.close();
  expect(wasHungUp).toBe(false);
  clock.advance(2_000);
  await told;
  expect(wasHungUp).toBe(true);
});

test('polling hands a released request on again, and finds a cancellation', async () => {
  const clock = createManualClock();
  const itg = platform('1', '2');
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { arrivals, names } = taking(source);
  await turns();
  arrivals[0]!.release();
  await arrivals[1]!.acknowledge();
  itg.set('2', 'cancelled');
  clock.advance(POLL_INTERVAL_MS);
  await turns();
  expect(names().slice(2)).toEqual(['request request-1', 'cancelled request-2']);
  await arrivals[2]!.acknowledge();
  await arrivals[3]!.acknowledge();
  itg.set('1', 'answered');
  for (let round = 0; round < 3; round += 1) {
    clock.advance(POLL_INTERVAL_MS);
    await turns();
  }
  expect(names()).toHaveLength(4);
});

test('a request that comes back after it was answered is one that is asked again', async () => {
  const clock = createManualClock();
  const itg = platform('1');
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { arrivals, names } = taking(source);
  for (const state of ['open', 'answered', 'open'] as const) {
    itg.set('1', state);
    await turns();
    await arrivals.at(-1)?.acknowledge();
    clock.advance(POLL_INTERVAL_MS);
  }
  await turns();
  expect(names()).toEqual(['request request-1', 'request request-1']);
});

test('polling goes on through what passes, and waits as long as it is asked to', async () => {
  const clock = createManualClock();
  const itg = platform('1');
  itg.failures.push(
    new HopbackError('unavailable', 'no', { retryable: true, details: { retryAfterMs: 600_000 } }),
    new HopbackError('response-unreadable', 'no'),
  );
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { names } = taking(source);
  await turns();
  clock.advance(POLL_INTERVAL_MS);
  await turns();
  expect(itg.lists()).toBe(1);
  clock.advance(600_000 - POLL_INTERVAL_MS);
  await turns();
  clock.advance(POLL_INTERVAL_MS);
  await turns();
  expect([itg.lists(), names()]).toEqual([3, ['request request-1']]);
});

const refusal = (httpStatus: number): HopbackError =>
  new HopbackError(httpStatus === 401 || httpStatus === 403 ? 'unauthorized' : 'request-refused', 'no', {
    details: { httpStatus },
  });

/** What was told of the state of a source. */
function telling() {
  const states: RequestSourceState[] = [];
  const words = (): readonly string[] =>
    states.map(({ status, httpStatus }) => (httpStatus === undefined ? status : `${status} ${httpStatus}`));
  return { onState: (state: RequestSourceState) => void states.push(state), states, words };
}

/** Lets time pass, a minute each time, until something is there. */
async function minutes(clock: ReturnType<typeof createManualClock>, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) {
    clock.advance(60_000);
    await turns();
  }
}

test.each([401, 403, 404, 302])(
  'polling goes on after %d, says so once, and says when it is over',
  async (httpStatus) => {
    const clock = createManualClock();
    const itg = platform('1');
    itg.failures.push(refusal(httpStatus), refusal(httpStatus), refusal(httpStatus));
    const { onState, states, words } = telling();
    await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5, onState });
    const { names, ended } = taking(source);
    await turns();
    expect(words()).toEqual([`refused ${httpStatus}`]);
    expect(states[0]!.nextAttemptAtMs).toBe(clock.nowMs() + POLL_INTERVAL_MS);
    await minutes(clock, 5);
    expect(words()).toEqual([`refused ${httpStatus}`, 'hearing']);
    expect([names(), ended()]).toEqual([['request request-1'], undefined]);
  },
);

test('a platform that refuses is asked more and more seldom, every ten minutes in the end', async () => {
  const clock = createManualClock();
  const itg = platform('1');
  itg.failures.push(...Array.from({ length: 100 }, () => refusal(401)));
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.99 });
  taking(source);
  await minutes(clock, 60);
  const before = itg.lists();
  await minutes(clock, 100);
  expect(itg.lists() - before).toBe(10);
});

test('what cannot be learned of single requests hides neither the others nor new ones', async () => {
  const clock = createManualClock();
  const itg = platform('1', '2', '3');
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { arrivals, names } = taking(source);
  await turns();
  for (const arrival of arrivals) await arrival.acknowledge();
  itg.set('2', 'cancelled');
  itg.set('3', 'cancelled');
  itg.requests.delete('request-1');
  itg.broken
    .set('request-1', refusal(422))
    .set('request-2', new HopbackError('unavailable', 'no', { retryable: true }));
  itg.requests.set('request-4', sampleStatus('4'));
  await minutes(clock, 1);
  expect(names().slice(3)).toEqual(['request request-4', 'cancelled request-3']);
  itg.broken.clear();
  await minutes(clock, 1);
  expect(names().slice(5)).toEqual(['cancelled request-2']);
});

test('a list that comes back empty by mistake makes no flood of calls, and all are looked after in turn', async () => {
  const clock = createManualClock();
  const ids = Array.from({ length: 2 * MAX_LOOKS + 50 }, (_one, at) => String(at));
  const itg = platform(...ids);
  const { client } = itg;
  const empty = { tracebackRequests: { ...client.tracebackRequests, iterate: async function* () {} } };
  for (const id of ids.slice(-3)) itg.set(id, 'cancelled');
  await using source = pollTracebackRequests({
    ...{ client: empty, clock, random: () => 0.5 },
    open: () => ids.map((id) => `request-${id}`),
  });
  const { names } = taking(source);
  await turns();
  expect([itg.looks(), names()]).toEqual([MAX_LOOKS, []]);
  await minutes(clock, 2);
  expect(names()).toEqual(ids.slice(-3).map((id) => `cancelled request-${id}`));
});

test('requests that the journal has open and the platform has not are looked up by id', async () => {
  const clock = createManualClock();
  const itg = platform('1', '2', '3');
  itg.set('1', 'cancelled');
  itg.set('3', 'answered');
  const open = (): readonly string[] => ['request-1', 'request-2', 'request-3', 'request-9'];
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5, open });
  const { arrivals, names } = taking(source);
  await turns();
  expect(names()).toEqual(['request request-2', 'cancelled request-1']);
  for (const arrival of arrivals) await arrival.acknowledge();
  const looked = itg.looks();
  await minutes(clock, 3);
  // What the platform does not know is no cancellation: its answer still goes out.
  expect([names().length, itg.looks()]).toEqual([2, looked]);
});

test('a journal that is not open yet keeps nothing from being listed', async () => {
  const itg = platform('1');
  const open = (): readonly string[] => {
    throw new ReferenceError('not yet');
  };
  const { onState, words } = telling();
  await using source = pollTracebackRequests({ client: itg.client, clock: createManualClock(), open, onState });
  const { names } = taking(source);
  await turns();
  expect([names(), words()]).toEqual([['request request-1'], ['hearing']]);
});

test('polling hands on so many at a time and no more', async () => {
  const clock = createManualClock();
  const itg = platform(...Array.from({ length: MAX_OPEN_ARRIVALS + 5 }, (_one, at) => String(at)));
  await using source = pollTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { arrivals } = taking(source);
  await turns(200);
  expect(arrivals).toHaveLength(MAX_OPEN_ARRIVALS);
  for (const arrival of arrivals.slice(0, 3)) await arrival.acknowledge();
  await turns(50);
  expect(arrivals).toHaveLength(MAX_OPEN_ARRIVALS + 3);
});

test('an acknowledgement that the platform does not hear is none the less one here', async () => {
  const itg = platform();
  await using source = createWebhookRequestSource({ client: itg.client, clock: createManualClock() });
  const { arrivals } = taking(source);
  const consumed = source.consume(createdEvent('1'), delivery);
  await turns();
  itg.failures.push(new HopbackError('network-failed', 'no', { retryable: true }));
  await arrivals[0]!.acknowledge();
  await consumed;
  expect(itg.acknowledged).toEqual([]);
});

const delivery = { webhookId: 'w', timestampSeconds: 0, receivedAtMs: 0 };

test('a webhook is acknowledged when its arrival is, and refused when that is released', async () => {
  const itg = platform('2');
  const others: string[] = [];
  const clock = createManualClock();
  const source = createWebhookRequestSource({
    client: itg.client,
    others: (event) => void others.push(event.type),
    clock,
  });
  const { arrivals, names, over } = taking(source);
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
  // A reminder of what is answered, or not there any more, needs nobody.
  itg.set('2', 'answered');
  await source.consume(remindedEvent('2'), delivery);
  await source.consume(remindedEvent('9'), delivery);
  const notice = { ...createdEvent('1'), type: 'org.hopback.alert.raised.1' } as unknown as PlatformEvent;
  await source.consume(notice, delivery);
  expect(others).toEqual(['org.hopback.alert.raised.1']);
  const late = Promise.resolve(source.consume(createdEvent('4'), delivery)).catch(() => 'refused');
  await turns();
  await source.close();
  expect(await late).toBe('refused');
  expect(await over).toBe('ended');
  await expect(source.consume(createdEvent('5'), delivery)).rejects.toThrow();
});

/** A client whose stream hands out what is put into it. */
function streaming(...ids: readonly string[]) {
  const itg = platform(...ids);
  const asked: unknown[] = [];
  const waiting: StreamedEvent[] = [];
  let wake: () => void = () => {};
  let isOver = false;
  const put = (...events: readonly PlatformEvent[]): void => {
    waiting.push(...events.map((event) => ({ status: 'event', lastEventId: event.id, event }) as const));
    wake();
  };
  const refusals: Error[] = [];
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
  const raw = (event: StreamedEvent): void => {
    waiting.push(event);
    wake();
  };
  return { ...itg, client: { ...itg.client, events }, asked, refusals, put, raw, end };
}

test('the position in the stream moves only past what was acknowledged', async () => {
  const itg = streaming();
  const saved: string[] = [];
  const position = { load: async () => 'kept', save: async (id: string) => void saved.push(id) };
  await using source = streamTracebackRequests({ client: itg.client, position, clock: createManualClock() });
  const { arrivals } = taking(source);
  itg.put(createdEvent('1'), createdEvent('2'), cancelledEvent('3'), createdEvent('4'));
  await turns();
  expect(itg.asked).toEqual(['kept']);
  await arrivals[1]!.acknowledge();
  await arrivals[2]!.acknowledge();
  await turns();
  expect(saved).toEqual([]);
  await arrivals[0]!.acknowledge();
  await turns();
  expect(saved).toEqual(['cancelled-3']);
  await source.close();
  expect(saved).toEqual(['cancelled-3']);
});

test('what of the stream is released comes again, and so does what could not be asked for', async () => {
  const clock = createManualClock();
  const itg = streaming('2');
  await using source = streamTracebackRequests({ client: itg.client, clock });
  const { arrivals, names } = taking(source);
  itg.put(createdEvent('1'));
  await turns();
  arrivals[0]!.release();
  await turns();
  clock.advance(RELEASED_AGAIN_MS);
  await turns();
  expect(names()).toEqual(['request request-1', 'request request-1']);
  itg.failures.push(new HopbackError('unavailable', 'no', { retryable: true }));
  itg.put(remindedEvent('2'));
  await turns();
  clock.advance(RELEASED_AGAIN_MS);
  await turns();
  expect(names().at(-1)).toBe('request request-2');
});

test('goes past events that nobody can read, and connects again when the platform ends the stream', async () => {
  const itg = streaming();
  const saved: string[] = [];
  const position = { load: async () => undefined, save: async (id: string) => void saved.push(id) };
  const warnings: unknown[] = [];
  const logger = { debug: () => {}, warn: (fields: unknown) => void warnings.push(fields) };
  const clock = createManualClock();
  const { onState, words } = telling();
  const source = streamTracebackRequests({ client: itg.client, position, logger, clock, onState });
  const { arrivals, over } = taking(source);
  itg.raw({ status: 'unreadable', lastEventId: 'a', reason: 'schema-drift', place: 'data' });
  itg.raw({ status: 'unknown-type', lastEventId: 'b', type: 'org.hopback.weather.changed.1', eventId: 'b' });
  itg.put(createdEvent('1'));
  await turns();
  itg.end();
  await arrivals[0]!.acknowledge();
  await turns();
  expect(saved).toEqual(['a', 'b', 'created-1']);
  expect([warnings.length, words()]).toEqual([3, ['hearing', 'refused 204']]);
  await minutes(clock, 1);
  expect(itg.asked.slice(0, 2)).toEqual([undefined, 'created-1']);
  await source.close();
  expect([await over, clock.pendingTimers()]).toEqual(['ended', 0]);
});

test.each([401, 403, 404, 301])('the stream is asked for again after %d, from where it was', async (httpStatus) => {
  const clock = createManualClock();
  const itg = streaming();
  itg.refusals.push(refusal(httpStatus), refusal(httpStatus));
  const position = { load: async () => 'kept', save: async () => {} };
  const { onState, words } = telling();
  await using source = streamTracebackRequests({ client: itg.client, position, clock, random: () => 0.5, onState });
  const { names, ended } = taking(source);
  itg.put(createdEvent('1'));
  await turns();
  await minutes(clock, 2);
  expect(itg.asked).toEqual(['kept', 'kept', 'kept']);
  expect(words()).toEqual([`refused ${httpStatus}`, 'hearing']);
  expect([names(), ended()]).toEqual([['request request-1'], undefined]);
});

test('a position that cannot be loaded is asked for again', async () => {
  const clock = createManualClock();
  const itg = streaming();
  let loads = 0;
  const load = async (): Promise<string> => {
    loads += 1;
    if (loads < 3) throw new Error('the disk');
    return 'kept';
  };
  await using source = streamTracebackRequests({ client: itg.client, position: { load, save: async () => {} }, clock });
  taking(source);
  await turns();
  await minutes(clock, 3);
  expect(itg.asked).toEqual(['kept']);
});

test.each([410, 400])(
  'a place that the platform refuses with %d is given up, and what was missed is listed',
  async (httpStatus) => {
    const clock = createManualClock();
    const itg = streaming('1');
    itg.refusals.push(refusal(httpStatus));
    const position = { load: async () => 'of-last-year', save: async () => {} };
    await using source = streamTracebackRequests({ client: itg.client, position, clock });
    const { names } = taking(source);
    await turns();
    expect([itg.asked, names()]).toEqual([['of-last-year', undefined], ['request request-1']]);
  },
);

test('with what the journal has open a stream finds what happened during a standstill, once a minute at most', async () => {
  const clock = createManualClock();
  const itg = streaming('1', '2', '3');
  itg.set('1', 'cancelled');
  const open = (): readonly string[] => ['request-1', 'request-2'];
  await using source = streamTracebackRequests({ client: itg.client, clock, random: () => 0.5, open });
  const { arrivals, names } = taking(source);
  await turns();
  expect(names()).toEqual(['request request-3', 'cancelled request-1']);
  for (const arrival of arrivals) await arrival.acknowledge();
  itg.set('2', 'cancelled');
  itg.end();
  await turns();
  clock.advance(10_000);
  await turns();
  expect([itg.asked.length, itg.lists()]).toEqual([2, 1]);
  await minutes(clock, 1);
  expect([itg.lists(), names().slice(2)]).toEqual([2, ['cancelled request-2']]);
});

test('an event that nobody can read may have been a request: what is open is listed', async () => {
  const itg = streaming('1');
  await using source = streamTracebackRequests({ client: itg.client, clock: createManualClock() });
  const { names } = taking(source);
  itg.raw({ status: 'unreadable', lastEventId: 'a', reason: 'not-json' });
  await turns();
  expect(names()).toEqual(['request request-1']);
});

test('an event that cannot be dealt with is stepped over, reported, and tried further beside the stream', async () => {
  const clock = createManualClock();
  const itg = streaming('1');
  const saved: string[] = [];
  const position = { load: async () => undefined, save: async (id: string) => void saved.push(id) };
  const warnings: Readonly<Record<string, unknown>>[] = [];
  const logger = { debug: () => {}, warn: (fields: Readonly<Record<string, unknown>>) => void warnings.push(fields) };
  itg.broken.set('request-1', refusal(422));
  await using source = streamTracebackRequests({ client: itg.client, position, clock, logger, random: () => 0.5 });
  const { arrivals, names } = taking(source);
  itg.put(remindedEvent('1'), createdEvent('2'));
  await turns();
  await arrivals[0]!.acknowledge();
  await turns();
  expect(saved).toEqual([]);
  await minutes(clock, STEP_OVER_ATTEMPTS);
  expect(saved).toEqual(['created-2']);
  expect(warnings.filter(({ isKept }) => isKept === true)).toMatchObject([{ eventId: 'reminded-1' }]);
  itg.broken.clear();
  await minutes(clock, 10);
  expect(names()).toEqual(['request request-2', 'request request-1']);
});

test('a hundred events that nobody takes do not keep the stream from what comes behind them', async () => {
  const clock = createManualClock();
  const itg = streaming();
  await using source = streamTracebackRequests({ client: itg.client, clock, random: () => 0.5 });
  const { arrivals } = taking(source);
  itg.put(...Array.from({ length: 100 }, (_one, at) => createdEvent(String(at))), cancelledEvent('last'));
  let seen = 0;
  for (let minute = 0; minute < 15; minute += 1) {
    await turns(20);
    for (const arrival of arrivals.slice(seen)) if (arrival.kind === 'request') arrival.release();
    seen = arrivals.length;
    clock.advance(60_000);
  }
  expect(arrivals.map(nameOf)).toContain('cancelled request-last');
});

const noticeExample = WIRE_EXAMPLES.FccNotice[0].value;

test('polling hands on notices, each once for each way in which it stands', async () => {
  const clock = createManualClock();
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
  const client = { ...itg.client, notices: { iterate } } as unknown as PollOptions['client'];
  const { onState, words } = telling();
  await using source = pollTracebackRequests({ client, clock, random: () => 0.5, onState });
  const { arrivals, names } = taking(source);
  await turns();
  await arrivals[0]!.acknowledge();
  notices[0] = { ...notices[0]!, state: 'withdrawn' };
  await minutes(clock, 2 * (NOTICE_POLL_INTERVAL_MS / 60_000));
  expect(names()).toEqual(['notice n-1 open', 'notice n-1 withdrawn']);
  // That they cannot be asked for is no reason not to ask for requests.
  expect([words(), lists]).toEqual([['hearing'], 3]);
});

test('the stream and webhooks bring notices as arrivals', async () => {
  const clock = createManualClock();
  const itg = streaming();
  const { data: _data, type: _type, ...envelope } = createdEvent('1');
  const event = {
    ...envelope,
    id: 'issued-1',
    type: 'org.hopback.notice.issued.1',
    data: { notice: noticeExample },
  } as const;
  await using source = streamTracebackRequests({ client: itg.client, clock });
  const { names } = taking(source);
  itg.put(event);
  await using webhooks = createWebhookRequestSource({ client: itg.client, clock });
  const posted = taking(webhooks);
  const consumed = webhooks.consume(event, delivery);
  await turns();
  await posted.arrivals[0]!.acknowledge();
  await consumed;
  expect([names(), posted.names()]).toEqual(
    Array.from({ length: 2 }, () => [`notice ${noticeExample.noticeId} ${noticeExample.state}`]),
  );
  expect(itg.acknowledged).toEqual([]);
});

test('webhooks with what the journal has open find what was posted to nobody', async () => {
  const itg = platform('1', '2');
  itg.set('1', 'cancelled');
  const open = (): readonly string[] => ['request-1'];
  const clock = createManualClock();
  await using source = createWebhookRequestSource({ client: itg.client, clock, open });
  const { names } = taking(source);
  await turns();
  expect(names()).toEqual(['request request-2', 'cancelled request-1']);
});

test('a merged source hands on what each brings, goes on when one fails, and closes them all', async () => {
  const clock = createManualClock();
  const polled = platform('1');
  const streamed = streaming();
  const failing = platform();
  failing.failures.push(new HopbackError('unauthorized', 'no'));
  const source = mergeTracebackRequestSources([
    pollTracebackRequests({ client: failing.client, clock }),
    pollTracebackRequests({ client: polled.client, clock }),
    streamTracebackRequests({ client: streamed.client, clock }),
  ]);
  const { arrivals, names, ended, over } = taking(source);
  streamed.put(createdEvent('2'));
  await turns();
  expect(names().sort()).toEqual(['request request-1', 'request request-2']);
  expect(arrivals.map(({ via }) => via).sort()).toEqual(['event-stream', 'poll']);
  expect(ended()).toBeUndefined();
  await source.close();
  await over;
  expect(clock.pendingTimers()).toBe(0);
});

/** A source of somebody else that fails so often, and then hands on one arrival. */
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

test('a merged source says what one of its sources failed with, and iterates it again', async () => {
  const clock = createManualClock();
  const failures: unknown[] = [];
  const source = mergeTracebackRequestSources([failingSource(2)], {
    ...{ clock, random: () => 0.5 },
    onFailed: (error) => void failures.push(isHopbackError(error) && error.code),
  });
  const { names, over } = taking(source);
  await turns();
  expect(failures).toEqual(['unauthorized']);
  await minutes(clock, 2);
  expect([failures, names()]).toEqual([['unauthorized', 'unauthorized'], ['cancelled request-7']]);
  expect(await over).toBe('ended');
  expect(clock.pendingTimers()).toBe(0);
});

test('a merged source whose sources go on failing is closed all the same', async () => {
  const clock = createManualClock();
  const source = mergeTracebackRequestSources([failingSource(Infinity)], { clock });
  const { over } = taking(source);
  await turns();
  await source.close();
  expect(await over).toBe('ended');
  await turns();
  expect(clock.pendingTimers()).toBe(0);
});

test('leaving the iteration closes a source and releases what is open', async () => {
  const clock = createManualClock();
  const itg = platform('1');
  const source = pollTracebackRequests({ client: itg.client, clock });
  for await (const arrival of source) {
    expect(nameOf(arrival)).toBe('request request-1');
    break;
  }
  await turns();
  expect(clock.pendingTimers()).toBe(0);
  await source.close();
});
