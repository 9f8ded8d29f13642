import type { KeyObject } from 'node:crypto';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../core/runtime/clock.js';
import { printableText } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { signatureFor } from '../../log/merkle-tree.js';
import type { InclusionProof, LogSigner } from '../../log/merkle-tree.js';
import { makeFolder, systemCode } from '../../log/log-files.js';
import { canonicalJson, hashInEntry, loggedHashes, parseEntry, sha256 } from './evidence-manifest.js';
import type { EvidenceFile, EvidenceManifest, EvidencePack, ExportStatement } from './evidence-manifest.js';
import type { evidenceVcon } from './evidence-vcon.js';
import type { LoggedProof } from './pack-store.js';

/** By which the commands of a script that checks a folder differ. */
export interface VerifyKeys {
  /** Entries of the log of which the folder has proofs. */
  readonly proofs: readonly Pick<LoggedProof, 'kind'>[];
  /** Of whoever signed `manifest.json`. */
  readonly publicKey: KeyObject;
  /** Of whoever signs for the log. */
  readonly logPublicKey: KeyObject;
  /** Signs `SHA256SUMS`, where anybody does. */
  readonly signer?: { readonly publicKey: KeyObject };
}

/** How OpenSSL checks a signature of a key over a file. */
function opensslVerify(
  key: KeyObject,
  names: {
    readonly key: string;
    readonly signature: string;
    readonly file: string;
  },
): string {
  return key.asymmetricKeyType === 'ed25519'
    ? `openssl pkeyutl -verify -pubin -inkey ${names.key} -rawin -in ${names.file} -sigfile ${names.signature}`
    : `openssl dgst -sha256 -verify ${names.key} -signature ${names.signature} ${names.file}`;
}

/**
 * A script for a POSIX shell that checks an exported pack, or another folder laid out as one, with openssl, sha256sum and the tools of every system:
 * every file by `SHA256SUMS`, its signature, the signature of `manifest.json` and the files that it names, the signed checkpoint, and that the entry
 * about the manifest is under it. Whoever changed a pack could change the script in it: `VERIFY.md` has the commands for typing by hand.
 * @param manifest - of the folder; only its id is written. In `manifest.json` each file stands as `"name":"…","sha256":"…"`, with no space
 * @param keys - by which the commands differ: kinds of keys, and what there are proofs of
 * @returns the script; never throws
 * @see RFC 9162 section 2.1.3.2
 * @example
 * ```ts
 * const { publicKey } = createLogSigner(createTestKey().privateKeyPem);
 * console.log(verifyScript({ packId: 'p-1' }, { proofs: [], publicKey, logPublicKey: publicKey }).slice(0, 9)); // #!/bin/sh
 * ```
 */
