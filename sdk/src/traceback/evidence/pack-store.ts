import { joinedSha256 } from '../../records/record-id.js';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { compactVerify } from 'jose';
import { defined, membersOf } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { asked, NODE_LOG_FILES, systemCode, withFile } from '../../log/log-files.js';
import type { LogFiles } from '../../log/log-files.js';
import type { MerkleLog, ProvedEntry } from '../../log/merkle-log.js';
import { isSignedBy } from '../../log/merkle-tree.js';
import {
  answerDifference,
  canonicalJson,
  isPackId,
  jsonOf,
  jwsPayload,
  parseEntry,
  parseManifest,
  parseStoredAnswer,
  parseStoredPack,
  receiptDifference,
  sha256,
  spelled,
} from './evidence-manifest.js';
import type {
  EvidencedRecord,
  EvidenceEntry,
  EvidenceFile,
  EvidenceManifest,
  EvidencePack,
  StoredAnswer,
  StoredPack,
} from './evidence-manifest.js';

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
    ...defined({ answerJws: added?.answerJws, receiptJws: added?.receiptJws }),
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
export type PackStore = ReturnType<typeof createPackStore>;

/** The folders and files of a store. */
export const STORE_PARTS = {
  log: 'log',
  packs: 'packs',
  publicKey: 'public-key.pem',
  certificate: 'certificate.pem',
} as const;

const PACK = '.pack.json';
const ANSWER_SUFFIX = '.answer.json';

/** Name of the file of a pack. */
export function packFileName(packId: string): string {
  return `${packId}${PACK}`;
}

/** Name of the file with the signed answer of a pack. */
export function answerFileName(packId: string): string {
  return `${packId}${ANSWER_SUFFIX}`;
}

/** Packs below a directory, which is made when something is written. */
export function createPackStore(directory: string, files: LogFiles = NODE_LOG_FILES) {
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
    /** Durable when it resolves. What has the name already is replaced, in one step. @throws HopbackError `storage-failed` */
    write: async (name: string, octets: Uint8Array) => {
      await made();
      await replaced(files, { directory, name, octets });
    },
    /** Undefined if there is no such file. @throws HopbackError `storage-failed` */
    read,
    readPack: async (packId: string): Promise<EvidencePack | 'missing' | 'unreadable'> => {
      if (!isPackId(packId)) return 'missing';
      const octets = await read(packFileName(packId));
      if (octets === undefined) return 'missing';
      return decodePack(octets, await read(answerFileName(packId))) ?? 'unreadable';
    },
    /** @throws HopbackError `storage-failed` */
    packIds: async (): Promise<readonly string[]> => {
      const listed = await asked('read', () => listing(files, directory));
      return listed
        .filter((name) => name.endsWith(PACK))
        .map((name) => name.slice(0, -PACK.length))
        .filter(isPackId)
        .toSorted();
    },
  };
}

interface ReplacedFile {
  readonly directory: string;
  readonly name: string;
  readonly octets: Uint8Array;
}

