import { createPublicKey, hash, X509Certificate, type KeyObject } from 'node:crypto';
import { isSignedBy } from '../../log/checkpoint.js';
import type { EvidenceManifest, EvidencePack, ExportStatement } from './evidence-manifest.js';
import { parseExportStatement } from './evidence.schema.js';
import { entryFileName, EXPORTED, proofFileName, SIGNED_FILES } from './exported-files.js';
import { publicKeySha256, type EvidenceFinding, type PackFindings } from './pack-findings.js';
import type { LoggedProof } from './pack-proof.js';

/** Files of a folder, by name. */
export type FolderFiles = ReadonlyMap<string, Uint8Array>;

/** What of a folder nobody but `SHA256SUMS` vouches for. */
const VOUCHED: readonly string[] = [EXPORTED.pdf, EXPORTED.vcon, EXPORTED.certificate];

/** Holds the folder of an exported pack against what was signed for it as a whole. Never throws, whatever is in it. */
export function exportFindings(
  files: FolderFiles,
  { pack, exportKeys }: { readonly pack: EvidencePack; readonly exportKeys: readonly KeyObject[] },
): PackFindings & { readonly isSigned: boolean } {
  const signature = signatureFindings(files, exportKeys);
  const findings = [
    ...signature.findings,
    ...sumFindings(files),
    ...unknownFiles(files, pack.manifest),
    ...statementFindings(files, pack),
    ...keyFindings(files, pack.manifest),
  ];
  const isWithout = pack.receiptJws === undefined;
  const receipt = isWithout ? [{ kind: 'receipt-not-attached' } as const] : [];
  return { findings, notes: [...receipt, ...signature.notes], isSigned: signature.isSigned };
}

/** Public keys of the folder itself. */
export function publicKeyIn(pem: Uint8Array | undefined): KeyObject[] {
  try {
    return pem === undefined ? [] : [createPublicKey(Buffer.from(pem).toString('utf8'))];
  } catch {
    return [];
  }
}

function signatureFindings(
  files: FolderFiles,
  exportKeys: readonly KeyObject[],
): PackFindings & { readonly isSigned: boolean } {
  const [sums, signature] = [files.get(EXPORTED.sums), files.get(EXPORTED.sumsSignature)];
  if (signature === undefined) {
    const unsigned = VOUCHED.filter((file) => files.has(file));
    const findings = unsigned.map((file): EvidenceFinding => ({ kind: 'file-unsigned', file }));
    return { findings, notes: [{ kind: 'export-unsigned' }], isSigned: false };
  }
  if (sums !== undefined && exportKeys.some((key) => isSignedBy(key, sums, signature))) {
    return { findings: [], notes: [], isSigned: true };
  }
  return { findings: [{ kind: 'export-signature-invalid', file: EXPORTED.sumsSignature }], notes: [], isSigned: false };
}

const SUM_LINE = /^([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9.-]{0,63})$/;

function sumFindings(files: FolderFiles): EvidenceFinding[] {
  const octets = files.get(EXPORTED.sums);
  if (octets === undefined) return [{ kind: 'file-missing', file: EXPORTED.sums }];
  const listed = new Set<string>([EXPORTED.sums, EXPORTED.sumsSignature]);
  const text = Buffer.from(octets).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  const found = lines.flatMap((line): EvidenceFinding[] => {
    const parts = SUM_LINE.exec(line);
    if (parts === null) return [{ kind: 'unreadable', file: EXPORTED.sums }];
    const [expected = '', file = ''] = parts.slice(1);
    listed.add(file);
    const content = files.get(file);
    if (content === undefined) return [{ kind: 'file-missing', file }];
    const actual = sha256(content);
    return actual === expected ? [] : [{ kind: 'file-changed', file, expected, actual }];
  });
  const unlisted = [...files.keys()].filter((file) => !listed.has(file));
  return [...found, ...unlisted.map((file): EvidenceFinding => ({ kind: 'file-unlisted', file }))];
}

