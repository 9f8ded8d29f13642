import { join } from 'node:path';
import { NODE_LOG_FILES, asked, systemCode, withFile } from '../../log/log-files.js';
import type { LogFiles } from '../../log/log-files.js';
import { canonicalJson } from './canonical-json.js';
import type { EvidenceEntry, EvidenceFile, EvidenceManifest, EvidencePack } from './evidence-manifest.js';
import { isPackId, parseManifest, parseStoredAnswer, parseStoredPack } from './evidence.schema.js';
import type { StoredAnswer, StoredPack } from './evidence.schema.js';

/** A pack in one file. */
export function encodePack(pack: Pick<EvidencePack, 'manifestOctets' | 'signature' | 'files'>): Buffer {
  const stored: StoredPack = {
    format: 'hopback.evidence-pack.1',
    manifest: base64Of(pack.manifestOctets),
    signature: base64Of(pack.signature),
    files: pack.files.map(({ name, octets }) => ({ name, octets: base64Of(octets) })),
  };
  return Buffer.from(JSON.stringify(stored));
}

/** What was added to a pack, in one file. */
export function encodeAnswer(answer: Omit<StoredAnswer, 'format'>): Buffer {
  return Buffer.from(JSON.stringify({ format: 'hopback.evidence-answer.1', ...answer }));
}

/** Reads a pack; undefined for what is none. What its files are is for whoever verifies. Never throws. */
export function decodePack(octets: Uint8Array, answer?: Uint8Array): EvidencePack | undefined {
  const stored = parseStoredPack(octets);
  if (stored === undefined) return undefined;
  const manifestOctets = Buffer.from(stored.manifest, 'base64');
  const manifest = parseManifest(manifestOctets);
  if (manifest === undefined) return undefined;
  const added = answer === undefined ? undefined : parseStoredAnswer(answer);
  return {
    manifest,
    manifestOctets,
    signature: Buffer.from(stored.signature, 'base64'),
    files: filesOf(
      manifest,
      stored.files.map(({ name, octets: text }) => ({ name, octets: Buffer.from(text, 'base64') })),
    ),
    ...(added === undefined ? {} : { answerJws: added.answerJws }),
    ...(added?.receiptJws === undefined ? {} : { receiptJws: added.receiptJws }),
  };
}

/** Files as the manifest describes them. */
export function filesOf(
  manifest: EvidenceManifest,
  contents: readonly { readonly name: string; readonly octets: Uint8Array }[],
): readonly EvidenceFile[] {
  const entries = new Map(manifest.files.map((entry) => [entry.name, entry]));
  return contents.map(({ name, octets }) => {
    const entry = entries.get(name);
    return { name, mediaType: entry?.mediaType ?? '', what: entry?.what ?? '', octets };
  });
}

/** Octets of an entry of the log. */
export function encodeEntry(entry: EvidenceEntry): Buffer {
  return Buffer.from(canonicalJson(entry));
}

function base64Of(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64');
}

/** Longest file that is read: a pack in base64 with room. */
const LONGEST_FILE_BYTES: number = 128 * 2 ** 20;

/** The packs of a directory, a file each, so that one can be removed when its time has come. */
export interface PackStore {
  /** Durable when it resolves. What has the name already is replaced, in one step. @throws HopbackError `storage-failed` */
  readonly write: (name: string, octets: Uint8Array) => Promise<void>;
  /** Undefined where there is none. @throws HopbackError `storage-failed` */
  readonly read: (name: string) => Promise<Uint8Array | undefined>;
  readonly readPack: (packId: string) => Promise<EvidencePack | 'missing' | 'unreadable'>;
  /** @throws HopbackError `storage-failed` */
  readonly packIds: () => Promise<readonly string[]>;
}

const PACK = '.pack.json';
const ANSWER = '.answer.json';

/** Name of the file of a pack. */
export function packFileName(packId: string): string {
  return `${packId}${PACK}`;
}

/** Name of the file with the signed answer of a pack. */
export function answerFileName(packId: string): string {
  return `${packId}${ANSWER}`;
}

/** Packs below a directory, which is made when something is written. */
export function createPackStore(directory: string, files: LogFiles = NODE_LOG_FILES): PackStore {
  let isMade: Promise<void> | undefined;
  const made = (): Promise<void> => {
    isMade ??= asked('create', () => files.makeDirectory(directory)).catch((error: unknown) => {
      isMade = undefined;
      throw error;
    });
    return isMade;
  };
  const read = (name: string): Promise<Uint8Array | undefined> =>
    asked('read', () => contentOf(files, join(directory, name)));
  return {
    write: async (name, octets) => {
      await made();
      await replaced(files, { directory, name, octets });
    },
    read,
    readPack: async (packId) => {
      if (!isPackId(packId)) return 'missing';
      const octets = await read(packFileName(packId));
      if (octets === undefined) return 'missing';
      return decodePack(octets, await read(answerFileName(packId))) ?? 'unreadable';
    },
    packIds: async () => {
      const listed = await asked('read', () => listing(files, directory));
      return listed
        .filter((name) => name.endsWith(PACK))
        .map((name) => name.slice(0, -PACK.length))
        .filter(isPackId)
        .toSorted();
    },
  };
}

/** A whole file or none, whatever happens. */
async function replaced(
  files: LogFiles,
  { directory, name, octets }: { readonly directory: string; readonly name: string; readonly octets: Uint8Array },
): Promise<void> {
  const partial = join(directory, `${name}.partial`);
  await asked('remove', () => files.unlink(partial).catch(unlessMissing));
  await asked('write', async () => {
    const file = await files.create(partial);
    try {
      for (let rest = octets; rest.length > 0;) rest = rest.subarray(await file.append([rest]));
      await file.datasync();
    } finally {
      await file.close();
    }
    await files.rename(partial, join(directory, name));
  });
  await asked('sync-directory', () => files.syncDirectory(directory));
}

async function contentOf(files: LogFiles, path: string): Promise<Uint8Array | undefined> {
  try {
    return await withFile(files, path, async (file) => {
      const pieces: Buffer[] = [];
      for (let at = 0; at < LONGEST_FILE_BYTES;) {
        const piece = Buffer.allocUnsafeSlow(256 * 1_024);
        const count = await file.read(piece, at);
        if (count === 0) break;
        pieces.push(piece.subarray(0, count));
        at += count;
      }
      return Buffer.concat(pieces);
    });
  } catch (error) {
    unlessMissing(error);
    return undefined;
  }
}

async function listing(files: LogFiles, directory: string): Promise<readonly string[]> {
  try {
    return (await files.list(directory)).map(({ name }) => name);
  } catch (error) {
    unlessMissing(error);
    return [];
  }
}

function unlessMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}
