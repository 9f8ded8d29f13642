import { hash, type KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { isSignedBy } from '../../log/checkpoint.js';
import { answerDifference, jwsPayload, receiptDifference } from './answer-jws.js';
import type { EvidencePack } from './evidence-manifest.js';
import { manifestFindings, recordFindings } from './manifest-findings.js';

/** What is wrong with a pack. */
export type EvidenceFinding =
  /** The manifest, or what holds the pack, cannot be read. */
  | { readonly kind: 'unreadable'; readonly file: string }
  | { readonly kind: 'file-missing'; readonly file: string }
  /** The file has another hash than the manifest, or `SHA256SUMS`, says. */
  | { readonly kind: 'file-changed'; readonly file: string; readonly expected: string; readonly actual: string }
  /** A file that neither the manifest nor the layout of a pack knows of. */
  | { readonly kind: 'file-unknown'; readonly file: string }
  /** `SHA256SUMS` does not name the file: nobody signed for it. */
  | { readonly kind: 'file-unlisted'; readonly file: string }
  /** Nobody signed `SHA256SUMS`, which alone vouches for the file: a drawing of the pack, or a certificate. */
  | { readonly kind: 'file-unsigned'; readonly file: string }
  /** `SHA256SUMS` is not signed by the key. */
  | { readonly kind: 'export-signature-invalid'; readonly file: string }
  /** `export.json` says something else of the folder than is there. */
  | { readonly kind: 'export-differs'; readonly file: string; readonly what: string }
  /** The key, or the certificate, is of another key than the one that signed. */
  | { readonly kind: 'key-differs'; readonly file: string }
  | { readonly kind: 'manifest-signature-invalid'; readonly file: string }
  /** The bytes that a record was read from have another hash than the record. */
  | { readonly kind: 'raw-differs'; readonly recordId: string; readonly expected: string; readonly actual: string }
  /** A file says something else than the manifest says of it. */
  | { readonly kind: 'manifest-differs'; readonly file: string; readonly what: string }
  /** The signed answer says something else than the pack was written for, or names another pack. */
  | { readonly kind: 'answer-differs'; readonly file: string; readonly what: string }
  | { readonly kind: 'answer-signature-invalid'; readonly file: string }
  /** The receipt is of another answer, or of other bytes than those of the signed answer. */
  | { readonly kind: 'receipt-differs'; readonly file: string; readonly what: string }
  | { readonly kind: 'receipt-signature-invalid'; readonly file: string }
  /** The entry of the log is not about this pack, or this answer. */
  | { readonly kind: 'entry-differs'; readonly file: string }
  /** The hashes do not lead from the entry to the root of the checkpoint. */
  | { readonly kind: 'proof-invalid'; readonly file: string }
  | { readonly kind: 'checkpoint-invalid'; readonly file: string; readonly reason: string }
  /** A checkpoint that was handed in is not signed by a key of the log: it says nothing. */
  | { readonly kind: 'held-checkpoint-invalid'; readonly file: string; readonly reason: string }
  /** A checkpoint that was handed in has another root over as many entries: whoever holds the key showed two logs. */
  | { readonly kind: 'log-forked'; readonly file: string; readonly size: number };

/** What is not wrong, and has to be known. */
export type EvidenceNote =
  /** Of a record there is the hash of its bytes, and not the bytes. */
  | { readonly kind: 'raw-not-kept'; readonly recordId: string }
  /** When the pack was written the bytes had another hash already, and the pack says so. */
  | { readonly kind: 'raw-differed-when-written'; readonly recordId: string }
  /** There is no signed answer in the pack. */
  | { readonly kind: 'answer-not-attached' }
  /** There was no receipt of the platform when the pack was exported, and none is in it. */
  | { readonly kind: 'receipt-not-attached' }
  /** The receipt is of the answer; whether the platform signed it, a key of the platform would tell. */
  | { readonly kind: 'receipt-signature-unchecked' }
  /** Nobody signed for the folder as a whole: each file is as it was signed, and whether one was taken out is not known. */
  | { readonly kind: 'export-unsigned' }
  /** The answer is signed by a key that was not handed in. */
  | { readonly kind: 'answer-signature-unchecked' };

/** What was found. */
export interface PackFindings {
  readonly findings: readonly EvidenceFinding[];
  readonly notes: readonly EvidenceNote[];
}

/** What a pack is held against. */
export interface PackKeys {
  /** Of those who may sign manifests. */
  readonly publicKeys: readonly KeyObject[];
  /** Of those who may sign answers; default those of the manifests. */
  readonly answerKeys?: readonly KeyObject[];
  /** Of the platform that signs receipts; without any a receipt is held against the answer alone. */
  readonly receiptKeys?: readonly KeyObject[];
}

/** Holds a pack against its manifest, its signature, its records and its answer. Never throws, whatever the pack is. */
export async function packFindings(pack: EvidencePack, keys: PackKeys): Promise<PackFindings> {
  const answer = await answerFindings(pack, keys);
  const receipt = await receiptFindings(pack, keys);
  const contents = new Map(pack.files.map(({ name, octets }) => [name, octets]));
  const records = pack.manifest.records.map((record) => recordFindings(contents, record));
  const differing = manifestFindings(pack, contents);
  const isSigned = keys.publicKeys.some(
    (key) =>
      publicKeySha256(key) === pack.manifest.signer.publicKeySha256 &&
      isSignedBy(key, pack.manifestOctets, pack.signature),
  );
  return {
    findings: [
      ...(isSigned ? [] : [{ kind: 'manifest-signature-invalid', file: 'manifest.sig' } as const]),
      ...fileFindings(pack, contents),
      ...differing,
      ...records.flatMap(({ findings }) => findings),
      ...answer.findings,
      ...receipt.findings,
    ],
    notes: [...records.flatMap(({ notes }) => notes), ...answer.notes, ...receipt.notes],
  };
}

const NOTHING: PackFindings = { findings: [], notes: [] };

function fileFindings({ manifest, files }: EvidencePack, contents: ReadonlyMap<string, Uint8Array>): EvidenceFinding[] {
  const known = new Set(manifest.files.map(({ name }) => name));
  const unknown = files
    .filter(({ name }) => !known.has(name))
    .map(({ name }): EvidenceFinding => ({ kind: 'file-unknown', file: name }));
  const listed = manifest.files.flatMap(({ name, sha256: expected }): EvidenceFinding[] => {
    const octets = contents.get(name);
    if (octets === undefined) return [{ kind: 'file-missing', file: name }];
    const actual = sha256(octets);
    return actual === expected ? [] : [{ kind: 'file-changed', file: name, expected, actual }];
  });
  return [...listed, ...unknown];
}

async function answerFindings(pack: EvidencePack, keys: PackKeys): Promise<PackFindings> {
  const { answerJws } = pack;
  const file = 'answer.jws';
  if (answerJws === undefined) return { findings: [], notes: [{ kind: 'answer-not-attached' }] };
  if (jwsPayload(answerJws) === undefined) return { findings: [{ kind: 'unreadable', file }], notes: [] };
  const what = answerDifference(pack, answerJws);
  if (what !== undefined) return { findings: [{ kind: 'answer-differs', file, what }], notes: [] };
  const isGiven = keys.answerKeys !== undefined;
  if (await isJwsOf(answerJws, keys.answerKeys ?? keys.publicKeys)) return NOTHING;
  return isGiven
    ? { findings: [{ kind: 'answer-signature-invalid', file }], notes: [] }
    : { findings: [], notes: [{ kind: 'answer-signature-unchecked' }] };
}

async function receiptFindings(pack: EvidencePack, { receiptKeys }: PackKeys): Promise<PackFindings> {
  const { receiptJws } = pack;
  if (receiptJws === undefined) return NOTHING;
  const file = 'receipt.jws';
  const what = receiptDifference(pack, receiptJws);
  if (what !== undefined) return { findings: [{ kind: 'receipt-differs', file, what }], notes: [] };
  if (receiptKeys === undefined) return { findings: [], notes: [{ kind: 'receipt-signature-unchecked' }] };
  if (await isJwsOf(receiptJws, receiptKeys)) return NOTHING;
  return { findings: [{ kind: 'receipt-signature-invalid', file }], notes: [] };
}

async function isJwsOf(jws: string, keys: readonly KeyObject[]): Promise<boolean> {
  for (const key of keys) {
    try {
      await compactVerify(jws, key, { algorithms: ['ES256', 'EdDSA', 'Ed25519'] });
      return true;
    } catch {
      // Another key may be the right one.
    }
  }
  return false;
}

/** SHA-256 of the SubjectPublicKeyInfo in DER, lower-case hex. */
export function publicKeySha256(key: KeyObject): string {
  return sha256(key.export({ type: 'spki', format: 'der' }));
}

function sha256(octets: Uint8Array): string {
  return hash('sha256', octets, 'hex');
}
