import type { DemandState } from '@hopback/sdk/platform';

/** How soon a demand is looked at: `expedited` names a campaign that calls now, and says that review should not wait. */
export type ReviewPriority = 'expedited' | 'urgent' | 'ordinary';

/**
 * Milliseconds from submission until a decision is meant to be there. No law says how long: an order that restrains a live campaign is worth an
 * hour; what an agency calls urgent, half a working day; a subpoena, two days, so that a return date a week away leaves time for what a
 * reviewer asks back. They are targets that are shown, and nothing happens by itself when they pass.
 */
export const REVIEW_TARGET_MS: Readonly<Record<ReviewPriority, number>> = {
  expedited: 3_600_000,
  urgent: 4 * 3_600_000,
  ordinary: 48 * 3_600_000,
};

/** What the clock of a demand goes by. */
export interface ClockedDemand {
  readonly demandId: string;
  readonly state: DemandState;
  readonly isUrgent: boolean;
  /** Whether a campaign that it names calls now. */
  readonly namesLiveCampaign: boolean;
  readonly submittedAtMs: number;
  /** When the last decision was taken. */
  readonly decidedAtMs?: number;
  /** RFC 3339 full date by which production is demanded. */
  readonly returnOn: string;
}

/** How long a demand has been waiting, and how long it may. */
export interface ReviewClock {
  readonly priority: ReviewPriority;
  /** From submission to now, or to the decision. */
  readonly waitedMs: number;
  readonly targetMs: number;
  /** Milliseconds since the epoch. */
  readonly dueAtMs: number;
  /** Whether the target has passed without a decision, or had when there was one. */
  readonly isLate: boolean;
  /** Whole days until the return date, by dates of UTC; negative when it has passed. */
  readonly daysToReturn: number;
}

const DAY_MS = 86_400_000;

/**
 * The clock of a demand. Never throws.
 * @param demand - what it goes by
 * @param nowMs - milliseconds since the epoch
 */
export function reviewClock(demand: ClockedDemand, nowMs: number): ReviewClock {
  const priority = priorityOf(demand);
  const targetMs = REVIEW_TARGET_MS[priority];
  const waitedMs = Math.max(0, (demand.decidedAtMs ?? nowMs) - demand.submittedAtMs);
  const today = Math.floor(nowMs / DAY_MS);
  return {
    priority,
    waitedMs,
    targetMs,
    dueAtMs: demand.submittedAtMs + targetMs,
    isLate: waitedMs > targetMs,
    daysToReturn: Math.floor(Date.parse(`${demand.returnOn}T00:00:00Z`) / DAY_MS) - today,
  };
}

/** How soon a demand is looked at. Never throws. */
export function priorityOf(demand: Pick<ClockedDemand, 'isUrgent' | 'namesLiveCampaign'>): ReviewPriority {
  if (!demand.isUrgent) return 'ordinary';
  return demand.namesLiveCampaign ? 'expedited' : 'urgent';
}

const ORDER: Readonly<Record<ReviewPriority, number>> = { expedited: 0, urgent: 1, ordinary: 2 };

/** Rank of a priority where what is first is done first; 0 for expedited. Never throws. */
export function priorityRank(priority: ReviewPriority): number {
  return ORDER[priority];
}

/**
 * Demands in the order in which they are to be looked at: expedited, urgent, ordinary; of each, the one that waits longest first. Never throws.
 * @param demands - in any order
 */
export function reviewOrder<Demand extends ClockedDemand>(demands: readonly Demand[]): readonly Demand[] {
  return demands.toSorted(
    (a, b) =>
      ORDER[priorityOf(a)] - ORDER[priorityOf(b)] ||
      a.submittedAtMs - b.submittedAtMs ||
      (a.demandId < b.demandId ? -1 : 1),
  );
}
