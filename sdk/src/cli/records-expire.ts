import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { DAY_US, durationOption, RETENTION_DAYS, utcText } from './record-times.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';
import { UsageError } from './usage-error.js';

type ExpireOption = StoreOption | 'older-than';

const OPTIONS: OptionSpecs<ExpireOption> = {
  ...STORE_OPTIONS,
  'older-than': {
    value: 'DURATION',
    text: `age from which on calls are removed: 548d, whole days and at least one; default ${String(RETENTION_DAYS)}d, 18 months`,
  },
};

/** `hopback records expire` */
export const recordsExpireCommand: Command = {
  name: 'records expire',
  summary: 'remove calls that are older than retention',
  usage: ['--store DIR [--older-than 548d]'],
  options: OPTIONS,
  notes: [
    'Removed for good, and what the store was complete for with them, so that nobody says "not found" about it. Calls under a hold stay. ' +
      'Older calls are not taken any more afterwards. hopback records stats shows the oldest call before.',
    STORE_NOTE,
    'Exit codes: 0 done, also where there was nothing to remove; 2 not understood; 4 the store is not usable.',
  ],
  run,
};

async function run(options: Options<ExpireOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const ageUs = durationOption('older-than', options.text('older-than') ?? `${String(RETENTION_DAYS)}d`);
  // Seconds and minutes are what a slip of the finger makes of days.
  if (ageUs % DAY_US !== 0) throw new UsageError('--older-than is a number of whole days: 548d');
  const beforeUs = io.clock.nowMs() * 1_000 - ageUs;
  await using store = await openExistingStore(options, io);
  const removed = await store.expire(beforeUs);
  const holds = await store.holds();
  if (options.isOn('json')) {
    const before = utcText(beforeUs);
    printJson(io, {
      format: 'hopback.records-expire.1',
      exitCode: EXIT.ok,
      beforeUs,
      before,
      removed,
      holds: holds.length,
    });
    return EXIT.ok;
  }
  const kept = holds.length === 0 ? [] : [`  ${countText(holds.length, 'hold')} in force; what is under them is kept`];
  printLines(io, [`✓ ${countText(removed, 'call')} removed that began before ${utcText(beforeUs)}`, ...kept]);
  return EXIT.ok;
}
