/** A file of the log, open. Every call rejects with the error of the system, `code` included. */
export interface LogFile {
  /**
   * Appends the bytes of all buffers, in order: `writev` at the end of the file.
   * @returns how many bytes were taken, which may be fewer than given
   */
  readonly append: (buffers: readonly Uint8Array[]) => Promise<number>;
  /** Resolves once all that was appended is on the medium: `fdatasync`. */
  readonly datasync: () => Promise<void>;
  /**
   * Fills the buffer from a place in the file.
   * @param position - offset in the file, bytes
   * @returns how many bytes there were; 0 at the end of the file
   */
  readonly read: (buffer: Uint8Array, position: number) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** A file in the directory of the log. */
export interface ListedFile {
  /** Without the directory. */
  readonly name: string;
  readonly sizeBytes: number;
}

/**
 * What the log asks of the file system. The default is Node's; tests hand in one that fails, forgets what was not synced, or counts.
 * Every call rejects with the error of the system, `code` included.
 */
export interface LogFiles {
  /** Makes the directory and those above it, and syncs the one it is in; nothing happens where it is there already. */
  readonly makeDirectory: (directory: string) => Promise<void>;
  /** The regular files of the directory, in any order. */
  readonly list: (directory: string) => Promise<readonly ListedFile[]>;
  /** Makes a file that is not there yet, open for appending. */
  readonly create: (path: string) => Promise<LogFile>;
  /** Opens a file for reading (and `datasync`, which a reader may call too). */
  readonly open: (path: string) => Promise<LogFile>;
  /** Moves a file over another name, in one step. */
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly unlink: (path: string) => Promise<void>;
  /** Cuts a file to so many bytes. */
  readonly truncate: (path: string, sizeBytes: number) => Promise<void>;
  /** Resolves once the names in the directory are on the medium: `fsync` of the directory. */
  readonly syncDirectory: (directory: string) => Promise<void>;
}
