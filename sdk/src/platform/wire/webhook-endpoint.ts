import type { PlatformEventType } from './event.js';

/** Where the platform is to post events. */
export interface WebhookEndpointCreation {
  /** `https:`; redirects are not followed. */
  readonly url: string;
  /** Kinds of events; all that the caller may see where absent. */
  readonly eventTypes?: readonly PlatformEventType[];
  readonly description?: string;
}

/** Why nothing is posted to an endpoint any longer. */
export type WebhookDisabledReason = 'gone' | 'failing' | 'by-request';

/** An address of the calling organization that events are posted to. @see https://www.standardwebhooks.com */
export interface WebhookEndpoint {
  readonly endpointId: string;
  readonly url: string;
  /** Absent: all. */
  readonly eventTypes?: readonly PlatformEventType[];
  readonly description?: string;
  readonly state: 'active' | 'disabled';
  /** `gone`: it answered 410; `failing`: nothing was delivered for days. */
  readonly disabledReason?: WebhookDisabledReason;
  /** RFC 3339 in UTC. */
  readonly createdAt: string;
  readonly lastDeliveredAt?: string;
}

/** An endpoint with the secret that signs what is posted to it: shown here and never again. */
export interface CreatedWebhookEndpoint extends WebhookEndpoint {
  /** `whsec_` and base64 of 24 to 64 bytes. */
  readonly secret: string;
}

/** A new secret. Until the old one ends both sign, one signature beside the other. */
export interface RotatedWebhookSecret {
  readonly endpointId: string;
  readonly secret: string;
  /** RFC 3339 in UTC. */
  readonly previousSecretEndsAt: string;
}

/** Which events are to be posted once more, in their order and under their old ids. */
export interface WebhookReplayRequest {
  /** From when, RFC 3339 in UTC. */
  readonly since: string;
  /** Up to when; now where absent. */
  readonly until?: string;
  readonly eventTypes?: readonly PlatformEventType[];
}

/** What will be posted once more. */
export interface WebhookReplay {
  readonly endpointId: string;
  readonly events: number;
}
