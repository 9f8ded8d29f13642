import { MAX_FACTS } from './traceback-state.js';
import type { FactKind, TracebackFact, TracebackState } from './traceback-state.js';

/** What becomes of a state when something is heard of. */
export type FactsStep =
  | { readonly status: 'added'; readonly state: TracebackState }
  /** It is known already, or what is known stands before it. */
  | { readonly status: 'known' }
  | { readonly status: 'refused'; readonly reason: 'conflicting-repeat' | 'too-many-facts' };

/**
 * Which of two facts with the same id stands. `content`: they have to say the same, since the id is that of something signed or stored; the
 * earlier time stands, so that a repeat changes nothing.
 */
const STANDING: Readonly<Record<FactKind, 'earliest' | 'latest' | 'content'>> = {
  sent: 'earliest',
  acknowledged: 'earliest',
  'not-askable': 'earliest',
  statement: 'content',
  identified: 'latest',
  report: 'content',
  choice: 'latest',
  ruling: 'latest',
  accepted: 'earliest',
  forward: 'content',
  cancelled: 'earliest',
  done: 'earliest',
};

/** Adds a fact to a state. The order in which facts come makes no difference to what is there in the end. */
export function withFact(state: TracebackState, fact: TracebackFact): FactsStep {
  const index = state.facts.findIndex(({ kind, id }) => kind === fact.kind && id === fact.id);
  const known = state.facts[index];
  if (known === undefined) {
    if (state.facts.length >= MAX_FACTS) return { status: 'refused', reason: 'too-many-facts' };
    return { status: 'added', state: { ...state, facts: [...state.facts, fact].sort(byKindAndId) } };
  }
  const standing = STANDING[fact.kind];
  if (standing === 'content' && contentOf(known) !== contentOf(fact)) {
    return { status: 'refused', reason: 'conflicting-repeat' };
  }
  if (!replaces(fact, known, standing)) return { status: 'known' };
  return { status: 'added', state: { ...state, facts: state.facts.with(index, fact) } };
}

/** Takes note that nothing but time has passed. */
export function timePassed(state: TracebackState, atMs: number): FactsStep {
  return atMs > state.nowMs ? { status: 'added', state: { ...state, nowMs: atMs } } : { status: 'known' };
}

/** Two that happened at the same time are told apart by what they say, so that the order in which they come does not matter either. */
function replaces(fact: TracebackFact, known: TracebackFact, standing: 'earliest' | 'latest' | 'content'): boolean {
  if (fact.atMs !== known.atMs) return standing === 'latest' ? fact.atMs > known.atMs : fact.atMs < known.atMs;
  return JSON.stringify(fact) < JSON.stringify(known);
}

function contentOf(fact: TracebackFact): string {
  return JSON.stringify({ ...fact, atMs: 0 });
}

function byKindAndId(one: TracebackFact, other: TracebackFact): number {
  return compare(one.kind, other.kind) || compare(one.id, other.id);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
