import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { peer } from '../peers.js';
import { freePorts } from './recipe.js';

/** Starts a nats-server with JetStream on files that syncs every message, on loopback, in a directory of its own. */
export async function startNatsServer() {
  const directory = await createTemporaryDirectory();
  const [port] = await freePorts(1);
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
    /** The same after a restart. */
    address: `127.0.0.1:${port}`,
    /** Kills it with signal 9; nothing of its memory is kept. */
    kill,
    /** Starts it again on the same files, and waits until it listens. */
    start,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await directory.close();
    },
  };
}
