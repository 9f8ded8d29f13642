import { randomUUID } from 'node:crypto';
import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { NumberingPlan, Attestation, CanonicalTn } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';
import { parseIdentityHeader } from '../identity-header.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import { PASSPORT_TYPES, passportTypeRegistry, parsePassport } from '../passport.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import { MAX_IDENTITY_HEADERS } from '../verification/core.js';
import { canonicalParty, isSameParty } from '../verification/request.js';
import type { PartyOptions } from '../verification/request.js';
import { MAX_BASIS_CHARS, NO_RULE, NUMBER_OWNERSHIPS } from './attestation-policy.js';
import type { AttestationDecision, AttestationPolicy } from './attestation-policy.js';
import { deadlineOf } from './signer.js';
import { NO_REQUEST, isRequest, notSigned, refused } from './signing-outcome.js';
import type {
  DiversionOutcome,
  NotSigned,
  RefusedSigning,
  SignatureRefusal,
  SigningOutcome,
} from './signing-outcome.js';
import {
  AMBIGUOUS,
  AMBIGUOUS_NUMBER,
  MAX_DESTINATION_CHARS,
  identityValues,
  isSignedAlready,
  isUuid,
  issueOf,
  numberToSign,
  readSigningParties,
  rememberedSipDate,
  targetOf,
} from './signing-request.js';
import type { IssueContext, SigningParties, SigningRequest } from './signing-request.js';
import {
  credentialInForce,
  deliverRecord,
  divPayloadText,
  draftToken,
  obstacleOf,
  shakenPayloadText,
  signToken,
  signTokenNow,
  signatureFacts,
} from './signing-session.js';
import type {
  AuthenticationServiceOptions,
  DiversionClaims,
  SignedToken,
  TokenDraft,
  UsableCredential,
} from './signing-session.js';

/** The level that a call is signed with, who set it and why; or that it is not signed. */
type AttestationLevel =
  | {
      readonly status: 'decided';
      readonly attestation: Attestation;
      readonly decidedBy: 'policy' | 'request';
      readonly basis: string;
    }
  | NotSigned
  | RefusedSigning;

/**
 * The level of the policy, or of the request where the policy gives way to it. Whoever brings a level of their own says what it
 * rests on; no request signs what a rule leaves unsigned, nor A or B against the facts that it brings along.
 * @see ATIS-1000074 section 5.2.3
 */
function attestationLevel(
  request: SigningRequest,
  decision: AttestationDecision,
  policy: AttestationPolicy,
): AttestationLevel {
  const asked = request.attestation;
  if (asked === undefined) {
    if (decision.attestation === 'none') return leftByPolicy(decision);
    const { attestation, basis } = decision;
    return { status: 'decided', attestation, decidedBy: 'policy', basis };
  }
  if (asked !== 'A' && asked !== 'B' && asked !== 'C') {
    return refused('request-invalid', 'The requested attestation is not A, B or C.');
  }
  const refusal = notPermitted(asked, request, { decision, policy });
  if (refusal !== undefined) return refusal;
  const basis: unknown = request.attestationBasis;
  if (typeof basis !== 'string' || basis.trim() === '' || basis.length > MAX_BASIS_CHARS) {
    const expected = `attestationBasis, a sentence of at most ${String(MAX_BASIS_CHARS)} characters`;
    return refused('attestation-basis-missing', 'An attestation of the request needs its reason.', { expected });
  }
  return { status: 'decided', attestation: asked, decidedBy: 'request', basis };
}

/** From the most to the least that is attested. */
const RANK: Readonly<Record<Attestation | 'none', number>> = { A: 3, B: 2, C: 1, none: 0 };

const leftByPolicy = (decision: AttestationDecision): NotSigned => ({
  ...notSigned('policy', decision.basis),
  decision,
});

interface PolicyAnswer {
  readonly decision: AttestationDecision;
  readonly policy: AttestationPolicy;
}

function notPermitted(
  asked: Attestation,
  request: SigningRequest,
  { decision, policy }: PolicyAnswer,
): NotSigned | RefusedSigning | undefined {
  const values = { expected: decision.attestation, actual: asked };
  if (policy.explicitAttestation === 'refused') {
    return refused('attestation-not-permitted', 'The policy lets no request bring its own attestation.', values);
  }
  if (policy.explicitAttestation === 'at-most-rule') {
    return RANK[asked] > RANK[decision.attestation]
      ? refused('attestation-not-permitted', 'The request asks for more than the policy gives.', values)
      : undefined;
  }
  // A rule that forbids a signature is not a level that could be set otherwise. Where no rule applies, nothing is forbidden.
  if (decision.attestation === 'none' && decision.ruleId !== NO_RULE) return leftByPolicy(decision);
  const against = contradiction(asked, request.facts);
  return against === undefined
    ? undefined
    : refused('attestation-not-permitted', 'The facts of the request speak against its attestation.', against);
}

