import { createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { readPlatformEvent } from '../events/platform-events.js';
import type { PlatformEvent } from '../../contract/event.js';

/** Version of a signature: HMAC with SHA-256, or Ed25519. */
type WebhookSignatureVersion = 'v1' | 'v1a';

/** Something that signs webhooks, or verifies them, or both. */
interface WebhookKey {
  readonly version: WebhookSignatureVersion;
  /** Absent where there is only the public half. */
  readonly sign?: (content: Uint8Array) => Uint8Array;
  readonly verify: (content: Uint8Array, signature: Uint8Array) => boolean;
}

/** Shortest and longest secret, octets: what Standard Webhooks asks for. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

const ED25519_BYTES = 32;

/** PKCS#8 of an Ed25519 key up to its seed. RFC 8410 section 7 */
const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Reads a secret or key in the spelling of Standard Webhooks.
 * @param text - `whsec_` and base64 of 24 to 64 octets (HMAC), `whsk_` and base64 of an Ed25519 private key, `whpk_` and base64 of a public one
 * @throws {@link HopbackError} `invalid-configuration` when it is none of them; the message repeats nothing of it
 */
function webhookKey(text: string): WebhookKey {
  const [, prefix = '', encoded = ''] = /^(whsec_|whsk_|whpk_)([A-Za-z0-9+/]{0,128}={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (prefix === 'whsec_' && bytes.length >= MIN_SECRET_BYTES && bytes.length <= MAX_SECRET_BYTES)
    return hmacKey(bytes);
  if (prefix === 'whpk_' && bytes.length === ED25519_BYTES) return ed25519Key(publicKeyOf(bytes));
  // Some write the public half behind the seed.
  if (prefix === 'whsk_' && (bytes.length === ED25519_BYTES || bytes.length === 2 * ED25519_BYTES)) {
    const der = Buffer.concat([ED25519_PKCS8, bytes.subarray(0, ED25519_BYTES)]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    return ed25519Key(createPublicKey(privateKey), privateKey);
  }
  throw new HopbackError(
    'invalid-configuration',
    'a webhook secret is whsec_ and base64 of 24 to 64 octets, or a key whsk_ or whpk_ and base64 of 32 octets',
  );
}

function hmacKey(secret: Uint8Array): WebhookKey {
  const mac = (content: Uint8Array): Buffer => createHmac('sha256', secret).update(content).digest();
  return {
    version: 'v1',
    sign: mac,
    verify: (content, signature) => {
      const expected = mac(content);
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    },
  };
}

function ed25519Key(publicKey: KeyObject, privateKey?: KeyObject): WebhookKey {
  return {
    version: 'v1a',
    ...(privateKey !== undefined && { sign: (content: Uint8Array) => sign(null, content, privateKey) }),
    verify: (content, signature) => verify(null, content, publicKey, signature),
  };
}

function publicKeyOf(bytes: Buffer): KeyObject {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }, format: 'jwk' });
  } catch (cause) {
    throw new HopbackError('invalid-configuration', 'whpk_ holds no Ed25519 key', { cause });
  }
}

/**
 * What is signed of a webhook: id, time and body with full stops between, which is why an id has none.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
function signedContent(id: string, timestamp: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
}

/** Ids that go into a header field and into what is signed without being read another way there. */
const WEBHOOK_ID: RegExp = /^[!-\-/-~]{1,256}$/;

/**
 * Signs a webhook as Standard Webhooks has it: one signature for each secret, with a space between.
 * @param webhook - id, time, body, secrets
 * @returns the header fields that go with the body
 * @throws {@link HopbackError} `invalid-argument` when the id or the time cannot be; `invalid-configuration` when there is no secret, or
 * one that does not sign
 * @see https://www.standardwebhooks.com
 * @example
 * ```ts
 * const fields = signWebhook({
 *   id: 'event-1',
 *   timestampSeconds: 1_790_000_000,
 *   body: '{}',
 *   secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
 * });
 * console.log(fields['webhook-signature'].slice(0, 3)); // v1,
 * ```
 */
