import { join } from 'node:path';
import { hashOfLeaf } from '../../log/merkle-tree.js';
import { createMerkleTree, type MerkleTree } from '../../log/merkle-tree.js';
import { verifyMerkleLog, type MerkleLogTrust, type MerkleLogVerification } from '../../log/verify-merkle-log.js';
import type { EvidenceEntry, EvidencePack } from './evidence-manifest.js';
import { parseEntry } from './evidence.schema.js';
import { STORE_PARTS } from './evidence-store.js';
import type { LoggedProof } from './pack-proof.js';
import { createPackStore } from './pack-store.js';

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

/** A pack that a store of evidence has logged. */
export interface LoggedPack {
  readonly packId: string;
  /** Place of its entry. */
  readonly leafIndex: number;
  readonly writtenAt: string;
  /** Places of the entries of its answer and its receipt. */
  readonly answerLeafIndex?: number;
  readonly receiptLeafIndex?: number;
}

/** What a log of evidence lists. */
export interface EvidenceListing {
  readonly log: MerkleLogVerification;
  /** In the order of the log. */
  readonly packs: readonly LoggedPack[];
}

/** By which a store is read. */
export type EvidenceReadTrust = Pick<MerkleLogTrust, 'publicKeys' | 'logId' | 'checkpoints' | 'files'>;

/**
 * Reads a pack out of a folder of evidence with its proofs, without opening the log for writing: another process may have it open.
 * @param directory - as {@link openEvidenceStore} has it
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
 * await (await openEvidenceStore({ directory, logId: 'example.com/evidence', signer })).close();
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
  const entries: { readonly leafIndex: number; readonly octets: Uint8Array; readonly kind: LoggedProof['kind'] }[] = [];
  const log = await looked(directory, trust, (octets, entry) => {
    if (entry?.packId === packId)
      entries.push({ leafIndex: tree.size, octets: Uint8Array.from(octets), kind: entry.kind });
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
 * @param directory - as {@link openEvidenceStore} has it
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
 * await (await openEvidenceStore({ directory, logId: 'example.com/evidence', signer })).close();
 * const { log, packs } = await listEvidence(directory, { publicKeys: [signer.publicKey] });
 * console.log(log.status, packs.length); // intact 0
 * await rm(directory, { recursive: true });
 * ```
 */
export async function listEvidence(directory: string, trust: EvidenceReadTrust): Promise<EvidenceListing> {
  const packs = new Map<string, LoggedPack>();
  let leafIndex = -1;
  const log = await looked(directory, trust, (_, entry) => {
    leafIndex += 1;
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

function looked(
  directory: string,
  { files, ...trust }: EvidenceReadTrust,
  show: (octets: Uint8Array, entry: EvidenceEntry | undefined) => void,
): Promise<MerkleLogVerification> {
  return verifyMerkleLog(join(directory, STORE_PARTS.log), {
    ...trust,
    ...(files === undefined ? {} : { files }),
    onEntry: ({ octets }) => show(octets, parseEntry(octets)),
  });
}

function inclusionIn(tree: MerkleTree, leafIndex: number): LoggedProof['inclusion'] {
  const hashes = tree.inclusion(leafIndex, tree.size).map((hash) => hash.toString('hex'));
  return { leafIndex, size: tree.size, hashes };
}
