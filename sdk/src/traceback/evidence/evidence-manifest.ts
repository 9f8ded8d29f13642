import { hash } from 'node:crypto';
import { z } from 'zod';
import { decodeBase64UrlText } from '../../core/base64url.js';
import { attempt } from '../../core/runtime/deadline.js';
import { membersOf, parsedJson } from '../../core/text.js';
import { readBySchema } from '../../core/schema-findings.js';
import type { VerdictEvidence } from '../../core/verdict-evidence.js';
import { RecordFormat } from '../../contract/call-record.js';
import type { CallRecord } from '../../contract/call-record.js';
import type { BodyOf } from '../../contract/common.js';
import type { EvidenceReference, TracebackAnswer, TracebackRequest } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import type { MatchCandidate } from '../match-outcome.js';

/** How a system makes its records, as the carrier states it: what a custodian can certify. */
export interface RecordPractice {
  /** As in `CallRecord.source.id`. */
  readonly sourceId: string;
  /** Make, version and place of the system: `FreeSWITCH 1.10.12, session border controller edge-1`. */
  readonly system: string;
  /** What it writes of each call, where to: `one row of comma-separated values, to the file Master.csv`. */
  readonly writes: string;
  /** When, measured from what the record is about: `when the call ends, within one second`. */
  readonly writtenWhen: string;
  /** What it knows it from: `from the signalling of the call, which it carries itself; nobody enters a record by hand`. */
  readonly fromWhat: string;
  /** That it does so for every call, as a regular practice of the business: what is not so is left out of the list of practices. */
  readonly isRegularPractice: true;
  /** What the carrier keeps these records for: `billing and fault clearance`. */
  readonly purpose: string;
  /** How the clock of the system is kept: `ntpd against 192.0.2.123`. */
  readonly clock?: string;
  /** How long they are kept: `18 months, 47 CFR 42.6`. */
  readonly retention?: string;
}

/** Longest request that a pack keeps, octets: an e-mail with a recording of some minutes. */
export const EVIDENCE_REQUEST_BYTES: number = 16 * 2 ** 20;
/** Records of one answer at most: a call of many legs has dozens. */
export const EVIDENCE_RECORDS = 1_000;
/** As for raw rows of a record: those of all records together, and the other files. */
const FILES = 20_000;
/** A pack of 64 MiB in base64, and the manifest. */
const FILE_BYTES: number = 64 * 2 ** 20;

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
/** Ids of platforms and providers. */
const id = z.string().min(1).max(256);
const text = z.string().max(2_048);
const time = z.iso.datetime().max(40);
/** No path: a name of a file in the folder of the pack. */
const fileName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/);
/** Of a pack: a UUID, or what the caller makes in its place; it is the name of a file. */
const packId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/);

/** A file of a pack. */
const fileEntry = z.object({
  /** Lower-case letters, digits, dots and hyphens, at most 64. */
  name: fileName,
  /** SHA-256 of its octets, lower-case hex. */
  sha256: sha256Hex,
  sizeBytes: z.int().min(0).max(FILE_BYTES),
  mediaType: text,
  /** What it is, in a sentence. */
  what: text,
});

/** A record that an answer rests on. */
const evidencedRecord = z.object({
  recordId: id,
  sourceId: id,
  format: RecordFormat,
  /** Of the reader that made the record of its bytes. */
  readerVersion: z.int().min(0).max(1_000_000),
  /** Of the bytes that it was read from, as the record has it since it was read, lower-case hex. */
  sourceSha256: sha256Hex,
  /** `kept`: its bytes are in the pack; `not-kept`: the source is not described with `keepRaw`, there is the hash alone. */
  raw: z.enum(['kept', 'not-kept']),
  /** Whether the kept bytes have `sourceSha256`. Absent where none are kept. */
  rawMatches: z.exactOptional(z.boolean()),
  /** Name of the file with the record as it was read. */
  file: fileName,
  /** Names of the files with its bytes, a row or packet each. */
  rawFiles: z.array(fileName).max(FILES),
});

