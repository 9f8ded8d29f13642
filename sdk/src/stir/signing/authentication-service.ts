import { HopbackError } from '../../errors.js';
import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { Attestation } from '../../core/terms.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import { formatSipDate, readSipDate } from '../verification/request.js';
import type { PartyOptions } from '../verification/request.js';
import { decideAttestation } from './attestation-policy.js';
import type { AttestationDecision, AttestationPolicy } from './attestation-policy.js';
import type { AttestationRecord, SignatureRecord } from './attestation-record.js';
import { draftDiversion, finishDiversion } from './diversion.js';
import type { DiversionRequest } from './diversion.js';
import { shakenPayloadText } from './passport-writer.js';
import { notSigned, refused } from './signing-outcome.js';
import type {
  DiversionOutcome,
  NotSigned,
  RefusedSigning,
  SignatureRefusal,
  SigningOutcome,
} from './signing-outcome.js';
import { isSignedAlready, readSigningParties } from './signing-request.js';
import type { SigningParties, SigningRequest } from './signing-request.js';
import {
  credentialInForce,
  deliverRecord,
  draftToken,
  signatureFacts,
  signToken,
  signTokenNow,
} from './signing-session.js';
import type { SignedToken, SigningIdentity, TokenDraft, UsableCredential } from './signing-session.js';

/** Settings of {@link createAuthenticationService}. */
export interface AuthenticationServiceOptions extends SigningIdentity, Partial<PartyOptions> {
  /** From `createAttestationPolicy`. */
  readonly policy: AttestationPolicy;
  /** A new UUID at each call, `randomUUID` of `node:crypto` for one: the origid of a call that brings none. */
  readonly randomUuid: () => string;
  /**
   * Whether calls to emergency numbers are signed. Default `do-not-sign`: such a call must reach its destination whatever
   * becomes of its signature, and its own PASSporT type speaks for it. @see RFC 9027
   */
  readonly emergencyCalls?: 'do-not-sign' | 'sign';
  /** Gets the record of each signature, before the outcome is returned. What it throws is dropped and noted in the outcome. */
  readonly onRecord?: (record: SignatureRecord) => void;
}

/** Signs calls for one provider. */
export interface AuthenticationService {
  /** Signs a call. Never rejects for what a request holds. @see RFC 8224 section 6.1 */
  readonly sign: (request: SigningRequest) => Promise<SigningOutcome>;
  /** Signs a call at once; `refused` as `signer-is-asynchronous` where the signer cannot. Never throws for what a request holds. */
  readonly signNow: (request: SigningRequest) => SigningOutcome;
  /** Adds a div when a call is retargeted. Never rejects for what a request holds. @see RFC 8946 section 4 */
  readonly signDiversion: (request: DiversionRequest) => Promise<DiversionOutcome>;
  /** As `signDiversion`, at once. */
  readonly signDiversionNow: (request: DiversionRequest) => DiversionOutcome;
  /** Whether anything could be signed now: undefined when it could, else why not. Asks neither signer nor network. */
  readonly obstacle: () => RefusedSigning<SignatureRefusal> | undefined;
}

/** How far a Date, or an `iat` that a request asks for, may be from the present, seconds. @see RFC 8224 section 6.1 step 3 */
export const MAX_DATE_SKEW_SECONDS = 60;

/**
 * Makes the authentication service of one provider: it decides the attestation, signs with the provider's key under the provider's
 * certificate, and keeps a record of each decision. It holds no socket, timer or file.
 * @param options - who signs, with what and by which policy
 * @throws {@link HopbackError} `invalid-configuration` when the SPC is not 1 to 15 characters of `0-9A-Z`, or
 * `randomUuid` makes no UUID
 * @see RFC 8224 section 6.1, RFC 8588, RFC 8946, ATIS-1000074 section 5.2
 * @example
 * ```ts
 * // the whole of it: examples/sign-call.ts
 * const service = createAuthenticationService({ spc: '1234', signer, certificateSource, policy, clock, randomUuid });
 * const outcome = service.signNow({ from, to, facts: { role: 'gateway' } });
 * ```
 */
