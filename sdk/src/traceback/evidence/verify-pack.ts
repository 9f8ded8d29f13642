import { X509Certificate, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '../../core/text.js';
import { isSignedBy, merkleLeafHash, verifyCheckpoint, verifyInclusion } from '../../log/merkle-tree.js';
import type { CheckpointTrust, CheckpointVerdict, InclusionProof } from '../../log/merkle-tree.js';
import { asked, systemCode } from '../../log/log-files.js';
import type { EvidenceManifest, EvidencePack, ExportStatement } from './evidence-manifest.js';
import {
  hashInEntry,
  jsonOf,
  loggedHashes,
  parseEntry,
  parseExportStatement,
  parseManifest,
  sha256,
} from './evidence-manifest.js';
import { EXPORTED, SIGNED_FILES, entryFileName, proofFileName } from './exported-files.js';
import { filesOf, packFindings, publicKeySha256 } from './pack-store.js';
import type { EvidenceFinding, EvidenceNote, LoggedProof, PackFindings } from './pack-store.js';

/** Files of a folder, by name. */
type FolderFiles = ReadonlyMap<string, Uint8Array>;

/** What of a folder nobody but `SHA256SUMS` vouches for. */
const VOUCHED: readonly string[] = [EXPORTED.pdf, EXPORTED.vcon, EXPORTED.certificate];

/** Holds the folder of an exported pack against what was signed for it as a whole. Never throws, whatever is in it. */
function exportFindings(
  files: FolderFiles,
  { pack, exportKeys }: { readonly pack: EvidencePack; readonly exportKeys: readonly KeyObject[] },
): PackFindings & { readonly isSigned: boolean } {
  const signature = signatureFindings(files, exportKeys);
  const findings = [
    ...signature.findings,
    ...sumFindings(files),
    ...unknownFiles(files, pack.manifest),
    ...statementFindings(files, pack),
    ...keyFindings(files, pack.manifest),
  ];
  const isWithout = pack.receiptJws === undefined;
  const receipt = isWithout ? [{ kind: 'receipt-not-attached' } as const] : [];
  return { findings, notes: [...receipt, ...signature.notes], isSigned: signature.isSigned };
}

/** Public keys of the folder itself. */
function publicKeyIn(pem: Uint8Array | undefined): KeyObject[] {
  try {
    return pem === undefined ? [] : [createPublicKey(Buffer.from(pem).toString('utf8'))];
  } catch {
    return [];
  }
}

function signatureFindings(
  files: FolderFiles,
  exportKeys: readonly KeyObject[],
): PackFindings & { readonly isSigned: boolean } {
  const [sums, signature] = [files.get(EXPORTED.sums), files.get(EXPORTED.sumsSignature)];
  if (signature === undefined) {
    const unsigned = VOUCHED.filter((file) => files.has(file));
    const findings = unsigned.map((file): EvidenceFinding => ({ kind: 'file-unsigned', file }));
    return { findings, notes: [{ kind: 'export-unsigned' }], isSigned: false };
  }
  if (sums !== undefined && exportKeys.some((key) => isSignedBy(key, sums, signature))) {
    return { findings: [], notes: [], isSigned: true };
  }
  return { findings: [{ kind: 'export-signature-invalid', file: EXPORTED.sumsSignature }], notes: [], isSigned: false };
}

const SUM_LINE = /^([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9.-]{0,63})$/;

function sumFindings(files: FolderFiles): EvidenceFinding[] {
  const octets = files.get(EXPORTED.sums);
  if (octets === undefined) return [{ kind: 'file-missing', file: EXPORTED.sums }];
  const listed = new Set<string>([EXPORTED.sums, EXPORTED.sumsSignature]);
  const text = Buffer.from(octets).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  const found = lines.flatMap((line): EvidenceFinding[] => {
    const parts = SUM_LINE.exec(line);
    if (parts === null) return [{ kind: 'unreadable', file: EXPORTED.sums }];
    const [expected = '', file = ''] = parts.slice(1);
    listed.add(file);
    const content = files.get(file);
    if (content === undefined) return [{ kind: 'file-missing', file }];
    const actual = sha256(content);
    return actual === expected ? [] : [{ kind: 'file-changed', file, expected, actual }];
  });
  const unlisted = [...files.keys()].filter((file) => !listed.has(file));
  return [...found, ...unlisted.map((file): EvidenceFinding => ({ kind: 'file-unlisted', file }))];
}

const KINDS: readonly LoggedProof['kind'][] = ['pack', 'answer', 'receipt'];

function unknownFiles(files: FolderFiles, manifest: EvidenceManifest): EvidenceFinding[] {
  const known = new Set<string>([
    ...Object.values(EXPORTED),
    ...Object.values(SIGNED_FILES),
    ...KINDS.flatMap((kind) => [entryFileName(kind), proofFileName(kind, 'json'), proofFileName(kind, 'txt')]),
    ...manifest.files.map(({ name }) => name),
  ]);
  return [...files.keys()].filter((file) => !known.has(file)).map((file) => ({ kind: 'file-unknown', file }));
}

/** An entry without what it is about, and a statement of what is not there, say that something was taken out. */
function statementFindings(files: FolderFiles, pack: EvidencePack): EvidenceFinding[] {
  const octets = files.get(EXPORTED.statement);
  if (octets === undefined) return [{ kind: 'file-missing', file: EXPORTED.statement }];
  const statement = parseExportStatement(octets);
  if (statement === undefined) return [{ kind: 'unreadable', file: EXPORTED.statement }];
  const kinds = ['answer', 'receipt'] as const;
  return [...kinds.flatMap((kind) => presence(files, statement, kind)), ...identity(statement, pack)];
}

function presence(files: FolderFiles, statement: ExportStatement, kind: 'answer' | 'receipt'): EvidenceFinding[] {
  const file = SIGNED_FILES[kind];
  const isThere = files.has(file);
  const isStated = statement[kind] === 'in-the-pack';
  if (!isThere && (isStated || files.has(entryFileName(kind)))) return [{ kind: 'file-missing', file }];
  if (!isThere || isStated) return [];
  return [{ kind: 'export-differs', file: EXPORTED.statement, what: `it says that there was no ${file}` }];
}

function identity(statement: ExportStatement, { manifest, manifestOctets }: EvidencePack): EvidenceFinding[] {
  const isSame =
    statement.packId === manifest.packId &&
    statement.logId === manifest.logId &&
    statement.manifestSha256 === sha256(manifestOctets);
  return isSame ? [] : [{ kind: 'export-differs', file: EXPORTED.statement, what: 'it is of another pack' }];
}

/** Whoever hands a key over with what it signed says nothing of whose it is; that it is the right one can be said. */
function keyFindings(files: FolderFiles, { signer }: EvidenceManifest): EvidenceFinding[] {
  const findings = (file: string, [key]: readonly KeyObject[], expected: readonly string[]): EvidenceFinding[] => {
    if (!files.has(file)) return [];
    if (key === undefined) return [{ kind: 'unreadable', file }];
    return expected.includes(publicKeySha256(key)) ? [] : [{ kind: 'key-differs', file }];
  };
  const own = signer.publicKeySha256;
  // Where the key was changed since, the certificate is of the one that signed for the folder.
  const ofFolder = publicKeyIn(files.get(EXPORTED.exportKey)).map(publicKeySha256);
  const certified = certifiedKeyIn(files.get(EXPORTED.certificate));
  return [
    ...findings(EXPORTED.publicKey, publicKeyIn(files.get(EXPORTED.publicKey)), [own]),
    ...findings(EXPORTED.certificate, certified, [own, ...ofFolder]),
  ];
}

function certifiedKeyIn(pem: Uint8Array | undefined): KeyObject[] {
  try {
    return [new X509Certificate(Buffer.from(pem ?? [])).publicKey];
  } catch {
    return [];
  }
}

/** What an exported pack is held against. */
export interface EvidencePackTrust {
  /** Of the provider, from elsewhere than the pack. Without any those of the pack are used, and the verdict is `indeterminate`. */
  readonly publicKeys?: readonly KeyObject[];
  /** Of the log, from elsewhere; default `publicKeys`. */
  readonly logPublicKeys?: readonly KeyObject[];
  /** Of those who may sign for an exported folder as a whole, from elsewhere; default `publicKeys`. */
  readonly exportKeys?: readonly KeyObject[];
  /** Of those who may sign answers; default `publicKeys`. */
  readonly answerKeys?: readonly KeyObject[];
  /** Of the platform that signs receipts; without any a receipt is held against the answer alone. */
  readonly receiptKeys?: readonly KeyObject[];
  /** Checkpoints of the log that were kept elsewhere: one over as many entries as that of the pack has to have the same root. */
  readonly checkpoints?: readonly string[];
}

/** What became of verifying an exported pack. */
export type EvidencePackVerification =
  /** Everything in it is as it was signed and logged, by keys that were handed in. */
  | {
      readonly status: 'passed';
      readonly manifest: EvidenceManifest;
      readonly notes: readonly EvidenceNote[];
    }
  /**
   * `keys-from-the-pack`: it agrees with itself, by keys that it brought along; whose they are is not known. `export-unsigned`: what is there
   * is as it was signed, and whether anything was taken out, such as a receipt, is not known.
   */
  | {
      readonly status: 'indeterminate';
      readonly reason: 'keys-from-the-pack' | 'export-unsigned';
      readonly manifest: EvidenceManifest;
      readonly notes: readonly EvidenceNote[];
    }
  | {
      readonly status: 'failed';
      /** All of them. */
      readonly findings: readonly EvidenceFinding[];
      readonly notes: readonly EvidenceNote[];
      readonly manifest?: EvidenceManifest;
    };

/** Octets of a folder that are read, three times what a writer writes; what is beyond is as if it were empty, and has another hash. */
const FOLDER_BYTES: number = 192 * 2 ** 20;
const MOST_FILES = 21_000;

/**
 * Verifies an exported pack: `SHA256SUMS` against its signature, each file against it and the manifest, the manifest against its signature, the
 * bytes of the records against the hashes that they had when they were read, the answer against what the pack was written for, the receipt
 * against the answer, and the entries of the log against its checkpoint. It does what `verify.sh` in the pack does, and compares answer and
 * receipt too.
 * @param folder - as {@link exportEvidencePack} wrote it, or as anybody left it
 * @param trust - keys, from elsewhere than the folder
 * @returns `passed`, `indeterminate` without keys or where nobody signed for the folder, or `failed` with all that was found; never throws for what the folder holds
 * @throws {@link HopbackError} `storage-failed` when the disk does not give the folder
 * @see {@link verifyEvidenceStore} for the log and all packs of a provider
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const folder = await mkdtemp(`${tmpdir()}/hopback-`);
 * const verification = await verifyEvidencePack(folder);
 * console.log(verification.status); // failed
 * if (verification.status === 'failed') console.log(verification.findings[0]?.kind); // unreadable
 * await rm(folder, { recursive: true });
 * ```
 */
export async function verifyEvidencePack(
  folder: string,
  trust: EvidencePackTrust = {},
): Promise<EvidencePackVerification> {
  const { files, others } = await contentOf(folder);
  const manifestOctets = files.get(EXPORTED.manifest);
  const manifest = manifestOctets === undefined ? undefined : parseManifest(manifestOctets);
  if (manifestOctets === undefined || manifest === undefined) {
    return { status: 'failed', findings: [{ kind: 'unreadable', file: EXPORTED.manifest }], notes: [] };
  }
  const keys = keysOf(files, trust);
  const pack = packOf(files, { manifest, manifestOctets });
  const own = await packFindings(pack, {
    publicKeys: keys.publicKeys,
    ...defined({ answerKeys: trust.answerKeys, receiptKeys: trust.receiptKeys }),
  });
  const whole = exportFindings(files, { pack, exportKeys: keys.exportKeys });
  const log = logFindings(files, pack, { keys, held: trust.checkpoints ?? [] });
  const strange = others.map((file): EvidenceFinding => ({ kind: 'file-unknown', file }));
  const findings = [...own.findings, ...whole.findings, ...log, ...strange];
  const notes = [...own.notes, ...whole.notes];
  if (findings.length > 0) return { status: 'failed', findings: firstOfEach(findings), notes, manifest };
  if (!keys.areGiven) return { status: 'indeterminate', reason: 'keys-from-the-pack', manifest, notes };
  if (!whole.isSigned) return { status: 'indeterminate', reason: 'export-unsigned', manifest, notes };
  return { status: 'passed', manifest, notes };
}

interface Keys {
  readonly publicKeys: readonly KeyObject[];
  readonly logPublicKeys: readonly KeyObject[];
  readonly exportKeys: readonly KeyObject[];
  readonly areGiven: boolean;
}

function keysOf(files: FolderFiles, trust: EvidencePackTrust): Keys {
  const { publicKeys, logPublicKeys = publicKeys, exportKeys = publicKeys } = trust;
  const given = publicKeys !== undefined && publicKeys.length > 0 && logPublicKeys !== undefined;
  if (given) return { publicKeys, logPublicKeys, exportKeys: exportKeys ?? [], areGiven: true };
  return {
    publicKeys: publicKeyIn(files.get(EXPORTED.publicKey)),
    logPublicKeys: publicKeyIn(files.get(EXPORTED.logPublicKey)),
    exportKeys: publicKeyIn(files.get(EXPORTED.exportKey)),
    areGiven: false,
  };
}

function packOf(
  files: FolderFiles,
  { manifest, manifestOctets }: { readonly manifest: EvidenceManifest; readonly manifestOctets: Uint8Array },
): EvidencePack {
  const answer = files.get(SIGNED_FILES.answer);
  const receipt = files.get(SIGNED_FILES.receipt);
  return {
    manifest,
    manifestOctets,
    signature: files.get(EXPORTED.signature) ?? new Uint8Array(0),
    files: filesOf(
      manifest,
      manifest.files.flatMap(({ name }) => {
        const octets = files.get(name);
        return octets === undefined ? [] : [{ name, octets }];
      }),
    ),
    ...defined({ answerJws: textIn(answer), receiptJws: textIn(receipt) }),
  };
}

function textIn(octets: Uint8Array | undefined): string | undefined {
  return octets === undefined ? undefined : Buffer.from(octets).toString('utf8');
}

function logFindings(
  files: FolderFiles,
  pack: EvidencePack,
  { keys, held }: { readonly keys: Keys; readonly held: readonly string[] },
): EvidenceFinding[] {
  const note = files.get(EXPORTED.checkpoint);
  if (note === undefined) return [{ kind: 'file-missing', file: EXPORTED.checkpoint }];
  const trust = { publicKeys: keys.logPublicKeys, logId: pack.manifest.logId };
  const verdict = verifyCheckpoint(Buffer.from(note).toString('utf8'), trust);
  const checkpoint: EvidenceFinding[] =
    verdict.status === 'passed'
      ? []
      : [{ kind: 'checkpoint-invalid', file: EXPORTED.checkpoint, reason: verdict.reason }];
  const hashes = loggedHashes(pack);
  const entries = KINDS.flatMap((kind) => {
    const expected = hashes[kind];
    return expected === undefined
      ? []
      : entryFindings(files, { kind, expected, packId: pack.manifest.packId, verdict });
  });
  return [...checkpoint, ...heldFindings(held, { verdict, trust }), ...entries];
}

/** A log has one root of a size. For other sizes the folder holds no proof: the log itself has. */
function heldFindings(
  held: readonly string[],
  { verdict, trust }: { readonly verdict: CheckpointVerdict; readonly trust: CheckpointTrust },
): EvidenceFinding[] {
  const file = EXPORTED.checkpoint;
  return held.flatMap((note): EvidenceFinding[] => {
    const other = verifyCheckpoint(note, trust);
    if (other.status === 'failed') return [{ kind: 'held-checkpoint-invalid', file, reason: other.reason }];
    const { checkpoint } = verdict;
    const isFork = checkpoint?.size === other.checkpoint.size && checkpoint.rootHash !== other.checkpoint.rootHash;
    return isFork ? [{ kind: 'log-forked', file, size: checkpoint.size }] : [];
  });
}

interface EntryCheck {
  readonly kind: LoggedProof['kind'];
  /** SHA-256 that the entry has to have. */
  readonly expected: string;
  readonly packId: string;
  readonly verdict: CheckpointVerdict;
}

function entryFindings(files: FolderFiles, { kind, expected, packId, verdict }: EntryCheck): EvidenceFinding[] {
  const [entryFile, proofFile] = [entryFileName(kind), proofFileName(kind, 'json')];
  const octets = files.get(entryFile);
  const proved = jsonOf(files.get(proofFile) ?? new Uint8Array(0));
  if (octets === undefined) return [{ kind: 'file-missing', file: entryFile }];
  if (typeof proved !== 'object' || proved === null) return [{ kind: 'unreadable', file: proofFile }];
  // What is in it is for verifyInclusion to judge.
  const proof = proved as InclusionProof;
  const entry = parseEntry(octets);
  if (entry?.kind !== kind || entry.packId !== packId || hashInEntry(entry) !== expected) {
    return [{ kind: 'entry-differs', file: entryFile }];
  }
  const { checkpoint } = verdict;
  const isProved =
    checkpoint !== undefined &&
    proof.size === checkpoint.size &&
    verifyInclusion(proof, { leafHash: merkleLeafHash(octets), rootHash: checkpoint.rootHash });
  return isProved ? [] : [{ kind: 'proof-invalid', file: proofFile }];
}

/** A changed file shows in SHA256SUMS and in the manifest: it is named once. */
function firstOfEach(findings: readonly EvidenceFinding[]): readonly EvidenceFinding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = `${finding.kind} ${'file' in finding ? finding.file : finding.recordId}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

interface FolderContent {
  readonly files: FolderFiles;
  /** Names of what is no regular file: folders and links, which are not followed. */
  readonly others: readonly string[];
}

async function contentOf(folder: string): Promise<FolderContent> {
  return asked('read', async () => {
    const names = (await readdir(folder)).slice(0, MOST_FILES).toSorted();
    const files = new Map<string, Uint8Array>();
    const others: string[] = [];
    let room = FOLDER_BYTES;
    for (const name of names) {
      const octets = await octetsOf(join(folder, name), room);
      room -= octets?.length ?? 0;
      if (octets === undefined) others.push(name);
      else files.set(name, octets);
    }
    return { files, others };
  });
}

async function octetsOf(path: string, room: number): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) return undefined;
      if (found.size > room) return new Uint8Array(0);
      const octets = Buffer.alloc(found.size);
      // Bounded by what was there when it was looked at, should somebody go on writing.
      const { bytesRead } = await file.read(octets, 0, found.size, 0);
      return octets.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ELOOP' || systemCode(error) === 'EISDIR') return undefined;
    throw error;
  }
}