export function verifyScript(manifest: Pick<EvidenceManifest, 'packId'>, keys: VerifyKeys): string {
  const has = (kind: LoggedProof['kind']): boolean => keys.proofs.some((proof) => proof.kind === kind);
  const checks = [
    ...(keys.signer === undefined ? [] : ['check_export']),
    'check_sums',
    'check_manifest',
    ...(has('pack') ? ['check_checkpoint', 'check_entry manifestSha256 manifest.json log-entry.json proof.txt'] : []),
    ...(has('answer') ? ['check_entry jwsSha256 answer.jws answer-log-entry.json answer-proof.txt'] : []),
    ...(has('receipt') ? ['check_entry jwsSha256 receipt.jws receipt-log-entry.json receipt-proof.txt'] : []),
  ];
  return `#!/bin/sh
# Checks the evidence pack ${manifest.packId} in this folder: sh verify.sh [PUBLIC-KEY.pem [LOG-PUBLIC-KEY.pem [EXPORT-PUBLIC-KEY.pem]]]
# The second and the third are the first where they are left out. Without arguments the keys in the folder are used; whose they are, this
# cannot tell.
set -eu
begun_in=$PWD
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "NOT OK: $*" >&2; exit 1; }
# A key is where its path leads from where the script was called. Without one the signature says nothing.
named() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$begun_in/$1" ;; esac; }
for given in "$@"; do
  openssl pkey -pubin -in "$(named "$given")" -noout >"$work/openssl" 2>&1 || fail "there is no public key in $given"
done
key=\${1:+$(named "$1")}
log_key=\${2:+$(named "$2")}
export_key=\${3:+$(named "$3")}
log_key=\${log_key:-\${key:-log-public-key.pem}}
export_key=\${export_key:-\${key:-export-public-key.pem}}
key=\${key:-public-key.pem}
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
binary() { printf '%s' "$1" | openssl base64 -d -A; }
digest() { openssl dgst -sha256 -binary | openssl base64 -A; }
node() { { printf '\\001'; binary "$1"; binary "$2"; } | digest; }

check_sums() {
  sha256sum --quiet --strict -c SHA256SUMS || fail "a file is not what SHA256SUMS says"
  ls -A | while IFS= read -r name; do
    case $name in SHA256SUMS | SHA256SUMS.sig) continue ;; esac
    cut -c 67- SHA256SUMS | grep -qxF -e "$name" || printf '%s\\n' "$name"
  done >"$work/unlisted"
  [ ! -s "$work/unlisted" ] || fail "$(head -n 1 "$work/unlisted") is not in SHA256SUMS"
  find . ! -name . ! -type f >"$work/odd"
  [ ! -s "$work/odd" ] || fail "$(head -n 1 "$work/odd") is no file"
  echo "OK: every file is what SHA256SUMS says, and there is no other"
}
${exportCheck(keys)}
check_manifest() {
  ${opensslVerify(keys.publicKey, { key: '"$key"', signature: 'manifest.sig', file: 'manifest.json' })} >"$work/openssl" 2>&1 ||
    fail "manifest.json is not signed by the key"
  echo "OK: manifest.json is signed by the key"
  count=$(grep -o '"name":"[a-z0-9.-]*","sha256":"[0-9a-f]*"' manifest.json | tee "$work/files" | wc -l)
  while IFS='"' read -r _ _ _ name _ _ _ hash _; do
    [ "$(sum "$name")" = "$hash" ] || fail "$name is not what manifest.json says"
  done <"$work/files"
  [ "$count" -gt 0 ] || fail "manifest.json names no file"
  echo "OK: $((count)) files are what manifest.json says"
}

check_checkpoint() {
  head -n 3 checkpoint.txt >"$work/note"
  sed -n 5p checkpoint.txt | cut -d ' ' -f 3 | openssl base64 -d -A | tail -c +5 >"$work/note.sig"
  ${opensslVerify(keys.logPublicKey, { key: '"$log_key"', signature: '"$work/note.sig"', file: '"$work/note"' })} >"$work/openssl" 2>&1 ||
    fail "checkpoint.txt is not signed by the key of the log"
  echo "OK: checkpoint.txt is signed by the key of the log $(head -n 1 checkpoint.txt), over $(sed -n 2p checkpoint.txt) entries"
}

${CHECK_ENTRY}

${checks.join('\n')}
echo "${keys.signer === undefined ? 'The files are as they were signed. Nobody signed for the folder: whether a file was taken out is not known.' : 'The pack is whole.'}"
`;
}

/** Shell function: checks that the entry has the hash of the file, and that the proof leads from the entry to the root of the checkpoint. */
const CHECK_ENTRY = `# Hash in the entry, file it is of, entry of the log, proof. RFC 9162 section 2.1.3.2
check_entry() {
  grep -qF "\\"$1\\":\\"$(sum "$2")\\"" "$3" || fail "$3 is not about $2"
  [ "$(grep -oF "\\"$1\\":" "$3" | wc -l)" -eq 1 ] || fail "$3 names more than one hash"
  read -r leaf size <"$4"
  [ "$size" = "$(sed -n 2p checkpoint.txt)" ] || fail "$4 is for another checkpoint"
  hash=$({ printf '\\000'; cat "$3"; } | digest)
  fn=$leaf
  sn=$((size - 1))
  tail -n +2 "$4" >"$work/path"
  while read -r sibling; do
    [ "$sn" -gt 0 ] || fail "$4 has too many hashes"
    if [ $((fn % 2)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      hash=$(node "$sibling" "$hash")
      while [ $((fn % 2)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn / 2)); sn=$((sn / 2)); done
    else
      hash=$(node "$hash" "$sibling")
    fi
    fn=$((fn / 2))
    sn=$((sn / 2))
  done <"$work/path"
  [ "$sn" -eq 0 ] && [ "$hash" = "$(sed -n 3p checkpoint.txt)" ] || fail "$3 is not under checkpoint.txt"
  echo "OK: $2 is entry $leaf of the log, under checkpoint.txt"
}`;

