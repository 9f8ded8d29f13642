import type { IncomingMessage, ServerResponse } from 'node:http';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { valueWithin } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';
import type { PlatformLogger } from '../client/requester.js';
import type { PlatformEvent } from '../../contract/event.js';
import { MAX_WEBHOOK_BYTES, verifyWebhook, webhookKeys } from './verify-webhook.js';
import type { ReceivedWebhook, WebhookVerification } from './verify-webhook.js';

/** Ids of events that are remembered at most: a minute of a busy platform, some hundred octets each. */
const MAX_REMEMBERED_WEBHOOKS = 10_000;

/**
 * How long an id is remembered, milliseconds: senders repeat what was not acknowledged within seconds and minutes. Not longer, since a
 * replay that was asked for comes under the old ids and is meant to be taken in.
 */
const WEBHOOK_MEMORY_MS = 900_000;

/** How long whoever takes an event in may need, milliseconds: senders give up after fifteen seconds or more. */
const WEBHOOK_DELIVERY_TIMEOUT_MS = 10_000;

/** Events that may be on their way to whoever takes them in; others are to come again. */
const MAX_WEBHOOKS_IN_FLIGHT = 256;

/** Seconds after which an event that could not be taken in may come again. */
const RETRY_AFTER_SECONDS = 5;

type WebhookDelivery = Parameters<WebhookReceiverOptions['consume']>[1];

/** Settings of a {@link WebhookReceiver}. */
export interface WebhookReceiverOptions {
  /** As for {@link verifyWebhook}; a function where they change while the process runs. */
  readonly secrets: readonly string[] | (() => readonly string[]);
  /** Takes an event in. Once it resolves the platform is told that the event is in safe hands; when it rejects the event comes again. */
  readonly consume: (
    event: PlatformEvent,
    delivery: {
      readonly webhookId: string;
      /** Of the attempt that is taken in, seconds since the epoch. */
      readonly timestampSeconds: number;
      /** When it was here in full, milliseconds since the epoch. */
      readonly receivedAtMs: number;
    },
  ) => Promise<void> | void;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
  /** Default 300. */
  readonly toleranceSeconds?: number;
  /** Octets of a body at most. Default 1 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds. Default 10 s. */
  readonly deliveryTimeoutMs?: number;
  readonly logger?: PlatformLogger;
}

/**
 * Takes webhooks in, whatever server they come through: verifies each, hands its event on, and acknowledges it only when whoever takes it
 * in says so. What comes again after that is acknowledged and not handed on; what comes again before waits for the same outcome.
 * `nodeHandler`, `honoHandler` and `expressHandler` bind it to a server; which path is which is for whoever calls.
 * @see https://www.standardwebhooks.com
 * @example
 * ```ts
 * const { createServer } = await import('node:http');
 * const receiver = new WebhookReceiver({
 *   secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
 *   consume: (event) => console.log(event.type),
 * });
 * const server = createServer(receiver.nodeHandler);
 * console.log((await receiver.receive({ headers: {}, body: '' })).status); // 401
 * ```
 */
export class WebhookReceiver implements AsyncDisposable {
  /** Octets of a body that are worth reading. */
  readonly maxBytes: number;
  readonly #options: WebhookReceiverOptions;
  readonly #clock: TimerClock;
  /** When each was taken in, the oldest first. */
  readonly #taken = new Map<string, number>();
  readonly #inFlight = new Map<string, Promise<boolean>>();
  #isClosed = false;

  /**
   * @param options - secrets, who takes events in
   * @throws {@link HopbackError} `invalid-configuration` when a secret is none
   */
  constructor(options: WebhookReceiverOptions) {
    this.maxBytes = options.maxBytes ?? MAX_WEBHOOK_BYTES;
    this.#options = options;
    this.#clock = options.clock ?? MACHINE_CLOCK;
    webhookKeys(this.#secrets());
  }

  /**
   * Never rejects, whatever came. Answers with
   * - 204: it is in safe hands, or was before, or is of a kind that is not known
   * - 400: it is from the platform, and cannot be read
   * - 401: nothing says that it is from the platform
   * - 413: too large
   * - 503: it could not be taken in now
   *
   * Names of fields are in lower case; the body is a problem document, or nothing with 204.
   */
  async receive(webhook: ReceivedWebhook): Promise<{
    readonly status: 204 | 400 | 401 | 413 | 503;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  }> {
    try {
      return await this.#received(webhook);
    } catch (error) {
      // Secrets that changed into none, or a bug of ours: the platform is to come again.
      this.#options.logger?.warn(
        { code: error instanceof HopbackError ? error.code : 'internal' },
        'webhook could not be looked at',
      );
      return REFUSALS.failed;
    }
  }

  /** The answer to a body that was not read to its end since it is too large. */
  tooLarge(): Awaited<ReturnType<WebhookReceiver['receive']>> {
    return refusal(413, 'body-too-large');
  }

  /**
   * A listener of requests for `node:http` and `node:https`. It answers each, and never throws.
   * @see https://nodejs.org/api/http.html#event-request
   */
  readonly nodeHandler = (request: IncomingMessage, response: ServerResponse): void => {
    void this.#receivedStream(request).then((answer) => writeAnswer(response, answer));
  };

  /**
   * A handler for a route of Hono, or of anything else that has Fetch requests and responses. It never rejects.
   * @see https://hono.dev/docs/api/routing
   */
  readonly honoHandler = async ({ req: { raw } }: { readonly req: { readonly raw: Request } }): Promise<Response> => {
    const body = await readChunks(this.maxBytes, raw.headers.get('content-length'), raw.body ?? []);
    if (body === 'broken') return new Response(null, { status: 400 });
    const answer = body === 'too-large' ? this.tooLarge() : await this.receive({ headers: raw.headers, body });
    return new Response(answer.status === 204 ? null : answer.body, { status: answer.status, headers: answer.headers });
  };

