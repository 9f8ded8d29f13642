import { lockFolder } from '../log/index.js';
import { join } from 'node:path';
import { createRecordFeed, openRecordStream } from '../records/index.js';
import type { OpenRecordStream, RecordFeed, RecordStore, SourceConfiguration } from '../records/index.js';
import type { RecordTransport } from '../platform/index.js';
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
import type { NamedSharingPolicy, SharingOption } from './sharing-options.js';
import { sourceFiles } from './source-options.js';
import { createStatusLine } from './status-line.js';
import type { StatusLine } from './status-line.js';
import { storeDirectory } from './store-folders.js';
import { makeSourceKnown, openStore, STORE_OPTIONS } from './store-options.js';
import { checkPaths, tailSource } from './tail-sources.js';
import type { SourceNotice, TailedSource } from './tail-sources.js';
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

/** 18 months: what a carrier keeps records for, by 47 CFR 42.6 and by the industry traceback that asks for them. */
const RETENTION_DAYS = 548;
const MAX_RETENTION_DAYS = 36_500;
/** How long `--once` waits for the platform: a minute of retries. What is not delivered stays in the spool. */
const DRAIN_SECONDS = 60;
const MAX_DRAIN_SECONDS = 86_400;
const DAY_MS = 86_400_000;
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
    'Runs until Ctrl-C or SIGTERM. Its places, rejected rows and what waits for the platform are below the store: killed at any instant, it ' +
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
  const sharing = await sharingOf(options, io);
  const stopped = io.stopSignal();
  const teller = createTeller(io, options.isOn('json'));
  const opened: { readonly close: () => Promise<void> }[] = [];
  const keep = <Part extends { readonly close: () => Promise<void> }>(part: Part): Part => {
    opened.unshift(part);
    return part;
  };
  try {
    const store = keep(await openStore(options, io));
    keep(await startRetention(store, { days: retentionDays, io, teller }));
    const stream = sharing === undefined ? undefined : await openStream(options, { directory, sharing, keep });
    const feed =
      sharing === undefined || stream === undefined
        ? undefined
        : createRecordFeed({ store, stream, policy: sharing.named.policy });
    for (const { id } of sources) await makeSourceKnown(store, id);
    const tailed: TailedSource[] = [];
    const path = options.text('path');
    for (const source of sources) {
      const sink = feed ?? store;
      tailed.push(keep(await tailSource(source, { directory, sink, io, path, onNotice: teller.notice })));
    }
    const tail: Tail = { tailed, stream, feed, teller, stopped };
    if (options.isOn('once')) return await takeInOnce(tail, drainSeconds);
    return await takeInUntilStopped(tail);
  } finally {
    teller.end();
    await closeAll(opened);
  }
}

/** One after the other, whatever one of them says; then that. */
async function closeAll(parts: readonly { readonly close: () => Promise<void> }[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts) await part.close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function sourcesOf(options: Options<TailOption>, io: CliIo): Promise<readonly SourceConfiguration[]> {
  const files = options.texts('source');
  if (files.length === 0) throw new UsageError('say what to follow: --source FILE, a JSON file that declares it');
  const sources = await sourceFiles(files, io);
  checkPaths(sources, { path: options.text('path'), isOnce: options.isOn('once') });
  return sources;
}

interface Sharing {
  readonly transport: RecordTransport;
  readonly named: NamedSharingPolicy;
}

async function sharingOf(options: Options<TailOption>, io: CliIo): Promise<Sharing | undefined> {
  const transport = await transportOf(options, io);
  if (transport !== undefined) return { transport, named: await sharingPolicyOf(options, io) };
  const needless = (
    ['sharing', 'pseudonym-key', 'rotation', 'tenant', 'spool', 'token-file', 'platform-ca'] as const
  ).find((name) => options.text(name) !== undefined);
  // A variable may name the token for all commands; an option was meant for this one.
  if (needless === undefined || needless === 'token-file') return undefined;
  throw new UsageError(`--${needless} is of no use without --platform URL: nothing leaves`);
}

async function openStream(
  options: Options<TailOption>,
  {
    directory,
    sharing,
    keep,
  }: {
    readonly directory: string;
    readonly sharing: Sharing;
    readonly keep: <Part extends { readonly close: () => Promise<void> }>(part: Part) => Part;
  },
): Promise<OpenRecordStream> {
  const spool = options.text('spool') ?? join(directory, 'spool');
  keep(await lockFolder(spool, 'the spool'));
  const source = `/carriers/${encodeURIComponent(sharing.named.tenantId)}`;
  return keep(await openRecordStream({ directory: spool, source, transport: sharing.transport }));
}

/** Removes what is too old, now and once a day. A store that refuses is asked again the next day. */
async function startRetention(
  store: RecordStore,
  { days, io, teller }: { readonly days: number; readonly io: CliIo; readonly teller: Teller },
): Promise<{ readonly close: () => Promise<void> }> {
  const expire = async (): Promise<void> => {
    const removed = await store.expire((io.clock.nowMs() - days * DAY_MS) * 1_000);
    if (removed > 0) teller.expired(removed, days);
  };
  await expire();
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = expire().catch((cause: unknown) => {
      teller.notice({ source: 'store', kind: 'failed', detail: `retention could not be kept: ${String(cause)}` });
    });
  }, DAY_MS);
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}

