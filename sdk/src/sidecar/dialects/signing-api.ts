import type {
  Attestation,
  CallVerdict,
  DiversionOutcome,
  DiversionRequest,
  PassportParty,
  SigningOutcome,
} from '../../stir/index.js';
import {
  invalid,
  missing,
  read,
  readEnvelope,
  readParties,
  readParty,
  readSeconds,
  stirApiProblem,
  texts,
} from './stir-api.js';
import type { Members, Read, StirApiProblem } from './stir-api.js';
import type { Dialect } from './verification-api.js';

/** A call to be signed, as a switch asks for it. */
export interface ShakenCall {
  readonly kind: 'shaken';
  readonly origTn: string;
  readonly destTn: readonly string[];
  readonly destUri: readonly string[];
  /** What the switch has decided; undefined where it leaves that to the policy here. */
  readonly attestation: Attestation | undefined;
  readonly origId: string | undefined;
  readonly iatSeconds: number | undefined;
}

/** A request to sign, of either dialect. */
type SigningCall =
  | ShakenCall
  | { readonly kind: 'div'; readonly request: DiversionRequest }
  /** A client asks whether anybody is there: nothing is to be signed. */
  | { readonly kind: 'heartbeat' };

/** How requests to sign are read. */
interface SigningApiOptions {
  /** Calling numbers that heartbeats come from. */
  readonly heartbeatNumbers: readonly string[];
}

/**
 * Reads a request to sign.
 * @param text - the body
 * @param options - which numbers are no calls
 * @returns the request, or what is wrong with it; never throws for what a client sends
 * @see ATIS-1000082 (signing API), 3GPP TS 24.229 annex V.2.5
 */
export function readSigning(text: string, options: SigningApiOptions): Read<SigningCall> {
  const envelope = readEnvelope(text, 'signingRequest');
  if (envelope.status === 'problem') return envelope;
  const body = envelope.value;
  const orig = readParty(body['orig'], 'orig');
  if (orig.status === 'problem') return orig;
  const dest = readParties(body['dest'], 'dest');
  if (dest.status === 'problem') return dest;
  if (dest.value.length === 0) return missing('dest.tn');
  if (orig.value.kind !== 'tn') return missing('orig.tn');
  const origTn = orig.value.value;
  if (options.heartbeatNumbers.includes(origTn)) return read({ kind: 'heartbeat' });
  if (body['div'] !== undefined) return readDiversion(body, { origTn, dest: dest.value });
  return readShaken(body, { origTn, dest: dest.value });
}

interface Parties {
  readonly origTn: string;
  readonly dest: readonly PassportParty[];
}

function readShaken(body: Members, { origTn, dest }: Parties): Read<SigningCall> {
  const { attest, origid, ppt } = body;
  if (ppt !== undefined && ppt !== 'shaken') return invalid('ppt', 'only shaken and div are signed');
  // Calls are signed when they are made; a client that says no time wants to know whether anybody is there.
  if (body['iat'] === undefined) return read({ kind: 'heartbeat' });
  const iat = readSeconds(body['iat'], 'iat');
  if (iat.status === 'problem') return iat;
  if (attest !== undefined && attest !== 'A' && attest !== 'B' && attest !== 'C')
    return invalid('attest', "must be 'A', 'B' or 'C'");
  if (origid !== undefined && typeof origid !== 'string') return invalid('origid', 'must be a UUID (RFC 9562)');
  const values = (kind: PassportParty['kind']): readonly string[] =>
    dest.flatMap((party) => (party.kind === kind ? [party.value] : []));
  return read({
    kind: 'shaken',
    origTn,
    destTn: values('tn'),
    destUri: values('uri'),
    attestation: attest,
    origId: origid === '' ? undefined : origid,
    iatSeconds: iat.value,
  });
}

/** A div refers to what was signed before, which the dialect leaves out: it has to come along. @see RFC 8946 section 4 */
function readDiversion(body: Members, { origTn, dest }: Parties): Read<SigningCall> {
  const div = readParty(body['div'], 'div');
  if (div.status === 'problem') return div;
  const [first, others] = [texts(body['identityHeader']), texts(body['identityHeaders'])];
  if (first === undefined || others === undefined) return invalid('identityHeaders', 'must be text');
  const identity = [...first, ...others];
  if (identity.length === 0) return missing('identityHeaders');
  const [target] = dest;
  if (target === undefined || dest.length > 1) return invalid('dest', 'a diverted call has one new target');
  const to = target.kind === 'tn' ? { newTargetTn: target.value } : { newTargetUri: target.value };
  return read({ kind: 'div', request: { identity, divertingTn: div.value.value, origTn, ...to } });
}

