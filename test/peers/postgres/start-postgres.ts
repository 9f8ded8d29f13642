import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** A PostgreSQL server of its own: no TCP port, its data and its socket in a directory that is gone after `close`. */
export type RunningPostgres = Awaited<ReturnType<typeof startPostgres>>;

const run = promisify(execFile);

/** Names the socket; nothing listens on it. */
const PORT = 5432;
const USER = 'hopback';
const START_TIMEOUT_MS = 30_000;

/**
 * Starts a server.
 * @param program - path of `postgres`; initdb is beside it
 */
export async function startPostgres(program: string) {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-pg-'));
  const owner = await ownerOf();
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  const data = join(directory, 'data');
  const initdb = ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  await run(join(dirname(program), 'initdb'), initdb, { ...owner, cwd: directory });
  let server: ChildProcess | undefined;

  const started = async (): Promise<void> => {
    const settings = {
      listen_addresses: '',
      unix_socket_directories: directory,
      fsync: 'off',
      logging_collector: 'off',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(program, ['-D', data, '-p', String(PORT), ...options], {
      ...owner,
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server = child;
    await isReady(child);
  };
  const ended = async (signal: NodeJS.Signals): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  };
  const close = async (): Promise<void> => {
    // Fast shutdown: who is still connected is sent away.
    await ended('SIGINT');
    await rm(directory, { recursive: true, force: true });
  };

  try {
    await started();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    host: directory,
    port: PORT,
    user: USER,
    database: 'postgres',
    // Immediate shutdown: the connections break in the middle, and its processes end, so that nothing is left behind.
    killed: () => ended('SIGQUIT'),
    started,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** PostgreSQL refuses to run as root; Debian has a user for it. */
async function ownerOf(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string): Promise<number> => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Resolves when it takes connections. */
function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new Error(`PostgreSQL ${why}:\n${said.slice(-2_000)}`));
    };
    const timer = setTimeout(() => fail('does not start'), START_TIMEOUT_MS);
    child.once('error', (error) => fail(error.message));
    // Not when it exits: why it did may not have been read by then.
    child.once('close', () => fail('ended'));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-10_000);
      if (!said.includes('database system is ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}
