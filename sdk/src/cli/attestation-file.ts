import { open } from 'node:fs/promises';
import { HopbackError } from '../errors.js';
import type { SignatureRecord } from '../stir/index.js';
import { shownText } from './shown-text.js';

/** A file to which attestation records are written, a line of JSON each. */
export interface AttestationFile {
  readonly keep: (record: SignatureRecord) => void;
  /** Records that the disk did not take, and that are gone. */
  readonly lost: () => number;
  /** Waits until what was handed over is written. */
  readonly close: () => Promise<void>;
}

/** Records that wait for the disk at most, some hundred bytes each: a stalled disk must not become a full memory. */
const MAX_WAITING = 100_000;

/**
 * Opens it, and finds out at once whether it can be written. It is opened anew for each batch, so that a file that was moved away begins again.
 * @throws {@link HopbackError} `storage-failed` when it cannot be written
 */
export async function openAttestationFile(
  path: string,
  onTrouble: (error: HopbackError) => void,
): Promise<AttestationFile> {
  let waiting: string[] = [];
  let lost = 0;
  let writing: Promise<void> | undefined;
  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      await append(path, lines.join('')).catch((error: unknown) => {
        lost += lines.length;
        onTrouble(error as HopbackError);
      });
    }
    writing = undefined;
  };
  await append(path, '');
  return {
    keep(record) {
      if (waiting.length >= MAX_WAITING) lost += 1;
      else waiting.push(`${JSON.stringify(record)}\n`);
      writing ??= write();
    },
    lost: () => lost,
    async close() {
      await writing;
    },
  };
}

/** Telephone numbers are in it: for its user alone. */
async function append(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'a', 0o600);
    await file.writeFile(text);
    // Neither a terminal nor a pipe has a disk behind it.
    await file.sync().catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'EINVAL') throw cause;
    });
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    throw new HopbackError('storage-failed', `${shownText(path)} cannot be written (${code})`, { cause });
  }
}
