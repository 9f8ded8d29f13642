import { every } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { RecordIntake } from '../../records/index.js';
import { RETENTION_DAYS } from '../../records/intake/open-record-intake.js';
import type {
  IntakeNotice,
  IntakeState,
  RecordIntakeOptions,
  SourceConfiguration,
  StreamStatus,
} from '../../records/index.js';
import { EXIT, optionSpecs, refuseOperands, UsageError } from '../kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from '../kit/command.js';
import { shownText, END_WITHIN_SECONDS } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { countText } from '../kit/output.js';
import { createTeller, whenAborted } from '../kit/status-line.js';
import { sourceFiles, STORE_OPTIONS, storeDirectory } from '../inputs/record-sources.js';
import { PLATFORM_OPTIONS, SHARING_OPTIONS, sharingPolicyOf, transportOf } from './sharing.js';

/**
 * The configuration of each source with the path that is followed.
 * @throws {@link UsageError} where there is none, or one for several sources
 */
function followedSources(
  sources: readonly SourceConfiguration[],
  path: string | undefined,
  isOnce: boolean,
): readonly SourceConfiguration[] {
  if (path !== undefined && (sources.length !== 1 || sources[0]?.format === 'hep'))
    throw new UsageError('--path is for one source in files');
  return sources.map((source) => {
    if (source.format === 'hep') {
      if (isOnce) throw new UsageError(`--once ends when files are read, and the source ${source.id} is listened to`);
      return source;
    }
    if (path !== undefined) return { ...source, path };
    if (source.path === undefined)
      throw new UsageError(`the source ${source.id} has no path: add it to its file, or name it with --path`);
    return source;
  });
}

/** How everything stands; nothing is submitted to a tail. */
type TailState = Pick<IntakeState, 'sources' | 'platform'>;

/** One line for people. */
function statusText({ sources, platform }: TailState): string {
  const sum = (name: 'rows' | 'records' | 'rejected' | 'waiting' | 'lost'): number =>
    sources.reduce((total, source) => total + source[name], 0);
  const failing = sources.filter(({ failures }) => failures > 0).map(({ id }) => id);
  const stuck = sources.filter(({ isStuck }) => isStuck).map(({ id }) => id);
  const lost = sum('lost');
  const parts = [
    `${countText(sum('rows'), 'row')}, ${countText(sum('records'), 'record')}, ${String(sum('rejected'))} rejected, ` +
      `${String(sum('waiting'))} waiting`,
    ...(lost > 0 ? [`${String(lost)} LOST`] : []),
    ...(stuck.length > 0 ? [`STUCK: ${stuck.join(', ')}`] : []),
    ...(failing.length > 0 ? [`failing: ${failing.join(', ')}`] : []),
    ...(platform === undefined ? [] : [streamText(platform)]),
  ];
  return parts.join('; ');
}

function streamText({ status, counts }: NonNullable<TailState['platform']>): string {
  const { durableSequence, acknowledgedSequence, deadLetters, storageFailures } = status;
  const refused = total(counts.refused);
  return (
    `${String(counts.shared)} shared, ${String(total(counts.withheld))} withheld; ` +
    `spool ${String(durableSequence)} durable, ${String(acknowledgedSequence)} acknowledged, ${countText(deadLetters, 'dead letter')}` +
    (refused > 0 ? `, ${String(refused)} REFUSED` : '') +
    `${storageFailures > 0 ? `, disk refused ${String(storageFailures)} times` : ''}; platform ${platformText(status)}`
  );
}

/** Whether records get through, and what stands in their way. */
function platformText({ breaker, trouble }: StreamStatus): string {
  if (trouble === undefined) return 'ok';
  const http = 'httpStatus' in trouble && trouble.httpStatus !== undefined ? ` ${String(trouble.httpStatus)}` : '';
  return `${trouble.reason}${http}${breaker === 'closed' ? '' : ', left alone for now'}`;
}

