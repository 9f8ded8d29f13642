import type { CallRecord, CoverageInterval } from '../contract/call-record.js';
import type { TimeWindow } from '../records/store/record-store.js';
import type { TrunkParty } from './directory/provider-identity.js';

/** One call that may be meant: all legs that belong together. */
export interface MatchCandidate {
  readonly callGroupId: string;
  /** By time. */
  readonly legs: readonly CallRecord[];
  /** By which the call came in: whose `ingress` answers the question. */
  readonly ingressLeg: CallRecord;
  /** By which it was sent on, where that is known. */
  readonly egressLeg?: CallRecord;
  /** Who sent it. Undefined where the directory does not know. */
  readonly upstream?: TrunkParty;
  /**
   * Whether the call was sent to the provider that named us: the strongest guard against naming the wrong upstream.
   * - `sent-to-downstream`: it was;
   * - `sent-elsewhere`: it was sent to somebody else; or to nobody, because it was refused here;
   * - `unknown-egress`: nobody knows whom the egress trunk of some leg belonged to, where a leg went, or whom the name of the provider that named us
   *   means;
   * - `delivered-here`: nobody named us: the asked provider is the first hop, and the call was delivered to its own customer, or refused here on
   *   its way there;
   * - `not-delivered-here`: nobody named us, and the call was not delivered here.
   */
  readonly downstream:
    'sent-to-downstream' | 'sent-elsewhere' | 'unknown-egress' | 'delivered-here' | 'not-delivered-here';
  /** 0 to 1. */
  readonly score: number;
  /** What speaks for or against it, each with both of what was compared. */
  readonly reasons: readonly {
    /** Which stated field: `called`, `calling`, `time`, `call-id`, `origid`, `record-id`, `attestation`, `spc`, `duration`, `downstream`. */
    readonly field: string;
    readonly verdict: 'equal' | 'compatible' | 'absent' | 'contradicts';
    /** What it adds to the score, or takes from it. */
    readonly weight: number;
    readonly stated?: string;
    readonly recorded?: string;
  }[];
  /** Of stated and recorded time, microseconds; positive where the record is later. 0 within what was stated. */
  readonly timeOffsetUs: number;
}

/** What a request finds in the records of a carrier. */
export type MatchOutcome =
  | ((
      | /** One call is consistent with everything that was stated, and no other is. */ {
          readonly status: 'unique';
          readonly candidate: MatchCandidate;
          /** Calls of the window that contradict what was stated, best first. */
          readonly others: readonly MatchCandidate[];
        }
        /** Several are, or one is only in part: best first. A person decides. */
      | {
          readonly status: 'several';
          readonly candidates: readonly MatchCandidate[];
          /** Why this is none that a machine decides. */
          readonly because: readonly string[];
          /**
           * One of the candidates: the only call that is consistent with everything that was stated, except that it was not sent to the
           * provider that named us. The answer may be "not sent to that downstream".
           */
          readonly disputed?: MatchCandidate;
          /** Whether everything of the searched time is at hand: where it is not, a person may not say "not found" either. */
          readonly isCovered?: boolean;
          /** How far retention went, where some records of the searched time have been removed; microseconds since the epoch. */
          readonly retainedFromUs?: number;
        }
      /** None, and everything of that time is at hand: neither a call to the number nor one that an identifier names. */
      | { readonly status: 'none-but-covered' }
      /** None, and all records of every time that may have been meant have been removed. */
      | { readonly status: 'not-retained'; readonly retainedFromUs: number }
      /** None, but records of that time are missing: "not found" may not be said. */
      | { readonly status: 'gap'; readonly gaps: readonly (TimeWindow & { readonly sourceId: string })[] }
    ) & {
      /** What was looked through. */
      readonly search: {
        readonly windows: readonly TimeWindow[];
        readonly keys: readonly string[];
        /** Coverage of the sources in those windows. */
        readonly coverage: readonly CoverageInterval[];
        readonly recordsConsidered: number;
      };
    })
  /** What was stated cannot be looked for: no number, no time, a time that does not exist. A person reads it. */
  | { readonly status: 'unreadable'; readonly because: readonly string[] };

export type MatchSearch = Exclude<MatchOutcome, { readonly status: 'unreadable' }>['search'];
