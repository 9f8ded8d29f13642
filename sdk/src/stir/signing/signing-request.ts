import { isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import { splitIdentityHeader } from '../../core/sip-request.js';
import type { Attestation, CanonicalTn } from '../../core/terms.js';
import { parseIdentityHeader } from '../identity-header.js';
import { isCompactForm, parsePassport } from '../passport.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import { canonicalParty, readParties } from '../verification/request.js';
import type { PartyOptions, VerificationRequest } from '../verification/request.js';
import type { AttestationFacts } from './attestation-facts.js';
import { notSigned, refused } from './signing-outcome.js';
import type { NotSigned, RefusedSigning } from './signing-outcome.js';

/** What every request for a signature says, however it names the parties. */
export interface SigningRequestBase {
  /** What the provider knows of the call, for its attestation policy. */
  readonly facts: AttestationFacts;
  /** Identity header values that the request has already; one string may hold several. */
  readonly identity?: string | readonly string[];
  /** Value of the Date header, if there is one. */
  readonly date?: string;
  /** Per-call off switch: `false` leaves the call unsigned. */
  readonly sign?: boolean;
  /** A level decided elsewhere; heard only where the policy lets requests bring one. */
  readonly attestation?: Attestation;
  /** A UUID that stands for the customer, trunk or kind of device. Default a new one for each call. @see RFC 8588 section 5 */
  readonly origId?: string;
}

/** A request that names the parties as the SIP request does: header field values as received, without the header names. */
export interface SipSigningRequest extends SigningRequestBase {
  readonly from?: string;
  readonly pAssertedIdentity?: string | readonly string[];
  readonly to?: string;
  readonly requestUri?: string;
}

/** A request that names the parties by number. */
export interface NumberSigningRequest extends SigningRequestBase {
  /**
   * The calling number. In canonical form (digits, `*`, `#`) it is signed as it is; otherwise (`+`, separators) it is made
   * canonical first.
   */
  readonly origTn: string;
  /** Called numbers, at most {@link MAX_DESTINATIONS} together with `destUri`. */
  readonly destTn?: string | readonly string[];
  /** Called parties that have no number: SIP URIs. */
  readonly destUri?: string | readonly string[];
  /** Time of issue, seconds since the epoch; at most a minute from now. Default now. */
  readonly iatSeconds?: number;
}

/** One call to be signed. */
export type SigningRequest = SipSigningRequest | NumberSigningRequest;

/** Most destinations of one PASSporT: a group call; with numbers its Identity header stays far below 8 KiB. */
export const MAX_DESTINATIONS = 32;

/** Longest URI of a destination, characters: verifiers do not look at longer ones. */
export const MAX_DESTINATION_CHARS = 256;

/** Who calls whom, as a PASSporT will say it. */
export interface SigningParties {
  readonly status: 'read';
  readonly origTn: CanonicalTn;
  readonly destTn: readonly CanonicalTn[];
  readonly destUri: readonly string[];
}

/**
 * Reads caller and called parties. A caller that cannot be made a global number is still signed for, as dialled; one without any
 * number is not: SHAKEN speaks for telephone numbers. A called party without a number is named by its URI.
 * @returns the parties, or why there are none to sign for; never throws for peer input
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

/** A number in canonical form as it is, any other made canonical; undefined when it is none. @see RFC 8224 section 8.3 */
export function numberToSign(text: unknown, plan: NumberingPlan): CanonicalTn | undefined {
  if (typeof text !== 'string') return undefined;
  if (isCanonicalTelephoneNumber(text)) return text;
  const party = canonicalParty({ kind: 'tn', value: text }, plan);
  return party?.kind === 'tn' ? party.value : undefined;
}

/**
 * Whether a request speaks for its caller already, so that nobody may sign it again: it carries a shaken, div or plain
 * PASSporT that can be read. Types that only add a statement leave room, and so does a value that nobody can read, lest a
 * scribble in place of an Identity kept a call from being traceable. Never throws for peer input.
 * @see RFC 8224 sections 4.1 and 9
 */
export function isSignedAlready(identity: string | readonly string[] | undefined): boolean {
  if (identity === undefined) return false;
  return identityValues(identity).some((value) => {
    const parsed = parseIdentityHeader(value);
    if (parsed.status === 'malformed') return false;
    const { token, ppt } = parsed.identityHeader;
    if (isCompactForm(token)) return ppt === undefined || SPEAKS_FOR_CALLER.has(ppt);
    const passport = parsePassport(token);
    return passport.status === 'parsed' && SPEAKS_FOR_CALLER.has(passport.passport.header['ppt'] ?? ppt);
  });
}

/** All Identity values of a request, each by itself. Never throws for peer input. @see RFC 8224 section 9 */
export function identityValues(identity: string | readonly string[] | undefined): readonly string[] {
  if (typeof identity === 'string') return splitIdentityHeader(identity);
  if (!Array.isArray(identity)) return [];
  return (identity as readonly string[]).flatMap((value) =>
    typeof value === 'string' ? splitIdentityHeader(value) : [],
  );
}

const NO_URIS: readonly string[] = [];

const SPEAKS_FOR_CALLER: ReadonlySet<unknown> = new Set([undefined, 'shaken', 'div', 'div-o']);

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

/** The called party by the Request-URI, for a To that names none. */
function targetOf(request: SipSigningRequest, options: PartyOptions): PassportParty | undefined {
  const { requestUri } = request;
  return typeof requestUri === 'string' ? readParties({ identity: '', requestUri }, options).target : undefined;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function readNumbers(
  request: NumberSigningRequest,
  plan: NumberingPlan,
): SigningParties | NotSigned<'no-usable-number'> | RefusedSigning<'request-invalid'> {
  const origTn = numberToSign(request.origTn, plan);
  if (origTn === undefined) return notSigned('no-usable-number', 'The calling number is no telephone number.');
  const { destTn, destUri } = request;
  if (typeof destTn === 'string' && destUri === undefined) {
    // One called number is what nearly every call has: no lists for it.
    const tn = numberToSign(destTn, plan);
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
  const parties = [...tns.map((tn) => numberParty(tn, plan)), ...uris.map((uri) => uriParty(uri, plan))];
  if (parties.length === 0 || parties.includes(undefined)) return NO_CALLED_PARTY;
  return { status: 'read', origTn, destTn: valuesOf(parties, 'tn'), destUri: valuesOf(parties, 'uri') };
}

function numberParty(text: unknown, plan: NumberingPlan): PassportParty | undefined {
  const value = numberToSign(text, plan);
  return value === undefined ? undefined : { kind: 'tn', value };
}

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
