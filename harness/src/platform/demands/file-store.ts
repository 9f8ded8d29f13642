import type { DemandRecordClass } from '@hopback/sdk/internal';
import { createCipheriv, createDecipheriv, createHmac, hash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { syncFolder, writeWholeFile } from '@hopback/sdk/internal/runtime';
import type { Producible } from '../domain/demands/produced-rows.js';
import { csvHead, csvLine } from '../domain/demands/produced-rows.js';

/** A file that is kept. */
export interface StoredFile {
  /** Of what was put, lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Documents and files of productions: encrypted, outside the database. A document has up to 20 MiB and a production gigabytes, written once and
 * removed whole: in SQL each would go through its log twice and lie in every backup of it, and PGlite would hold it in memory. A file is on the
 * disk before a transaction names it; what no transaction names is removed with its owner.
 */
export type FileStore = ReturnType<typeof openFileStore>;

/** Octets at the beginning of a file: which form it has. */
const MARK: Buffer = Buffer.from('HBF1', 'latin1');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Octets of the key: AES-256. */
export const FILE_KEY_BYTES = 32;
/** Ids of demands and productions as they become names of folders. */
const OWNER = /^[a-z0-9][a-z0-9-]{0,127}$/;

/**
 * Opens a store of files in a folder, which is made where it is not there.
 * @param options - `key`: {@link FILE_KEY_BYTES} octets that are not in the folder
 * @throws HopbackError `invalid-argument` for a key of another length
 * @see NIST SP 800-38D for AES-GCM: a random nonce for each file, of which there are far fewer than 2^32
 */
export function openFileStore(options: { readonly directory: string; readonly key: Uint8Array }) {
  const { directory, key } = options;
  if (key.length !== FILE_KEY_BYTES)
    throw new HopbackError('invalid-argument', `the key of the store of files has ${FILE_KEY_BYTES} octets`);
  const encryptionKey = derived(key, 'encryption');
  const nameKey = derived(key, 'names');
  const folderOf = (owner: string): string => {
    if (!OWNER.test(owner))
      throw new HopbackError(
        'invalid-argument',
        'an owner of files is an id of lower-case letters, digits and hyphens',
      );
    return join(directory, owner);
  };
  /** Whoever reads the folder cannot tell whether a document that he has is in it. */
  const nameOf = (owner: string, sha256: string): string =>
    createHmac('sha256', nameKey).update(`${owner} ${sha256}`).digest('hex');
  return {
    /**
     * Keeps octets for an owner. The same octets of one owner are one file, so that what was begun before a crash is written over.
     * @returns once it is durable
     * @throws HopbackError `storage-failed`
     */
    put: async (owner: string, octets: Uint8Array): Promise<StoredFile> => {
      const sha256 = hash('sha256', octets, 'hex');
      const encrypted = sealed(encryptionKey, { octets, bound: `${owner} ${sha256}` });
      await onDisk(() => written(folderOf(owner), nameOf(owner, sha256), encrypted));
      return { sha256, sizeBytes: octets.length };
    },
    /**
     * Gives octets back.
     * @returns undefined where there are none
     * @throws HopbackError `log-inconsistent` where they are not what was put; `storage-failed`
     */
    read: async (owner: string, sha256: string): Promise<Uint8Array | undefined> => {
      const path = join(folderOf(owner), nameOf(owner, sha256));
      const encrypted = await onDisk(() => readFile(path).catch(ifMissing));
      if (encrypted === undefined) return undefined;
      const octets = opened(encryptionKey, { encrypted, bound: `${owner} ${sha256}` });
      if (octets === undefined || hash('sha256', octets, 'hex') !== sha256)
        throw new HopbackError('log-inconsistent', 'a file of the store was changed', {
          details: { owner },
        });
      return octets;
    },
    /** Removes all of an owner, or all but some files. @throws HopbackError `storage-failed` */
    remove: async (owner: string, { but }: { readonly but?: readonly string[] } = {}) => {
      const folder = folderOf(owner);
      if (but === undefined) return onDisk(() => rm(folder, { recursive: true, force: true }));
      const kept = new Set(but.map((sha256) => nameOf(owner, sha256)));
      const names = (await onDisk(() => readdir(folder).catch(ifMissing))) ?? [];
      for (const name of names) if (!kept.has(name)) await onDisk(() => rm(join(folder, name), { force: true }));
      return undefined;
    },
    /** Owners that have files. @throws HopbackError `storage-failed` */
    owners: async (): Promise<readonly string[]> => (await onDisk(() => readdir(directory).catch(ifMissing))) ?? [],
  };
}

function derived(key: Uint8Array, purpose: string): Buffer {
  return createHmac('sha256', key).update(`hopback-files-1 ${purpose}`).digest();
}

function sealed(key: Buffer, { octets, bound }: { readonly octets: Uint8Array; readonly bound: string }): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(bound, 'utf8'));
  return Buffer.concat([MARK, nonce, cipher.update(octets), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined for what was not sealed so. */
function opened(
  key: Buffer,
  { encrypted, bound }: { readonly encrypted: Buffer; readonly bound: string },
): Buffer | undefined {
  const head = MARK.length + NONCE_BYTES;
  if (encrypted.length < head + TAG_BYTES || !encrypted.subarray(0, MARK.length).equals(MARK)) return undefined;
  const nonce = encrypted.subarray(MARK.length, head);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(bound, 'utf8'));
  decipher.setAuthTag(encrypted.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(encrypted.subarray(head, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Whole and durable under its name, or not there. */
async function written(folder: string, name: string, octets: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWholeFile(join(folder, name), octets);
  // The folder may be new itself.
  await syncFolder(join(folder, '..'));
}

function ifMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

async function onDisk<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new HopbackError('storage-failed', `the disk refuses a file of the store: ${code}`, {
      retryable: true,
      cause,
      details: { code },
    });
  }
}

/** A file of a production that is on the disk. */
export interface WrittenFile {
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly recordClass?: DemandRecordClass;
  readonly records?: number;
}

/** Files of records of one production: the contract has room for 10,000, and manifests and keys take some. */
export const MAX_PART_FILES = 9_900;

/** Writes items into files of their classes, CSV and JSON, in parts. */
export type PartWriter = ReturnType<typeof createPartWriter>;

interface OpenPart {
  readonly recordClass: DemandRecordClass;
  part: number;
  records: number;
  csv: string[];
  csvBytes: number;
  json: string[];
  jsonBytes: number;
}

export interface PartWriterOptions {
  readonly owner: string;
  readonly files: FileStore;
  readonly classes: readonly DemandRecordClass[];
  /** Octets of a part, about: an item is not torn apart. */
  readonly partBytes: number;
}

/** Makes a writer. What it holds in memory is a part of each class in each form, at most. */
export function createPartWriter({ owner, files, classes, partBytes }: PartWriterOptions) {
  const open = new Map(classes.map((recordClass) => [recordClass, emptyPart(recordClass, 1)]));
  const done: WrittenFile[] = [];
  let items = 0;

  const write = async (part: OpenPart): Promise<void> => {
    const { recordClass, records } = part;
    const name = `${recordClass}-${String(part.part).padStart(4, '0')}`;
    for (const [ending, mediaType, text] of [
      ['csv', 'text/csv', `${csvHead(recordClass)}${part.csv.join('')}`],
      ['json', 'application/json', part.json.length === 0 ? '[]\n' : `[\n${part.json.join(',\n')}\n]\n`],
    ] as const) {
      const stored = await files.put(owner, Buffer.from(text, 'utf8'));
      done.push({
        name: `${name}.${ending}`,
        mediaType,
        ...stored,
        recordClass,
        records,
      });
    }
    if (done.length > MAX_PART_FILES)
      throw new HopbackError(
        'invalid-argument',
        'the production has more parts than can be handed over: the demand has to be narrowed',
      );
  };

  return {
    /** @throws HopbackError `invalid-argument` where there are more parts than a production can have; `storage-failed` */
    add: async ({ item, cells, whole }: Producible) => {
      const part = open.get(item.recordClass);
      if (part === undefined) throw new TypeError(`${item.recordClass} is not of this production`);
      const [line, json] = [csvLine(item.recordClass, cells), JSON.stringify(whole)];
      part.csv.push(line);
      part.json.push(json);
      part.csvBytes += Buffer.byteLength(line);
      part.jsonBytes += Buffer.byteLength(json);
      part.records += 1;
      items += 1;
      if (part.csvBytes < partBytes && part.jsonBytes < partBytes) return;
      await write(part);
      open.set(item.recordClass, emptyPart(item.recordClass, part.part + 1));
    },
    /** Ends the files. Of a class that has no item there is an empty one, which says so. */
    end: async (): Promise<readonly WrittenFile[]> => {
      for (const part of open.values()) if (part.records > 0 || part.part === 1) await write(part);
      return done;
    },
    items: () => items,
  };
}

function emptyPart(recordClass: DemandRecordClass, part: number): OpenPart {
  return {
    recordClass,
    part,
    records: 0,
    csv: [],
    csvBytes: 0,
    json: [],
    jsonBytes: 0,
  };
}
