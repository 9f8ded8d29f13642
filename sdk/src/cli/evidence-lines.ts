import type { MerkleLogFinding, MerkleLogVerification } from '../log/index.js';
import type { EvidenceFinding, EvidenceNote, LoggedFinding, LoggedNote } from '../traceback/index.js';
import { countText } from './output.js';

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
