import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { callWorks } from '../support/drachtio-calls.js';
import { app, createLab, lab, peer, useLab, type DrachtioLab } from '../support/drachtio-lab.js';
import { closing, HOSTILE_INVITE } from '../support/sip-load-wires.js';
import { eventually } from '../support/waits.js';

useLab({ methods: ['invite'] });

const PEERS = 100;
const HOST = '127.0.0.1';

type Line = Awaited<ReturnType<typeof line>>;

/** A connection of the test, with everything that it has received. */
async function line(own: DrachtioLab = lab) {
  const socket = connect(own.server.listening.find(({ transport }) => transport === 'tcp')?.port ?? 0, HOST);
  const over = closing(socket);
  onTestFinished(() => void socket.destroy());
  let text = '';
  let isOver = false;
  socket.on('data', (octets: Buffer) => {
    text += octets.toString('latin1');
  });
  void over.then(() => {
    isOver = true;
  });
  await once(socket, 'connect');
  return { socket, heard: () => text, isOver: () => isOver, over };
}

function lines(count: number, own: DrachtioLab = lab): Promise<readonly Line[]> {
  return Promise.all(Array.from({ length: count }, () => line(own)));
}

test(`${PEERS} silent peers and ${PEERS} that send an octet a second: calls come through, the slow are cut off after 32 s, the silent after 10 min`, async () => {
  const overTcp = await lab.peer('tcp');
  const callsWork = async (): Promise<void> => {
    for (const caller of [overTcp, peer]) await callWorks(app, caller);
  };
  const silent = await lines(PEERS);
  const slow = await lines(PEERS);
  await eventually(() => lab.server.inUse().connections === 2 * PEERS);
  const dropped = (): number => lab.server.counters().faults['slow-sender'] ?? 0;
  let seconds = 0;
  for (; dropped() === 0; seconds += 1) {
    for (const [index, { socket }] of slow.entries()) {
      // Some are slow with their header section, others with the body that they have announced.
      const octets =
        index % 2 === 0 ? HOSTILE_INVITE : `${HOSTILE_INVITE}\r\nContent-Length: 99\r\n\r\n${'x'.repeat(90)}`;
      if (seconds === 0) socket.write(index % 2 === 0 ? 'I' : octets.slice(0, HOSTILE_INVITE.length + 24), 'latin1');
      else socket.write(octets.charAt(index % 2 === 0 ? seconds : HOSTILE_INVITE.length + 23 + seconds), 'latin1');
    }
    if (seconds % 8 === 0) await callsWork();
    await lab.pass(1_000);
  }
  expect(seconds).toBe(33);
  await Promise.all(slow.map(({ over }) => over));
  expect([dropped(), silent.filter(({ isOver }) => isOver()).length]).toEqual([PEERS, 0]);
  // They got no response, since they had not finished a message.
  expect(slow.map(({ heard }) => heard()).join('')).toBe('');
  await callsWork();
  await lab.pass((600 - seconds) * 1_000);
  expect(silent.filter(({ isOver }) => isOver()).length).toBe(0);
  await lab.pass(2_000);
  await Promise.all(silent.map(({ over }) => over));
  await callsWork();
});

test.each([
  ['2^31', `${2 ** 31}`, 400, 'bad-content-length'],
  ['2^64', `${2n ** 64n}`, 400, 'bad-content-length'],
  ['999,999,999', '999999999', 413, 'message-too-large'],
  ['-1', '-1', 400, 'bad-content-length'],
  ['1e3', '1e3', 400, 'bad-content-length'],
])(
  'a stream that announces %s octets of body gets a response and is cut off, however many of them come',
  async (_what, length, status, fault) => {
    const hostile = await line();
    hostile.socket.write(`${HOSTILE_INVITE}\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(100_000)}`, 'latin1');
    await hostile.over;
    expect(hostile.heard()).toMatch(new RegExp(`^SIP/2\\.0 ${status} `));
    expect(lab.server.counters().faults).toEqual({ [fault]: 1 });
    await callWorks(app, await lab.peer('tcp'));
  },
);

