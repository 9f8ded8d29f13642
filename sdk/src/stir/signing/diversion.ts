import type { NumberingPlan } from '../../core/telephone-number.js';
import type { CanonicalTn } from '../../core/terms.js';
import { parseIdentityHeader } from '../identity-header.js';
import { parsePassport } from '../passport.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import { PASSPORT_TYPES, passportTypeRegistry } from '../passport-types/registry.js';
import { MAX_IDENTITY_HEADERS } from '../verification/core.js';
import { canonicalParty, isSameParty } from '../verification/request.js';
import type { PartyOptions } from '../verification/request.js';
import type { DiversionClaims, DiversionRecord, SignatureRecord } from './attestation-record.js';
import { divPayloadText } from './passport-writer.js';
import { deliverRecord, signatureFacts } from './record-delivery.js';
import { isRequest, NO_REQUEST, notSigned, refused } from './signing-outcome.js';
import type { DiversionOutcome, RefusedSigning, SignatureRefusal } from './signing-outcome.js';
import { AMBIGUOUS, AMBIGUOUS_NUMBER, identityValues, MAX_DESTINATION_CHARS, numberToSign } from './signing-request.js';
import { draftToken } from './signing-session.js';
import type { SignedToken, SigningIdentity, TokenDraft, UsableCredential } from './signing-session.js';

/** A call that this provider retargets. */
export interface DiversionRequest {
  /** The Identity header values that the request came with, all of them; one string may hold several. */
  readonly identity: string | readonly string[];
  /**
   * The number that diverts the call, which the provider has authority over: until now the call was for it. Canonical form as it
   * is, with `+` or separators made canonical; digits that the numbering plan reads otherwise are refused.
   */
  readonly divertingTn: string;
  /** Where the call goes now: a number, spelled as `divertingTn` … */
  readonly newTargetTn?: string;
  /** … or a SIP URI without one, at most {@link MAX_DESTINATION_CHARS} characters. */
  readonly newTargetUri?: string;
  /** The caller, spelled as `divertingTn`, to choose between PASSporTs of several callers; default the one caller that the Identity headers speak for. */
  readonly origTn?: string;
  /** Per-call off switch: `false` adds nothing. */
  readonly sign?: boolean;
}

/** What a diversion is drafted with. */
export interface DiversionContext {
  readonly parties: PartyOptions;
  /** Asked once per draft. */
  readonly credential: () => UsableCredential | RefusedSigning<SignatureRefusal>;
}

/** A div up to its signature. */
export interface DiversionDraft {
  readonly status: 'draft';
  readonly token: TokenDraft;
  readonly claims: DiversionClaims;
  readonly identityHeaders: readonly string[];
}

/**
 * Drafts the div PASSporT of a retargeted call: its orig is that of the PASSporT whose destination diverts, to the letter, and its
 * div that destination. The signature of what came in is not checked here: a div says where the call was diverted, not that
 * its caller is right.
 * @param request - may be anything
 * @param context - of the service
 * @returns the draft, or why there is none; never throws for what a request holds
 * @see RFC 8946 sections 3 and 4
 */
export function draftDiversion(
  request: DiversionRequest,
  context: DiversionContext,
): DiversionDraft | DiversionOutcome {
  const plan = context.parties.numberingPlan;
  if (!isRequest(request)) return NO_REQUEST;
  if (request.sign === false) return notSigned('switched-off', 'The request asks not to be signed.');
  const identityHeaders = identityValues(request.identity);
  if (identityHeaders.length === 0) return notSigned('no-identity', 'A div refers to an Identity, and there is none.');
  if (identityHeaders.length >= MAX_IDENTITY_HEADERS) {
    const counts = { expected: `fewer than ${String(MAX_IDENTITY_HEADERS)}`, actual: String(identityHeaders.length) };
    return refused('too-many-identity-headers', 'Verifiers would not look at one more Identity header.', counts);
  }
  const divTn = numberToSign(request.divertingTn, plan);
  const dest = newTarget(request, plan);
  if (divTn === AMBIGUOUS_NUMBER || dest === AMBIGUOUS_NUMBER) return AMBIGUOUS;
  if (divTn === undefined) return notSigned('no-usable-number', 'The diverting number is no telephone number.');
  if (dest === undefined) return notSigned('no-usable-number', 'The new target is nothing that a PASSporT can name.');
  if (dest.kind === 'tn' && dest.value === divTn)
    return notSigned('not-retargeted', 'Old and new target are the same.');
  const orig = divertedOrig(request, { identityHeaders, divTn, plan });
  if ('status' in orig) return orig;
  const credential = context.credential();
  if (credential.status === 'refused') return credential;
  const claims = { orig, divTn, dest, iatSeconds: Math.floor(credential.nowMs / 1000) };
  const token = draftToken(credential, 'div', divPayloadText(claims));
  return token.status === 'refused' ? token : { status: 'draft', token, claims, identityHeaders };
}

