import type { JsonObject } from '../../core/json-text.js';
import { isAnonymousUri, parseNameAddr, splitHeaderList } from '../../core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../../core/sip-uri.js';
import type { SipUri } from '../../core/sip-uri.js';
import { canonicalTelephoneNumber, isCanonicalTelephoneNumber } from '../../core/telephone-number.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import { plainSipNumber } from './plain-sip-number.js';
import { readSipDate } from './sip-date.js';
import type { PassportParty } from '../passport-types/passport-type.js';

/**
 * What a verification service needs of a SIP request: header field values as received, without the header names.
 * Where numbers are known from elsewhere (a REST body), `orig` and `dest` say so and win over the headers.
 *
 * Needed for a verdict other than indeterminate: `identity`; a caller, by `from`, `pAssertedIdentity` or `orig`; a called party,
 * by `to`, `requestUri` or `dest`. Give all that the request has: what is left out is not compared. Nothing here need be valid.
 * @see RFC 8224 section 6.2
 */
export interface VerificationRequest {
  /** The Identity header values; one string may hold several, comma-separated. Empty, or left out, where the request has none. */
  readonly identity?: string | readonly string[] | undefined;
  /** Value of the From header, with or without display name, brackets and tag. */
  readonly from?: string;
  /** Values of P-Asserted-Identity; where it is there it names the caller, unless policy says otherwise. */
  readonly pAssertedIdentity?: string | readonly string[];
  /** Value of the To header. */
  readonly to?: string;
  /** The Request-URI, bare. Without it a call that was retargeted to another number is not noticed. */
  readonly requestUri?: string;
  /** Value of the Date header. A missing Date is no failure. */
  readonly date?: string;
  /** The caller, when known otherwise than from headers. */
  readonly orig?: PassportParty;
  /** The called party, when known otherwise than from headers. */
  readonly dest?: readonly PassportParty[];
  /** The Date in seconds since the epoch, when known otherwise than from the header. */
  readonly dateSeconds?: number;
}

/** The parties of a request in canonical form, ready to be compared with claims. */
export interface RequestParties {
  /** The caller; undefined where the request names none, or an anonymous one. */
  readonly orig: PassportParty | undefined;
  /** What `orig` was read from. */
  readonly origSource: 'p-asserted-identity' | 'from' | 'given' | undefined;
  /** The called parties; empty where the request names none. */
  readonly dest: readonly PassportParty[];
  /** What `dest` was read from. */
  readonly destSource: 'to' | 'request-uri' | 'given' | undefined;
  /** Where the request is headed now. */
  readonly target: PassportParty | undefined;
  /** Whether the Request-URI is none, or begins like a number and is none: where it leads, only the next switch knows. */
  readonly isTargetUnreadable: boolean;
  /** The Date, seconds since the epoch; undefined where there is none or it cannot be read. */
  readonly dateSeconds: number | undefined;
}

/** How parties are read from a request. */
export interface PartyOptions {
  /** Which header names the caller, first one with a number wins. */
  readonly originatingIdentity: readonly ('p-asserted-identity' | 'from')[];
  /** Which part of the request names the called party of a shaken PASSporT. */
  readonly destination: 'to' | 'request-uri';
  /** How numbers without `+` were dialled. */
  readonly numberingPlan: NumberingPlan;
  /**
   * Of asserted numbers that differ, that of a tel URI counts, else the first. For those who state to the next switch which number
   * counted, as a signer does. Default false: numbers that differ leave a doubt, and the request names no caller.
   */
  readonly prefersTel?: boolean;
}

/**
 * Reads caller, called party and target of a request in canonical form: what claims are compared with, and what a signer puts
 * into them. Nothing of it is verified. Never throws for peer input: what cannot be read is left out.
 * @param request - header values of one SIP request
 * @param options - which headers count, and the numbering plan for numbers without country code; a {@link VerificationPolicy} fits
 * @returns the parties, each with the header that it was read from
 * @see RFC 8224 sections 8.1, 8.3 and 8.5
 * @example
 * ```ts
 * const request = { identity: [], from: '"Desk" <sip:+1-202-555-0101@a.example>;tag=1', to: '<tel:+12025550199>' };
 * const parties = readParties(request, DEFAULT_VERIFICATION_POLICY);
 * console.log(parties.orig?.value, parties.origSource); // 12025550101 from
 * ```
 */
export function readParties(request: VerificationRequest, options: PartyOptions): RequestParties {
  const requestUri = textOf(request.requestUri);
  const date = textOf(request.date);
  const target = requestUri === undefined ? undefined : partyOfUri(requestUri, options.numberingPlan);
  const dest = readDestination(request, target, options);
  const orig = readOrigin(request, options);
  return {
    orig: orig?.party,
    origSource: orig?.source,
    dest: dest.parties,
    destSource: dest.source,
    target,
    isTargetUnreadable: target?.kind !== 'tn' && requestUri !== undefined && isUnreadable(requestUri),
    dateSeconds: request.dateSeconds ?? (date === undefined ? undefined : readSipDate(date)),
  };
}

