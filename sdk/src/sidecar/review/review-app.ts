import { randomBytes, randomUUID } from 'node:crypto';
import { getConnInfo } from '@hono/node-server/conninfo';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { attempt } from '../../core/runtime/deadline.js';
import { defined } from '../../core/text.js';
import { BACKGROUND_CLOCK, scheduleInBackground } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { HopbackError, isHopbackError } from '../../errors.js';
import { createWebhookRequestSource, WebhookReceiver } from '../../platform/index.js';
import type { PlatformClient, TracebackRequestSource, WebhookReceiverOptions } from '../../platform/index.js';
import {
  DEFAULT_TRACEBACK_POLICY,
  TrunkDirectory,
  createCarrierResponder,
  readTrunkDirectory,
} from '../../traceback/index.js';
import type { TracebackResponder, CarrierResponderOptions } from '../../traceback/index.js';
import { STYLE, createTimes, messagePage } from './pages/layout.js';
import { createRequestSource } from './review-parts.js';
import type { ReviewAuditEntry } from './review-parts.js';
import { addLoginRoutes, addRequestRoutes } from './review-routes.js';
import {
  SESSION_IDLE_MS,
  createDeviceCookie,
  createLoginDelays,
  createPasswordCheck,
  createSessionCookie,
  createSessions,
} from './sessions.js';
import type { readAccounts } from './sessions.js';
import type { PolicyInput } from '../../traceback/policy/traceback-policy.js';

/** Options of the page, and what a desk brings along. */
export type ReviewAppOptions = NonNullable<TracebackDeskOptions['review']> & {
  readonly responder: Pick<TracebackResponder, 'list' | 'review' | 'entry' | 'decide'>;
  /** By which a decision is checked before it is confirmed: policy, directory, and who answers. */
  readonly context: Pick<PolicyInput, 'policy' | 'directory' | 'provider'>;
  /** IANA name of the zone of the office: times are shown in UTC and in it. */
  readonly zone: string;
};

const MIN_IDLE_MS = 60_000;
const MAX_IDLE_MS = 43_200_000;

/**
 * What pages may load and do: nothing but themselves. No script is among it, and no page of others shows them in a frame.
 * @see https://www.w3.org/TR/CSP3/
 */
const POLICY =
  "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/**
 * Makes the page on which people look at traceback requests that no policy answers, choose the call that is meant, and have the answer signed
 * and sent. Rendered by the server, without a script: it works in any browser, by keyboard, and with a screen reader.
 *
 * Accounts are local. A session is a cookie that scripts cannot read and other sites cannot send; every form has a token of its session and its
 * path, and is taken from pages of this server alone. Wrong passwords slow further attempts down, by account and source, and lock nobody out; a
 * browser that signed in before does not wait. Who logged in, looked at numbers and decided is in the audit before it is done.
 * @param options - responder, accounts, audit, zone
 * @returns the routes below `base`, to be mounted at the root; they never throw
 * @throws {@link HopbackError} `invalid-configuration` where the zone, the base or the idle time cannot be
 * @see {@link createCarrierResponder}; OWASP ASVS 5.0 sections 6 and 7; WCAG 2.2
 */
