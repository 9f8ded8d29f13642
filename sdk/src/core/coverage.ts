/** A stretch of time for which a store holds everything that a source wrote. "Not found" may only be said inside it. */
export interface CoverageInterval {
  /** Name of the source, as in `CallRecord.source.id`. */
  readonly sourceId: string;
  /** First and last instant, microseconds since the epoch, both included. */
  readonly fromUs: number;
  readonly toUs: number;
}
