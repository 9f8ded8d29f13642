import { every } from '../core/runtime/clock.js';
import { openRecordIntake, RETENTION_DAYS } from '../records/index.js';
import type { IntakeNotice, IntakePlatform, RecordIntake, SourceConfiguration } from '../records/index.js';
import type { Command } from './command.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { numberOption, refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, jsonLine } from './output.js';
import { PLATFORM_OPTIONS, transportOf } from './platform-options.js';
import type { PlatformOption } from './platform-options.js';
import { SHARING_OPTIONS, sharingPolicyOf } from './sharing-options.js';
import type { SharingOption } from './sharing-options.js';
import { sourceFiles } from './source-options.js';
import { createStatusLine } from './status-line.js';
import type { StatusLine } from './status-line.js';
import { END_WITHIN_SECONDS } from './stop-signal.js';
import { storeDirectory } from './store-folders.js';
import { STORE_OPTIONS } from './store-options.js';
import { followedSources } from './tail-sources.js';
import { noticeText, statusDocument, statusText, unreadLines } from './tail-status.js';
import type { TailState } from './tail-status.js';
import { UsageError } from './usage-error.js';

type TailOption =
  | keyof typeof STORE_OPTIONS
  | PlatformOption
  | SharingOption
  | 'source'
  | 'path'
  | 'once'
  | 'spool'
  | 'drain-seconds'
  | 'retention-days';

const MAX_RETENTION_DAYS = 36_500;
/** How long `--once` waits for the platform: a minute of retries. What is not delivered stays in the spool. */
const DRAIN_SECONDS = 60;
const MAX_DRAIN_SECONDS = 86_400;
/** How often the status is looked at, and so, too, how soon a change of it is told. */
const TICK_MS = 250;
/** How often a line of JSON is written at most. */
const JSON_EVERY_MS = 1_000;
/** How often a line is written where there is no terminal. */
const PLAIN_EVERY_MS = 10_000;

const OPTIONS: OptionSpecs<TailOption> = {
  ...STORE_OPTIONS,
  source: { value: 'FILE', multiple: true, text: 'JSON file that declares a source; once for each' },
  path: {
    value: 'PATH',
    text: 'follow this file, directory or pattern, in place of the path that the one source declares',
  },
  once: { text: 'end when all that is there is stored, and delivered to the platform' },
  'retention-days': {
    value: 'N',
    text: `days that records are kept, except under a hold; default ${String(RETENTION_DAYS)}, 18 months`,
  },
  ...PLATFORM_OPTIONS,
  ...SHARING_OPTIONS,
  spool: { value: 'DIR', text: 'where records wait for the platform; default spool below the store' },
  'drain-seconds': {
    value: 'N',
    text: `with --once: how long the platform is waited for; default ${String(DRAIN_SECONDS)}`,
  },
};

/** `hopback records tail` */
export const recordsTailCommand: Command = {
  name: 'records tail',
  summary: 'follow what switches write, store it, and stream what may leave',
  usage: [
    '--store DIR --source FILE... [--path PATH] [--once]',
    '--store DIR --source FILE... --platform URL --token-file FILE --pseudonym-key FILE --rotation ID --tenant ID [--sharing LEVEL|FILE]',
  ],
  options: OPTIONS,
  notes: [
    'Runs until Ctrl-C or SIGTERM, which end it within 10 seconds; a second one ends it at once. Its places, rejected rows and what waits for the platform are below the store: killed at any instant, it ' +
      'goes on where it was, and loses and doubles nothing. What leaves is what --sharing lets: hopback records preview shows it. On a ' +
      'terminal one line says how things stand; --json writes one JSON object a line, a status when it has changed and a notice when ' +
      'something happened.',
    'Exit codes: 0 ended as asked; 1 with --once rows were rejected, files could not be read, were damaged or are gone, or records were refused for good; 2 not understood; 4 the store is not ' +
      'usable, or with --once the platform did not take everything in time, which then waits in the spool.',
  ],
  run,
};

