import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import type { DatabasePlace } from '../../harness/src/platform/index.js';
import { TestPki } from '../../sdk/src/testing/index.js';
import type { RunningPostgres } from '../peers/postgres/start-postgres.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { tellRound } from './fault-counts.js';
import { listening } from './http-server.js';
import { fetchTo, PLATFORM_URL, registerParties, type PlatformParties } from './itg-platform-victim-parties.js';
import { startLoad, type PlatformLoad } from './itg-platform-victim-load.js';

const VICTIM = fileURLToPath(new URL('itg-platform-victim.mjs', import.meta.url));
/** Calls of a round that are acknowledged before a kill, at most, and the longest time after that, milliseconds. */
const MOST_CALLS = 15;
const LONGEST_LOAD_MS = 50;
/** Of so many rounds one or two are killed while the platform starts. */
const STARTING_ROUNDS = 5;

/** What is killed in a round. */
type Killed = 'platform' | 'server' | 'both';

/** Settings of a reference platform as they cross to another process. */
interface PlatformSettings {
  readonly directory: string;
  readonly database?: DatabasePlace;
  readonly publicUrl: string;
  readonly webhooks: { readonly ca: string; readonly dangerouslyAllowPrivateAddresses: true };
}

/** A platform whose processes were killed under load, and what it had acknowledged. */
export interface KilledPlatform extends AsyncDisposable, Pick<PlatformLoad, 'acknowledged' | 'refusals'> {
  /** What its processes were started with, for one that is not killed. */
  readonly settings: PlatformSettings;
  readonly parties: PlatformParties;
  readonly figures: Readonly<Record<string, number>>;
  /** Events that were posted, by their ids: how often. */
  readonly posted: ReadonlyMap<string, number>;
  /** Leads calls of the parties to a process. */
  readonly leadTo: (port: number) => void;
}

/**
 * Kills a platform again and again at random moments while clients write to it: its process, the server of its database where it has one, or both.
 * Clients go on in the next round where they were.
 */
export async function killedPlatform(options: {
  readonly rounds: number;
  readonly seed: number;
  readonly server?: RunningPostgres;
  readonly database?: DatabasePlace;
}): Promise<KilledPlatform> {
  const { rounds, server } = options;
  const random = new SeededRandom(options.seed);
  const folder = await createTemporaryDirectory();
  const receiver = await startReceiver();
  const directory = join(folder.path, 'platform');
  const settings: PlatformSettings = {
    ...{ directory, publicUrl: PLATFORM_URL },
    ...(options.database !== undefined && { database: options.database }),
    webhooks: { ca: receiver.ca, dangerouslyAllowPrivateAddresses: true },
  };
  const target: { port: number | undefined } = { port: undefined };
  let [slowestOpenMs, serverKills, platformKills, startKills] = [0, 0, 0, 0];
  const first = startVictim(settings);
  target.port = await first.open;
  const fetch = fetchTo(() => target.port);
  const operatorKeyFile = join(directory, 'keys', 'operator.pem');
  const parties = await registerParties({ fetch, operatorKeyFile, webhookUrl: receiver.url });
  const load = startLoad(parties);
  await load.ofEachKind();
  let victim: Victim | undefined = first;
  for (let round = 0; round < rounds; round += 1) {
    const begunMs = performance.now();
    const isNew: boolean = victim === undefined;
    victim ??= startVictim(settings);
    const running: Victim = victim;
    const isStarting = isNew && round % STARTING_ROUNDS >= STARTING_ROUNDS - 2;
    if (isStarting) {
      await delayed(random.next() * Math.max(1_000, slowestOpenMs));
      startKills += 1;
    } else {
      target.port = await running.open;
      if (target.port === undefined) throw new Error(`the platform did not start in round ${round}`);
      slowestOpenMs = isNew ? Math.max(slowestOpenMs, performance.now() - begunMs) : slowestOpenMs;
      await load.further(1 + random.int(MOST_CALLS));
      await delayed(random.next() * LONGEST_LOAD_MS);
    }
    // A platform that starts without its server ends, as it should.
    const kinds = server === undefined ? [] : isStarting ? STARTING_KINDS : KINDS;
    const killed: Killed = kinds[round % kinds.length] ?? 'platform';
    const isServerKilled = server !== undefined && killed !== 'platform';
    if (killed !== 'server') {
      running.child.kill('SIGKILL');
      target.port = undefined;
      platformKills += 1;
    }
    if (isServerKilled) {
      await killServer(server);
      serverKills += 1;
      await server.started();
    }
    if (killed !== 'server') {
      await running.ended;
      victim = undefined;
    } else if (target.port !== undefined) {
      // The platform lives, and has to find the way back by itself.
      await load.further(1);
    }
    tellRound(round, rounds);
  }
  const last: Victim = victim ?? startVictim(settings);
  target.port = await last.open;
  await load.further(1);
  await load.end();
  last.child.kill('SIGKILL');
  await last.ended;
  target.port = undefined;
  const counts = Object.entries<{ readonly size: number }>({ ...load.acknowledged }).map(([kind, { size }]) => [
    kind,
    size,
  ]);
  const figures = {
    ...{ platformKills, serverKills, startKills, slowestOpenMs: Math.round(slowestOpenMs) },
    ...Object.fromEntries(counts),
  };
  return {
    ...{
      settings,
      parties,
      posted: receiver.posted,
      figures,
      acknowledged: load.acknowledged,
      refusals: load.refusals,
    },
    leadTo: (port) => {
      target.port = port;
    },
    [Symbol.asyncDispose]: async () => {
      await receiver[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const KINDS: readonly Killed[] = ['platform', 'server', 'both'];
const STARTING_KINDS: readonly Killed[] = ['platform', 'both'];

const delayed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A process, and what it said. */
export type Victim = ReturnType<typeof startVictim>;

export function startVictim(settings: object) {
  const child = spawn(process.execPath, [VICTIM, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  // Its port, when it listens; undefined where it ended before.
  const open = (async (): Promise<number | undefined> => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, port] = line.split(' ');
      if (word === 'open') return Number(port);
    }
    return undefined;
  })();
  return { child, open, ended };
}

/** Kills a server with all its processes, as a machine does that fails: nothing of it ends in order. */
async function killServer({ host, killed }: RunningPostgres): Promise<void> {
  const pid = Number((await readFile(join(host, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  // It makes no further ones while they are counted.
  process.kill(pid, 'SIGSTOP');
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').filter(Boolean);
  for (const one of [...children.map(Number), pid]) process.kill(one, 'SIGKILL');
  await killed();
  // Their memory is let go when they are gone, and no server starts before.
  for (const one of children) while (await isAlive(one)) await delayed(5);
}

async function isAlive(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) [ZX] /.test(stat);
}

/** Takes webhooks in, and remembers them. */
async function startReceiver() {
  const pki = new TestPki();
  const certificate = pki.issueTls({ addresses: ['127.0.0.1'] });
  const posted = new Map<string, number>();
  const server = createServer({ cert: certificate.chainPem, key: certificate.privateKeyPem }, (request, response) => {
    request.resume();
    request.on('end', () => {
      const id = String(request.headers['webhook-id']);
      posted.set(id, (posted.get(id) ?? 0) + 1);
      response.writeHead(204).end();
    });
  });
  const at = await listening(server);
  return {
    ...at,
    posted,
    ca: pki.tlsRoot.certificatePem,
    url: `https://127.0.0.1:${at.port}/hook`,
  };
}