function exportCheck({ signer }: VerifyKeys): string {
  if (signer === undefined) return '';
  const names = { key: '"$export_key"', signature: 'SHA256SUMS.sig', file: 'SHA256SUMS' };
  return `
check_export() {
  ${opensslVerify(signer.publicKey, names)} >"$work/openssl" 2>&1 ||
    fail "SHA256SUMS is not signed by the key"
  echo "OK: SHA256SUMS is signed by the key"
}
`;
}

/** The same by hand, for whoever does not run a stranger's script. */
export function verifyGuide(manifest: EvidenceManifest, keys: VerifyKeys): string {
  const { packId, signer } = manifest;
  const [provider, requestId, answerId, logId] = [
    manifest.provider.name,
    manifest.requestId,
    manifest.answerId,
    manifest.logId,
  ].map(inLine);
  const manifestVerify = opensslVerify(keys.publicKey, {
    key: 'public-key.pem',
    signature: 'manifest.sig',
    file: 'manifest.json',
  });
  const noteVerify = opensslVerify(keys.logPublicKey, {
    key: 'log-public-key.pem',
    signature: '"$work/note.sig"',
    file: '"$work/note"',
  });
  return `# Evidence pack ${packId}

Evidence of ${provider} for its answer ${answerId} to the traceback request ${requestId}. It can be checked with
openssl (3.0 or later) and sha256sum alone: \`sh verify.sh\`, or by hand as follows.

## 1. Every file is what it was, and none is missing

\`\`\`sh
${sumsCommands(keys)}
\`\`\`

${
  keys.signer === undefined
    ? `Nobody signed \`SHA256SUMS\`: that a file was taken out with its line would not show. Ask the provider for an export that is signed.`
    : `Whoever changes, adds or removes a file has to change \`SHA256SUMS\`, which is signed; \`ls -A\` shows whether there are files that it does not
name. \`export.json\` says when this was exported, and whether there was a signed answer and a receipt of the platform then.`
}

## 2. The manifest is signed

\`\`\`sh
${manifestVerify}
\`\`\`

\`manifest.json\` names each file of the pack with its SHA-256: compare them with those in \`SHA256SUMS\`. The key is the right one when
the SHA-256 of its DER is the one that the provider gave you elsewhere; here it is ${signer.publicKeySha256}.

\`\`\`sh
openssl pkey -pubin -in public-key.pem -outform DER | sha256sum
\`\`\`

## 3. The manifest is in the log

\`log-entry.json\` has the SHA-256 of \`manifest.json\`, and \`checkpoint.txt\` is what the log ${logId} signed: its name, how many entries it
has, and the root of the tree over them.

\`\`\`sh
sha256sum manifest.json; cat log-entry.json
work=$(mktemp -d)
head -n 3 checkpoint.txt > "$work/note"
sed -n 5p checkpoint.txt | cut -d ' ' -f 3 | openssl base64 -d -A | tail -c +5 > "$work/note.sig"
${noteVerify}
\`\`\`

\`proof.txt\` leads from the entry to the root (RFC 9162 section 2.1.3.2): the hash of the entry is SHA-256 of an octet 0 and the entry; the hash
of two nodes is SHA-256 of an octet 1 and both hashes. The function \`check_entry\` in \`verify.sh\` has each step.

A checkpoint that somebody else kept is worth more than the one in this folder: a log that was cut or written anew contradicts it.

${RECORDS_SECTION}`;
}

