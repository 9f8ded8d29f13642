import type { PastRequest } from '../policy/try-policy.js';
import type { ReviewSubject } from '../review/review-subject.js';
import { stateOfEntry } from './responder-entry.js';
import type { ResponderEntry } from './responder-entry.js';

/**
 * What a person decides about, of an entry of the journal. Pure; never throws.
 * @param entry - as the responder keeps it
 * @returns for {@link reviewOf} and {@link answerOfDecision}
 * @see {@link readResponder}, by which entries are read beside a running responder
 * @example
 * ```ts
 * console.log(typeof subjectOfEntry); // function
 * ```
 */
export function subjectOfEntry(entry: ResponderEntry): ReviewSubject {
  const { request, deadline, outcome, decision, sources, answers } = entry;
  return {
    request,
    state: stateOfEntry(entry),
    dueAtMs: deadline.dueAtMs,
    ...(outcome === undefined ? {} : { outcome }),
    ...(decision === undefined ? {} : { decision }),
    ...(sources === undefined ? {} : { sources }),
    answers: answers.map(({ answer, delivery }) => ({
      answer,
      delivery: delivery.state,
      ...('detail' in delivery ? { detail: delivery.detail } : {}),
    })),
  };
}

/**
 * What a policy is tried on, of an entry that was looked up. Pure; never throws.
 * @param entry - as the responder keeps it
 * @returns for {@link tryTracebackPolicy}
 * @see {@link readResponder}, by which entries are read beside a running responder
 * @example
 * ```ts
 * console.log(typeof pastRequestOf); // function
 * ```
 */
export function pastRequestOf(entry: ResponderEntry): PastRequest {
  const { request, outcome, hold = 'unknown', sources = [], matchedAtMs = entry.receivedAtMs, answers } = entry;
  const last = answers.at(-1)?.answer;
  return {
    request,
    ...(outcome === undefined ? {} : { outcome }),
    hold,
    sources,
    nowUs: matchedAtMs * 1_000,
    ...(last === undefined ? {} : { given: { finding: last.finding, by: last.answeredBy.kind } }),
  };
}
