import { canonicalJson } from './canonical-json.js';
import type { EvidenceEntry, EvidenceFile, EvidenceManifest, EvidencePack } from './evidence-manifest.js';
import {
  parseManifest,
  parseStoredAnswer,
  parseStoredPack,
  type StoredAnswer,
  type StoredPack,
} from './evidence.schema.js';

/** A pack in one file. */
export function encodePack(pack: Pick<EvidencePack, 'manifestOctets' | 'signature' | 'files'>): Buffer {
  const stored: StoredPack = {
    format: 'hopback.evidence-pack.1',
    manifest: base64Of(pack.manifestOctets),
    signature: base64Of(pack.signature),
    files: pack.files.map(({ name, octets }) => ({ name, octets: base64Of(octets) })),
  };
  return Buffer.from(JSON.stringify(stored));
}

/** What was added to a pack, in one file. */
export function encodeAnswer(answer: Omit<StoredAnswer, 'format'>): Buffer {
  return Buffer.from(JSON.stringify({ format: 'hopback.evidence-answer.1', ...answer }));
}

/** Reads a pack; undefined for what is none. What its files are is for whoever verifies. Never throws. */
export function decodePack(octets: Uint8Array, answer?: Uint8Array): EvidencePack | undefined {
  const stored = parseStoredPack(octets);
  if (stored === undefined) return undefined;
  const manifestOctets = Buffer.from(stored.manifest, 'base64');
  const manifest = parseManifest(manifestOctets);
  if (manifest === undefined) return undefined;
  const added = answer === undefined ? undefined : parseStoredAnswer(answer);
  return {
    manifest,
    manifestOctets,
    signature: Buffer.from(stored.signature, 'base64'),
    files: filesOf(
      manifest,
      stored.files.map(({ name, octets: text }) => ({ name, octets: Buffer.from(text, 'base64') })),
    ),
    ...(added === undefined ? {} : { answerJws: added.answerJws }),
    ...(added?.receiptJws === undefined ? {} : { receiptJws: added.receiptJws }),
  };
}

/** Files as the manifest describes them. */
export function filesOf(
  manifest: EvidenceManifest,
  contents: readonly { readonly name: string; readonly octets: Uint8Array }[],
): readonly EvidenceFile[] {
  const entries = new Map(manifest.files.map((entry) => [entry.name, entry]));
  return contents.map(({ name, octets }) => {
    const entry = entries.get(name);
    return { name, mediaType: entry?.mediaType ?? '', what: entry?.what ?? '', octets };
  });
}

/** Octets of an entry of the log. */
export function encodeEntry(entry: EvidenceEntry): Buffer {
  return Buffer.from(canonicalJson(entry));
}

function base64Of(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('base64');
}