const RECORDS_SECTION = `## 4. The records are what the switch wrote

\`manifest.json\` lists under \`records\` which record was read from which bytes by which version of which reader, and the hash that the bytes had when
they were read. Of one row it is the hash of its file; of several, SHA-256 of their hashes in ascending order, each with a line feed behind it:

\`\`\`sh
sha256sum record-0001-row-0001.raw
sha256sum record-0001-row-*.raw | cut -d ' ' -f 1 | LC_ALL=C sort | sha256sum
\`\`\`

The certificate for the custodian to sign is \`custodian-certificate.txt\`. Federal Rule of Evidence 902(11) asks for reasonable written notice to the
other side, with the record and the certificate, before trial.
`;

function sumsCommands({ signer }: VerifyKeys): string {
  const names = { key: 'export-public-key.pem', signature: 'SHA256SUMS.sig', file: 'SHA256SUMS' };
  return [
    ...(signer === undefined ? [] : [opensslVerify(signer.publicKey, names)]),
    'sha256sum --strict -c SHA256SUMS',
    'ls -A',
  ].join('\n');
}

/** Whoever asked has named the request: no name of theirs becomes a command that somebody types. */
function inLine(text: string): string {
  return printableText(text, 256).replaceAll('`', "'");
}

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
  readonly renderings?: { readonly pdf?: Uint8Array; readonly vcon?: ReturnType<typeof evidenceVcon> };
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
function exportedFiles(pack: EvidencePack, frame: ExportFrame, exportedAt: string): readonly EvidenceFile[] {
  requireLogged(pack, frame.proofs);
  const files: EvidenceFile[] = [
    ...pack.files,
    fileOf(
      EXPORTED.manifest,
      'application/json',
      'What the pack holds, with the hash of each file.',
      pack.manifestOctets,
    ),
    fileOf(EXPORTED.signature, 'application/octet-stream', 'Signature over manifest.json.', pack.signature),
    text(EXPORTED.publicKey, 'Public key of the manifest signer.', pemOf(frame.publicKey)),
    text(EXPORTED.logPublicKey, 'Public key of the log signer.', pemOf(frame.logPublicKey)),
    ...(frame.signer === undefined
      ? []
      : [text(EXPORTED.exportKey, 'Public key of the SHA256SUMS signer.', pemOf(frame.signer.publicKey))]),
    ...(frame.certificatePem === undefined || frame.signer === undefined
      ? []
      : [text(EXPORTED.certificate, 'Certificate of the key of the manifest.', frame.certificatePem)]),
    ...signedFiles(pack, frame.proofs),
    ...proofFiles(frame.proofs),
    ...renderings(frame),
    fileOf(
      EXPORTED.statement,
      'application/json',
      'What the pack had when it was exported.',
      Buffer.from(canonicalJson(statementOf(pack, frame, exportedAt))),
    ),
    text(EXPORTED.script, 'Checks the pack with openssl and sha256sum.', verifyScript(pack.manifest, frame)),
    text(EXPORTED.guide, 'How to check the pack by hand.', verifyGuide(pack.manifest, frame)),
  ];
  const sums = files
    .map(({ name, octets: content }) => `${sha256(content)}  ${name}\n`)
    .toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
  return [...files, text(EXPORTED.sums, 'SHA-256 of every other file but its signature.', sums.join(''))];
}

/** An entry of what is not in the pack says that something was taken out of it. */
function requireLogged(pack: EvidencePack, proofs: readonly LoggedProof[]): void {
  const hashes = loggedHashes(pack);
  for (const { kind, octets: entryOctets, inclusion } of proofs) {
    const entry = parseEntry(entryOctets);
    if (entry?.packId === pack.manifest.packId && hashInEntry(entry) === hashes[kind]) continue;
    const { leafIndex } = inclusion;
    const what = `entry ${leafIndex} of the log is about another ${kind} than the pack has`;
    throw new HopbackError('log-inconsistent', what, { details: { leafIndex } });
  }
}

