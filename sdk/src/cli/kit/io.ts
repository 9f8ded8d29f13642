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

/** Largest input of a command: an INVITE fills one UDP datagram at most, and whoever sends more has sent something else. */
export const MAX_INPUT_BYTES: number = 256 * 1024;
