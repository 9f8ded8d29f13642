import { splitIdentityHeader } from '../../core/sip-request.js';
import { FAILURE_REASONS } from '../../stir/index.js';
import type { CallVerdict, PassportParty, VerificationOutcome, VerificationRequest } from '../../stir/index.js';
import { invalid, missing, read, readEnvelope, readParties, readParty, readSeconds, texts } from './stir-api.js';
import type { Members, Read } from './stir-api.js';

/** The two ways in which switches ask over the same paths. */
export type Dialect = 'atis' | '3gpp';

/** How answers are written, where vendors differ. */
export interface AnswerStyle {
  /** Names of the reason members of the ATIS dialect: as in ATIS-1000082, or as some vendors' clients read them. */
  readonly reasonNames: 'lower' | 'camel';
  /** Whether `verstat` says the attestation too, `TN-Validation-Passed-A`: practice of some vendors. */
  readonly verstatSuffix: boolean;
  /** Whether a verification of the ATIS dialect that passed also gives `attest` and `origid`, which ATIS-1000082 does not have. */
  readonly attestation: boolean;
}

/** A request to verify, of either dialect. */
export interface VerificationCall {
  readonly dialect: Dialect;
  /** There is nothing to verify: a client asks whether anybody is there. */
  readonly isHeartbeat: boolean;
  readonly request: VerificationRequest;
  /** Identity header values, as many as were sent. */
  readonly identity: readonly string[];
  /** To be given back in the answer. @see 3GPP TS 24.229 annex V.2 (practice of a vendor) */
  readonly requestId?: string;
}

/** How requests to verify are read. */
export interface VerificationApiOptions {
  readonly dialect: Dialect | 'by-request';
  /** Calling numbers that heartbeats come from, with an Identity or without. */
  readonly heartbeatNumbers: readonly string[];
}

/** Most characters of a `requestId` that are given back. */
const MAX_REQUEST_ID_CHARS = 128;

/**
 * Reads a request to verify. Which dialect it is in is seen by its member for the Identity header, unless it is configured.
 * @param text - the body
 * @param options - dialect, and which numbers are no calls
 * @returns the request, or what is wrong with it; never throws for what a client sends
 * @see ATIS-1000082 (verification API), 3GPP TS 24.229 annex V.2.6
 */
export function readVerification(text: string, options: VerificationApiOptions): Read<VerificationCall> {
  const { dialect, heartbeatNumbers } = options;
  const envelope = readEnvelope(text, 'verificationRequest');
  if (envelope.status === 'problem') return envelope;
  const body = envelope.value;
  const spoken = dialect === 'by-request' ? dialectOf(body) : dialect;
  const identity = spoken === 'atis' ? texts(body['identity']) : identityHeadersOf(body);
  if (identity === undefined) return invalid(spoken === 'atis' ? 'identity' : 'identityHeaders', 'must be text');
  const parties = readCallParties(body);
  if (parties.status === 'problem') return parties;
  const time = body['time'] === undefined ? undefined : readSeconds(body['time'], 'time');
  if (time?.status === 'problem') return time;
  const { requestId } = body;
  return read({
    dialect: spoken,
    isHeartbeat: identity.length === 0 || heartbeatNumbers.includes(parties.value.orig?.value ?? ''),
    identity,
    request: { identity, ...parties.value, ...(time !== undefined && { dateSeconds: time.value }) },
    ...(typeof requestId === 'string' && { requestId: requestId.slice(0, MAX_REQUEST_ID_CHARS) }),
  });
}

const dialectOf = (body: Members): Dialect =>
  body['identityHeader'] !== undefined || body['identityHeaders'] !== undefined || isText(toNumber(body))
    ? '3gpp'
    : 'atis';

/** TS 24.229 has a text where ATIS-1000082 has a list: what tells heartbeats without any Identity apart. */
function toNumber(body: Members): unknown {
  const to = body['to'];
  return typeof to === 'object' && to !== null ? (to as Members)['tn'] : undefined;
}

const isText = (value: unknown): boolean => typeof value === 'string';

function identityHeadersOf(body: Members): readonly string[] | undefined {
  const first = texts(body['identityHeader']);
  const others = texts(body['identityHeaders']);
  return first === undefined || others === undefined ? undefined : [...first, ...others];
}

/** `dest` of TS 24.229 is where the request is headed, the Request-URI; `to` what was dialled. */
function readCallParties(body: Members): Read<Pick<VerificationRequest, 'orig' | 'dest' | 'requestUri'>> {
  const from = readParty(body['from'], 'from');
  if (from.status === 'problem') return from;
  const to = readParties(body['to'], 'to');
  if (to.status === 'problem') return to;
  if (to.value.length === 0) return missing('to.tn');
  if (body['dest'] === undefined) return read({ orig: from.value, dest: to.value });
  const target = readParty(body['dest'], 'dest');
  if (target.status === 'problem') return target;
  return read({ orig: from.value, dest: to.value, requestUri: uriOf(target.value) });
}

/** A number as the Request-URI that it stands for. */
function uriOf({ kind, value }: PassportParty): string {
  if (kind === 'uri') return value;
  return `tel:${/^[1-9]\d{6,14}$/.test(value) ? '+' : ''}${value}`;
}

