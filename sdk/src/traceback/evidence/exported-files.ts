import { hash, type KeyObject } from 'node:crypto';
import { HopbackError } from '../../errors.js';
import type { LogSigner } from '../../log/checkpoint.js';
import type { InclusionProof } from '../../log/merkle-tree.js';
import { canonicalJson } from './canonical-json.js';
import type { EvidenceFile, EvidencePack, ExportStatement } from './evidence-manifest.js';
import { parseEntry } from './evidence.schema.js';
import type { EvidenceVcon } from './evidence-vcon.js';
import type { LoggedProof } from './pack-proof.js';
import { verifyGuide, verifyScript } from './verify-script.js';

/** What is added to a pack when it is exported. */
export interface ExportFrame {
  readonly proofs: readonly LoggedProof[];
  /** Of whoever signed the manifest. */
  readonly publicKey: KeyObject;
  /** Of whoever signs for the log. */
  readonly logPublicKey: KeyObject;
  /**
   * Signs for the folder as a whole, so that nothing can be changed, put in or taken out: any that the reader trusts for the provider, such
   * as the signer of the manifest. Without it there are neither renderings nor the certificate in the folder, since nobody would vouch for
   * them, and {@link verifyEvidencePack} says `indeterminate`.
   */
  readonly signer?: LogSigner;
  /** PEM of the certificate for the key of the manifest, and those above it; left out without a signer. */
  readonly certificatePem?: string;
  /**
   * What lies beside the pack, for people and other programs: {@link renderEvidencePdf}, {@link evidenceVcon}. Takes a signer.
   */
  readonly renderings?: { readonly pdf?: Uint8Array; readonly vcon?: EvidenceVcon };
}

/** Names of files that an exported pack has beside those of its manifest. */
export const EXPORTED = {
  manifest: 'manifest.json',
  signature: 'manifest.sig',
  publicKey: 'public-key.pem',
  logPublicKey: 'log-public-key.pem',
  certificate: 'certificate.pem',
  sums: 'SHA256SUMS',
  sumsSignature: 'SHA256SUMS.sig',
  exportKey: 'export-public-key.pem',
  statement: 'export.json',
  script: 'verify.sh',
  guide: 'VERIFY.md',
  checkpoint: 'checkpoint.txt',
  pdf: 'evidence.pdf',
  vcon: 'evidence.vcon.json',
} as const;

/** Files with what a signed answer adds, by what the entry of the log is about. */
export const SIGNED_FILES = { answer: 'answer.jws', receipt: 'receipt.jws' } as const;

/** Name of the file with an entry of the log. */
export function entryFileName(kind: LoggedProof['kind']): string {
  return kind === 'pack' ? 'log-entry.json' : `${kind}-log-entry.json`;
}

/** Name of the file with the proof of an entry, and of the one for the shell. */
export function proofFileName(kind: LoggedProof['kind'], ending: 'json' | 'txt'): string {
  return kind === 'pack' ? `proof.${ending}` : `${kind}-proof.${ending}`;
}

/**
 * The files of an exported pack: those of the pack, its manifest with its signature, keys, entries of the log with their proofs, the hashes of all
 * of them as `sha256sum` takes them, and how to check them.
 * @param exportedAt - RFC 3339 in UTC
 * @returns the files; the last is that of the hashes, which is signed as it is
 * @throws HopbackError `log-inconsistent` where the log has an entry of what the pack does not have; `invalid-argument` for renderings that
 * nobody signs for
 */
export function exportedFiles(pack: EvidencePack, frame: ExportFrame, exportedAt: string): readonly EvidenceFile[] {
  requireLogged(pack, frame.proofs);
  const files: EvidenceFile[] = [
    ...pack.files,
    octets(
      EXPORTED.manifest,
      'application/json',
      'What the pack holds, with the hash of each file.',
      pack.manifestOctets,
    ),
    octets(EXPORTED.signature, 'application/octet-stream', 'Signature over manifest.json.', pack.signature),
    text(EXPORTED.publicKey, 'Public key of whoever signed the manifest.', pemOf(frame.publicKey)),
    text(EXPORTED.logPublicKey, 'Public key of whoever signs for the log.', pemOf(frame.logPublicKey)),
    ...(frame.signer === undefined
      ? []
      : [text(EXPORTED.exportKey, 'Public key of whoever signed SHA256SUMS.', pemOf(frame.signer.publicKey))]),
    ...(frame.certificatePem === undefined || frame.signer === undefined
      ? []
      : [text(EXPORTED.certificate, 'Certificate of the key of the manifest.', frame.certificatePem)]),
    ...signedFiles(pack, frame.proofs),
    ...proofFiles(frame.proofs),
    ...renderings(frame),
    octets(
      EXPORTED.statement,
      'application/json',
      'What the pack had when it was exported.',
      Buffer.from(canonicalJson(statementOf(pack, frame, exportedAt))),
    ),
    text(EXPORTED.script, 'Checks the pack with openssl and sha256sum.', verifyScript(pack.manifest, frame)),
    text(EXPORTED.guide, 'How to check the pack by hand.', verifyGuide(pack.manifest, frame)),
  ];
  const sums = files
    .map(({ name, octets: content }) => `${hash('sha256', content, 'hex')}  ${name}\n`)
    .toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
  return [...files, text(EXPORTED.sums, 'SHA-256 of every other file but its signature.', sums.join(''))];
}