const KINDS: readonly LoggedProof['kind'][] = ['pack', 'answer', 'receipt'];

function unknownFiles(files: FolderFiles, manifest: EvidenceManifest): EvidenceFinding[] {
  const known = new Set<string>([
    ...Object.values(EXPORTED),
    ...Object.values(SIGNED_FILES),
    ...KINDS.flatMap((kind) => [entryFileName(kind), proofFileName(kind, 'json'), proofFileName(kind, 'txt')]),
    ...manifest.files.map(({ name }) => name),
  ]);
  return [...files.keys()].filter((file) => !known.has(file)).map((file) => ({ kind: 'file-unknown', file }));
}

/** An entry without what it is about, and a statement of what is not there, say that something was taken out. */
function statementFindings(files: FolderFiles, pack: EvidencePack): EvidenceFinding[] {
  const octets = files.get(EXPORTED.statement);
  if (octets === undefined) return [{ kind: 'file-missing', file: EXPORTED.statement }];
  const statement = parseExportStatement(octets);
  if (statement === undefined) return [{ kind: 'unreadable', file: EXPORTED.statement }];
  const kinds = ['answer', 'receipt'] as const;
  return [...kinds.flatMap((kind) => presence(files, statement, kind)), ...identity(statement, pack)];
}

function presence(files: FolderFiles, statement: ExportStatement, kind: 'answer' | 'receipt'): EvidenceFinding[] {
  const file = SIGNED_FILES[kind];
  const isThere = files.has(file);
  const isStated = statement[kind] === 'in-the-pack';
  if (!isThere && (isStated || files.has(entryFileName(kind)))) return [{ kind: 'file-missing', file }];
  if (!isThere || isStated) return [];
  return [{ kind: 'export-differs', file: EXPORTED.statement, what: `it says that there was no ${file}` }];
}

function identity(statement: ExportStatement, { manifest, manifestOctets }: EvidencePack): EvidenceFinding[] {
  const isSame =
    statement.packId === manifest.packId &&
    statement.logId === manifest.logId &&
    statement.manifestSha256 === sha256(manifestOctets);
  return isSame ? [] : [{ kind: 'export-differs', file: EXPORTED.statement, what: 'it is of another pack' }];
}

/** Whoever hands a key over with what it signed says nothing of whose it is; that it is the right one can be said. */
function keyFindings(files: FolderFiles, { signer }: EvidenceManifest): EvidenceFinding[] {
  // Where the key was changed since, the certificate is of the one that signed for the folder.
  const ofFolder = publicKeyIn(files.get(EXPORTED.exportKey)).map(publicKeySha256);
  return [
    ...keyFinding(files.get(EXPORTED.publicKey), {
      file: EXPORTED.publicKey,
      read: publicKeyIn,
      expected: [signer.publicKeySha256],
    }),
    ...keyFinding(files.get(EXPORTED.certificate), {
      file: EXPORTED.certificate,
      read: certifiedKeyIn,
      expected: [signer.publicKeySha256, ...ofFolder],
    }),
  ];
}

interface ExpectedKey {
  readonly file: string;
  readonly read: (octets: Uint8Array | undefined) => readonly KeyObject[];
  /** SHA-256 of those that may be in it. */
  readonly expected: readonly string[];
}

function keyFinding(octets: Uint8Array | undefined, { file, read, expected }: ExpectedKey): EvidenceFinding[] {
  if (octets === undefined) return [];
  const [key] = read(octets);
  if (key === undefined) return [{ kind: 'unreadable', file }];
  return expected.includes(publicKeySha256(key)) ? [] : [{ kind: 'key-differs', file }];
}

function certifiedKeyIn(pem: Uint8Array | undefined): KeyObject[] {
  try {
    return [new X509Certificate(Buffer.from(pem ?? [])).publicKey];
  } catch {
    return [];
  }
}

function sha256(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'hex');
}
