import { splitIdentityHeader } from '../../core/sip-request.js';
import type { CallVerdict, VerificationRequest } from '../../stir/index.js';
import { checkAnswer } from '../dialects/secsipidx-api.js';
import { statedParties } from '../dialects/stated-parties.js';
import { stirApiProblem } from '../dialects/stir-api-problem.js';
import { readVerification, verificationAnswer } from '../dialects/verification-api.js';
import { jsonAnswer, problemAnswer, textAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { CallContext, CallRequest } from './call-context.js';

/** `POST /stir/v1/verification`, in both dialects. */
export async function answerVerification({ text, requestId }: CallRequest, context: CallContext): Promise<Answer> {
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
export const NOT_READY: Answer = problemAnswer(stirApiProblem('unavailable', 'nobody is trusted yet'), 1);

/** Counts a call and tells of it. */
export function verified(
  context: CallContext,
  call: Parameters<CallContext['onVerified']>[0],
  startedMs: number,
): void {
  context.metrics.verified(call.verdict, (context.elapsedMs() - startedMs) / 1_000);
  context.onVerified(call);
}

/** `POST /v1/check` of secsipidx. */
export async function answerCheck({ text, requestId }: CallRequest, context: CallContext): Promise<Answer> {
  const identity = splitIdentityHeader(text.trim());
  const request: VerificationRequest = { identity, ...statedParties(identity) };
  const startedMs = context.elapsedMs();
  const verdict: CallVerdict | undefined = await context.services.verification?.verify(request);
  if (verdict === undefined) return NOT_READY;
  verified(context, { verdict, request, requestId }, startedMs);
  const { status, body, reason } = checkAnswer(verdict);
  return { ...textAnswer(body, status), headers: ['X-Hopback-Reason', reason] };
}
