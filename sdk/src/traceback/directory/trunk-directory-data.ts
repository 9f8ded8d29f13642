import type { ProviderReference } from '../../core/traceback-request.js';
import type { TrunkParty } from '../trunk-directory.js';

/**
 * Who had a trunk, and from when to when. At least one of `trunk`, `address` and `switchProvider`; where several are given, all have to
 * fit. A trunk of which no entry fits is not looked for by anything else, and an address or provider of which none fits speaks against
 * whomever its entries do not name.
 */
export interface TrunkEntry {
  /** Name of the trunk, realm or peer, as the switch writes it, 1 to 256 characters. */
  readonly trunk?: string;
  /** Signalling address of the other end: `192.0.2.1`, `192.0.2.1:5060`, `192.0.2.0/24`, `2001:db8::/32`, `[2001:db8::1]:5060`. */
  readonly address?: string;
  /** What the switch writes down as the provider at the other end, 1 to 256 characters. */
  readonly switchProvider?: string;
  /** First instant at which it holds, microseconds since the epoch; absent where it always did. */
  readonly fromUs?: number;
  /** First instant at which it no longer holds; absent where it still does. */
  readonly untilUs?: number;
  readonly party: TrunkParty;
}

/** Every name and code under which one provider is known: what is not said here is never guessed. */
export interface KnownProvider {
  /** As answers name it. */
  readonly provider: ProviderReference;
  /** Other business names, `doing business as` and former names included; at most {@link MAX_PROVIDER_NAMES}. */
  readonly otherNames?: readonly string[];
  readonly otherOcns?: readonly string[];
  readonly otherSpcs?: readonly string[];
  readonly otherFrns?: readonly string[];
  /**
   * Providers that count as this one when it is asked whether a call was sent to whoever named us: those of one group, which name each
   * other at will. Never taken from ownership alone.
   */
  readonly affiliates?: readonly ProviderReference[];
}

/** A directory as data: who was at the other end of what, and under which names. */
export interface TrunkDirectoryData {
  /** Name and version, 1 to 128 characters: stands in the trace of each decision. */
  readonly directoryId: string;
  /** At most {@link MAX_TRUNK_ENTRIES}. */
  readonly entries: readonly TrunkEntry[];
  /** At most {@link MAX_KNOWN_PROVIDERS}. */
  readonly providers: readonly KnownProvider[];
  /**
   * How far from a change of hands nobody can say who had the trunk, seconds, 0 to 604,800: a cut-over is written down by the day or
   * hour, and happens at some minute. Where a period begins or ends and the same party has no other beside it, hands change too: who had
   * the trunk before or after is not listed. Default {@link HANDOVER_MARGIN_SECONDS}.
   */
  readonly handoverMarginSeconds?: number;
}

/** Trunks of a large carrier, each with those that had it in three years. */
export const MAX_TRUNK_ENTRIES = 100_000;
/** More than there are filers in the Robocall Mitigation Database. */
export const MAX_KNOWN_PROVIDERS = 20_000;
/** Names of one provider; the registry has some dozens for the largest. */
export const MAX_PROVIDER_NAMES = 64;
/** Cut-overs are planned by the hour. */
export const HANDOVER_MARGIN_SECONDS = 3_600;
