import { isJsonObject } from '../../core/json-text.js';
import type { JsonObject, JsonValue } from '../../core/json-text.js';
import type { Attestation } from '../../core/telephone-number.js';

/** A party as a PASSporT names it. @see RFC 8225 section 5.2.1 */
export interface PassportParty {
  /** `tn`: a telephone number; `uri`: anything else that can call or be called. */
  readonly kind: 'tn' | 'uri';
  /** The number or URI: in claims exactly as signed, in `RequestParties` in canonical form. */
  readonly value: string;
}

/** The claims of a PASSporT in narrow types. Read, not yet compared with anything. */
export interface PassportClaims {
  /** When it was issued, whole seconds since the epoch. @see RFC 8225 section 5.1.1 */
  readonly iatSeconds: number;
  /** Who calls. */
  readonly orig: PassportParty;
  /** Who is called: at least one party. */
  readonly dest: readonly PassportParty[];
  /** shaken only: how well the signer knows the caller. */
  readonly attestation?: Attestation;
  /** shaken only: opaque, unique per call or per customer, as the signer pleases. */
  readonly origId?: string;
  /** div only: who diverted the call. */
  readonly div?: PassportParty;
  /** Types of your own only: what they claim beyond RFC 8225, as their `readClaims` returned it. */
  readonly extension?: JsonObject;
}

/** Result of reading a payload: claims, or everything that is wrong with them. */
export type ClaimsResult = ReturnType<PassportType['readClaims']>;

/**
 * One PASSporT type (`ppt`), as the verification service sees it. To verify a type of your own, hand it to the service as `passportTypes`;
 * signing does not use it.
 * @see RFC 8225 section 8
 * @example
 * ```ts
 * // What RFC 8225 asks of every PASSporT, and a claim of our own beside it, which never changes the verstat.
 * const campaign: PassportType = {
 *   ppt: 'x-campaign',
 *   role: 'annotation',
 *   compactForm: false,
 *   section: 'house rule 7',
 *   readClaims({ campaign: name, ...common }) {
 *     const read = base.readClaims(common);
 *     if (read.status === 'malformed') return read;
 *     if (typeof name === 'string') return { ...read, claims: { ...read.claims, extension: { campaign: name } } };
 *     const problem = { claim: 'campaign', expected: 'a string', actual: typeof name } as const;
 *     return { status: 'malformed', problems: [{ reason: 'claim-malformed', ...problem }] };
 *   },
 * };
 * console.log(campaign.readClaims({ campaign: 7 }).status); // malformed
 * ```
 */
export interface PassportType {
  /** The `ppt` value; undefined for a PASSporT without extension. */
  readonly ppt: string | undefined;
  /**
   * `caller` speaks for the calling number and decides the verstat; `diversion` is bound to another PASSporT of the call;
   * `annotation` adds a statement that never changes the verstat.
   */
  readonly role: 'caller' | 'diversion' | 'annotation';
  /** Whether the compact form can carry it: only a type without claims of its own. */
  readonly compactForm: boolean;
  /** Where the type is specified, for people: `RFC 8588`. */
  readonly section: string;
  /** Reads the payload, unsigned as far as it knows; must never throw, whatever is in it. */
  readonly readClaims: (payload: JsonObject) =>
    | { readonly status: 'read'; readonly claims: PassportClaims }
    | {
        readonly status: 'malformed';
        readonly problems: readonly {
          /** One of the {@link FAILURE_REASONS}. */
          readonly reason: 'claim-missing' | 'claim-malformed' | 'claim-not-permitted' | 'attest-invalid';
          /** Name of the claim, such as `orig`. */
          readonly claim: string;
          /** The shape that the type asks for. */
          readonly expected: string;
          /** What stood there, as JSON, shortened. */
          readonly actual: string;
        }[];
      };
  /**
   * A short cut for payload text in the exact spelling that signers of this type use; undefined for any other, which then goes
   * through the JSON parser and `readClaims`. Must never answer what those would not.
   */
  readonly readCanonical?: (payloadText: string) =>
    | {
        /** As the JSON parser would have read it. */
        readonly payload: JsonObject;
        /** As `readClaims` would have read them. */
        readonly claims: PassportClaims;
      }
    | undefined;
}

/** What {@link PassportType.readCanonical} reads: the payload, and its claims. */
export type CanonicalReading = NonNullable<ReturnType<NonNullable<PassportType['readCanonical']>>>;

/** What is wrong with a claim. */
type ClaimProblem = Extract<ClaimsResult, { readonly status: 'malformed' }>['problems'][number];

/** Collects what is wrong while claims are read. */
export interface ClaimReader {
  readonly payload: JsonObject;
  readonly problems: ClaimProblem[];
}

