import type { EpochMs, JsonColumn } from '../core/index.js';

/** Tables of the area `records`. No telephone number is in them: pseudonyms, masked text, and references to what is sealed. */
export type RecordsTables = {
  /** Reports of applications. */
  readonly records_reports: {
    readonly app_id: string;
    readonly report_id: string;
    /** What it is called in audit and holds: ids of applications may hold anything. */
    readonly report_key: string;
    readonly received_at_ms: EpochMs;
    readonly called_at_ms: EpochMs;
    /** Keyed hash of the report: another one under the same id is a conflict. */
    readonly content_key: string;
    readonly called_pseudonym: string;
    readonly calling_pseudonym: string | null;
    /** The report with pseudonyms in the place of numbers, those that were said among them. */
    readonly masked: JsonColumn<unknown>;
    /** References of the pieces of the report as it came, without its fingerprint. */
    readonly sealed: JsonColumn<readonly string[]>;
  };
  /** Reports that somebody who listens has not settled yet. */
  readonly records_untold: {
    readonly listener: string;
    readonly app_id: string;
    readonly report_id: string;
  };
  /** Complaints of consumers. */
  readonly records_complaints: {
    /** Keyed hash of source, content and how many the same stood before it in its file. */
    readonly complaint_id: string;
    readonly import_id: string;
    readonly source: string;
    readonly received_at_ms: EpochMs;
    readonly at_ms: EpochMs;
    readonly calling_pseudonym: string | null;
    readonly masked: JsonColumn<unknown>;
    readonly sealed: JsonColumn<readonly string[]>;
  };
  /** Numbers from which no call can rightly come. */
  readonly records_do_not_originate: {
    readonly entry_id: string;
    readonly updated_at_ms: EpochMs;
    readonly content_key: string;
    /** References of the pieces of the entry. */
    readonly sealed: JsonColumn<readonly string[]>;
  };
  /** Orders to keep live data. */
  readonly records_holds: {
    readonly hold_id: string;
    readonly reason: string;
    readonly placed_by: string;
    readonly placed_at_ms: EpochMs;
    readonly from_ms: EpochMs;
    readonly to_ms: EpochMs;
    readonly until_ms: number | null;
    readonly released_at_ms: number | null;
  };
};
