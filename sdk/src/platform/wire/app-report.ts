import type { PseudonymousNumber } from '../../core/call-record.js';
import type { CanonicalTn, Verstat } from '../../core/terms.js';

/** The subscriber's number as far as the application says it. */
export type ReportedNumber = { readonly shown: 'number'; readonly tn: CanonicalTn } | PseudonymousNumber;

/** Why an application blocked or flagged a call. */
export type AppBlockReason =
  /** What was heard or transcribed is that of a robocall. */
  | 'content'
  /** The caller's number is on a list of the application or of the subscriber. */
  | 'number-listed'
  /** On a do-not-originate list. */
  | 'do-not-originate'
  /** A number that nobody can have. */
  | 'invalid-number'
  /** The signature failed, or there is none. */
  | 'verification'
  /** How the number calls: many at once, one after the other. */
  | 'calling-pattern'
  /** Area code and exchange are the subscriber's own. */
  | 'neighbour-spoofing'
  /** The caller asked not to be named. */
  | 'anonymous'
  /** The subscriber said so. */
  | 'subscriber'
  | 'other';

/** What was heard, boiled down so that the same recording is found again while the recording itself stays where it is. */
export interface AudioFingerprint {
  /** Name and version of the method, `chromaprint-2`: fingerprints of one method are compared with each other only. */
  readonly algorithm: string;
  /** Base64 (RFC 4648 section 4). */
  readonly value: string;
  /** Milliseconds of audio that it was made of. */
  readonly durationMs: number;
}

/** One call that an application on a subscriber's telephone took for a robocall. */
export interface AppReport {
  readonly format: 'hopback.app-report.1';
  /** The application's own, so that the same report sent again is none more. */
  readonly reportId: string;
  readonly app: { readonly name: string; readonly version?: string };
  /** When the call came in by the telephone's clock, RFC 3339 in UTC. */
  readonly calledAt: string;
  readonly called: ReportedNumber;
  /** As the telephone showed it; absent where it showed none. */
  readonly calling?: CanonicalTn;
  /** Name that came with the call. */
  readonly callerName?: string;
  readonly verstat?: Verstat;
  /** Provider that serves the subscriber, as far as the application knows. */
  readonly servedBy?: string;
  readonly action: 'blocked' | 'flagged' | 'answered-by-app' | 'reported-after-call';
  readonly reason: AppBlockReason;
  readonly durationSeconds?: number;
  readonly transcript?: { readonly text: string; readonly language?: string };
  readonly audioFingerprint?: AudioFingerprint;
}

/** That a report is stored, this time or before. */
export interface AppReportReceipt {
  readonly reportId: string;
  /** RFC 3339 in UTC; of the first time where it came again. */
  readonly receivedAt: string;
  readonly isRepeat: boolean;
}
