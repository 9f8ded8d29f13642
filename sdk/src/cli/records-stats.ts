import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options } from './options.js';
import { countText, factLines, printJson, printLines } from './output.js';
import { utcText } from './record-times.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';

/** `hopback records stats` */
export const recordsStatsCommand: Command = {
  name: 'records stats',
  summary: 'show how much the record store holds',
  usage: ['--store DIR'],
  options: STORE_OPTIONS,
  notes: [
    `Records, octets on disk, days, oldest and newest call, and what is under a hold. ${STORE_NOTE}`,
    'Exit codes: 0 shown, 2 not understood, 4 the store is not usable.',
  ],
  run,
};

async function run(options: Options<StoreOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  await using store = await openExistingStore(options, io);
  const statistics = await store.statistics();
  const { records, sizeBytes, partitions, oldestUs, newestUs } = statistics;
  const holds = await store.holds();
  const held = holds.reduce((sum, { count }) => sum + count, 0);
  const bytesPerRecord = records === 0 ? undefined : Math.round(sizeBytes / records);
  const ends = {
    ...(oldestUs === undefined ? {} : { oldest: utcText(oldestUs) }),
    ...(newestUs === undefined ? {} : { newest: utcText(newestUs) }),
  };
  if (options.isOn('json')) {
    const density = bytesPerRecord === undefined ? {} : { bytesPerRecord };
    const holding = { holds: holds.length, recordsUnderHold: held };
    printJson(io, {
      format: 'hopback.records-stats.1',
      exitCode: EXIT.ok,
      ...statistics,
      ...ends,
      ...density,
      ...holding,
    });
    return EXIT.ok;
  }
  printLines(
    io,
    factLines(
      [
        ['records', String(records)],
        [
          'size',
          `${sizeText(sizeBytes)}${bytesPerRecord === undefined ? '' : `, ${String(bytesPerRecord)} octets a record`}`,
        ],
        ['partitions', countText(partitions, 'day')],
        ['oldest', ends.oldest ?? '-'],
        ['newest', ends.newest ?? '-'],
        ['holds', `${String(holds.length)} in force, over ${countText(held, 'record')}`],
      ],
      '',
    ),
  );
  return EXIT.ok;
}

const UNITS = ['octets', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `118 octets`, `2.4 GiB` */
function sizeText(bytes: number): string {
  const step = bytes < 1_024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  return `${step === 0 ? String(bytes) : (bytes / 1_024 ** step).toFixed(1)} ${UNITS[step] ?? ''}`;
}