export function reviewApp(options: ReviewAppOptions): Hono {
  const { base, idleMs, times } = checkedOptions(options);
  const { isSecure = true, origin, clock, onFailed = () => undefined } = options;
  const { nowMs, schedule = scheduleInBackground } = clock ?? BACKGROUND_CLOCK;
  const addressOf = addressFrom(options);
  const parts = {
    base,
    origin,
    nowMs,
    addressOf,
    times,
    responder: options.responder,
    context: options.context,
    accounts: options.accounts,
    audit: options.audit,
    sessions: createSessions(nowMs, randomBytes, idleMs),
    cookie: createSessionCookie({ base, isSecure }),
    newId: randomUUID,
  };
  const app = new Hono();
  app.use(`${base}/*`, async (context, next) => {
    await next();
    setHeaders(context.res.headers);
  });
  app.get(`${base}/style.css`, (context) => context.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8' }));
  addLoginRoutes(app, {
    ...parts,
    checkPassword: createPasswordCheck(),
    delays: createLoginDelays({ nowMs, schedule }),
    device: createDeviceCookie({ base, isSecure, nowMs, random: randomBytes }),
  });
  addRequestRoutes(app, parts);
  app.onError((error, context) => {
    onFailed(error);
    const isDisk = isHopbackError(error) && error.code === 'storage-failed';
    const text = isDisk
      ? 'The disk refuses. Nothing was done that is not on record; try again.'
      : 'It could not be done. Try again; what was done is on the page of the request.';
    return context.html(messagePage({ base, title: 'This did not work' }, text), 503);
  });
  return app;
}

function addressFrom({
  proxy,
  addressOf = connectionAddress,
}: ReviewAppOptions): (context: Context) => string | undefined {
  const source = createRequestSource(proxy);
  return (context) => source(context.req.raw.headers, addressOf(context));
}

function checkedOptions({ base = '/review', idleMs = SESSION_IDLE_MS, zone }: ReviewAppOptions): {
  readonly base: string;
  readonly idleMs: number;
  readonly times: ReturnType<typeof createTimes>;
} {
  const isTime = idleMs >= MIN_IDLE_MS && idleMs <= MAX_IDLE_MS;
  if (!/^\/[a-z][a-z0-9-]{0,63}$/.test(base) || !isTime)
    throw new HopbackError(
      'invalid-configuration',
      'The base or the idle time of the review page is out of its bounds.',
    );
  try {
    return { base, idleMs, times: createTimes(zone) };
  } catch (cause) {
    throw new HopbackError('invalid-configuration', 'The zone of the review page does not exist.', { cause });
  }
}

function setHeaders(headers: Headers): void {
  headers.set('content-security-policy', POLICY);
  headers.set('cache-control', 'no-store');
  headers.set('x-content-type-options', 'nosniff');
  // Of forms browsers say where they come from under this, and not under "no-referrer".
  headers.set('referrer-policy', 'same-origin');
}

function connectionAddress(context: Context): string | undefined {
  // In a test it is not served by Node's server.
  return attempt(() => getConnInfo(context).remote.address);
}

/** Options of {@link TracebackDesk.open}. */
export interface TracebackDeskOptions extends Omit<CarrierResponderOptions, 'moreRequests'> {
  /** Webhooks of the platform, beside stream and polling. Without it there is no route for them. */
  readonly webhooks?: {
    /** `whsec_…`; a function where they change while the process runs. */
    readonly secrets: readonly string[] | (() => readonly string[]);
    /** Takes in events that are not about requests and notices to this carrier. Default nobody does. */
    readonly others?: WebhookReceiverOptions['consume'];
  };
  /** The page for people. Without it there is none, and people answer with `hopback traceback answer`. */
  readonly review?: {
    /** Who may log in, from {@link readAccounts}; asked each time, so that who is taken off is out at once. */
    readonly accounts: () => ReturnType<typeof readAccounts>;
    /** Where it is written who did what, from {@link ReviewAudit}. */
    readonly audit: (entry: ReviewAuditEntry) => Promise<void>;
    /** Path that all pages are below, `/` and then letters. Default `/review`. */
    readonly base?: string;
    /** `https://sidecar.example`, where a proxy before this server changes the field `Host`. Default what that says. */
    readonly origin?: string;
    /**
     * Whether the session goes over TLS alone. False sends passwords and sessions in the clear: for a listener on loopback, behind a proxy
     * or a tunnel. Default true.
     */
    readonly isSecure?: boolean;
    /** Milliseconds after which somebody who does nothing has to log in again, 60,000 to 43,200,000. Default 900,000. */
    readonly idleMs?: number;
    /** `schedule` is for logins that wait. Default the clock of the machine. */
    readonly clock?: { readonly nowMs: () => number; readonly schedule?: TimerClock['schedule'] };
    /** Proxies in front, and the field in which they say where a request comes from. Default none: any field is ignored. */
    readonly proxy?: {
      /** Addresses and networks of the proxies: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. The field is believed from these alone. */
      readonly addresses: readonly string[];
      /** Field with one address, or several with commas between, the nearest last. Default `x-forwarded-for`. */
      readonly header?: string;
    };
    /** Address of the connection of a request, for the delays of logins and the audit. Default that of Node's server. */
    readonly addressOf?: (context: Context) => string | undefined;
    /** Told what broke, for logs. May not throw. */
    readonly onFailed?: (cause: unknown) => void;
  };
}

/**
 * All by which a carrier answers tracebacks: what policy lets is answered by itself, within the day that 47 CFR 64.1200(n)(1) gives, and
 * the rest waits for people on the review page. Requests come by stream, by polling and by webhooks; the same one is answered once.
 * @see https://www.standardwebhooks.com; docs/guides/answer-tracebacks.md
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * await using platform = await TestPlatform.start();
 * const { client, answerKey } = platform.credentials('prv-birch');
 * await using store = createMemoryRecordStore();
 * const desk = await TracebackDesk.open({
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
export class TracebackDesk implements AsyncDisposable {
  readonly responder: TracebackResponder & { readonly client: PlatformClient };
  /** `POST /v1/webhooks/platform`, and the pages below `/review`: to be mounted at the root. */
  readonly app: Hono = new Hono();
  readonly #receiver: WebhookReceiver | undefined;
  #closing: Promise<void> | undefined;

  /**
   * Opens the responder and its routes.
   * @param options - records, trunks, keys, where the platform is, who may log in
   * @returns responder and routes; to be closed, the store after it
   * @throws {@link HopbackError} as {@link createCarrierResponder}; `invalid-configuration` for a webhook secret that is none, and where the
   * zone, the base or the idle time of the page cannot be
   */
  static async open(options: TracebackDeskOptions): Promise<TracebackDesk> {
    const { webhooks, review, ...carrier } = options;
    const hooks = webhooks === undefined ? undefined : createHooks(webhooks, options.clock);
    const responder = await createCarrierResponder({
      ...carrier,
      ...defined({
        moreRequests: hooks && (({ client }: { readonly client: PlatformClient }) => hooks.sourceFor(client)),
      }),
    });
    const desk = new TracebackDesk(responder, hooks?.receiver);
    try {
      if (hooks !== undefined) desk.app.post('/v1/webhooks/platform', hooks.receiver.honoHandler);
      if (review !== undefined) desk.app.route('/', reviewApp({ ...review, ...partsOf(options, responder) }));
    } catch (error) {
      await desk.close();
      throw error;
    }
    return desk;
  }

  private constructor(responder: TracebackDesk['responder'], receiver: WebhookReceiver | undefined) {
    this.responder = responder;
    this.#receiver = receiver;
  }

  /** Takes no more webhooks, ends what is running, and closes the journal. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #finish(): Promise<void> {
    await this.#receiver?.close();
    await this.responder.close();
  }
}

/** The receiver comes first: a secret that is none is refused before anything is opened. */
function createHooks(
  { secrets, others }: NonNullable<TracebackDeskOptions['webhooks']>,
  clock: TracebackDeskOptions['clock'],
): { readonly receiver: WebhookReceiver; readonly sourceFor: (client: PlatformClient) => TracebackRequestSource } {
  const timed = defined({ clock });
  let consume: WebhookReceiverOptions['consume'] = () => {
    throw new HopbackError('unavailable', 'The responder is being opened.', { retryable: true });
  };
  const receiver = new WebhookReceiver({ ...timed, secrets, consume: (event, delivery) => consume(event, delivery) });
  const sourceFor = (client: PlatformClient): TracebackRequestSource => {
    const source = createWebhookRequestSource({ ...timed, client, ...defined({ others }) });
    ({ consume } = source);
    return source;
  };
  return { receiver, sourceFor };
}

function partsOf(
  { policy = DEFAULT_TRACEBACK_POLICY, trunks, provider, zone }: TracebackDeskOptions,
  responder: TracebackResponder,
): Pick<ReviewAppOptions, 'responder' | 'context' | 'zone'> {
  const directory = new TrunkDirectory(readTrunkDirectory(trunks));
  return { responder, context: { policy, directory, provider }, zone };
}