/**
 * Brings a party, as a REST body or a telephone book states it, into canonical form: a number to country code and digits, a URI
 * to scheme, user and host. A URI that has a number becomes that number. Never throws for peer input.
 * @param party - a telephone number in any spelling, or a SIP, SIPS or tel URI; at most a few hundred characters are looked at
 * @param plan - how numbers without `+` were dialled
 * @returns the party in canonical form; undefined when it is neither number nor URI
 * @see RFC 8224 sections 8.3 and 8.5
 * @example
 * ```ts
 * console.log(canonicalParty({ kind: 'tn', value: '(202) 555-0101' }, NORTH_AMERICAN_PLAN)?.value); // 12025550101
 * ```
 */
export function canonicalParty(party: PassportParty, plan: NumberingPlan): PassportParty | undefined {
  if (party.kind === 'uri') return partyOfUri(party.value, plan);
  const number = canonicalTelephoneNumber(party.value, plan);
  if (number.kind === 'none') return undefined;
  return number.tn === party.value ? party : { kind: 'tn', value: number.tn };
}

/**
 * As {@link canonicalParty}, for a party as a PASSporT states it: digits alone are canonical already. Read under a numbering
 * plan, +49 30 123456 would become a number of New Jersey.
 * @see RFC 8224 section 8.3
 */
export function claimedParty(party: PassportParty, plan: NumberingPlan): PassportParty | undefined {
  return party.kind === 'tn' && isCanonicalTelephoneNumber(party.value) ? party : canonicalParty(party, plan);
}

/**
 * Whether a party as claimed is the party of the request (already canonical).
 * @param claimed - as signed
 * @param actual - canonical
 */
export function isSameParty(claimed: PassportParty, actual: PassportParty, plan: NumberingPlan): boolean {
  if (claimed.kind === actual.kind && claimed.value === actual.value) return true;
  const canonical = claimedParty(claimed, plan);
  return canonical !== undefined && canonical.kind === actual.kind && canonical.value === actual.value;
}

/**
 * The dest claim that names these parties.
 * @param dest - canonical, at least one
 * @see RFC 8225 section 5.2.1
 */
export function destClaim(dest: readonly PassportParty[]): JsonObject {
  const tn = dest.filter((party) => party.kind === 'tn').map((party) => party.value);
  const uri = dest.filter((party) => party.kind === 'uri').map((party) => party.value);
  return { ...(tn.length === 0 ? undefined : { tn }), ...(uri.length === 0 ? undefined : { uri }) };
}

