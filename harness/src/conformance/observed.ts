import type { Verstat } from '@hopback/sdk/stir';

/** A Reason header field of protocol STIR. @see RFC 9410 section 4 */
export interface ReasonSeen {
  readonly cause: number;
  readonly text?: string;
  readonly ppi?: string;
}

/** What a service answered, whatever interface it has. */
export type Observed =
  | {
      readonly kind: 'verified';
      readonly isPassed: boolean;
      /** Absent where the interface does not show it. */
      readonly verstat?: Verstat;
      /** Response codes that were told. */
      readonly codes: readonly number[];
      readonly attestation?: string;
      readonly reasons: readonly ReasonSeen[];
      /** A SIP response that ended the call, and has no place for a verstat. */
      readonly isFinalResponse?: true;
      /** The answer in a few words, for reports. */
      readonly said: string;
    }
  | {
      readonly kind: 'signed';
      /** Identity header values. */
      readonly identity: readonly string[];
      readonly said: string;
    }
  | {
      readonly kind: 'not-signed';
      /** HTTP or SIP status. */
      readonly status: number;
      readonly said: string;
    }
  /** It spoke, and not as its interface has it. */
  | { readonly kind: 'not-understood'; readonly said: string }
  /** Nobody there, or not in time. */
  | { readonly kind: 'no-answer'; readonly why: 'refused' | 'timeout' | 'cut'; readonly said: string };

/** The three values of verstat, without what vendors append to them. */
const VERSTATS: readonly Verstat[] = ['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation'];

/**
 * Reads a verstat value: some vendors append the attestation, `TN-Validation-Passed-A`.
 * @param text - as it was answered
 * @returns value and attestation; undefined for what is no verstat
 * @see 3GPP TS 24.229 section 7.2A.20
 */
export function readVerstat(text: unknown): { readonly verstat: Verstat; readonly attestation?: string } | undefined {
  if (typeof text !== 'string') return undefined;
  const [, attestation] = /-([ABC])$/.exec(text) ?? [];
  const bare = attestation === undefined ? text : text.slice(0, -2);
  const verstat = VERSTATS.find((one) => one === bare);
  if (verstat === undefined) return undefined;
  return attestation === undefined ? { verstat } : { verstat, attestation };
}
