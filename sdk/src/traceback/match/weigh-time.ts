import type { CallRecord } from '../../core/call-record.js';
import type { TimeWindow } from '../../records/store/record-store.js';
import type { MatchReason } from '../match-outcome.js';
import type { MatchLimits } from './match-options.js';
import { MATCH_WEIGHTS, reasonOf } from './match-weights.js';
import type { StatedTimeReading } from './stated-time.js';

/** What the time of a call says. */
export interface TimeWeighed {
  readonly reason: MatchReason;
  /** From the nearest stated instant to the set-up of the call, microseconds; positive where the call is later, 0 where they meet. */
  readonly offsetUs: number;
}

/** A call rings no longer than this, microseconds: RFC 3261 section 13.3.1.1 has a proxy wait three minutes. */
const LONGEST_SET_UP_US = 180_000_000;

/** A time within the clock's allowance, and not within what was stated, counts this much less. */
const ALLOWANCE_WEIGHT = -5;
/** As far away as this a time counts as much against a call as it can. */
const FAR_US = 3_600_000_000;

/**
 * Weighs when a call was against when it was stated to have been. `equal`: it was being set up then, from the INVITE to the answer;
 * `compatible`: it was up then, or it was set up then only if a local time that comes twice is the other one; else it contradicts.
 * Never throws.
 */
export function weighTime(
  legs: readonly CallRecord[],
  time: Extract<StatedTimeReading, { status: 'read' }>,
  limits: MatchLimits,
): TimeWeighed {
  const spans = spansOf(legs, limits);
  const [own] = spans;
  const said = { stated: time.text, recorded: new Date(Math.floor((own?.beginUs ?? 0) / 1_000)).toISOString() };
  const offsetUs = spans
    .flatMap((span) => time.instants.map((instant) => offsetOf(instant, span.beginUs, span.setUpUs)))
    .reduce((least, offset) => (Math.abs(offset) < Math.abs(least) ? offset : least), Number.MAX_SAFE_INTEGER);
  const meets = (pick: (span: Span) => readonly [number, number]): boolean =>
    spans.some((span) =>
      time.instants.some((instant) => Math.abs(offsetOf(instant, ...pick(span))) <= limits.allowanceUs),
    );
  const isSetUpThen = meets(({ beginUs, setUpUs }) => [beginUs, setUpUs]);
  const isSure = spans.length === 1 && time.instants.length === 1;
  if (isSetUpThen && isSure) {
    const weight = MATCH_WEIGHTS.time.equal + (offsetUs === 0 ? 0 : ALLOWANCE_WEIGHT);
    return { reason: reasonOf('time', 'equal', { ...said, weight }), offsetUs };
  }
  if (isSetUpThen || meets(({ beginUs, endUs }) => [beginUs, endUs])) {
    return { reason: reasonOf('time', 'compatible', said), offsetUs };
  }
  const full = MATCH_WEIGHTS.time.contradicts;
  const weight = Math.round(full / 2 + (full / 2) * Math.min(1, Math.abs(offsetUs) / FAR_US));
  return { reason: reasonOf('time', 'contradicts', { ...said, weight }), offsetUs };
}

/** When a call was set up, and until when it was up. */
interface Span {
  readonly beginUs: number;
  readonly setUpUs: number;
  readonly endUs: number;
}

/** One, or two where the source wrote a local time that comes twice. */
function spansOf(legs: readonly CallRecord[], { lagUs }: MatchLimits): readonly Span[] {
  const beginUs = Math.min(...legs.map(({ inviteAtUs }) => inviteAtUs));
  const answers = legs.map(({ answeredAtUs }) => answeredAtUs).filter((us) => us !== undefined);
  const ends = legs.map(({ endedAtUs }) => endedAtUs).filter((us) => us !== undefined);
  const lastUs = ends.length === 0 ? beginUs : Math.max(...ends);
  const setUpUs = within(answers.length === 0 ? lastUs : Math.min(...answers), beginUs, beginUs + LONGEST_SET_UP_US);
  const span = { beginUs, setUpUs, endUs: within(lastUs, setUpUs, beginUs + lagUs) };
  const [first] = legs;
  if (first?.time.otherInviteAtUs === undefined) return [span];
  const shiftUs = first.time.otherInviteAtUs - first.inviteAtUs;
  return [span, { beginUs: span.beginUs + shiftUs, setUpUs: span.setUpUs + shiftUs, endUs: span.endUs + shiftUs }];
}

function within(us: number, fromUs: number, toUs: number): number {
  return Math.min(Math.max(us, fromUs), Math.max(fromUs, toUs));
}

/** How far a stretch lies behind an instant; negative where it lies before, 0 where they meet. */
function offsetOf({ fromUs, toUs }: TimeWindow, beginUs: number, endUs: number): number {
  if (beginUs > toUs) return beginUs - toUs;
  return endUs < fromUs ? endUs - fromUs : 0;
}
