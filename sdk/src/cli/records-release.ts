import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { printJson, printLines } from './output.js';
import { shownText } from './shown-text.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';
import { UsageError } from './usage-error.js';

type ReleaseOption = StoreOption | 'reason' | 'by';

const OPTIONS: OptionSpecs<ReleaseOption> = {
  ...STORE_OPTIONS,
  reason: { value: 'TEXT', text: 'why: the matter is closed, the demand is answered' },
  by: { value: 'NAME', text: 'who orders it, for the audit' },
};

/** `hopback records release` */
export const recordsReleaseCommand: Command = {
  name: 'records release',
  summary: 'end a hold',
  usage: ['--store DIR HOLDID --reason TEXT'],
  options: OPTIONS,
  notes: [
    'Calls that are older than retention, and under no other hold, go with the next records expire.',
    STORE_NOTE,
    'Exit codes: 0 released, 1 no such hold is in force, 2 not understood, 4 the store is not usable.',
  ],
  run,
};

async function run(options: Options<ReleaseOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const [holdId, ...more] = options.operands;
  if (holdId === undefined || more.length > 0) throw new UsageError('name the one hold to release', HINTS);
  const [reason, by] = [options.text('reason'), options.text('by')];
  if (reason === undefined || reason.trim() === '') throw new UsageError('a release needs its reason: --reason TEXT');
  await using store = await openExistingStore(options, io);
  const isReleased = await store.release(holdId, reason, by);
  const exitCode = isReleased ? EXIT.ok : EXIT.negative;
  const shown = shownText(holdId);
  if (options.isOn('json')) printJson(io, { format: 'hopback.records-release.1', exitCode, holdId: shown, isReleased });
  else printLines(io, [isReleased ? `✓ ${shown} is released` : `✗ there is no hold ${shown} in force`]);
  return exitCode;
}

const HINTS = ['hopback records holds lists those in force'];
