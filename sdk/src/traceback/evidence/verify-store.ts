import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { defined } from '../../core/text.js';
import type { LogFiles } from '../../log/log-files.js';
import { createMerkleTree, hashOfLeaf } from '../../log/merkle-tree.js';
import type { MerkleTree } from '../../log/merkle-tree.js';
import { verifyMerkleLog } from '../../log/verify-merkle-log.js';
import type { MerkleLogVerification } from '../../log/verify-merkle-log.js';
import type { EvidenceEntry, EvidencePack } from './evidence-manifest.js';
import { hashInEntry, loggedHashes, parseEntry, sha256 } from './evidence-manifest.js';
import { createPackStore, packFindings, STORE_PARTS } from './pack-store.js';
import type { EvidenceFinding, EvidenceNote, LoggedProof, PackKeys, PackStore } from './pack-store.js';
import type { EvidencePackTrust } from './verify-pack.js';

/** What a store has of a pack. */
export type EvidencePackReading =
  | {
      readonly status: 'read';
      readonly pack: EvidencePack;
      readonly proofs: readonly LoggedProof[];
      readonly certificatePem?: string;
    }
  /** The log does not know it, or its file is gone or no pack. */
  | { readonly status: 'missing'; readonly reason: 'not-logged' | 'not-kept' | 'unreadable' }
  /** The log is not what was signed: nothing is proved by it. */
  | { readonly status: 'log-broken'; readonly log: MerkleLogVerification };

/** By which a store is read. */
export interface EvidenceReadTrust {
  /** Of the log; former ones as well. From somewhere else than its folder: whoever changes a log can change a key beside it. */
  readonly publicKeys: readonly KeyObject[];
  /** Which log it has to be; any when it is left out, but one. */
  readonly logId?: string;
  /** Checkpoints that were kept elsewhere, by a platform, a partner, in a mail. */
  readonly checkpoints?: readonly string[];
  /** The file system. Default Node's. */
  readonly files?: LogFiles;
}

/**
 * Reads a pack out of a folder of evidence with its proofs, without opening the log for writing: another process may have it open.
 * @param directory - as {@link EvidenceStore} has it
 * @param packId - which
 * @param trust - keys of the log, and checkpoints that were kept elsewhere
 * @returns the pack, or why there is none; never throws for what the files hold
 * @throws {@link HopbackError} `invalid-argument` without a key; `storage-failed` when the disk does not give the files
 * @see {@link exportEvidencePack}, which takes what it returns
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * await (await EvidenceStore.open({ directory, logId: 'example.com/evidence', signer })).close();
 * const reading = await readEvidencePack(directory, 'no-pack', { publicKeys: [signer.publicKey] });
 * console.log(reading); // { status: 'missing', reason: 'not-logged' }
 * await rm(directory, { recursive: true });
 * ```
 */
export async function readEvidencePack(
  directory: string,
  packId: string,
  trust: EvidenceReadTrust,
): Promise<EvidencePackReading> {
  const tree = createMerkleTree();
  const entries: {
    readonly leafIndex: number;
    readonly octets: Uint8Array;
    readonly kind: LoggedProof['kind'];
  }[] = [];
  const log = await lookedAt(directory, trust, ({ leafIndex, octets, entry }) => {
    if (entry?.packId === packId) entries.push({ leafIndex, octets: Uint8Array.from(octets), kind: entry.kind });
    tree.add(hashOfLeaf(octets));
  });
  if (log.status === 'broken' || log.checkpoint === undefined) {
    return log.status === 'broken' ? { status: 'log-broken', log } : { status: 'missing', reason: 'not-logged' };
  }
  if (!entries.some(({ kind }) => kind === 'pack')) return { status: 'missing', reason: 'not-logged' };
  const pack = await createPackStore(join(directory, STORE_PARTS.packs), trust.files).readPack(packId);
  if (typeof pack === 'string') return { status: 'missing', reason: pack === 'missing' ? 'not-kept' : 'unreadable' };
  const certificate = await createPackStore(directory, trust.files).read(STORE_PARTS.certificate);
  const { checkpoint } = log;
  return {
    status: 'read',
    pack,
    proofs: entries.map((entry) => ({ ...entry, inclusion: inclusionIn(tree, entry.leafIndex), checkpoint })),
    ...(certificate === undefined ? {} : { certificatePem: Buffer.from(certificate).toString('utf8') }),
  };
}

