import { HopbackError } from '../errors.js';
import { createLogSigner } from '../log/index.js';
import type { LogSigner } from '../log/index.js';
import { evidenceVcon, exportEvidencePack, readEvidencePack, renderEvidencePdf } from '../traceback/index.js';
import type { EvidencePackReading } from '../traceback/index.js';
import { textFile } from './certificate-options.js';
import type { Command } from './command.js';
import { logLine } from './evidence-lines.js';
import { MISSING } from './evidence-show.js';
import {
  EVIDENCE_TRUST_OPTIONS,
  evidenceTrust,
  folderOperand,
  requireStore,
  signingKey,
  type EvidenceTrust,
  type EvidenceTrustOption,
} from './evidence-trust.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import type { CliIo } from './io.js';
import { refuseOperands } from './options.js';
import type { Options, OptionSpecs } from './options.js';
import { countText, printJson, printLines } from './output.js';
import { shownText } from './shown-text.js';
import { UsageError } from './usage-error.js';

type ExportOption = EvidenceTrustOption | 'out' | 'sign-key' | 'pdf' | 'vcon';

const OPTIONS: OptionSpecs<ExportOption> = {
  ...EVIDENCE_TRUST_OPTIONS,
  out: { value: 'FOLDER', text: 'where to; made when it is not there, and it has to be empty' },
  'sign-key': {
    value: 'FILE',
    text: 'private key of the provider, PEM, one of those of --key: signs for the folder as a whole. Without it nothing tells whether a file was taken out',
  },
  pdf: { text: 'with a PDF for people; needs --sign-key and the package pdfkit' },
  vcon: { text: 'with the pack as vCon, draft-ietf-vcon-vcon-core; needs --sign-key' },
};

/** `hopback evidence export` */
export const evidenceExportCommand: Command = {
  name: 'evidence export',
  summary: 'write a pack to a folder that openssl and sha256sum alone can check',
  usage: ['DIR PACK --out FOLDER [--pdf] [--vcon]'],
  options: OPTIONS,
  notes: [
    'The folder has the files of the pack, its signed manifest, the entries of the log with their proofs and a checkpoint, SHA256SUMS, and in ' +
      'VERIFY.md and verify.sh how to check all of it. It holds telephone numbers: whoever gets it has to be entitled to them.',
    'Exit codes: 0 written; 1 the log is not what was signed, or there is no such pack; 2 not understood; 4 a folder, a key or pdfkit is ' +
      'not usable.',
    '  hopback evidence export /var/lib/hopback/evidence 3f0c2a4e-… --out ./pack-7 --sign-key provider-key.pem --pdf',
  ],
  run,
};

async function run(options: Options<ExportOption | 'json'>, io: CliIo): Promise<ExitCode> {
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
