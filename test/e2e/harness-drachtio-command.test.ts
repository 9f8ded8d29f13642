import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { HarnessProcess } from '../../harness/src/cli/carry-out.js';
import { runHarness } from '../../harness/src/cli/program.js';
import { headerValues, openSipDatagrams, optionsText } from '../peers/sip-datagrams.js';

/** A process that is none. */
interface FakeProcess {
  readonly io: HarnessProcess;
  readonly signals: EventEmitter;
  readonly printed: (stream: 'stdout' | 'stderr') => string;
  /** Resolves when a text has been printed. */
  readonly until: (text: string) => Promise<void>;
}

function fakeProcess(): FakeProcess {
  const [stdout, stderr, signals] = [new PassThrough(), new PassThrough(), new EventEmitter()];
  const said = { stdout: '', stderr: '' };
  stdout.on('data', (octets: Buffer) => (said.stdout += octets.toString()));
  stderr.on('data', (octets: Buffer) => (said.stderr += octets.toString()));
  const io = {
    ...{ env: {}, stdout, stderr },
    once: (name: string, listener: () => void) => signals.once(name, listener),
    off: (name: string, listener: () => void) => signals.off(name, listener),
  } as unknown as HarnessProcess;
  const until = async (text: string): Promise<void> => {
    while (!said.stdout.includes(text)) await new Promise((resolve) => void setImmediate(resolve));
  };
  return { io, signals, printed: (stream) => said[stream], until };
}

test.each([
  [['--sip', 'udp:5060:77'], 'udp:5060:77 is no transport with a port'],
  [['--sip', 'sctp'], 'sctp is no transport'],
  [['--sip', 'udp:70000'], '70000 is no port'],
  [['--host', 'localhost'], 'localhost is no IP address'],
  [['--admin-host', 'b.example'], 'b.example is no IP address'],
  [['--admin', 'x'], 'x is no port'],
  [['--secret', ''], '--secret needs a value'],
  [['--advertise', 'bad host'], 'neither a host name nor an address'],
  [['--tls-key', 'key.pem'], '--tls-key and --tls-cert go together'],
  [['--sip', 'tls'], 'tls and wss need --tls-key and --tls-cert'],
  [['--tls-key', 'k', '--tls-cert', 'c'], 'are for tls and wss'],
  [['--mtu', 'wide'], 'wide is no number of octets'],
  [['--max-header', 'wide'], 'wide is not a number of octets from 1024 to 65535'],
  [['--max-header', '1023'], '1023 is not a number of octets from 1024 to 65535'],
  [['extra'], 'no operand'],
  [['--colour'], '--colour'],
])('drachtio %j is not understood, in words, with exit code 2', async (argv, why) => {
  const { io, printed } = fakeProcess();
  expect(await runHarness(['drachtio', ...argv], io)).toBe(2);
  expect(printed('stderr')).toContain(why);
  expect(printed('stdout')).toBe('');
});

test('drachtio listens, shows what passes without numbers, and at a signal says what it has seen', async () => {
  const { io, signals, printed, until } = fakeProcess();
  const ended = runHarness(['drachtio', '--sip', 'udp:0', '--admin', '0', '--trace'], io);
  await until('Applications:');
  const port = Number(/udp 127\.0\.0\.1:(\d+)/.exec(printed('stdout'))?.[1]);
  await using peer = await openSipDatagrams();
  const text = optionsText();
  const answer = peer.next(headerValues(text, 'Call-ID')[0] ?? '', 5_000);
  peer.send(text, port);
  expect(await answer).toMatch(/^SIP\/2.0 503 /);
  signals.emit('SIGINT');
  expect(await ended).toBe(0);
  expect(printed('stdout')).toMatch(/<- udp 127\.0\.0\.1:\d+ +OPTIONS /);
  expect(printed('stdout')).toMatch(/^received: OPTIONS 1$/m);
  expect(printed('stdout')).toMatch(/^sent: 503 1; 0 of them again$/m);
});

test('drachtio takes longer header fields where it is told to', async () => {
  const { io, signals, printed, until } = fakeProcess();
  const ended = runHarness(['drachtio', '--sip', 'udp:0', '--admin', '0', '--max-header', '20000'], io);
  await until('Applications:');
  const port = Number(/udp 127\.0\.0\.1:(\d+)/.exec(printed('stdout'))?.[1]);
  await using peer = await openSipDatagrams();
  for (const [length, status] of [
    [19_000, 503],
    [20_000, 400],
  ] as const) {
    const text = optionsText().replace('Content-Length:', `X-Long: ${'x'.repeat(length)}\r\nContent-Length:`);
    const answer = peer.next(headerValues(text, 'Call-ID')[0] ?? '', 5_000);
    peer.send(text, port);
    expect(await answer).toMatch(new RegExp(`^SIP/2.0 ${status} `));
  }
  signals.emit('SIGINT');
  expect(await ended).toBe(0);
});

test('an address in use ends it with exit code 4', async () => {
  const first = fakeProcess();
  const running = runHarness(['drachtio', '--sip', 'udp:0', '--admin', '0'], first.io);
  await first.until('Applications:');
  const taken = /port: (\d+)/.exec(first.printed('stdout'))?.[1] ?? '';
  const second = fakeProcess();
  expect(await runHarness(['drachtio', '--sip', 'udp:0', '--admin', taken], second.io)).toBe(4);
  expect(second.printed('stderr')).toContain(taken);
  first.signals.emit('SIGTERM');
  expect(await running).toBe(0);
});
