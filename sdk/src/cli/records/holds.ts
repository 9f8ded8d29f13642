import { defined } from '../../core/text.js';
import type { HoldAuditEntry, HoldOrder, LegalHold } from '../../records/index.js';
import { EXIT, optionSpecs, refuseOperands, UsageError } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { countText, report } from '../kit/output.js';
import { openExistingStore, STORE_NOTE, STORE_OPTIONS } from '../inputs/record-sources.js';
import {
  askedQuery,
  DAY_US,
  durationOption,
  QUERY_NOTE,
  QUERY_OPTIONS,
  RETENTION_DAYS,
  timeOption,
  utcText,
  windowText,
} from '../inputs/records-query.js';

/** A hold in force, for people. */
function holdLines({ holdId, reason, query, placedAtUs, untilUs, count }: LegalHold): readonly string[] {
  const { window, limit: _limit, ...keys } = query;
  const until = untilUs === undefined ? 'until it is released' : `until ${utcText(untilUs)}`;
  const sought = Object.entries(keys).map(([key, value]) => `${key} ${value}`);
  return [
    `${holdId}: ${countText(count, 'record')}, ${reason}`,
    `  placed ${utcText(placedAtUs)}, ${until}`,
    `  ${sought.join(', ')}, ${windowText(window)}`,
  ];
}

/** A line of the audit, for people. */
function auditLine({ action, holdId, atUs, by, reason, count }: HoldAuditEntry): string {
  const who = by === undefined ? '' : ` by ${by}`;
  return `${utcText(atUs)}  ${action.padEnd('released'.length)}  ${holdId}, ${countText(count, 'record')}${who}: ${reason}`;
}

const HOLD_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  ...QUERY_OPTIONS,
  'reason <TEXT>': 'why: the matter, the demand, the case number',
  'until <TIME>': 'when the hold ends by itself; default when it is released',
  'by <NAME>': 'who orders it, for the audit',
});

const HOLD: CommandBody = {
  usage: ['--store DIR --reason TEXT (--called TN|--trunk NAME|...) --at TIME'],
  options: HOLD_OPTIONS,
  notes: [
    'Copies the calls that records find shows for the same options to a place that retention does not reach, until ' +
      'the hold ends. Calls that are stored later are not under the hold. Without --limit all matching calls are ' +
      'held, up to 100,000; use several holds for more. A local time that occurs twice in autumn ' +
      'can mean two separate windows. The command then makes one hold for each.',
    QUERY_NOTE,
    STORE_NOTE,
    'Exit codes: 0 held, 1 no call matches, 2 command line or input not valid, 4 the store is not usable.',
    '  hopback records hold --trunk east-1 --from 2026-11-02T00:00Z --to 2026-11-03T00:00Z --reason "demand 2026-117" --by counsel',
  ],
  run: runHold,
};

async function runHold(options: OptionsOf<typeof HOLD_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const asked = askedQuery(options, io);
  const terms = termsOf(options, asked.zone, io.clock.nowMs() * 1_000);
  await using store = await openExistingStore(options, io);
  const holds: LegalHold[] = [];
  for (const window of asked.windows) {
    const query = { ...asked.keys, window, ...defined({ limit: asked.limit }) };
    // A hold over nothing would be taken for a demand that is met.
    const { records } = await store.find({ ...query, limit: 1 });
    if (records.length > 0) holds.push(await store.hold({ query, ...terms }));
  }
  const exitCode = holds.length > 0 ? EXIT.ok : EXIT.negative;
  const lines = holds.flatMap((hold) => holdLines(hold).map((line, index) => (index === 0 ? `✓ ${line}` : line)));
  return report(options, io, { format: 'hopback.records-hold.1', exitCode, holds }, [
    ...(holds.length > 0 ? lines : [NOTHING_HELD]),
    ...asked.remarks,
  ]);
}

const NOTHING_HELD =
  '✗ no call to hold was found: hopback records find says whether the store is complete for that time';

function termsOf(
  options: OptionsOf<typeof HOLD_OPTIONS>,
  zone: string | undefined,
  nowUs: number,
): Omit<HoldOrder, 'query'> {
  const reason = reasonOf(options, 'a hold needs its reason: --reason TEXT');
  const until = options.text('until');
  // Of a time that comes twice the later one: nothing is let go too early.
  const untilUs = until === undefined ? undefined : timeOption('until', until, zone).at(-1);
  if (untilUs !== undefined && untilUs <= nowUs) throw new UsageError('--until is over already');
  return { reason, ...defined({ untilUs, by: options.text('by') }) };
}

