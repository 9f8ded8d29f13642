import { externalProviders } from '../network/plan/index.js';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { createPcapWriter } from '../drachtio/index.js';
import type { PcapWriter, TappedMessage } from '../drachtio/index.js';
import type { SeenMessage } from '../network/world/index.js';
import { ctrfJson, junitXml, ladderMermaid, ladderOf, ladderText, reportHtml, snapshotsCsv } from '../report/index.js';
import type { RunRecord, RunSummary } from '../report/index.js';
import { planFileOf } from './plan-file.js';

/** Where a run writes. */
export interface RunFolder {
  readonly path: string;
  /** For what the world keeps: records, logs, keys. It is gone when the run is over. */
  readonly workDirectory: string;
  /** Takes a message for the captures, where all are captured. */
  readonly capture: (message: SeenMessage) => void;
  /** Writes every file of a run that is over. */
  readonly write: (record: RunRecord, summary: RunSummary) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Captures of more providers than this would be more open files than a process may have. */
const MAX_CAPTURES = 200;

/** Settings of {@link openRunFolder}. */
export interface RunFolderOptions {
  readonly pcap?: 'sampled' | 'all' | undefined;
}

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
export async function openRunFolder(path: string, { pcap }: RunFolderOptions = {}): Promise<RunFolder> {
  await makeFolder(path);
  if ((await readdir(path)).length > 0) {
    throw new HopbackError('invalid-argument', `the folder of the run is not empty: ${path}`);
  }
  const workDirectory = join(path, 'work');
  await mkdir(workDirectory, { mode: 0o700 });
  const captures = pcap === 'all' ? await createCaptures(join(path, 'pcap')) : undefined;
  return {
    ...{ path, workDirectory },
    capture: (message) => captures?.add(message),
    write: async (record, summary) => {
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
  const external = externalProviders(record.plan);
  for (const sample of record.samples) {
    if (sample.messages.length === 0) continue;
    const folder = join(path, 'calls', String(sample.index));
    await mkdir(folder, { recursive: true });
    const ladder = ladderOf(sample, external);
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

interface Captures {
  readonly add: (message: SeenMessage) => void;
  readonly close: () => Promise<void>;
}

/** One capture for each provider, since two that call each other have the same message twice. */
async function createCaptures(folder: string): Promise<Captures> {
  const captures = new Map<string, Capture>();
  await mkdir(folder, { recursive: true });
  let failure: Error | undefined;
  const opened = (provider: string): Capture | undefined => {
    if (captures.size >= MAX_CAPTURES) return undefined;
    const writer = createPcapWriter();
    const stream = createWriteStream(join(folder, `${provider.replaceAll(/[^A-Za-z0-9_-]/g, '_')}.pcap`));
    stream.on('error', (error) => (failure ??= error));
    stream.write(writer.header);
    captures.set(provider, { writer, stream });
    return { writer, stream };
  };
  return {
    add: (message) => {
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
