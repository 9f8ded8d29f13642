import { generateKeyPairSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createLogSigner, type LogRecord, type LogSigner, type SegmentLog } from '../../sdk/src/log/index.js';

/** A program that appends until it is killed; what it prints is in its head. */
export const LOG_APPENDER: string = fileURLToPath(new URL('log-appender.mjs', import.meta.url));

/** A record of about 900 bytes that says which it is. */
export function recordText(sequence: number): string {
  return `${sequence}:`.padEnd(900 + (sequence % 50), String(sequence % 10));
}

/** Reads everything that a log has. */
export async function readEverything(log: SegmentLog, from = 0): Promise<readonly LogRecord[]> {
  const all: LogRecord[] = [];
  for (;;) {
    const records = await log.read((all.at(-1)?.sequence ?? from - 1) + 1);
    if (records.length === 0) return all;
    all.push(...records);
  }
}

/** Sequence numbers of {@link recordText} records that are not what they were written as. */
export function changedRecords(records: readonly LogRecord[]): readonly number[] {
  return records
    .filter(({ sequence, payload }) => Buffer.from(payload).toString() !== recordText(sequence))
    .map(({ sequence }) => sequence);
}

/** A signer with a key of its own. */
export function newLogSigner(kind: 'ed25519' | 'p256' = 'ed25519'): LogSigner {
  const { privateKey } =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createLogSigner(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}