/**
 * Lists the packs of a folder of evidence by its log, as far as it is what was signed.
 * @param directory - as {@link EvidenceStore} has it
 * @param trust - keys of the log, and checkpoints that were kept elsewhere
 * @returns the packs, and what the log is worth; never throws for what the files hold
 * @throws {@link HopbackError} `invalid-argument` without a key; `storage-failed` when the disk does not give the files
 * @see {@link verifyEvidenceStore}, which looks into the packs too
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * await (await EvidenceStore.open({ directory, logId: 'example.com/evidence', signer })).close();
 * const { log, packs } = await listEvidence(directory, { publicKeys: [signer.publicKey] });
 * console.log(log.status, packs.length); // intact 0
 * await rm(directory, { recursive: true });
 * ```
 */
export async function listEvidence(
  directory: string,
  trust: EvidenceReadTrust,
): Promise<{
  readonly log: MerkleLogVerification;
  /** In the order of the log. */
  readonly packs: readonly {
    readonly packId: string;
    /** Place of its entry. */
    readonly leafIndex: number;
    readonly writtenAt: string;
    /** Places of the entries of its answer and its receipt. */
    readonly answerLeafIndex?: number;
    readonly receiptLeafIndex?: number;
  }[];
}> {
  const packs = new Map<string, ListedPack>();
  const log = await lookedAt(directory, trust, ({ leafIndex, entry }) => {
    if (entry === undefined) return;
    const { packId, writtenAt } = entry;
    const known = packs.get(packId);
    if (entry.kind === 'pack') packs.set(packId, { packId, leafIndex, writtenAt });
    else if (known !== undefined) {
      packs.set(packId, { ...known, [entry.kind === 'answer' ? 'answerLeafIndex' : 'receiptLeafIndex']: leafIndex });
    }
  });
  return { log, packs: [...packs.values()] };
}

export type ListedPack = Awaited<ReturnType<typeof listEvidence>>['packs'][number];

function lookedAt(
  directory: string,
  { publicKeys, logId, checkpoints, files }: EvidenceReadTrust,
  show: (looked: {
    readonly leafIndex: number;
    readonly octets: Uint8Array;
    readonly entry: EvidenceEntry | undefined;
  }) => void,
): Promise<MerkleLogVerification> {
  return verifyMerkleLog(join(directory, STORE_PARTS.log), {
    ...defined({ publicKeys, logId, checkpoints, files }),
    onEntry: ({ leafIndex, octets }) => show({ leafIndex, octets, entry: parseEntry(octets) }),
  });
}

function inclusionIn(tree: MerkleTree, leafIndex: number): LoggedProof['inclusion'] {
  const hashes = tree.inclusion(leafIndex, tree.size).map((one) => one.toString('hex'));
  return { leafIndex, size: tree.size, hashes };
}

