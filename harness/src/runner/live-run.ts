import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import type { TimerClock } from '@hopback/sdk/platform';
import { PcapWriter } from '../drachtio/index.js';
import type { TappedMessage } from '../drachtio/index.js';
import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { SeenMessage, World } from '../network/world/index.js';
import type { OracleReport, RunFacts, SeenCall } from '../oracle/index.js';
import {
  callIdOf,
  ctrfJson,
  junitXml,
  ladderMermaid,
  ladderOf,
  ladderText,
  reportHtml,
  snapshotsCsv,
} from '../report/index.js';
import type { RunEnd, RunRecord, RunSummary } from '../report/index.js';
import { abortingThresholds, brokenThreshold } from './judge-run.js';
import { createLiveFigures, createPace } from './run-options.js';
import type { LiveFigures, Pace, RunControl, RunOptions, RunStage, RunView, RunnerParts } from './run-options.js';

/** Settings of {@link driveCalls}. */
interface DriveOptions {
  readonly plan: NetworkPlan;
  /** Those of the plan that are placed, in the order of their times. */
  readonly calls: readonly PlannedCall[];
  readonly place: (call: PlannedCall) => Promise<SeenCall>;
  readonly pace: Pace;
  readonly figures: LiveFigures;
  readonly clock: TimerClock;
  /** No call is placed after it is aborted; those that are up go on. */
  readonly ending: AbortSignal;
  readonly onEnded: (call: SeenCall) => void;
}

/** A flood that goes on. */
type Drive = ReturnType<typeof driveCalls>;

/** Used where a scenario names none. */
const MAX_CONCURRENT = 1_000;
/** A timer of Node cannot be longer. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Places the calls of a plan when they are due, and stays with them until they are over. */
export function driveCalls(options: DriveOptions) {
  const { plan, calls, place, pace, figures, clock, ending, onEnded } = options;
  const { maxConcurrent = MAX_CONCURRENT } = plan.scenario;
  let [next, up] = [0, 0];
  let cancel = (): void => undefined;
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (finish = resolve));
  let finishPlacing: () => void = () => undefined;
  const allPlaced = new Promise<void>((resolve) => (finishPlacing = resolve));

  const isDone = (): boolean => (ending.aborted || next >= calls.length) && up === 0;
  const carry = async (call: PlannedCall): Promise<void> => {
    const seen = await place(call);
    up -= 1;
    figures.ended(seen);
    onEnded(seen);
    if (isDone()) finish();
  };
  const placeDue = (nowMs: number): void => {
    for (let call = calls[next]; call !== undefined; call = calls[next]) {
      if (ending.aborted || pace.untilMs(call.atMs, nowMs) !== 0) return;
      next += 1;
      if (up >= maxConcurrent) figures.unplaced();
      else {
        up += 1;
        figures.placed(call);
        void carry(call);
      }
    }
  };
  const look = (): void => {
    cancel();
    cancel = () => undefined;
    const nowMs = clock.nowMs();
    placeDue(nowMs);
    if (isDone()) finish();
    if (ending.aborted || next >= calls.length) finishPlacing();
    const call = calls[next];
    if (ending.aborted || call === undefined) return;
    const waitMs = pace.untilMs(call.atMs, nowMs);
    if (waitMs !== undefined) cancel = clock.schedule(look, Math.min(LONGEST_WAIT_MS, Math.max(1, waitMs)));
  };
  ending.addEventListener('abort', look, { once: true });
  look();
  return {
    /** All that were placed are over, and no other will be placed. Never rejects. */
    over,
    /** No other call will be placed; some may be up. */
    allPlaced,
    /** Looks anew at what is due: after the pace has changed. */
    look,
  };
}

/** Keeps messages of calls until it is known whether anybody wants to see them. */
export type MessageKeeper = ReturnType<typeof createMessageKeeper>;

/** A run of hours must not fill the memory: beyond it calls that nobody asked for are forgotten, the oldest first. */
const BUDGET_BYTES = 96 * 1_048_576;

