/** What a traceback has come to. */
export type OutcomeKind =
  /** The provider says itself that the call began at it. ORG */
  | 'origin'
  /** The provider says itself that the call entered the United States at it. POE */
  | 'point-of-entry'
  /** The provider that was named is a foreign one: who named it says that it took the call from abroad. */
  | 'foreign-provider'
  /** It did not answer. NR */
  | 'non-responsive'
  /** The first provider has no such call, although its records of that time are complete. */
  | 'no-record'
  | 'number-not-ours'
  | 'not-retained'
  | 'ambiguous'
  | 'refused'
  /** Two statements contradict each other. Nobody is accused. */
  | 'disputed'
  /** Somebody was named that no registry has. */
  | 'unlisted-provider'
  /** The provider is listed and cannot be asked; also a foreign one that says itself to whom it sent the call. */
  | 'not-askable'
  /** Several providers say that they sent the call to the one that is silent. */
  | 'several-neighbours'
  | 'loop'
  | 'too-many-hops'
  /** Trace forward: the number is served here. */
  | 'serves-number';

/**
 * States of one hop: one request to one provider.
 *
 * ```text
 *   planned ──sent──► asked ──acknowledged──► acknowledged
 *      │                │ │ └────due-passed───┐   │
 *      │ not-askable    │ └ not-askable       ▼   ▼ due-passed
 *      ▼       ◄────────┼───┘              overdue ──grace-passed──► non-responsive
 *   not-askable         ▼ answered           │                           │
 *                    answered ◄──────────────┴──────── answered ─────────┘
 *                       │ amended
 *                       ▼
 *                   corrected ──amended──► corrected
 *
 *   planned, asked, acknowledged, overdue, non-responsive, not-askable ──withdrawn──► withdrawn ──answered──► answered
 * ```
 *
 * A statement, once made, is never withdrawn by others: `answered` and `corrected` have no way back. An answer is taken in every state, however
 * late. `withdrawn` is a hop to which the traceback does not lead any more, since the answer that led there was amended, or that was cancelled.
 */
export type HopState =
  | 'planned'
  | 'asked'
  | 'acknowledged'
  | 'overdue'
  | 'non-responsive'
  | 'answered'
  | 'corrected'
  | 'not-askable'
  | 'withdrawn';

/** What can happen to a hop. */
export type HopEvent =
  'sent' | 'acknowledged' | 'answered' | 'amended' | 'due-passed' | 'grace-passed' | 'not-askable' | 'withdrawn';

/** Where an event leads, and why. */
export interface HopTransition {
  readonly to: HopState;
  readonly because: string;
}

/** A transition that took place. */
export interface HopStep extends HopTransition {
  readonly event: HopEvent;
  readonly from: HopState;
  readonly atMs: number;
}

const SENT: HopTransition = { to: 'asked', because: 'The request went out to the provider.' };
const ACKNOWLEDGED: HopTransition = { to: 'acknowledged', because: 'The provider says that it has the request.' };
const ANSWERED: HopTransition = { to: 'answered', because: 'The provider answered.' };
const ANSWERED_LATE: HopTransition = {
  to: 'answered',
  because: 'The provider answered after its deadline: late, and an answer.',
};
const AMENDED: HopTransition = {
  to: 'corrected',
  because: 'The provider amended its answer: everything that depended on the old one is re-evaluated.',
};
const NOT_ASKABLE: HopTransition = { to: 'not-askable', because: 'The provider cannot be asked.' };
const OVERDUE: HopTransition = { to: 'overdue', because: 'The deadline of the provider has passed without an answer.' };
const WITHDRAWN: HopTransition = {
  to: 'withdrawn',
  because: 'The traceback no longer leads here: it was cancelled, or the answer that led here was amended.',
};

/** The machine: a cell that is missing leaves the hop as it is. */
export const HOP_TRANSITIONS: Readonly<Record<HopState, Readonly<Partial<Record<HopEvent, HopTransition>>>>> = {
  planned: {
    sent: SENT,
    acknowledged: ACKNOWLEDGED,
    answered: ANSWERED,
    'not-askable': NOT_ASKABLE,
    withdrawn: WITHDRAWN,
  },
  asked: {
    acknowledged: ACKNOWLEDGED,
    answered: ANSWERED,
    'not-askable': { to: 'not-askable', because: 'The request came back: the provider cannot be asked.' },
    'due-passed': OVERDUE,
    withdrawn: WITHDRAWN,
  },
  acknowledged: { answered: ANSWERED, 'due-passed': OVERDUE, withdrawn: WITHDRAWN },
  overdue: {
    answered: ANSWERED_LATE,
    'grace-passed': { to: 'non-responsive', because: 'Still no answer, and the time of grace is over.' },
    withdrawn: WITHDRAWN,
  },
  'non-responsive': { answered: ANSWERED_LATE, withdrawn: WITHDRAWN },
  answered: { amended: AMENDED },
  corrected: { amended: AMENDED },
  'not-askable': { sent: SENT, acknowledged: ACKNOWLEDGED, answered: ANSWERED, withdrawn: WITHDRAWN },
  withdrawn: { answered: { to: 'answered', because: 'The provider answered, although the request was withdrawn.' } },
};

/** Among those of the same instant: what the provider did counts before what time did. */
const RANKS: Readonly<Record<HopEvent, number>> = {
  'not-askable': 0,
  sent: 1,
  acknowledged: 2,
  answered: 3,
  amended: 4,
  'due-passed': 5,
  'grace-passed': 6,
  withdrawn: 7,
};

/** Something that happened to a hop, and when. */
export interface HopChange {
  readonly event: HopEvent;
  readonly atMs: number;
}

/**
 * Runs the machine over what happened to a hop, in the order in which it happened, which need not be the one in which it was heard of.
 * @param changes - in any order
 * @returns the state in the end, and every transition that led there
 */
export function runHop(changes: readonly HopChange[]): {
  readonly state: HopState;
  readonly history: readonly HopStep[];
} {
  const history: HopStep[] = [];
  let state: HopState = 'planned';
  const inTime = isInTime(changes) ? changes : changes.toSorted(byTime);
  for (const { event, atMs } of inTime) {
    const transition: HopTransition | undefined = HOP_TRANSITIONS[state][event];
    if (transition === undefined) continue;
    history.push({
      event,
      atMs,
      from: state,
      to: transition.to,
      because: transition.because,
    });
    state = transition.to;
  }
  return { state, history };
}

/** Which is so where things were heard of as they happened. */
function isInTime(changes: readonly HopChange[]): boolean {
  for (let at = 1; at < changes.length; at += 1) {
    const [before, after] = [changes[at - 1], changes[at]];
    if (before !== undefined && after !== undefined && byTime(before, after) > 0) return false;
  }
  return true;
}

function byTime(one: HopChange, other: HopChange): number {
  return one.atMs - other.atMs || RANKS[one.event] - RANKS[other.event];
}
