import { hash } from 'node:crypto';
import { decodeBase64UrlText } from '../../core/base64url.js';
import type { EvidenceReference } from '../../core/traceback-request.js';
import { HopbackError } from '../../errors.js';
import type { EvidencePack } from './evidence-manifest.js';

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

function repairedText(text: string, { at, repairs }: Place): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  const octets = Buffer.from(text, 'utf16le').swap16();
  repairs.push({ at, why: 'half-surrogate', sha256: hash('sha256', octets, 'hex') });
  return text.replace(HALVES, '\ufffd');
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
  try {
    const value: unknown = JSON.parse(decodeBase64UrlText(payload) ?? '');
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
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
  if (kept === undefined || spelled(statement) === Buffer.from(kept.octets).toString('utf8')) return undefined;
  return 'it says something else than answer.json';
}

/** In what a receipt is of something else than the answer of the pack; undefined where it is of that. Never throws. */
export function receiptDifference({ manifest, answerJws }: EvidencePack, receiptJws: string): string | undefined {
  const payload = jwsPayload(receiptJws);
  if (payload === undefined) return 'it is no JWS over an object';
  if (payload['answerId'] !== manifest.answerId) return 'it is of another answer';
  if (answerJws === undefined) return 'there is no signed answer that it could be of';
  return payload['answerSha256'] === sha256(answerJws) ? undefined : 'it is of other bytes than answer.jws';
}

function spelled(value: unknown): string | undefined {
  try {
    // As the pack was made well-formed at its entrance.
    return canonicalJson(wellFormed(value).value);
  } catch {
    return undefined;
  }
}

function sha256(octets: Uint8Array | string): string {
  return hash('sha256', octets, 'hex');
}
