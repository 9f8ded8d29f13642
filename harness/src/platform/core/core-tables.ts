import type { ColumnType, Generated } from 'kysely';

/** Milliseconds since the epoch in a column of type `bigint`. */
export type EpochMs = ColumnType<number, number, number>;

/** JSON in a column of type `jsonb`: written as text, read as a value. */
export type JsonColumn<Value> = ColumnType<Value, string, string>;

/** Tables that every area writes to through `PlatformContext`, and nobody else. */
export interface CoreTables {
  /** What happened, to be told to areas, webhooks and streams: written in the transaction in which it happened. */
  readonly core_events: {
    /** In the order of commit as far as one organization can tell. */
    readonly position: Generated<number>;
    /** Of the event on the wire; unique. */
    readonly event_id: string;
    readonly at_ms: EpochMs;
    readonly type: string;
    readonly subject: string;
    readonly data: JsonColumn<unknown>;
    /** Ids of organizations that are told; empty for what only areas hear. */
    readonly audience: JsonColumn<readonly string[]>;
  };
  /** What was done by whom: written in the transaction in which it was done, and from there to the Merkle log in this order. */
  readonly core_audit: {
    readonly position: Generated<number>;
    readonly at_ms: EpochMs;
    /** `demand.decided` */
    readonly action: string;
    readonly organization_id: string;
    /** Who, by client id; `platform` for what it does by itself. */
    readonly actor: string;
    /** What it was done to: `demand:d-1`. */
    readonly object: string;
    /** No telephone number is ever in it. */
    readonly details: JsonColumn<unknown>;
    /** Leaf of the Merkle log; null until it is there. */
    readonly leaf_index: number | null;
  };
  /** The only place of the database where telephone numbers and names of subscribers are: encrypted, each under a reference. */
  readonly core_sealed: {
    readonly reference: string;
    readonly key_id: string;
    readonly nonce: string;
    readonly ciphertext: string;
    readonly at_ms: EpochMs;
    /** What it belongs to, so that retention takes it away with it: `traceback:t-1`. */
    readonly belongs_to: string;
  };
}
