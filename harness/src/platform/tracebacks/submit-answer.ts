import { jsonAnswer, problemAnswer } from '@hopback/sdk/platform';
import type { AnswerReceipt, AnswerSubmission, PlatformAnswer, PlatformProblem } from '@hopback/sdk/platform';
import type { ProviderReference, TracebackAnswer, TracebackEvent, TracebackFinding } from '@hopback/sdk/traceback';
import { veiledAnswer } from '../domain/tracebacks/index.js';
import type { OperationCall, PlatformTransaction } from '../core/index.js';
import { answerRows } from './answers-store.js';
import { referenceOf } from './ask-provider.js';
import type { TracebackEngine, TracebackHappening } from './engine.js';
import type { HeldRequest, HeldTraceback } from './held-traceback.js';
import { sealJson } from '../database/index.js';
import type { TracebacksParts } from './tracebacks-parts.js';
import type { TracebacksTables } from './tracebacks-tables.js';
import type { AnswerVerifier, VerifiedAnswer } from './verify-answer.js';

/** What answers are taken in with. */
export type AnswerParts = TracebacksParts & { readonly engine: TracebackEngine; readonly verify: AnswerVerifier };

/** Takes a provider's answer in: stores it, goes on with the traceback and with those that joined its request, and gives the receipt. */
export async function submitAnswer(
  parts: AnswerParts,
  { request, caller, atMs }: OperationCall,
): Promise<PlatformAnswer> {
  const { context, providers, engine } = parts;
  const requestId = request.parameters['requestId'] ?? '';
  const provider = await providers.provider(context.database, caller.organizationId);
  const asked = await askedRequest(context.database, { requestId, providerId: caller.organizationId });
  if (provider === undefined || asked === undefined) return problemAnswer('not-found');
  const verified = await parts.verify(request.body as AnswerSubmission, { provider, atMs });
  if ('kind' in verified) return verified;
  const { providerId } = verified.answer.provider;
  if (providerId !== undefined && providerId !== caller.organizationId)
    return problemAnswer('answer-mismatch', { detail: 'The answer is of another provider.' });
  try {
    return await engine.transact((transaction) =>
      takeIn(parts, transaction, { verified, requestId, caller, provider: referenceOf(provider) }),
    );
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}

/** Rolls a transaction back and gives the caller its answer; never leaves this file. */
class Refused extends Error {
  constructor(readonly answer: PlatformProblem) {
    super(answer.code);
  }
}

interface TakingIn {
  readonly verified: VerifiedAnswer;
  readonly requestId: string;
  readonly provider: ProviderReference;
  readonly caller: OperationCall['caller'];
}

async function takeIn(parts: AnswerParts, transaction: PlatformTransaction, taking: TakingIn): Promise<PlatformAnswer> {
  const { context } = parts;
  const { verified, requestId, caller } = taking;
  const { answer, sha256, jws } = verified;
  const asked = await askedRequest(transaction, { requestId, providerId: caller.organizationId });
  if (asked === undefined) return problemAnswer('not-found');
  const before = await answerRows(transaction, [requestId]);
  const known = before.find((row) => row.answer_id === answer.answerId);
  if (known !== undefined)
    return known.sha256 === sha256
      ? jsonAnswer({ answerId: known.answer_id, receipt: known.receipt })
      : problemAnswer('conflict');
  if (answer.requestId !== requestId || answer.tracebackId !== asked.traceback_id)
    return problemAnswer('answer-mismatch', { detail: 'The answer is of another request.' });
  if (asked.cancelled_at_ms !== null) return problemAnswer('request-cancelled');
  const last = before.at(-1);
  const isNext = answer.revision === (last?.revision ?? 0) + 1 && answer.amends?.answerId === last?.answer_id;
  if (!isNext) return problemAnswer('answer-out-of-sequence');

  const receivedAtMs = context.clock.nowMs();
  const receipt: AnswerReceipt = {
    format: 'hopback.answer-receipt.1',
    ...{ requestId, tracebackId: answer.tracebackId, answerId: answer.answerId, revision: answer.revision },
    ...{ answerSha256: sha256, receivedAt: new Date(receivedAtMs).toISOString() },
    isLate: receivedAtMs > asked.due_at_ms,
  };
  const signed = await parts.receipts.sign(receipt);
  const pieces = await sealJson(context, transaction, { value: jws, belongsTo: `traceback:${answer.tracebackId}` });
  await transaction
    .withTables<TracebacksTables>()
    .insertInto('tracebacks_answers')
    .values({
      ...{ request_id: requestId, answer_id: answer.answerId, traceback_id: answer.tracebackId },
      ...{ provider_id: caller.organizationId, revision: answer.revision, arm: answer.finding.arm },
      ...{ received_at_ms: receivedAtMs, is_late: receipt.isLate, sha256, receipt: signed },
      jws: JSON.stringify(pieces),
    })
    .execute();
  const done = await feed(parts, transaction, { ...taking, receivedAtMs });
  await context.audit(transaction, {
    ...{ action: 'answer.received', organizationId: caller.organizationId, actor: caller.clientId },
    object: `request:${requestId}`,
    details: { answerId: answer.answerId, revision: answer.revision, arm: answer.finding.arm, sha256, done },
  });
  await context.tell(transaction, {
    type: 'org.hopback.traceback-answer.received.1',
    subject: answer.answerId,
    data: receipt,
    to: [caller.organizationId, ...(await parts.organizations.staff(transaction))],
  });
  return jsonAnswer({ answerId: answer.answerId, receipt: signed });
}

/** Hands an answer to its traceback, and to those that joined the request. @returns ids of what was done, for the audit */
async function feed(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  taken: TakingIn & { readonly receivedAtMs: number },
): Promise<readonly string[]> {
  const { engine, context } = parts;
  const { verified, requestId, receivedAtMs } = taken;
  const { answer } = verified;
  const heard = await asHeard(parts, transaction, taken);
  const joined = await transaction
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .select(['request_id', 'traceback_id'])
    .where('asked_by', '=', requestId)
    .execute();
  const fed = [{ request_id: requestId, traceback_id: answer.tracebackId }, ...joined];
  const happenings = fed.map((one): TracebackHappening => {
    const tracebackId = one.traceback_id;
    const event: TracebackEvent = {
      ...{ type: 'answer-received', tracebackId, atMs: receivedAtMs },
      answer: { ...heard, requestId: one.request_id, tracebackId },
    };
    return { tracebackId, events: [event] };
  });
  const held = await engine.load(transaction, [...new Set(fed.map((one) => one.traceback_id))]);
  for (const one of held.values()) noteAnswered(one, new Set(fed.map((row) => row.request_id)), receivedAtMs);
  const texts = engine.texts.withAnswers(requestId, [answer]);
  const { refused, done } = await engine.conductHeld(transaction, [...held.values()], { happenings, texts });
  if (refused?.tracebackId === answer.tracebackId)
    throw new Refused(
      problemAnswer('answer-mismatch', { detail: `The traceback does not take it: ${refused.reason}.` }),
    );
  if (refused !== undefined)
    context.log.warn('an answer was refused by a traceback that joined its request', { reason: refused.reason });
  if (refused !== undefined) throw new Refused(problemAnswer('answer-mismatch'));
  return [...done.values()].flat();
}

function noteAnswered({ requests }: HeldTraceback, answered: ReadonlySet<string>, atMs: number): void {
  for (const request of requests.values()) {
    if (!answered.has(request.request_id) || request.answered_at_ms !== null) continue;
    request.answered_at_ms = atMs;
    request.isChanged = true;
  }
}

/** The answer as the lifecycle hears it: without numbers, and with providers as the registry has them. */
async function asHeard(
  parts: AnswerParts,
  transaction: PlatformTransaction,
  { verified, provider }: TakingIn,
): Promise<TracebackAnswer> {
  const veiled = veiledAnswer(verified.answer, parts.context.sealed.pseudonym);
  const { finding } = veiled;
  const named =
    finding.arm === 'received-from'
      ? finding.upstream
      : finding.arm === 'number-served-by'
        ? finding.provider
        : undefined;
  if (named === undefined) return { ...veiled, provider };
  const found = await parts.providers.resolve(transaction, named);
  return { ...veiled, provider, finding: registeredFinding(finding, named, found) };
}

type Resolution = Awaited<ReturnType<TracebacksParts['providers']['resolve']>>;

/** Where a name means several providers nobody is asked by chance: a person finds out which one it is. */
function registeredFinding(finding: TracebackFinding, named: ProviderReference, found: Resolution): TracebackFinding {
  if (found.status === 'several' && finding.arm === 'received-from')
    return { arm: 'received-from-unlisted', upstream: { name: named.name } };
  if (found.status !== 'found') return finding;
  const reference = referenceOf(found.provider);
  return finding.arm === 'number-served-by'
    ? { arm: 'number-served-by', provider: reference }
    : { arm: 'received-from', upstream: reference };
}

/** A request that the provider was sent itself: one that another asks for does not exist for it. */
export async function askedRequest(
  reading: PlatformTransaction | TracebacksParts['context']['database'],
  { requestId, providerId }: { readonly requestId: string; readonly providerId: string },
): Promise<HeldRequest | undefined> {
  return reading
    .withTables<TracebacksTables>()
    .selectFrom('tracebacks_requests')
    .selectAll()
    .where('request_id', '=', requestId)
    .where('provider_id', '=', providerId)
    .where('asked_by', 'is', null)
    .executeTakeFirst();
}