/** Facts as they were brought, since one that is misspelled must not count as left out. */
function contradiction(
  asked: Attestation,
  facts: unknown,
): { readonly expected: string; readonly actual: string } | undefined {
  if (asked === 'C' || typeof facts !== 'object' || facts === null) return undefined;
  const { role, numberOwnership } = facts as { readonly role?: unknown; readonly numberOwnership?: unknown };
  if (role !== undefined && role !== 'originating') {
    return { expected: 'role originating', actual: 'another role' };
  }
  const hasNoRight = numberOwnership === 'not-owned' || !OWNERSHIP_WORDS.has(numberOwnership);
  return asked === 'A' && hasNoRight
    ? { expected: 'a right to the calling number', actual: 'numberOwnership speaks against it' }
    : undefined;
}

const OWNERSHIP_WORDS: ReadonlySet<unknown> = new Set([undefined, ...NUMBER_OWNERSHIPS]);

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
  /** … or a SIP URI without one, at most 256 characters. */
  readonly newTargetUri?: string;
  /** The caller, spelled as `divertingTn`, to choose between PASSporTs of several callers; default the one caller that the Identity headers speak for. */
  readonly origTn?: string;
  /** Per-call off switch: `false` adds nothing. */
  readonly sign?: boolean;
}

/** A div up to its signature. */
interface DiversionDraft {
  readonly status: 'draft';
  readonly token: TokenDraft;
  readonly claims: DiversionClaims;
  readonly identityHeaders: readonly string[];
}

interface CallDraft {
  readonly status: 'draft';
  readonly token: TokenDraft;
  readonly claims: ShakenClaims;
  readonly decision: AttestationDecision;
  readonly decidedBy: 'policy' | 'request';
  readonly basis: string;
  readonly date: string | undefined;
}

/**
 * How long a signer that is asynchronous is waited for when nothing else is said, milliseconds. Signers of `createExternalSigner` give
 * up much earlier by themselves; this is for those that never answer, and a caller who has waited five seconds has hung up.
 */
export const DEFAULT_SERVICE_SIGNER_TIMEOUT_MS = 5_000;

/**
 * Signs calls for one provider: it decides the attestation, signs with the provider's key under the provider's certificate, and keeps a
 * record of each decision. It holds no socket, timer or file. Its methods neither throw nor reject for what requests, clock, source and
 * signer do.
 * @see RFC 8224 section 6.1, RFC 8588, RFC 8946, ATIS-1000074 section 5.2
 * @example
 * ```ts
 * const pki = new TestPki({ nowMs: Date.now() });
 * const { privateKeyPem, chainPem } = pki.issueServiceProvider({ spc: '1234' });
 * const service = new AuthenticationService({
 *   spc: '1234',
 *   signer: await createLocalSigner({ privateKeyPem }),
 *   certificateSource: createStaticCertificateSource({ chainPem, x5u: 'https://certificates.example.com/1234.pem' }),
 *   policy: new AttestationPolicy(),
 * });
 * const outcome = service.signNow({ origTn: '+12025550101', destTn: '+12025550199', facts: { role: 'gateway' } });
 * if (outcome.status === 'signed') console.log(outcome.claims.attestation, outcome.identityHeaders.length); // C 1
 * else console.log(outcome.reason, outcome.detail);
 * ```
 */
export class AuthenticationService {
  readonly #options: AuthenticationServiceOptions;
  readonly #parties: PartyOptions;
  readonly #credential: () => UsableCredential | RefusedSigning<SignatureRefusal>;
  readonly #bounded: Parameters<typeof signToken>[0];
  readonly #issue: IssueContext;

