import { defined } from '../../core/text.js';
import { splitIdentityHeader } from '../../core/sip-request.js';
import { headerValues, parseSipRequest, verificationRequestOf } from '../../stir/index.js';
import type {
  Attestation,
  AttestationFacts,
  CallVerdict,
  SigningOutcome,
  VerificationRequest,
} from '../../stir/index.js';
import type { NumberSigningRequest } from '../../stir/signing/signing-request.js';
import { outboundHeaders } from '../../switch/index.js';
import { identifyCall } from '../../switch/verify-identity.js';
import type { CallIdentity } from '../../switch/index.js';
import { checkAnswer, heartbeatAnswer, readSignCsv, readSigning, signingAnswer } from '../dialects/signing-api.js';
import type { ShakenCall } from '../dialects/signing-api.js';
import { statedParties, stirApiProblem, stirApiProblemText } from '../dialects/stir-api.js';
import { readVerification, verificationAnswer } from '../dialects/verification-api.js';
import type { SigningPart } from '../services/load-services.js';
import { accepts, jsonAnswer, problemAnswer, textAnswer } from './call-context.js';
import type { Answer, CallContext, CallRequest, VerifiedCall } from './call-context.js';

/** `POST /stir/v1/signing`, in both dialects. */
function answerSigning({ text }: CallRequest, context: CallContext): Answer {
  const { signing, configuration } = context.services;
  const { heartbeatNumbers, signing: dialect } = configuration.answers;
  const asked = readSigning(text, { heartbeatNumbers });
  if (asked.status === 'problem') return problemAnswer(asked.problem);
  if (signing === undefined) return NOTHING_TO_SIGN_WITH;
  const call = asked.value;
  if (call.kind === 'heartbeat') {
    context.metrics.heartbeat();
    return jsonAnswer(heartbeatAnswer(dialect));
  }
  const startedMs = context.elapsedMs();
  const outcome = call.kind === 'div' ? signing.service.signDiversionNow(call.request) : signShaken(call, signing);
  counted(context, call.kind === 'div' ? 'div' : '', outcome, startedMs);
  const answer = signingAnswer(outcome, dialect);
  return typeof answer === 'string' ? jsonAnswer(answer) : problemAnswer(answer);
}

/** `POST /v1/sign-csv` of secsipidx. */
function answerSignCsv({ text }: CallRequest, context: CallContext): Answer {
  const { signing } = context.services;
  const asked = readSignCsv(text);
  if (asked.status === 'problem') return textAnswer(`${stirApiProblemText(asked.problem)}\n`, 400);
  if (signing === undefined) return NOTHING_TO_SIGN_WITH;
  const startedMs = context.elapsedMs();
  const outcome = signShaken(asked.value, signing);
  counted(context, '', outcome, startedMs);
  if (outcome.status === 'signed') return textAnswer(`${outcome.identityHeaders[0] ?? ''}\n`);
  return { ...textAnswer('FAILED\n', 500), headers: ['X-Hopback-Reason', outcome.reason] };
}

const NOTHING_TO_SIGN_WITH: Answer = problemAnswer(
  stirApiProblem('unavailable', 'this service has no signing certificate'),
);

function signShaken(call: ShakenCall, { service, configuration }: SigningPart): SigningOutcome {
  const { facts, attestation: decides, attestationBasis } = configuration;
  const request: { -readonly [Member in keyof NumberSigningRequest]: NumberSigningRequest[Member] } = {
    facts,
    origTn: call.origTn,
    destTn: call.destTn,
    destUri: call.destUri,
  };
  if (call.iatSeconds !== undefined) request.iatSeconds = call.iatSeconds;
  if (call.origId !== undefined) request.origId = call.origId;
  if (call.attestation !== undefined && decides !== 'policy-alone') {
    request.attestation = call.attestation;
    request.attestationBasis = attestationBasis;
  }
  return service.signNow(request);
}

/** Counts a call that was to be signed. */
function counted(
  { metrics, elapsedMs }: CallContext,
  attest: string,
  outcome: {
    readonly status: string;
    readonly reason?: string;
    readonly claims?: object;
  },
  startedMs: number,
): void {
  const level =
    outcome.claims !== undefined && 'attestation' in outcome.claims ? String(outcome.claims.attestation) : attest;
  const word = outcome.status === 'signed' ? 'signed' : (outcome.reason ?? outcome.status);
  metrics.signed({ attest: level, outcome: word }, (elapsedMs() - startedMs) / 1_000);
}

/** `POST /stir/v1/verification`, in both dialects. */
async function answerVerification({ text, requestId }: CallRequest, context: CallContext): Promise<Answer> {
  const { answers } = context.services.configuration;
  const asked = readVerification(text, { dialect: answers.verification, heartbeatNumbers: answers.heartbeatNumbers });
  if (asked.status === 'problem') return problemAnswer(asked.problem);
  const call = asked.value;
  const startedMs = context.elapsedMs();
  const verdict = await context.services.verification?.verify(call.request);
  if (verdict === undefined) return NOT_READY;
  if (call.isHeartbeat) context.metrics.heartbeat();
  else verified(context, { verdict, request: call.request, requestId }, startedMs);
  return jsonAnswer(verificationAnswer(call, verdict, answers));
}

