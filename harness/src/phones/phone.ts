import { HopbackError } from '@hopback/sdk/errors';
import { STEADY_CLOCK, valueWithin } from '@hopback/sdk/internal/runtime';
import type { Verstat } from '@hopback/sdk/stir';
import type { Invitation, UserAgent } from 'sip.js';
import { checkedPolicy, duration, followPolicy, headerLines, invalid, phoneNumber } from './answer-policy.js';
import type { AnswerPolicy, PhoneOptions } from './answer-policy.js';
import { phoneSettings, targetUri } from './phone-settings.js';
import type { PhoneSettings } from './phone-settings.js';
import { ignore, placeCall, refusesExtension, takeCall } from './call-session.js';
import type { CallContext, CallOrder, HeldCall } from './call-session.js';
import { screenCall } from './phone-call.js';
import type { BlockReason, CallEnd, IncomingCall, PhoneCall, ScreeningRule, Registration } from './phone-call.js';
import { createUserAgent, PhoneRegistration } from './user-agent.js';

/** What came in and nobody has read yet. */
export class Inbox<T> {
  readonly #limit: number;
  readonly #waiting: T[] = [];
  readonly #readers: Waiting<T>[] = [];
  #isOver = false;

  /** @param limit - how many things are kept for readers; of more the oldest are forgotten, so that an inbox that nobody reads stays small */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A reader; each thing goes to one reader only. Leaving a loop over it ends the reader, not the inbox. */
  items(): AsyncIterableIterator<T> {
    const done: IteratorResult<T> = { done: true, value: undefined };
    let isLeft = false;
    const reader: AsyncIterableIterator<T> = {
      next: () => {
        if (isLeft) return Promise.resolve(done);
        const [value] = this.#waiting.splice(0, 1);
        if (value !== undefined) return Promise.resolve({ done: false, value });
        if (this.#isOver) return Promise.resolve(done);
        return new Promise((resolve) => this.#readers.push({ reader, resolve }));
      },
      return: () => {
        isLeft = true;
        for (const { resolve } of removeAll(this.#readers, (one) => one.reader === reader)) resolve(done);
        return Promise.resolve(done);
      },
      [Symbol.asyncIterator]: () => reader,
    };
    return reader;
  }

  put(item: T): void {
    const next = this.#readers.shift();
    if (next !== undefined) {
      next.resolve({ done: false, value: item });
      return;
    }
    if (this.#isOver) return;
    this.#waiting.push(item);
    if (this.#waiting.length > this.#limit) this.#waiting.shift();
  }

  /** Nothing more will come: readers get what is left, then they are done. */
  end(): void {
    this.#isOver = true;
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined });
  }
}

interface Waiting<T> {
  readonly reader: AsyncIterableIterator<T>;
  readonly resolve: (result: IteratorResult<T>) => void;
}

function removeAll<T>(list: T[], is: (item: T) => boolean): readonly T[] {
  const removed = list.filter(is);
  const kept = list.filter((item) => !is(item));
  list.splice(0, list.length, ...kept);
  return removed;
}

/** How a call is placed. */
export interface CallOptions {
  /** Header fields of the INVITE, one string per value: `Identity`, `P-Asserted-Identity`, … */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Gives up after so many milliseconds without an answer, by the phone's clock; default: when the server does. */
  readonly timeoutMs?: number;
  /** Hangs up so many milliseconds after the answer; default never. */
  readonly hangUpAfterMs?: number;
  /** The number in From, where the phone pretends to be another: digits, with or without `+`. */
  readonly callingNumber?: string;
}

/** Calls that are kept for readers: more than a person looks through, and small enough for a load test that reads none. */
const INCOMING_LIMIT = 1_000;

/** How long a phone that closes waits for answers, milliseconds, by Node's clock: a server that runs needs a few. */
export const GOODBYE_MS = 2_000;

const LOST: CallEnd = { by: 'network', status: 503, reason: 'Service Unavailable' };

/**
 * A telephone: a user agent of sip.js that is connected to a SIP server by WebSocket, registers, calls and is called. It has no
 * sound. Peers never make it throw.
 * @see RFC 3261, RFC 7118
 */
export class Phone implements AsyncDisposable {
  /** Its number, as given. */
  readonly number: string;
  /** Its address of record. */
  readonly uri: string;
  readonly #settings: PhoneSettings;
  readonly #registration: PhoneRegistration;
  readonly #calls = new Map<PhoneCall, HeldCall>();
  readonly #inbox = new Inbox<IncomingCall>(INCOMING_LIMIT);
  readonly #callContext: CallContext;
  #userAgent: UserAgent | undefined;
  /** One that is on its way to become the user agent. */
  #connecting: UserAgent | undefined;
  #cancelReconnection: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  private constructor(settings: PhoneSettings) {
    this.#settings = settings;
    this.number = settings.number;
    this.uri = settings.address.toString();
    this.#registration = new PhoneRegistration(settings, () => this.#current());
    this.#callContext = {
      clock: settings.clock,
      onChange: (callId, state, end) => {
        if (state === 'ringing') settings.tell({ event: 'call-ringing', callId });
        if (state === 'answered') settings.tell({ event: 'call-answered', callId });
        if (end !== undefined) settings.tell({ event: 'call-ended', callId, status: end.status });
      },
    };
  }

  /**
   * Makes a phone.
   * @param options - server, number and domain; everything else has a default
   * @returns the phone, connected, not yet registered
   * @throws {@link HopbackError} `invalid-argument` when an option cannot be, `network-failed` when the server cannot be reached
   * @example
   * ```ts
   * await using server = await DrachtioServer.open({ listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] });
   * const address = `ws://127.0.0.1:${server.listening[0]?.port}`;
   * await using phone = await Phone.open({ server: address, number: '12025550101', domain: 'a.example' });
   *
   * // No application is connected to the server that would take calls.
   * const { by, status } = await phone.call('12025550199').ended;
   * console.log(by, status); // remote 503
   * ```
   */
  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(phoneSettings(options));
    await phone.#connect();
    return phone;
  }

  isConnected(): boolean {
    return this.#userAgent?.isConnected() === true;
  }

  isRegistered(): boolean {
    return this.#registration.isRegistered();
  }

  /**
   * Makes the phone known to the registrar of its domain, and keeps it known until it unregisters or closes.
   * @throws {@link HopbackError} `unavailable` when the registrar refuses, with its answer as `details.status`; `network-failed` when it does
   * not answer or the connection breaks; `closed` when the phone is closed
   * @see RFC 3261 section 10.2
   */
  async register(): Promise<Registration> {
    this.#connection();
    return this.#registration.register();
  }

  /** Ends the registration; without one it does nothing. Throws what `register` throws. */
  async unregister(): Promise<void> {
    this.#connection();
    return this.#registration.unregister();
  }

  /**
   * Calls a number of the phone's domain, or a SIP URI. The call reports its outcome.
   * @throws {@link HopbackError} `invalid-argument` when the target is neither or a setting makes no sense, `closed` when the phone is closed,
   * `network-failed` when its connection broke
   */
  call(target: string, options: CallOptions = {}): PhoneCall {
    const order = callOrder(target, options, this.#settings);
    const held = placeCall(this.#connection(), order, this.#callContext);
    this.#hold(held);
    return held.call;
  }

  /**
   * Reads the calls that came in, from the first that nobody has read yet; what the policy does with them it does all the same. The
   * newest 1,000 are kept for readers. Ends when the phone closes.
   */
  incoming(): AsyncIterableIterator<IncomingCall> {
    return this.#inbox.items();
  }

  /** The calls that have not ended. */
  calls(): readonly PhoneCall[] {
    return [...this.#calls.keys()];
  }

  /**
   * Hangs up, unregisters, disconnects, and leaves neither socket nor timer. The other side has two seconds to answer. Never
   * rejects; a second call waits for the first.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#leave());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #connect(): Promise<void> {
    const { tell } = this.#settings;
    const userAgent = createUserAgent(this.#settings, {
      onInvite: (invitation) => this.#onInvite(invitation),
      onProgress: (callId) => this.#onProgress(callId),
      onLost: (cause) => this.#onLost(userAgent, cause),
      onMessageFault: (cause) => tell({ event: 'message-failed', cause }),
    });
    this.#connecting = userAgent;
    try {
      await userAgent.start();
    } catch (cause) {
      this.#connecting = undefined;
      ignore(userAgent.stop());
      throw new HopbackError('network-failed', 'the server cannot be reached', { retryable: true, cause });
    }
    this.#connecting = undefined;
    this.#userAgent = userAgent;
    tell({ event: 'connected' });
  }

  /** For those who use the phone. */
  #connection(): UserAgent {
    if (this.#closed !== undefined) throw closed();
    return this.#current();
  }

  /** Also while the phone closes. */
  #current(): UserAgent {
    if (this.#userAgent !== undefined) return this.#userAgent;
    throw this.#closed === undefined ? broken() : closed();
  }

  #hold(held: HeldCall): void {
    this.#calls.set(held.call, held);
    ignore(held.progress.ended.then(() => this.#calls.delete(held.call)));
  }

  #onInvite(invitation: Invitation): void {
    if (refusesExtension(invitation)) return;
    const held = takeCall(invitation, this.#callContext);
    const { call } = held;
    this.#hold(held);
    if (this.#closed !== undefined) {
      call.reject(480);
      return;
    }
    this.#inbox.put(call);
    followPolicy(this.#settings.policy, held).catch((cause: unknown) => {
      call.reject(500);
      this.#settings.tell({ event: 'policy-failed', callId: call.id, cause });
    });
  }

  #onProgress(callId: string): void {
    for (const { call, progress } of this.#calls.values()) {
      if (call.direction === 'outgoing' && call.id === callId) progress.ring();
    }
  }

  #onLost(userAgent: UserAgent, cause: Error): void {
    if (this.#userAgent !== userAgent) return;
    this.#settings.tell({ event: 'connection-lost', cause });
    const wasRegistered = this.#registration.lost(broken(cause));
    this.#dropConnection();
    if (this.#closed === undefined) this.#reconnectLater(wasRegistered);
  }

  #reconnectLater(isToRegister: boolean): void {
    const { reconnectMs, clock } = this.#settings;
    if (reconnectMs === undefined) return;
    const reconnect = async (): Promise<void> => {
      try {
        await this.#connect();
      } catch {
        if (this.#closed === undefined) this.#reconnectLater(isToRegister);
        return;
      }
      if (isToRegister) await this.#registration.register().catch(() => undefined);
    };
    this.#cancelReconnection = clock.schedule(() => void reconnect(), reconnectMs);
  }

  /** Gives up all calls, and lets sip.js forget what it still waits for. */
  #dropConnection(): void {
    const userAgent = this.#userAgent;
    this.#userAgent = undefined;
    for (const held of this.#calls.values()) held.drop(LOST);
    if (userAgent !== undefined) ignore(userAgent.stop());
  }

  async #disconnect(): Promise<void> {
    const transport = this.#userAgent?.transport;
    this.#dropConnection();
    await transport?.disconnect();
  }

  async #leave(): Promise<void> {
    this.#cancelReconnection?.();
    await this.#connecting?.transport.disconnect();
    if (this.isConnected()) {
      const goodbyes = [...this.calls().map((call) => call.hangUp()), this.#registration.unregister()];
      await valueWithin(Promise.allSettled(goodbyes), { timeoutMs: GOODBYE_MS, late: undefined });
    }
    this.#registration.lost(closed());
    await this.#disconnect();
    this.#inbox.end();
    this.#settings.tell({ event: 'closed' });
  }
}

const closed = (): HopbackError => new HopbackError('closed', 'the phone is closed');

const broken = (cause?: Error): HopbackError =>
  new HopbackError('network-failed', 'the connection of the phone broke', { retryable: true, cause });

function callOrder(target: string, options: CallOptions, { domain }: PhoneSettings): CallOrder {
  const { headers, timeoutMs, hangUpAfterMs, callingNumber } = options;
  return {
    target: targetUri(target, domain),
    headers: headerLines(headers),
    ...(callingNumber === undefined
      ? undefined
      : { from: targetUri(phoneNumber(callingNumber, 'callingNumber'), domain) }),
    ...(timeoutMs === undefined ? undefined : { timeoutMs: duration(timeoutMs, 'timeoutMs') }),
    ...(hangUpAfterMs === undefined ? undefined : { hangUpAfterMs: duration(hangUpAfterMs, 'hangUpAfterMs') }),
  };
}

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

/** Settings of {@link BlockingSubscriber}: those of a phone, but for what happens to calls. */
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

/** Reports that are kept for readers: of a busy day, for each of ten thousand subscribers in one process. */
const REPORT_LIMIT = 1_000;

/**
 * A subscriber with a call-blocking app: a phone that lets ring what its rule allows, rejects the rest with 607 Unwanted, and
 * reports that. Peers never make it throw.
 * @see RFC 8197, RFC 8688
 */
export class BlockingSubscriber implements AsyncDisposable {
  /** The phone that the app guards: it registers and calls as any other. */
  readonly phone: Phone;
  readonly #inbox: Inbox<AppReport>;

  private constructor(phone: Phone, inbox: Inbox<AppReport>) {
    this.phone = phone;
    this.#inbox = inbox;
  }

  /**
   * Makes a subscriber.
   * @param options - of the phone, and the rule
   * @returns the subscriber, connected, not yet registered
   * @throws {@link HopbackError} as {@link Phone.open}; `invalid-argument` also for another blocking status than 603, 607 and 608
   * @example
   * ```ts
   * const reports: AppReport[] = [];
   * await using server = await DrachtioServer.open({ listen: [{ transport: 'ws', host: '127.0.0.1', port: 0 }] });
   * await using subscriber = await BlockingSubscriber.open({
   *   server: `ws://127.0.0.1:${server.listening[0]?.port}`,
   *   number: '12025550199',
   *   domain: 'b.example',
   *   rule: { blockedPrefixes: ['1900'], blockAnonymous: true, knownContacts: ['+1 202 555 0142'] },
   *   onReport: (report) => reports.push(report),
   * });
   * console.log(subscriber.phone.isConnected(), reports.length); // true 0
   * ```
   */
  static async open(options: BlockingSubscriberOptions): Promise<BlockingSubscriber> {
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
    const inbox = new Inbox<AppReport>(REPORT_LIMIT);

    const report = (call: IncomingCall, atMs: number, blockReason: BlockReason): void => {
      const { callId, identityHeaders, callingNumber, verstat } = call.invite;
      const said = typeof transcript === 'function' ? transcript(call) : transcript;
      const made: AppReport = {
        atMs,
        calledNumber: phoneOptions.number,
        callId,
        identityHeaders,
        blockReason,
        status: blockingStatus,
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
    return new BlockingSubscriber(await Phone.open({ ...phoneOptions, onIncoming: screen }), inbox);
  }

  /** Reads the reports, from the first that nobody has read yet; the newest 1,000 are kept. Ends when the phone closes. */
  reports(): AsyncIterableIterator<AppReport> {
    return this.#inbox.items();
  }

  /** Closes the phone. Never rejects. */
  async close(): Promise<void> {
    await this.phone.close();
    this.#inbox.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const BLOCKING_STATUSES: ReadonlySet<number> = new Set<BlockingStatus>([603, 607, 608]);
