import type { CallRecord } from '../../core/call-record.js';
import type { SharedRecord } from '../../core/call-record.js';
import type { VerdictEvidence } from '../../core/call-record.js';
import { callRecordSchema as callRecord } from './call-record.schema.js';
import { sharedRecordSchema as sharedRecord } from './shared-record.schema.js';
import { verdictEvidenceSchema as verdictEvidence } from './verdict-evidence.schema.js';
import type { WireBodies, WireBodyName } from './wire-bodies.js';
import { wireBodySchemas } from './wire-bodies.schema.js';

/** Reads a body of the wire: `unknown` in, a value that is in its form and its bounds out. */
export interface WireSchema<Value> {
  /**
   * Never throws, whatever the value.
   * @returns the value without keys that are not known, or where it is in no such form
   */
  readonly safeParse: (value: unknown) => WireReading<Value>;
}

/** A value that was read, or what is wrong with it. */
export type WireReading<Value> =
  | { readonly success: true; readonly data: Value }
  | { readonly success: false; readonly error: { readonly issues: readonly WireIssue[] } };

/** One thing that is wrong. */
export interface WireIssue {
  /** The rule that is broken, as a word: `invalid_type`, `too_big`, `invalid_format` and others. */
  readonly code?: string | undefined;
  /** Names of members and places in lists, from the outside in. */
  readonly path: readonly PropertyKey[];
}

/**
 * One line of a batch, as a receiver reads it: a {@link SharedRecord}, every string and list bounded. Keys that are not known are left
 * out, so that a later release may send more.
 * @see {@link RECORD_BATCH_MEDIA_TYPE}; RFC 8259
 * @example
 * ```ts
 * const reading = sharedRecordSchema.safeParse({ format: 'hopback.call-record.1' });
 * if (!reading.success) console.log(reading.error.issues[0]?.path); // [ 'format' ]
 * ```
 */
export const sharedRecordSchema: WireSchema<SharedRecord> = sharedRecord;

/**
 * A whole {@link CallRecord}, as a carrier keeps it for itself, with its raw rows where it has them: what is imported, exported and
 * answered from, and never sent in a batch. Keys that are not known are left out.
 * @see RFC 8259
 * @example
 * ```ts
 * console.log(callRecordSchema.safeParse({ format: 'hopback.call-record.1' }).success); // false
 * ```
 */
export const callRecordSchema: WireSchema<CallRecord> = callRecord;

/**
 * What a verification service looked at and found: a {@link VerdictEvidence}, alone or within a record. Keys that are not known are left
 * out.
 * @see RFC 8259
 * @example
 * ```ts
 * const evidence = {
 *   format: 'hopback.verdict-evidence.1',
 *   checkedAtMs: 1_790_000_000_000,
 *   profile: 'shaken',
 *   freshnessSeconds: 60,
 *   verstat: 'No-TN-Validation',
 *   request: {},
 *   passports: [],
 * };
 * console.log(verdictEvidenceSchema.safeParse(evidence).success); // true
 * ```
 */
export const verdictEvidenceSchema: WireSchema<VerdictEvidence> = verdictEvidence;

/**
 * The schema of every body of the contract by its name, every string and list bounded. Keys that are not known are left out, so that a
 * later release may send more; a word that a closed vocabulary does not have is refused.
 * @see {@link WireBodies} for what each reads; docs/guides/platform-contract.md
 * @example
 * ```ts
 * const reading = WIRE_SCHEMAS.SignedReceipt.safeParse({ answerId: 'a-1', receipt: 'no JWS' });
 * console.log(reading.success || reading.error.issues[0]?.path); // [ 'receipt' ]
 * ```
 */
export const WIRE_SCHEMAS: { readonly [Name in WireBodyName]: WireSchema<WireBodies[Name]> } = wireBodySchemas;
