import type { HopSide } from '../../core/call-record.js';
import type { TrunkDirectory, TrunkParty } from '../trunk-directory.js';

/** By what an entry of the directory was found. */
export type TrunkKey = 'trunk' | 'address' | 'switch-provider';

/** Why the directory does not say who was at the other end. */
export type UnknownTrunk =
  /** The record names neither trunk, address nor provider of that side. */
  | 'nothing-recorded'
  /** Nothing that is recorded is in the directory, or its trunk is there with an address or provider of which the record says nothing. */
  | 'not-listed'
  /** It is listed, but not for that time. */
  | 'not-listed-then'
  /** The call came within the margin of a change of hands, or of where a period begins or ends that no other of the same party adjoins. */
  | 'changing-hands'
  /** Entries that hold name different parties, or what is recorded is not as the entries of its trunk, address or provider say. */
  | 'contradiction';

/** What the directory says of one side of a call. */
export type TrunkLookUp =
  | {
      readonly status: 'known';
      readonly party: TrunkParty;
      /** By what it was found, strongest first. */
      readonly by: readonly TrunkKey[];
    }
  | { readonly status: 'unknown'; readonly reason: UnknownTrunk };

/** A directory that says why. */
export interface ExplainingTrunkDirectory extends TrunkDirectory {
  /** Of its data. */
  readonly directoryId: string;
  /**
   * As `partyOf`, with the reason. Never throws.
   * @param side - of a record
   * @param atUs - when the call came, microseconds since the epoch
   */
  readonly lookUp: (side: HopSide, atUs: number) => TrunkLookUp;
}
