import { spawn, spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { HarnessProcess } from '../../harness/src/cli/harness-io.js';
import { runHarness } from '../../harness/src/cli/program.js';
import { headerValues, openSipDatagrams, optionsText } from '../peers/sip-datagrams.js';
import { harnessCommand } from '../support/itg-command.js';

// How the program reads a command line is tested in cli-command-line.test.ts, and what the demo finds in test/faults/alone/demo.test.ts.

const MAIN = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

/** Stands in for the process: its streams are read, its signals are sent by the test. */
function fakeProcess() {
  const [stdout, stderr, signals] = [new PassThrough(), new PassThrough(), new EventEmitter()];
  const printed = { stdout: '' };
  stdout.on('data', (octets: Buffer) => (printed.stdout += octets.toString()));
  stderr.resume();
  const io = {
    ...{ env: {}, stdout, stderr },
    once: (name: string, listener: () => void) => signals.once(name, listener),
    off: (name: string, listener: () => void) => signals.off(name, listener),
  } as unknown as HarnessProcess;
  /** Resolves when a text has been printed. */
  const until = async (text: string): Promise<void> => {
    while (!printed.stdout.includes(text)) await new Promise((resolve) => void setImmediate(resolve));
  };
  return { io, signals, stdout: (): string => printed.stdout, until };
}

test.each([
  [['drachtio', '--sip', 'udp:5060:77'], 'udp:5060:77 is no transport with a port'],
  [['drachtio', '--sip', 'sctp'], 'sctp is no transport'],
  [['drachtio', '--sip', 'udp:70000'], '70000 is no port'],
  [['drachtio', '--host', 'localhost'], 'localhost is no IP address'],
  [['drachtio', '--admin-host', 'b.example'], 'b.example is no IP address'],
  [['drachtio', '--admin', 'x'], '--admin must be a whole number from 0 to 65535'],
  [['drachtio', '--secret', ''], '--secret needs a value'],
  [['drachtio', '--advertise', 'bad host'], 'neither a host name nor an address'],
  [['drachtio', '--tls-key', 'key.pem'], '--tls-key and --tls-cert go together'],
  [['drachtio', '--sip', 'tls'], 'tls and wss need --tls-key and --tls-cert'],
  [['drachtio', '--tls-key', 'k', '--tls-cert', 'c'], 'are for tls and wss'],
  [['drachtio', '--mtu', 'wide'], '--mtu must be a whole number from 0 to 65535 octets'],
  [['drachtio', '--max-header', 'wide'], '--max-header must be a whole number from 1024 to 65535 octets'],
  [['drachtio', '--max-header', '1023'], '--max-header must be a whole number from 1024 to 65535 octets'],
  [['drachtio', 'extra'], 'no operand'],
  [['drachtio', '--colour'], '--colour'],
  [['demo', '--seed', 'x'], '--seed'],
  [['demo', 'twice'], 'no operand'],
  [['dmeo'], 'demo'],
])('%j is refused with the reason and exit code 2', async (argv, reason) => {
  expect(await harnessCommand(argv)).toEqual({
    ...{ exitCode: 2, out: '', err: expect.stringContaining(reason) as string },
  });
});

test('demo --json is refused in JSON, and demo --help prints the options and runs nothing', async () => {
  const { exitCode, out, err } = await harnessCommand(['demo', '--json']);
  expect({ exitCode, error: JSON.parse(out) as unknown }).toMatchObject({
    ...{ exitCode: 2, error: { code: 'usage', exitCode: 2 } },
  });
  expect(err).toContain('run demo --json');
  const help = await harnessCommand(['demo', '--help']);
  expect(help).toMatchObject({ exitCode: 0, err: '', out: expect.stringContaining('--keep') as string });
  expect(help.out).not.toContain('WHAT HAPPENED');
});

test.skipIf(!existsSync('/dev/full'))('output into a full disk ends the program with 4 and the reason', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--version'], {
    ...{ encoding: 'utf8' as const, env: {}, timeout: 50_000 },
    stdio: ['ignore', full, 'pipe'],
  });
  closeSync(full);
  expect(status).toBe(4);
  expect(stderr).toContain('ENOSPC');
});

test('a reader that hangs up changes nothing', async () => {
  const child = spawn(process.execPath, [MAIN, 'list'], { env: {} });
  child.stdout.once('data', () => child.stdout.destroy());
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

/** `hopback-harness drachtio` with a port for OPTIONS, and what it answers them. */
async function drachtio(...more: readonly string[]) {
  const { io, signals, stdout, until } = fakeProcess();
  const ended = runHarness(['drachtio', '--sip', 'udp:0', '--admin', '0', ...more], io);
  await until('Applications:');
  const port = Number(/udp 127\.0\.0\.1:(\d+)/.exec(stdout())?.[1]);
  const ask = async (text: string): Promise<string | undefined> => {
    await using peer = await openSipDatagrams();
    const answer = peer.next(headerValues(text, 'Call-ID')[0] ?? '', 5_000);
    peer.send(text, port);
    return await answer;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    signals.emit(signal);
    expect(await ended).toBe(0);
  };
  return { ask, end, stdout };
}

test('drachtio listens, shows what passes without numbers, and at a signal prints what it has seen', async () => {
  const { ask, end, stdout } = await drachtio('--trace');
  expect(await ask(optionsText())).toMatch(/^SIP\/2.0 503 /);
  await end('SIGINT');
  expect(stdout()).toMatch(/<- udp 127\.0\.0\.1:\d+ +OPTIONS /);
  expect(stdout()).toMatch(/^received: OPTIONS 1$/m);
  expect(stdout()).toMatch(/^sent: 503 1; 0 of them again$/m);
});

test('drachtio takes longer header fields with --max-header', async () => {
  const { ask, end } = await drachtio('--max-header', '20000');
  for (const [length, status] of [
    [19_000, 503],
    [20_000, 400],
  ] as const) {
    const text = optionsText().replace('Content-Length:', `X-Long: ${'x'.repeat(length)}\r\nContent-Length:`);
    expect(await ask(text)).toMatch(new RegExp(`^SIP/2.0 ${status} `));
  }
  await end('SIGTERM');
});
