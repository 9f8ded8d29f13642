import { hash } from 'node:crypto';
import { join } from 'node:path';
import { verifyMerkleLog, type MerkleLogTrust, type MerkleLogVerification } from '../../log/verify-merkle-log.js';
import type { EvidenceEntry, EvidencePack } from './evidence-manifest.js';
import { parseEntry } from './evidence.schema.js';
import { STORE_PARTS } from './evidence-store.js';
import { packFindings, type EvidenceFinding, type EvidenceNote, type PackKeys } from './pack-findings.js';
import { createPackStore, type PackStore } from './pack-store.js';

/** What a store is held against. */
export interface EvidenceStoreTrust extends Pick<MerkleLogTrust, 'publicKeys' | 'logId' | 'checkpoints' | 'files'> {
  /** Of those who may sign answers; default `publicKeys`. */
  readonly answerKeys?: PackKeys['answerKeys'];
  /** Of the platform that signs receipts; without any a receipt is held against the answer alone. */
  readonly receiptKeys?: PackKeys['receiptKeys'];
}

/** Something about an entry of the log, and the pack that it names. */
export interface LoggedFinding {
  readonly leafIndex: number;
  readonly packId?: string;
  readonly finding:
    | EvidenceFinding
    /** The entry holds what no writer of evidence writes. */
    | { readonly kind: 'entry-unreadable' }
    /** The pack has another manifest, or the answer another text, than the log has the hash of. */
    | { readonly kind: 'not-as-logged'; readonly expected: string; readonly actual: string }
    /** Another pack has a signed answer of the same name and revision that says something else. */
    | { readonly kind: 'answers-conflict'; readonly otherPackId: string };
}

/** Something that is to be known about a pack. */
export interface LoggedNote {
  readonly packId: string;
  readonly note:
    | EvidenceNote
    /** Its file is gone: removed when its time had come, or lost. Its entry stays. */
    | { readonly kind: 'pack-not-kept' }
    /** There is no entry of it: its writer died before. No answer names it. */
    | { readonly kind: 'pack-not-logged' }
    /** There is no entry of its signed answer: its writer died before, and may still attach it. */
    | { readonly kind: 'answer-not-logged' }
    /** There is no entry of its receipt: its writer died before, and may still attach it. */
    | { readonly kind: 'receipt-not-logged' }
    /** Its entry says that it was written before one that stands before it: the clock was set back, or somebody stated a time that was not. */
    | { readonly kind: 'clock-went-back'; readonly leafIndex: number };
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
  readonly findings: readonly LoggedFinding[];
  readonly notes: readonly LoggedNote[];
  /** Packs that were looked at. */
  readonly packs: number;
}

/**
 * Looks through a folder of evidence, without changing it: the log as `verifyMerkleLog` of `@hopback/sdk/log` does, and each pack against its entry, its manifest, its
 * signature, the hashes of its records, and its answer.
 * @param directory - as {@link openEvidenceStore} has it
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
 * await (await openEvidenceStore({ directory, logId: 'example.com/evidence', signer })).close();
 * const verification = await verifyEvidenceStore(directory, { publicKeys: [signer.publicKey] });
 * console.log(verification.status, verification.packs); // passed 0
 * await rm(directory, { recursive: true });
 * ```
 */
export async function verifyEvidenceStore(
  directory: string,
  trust: EvidenceStoreTrust,
): Promise<EvidenceStoreVerification> {
  const { publicKeys, answerKeys, receiptKeys, files, ...rest } = trust;
  const entries: { readonly leafIndex: number; readonly entry: EvidenceEntry | undefined }[] = [];
  const log = await verifyMerkleLog(join(directory, STORE_PARTS.log), {
    ...rest,
    publicKeys,
    ...(files === undefined ? {} : { files }),
    onEntry: ({ leafIndex, octets }) => entries.push({ leafIndex, entry: parseEntry(octets) }),
  });
  const walk: StoreWalk = {
    packs: createPackStore(join(directory, STORE_PARTS.packs), files),
    keys: {
      publicKeys,
      ...(answerKeys === undefined ? {} : { answerKeys }),
      ...(receiptKeys === undefined ? {} : { receiptKeys }),
    },
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
  return { status: isWhole ? status : 'failed', log, findings, notes, packs: looked };
}

interface StoreWalk {
  readonly packs: PackStore;
  readonly keys: PackKeys;
  readonly findings: LoggedFinding[];
  readonly notes: LoggedNote[];
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
  const expected = entry.kind === 'pack' ? entry.manifestSha256 : entry.jwsSha256;
  const actual = loggedHash(pack, entry.kind);
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
  const own = { packId, sha256: hash('sha256', said, 'hex') };
  const key = `${String(revision)} ${answerId}`;
  const other = answers.get(key);
  if (other === undefined) answers.set(key, own);
  return other === undefined || other.sha256 === own.sha256 ? undefined : other.packId;
}

function loggedHash(pack: EvidencePack, kind: EvidenceEntry['kind']): string | undefined {
  const octets = { pack: pack.manifestOctets, answer: pack.answerJws, receipt: pack.receiptJws }[kind];
  return octets === undefined ? undefined : hash('sha256', octets, 'hex');
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
