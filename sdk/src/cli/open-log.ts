import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { schedule } from '../core/runtime/clock.js';
import type { CliLog } from './io.js';

/** What is kept for a reader that does not read: beyond it lines are dropped. */
const MAX_LOG_BYTES = 1024 * 1024;
/** For what is left at the end. */
const LOG_CLOSE_MS = 1_000;
const STANDARD_OUTPUT = 1;

/**
 * Opens standard output for a log. Writing to it never waits for its reader, and neither does the end of the process: a thread that writes to a full pipe
 * would be waited for. A file or terminal is written to by a thread, since the system offers no other way.
 */
export function openLog(): Promise<CliLog> {
  const kind = fstatSync(STANDARD_OUTPUT);
  return kind.isFIFO() || kind.isSocket() ? Promise.resolve(pipeLog()) : fileLog();
}

function pipeLog(): CliLog {
  const pipe = new Socket({ fd: STANDARD_OUTPUT, readable: false, writable: true });
  pipe.on('error', () => undefined);
  let isPlanned = false;
  const flush = (): void => {
    isPlanned = false;
    pipe.uncork();
  };
  return {
    write(text) {
      if (pipe.destroyed || pipe.writableLength + text.length > MAX_LOG_BYTES) return;
      // Lines of one turn go out together.
      if (!isPlanned) {
        isPlanned = true;
        pipe.cork();
        setImmediate(flush);
      }
      pipe.write(text);
    },
    close: () =>
      new Promise((resolve) => {
        const end = (): void => {
          cancel();
          pipe.destroy();
          resolve();
        };
        const cancel = schedule(end, LOG_CLOSE_MS);
        pipe.once('error', end);
        if (isPlanned) flush();
        pipe.write('', end);
      }),
  };
}

async function fileLog(): Promise<CliLog> {
  const { destination } = await import('pino');
  const log = destination({ dest: STANDARD_OUTPUT, sync: false, maxLength: MAX_LOG_BYTES });
  log.on('error', () => undefined);
  return {
    write: (text) => void log.write(text),
    close: () =>
      new Promise((resolve) => {
        const cancel = schedule(resolve, LOG_CLOSE_MS);
        log.flush(() => {
          cancel();
          resolve();
        });
      }),
  };
}
