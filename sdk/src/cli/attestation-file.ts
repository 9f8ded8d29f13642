import { open, stat } from 'node:fs/promises';
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
  let isOverflowTold = false;
  // A record that a full disk or a kill has cut off is ended first: the next one must not be glued to it.
  let mayBeCut = true;
  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      isOverflowTold = false;
      const isCut = mayBeCut && (await endsWithinLine(path));
      await append(path, `${isCut ? '\n' : ''}${lines.join('')}`).then(
        () => (mayBeCut = false),
        (error: unknown) => {
          mayBeCut = true;
          lost += lines.length;
          onTrouble(error as HopbackError);
        },
      );
    }
    writing = undefined;
  };
  await append(path, '');
  return {
    keep(record) {
      if (waiting.length < MAX_WAITING) waiting.push(`${JSON.stringify(record)}\n`);
      else {
        lost += 1;
        // Once for each time that the disk stalls, not once a call.
        if (!isOverflowTold) onTrouble(overflow(path));
        isOverflowTold = true;
      }
      writing ??= write();
    },
    lost: () => lost,
    async close() {
      await writing;
    },
  };
}

const overflow = (path: string): HopbackError =>
  new HopbackError('storage-failed', `${shownText(path)} takes no records at the moment: those that come now are lost`);

/** Whether the last line has no end. A file that is not there, or that cannot be read back, has none. */
async function endsWithinLine(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size === 0) return false;
    await using file = await open(path, 'r');
    const { buffer } = await file.read(new Uint8Array(1), 0, 1, found.size - 1);
    return buffer[0] !== LINE_END;
  } catch {
    return false;
  }
}

const LINE_END = 0x0a;

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