/** What a pack holds: the file `manifest.json`, in the spelling of RFC 8785, whose hash is in the log. Keys that are not known are let pass. */
export const EvidenceManifest = z.object({
  format: z.literal('hopback.evidence-manifest.1'),
  packId,
  /** Random: whoever has the hash alone cannot guess what was hashed. 32 hex digits. */
  salt: z.string().regex(/^[0-9a-f]{32}$/),
  /** RFC 3339 in UTC. */
  writtenAt: time,
  /** The provider whose answer it is. */
  provider: z.object({
    name: text,
    providerId: z.exactOptional(id),
    ocn: z.exactOptional(text),
    spc: z.exactOptional(text),
    frn: z.exactOptional(text),
  }),
  answerId: id,
  requestId: id,
  tracebackId: id,
  revision: z.int().min(1).max(1_000_000),
  /** The software that read, searched, decided and wrote. */
  software: z.object({ name: text, version: text }),
  /** Who signed it; `publicKeySha256`: SHA-256 of the SubjectPublicKeyInfo in DER, lower-case hex. */
  signer: z.object({ algorithm: z.enum(['Ed25519', 'ES256']), publicKeySha256: sha256Hex }),
  logId: id,
  records: z.array(evidencedRecord).max(EVIDENCE_RECORDS),
  files: z.array(fileEntry).max(FILES).refine(hasEachOnce),
});
export type EvidenceManifest = BodyOf<typeof EvidenceManifest>;
export type EvidenceFileEntry = EvidenceManifest['files'][number];
export type EvidencedRecord = EvidenceManifest['records'][number];

/** An entry of the log of evidence, in the spelling of RFC 8785. Hashes and references, no personal data: it stays forever. */
const evidenceEntry = z.union([
  z.object({
    format: z.literal('hopback.evidence-entry.1'),
    kind: z.literal('pack'),
    packId,
    /** Of the octets of `manifest.json`. */
    manifestSha256: sha256Hex,
    writtenAt: time,
  }),
  z.object({
    format: z.literal('hopback.evidence-entry.1'),
    kind: z.enum(['answer', 'receipt']),
    packId,
    /** Of the compact JWS. */
    jwsSha256: sha256Hex,
    writtenAt: time,
  }),
]);
export type EvidenceEntry = BodyOf<typeof evidenceEntry>;

/** What an exported pack had when it was exported: the file `export.json`, in the spelling of RFC 8785. */
const exportStatement = z.object({
  format: z.literal('hopback.exported-pack.1'),
  packId,
  /** Of the octets of `manifest.json`. */
  manifestSha256: sha256Hex,
  /** RFC 3339 in UTC, by the clock of whoever exported it. */
  exportedAt: time,
  logId: id,
  /** Entries of the log under `checkpoint.txt`; 0 where none was exported. */
  logSize: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Whether the signed answer was there and logged. */
  answer: z.enum(['in-the-pack', 'none']),
  /** Whether a receipt of the platform was there and logged. */
  receipt: z.enum(['in-the-pack', 'none']),
});
export type ExportStatement = BodyOf<typeof exportStatement>;

/** Of two files of one name everybody would look at another. */
function hasEachOnce(files: readonly { readonly name: string }[]): boolean {
  return new Set(files.map(({ name }) => name)).size === files.length;
}

/** A pack as it is kept. */
export interface EvidencePack {
  readonly manifest: EvidenceManifest;
  /** Octets of `manifest.json`: what was signed and logged. */
  readonly manifestOctets: Uint8Array;
  /** Over them: DER for ES256, 64 octets for Ed25519, as OpenSSL takes them. */
  readonly signature: Uint8Array;
  /** Those of the manifest, in its order. */
  readonly files: readonly {
    readonly name: string;
    readonly mediaType: string;
    readonly what: string;
    readonly octets: Uint8Array;
  }[];
  /** Compact JWS, once the answer was signed. */
  readonly answerJws?: string;
  /** Compact JWS, once the platform gave a receipt. */
  readonly receiptJws?: string;
}

export type EvidenceFile = EvidencePack['files'][number];

