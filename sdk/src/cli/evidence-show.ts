import { listEvidence, readEvidencePack } from '../traceback/index.js';
import type { EvidencePack, LoggedPack } from '../traceback/index.js';
import type { Command } from './command.js';
import { logLine } from './evidence-lines.js';
import {
  EVIDENCE_TRUST_OPTIONS,
  evidenceTrust,
  folderOperand,
  requireStore,
  type EvidenceTrust,
  type EvidenceTrustOption,
} from './evidence-trust.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { factLines, printJson, printLines } from './output.js';

type ShowOption = EvidenceTrustOption | 'note';
type ShowOptions = Options<ShowOption | 'json'>;

const OPTIONS: OptionSpecs<ShowOption> = {
  ...EVIDENCE_TRUST_OPTIONS,
  note: { text: 'print the newest signed checkpoint and nothing else, to be kept elsewhere' },
};

/** `hopback evidence show` */
export const evidenceShowCommand: Command = {
  name: 'evidence show',
  summary: 'list the packs of a folder of evidence, or show one',
  usage: ['DIR [PACK]', 'DIR --note'],
  options: OPTIONS,
  notes: [
    'A checkpoint is worth something once it has left the machine: hopback evidence show DIR --note > checkpoint.txt, and mail it to ' +
      'somebody, or hand it to the platform. hopback evidence verify --checkpoint takes it.',
    'Exit codes: 0 shown; 1 the log is not what was signed, or there is no such pack; 2 not understood; 4 the folder or a key is not usable.',
    '  hopback evidence show /var/lib/hopback/evidence',
  ],
  run,
};

async function run(options: ShowOptions, io: CliIo): Promise<ExitCode> {
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
