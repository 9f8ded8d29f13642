import { errorText } from './bounded-connection.js';
import { valueWithin } from '../../core/runtime/deadline.js';
import { writeWholeFile } from '../../core/runtime/whole-file.js';
import { readCacheFile } from './disk-cache.js';
import type { CacheFileRead } from './disk-cache.js';
import { TRUST_STORE_RECORD_MAX_CHARS } from './trust-store-record.js';

/** Longest wait for the disk, milliseconds: no call waits for it, and what is lost can be fetched again. */
export const TRUST_STORE_DISK_TIMEOUT_MS = 2_000;

/** What came of writing a record. */
export type RecordWrite = { readonly status: 'written' } | { readonly status: 'not-written'; readonly detail: string };

/** Reads the record in a cache file. Never rejects. */
export function readRecordFile(path: string): Promise<CacheFileRead> {
  const late: CacheFileRead = { status: 'unreadable', detail: NO_ANSWER };
  const reading = readCacheFile(path, TRUST_STORE_RECORD_MAX_CHARS);
  return valueWithin(reading, { timeoutMs: TRUST_STORE_DISK_TIMEOUT_MS, late });
}

/** Writes a record to a cache file. Never rejects. */
export function writeRecordFile(path: string, text: string): Promise<RecordWrite> {
  if (text.length > TRUST_STORE_RECORD_MAX_CHARS)
    return Promise.resolve({ status: 'not-written', detail: `${text.length} characters are more than are read back` });
  const written = writeWholeFile(path, text).then(
    (): RecordWrite => ({ status: 'written' }),
    (error: unknown): RecordWrite => ({ status: 'not-written', detail: errorText(error) }),
  );
  const late = { status: 'not-written', detail: NO_ANSWER } as const;
  return valueWithin(written, { timeoutMs: TRUST_STORE_DISK_TIMEOUT_MS, late });
}

const NO_ANSWER = 'the disk does not answer';