/** What an evidence pack is made of. */
export interface EvidenceMaterial {
  /** The request as it was read. */
  readonly request: TracebackRequest;
  /** As it came in, before anybody read it. */
  readonly received: {
    /** Octet for octet: the body of the webhook, the e-mail, the pasted text. At most 16 MiB. */
    readonly bytes: Uint8Array;
    /**
     * Whether `bytes` are those that came, which is the default, or `written-anew` by the program from what it had read, because nobody kept
     * what came: a custodian certifies which.
     */
    readonly octets?: 'as-they-came' | 'written-anew';
    /** `application/json`, `message/rfc822`, `text/plain`, … */
    readonly mediaType: string;
    /** How it came: `webhook`, `poll`, `events`, `e-mail`, `portal`, `command`. */
    readonly channel: string;
    /** RFC 3339 in UTC. */
    readonly receivedAt: string;
  };
  /** The answer that is about to be signed. Its `evidence`, if there is any, is passed over: it is what comes out. */
  readonly answer: TracebackAnswer;
  /** The records that the answer rests on, `source.raw` included where it is kept; empty where none was found. */
  readonly records: readonly CallRecord[];
  /** What spoke for the call that was chosen, and against it. */
  readonly reasons?: MatchCandidate['reasons'];
  /**
   * How far the clocks that wrote the records were off, as far as anybody measured it: one for each source, or one for all; empty says that
   * nothing is known.
   */
  readonly clocks: readonly (
    | {
        readonly status: 'measured';
        /** Name of the source, as in `CallRecord.source.id`; absent where it holds for all of them. */
        readonly sourceId?: string;
        /** What has to be added to the times of the records to have UTC, milliseconds. */
        readonly offsetMs: number;
        /** How far off that may be, milliseconds. */
        readonly uncertaintyMs: number;
        /** Against what: `ntp 192.0.2.123`. */
        readonly against: string;
        /** RFC 3339 in UTC. */
        readonly measuredAt: string;
      }
    /** Nobody measured it, and the pack says so. */
    | { readonly status: 'not-measured'; readonly sourceId?: string }
  )[];
  /** Of the call, where it is not in the records themselves. */
  readonly verdict?: VerdictEvidence;
  /** How it was decided what an answer says, and whether a machine may say it: every rule in the order in which it was applied. */
  readonly decision: {
    readonly policyId: string;
    /** SHA-256 of the policy as it was configured, lower-case hex. */
    readonly policySha256?: string;
    /** `automatic`, `person`, `refused`, or whatever the policy calls it. */
    readonly outcome: string;
    readonly steps: readonly {
      /** Name of the rule, as the policy has it. */
      readonly rule: string;
      /** What it looked at: name and value. No personal data that the answer does not hold as well. */
      readonly inputs: Readonly<Record<string, string | number | boolean | null>>;
      /** What came out: `passed`, `to-person`, `skipped`, or whatever the rule calls it. */
      readonly result: string;
      /** Why, for people. */
      readonly because?: string;
    }[];
  };
}

/** Deeper than anything that a pack holds. */
const DEEPEST_WRITTEN = 64;

/**
 * The one spelling of a JSON value: keys by UTF-16 code units, no space, numbers and strings as ECMAScript writes them; what is undefined is left
 * out, as JSON.stringify does.
 * @param value - what is to be written, nested at most 64 deep
 * @returns the text
 * @throws {@link HopbackError} `invalid-argument` for what JSON cannot hold: half a surrogate pair, a number that is not finite, a function
 * @see RFC 8785
 * @example
 * ```ts
 * console.log(canonicalJson({ sizeBytes: 3, name: 'a' })); // {"name":"a","sizeBytes":3}
 * ```
 */
export function canonicalJson(value: unknown): string {
  return written(value, 0);
}

function written(value: unknown, depth: number): string {
  if (depth > DEEPEST_WRITTEN) throw unwritable('nested too deeply');
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return stringText(value);
  if (Array.isArray(value)) {
    return `[${value.map((element) => written(element === undefined ? null : element, depth + 1)).join(',')}]`;
  }
  if (typeof value !== 'object') throw unwritable(`a ${typeof value}`);
  const members = value as Readonly<Record<string, unknown>>;
  const keys = Object.keys(members)
    .filter((key) => members[key] !== undefined)
    .toSorted(byCodeUnits);
  return `{${keys.map((key) => `${stringText(key)}:${written(members[key], depth + 1)}`).join(',')}}`;
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw unwritable('a number that is not finite');
  return JSON.stringify(value);
}

function stringText(value: string): string {
  if (/\p{Surrogate}/u.test(value)) throw unwritable('half a surrogate pair');
  return JSON.stringify(value);
}

