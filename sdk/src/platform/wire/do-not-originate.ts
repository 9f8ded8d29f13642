import type { CanonicalTn } from '../../core/terms.js';

/** Why no call can rightly come from a number. @see 47 CFR 64.1200(k)(1), (o) */
export type DoNotOriginateReason =
  /** Its subscriber only takes calls, and asked for it. */
  | 'subscriber-request'
  /** Not a number of the North American Numbering Plan. */
  | 'invalid'
  /** Of a block that no provider has. */
  | 'unallocated'
  /** A provider has it and no subscriber. */
  | 'unused';

/** Numbers from which no call is to be let through. */
export interface DoNotOriginateEntry {
  readonly entryId: string;
  /** A whole number, or the digits that a block of numbers begins with. */
  readonly numbers: { readonly tn: CanonicalTn } | { readonly prefix: string };
  readonly reason: DoNotOriginateReason;
  /** Whom the number belongs to, where that is public. */
  readonly subscriber?: string;
  /** From when it holds, RFC 3339 in UTC. */
  readonly validFrom: string;
  /** From when it holds no longer; an entry that was taken back stays in the list with this for 30 days. */
  readonly validTo?: string;
  /** When the entry was last changed: what `changedSince` is held against. */
  readonly updatedAt: string;
}
