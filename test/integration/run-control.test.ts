import { ManualClock } from '@hopback/sdk/testing';
import { afterEach, expect, test } from 'vitest';
import {
  actOn,
  createMessageKeeper,
  createPace,
  dashboardLines,
  keyActions,
  openDashboard,
  plainLine,
  ControlServer,
} from '../../harness/src/runner/index.js';
import type { RunControl, RunView } from '../../harness/src/runner/index.js';

const VIEW: RunView = {
  ...{ scenario: 'five-hops', seed: 7, stage: 'calls', rateFactor: 1, isPaused: false, elapsedMs: 61_000 },
  ...{ planMs: 30_000, durationMs: 60_000 },
  counts: {
    ...{ planned: 900, placed: 450, unplaced: 2, ended: 430, wrong: 1, up: 20 },
    verdicts: { good: 2_149, of: 2_150 },
  },
  hops: [
    {
      ...{ provider: 'alder', calls: 430, verdicts: { good: 430, of: 430 } },
      heldMs: { count: 15, p50: 1.2, p95: 3, p99: 4.4, max: 9 },
    },
    { provider: 'birch\u001b[31m', calls: 430, verdicts: { good: 429, of: 430 } },
  ],
};

/** A control that records its orders. */
function recorded(): { readonly control: RunControl; readonly orders: (string | number)[] } {
  const orders: (string | number)[] = [];
  let view = VIEW;
  const changes =
    (order: string, change: Partial<RunView>): (() => void) =>
    () => {
      orders.push(order);
      view = { ...view, ...change };
    };
  const control: RunControl = {
    view: () => view,
    setRate: (rateFactor) => {
      orders.push(rateFactor);
      view = { ...view, rateFactor };
    },
    pause: changes('pause', { isPaused: true }),
    resume: changes('resume', { isPaused: false }),
    stop: changes('stop', {}),
  };
  return { control, orders };
}

let server: ControlServer | undefined;
afterEach(() => server?.close());

async function steered() {
  const { control, orders } = recorded();
  server = await ControlServer.start({ host: '127.0.0.1', port: 0, token: 'secret' });
  server.steer(control);
  const { url } = server;
  const ask = (path: string, authorization = 'Bearer secret'): Promise<Response> =>
    fetch(`${url}${path}`, { headers: { authorization } });
  const post = (path: string, body?: string, authorization = 'Bearer secret'): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', headers: { authorization }, ...(body !== undefined && { body }) });
  return { ask, post, orders };
}

test('a run is controlled over HTTP, with a token', async () => {
  const { ask, post, orders } = await steered();
  expect(await (await ask('/stats')).json()).toMatchObject({ scenario: 'five-hops', counts: { placed: 450 } });
  expect((await post('/rate', '{"factor":2}')).status).toBe(200);
  expect(await (await post('/pause')).json()).toMatchObject({ isPaused: true, rateFactor: 2 });
  await post('/resume');
  await post('/stop');
  for (const authorization of ['', 'Bearer', 'Bearer other', 'secret'])
    expect((await post('/stop', undefined, authorization)).status).toBe(401);
  expect(orders).toEqual([2, 'pause', 'resume', 'stop']);
});

test('a wrong rate, a body that is too long and an unknown path are refused as problems', async () => {
  const { ask, post, orders } = await steered();
  const long = `{"factor":2,"x":"${'x'.repeat(2_000)}"}`;
  for (const body of ['', '{', '{"factor":"2"}', '{"factor":0}', '{"factor":1e9}', long]) {
    const answer = await post('/rate', body);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([422, 'application/problem+json']);
  }
  expect((await ask('/nothing')).status).toBe(404);
  expect(orders).toEqual([]);
});

test('events carry the view of the run, and end with it', async () => {
  const { ask } = await steered();
  const answer = await ask('/events');
  const text = answer.text();
  // The listener is there when the head of the answer is.
  server?.tell({ ...VIEW, elapsedMs: 62_000 });
  server?.tell({ ...VIEW, stage: 'over' });
  const events = (await text).trimEnd().split('\n\n');
  expect(events.map((event) => event.split('\n')[0])).toEqual(['event: view', 'event: view', 'event: over']);
});

test('a control server listens on this machine alone', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
    await expect(ControlServer.start({ host, port: 0 })).rejects.toMatchObject({ code: 'invalid-argument' });
  }
});

test('keys do what they do in SIPp', () => {
  const { control, orders } = recorded();
  expect(keyActions('x\u0003')).toEqual(['interrupt']);
  for (const action of keyActions('+*/ppq')) if (action !== 'interrupt') actOn(control, action);
  expect(orders).toEqual([1.1, 2.2, 1.1, 'pause', 'resume', 'stop']);
});

test('a pace keeps to its plan through changes, and stands still when it is paused', () => {
  const clock = new ManualClock(0);
  const pace = createPace(0);
  clock.advance(1_000);
  pace.setFactor(4, 1_000);
  expect(pace.planMs(2_000)).toBe(5_000);
  expect(pace.untilMs(9_000, 2_000)).toBe(1_000);
  pace.pause(2_000);
  expect([pace.planMs(9_000), pace.untilMs(9_000, 9_000)]).toEqual([5_000, undefined]);
  pace.resume(9_000);
  expect(pace.untilMs(9_000, 9_000)).toBe(1_000);
  pace.setFactor(Number.NaN, 9_000);
  expect(pace.factor()).toBe(1);
});

