import { join } from 'node:path';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import {
  detectorReady,
  registerCarrier,
  sendOrdinaryRecords,
  startCommandPlatform,
} from '../support/itg-command-load.js';

/** How soon a platform that was killed answers, and finds campaigns again. */
export const bench: Bench = {
  name: 'platform-restart',
  description:
    'a platform killed with kill -9 after records of the last half hour: from the start of its command to the first answer over HTTP, and to the detector of campaigns where it was',
  figures: ['platform-restart-http', 'platform-restart', 'platform-restart-flood', 'platform-restart-replay'],
  quick: { seconds: 40 },
  run: measure,
};

const RECORDS = { quick: 20_000, short: 60_000, full: 500_000 };
const ROUNDS = { quick: 1, short: 1, full: 3 };
/** Over which the calls lie, as their switch has them: within what is read again where there is no snapshot. */
const OVER_MS = 1_500_000;
/** Of half an hour, in which a snapshot is made each. */
const MINUTES = 30;
const PORT = 18_300;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const records = sized(context, RECORDS);
  const rounds = sized(context, ROUNDS);
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  const port = PORT + (process.pid % 1_000);
  const carrier = await carrierOf(directory, port);
  const restarts: Record<'flood' | 'minute', Restart[]> = { flood: [], minute: [] };
  for (let round = 0; round < rounds; round += 1) {
    const sent = round * records;
    const lastMinute = sent + records - Math.ceil(records / MINUTES);
    restarts.flood.push(await killedAfter(carrier, { from: sent, to: lastMinute, overMs: OVER_MS }));
    restarts.minute.push(await killedAfter(carrier, { from: lastMinute, to: sent + records, overMs: 60_000 }));
    const seconds = [restarts.flood, restarts.minute].map((all) => (all.at(-1)!.caughtUpMs / 1_000).toFixed(1));
    context.progress(`caught up ${seconds[0]} s after the start from amid a flood, ${seconds[1]} s from amid a minute`);
  }
  const worst = (of: readonly Restart[], what: keyof Restart): number => Math.max(...of.map((one) => one[what]));
  const all = [...restarts.flood, ...restarts.minute];
  const note = (of: readonly Restart[]): string =>
    `${records} records in the last half hour, worst of ${of.length} kills; processor time ${worst(of, 'cpuSeconds').toFixed(1)} s`;
  yield {
    ...{ figure: 'platform-restart-http', value: worst(all, 'httpMs') / 1_000, unit: 's', note: note(all) },
    bar: { valueAtMost: 3 },
  };
  yield {
    ...{ figure: 'platform-restart', value: worst(restarts.minute, 'caughtUpMs') / 1_000, unit: 's' },
    ...{ bar: { valueAtMost: 10 }, note: note(restarts.minute) },
  };
  yield {
    ...{ figure: 'platform-restart-flood', value: worst(restarts.flood, 'caughtUpMs') / 1_000, unit: 's' },
    bar: { valueAtMost: 10 },
    note: `${note(restarts.flood)}; they came as fast as the platform takes them, until the kill`,
  };
  yield await withoutSnapshot(directory, port, records);
}

type Restart = Awaited<ReturnType<typeof killedAfter>>;

interface Carrier {
  readonly directory: string;
  readonly port: number;
  readonly authorization: Awaited<ReturnType<typeof registerCarrier>>;
}

async function carrierOf(directory: string, port: number): Promise<Carrier> {
  await using platform = await startCommandPlatform(directory, port);
  await detectorReady(platform);
  return { directory, port, authorization: await registerCarrier(directory, platform) };
}

/** Sends records to a platform that has a snapshot of all before them, kills it, and starts it again until it has one of these too. */
async function killedAfter(
  { directory, port, authorization }: Carrier,
  records: Pick<Parameters<typeof sendOrdinaryRecords>[2], 'from' | 'to' | 'overMs'>,
) {
  await using killed = await startCommandPlatform(directory, port);
  await detectorReady(killed);
  await sendOrdinaryRecords(killed, authorization, records);
  killed.kill('SIGKILL');
  await killed.ended;
  await using platform = await startCommandPlatform(directory, port);
  const readyMs = await detectorReady(platform);
  const restart = {
    httpMs: platform.answeredMs,
    caughtUpMs: platform.answeredMs + readyMs,
    cpuSeconds: platform.cpuSeconds(),
  };
  // Ended in order it makes a snapshot.
  platform.kill('SIGTERM');
  await platform.ended;
  return restart;
}

/** The same where the snapshot is of another version: a new release was started. */
async function withoutSnapshot(directory: string, port: number, records: number): Promise<Figure> {
  const { openPlatformDatabase } = await import('../../harness/dist/platform/database/index.js');
  const { sql } = await import('kysely');
  const database = await openPlatformDatabase({ directory: join(directory, 'database') });
  await sql`update campaigns_snapshots set version = 'another'`.execute(database.database);
  await database.close();
  await using platform = await startCommandPlatform(directory, port);
  const readyMs = await detectorReady(platform);
  return {
    ...{ figure: 'platform-restart-replay', value: (platform.answeredMs + readyMs) / 1_000, unit: 's' },
    note: `without a snapshot that can be used: ${records} records and more are read again from the store while the platform answers`,
  };
}