  /**
   * A handler for a route of Express. A parser in front of it must leave the octets as they are: that of `express.raw`, or none. It never
   * throws, and tells `next` {@link HopbackError} `invalid-configuration` where a parser has taken the octets.
   * @see https://expressjs.com/en/guide/routing.html
   */
  readonly expressHandler = (
    request: IncomingMessage & {
      /** What a parser in front made of the body. */
      readonly body?: unknown;
    },
    response: ServerResponse,
    next: (error: unknown) => void,
  ): void => {
    const { body } = request;
    // Whatever stands in body where nothing was read: parsers leave something there for media types that are not theirs.
    if (!request.readableDidRead) {
      this.nodeHandler(request, response);
    } else if (body instanceof Uint8Array || typeof body === 'string') {
      void this.receive({ headers: request.headers, body }).then((answer) => writeAnswer(response, answer));
    } else {
      next(
        new HopbackError(
          'invalid-configuration',
          'a body parser consumed the signed octets of the webhook: put the route before express.json(), or after express.raw()',
        ),
      );
    }
  };

  /** Answers 503 from now on, and waits for what is on its way. Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#inFlight.values());
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #secrets(): readonly string[] {
    const options = this.#options;
    return typeof options.secrets === 'function' ? options.secrets() : options.secrets;
  }

  async #receivedStream(request: IncomingMessage): Promise<WebhookAnswer | undefined> {
    const body = await readChunks(this.maxBytes, request.headers['content-length'], octetsOf(request));
    if (body === 'broken') return undefined;
    return body === 'too-large' ? this.tooLarge() : this.receive({ headers: request.headers, body });
  }

  async #received({ headers, body }: ReceivedWebhook): Promise<WebhookAnswer> {
    if (this.#isClosed) return REFUSALS.closing;
    const { toleranceSeconds, logger } = this.#options;
    const verification = verifyWebhook({
      headers,
      body,
      clock: this.#clock,
      maxBytes: this.maxBytes,
      secrets: this.#secrets(),
      toleranceSeconds,
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
    return this.#deliver(event, { webhookId, timestampSeconds, receivedAtMs: this.#clock.nowMs() });
  }

  async #deliver(event: PlatformEvent, delivery: WebhookDelivery): Promise<WebhookAnswer> {
    const id = delivery.webhookId;
    const takenAtMs = this.#taken.get(id);
    if (takenAtMs !== undefined && this.#clock.nowMs() - takenAtMs < WEBHOOK_MEMORY_MS) return TAKEN;
    const under = this.#inFlight.get(id);
    if (under === undefined && this.#inFlight.size >= MAX_WEBHOOKS_IN_FLIGHT) return REFUSALS.busy;
    const work = under ?? this.#begin(event, delivery);
    const outcome = await valueWithin(work, {
      timeoutMs: this.#options.deliveryTimeoutMs ?? WEBHOOK_DELIVERY_TIMEOUT_MS,
      schedule: this.#clock.schedule,
      late: 'late' as const,
    });
    if (outcome === 'late') return REFUSALS.late;
    return outcome ? TAKEN : REFUSALS.failed;
  }

  /** It goes on when nobody waits for it any longer: taken in late, it is known when it comes again. */
  #begin(event: PlatformEvent, delivery: WebhookDelivery): Promise<boolean> {
    const { consume, logger } = this.#options;
    const id = delivery.webhookId;
    const outcome = (async () => consume(event, delivery))()
      .then(() => {
        this.#remember(id);
        return true;
      })
      .catch((error: unknown) => {
        const code = error instanceof HopbackError ? error.code : 'unknown';
        logger?.warn({ webhookId: id, type: event.type, code }, 'event was not taken in and comes again');
        return false;
      })
      .finally(() => this.#inFlight.delete(id));
    this.#inFlight.set(id, outcome);
    return outcome;
  }

  #remember(id: string): void {
    this.#taken.delete(id);
    this.#taken.set(id, this.#clock.nowMs());
    const [oldest] = this.#taken.keys();
    if (this.#taken.size > MAX_REMEMBERED_WEBHOOKS && oldest !== undefined) this.#taken.delete(oldest);
  }
}

type WebhookAnswer = Awaited<ReturnType<WebhookReceiver['receive']>>;

/** Total: a failure that is added has to be given a status. */
const STATUS_OF_FAILURE: Readonly<
  Record<Extract<WebhookVerification, { status: 'failed' }>['reason'], 400 | 401 | 413>
> = {
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

/** Not the request itself: leaving its own iteration early would take away the connection, and with it the answer. */
const octetsOf = (request: IncomingMessage): AsyncIterable<unknown> => request.iterator({ destroyOnReturn: false });

/** Reads a body, or finds that it is too large: said in advance, or met. */
async function readChunks(
  maxBytes: number,
  contentLength: string | null | undefined,
  chunks: unknown,
): Promise<Uint8Array | 'too-large' | 'broken'> {
  if (Number(contentLength ?? 0) > maxBytes) return 'too-large';
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) return 'too-large';
      parts.push(chunk);
    }
  } catch {
    return 'broken';
  }
  return Buffer.concat(parts);
}

/** Nobody is left to be answered where the request broke off. */
function writeAnswer(response: ServerResponse, answer: WebhookAnswer | undefined): void {
  if (answer === undefined || response.headersSent || response.destroyed) return;
  // What is left of a body that is too large is not read.
  const fields = answer.status === 413 ? { ...answer.headers, connection: 'close' } : answer.headers;
  response.writeHead(answer.status, fields);
  response.end(answer.body);
}