/** Nobody is trusted yet: whoever asks goes on without, or asks elsewhere. */
const NOT_READY: Answer = problemAnswer(stirApiProblem('unavailable', 'nobody is trusted yet'), 1);

/** Counts a call and tells of it. */
function verified(context: CallContext, call: VerifiedCall, startedMs: number): void {
  context.metrics.verified(call.verdict, (context.elapsedMs() - startedMs) / 1_000);
  context.onVerified(call);
}

/** `POST /v1/check` of secsipidx. */
async function answerCheck({ text, requestId }: CallRequest, context: CallContext): Promise<Answer> {
  const identity = splitIdentityHeader(text.trim());
  const request: VerificationRequest = { identity, ...statedParties(identity) };
  const startedMs = context.elapsedMs();
  const verdict: CallVerdict | undefined = await context.services.verification?.verify(request);
  if (verdict === undefined) return NOT_READY;
  verified(context, { verdict, request, requestId }, startedMs);
  const { status, body, reason } = checkAnswer(verdict);
  return { ...textAnswer(body, status), headers: ['X-Hopback-Reason', reason] };
}

/**
 * `POST /v1/invite/verify`: an INVITE as it came in, as text; out comes what is to be done with the call, as JSON, or as the header fields that
 * it gets. The trunk is named in the query, `?trunk=NAME`, or told by `?address=192.0.2.1`. `?answer=text` is for switches that choose no Accept and see
 * no header of an answer: all of it is in the lines then.
 */
async function answerInviteVerify(request: CallRequest, context: CallContext): Promise<Answer> {
  const { services } = context;
  const service = services.verification;
  if (service === undefined) return NOT_READY;
  const [name, address] = [request.query.get('trunk') ?? undefined, request.query.get('address') ?? undefined];
  const trunk = services.trunks.find({ name, address });
  const startedMs = context.elapsedMs();
  const identity = await identifyCall(
    { raw: request.text, ...(address !== undefined && { source_address: address }) },
    {
      service,
      policyOf: () => trunk.policy,
      filingOf: () => (trunk.name === undefined ? undefined : services.filings?.filingOfTrunk(trunk.name)),
      ...(services.doNotOriginate !== undefined && { doNotOriginate: services.doNotOriginate }),
      onTrouble: context.onTrouble,
    },
  );
  if (identity.verdict !== undefined)
    tell(request, context, { verdict: identity.verdict, trunk: trunk.name, address }, startedMs);
  return wantsText(request) ? inviteText(request, identity) : jsonAnswer(JSON.stringify(inviteDocument(identity)));
}

function tell(
  { text, requestId }: CallRequest,
  context: CallContext,
  {
    verdict,
    trunk,
    address,
  }: { readonly [Name in 'trunk' | 'address']: string | undefined } & Pick<VerifiedCall, 'verdict'>,
  startedMs: number,
): void {
  const parsed = parseSipRequest(text);
  if (parsed.status === 'malformed') return;
  const [callId] = headerValues(parsed.request, 'call-id');
  const request = verificationRequestOf(parsed.request);
  verified(context, { verdict, request, requestId, ...defined({ trunk, address, callId }) }, startedMs);
}

const wantsText = ({ headers: { accept }, query }: CallRequest): boolean =>
  wantsLines(query) || (accept !== undefined && !accepts(accept, 'application/json') && accepts(accept, 'text/plain'));

const wantsLines = (query: URLSearchParams): boolean => query.get('answer') === 'text';

