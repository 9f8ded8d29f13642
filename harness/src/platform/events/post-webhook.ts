import { request as httpsRequest } from 'node:https';
import { retryAfterMs } from '@hopback/sdk/platform';
import { abortedAfter } from '@hopback/sdk/internal';
import { guardAddress } from './address-guard.js';
import type { AddressGuardOptions } from './address-guard.js';

/** Something to post. */
export interface WebhookPost {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** What became of an attempt. */
export type PostOutcome =
  | { readonly status: 'answered'; readonly httpStatus: number; readonly retryAfterMs?: number }
  | { readonly status: 'no-answer' }
  /** The address is not one that is posted to. */
  | { readonly status: 'barred' }
  /** The platform cannot open what is sealed in the event, so that nothing was posted. */
  | { readonly status: 'unreadable' };

/** Posts one webhook. Never rejects. */
export type PostWebhook = (post: WebhookPost) => Promise<PostOutcome>;

/** How long a receiver may take, milliseconds: as Standard Webhooks proposes, 15 to 30 s. */
export const WEBHOOK_ATTEMPT_MS = 15_000;

/** How posts are made. */
export interface WebhookPosterOptions extends AddressGuardOptions {
  /** PEM of certificates that vouch for receivers beside those that Node brings along. */
  readonly ca?: string;
  readonly timeoutMs?: number;
}

/**
 * Makes what posts: over TLS alone, to the address that was looked at, following no redirect, and reading nothing of an answer but its
 * head.
 */
export function createWebhookPoster(options: WebhookPosterOptions = {}): PostWebhook {
  const { ca, timeoutMs = WEBHOOK_ATTEMPT_MS } = options;
  return async ({ url, fields, body, nowMs, signal }) => {
    const guarded = await guardAddress(url, options);
    if (guarded.status === 'refused') return { status: 'barred' };
    if (guarded.status === 'unresolved' || signal.aborted) return { status: 'no-answer' };
    const { address, family } = guarded;
    return new Promise((resolve) => {
      const bytes = Buffer.from(body);
      const request = httpsRequest(url, {
        method: 'POST',
        headers: { 'user-agent': 'hopback-platform', ...fields, 'content-length': bytes.length },
        signal: AbortSignal.any([signal, abortedAfter(timeoutMs)]),
        // A connection that is kept would go to where the name led before.
        agent: false,
        lookup: (_hostname, wanted, callback) => {
          if (wanted.all === true) callback(null, [{ address, family }]);
          else callback(null, address, family);
        },
        ...(ca !== undefined && { ca }),
      });
      request.on('error', () => resolve({ status: 'no-answer' }));
      request.on('response', (response) => {
        const waitMs = retryAfterMs(response.headers['retry-after'], nowMs);
        response.destroy();
        resolve({
          status: 'answered',
          httpStatus: response.statusCode ?? 0,
          ...(waitMs !== undefined && { retryAfterMs: waitMs }),
        });
      });
      request.end(bytes);
    });
  };
}
