import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { optionsText } from '../peers/sip-datagrams.js';
import { createTemporaryDirectory, type TemporaryDirectory } from '../peers/temporary-directory.js';
import { isEnded } from '../support/packed-records.js';
import { makeFifo, startStuck } from '../support/stuck-command.js';

const HARNESS = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

/** A pipe that nobody writes to, in the place of a file that a command reads. */
function fifo({ at }: TemporaryDirectory): string {
  makeFifo(at('pipe'));
  return at('pipe');
}

const TLS = (file: string): readonly string[] => ['--tls-key', file, '--tls-cert', file];

/** Commands that run until they are told to end, or for long, and read a pipe at their start. */
const COMMANDS: Readonly<Record<string, (folder: TemporaryDirectory) => readonly string[]>> = {
  drachtio: (folder) => ['drachtio', '--sip', 'tls:0', '--admin', '0', ...TLS(fifo(folder))],
  platform: (folder) => ['platform', '--directory', folder.at('platform'), '--port', '0', ...TLS(fifo(folder))],
  run: (folder) => ['run', fifo(folder)],
};

// They wait for seconds, and each has files of its own: they wait together.

test.concurrent.each(Object.keys(COMMANDS))(
  'hopback-harness %s that waits for a pipe without a writer is ended by SIGTERM',
  async (name) => {
    await using folder = await createTemporaryDirectory();
    await using command = startStuck(HARNESS, COMMANDS[name]!(folder));
    await command.waitsAtPipe();
    command.signal('SIGTERM');
    expect(await isEnded(command.ended)).toBe(true);
    expect(await command.ended).toEqual({ code: null, signal: 'SIGTERM' });
  },
);

/** Messages whose trace is more than a pipe and the reader of a test hold. */
const MESSAGES = 1_500;

/** A server whose trace nobody reads: it cannot end as it should, since what it prints does not go out. */
async function unread() {
  const args = ['drachtio', '--sip', 'udp:0', '--admin', '0', '--trace', '--json'];
  const server = startStuck(HARNESS, args, { stdout: 'pipe' });
  const ready = JSON.parse(await server.firstLine()) as { listening: readonly { port: number }[] };
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  for (let n = 0; n < MESSAGES; n += 1) {
    const answered = once(socket, 'message');
    socket.send(optionsText(), ready.listening[0]?.port, '127.0.0.1');
    await answered;
  }
  socket.close();
  return server;
}

test.concurrent('a server whose output nobody reads is ended by SIGTERM within ten seconds', async () => {
  await using server = await unread();
  server.signal('SIGTERM');
  expect(await isEnded(server.ended)).toBe(true);
  expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
  expect(server.stderr()).toContain('of SIGTERM: ended by force');
});

test.concurrent('it is ended by a second signal at once', async () => {
  await using server = await unread();
  await server.signalTwice('SIGINT', 'SIGTERM');
  expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
  expect(server.stderr()).toBe('');
});
