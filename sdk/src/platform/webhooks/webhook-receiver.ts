import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { PlatformLogger } from '../client/request-options.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { valueWithin } from '../../core/runtime/deadline.js';
import type { PlatformEvent } from '../wire/event.js';
import { MAX_WEBHOOK_BYTES, verifyWebhook, webhookKeys } from './verify-webhook.js';
import type { ReceivedWebhook, WebhookFailureReason } from './verify-webhook.js';

/** Ids of events that are remembered at most: a minute of a busy platform, some hundred octets each. */
export const MAX_REMEMBERED_WEBHOOKS = 10_000;

/**
 * How long an id is remembered, milliseconds: senders repeat what was not acknowledged within seconds and minutes. Not longer, since a
 * replay that was asked for comes under the old ids and is meant to be taken in.
 */
export const WEBHOOK_MEMORY_MS = 900_000;

/** How long whoever takes an event in may need, milliseconds: senders give up after fifteen seconds or more. */
export const WEBHOOK_DELIVERY_TIMEOUT_MS = 10_000;

/** Events that may be on their way to whoever takes them in; others are to come again. */
export const MAX_WEBHOOKS_IN_FLIGHT = 256;

/** Seconds after which an event that could not be taken in may come again. */
const RETRY_AFTER_SECONDS = 5;

/** Beside the event, when and as what it came. */
export interface WebhookDelivery {
  readonly webhookId: string;
  /** Of the attempt that is taken in, seconds since the epoch. */
  readonly timestampSeconds: number;
  /** When it was here in full, milliseconds since the epoch. */
  readonly receivedAtMs: number;
}

/** Takes an event in. Once it resolves the platform is told that the event is in safe hands; when it rejects the event comes again. */
export type WebhookConsumer = (event: PlatformEvent, delivery: WebhookDelivery) => Promise<void> | void;

/** Settings of {@link createWebhookReceiver}. */
export interface WebhookReceiverOptions {
  /** As for {@link verifyWebhook}; a function where they change while the process runs. */
  readonly secrets: readonly string[] | (() => readonly string[]);
  readonly consume: WebhookConsumer;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** Default {@link WEBHOOK_TOLERANCE_SECONDS}. */
  readonly toleranceSeconds?: number;
  /** Octets of a body at most. Default {@link MAX_WEBHOOK_BYTES}. */
  readonly maxBytes?: number;
  /** Milliseconds. Default {@link WEBHOOK_DELIVERY_TIMEOUT_MS}. */
  readonly deliveryTimeoutMs?: number;
  readonly logger?: PlatformLogger;
}

/** What the platform is answered. */
export interface WebhookAnswer {
  /**
   * - 204: it is in safe hands, or was before, or is of a kind that is not known
   * - 400: it is from the platform, and cannot be read
   * - 401: nothing says that it is from the platform
   * - 413: too large
   * - 503: it could not be taken in now
   */
  readonly status: 204 | 400 | 401 | 413 | 503;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** A problem document; nothing with 204. */
  readonly body: string;
}