function reasonOf(options: OptionsOf<typeof RELEASE_OPTIONS>, message: string): string {
  const reason = options.needed('reason', message);
  if (reason.trim() === '') throw new UsageError(message);
  return reason;
}

const HOLDS_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  audit: 'every hold, release and end of a hold since the store was created, instead of those in force',
});

const HOLDS: CommandBody = {
  usage: ['--store DIR [--audit]'],
  options: HOLDS_OPTIONS,
  notes: [
    STORE_NOTE,
    'Exit codes: 0 listed, also if there are none; 2 command line or input not valid; 4 the store is not usable.',
  ],
  run: runHolds,
};

async function runHolds(options: OptionsOf<typeof HOLDS_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  await using store = await openExistingStore(options, io);
  if (options.isOn('audit')) {
    const audit = await store.holdAudit();
    const lines = audit.length === 0 ? ['nothing was ever held'] : audit.map(auditLine);
    return report(options, io, { format: 'hopback.records-hold-audit.1', audit }, lines);
  }
  const holds = await store.holds();
  const lines = holds.length === 0 ? ['no hold is in force'] : holds.flatMap(holdLines);
  return report(options, io, { format: 'hopback.records-holds.1', holds }, lines);
}

const RELEASE_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'reason <TEXT>': 'why: the matter is closed, the demand is answered',
  'by <NAME>': 'who orders it, for the audit',
});

const RELEASE: CommandBody = {
  usage: ['--store DIR HOLDID --reason TEXT'],
  options: RELEASE_OPTIONS,
  notes: [
    'The next records expire removes the calls that are older than retention and under no other hold.',
    STORE_NOTE,
    'Exit codes: 0 released, 1 no such hold is in force, 2 command line or input not valid, 4 the store is not usable.',
  ],
  run: runRelease,
};

async function runRelease(options: OptionsOf<typeof RELEASE_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const [holdId, ...more] = options.operands;
  if (holdId === undefined || more.length > 0) throw new UsageError('name the one hold to release', HINTS);
  const reason = reasonOf(options, 'a release needs its reason: --reason TEXT');
  await using store = await openExistingStore(options, io);
  const isReleased = await store.release(holdId, reason, options.text('by'));
  const exitCode = isReleased ? EXIT.ok : EXIT.negative;
  const shown = shownText(holdId);
  return report(options, io, { format: 'hopback.records-release.1', exitCode, holdId: shown, isReleased }, [
    isReleased ? `✓ ${shown} is released` : `✗ there is no hold ${shown} in force`,
  ]);
}

const HINTS = ['hopback records holds lists those in force'];

const EXPIRE_OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'older-than <DURATION>': `age from which calls are removed: 548d, whole days and at least one; default ${String(RETENTION_DAYS)}d, 18 months`,
});

const EXPIRE: CommandBody = {
  usage: ['--store DIR [--older-than 548d]'],
  options: EXPIRE_OPTIONS,
  notes: [
    'Removes calls and their coverage permanently, so that "not found" is not reported for that time. Calls under ' +
      'a hold stay. The store accepts no calls of that time afterwards. To see the oldest call first, run hopback ' +
      'records stats.',
    STORE_NOTE,
    'Exit codes: 0 done, also if there was nothing to remove; 2 command line or input not valid; 4 the store is not usable.',
  ],
  run: runExpire,
};

async function runExpire(options: OptionsOf<typeof EXPIRE_OPTIONS>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options);
  const ageUs = durationOption('older-than', options.text('older-than') ?? `${String(RETENTION_DAYS)}d`);
  // Seconds and minutes are what a slip of the finger makes of days.
  if (ageUs % DAY_US !== 0) throw new UsageError('--older-than is a number of whole days: 548d');
  const beforeUs = io.clock.nowMs() * 1_000 - ageUs;
  await using store = await openExistingStore(options, io);
  const removed = await store.expire(beforeUs);
  const holds = await store.holds();
  const before = utcText(beforeUs);
  const document = {
    format: 'hopback.records-expire.1',
    beforeUs,
    before,
    removed,
    holds: holds.length,
  };
  return report(options, io, document, [
    `✓ ${countText(removed, 'call')} removed that began before ${before}`,
    ...(holds.length === 0 ? [] : [`  ${countText(holds.length, 'hold')} in force; their calls are kept`]),
  ]);
}

export const COMMANDS = {
  'records hold': HOLD,
  'records holds': HOLDS,
  'records release': RELEASE,
  'records expire': EXPIRE,
};
