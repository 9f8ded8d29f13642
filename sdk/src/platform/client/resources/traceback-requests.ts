import { createHash } from 'node:crypto';
import type {
  AnswerSubmission,
  RequestAcknowledgement,
  SignedReceipt,
  TracebackRequestStatus,
} from '../../wire/traceback-exchange.js';
import { signedReceiptSchema, tracebackRequestStatusSchema } from '../../wire/traceback-exchange.schema.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { fetching, posting } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/** Which requests to the calling provider. */
export interface TracebackRequestListParams extends PageParams {
  /** `open`: without an answer, acknowledged or not. Default `open`. */
  readonly state?: 'open' | 'answered' | 'all';
}

/** One request. */
export interface TracebackRequestParams {
  readonly requestId: string;
}

/** That a request has arrived. */
export type AcknowledgeParams = TracebackRequestParams & Omit<RequestAcknowledgement, 'format'>;

/** An answer to a request. */
export type AnswerParams = TracebackRequestParams & AnswerSubmission;

/** Traceback requests to the calling provider. Everything rejects with {@link HopbackError}. */
export interface TracebackRequestCalls extends PagedList<TracebackRequestStatus, TracebackRequestListParams> {
  readonly retrieve: (
    params: TracebackRequestParams,
    options?: PlatformRequestOptions,
  ) => Promise<TracebackRequestStatus>;
  /** The first acknowledgement counts, further ones change nothing. */
  readonly acknowledge: (
    params: AcknowledgeParams,
    options?: PlatformRequestOptions,
  ) => Promise<TracebackRequestStatus>;
  /**
   * Sends a signed answer. Its idempotency key is the SHA-256 of what is sent unless another is given: the same answer sent once more, by
   * another process too, gets the same receipt.
   */
  readonly answer: (params: AnswerParams, options?: PlatformRequestOptions) => Promise<SignedReceipt>;
  /** The receipt of an answer once more; `request-refused` with `httpStatus` 404 says that the platform does not have the answer. */
  readonly receipt: (
    params: TracebackRequestParams & { readonly answerId: string },
    options?: PlatformRequestOptions,
  ) => Promise<SignedReceipt>;
}

const REQUESTS = '/v1/traceback-requests';

/** Makes the calls of this group. */
export function tracebackRequestCalls(requester: Requester): TracebackRequestCalls {
  const { send } = requester;
  return {
    ...pagedList(requester, { route: REQUESTS, item: tracebackRequestStatusSchema }),
    retrieve: ({ requestId }, options) =>
      send(fetching(`${REQUESTS}/{requestId}`, tracebackRequestStatusSchema, { path: { requestId } }), options),
    acknowledge: ({ requestId, ...said }, options) =>
      send(
        posting(`${REQUESTS}/{requestId}/acknowledgement`, tracebackRequestStatusSchema, {
          path: { requestId },
          body: { format: 'hopback.request-acknowledgement.1', ...said },
        }),
        options,
      ),
    answer: ({ requestId, ...submission }, options) => {
      const call = posting(`${REQUESTS}/{requestId}/answers`, signedReceiptSchema, {
        path: { requestId },
        body: submission,
      });
      const idempotencyKey = createHash('sha256')
        .update(`${requestId}\n`)
        .update(call.body?.bytes ?? '')
        .digest('hex');
      return send(call, { idempotencyKey, ...options });
    },
    receipt: ({ requestId, answerId }, options) =>
      send(
        fetching(`${REQUESTS}/{requestId}/answers/{answerId}/receipt`, signedReceiptSchema, {
          path: { requestId, answerId },
        }),
        options,
      ),
  };
}
