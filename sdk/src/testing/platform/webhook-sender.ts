import type { TimerClock } from '../../core/runtime/clock.js';
import { retryAfterMs, signWebhook } from '../../platform/index.js';
import type { PlatformEventEnvelope, PlatformEventType, WebhookEndpoint } from '../../platform/index.js';

/** Waits between the attempts of one event, milliseconds: those that Standard Webhooks proposes. After the last the endpoint is disabled. */
export const WEBHOOK_RETRY_WAITS_MS: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];
/** How long a receiver may take. */
const ATTEMPT_TIMEOUT_MS = 15_000;
/** How long the old secret signs beside the new one, milliseconds. */
const ROTATION_MS = 86_400_000;

/** One attempt to post an event. */
export interface WebhookAttempt {
  readonly endpointId: string;
  /** Of the event. */
  readonly webhookId: string;
  readonly type: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** HTTP status; undefined where there was no answer. */
  readonly status?: number;
}

/** Sends one request: `globalThis.fetch` is one. */
export type WebhookFetch = (url: string, init: RequestInit) => Promise<Response>;

/** An endpoint, and what the platform keeps to itself about it. */
export interface StoredEndpoint {
  endpoint: WebhookEndpoint;
  /** Where events are posted to. */
  readonly address: string;
  readonly providerId: string;
  readonly place: number;
  /** The one in use first. */
  secrets: readonly { readonly secret: string; readonly endsAtMs: number }[];
}

/** Posts events. */
export interface WebhookSender {
  readonly post: (
    stored: StoredEndpoint,
    event: PlatformEventEnvelope,
    options?: { readonly isForged?: boolean },
  ) => void;
  readonly attempts: () => readonly WebhookAttempt[];
  /** Attempts that are on their way now. */
  readonly underWay: () => number;
  readonly close: () => void;
}

/** Whether an endpoint wants events of a kind. */
export function wants({ endpoint }: StoredEndpoint, type: string): boolean {
  const { state, eventTypes } = endpoint;
  return state === 'active' && (eventTypes === undefined || eventTypes.includes(type as PlatformEventType));
}

/** Gives an endpoint a new secret; the old one signs for a day more. @returns when that is over, milliseconds since the epoch */
export function rotateSecret(stored: StoredEndpoint, secret: string, nowMs: number): number {
  const endsAtMs = nowMs + ROTATION_MS;
  const [current] = stored.secrets;
  stored.secrets = [
    { secret, endsAtMs: Infinity },
    ...(current === undefined ? [] : [{ secret: current.secret, endsAtMs }]),
  ];
  return endsAtMs;
}

/** Makes the sender. */
export function createWebhookSender(parts: {
  readonly clock: TimerClock;
  readonly fetch: WebhookFetch;
  readonly changed: () => void;
}): WebhookSender {
  const { clock, changed } = parts;
  const attempts: WebhookAttempt[] = [];
  const timers = new Set<() => void>();
  const closing = new AbortController();
  let underWay = 0;

  const attempt = async (posting: Posting): Promise<void> => {
    const { stored, event, number } = posting;
    const { endpointId } = stored.endpoint;
    if (stored.endpoint.state !== 'active' || closing.signal.aborted) return;
    underWay += 1;
    const response = await send(posting, { ...parts, signal: closing.signal });
    underWay -= 1;
    attempts.push({
      ...{ endpointId, webhookId: event.id, type: event.type, attempt: number },
      ...(response !== undefined && { status: response.status }),
    });
    settle(posting, response);
    changed();
  };

  const settle = (posting: Posting, response: Response | undefined): void => {
    const { stored, number } = posting;
    if (response !== undefined && response.status >= 200 && response.status < 300) {
      stored.endpoint = { ...stored.endpoint, lastDeliveredAt: new Date(clock.nowMs()).toISOString() };
      return;
    }
    const waitMs = WEBHOOK_RETRY_WAITS_MS[number - 1];
    if (response?.status === 410 || waitMs === undefined) {
      const disabledReason = response?.status === 410 ? 'gone' : 'failing';
      stored.endpoint = { ...stored.endpoint, state: 'disabled', disabledReason };
      return;
    }
    const askedMs = retryAfterMs(response?.headers.get('retry-after'), clock.nowMs()) ?? 0;
    const cancel = clock.schedule(
      () => {
        timers.delete(cancel);
        void attempt({ ...posting, number: number + 1, isForged: false });
      },
      Math.max(waitMs, askedMs),
    );
    timers.add(cancel);
  };

  return {
    post: (stored, event, { isForged = false } = {}) => void attempt({ stored, event, number: 1, isForged }),
    attempts: () => [...attempts],
    underWay: () => underWay,
    close: () => {
      closing.abort();
      for (const cancel of timers) cancel();
      timers.clear();
    },
  };
}

interface Posting {
  readonly stored: StoredEndpoint;
  readonly event: PlatformEventEnvelope;
  readonly number: number;
  readonly isForged: boolean;
}

/** A secret that no receiver has. */
const FORGED_SECRET = `whsec_${Buffer.alloc(24, 'forged').toString('base64')}`;

async function send(
  { stored, event, isForged }: Posting,
  { clock, fetch, signal }: { readonly clock: TimerClock; readonly fetch: WebhookFetch; readonly signal: AbortSignal },
): Promise<Response | undefined> {
  const nowMs = clock.nowMs();
  const body = JSON.stringify(event);
  const secrets = isForged
    ? [FORGED_SECRET]
    : stored.secrets.filter(({ endsAtMs }) => endsAtMs > nowMs).map(({ secret }) => secret);
  const fields = signWebhook({ id: event.id, timestampSeconds: Math.floor(nowMs / 1_000), body, secrets });
  const giving = new AbortController();
  const giveUp = (): void => giving.abort();
  signal.addEventListener('abort', giveUp, { once: true });
  const cancel = clock.schedule(giveUp, ATTEMPT_TIMEOUT_MS);
  try {
    const response = await fetch(stored.address, {
      method: 'POST',
      headers: { ...fields, 'content-type': 'application/json' },
      body,
      redirect: 'manual',
      signal: giving.signal,
    });
    // Not waited for: of a body that somebody else reads along, such as msw, the end of it is not ours alone.
    void response.body?.cancel().catch(() => undefined);
    return response;
  } catch {
    return undefined;
  } finally {
    cancel();
    signal.removeEventListener('abort', giveUp);
  }
}
