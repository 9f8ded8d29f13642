import type { Socket } from 'node:net';
import { every } from '../core/runtime/clock.js';
import { printableText } from '../core/text.js';
import { openRecordIntake, RETENTION_DAYS } from '../records/index.js';
import type {
  IntakeNotice,
  IntakePlatform,
  IntakeSourceNotice,
  IntakeState,
  RecordIntake,
  SourceConfiguration,
  StreamStatus,
} from '../records/index.js';
import { EXIT, numberOption, refuseOperands, shownText, UsageError } from './kit/command.js';
import type { Command, ExitCode, Options, OptionSpecs } from './kit/command.js';
import type { CliIo, CliOutput } from './kit/io.js';
import { END_WITHIN_SECONDS } from './kit/node-io.js';
import { countText, jsonLine, printLines } from './kit/output.js';
import { sourceFiles, STORE_OPTIONS, storeDirectory } from './inputs/record-sources.js';
import { PLATFORM_OPTIONS, SHARING_OPTIONS, sharingPolicyOf, transportOf } from './records-sharing.js';
import type { PlatformOption, SharingOption } from './records-sharing.js';

/** How often a line on a terminal is drawn anew, milliseconds. */
const REDRAW_MS = 200;
/** How often a line is printed where there is no terminal, milliseconds: logs are to be read. */
const PLAIN_MS = 5_000;
const CLEAR = '\r\u001b[K';
/** A line that wraps could not be drawn over: on a narrow terminal its end is not shown. @see DECAWM of the VT100 */
const WITHOUT_WRAP = '\u001b[?7l';
const WITH_WRAP = '\u001b[?7h';

/** One line that says how things stand: drawn again and again on a terminal, elsewhere a line now and then. */
export type StatusLine = ReturnType<typeof createStatusLine>;

/** Makes it. `isQuiet`: nothing but notes where there is no terminal. */
export function createStatusLine(
  io: CliIo,
  {
    output,
    plainMs = PLAIN_MS,
    isQuiet = false,
  }: { readonly output: CliOutput; readonly plainMs?: number; readonly isQuiet?: boolean },
) {
  let shownAtMs = output.isTty ? -Infinity : io.elapsedMs();
  let last = '';
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) output.write(CLEAR);
    isDrawn = false;
  };
  return {
    /** Shows a text, which is asked for only when it is due. */
    show: (text: () => string) => {
      const nowMs = io.elapsedMs();
      if (nowMs - shownAtMs < (output.isTty ? REDRAW_MS : plainMs)) return;
      shownAtMs = nowMs;
      const line = printableText(text(), MAX_LINE_CHARS);
      if (output.isTty) {
        output.write(`${CLEAR}${WITHOUT_WRAP}${line}${WITH_WRAP}`);
        isDrawn = true;
      } else if (!isQuiet && line !== last) printLines(io, [line], output);
      last = line;
    },
    /** Prints lines that stay. */
    note: (lines: readonly string[]) => {
      clear();
      printLines(io, lines, output);
    },
    /** Takes the line away. */
    end: clear,
  };
}

/** More than a person reads in passing. */
const MAX_LINE_CHARS = 240;

/**
 * The configuration of each source with the path that is followed.
 * @throws {@link UsageError} where there is none, or one for several sources
 */
export function followedSources(
  sources: readonly SourceConfiguration[],
  { path, isOnce }: { readonly path: string | undefined; readonly isOnce: boolean },
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
export type TailState = Pick<IntakeState, 'sources' | 'platform'>;

/** One line for people. */
export function statusText({ sources, platform }: TailState): string {
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
export function platformText({ breaker, trouble }: StreamStatus): string {
  if (trouble === undefined) return 'ok';
  const http = 'httpStatus' in trouble && trouble.httpStatus !== undefined ? ` ${String(trouble.httpStatus)}` : '';
  return `${trouble.reason}${http}${breaker === 'closed' ? '' : ', left alone for now'}`;
}

/** The sum of counts by reason. */
export function total(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

/** The same for programs: one object a line. */
export function statusDocument(state: TailState, atMs: number): Readonly<Record<string, unknown>> {
  const { sources, platform } = state;
  return {
    format: 'hopback.records-tail.1',
    atMs,
    sources,
    ...(platform === undefined
      ? {}
      : {
          shared: platform.counts.shared,
          withheld: platform.counts.withheld,
          refused: platform.counts.refused,
          stream: platform.status,
          platform: platformText(platform.status),
        }),
  };
}

/** What files hold that was not taken in, when an end is made of it: a line each. */
export function unreadLines({ sources }: TailState): readonly string[] {
  const files = sources.reduce((sum, { unreadFiles }) => sum + unreadFiles, 0);
  const octets = sources.reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
  return [
    ...(files > 0 ? [`! ${countText(files, 'file')} not read: still being packed or copied, or not to be opened`] : []),
    ...(octets > 0 ? [`· ${countText(octets, 'octet')} at the end of files: no row yet, its line has no end`] : []),
  ];
}

/** What happened, as a line. */
export function noticeText({ source, kind, path, detail }: IntakeSourceNotice): string {
  const mark = kind === 'listening' || kind === 'resumed' ? '✓' : '!';
  const word = kind === 'listening' ? 'listens on ' : path === undefined ? '' : `${shownText(path)} `;
  return `${mark} ${source}: ${word}${detail}`;
}

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
    text: 'with one source: follow this file, directory or pattern instead of the path that the source declares',
  },
  once: { text: 'end when all existing rows are stored and delivered to the platform' },
  'retention-days': {
    value: 'N',
    text: `days that records are kept, except under a hold; default ${String(RETENTION_DAYS)}, 18 months`,
  },
  ...PLATFORM_OPTIONS,
  ...SHARING_OPTIONS,
  spool: { value: 'DIR', text: 'where records wait for the platform; default spool below the store' },
  'drain-seconds': {
    value: 'N',
    text: `with --once: how long to wait for the platform; default ${String(DRAIN_SECONDS)}`,
  },
};

/** `hopback records tail` */
export const recordsTailCommand: Command = {
  name: 'records tail',
  summary: 'follow switches, store their records, and stream those that may be shared',
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
    status: (state) => {
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
    ended: (state, exitCode) => {
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

/** Where drachtio-srf has its socket. None of it is promised: without it there is a connection without a guard. */
export interface SocketHolder {
  readonly app?: {
    readonly client?: {
      readonly wp?: { readonly on: (event: 'connect', listener: (socket: Socket) => void) => void };
    };
  };
}

/** Listener of octets that came. */
type OnData = (octets: Uint8Array) => void;

/**
 * Guards the connection of an `Srf` that has just begun to connect: drachtio-srf throws at octets that are no frame of a drachtio server, from where nobody can
 * catch it, so that whatever else answers at the control port would end the process. Such a connection is closed instead.
 * @returns closes the connection, whether the other side does so too or not
 */
export function guardSocket({ app }: SocketHolder): () => void {
  let guarded: Socket | undefined;
  app?.client?.wp?.on('connect', (socket) => {
    guarded = socket;
    for (const listener of socket.listeners('data') as OnData[]) {
      socket.on('data', caught(listener, socket));
      socket.off('data', listener);
    }
  });
  return () => void guarded?.destroy();
}

const caught =
  (listener: OnData, socket: Socket): OnData =>
  (octets) => {
    try {
      listener(octets);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
  };