export function createAuthenticationService(options: AuthenticationServiceOptions): AuthenticationService {
  if (!SPC.test(options.spc)) {
    throw new HopbackError('invalid-configuration', 'The SPC must be 1 to 15 characters of 0-9 and A-Z.');
  }
  const context: SigningContext = {
    options,
    parties: partyOptions(options),
    credential: credentialInForce(options),
    sipDate: rememberedSipDate(),
  };
  requireUuid(options.randomUuid);
  const { signer } = options;
  const diversion = { ...context, identity: options };
  return {
    async sign(request) {
      const draft = draftCall(request, context);
      return draft.status === 'draft' ? finishCall(draft, await signToken(signer, draft.token), context) : draft;
    },
    signNow(request) {
      const draft = draftCall(request, context);
      return draft.status === 'draft' ? finishCall(draft, signTokenNow(signer, draft.token), context) : draft;
    },
    async signDiversion(request) {
      const draft = draftDiversion(request, diversion);
      return draft.status === 'draft' ? finishDiversion(draft, await signToken(signer, draft.token), options) : draft;
    },
    signDiversionNow(request) {
      const draft = draftDiversion(request, diversion);
      return draft.status === 'draft' ? finishDiversion(draft, signTokenNow(signer, draft.token), options) : draft;
    },
    obstacle() {
      const credential = context.credential();
      return credential.status === 'usable' ? undefined : credential;
    },
  };
}

interface SigningContext {
  readonly options: AuthenticationServiceOptions;
  readonly parties: PartyOptions;
  readonly credential: () => UsableCredential | RefusedSigning<SignatureRefusal>;
  /** A Date header value. @param epochSeconds - the instant */
  readonly sipDate: (epochSeconds: number) => string;
}

interface CallDraft {
  readonly status: 'draft';
  readonly token: TokenDraft;
  readonly claims: ShakenClaims;
  readonly decision: AttestationDecision;
  readonly decidedBy: AttestationRecord['decidedBy'];
  readonly date: string | undefined;
}

/** @see RFC 8226 section 9 for the type; the field assigns OCNs and the like, as certificates of this library are read */
const SPC = /^[0-9A-Z]{1,15}$/;

/** @see RFC 9562 section 4 */
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** From the most to the least that is attested. */
const RANK: Readonly<Record<Attestation | 'none', number>> = { A: 3, B: 2, C: 1, none: 0 };

function partyOptions(options: AuthenticationServiceOptions): PartyOptions {
  return {
    originatingIdentity: options.originatingIdentity ?? ['p-asserted-identity', 'from'],
    destination: options.destination ?? 'to',
    numberingPlan: options.numberingPlan ?? NORTH_AMERICAN_PLAN,
  };
}

/** Everything but the signature: whether to sign at all, for whom, at which level, under which certificate. */
function draftCall(request: SigningRequest, context: SigningContext): CallDraft | SigningOutcome {
  if (request.sign === false) return notSigned('switched-off', 'The request asks not to be signed.');
  if (isSignedAlready(request.identity))
    return notSigned('already-signed', 'The request has an Identity for its caller.');
  const parties = readSigningParties(request, context.parties);
  if (parties.status !== 'read') return parties;
  if (context.options.emergencyCalls !== 'sign' && isEmergency(parties, context)) {
    return notSigned('emergency', 'Emergency calls are not signed.');
  }
  const decision = decideAttestation(context.options.policy, request.facts);
  const level = attestationOf(request, decision, context.options.policy);
  if (level.status !== 'decided') return level;
  const credential = context.credential();
  if (credential.status === 'refused') return credential;
  const issue = issueOf(request, credential.nowMs, context);
  if (issue.status === 'refused') return issue;
  const { iatSeconds, origId, date } = issue;
  const { origTn, destTn, destUri } = parties;
  const numbers = { attestation: level.attestation, origTn, destTn, iatSeconds, origId };
  const claims = destUri.length === 0 ? numbers : { ...numbers, destUri };
  const token = draftToken(credential, 'shaken', shakenPayloadText(claims));
  return { status: 'draft', token, claims, decision, decidedBy: level.decidedBy, date };
}