function statementOf(pack: EvidencePack, { proofs }: ExportFrame, exportedAt: string): ExportStatement {
  const { packId, logId } = pack.manifest;
  const stateOf = (kind: LoggedProof['kind']): ExportStatement['answer'] =>
    proofs.some((proof) => proof.kind === kind) ? 'in-the-pack' : 'none';
  return {
    format: 'hopback.exported-pack.1',
    packId,
    manifestSha256: sha256(pack.manifestOctets),
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
    throw new HopbackError('invalid-argument', 'a rendering of a pack must be signed: name a signer');
  }
  return [
    ...(pdf === undefined ? [] : [fileOf(EXPORTED.pdf, 'application/pdf', 'The pack for people.', pdf)]),
    ...(vcon === undefined
      ? []
      : [text(EXPORTED.vcon, 'The pack as vCon.', `${JSON.stringify(vcon, undefined, 2)}\n`)]),
  ];
}

function proofFiles(proofs: readonly LoggedProof[]): EvidenceFile[] {
  const [first] = proofs;
  if (first === undefined) return [];
  const entries = newestOfEachKind(proofs).flatMap(({ kind, octets: entry, inclusion, checkpoint }) => [
    fileOf(entryFileName(kind), 'application/json', 'Entry of the log, octet for octet.', entry),
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
 * A proof that an entry is in a log, as the script of `verifyScript` reads it: place and size, then a hash a line, in base64.
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

function fileOf(name: string, mediaType: string, what: string, content: Uint8Array): EvidenceFile {
  return { name, mediaType, what, octets: content };
}

/** Packs hold call records: nobody else reads them. */
const FILE_MODE = 0o600;
const SCRIPT_MODE = 0o700;

/**
 * Writes a pack to a folder that openssl and sha256sum alone can check: see its `VERIFY.md`, or run its `verify.sh`.
 * @param folder - made when it is not there; it has to be empty
 * @param exported - the pack, the proofs of the log about it (`packProofs`), the keys, and who signs for the folder; `clock` tells
 * when it was exported
 * @returns names of the files
 * @throws {@link HopbackError} `invalid-argument` when there are files in the folder, or renderings without a signer; `log-inconsistent`
 * where the log has an entry of what the pack does not have; `signer-failed`; `storage-failed` when the disk refuses
 * @see {@link verifyEvidencePack}
 * @example
 * ```ts
 * const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const folder = await mkdtemp(`${tmpdir()}/hopback-`);
 * await writeFile(`${folder}/note.txt`, 'not empty');
 * try {
 *   await exportEvidencePack(folder, {} as Parameters<typeof exportEvidencePack>[1]);
 * } catch (error) {
 *   console.log((error as { code: string }).code); // invalid-argument
 * }
 * await rm(folder, { recursive: true });
 * ```
 */
export async function exportEvidencePack(
  folder: string,
  exported: ExportFrame & { readonly pack: EvidencePack; readonly clock?: Clock },
): Promise<readonly string[]> {
  await requireEmpty(folder);
  const { pack, signer, clock } = exported;
  const exportedAt = new Date(clock?.nowMs() ?? Date.now()).toISOString();
  const files = exportedFiles(pack, exported, exportedAt);
  const signed = signer === undefined ? files : [...files, await signatureFile(files, signer)];
  for (const file of signed) await written(folder, file);
  return signed.map(({ name }) => name);
}

/** Over the hashes of every other file, so over all of the folder. */
async function signatureFile(files: readonly EvidenceFile[], signer: LogSigner): Promise<EvidenceFile> {
  const sums = files.find(({ name }) => name === EXPORTED.sums);
  return {
    name: EXPORTED.sumsSignature,
    mediaType: 'application/octet-stream',
    what: 'Signature over SHA256SUMS.',
    octets: await signatureFor(signer, sums?.octets ?? new Uint8Array(0)),
  };
}

async function requireEmpty(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    throw refused(cause);
  }
  throw new HopbackError('invalid-argument', 'the folder for the pack has files in it already');
}

async function written(folder: string, { name, octets }: EvidenceFile): Promise<void> {
  const path = join(folder, name);
  try {
    await writeFile(path, octets, { flag: 'wx', mode: FILE_MODE });
    if (name === EXPORTED.script) await chmod(path, SCRIPT_MODE);
  } catch (cause) {
    throw refused(cause);
  }
}

function refused(cause: unknown): HopbackError {
  const code = systemCode(cause);
  return new HopbackError('storage-failed', `the disk refuses to write the pack: ${code}`, {
    retryable: true,
    cause,
    details: { code },
  });
}
