import { defined } from '../core/text.js';
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
  EvidencePackVerification,
  EvidenceStoreVerification,
} from '../traceback/index.js';
import type { ListedPack } from '../traceback/evidence/verify-store.js';
import {
  EVIDENCE_TRUST_OPTIONS,
  evidenceFolder,
  evidenceTrust,
  findingText,
  logLine,
  noteText,
  publicKeyFiles,
  requireStore,
  signingKey,
} from './inputs/evidence-lines.js';
import type { EvidenceTrust } from './inputs/evidence-lines.js';
import { EXIT, optionSpecs, refuseOperands, UsageError } from './kit/command.js';
import type { CommandBody, ExitCode, OptionsOf } from './kit/command.js';
import { shownText } from './kit/node-io.js';
import type { CliIo } from './kit/node-io.js';
import { countText, factLines, report } from './kit/output.js';
import { textFile } from './inputs/trust-options.js';

const SHOW_OPTIONS = optionSpecs({
  ...EVIDENCE_TRUST_OPTIONS,
  note: 'print only the newest signed checkpoint, to be kept elsewhere',
});

const SHOW: CommandBody = {
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

async function runShow(options: OptionsOf<typeof SHOW_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const [operand, packId, ...more] = options.operands;
  refuseOperands({ operands: more });
  const directory = await requireStore(operand, io);
  const trust = await evidenceTrust(options, io, directory);
  if (packId !== undefined) {
    const reading = await readEvidencePack(directory, packId, trust);
    if (reading.status !== 'read') return reportMissing(reading, 'hopback.evidence-pack.1', options, io);
    const { manifest } = reading.pack;
    const proofs = reading.proofs.map(({ kind, inclusion }) => ({ kind, inclusion }));
    const document = { format: 'hopback.evidence-pack.1', status: 'read', manifest, proofs };
    return report(options, io, document, detailLines(reading.pack, proofs));
  }
  const { log, packs } = await listEvidence(directory, trust);
  const exitCode = log.status === 'broken' ? EXIT.negative : EXIT.ok;
  if (options.isOn('note') && log.status !== 'broken') {
    if (log.checkpoint !== undefined) io.stdout.write(log.checkpoint);
    return log.checkpoint === undefined ? EXIT.negative : EXIT.ok;
  }
  const lines = [...packs.map(packLine), logLine(log)];
  return report(options, io, { format: 'hopback.evidence-show.1', exitCode, log, packs }, lines);
}

function packLine({ packId, leafIndex, writtenAt, answerLeafIndex, receiptLeafIndex }: ListedPack): string {
  const answer = answerLeafIndex === undefined ? 'no signed answer' : `answer at entry ${String(answerLeafIndex)}`;
  const receipt = receiptLeafIndex === undefined ? '' : `, receipt at ${String(receiptLeafIndex)}`;
  return `  ${packId}  ${writtenAt}  entry ${String(leafIndex)}, ${answer}${receipt}`;
}

/** Why there is no pack. */
const MISSING = {
  'not-logged': 'the log has no entry of a pack of that name',
  'not-kept': 'the log has an entry of the pack, and its file is gone',
  unreadable: 'the log has an entry for the pack, but its file is not a pack',
} as const;

function reportMissing(
  reading: Exclude<EvidencePackReading, { readonly status: 'read' }>,
  format: string,
  options: OptionsOf<typeof EVIDENCE_TRUST_OPTIONS>,
  io: CliIo,
): ExitCode {
  const line = reading.status === 'log-broken' ? logLine(reading.log) : `✗ ${MISSING[reading.reason]}`;
  return report(options, io, { format, exitCode: EXIT.negative, ...reading }, [line]);
}

type Proof = Pick<Extract<EvidencePackReading, { readonly status: 'read' }>['proofs'][number], 'kind' | 'inclusion'>;

function detailLines({ manifest, answerJws }: EvidencePack, proofs: readonly Proof[]): readonly string[] {
  const signed = answerJws === undefined ? 'not signed' : 'signed';
  const facts = factLines([
    ['provider', manifest.provider.name],
    ['traceback', manifest.tracebackId],
    ['request', manifest.requestId],
    ['answer', `${manifest.answerId}, revision ${String(manifest.revision)}, ${signed}`],
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

const EXPORT_OPTIONS = optionSpecs({
  ...EVIDENCE_TRUST_OPTIONS,
  'out <FOLDER>': 'folder to write; created if it does not exist, and must be empty',
  'sign-key <FILE>':
    'private key (PEM) of the provider, which signs the whole folder. Its public key must be one that --key names. Without it, nobody can know whether a file was removed',
  pdf: 'add a PDF for people; needs --sign-key and the package pdfkit',
  vcon: 'add the pack as vCon, draft-ietf-vcon-vcon-core; needs --sign-key',
});

const EXPORT: CommandBody = {
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

async function runExport(options: OptionsOf<typeof EXPORT_OPTIONS>, io: CliIo): Promise<ExitCode> {
  const [operand, packId, ...more] = options.operands;
  refuseOperands({ operands: more });
  if (operand === undefined) throw new UsageError('say which folder of evidence: DIR');
  if (packId === undefined) throw new UsageError('say which pack: DIR PACK; hopback evidence show DIR lists them');
  const out = options.needed('out', 'say where to: --out FOLDER');
  const signKey = options.text('sign-key');
  if (signKey === undefined && (options.isOn('pdf') || options.isOn('vcon')))
    throw new UsageError('--pdf and --vcon need --sign-key FILE, which signs the folder');
  const directory = await requireStore(operand, io);
  const trust = await evidenceTrust(options, io, directory);
  const signer = signKey === undefined ? undefined : await exportSigner(signKey, trust, io);
  const reading = await readEvidencePack(directory, packId, trust);
  if (reading.status !== 'read') return reportMissing(reading, 'hopback.evidence-export.1', options, io);
  io.keepPrivate();
  const { pack, proofs, certificatePem } = reading;
  const files = await exportEvidencePack(out, {
    pack,
    proofs,
    publicKey: signingKey(pack, trust.publicKeys),
    logPublicKey: signingKey(proofs[0]?.checkpoint, trust.publicKeys),
    ...defined({ signer, certificatePem }),
    renderings: defined({
      pdf: options.isOn('pdf') ? await renderEvidencePdf(pack, proofs) : undefined,
      vcon: options.isOn('vcon') ? evidenceVcon(pack) : undefined,
    }),
  });
  return report(options, io, { format: 'hopback.evidence-export.1', packId, folder: out, files }, [
    `✓ ${countText(files.length, 'file')} in ${out}`,
    ...(signer === undefined ? ['! the folder is not signed: use --sign-key FILE'] : []),
    `· check it: sh ${out}/verify.sh`,
  ]);
}

/** @throws {@link HopbackError} `key-unusable` for a key that nobody would trust for this evidence; `storage-failed` */
async function exportSigner(path: string, trust: EvidenceTrust, io: CliIo): Promise<LogSigner> {
  const signer = createLogSigner(await textFile(path, io));
  if (trust.publicKeys.some((key) => key.equals(signer.publicKey))) return signer;
  throw new HopbackError('key-unusable', `${shownText(path)} is not the key of any signer of this evidence`);
}

const VERIFY_OPTIONS = optionSpecs({
  ...EVIDENCE_TRUST_OPTIONS,
  'log-key <FILE...>': 'like --key, for an exported pack whose log has another key',
  'export-key <FILE...>': 'like --key, for the signature of an exported folder as a whole',
  'platform-key <FILE...>':
    'like --key, for the receipts of the platform; without it, a receipt is only compared with the answer',
  'answer-key <FILE...>': 'like --key, for the signatures of answers; default those of --key',
});

type VerifyOptions = OptionsOf<typeof VERIFY_OPTIONS>;

/** Findings behind this many are counted: the first one is what is asked for. */
const SHOWN = 50;

const VERIFY: CommandBody = {
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
  const { directory, kind } = await evidenceFolder(operand, io);
  return kind === 'store' ? verifyStore(directory, options, io) : verifyPack(directory, options, io);
}

async function verifyStore(directory: string, options: VerifyOptions, io: CliIo): Promise<ExitCode> {
  const { areGiven, ...trust } = await evidenceTrust(options, io, directory);
  const verification = await verifyEvidenceStore(directory, { ...trust, ...(await otherKeys(options, io)) });
  const isWhole = verification.status !== 'failed';
  const exitCode = exitCodeOf(isWhole, areGiven && verification.status === 'passed');
  const lines = [...storeLines(verification), ...keyLines(isWhole && !areGiven)];
  return report(options, io, { format: 'hopback.evidence-verify.1', exitCode, kind: 'store', ...verification }, lines);
}

async function verifyPack(directory: string, options: VerifyOptions, io: CliIo): Promise<ExitCode> {
  const verification = await verifyEvidencePack(directory, {
    ...defined({
      publicKeys: await keysOf(options, io, 'key'),
      logPublicKeys: await keysOf(options, io, 'log-key'),
      exportKeys: await keysOf(options, io, 'export-key'),
    }),
    ...(await otherKeys(options, io)),
    checkpoints: await Promise.all(options.texts('checkpoint').map((path) => textFile(path, io))),
  });
  const exitCode = exitCodeOf(verification.status !== 'failed', verification.status === 'passed');
  const isByOwnKey = verification.status === 'indeterminate' && verification.reason === 'keys-from-the-pack';
  const lines = [...packLines(verification), ...keyLines(isByOwnKey)];
  return report(options, io, { format: 'hopback.evidence-verify.1', exitCode, kind: 'pack', ...verification }, lines);
}

/** Of those who sign answers and receipts. */
const otherKeys = async (options: VerifyOptions, io: CliIo) =>
  defined({
    answerKeys: await keysOf(options, io, 'answer-key'),
    receiptKeys: await keysOf(options, io, 'platform-key'),
  });

async function keysOf(options: VerifyOptions, io: CliIo, name: Parameters<VerifyOptions['texts']>[0]) {
  const keys = await publicKeyFiles(options.texts(name), io);
  return keys.length === 0 ? undefined : keys;
}

function exitCodeOf(isWhole: boolean, areKeysGiven: boolean): ExitCode {
  if (!isWhole) return EXIT.negative;
  return areKeysGiven ? EXIT.ok : EXIT.indeterminate;
}

function keyLines(isOwnKeyUsed: boolean): readonly string[] {
  if (!isOwnKeyUsed) return [];
  return ['? checked only with the key in the folder: to prove whose it is, give --key FILE from another source'];
}

function storeLines({ log, findings, notes, packs }: EvidenceStoreVerification): readonly string[] {
  const found = findings.map(({ leafIndex, packId, finding }) => {
    const which = packId === undefined ? '' : `, pack ${packId}`;
    return `✗ entry ${String(leafIndex)}${which}: ${findingText(finding)}`;
  });
  const said = notes.map(({ packId, note }) => `! pack ${packId}: ${noteText(note)}`);
  const looked =
    log.status !== 'broken'
      ? `${countText(packs, 'pack')} checked`
      : `the ${String(log.size)} before it are intact; ${countText(packs, 'pack')} of them checked`;
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

export const COMMANDS = { 'evidence verify': VERIFY, 'evidence show': SHOW, 'evidence export': EXPORT };
