import { HopbackError } from '../errors.js';
import { createLogSigner } from '../log/index.js';
import type { LogSigner } from '../log/index.js';
import {
  evidenceVcon,
  exportEvidencePack,
  listEvidence,
  readEvidencePack,
  renderEvidencePdf,
  verifyEvidencePack,
  verifyEvidenceStore,
} from '../traceback/index.js';
import type {
  EvidencePack,
  EvidencePackReading,
  EvidencePackTrust,
  EvidencePackVerification,
  EvidenceStoreVerification,
  LoggedPack,
} from '../traceback/index.js';
import {
  EVIDENCE_TRUST_OPTIONS,
  evidenceFolder,
  evidenceTrust,
  findingText,
  folderOperand,
  logLine,
  noteText,
  publicKeyFiles,
  requireStore,
  signingKey,
} from './inputs/evidence-lines.js';
import type { EvidenceTrust, EvidenceTrustOption } from './inputs/evidence-lines.js';
import { EXIT, refuseOperands, shownText, UsageError } from './kit/command.js';
import type { Command, ExitCode, Options, OptionSpecs } from './kit/command.js';
import type { CliIo } from './kit/io.js';
import { countText, factLines, printJson, printLines } from './kit/output.js';
import { textFile } from './inputs/trust-options.js';

type ShowOption = EvidenceTrustOption | 'note';
type ShowOptions = Options<ShowOption | 'json'>;

const SHOW_OPTIONS: OptionSpecs<ShowOption> = {
  ...EVIDENCE_TRUST_OPTIONS,
  note: { text: 'print only the newest signed checkpoint, to be kept elsewhere' },
};

/** `hopback evidence show` */
export const evidenceShowCommand: Command = {
  name: 'evidence show',
  summary: 'list the packs of a folder of evidence, or show one',
  usage: ['DIR [PACK]', 'DIR --note'],
  options: SHOW_OPTIONS,
  notes: [
    'Keep checkpoints on another machine: run hopback evidence show DIR --note > checkpoint.txt and mail the file ' +
      'to somebody, or give it to the platform. hopback evidence verify --checkpoint compares a log with it.',
    'Exit codes: 0 shown; 1 the log differs from what was signed, or there is no such pack; 2 command line or input not valid; 4 ' +
      'the folder or a key is not usable.',
    '  hopback evidence show /var/lib/hopback/evidence',
  ],
  run: runShow,
};

async function runShow(options: ShowOptions, io: CliIo): Promise<ExitCode> {
  const [operand, packId, ...more] = options.operands;
  refuseOperands({ operands: more });
  const directory = folderOperand(operand);
  await requireStore(directory, io);
  const trust = await evidenceTrust(options, io, directory);
  return packId === undefined
    ? showAll(directory, { options, trust }, io)
    : showOne(directory, { options, trust, packId }, io);
}

interface Asked {
  readonly options: ShowOptions;
  readonly trust: EvidenceTrust;
}

async function showAll(directory: string, { options, trust }: Asked, io: CliIo): Promise<ExitCode> {
  const { log, packs } = await listEvidence(directory, trust);
  const exitCode = log.status === 'broken' ? EXIT.negative : EXIT.ok;
  const note = log.status !== 'broken' ? log.checkpoint : undefined;
  if (options.isOn('note') && exitCode === EXIT.ok) {
    if (note !== undefined) io.stdout.write(note);
    return note === undefined ? EXIT.negative : EXIT.ok;
  }
  if (options.isOn('json')) printJson(io, { format: 'hopback.evidence-show.1', exitCode, log, packs });
  else printLines(io, [...packs.map(packLine), logLine(log)]);
  return exitCode;
}

function packLine({ packId, leafIndex, writtenAt, answerLeafIndex, receiptLeafIndex }: LoggedPack): string {
  const answer = answerLeafIndex === undefined ? 'no signed answer' : `answer at entry ${String(answerLeafIndex)}`;
  const receipt = receiptLeafIndex === undefined ? '' : `, receipt at ${String(receiptLeafIndex)}`;
  return `  ${packId}  ${writtenAt}  entry ${String(leafIndex)}, ${answer}${receipt}`;
}

async function showOne(
  directory: string,
  { options, trust, packId }: Asked & { readonly packId: string },
  io: CliIo,
): Promise<ExitCode> {
  const reading = await readEvidencePack(directory, packId, trust);
  const exitCode = reading.status === 'read' ? EXIT.ok : EXIT.negative;
  const isJson = options.isOn('json');
  if (reading.status === 'read') {
    const { manifest } = reading.pack;
    if (isJson)
      printJson(io, {
        format: 'hopback.evidence-pack.1',
        exitCode,
        status: 'read',
        manifest,
        proofs: reading.proofs.map(({ kind, inclusion }) => ({ kind, inclusion })),
      });
    else printLines(io, detailLines(reading.pack, reading.proofs));
  } else if (isJson) printJson(io, { format: 'hopback.evidence-pack.1', exitCode, ...reading });
  else if (reading.status === 'log-broken') printLines(io, [logLine(reading.log)]);
  else printLines(io, [`✗ ${MISSING[reading.reason]}`]);
  return exitCode;
}

