import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HopbackError } from '../../errors.js';

/** Something that a person did, or that was done in somebody's name. */
export interface ReviewAuditEntry {
  /**
   * - `login`, `login-failed`, `login-refused`, `logout`: who came, whose password was wrong, who was refused because too many attempts were waiting (once a minute for an account), who went
   * - `numbers-shown`: telephone numbers of a request were shown in full
   * - `decision`: a person has an answer signed and sent; written before it is. `decision-outcome`: what the responder said
   */
  readonly event:
    'login' | 'login-failed' | 'login-refused' | 'logout' | 'numbers-shown' | 'decision' | 'decision-outcome';
  /** RFC 3339 in UTC. */
  readonly at: string;
  /** Who; of a login that failed the name that was given, 64 characters at most. */
  readonly account: string;
  /** Where from, as far as it is known. */
  readonly address?: string;
  readonly requestId?: string;
  readonly decisionId?: string;
  readonly arm?: string;
  readonly candidate?: string;
  /** Warnings that were seen and decided against. */
  readonly despite?: readonly string[];
  /** `accepted`, `repeated` or `refused`. */
  readonly outcome?: string;
}

/** Keeps what was done. Resolved means durable. @throws {@link HopbackError} `storage-failed` where the disk refuses */
export type ReviewAudit = (entry: ReviewAuditEntry) => Promise<void>;

/** An audit in a file. */
export interface ReviewAuditFile extends AsyncDisposable {
  readonly write: ReviewAudit;
  /** Ends behind what was handed in. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a file for the audit: a line of JSON for each entry, on the medium before whoever did it hears of it. Nothing is ever taken off it.
 * @param path - made where it is not there, for this user only
 * @returns the audit; to be closed
 * @throws {@link HopbackError} `storage-failed` where it cannot be opened
 * @see {@link reviewApp}
 * @example
 * ```ts
 * const { mkdtemp, readFile, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const audit = await openReviewAudit(`${directory}/audit.ndjson`);
 * await audit.write({ event: 'login', at: '2026-11-02T15:00:00Z', account: 'duty engineer' });
 * await audit.close();
 * console.log((await readFile(`${directory}/audit.ndjson`, 'utf8')).includes('"duty engineer"')); // true
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openReviewAudit(path: string): Promise<ReviewAuditFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(refused);
  const file = await open(path, 'a+', 0o600).catch(refused);
  let running: Promise<void> = Promise.resolve();
  // A line that a full disk or a kill has cut off is ended first: the next one must not be glued to it.
  let isCut = await endsInLine(file).catch(refused);
  const append = async (entry: ReviewAuditEntry): Promise<void> => {
    const line = `${isCut ? '\n' : ''}${JSON.stringify(entry)}\n`;
    isCut = true;
    await file.appendFile(line).catch(refused);
    await file.datasync().catch(refused);
    isCut = false;
  };
  const close = async (): Promise<void> => {
    await running;
    await file.close().catch(() => undefined);
  };
  let closing: Promise<void> | undefined;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    write(entry) {
      const turn = running.then(() => append(entry));
      running = turn.catch(() => undefined);
      return turn;
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

/** Whether the last line has no end. */
async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(new Uint8Array(1), 0, 1, size - 1);
  return buffer[0] !== LINE_END;
}

const LINE_END = 0x0a;

function refused(cause: unknown): never {
  throw new HopbackError('storage-failed', 'The audit of the review page cannot be written.', {
    retryable: true,
    cause,
  });
}
