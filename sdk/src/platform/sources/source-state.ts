import { backoffBoundMs } from '../../core/backoff.js';
import type { Backoff } from '../../core/backoff.js';
import type { Clock } from '../../core/runtime/clock.js';
import { isHopbackError } from '../../errors.js';
import type { HopbackErrorCode } from '../../errors.js';
import type { PlatformLogger } from '../client/request-options.js';
import type { ArrivalWay } from '../traceback-request-source.js';

/**
 * Whether a source hears the platform.
 * - `hearing`: it was answered the last time.
 * - `unavailable`: it was not, which passes by itself.
 * - `refused`: credential, address or form of the answers are wrong, which a person has to look at. It goes on asking all the same.
 */
export interface RequestSourceState {
  readonly via: ArrivalWay;
  readonly status: 'hearing' | 'unavailable' | 'refused';
  /** Since when, milliseconds since the epoch. */
  readonly atMs: number;
  /** Of the failure, where there is one. */
  readonly code?: HopbackErrorCode;
  /** Of the answer that said no, where there is one. */
  readonly httpStatus?: number;
  /** When the platform is asked once more, milliseconds since the epoch. */
  readonly nextAttemptAtMs?: number;
}

/** What every source of requests can be given beside its client. */
export interface SourceReporting {
  /** Told when a source begins to hear the platform, and when it hears it no longer or for another reason. May not throw. Default nobody. */
  readonly onState?: (state: RequestSourceState) => void;
  readonly logger?: PlatformLogger;
}

/** Tells whoever wants to know, of changes alone. */
export interface StateReport {
  readonly heard: () => void;
  /** @param waitMs - how long until the next attempt */
  readonly failed: (error: unknown, waitMs: number) => void;
}

/** Ten minutes at most: who mends a credential at night is heard of before the office opens. */
const STANDSTILL: Backoff = { baseMs: 10_000, capMs: 600_000 };

/** Half of a wait is chance, so that carriers that were refused together do not come back together. */
export function standstillMs(failures: number, random: () => number): number {
  return Math.ceil((backoffBoundMs(failures, STANDSTILL) * (1 + random())) / 2);
}

/** Whether it passes without anybody doing something. */
export function isPassing(error: unknown): boolean {
  return isHopbackError(error) && (error.retryable || error.code === 'aborted');
}

/** How long the platform asks to be left alone, milliseconds. */
export function askedWaitMs(error: unknown): number {
  const asked = isHopbackError(error) ? Number(error.details['retryAfterMs'] ?? 0) : 0;
  return Number.isFinite(asked) ? asked : 0;
}

/** The code of an error, for logs. */
export function codeOf(error: unknown): HopbackErrorCode {
  return isHopbackError(error) ? error.code : 'internal';
}

/** The status of the answer that an error is about; undefined where there was none. */
export function httpStatusOf(error: unknown): number | undefined {
  const status = isHopbackError(error) ? error.details['httpStatus'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** Makes the report of one source. */
export function createStateReport(
  via: ArrivalWay,
  clock: Clock,
  { onState, logger }: { readonly [Name in keyof SourceReporting]: SourceReporting[Name] | undefined },
): StateReport {
  let last: string | undefined;
  const tell = (state: RequestSourceState): void => {
    const { status, code, httpStatus } = state;
    const name = [status, code, httpStatus].join(' ');
    if (name === last) return;
    const isNews = status !== 'hearing' || last !== undefined;
    last = name;
    if (isNews)
      logger?.warn({ ...state }, status === 'hearing' ? 'the platform answers again' : 'the platform is not heard');
    try {
      onState?.(state);
    } catch {
      logger?.warn({ via }, 'whoever is told of the state of a source has thrown');
    }
  };
  return {
    heard: () => tell({ via, status: 'hearing', atMs: clock.nowMs() }),
    failed: (error, waitMs) => {
      const [atMs, httpStatus] = [clock.nowMs(), httpStatusOf(error)];
      tell({
        ...{ via, status: isPassing(error) ? 'unavailable' : 'refused', atMs, code: codeOf(error) },
        ...(httpStatus === undefined ? {} : { httpStatus }),
        nextAttemptAtMs: atMs + waitMs,
      });
    },
  };
}
