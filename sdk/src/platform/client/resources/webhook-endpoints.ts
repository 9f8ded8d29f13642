import { isHopbackError } from '../../../errors.js';
import type {
  CreatedWebhookEndpoint,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from '../../wire/webhook-endpoint.js';
import {
  createdWebhookEndpointSchema,
  rotatedWebhookSecretSchema,
  webhookEndpointSchema,
  webhookReplaySchema,
} from '../../wire/webhook-endpoint.schema.js';
import type { PlatformCall } from '../platform-call.js';
import { ACCEPT_JSON, receivingNothing } from '../read-json.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { posting } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/** One endpoint. */
export interface WebhookEndpointParams {
  readonly endpointId: string;
}

/** Where the platform posts events. Everything rejects with {@link HopbackError}. */
export interface WebhookEndpointCalls extends PagedList<WebhookEndpoint, PageParams> {
  /** The secret is in the answer and never again: keep it before anything else. */
  readonly create: (
    params: WebhookEndpointCreation,
    options?: PlatformRequestOptions,
  ) => Promise<CreatedWebhookEndpoint>;
  readonly delete: (params: WebhookEndpointParams, options?: PlatformRequestOptions) => Promise<void>;
  /** Until the old secret ends, events carry a signature of each: verify with both. */
  readonly rotateSecret: (
    params: WebhookEndpointParams,
    options?: PlatformRequestOptions,
  ) => Promise<RotatedWebhookSecret>;
  /** Has events posted once more, under their old ids. */
  readonly replay: (
    params: WebhookEndpointParams & WebhookReplayRequest,
    options?: PlatformRequestOptions,
  ) => Promise<WebhookReplay>;
}

const ENDPOINTS = '/v1/webhook-endpoints';

/** Makes the calls of this group. */
export function webhookEndpointCalls(requester: Requester): WebhookEndpointCalls {
  const { send } = requester;
  return {
    ...pagedList(requester, { route: ENDPOINTS, item: webhookEndpointSchema }),
    create: (body, options) => send(posting(ENDPOINTS, createdWebhookEndpointSchema, { body }), options),
    delete: async ({ endpointId }, options) => {
      const call: PlatformCall<void> = {
        ...{ method: 'DELETE', route: `${ENDPOINTS}/{endpointId}`, path: { endpointId } },
        ...{ accept: ACCEPT_JSON, receive: receivingNothing },
      };
      await send(call, options).catch((error: unknown) => {
        // Not found at a repetition: an attempt before was carried out, and its answer got lost.
        const isRepeat =
          isHopbackError(error) && error.details['httpStatus'] === 404 && Number(error.details['attempts']) > 1;
        if (!isRepeat) throw error;
      });
    },
    rotateSecret: ({ endpointId }, options) =>
      send(
        posting(`${ENDPOINTS}/{endpointId}/rotate-secret`, rotatedWebhookSecretSchema, { path: { endpointId } }),
        options,
      ),
    replay: ({ endpointId, ...body }, options) =>
      send(posting(`${ENDPOINTS}/{endpointId}/replay`, webhookReplaySchema, { path: { endpointId }, body }), options),
  };
}
