import { createPublicKey, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { HopbackError } from '../../errors.js';
import { verifyCheckpoint } from '../../log/index.js';
import type { MerkleLogFinding, MerkleLogVerification } from '../../log/index.js';
import type { EvidencePack, EvidenceStoreVerification } from '../../traceback/index.js';
import { optionSpecs, UsageError } from '../kit/command.js';
import type { OptionsOf } from '../kit/command.js';
import { shownText } from '../kit/node-io.js';
import type { CliIo } from '../kit/node-io.js';
import { countText } from '../kit/output.js';
import { textFile } from './trust-options.js';

/** What became of a log, a line. */
export function logLine(log: MerkleLogVerification): string {
  if (log.status === 'broken') return `✗ ${textOf(LOG_FINDINGS, log.finding)}`;
  const held =
    log.heldCheckpoints === 0 ? '' : `, and agrees with ${countText(log.heldCheckpoints, 'held checkpoint')}`;
  const behind =
    log.status === 'intact'
      ? ''
      : `; after them, entry ${String(log.leafIndex)} cannot be read: torn by a crash, being written now, or damaged`;
  const mark = behind === '' ? '✓' : '?';
  if (log.logId === undefined) return `${mark} the log is empty${held}${behind}`;
  return `${mark} the log ${log.logId} is as it was signed: ${entriesText(log.size)}, root ${log.rootHash}${held}${behind}`;
}

function entriesText(size: number): string {
  return size === 1 ? '1 entry' : `${String(size)} entries`;
}

/** A text for each kind of a finding. */
type Texts<Finding extends { readonly kind: string }> = {
  readonly [Kind in Finding['kind']]: (finding: Extract<Finding, { readonly kind: Kind }>) => string;
};

function textOf<Finding extends { readonly kind: string }>(texts: Texts<Finding>, finding: Finding): string {
  return (texts[finding.kind as Finding['kind']] as (finding: Finding) => string)(finding);
}

const TWO_LOGS = 'the key holder signed two different logs';

const LOG_FINDINGS: Texts<MerkleLogFinding> = {
  edited: (finding) =>
    `${placeText(finding)} ${isOne(finding) ? 'was' : 'or one of them was'} edited: it is not what was signed`,
  deleted: (finding) => `${placeText(finding)} ${isOne(finding) ? 'is' : 'are'} gone, but later entries exist`,
  swapped: (finding) => `another entry stands in the place of ${placeText(finding)}`,
  inserted: (finding) => `an inserted entry is in the place of ${placeText(finding)}`,
  damaged: (finding) => `${placeText(finding)} is damaged or gone, although it was stored durably`,
  forked: ({ size }) => `two given checkpoints have the same size, ${String(size)}, but different entries: ${TWO_LOGS}`,
  cut: (finding) =>
    `the log ends before ${placeText(finding)}, but once had ${entriesText(finding.size)}: its end was cut off`,
  'checkpoint-forged': (finding) =>
    `the checkpoint over ${placeText(finding)} is not signed by the key (${finding.reason})`,
  rewritten: (finding) =>
    `${placeText(finding)} or one of them was rewritten by the key holder: a held checkpoint shows it`,
  'held-checkpoint-invalid': notOfThisLog,
};

function notOfThisLog({ reason }: { readonly reason: string }): string {
  return `a given checkpoint is not from this log (${reason})`;
}

const isOne = ({ leafIndex, throughIndex }: { readonly leafIndex: number; readonly throughIndex: number }): boolean =>
  throughIndex === leafIndex;

function placeText(finding: { readonly leafIndex: number; readonly throughIndex?: number }): string {
  const { leafIndex, throughIndex = leafIndex } = finding;
  if (throughIndex <= leafIndex) return `entry ${String(leafIndex)}`;
  return `entries ${String(leafIndex)} to ${String(throughIndex)}`;
}

const differs = ({ file, what }: { readonly file: string; readonly what: string }): string => `${file}: ${what}`;

type Finding = EvidenceStoreVerification['findings'][number]['finding'];
type Note = EvidenceStoreVerification['notes'][number]['note'];

const FINDINGS: Texts<Finding> = {
  'entry-unreadable': () => 'the entry is not an evidence entry',
  'answers-conflict': ({ otherPackId }) =>
    `pack ${otherPackId} has a signed answer of the same name and revision that says something else`,
  'not-as-logged': ({ expected, actual }) => `its hash differs from the log: ${expected} is logged, ${actual} is here`,
  unreadable: ({ file }) => `${file} cannot be read`,
  'file-missing': ({ file }) => `${file} is missing`,
  'file-changed': ({ file, expected, actual }) =>
    `${file} was changed: SHA-256 ${expected} was signed, ${actual} is here`,
  'file-unknown': ({ file }) => `${file} does not belong to the pack`,
  'file-unlisted': ({ file }) => `${file} is not in SHA256SUMS, so it is not signed`,
  'file-unsigned': ({ file }) => `${file} is not signed, because SHA256SUMS is not signed`,
  'export-signature-invalid': () => 'SHA256SUMS is not signed by the key',
  'export-differs': differs,
  'manifest-differs': differs,
  'receipt-differs': differs,
  'answer-differs': differs,
  'key-differs': ({ file }) => `${file} is of another key than the one that signed the manifest`,
  'manifest-signature-invalid': () => 'the manifest is not signed by the key',
  'raw-differs': ({ recordId, expected, actual }) =>
    `the bytes of record ${recordId} are not those it was read from: ${expected} then, ${actual} now`,
  'answer-signature-invalid': ({ file }) => `${file} is not signed by the key for answers`,
  'receipt-signature-invalid': ({ file }) => `${file} is not signed by the key of the platform`,
  'held-checkpoint-invalid': notOfThisLog,
  'log-forked': ({ size }) => `a given checkpoint has another root at the same size, ${String(size)}: ${TWO_LOGS}`,
  'entry-differs': ({ file }) => `${file} is an entry about something else`,
  'proof-invalid': ({ file }) => `${file} does not lead from the entry to the checkpoint`,
  'checkpoint-invalid': ({ file, reason }) => `${file} is not signed by the key of the log (${reason})`,
};

/** What is wrong with a pack, or its entry, a line. */
export const findingText = (finding: Finding): string => textOf(FINDINGS, finding);

const NOTES: Texts<Note> = {
  'pack-not-kept': () => 'its file is gone, its entry stays',
  'pack-not-logged': () => 'the log has no entry of it: its writer ended before',
  'receipt-not-logged': () => 'the log has no entry of its receipt: its writer ended before, and may still attach it',
  'clock-went-back': ({ leafIndex }) =>
    `its entry ${String(leafIndex)} states a time before that of an entry before it`,
  'answer-not-logged': () =>
    'the log has no entry of its signed answer: its writer ended before, and may still attach it',
  'raw-not-kept': ({ recordId }) => `for record ${recordId} only the hash of its bytes was kept`,
  'raw-differed-when-written': ({ recordId }) =>
    `the bytes of record ${recordId} did not have its hash when the pack was written, and the pack says so`,
  'answer-not-attached': () => 'there is no signed answer in it',
  'receipt-not-attached': () => 'there was no receipt of the platform when it was exported, and none is in it',
  'receipt-signature-unchecked': () =>
    'its receipt matches the answer; to check who signed it, give --platform-key FILE',
  'export-unsigned': () =>
    'the folder is not signed as a whole: each file in it is as signed, but a removed file would not be noticed',
  'answer-signature-unchecked': () => 'its answer is signed by a key that was not given: --answer-key FILE',
};

/** What is to be known about a pack, a line. */
export const noteText = (note: Note): string => textOf(NOTES, note);

/** Options of every command that looks at evidence. */
export const EVIDENCE_TRUST_OPTIONS = optionSpecs({
  'key <FILE...>':
    'public key or certificate (PEM) that may sign log and packs, from another source than DIR; default the key in DIR, which does not prove who owns it',
  'checkpoint <FILE...>':
    'signed checkpoint that was kept elsewhere: a log that was truncated or rewritten since then does not match it',
});

/** Keys and checkpoints of a command line. */
export interface EvidenceTrust {
  readonly publicKeys: readonly KeyObject[];
  /** Whether the keys were given, and not taken out of the folder. */
  readonly areGiven: boolean;
  readonly checkpoints: readonly string[];
}

/**
 * The folder of a command line: a store, or an exported pack.
 * @throws {@link UsageError} when none is named; {@link HopbackError} `storage-failed` for a folder that is neither
 */
export async function evidenceFolder(operand: string | undefined, io: CliIo) {
  if (operand === undefined) throw new UsageError('say which folder of evidence: DIR');
  const names = await io.files.list(operand);
  if (names?.includes('manifest.json') === true) return { directory: operand, kind: 'pack' } as const;
  if (names?.includes('log') === true) return { directory: operand, kind: 'store' } as const;
  throw new HopbackError(
    'storage-failed',
    `${shownText(operand)} is not an evidence folder: it has neither log nor manifest.json`,
  );
}

/** Reads what a store is to be held against. @throws {@link HopbackError} `key-unusable`, `storage-failed` */
export async function evidenceTrust(
  options: OptionsOf<typeof EVIDENCE_TRUST_OPTIONS>,
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

/** The folder of a store, and not of an exported pack. @throws {@link HopbackError} `storage-failed`; {@link UsageError} */
export async function requireStore(operand: string | undefined, io: CliIo): Promise<string> {
  const { directory, kind } = await evidenceFolder(operand, io);
  if (kind === 'store') return directory;
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
  throw new HopbackError('key-unusable', 'none of the given keys signed the pack: give each key with --key FILE');
}

const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]*-----END PUBLIC KEY-----/g;

/** All public keys of a file; of certificates the first, those behind it are of who issued it. */
async function publicKeyFile(path: string, io: CliIo): Promise<readonly KeyObject[]> {
  const pem = await textFile(path, io);
  if (/-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY-----/.test(pem)) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds a private key: give the public key`);
  }
  try {
    return (pem.match(PUBLIC_KEY) ?? [pem]).map((block) => createPublicKey(block));
  } catch (cause) {
    throw new HopbackError('key-unusable', `${shownText(path)} holds no public key and no certificate in PEM`, {
      cause,
    });
  }
}
