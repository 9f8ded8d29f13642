import { Hono } from 'hono';
import { HopbackError } from '../../errors.js';
import { createWebhookReceiver, createWebhookRequestSource, honoWebhookHandler } from '../../platform/index.js';
import type { PlatformClient, TracebackRequestSource, WebhookConsumer, WebhookReceiver } from '../../platform/index.js';
import {
  createCarrierResponder,
  createTrunkDirectory,
  DEFAULT_TRACEBACK_POLICY,
  readTrunkDirectory,
} from '../../traceback/index.js';
import type { CarrierResponder, CarrierResponderOptions } from '../../traceback/index.js';
import { reviewApp } from './review-app.js';
import type { ReviewAppOptions } from './review-app.js';

/** Options of {@link openTracebackDesk}. */
export interface TracebackDeskOptions extends Omit<CarrierResponderOptions, 'moreRequests'> {
  /** Webhooks of the platform, beside stream and polling. Without it there is no route for them. */
  readonly webhooks?: {
    /** `whsec_…`; a function where they change while the process runs. */
    readonly secrets: readonly string[] | (() => readonly string[]);
    /** Takes in events that are not about requests and notices to this carrier. Default nobody does. */
    readonly others?: WebhookConsumer;
  };
  /** The page for people. Without it there is none, and people answer with `hopback traceback answer`. */
  readonly review?: Omit<ReviewAppOptions, 'responder' | 'context' | 'zone'>;
}

/** A responder at work, and the routes that belong to it. */
export interface TracebackDesk extends AsyncDisposable {
  readonly responder: CarrierResponder;
  /** `POST /v1/webhooks/platform`, and the pages below `/review`: to be mounted at the root. */
  readonly app: Hono;
  /** Takes no more webhooks, ends what is running, and closes the journal. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Opens all by which a carrier answers tracebacks: what policy lets is answered by itself, within the day that 47 CFR 64.1200(n)(1) gives, and
 * the rest waits for people on the review page. Requests come by stream, by polling and by webhooks; the same one is answered once.
 * @param options - records, trunks, keys, where the platform is, who may log in
 * @returns responder and routes; to be closed, the store after it
 * @throws {@link HopbackError} as {@link createCarrierResponder} and {@link reviewApp}; `invalid-configuration` for a webhook secret that
 * is none
 * @see https://www.standardwebhooks.com; docs/guides/answer-tracebacks.md
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await using platform = await startTestPlatform();
 * const { client, answerKey } = platform.credentials('prv-birch');
 * await using store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
 * const desk = await openTracebackDesk({
 *   ...{ directory, store, answerKey, zone: 'America/New_York', trunks: TEST_TRUNKS },
 *   provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
 *   platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
 *   webhooks: { secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] },
 * });
 * const response = await desk.app.request('/v1/webhooks/platform', { method: 'POST', body: '{}' });
 * console.log(response.status); // 401
 * await desk.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function openTracebackDesk(options: TracebackDeskOptions): Promise<TracebackDesk> {
  const { webhooks, review, ...carrier } = options;
  const hooks = webhooks === undefined ? undefined : createHooks(webhooks, options.clock);
  const responder = await createCarrierResponder({
    ...carrier,
    ...(hooks !== undefined && { moreRequests: ({ client }) => hooks.sourceFor(client) }),
  });
  const app = new Hono();
  const close = async (): Promise<void> => {
    await hooks?.receiver.close();
    await responder.close();
  };
  try {
    if (hooks !== undefined) app.post('/v1/webhooks/platform', honoWebhookHandler(hooks.receiver));
    if (review !== undefined) app.route('/', reviewApp({ ...review, ...partsOf(options, responder) }));
  } catch (error) {
    await close();
    throw error;
  }
  let closing: Promise<void> | undefined;
  const closeOnce = (): Promise<void> => (closing ??= close());
  return { responder, app, close: closeOnce, [Symbol.asyncDispose]: closeOnce };
}

/** The receiver comes first: a secret that is none is refused before anything is opened. */
function createHooks(
  { secrets, others }: NonNullable<TracebackDeskOptions['webhooks']>,
  clock: TracebackDeskOptions['clock'],
): { readonly receiver: WebhookReceiver; readonly sourceFor: (client: PlatformClient) => TracebackRequestSource } {
  const timed = clock === undefined ? {} : { clock };
  let consume: WebhookConsumer = () => {
    throw new HopbackError('unavailable', 'The responder is being opened.', { retryable: true });
  };
  const receiver = createWebhookReceiver({ ...timed, secrets, consume: (event, delivery) => consume(event, delivery) });
  const sourceFor = (client: PlatformClient): TracebackRequestSource => {
    const source = createWebhookRequestSource({ ...timed, client, ...(others !== undefined && { others }) });
    ({ consume } = source);
    return source;
  };
  return { receiver, sourceFor };
}

function partsOf(
  { policy = DEFAULT_TRACEBACK_POLICY, trunks, provider, zone }: TracebackDeskOptions,
  responder: CarrierResponder,
): Pick<ReviewAppOptions, 'responder' | 'context' | 'zone'> {
  const directory = createTrunkDirectory(readTrunkDirectory(trunks));
  return { responder, context: { policy, directory, provider }, zone };
}
