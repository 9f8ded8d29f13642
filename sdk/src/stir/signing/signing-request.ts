import { decodeBase64Url } from '../../core/base64url.js';
import type { JsonObject } from '../../core/json-text.js';
import { attempt } from '../../core/runtime/deadline.js';
import { splitIdentityHeader } from '../../core/sip-request.js';
import { canonicalTelephoneNumber, isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { NumberingPlan, Attestation, CanonicalTn } from '../../core/telephone-number.js';
import type { X5uRefusal } from '../certificates/repository.js';
import { checkX5uUrl } from '../certificates/x5u-url-policy.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import { parseIdentityHeader } from '../identity-header.js';
import type { IdentityHeader } from '../identity-header.js';
import type { PassportHeader } from '../passport.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import { PASSPORT_TYPES, passportTypeRegistry, isCompactForm, parsePassport } from '../passport.js';
import { canonicalParty, formatSipDate, readParties, readSipDate } from '../verification/request.js';
import type { PartyOptions, VerificationRequest } from '../verification/request.js';
import type { AttestationFacts } from './attestation-policy.js';
import { notSigned, refused } from './signing-outcome.js';
import type { NotSigned, RefusedSigning } from './signing-outcome.js';

/**
 * Whether an Identity header value has everything that makes one speak for a caller, short of being true. Full form: ES256,
 * `passport`, no extension to be understood, a URL that may be fetched and that `info` does not contradict, a type that speaks for
 * callers or continues what does, its claims in their shape, 64 octets of signature. Compact form, whose claims are the request's:
 * `info` and 64 octets.
 *
 * Nothing is verified: certificate and signature may be anybody's, the claims may be of another call.
 * @see RFC 8224 sections 4 and 4.1, RFC 8225 sections 4 to 7
 */
function speaksForCaller(value: string): boolean {
  const parsed = parseIdentityHeader(value);
  if (parsed.status === 'malformed') return false;
  const { token, alg = 'ES256', infoMalformed } = parsed.identityHeader;
  if (alg !== 'ES256' || infoMalformed) return false;
  return isCompactForm(token) ? isCompactStatement(parsed.identityHeader) : isFullStatement(parsed.identityHeader);
}

/** What can be told of the compact form: a type that has one, where the certificate is, and as many octets as a signature has. */
function isCompactStatement({ token, info, ppt }: IdentityHeader): boolean {
  if (info === undefined || SPEAKING_TYPES.get(ppt)?.compactForm !== true) return false;
  const signature = decodeBase64Url(token.slice(token.lastIndexOf('.') + 1));
  return signature?.length === ES256_SIGNATURE_OCTETS && isPlausible(info);
}

function isFullStatement(identityHeader: IdentityHeader): boolean {
  const parsed = parsePassport(identityHeader.token);
  if (parsed.status === 'malformed') return false;
  const { header, payload, signature } = parsed.passport;
  if (signature.length !== ES256_SIGNATURE_OCTETS || !isSound(header, identityHeader)) return false;
  const { ppt } = header;
  if (ppt === 'div-o') return isDivWithOriginal(payload);
  const type = ppt === undefined || typeof ppt === 'string' ? SPEAKING_TYPES.get(ppt) : undefined;
  return type?.readClaims(payload).status === 'read';
}

/** A div, and what it diverts in `opt`. It is not verified here, and speaks for the caller all the same. @see RFC 8946 section 5 */
function isDivWithOriginal(payload: JsonObject): boolean {
  const { opt, ...claims } = payload;
  return typeof opt === 'string' && opt !== '' && SPEAKING_TYPES.get('div')?.readClaims(claims).status === 'read';
}

/** The header that verifiers take, and parameters that do not contradict it. */
function isSound(header: PassportHeader, { info, ppt }: IdentityHeader): boolean {
  const { alg, typ, x5u, crit, b64 } = header;
  if (alg !== 'ES256' || typ !== 'passport' || crit !== undefined || b64 !== undefined) return false;
  if (ppt !== undefined && ppt !== header.ppt) return false;
  return typeof x5u === 'string' && (info === undefined || info === x5u) && isPlausible(x5u);
}

/**
 * A URL that a verifier somewhere goes to. Which names, addresses and ports laboratories permit beside the public ones is not known
 * here, and asking for public ones would stop nobody: whoever makes things up makes up a public name.
 */
function isPlausible(url: string): boolean {
  const checked = checkX5uUrl(url);
  return checked.status === 'permitted' || (LIFTED_IN_LABORATORIES.has(checked.reason) && URL.canParse(url));
}

/** What an `X5uAllowList` makes exceptions from. */
const LIFTED_IN_LABORATORIES: ReadonlySet<X5uRefusal> = new Set([
  'address-special-purpose',
  'host-not-permitted',
  'port-not-permitted',
]);

/** Types that only add a statement leave the caller to others. */
const SPEAKING_TYPES = passportTypeRegistry(PASSPORT_TYPES.filter((type) => type.role !== 'annotation'));

/**
 * One call to be signed: what every request says, and the parties. A request names these as the SIP request does, by header field values
 * as received, without the header names; or, with `origTn`, by number.
 */
export type SigningRequest = {
  /** What the provider knows of the call, for its attestation policy. */
  readonly facts: AttestationFacts;
  /**
   * Identity header values that the request has already; one string may hold several. One that looks like the signature of a caller
   * leaves the call unsigned, and none is verified here: give no values of a customer who has no certificate to sign with.
   */
  readonly identity?: string | readonly string[];
  /** Value of the Date header, if there is one. */
  readonly date?: string;
  /** Per-call off switch: `false` leaves the call unsigned. */
  readonly sign?: boolean;
  /** A level decided elsewhere; heard only where the policy lets requests bring one, and only with `attestationBasis`. */
  readonly attestation?: Attestation;
  /** What that level rests on: a sentence for the record, not blank, at most `MAX_BASIS_CHARS` characters. */
  readonly attestationBasis?: string;
  /** A UUID that stands for the customer, trunk or kind of device. Default a new one for each call. @see RFC 8588 section 5 */
  readonly origId?: string;
} & (
  | {
      /** Value of From. */
      readonly from?: string;
      /** Values of P-Asserted-Identity; where it has a number it names the caller, unless the service is told otherwise. */
      readonly pAssertedIdentity?: string | readonly string[];
      /** Value of To. */
      readonly to?: string;
      /** The Request-URI, bare: where the call is headed now, which tells emergency calls whatever To says. */
      readonly requestUri?: string;
    }
  | {
      /**
       * The calling number. In canonical form (country code and number, `*`, `#`) it is signed as it is; with `+` or separators it is made
       * canonical first. Digits that the numbering plan reads otherwise, such as ten national ones, are refused: write them with `+`.
       */
      readonly origTn: string;
      /** Called numbers, spelled as `origTn`; at most `MAX_DESTINATIONS` together with `destUri`. */
      readonly destTn?: string | readonly string[];
      /** Called parties that have no number: SIP URIs of at most 256 characters. */
      readonly destUri?: string | readonly string[];
      /** Time of issue, seconds since the epoch; at most 30 from now. Default now. */
      readonly iatSeconds?: number;
    }
);

/** A request that names the parties by number. */
export type NumberSigningRequest = Extract<SigningRequest, { readonly origTn: string }>;

/** A request that names the parties as the SIP request does. */
type SipSigningRequest = Exclude<SigningRequest, NumberSigningRequest>;

/** Most destinations of one PASSporT: a group call; with numbers its Identity header stays far below 8 KiB. */
export const MAX_DESTINATIONS = 32;

/** Longest URI of a destination, characters: verifiers do not look at longer ones. */
export const MAX_DESTINATION_CHARS = 256;

/** Who calls whom, as a PASSporT will say it. */
export interface SigningParties {
  readonly status: 'read';
  /** The caller. */
  readonly origTn: CanonicalTn;
  /** Called numbers; together with `destUri` at least one. */
  readonly destTn: readonly CanonicalTn[];
  /** Called parties without a number. */
  readonly destUri: readonly string[];
}

/**
 * Reads caller and called parties. A caller that cannot be made a global number is still signed for, as dialled; one without any
 * number is not: SHAKEN speaks for telephone numbers. A called party without a number is named by its URI.
 * @see RFC 8224 sections 8.1, 8.3 and 8.5, RFC 8588 section 6
 */
export function readSigningParties(
  request: SigningRequest,
  options: PartyOptions,
): SigningParties | NotSigned<'no-usable-number'> | RefusedSigning<'request-invalid'> {
  const plan = options.numberingPlan;
  if ('origTn' in request) return readNumbers(request, plan);
  const parties = readParties(partyHeaders(request, options), options);
  if (parties.orig?.kind !== 'tn') return NO_CALLING_NUMBER;
  const dest = parties.dest[0] ?? targetOf(request, options);
  if (dest === undefined || dest.value.length > MAX_DESTINATION_CHARS) return NO_CALLED_PARTY;
  const origTn = parties.orig.value;
  return dest.kind === 'tn'
    ? { status: 'read', origTn, destTn: [dest.value], destUri: NO_URIS }
    : { status: 'read', origTn, destTn: [], destUri: [dest.value] };
}

/** A text that one numbering plan and another read as different numbers. */
export const AMBIGUOUS_NUMBER: unique symbol = Symbol('ambiguous-number');

/**
 * Brings a number that somebody names into canonical form. Digits that the plan reads as another number, such as ten national
 * ones, are neither taken as they are nor expanded: +49 30 123456 has ten digits as well, and one of the two would be signed for the
 * other. With `+` there is no doubt.
 * @returns the number, {@link AMBIGUOUS_NUMBER}, or undefined when it is none; never throws
 * @see RFC 8224 section 8.3
 */
export function numberToSign(text: unknown, plan: NumberingPlan): CanonicalTn | typeof AMBIGUOUS_NUMBER | undefined {
  if (typeof text !== 'string') return undefined;
  const number = canonicalTelephoneNumber(text, plan);
  if (!isCanonicalTelephoneNumber(text)) return number.kind === 'none' ? undefined : number.tn;
  return number.kind === 'none' || number.tn === text ? text : AMBIGUOUS_NUMBER;
}

/** @internal */
export const AMBIGUOUS: RefusedSigning<'request-invalid'> = refused(
  'request-invalid',
  'A number of the request can be read as national or as international.',
  { expected: 'a number with + or with its country code, which the numbering plan reads in one way' },
);

/**
 * Whether a request speaks for its caller already, so that nobody may sign it again: it carries a shaken, div or plain PASSporT with
 * everything that such a one must have. Types that only add a statement leave room, and so does a value that no verifier could
 * make anything of, lest a scribble in place of an Identity kept a call from being traceable.
 *
 * Nothing of it is verified: signing does not wait for certificates. Whoever takes the trouble can still bring an Identity that looks
 * right and is not; a provider leaves out what customers bring, or verifies it first.
 * @see RFC 8224 sections 4.1 and 9
 */
export function isSignedAlready(identity: string | readonly string[] | undefined): boolean {
  return identity !== undefined && identityValues(identity).some(speaksForCaller);
}

/** All Identity values of a request, each by itself. @see RFC 8224 section 9 */
export function identityValues(identity: string | readonly string[] | undefined): readonly string[] {
  if (typeof identity === 'string') return splitIdentityHeader(identity);
  if (!Array.isArray(identity)) return [];
  return (identity as readonly string[]).flatMap((value) =>
    typeof value === 'string' ? splitIdentityHeader(value) : [],
  );
}

const NO_URIS: readonly string[] = [];

const NO_CALLING_NUMBER = notSigned('no-usable-number', 'Neither P-Asserted-Identity nor From has a telephone number.');
const NO_CALLED_PARTY = notSigned('no-usable-number', 'The request names no called party that a PASSporT can name.');

/** Only texts go further: requests also come from JavaScript and from JSON. The Request-URI only where it is the first choice. */
function partyHeaders(request: SipSigningRequest, options: PartyOptions): VerificationRequest {
  const { from, pAssertedIdentity, to, requestUri } = request;
  const headers: Writable<VerificationRequest> = { identity: '' };
  if (typeof from === 'string') headers.from = from;
  if (typeof pAssertedIdentity === 'string' || isTextList(pAssertedIdentity)) {
    headers.pAssertedIdentity = pAssertedIdentity;
  }
  if (typeof to === 'string') headers.to = to;
  if (options.destination === 'request-uri' && typeof requestUri === 'string') headers.requestUri = requestUri;
  return headers;
}

/** The party that the Request-URI names: where the call is headed now. @see RFC 8224 section 8.5 */
export function targetOf(request: SipSigningRequest, options: PartyOptions): PassportParty | undefined {
  const { requestUri } = request;
  if (typeof requestUri !== 'string') return undefined;
  return canonicalParty({ kind: 'uri', value: requestUri }, options.numberingPlan);
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function readNumbers(
  request: NumberSigningRequest,
  plan: NumberingPlan,
): SigningParties | NotSigned<'no-usable-number'> | RefusedSigning<'request-invalid'> {
  const origTn = numberToSign(request.origTn, plan);
  if (origTn === AMBIGUOUS_NUMBER) return AMBIGUOUS;
  if (origTn === undefined) return notSigned('no-usable-number', 'The calling number is no telephone number.');
  const { destTn, destUri } = request;
  if (typeof destTn === 'string' && destUri === undefined) {
    // One called number is what nearly every call has: no lists for it.
    const tn = numberToSign(destTn, plan);
    if (tn === AMBIGUOUS_NUMBER) return AMBIGUOUS;
    return tn === undefined ? NO_CALLED_PARTY : { status: 'read', origTn, destTn: [tn], destUri: NO_URIS };
  }
  return readDestinations(origTn, { tns: listOf(destTn), uris: listOf(destUri), plan });
}

interface GivenDestinations {
  readonly tns: readonly unknown[];
  readonly uris: readonly unknown[];
  readonly plan: NumberingPlan;
}

function readDestinations(
  origTn: CanonicalTn,
  given: GivenDestinations,
): SigningParties | NotSigned<'no-usable-number'> | RefusedSigning<'request-invalid'> {
  const { tns, uris, plan } = given;
  if (tns.length + uris.length > MAX_DESTINATIONS) {
    const counts = { expected: `at most ${String(MAX_DESTINATIONS)}`, actual: String(tns.length + uris.length) };
    return refused('request-invalid', 'The request has too many destinations.', counts);
  }
  const numbers = tns.map((tn) => numberToSign(tn, plan));
  if (numbers.includes(AMBIGUOUS_NUMBER)) return AMBIGUOUS;
  const parties = [...numbers.map(numberParty), ...uris.map((uri) => uriParty(uri, plan))];
  if (parties.length === 0 || parties.includes(undefined)) return NO_CALLED_PARTY;
  return { status: 'read', origTn, destTn: valuesOf(parties, 'tn'), destUri: valuesOf(parties, 'uri') };
}

const numberParty = (value: ReturnType<typeof numberToSign>): PassportParty | undefined =>
  typeof value === 'string' ? { kind: 'tn', value } : undefined;

/** A URI that stands for a number becomes that number. @see RFC 8224 section 8.5 */
function uriParty(text: unknown, plan: NumberingPlan): PassportParty | undefined {
  const party = typeof text === 'string' ? canonicalParty({ kind: 'uri', value: text }, plan) : undefined;
  return party === undefined || party.value.length > MAX_DESTINATION_CHARS ? undefined : party;
}

const valuesOf = (parties: readonly (PassportParty | undefined)[], kind: PassportParty['kind']): readonly string[] =>
  parties.flatMap((party) => (party?.kind === kind ? [party.value] : []));

const listOf = (value: string | readonly string[] | undefined): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const isText = (value: unknown): value is string => typeof value === 'string';

const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);

/** How far a Date that a request has may be from the present, seconds, to be left as it is. @see RFC 8224 section 6.1 step 3 */
const MAX_DATE_SKEW_SECONDS = 60;

/**
 * How far an `iat` that a request asks for may be from the present, seconds. Verifiers give a PASSporT sixty from its `iat` on
 * (RFC 8224 section 6.2): the other half remains for the call to get there, and for clocks that differ.
 */
const MAX_IAT_SKEW_SECONDS = 30;

/** When and under which name a PASSporT is issued, and the Date that goes with it. */
type Issue =
  | {
      readonly status: 'issued';
      readonly iatSeconds: number;
      /** A UUID. */
      readonly origId: string;
      /** Value that the Date header must get; undefined when the request has one that is right. */
      readonly date: string | undefined;
    }
  | RefusedSigning;

/** What the issue of a PASSporT needs of its service. */
export interface IssueContext {
  readonly randomUuid: () => string;
  /** A Date header value. @param epochSeconds - the instant */
  readonly sipDate: (epochSeconds: number) => string;
}

/** Decides when and under which origid a PASSporT is issued. @see RFC 8224 section 6.1 step 3, RFC 8588 section 5 */
export function issueOf(request: SigningRequest, nowMs: number, context: IssueContext): Issue {
  const nowSeconds = Math.floor(nowMs / 1000);
  const iatSeconds = ('iatSeconds' in request ? request.iatSeconds : undefined) ?? nowSeconds;
  // Not "greater than": a number that is none at all must not pass.
  if (!(Number.isInteger(iatSeconds) && Math.abs(iatSeconds - nowSeconds) <= MAX_IAT_SKEW_SECONDS)) {
    const values = { expected: String(nowSeconds), actual: printable(iatSeconds) };
    return refused(
      'iat-not-current',
      `The time of issue is more than ${String(MAX_IAT_SKEW_SECONDS)} s from now.`,
      values,
    );
  }
  const origId = origIdOf(request, context.randomUuid);
  if (typeof origId !== 'string') return origId;
  const dateSeconds = typeof request.date === 'string' ? readSipDate(request.date) : undefined;
  const isDateRight = dateSeconds !== undefined && Math.abs(dateSeconds - nowSeconds) <= MAX_DATE_SKEW_SECONDS;
  return { status: 'issued', iatSeconds, origId, date: isDateRight ? undefined : context.sipDate(iatSeconds) };
}

/** Tells whether a value is a UUID in its usual spelling. @see RFC 9562 section 4 */
export function isUuid(value: unknown): value is string {
  if (typeof value !== 'string' || value.length !== UUID_CHARS) return false;
  // By hand: it is asked in every call, and a regular expression takes several times as long.
  for (let at = 0; at < UUID_CHARS; at += 1) {
    const code = value.charCodeAt(at);
    const isHyphen = at === 8 || at === 13 || at === 18 || at === 23;
    if (isHyphen ? code !== HYPHEN : !isHexDigit(code)) return false;
  }
  return true;
}

/** Makes a function that writes Date values, and remembers the last one: all calls of one second have the same. @see RFC 3261 section 20.17 */
export function rememberedSipDate(): (epochSeconds: number) => string {
  let lastSeconds = Number.NaN;
  let lastDate = '';
  return (epochSeconds) => {
    if (epochSeconds !== lastSeconds) {
      lastDate = formatSipDate(epochSeconds);
      lastSeconds = epochSeconds;
    }
    return lastDate;
  };
}

const UUID_CHARS = 36;
const HYPHEN = 0x2d;

/** In either case. */
function isHexDigit(code: number): boolean {
  const lower = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/** Looked at in every call: a generator can break long after it was tried, and what it makes is signed. */
function origIdOf(request: SigningRequest, randomUuid: () => string): string | RefusedSigning {
  const given = request.origId;
  if (given !== undefined) {
    return isUuid(given) ? given : refused('request-invalid', 'The origid is not a UUID.', { expected: 'a UUID' });
  }
  const made = attempt(randomUuid);
  return isUuid(made) ? made : refused('orig-id-unusable', 'randomUuid made no UUID.', { expected: 'a UUID' });
}

const printable = (value: unknown): string => (typeof value === 'number' ? String(value) : `a ${typeof value}`);