/** What became of looking through a store of evidence. */
export interface EvidenceStoreVerification {
  /**
   * `passed`: the log is intact, and every pack that is there is as it was logged. `indeterminate`: as far as the log can be read; its end
   * cannot, see `MerkleLogVerification` of `@hopback/sdk/log`.
   */
  readonly status: 'passed' | 'indeterminate' | 'failed';
  readonly log: MerkleLogVerification;
  /** By entry: the first is the first bad one. Entries behind the first bad one of the log itself are not looked at. */
  readonly findings: readonly {
    readonly leafIndex: number;
    readonly packId?: string;
    readonly finding:
      | EvidenceFinding
      /** The entry holds what no writer of evidence writes. */
      | { readonly kind: 'entry-unreadable' }
      /** The pack has another manifest, or the answer another text, than the log has the hash of. */
      | {
          readonly kind: 'not-as-logged';
          readonly expected: string;
          readonly actual: string;
        }
      /** Another pack has a signed answer of the same name and revision that says something else. */
      | { readonly kind: 'answers-conflict'; readonly otherPackId: string };
  }[];
  /** What is to be known about packs. */
  readonly notes: readonly {
    readonly packId: string;
    readonly note:
      | EvidenceNote
      /** Its file is gone: removed when its time had come, or lost. Its entry stays. */
      | { readonly kind: 'pack-not-kept' }
      /** There is no entry of it: its writer died before. No answer names it. */
      | { readonly kind: 'pack-not-logged' }
      /** There is no entry of its signed answer, or of its receipt: its writer died before, and may still attach it. */
      | { readonly kind: 'answer-not-logged' | 'receipt-not-logged' }
      /** Its entry says that it was written before one that stands before it: the clock was set back, or somebody stated a time that was not. */
      | { readonly kind: 'clock-went-back'; readonly leafIndex: number };
  }[];
  /** Packs that were looked at. */
  readonly packs: number;
}

/**
 * Looks through a folder of evidence, without changing it: the log as `verifyMerkleLog` of `@hopback/sdk/log` does, and each pack against its entry, its manifest, its
 * signature, the hashes of its records, and its answer.
 * @param directory - as {@link EvidenceStore} has it
 * @param trust - keys of log and manifests, and checkpoints that were kept elsewhere
 * @returns what was found; never throws for what the files hold
 * @throws {@link HopbackError} `invalid-argument` without a key; `storage-failed` when the disk does not give the files
 * @see {@link verifyEvidencePack} for one pack that was handed over
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const signer = createLogSigner(createTestKey().privateKeyPem);
 * await (await EvidenceStore.open({ directory, logId: 'example.com/evidence', signer })).close();
 * const verification = await verifyEvidenceStore(directory, { publicKeys: [signer.publicKey] });
 * console.log(verification.status, verification.packs); // passed 0
 * await rm(directory, { recursive: true });
 * ```
 */
export async function verifyEvidenceStore(
  directory: string,
  trust: EvidenceReadTrust & Pick<EvidencePackTrust, 'answerKeys' | 'receiptKeys'>,
): Promise<EvidenceStoreVerification> {
  const { publicKeys, answerKeys, receiptKeys, files } = trust;
  const entries: { readonly leafIndex: number; readonly entry: EvidenceEntry | undefined }[] = [];
  const log = await lookedAt(directory, trust, ({ leafIndex, entry }) => entries.push({ leafIndex, entry }));
  const walk: StoreWalk = {
    packs: createPackStore(join(directory, STORE_PARTS.packs), files),
    keys: defined({ publicKeys, answerKeys, receiptKeys }),
    findings: [],
    notes: [],
    answered: new Set(),
    receipted: new Set(),
    answers: new Map(),
    latest: '',
    looked: 0,
  };
  for (const { leafIndex, entry } of entries) {
    if (entry === undefined) walk.findings.push({ leafIndex, finding: { kind: 'entry-unreadable' } });
    else await checkEntry(walk, leafIndex, entry);
  }
  // Behind a bad entry nothing is known of what is logged.
  if (log.status !== 'broken') await noteUnlogged(walk, entries);
  const { findings, notes, looked } = walk;
  const isWhole = log.status !== 'broken' && findings.length === 0;
  const status = log.status === 'intact' ? 'passed' : 'indeterminate';
  return {
    status: isWhole ? status : 'failed',
    log,
    findings,
    notes,
    packs: looked,
  };
}

