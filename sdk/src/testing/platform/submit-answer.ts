import { jsonAnswer, problemAnswer } from '../../platform/index.js';
import type {
  AnswerReceipt,
  AnswerSubmission,
  PlatformAnswer,
  PlatformProblem,
  SignedReceipt,
} from '../../platform/index.js';
import { answerParties, answerPartyFault } from '../../traceback/index.js';
import type { AnswerDesk, VerifiedAnswer } from './answer-desk.js';
import type { EventHub } from './event-hub.js';
import type { ClientRegister } from './registered-clients.js';
import type { RequestRecord, StoredAnswer } from './traceback-book.js';
import type { TracebackDesk } from './traceback-desk.js';

/** Takes answers in, and gives receipts for them. */
export interface AnswerCounter {
  readonly submit: (record: RequestRecord, submission: AnswerSubmission) => Promise<PlatformAnswer>;
  readonly receiptOf: (record: RequestRecord, answerId: string) => Promise<SignedReceipt | undefined>;
  /** All answers that were taken in, the first one first. */
  readonly answers: () => readonly StoredAnswer[];
}

/** Makes the counter. */
export function createAnswerCounter(parts: {
  readonly answers: AnswerDesk;
  readonly tracebacks: TracebackDesk;
  readonly hub: EventHub;
  /** Whom a reference means. */
  readonly meaning: ClientRegister['meaning'];
  /** Ids of those who are told beside the provider. */
  readonly staff: readonly string[];
  readonly changed: () => void;
}): AnswerCounter {
  const taken: StoredAnswer[] = [];
  const receipts = new Map<StoredAnswer, Promise<SignedReceipt>>();

  const receiptFor = (stored: StoredAnswer): Promise<SignedReceipt> => {
    const receipt = receipts.get(stored) ?? parts.answers.receipt(receiptContent(stored));
    receipts.set(stored, receipt);
    return receipt;
  };

  return {
    submit: async (record, submission) => {
      const verified = await parts.answers.verify(submission, record.provider);
      if ('kind' in verified) return verified;
      const known = record.answers.find(({ answer }) => answer.answerId === verified.answer.answerId);
      if (known !== undefined)
        return known.sha256 === verified.sha256 ? jsonAnswer(await receiptFor(known)) : problemAnswer('conflict');
      const stored =
        objectionTo(record, verified, parts.meaning) ??
        parts.tracebacks.take(record, verified) ??
        problemAnswer('answer-mismatch');
      if ('kind' in stored) return stored;
      taken.push(stored);
      parts.hub.emit({
        type: 'org.hopback.traceback-answer.received.1',
        subject: stored.answer.answerId,
        data: receiptContent(stored),
        to: [record.provider.providerId, ...parts.staff],
      });
      parts.changed();
      return jsonAnswer(await receiptFor(stored));
    },
    receiptOf: async (record, answerId) => {
      const stored = record.answers.find(({ answer }) => answer.answerId === answerId);
      return stored === undefined ? undefined : receiptFor(stored);
    },
    answers: () => [...taken],
  };
}

/** What speaks against a new answer to a request. */
function objectionTo(
  { request, provider, answers, cancelled }: RequestRecord,
  { answer }: VerifiedAnswer,
  meaning: ClientRegister['meaning'],
): PlatformProblem | undefined {
  if (answer.requestId !== request.requestId || answer.tracebackId !== request.tracebackId)
    return problemAnswer('answer-mismatch', { detail: 'The answer is of another request.' });
  if (cancelled !== undefined) return problemAnswer('request-cancelled');
  const last = answers.at(-1)?.answer;
  const isNext = answer.revision === (last?.revision ?? 0) + 1 && answer.amends?.answerId === last?.answerId;
  if (!isNext) return problemAnswer('answer-out-of-sequence');
  const fault = answerPartyFault(answerParties(answer), provider, meaning);
  if (fault === undefined) return undefined;
  const { pointer, detail } = fault;
  return problemAnswer('answer-mismatch', {
    detail,
    errors: [{ pointer: `/answer${pointer}`, code: 'contradiction' }],
  });
}

function receiptContent({ answer, sha256, receivedAt, isLate }: StoredAnswer): AnswerReceipt {
  const { requestId, tracebackId, answerId, revision } = answer;
  return {
    format: 'hopback.answer-receipt.1',
    ...{ requestId, tracebackId, answerId, revision, answerSha256: sha256, receivedAt, isLate },
  };
}
