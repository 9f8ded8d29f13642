import { printableText } from '../../core/text.js';
import type { ExitCode } from './command.js';
import type { CliOutput, CliIo } from './node-io.js';
import { jsonLine, printLines } from './output.js';

/** How often a line on a terminal is drawn anew, milliseconds. */
const REDRAW_MS = 200;
/** How often a line is printed where there is no terminal, milliseconds: logs are to be read. */
const PLAIN_MS = 5_000;
const CLEAR = '\r\u001b[K';
/** A line that wraps could not be drawn over: on a narrow terminal its end is not shown. @see DECAWM of the VT100 */
const WITHOUT_WRAP = '\u001b[?7l';
const WITH_WRAP = '\u001b[?7h';

interface StatusLineOptions {
  readonly output: CliOutput;
  readonly plainMs?: number;
  readonly isQuiet?: boolean;
}

/**
 * One line that says how things stand: drawn again and again on a terminal, elsewhere a line now and then.
 * @param options - `isQuiet`: nothing but notes where there is no terminal
 */
export function createStatusLine(io: CliIo, { output, plainMs = PLAIN_MS, isQuiet = false }: StatusLineOptions) {
  let shownAtMs = output.isTty ? -Infinity : io.elapsedMs();
  let last = '';
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) output.write(CLEAR);
    isDrawn = false;
  };
  return {
    /** Shows a text, which is asked for only when it is due. */
    show: (text: () => string) => {
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
    /** Prints lines that stay. */
    note: (lines: readonly string[]) => {
      clear();
      printLines(io, lines, output);
    },
    /** Takes the line away. */
    end: clear,
  };
}

/** More than a person reads in passing. */
const MAX_LINE_CHARS = 240;

/** How a command that goes on tells what it does. */
interface Words<State, Notice> {
  /** Of its documents, without the version: `hopback.redirect`. */
  readonly format: string;
  /** Members of the document of a status. */
  readonly document: (state: State) => object;
  /** One line for people. */
  readonly status: (state: State) => string;
  readonly notice: (notice: Notice) => readonly string[];
  readonly ended: (state: State, exitCode: ExitCode) => readonly string[];
}

/** How often a line of JSON is written at most. */
const JSON_EVERY_MS = 1_000;
/** How often a line is written where there is no terminal. */
const PLAIN_EVERY_MS = 10_000;

/** Says what goes on: to people in a line, to programs in documents, a status when it has changed. */
export function createTeller<State, Notice extends object>(io: CliIo, isJson: boolean, words: Words<State, Notice>) {
  const { format, document } = words;
  if (!isJson) {
    const line = createStatusLine(io, { output: io.stdout, plainMs: PLAIN_EVERY_MS });
    return {
      status: (state: () => State) => line.show(() => words.status(state())),
      notice: (notice: Notice) => line.note(words.notice(notice)),
      ended: (state: State, exitCode: ExitCode) => line.note(words.ended(state, exitCode)),
      end: line.end,
    };
  }
  let toldAtMs = -Infinity;
  let last = '';
  const tell = (name: string, members: object): void =>
    io.stdout.write(jsonLine({ format: `${name}.1`, atMs: io.clock.nowMs(), ...members }));
  return {
    status: (state: () => State) => {
      const nowMs = io.elapsedMs();
      if (nowMs - toldAtMs < JSON_EVERY_MS) return;
      toldAtMs = nowMs;
      const now = document(state());
      const text = JSON.stringify(now);
      if (text !== last) tell(format, now);
      last = text;
    },
    notice: (notice: Notice) => tell(`${format}-notice`, notice),
    ended: (state: State, exitCode: ExitCode) => tell(format, { ...document(state), isEnded: true, exitCode }),
    end: () => undefined,
  };
}

/** Resolves when a signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