/**
 * Writes the answer to a request to verify.
 * @param call - from {@link readVerification}
 * @param verdict - of the verification service
 * @param style - how the ATIS dialect is written
 * @returns JSON text
 * @see ATIS-1000082 (verification API), 3GPP TS 24.229 annex V.2.6
 */
export function verificationAnswer(call: VerificationCall, verdict: CallVerdict, style: AnswerStyle): string {
  return call.dialect === 'atis' ? atisAnswer(verdict, style) : threeGppAnswer(call, verdict, style);
}

/** Most calls have no reason, and few values: written by hand, which a request in three costs. */
function atisAnswer(verdict: CallVerdict, style: AnswerStyle): string {
  const names = REASON_NAMES[style.reasonNames];
  const answer: Record<string, unknown> = { verstat: verstatOf(verdict, style) };
  const [reason] = verdict.reasons;
  if (verdict.sipResponse !== undefined) {
    answer[names.code] = verdict.sipResponse.status;
    answer[names.text] = verdict.sipResponse.reasonPhrase;
  }
  if (verdict.status !== 'passed' && reason !== undefined) answer[names.desc] = FAILURE_REASONS[reason].text;
  if (style.attestation && verdict.attestation !== undefined) answer['attest'] = verdict.attestation;
  if (style.attestation && verdict.origId !== undefined) answer['origid'] = verdict.origId;
  return JSON.stringify({ verificationResponse: answer });
}

const REASON_NAMES = {
  lower: { code: 'reasoncode', text: 'reasontext', desc: 'reasondesc' },
  camel: { code: 'reasonCode', text: 'reasonText', desc: 'reasonDesc' },
} as const;

function verstatOf({ verstat, attestation }: CallVerdict, { verstatSuffix }: AnswerStyle): string {
  return verstatSuffix && attestation !== undefined ? `${verstat}-${attestation}` : verstat;
}

function threeGppAnswer(call: VerificationCall, verdict: CallVerdict, style: AnswerStyle): string {
  // Outcomes are counted by header field value, of which one text may have several.
  const identity = call.identity.flatMap((value) => splitIdentityHeader(value));
  const divs = verdict.evidence.passports.filter(({ div }) => div !== undefined);
  return JSON.stringify({
    verificationResponse: {
      ...(call.requestId !== undefined && { requestId: call.requestId }),
      verstatValue: verstatOf(verdict, style),
      verifyResults: verdict.outcomes.map((outcome) => ({ verifyResult: verifyResult(outcome, identity) })),
      ...(divs.length > 0 && {
        divResult: divs.map(({ div, status }) => ({ div: { tn: div }, verstatValue: VERSTAT_OF_DIV[status] })),
      }),
    },
  });
}

const VERSTAT_OF_DIV = {
  passed: 'TN-Validation-Passed',
  failed: 'TN-Validation-Failed',
  indeterminate: 'No-TN-Validation',
  ignored: 'No-TN-Validation',
} as const;

/** One tuple: claims of what passed, the reason and the PASSporT itself of what did not. */
function verifyResult(outcome: VerificationOutcome, identity: readonly string[]): Readonly<Record<string, unknown>> {
  if (outcome.status === 'passed') {
    const { passport } = outcome;
    return { ppt: passport.ppt ?? '', status: 'pass', validClaims: claimsOf(passport) };
  }
  // A type that is not verified here is neither good nor bad, and the dialect has no third word.
  if (outcome.status === 'ignored') return { ppt: outcome.ppt ?? '', status: 'ignored' };
  const [failure] = outcome.failures;
  const meaning = failure === undefined ? undefined : FAILURE_REASONS[failure.reason];
  return {
    ppt: outcome.ppt ?? '',
    status: 'fail',
    ...(meaning?.sip !== undefined && { reasonCode: meaning.sip.status, reasonText: meaning.sip.reasonPhrase }),
    ...(meaning !== undefined && { reasonDescription: meaning.text }),
    ...passportMember(identity[outcome.index]),
  };
}

function passportMember(value: string | undefined): { readonly passport?: string } {
  const [passport = ''] = (value ?? '').split(';', 1);
  return passport === '' ? {} : { passport: passport.trim() };
}

type Passed = Extract<VerificationOutcome, { readonly status: 'passed' }>['passport'];

function claimsOf({ attestation, dest, iatSeconds, orig, origId, div }: Passed): Readonly<Record<string, unknown>> {
  const party = ({ kind, value }: PassportParty): Readonly<Record<string, string>> => ({ [kind]: value });
  const values = (kind: PassportParty['kind']): readonly string[] =>
    dest.flatMap((one) => (one.kind === kind ? [one.value] : []));
  const [tn, uri] = [values('tn'), values('uri')];
  return {
    ...(attestation !== undefined && { attest: attestation }),
    dest: { ...(tn.length > 0 && { tn }), ...(uri.length > 0 && { uri }) },
    ...(div !== undefined && { div: party(div) }),
    iat: iatSeconds,
    orig: party(orig),
    ...(origId !== undefined && { origid: origId }),
  };
}
