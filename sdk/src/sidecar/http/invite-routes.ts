import { headerValues, parseSipRequest } from '../../stir/index.js';
import type { AttestationFacts, Attestation } from '../../stir/index.js';
import { identifyCall, outboundHeaders } from '../../switch/index.js';
import type { CallIdentity } from '../../switch/index.js';
import { verificationRequestOf } from '../../stir/index.js';
import { stirApiProblem } from '../dialects/stir-api-problem.js';
import { accepts } from './media-types.js';
import { jsonAnswer, problemAnswer, textAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { CallContext, CallRequest } from './call-context.js';
import { counted, NOTHING_TO_SIGN_WITH } from './signing-routes.js';
import { NOT_READY, verified } from './verification-routes.js';

/**
 * `POST /v1/invite/verify`: an INVITE as it came in, as text; out comes what is to be done with the call, as JSON, or as the header fields that
 * it gets. The trunk is named in the query, `?trunk=NAME`, or told by `?address=192.0.2.1`. `?answer=text` is for switches that choose no Accept and see
 * no header of an answer: all of it is in the lines then.
 */
export async function answerInviteVerify(request: CallRequest, context: CallContext): Promise<Answer> {
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
  tell(request, { context, identity, startedMs, trunk: trunk.name, address });
  return wantsText(request) ? inviteText(request, identity) : jsonAnswer(JSON.stringify(inviteDocument(identity)));
}

function tell(
  request: CallRequest,
  call: {
    readonly context: CallContext;
    readonly identity: CallIdentity;
    readonly startedMs: number;
    readonly trunk: string | undefined;
    readonly address: string | undefined;
  },
): void {
  const { verdict } = call.identity;
  const parsed = parseSipRequest(request.text);
  if (verdict === undefined || parsed.status === 'malformed') return;
  const [callId] = headerValues(parsed.request, 'call-id');
  const { context, startedMs, trunk, address } = call;
  verified(
    context,
    {
      verdict,
      request: verificationRequestOf(parsed.request),
      requestId: request.requestId,
      ...(trunk !== undefined && { trunk }),
      ...(address !== undefined && { address }),
      ...(callId !== undefined && { callId }),
    },
    startedMs,
  );
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
    ...(verdict?.attestation !== undefined && { attestation: verdict.attestation }),
    ...(verdict?.origId !== undefined && { origId: verdict.origId }),
    ...(verdict?.signer?.spc !== undefined && { spc: verdict.signer.spc }),
    ...(caller !== undefined && { caller }),
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
export async function answerInviteSign(request: CallRequest, context: CallContext): Promise<Answer> {
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
  if (outcome !== undefined) counted(context, { attest: '', outcome, startedMs });
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
