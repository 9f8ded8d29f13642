import type { FindingArm } from '../../core/traceback-request.js';
import type { HopState } from './hop-machine.js';
import { ARM_MEANINGS } from './statement.js';
import type { TracedHop } from './traced-hop.js';
import type { HopRole, OutcomeKind } from './traceback-outcome.js';

/** A hop, whose role follows from the rest. */
type HopStanding = Omit<TracedHop, 'role'>;

/** Whether an answer is still to come. */
export function isOpen(hop: HopStanding): boolean {
  return OPEN.includes(hop.state);
}

const OPEN: readonly HopState[] = ['planned', 'asked', 'acknowledged', 'overdue'];

/** Whether the provider says that the call was none of its own, although somebody named it or it shared a record of the call itself. */
export function denies(hop: HopStanding): boolean {
  return hop.basedOn !== undefined && hop.current !== undefined && ARM_MEANINGS[hop.current.arm].denies;
}

/** Whether the provider answered about another call than it was asked about. */
export function answersOtherCall(hop: HopStanding): boolean {
  return hop.current?.otherCall !== undefined;
}

/** Whether the provider has said where the call came from, or nobody can expect that it will in time. */
export function isSilent(hop: HopStanding): boolean {
  if (hop.contradictsItself || answersOtherCall(hop)) return true;
  if (hop.current !== undefined) return ARM_MEANINGS[hop.current.arm].silent;
  return SILENT.includes(hop.state) && hop.notAskable !== 'foreign';
}

const SILENT: readonly HopState[] = ['overdue', 'non-responsive', 'not-askable'];

const ARM_OUTCOMES: Readonly<Record<FindingArm, OutcomeKind | 'transit'>> = {
  'received-from': 'transit',
  'received-from-unlisted': 'transit',
  'number-served-by': 'transit',
  origin: 'origin',
  'point-of-entry': 'point-of-entry',
  'serves-number': 'serves-number',
  'not-found': 'no-record',
  'not-our-number': 'number-not-ours',
  'not-sent-to-downstream': 'disputed',
  'not-retained': 'not-retained',
  ambiguous: 'ambiguous',
  refused: 'refused',
};

/** What a provider turned out to be by what it said, or did not say. */
export function roleOf(hop: HopStanding): HopRole {
  if (hop.contradictsItself) return 'ambiguous';
  if (denies(hop) || answersOtherCall(hop)) return 'disputed';
  if (hop.current !== undefined) return ARM_OUTCOMES[hop.current.arm];
  if (hop.state === 'withdrawn') return 'withdrawn';
  if (hop.state === 'non-responsive') return 'non-responsive';
  if (hop.state === 'not-askable') return isForeignEntry(hop) ? 'foreign-provider' : 'not-askable';
  return hop.state === 'planned' && hop.provider === undefined ? 'unlisted-provider' : 'open';
}

/**
 * Whether a provider outside the United States was named by whom it sent the call to, who says thereby that the call entered the country at it. What a
 * foreign provider reports itself says that of another, who has not said it.
 */
export function isForeignEntry({ notAskable, namedBy }: HopStanding): boolean {
  return notAskable === 'foreign' && namedBy !== 'neighbour';
}