/** Why there is no pack. */
export const MISSING = {
  'not-logged': 'the log has no entry of a pack of that name',
  'not-kept': 'the log has an entry of the pack, and its file is gone',
  unreadable: 'the log has an entry of the pack, and its file is none of a pack',
} as const;

function detailLines(
  { manifest, answerJws }: EvidencePack,
  proofs: readonly {
    readonly kind: string;
    readonly inclusion: { readonly leafIndex: number; readonly size: number };
  }[],
): readonly string[] {
  const facts = factLines([
    ['provider', manifest.provider.name],
    ['traceback', manifest.tracebackId],
    ['request', manifest.requestId],
    [
      'answer',
      `${manifest.answerId}, revision ${String(manifest.revision)}, ${answerJws === undefined ? 'not signed' : 'signed'}`,
    ],
    ['written', manifest.writtenAt],
    ['software', `${manifest.software.name} ${manifest.software.version}`],
    ['signer', `${manifest.signer.algorithm} ${manifest.signer.publicKeySha256}`],
    ...proofs.map(
      ({ kind, inclusion }) =>
        [`entry of ${kind}`, `${String(inclusion.leafIndex)} of ${String(inclusion.size)}`] as const,
    ),
  ]);
  const records = manifest.records.map(
    ({ recordId, format, readerVersion, raw }) =>
      `  record ${recordId}, read by ${format} version ${String(readerVersion)}, bytes ${raw === 'kept' ? 'kept' : 'not kept'}`,
  );
  const files = manifest.files.map(({ name, sha256, sizeBytes }) => `  ${sha256}  ${name}, ${String(sizeBytes)} B`);
  return [`pack ${manifest.packId}`, ...facts, ...records, ...files];
}

type ExportOption = EvidenceTrustOption | 'out' | 'sign-key' | 'pdf' | 'vcon';

const EXPORT_OPTIONS: OptionSpecs<ExportOption> = {
  ...EVIDENCE_TRUST_OPTIONS,
  out: { value: 'FOLDER', text: 'folder to write; created if it does not exist, and must be empty' },
  'sign-key': {
    value: 'FILE',
    text: 'private key (PEM) of the provider, which signs the whole folder. Its public key must be one that --key names. Without it, nobody can know whether a file was removed',
  },
  pdf: { text: 'add a PDF for people; needs --sign-key and the package pdfkit' },
  vcon: { text: 'add the pack as vCon, draft-ietf-vcon-vcon-core; needs --sign-key' },
};

/** `hopback evidence export` */
export const evidenceExportCommand: Command = {
  name: 'evidence export',
  summary: 'write a pack to a folder that openssl and sha256sum alone can check',
  usage: ['DIR PACK --out FOLDER [--pdf] [--vcon]'],
  options: EXPORT_OPTIONS,
  notes: [
    'The folder holds the files of the pack, its signed manifest, the log entries with their proofs, a checkpoint ' +
      'and SHA256SUMS. VERIFY.md explains how to check all of it, and verify.sh runs the checks. The folder holds ' +
      'telephone numbers: give it only to people who may see them.',
    'Exit codes: 0 written; 1 the log differs from what was signed, or there is no such pack; 2 command line or input not valid; 4 ' +
      'a folder, a key or pdfkit is not usable.',
    '  hopback evidence export /var/lib/hopback/evidence 3f0c2a4e-… --out ./pack-7 --sign-key provider-key.pem --pdf',
  ],
  run: runExport,
};

