import { fileURLToPath } from 'node:url';
import { peer } from '../../peers.js';
import { isTaken, startCommand, waitUntil } from '../../support/recipe.js';
import { openSipDatagrams } from '../sip-datagrams.js';
import { createTemporaryDirectory } from '../temporary-directory.js';

/** One of the configurations beside this file, and what it is given. */
export interface KamailioLaunch {
  readonly configuration: 'proxy.cfg' | 'acc.cfg' | 'conformance.cfg';
  /** `-A NAME=VALUE`, text values in their quotes. */
  readonly definitions: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts Kamailio on a free UDP port of 127.0.0.1 and waits until it listens. It ends with the test.
 * @throws Error with Kamailio's own log when it does not come up
 */
export async function startKamailioProcess({ configuration, definitions, environment = {} }: KamailioLaunch) {
  const directory = await createTemporaryDirectory();
  const port = await freePort();
  const args = [
    ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    peer('kamailio').path,
    // In the foreground, errors to stderr, 32 MiB shared and 8 MiB private memory instead of what a carrier needs.
    ...['-DD', '-E', '-m', '32', '-M', '8'],
    // Its sockets and working directory in a folder of its own, not under /run.
    ...['-Y', directory.path, '-w', directory.path],
    ...['-f', fileURLToPath(new URL(configuration, import.meta.url)), '-l', `udp:127.0.0.1:${port}`],
    ...Object.entries(definitions).flatMap(([name, value]) => ['-A', `${name}=${value}`]),
  ];
  const running = startCommand(`exec env ${args.map((arg) => `'${arg}'`).join(' ')}`);
  const stop = async (): Promise<void> => {
    await running.stop();
    await directory.close();
  };
  await waitUntil(async () => running.hasEnded() || (await isTaken(port)));
  if (!running.hasEnded()) return { port, log: running.said, stop };
  await stop();
  throw new Error(`Kamailio did not start:\n${running.said()}`);
}

async function freePort(): Promise<number> {
  await using datagrams = await openSipDatagrams();
  return datagrams.port;
}
