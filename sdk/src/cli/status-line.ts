import { printableText } from '../core/text.js';
import type { CliIo, CliOutput } from './io.js';
import { printLines } from './output.js';

/** How often a line on a terminal is drawn anew, milliseconds. */
const REDRAW_MS = 200;
/** How often a line is printed where there is no terminal, milliseconds: logs are to be read. */
const PLAIN_MS = 5_000;
const CLEAR = '\r\u001b[K';
/** A line that wraps could not be drawn over: on a narrow terminal its end is not shown. @see DECAWM of the VT100 */
const WITHOUT_WRAP = '\u001b[?7l';
const WITH_WRAP = '\u001b[?7h';

/** One line that says how things stand: drawn again and again on a terminal, elsewhere a line now and then. */
export interface StatusLine {
  /** Shows a text, which is asked for only when it is due. */
  readonly show: (text: () => string) => void;
  /** Prints lines that stay. */
  readonly note: (lines: readonly string[]) => void;
  /** Takes the line away. */
  readonly end: () => void;
}

/** Makes it. `isQuiet`: nothing but notes where there is no terminal. */
export function createStatusLine(
  io: CliIo,
  {
    output,
    plainMs = PLAIN_MS,
    isQuiet = false,
  }: { readonly output: CliOutput; readonly plainMs?: number; readonly isQuiet?: boolean },
): StatusLine {
  let shownAtMs = output.isTty ? -Infinity : io.elapsedMs();
  let last = '';
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) output.write(CLEAR);
    isDrawn = false;
  };
  return {
    show(text) {
      const nowMs = io.elapsedMs();
      if (nowMs - shownAtMs < (output.isTty ? REDRAW_MS : plainMs)) return;
      shownAtMs = nowMs;
      const line = printableText(text(), MAX_LINE_CHARS);
      if (output.isTty) {
        output.write(`${CLEAR}${WITHOUT_WRAP}${line}${WITH_WRAP}`);
        isDrawn = true;
      } else if (!isQuiet && line !== last) printLines(io, [line], output);
      last = line;
    },
    note(lines) {
      clear();
      printLines(io, lines, output);
    },
    end: clear,
  };
}

/** More than a person reads in passing. */
const MAX_LINE_CHARS = 240;
