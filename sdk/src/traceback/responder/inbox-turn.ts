import { readReviewDecision } from '../review/read-review-decision.js';
import type { DecisionInbox, InboxResult, WaitingDecision } from './decision-inbox.js';
import { isForGood } from './in-time.js';
import type { TracebackResponder } from './responder-contract.js';
import { noteProblem } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';

/**
 * Carries out what persons have decided at the command line, again and again until the responder ends.
 * @returns ends it
 */
export function takeInbox(
  core: ResponderCore,
  { inbox, decide }: { readonly inbox: DecisionInbox; readonly decide: TracebackResponder['decide'] },
): () => Promise<void> {
  const { clock, limits, stop } = core;
  const running = new Map<string, Promise<void>>();
  /** What could neither be read nor be put aside: it is complained about once, and passed over. */
  const passedOver = new Set<string>();
  let cancel: (() => void) | undefined;
  const carryOut = async (waiting: Exclude<WaitingDecision, { status: 'later' }>): Promise<void> => {
    const { id } = waiting;
    try {
      await finish(inbox, waiting, decide);
    } catch (cause) {
      if (stop.signal.aborted) return;
      if (waiting.status === 'unusable') passedOver.add(id);
      // What was carried out and not taken away is known as a repeat the next time.
      noteProblem(core, { kind: 'inbox', cause });
    } finally {
      running.delete(id);
    }
  };
  const turn = async (): Promise<void> => {
    try {
      const waiting = await inbox.waiting(new Set([...running.keys(), ...passedOver]));
      for (const one of waiting) {
        if (stop.signal.aborted) return;
        // Handed in once more, while it is being carried out.
        if (running.has(one.id)) continue;
        if (one.status !== 'read') noteProblem(core, { kind: 'inbox', cause: `${one.name}: ${one.detail}` });
        // A request that is being worked on lets its decision wait, and no other.
        if (one.status !== 'later') running.set(one.id, carryOut(one));
        if (running.size >= MOST_RUNNING) await Promise.race(running.values());
      }
    } catch (cause) {
      noteProblem(core, { kind: 'inbox', cause });
    }
    if (stop.signal.aborted) return;
    cancel = clock.schedule(() => void (last = turn()), limits.inboxPollMs);
  };
  let last = turn();
  return async () => {
    cancel?.();
    await last;
    cancel?.();
    await Promise.all(running.values());
  };
}

/** Decisions that are carried out at once: each is some file operations and a step of the journal. */
const MOST_RUNNING = 64;

async function finish(
  inbox: DecisionInbox,
  waiting: Exclude<WaitingDecision, { status: 'later' }>,
  decide: TracebackResponder['decide'],
): Promise<void> {
  if (waiting.status === 'unusable') return inbox.putAside(waiting.name, waiting.detail);
  const begun = await inbox.begin(waiting.name);
  // Undefined where it was taken back since it was read.
  if (begun !== undefined) await inbox.finish(begun, await resultOf(waiting.value, decide));
}

async function resultOf(value: unknown, decide: TracebackResponder['decide']): Promise<InboxResult> {
  const reading = readReviewDecision(value);
  if (reading.status === 'refused') return { status: 'unreadable', detail: reading.detail };
  try {
    return await decide(reading.decision);
  } catch (error) {
    // Handed in again it would be the same again.
    if (!isForGood(error)) throw error;
    return { status: 'refused', problems: [{ about: 'decision', text: error.message }] };
  }
}