/** The sum of counts by reason. */
function total(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** The same for programs. */
function statusDocument({ sources, platform }: TailState): object {
  if (platform === undefined) return { sources };
  const { status, counts } = platform;
  const { shared, withheld, refused } = counts;
  return {
    sources,
    shared,
    withheld,
    refused,
    stream: status,
    platform: platformText(status),
  };
}

/** What files hold that was not taken in, when an end is made of it: a line each. */
function unreadLines({ sources }: TailState): readonly string[] {
  const files = sources.reduce((sum, { unreadFiles }) => sum + unreadFiles, 0);
  const octets = sources.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
  return [
    ...(files > 0 ? [`! ${countText(files, 'file')} not read: still being compressed or copied, or unreadable`] : []),
    ...(octets > 0 ? [`· ${countText(octets, 'octet')} at the end of files: an incomplete line, not yet a row`] : []),
  ];
}

/** What happened, as a line. */
function noticeText({ source, kind, path, detail }: Exclude<IntakeNotice, { readonly kind: 'expired' }>): string {
  const mark = kind === 'listening' || kind === 'resumed' ? '✓' : '!';
  const word = kind === 'listening' ? 'listens on ' : path === undefined ? '' : `${shownText(path)} `;
  return `${mark} ${source}: ${word}${detail}`;
}

const MAX_RETENTION_DAYS = 36_500;
/** How long `--once` waits for the platform: a minute of retries. What is not delivered stays in the spool. */
const DRAIN_SECONDS = 60;
const MAX_DRAIN_SECONDS = 86_400;
/** How often the status is looked at, and so, too, how soon a change of it is told. */
const TICK_MS = 250;
const OPTIONS = optionSpecs({
  ...STORE_OPTIONS,
  'source <FILE...>': 'JSON file that declares a source; once for each',
  'path <PATH>': 'with one source: follow this file, directory or pattern instead of the path that the source declares',
  once: 'end when all existing rows are stored and delivered to the platform',
  'retention-days <N>': `days that records are kept, except under a hold; default ${String(RETENTION_DAYS)}, 18 months`,
  ...PLATFORM_OPTIONS,
  ...SHARING_OPTIONS,
  'spool <DIR>': 'where records wait for the platform; default spool below the store',
  'drain-seconds <N>': `with --once: how long to wait for the platform; default ${String(DRAIN_SECONDS)}`,
});

type TailOptions = OptionsOf<typeof OPTIONS>;

const TAIL: CommandBody = {
  usage: [
    '--store DIR --source FILE... [--path PATH] [--once]',
    '--store DIR --source FILE... --platform URL --token-file FILE --pseudonym-key FILE --rotation ID --tenant ID [--sharing LEVEL|FILE]',
  ],
  options: OPTIONS,
  notes: [
    'Runs until Ctrl-C or SIGTERM, which end it within 10 seconds. A second signal ends it at once. It keeps its ' +
      'positions, rejected rows and waiting records below the store. After a kill at any instant it continues ' +
      'from there, and no record is lost or stored twice. --sharing decides which records are sent: hopback records ' +
      'preview shows them. On a terminal one line shows the status; --json writes one JSON object per line, a ' +
      'status when it has changed and a notice when something happened.',
    'Exit codes: 0 stopped, or all done with --once; 1 with --once, rows were rejected, files could not be read, were damaged or are ' +
      'gone, or the platform refused records permanently; 2 command line or input not valid; 4 the store is not usable, or with ' +
      '--once the platform did not accept all records in time; they wait in the spool.',
  ],
  run,
};

async function run(options: TailOptions, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file to follow with --path, and its source with --source.']);
  const directory = storeDirectory(options);
  const sources = await sourcesOf(options, io);
  const retentionDays = options.number('retention-days', 1, MAX_RETENTION_DAYS) ?? RETENTION_DAYS;
  const drainSeconds = options.number('drain-seconds', 0, MAX_DRAIN_SECONDS) ?? DRAIN_SECONDS;
  const platform = await platformOf(options, io);
  const stopped = io.stopSignal(() => Math.min(drainSeconds, END_WITHIN_SECONDS));
  const teller = createTeller(io, options.isOn('json'), WORDS);
  io.keepPrivate();
  let intake: RecordIntake | undefined;
  try {
    intake = await RecordIntake.open({
      directory,
      sources,
      retentionDays,
      clock: io.clock,
      onNotice: teller.notice,
      ...defined({ platform }),
    });
    const tail: Tail = { intake, teller, stopped };
    if (options.isOn('once')) return await takeInOnce(tail, drainSeconds);
    return await takeInUntilStopped(tail);
  } finally {
    teller.end();
    await intake?.close();
  }
}

async function sourcesOf(options: TailOptions, io: CliIo): Promise<readonly SourceConfiguration[]> {
  const files = options.texts('source');
  if (files.length === 0) throw new UsageError('say what to follow: --source FILE, a JSON file that declares it');
  const sources = await sourceFiles(files, io);
  return followedSources(sources, options.text('path'), options.isOn('once'));
}

async function platformOf(options: TailOptions, io: CliIo): Promise<RecordIntakeOptions['platform']> {
  const transport = await transportOf(options, io);
  if (transport !== undefined)
    return { transport, ...(await sharingPolicyOf(options, io)), ...defined({ spool: options.text('spool') }) };
  const needless = (
    ['sharing', 'pseudonym-key', 'rotation', 'tenant', 'spool', 'token-file', 'platform-ca'] as const
  ).find((name) => options.text(name) !== undefined);
  // A variable may name the token for all commands; an option was meant for this one.
  if (needless === undefined || needless === 'token-file') return undefined;
  throw new UsageError(`--${needless} is of no use without --platform URL: nothing leaves`);
}

interface Tail {
  readonly intake: RecordIntake;
  readonly teller: ReturnType<typeof createTeller<TailState, IntakeNotice>>;
  readonly stopped: AbortSignal;
}

/** Tells how things stand as long as something is under way; the timer also keeps the process alive. */
async function telling<Value>(tail: Tail, work: Promise<Value>): Promise<Value> {
  const stop = every(() => tail.teller.status(() => tail.intake.state()), TICK_MS);
  try {
    return await work;
  } finally {
    stop();
  }
}

async function takeInUntilStopped(tail: Tail): Promise<ExitCode> {
  await telling(tail, whenAborted(tail.stopped));
  await tail.intake.endSources();
  tail.teller.ended(tail.intake.state(), EXIT.ok);
  return EXIT.ok;
}

async function takeInOnce(tail: Tail, drainSeconds: number): Promise<ExitCode> {
  const { intake, stopped } = tail;
  const isDrained = await telling(
    tail,
    (async () => {
      await Promise.race([intake.look({ signal: stopped }), whenAborted(stopped)]);
      await intake.endSources();
      if (stopped.aborted) return true;
      const drained = intake.drain({ timeoutMs: drainSeconds * 1_000 });
      const outcome = await Promise.race([drained, whenAborted(stopped)]);
      return outcome === undefined ? !stopped.aborted : outcome.status === 'drained';
    })(),
  );
  const state = intake.state();
  const { sources, platform } = state;
  const isClean = sources.every(
    ({ rejected, lost, unreadFiles, brokenFiles }) => rejected + lost + unreadFiles + brokenFiles === 0,
  );
  const isTaken =
    platform === undefined || (platform.status.dead === 0 && Object.keys(platform.counts.refused).length === 0);
  const exitCode = !isDrained ? EXIT.environment : isClean && isTaken && !stopped.aborted ? EXIT.ok : EXIT.negative;
  tail.teller.ended(state, exitCode);
  return exitCode;
}

const WORDS = {
  format: 'hopback.records-tail',
  document: statusDocument,
  status: statusText,
  notice: (notice: IntakeNotice): readonly string[] => [
    notice.kind === 'expired'
      ? `· ${String(notice.records)} records were older than ${String(notice.days)} days`
      : noticeText(notice),
  ],
  ended: endedLines,
};

function endedLines(state: TailState, exitCode: ExitCode): readonly string[] {
  const { lastSequence = 0, acknowledgedSequence = 0, deadLetters = 0 } = state.platform?.status ?? {};
  const waiting = lastSequence - acknowledgedSequence;
  return [
    `${exitCode === EXIT.ok ? '✓' : '!'} ended: ${statusText(state)}`,
    ...unreadLines(state),
    ...(deadLetters > 0 ? [`! ${countText(deadLetters, 'dead letter')}: hopback records dead-letters lists them`] : []),
    ...(waiting > 0 ? [`! ${String(waiting)} records wait in the spool, and are sent at the next start`] : []),
  ];
}

export const COMMANDS = { 'records tail': TAIL };
