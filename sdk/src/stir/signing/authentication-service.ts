import { HopbackError } from '../../errors.js';
import { NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { ShakenClaims } from '../passport-types/shaken.js';
import type { PartyOptions } from '../verification/request.js';
import { decideAttestation } from './attestation-policy.js';
import type { AttestationDecision, AttestationPolicy } from './attestation-policy.js';
import type { AttestationRecord, SignatureRecord } from './attestation-record.js';
import { deadlineOf } from './external-signer.js';
import type { Schedule } from '../../core/runtime/clock.js';
import { draftDiversion, finishDiversion } from './diversion.js';
import type { DiversionRequest } from './diversion.js';
import { attestationLevel } from './explicit-attestation.js';
import { shakenPayloadText } from './passport-writer.js';
import { deliverRecord, signatureFacts } from './record-delivery.js';
import { isRequest, NO_REQUEST, notSigned } from './signing-outcome.js';
import type { DiversionOutcome, RefusedSigning, SignatureRefusal, SigningOutcome } from './signing-outcome.js';
import { isSignedAlready, readSigningParties, targetOf } from './signing-request.js';
import type { SigningParties, SigningRequest } from './signing-request.js';
import { credentialInForce, draftToken, obstacleOf, signToken, signTokenNow } from './signing-session.js';
import type { SignedToken, SigningIdentity, TokenDraft, UsableCredential } from './signing-session.js';
import { isUuid, issueOf, rememberedSipDate } from './time-of-issue.js';
import type { IssueContext } from './time-of-issue.js';

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
  /**
   * How long `sign` and `signDiversion` wait for a signer that is asynchronous, milliseconds, at most {@link MAX_SIGNER_TIMEOUT_MS}; the
   * signer's own time, where it has one, goes on beside it. Default {@link DEFAULT_SERVICE_SIGNER_TIMEOUT_MS}.
   */
  readonly signerTimeoutMs?: number;
  /** Timers for that, for tests. Default those of the platform. */
  readonly schedule?: Schedule;
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
  /** Whether a call could be signed now: undefined when it could, else why not. Asks neither signer nor network. */
  readonly obstacle: () => RefusedSigning<SignatureRefusal> | undefined;
}

/**
 * How long a signer that is asynchronous is waited for when nothing else is said, milliseconds. Signers of `createExternalSigner` give
 * up much earlier by themselves; this is for those that never answer, and a caller who has waited five seconds has hung up.
 */
export const DEFAULT_SERVICE_SIGNER_TIMEOUT_MS = 5_000;

/**
 * Makes the authentication service of one provider: it decides the attestation, signs with the provider's key under the provider's
 * certificate, and keeps a record of each decision. It holds no socket, timer or file.
 * @param options - who signs, with what and by which policy; copied, so that later changes to the object change nothing
 * @returns the service; its methods neither throw nor reject for what requests, clock, source and signer do
 * @throws {@link HopbackError} `invalid-configuration` when the SPC is not 1 to 15 characters of `0-9A-Z`, or
 * `randomUuid` makes no UUID; `invalid-argument` when `signerTimeoutMs` is out of bounds
 * @see RFC 8224 section 6.1, RFC 8588, RFC 8946, ATIS-1000074 section 5.2
 * @example
 * ```ts
 * const pki = await createTestPki({ nowMs: Date.now() });
 * const { privateKeyPem, chainPem } = pki.issueServiceProvider({ spc: '1234' });
 * const service = createAuthenticationService({
 *   spc: '1234',
 *   signer: await createLocalSigner({ privateKeyPem }),
 *   certificateSource: createStaticCertificateSource({ chainPem, x5u: 'https://certificates.example.com/1234.pem' }),
 *   policy: createAttestationPolicy(),
 *   clock: { nowMs: () => Date.now() },
 *   randomUuid: () => crypto.randomUUID(),
 * });
 * const outcome = service.signNow({ origTn: '+12025550101', destTn: '+12025550199', facts: { role: 'gateway' } });
 * if (outcome.status === 'signed') console.log(outcome.claims.attestation, outcome.identityHeaders.length); // C 1
 * else console.log(outcome.reason, outcome.detail);
 * ```
 */