/** An answer of lines, `fields` in its header; and among its lines for whom sees no header. */
function linesAnswer({ query }: CallRequest, lines: readonly string[], fields: readonly string[]): Answer {
  const pairs = fields.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${fields[index + 1] ?? ''}`] : []));
  const body = [...(wantsLines(query) ? pairs : []), ...lines].map((line) => `${line}\r\n`).join('');
  return { ...textAnswer(body), ...(fields.length > 0 && { headers: fields }) };
}

function inviteDocument({ verdict, treatment, caller }: CallIdentity): Readonly<Record<string, unknown>> {
  const { action, reasonHeaders, concerns } = treatment;
  return {
    action,
    ...(treatment.action === 'reject' && {
      status: treatment.status,
      reasonPhrase: treatment.reasonPhrase,
      because: treatment.because,
    }),
    verstat: verdict?.verstat ?? 'No-TN-Validation',
    attestation: verdict?.attestation,
    origId: verdict?.origId,
    spc: verdict?.signer?.spc,
    caller,
    reasonHeaders,
    concerns,
    reasons: verdict?.reasons ?? [],
  };
}

/** Header fields for the call, one a line; what is to be done with it stands in the header of the answer. */
function inviteText(request: CallRequest, { verdict, treatment, caller }: CallIdentity): Answer {
  const lines = [
    ...(caller === undefined ? [] : [`${caller.name}: ${caller.value}`]),
    ...treatment.reasonHeaders.map((value) => `Reason: ${value}`),
  ];
  const status = treatment.action === 'reject' ? `${String(treatment.status)} ${treatment.reasonPhrase}` : '';
  return linesAnswer(request, lines, [
    ...['X-Hopback-Action', treatment.action, 'X-Hopback-Verstat', verdict?.verstat ?? 'No-TN-Validation'],
    ...(status === '' ? [] : ['X-Hopback-Status', status]),
  ]);
}

/**
 * `POST /v1/invite/sign`: an INVITE as it is to go out, as text; out come its Identity header fields and its Date. `?attest=A` is what the switch has
 * decided; `?trunk=NAME` names the trunk that the call came in by, whose role it is signed in.
 */
async function answerInviteSign(request: CallRequest, context: CallContext): Promise<Answer> {
  const { signing, trunks } = context.services;
  if (signing === undefined) return NOTHING_TO_SIGN_WITH;
  const attest = request.query.get('attest') ?? undefined;
  if (attest !== undefined && attest !== 'A' && attest !== 'B' && attest !== 'C')
    return problemAnswer(stirApiProblem('parameter-invalid', 'attest', "must be 'A', 'B' or 'C'"));
  const { configuration, service } = signing;
  const named = request.query.get('trunk') ?? configuration.facts.trunk;
  const trunk = trunks.find({ name: named });
  // The policy for all other trunks is about calls that come in.
  const role = trunk.name === undefined ? configuration.facts.role : (trunk.policy?.role ?? configuration.facts.role);
  const facts: AttestationFacts = { ...configuration.facts, role, ...(named !== undefined && { trunk: named }) };
  const startedMs = context.elapsedMs();
  const { headers, signing: outcome } = await outboundHeaders(
    { raw: request.text },
    {
      service: { sign: (call) => service.sign({ ...call, ...explicit(attest, configuration) }) },
      facts,
      onTrouble: context.onTrouble,
    },
  );
  if (outcome !== undefined) counted(context, '', outcome, startedMs);
  const identity = outcome?.status === 'signed' ? outcome.identityHeaders : [];
  const reason = outcome === undefined ? 'not-ours' : outcome.status === 'signed' ? undefined : outcome.reason;
  const date = outcome?.status === 'signed' ? headers['date'] : undefined;
  if (!wantsText(request)) return jsonAnswer(JSON.stringify({ isSigned: identity.length > 0, identity, date, reason }));
  const lines = [...identity.map((value) => `Identity: ${value}`), ...(date === undefined ? [] : [`Date: ${date}`])];
  return linesAnswer(request, lines, reason === undefined ? [] : ['X-Hopback-Reason', reason]);
}

const explicit = (
  attestation: Attestation | undefined,
  { attestation: decides, attestationBasis }: { readonly attestation: string; readonly attestationBasis: string },
): { readonly attestation?: Attestation; readonly attestationBasis?: string } =>
  attestation === undefined || decides === 'policy-alone' ? {} : { attestation, attestationBasis };

/** One route that answers while a call waits. */
export interface CallRoute {
  /** For metrics and logs. */
  readonly name: string;
  /** What a body has to be; `any`: as with secsipidx. */
  readonly takes: 'json' | 'sip' | 'any';
  /** Whether the answer is JSON whatever is asked for. */
  readonly givesJson: boolean;
  /** Whether its answers have header fields of fixed words alone, so that they may be written without being looked at. */
  readonly isPlain?: boolean;
  readonly answer: (request: CallRequest, context: CallContext) => Answer | Promise<Answer>;
}

const VERIFICATION: CallRoute = {
  name: 'verification',
  takes: 'json',
  givesJson: true,
  isPlain: true,
  answer: answerVerification,
};
const SIGNING: CallRoute = {
  name: 'signing',
  takes: 'json',
  givesJson: true,
  isPlain: true,
  answer: answerSigning,
};

/** Where the API of ATIS-1000082 and TS 24.229 is. */
const STIR_BASE = '/stir/v1';

/**
 * All routes of the call listener by path.
 * @param basePaths - further ones of the two STIR routes
 */
export function callRoutes(basePaths: readonly string[]): ReadonlyMap<string, CallRoute> {
  const bases = [STIR_BASE, ...basePaths.map((path) => path.replace(/\/$/, ''))];
  return new Map<string, CallRoute>([
    ...bases.flatMap((base): readonly [string, CallRoute][] => [
      [`${base}/verification`, VERIFICATION],
      [`${base}/signing`, SIGNING],
    ]),
    [
      '/v1/check',
      {
        name: 'check',
        takes: 'any',
        givesJson: false,
        isPlain: true,
        answer: answerCheck,
      },
    ],
    [
      '/v1/sign-csv',
      {
        name: 'sign-csv',
        takes: 'any',
        givesJson: false,
        isPlain: true,
        answer: answerSignCsv,
      },
    ],
    ['/v1/invite/verify', { name: 'invite-verify', takes: 'sip', givesJson: false, answer: answerInviteVerify }],
    ['/v1/invite/sign', { name: 'invite-sign', takes: 'sip', givesJson: false, answer: answerInviteSign }],
  ]);
}
