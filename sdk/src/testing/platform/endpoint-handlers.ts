import type { Clock } from '../../core/runtime/clock.js';
import { jsonAnswer, problemAnswer } from '../../platform/index.js';
import type {
  CreatedWebhookEndpoint,
  PlatformAnswer,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from '../../platform/index.js';
import type { EventHub } from './event-hub.js';
import { paged } from './kit-call.js';
import type { KitCall, KitHandler } from './kit-call.js';
import { rotateSecret, wants } from './webhook-sender.js';
import type { StoredEndpoint } from './webhook-sender.js';

/** Addresses that events are posted to. */
export interface EndpointShelf {
  readonly add: (clientId: string, creation: WebhookEndpointCreation) => CreatedWebhookEndpoint;
  readonly all: () => readonly StoredEndpoint[];
  readonly of: (clientId: string, endpointId: string) => StoredEndpoint | undefined;
  readonly remove: (endpointId: string) => void;
  readonly newSecret: () => string;
}

/** Makes an empty shelf. */
export function createEndpointShelf(parts: {
  readonly clock: Clock;
  readonly newId: (kind: string) => string;
  readonly newPlace: () => number;
  readonly newSecret: () => string;
}): EndpointShelf {
  const stored = new Map<string, StoredEndpoint>();
  return {
    add: (providerId, creation) => {
      const secret = parts.newSecret();
      const endpoint: WebhookEndpoint = {
        endpointId: parts.newId('whe'),
        ...creation,
        // Receivers of tests are at http: of this machine, which the contract knows no way to say.
        url: creation.url.replace(/^http:/, 'https:'),
        state: 'active',
        createdAt: new Date(parts.clock.nowMs()).toISOString(),
      };
      stored.set(endpoint.endpointId, {
        ...{ endpoint, providerId, address: creation.url, place: parts.newPlace() },
        secrets: [{ secret, endsAtMs: Infinity }],
      });
      return { ...endpoint, secret };
    },
    all: () => [...stored.values()],
    of: (clientId, endpointId) => {
      const found = stored.get(endpointId);
      return found?.providerId === clientId ? found : undefined;
    },
    remove: (endpointId) => {
      const found = stored.get(endpointId);
      // What is still to be posted to it is not.
      if (found !== undefined) found.endpoint = { ...found.endpoint, state: 'disabled', disabledReason: 'by-request' };
      stored.delete(endpointId);
    },
    newSecret: parts.newSecret,
  };
}

/** Operations of webhook endpoints. */
export function endpointHandlers({
  endpoints,
  hub,
  clock,
}: {
  readonly endpoints: EndpointShelf;
  readonly hub: EventHub;
  readonly clock: Clock;
}): Readonly<Record<string, KitHandler>> {
  const withEndpoint =
    (handler: (stored: StoredEndpoint, call: KitCall) => PlatformAnswer): KitHandler =>
    (call) => {
      const stored = endpoints.of(call.clientId, call.request.parameters['endpointId'] ?? '');
      return stored === undefined ? problemAnswer('not-found') : handler(stored, call);
    };
  return {
    createWebhookEndpoint: ({ request, clientId }) =>
      jsonAnswer(endpoints.add(clientId, request.body as WebhookEndpointCreation)),
    listWebhookEndpoints: (call) => {
      const own = endpoints.all().filter(({ providerId }) => providerId === call.clientId);
      return paged(
        own.map(({ place, endpoint }) => ({ place, item: endpoint })),
        call,
        'oldest-first',
      );
    },
    deleteWebhookEndpoint: withEndpoint(({ endpoint }) => {
      endpoints.remove(endpoint.endpointId);
      return { kind: 'nothing' };
    }),
    rotateWebhookSecret: withEndpoint((stored) => {
      const secret = endpoints.newSecret();
      const endsAtMs = rotateSecret(stored, secret, clock.nowMs());
      const answer: RotatedWebhookSecret = {
        endpointId: stored.endpoint.endpointId,
        secret,
        previousSecretEndsAt: new Date(endsAtMs).toISOString(),
      };
      return jsonAnswer(answer);
    }),
    replayWebhookEvents: withEndpoint((stored, { request, clientId }) => {
      const { since, until, eventTypes } = request.body as WebhookReplayRequest;
      const [fromMs, toMs] = [Date.parse(since), until === undefined ? clock.nowMs() : Date.parse(until)];
      const events = hub
        .log()
        .filter(({ to }) => to.includes(clientId))
        .map(({ event }) => event)
        .filter(({ time, type }) => {
          const atMs = Date.parse(time);
          return (
            atMs >= fromMs && atMs <= toMs && wants(stored, type) && (eventTypes?.some((one) => one === type) ?? true)
          );
        });
      hub.replay(stored, events);
      const answer: WebhookReplay = { endpointId: stored.endpoint.endpointId, events: events.length };
      return jsonAnswer(answer);
    }),
  };
}