/**
 * Writes the answer to a request to sign.
 * @param outcome - of the authentication service
 * @param dialect - names the member: `identity` of ATIS-1000082, `identityHeader` of TS 24.229
 * @returns JSON text, or the problem that the caller is told
 */
export function signingAnswer(outcome: SigningOutcome | DiversionOutcome, dialect: Dialect): string | StirApiProblem {
  if (outcome.status !== 'signed') return problemOf(outcome);
  const identity = 'identityHeader' in outcome ? outcome.identityHeader : (outcome.identityHeaders[0] ?? '');
  return signingBody(identity, dialect);
}

/** The answer to a heartbeat: in the form of a signature, and none. */
export const heartbeatAnswer = (dialect: Dialect): string => signingBody('', dialect);

const signingBody = (identity: string, dialect: Dialect): string =>
  JSON.stringify({ signingResponse: { [dialect === 'atis' ? 'identity' : 'identityHeader']: identity } });

/** Which parameter a refusal is about; what is not listed is nothing that the request could change. */
const PARAMETERS: Readonly<Record<string, string>> = {
  'no-usable-number': 'orig.tn',
  'request-invalid': 'signingRequest',
  'iat-not-current': 'iat',
  'attestation-not-permitted': 'attest',
  'attestation-basis-missing': 'attest',
  'diverted-passport-missing': 'identityHeaders',
  'orig-mismatch': 'orig.tn',
  'orig-ambiguous': 'orig.tn',
  'no-identity': 'identityHeaders',
  'too-many-identity-headers': 'identityHeaders',
};

function problemOf(outcome: Exclude<SigningOutcome | DiversionOutcome, { readonly status: 'signed' }>): StirApiProblem {
  const parameter = PARAMETERS[outcome.reason];
  if (parameter !== undefined) return stirApiProblem('parameter-invalid', parameter, outcome.detail);
  if (outcome.status === 'not-signed') return stirApiProblem('not-signed', outcome.detail);
  return stirApiProblem('unavailable', outcome.detail);
}

/** Highest number of fields: OrigTN,DestTN,ATTEST,OrigID,X5U. */
const MAX_FIELDS = 5;

/**
 * Reads a line of secsipidx's `sign-csv`: `OrigTN,DestTN,ATTEST,OrigID,X5U`. Its X5U is not heard: the certificate that signs says where it is.
 * @param text - the body
 * @returns the call to sign; never throws for what a client sends
 */
export function readSignCsv(text: string): Read<ShakenCall> {
  const fields = text.trim().split(',', MAX_FIELDS + 1);
  const [origTn = '', destTn = '', attest = '', origId = ''] = fields.map((field) => field.trim());
  if (fields.length > MAX_FIELDS) return invalid('body', 'must be OrigTN,DestTN,ATTEST,OrigID,X5U');
  if (origTn === '') return missing('OrigTN');
  if (destTn === '') return missing('DestTN');
  if (attest !== 'A' && attest !== 'B' && attest !== 'C') return invalid('ATTEST', "must be 'A', 'B' or 'C'");
  return read({
    kind: 'shaken',
    origTn,
    destTn: [destTn],
    destUri: [],
    attestation: attest satisfies Attestation,
    origId: origId === '' ? undefined : origId,
    iatSeconds: undefined,
  });
}

/**
 * The answer to secsipidx's `check`: 200 `OK`, or 500 `FAILED`. Of the call nothing is known but its Identity, so that signature, certificate,
 * path, revocation, claims and freshness are checked, and not whether it speaks for this caller.
 * @param verdict - of the Identity alone
 * @returns status and body as secsipidx has them, and why, which it does not say
 */
export function checkAnswer(verdict: CallVerdict): {
  readonly status: 200 | 500;
  readonly body: string;
  readonly reason: string;
} {
  if (verdict.status === 'passed') return { status: 200, body: 'OK\n', reason: 'none' };
  return { status: 500, body: 'FAILED\n', reason: verdict.reasons[0] ?? verdict.status };
}