function unwritable(what: string): HopbackError {
  return new HopbackError('invalid-argument', `an evidence pack cannot hold ${what}`);
}

/** A text that could not be kept as it was. */
export interface TextRepair {
  /** Where, as JSON Pointer (RFC 6901). */
  readonly at: string;
  /** `half-surrogate`: U+FFFD stands for each half of a pair without the other; `too-deep`: all below is left out. */
  readonly why: 'half-surrogate' | 'too-deep';
  /** SHA-256 of the text as it was, in UTF-16 with the higher octet first, lower-case hex; of what was nested too deeply, of nothing. */
  readonly sha256: string;
}

/** A value in which every text is one that UTF-8 can hold. */
interface WellFormed<Value> {
  readonly value: Value;
  readonly repairs: readonly TextRepair[];
}

/** Shallower than what has no spelling ({@link canonicalJson}): it is put into other things. */
const DEEPEST_READ = 48;

/**
 * Makes the texts of a value, its names included, such as UTF-8 can hold: JSON of a peer may have half a surrogate pair in it, for which RFC 8785
 * has no spelling. Octets stay as they are. Never throws for what JSON can hold.
 * @see RFC 8785 section 3.2.2.2, RFC 7493 section 2.1
 */
export function wellFormed<Value>(value: Value): WellFormed<Value> {
  const repairs: TextRepair[] = [];
  return { value: repaired(value, { at: '', depth: 0, repairs }) as Value, repairs };
}

interface Place {
  readonly at: string;
  readonly depth: number;
  readonly repairs: TextRepair[];
}

function repaired(value: unknown, place: Place): unknown {
  if (typeof value === 'string') return repairedText(value, place);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (place.depth > DEEPEST_READ) {
    place.repairs.push({ at: place.at, why: 'too-deep', sha256: hash('sha256', '', 'hex') });
    return null;
  }
  if (Array.isArray(value)) return value.map((element, index) => repaired(element, below(place, String(index))));
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const inner = below(place, name.replace(HALVES, '\ufffd'));
    members.set(freeName(members, repairedText(name, inner)), repaired(member, inner));
  }
  return Object.fromEntries(members);
}

const HALVES = /\p{Surrogate}/gu;

function repairedText(found: string, { at, repairs }: Place): string {
  if (!/\p{Surrogate}/u.test(found)) return found;
  const octets = Buffer.from(found, 'utf16le').swap16();
  repairs.push({ at, why: 'half-surrogate', sha256: hash('sha256', octets, 'hex') });
  return found.replace(HALVES, '\ufffd');
}

/** Two names that differ in such halves alone stay two. */
function freeName(members: ReadonlyMap<string, unknown>, name: string): string {
  let free = name;
  for (let ordinal = 2; members.has(free); ordinal += 1) free = `${name} (${String(ordinal)})`;
  return free;
}