/** Takes webhooks in, whatever server they come through. */
export interface WebhookReceiver extends AsyncDisposable {
  /** Octets of a body that are worth reading. */
  readonly maxBytes: number;
  /** Never rejects, whatever came. */
  readonly receive: (webhook: ReceivedWebhook) => Promise<WebhookAnswer>;
  /** The answer to a body that was not read to its end since it is too large. */
  readonly tooLarge: () => WebhookAnswer;
  /** Answers 503 from now on, and waits for what is on its way. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a receiver of webhooks: verifies each, hands its event on, and acknowledges it only when whoever takes it in says so. What comes
 * again after that is acknowledged and not handed on; what comes again before waits for the same outcome.
 * @param options - secrets, who takes events in
 * @returns the receiver; {@link nodeWebhookHandler}, {@link honoWebhookHandler} and {@link expressWebhookHandler} bind it to a server
 * @throws {@link HopbackError} `invalid-configuration` when a secret is none
 * @see https://www.standardwebhooks.com
 * @example
 * ```ts
 * const { createServer } = await import('node:http');
 * const receiver = createWebhookReceiver({
 *   secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
 *   consume: (event) => console.log(event.type),
 * });
 * const server = createServer(nodeWebhookHandler(receiver));
 * console.log((await receiver.receive({ headers: {}, body: '' })).status); // 401
 * ```
 */
export function createWebhookReceiver(options: WebhookReceiverOptions): WebhookReceiver {
  const { clock = MACHINE_CLOCK, maxBytes = MAX_WEBHOOK_BYTES, logger } = options;
  const secrets = (): readonly string[] =>
    typeof options.secrets === 'function' ? options.secrets() : options.secrets;
  webhookKeys(secrets());
  const deliveries = createDeliveries(options, clock);

  const receive = async ({ headers, body }: ReceivedWebhook): Promise<WebhookAnswer> => {
    if (deliveries.isClosed()) return REFUSALS.closing;
    const { toleranceSeconds } = options;
    const verification = verifyWebhook({
      ...{ headers, body, clock, maxBytes, secrets: secrets() },
      ...(toleranceSeconds === undefined ? {} : { toleranceSeconds }),
    });
    if (verification.status === 'failed') {
      const status = STATUS_OF_FAILURE[verification.reason];
      logger?.warn({ ...verification, httpStatus: status }, 'webhook is refused');
      return refusal(status, verification.reason);
    }
    if (verification.status === 'unknown-type') {
      logger?.debug(
        { type: verification.type, webhookId: verification.webhookId },
        'webhook of a kind that is not known',
      );
      return TAKEN;
    }
    const { event, webhookId, timestampSeconds } = verification;
    return deliveries.deliver(event, { webhookId, timestampSeconds, receivedAtMs: clock.nowMs() });
  };

  return {
    maxBytes,
    receive: (webhook) =>
      receive(webhook).catch((error: unknown) => {
        // Secrets that changed into none, or a bug of ours: the platform is to come again.
        logger?.warn(
          { code: error instanceof HopbackError ? error.code : 'internal' },
          'webhook could not be looked at',
        );
        return REFUSALS.failed;
      }),
    tooLarge: () => refusal(413, 'body-too-large'),
    close: deliveries.close,
    [Symbol.asyncDispose]: deliveries.close,
  };
}

/** Total: a failure that is added has to be given a status. */
const STATUS_OF_FAILURE: Readonly<Record<WebhookFailureReason, 400 | 401 | 413>> = {
  'body-too-large': 413,
  'field-missing': 401,
  'field-repeated': 401,
  'id-malformed': 401,
  'timestamp-malformed': 401,
  'timestamp-too-old': 401,
  'timestamp-too-new': 401,
  'signature-malformed': 401,
  'signatures-too-many': 401,
  'signature-version-unknown': 401,
  'signature-mismatch': 401,
  'body-not-utf8': 400,
  'body-not-json': 400,
  'event-schema-drift': 400,
};

const TAKEN: WebhookAnswer = { status: 204, headers: {}, body: '' };

function refusal(status: Exclude<WebhookAnswer['status'], 204>, code: string): WebhookAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      ...(status === 503 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {}),
    },
    body: JSON.stringify({ type: 'about:blank', title: TITLES[status], status, code }),
  };
}

const TITLES = {
  400: 'The event cannot be read',
  401: 'The webhook is not verified',
  413: 'The webhook is too large',
  503: 'The event cannot be taken in now',
} as const;

const REFUSALS = {
  closing: refusal(503, 'closing'),
  busy: refusal(503, 'busy'),
  failed: refusal(503, 'not-taken'),
  late: refusal(503, 'not-taken-in-time'),
} as const;

/** Which events have been taken in, and which are about to be. */
function createDeliveries(
  options: WebhookReceiverOptions,
  clock: TimerClock,
): {
  readonly deliver: (event: PlatformEvent, delivery: WebhookDelivery) => Promise<WebhookAnswer>;
  readonly isClosed: () => boolean;
  readonly close: () => Promise<void>;
} {
  const { consume, deliveryTimeoutMs = WEBHOOK_DELIVERY_TIMEOUT_MS, logger } = options;
  /** When each was taken in, the oldest first. */
  const taken = new Map<string, number>();
  const inFlight = new Map<string, Promise<boolean>>();
  let isClosed = false;

  const remember = (id: string): void => {
    taken.delete(id);
    taken.set(id, clock.nowMs());
    const [oldest] = taken.keys();
    if (taken.size > MAX_REMEMBERED_WEBHOOKS && oldest !== undefined) taken.delete(oldest);
  };
  const isRemembered = (id: string): boolean => {
    const takenAtMs = taken.get(id);
    return takenAtMs !== undefined && clock.nowMs() - takenAtMs < WEBHOOK_MEMORY_MS;
  };
  // It goes on when nobody waits for it any longer: taken in late, it is known when it comes again.
  const begin = (event: PlatformEvent, delivery: WebhookDelivery): Promise<boolean> => {
    const id = delivery.webhookId;
    const outcome = (async () => consume(event, delivery))()
      .then(() => {
        remember(id);
        return true;
      })
      .catch((error: unknown) => {
        const code = error instanceof HopbackError ? error.code : 'unknown';
        logger?.warn({ webhookId: id, type: event.type, code }, 'event was not taken in and comes again');
        return false;
      })
      .finally(() => inFlight.delete(id));
    inFlight.set(id, outcome);
    return outcome;
  };

  return {
    isClosed: () => isClosed,
    async deliver(event, delivery) {
      const id = delivery.webhookId;
      if (isRemembered(id)) return TAKEN;
      const under = inFlight.get(id);
      if (under === undefined && inFlight.size >= MAX_WEBHOOKS_IN_FLIGHT) return REFUSALS.busy;
      const work = under ?? begin(event, delivery);
      const outcome = await valueWithin(work, {
        ...{ timeoutMs: deliveryTimeoutMs, schedule: clock.schedule, late: 'late' as const },
      });
      if (outcome === 'late') return REFUSALS.late;
      return outcome ? TAKEN : REFUSALS.failed;
    },
    async close() {
      isClosed = true;
      await Promise.all(inFlight.values());
    },
  };
}
