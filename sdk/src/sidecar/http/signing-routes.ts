import type { NumberSigningRequest, SigningOutcome } from '../../stir/index.js';
import { readSignCsv } from '../dialects/secsipidx-api.js';
import { heartbeatAnswer, readSigning, signingAnswer } from '../dialects/signing-api.js';
import type { ShakenCall } from '../dialects/signing-api.js';
import { stirApiProblem, stirApiProblemText } from '../dialects/stir-api-problem.js';
import type { SigningPart } from '../services/load-signing.js';
import { jsonAnswer, problemAnswer, textAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { CallContext, CallRequest } from './call-context.js';

/** `POST /stir/v1/signing`, in both dialects. */
export function answerSigning({ text }: CallRequest, context: CallContext): Answer {
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
  counted(context, { attest: call.kind === 'div' ? 'div' : '', outcome, startedMs });
  const answer = signingAnswer(outcome, dialect);
  return typeof answer === 'string' ? jsonAnswer(answer) : problemAnswer(answer);
}

/** `POST /v1/sign-csv` of secsipidx. */
export function answerSignCsv({ text }: CallRequest, context: CallContext): Answer {
  const { signing } = context.services;
  const asked = readSignCsv(text);
  if (asked.status === 'problem') return textAnswer(`${stirApiProblemText(asked.problem)}\n`, 400);
  if (signing === undefined) return NOTHING_TO_SIGN_WITH;
  const startedMs = context.elapsedMs();
  const outcome = signShaken(asked.value, signing);
  counted(context, { attest: '', outcome, startedMs });
  if (outcome.status === 'signed') return textAnswer(`${outcome.identityHeaders[0] ?? ''}\n`);
  return { ...textAnswer('FAILED\n', 500), headers: ['X-Hopback-Reason', outcome.reason] };
}

export const NOTHING_TO_SIGN_WITH: Answer = problemAnswer(
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
export function counted(
  { metrics, elapsedMs }: CallContext,
  {
    attest,
    outcome,
    startedMs,
  }: {
    readonly attest: string;
    readonly outcome: { readonly status: string; readonly reason?: string; readonly claims?: object };
    readonly startedMs: number;
  },
): void {
  const level =
    outcome.claims !== undefined && 'attestation' in outcome.claims ? String(outcome.claims.attestation) : attest;
  const word = outcome.status === 'signed' ? 'signed' : (outcome.reason ?? outcome.status);
  metrics.signed({ attest: level, outcome: word }, (elapsedMs() - startedMs) / 1_000);
}