async function runExport(options: Options<ExportOption | 'json'>, io: CliIo): Promise<ExitCode> {
  const [operand, packId, ...more] = options.operands;
  refuseOperands({ operands: more });
  const directory = folderOperand(operand);
  const out = options.text('out');
  if (packId === undefined) throw new UsageError('say which pack: DIR PACK; hopback evidence show DIR lists them');
  if (out === undefined) throw new UsageError('say where to: --out FOLDER');
  if (options.text('sign-key') === undefined && (options.isOn('pdf') || options.isOn('vcon'))) {
    throw new UsageError('nobody would vouch for the PDF or the vCon: --sign-key FILE signs for the folder');
  }
  await requireStore(directory, io);
  const trust = await evidenceTrust(options, io, directory);
  const signer = await exportSigner(options.text('sign-key'), { trust, io });
  const reading = await readEvidencePack(directory, packId, trust);
  if (reading.status !== 'read') return refused(reading, options, io);
  io.keepPrivate();
  const { pack, proofs, certificatePem } = reading;
  const [publicKey, logPublicKey] = [
    signingKey(pack, trust.publicKeys),
    signingKey(proofs[0]?.checkpoint, trust.publicKeys),
  ];
  const files = await exportEvidencePack(out, {
    pack,
    proofs,
    publicKey,
    logPublicKey,
    ...(signer === undefined ? {} : { signer }),
    ...(certificatePem === undefined ? {} : { certificatePem }),
    renderings: {
      ...(options.isOn('pdf') ? { pdf: await renderEvidencePdf(pack, proofs) } : {}),
      ...(options.isOn('vcon') ? { vcon: evidenceVcon(pack) } : {}),
    },
  });
  if (options.isOn('json'))
    printJson(io, { format: 'hopback.evidence-export.1', exitCode: EXIT.ok, packId, folder: out, files });
  else
    printLines(io, [
      `✓ ${countText(files.length, 'file')} in ${out}`,
      ...(signer === undefined ? ['! nobody signed for the folder: --sign-key FILE'] : []),
      `· check it: sh ${out}/verify.sh`,
    ]);
  return EXIT.ok;
}

/** @throws {@link HopbackError} `key-unusable` for a key that nobody would trust for this evidence; `storage-failed` */
async function exportSigner(
  path: string | undefined,
  { trust, io }: { readonly trust: EvidenceTrust; readonly io: CliIo },
): Promise<LogSigner | undefined> {
  if (path === undefined) return undefined;
  const signer = createLogSigner(await textFile(path, io));
  if (trust.publicKeys.some((key) => key.equals(signer.publicKey))) return signer;
  throw new HopbackError('key-unusable', `${shownText(path)} is the key of none of those that sign this evidence`);
}

function refused(
  reading: Exclude<EvidencePackReading, { readonly status: 'read' }>,
  options: Options<ExportOption | 'json'>,
  io: CliIo,
): ExitCode {
  if (options.isOn('json')) printJson(io, { format: 'hopback.evidence-export.1', exitCode: EXIT.negative, ...reading });
  else printLines(io, [reading.status === 'log-broken' ? logLine(reading.log) : `✗ ${MISSING[reading.reason]}`]);
  return EXIT.negative;
}

type VerifyOption = EvidenceTrustOption | 'answer-key' | 'export-key' | 'log-key' | 'platform-key';
type VerifyOptions = Options<VerifyOption | 'json'>;

const VERIFY_OPTIONS: OptionSpecs<VerifyOption> = {
  ...EVIDENCE_TRUST_OPTIONS,
  'log-key': { value: 'FILE', multiple: true, text: 'like --key, for an exported pack whose log has another key' },
  'export-key': {
    value: 'FILE',
    multiple: true,
    text: 'like --key, for the signature of an exported folder as a whole',
  },
  'platform-key': {
    value: 'FILE',
    multiple: true,
    text: 'like --key, for the receipts of the platform; without it, a receipt is only compared with the answer',
  },
  'answer-key': {
    value: 'FILE',
    multiple: true,
    text: 'like --key, for the signatures of answers; default those of --key',
  },
};

/** Findings behind this many are counted: the first one is what is asked for. */
const SHOWN = 50;

/** `hopback evidence verify` */
export const evidenceVerifyCommand: Command = {
  name: 'evidence verify',
  summary: 'name the first bad entry of a log of evidence, or what is wrong with a pack',
  usage: ['DIR [--key FILE] [--checkpoint FILE]'],
  options: VERIFY_OPTIONS,
  notes: [
    'DIR is the evidence folder of a provider, with log and packs, or one exported pack. The command changes ' +
      'nothing in it, and another process may be writing to it.',
    'The command compares a log with its own signed checkpoints and names the first entry that was edited, ' +
      'deleted, swapped or inserted, counted from 0. Only a checkpoint that was kept elsewhere (--checkpoint) ' +
      'shows that the end of the log was cut off.',
    'Exit codes: 0 no change found; 1 something differs; 2 command line or input not valid; 3 consistent, but only checked with the ' +
      'key in DIR, or the exported folder is not signed as a whole, or the end of a log that is not closed is ' +
      'unreadable; 4 the folder or a key is not usable.',
    '  hopback evidence verify /var/lib/hopback/evidence --key provider.pem --checkpoint mailed-2026-11-01.txt\n' +
      '  hopback evidence verify ./pack-7',
  ],
  run: runVerify,
};

async function runVerify(options: VerifyOptions, io: CliIo): Promise<ExitCode> {
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