/** A whole file or none, whatever happens. */
async function replaced(files: LogFiles, { directory, name, octets }: ReplacedFile): Promise<void> {
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

/** All entries of an open log, in order; without one where it holds what no writer of evidence writes. */
export async function* entriesIn(
  log: MerkleLog,
): AsyncGenerator<{ readonly leafIndex: number; readonly entry: EvidenceEntry | undefined }> {
  for (let next = 0; next < log.size;) {
    const entries = await log.read(next, { maxEntries: 1_024 });
    for (const { leafIndex, octets } of entries) yield { leafIndex, entry: parseEntry(octets) };
    next += entries.length;
  }
}

/** An entry of the log about a pack, with its proof. */
export interface LoggedProof extends ProvedEntry {
  readonly kind: 'pack' | 'answer' | 'receipt';
}

/**
 * Finds what an open log says about a pack.
 * @param log - of the store that the pack is in; all of it is read
 * @param packId - as {@link EvidenceStore.write} gave it
 * @returns the entries about it, in order, each with a proof under the newest checkpoint
 * @throws {@link HopbackError} `invalid-argument` when the log does not know the pack; `log-inconsistent`, `storage-failed`, `closed`
 * @see {@link readEvidencePack}, for a log that another process has open; RFC 9162 section 2.1.3
 */
export async function packProofs(log: MerkleLog, packId: string): Promise<readonly LoggedProof[]> {
  const found: { readonly leafIndex: number; readonly kind: LoggedProof['kind'] }[] = [];
  for await (const { leafIndex, entry } of entriesIn(log))
    if (entry?.packId === packId) found.push({ leafIndex, kind: entry.kind });
  if (!found.some(({ kind }) => kind === 'pack')) {
    throw new HopbackError('invalid-argument', `the log ${log.logId} has no entry of the pack ${packId}`);
  }
  return Promise.all(found.map(async ({ leafIndex, kind }) => ({ ...(await log.prove(leafIndex)), kind })));
}

/** What is wrong with a pack. */
export type EvidenceFinding =
  /** The manifest, or what holds the pack, cannot be read. */
  | { readonly kind: 'unreadable'; readonly file: string }
  | { readonly kind: 'file-missing'; readonly file: string }
  /** The file has another hash than the manifest, or `SHA256SUMS`, says. */
  | {
      readonly kind: 'file-changed';
      readonly file: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** A file that neither the manifest nor the layout of a pack knows of. */
  | { readonly kind: 'file-unknown'; readonly file: string }
  /** `SHA256SUMS` does not name the file: nobody signed for it. */
  | { readonly kind: 'file-unlisted'; readonly file: string }
  /** Nobody signed `SHA256SUMS`, which alone vouches for the file: a drawing of the pack, or a certificate. */
  | { readonly kind: 'file-unsigned'; readonly file: string }
  /** `SHA256SUMS` is not signed by the key. */
  | { readonly kind: 'export-signature-invalid'; readonly file: string }
  /** `export.json` says something else of the folder than is there. */
  | {
      readonly kind: 'export-differs';
      readonly file: string;
      readonly what: string;
    }
  /** The key, or the certificate, is of another key than the one that signed. */
  | { readonly kind: 'key-differs'; readonly file: string }
  | { readonly kind: 'manifest-signature-invalid'; readonly file: string }
  /** The bytes that a record was read from have another hash than the record. */
  | {
      readonly kind: 'raw-differs';
      readonly recordId: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** A file says something else than the manifest says of it. */
  | {
      readonly kind: 'manifest-differs';
      readonly file: string;
      readonly what: string;
    }
  /** The signed answer says something else than the pack was written for, or names another pack. */
  | {
      readonly kind: 'answer-differs';
      readonly file: string;
      readonly what: string;
    }
  | { readonly kind: 'answer-signature-invalid'; readonly file: string }
  /** The receipt is of another answer, or of other bytes than those of the signed answer. */
  | {
      readonly kind: 'receipt-differs';
      readonly file: string;
      readonly what: string;
    }
  | { readonly kind: 'receipt-signature-invalid'; readonly file: string }
  /** The entry of the log is not about this pack, or this answer. */
  | { readonly kind: 'entry-differs'; readonly file: string }
  /** The hashes do not lead from the entry to the root of the checkpoint. */
  | { readonly kind: 'proof-invalid'; readonly file: string }
  | {
      readonly kind: 'checkpoint-invalid';
      readonly file: string;
      readonly reason: string;
    }
  /** A checkpoint that was handed in is not signed by a key of the log: it says nothing. */
  | {
      readonly kind: 'held-checkpoint-invalid';
      readonly file: string;
      readonly reason: string;
    }
  /** A checkpoint that was handed in has another root over as many entries: whoever holds the key showed two logs. */
  | {
      readonly kind: 'log-forked';
      readonly file: string;
      readonly size: number;
    };

/** What is not wrong, and has to be known. */
export type EvidenceNote =
  /** Of a record there is the hash of its bytes, and not the bytes. */
  | { readonly kind: 'raw-not-kept'; readonly recordId: string }
  /** When the pack was written the bytes had another hash already, and the pack says so. */
  | { readonly kind: 'raw-differed-when-written'; readonly recordId: string }
  /** There is no signed answer in the pack. */
  | { readonly kind: 'answer-not-attached' }
  /** There was no receipt of the platform when the pack was exported, and none is in it. */
  | { readonly kind: 'receipt-not-attached' }
  /** The receipt is of the answer; whether the platform signed it, a key of the platform would tell. */
  | { readonly kind: 'receipt-signature-unchecked' }
  /** Nobody signed for the folder as a whole: each file is as it was signed, and whether one was taken out is not known. */
  | { readonly kind: 'export-unsigned' }
  /** The answer is signed by a key that was not handed in. */
  | { readonly kind: 'answer-signature-unchecked' };

/** What was found. */
export interface PackFindings {
  readonly findings: readonly EvidenceFinding[];
  readonly notes: readonly EvidenceNote[];
}

/** What a pack is held against. */
export interface PackKeys {
  /** Of those who may sign manifests. */
  readonly publicKeys: readonly KeyObject[];
  /** Of those who may sign answers; default those of the manifests. */
  readonly answerKeys?: readonly KeyObject[];
  /** Of the platform that signs receipts; without any a receipt is held against the answer alone. */
  readonly receiptKeys?: readonly KeyObject[];
}

/** Holds a pack against its manifest, its signature, its records and its answer. Never throws, whatever the pack is. */
export async function packFindings(pack: EvidencePack, keys: PackKeys): Promise<PackFindings> {
  const answer = await answerFindings(pack, keys);
  const receipt = await receiptFindings(pack, keys);
  const contents = new Map(pack.files.map(({ name, octets }) => [name, octets]));
  const records = pack.manifest.records.map((record) => recordFindings(contents, record));
  const differing = manifestFindings(pack, contents);
  const isSigned = keys.publicKeys.some(
    (key) =>
      publicKeySha256(key) === pack.manifest.signer.publicKeySha256 &&
      isSignedBy(key, pack.manifestOctets, pack.signature),
  );
  return {
    findings: [
      ...(isSigned ? [] : [{ kind: 'manifest-signature-invalid', file: 'manifest.sig' } as const]),
      ...fileFindings(pack, contents),
      ...differing,
      ...records.flatMap(({ findings }) => findings),
      ...answer.findings,
      ...receipt.findings,
    ],
    notes: [...records.flatMap(({ notes }) => notes), ...answer.notes, ...receipt.notes],
  };
}

const NOTHING: PackFindings = { findings: [], notes: [] };

function fileFindings({ manifest, files }: EvidencePack, contents: ReadonlyMap<string, Uint8Array>): EvidenceFinding[] {
  const known = new Set(manifest.files.map(({ name }) => name));
  const unknown = files
    .filter(({ name }) => !known.has(name))
    .map(({ name }): EvidenceFinding => ({ kind: 'file-unknown', file: name }));
  const listed = manifest.files.flatMap(({ name, sha256: expected }): EvidenceFinding[] => {
    const octets = contents.get(name);
    if (octets === undefined) return [{ kind: 'file-missing', file: name }];
    const actual = sha256(octets);
    return actual === expected ? [] : [{ kind: 'file-changed', file: name, expected, actual }];
  });
  return [...listed, ...unknown];
}

async function answerFindings(pack: EvidencePack, keys: PackKeys): Promise<PackFindings> {
  const { answerJws } = pack;
  const file = 'answer.jws';
  if (answerJws === undefined) return { findings: [], notes: [{ kind: 'answer-not-attached' }] };
  if (jwsPayload(answerJws) === undefined) return { findings: [{ kind: 'unreadable', file }], notes: [] };
  const what = answerDifference(pack, answerJws);
  if (what !== undefined) return { findings: [{ kind: 'answer-differs', file, what }], notes: [] };
  const isGiven = keys.answerKeys !== undefined;
  if (await isJwsOf(answerJws, keys.answerKeys ?? keys.publicKeys)) return NOTHING;
  return isGiven
    ? { findings: [{ kind: 'answer-signature-invalid', file }], notes: [] }
    : { findings: [], notes: [{ kind: 'answer-signature-unchecked' }] };
}

async function receiptFindings(pack: EvidencePack, { receiptKeys }: PackKeys): Promise<PackFindings> {
  const { receiptJws } = pack;
  if (receiptJws === undefined) return NOTHING;
  const file = 'receipt.jws';
  const what = receiptDifference(pack, receiptJws);
  if (what !== undefined) return { findings: [{ kind: 'receipt-differs', file, what }], notes: [] };
  if (receiptKeys === undefined) return { findings: [], notes: [{ kind: 'receipt-signature-unchecked' }] };
  if (await isJwsOf(receiptJws, receiptKeys)) return NOTHING;
  return { findings: [{ kind: 'receipt-signature-invalid', file }], notes: [] };
}

async function isJwsOf(jws: string, keys: readonly KeyObject[]): Promise<boolean> {
  for (const key of keys) {
    try {
      await compactVerify(jws, key, { algorithms: ['ES256', 'EdDSA', 'Ed25519'] });
      return true;
    } catch {
      // Another key may be the right one.
    }
  }
  return false;
}

/** SHA-256 of the SubjectPublicKeyInfo in DER, lower-case hex. */
export function publicKeySha256(key: KeyObject): string {
  return sha256(key.export({ type: 'spki', format: 'der' }));
}

/** Files of a pack, by name. */
type PackContents = ReadonlyMap<string, Uint8Array>;

/** Holds what a manifest says of the answer and the records against their files: whoever signs it can lie in it too. Never throws. */
function manifestFindings({ manifest }: EvidencePack, contents: PackContents): EvidenceFinding[] {
  const named = new Set(manifest.files.map(({ name }) => name));
  const records = manifest.records.flatMap((record): EvidenceFinding[] => {
    const missing = [record.file, ...record.rawFiles].filter((name) => !named.has(name));
    if (missing.length > 0) return missing.map((file) => ({ kind: 'file-missing', file }));
    return recordDiffers(record, contents);
  });
  return [...answerDiffers(manifest, contents), ...records];
}

function recordDiffers({ file, ...record }: EvidencedRecord, contents: PackContents): EvidenceFinding[] {
  const octets = contents.get(file);
  if (octets === undefined) return [];
  const read = membersOf(jsonOf(octets));
  const source = membersOf(read['source']);
  const isSame =
    read['recordId'] === record.recordId &&
    source['id'] === record.sourceId &&
    source['format'] === record.format &&
    source['readerVersion'] === record.readerVersion &&
    source['sha256'] === record.sourceSha256;
  return isSame ? [] : [{ kind: 'manifest-differs', file, what: 'it is another record than the manifest says' }];
}

const ANSWER = 'answer.json';

function answerDiffers(manifest: EvidencePack['manifest'], contents: PackContents): EvidenceFinding[] {
  const octets = contents.get(ANSWER);
  if (octets === undefined) return [];
  const answer = membersOf(jsonOf(octets));
  const names = ['provider', 'answerId', 'requestId', 'tracebackId', 'revision'] as const;
  const other = names.filter((name) => spelled(answer[name]) !== spelled(manifest[name]));
  if (other.length === 0) return [];
  return [{ kind: 'manifest-differs', file: ANSWER, what: `the manifest has another ${other.join(', ')}` }];
}

/** Holds the bytes of a record against the hash that they had when they were read. Never throws. */
function recordFindings(contents: PackContents, record: EvidencedRecord): PackFindings {
  const { recordId, raw, rawMatches, rawFiles, sourceSha256: expected } = record;
  if (raw === 'not-kept') return { findings: [], notes: [{ kind: 'raw-not-kept', recordId }] };
  if (rawMatches !== true) return { findings: [], notes: [{ kind: 'raw-differed-when-written', recordId }] };
  const rows = rawFiles.map((name) => contents.get(name));
  // A file that is missing is a finding of its own.
  if (rows.includes(undefined)) return NOTHING;
  const actual = joinedSha256(rows.map((octets) => sha256(octets ?? new Uint8Array(0))));
  return actual === expected ? NOTHING : { findings: [{ kind: 'raw-differs', recordId, expected, actual }], notes: [] };
}
