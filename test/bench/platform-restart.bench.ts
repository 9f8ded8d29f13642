import { join } from 'node:path';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { sized } from './bench.js';
import type { Bench, BenchContext, Figure } from './bench.js';
import {
  detectorReady,
  registerCarrier,
  sendOrdinaryRecords,
  startCommandPlatform,
  type CommandPlatform,
} from '../support/itg-command-load.js';

/** How soon a platform that was killed answers, and finds campaigns again. */
export const bench: Bench = {
  name: 'platform-restart',
  description:
    'a platform killed with kill -9 after records of the last half hour: from the start of its command to the first answer over HTTP, and to the detector of campaigns where it was',
  figures: ['platform-restart-http', 'platform-restart', 'platform-restart-replay'],
  quick: { seconds: 40 },
  run: measure,
};

const RECORDS = { quick: 20_000, short: 60_000, full: 500_000 };
const ROUNDS = { quick: 1, short: 1, full: 3 };
/** Over which the calls lie, as their switch has them: within what is read again where there is no snapshot. */
const OVER_MS = 1_500_000;
const PORT = 18_300;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const records = sized(context, RECORDS);
  const rounds = sized(context, ROUNDS);
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  const port = PORT + (process.pid % 1_000);
  let authorization: Awaited<ReturnType<typeof registerCarrier>> | undefined;
  const answered: Restart[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using platform = await startCommandPlatform(directory, port);
    await detectorReady(platform);
    authorization ??= await registerCarrier(directory, platform);
    const by = { from: round * records, to: (round + 1) * records, overMs: OVER_MS };
    await sendOrdinaryRecords(platform, authorization, by);
    answered.push(await killedAndStarted(platform, directory, port));
    const { httpMs, caughtUpMs } = answered.at(-1)!;
    context.progress(`http after ${Math.round(httpMs)} ms, caught up after ${Math.round(caughtUpMs)} ms`);
  }
  const [worst] = answered.toSorted((a, b) => b.caughtUpMs - a.caughtUpMs);
  const slowest = Math.max(...answered.map(({ httpMs }) => httpMs));
  const note = `${records} records in the last half hour, ${rounds} kills; processor time of the slowest start: ${worst!.cpuSeconds.toFixed(1)} s`;
  yield { figure: 'platform-restart-http', value: slowest / 1_000, unit: 's', bar: { valueAtMost: 3 }, note };
  yield { figure: 'platform-restart', value: worst!.caughtUpMs / 1_000, unit: 's', bar: { valueAtMost: 10 }, note };
  yield await withoutSnapshot(directory, port, records);
}

interface Restart {
  readonly httpMs: number;
  /** Of the start of the process. */
  readonly caughtUpMs: number;
  readonly cpuSeconds: number;
}

async function killedAndStarted(killed: CommandPlatform, directory: string, port: number): Promise<Restart> {
  killed.kill('SIGKILL');
  await killed.ended;
  await using platform = await startCommandPlatform(directory, port);
  const readyMs = await detectorReady(platform);
  return {
    httpMs: platform.answeredMs,
    caughtUpMs: platform.answeredMs + readyMs,
    cpuSeconds: platform.cpuSeconds(),
  };
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