test.each([
  ['of one line', 'X: ', 'x'.repeat(1_000)],
  ['of many lines', '', 'X-Line: x\r\n'.repeat(100)],
])('a header section %s that never ends is cut off at 64 KiB', async (_what, start, more) => {
  const hostile = await line();
  hostile.socket.write(`${HOSTILE_INVITE}\r\n${start}`, 'latin1');
  let sent = 0;
  while (!hostile.isOver()) {
    if (hostile.socket.writable && hostile.socket.writableLength < 100_000) {
      hostile.socket.write(more, 'latin1');
      sent += more.length;
    }
    await turn();
  }
  expect(lab.server.counters().faults).toEqual({ 'header-section-too-large': 1 });
  expect(sent).toBeGreaterThan(60_000);
  await callWorks(app, await lab.peer('tcp'));
});

test('a peer that asks and never reads the answers is cut off when too much waits for it', async () => {
  await using limited = await createLab({ connectionLimits: { maxBacklogBytes: 65_536 } });
  const { server } = limited;
  const hostile = await line(limited);
  hostile.socket.pause();
  const branch = (index: number): string =>
    HOSTILE_INVITE.replaceAll('INVITE', 'BYE').replace('z9hG4bK', `z9hG4bK${index}`);
  for (let index = 0; (server.counters().faults['send-backlog'] ?? 0) === 0; index += 1) {
    hostile.socket.write(`${branch(index)}\r\nX-Long: ${'x'.repeat(100)}\r\nContent-Length: 0\r\n\r\n`, 'latin1');
    if (index % 100 === 0) await turn();
  }
  hostile.socket.resume();
  await hostile.over;
  expect(server.counters().faults).toEqual({ 'send-backlog': 1 });
  await callWorks(await limited.app('invite'), await limited.peer('tcp'));
});

test('one connection more than there may be is closed at once, and there is room again when one has gone', async () => {
  await using limited = await createLab({ connectionLimits: { maxConnections: 10 } });
  const { server } = limited;
  const taker = await limited.app('invite');
  const taken = await lines(10, limited);
  await eventually(() => server.inUse().connections === 10);
  const more = await line(limited);
  await more.over;
  expect([more.heard(), server.counters().faults]).toEqual(['', { 'too-many-connections': 1 }]);
  expect(server.inUse().connections).toBe(10);
  // Datagrams need no connection.
  await callWorks(taker, await limited.peer('udp'));
  taken[0]?.socket.destroy();
  await eventually(() => server.inUse().connections === 9);
  await callWorks(taker, await limited.peer('tcp'));
  for (const { socket } of taken) socket.destroy();
  await limited.nothingLeft();
});

test('connections that are reset in the middle of a message, or of a call, leave nothing behind', async () => {
  const hostile = await lines(PEERS);
  for (const [index, { socket }] of hostile.entries()) {
    const text = `${HOSTILE_INVITE.replaceAll('hostile', `hostile${index}`)}\r\nContent-Length: 0\r\n\r\n`;
    const length = index % 2 === 0 ? text.length : 1 + (index % text.length);
    await new Promise((resolve) => void socket.write(text.slice(0, length), 'latin1', resolve));
  }
  for (let index = 0; index < PEERS; index += 2) {
    const { req, res } = await app.next('INVITE');
    // Some ring and some are answered when their connection goes.
    if (index % 4 === 0) res.send(180);
    else void app.srf.createUAS(req, res, { localSdp: 'v=0\r\n' }).catch(() => undefined);
  }
  await lab.quiet();
  for (const { socket } of hostile) socket.resetAndDestroy();
  await eventually(() => lab.server.inUse().connections === 0);
  await lab.pass(40_000);
  // What rings may ring; its application is gone when it goes.
  await app.close();
});
