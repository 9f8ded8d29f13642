import { HopbackError } from '../../errors.js';
import { signedContent, WEBHOOK_ID, webhookKey } from './webhook-secret.js';

/** A webhook that is going to be sent. */
export interface WebhookToSign {
  /** The id of the event, the same however often it is sent: 1 to 256 visible characters of ASCII, and no full stop. */
  readonly id: string;
  /** When this attempt is made, seconds since the epoch. */
  readonly timestampSeconds: number;
  /** The octets that are sent; a text as its UTF-8. */
  readonly body: Uint8Array | string;
  /** `whsec_…` or `whsk_…`; several while a secret is being exchanged for another. At least one. */
  readonly secrets: readonly string[];
}

/** Fields of a webhook, by lower-case name. */
export interface WebhookFields {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

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
export function signWebhook(webhook: WebhookToSign): WebhookFields {
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
    const { version, sign } = webhookKey(secret);
    if (sign === undefined) throw new HopbackError('invalid-configuration', 'whpk_ verifies and does not sign');
    return `${version},${Buffer.from(sign(content)).toString('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}
