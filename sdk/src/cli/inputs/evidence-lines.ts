import { createPublicKey, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { HopbackError } from '../../errors.js';
import { verifyCheckpoint } from '../../log/index.js';
import type { MerkleLogFinding, MerkleLogVerification } from '../../log/index.js';
import type { EvidenceFinding, EvidenceNote, EvidencePack, LoggedFinding, LoggedNote } from '../../traceback/index.js';
import { shownText, UsageError } from '../kit/command.js';
import type { Options, OptionSpecs } from '../kit/command.js';
import type { CliIo } from '../kit/io.js';
import { countText } from '../kit/output.js';
import { textFile } from './trust-options.js';

/** What became of a log, a line. */
export function logLine(log: MerkleLogVerification): string {
  if (log.status === 'broken') return `✗ ${logFindingText(log.finding)}`;
  const held =
    log.heldCheckpoints === 0 ? '' : `, and agrees with ${countText(log.heldCheckpoints, 'held checkpoint')}`;
  const behind =
    log.status === 'intact'
      ? ''
      : `; behind them, in the place of entry ${String(log.leafIndex)}, is what cannot be read: torn by a crash, being written now, or damaged`;
  const mark = behind === '' ? '✓' : '?';
  if (log.logId === undefined) return `${mark} the log is empty${held}${behind}`;
  return `${mark} the log ${log.logId} is as it was signed: ${entriesText(log.size)}, root ${log.rootHash}${held}${behind}`;
}

function entriesText(size: number): string {
  return size === 1 ? '1 entry' : `${String(size)} entries`;
}

function logFindingText(finding: MerkleLogFinding): string {
  switch (finding.kind) {
    case 'edited':
      return `${placeText(finding)} ${finding.throughIndex === finding.leafIndex ? 'was' : 'or one of them was'} edited: it is not what was signed`;
    case 'deleted':
      return `${placeText(finding)} ${finding.throughIndex === finding.leafIndex ? 'is' : 'are'} gone, and there are others behind`;
    case 'swapped':
      return `another entry stands in the place of ${placeText(finding)}`;
    case 'inserted':
      return `in the place of ${placeText(finding)} stands what was put in`;
    case 'damaged':
      return `${placeText(finding)} is damaged or gone, and was durable`;
    case 'forked':
      return `two checkpoints that were handed in sign for other entries over the same size, ${String(finding.size)}: the keeper of the key showed two logs`;
    case 'cut':
      return `the log ends before ${placeText(finding)}, and had ${entriesText(finding.size)} once: its tail was cut off`;
    case 'checkpoint-forged':
      return `the checkpoint over ${placeText(finding)} is not signed by the key (${finding.reason})`;
    case 'rewritten':
      return `${placeText(finding)} or one of them was written anew by the keeper of the key: a held checkpoint says so`;
    // held-checkpoint-invalid
    default:
      return `a checkpoint that was handed in is none of this log (${finding.reason})`;
  }
}

function placeText(finding: { readonly leafIndex: number; readonly throughIndex?: number }): string {
  const { leafIndex, throughIndex = leafIndex } = finding;
  if (throughIndex <= leafIndex) return `entry ${String(leafIndex)}`;
  return `entries ${String(leafIndex)} to ${String(throughIndex)}`;
}

/** What is wrong with a pack, or its entry, a line. */
export function findingText(finding: LoggedFinding['finding']): string {
  switch (finding.kind) {
    case 'entry-unreadable':
      return 'the entry is none of evidence';
    case 'answers-conflict':
      return `pack ${finding.otherPackId} has a signed answer of the same name and revision that says something else`;
    case 'not-as-logged':
      return `it is not what the log has the hash of: ${finding.expected} is logged, ${finding.actual} is here`;
    default:
      return packFindingText(finding);
  }
}

function packFindingText(finding: EvidenceFinding): string {
  switch (finding.kind) {
    case 'unreadable':
      return `${finding.file} cannot be read`;
    case 'file-missing':
      return `${finding.file} is missing`;
    case 'file-changed':
      return `${finding.file} was changed: SHA-256 ${finding.expected} was signed, ${finding.actual} is here`;
    case 'file-unknown':
      return `${finding.file} is none of the pack`;
    case 'file-unlisted':
      return `${finding.file} is not in SHA256SUMS: nobody signed for it`;
    case 'file-unsigned':
      return `${finding.file} is vouched for by nobody: SHA256SUMS is not signed`;
    case 'export-signature-invalid':
      return 'SHA256SUMS is not signed by the key';
    case 'export-differs':
    case 'manifest-differs':
    case 'receipt-differs':
    case 'answer-differs':
      return `${finding.file}: ${finding.what}`;
    case 'key-differs':
      return `${finding.file} is of another key than the one that signed the manifest`;
    case 'manifest-signature-invalid':
      return 'the manifest is not signed by the key';
    case 'raw-differs':
      return `the bytes of record ${finding.recordId} are not those it was read from: ${finding.expected} then, ${finding.actual} now`;
    default:
      return signatureFindingText(finding);
  }
}

type SignatureFinding = Extract<
  EvidenceFinding,
  {
    readonly kind:
      | 'answer-signature-invalid'
      | 'receipt-signature-invalid'
      | 'entry-differs'
      | 'proof-invalid'
      | 'checkpoint-invalid'
      | 'held-checkpoint-invalid'
      | 'log-forked';
  }
>;

function signatureFindingText(finding: SignatureFinding): string {
  switch (finding.kind) {
    case 'answer-signature-invalid':
      return `${finding.file} is not signed by the key for answers`;
    case 'receipt-signature-invalid':
      return `${finding.file} is not signed by the key of the platform`;
    case 'held-checkpoint-invalid':
      return `a checkpoint that was handed in is none of this log (${finding.reason})`;
    case 'log-forked':
      return `a checkpoint that was handed in has another root over the same size, ${String(finding.size)}: the keeper of the key showed two logs`;
    case 'entry-differs':
      return `${finding.file} is an entry about something else`;
    case 'proof-invalid':
      return `${finding.file} does not lead from the entry to the checkpoint`;
    // checkpoint-invalid
    default:
      return `${finding.file} is not signed by the key of the log (${finding.reason})`;
  }
}

/** What is to be known about a pack, a line. */
export function noteText(note: LoggedNote['note']): string {
  switch (note.kind) {
    case 'pack-not-kept':
      return 'its file is gone, its entry stays';
    case 'pack-not-logged':
      return 'the log has no entry of it: its writer ended before';
    case 'receipt-not-logged':
      return 'the log has no entry of its receipt: its writer ended before, and may still attach it';
    case 'clock-went-back':
      return `its entry ${String(note.leafIndex)} states a time before that of an entry before it`;
    case 'answer-not-logged':
      return 'the log has no entry of its signed answer: its writer ended before, and may still attach it';
    default:
      return packNoteText(note);
  }
}

function packNoteText(note: EvidenceNote): string {
  switch (note.kind) {
    case 'raw-not-kept':
      return `of record ${note.recordId} there is the hash of its bytes alone`;
    case 'raw-differed-when-written':
      return `the bytes of record ${note.recordId} did not have its hash when the pack was written, and the pack says so`;
    case 'answer-not-attached':
      return 'there is no signed answer in it';
    case 'receipt-not-attached':
      return 'there was no receipt of the platform when it was exported, and none is in it';
    case 'receipt-signature-unchecked':
      return 'its receipt is of the answer; a key of the platform tells whether it signed it: --platform-key FILE';
    case 'export-unsigned':
      return 'nobody signed for the folder: what is there is as it was signed, and whether a file was taken out is not known';
    // answer-signature-unchecked
    default:
      return 'its answer is signed by a key that was not given: --answer-key FILE';
  }
}

/** Names of {@link EVIDENCE_TRUST_OPTIONS}. */
export type EvidenceTrustOption = 'key' | 'checkpoint';

/** Options of every command that looks at evidence. */
export const EVIDENCE_TRUST_OPTIONS: OptionSpecs<EvidenceTrustOption> = {
  key: {
    value: 'FILE',
    multiple: true,
    text: 'public key or certificate (PEM) that may sign log and packs, from another source than DIR; default the key in DIR, which does not prove who owns it',
  },
  checkpoint: {
    value: 'FILE',
    multiple: true,
    text: 'signed checkpoint that was kept elsewhere: a log that was truncated or rewritten since then does not match it',
  },
};

/** What a folder of evidence is. */
type EvidenceFolder = 'store' | 'pack';

/** Keys and checkpoints of a command line. */
export interface EvidenceTrust {
  readonly publicKeys: readonly KeyObject[];
  /** Whether the keys were given, and not taken out of the folder. */
  readonly areGiven: boolean;
  readonly checkpoints: readonly string[];
}

/**
 * Tells a store from an exported pack.
 * @throws {@link HopbackError} `storage-failed` for a folder that is neither
 */
export async function evidenceFolder(directory: string, io: CliIo): Promise<EvidenceFolder> {
  const names = await io.files.list(directory);
  if (names?.includes('manifest.json') === true) return 'pack';
  if (names?.includes('log') === true) return 'store';
  throw new HopbackError(
    'storage-failed',
    `${shownText(directory)} is no folder of evidence: neither log nor manifest.json is in it`,
  );
}

/** The one folder of a command line. @throws {@link UsageError} */
export function folderOperand(operand: string | undefined): string {
  if (operand !== undefined) return operand;
  throw new UsageError('say which folder of evidence: DIR');
}

/** Reads what a store is to be held against. @throws {@link HopbackError} `key-unusable`, `storage-failed` */
export async function evidenceTrust(
  options: Options<EvidenceTrustOption>,
  io: CliIo,
  directory: string,
): Promise<EvidenceTrust> {
  const given = options.texts('key');
  const paths = given.length > 0 ? given : [join(directory, 'public-key.pem')];
  return {
    publicKeys: await publicKeyFiles(paths, io),
    areGiven: given.length > 0,
    checkpoints: await Promise.all(options.texts('checkpoint').map((path) => textFile(path, io))),
  };
}

/** Public keys by the files that they are in. @throws {@link HopbackError} `key-unusable`, `storage-failed` */
export async function publicKeyFiles(paths: readonly string[], io: CliIo): Promise<readonly KeyObject[]> {
  return (await Promise.all(paths.map((path) => publicKeyFile(path, io)))).flat();
}

/** A store, and not an exported pack. @throws {@link HopbackError} `storage-failed`; {@link UsageError} */
export async function requireStore(directory: string, io: CliIo): Promise<void> {
  if ((await evidenceFolder(directory, io)) === 'store') return;
  throw new UsageError(`${shownText(directory)} is an exported pack: hopback evidence verify looks at those`);
}

/**
 * Which of the keys signed a pack, or a checkpoint.
 * @throws {@link HopbackError} `key-unusable` when none did
 */
export function signingKey(signed: EvidencePack | string | undefined, keys: readonly KeyObject[]): KeyObject {
  const found = keys.find((key) => {
    if (typeof signed === 'string') return verifyCheckpoint(signed, { publicKeys: [key] }).status === 'passed';
    const der = key.export({ type: 'spki', format: 'der' });
    return signed?.manifest.signer.publicKeySha256 === hash('sha256', der, 'hex');
  });
  if (found !== undefined) return found;
  throw new HopbackError('key-unusable', 'the pack is signed by none of the keys: --key FILE, once for each');
}

const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]*-----END PUBLIC KEY-----/g;

/** All public keys of a file; of certificates the first, those behind it are of who issued it. */
async function publicKeyFile(path: string, io: CliIo): Promise<readonly KeyObject[]> {
  const pem = await textFile(path, io);
  if (/-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----/.test(pem)) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds a private key: what verifies is the public one`);
  }
  try {
    return (pem.match(PUBLIC_KEY) ?? [pem]).map((block) => createPublicKey(block));
  } catch (cause) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds no public key and no certificate in PEM`, {
      cause,
    });
  }
}