export function createAuthenticationService(options: AuthenticationServiceOptions): AuthenticationService {
  if (!SPC.test(options.spc)) {
    throw new HopbackError('invalid-configuration', 'The SPC must be 1 to 15 characters of 0-9 and A-Z.');
  }
  requireUuid(options.randomUuid);
  // A copy: what was looked at here must be what signs later.
  const own = { ...options };
  const timeoutMs = own.signerTimeoutMs ?? DEFAULT_SERVICE_SIGNER_TIMEOUT_MS;
  const { signer } = own;
  const bounded = { signer, deadline: deadlineOf('signerTimeoutMs', timeoutMs, own.schedule) };
  const context: SigningContext = {
    options: own,
    parties: partyOptions(own),
    credential: credentialInForce(own),
    randomUuid: own.randomUuid,
    sipDate: rememberedSipDate(),
  };
  return {
    async sign(request) {
      const draft = draftCall(request, context);
      return draft.status === 'draft' ? finishCall(draft, await signToken(bounded, draft.token), context) : draft;
    },
    signNow(request) {
      const draft = draftCall(request, context);
      return draft.status === 'draft' ? finishCall(draft, signTokenNow(signer, draft.token), context) : draft;
    },
    async signDiversion(request) {
      const draft = draftDiversion(request, context);
      return draft.status === 'draft' ? finishDiversion(draft, await signToken(bounded, draft.token), own) : draft;
    },
    signDiversionNow(request) {
      const draft = draftDiversion(request, context);
      return draft.status === 'draft' ? finishDiversion(draft, signTokenNow(signer, draft.token), own) : draft;
    },
    obstacle: () => obstacleOf(context.credential()),
  };
}

interface SigningContext extends IssueContext {
  readonly options: AuthenticationServiceOptions;
  readonly parties: PartyOptions;
  readonly credential: () => UsableCredential | RefusedSigning<SignatureRefusal>;
}

interface CallDraft {
  readonly status: 'draft';
  readonly token: TokenDraft;
  readonly claims: ShakenClaims;
  readonly decision: AttestationDecision;
  readonly decidedBy: AttestationRecord['decidedBy'];
  readonly basis: string;
  readonly date: string | undefined;
}

/** @see RFC 8226 section 9 for the type; the field assigns OCNs and the like, as certificates of this library are read */
const SPC = /^[0-9A-Z]{1,15}$/;

function partyOptions(options: AuthenticationServiceOptions): PartyOptions {
  return {
    originatingIdentity: options.originatingIdentity ?? ['p-asserted-identity', 'from'],
    destination: options.destination ?? 'to',
    numberingPlan: options.numberingPlan ?? NORTH_AMERICAN_PLAN,
  };
}

/** Everything but the signature: whether to sign at all, for whom, at which level, under which certificate. */
function draftCall(request: SigningRequest, context: SigningContext): CallDraft | SigningOutcome {
  if (!isRequest(request)) return NO_REQUEST;
  if (request.sign === false) return notSigned('switched-off', 'The request asks not to be signed.');
  if (isSignedAlready(request.identity))
    return notSigned('already-signed', 'The request has an Identity for its caller.');
  const parties = readSigningParties(request, context.parties);
  if (parties.status !== 'read') return parties;
  if (context.options.emergencyCalls !== 'sign' && isEmergency(request, parties, context)) {
    return notSigned('emergency', 'Emergency calls are not signed.');
  }
  const decision = decideAttestation(context.options.policy, request.facts);
  const level = attestationLevel(request, decision, context.options.policy);
  if (level.status !== 'decided') return level;
  const credential = context.credential();
  if (credential.status === 'refused') return credential;
  const issue = issueOf(request, credential.nowMs, context);
  if (issue.status === 'refused') return issue;
  const { origTn, destTn, destUri } = parties;
  const { iatSeconds, origId, date } = issue;
  const { attestation, decidedBy, basis } = level;
  const numbers = { attestation, origTn, destTn, iatSeconds, origId };
  const claims = destUri.length === 0 ? numbers : { ...numbers, destUri };
  const token = draftToken(credential, 'shaken', shakenPayloadText(claims));
  return token.status === 'refused' ? token : { status: 'draft', token, claims, decision, decidedBy, basis, date };
}

function finishCall(
  draft: CallDraft,
  signed: SignedToken | RefusedSigning<SignatureRefusal>,
  context: SigningContext,
): SigningOutcome {
  if (signed.status === 'refused') return signed;
  const { claims, decision, decidedBy, basis, date } = draft;
  const record: AttestationRecord = {
    format: 'hopback.attestation-record.1',
    ppt: 'shaken',
    claims,
    decidedBy,
    basis,
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

/** By called number or by where the request is headed: a switch that routes to 911 need not have changed the To. */
function isEmergency(request: SigningRequest, parties: SigningParties, { parties: options }: SigningContext): boolean {
  const numbers = options.numberingPlan.emergencyNumbers ?? [];
  if (parties.destTn.some((tn) => numbers.includes(tn))) return true;
  const target = 'origTn' in request ? undefined : targetOf(request, options);
  return target?.kind === 'tn' && numbers.includes(target.value);
}

/** Asked for once before any call comes, so that a generator of another kind shows at start-up. */
function requireUuid(randomUuid: () => string): void {
  if (isUuid(randomUuid())) return;
  throw new HopbackError('invalid-configuration', 'randomUuid must make UUIDs, as randomUUID of node:crypto does.');
}