function below({ at, depth, repairs }: Place, name: string): Place {
  return { at: `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth: depth + 1, repairs };
}

/** The object that a compact JWS is over, without verifying it; undefined where there is none. Never throws. */
export function jwsPayload(jws: string): Readonly<Record<string, unknown>> | undefined {
  const [, payload, signature, ...more] = jws.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  const value = jsonOf(Buffer.from(decodeBase64UrlText(payload) ?? ''));
  return typeof value === 'object' && value !== null ? membersOf(value) : undefined;
}

/** In what a signed answer is another than the pack was written for; undefined where it is that. Never throws. */
export function answerDifference(pack: EvidencePack, answerJws: string): string | undefined {
  const { manifest, manifestOctets, files } = pack;
  const payload = jwsPayload(answerJws);
  if (payload === undefined) return 'it is no JWS over an object';
  const { evidence, ...statement } = payload;
  const named = evidence as Partial<EvidenceReference> | undefined;
  if (named?.packId !== manifest.packId || named.manifestSha256 !== sha256(manifestOctets)) {
    return 'it names other evidence than this pack';
  }
  const kept = files.find(({ name }) => name === 'answer.json');
  // As the pack was made well-formed at its entrance.
  if (kept === undefined || spelled(wellFormed(statement).value) === Buffer.from(kept.octets).toString('utf8'))
    return undefined;
  return 'it says something else than answer.json';
}

/** In what a receipt is of something else than the answer of the pack; undefined where it is of that. Never throws. */
export function receiptDifference({ manifest, answerJws }: EvidencePack, receiptJws: string): string | undefined {
  const payload = jwsPayload(receiptJws);
  if (payload === undefined) return 'it is no JWS over an object';
  if (payload['answerId'] !== manifest.answerId) return 'it is of another answer';
  if (answerJws === undefined) return 'there is no signed answer for it';
  return payload['answerSha256'] === sha256(answerJws) ? undefined : 'its hash is not that of answer.jws';
}

const base64 = z.string().max(Math.ceil((FILE_BYTES * 4) / 3) + 4);
/** Longer than any answer. */
const jws = z.string().max(2 ** 20);

/** A pack in one file: what the writer keeps until it is exported. Octets in base64. */
const storedPack = z.object({
  format: z.literal('hopback.evidence-pack.1'),
  manifest: base64,
  signature: z.string().max(200),
  files: z
    .array(z.object({ name: fileName, octets: base64 }))
    .max(FILES)
    .refine(hasEachOnce),
});
export type StoredPack = BodyOf<typeof storedPack>;

/** What was added to a pack after the answer was signed. */
const storedAnswer = z.object({
  format: z.literal('hopback.evidence-answer.1'),
  answerJws: jws,
  receiptJws: z.exactOptional(jws),
});
export type StoredAnswer = BodyOf<typeof storedAnswer>;

/** Name of a pack, which is that of its file. */
export function isPackId(value: string): boolean {
  return readBySchema(packId, value).success;
}

/** Reads `manifest.json`; undefined for what is none, or has another spelling than that of RFC 8785. Never throws. */
export const parseManifest = (octets: Uint8Array): EvidenceManifest | undefined => asSpelled(EvidenceManifest, octets);
/** Reads `export.json`; undefined for what is none. Never throws. */
export const parseExportStatement = (octets: Uint8Array): ExportStatement | undefined =>
  asSpelled(exportStatement, octets);
/** Reads an entry of the log; undefined for what is none, or has another spelling than that of RFC 8785. Never throws. */
export const parseEntry = (octets: Uint8Array): EvidenceEntry | undefined => asSpelled(evidenceEntry, octets);
/** Reads a pack as it is kept; undefined for what is none. Never throws. */
export const parseStoredPack = (octets: Uint8Array): StoredPack | undefined => asSchema(storedPack, jsonOf(octets));
/** Reads what was added to a pack; undefined for what is none. Never throws. */
export const parseStoredAnswer = (octets: Uint8Array): StoredAnswer | undefined =>
  asSchema(storedAnswer, jsonOf(octets));

/** A member that stands there twice would be read by one as the first and by another as the last. */
function asSpelled<Value>(schema: z.ZodType<Value>, octets: Uint8Array): Value | undefined {
  const value = jsonOf(octets);
  return spelled(value) === textOf(octets) ? asSchema(schema, value) : undefined;
}

function asSchema<Value>(schema: z.ZodType<Value>, value: unknown): Value | undefined {
  const read = readBySchema(schema, value);
  return read.success ? read.data : undefined;
}

/** The value that a file of JSON is of; undefined for what is none. Never throws. */
export function jsonOf(octets: Uint8Array): unknown {
  return parsedJson(textOf(octets));
}

function textOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8');
}

/** The one spelling of a value; undefined for what has none. Never throws. */
export function spelled(value: unknown): string | undefined {
  return attempt(() => canonicalJson(value));
}

/** What entries of the log have the hashes of: the manifest, the signed answer and the receipt of a pack, as far as they are there. */
export function loggedHashes({ manifestOctets, answerJws, receiptJws }: EvidencePack) {
  return {
    pack: sha256(manifestOctets),
    answer: answerJws === undefined ? undefined : sha256(answerJws),
    receipt: receiptJws === undefined ? undefined : sha256(receiptJws),
  };
}

/** The hash that an entry of the log has. */
export function hashInEntry(entry: EvidenceEntry | undefined): string | undefined {
  return entry?.kind === 'pack' ? entry.manifestSha256 : entry?.jwsSha256;
}

/** Lower-case hex. */
export function sha256(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'hex');
}
