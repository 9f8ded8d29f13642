import { readFileSync, createWriteStream } from 'node:fs';
import { utimes, writeFile } from 'node:fs/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readSourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import type { SourceConfiguration } from '../../sdk/src/records/ingest/source-configuration.js';
import { sampleOf } from './record-samples.js';

/** A sample with calls for each format of files, by format. */
export const FORMAT_SAMPLES: Readonly<Record<string, string>> = {
  'asterisk-cdr': 'new-york',
  'asterisk-cel': 'calls',
  'freeswitch-csv': 'chicago',
  'freeswitch-json': 'incoming',
  'kamailio-acc': 'transactions',
  'oracle-sbc': 'eastern',
  'ribbon-act': 'chicago',
  broadworks: 'utc',
  columns: 'asterisk-cdr-custom',
  hopback: 'records',
};

/** The source of the sample of a format, following `path`. Its id is the format. */
export function formatSource(format: string, path: string): SourceConfiguration {
  const { source } = sampleOf(format, FORMAT_SAMPLES[format] ?? '');
  return readSourceConfiguration({ ...source, id: format, path });
}

/** The rows of the sample of a format, again and again, until they are as long as asked for. */
export function formatRows(format: string, sizeBytes: number): Buffer {
  const { file } = sampleOf(format, FORMAT_SAMPLES[format] ?? '');
  const sample = readFileSync(new URL(`../vectors/records/${format}/${file}`, import.meta.url), 'latin1').trimEnd();
  return Buffer.from(`${sample}\n`.repeat(Math.ceil(sizeBytes / sample.length)), 'latin1');
}

/** Rows that repeat would be packed to nothing: they are stored, so that the packed file is as long as its content. */
const STORED = { level: 0 } as const;

/** Writes a file that a switch finished an hour ago. */
export async function writeOld(path: string, content: Uint8Array): Promise<void> {
  await writeFile(path, content);
  await makeOld(path);
}

/** The same, packed with gzip and not shorter than its content. */
export const writePackedOld = (path: string, content: Uint8Array): Promise<void> =>
  writeOld(path, gzipSync(content, STORED));

/** The same, piece by piece, for content that is not to be in memory. */
export async function writePackedPiecesOld(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  await pipeline(Readable.from(pieces), createGzip(STORED), createWriteStream(path));
  await makeOld(path);
}

async function makeOld(path: string): Promise<void> {
  const seconds = Date.now() / 1_000 - 3_600;
  await utimes(path, seconds, seconds);
}

/** Whether something ends within a time that is far beyond what it needs, milliseconds. */
export async function isEnded(work: Promise<unknown>, withinMs = 45_000): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
