import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { peer } from '../peers.js';

/** A nats-server with JetStream on files that syncs every message, on loopback. */
export interface NatsServer extends AsyncDisposable {
  /** `127.0.0.1:port`, the same after a restart. */
  readonly address: string;
  /** Kills it with signal 9; nothing of its memory is kept. */
  readonly kill: () => Promise<void>;
  /** Starts it again on the same files, and waits until it listens. */
  readonly start: () => Promise<void>;
}

/** Starts one in a directory of its own. */
export async function startNatsServer(): Promise<NatsServer> {
  const directory = await createTemporaryDirectory();
  const port = await freePort();
  const config = await directory.write(
    'nats.conf',
    `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${directory.path}/store", sync_interval: always }\n`,
  );
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const started = spawn(peer('nats').path, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    let log = '';
    for await (const chunk of started.stderr as AsyncIterable<Buffer>) {
      log += chunk.toString();
      if (log.includes('Server is ready')) break;
    }
    // Read on, lest a full pipe stop it.
    started.stderr?.resume();
    if (!log.includes('Server is ready')) throw new Error(`nats-server did not start: ${log}`);
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  };
  await start();
  return {
    address: `127.0.0.1:${port}`,
    kill,
    start,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await directory.close();
    },
  };
}

/** One that was free a moment ago: nats-server tells its own only in a file. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
