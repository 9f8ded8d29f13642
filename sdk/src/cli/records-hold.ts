import type { HoldOrder, LegalHold } from '../records/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { holdLines } from './hold-lines.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { printJson, printLines } from './output.js';
import { askedQuery, QUERY_NOTE, QUERY_OPTIONS } from './record-query-options.js';
import type { QueryOption } from './record-query-options.js';
import { timeOption } from './record-times.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from './store-options.js';
import type { StoreOption } from './store-options.js';
import { UsageError } from './usage-error.js';

type HoldOption = StoreOption | QueryOption | 'reason' | 'until' | 'by';

const OPTIONS: OptionSpecs<HoldOption> = {
  ...STORE_OPTIONS,
  ...QUERY_OPTIONS,
  reason: { value: 'TEXT', text: 'why: the matter, the demand, the case number' },
  until: { value: 'TIME', text: 'when the hold ends by itself; default when it is released' },
  by: { value: 'NAME', text: 'who orders it, for the audit' },
};

/** `hopback records hold` */
export const recordsHoldCommand: Command = {
  name: 'records hold',
  summary: 'keep calls out of the reach of retention',
  usage: ['--store DIR --reason TEXT (--called TN|--trunk NAME|...) --at TIME'],
  options: OPTIONS,
  notes: [
    'What the same options of records find would find is copied to where retention does not reach, until it is released. Calls that are ' +
      'read in later are not under the hold. Without --limit all of them are held, up to 100,000; a demand that covers more is several ' +
      'holds. A local time that comes twice makes two holds where its windows do not touch.',
    QUERY_NOTE,
    STORE_NOTE,
    'Exit codes: 0 held, 1 nothing was found to be held, 2 not understood, 4 the store is not usable.',
    '  hopback records hold --trunk east-1 --from 2026-11-02T00:00Z --to 2026-11-03T00:00Z --reason "demand 2026-117" --by counsel',
  ],
  run,
};

async function run(options: Options<HoldOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const asked = askedQuery(options, io);
  const terms = termsOf(options, asked.zone, io.clock.nowMs() * 1_000);
  await using store = await openExistingStore(options, io);
  const holds: LegalHold[] = [];
  for (const window of asked.windows) {
    const query = { ...asked.keys, window, ...(asked.limit === undefined ? {} : { limit: asked.limit }) };
    // A hold over nothing would be taken for a demand that is met.
    const { records } = await store.find({ ...query, limit: 1 });
    if (records.length > 0) holds.push(await store.hold({ query, ...terms }));
  }
  const exitCode = holds.length > 0 ? EXIT.ok : EXIT.negative;
  if (options.isOn('json')) printJson(io, { format: 'hopback.records-hold.1', exitCode, holds });
  else {
    const lines = holds.flatMap((hold) => holdLines(hold).map((line, index) => (index === 0 ? `✓ ${line}` : line)));
    const nothing = [
      '✗ nothing was found to be held: hopback records find says whether the store is complete for that time',
    ];
    printLines(io, [...(holds.length > 0 ? lines : nothing), ...asked.remarks]);
  }
  return exitCode;
}

function termsOf(options: Options<HoldOption>, zone: string | undefined, nowUs: number): Omit<HoldOrder, 'query'> {
  const [reason, until, by] = [options.text('reason'), options.text('until'), options.text('by')];
  if (reason === undefined || reason.trim() === '') throw new UsageError('a hold needs its reason: --reason TEXT');
  // Of a time that comes twice the later one: nothing is let go too early.
  const untilUs = until === undefined ? undefined : timeOption('until', until, zone).at(-1);
  if (untilUs !== undefined && untilUs <= nowUs) throw new UsageError('--until is over already');
  return { reason, ...(untilUs === undefined ? {} : { untilUs }), ...(by === undefined ? {} : { by }) };
}
