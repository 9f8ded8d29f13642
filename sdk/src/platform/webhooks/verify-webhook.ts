import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { readPlatformEvent } from '../events/read-platform-event.js';
import type { PlatformEvent } from '../wire/event.js';
import { signedContent, WEBHOOK_ID, webhookKey } from './webhook-secret.js';
import type { WebhookKey } from './webhook-secret.js';

/** How far the time of a webhook may be from ours, seconds: what Standard Webhooks recommends. */
export const WEBHOOK_TOLERANCE_SECONDS = 300;

/** Octets of a body that are read: an event of a traceback with all of its hops, many times over. */
export const MAX_WEBHOOK_BYTES = 1_048_576;

/** Signatures that are looked at: a secret that is being exchanged makes two. */
const MAX_SIGNATURES = 16;

/** Secrets that are tried. */
const MAX_SECRETS = 16;

/** Header fields as whoever received them has them; names in any case. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A webhook as it came. */
export interface ReceivedWebhook {
  readonly headers: WebhookHeaders;
  /** The octets as they came: parsed and written anew it is another body. A text as its UTF-8. */
  readonly body: Uint8Array | string;
}

/** A webhook as it came, and what to hold it against. */
export interface WebhookToVerify extends ReceivedWebhook {
  /** `whsec_…` or `whpk_…`: the one in use, and beside it the one before while it is being exchanged. 1 to 16. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
  /** Default {@link WEBHOOK_TOLERANCE_SECONDS}. */
  readonly toleranceSeconds?: number;
  /** Octets of the body at most. Default {@link MAX_WEBHOOK_BYTES}. */
  readonly maxBytes?: number;
}

/** Name of a field that every webhook has. */
export type WebhookFieldName = 'webhook-id' | 'webhook-timestamp' | 'webhook-signature';

/** Why a webhook is not believed, or cannot be read. */
export type WebhookFailure =
  | { readonly reason: 'body-too-large'; readonly sizeBytes: number; readonly maxBytes: number }
  | { readonly reason: 'field-missing'; readonly field: WebhookFieldName }
  | { readonly reason: 'field-repeated'; readonly field: WebhookFieldName }
  /** Not 1 to 256 visible characters, or a full stop in it. */
  | { readonly reason: 'id-malformed' }
  /** Not seconds since the epoch in decimal. */
  | { readonly reason: 'timestamp-malformed' }
  | { readonly reason: 'timestamp-too-old'; readonly timestampSeconds: number; readonly nowSeconds: number }
  | { readonly reason: 'timestamp-too-new'; readonly timestampSeconds: number; readonly nowSeconds: number }
  /** Nothing in it that looks like a signature. */
  | { readonly reason: 'signature-malformed' }
  | { readonly reason: 'signatures-too-many' }
  /** Signatures are there, but none in a version that one of the secrets is of. */
  | { readonly reason: 'signature-version-unknown' }
  /** None of the signatures was made with one of the secrets over this id, time and body. */
  | { readonly reason: 'signature-mismatch' }
  /** It is from the platform, and cannot be read all the same. */
  | { readonly reason: 'body-not-utf8' }
  | { readonly reason: 'body-not-json' }
  | { readonly reason: 'event-schema-drift'; readonly place?: string };

/** Name of a failure. */
export type WebhookFailureReason = WebhookFailure['reason'];

/** What a webhook is. */
export type WebhookVerification =
  | {
      readonly status: 'verified';
      /** The same however often it is sent. */
      readonly webhookId: string;
      /** Of this attempt. */
      readonly timestampSeconds: number;
      readonly event: PlatformEvent;
    }
  /** It is from the platform, of a kind of event that this release does not know: to be acknowledged, and gone past. */
  | {
      readonly status: 'unknown-type';
      readonly webhookId: string;
      readonly timestampSeconds: number;
      readonly type: string;
    }
  | ({ readonly status: 'failed' } & WebhookFailure);

/**
 * Verifies a webhook of the platform, and reads its event. Never throws for what a peer sent. Repeats are not looked for here: whoever
 * wants each event once remembers `webhookId`, as {@link createWebhookReceiver} does.
 * @param webhook - fields and octets as they came, secrets, clock
 * @returns the event; or why there is none
 * @throws {@link HopbackError} `invalid-configuration` when a secret is none, or there are none
 * @see https://www.standardwebhooks.com
 * @example
 * ```ts
 * const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];
 * const body = '{}';
 * const headers = signWebhook({ id: 'event-1', timestampSeconds: Math.floor(Date.now() / 1000), body, secrets });
 * const genuine = verifyWebhook({ headers: { ...headers }, body, secrets, clock: { nowMs: Date.now } });
 * console.log(genuine.status === 'failed' && genuine.reason); // event-schema-drift
 * const forged = verifyWebhook({ headers: { ...headers }, body: '{"a":1}', secrets, clock: { nowMs: Date.now } });
 * console.log(forged.status === 'failed' && forged.reason); // signature-mismatch
 * ```
 */
