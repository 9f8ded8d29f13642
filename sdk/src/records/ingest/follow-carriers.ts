import type { FollowedFile, FollowedFiles } from './followed-files.js';
import { firstOctets } from './follow-reading.js';
import type { Carrier, Stream, Streams } from './follow-streams.js';

/**
 * Files that are kept open at most, those that changed last: one that is written to, and the one before it, for each of some switches
 * in one directory.
 */
const FOLLOWED_OPEN_FILES = 16;

/** Which of the followed files are open. */
export interface OpenCarriers {
  /** Opens a file where it is not open; undefined where another one has its name now. */
  readonly open: (carrier: Carrier) => Promise<FollowedFile | undefined>;
  /** An open file that holds a content as it was written, not packed. */
  readonly openPlain: (stream: Stream) => Promise<FollowedFile | undefined>;
  /** The beginning of a file that is nobody's yet; empty where it is gone. */
  readonly firstOctetsOf: (path: string) => Promise<Uint8Array>;
  readonly release: (carrier: Carrier) => Promise<void>;
  /** Closes all but the {@link FOLLOWED_OPEN_FILES} that changed last. */
  readonly closeOldest: () => Promise<void>;
  readonly closeAll: () => Promise<void>;
}

/** Opens and closes the files of a source. All of it rejects where the disk does. */
export function createOpenCarriers(files: FollowedFiles, streams: Streams): OpenCarriers {
  const open = async (carrier: Carrier): Promise<FollowedFile | undefined> => {
    carrier.file ??= await openSame(files, carrier);
    return carrier.file;
  };
  const opened = (): Carrier[] =>
    streams
      .all()
      .flatMap(({ carriers }) => [...carriers.values()])
      .filter(({ file }) => file !== undefined);

  const closeOldest = async (): Promise<void> => {
    const byAge = opened().sort((a, b) => (b.changedAtMs ?? -1) - (a.changedAtMs ?? -1));
    for (const carrier of byAge.slice(FOLLOWED_OPEN_FILES)) await release(carrier);
  };

  return {
    open,
    async openPlain(stream) {
      for (const carrier of stream.carriers.values()) {
        if (carrier.isGzip) continue;
        const file = await open(carrier);
        if (file !== undefined) return file;
      }
      return undefined;
    },
    async firstOctetsOf(path) {
      const file = await files.open(path);
      try {
        return file === undefined ? new Uint8Array(0) : (await firstOctets(file)).octets;
      } finally {
        await file?.close();
      }
    },
    release,
    closeOldest,
    async closeAll() {
      for (const carrier of opened()) await release(carrier);
    },
  };
}

async function release(carrier: Carrier): Promise<void> {
  const { file } = carrier;
  carrier.file = undefined;
  // Only read from: whatever the disk says of it now, nothing is lost by it.
  await file?.close().catch(() => undefined);
}

/** Opens a file by its name, if it is still the one that was seen there. */
async function openSame(files: FollowedFiles, carrier: Carrier): Promise<FollowedFile | undefined> {
  const file = carrier.path === '' ? undefined : await files.open(carrier.path);
  if (file === undefined) return undefined;
  let isSame = false;
  try {
    isSame = (await file.facts()).key === carrier.key;
  } finally {
    if (!isSame) await file.close();
  }
  return isSame ? file : undefined;
}
