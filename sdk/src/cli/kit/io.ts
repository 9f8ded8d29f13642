import type { Clock } from '../../core/runtime/clock.js';

/** Where a command writes. */
export interface CliOutput {
  readonly isTty: boolean;
  /** Characters of a line of the terminal; absent where there is none. */
  readonly columns?: number | undefined;
  /** Never throws, also when nobody reads any more. */
  readonly write: (text: string | Uint8Array) => void;
  /**
   * Waits until what was written has gone out. A reader that hung up is no failure.
   * @throws {@link HopbackError} `storage-failed` when it could not be written, such as on a full disk
   */
  readonly flush: () => Promise<void>;
}

/** What every program has. */
export interface ProgramIo {
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Everything that a command touches beside the arguments, so that tests run it in their own process. */
export interface CliIo extends ProgramIo {
  readonly stdin: {
    /** Somebody types: a command that was given nothing to read says so instead of waiting. */
    readonly isTty: boolean;
    /**
     * Reads to the end, at most `maxBytes`.
     * @returns undefined when there is more
     */
    readonly read: (maxBytes: number) => Promise<Uint8Array | undefined>;
  };
  readonly clock: Clock;
  /** Milliseconds that only go forward, for measuring. */
  readonly elapsedMs: () => number;
  readonly randomUuid: () => string;
  /** `v20.20.0`. */
  readonly nodeVersion: string;
  /** Addresses of the machine's name servers; asks nobody. */
  readonly nameServers: () => readonly string[];
  readonly files: CliFiles;
  /** From here on whatever the process makes is for its user alone: there are telephone numbers in it. */
  readonly keepPrivate: () => void;
  /**
   * Aborted when somebody asks the process to end, by Ctrl-C or SIGTERM. The process then has `withinSeconds` to end by itself, 10 by
   * default; a second signal ends it at once.
   */
  readonly stopSignal: (withinSeconds?: () => number) => AbortSignal;
  /** Calls the listener at each SIGHUP, which does not end the process from then on. */
  readonly onHangUp: (listener: () => void) => void;
  /**
   * Where a service writes its log: never waits for whoever reads it. What does not fit into a mebibyte beside a reader that does not read is
   * dropped.
   */
  readonly openLog: () => Promise<CliLog>;
  /** Asks for a line. @returns what was typed; undefined at the end of the input */
  readonly ask: (question: string) => Promise<string | undefined>;
}

/** Log of a service. */
export interface CliLog {
  readonly write: (text: string) => void;
  /** Writes what is left, for a second at most. */
  readonly close: () => Promise<void>;
}

/** Files by path, relative to the working directory. */
export interface CliFiles {
  /**
   * Reads a whole file.
   * @returns undefined when it has more than `maxBytes`
   * @throws {@link HopbackError} `storage-failed` when it cannot be read
   */
  readonly read: (path: string, maxBytes: number) => Promise<Uint8Array | undefined>;
  /**
   * Writes a new file, or with `overwrite` puts one in the place of another: whole, or not at all.
   * @throws {@link HopbackError} `storage-failed`, also when the file exists and may not be overwritten
   */
  readonly write: (
    path: string,
    text: string,
    options: { readonly mode: number; readonly overwrite: boolean },
  ) => Promise<void>;
  /**
   * Names in a directory; undefined when there is no such directory.
   * @throws {@link HopbackError} `storage-failed` when it cannot be read
   */
  readonly list: (path: string) => Promise<readonly string[] | undefined>;
  /** Permission bits of a file; undefined where there is none, or none to ask. */
  readonly mode: (path: string) => Promise<number | undefined>;
}

/** Largest input of a command: an INVITE fills one UDP datagram at most, and whoever sends more has sent something else. */
export const MAX_INPUT_BYTES: number = 256 * 1024;