const textOf = (value: string | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

interface FoundOrigin {
  readonly party: PassportParty;
  readonly source: 'p-asserted-identity' | 'from' | 'given';
}

function readDestination(
  request: VerificationRequest,
  target: PassportParty | undefined,
  options: PartyOptions,
): { readonly parties: readonly PassportParty[]; readonly source: RequestParties['destSource'] } {
  if (request.dest !== undefined) {
    const parties = request.dest.map((party) => claimedParty(party, options.numberingPlan));
    return { parties: parties.filter((party) => party !== undefined), source: 'given' };
  }
  if (options.destination === 'request-uri' && target !== undefined)
    return { parties: [target], source: 'request-uri' };
  const to = request.to === undefined ? undefined : partyOfNameAddr(request.to, options.numberingPlan);
  if (to !== undefined) return { parties: [to], source: 'to' };
  return target === undefined ? { parties: [], source: undefined } : { parties: [target], source: 'request-uri' };
}

/**
 * A number from the first source that has one; failing that, the first URI that is not anonymous. Nobody where an asserted identity
 * is there and cannot be read without doubt: a switch that reads on may show a number that was never compared.
 */
function readOrigin(request: VerificationRequest, options: PartyOptions): FoundOrigin | undefined {
  const plan = options.numberingPlan;
  if (request.orig !== undefined) {
    const party = claimedParty(request.orig, plan);
    return party === undefined ? undefined : { party, source: 'given' };
  }
  let uri: FoundOrigin | undefined;
  for (const source of options.originatingIdentity) {
    const party =
      source === 'from' ? partyOfNameAddr(request.from, plan) : assertedParty(request.pAssertedIdentity, options);
    if (party === DOUBTFUL) return undefined;
    if (party?.kind === 'tn') return { party, source };
    if (party !== undefined) uri ??= { party, source };
  }
  return uri;
}

/** An identity that two readers may read differently. */
const DOUBTFUL: unique symbol = Symbol('doubtful');

/**
 * Of several asserted identities: the number before a SIP URI without one. Two numbers that differ, whatever their schemes, and a value
 * that cannot be read leave a doubt: the next switch may show the other number. @see RFC 3325 section 9.1
 */
function assertedParty(
  values: string | readonly string[] | undefined,
  { numberingPlan: plan, prefersTel = false }: PartyOptions,
): PassportParty | typeof DOUBTFUL | undefined {
  if (typeof values !== 'string' && !Array.isArray(values)) return undefined;
  const entries = assertedEntries(values);
  const plain = entries.length === 1 && entries[0] !== undefined ? plainSipNumber(entries[0]) : undefined;
  if (plain !== undefined) return { kind: 'tn', value: plain };
  const found: { tel?: PassportParty; sip?: PassportParty; uri?: PassportParty } = {};
  for (const entry of entries) {
    const uri = uriOfNameAddr(entry);
    const party = uri === undefined ? undefined : partyOf(uri, plan);
    if (uri === undefined || (party?.kind !== 'tn' && isLikeNumber(uri))) return DOUBTFUL;
    if (party === undefined) continue;
    const kind = party.kind === 'uri' ? 'uri' : uri.scheme === 'tel' ? 'tel' : 'sip';
    const compared = prefersTel ? found[kind] : (found.tel ?? found.sip);
    if (kind !== 'uri' && compared !== undefined && compared.value !== party.value) return DOUBTFUL;
    found[kind] ??= party;
  }
  return found.tel ?? found.sip ?? found.uri;
}

/** A URI that claims to have a number, or has so many digits that a switch may make one of them. */
function isLikeNumber(uri: SipUri): boolean {
  if (isAnonymousUri(uri) || uri.user === undefined) return uri.scheme === 'tel';
  if (uri.scheme === 'tel' || uri.params.get('user') === 'phone' || uri.user.trimStart().startsWith('+')) return true;
  return isDigit(uri.user.charCodeAt(0)) && uri.user.replace(/\D/g, '').length >= LIKE_NUMBER_DIGITS;
}

/** As many as a local number has; a PBX has shorter extensions, which name nobody outside it. */
const LIKE_NUMBER_DIGITS = 7;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** One value each; what is no text is as good as unreadable. */
function assertedEntries(values: string | readonly string[]): readonly string[] {
  if (typeof values === 'string') return splitHeaderList(values);
  return values.flatMap((value) => (typeof value === 'string' ? splitHeaderList(value) : [UNREADABLE]));
}

const UNREADABLE = '<';

/** Of one value: where the field has two, nobody knows which one the next switch reads. */
function partyOfNameAddr(value: string | undefined, plan: NumberingPlan): PassportParty | undefined {
  const plain = value === undefined ? undefined : plainNumberOf(value);
  if (plain !== undefined) return { kind: 'tn', value: plain };
  const uri = value === undefined ? undefined : uriOfNameAddr(value);
  return uri === undefined ? undefined : partyOf(uri, plan);
}

/** Requests also come from JavaScript: what is no text has no number. */
const plainNumberOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? plainSipNumber(value) : undefined;

function uriOfNameAddr(value: string): SipUri | undefined {
  if (typeof value !== 'string' || (value.includes(',') && splitHeaderList(value).length > 1)) return undefined;
  const nameAddr = parseNameAddr(value);
  if (nameAddr.status === 'malformed') return undefined;
  const uri = parseSipUri(nameAddr.uri);
  return uri.status === 'malformed' ? undefined : uri.uri;
}

function partyOfUri(text: string, plan: NumberingPlan): PassportParty | undefined {
  const plain = text.startsWith('s') ? plainSipNumber(text) : undefined;
  if (plain !== undefined) return { kind: 'tn', value: plain };
  const uri = parseSipUri(text);
  return uri.status === 'malformed' ? undefined : partyOf(uri.uri, plan);
}

/** For a URI in which no number could be read. */
function isUnreadable(text: string): boolean {
  const uri = parseSipUri(text);
  return uri.status === 'malformed' || uri.uri.user?.startsWith('+') === true;
}

/** Number if the URI has one, else the URI without parameters, scheme and host in lower case. @see RFC 8224 section 8.5 */
function partyOf(uri: SipUri, plan: NumberingPlan): PassportParty | undefined {
  const number = telephoneNumberOfUri(uri, plan);
  if (number.kind !== 'none') return { kind: 'tn', value: number.tn };
  if (isAnonymousUri(uri) || (uri.scheme !== 'sip' && uri.scheme !== 'sips') || uri.host === undefined)
    return undefined;
  const user = uri.user === undefined ? '' : `${uri.user}@`;
  return { kind: 'uri', value: `${uri.scheme}:${user}${uri.host.toLowerCase()}` };
}
