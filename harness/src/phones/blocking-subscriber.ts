import type { Verstat } from '@hopback/sdk/stir';
import { STEADY_CLOCK } from '@hopback/sdk/internal';
import { invalid } from './argument-checks.js';
import type { AnswerPolicy } from './answer-policy.js';
import { checkedPolicy } from './answer-policy.js';
import { createInbox } from './inbox.js';
import type { Phone } from './phone.js';
import { createPhone } from './phone.js';
import type { IncomingCall } from './phone-call.js';
import type { PhoneOptions } from './phone-options.js';
import type { BlockReason, ScreeningRule } from './screening-rule.js';
import { screenCall } from './screening-rule.js';

/** What a call-blocking app reports of a call that it blocked: plain data, as it would be sent. */
export interface AppReport {
  /** When the call came, milliseconds since the epoch. */
  readonly atMs: number;
  /** The subscriber's number, as the phone has it. */
  readonly calledNumber: string;
  /** Digits of the calling number, country code first; absent where the call named none. */
  readonly callingNumber?: string;
  readonly callId: string;
  /** Identity headers of the INVITE, exactly as they stood in it. */
  readonly identityHeaders: readonly string[];
  /** What the subscriber's network said of the calling number. */
  readonly verstat?: Verstat;
  readonly blockReason: BlockReason;
  /** What the call was rejected with. */
  readonly status: BlockingStatus;
  /** What the caller said, where an option supplied it. */
  readonly transcript?: string;
}

/** What a call can be blocked with: 607 says that calls of this caller are not wanted, 603 that this one is not, 608 is for networks. */
export type BlockingStatus = 603 | 607 | 608;

/** Settings of {@link createBlockingSubscriber}: those of a phone, but for what happens to calls. */
export interface BlockingSubscriberOptions extends Omit<PhoneOptions, 'onIncoming'> {
  readonly rule: ScreeningRule;
  /** Default 607. */
  readonly blockingStatus?: BlockingStatus;
  /** What happens to calls that are let through; default they are answered at once. */
  readonly onAllowed?: AnswerPolicy;
  /** What the caller said, for the reports. */
  readonly transcript?: string | ((call: IncomingCall) => string | undefined);
  /** Told of each call that was blocked, once it was rejected. It must not throw. */
  readonly onReport?: (report: AppReport) => void;
}

/** A subscriber with a call-blocking app. */
export interface BlockingSubscriber extends AsyncDisposable {
  /** The phone that the app guards: it registers and calls as any other. */
  readonly phone: Phone;
  /** Reads the reports, from the first that nobody has read yet; the newest {@link REPORT_LIMIT} are kept. Ends when the phone closes. */
  readonly reports: () => AsyncIterableIterator<AppReport>;
  /** Closes the phone. Never rejects. */
  readonly close: () => Promise<void>;
}

/** Reports that are kept for readers: of a busy day, for each of ten thousand subscribers in one process. */
export const REPORT_LIMIT = 1_000;

/**
 * Makes a subscriber with a call-blocking app: a phone that lets ring what its rule allows, rejects the rest with 607 Unwanted, and
 * reports that. Peers never make it throw.
 * @param options - of the phone, and the rule
 * @returns the subscriber, connected, not yet registered
 * @throws {@link HopbackError} as {@link createPhone}; `invalid-argument` also for another blocking status than 603, 607 and 608
 * @see RFC 8197, RFC 8688
 * @example
 * ```ts
 * const reports: AppReport[] = [];
 * await using server = await createDrachtioServer({ listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] });
 * await using subscriber = await createBlockingSubscriber({
 *   server: `ws://127.0.0.1:${server.listening[0]?.port}`,
 *   number: '12025550199',
 *   domain: 'b.example',
 *   rule: { blockedPrefixes: ['1900'], blockAnonymous: true, knownContacts: ['+1 202 555 0142'] },
 *   onReport: (report) => reports.push(report),
 * });
 * console.log(subscriber.phone.isConnected(), reports.length); // true 0
 * ```
 */
export async function createBlockingSubscriber(options: BlockingSubscriberOptions): Promise<BlockingSubscriber> {
  const {
    rule,
    blockingStatus = 607,
    onAllowed = { action: 'answer' },
    transcript,
    onReport,
    ...phoneOptions
  } = options;
  if (!BLOCKING_STATUSES.has(blockingStatus))
    throw invalid(`a call is blocked with 603, 607 or 608, not ${blockingStatus}`);
  checkedPolicy(onAllowed);
  const { clock = STEADY_CLOCK } = options;
  const inbox = createInbox<AppReport>(REPORT_LIMIT);

  const report = (call: IncomingCall, atMs: number, blockReason: BlockReason): void => {
    const { callId, identityHeaders, callingNumber, verstat } = call.invite;
    const said = typeof transcript === 'function' ? transcript(call) : transcript;
    const made: AppReport = {
      ...{ atMs, calledNumber: phoneOptions.number, callId, identityHeaders, blockReason, status: blockingStatus },
      ...(callingNumber === undefined ? undefined : { callingNumber }),
      ...(verstat === undefined ? undefined : { verstat }),
      ...(said === undefined ? undefined : { transcript: said }),
    };
    inbox.put(made);
    onReport?.(made);
  };
  const screen = (call: IncomingCall): AnswerPolicy => {
    const atMs = clock.nowMs();
    const decision = screenCall({ ...call.invite, ownNumber: phoneOptions.number }, rule);
    if (decision.action === 'allow') return onAllowed;
    if (call.reject(blockingStatus)) report(call, atMs, decision.reason);
    return { action: 'ignore' };
  };

  const phone = await createPhone({ ...phoneOptions, onIncoming: screen });
  const close = async (): Promise<void> => {
    await phone.close();
    inbox.end();
  };
  return { phone, reports: inbox.items, close, [Symbol.asyncDispose]: close };
}

const BLOCKING_STATUSES: ReadonlySet<number> = new Set<BlockingStatus>([603, 607, 608]);
