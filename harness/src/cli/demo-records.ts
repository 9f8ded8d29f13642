import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbRecordStore } from '@hopback/sdk/records';
import type { FoundRecords } from '@hopback/sdk/records';
import { createTestPki } from '@hopback/sdk/testing';
import { startDemoPlatform } from './demo-platform.js';
import type { DemoPlatform } from './demo-platform.js';
import { DEMO_TRUNK, startDemoSwitch } from './demo-switch.js';
import type { DemoSwitch } from './demo-switch.js';
import { startTail, writeTailFiles } from './demo-tail.js';
import type { TailEnd, TailFiles, TailProcess } from './demo-tail.js';

/** Where the second act writes: lines that stay, and how things stand at the moment. */
export interface RecordsActOutput {
  readonly say: (lines: readonly string[]) => void;
  readonly progress: (line: string) => void;
}

const CALLS = 4_000;
/** Written when the process starts: the rest comes when it is at work, however long that takes. */
const CALLS_BEFORE = 200;
const CALLS_PER_SECOND = 800;
/** So much has to have happened before the process is killed: the batch that comes then is the last that it sends. */
const KILL_AFTER = { written: CALLS / 2, atPlatform: CALLS / 4 };
const PROGRESS_EVERY_MS = 100;
/** Without a new record at the platform for so long it is given up: a process starts within a second, on a busy machine within some. */
const PATIENCE_MS = 15_000;

/**
 * A switch writes calls to a file; `hopback records tail`, a process of its own, follows it, stores each call and sends it to a platform
 * over HTTPS. At the worst moment, when the platform has a batch and has not said so, the process is killed, and started again. Then calls
 * are counted at all three places.
 * @returns 0 when no call was lost and none is there twice, else 1
 */
export async function runRecordsAct(output: RecordsActOutput): Promise<0 | 1> {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-demo-'));
  try {
    const token = 'ZGVtbw';
    await using platform = await startDemoPlatform(await createTestPki({ nowMs: Date.now(), label: 'Demo' }), token);
    const cdrPath = join(directory, 'Master.csv');
    const files = await writeTailFiles(directory, { cdrPath, url: platform.url, token, caPem: platform.caPem });
    output.say([
      'A switch writes its calls to a file, as Asterisk does. A process follows the file, stores each call and sends it over HTTPS:',
      '  hopback records tail --store records --source pbx-1.json --platform https://… --sharing all-pseudonymous …',
      '',
    ]);
    const writer = await startDemoSwitch(cdrPath, {
      ...{ before: CALLS_BEFORE, rows: CALLS, perSecond: CALLS_PER_SECOND },
      begins: platform.first,
    });
    const story = await followedThroughDeath({ files, platform, writer, output }).finally(writer.stop);
    return await counted({ story, files, platform, writer, output });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Act {
  readonly files: TailFiles;
  readonly platform: DemoPlatform;
  readonly writer: DemoSwitch;
  readonly output: RecordsActOutput;
}

/** What happened, apart from the counts. */
interface Story {
  /** Calls that were written when the process was killed; undefined when it was not. */
  readonly killedAt: number | undefined;
  /** How the last process ended. */
  readonly end: TailEnd;
}

async function followedThroughDeath(act: Act): Promise<Story> {
  const { files, platform, writer, output } = act;
  let tail = startTail(files);
  let killedAt: number | undefined;
  platform.onKept((kept) => {
    if (killedAt !== undefined || writer.rows() < KILL_AFTER.written || kept < KILL_AFTER.atPlatform) return false;
    killedAt = writer.rows();
    tail.kill('SIGKILL');
    return true;
  });
  try {
    const first = await untilKilledOrDone(act, tail);
    if (first?.signal === 'SIGKILL') {
      output.say([
        `  kill -9, with ${shown(killedAt ?? 0)} calls written and a batch at the platform that is not acknowledged; started again`,
      ]);
      tail = startTail(files);
      const second = await untilKilledOrDone(act, tail);
      if (second !== undefined) return { killedAt, end: second };
    } else if (first !== undefined) return { killedAt, end: first };
    // Everything is at the platform: it is asked to end.
    tail.kill('SIGTERM');
    return { killedAt, end: await tail.ended };
  } finally {
    tail.kill('SIGKILL');
  }
}

/** @returns how the process ended; undefined when it runs, and all is at the platform or nothing comes any more */
async function untilKilledOrDone({ platform, writer, output }: Act, tail: TailProcess): Promise<TailEnd | undefined> {
  let known = -1;
  let knownSinceMs = performance.now();
  for (;;) {
    const ended = await Promise.race([tail.ended, pause()]);
    if (ended !== undefined) return ended;
    if (writer.failure() !== undefined) throw writer.failure();
    output.progress(
      `  ${shown(writer.rows())} calls written, ${shown(platform.ids.size)} at the platform, ` +
        `${shown(platform.repeated())} came again`,
    );
    if (platform.ids.size >= CALLS) return undefined;
    if (platform.ids.size !== known) [known, knownSinceMs] = [platform.ids.size, performance.now()];
    if (performance.now() - knownSinceMs > PATIENCE_MS) return undefined;
  }
}

function pause(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), PROGRESS_EVERY_MS));
}

async function counted({ story, files, platform, writer, output }: Act & { readonly story: Story }): Promise<0 | 1> {
  const { killedAt, end } = story;
  if (end.exitCode !== 0) {
    const complaint = end.complaint.trim();
    output.say([
      `✗ hopback records tail ended with ${String(end.signal ?? end.exitCode)}${complaint === '' ? '' : `: ${complaint}`}`,
    ]);
    return 1;
  }
  const stored = await storedRecords(files.store);
  const storedIds = new Set(stored.records.map(({ recordId }) => recordId));
  const lost = [...storedIds].filter((id) => !platform.ids.has(id)).length + (CALLS - storedIds.size);
  const isRight =
    writer.rows() === CALLS &&
    stored.count === CALLS &&
    platform.ids.size === CALLS &&
    lost === 0 &&
    killedAt !== undefined;
  const number = (value: number): string => shown(value).padStart(7);
  output.say([
    '',
    `${number(writer.rows())}  rows written by the switch`,
    `${number(stored.count)}  records in the store`,
    `${number(platform.ids.size)}  different records at the platform`,
    `${number(platform.repeated())}  came twice and were recognised by their id`,
    '',
    isRight
      ? `✓ ${shown(CALLS)} of ${shown(CALLS)} calls at the platform: none lost, none stored twice, killed once at call ${shown(killedAt)}`
      : `✗ ${shown(platform.ids.size)} of ${shown(CALLS)} calls at the platform, ${shown(stored.count)} in the store` +
        (killedAt === undefined ? ', and the process was never killed' : ''),
  ]);
  return isRight ? 0 : 1;
}

/** All records by their trunk, and how many there are whatever their trunk is. */
async function storedRecords(
  directory: string,
): Promise<{ readonly count: number; readonly records: FoundRecords['records'] }> {
  await using store = await openDuckDbRecordStore({ directory });
  const window = { fromUs: (Date.now() - 86_400_000) * 1_000, toUs: (Date.now() + 86_400_000) * 1_000 };
  const { records } = await store.find({ window, trunk: DEMO_TRUNK, limit: 2 * CALLS });
  return { count: (await store.statistics()).records, records };
}

const shown = (count: number): string => count.toLocaleString('en-US');
