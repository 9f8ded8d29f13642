import { lookup } from 'node:dns/promises';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { embedsIpv4, isSpecialPurposeAddress, retryAfterMs } from '@hopback/sdk/internal';
import { abortedAfter } from '@hopback/sdk/internal/runtime';

/** Where something is posted to: an address that was looked at, so that no later answer of a name server leads elsewhere. */
export type GuardedAddress =
  | {
      readonly status: 'allowed';
      readonly address: string;
      readonly family: 4 | 6;
    }
  | { readonly status: 'refused'; readonly reason: 'not-https' | 'credentials' | 'not-public' | 'unreadable' }
  /** The name has no address now. */
  | { readonly status: 'unresolved' };

/** Gives the addresses of a name. */
export type ResolveAddresses = (
  hostname: string,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const resolveByName: ResolveAddresses = (hostname) => lookup(hostname, { all: true });

/** Whether an address is one of the open Internet. What has an address of IPv4 within is not: nobody needs it. Never throws. */
export const isPublicAddress = (address: string): boolean => !isSpecialPurposeAddress(address) && !embedsIpv4(address);

/** How addresses are looked at. */
export interface AddressGuardOptions {
  /** Lets private, loopback and link-local addresses through: for laboratories. Whoever may register an endpoint reaches them then. */
  readonly dangerouslyAllowPrivateAddresses?: boolean;
  /** Default the resolver of the machine. */
  readonly resolve?: ResolveAddresses;
}

/**
 * Finds the address to post to. One of several that is not public refuses the name: whoever mixes them means no good.
 * @returns the address, or why nothing is posted; never rejects
 */
export async function guardAddress(
  address: string,
  { dangerouslyAllowPrivateAddresses = false, resolve = resolveByName }: AddressGuardOptions = {},
): Promise<GuardedAddress> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) return { status: 'refused', reason: 'unreadable' };
  if (url.protocol !== 'https:') return { status: 'refused', reason: 'not-https' };
  if (url.username !== '' || url.password !== '') return { status: 'refused', reason: 'credentials' };
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const literal = isIP(hostname);
  const found = literal === 0 ? await resolve(hostname).catch(() => []) : [{ address: hostname, family: literal }];
  const [first] = found;
  if (first === undefined) return { status: 'unresolved' };
  if (!dangerouslyAllowPrivateAddresses && !found.every((one) => isPublicAddress(one.address)))
    return { status: 'refused', reason: 'not-public' };
  return { status: 'allowed', address: first.address, family: first.family === 6 ? 6 : 4 };
}

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
  | {
      readonly status: 'answered';
      readonly httpStatus: number;
      readonly retryAfterMs?: number;
    }
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

/**
 * Waits between the attempts of one event, milliseconds: those of Standard Webhooks, three days and some hours in all.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const WEBHOOK_WAITS_MS: readonly number[] = [
  5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
];

/** What is done after an attempt. */
export type AfterAttempt =
  | { readonly step: 'delivered' }
  /** It asked not to be sent anything any longer. */
  | { readonly step: 'disable'; readonly reason: 'gone' | 'failing' }
  /** The receiver is in trouble: everything waits. */
  | { readonly step: 'wait'; readonly waitMs: number }
  /** The receiver will not have this one: it waits by itself, and others go on. */
  | { readonly step: 'set-aside'; readonly waitMs: number }
  /** One that was set aside is not tried any longer. */
  | { readonly step: 'give-up' };

/**
 * What an answer to an attempt means. Pure.
 * @param attempts - how often the event was tried, this time included, 1 or more
 */
export function afterAttempt(outcome: PostOutcome, attempts: number, kind: 'live' | 'replay' | 'retry'): AfterAttempt {
  const httpStatus = outcome.status === 'answered' ? outcome.httpStatus : undefined;
  if (httpStatus !== undefined && httpStatus >= 200 && httpStatus < 300) return { step: 'delivered' };
  if (httpStatus === 410) return { step: 'disable', reason: 'gone' };
  const scheduledMs = WEBHOOK_WAITS_MS[attempts - 1];
  if (scheduledMs === undefined) return kind === 'live' ? { step: 'disable', reason: 'failing' } : { step: 'give-up' };
  const askedMs = outcome.status === 'answered' ? (outcome.retryAfterMs ?? 0) : 0;
  const waitMs = Math.max(scheduledMs, askedMs);
  const isAboutIt = outcome.status === 'unreadable' || (httpStatus !== undefined && isAboutTheEvent(httpStatus));
  return kind === 'live' && isAboutIt ? { step: 'set-aside', waitMs } : { step: 'wait', waitMs };
}

/** A refusal of what was sent, rather than of whoever sends, or now. RFC 9110 section 15.5 */
const isAboutTheEvent = (status: number): boolean => [400, 406, 409, 413, 415, 422].includes(status);