test('the dashboard fits its terminal, says what is wrong without colour, and lets no name of a peer change the screen', () => {
  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
    [200, 60],
  ] as const) {
    const lines = dashboardLines(VIEW, { columns, rows, color: false });
    expect(lines.length).toBeLessThan(rows);
    for (const line of lines) expect(line.length).toBeLessThan(columns);
    expect(lines.join('')).not.toContain('\u001b');
  }
  const text = dashboardLines(VIEW, { columns: 100, rows: 40, color: false }).join('\n');
  expect(text).toContain('! 2149 of 2150 true');
  expect(text).toContain('! 429/430');
  expect(plainLine(VIEW)).toBe(
    '1:01 calls, 450/900 placed, 20 up, 1 wrong, 2 not placed, verdicts ! 2149 of 2150 true',
  );
});

test('the dashboard and plain lines show that a run was stopped, what was not placed, and what was found', () => {
  const shape = { columns: 120, rows: 24, color: false };
  const stopped: RunView = { ...VIEW, stage: 'settling', endedBy: 'stopped' };
  const [head, , , , calls] = dashboardLines(stopped, shape);
  expect(head).toBe(' five-hops, seed 7: STOPPED, waiting for records, campaigns and tracebacks');
  expect(calls).toContain('! 2 not placed');
  expect(plainLine(stopped)).toMatch(/^1:01 stopped, settling, 450\/900 placed/);
  const found = { campaigns: 1, alerts: 4, tracebacks: 3, concluded: 1 };
  const text = '1 campaign, 4 alerts, 1 of 3 tracebacks concluded';
  expect(dashboardLines({ ...VIEW, found }, shape).join('\n')).toContain(` Found    ${text}`);
  expect(plainLine({ ...VIEW, found }).endsWith(`, ${text}`)).toBe(true);
  const none: RunView = { ...VIEW, found: { campaigns: 0, alerts: 0, tracebacks: 0, concluded: 0 } };
  expect(dashboardLines(none, shape).join('\n')).toContain(' Found    nothing yet');
  expect(plainLine(none)).toBe(plainLine(VIEW));
});

type Stdout = Parameters<typeof openDashboard>[0]['stdout'];

/** A terminal that records what was written to it. */
function terminal() {
  const written: string[] = [];
  const listeners: (() => void)[] = [];
  const stdout = {
    ...{ isTTY: true, columns: 80, rows: 24 },
    write: (text: string) => written.push(text) > 0,
    on: (_: string, listener: () => void) => listeners.push(listener),
    off: () => listeners.splice(0),
  } as unknown as Stdout;
  const text = (): string => written.splice(0).join('');
  return { stdout, text, resize: () => listeners.forEach((listener) => listener()) };
}

test('a terminal is drawn over in place, and anew when its size changes', () => {
  const { text, stdout, resize } = terminal();
  const dashboard = openDashboard({ stdout, color: true, redraws: true, onInterrupt: () => undefined });
  dashboard.show(VIEW);
  const first = text();
  const lines = first.split('\n').length - 1;
  dashboard.show(VIEW);
  expect(text().startsWith(`\u001b[${lines}A\u001b[0J`)).toBe(true);
  resize();
  expect(text().startsWith('\u001b[0J')).toBe(true);
  dashboard.close();
});

test('without a terminal there is a line a second, and one for each stage', () => {
  const { text, stdout } = terminal();
  const dashboard = openDashboard({ stdout, color: false, redraws: false, onInterrupt: () => undefined });
  for (const elapsedMs of [0, 300, 1_000, 1_400, 2_000]) dashboard.show({ ...VIEW, elapsedMs });
  dashboard.show({ ...VIEW, elapsedMs: 2_100, stage: 'settling' });
  const lines = text().trimEnd().split('\n');
  expect(lines.map((line) => line.slice(0, 6))).toEqual(['0:00 c', '0:01 c', '0:02 c', '0:02 s']);
});

test('messages beyond the budget are dropped, the oldest first, those of kept calls last', () => {
  const keeper = createMessageKeeper({ budgetBytes: 10_000 });
  const call = (index: number) => ({
    ...{ index, reasons: [] },
    hops: [{ provider: 'alder', atMs: 0, reasons: [], heldUs: 0, ingressCallId: `in-${index}`, egressCallIds: [] }],
  });
  const at = { address: '127.0.0.1', port: 5_060 };
  for (let index = 0; index < 100; index += 1) {
    const text = `INVITE sip:a SIP/2.0\r\nCall-ID: in-${index}\r\n\r\n${'x'.repeat(1_000)}`;
    keeper.add({ provider: 'alder', atMs: index, direction: 'in', transport: 'udp', local: at, remote: at, text });
    keeper.ended(call(index), index === 3);
  }
  expect(keeper.sizeBytes()).toBeLessThanOrEqual(10_000);
  expect(keeper.messagesOf(call(3))).toHaveLength(1);
  expect(keeper.messagesOf(call(99))).toHaveLength(1);
  expect(keeper.messagesOf(call(50))).toHaveLength(0);
});