/** Makes a keeper that holds nothing. */
export function createMessageKeeper({ budgetBytes = BUDGET_BYTES }: { readonly budgetBytes?: number } = {}) {
  const legs = new Map<string, SeenMessage[]>();
  const forgettable: (readonly string[])[] = [];
  let sizeBytes = 0;
  let first = 0;
  const forget = (): void => {
    while (sizeBytes > budgetBytes && first < forgettable.length) {
      for (const leg of forgettable[first] ?? []) {
        for (const { text } of legs.get(leg) ?? []) sizeBytes -= text.length;
        legs.delete(leg);
      }
      first += 1;
    }
    if (first > 4_096) forgettable.splice(0, first);
    if (first > 4_096) first = 0;
  };
  return {
    add: (message: SeenMessage) => {
      const leg = callIdOf(message.text);
      if (leg === '') return;
      const kept = legs.get(leg);
      if (kept === undefined) legs.set(leg, [message]);
      else kept.push(message);
      sizeBytes += message.text.length;
    },
    /** The call is over. `isWanted`: its messages are kept before those of others. */
    ended: (call: SeenCall, isWanted: boolean) => {
      if (!isWanted) forgettable.push(legsOf(call));
      forget();
    },
    /** Messages of a call, in the order of their times. */
    messagesOf: (call: SeenCall): readonly SeenMessage[] =>
      legsOf(call)
        .flatMap((leg) => legs.get(leg) ?? [])
        .toSorted((one, other) => one.atMs - other.atMs),
    /** Size of the kept messages, octets. */
    sizeBytes: () => sizeBytes,
  };
}

function legsOf({ hops }: SeenCall): readonly string[] {
  return [...new Set(hops.flatMap(({ ingressCallId, egressCallIds }) => [ingressCallId, ...egressCallIds]))];
}

/** `plan.json` of a run's folder: from it the same plan can be made again. */
interface PlanFile {
  readonly format: 'hopback.run-plan.1';
  /** As it was carried out: shortened, if it was. */
  readonly scenario: NetworkPlan['scenario'];
  readonly seed: number;
  readonly onceOnly: boolean;
}

