import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { CertificateSource } from './certificate-source.js';
import { MACHINE_CLOCK, scheduleInBackground, timeOf } from '../../core/runtime/clock.js';
import { attempt, tell } from '../../core/runtime/deadline.js';

/**
 * Days before the end of a certificate at which its owner is told: a month to order the next one, then closer and closer.
 */
export const CERTIFICATE_ALARM_DAYS: readonly number[] = [30, 14, 7, 3, 1];

/** Tells which expiry threshold a certificate has reached. @see RFC 5280 section 4.1.2.5 */
export function certificateAlarms({
  notAfterMs,
  nowMs,
  days = CERTIFICATE_ALARM_DAYS,
}: {
  readonly notAfterMs: number;
  readonly nowMs: number;
  readonly days?: readonly number[];
}) {
  const msLeft = notAfterMs - nowMs;
  if (msLeft < 0) return { level: 'expired', msLeft } as const;
  const reached = days.filter((threshold) => msLeft <= threshold * DAY_MS);
  return reached.length === 0
    ? ({ level: 'none', msLeft } as const)
    : ({ level: 'expiring', days: Math.min(...reached), msLeft } as const);
}

/** News for the owner of a certificate. */
export interface CertificateAlarm {
  /** Whether it is still valid. */
  readonly level: 'expiring' | 'expired';
  /** The threshold reached, days; 0 when expired. */
  readonly days: number;
  /** Time until expiry, milliseconds; negative after it. */
  readonly msLeft: number;
  /** Last instant of validity, milliseconds since the epoch. */
  readonly notAfterMs: number;
  /** SHA-256 of its DER, lower-case hex. */
  readonly certificateSha256: string;
  /** Which certificate of the chain it is: 0 is the provider's own. */
  readonly chainIndex: number;
  /** Its subject, for people. */
  readonly subject: string;
  /** Where the chain is published. */
  readonly x5u: string;
}

/** Settings of {@link CertificateWatch}. */
export interface CertificateWatchOptions {
  /** Whose certificates are watched; where it has `subscribe`, a new one is looked at at once. */
  readonly source: CertificateSource;
  /** Says how much time is left. Default: the machine's. */
  readonly clock?: Clock;
  /** Called once for each threshold of each certificate, while time or the source moves. What it throws is dropped. */
  readonly onAlarm: (alarm: CertificateAlarm) => void;
  /** Runs a callback once after a delay in milliseconds; the returned function cancels it. Default: timers that do not keep the process alive. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
  /** Thresholds in days, each more than 0, in any order. Default `CERTIFICATE_ALARM_DAYS`. */
  readonly days?: readonly number[];
}

/**
 * Watches all certificates of a source, end entity and those above it, and reports each expiry threshold once. Who starts with
 * five days left hears of seven days, not of thirty, fourteen and seven. Another certificate starts anew; a source that has none for a
 * while, or fails, does not.
 * @see RFC 5280 section 4.1.2.5, ATIS-1000080
 * @example
 * ```ts
 * const clock = new ManualClock();
 * const pki = new TestPki();
 * const { chainPem } = pki.issueServiceProvider({ spc: '1234', notAfterMs: clock.nowMs() + 5 * 86_400_000 });
 * const source = createStaticCertificateSource({ chainPem, x5u: 'https://certificates.example.com/1234.pem' });
 * const onAlarm = ({ level, days }: CertificateAlarm) => console.log(level, days); // expiring 7
 * const watch = new CertificateWatch({ source, clock, onAlarm, schedule: clock.schedule });
 * watch.close();
 * ```
 */
export class CertificateWatch implements Disposable {
  readonly #options: Required<CertificateWatchOptions>;
  /** By certificate: the closest threshold that was reported, days. */
  #reported = new Map<string, number>();
  #cancel: () => void = () => undefined;
  readonly #unsubscribe: (() => void) | undefined;
  #isClosed = false;

  /**
   * Starts to watch, and looks at once.
   * @param options - what to watch, by which clock and timers, and whom to tell
   * @throws {@link HopbackError} `invalid-argument` when a threshold is not a positive number of days
   */
  constructor(options: CertificateWatchOptions) {
    const days = options.days ?? CERTIFICATE_ALARM_DAYS;
    const wrong = days.find((threshold) => !(Number.isFinite(threshold) && threshold > 0));
    if (wrong !== undefined)
      throw new HopbackError(
        'invalid-argument',
        `A threshold must be a positive number of days, not ${String(wrong)}.`,
      );
    const { clock = MACHINE_CLOCK, schedule = scheduleInBackground } = options;
    this.#options = { ...options, clock, schedule, days };
    this.#unsubscribe = options.source.subscribe?.(() => this.check());
    this.check();
  }

  /** Looks now, beside the times it looks of itself. Never throws for what source, clock and `onAlarm` do. */
  check(): void {
    if (this.#isClosed) return;
    this.#cancel();
    // First of all: whatever goes wrong below, it is looked at again.
    this.#cancel = this.#options.schedule(() => this.check(), CHECK_EVERY_MS);
    const alarms = dueAlarms(this.#options);
    // Without certificate or time nothing is known: an alarm that was given stays given.
    if (alarms === undefined) return;
    const before = this.#reported;
    const reachedBefore = ({ certificateSha256 }: CertificateAlarm): number =>
      before.get(certificateSha256) ?? Infinity;
    // Only what is in force is remembered, so that the memory stays as small as one chain.
    this.#reported = new Map(
      alarms.map((alarm) => [alarm.certificateSha256, Math.min(alarm.days, reachedBefore(alarm))]),
    );
    for (const alarm of alarms) {
      if (alarm.days < reachedBefore(alarm)) tell(this.#options.onAlarm, alarm);
    }
  }

  /** Stops watching; no timer is left. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#unsubscribe?.();
  }

  /** As `close`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

const DAY_MS = 86_400_000;

/** Thresholds are days, so that an hour is exact enough; and a clock that jumps is noticed soon. */
const CHECK_EVERY_MS = 3_600_000;

/** What is due now; undefined where there is no certificate or no time, or the source failed. */
function dueAlarms({
  source,
  clock,
  days,
}: Required<CertificateWatchOptions>): readonly CertificateAlarm[] | undefined {
  // A source that throws would do so out of a timer, where nobody catches it.
  const signingCertificate = attempt(() => source.current());
  const nowMs = timeOf(clock);
  if (signingCertificate === undefined || nowMs === undefined) return undefined;
  return signingCertificate.chain.flatMap((certificate, chainIndex) => {
    const { notAfterMs, sha256, subject } = certificate;
    const state = certificateAlarms({ notAfterMs, nowMs, days });
    if (state.level === 'none') return [];
    const { x5u } = signingCertificate;
    return [
      {
        days: 0,
        ...state,
        notAfterMs,
        certificateSha256: sha256,
        chainIndex,
        subject: subject.text,
        x5u,
      },
    ];
  });
}
