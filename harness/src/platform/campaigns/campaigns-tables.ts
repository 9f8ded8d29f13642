import type { Buffer } from 'node:buffer';
import type { CampaignProvider } from '@hopback/sdk/platform';
import type { ColumnType } from 'kysely';
import type { EpochMs, JsonColumn } from '../core/index.js';
import type { SavedCampaign } from '../domain/campaigns/index.js';

/** A key of a campaign as it is stored: numbers by their references among what is sealed. */
export type StoredKey =
  | { readonly kind: 'group'; readonly group: string; readonly way: string }
  | { readonly kind: 'calling-number' | 'call-back-number'; readonly reference: string }
  | { readonly kind: 'recording'; readonly recording: string }
  | { readonly kind: 'script'; readonly transcript: string; readonly language?: string };

/** What tracebacks have found out about a campaign. */
export interface StoredFindings {
  readonly tracebackIds: readonly string[];
  readonly providers: readonly CampaignProvider[];
}

/** Tables of the area `campaigns`. */
export type CampaignsTables = {
  readonly campaigns_campaigns: {
    readonly campaign_id: string;
    /** `live`, `dormant`, `closed`. */
    readonly state: string;
    /** Whether analysts said that it is none: only staff sees it. */
    readonly is_lawful: boolean;
    readonly merged_into: string | null;
    readonly first_seen_ms: EpochMs;
    readonly last_seen_ms: EpochMs;
    readonly updated_ms: EpochMs;
    /** Tracebacks of it and what they found. */
    readonly findings: ColumnType<StoredFindings, string | undefined, string>;
    readonly saved: JsonColumn<SavedCampaign>;
    readonly keys: JsonColumn<readonly StoredKey[]>;
  };
  /** Records and reports of calls of campaigns, the latest of each. */
  readonly campaigns_calls: {
    readonly call_id: string;
    /** The call that it is evidence of; null in rows of versions that counted each row as a call, until they are joined. */
    readonly placed_call_id: string | null;
    /** Whether such a row cannot be joined, since its record or report is gone. */
    readonly is_unjoinable: ColumnType<boolean, boolean | undefined, boolean>;
    readonly campaign_id: string;
    readonly at_ms: EpochMs;
    readonly reporter_id: string;
    readonly record_id: string | null;
    readonly report_id: string | null;
    readonly called_npa_nxx: string | null;
    readonly signer: string | null;
    readonly attestation: string | null;
    readonly duration_ms: number | null;
  };
  /** What analysts decided, and why; never changed. */
  readonly campaigns_decisions: {
    readonly decision_id: string;
    readonly campaign_id: string;
    readonly at_ms: EpochMs;
    readonly kind: string;
    readonly actor: string;
    readonly organization_id: string;
    readonly reason: string;
  };
  /** The snapshot of the detector that holds: one row, named `detector`, or none. */
  readonly campaigns_snapshots: {
    readonly name: string;
    /** Which of the two tables its parts are in. */
    readonly slot: 'a' | 'b';
    readonly version: string;
    readonly sequence: number;
    readonly at_ms: EpochMs;
    readonly parts: number;
    readonly size_bytes: number;
    readonly key_reference: string;
  };
  /** Parts of snapshots, compressed and encrypted. */
  readonly campaigns_snapshot_a: { readonly part: number; readonly octets: Buffer };
  readonly campaigns_snapshot_b: { readonly part: number; readonly octets: Buffer };
  /** Tracebacks that were opened by the platform for campaigns. */
  readonly campaigns_tracebacks: {
    readonly call_id: string;
    readonly campaign_id: string;
    readonly traceback_id: string;
    readonly opened_ms: EpochMs;
  };
};
