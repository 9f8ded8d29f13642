import { createManualClock } from '@hopback/sdk/testing';
import { afterEach, expect, test } from 'vitest';
import {
  actOn,
  createMessageKeeper,
  createPace,
  dashboardLines,
  keyActions,
  openDashboard,
  plainLine,
  startControlServer,
} from '../../harness/src/runner/index.js';
import type { ControlServer, RunControl, RunView } from '../../harness/src/runner/index.js';

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

/** A control that remembers what it was told. */
function recorded(): { readonly control: RunControl; readonly told: (string | number)[] } {
  const told: (string | number)[] = [];
  let view = VIEW;
  const control: RunControl = {
    view: () => view,
    setRate: (factor) => {
      told.push(factor);
      view = { ...view, rateFactor: factor };
    },
    pause: () => {
      told.push('pause');
      view = { ...view, isPaused: true };
    },
    resume: () => {
      told.push('resume');
      view = { ...view, isPaused: false };
    },
    stop: () => void told.push('stop'),
  };
  return { control, told };
}

let server: ControlServer | undefined;
afterEach(() => server?.close());

async function steered(): Promise<{
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
  readonly told: (string | number)[];
}> {
  const { control, told } = recorded();
  server = await startControlServer({ host: '127.0.0.1', port: 0, token: 'secret' });
  server.steer(control);
  const { url } = server;
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: 'Bearer secret', ...(init.headers as Record<string, string>) },
    });
  return { ask, told };
}

test('a run is steered over HTTP, by whoever has the token', async () => {
  const { ask, told } = await steered();
  expect(await (await ask('/stats')).json()).toMatchObject({ scenario: 'five-hops', counts: { placed: 450 } });
  expect((await ask('/rate', { method: 'POST', body: '{"factor":2}' })).status).toBe(200);
  expect(await (await ask('/pause', { method: 'POST' })).json()).toMatchObject({ isPaused: true, rateFactor: 2 });
  await ask('/resume', { method: 'POST' });
  await ask('/stop', { method: 'POST' });
  expect(told).toEqual([2, 'pause', 'resume', 'stop']);
  for (const authorization of ['', 'Bearer', 'Bearer other', 'secret']) {
    expect((await ask('/stop', { method: 'POST', headers: { authorization } })).status).toBe(401);
  }
  expect(told).toHaveLength(4);
});

test('a rate that is none, a body that is too long and a path that is not there are refused as problems', async () => {
  const { ask, told } = await steered();
  for (const body of [
    '',
    '{',
    '{"factor":"2"}',
    '{"factor":0}',
    '{"factor":1e9}',
    `{"factor":2,"x":"${'x'.repeat(2_000)}"}`,
  ]) {
    const answer = await ask('/rate', { method: 'POST', body });
    expect(answer.status).toBe(422);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  }
  expect((await ask('/nothing')).status).toBe(404);
  expect(told).toEqual([]);
});

test('events tell how things stand, and end with the run', async () => {
  const { ask } = await steered();
  const answer = await ask('/events');
  const text = answer.text();
  // The listener is there when the head of the answer is.
  server?.tell({ ...VIEW, elapsedMs: 62_000 });
  server?.tell({ ...VIEW, stage: 'over' });
  const events = (await text).trimEnd().split('\n\n');
  expect(events.map((event) => event.split('\n')[0])).toEqual(['event: view', 'event: view', 'event: over']);
});

test('nobody from another machine can steer', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com']) {
    await expect(startControlServer({ host, port: 0 })).rejects.toMatchObject({ code: 'invalid-argument' });
  }
});

test('keys do what they do in SIPp', () => {
  const { control, told } = recorded();
  expect(keyActions('x\u0003')).toEqual(['interrupt']);
  for (const action of keyActions('+*/ppq')) if (action !== 'interrupt') actOn(control, action);
  expect(told).toEqual([1.1, 2.2, 1.1, 'pause', 'resume', 'stop']);
});

test('a pace keeps to its plan through changes, and stands still when it is paused', () => {
  const clock = createManualClock(0);
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

test('a run that somebody has stopped says so first, and calls that were not placed are marked', () => {
  const view: RunView = { ...VIEW, stage: 'settling', endedBy: 'stopped' };
  const [head, , , , calls] = dashboardLines(view, { columns: 120, rows: 24, color: false });
  expect(head).toBe(' five-hops, seed 7: STOPPED, waiting for records, campaigns and tracebacks');
  expect(calls).toContain('! 2 not placed');
  expect(plainLine(view)).toMatch(/^1:01 stopped, settling, 450\/900 placed/);
});

test('what was found is on the dashboard and on plain lines as soon as there is something', () => {
  const shape = { columns: 80, rows: 24, color: false };
  const found = { campaigns: 1, alerts: 4, tracebacks: 3, concluded: 1 };
  expect(dashboardLines({ ...VIEW, found }, shape).join('\n')).toContain(
    ' Found    1 campaign, 4 alerts, 1 of 3 tracebacks concluded',
  );
  expect(plainLine({ ...VIEW, found })).toMatch(/, 1 campaign, 4 alerts, 1 of 3 tracebacks concluded$/);
  const nothing = { campaigns: 0, alerts: 0, tracebacks: 0, concluded: 0 };
  expect(dashboardLines({ ...VIEW, found: nothing }, shape).join('\n')).toContain(' Found    nothing yet');
  expect(plainLine({ ...VIEW, found: nothing })).toBe(plainLine(VIEW));
});

/** A terminal that remembers what was written to it. */
function terminal(): {
  readonly text: () => string;
  readonly stdout: Parameters<typeof openDashboard>[0]['stdout'];
  readonly resize: () => void;
} {
  const written: string[] = [];
  const listeners: (() => void)[] = [];
  const stdout = {
    ...{ isTTY: true, columns: 80, rows: 24 },
    write: (text: string) => written.push(text) > 0,
    on: (_: string, listener: () => void) => listeners.push(listener),
    off: () => listeners.splice(0),
  };
  return {
    text: () => written.splice(0).join(''),
    stdout: stdout as unknown as Parameters<typeof openDashboard>[0]['stdout'],
    resize: () => listeners.forEach((listener) => listener()),
  };
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
  expect(
    text()
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, 6)),
  ).toEqual(['0:00 c', '0:01 c', '0:02 c', '0:02 s']);
});

test('messages of calls that nobody asked for are forgotten when there are too many, the oldest first', () => {
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