type LoggedFinding = EvidenceStoreVerification['findings'][number];

interface StoreWalk {
  readonly packs: PackStore;
  readonly keys: PackKeys;
  readonly findings: LoggedFinding[];
  readonly notes: EvidenceStoreVerification['notes'][number][];
  /** Packs with a signed answer. */
  readonly answered: Set<string>;
  /** Packs with a receipt. */
  readonly receipted: Set<string>;
  /** What was answered, by answer and revision. */
  readonly answers: Map<string, { readonly packId: string; readonly sha256: string }>;
  /** The latest time that an entry states. */
  latest: string;
  looked: number;
}

async function checkEntry(walk: StoreWalk, leafIndex: number, entry: EvidenceEntry): Promise<void> {
  const { packId } = entry;
  const writtenAt = new Date(entry.writtenAt).toISOString();
  if (writtenAt < walk.latest) walk.notes.push({ packId, note: { kind: 'clock-went-back', leafIndex } });
  else walk.latest = writtenAt;
  const pack = await walk.packs.readPack(packId);
  const found = (finding: LoggedFinding['finding']): void => void walk.findings.push({ leafIndex, packId, finding });
  if (pack === 'missing') {
    if (entry.kind === 'pack') walk.notes.push({ packId, note: { kind: 'pack-not-kept' } });
    return;
  }
  if (pack === 'unreadable') return found({ kind: 'unreadable', file: packId });
  const expected = hashInEntry(entry) ?? '';
  const actual = loggedHashes(pack)[entry.kind];
  if (actual === undefined) return found({ kind: 'file-missing', file: `${entry.kind}.jws` });
  if (actual !== expected) return found({ kind: 'not-as-logged', expected, actual });
  if (entry.kind !== 'pack') return;
  if (pack.manifest.packId !== packId) return found({ kind: 'entry-differs', file: packId });
  walk.looked += 1;
  if (pack.receiptJws !== undefined) walk.receipted.add(packId);
  if (pack.answerJws !== undefined) {
    walk.answered.add(packId);
    const otherPackId = conflicting(walk, pack);
    if (otherPackId !== undefined) found({ kind: 'answers-conflict', otherPackId });
  }
  const { findings, notes } = await packFindings(pack, walk.keys);
  for (const finding of findings) found(finding);
  for (const note of notes) walk.notes.push({ packId, note });
}

/** An answer is given once: whoever signs two of one name that differ can show whichever suits. */
function conflicting({ answers }: StoreWalk, { manifest, files }: EvidencePack): string | undefined {
  const { packId, answerId, revision } = manifest;
  const said = files.find(({ name }) => name === 'answer.json')?.octets ?? new Uint8Array(0);
  const own = { packId, sha256: sha256(said) };
  const key = `${String(revision)} ${answerId}`;
  const other = answers.get(key);
  if (other === undefined) answers.set(key, own);
  return other === undefined || other.sha256 === own.sha256 ? undefined : other.packId;
}

async function noteUnlogged(
  walk: StoreWalk,
  entries: readonly { readonly entry: EvidenceEntry | undefined }[],
): Promise<void> {
  const idsOf = (kind: EvidenceEntry['kind']): ReadonlySet<string> =>
    new Set(entries.flatMap(({ entry }) => (entry?.kind === kind ? [entry.packId] : [])));
  const [packs, answers, receipts] = [idsOf('pack'), idsOf('answer'), idsOf('receipt')];
  for (const packId of await walk.packs.packIds()) {
    if (!packs.has(packId)) walk.notes.push({ packId, note: { kind: 'pack-not-logged' } });
    else if (!answers.has(packId) && walk.answered.has(packId)) {
      walk.notes.push({ packId, note: { kind: 'answer-not-logged' } });
    } else if (!receipts.has(packId) && walk.receipted.has(packId)) {
      walk.notes.push({ packId, note: { kind: 'receipt-not-logged' } });
    }
  }
}