/** Starts reading a payload, noting each required claim that is absent. */
export function openClaims(payload: JsonObject, required: readonly string[]): ClaimReader {
  const problems: ClaimProblem[] = [];
  for (const claim of required) {
    if (payload[claim] === undefined) {
      problems.push({ reason: 'claim-missing', claim, expected: claim, actual: 'absent' });
    }
  }
  return { payload, problems };
}

/**
 * Reads `iat`: whole seconds since the epoch.
 * @see RFC 8225 section 5.1.1, RFC 7519 section 2 (NumericDate)
 */
export function readIat(reader: ClaimReader): number {
  const iat = reader.payload['iat'];
  if (iat === undefined) return 0;
  if (typeof iat === 'number' && Number.isInteger(iat) && iat >= 0 && iat <= MAX_IAT_SECONDS) return iat;
  reader.problems.push(malformedClaim('iat', `an integer from 0 to ${String(MAX_IAT_SECONDS)}`, iat));
  return 0;
}

/** Reads `orig` (or `div`): an object with exactly one of `tn` and `uri`, a string. @see RFC 8225 section 5.2.1 */
export function readParty(reader: ClaimReader, claim: string, extraKeys: readonly string[] = []): PassportParty {
  const value = reader.payload[claim];
  if (value === undefined) return NO_PARTY;
  if (isJsonObject(value)) {
    const { tn, uri } = value;
    if (hasOnly(value, extraKeys)) {
      if (uri === undefined && isPartyText(tn) && isTelephoneText(tn)) return { kind: 'tn', value: tn };
      if (tn === undefined && isPartyText(uri)) return { kind: 'uri', value: uri };
    }
  }
  reader.problems.push(malformedClaim(claim, 'an object with one of tn and uri, a string', value));
  return NO_PARTY;
}

/** Reads `dest`: an object with arrays `tn` and/or `uri`, at least one string in all. @see RFC 8225 section 5.2.1 */
export function readDest(reader: ClaimReader): readonly PassportParty[] {
  const value = reader.payload['dest'];
  if (value === undefined) return [];
  const parties: PassportParty[] = [];
  if (isJsonObject(value) && hasOnly(value, []) && addAll(parties, 'tn', value) && addAll(parties, 'uri', value)) {
    if (parties.length > 0) return parties;
  }
  reader.problems.push(malformedClaim('dest', 'an object with arrays of strings tn and/or uri', value));
  return [];
}

/** Closes the reader: the claims when nothing was wrong, else all problems. */
export function closeClaims(reader: ClaimReader, claims: PassportClaims): ClaimsResult {
  return reader.problems.length === 0 ? { status: 'read', claims } : { status: 'malformed', problems: reader.problems };
}

/** A claim of the wrong shape, with its value shortened for people. */
export function malformedClaim(claim: string, expected: string, actual: JsonValue): ClaimProblem {
  return { reason: 'claim-malformed', claim, expected, actual: shortJson(actual) };
}

/** JSON of a value, cut after a few dozen characters. */
export function shortJson(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

/** Beyond this JSON numbers are not exact. A date that is merely absurd is left to the freshness check. */
const MAX_IAT_SECONDS = Number.MAX_SAFE_INTEGER;
/** E.164 numbers have 15 digits and dial strings not many more; a URI of a user seldom exceeds 100 characters. */
const MAX_PARTY_CHARS = 256;
const MAX_SHOWN_CHARS = 64;
const NO_PARTY: PassportParty = { kind: 'uri', value: '' };

const isPartyText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_PARTY_CHARS;

/** Digits and what people write between them. Whether it is the number of the request is another question. */
function isTelephoneText(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if ((code < ZERO || code > NINE) && !DIALLED.includes(value.charAt(at))) return false;
  }
  return true;
}

const ZERO = 0x30;
const NINE = 0x39;
const DIALLED = '*#+-.() ';

function hasOnly(value: JsonObject, extraKeys: readonly string[]): boolean {
  for (const key in value) {
    if (key !== 'tn' && key !== 'uri' && !extraKeys.includes(key)) return false;
  }
  return true;
}

function addAll(parties: PassportParty[], kind: 'tn' | 'uri', value: JsonObject): boolean {
  const list = value[kind];
  if (list === undefined) return true;
  if (!Array.isArray(list)) return false;
  for (const entry of list as readonly JsonValue[]) {
    if (!isPartyText(entry) || (kind === 'tn' && !isTelephoneText(entry))) return false;
    parties.push({ kind, value: entry });
  }
  return true;
}

/**
 * The PASSporT without extension: caller, called party and time, nothing more. The one type that the compact form can carry.
 * @see RFC 8225
 */
export const base: PassportType = {
  ppt: undefined,
  role: 'caller',
  compactForm: true,
  section: 'RFC 8225 section 5',
  readClaims(payload) {
    const reader = openClaims(payload, ['dest', 'iat', 'orig']);
    return closeClaims(reader, {
      iatSeconds: readIat(reader),
      orig: readParty(reader, 'orig'),
      dest: readDest(reader),
    });
  },
};