  /**
   * @param options - who signs, with what and by which policy; copied, so that later changes to the object change nothing
   * @throws {@link HopbackError} `invalid-configuration` when the SPC is not 1 to 15 characters of `0-9A-Z`, or
   * `randomUuid` makes no UUID; `invalid-argument` when `signerTimeoutMs` is out of bounds
   */
  constructor(options: AuthenticationServiceOptions) {
    if (!SPC.test(options.spc)) {
      throw new HopbackError('invalid-configuration', 'The SPC must be 1 to 15 characters of 0-9 and A-Z.');
    }
    const { randomUuid = randomUUID } = options;
    requireUuid(randomUuid);
    // A copy: what was looked at here must be what signs later.
    const own = { ...options };
    const timeoutMs = own.signerTimeoutMs ?? DEFAULT_SERVICE_SIGNER_TIMEOUT_MS;
    this.#options = own;
    this.#bounded = { signer: own.signer, deadline: deadlineOf('signerTimeoutMs', timeoutMs, own.schedule) };
    this.#parties = {
      originatingIdentity: own.originatingIdentity ?? ['p-asserted-identity', 'from'],
      destination: own.destination ?? 'to',
      numberingPlan: own.numberingPlan ?? NORTH_AMERICAN_PLAN,
      prefersTel: true,
    };
    this.#credential = credentialInForce(own);
    this.#issue = { randomUuid, sipDate: rememberedSipDate() };
  }

  /** Signs a call. Never rejects for what a request holds. @see RFC 8224 section 6.1 */
  async sign(request: SigningRequest): Promise<SigningOutcome> {
    const draft = this.#draftCall(request);
    return draft.status === 'draft' ? this.#finishCall(draft, await signToken(this.#bounded, draft.token)) : draft;
  }

  /** Signs a call at once; `refused` as `signer-is-asynchronous` where the signer cannot. Never throws for what a request holds. */
  signNow(request: SigningRequest): SigningOutcome {
    const draft = this.#draftCall(request);
    return draft.status === 'draft' ? this.#finishCall(draft, this.#signTokenNow(draft.token)) : draft;
  }

  /** Adds a div when a call is retargeted. Never rejects for what a request holds. @see RFC 8946 section 4 */
  async signDiversion(request: DiversionRequest): Promise<DiversionOutcome> {
    const draft = this.#draftDiversion(request);
    return draft.status === 'draft' ? this.#finishDiversion(draft, await signToken(this.#bounded, draft.token)) : draft;
  }

  /** As `signDiversion`, at once. */
  signDiversionNow(request: DiversionRequest): DiversionOutcome {
    const draft = this.#draftDiversion(request);
    return draft.status === 'draft' ? this.#finishDiversion(draft, this.#signTokenNow(draft.token)) : draft;
  }

  /** Whether a call could be signed now: undefined when it could, else why not. Asks neither signer nor network. */
  obstacle(): RefusedSigning<SignatureRefusal> | undefined {
    return obstacleOf(this.#credential());
  }

  #signTokenNow(token: TokenDraft): SignedToken | RefusedSigning<SignatureRefusal> {
    return signTokenNow(this.#options.signer, token);
  }

  /** Everything but the signature: whether to sign at all, for whom, at which level, under which certificate. */
  #draftCall(request: SigningRequest): CallDraft | SigningOutcome {
    const { policy, emergencyCalls } = this.#options;
    if (!isRequest(request)) return NO_REQUEST;
    if (request.sign === false) return notSigned('switched-off', 'The request asks not to be signed.');
    if (isSignedAlready(request.identity))
      return notSigned('already-signed', 'The request has an Identity for its caller.');
    const parties = readSigningParties(request, this.#parties);
    if (parties.status !== 'read') return parties;
    if (emergencyCalls !== 'sign' && this.#isEmergency(request, parties)) {
      return notSigned('emergency', 'Emergency calls are not signed.');
    }
    const decision = policy.decide(request.facts);
    const level = attestationLevel(request, decision, policy);
    if (level.status !== 'decided') return level;
    const credential = this.#credential();
    if (credential.status === 'refused') return credential;
    const issue = issueOf(request, credential.nowMs, this.#issue);
    if (issue.status === 'refused') return issue;
    const { origTn, destTn, destUri } = parties;
    const { iatSeconds, origId, date } = issue;
    const { attestation, decidedBy, basis } = level;
    const numbers = {
      attestation,
      origTn,
      destTn,
      iatSeconds,
      origId,
    };
    const claims = destUri.length === 0 ? numbers : { ...numbers, destUri };
    const token = draftToken(credential, 'shaken', shakenPayloadText(claims));
    return token.status === 'refused'
      ? token
      : {
          status: 'draft',
          token,
          claims,
          decision,
          decidedBy,
          basis,
          date,
        };
  }

  #finishCall(draft: CallDraft, signed: SignedToken | RefusedSigning<SignatureRefusal>): SigningOutcome {
    if (signed.status === 'refused') return signed;
    const { claims, decision, decidedBy, basis, date } = draft;
    const signature = signatureFacts(this.#options, draft.token);
    const format = 'hopback.attestation-record.1';
    const record = {
      format,
      ppt: 'shaken',
      claims,
      decidedBy,
      basis,
      decision,
      signature,
    } as const;
    return {
      status: 'signed',
      identityHeaders: [signed.identityHeader],
      date,
      token: signed.token,
      claims,
      record,
      recordDelivery: deliverRecord(this.#options.onRecord, record),
    };
  }

  /** By called number or by where the request is headed: a switch that routes to 911 need not have changed the To. */
  #isEmergency(request: SigningRequest, parties: SigningParties): boolean {
    const numbers = this.#parties.numberingPlan.emergencyNumbers ?? [];
    if (parties.destTn.some((tn) => numbers.includes(tn))) return true;
    const target = 'origTn' in request ? undefined : targetOf(request, this.#parties);
    return target?.kind === 'tn' && numbers.includes(target.value);
  }

  /**
   * Drafts the div PASSporT of a retargeted call: its orig is that of the PASSporT whose destination diverts, to the letter, and its
   * div that destination. The signature of what came in is not checked here: a div says where the call was diverted, not that
   * its caller is right.
   * @see RFC 8946 sections 3 and 4
   */
  #draftDiversion(request: DiversionRequest): DiversionDraft | DiversionOutcome {
    const plan = this.#parties.numberingPlan;
    if (!isRequest(request)) return NO_REQUEST;
    if (request.sign === false) return notSigned('switched-off', 'The request asks not to be signed.');
    const identityHeaders = identityValues(request.identity);
    if (identityHeaders.length === 0)
      return notSigned('no-identity', 'A div refers to an Identity, and there is none.');
    if (identityHeaders.length >= MAX_IDENTITY_HEADERS) {
      const counts = { expected: `fewer than ${String(MAX_IDENTITY_HEADERS)}`, actual: String(identityHeaders.length) };
      return refused('too-many-identity-headers', 'Verifiers would not look at one more Identity header.', counts);
    }
    const divTn = numberToSign(request.divertingTn, plan);
    const dest = newTarget(request, plan);
    if (divTn === AMBIGUOUS_NUMBER || dest === AMBIGUOUS_NUMBER) return AMBIGUOUS;
    if (divTn === undefined) return notSigned('no-usable-number', 'The diverting number is no telephone number.');
    if (dest === undefined) return notSigned('no-usable-number', 'A PASSporT cannot name the new target.');
    if (dest.kind === 'tn' && dest.value === divTn)
      return notSigned('not-retargeted', 'Old and new target are the same.');
    const orig = divertedOrig(request, { identityHeaders, divTn, plan });
    if ('status' in orig) return orig;
    const credential = this.#credential();
    if (credential.status === 'refused') return credential;
    const claims = { orig, divTn, dest, iatSeconds: Math.floor(credential.nowMs / 1000) };
    const token = draftToken(credential, 'div', divPayloadText(claims));
    return token.status === 'refused' ? token : { status: 'draft', token, claims, identityHeaders };
  }

  /** Puts the new Identity behind those that the request came with, and keeps the record. @see RFC 8946 section 4 */
  #finishDiversion(draft: DiversionDraft, signed: SignedToken | RefusedSigning<SignatureRefusal>): DiversionOutcome {
    if (signed.status === 'refused') return signed;
    const { claims, identityHeaders } = draft;
    const signature = signatureFacts(this.#options, draft.token);
    const record = { format: 'hopback.attestation-record.1', ppt: 'div', claims, signature } as const;
    return {
      status: 'signed',
      identityHeader: signed.identityHeader,
      identityHeaders: [...identityHeaders, signed.identityHeader],
      token: signed.token,
      claims,
      record,
      recordDelivery: deliverRecord(this.#options.onRecord, record),
    };
  }
}

/** @see RFC 8226 section 9 for the type; the field assigns OCNs and the like, as certificates of this library are read */
const SPC = /^[0-9A-Z]{1,15}$/;

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

/** Asked for once before any call comes, so that a generator of another kind shows at start-up. */
function requireUuid(randomUuid: () => string): void {
  if (isUuid(randomUuid())) return;
  throw new HopbackError('invalid-configuration', 'randomUuid must make UUIDs, as randomUUID of node:crypto does.');
}