/** An entry of what is not in the pack says that something was taken out of it. */
function requireLogged(pack: EvidencePack, proofs: readonly LoggedProof[]): void {
  const hashes = {
    pack: hash('sha256', pack.manifestOctets, 'hex'),
    answer: pack.answerJws === undefined ? undefined : hash('sha256', pack.answerJws, 'hex'),
    receipt: pack.receiptJws === undefined ? undefined : hash('sha256', pack.receiptJws, 'hex'),
  };
  for (const { kind, octets: entryOctets, inclusion } of proofs) {
    const entry = parseEntry(entryOctets);
    const logged = entry?.kind === 'pack' ? entry.manifestSha256 : entry?.jwsSha256;
    if (entry?.packId === pack.manifest.packId && logged === hashes[kind]) continue;
    const leafIndex = inclusion.leafIndex;
    throw new HopbackError(
      'log-inconsistent',
      `entry ${leafIndex} of the log is about another ${kind} than the pack has`,
      {
        details: { leafIndex },
      },
    );
  }
}

function statementOf(pack: EvidencePack, { proofs }: ExportFrame, exportedAt: string): ExportStatement {
  const { packId, logId } = pack.manifest;
  const stateOf = (kind: LoggedProof['kind']): ExportStatement['answer'] =>
    proofs.some((proof) => proof.kind === kind) ? 'in-the-pack' : 'none';
  return {
    format: 'hopback.exported-pack.1',
    packId,
    manifestSha256: hash('sha256', pack.manifestOctets, 'hex'),
    exportedAt,
    logId,
    logSize: proofs[0]?.inclusion.size ?? 0,
    answer: stateOf('answer'),
    receipt: stateOf('receipt'),
  };
}

/** What is signed and not logged yet is nothing that could be checked. */
function signedFiles({ answerJws, receiptJws }: EvidencePack, proofs: readonly LoggedProof[]): EvidenceFile[] {
  const isLogged = (kind: LoggedProof['kind']): boolean => proofs.some((proof) => proof.kind === kind);
  return [
    ...(answerJws === undefined || !isLogged('answer')
      ? []
      : [text(SIGNED_FILES.answer, 'The signed answer.', answerJws)]),
    ...(receiptJws === undefined || !isLogged('receipt')
      ? []
      : [text(SIGNED_FILES.receipt, 'The signed receipt.', receiptJws)]),
  ];
}

function renderings({ renderings: rendered = {}, signer }: ExportFrame): EvidenceFile[] {
  const { pdf, vcon } = rendered;
  if (signer === undefined && (pdf !== undefined || vcon !== undefined)) {
    throw new HopbackError('invalid-argument', 'nobody vouches for a rendering of a pack: a signer has to sign for it');
  }
  return [
    ...(pdf === undefined ? [] : [octets(EXPORTED.pdf, 'application/pdf', 'The pack for people.', pdf)]),
    ...(vcon === undefined
      ? []
      : [text(EXPORTED.vcon, 'The pack as vCon.', `${JSON.stringify(vcon, undefined, 2)}\n`)]),
  ];
}

function proofFiles(proofs: readonly LoggedProof[]): EvidenceFile[] {
  const [first] = proofs;
  if (first === undefined) return [];
  const entries = newestOfEachKind(proofs).flatMap(({ kind, octets: entry, inclusion, checkpoint }) => [
    octets(entryFileName(kind), 'application/json', 'Entry of the log, octet for octet.', entry),
    text(
      proofFileName(kind, 'json'),
      'Proof that the entry is under the checkpoint.',
      `${JSON.stringify({ format: 'hopback.inclusion-proof.1', ...inclusion, checkpoint }, undefined, 2)}\n`,
    ),
    text(
      proofFileName(kind, 'txt'),
      'The same proof for a shell: place and size, then a hash a line, in base64.',
      inclusionProofText(inclusion),
    ),
  ]);
  return [...entries, text(EXPORTED.checkpoint, 'Signed checkpoint of the log.', first.checkpoint)];
}

/**
 * A proof that an entry is in a log, as the script of {@link verifyScript} reads it: place and size, then a hash a line, in base64.
 * @param inclusion - hashes in lower-case hex
 * @returns the text of `proof.txt`; never throws
 * @see RFC 9162 section 2.1.3
 * @example
 * ```ts
 * console.log(inclusionProofText({ leafIndex: 0, size: 1, hashes: [] })); // 0 1
 * ```
 */
export function inclusionProofText(inclusion: InclusionProof): string {
  const { leafIndex, size, hashes } = inclusion;
  return [`${leafIndex} ${size}`, ...hashes.map(base64Of), ''].join('\n');
}

/** A pack that a crash had logged twice is proved once. */
function newestOfEachKind(proofs: readonly LoggedProof[]): LoggedProof[] {
  return [...new Map(proofs.map((proof) => [proof.kind, proof])).values()];
}

function base64Of(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function text(name: string, what: string, content: string): EvidenceFile {
  return { name, mediaType: 'text/plain', what, octets: Buffer.from(content, 'utf8') };
}

function octets(name: string, mediaType: string, what: string, content: Uint8Array): EvidenceFile {
  return { name, mediaType, what, octets: content };
}