function finishCall(
  draft: CallDraft,
  signed: SignedToken | RefusedSigning<SignatureRefusal>,
  context: SigningContext,
): SigningOutcome {
  if (signed.status === 'refused') return signed;
  const { claims, decision, decidedBy, date } = draft;
  const record: AttestationRecord = {
    format: 'hopback.attestation-record.1',
    ppt: 'shaken',
    claims,
    decidedBy,
    decision,
    signature: signatureFacts(context.options, draft.token),
  };
  return {
    status: 'signed',
    identityHeaders: [signed.identityHeader],
    date,
    token: signed.token,
    claims,
    record,
    recordDelivery: deliverRecord(context.options.onRecord, record),
  };
}

function isEmergency(parties: SigningParties, context: SigningContext): boolean {
  const numbers = context.parties.numberingPlan.emergencyNumbers ?? [];
  return parties.destTn.some((tn) => numbers.includes(tn));
}

type Level =
  | {
      readonly status: 'decided';
      readonly attestation: Attestation;
      readonly decidedBy: AttestationRecord['decidedBy'];
    }
  | NotSigned
  | RefusedSigning;

/** The level of the policy, or of the request where the policy gives way to it. */
function attestationOf(request: SigningRequest, decision: AttestationDecision, policy: AttestationPolicy): Level {
  const asked = request.attestation;
  if (asked === undefined) {
    if (decision.attestation === 'none') return { ...notSigned('policy', decision.basis), decision };
    return { status: 'decided', attestation: decision.attestation, decidedBy: 'policy' };
  }
  if (asked !== 'A' && asked !== 'B' && asked !== 'C') {
    return refused('request-invalid', 'The attestation asked for is none of A, B and C.');
  }
  const values = { expected: decision.attestation, actual: asked };
  if (policy.explicitAttestation === 'refused') {
    return refused('attestation-not-permitted', 'The policy lets no request bring its own attestation.', values);
  }
  if (policy.explicitAttestation === 'at-most-rule' && RANK[asked] > RANK[decision.attestation]) {
    return refused('attestation-not-permitted', 'The request asks for more than the policy gives.', values);
  }
  return { status: 'decided', attestation: asked, decidedBy: 'request' };
}

type Issue =
  | {
      readonly status: 'issued';
      readonly iatSeconds: number;
      readonly origId: string;
      readonly date: string | undefined;
    }
  | RefusedSigning;

/** When and under which name the PASSporT is issued, and the Date that goes with it. */
function issueOf(request: SigningRequest, nowMs: number, context: SigningContext): Issue {
  const nowSeconds = Math.floor(nowMs / 1000);
  const iatSeconds = ('iatSeconds' in request ? request.iatSeconds : undefined) ?? nowSeconds;
  // Not "greater than": a number that is none at all must not pass.
  if (!(Number.isInteger(iatSeconds) && isCurrent(iatSeconds, nowSeconds))) {
    const values = { expected: String(nowSeconds), actual: String(iatSeconds) };
    return refused(
      'iat-not-current',
      `The time of issue is more than ${String(MAX_DATE_SKEW_SECONDS)} s from now.`,
      values,
    );
  }
  const origId = request.origId ?? context.options.randomUuid();
  if (request.origId !== undefined && !isUuid(origId)) {
    return refused('request-invalid', 'The origid is not a UUID.', { expected: 'a UUID' });
  }
  const dateSeconds = typeof request.date === 'string' ? readSipDate(request.date) : undefined;
  const isDateRight = dateSeconds !== undefined && isCurrent(dateSeconds, nowSeconds);
  return { status: 'issued', iatSeconds, origId, date: isDateRight ? undefined : context.sipDate(iatSeconds) };
}

const isCurrent = (seconds: number, nowSeconds: number): boolean =>
  Math.abs(seconds - nowSeconds) <= MAX_DATE_SKEW_SECONDS;

const isUuid = (value: unknown): boolean => typeof value === 'string' && UUID.test(value);

/** Asked once: every further look would cost each call, and a generator does not change its kind. */
function requireUuid(randomUuid: () => string): void {
  if (isUuid(randomUuid())) return;
  throw new HopbackError('invalid-configuration', 'randomUuid must make UUIDs, as randomUUID of node:crypto does.');
}

/** All calls of one second have the same Date. */
function rememberedSipDate(): (epochSeconds: number) => string {
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