async function run(options: Options<TailOption | 'json'>, io: CliIo): Promise<ExitCode> {
  refuseOperands(options, ['Name the file to follow with --path, and its source with --source.']);
  const directory = storeDirectory(options);
  const sources = await sourcesOf(options, io);
  const retentionDays =
    numberOption(options.text('retention-days'), { name: 'retention-days', min: 1, max: MAX_RETENTION_DAYS }) ??
    RETENTION_DAYS;
  const drainSeconds =
    numberOption(options.text('drain-seconds'), { name: 'drain-seconds', min: 0, max: MAX_DRAIN_SECONDS }) ??
    DRAIN_SECONDS;
  const platform = await platformOf(options, io);
  const stopped = io.stopSignal(() => Math.min(drainSeconds, END_WITHIN_SECONDS));
  const teller = createTeller(io, options.isOn('json'));
  io.keepPrivate();
  let intake: RecordIntake | undefined;
  try {
    intake = await openRecordIntake({
      ...{ directory, sources, retentionDays, clock: io.clock, onNotice: teller.notice },
      ...(platform === undefined ? {} : { platform }),
    });
    const tail: Tail = { intake, teller, stopped };
    if (options.isOn('once')) return await takeInOnce(tail, drainSeconds);
    return await takeInUntilStopped(tail);
  } finally {
    teller.end();
    await intake?.close();
  }
}

async function sourcesOf(options: Options<TailOption>, io: CliIo): Promise<readonly SourceConfiguration[]> {
  const files = options.texts('source');
  if (files.length === 0) throw new UsageError('say what to follow: --source FILE, a JSON file that declares it');
  const sources = await sourceFiles(files, io);
  return followedSources(sources, { path: options.text('path'), isOnce: options.isOn('once') });
}

async function platformOf(options: Options<TailOption>, io: CliIo): Promise<IntakePlatform | undefined> {
  const transport = await transportOf(options, io);
  const spool = options.text('spool');
  if (transport !== undefined)
    return { transport, ...(await sharingPolicyOf(options, io)), ...(spool === undefined ? {} : { spool }) };
  const needless = (
    ['sharing', 'pseudonym-key', 'rotation', 'tenant', 'spool', 'token-file', 'platform-ca'] as const
  ).find((name) => options.text(name) !== undefined);
  // A variable may name the token for all commands; an option was meant for this one.
  if (needless === undefined || needless === 'token-file') return undefined;
  throw new UsageError(`--${needless} is of no use without --platform URL: nothing leaves`);
}

interface Tail {
  readonly intake: RecordIntake;
  readonly teller: Teller;
  readonly stopped: AbortSignal;
}

/** Tells how things stand as long as something is under way; the timer also keeps the process alive. */
async function telling<Value>(tail: Tail, work: Promise<Value>): Promise<Value> {
  const stop = every(() => tail.teller.status(tail.intake.state), TICK_MS);
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

function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Says what goes on, to people or to programs. */
interface Teller {
  readonly status: (state: () => TailState) => void;
  readonly notice: (notice: IntakeNotice) => void;
  readonly ended: (state: TailState, exitCode: ExitCode) => void;
  readonly end: () => void;
}

function createTeller(io: CliIo, isJson: boolean): Teller {
  return isJson ? jsonTeller(io) : textTeller(createStatusLine(io, { output: io.stdout, plainMs: PLAIN_EVERY_MS }));
}

function jsonTeller(io: CliIo): Teller {
  let toldAtMs = -Infinity;
  let last = '';
  const tell = (document: Readonly<Record<string, unknown>>): void => io.stdout.write(jsonLine(document));
  return {
    status(state) {
      const nowMs = io.elapsedMs();
      if (nowMs - toldAtMs < JSON_EVERY_MS) return;
      toldAtMs = nowMs;
      const now = state();
      const text = JSON.stringify(now);
      if (text === last) return;
      last = text;
      tell(statusDocument(now, io.clock.nowMs()));
    },
    notice: (notice) => tell({ format: 'hopback.records-tail-notice.1', atMs: io.clock.nowMs(), ...notice }),
    ended: (state, exitCode) => tell({ ...statusDocument(state, io.clock.nowMs()), isEnded: true, exitCode }),
    end: () => undefined,
  };
}

function textTeller(line: StatusLine): Teller {
  return {
    status: (state) => line.show(() => statusText(state())),
    notice: (notice) =>
      line.note([
        notice.kind === 'expired'
          ? `· ${String(notice.records)} records were older than ${String(notice.days)} days`
          : noticeText(notice),
      ]),
    ended(state, exitCode) {
      const waiting =
        state.platform === undefined
          ? 0
          : state.platform.status.lastSequence - state.platform.status.acknowledgedSequence;
      const deadLetters = state.platform?.status.deadLetters ?? 0;
      line.note([
        `${exitCode === EXIT.ok ? '✓' : '!'} ended: ${statusText(state)}`,
        ...unreadLines(state),
        ...(deadLetters > 0
          ? [`! ${countText(deadLetters, 'dead letter')}: hopback records dead-letters lists them`]
          : []),
        ...(waiting > 0 ? [`! ${String(waiting)} records wait in the spool, and are sent at the next start`] : []),
      ]);
    },
    end: line.end,
  };
}
