import { isHopbackError } from '../../errors.js';
import type { HopbackError } from '../../errors.js';
import type { PlatformClient } from '../../platform/index.js';
import type { ProblemCode } from '../../platform/wire/problem.js';
import type { AnswerDelivery, AnswerToDeliver, AnswerTransport } from './ports.js';

/**
 * The way of answers to the platform by its client. The same answer goes out in the same bytes under the same key; where the platform says that it
 * has another under this key, or wants none any longer, the receipt of the one that it has is asked for: it tells whether it is the same after
 * all. Refused is an answer only where the platform says so by a problem of its contract; whatever else says no stands before it, or is not it.
 * @param client - of the platform; its own retries are left out, the responder has its own
 * @returns the transport; `deliver` never rejects
 * @see RFC 9457; draft-ietf-httpapi-idempotency-key-header-07 section 2
 * @example
 * ```ts
 * const client = createPlatformClient({ baseUrl: 'http://127.0.0.1:9', authorization: bearerToken('c2VjcmV0') });
 * const transport = createClientAnswerTransport(client);
 * const answer = { requestId: 'r-1', answerId: 'a-1', jws: 'e30.e30.AA', idempotencyKey: 'a-1' };
 * console.log((await transport.deliver(answer, new AbortController().signal)).status); // unavailable
 * ```
 */
export function createClientAnswerTransport(client: Pick<PlatformClient, 'tracebackRequests'>): AnswerTransport {
  const deliver = async (answer: AnswerToDeliver, signal: AbortSignal): Promise<AnswerDelivery> => {
    const { requestId, answerId, jws, idempotencyKey } = answer;
    try {
      const { receipt } = await client.tracebackRequests.answer(
        { requestId, answer: jws },
        { idempotencyKey, signal, maxRetries: 0 },
      );
      return { status: 'taken', receipt };
    } catch (error) {
      const failed = deliveryOf(error);
      const mayHaveIt = failed.status === 'cancelled' || (failed.status === 'refused' && failed.reason === 'conflict');
      if (!mayHaveIt) return failed;
      return (await receiptOf(client, { requestId, answerId, signal })) ?? failed;
    }
  };
  return { deliver };
}

async function receiptOf(
  client: Pick<PlatformClient, 'tracebackRequests'>,
  {
    requestId,
    answerId,
    signal,
  }: { readonly requestId: string; readonly answerId: string; readonly signal: AbortSignal },
): Promise<AnswerDelivery | undefined> {
  try {
    const { receipt } = await client.tracebackRequests.receipt({ requestId, answerId }, { signal, maxRetries: 0 });
    return { status: 'taken', receipt };
  } catch (error) {
    const failed = deliveryOf(error);
    // Known another time; that there is none, what it said before says already.
    return failed.status === 'refused' || failed.status === 'cancelled' ? undefined : failed;
  }
}

function deliveryOf(error: unknown): AnswerDelivery {
  if (!isHopbackError(error)) return { status: 'unavailable', detail: 'the client of the platform threw' };
  const detail = error.message;
  const { retryAfterMs } = error.details;
  if (error.code === 'unauthorized') return { status: 'barred', detail };
  if (error.code === 'request-refused' && !error.retryable) return refusalOf(error);
  return {
    status: 'unavailable',
    detail,
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

/** What the platform can have against an answer, by the word of its problem document. */
const REFUSALS: ReadonlyMap<unknown, 'conflict' | 'content'> = new Map<ProblemCode, 'conflict' | 'content'>([
  ['conflict', 'conflict'],
  ['answer-out-of-sequence', 'conflict'],
  ['idempotency-key-reused', 'conflict'],
  ['invalid-body', 'content'],
  ['invalid-parameter', 'content'],
  ['too-large', 'content'],
  ['unsupported-media-type', 'content'],
  ['answer-signature-invalid', 'content'],
  ['answer-mismatch', 'content'],
  // It does not know the request, or has forgotten it.
  ['not-found', 'content'],
  ['gone', 'content'],
]);

function refusalOf({ message, details }: HopbackError): AnswerDelivery {
  const said = details['detail'];
  const detail = typeof said === 'string' ? `${message}: ${said}` : message;
  const problem = details['problemCode'];
  if (problem === CANCELLED) return { status: 'cancelled', detail };
  const reason = REFUSALS.get(problem);
  return reason === undefined ? { status: 'barred', detail } : { status: 'refused', reason, detail };
}

const CANCELLED: ProblemCode = 'request-cancelled';