export function verifyWebhook(webhook: WebhookToVerify): WebhookVerification {
  const keys = webhookKeys(webhook.secrets);
  const body = typeof webhook.body === 'string' ? Buffer.from(webhook.body) : webhook.body;
  const { maxBytes = MAX_WEBHOOK_BYTES } = webhook;
  if (body.length > maxBytes) return failed({ reason: 'body-too-large', sizeBytes: body.length, maxBytes });
  const fields = readFields(webhook.headers);
  if (fields.status === 'failed') return fields;
  const { id, timestamp, signature } = fields;
  if (!WEBHOOK_ID.test(id)) return failed({ reason: 'id-malformed' });
  if (!/^\d{1,12}$/.test(timestamp)) return failed({ reason: 'timestamp-malformed' });
  const time = timeFailure(Number(timestamp), webhook);
  if (time !== undefined) return failed(time);
  const mismatch = signatureFailure(signature, keys, signedContent(id, timestamp, body));
  if (mismatch !== undefined) return failed(mismatch);
  return verificationOf(body, { webhookId: id, timestampSeconds: Number(timestamp) });
}

/**
 * Reads the secrets of a receiver.
 * @throws {@link HopbackError} `invalid-configuration` when one is none, or there are none or too many
 */
export function webhookKeys(secrets: readonly string[]): readonly WebhookKey[] {
  if (secrets.length === 0 || secrets.length > MAX_SECRETS)
    throw new HopbackError('invalid-configuration', `webhooks are verified with 1 to ${MAX_SECRETS} secrets`);
  return secrets.map(webhookKey);
}

const failed = (failure: WebhookFailure): WebhookVerification & { readonly status: 'failed' } => ({
  status: 'failed',
  ...failure,
});

type FieldsReading =
  | { readonly status: 'read'; readonly id: string; readonly timestamp: string; readonly signature: string }
  | (WebhookVerification & { readonly status: 'failed' });

function readFields(headers: WebhookHeaders): FieldsReading {
  const values: string[] = [];
  for (const field of ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const) {
    const found = fieldValues(headers, field);
    const [value] = found;
    if (value === undefined || value === '') return failed({ reason: 'field-missing', field });
    if (found.length > 1) return failed({ reason: 'field-repeated', field });
    values.push(value);
  }
  const [id = '', timestamp = '', signature = ''] = values;
  return { status: 'read', id, timestamp, signature };
}

/** Every value of a field; Node and Fetch put repeated ones together with a comma, which neither id nor time has in it. */
function fieldValues(headers: WebhookHeaders, name: WebhookFieldName): readonly string[] {
  const values: string[] = [];
  if (headers instanceof Headers) values.push(headers.get(name) ?? '');
  else
    for (const [key, value] of Object.entries(headers)) {
      if (key.toLowerCase() === name) values.push(...(typeof value === 'string' ? [value] : (value ?? [])));
    }
  return values
    .flatMap((value) => (name === 'webhook-signature' ? [value] : value.split(/, ?/)))
    .filter((value) => value !== '');
}

function timeFailure(
  timestampSeconds: number,
  { clock, toleranceSeconds = WEBHOOK_TOLERANCE_SECONDS }: WebhookToVerify,
): WebhookFailure | undefined {
  const nowSeconds = Math.floor(clock.nowMs() / 1_000);
  if (timestampSeconds < nowSeconds - toleranceSeconds)
    return { reason: 'timestamp-too-old', timestampSeconds, nowSeconds };
  if (timestampSeconds > nowSeconds + toleranceSeconds)
    return { reason: 'timestamp-too-new', timestampSeconds, nowSeconds };
  return undefined;
}

function signatureFailure(field: string, keys: readonly WebhookKey[], content: Uint8Array): WebhookFailure | undefined {
  const signatures = field.split(' ').filter((part) => part !== '');
  if (signatures.length > MAX_SIGNATURES) return { reason: 'signatures-too-many' };
  let isMadeOut = false;
  let isVersionKnown = false;
  for (const signature of signatures) {
    const [, version, encoded = ''] = /^(v\d{1,3}[a-z]{0,8}),([A-Za-z0-9+/]{1,512}={0,2})$/.exec(signature) ?? [];
    if (version === undefined) continue;
    isMadeOut = true;
    const bytes = Buffer.from(encoded, 'base64');
    for (const key of keys) {
      if (key.version !== version) continue;
      isVersionKnown = true;
      if (key.verify(content, bytes)) return undefined;
    }
  }
  if (!isMadeOut) return { reason: 'signature-malformed' };
  return { reason: isVersionKnown ? 'signature-mismatch' : 'signature-version-unknown' };
}

function verificationOf(
  body: Uint8Array,
  signed: { readonly webhookId: string; readonly timestampSeconds: number },
): WebhookVerification {
  const reading = readPlatformEvent(body);
  if (reading.status === 'event') return { status: 'verified', ...signed, event: reading.event };
  if (reading.status === 'unknown-type') return { status: 'unknown-type', ...signed, type: reading.type };
  if (reading.reason === 'not-utf8') return failed({ reason: 'body-not-utf8' });
  if (reading.reason === 'not-json') return failed({ reason: 'body-not-json' });
  return failed({
    reason: 'event-schema-drift',
    ...(reading.place === undefined ? {} : { place: reading.place }),
  });
}