/** The text of `plan.json`. */
export function planFileOf({ scenario, seed, onceOnly }: NetworkPlan): string {
  const file: PlanFile = { format: 'hopback.run-plan.1', scenario, seed, onceOnly };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Where a run writes. */
type RunFolder = Awaited<ReturnType<typeof openRunFolder>>;

/** Captures of more providers than this would be more open files than a process may have. */
const MAX_CAPTURES = 200;

/** Makes a folder, and those above it: with `recursive` Node tries for ever where a file system lets nobody, as /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

/**
 * Makes the folder of a run.
 * @throws {@link HopbackError} `invalid-argument` when it is there and holds something: a run does not write over another
 */
export async function openRunFolder(path: string, { pcap }: Pick<RunOptions, 'pcap'> = {}) {
  await makeFolder(path);
  if ((await readdir(path)).length > 0) {
    throw new HopbackError('invalid-argument', `the folder of the run is not empty: ${path}`);
  }
  const workDirectory = join(path, 'work');
  await mkdir(workDirectory, { mode: 0o700 });
  const captures = pcap === 'all' ? await createCaptures(join(path, 'pcap')) : undefined;
  return {
    path,
    /** For what the world keeps: records, logs, keys. It is gone when the run is over. */
    workDirectory,
    /** Takes a message for the captures, where all are captured. */
    capture: (message: SeenMessage) => captures?.add(message),
    /** Writes every file of a run that is over. */
    write: async (record: RunRecord, summary: RunSummary) => {
      await writeRun(path, record, summary);
      if (pcap === 'sampled') await writeSampledCaptures(join(path, 'pcap'), record);
    },
    close: async () => {
      await captures?.close();
      await rm(workDirectory, { recursive: true, force: true });
    },
  };
}

async function writeRun(path: string, record: RunRecord, summary: RunSummary): Promise<void> {
  const files: readonly (readonly [string, string])[] = [
    ['summary.json', `${JSON.stringify(summary, null, 2)}\n`],
    ['plan.json', planFileOf(record.plan)],
    ['junit.xml', junitXml(record)],
    ['ctrf.json', ctrfJson(record)],
    ['snapshots.csv', snapshotsCsv(record.snapshots)],
    ['report.html', reportHtml(record)],
  ];
  for (const [name, text] of files) await writeFile(join(path, name), text);
  for (const sample of record.samples) {
    if (sample.messages.length === 0) continue;
    const folder = join(path, 'calls', String(sample.index));
    await mkdir(folder, { recursive: true });
    const ladder = ladderOf(sample, record.plan);
    const title = `${record.plan.scenario.name}, seed ${record.plan.seed}, call ${sample.index}`;
    await writeFile(join(folder, 'ladder.txt'), ladderText(title, ladder));
    await writeFile(join(folder, 'ladder.mmd'), ladderMermaid(title, ladder));
  }
}

async function writeSampledCaptures(folder: string, { samples }: RunRecord): Promise<void> {
  const captures = await createCaptures(folder);
  const messages = samples.flatMap((sample) => sample.messages).toSorted((one, other) => one.atMs - other.atMs);
  for (const message of messages) captures.add(message);
  await captures.close();
}

interface Capture {
  readonly writer: PcapWriter;
  readonly stream: WriteStream;
}

/** One capture for each provider, since two that call each other have the same message twice. */
async function createCaptures(folder: string) {
  const captures = new Map<string, Capture>();
  await mkdir(folder, { recursive: true });
  let failure: Error | undefined;
  const opened = (provider: string): Capture | undefined => {
    if (captures.size >= MAX_CAPTURES) return undefined;
    const writer = new PcapWriter();
    const stream = createWriteStream(join(folder, `${provider.replaceAll(/[^A-Za-z0-9_-]/g, '_')}.pcap`));
    stream.on('error', (error) => (failure ??= error));
    stream.write(writer.header);
    captures.set(provider, { writer, stream });
    return { writer, stream };
  };
  return {
    add: (message: SeenMessage) => {
      const capture = captures.get(message.provider) ?? opened(message.provider);
      capture?.stream.write(capture.writer.records(message as TappedMessage));
    },
    close: async () => {
      for (const { stream } of captures.values()) {
        if (stream.destroyed) continue;
        stream.end();
        await once(stream, 'close');
      }
      if (failure !== undefined) throw failure;
    },
  };
}

const SECOND_MS = 1_000;
/** To ask what was found may take this part of the time. */
const WATCH_SHARE = 0.3;
/** To judge a run while it goes on may take this part of its time, no more. */
const LIVE_JUDGE_SHARE = 0.1;

/** A run that has begun, and what steers it. */
export type Begun = ReturnType<typeof beginRun>;

/** All that a run holds while it goes on. */
export type Run = Begun['run'];

interface RunStart {
  readonly options: RunOptions;
  readonly clock: TimerClock;
  readonly parts: RunnerParts;
  readonly folder: RunFolder | undefined;
}

/** Begins a run: its time goes from now. */
export function beginRun(plan: NetworkPlan, { options, clock, parts, folder }: RunStart) {
  const startedAtMs = clock.nowMs();
  const fromMs = plan.calls[0]?.atMs ?? 0;
  const pace = createPace(startedAtMs, { factor: options.rateFactor ?? 1, fromMs });
  const truthOf = parts.truthOf(plan);
  const figures = createLiveFigures(plan, truthOf);
  const ending = new AbortController();
  let stage: RunStage = 'opening';
  let endedBy: RunEnd = 'plan';
  const view = (): RunView => {
    const nowMs = clock.nowMs();
    const [last, found] = [figures.snapshots().at(-1), figures.found()];
    return {
      scenario: plan.scenario.name,
      seed: plan.seed,
      stage,
      counts: figures.counts(),
      hops: figures.hops(),
      rateFactor: pace.factor(),
      isPaused: pace.isPaused(),
      elapsedMs: nowMs - startedAtMs,
      planMs: stage === 'opening' ? 0 : Math.min(plan.durationMs, pace.planMs(nowMs)),
      durationMs: plan.durationMs,
      ...(endedBy !== 'plan' && { endedBy }),
      ...(last !== undefined && { last }),
      ...(found !== undefined && { found }),
    };
  };
  const calls: SeenCall[] = [];
  const cancels: (() => void)[] = [];
  const run = {
    plan,
    options,
    clock,
    parts,
    truthOf,
    figures,
    folder,
    ending,
    startedAtMs,
    view,
    calls,
    /** Timers that are to be stopped with the run. */
    cancels,
    keeper: keepsMessages(options, folder) ? createMessageKeeper() : undefined,
    enter: (next: RunStage) => {
      stage = next;
      options.onView?.(view());
    },
    end: (why: RunEnd) => {
      if (ending.signal.aborted || stage === 'judging' || stage === 'over') return;
      // All are placed: there is nothing that could be left out.
      if (why === 'stopped' && stage === 'settling') return;
      endedBy = why;
      ending.abort();
    },
    endedBy: (): RunEnd => endedBy,
  };
  const begun = { run, pace, drive: undefined as Drive | undefined };
  options.onControl?.(controlOf(begun));
  return begun;
}

/** Captures are made of the same messages. */
const keepsMessages = (options: RunOptions, folder: RunFolder | undefined): boolean =>
  (folder !== undefined && options.pcap !== undefined) || (options.keepsMessages ?? folder !== undefined);

function controlOf(begun: Begun): RunControl {
  const { run, pace } = begun;
  const changed = (change: (nowMs: number) => void): void => {
    change(run.clock.nowMs());
    begun.drive?.look();
    run.options.onView?.(run.view());
  };
  return {
    view: run.view,
    setRate: (factor) => changed((nowMs) => pace.setFactor(factor, nowMs)),
    pause: () => changed((nowMs) => pace.pause(nowMs)),
    resume: () => changed((nowMs) => pace.resume(nowMs)),
    stop: () => run.end('stopped'),
  };
}

/** The second, the end of time, and the signal. @returns stops them */
export function startTimers(run: Run, pace: Pace): () => void {
  const { clock, options, figures, startedAtMs } = run;
  let cancelSecond = (): void => undefined;
  let seconds = 0;
  const second = (): void => {
    seconds += 1;
    const rateFactor = pace.isPaused() ? 0 : pace.factor();
    figures.snapshot({ atMs: clock.nowMs() - startedAtMs, rateFactor });
    options.onView?.(run.view());
    watch();
    cancelSecond = clock.schedule(second, Math.max(1, startedAtMs + (seconds + 1) * SECOND_MS - clock.nowMs()));
  };
  const watch = liveJudge(run);
  cancelSecond = clock.schedule(second, SECOND_MS);
  const { timeoutSeconds, signal } = options;
  const cancelTimeout =
    timeoutSeconds === undefined ? undefined : clock.schedule(() => run.end('timeout'), timeoutSeconds * SECOND_MS);
  const onSignal = (): void => run.end('signal');
  signal?.addEventListener('abort', onSignal, { once: true });
  if (signal?.aborted === true) onSignal();
  return () => {
    cancelSecond();
    cancelTimeout?.();
    signal?.removeEventListener('abort', onSignal);
  };
}

/**
 * Asks a platform each second what it has found, and less often where it is slow to tell: watching costs the run little. Never throws: what is wrong with
 * a platform shows in the run itself.
 * @returns stops it
 */
export function watchFindings({ clock, figures }: Run, found: World['found']): () => void {
  let isOver = false;
  let cancel = (): void => undefined;
  const ask = async (): Promise<void> => {
    const beganMs = clock.nowMs();
    const told = await found?.().catch(() => undefined);
    if (isOver) return;
    if (told !== undefined) figures.find(told);
    const tookMs = clock.nowMs() - beganMs;
    cancel = clock.schedule(() => void ask(), Math.max(SECOND_MS, tookMs / WATCH_SHARE));
  };
  if (found !== undefined) cancel = clock.schedule(() => void ask(), SECOND_MS);
  return () => {
    isOver = true;
    cancel();
  };
}

/** Holds calls that are over against thresholds that end a run; seldom enough that it costs no calls. */
function liveJudge(run: Run): () => void {
  const thresholds = abortingThresholds(run.plan.scenario.thresholds);
  if (thresholds === undefined) return () => undefined;
  let notBeforeMs = 0;
  return () => {
    const beganMs = run.clock.nowMs();
    if (beganMs < notBeforeMs || run.calls.length === 0) return;
    const oracle = judged({ ...run, plan: asPlaced(run.plan, run.calls) }, factsOf(run, beganMs));
    if (brokenThreshold(oracle, thresholds, beganMs - run.startedAtMs) !== undefined) run.end('threshold');
    const endedMs = run.clock.nowMs();
    notBeforeMs = endedMs + (endedMs - beganMs) / LIVE_JUDGE_SHARE;
  };
}

/** A call that is placed within so many milliseconds of its time is on time: no machine is better than that in all of a run. */
const PUNCTUAL_MS = 500;

/** A plan whose calls say when they were placed: a run that was paused, or a machine that stood still, moves calls past a crash that they were planned for. */
export function asPlaced(plan: NetworkPlan, seen: readonly SeenCall[]): NetworkPlan {
  const placed = new Map(seen.map(({ index, placedAtMs }) => [index, placedAtMs]));
  const first = plan.calls.find(({ index }) => placed.get(index) !== undefined);
  const startMs = (placed.get(first?.index ?? -1) ?? 0) - (first?.atMs ?? 0);
  const calls = plan.calls.map((call) => {
    const placedMs = (placed.get(call.index) ?? startMs + call.atMs) - startMs;
    return Math.abs(placedMs - call.atMs) <= PUNCTUAL_MS ? call : { ...call, placedMs };
  });
  return calls.every((call, index) => call === plan.calls[index]) ? plan : { ...plan, calls };
}

/** Holds what was seen against what is true. Calls that were to be placed later are not held against a run that somebody ended, or that goes on. */
export function judged({ parts, plan, figures, endedBy, options, calls }: Run, facts: RunFacts): OracleReport {
  const oracle = parts.judge(plan, facts);
  const isWhole =
    endedBy() === 'plan' &&
    options.only === undefined &&
    calls.length + figures.counts().unplaced === plan.calls.length;
  if (isWhole) return oracle;
  const count = figures.counts().unplaced;
  return { ...oracle, metrics: { ...oracle.metrics, calls_unplaced: { kind: 'count', count } } };
}

/** What the runner has seen by itself: calls, and nothing of what follows from them. */
export function factsOf({ startedAtMs, calls }: Run, endedAtMs: number): RunFacts {
  const nothing = {
    records: [],
    campaigns: [],
    alerts: [],
    tracebacks: [],
    troubles: [],
  };
  return { ...nothing, startedAtMs, endedAtMs, calls: [...calls] };
}
