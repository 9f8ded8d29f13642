import type { HopSide } from '../contract/call-record.js';
import type { ContactDetails, ProviderReference } from '../contract/common.js';

/** Who is at the other end of a trunk. */
export type TrunkParty =
  /** A provider that a registry lists. */
  | { readonly kind: 'provider'; readonly provider: ProviderReference }
  /** A provider that no registry lists. */
  | { readonly kind: 'unlisted-provider'; readonly contact: ContactDetails }
  /** A provider outside the United States: whoever takes its calls is their point of entry. */
  | { readonly kind: 'foreign-provider'; readonly contact: ContactDetails }
  /** A customer whose calls begin here, or end here. */
  | { readonly kind: 'customer'; readonly customerId?: string };

/**
 * Who was at the other end of which trunk, and when: a trunk changes hands, and a call of last year was sent by whoever had it then.
 */
export interface TrunkDirectory {
  /**
   * Never throws.
   * @param side - of a record: its trunk, its address, and the provider that the switch wrote down
   * @param atUs - when the call came, microseconds since the epoch
   * @returns undefined where the directory does not know, or entries contradict each other
   */
  readonly partyOf: (side: HopSide, atUs: number) => TrunkParty | undefined;
  /** Whether two references mean the same provider, other names and affiliates that the directory knows of included. Never throws. */
  readonly isSame: (one: ProviderReference, other: ProviderReference) => boolean;
  /**
   * Whether it knows whom a reference means. Of somebody whom it does not know, nobody can say that a call was not sent to them: they may
   * go by another name. Never throws.
   */
  readonly knows: (reference: ProviderReference) => boolean;
}
