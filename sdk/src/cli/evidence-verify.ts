import { verifyEvidencePack, verifyEvidenceStore } from '../traceback/index.js';
import type { EvidencePackTrust, EvidencePackVerification, EvidenceStoreVerification } from '../traceback/index.js';
import { textFile } from './certificate-options.js';
import type { Command } from './command.js';
import { findingText, logLine, noteText } from './evidence-lines.js';
import {
  EVIDENCE_TRUST_OPTIONS,
  evidenceFolder,
  evidenceTrust,
  folderOperand,
  publicKeyFiles,
  type EvidenceTrustOption,
} from './evidence-trust.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, printJson, printLines } from './output.js';

type VerifyOption = EvidenceTrustOption | 'answer-key' | 'export-key' | 'log-key' | 'platform-key';
type VerifyOptions = Options<VerifyOption | 'json'>;

const OPTIONS: OptionSpecs<VerifyOption> = {
  ...EVIDENCE_TRUST_OPTIONS,
  'log-key': { value: 'FILE', multiple: true, text: 'as --key, of an exported pack whose log has another key' },
  'export-key': {
    value: 'FILE',
    multiple: true,
    text: 'as --key, of those who may sign for an exported folder as a whole',
  },
  'platform-key': {
    value: 'FILE',
    multiple: true,
    text: 'as --key, of the platform that signs receipts; without any a receipt is held against the answer alone',
  },
  'answer-key': {
    value: 'FILE',
    multiple: true,
    text: 'as --key, of those who may sign answers; default those of --key',
  },
};

/** Findings behind this many are counted: the first one is what is asked for. */
const SHOWN = 50;

/** `hopback evidence verify` */
export const evidenceVerifyCommand: Command = {
  name: 'evidence verify',
  summary: 'name the first bad entry of a log of evidence, or what is wrong with a pack',
  usage: ['DIR [--key FILE] [--checkpoint FILE]'],
  options: OPTIONS,
  notes: [
    'DIR is the folder of evidence of a provider, with log and packs in it, or one exported pack. Nothing in it is changed, and another ' +
      'process may be writing to it.',
    'A log is held against its own signed checkpoints: what was edited, deleted, swapped or inserted is named by its entry, from 0. That its ' +
      'tail was cut off shows only against a checkpoint that was kept elsewhere: --checkpoint.',
    'Exit codes: 0 all is as it was signed; 1 something is not; 2 not understood; 3 all agrees, by the key that lies in DIR, or nobody signed ' +
      'for an exported folder, or the end of a log that is not closed cannot be read; 4 the folder or a key is not usable.',
    '  hopback evidence verify /var/lib/hopback/evidence --key provider.pem --checkpoint mailed-2026-11-01.txt\n' +
      '  hopback evidence verify ./pack-7',
  ],
  run,
};

async function run(options: VerifyOptions, io: CliIo): Promise<ExitCode> {
  const [operand, ...more] = options.operands;
  refuseOperands({ operands: more });
  const directory = folderOperand(operand);
  return (await evidenceFolder(directory, io)) === 'store'
    ? verifyStore(directory, options, io)
    : verifyPack(directory, options, io);
}

async function verifyStore(directory: string, options: VerifyOptions, io: CliIo): Promise<ExitCode> {
  const { publicKeys, areGiven, checkpoints } = await evidenceTrust(options, io, directory);
  const verification = await verifyEvidenceStore(directory, {
    publicKeys,
    checkpoints,
    ...(await otherKeys(options, io)),
  });
  const exitCode = exitCodeOf(verification.status !== 'failed', areGiven && verification.status === 'passed');
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.evidence-verify.1', exitCode, kind: 'store', ...verification });
  else printLines(io, [...storeLines(verification), ...keyLines(verification.status !== 'failed' && !areGiven)]);
  return exitCode;
}

async function verifyPack(directory: string, options: VerifyOptions, io: CliIo): Promise<ExitCode> {
  const publicKeys = await publicKeyFiles(options.texts('key'), io);
  const logPublicKeys = await publicKeyFiles(options.texts('log-key'), io);
  const exportKeys = await publicKeyFiles(options.texts('export-key'), io);
  const verification = await verifyEvidencePack(directory, {
    ...(publicKeys.length === 0 ? {} : { publicKeys }),
    ...(logPublicKeys.length === 0 ? {} : { logPublicKeys }),
    ...(exportKeys.length === 0 ? {} : { exportKeys }),
    ...(await otherKeys(options, io)),
    checkpoints: await Promise.all(options.texts('checkpoint').map((path) => textFile(path, io))),
  });
  const exitCode = exitCodeOf(verification.status !== 'failed', verification.status === 'passed');
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.evidence-verify.1', exitCode, kind: 'pack', ...verification });
  else printLines(io, [...packLines(verification), ...keyLines(isByOwnKey(verification))]);
  return exitCode;
}

/** Of those who sign answers and receipts. */
async function otherKeys(
  options: VerifyOptions,
  io: CliIo,
): Promise<Pick<EvidencePackTrust, 'answerKeys' | 'receiptKeys'>> {
  const answerKeys = await publicKeyFiles(options.texts('answer-key'), io);
  const receiptKeys = await publicKeyFiles(options.texts('platform-key'), io);
  return {
    ...(answerKeys.length === 0 ? {} : { answerKeys }),
    ...(receiptKeys.length === 0 ? {} : { receiptKeys }),
  };
}

function isByOwnKey(verification: EvidencePackVerification): boolean {
  return verification.status === 'indeterminate' && verification.reason === 'keys-from-the-pack';
}

function exitCodeOf(isWhole: boolean, areKeysGiven: boolean): ExitCode {
  if (!isWhole) return EXIT.negative;
  return areKeysGiven ? EXIT.ok : EXIT.indeterminate;
}

function keyLines(isOwnKeyUsed: boolean): readonly string[] {
  if (!isOwnKeyUsed) return [];
  return ['? by the key that lies in the folder: whose it is, --key FILE from elsewhere would tell'];
}

function storeLines({ log, findings, notes, packs }: EvidenceStoreVerification): readonly string[] {
  const found = findings.map(({ leafIndex, packId, finding }) => {
    const which = packId === undefined ? '' : `, pack ${packId}`;
    return `✗ entry ${String(leafIndex)}${which}: ${findingText(finding)}`;
  });
  const said = notes.map(({ packId, note }) => `! pack ${packId}: ${noteText(note)}`);
  const looked =
    log.status !== 'broken'
      ? `${countText(packs, 'pack')} looked at`
      : `the ${String(log.size)} before it are as they were signed; ${countText(packs, 'pack')} of them looked at`;
  const mark = findings.length === 0 && log.status !== 'broken' ? '✓' : '·';
  return [...cut(found), logLine(log), `${mark} ${looked}`, ...cut(said)];
}

function packLines(verification: EvidencePackVerification): readonly string[] {
  const said = verification.notes.map((note) => `! ${noteText(note)}`);
  if (verification.status === 'failed') {
    return [...cut(verification.findings.map((finding) => `✗ ${findingText(finding)}`)), ...cut(said)];
  }
  const { manifest } = verification;
  return [
    `✓ pack ${manifest.packId} is as it was signed and logged: ${countText(manifest.files.length, 'file')}, ${countText(manifest.records.length, 'record')}`,
    `· of ${manifest.provider.name}, answer ${manifest.answerId} to request ${manifest.requestId}, written ${manifest.writtenAt}`,
    ...cut(said),
  ];
}

function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= SHOWN) return lines;
  return [...lines.slice(0, SHOWN), `· and ${String(lines.length - SHOWN)} more: --json has all of them`];
}