/**
 * Puts the new Identity behind those that the request came with, and keeps the record.
 * @param draft - from {@link draftDiversion}
 * @param signed - its token, or why there is none
 * @param options - of the service
 * @returns the outcome; never throws
 * @see RFC 8946 section 4
 */
export function finishDiversion(
  draft: DiversionDraft,
  signed: SignedToken | RefusedSigning<SignatureRefusal>,
  options: SigningIdentity & { readonly onRecord?: (record: SignatureRecord) => void },
): DiversionOutcome {
  if (signed.status === 'refused') return signed;
  const { claims, identityHeaders } = draft;
  const signature = signatureFacts(options, draft.token);
  const record: DiversionRecord = { format: 'hopback.attestation-record.1', ppt: 'div', claims, signature };
  return {
    status: 'signed',
    identityHeader: signed.identityHeader,
    identityHeaders: [...identityHeaders, signed.identityHeader],
    token: signed.token,
    claims,
    record,
    recordDelivery: deliverRecord(options.onRecord, record),
  };
}

/** The types that name a caller and a destination, so that a div can follow them. */
const DIVERTIBLE = passportTypeRegistry(PASSPORT_TYPES);

interface Diverted {
  readonly identityHeaders: readonly string[];
  readonly divTn: CanonicalTn;
  readonly plan: NumberingPlan;
}

function newTarget(
  request: DiversionRequest,
  plan: NumberingPlan,
): PassportParty | typeof AMBIGUOUS_NUMBER | undefined {
  if (request.newTargetTn !== undefined) {
    const value = numberToSign(request.newTargetTn, plan);
    return typeof value === 'string' ? { kind: 'tn', value } : value;
  }
  if (typeof request.newTargetUri !== 'string') return undefined;
  const party = canonicalParty({ kind: 'uri', value: request.newTargetUri }, plan);
  return party === undefined || party.value.length > MAX_DESTINATION_CHARS ? undefined : party;
}

/**
 * The orig of the PASSporTs whose dest is the diverting number. In a chain that comes back to a number there are several of them, but
 * their orig is the same all along.
 * @see RFC 8946 section 4.2
 */
function divertedOrig(request: DiversionRequest, diverted: Diverted): PassportParty | RefusedSigning<OrigRefusal> {
  const { divTn, plan } = diverted;
  const origs = new Map<string, PassportParty>();
  for (const value of diverted.identityHeaders) {
    const claims = claimsOf(value);
    if (claims?.dest.some((party) => isSameParty(party, { kind: 'tn', value: divTn }, plan)) !== true) continue;
    origs.set(`${claims.orig.kind}:${claims.orig.value}`, claims.orig);
  }
  if (origs.size === 0) {
    return refused(
      'diverted-passport-missing',
      'No PASSporT of the request has the diverting number as its destination.',
    );
  }
  const asked = request.origTn === undefined ? undefined : numberToSign(request.origTn, plan);
  if (asked === AMBIGUOUS_NUMBER) return AMBIGUOUS;
  if (request.origTn === undefined) {
    const [only, ...others] = origs.values();
    return only !== undefined && others.length === 0
      ? only
      : refused('orig-ambiguous', 'The PASSporTs for the diverting number speak for several callers.');
  }
  const fits = [...origs.values()].filter((orig) => isSameParty(orig, { kind: 'tn', value: asked ?? '' }, plan));
  return fits[0] ?? refused('orig-mismatch', 'The PASSporT for the diverting number speaks for another caller.');
}

type OrigRefusal = 'request-invalid' | 'diverted-passport-missing' | 'orig-ambiguous' | 'orig-mismatch';

function claimsOf(
  value: string,
): { readonly orig: PassportParty; readonly dest: readonly PassportParty[] } | undefined {
  const parsed = parseIdentityHeader(value);
  if (parsed.status === 'malformed') return undefined;
  const passport = parsePassport(parsed.identityHeader.token);
  if (passport.status === 'malformed') return undefined;
  const ppt = passport.passport.header['ppt'];
  const type = typeof ppt === 'string' || ppt === undefined ? DIVERTIBLE.get(ppt) : undefined;
  const claims = type?.readClaims(passport.passport.payload);
  return claims?.status === 'read' ? claims.claims : undefined;
}
