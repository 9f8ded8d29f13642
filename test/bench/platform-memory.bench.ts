import { join } from 'node:path';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { median, sized, type Bench, type BenchContext, type Figure } from './bench.js';
import {
  detectorReady,
  registerCarrier,
  sendOrdinaryRecords,
  startCommandPlatform,
} from '../support/itg-command-load.js';

/** What a platform has in memory while records come, and whether that grows with them. */
export const bench: Bench = {
  name: 'platform-memory',
  description: 'resident memory of a platform, started by its command, while ordinary records of one carrier come',
  figures: ['platform-memory', 'platform-memory-tripled'],
  quick: { seconds: 40 },
  run: measure,
};

const RECORDS = { quick: 20_000, short: 100_000, full: 1_000_000 };
/** Looks at the memory for one figure: it goes up and down with the collector. */
const LOOKS = 10;

async function measure(context: BenchContext): Promise<readonly Figure[]> {
  const records = sized(context, RECORDS);
  await using folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  await using platform = await startCommandPlatform(directory, 0);
  await detectorReady(platform);
  const startMb = platform.rssMb();
  const authorization = await registerCarrier(directory, platform);
  /** In the last tenth of what is sent. */
  const residentMb = async (from: number, to: number): Promise<number> => {
    const looks: number[] = [];
    const every = Math.ceil((to - from) / 10 / LOOKS);
    const onSent = (sent: number): void => {
      if (sent >= to - every * (LOOKS - looks.length)) looks.push(platform.rssMb());
    };
    await sendOrdinaryRecords(platform, authorization, { from, to, overMs: 1_500_000, onSent });
    context.progress(
      `${to} records: ${Math.round(median(looks))} MB, ${Math.round(platform.cpuSeconds())} s of processor`,
    );
    return median(looks);
  };
  const once = await residentMb(0, records);
  const tripled = await residentMb(records, 3 * records);
  const note = `${Math.round(startMb)} MB before the first; median of ${LOOKS} looks in the last tenth`;
  return [
    {
      figure: 'platform-memory',
      value: once,
      unit: 'MB',
      bar: { valueAtMost: 700 },
      note: `${records} records; ${note}`,
    },
    {
      ...{ figure: 'platform-memory-tripled', value: tripled, unit: 'MB', baseline: `after ${records} records` },
      ...{ baselineValue: once, bar: { ratioAtMost: 1.2 }, note: `${3 * records} records; ${note}` },
    },
  ];
}
