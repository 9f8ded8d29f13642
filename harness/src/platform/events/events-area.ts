import type { Caller, PlatformArea, PlatformContext } from '../core/index.js';
import { createEndpointSecrets, endpointOperations } from './endpoint-operations.js';
import type { EventSource } from './event-streams.js';
import { createEventStreams, createEventTail } from './event-streams.js';
import { createWebhookPoster } from './post-webhook.js';
import type { WebhookPosterOptions } from './post-webhook.js';
import { WebhookSender } from './webhook-sender.js';

/** What the area stands on. */
export interface EventsAreaParts {
  readonly context: PlatformContext;
  readonly source: EventSource;
  /** URI of the platform, as it stands in events. */
  readonly eventSource: string;
  readonly mayStillCall: (caller: Caller) => Promise<boolean>;
  readonly webhooks?: WebhookPosterOptions;
  /** Hears what became of attempts to post, as a word. */
  readonly counted?: (outcome: string) => void;
}

/** Makes the area that brings events to whom they concern, and begins to post. */
export function createEventsArea(parts: EventsAreaParts) {
  const { context, webhooks = {}, counted = (): void => {} } = parts;
  const tail = createEventTail(parts);
  const secrets = createEndpointSecrets(context);
  const sender = new WebhookSender({
    ...parts,
    tail,
    secrets,
    counted,
    post: createWebhookPoster(webhooks),
  });
  const streams = createEventStreams({ ...parts, tail });
  let closing: Promise<void> | undefined;
  const shut = async (): Promise<void> => {
    streams.close();
    await sender.close();
    await tail.close();
  };
  const area: PlatformArea = {
    name: 'events',
    routes: [],
    schemas: {},
    operations: {
      ...endpointOperations({ ...parts, secrets, guard: webhooks, wake: () => sender.wake() }),
      streamEvents: streams.open,
    },
    jobs: [],
    reactions: {},
  };
  return {
    ...area,
    /** Streams that are open. */
    streams: streams.count,
    /** Ends streams, so that a server can close. */
    endStreams: streams.close,
    close: (): Promise<void> => (closing ??= shut()),
  };
}
