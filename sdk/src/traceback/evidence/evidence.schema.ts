import { z } from 'zod';
import type { RecordFormat } from '../../core/call-record.js';
import type { ProviderReference } from '../../core/traceback-request.js';
import { readBySchema } from '../../core/schema-findings.js';
import type {
  EvidenceEntry,
  EvidenceFileEntry,
  EvidenceManifest,
  EvidencedRecord,
  ExportStatement,
} from './evidence-manifest.js';
import { canonicalJson } from './canonical-json.js';
import { EVIDENCE_RECORDS } from './evidence-manifest.js';

/** Ids of platforms and providers. */
const ID_LENGTH = 256;
const TEXT_LENGTH = 2_048;
/** As for raw rows of a record: those of all records together, and the other files. */
const FILES = 20_000;
/** A pack of 64 MiB in base64, and the manifest. */
const FILE_BYTES: number = 64 * 2 ** 20;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().min(1).max(ID_LENGTH);
const text = z.string().max(TEXT_LENGTH);
/** No path: a name of a file in the folder of the pack. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);
/** Of a pack: a UUID, or what the caller makes in its place; it is the name of a file. */
const packId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/);

const FORMATS: Readonly<Record<RecordFormat, true>> = {
  'asterisk-cdr': true,
  'asterisk-cel': true,
  'freeswitch-csv': true,
  'freeswitch-json': true,
  'kamailio-acc': true,
  'oracle-sbc': true,
  'ribbon-act': true,
  broadworks: true,
  hep: true,
  columns: true,
  hopback: true,
};

const provider: z.ZodType<ProviderReference> = z.object({
  providerId: z.exactOptional(id),
  name: text,
  ocn: z.exactOptional(text),
  spc: z.exactOptional(text),
  frn: z.exactOptional(text),
}) as z.ZodType<ProviderReference>;

const fileEntry: z.ZodType<EvidenceFileEntry> = z.object({
  name: fileName,
  sha256,
  sizeBytes: z.int().min(0).max(FILE_BYTES),
  mediaType: text,
  what: text,
});

const evidencedRecord: z.ZodType<EvidencedRecord> = z.object({
  recordId: id,
  sourceId: id,
  format: z.enum(Object.keys(FORMATS) as RecordFormat[]),
  readerVersion: z.int().min(0).max(1_000_000),
  sourceSha256: sha256,
  raw: z.enum(['kept', 'not-kept']),
  rawMatches: z.exactOptional(z.boolean()),
  file: fileName,
  rawFiles: z.array(fileName).max(FILES),
});

/** `manifest.json`; keys that are not known are let pass. */
const evidenceManifestSchema: z.ZodType<EvidenceManifest> = z.object({
  format: z.literal('hopback.evidence-manifest.1'),
  packId,
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  writtenAt: z.iso.datetime().max(40),
  provider,
  answerId: id,
  requestId: id,
  tracebackId: id,
  revision: z.int().min(1).max(1_000_000),
  software: z.object({ name: text, version: text }),
  signer: z.object({ algorithm: z.enum(['Ed25519', 'ES256']), publicKeySha256: sha256 }),
  logId: id,
  records: z.array(evidencedRecord).max(EVIDENCE_RECORDS),
  files: z.array(fileEntry).max(FILES).refine(hasEachOnce),
});

/** An entry of the log. */
const evidenceEntrySchema: z.ZodType<EvidenceEntry> = z.union([
  z.object({
    format: z.literal('hopback.evidence-entry.1'),
    kind: z.literal('pack'),
    packId,
    manifestSha256: sha256,
    writtenAt: z.iso.datetime().max(40),
  }),
  z.object({
    format: z.literal('hopback.evidence-entry.1'),
    kind: z.enum(['answer', 'receipt']),
    packId,
    jwsSha256: sha256,
    writtenAt: z.iso.datetime().max(40),
  }),
]);

/** Of two files of one name everybody would look at another. */
function hasEachOnce(files: readonly { readonly name: string }[]): boolean {
  return new Set(files.map(({ name }) => name)).size === files.length;
}

const exportStatementSchema: z.ZodType<ExportStatement> = z.object({
  format: z.literal('hopback.exported-pack.1'),
  packId,
  manifestSha256: sha256,
  exportedAt: z.iso.datetime().max(40),
  logId: id,
  logSize: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  answer: z.enum(['in-the-pack', 'none']),
  receipt: z.enum(['in-the-pack', 'none']),
});

/** A pack in one file: what the writer keeps until it is exported. Octets in base64. */
export interface StoredPack {
  readonly format: 'hopback.evidence-pack.1';
  readonly manifest: string;
  readonly signature: string;
  readonly files: readonly { readonly name: string; readonly octets: string }[];
}

/** What was added to a pack after the answer was signed. */
export interface StoredAnswer {
  readonly format: 'hopback.evidence-answer.1';
  readonly answerJws: string;
  readonly receiptJws?: string;
}

const base64 = z.string().max(Math.ceil((FILE_BYTES * 4) / 3) + 4);
/** Longer than any answer. */
const JWS_LENGTH: number = 2 ** 20;
const jws = z.string().max(JWS_LENGTH);

/** A pack as it is kept. */
const storedPackSchema: z.ZodType<StoredPack> = z.object({
  format: z.literal('hopback.evidence-pack.1'),
  manifest: base64,
  signature: z.string().max(200),
  files: z
    .array(z.object({ name: fileName, octets: base64 }))
    .max(FILES)
    .refine(hasEachOnce),
});

/** What was added to one. */
const storedAnswerSchema: z.ZodType<StoredAnswer> = z.object({
  format: z.literal('hopback.evidence-answer.1'),
  answerJws: jws,
  receiptJws: z.exactOptional(jws),
});

/** Name of a pack, which is that of its file. */
export function isPackId(value: string): boolean {
  return readBySchema(packId, value).success;
}

/** Reads `manifest.json`; undefined for what is none, or has another spelling than that of RFC 8785. Never throws. */
export function parseManifest(octets: Uint8Array): EvidenceManifest | undefined {
  return parsedAsSpelled(evidenceManifestSchema, octets);
}

/** Reads `export.json`; undefined for what is none. Never throws. */
export function parseExportStatement(octets: Uint8Array): ExportStatement | undefined {
  return parsedAsSpelled(exportStatementSchema, octets);
}

/** Reads an entry of the log; undefined for what is none, or has another spelling than that of RFC 8785. Never throws. */
export function parseEntry(octets: Uint8Array): EvidenceEntry | undefined {
  return parsedAsSpelled(evidenceEntrySchema, octets);
}

/** Reads a pack as it is kept; undefined for what is none. Never throws. */
export function parseStoredPack(octets: Uint8Array): StoredPack | undefined {
  return parsed(storedPackSchema, octets);
}

/** Reads what was added to a pack; undefined for what is none. Never throws. */
export function parseStoredAnswer(octets: Uint8Array): StoredAnswer | undefined {
  return parsed(storedAnswerSchema, octets);
}

/** A member that stands there twice would be read by one as the first and by another as the last. */
function parsedAsSpelled<Value>(schema: z.ZodType<Value>, octets: Uint8Array): Value | undefined {
  try {
    const spelling = Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8');
    return canonicalJson(JSON.parse(spelling)) === spelling ? parsed(schema, octets) : undefined;
  } catch {
    return undefined;
  }
}

function parsed<Value>(schema: z.ZodType<Value>, octets: Uint8Array): Value | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8'));
    const read = readBySchema(schema, value);
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