interface Tail {
  readonly tailed: readonly TailedSource[];
  readonly stream: OpenRecordStream | undefined;
  readonly feed: RecordFeed | undefined;
  readonly teller: Teller;
  readonly stopped: AbortSignal;
}

function stateOf({ tailed, stream, feed }: Tail): TailState {
  const sources = tailed.map(({ state }) => state());
  if (stream === undefined || feed === undefined) return { sources };
  return { sources, platform: { status: stream.status(), counts: feed.counts() } };
}

/** Tells how things stand as long as something is under way; the timer also keeps the process alive. */
async function telling<Value>(tail: Tail, work: Promise<Value>): Promise<Value> {
  const timer = setInterval(() => tail.teller.status(() => stateOf(tail)), TICK_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

async function takeInUntilStopped(tail: Tail): Promise<ExitCode> {
  await telling(tail, whenAborted(tail.stopped));
  for (const source of tail.tailed) await source.close();
  tail.teller.ended(stateOf(tail), EXIT.ok);
  return EXIT.ok;
}

async function takeInOnce(tail: Tail, drainSeconds: number): Promise<ExitCode> {
  const { tailed, stream, stopped, feed } = tail;
  const isDrained = await telling(
    tail,
    (async () => {
      for (const { look } of tailed) {
        await Promise.race([look(), whenAborted(stopped)]);
      }
      for (const source of tailed) await source.close();
      if (stream === undefined || stopped.aborted) return true;
      const drained = stream.drain({ timeoutMs: drainSeconds * 1_000 });
      return (await Promise.race([drained, whenAborted(stopped)]))?.status === 'drained';
    })(),
  );
  const state = stateOf(tail);
  const isClean = state.sources.every(
    ({ rejected, lost, unreadFiles, brokenFiles }) => rejected + lost + unreadFiles + brokenFiles === 0,
  );
  const isTaken =
    stream === undefined || feed === undefined
      ? true
      : stream.status().dead === 0 && Object.keys(feed.counts().refused).length === 0;
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
  readonly notice: (notice: SourceNotice) => void;
  readonly expired: (records: number, days: number) => void;
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
    expired: (records, days) =>
      tell({ format: 'hopback.records-tail-notice.1', atMs: io.clock.nowMs(), kind: 'expired', records, days }),
    ended: (state, exitCode) => tell({ ...statusDocument(state, io.clock.nowMs()), isEnded: true, exitCode }),
    end: () => undefined,
  };
}

function textTeller(line: StatusLine): Teller {
  return {
    status: (state) => line.show(() => statusText(state())),
    notice: (notice) => line.note([noticeText(notice)]),
    expired: (records, days) => line.note([`· ${String(records)} records were older than ${String(days)} days`]),
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