export function signWebhook(webhook: {
  /** The id of the event, the same however often it is sent: 1 to 256 visible characters of ASCII, and no full stop. */
  readonly id: string;
  /** When this attempt is made, seconds since the epoch. */
  readonly timestampSeconds: number;
  /** The octets that are sent; a text as its UTF-8. */
  readonly body: Uint8Array | string;
  /** `whsec_…` or `whsk_…`; several while a secret is being exchanged for another. At least one. */
  readonly secrets: readonly string[];
}): { readonly [Field in 'webhook-id' | 'webhook-timestamp' | 'webhook-signature']: string } {
  const { id, timestampSeconds, body, secrets } = webhook;
  if (!WEBHOOK_ID.test(id))
    throw new HopbackError(
      'invalid-argument',
      'a webhook id has 1 to 256 visible characters of ASCII, none a full stop',
    );
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0)
    throw new HopbackError('invalid-argument', 'timestampSeconds must be a whole number from 0');
  if (secrets.length === 0)
    throw new HopbackError('invalid-configuration', 'a webhook is signed with a secret at least');
  const timestamp = String(timestampSeconds);
  const content = signedContent(id, timestamp, typeof body === 'string' ? Buffer.from(body) : body);
  const signatures = secrets.map((secret) => {
    const { version, sign: signContent } = webhookKey(secret);
    if (signContent === undefined) throw new HopbackError('invalid-configuration', 'whpk_ verifies and does not sign');
    return `${version},${Buffer.from(signContent(content)).toString('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** How far the time of a webhook may be from ours, seconds: what Standard Webhooks recommends. */
const WEBHOOK_TOLERANCE_SECONDS = 300;

/** Octets of a body that are read: an event of a traceback with all of its hops, many times over. */
export const MAX_WEBHOOK_BYTES = 1_048_576;

/** Signatures that are looked at: a secret that is being exchanged makes two. */
const MAX_SIGNATURES = 16;

/** Secrets that are tried. */
const MAX_SECRETS = 16;

/** A webhook as it came. */
export interface ReceivedWebhook {
  /** Header fields as whoever received them has them; names in any case. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The octets as they came: parsed and written anew it is another body. A text as its UTF-8. */
  readonly body: Uint8Array | string;
}

/** Name of a field that every webhook has. */
type WebhookFieldName = keyof ReturnType<typeof signWebhook>;

/** What a webhook is, or why it is not believed or cannot be read. */
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
  | ({ readonly status: 'failed' } & (
      | {
          readonly reason: 'body-too-large';
          readonly sizeBytes: number;
          readonly maxBytes: number;
        }
      | {
          readonly reason: 'field-missing' | 'field-repeated';
          readonly field: 'webhook-id' | 'webhook-timestamp' | 'webhook-signature';
        }
      | {
          /**
           * - `id-malformed`: not 1 to 256 visible characters, or a full stop in it
           * - `timestamp-malformed`: not seconds since the epoch in decimal
           * - `signature-malformed`: nothing in it that looks like a signature
           * - `signature-version-unknown`: signatures are there, but none in a version that one of the secrets is of
           * - `signature-mismatch`: none of the signatures was made with one of the secrets over this id, time and body
           * - `body-not-utf8`, `body-not-json`: it is from the platform, and cannot be read all the same
           */
          readonly reason:
            | 'id-malformed'
            | 'timestamp-malformed'
            | 'signature-malformed'
            | 'signatures-too-many'
            | 'signature-version-unknown'
            | 'signature-mismatch'
            | 'body-not-utf8'
            | 'body-not-json';
        }
      | {
          readonly reason: 'timestamp-too-old' | 'timestamp-too-new';
          readonly timestampSeconds: number;
          readonly nowSeconds: number;
        }
      | { readonly reason: 'event-schema-drift'; readonly place?: string }
    ));

type FailedVerification = Extract<WebhookVerification, { readonly status: 'failed' }>;
type WithoutStatus<Failure> = Failure extends unknown ? Omit<Failure, 'status'> : never;
type WebhookFailure = WithoutStatus<FailedVerification>;

/**
 * Verifies a webhook of the platform, and reads its event. Never throws for what a peer sent. Repeats are not looked for here: whoever
 * wants each event once remembers `webhookId`, as a {@link WebhookReceiver} does.
 * @param webhook - fields and octets as they came, secrets, clock
 * @returns the event; or why there is none
 * @throws {@link HopbackError} `invalid-configuration` when a secret is none, or there are none
 * @see https://www.standardwebhooks.com
 * @example
 * ```ts
 * const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];
 * const body = '{}';
 * const headers = signWebhook({ id: 'event-1', timestampSeconds: Math.floor(Date.now() / 1000), body, secrets });
 * const genuine = verifyWebhook({ headers: { ...headers }, body, secrets });
 * console.log(genuine.status === 'failed' && genuine.reason); // event-schema-drift
 * const forged = verifyWebhook({ headers: { ...headers }, body: '{"a":1}', secrets });
 * console.log(forged.status === 'failed' && forged.reason); // signature-mismatch
 * ```
 */
export function verifyWebhook(
  webhook: ReceivedWebhook & {
    /** `whsec_…` or `whpk_…`: the one in use, and beside it the one before while it is being exchanged. 1 to 16. */
    readonly secrets: readonly string[];
    /** Default: the machine's. */
    readonly clock?: Clock;
    /** Default 300, which Standard Webhooks recommends. */
    readonly toleranceSeconds?: number | undefined;
    /** Octets of the body at most. Default 1 MiB. */
    readonly maxBytes?: number;
  },
): WebhookVerification {
  const keys = webhookKeys(webhook.secrets);
  const body = typeof webhook.body === 'string' ? Buffer.from(webhook.body) : webhook.body;
  const { maxBytes = MAX_WEBHOOK_BYTES } = webhook;
  if (body.length > maxBytes) return failed({ reason: 'body-too-large', sizeBytes: body.length, maxBytes });
  const fields = readFields(webhook.headers);
  if (fields.status === 'failed') return fields;
  const { id, timestamp, signature } = fields;
  if (!WEBHOOK_ID.test(id)) return failed({ reason: 'id-malformed' });
  if (!/^\d{1,12}$/.test(timestamp)) return failed({ reason: 'timestamp-malformed' });
  const time = timeFailure(Number(timestamp), webhook.clock ?? MACHINE_CLOCK, webhook.toleranceSeconds);
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

const failed = (failure: WebhookFailure): FailedVerification => ({ status: 'failed', ...failure });

type FieldsReading =
  | {
      readonly status: 'read';
      readonly id: string;
      readonly timestamp: string;
      readonly signature: string;
    }
  | FailedVerification;

function readFields(headers: ReceivedWebhook['headers']): FieldsReading {
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
function fieldValues(headers: ReceivedWebhook['headers'], name: WebhookFieldName): readonly string[] {
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
  clock: Clock,
  toleranceSeconds: number = WEBHOOK_TOLERANCE_SECONDS,
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
  return failed({ reason: 'event-schema-drift', ...defined({ place: reading.place }) });
}
