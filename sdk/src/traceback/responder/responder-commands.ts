import type { TracebackRequest } from '../../core/traceback-request.js';
import { wellFormedText, wellFormedValue } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { answerOfDecision } from '../review/answer-of-decision.js';
import type { DecisionProblem } from '../review/answer-of-decision.js';
import type { ReviewDecision } from '../review/review-decision.js';
import { cancelledEntry, decidedEntry, receivedEntry } from './entry-steps.js';
import type { Reminders } from './reminders.js';
import type { Decided, Submission, Submitted } from './responder-contract.js';
import type { ResponderCore } from './responder-core.js';
import { stateOfEntry } from './responder-entry.js';
import type { ResponderEntry } from './responder-entry.js';
import { subjectOfEntry } from './responder-views.js';

/** What came may be an e-mail; with its recording it belongs into the evidence of whoever read it. */
const MAX_ORIGINAL_BYTES: number = 256 * 1_024;

/** Takes a request in; repeats change nothing. @throws HopbackError as of `TracebackResponder.submit` */
export async function submit(
  core: ResponderCore,
  reminders: Reminders,
  handedIn: { readonly request: TracebackRequest; readonly submission?: Submission | undefined },
): Promise<Submitted> {
  refuseClosed(core);
  const { journal, work, counts, clock, options } = core;
  const { submission = {} } = handedIn;
  const { receivedAtMs = clock.nowMs(), via = 'intake', original } = submission;
  // What cannot be written as UTF-8 could be neither kept as evidence nor signed.
  const request = wellFormedValue(handedIn.request);
  const { requestId } = request;
  return work.exclusively(requestId, async () => {
    // A repeat of one whose disk refused is what makes it durable.
    const known = await journal.durable(requestId);
    if (known !== undefined) {
      counts.repeats += 1;
      // It may be one of which only now it is known that it is durable.
      work.enqueue(requestId, 'answer');
      return { status: 'known', state: stateOfEntry(known) };
    }
    if ((original?.bytes.byteLength ?? 0) > MAX_ORIGINAL_BYTES) return { status: 'refused', reason: 'too-large' };
    const received = receivedEntry(request, {
      receivedAtMs,
      via: wellFormedText(via),
      deadline: options.deadlineOf(request, receivedAtMs),
      ...(original === undefined
        ? {}
        : {
            original: {
              base64: Buffer.from(original.bytes).toString('base64'),
              mediaType: wellFormedText(original.mediaType),
            },
          }),
    });
    const entry = journal.isCancelled(requestId) ? cancelledEntry(received, receivedAtMs) : received;
    const room = journal.room(entry);
    if (room !== 'free') return { status: 'refused', reason: room };
    await saveAndWork(core, entry).finally(() => reminders.arm());
    counts.received += 1;
    return { status: 'accepted', dueAtMs: entry.deadline.dueAtMs };
  });
}

/** Nobody asks any longer. @throws HopbackError as of `TracebackResponder.cancel` */
export async function cancel(core: ResponderCore, id: string): Promise<void> {
  refuseClosed(core);
  const { journal, work, counts, clock } = core;
  const requestId = wellFormedText(id);
  await work.exclusively(requestId, async () => {
    const entry = await journal.durable(requestId);
    if (entry === undefined) return journal.rememberCancelled(requestId, clock.nowMs());
    if (entry.cancelledAtMs !== undefined) {
      work.enqueue(requestId, 'answer');
      return undefined;
    }
    await saveAndWork(core, cancelledEntry(entry, clock.nowMs()));
    counts.cancelled += 1;
    return undefined;
  });
}

/** Carries out what a person has decided. @throws HopbackError as of `TracebackResponder.decide` */
export async function decide(core: ResponderCore, handedIn: ReviewDecision): Promise<Decided> {
  refuseClosed(core);
  const { journal, work, clock } = core;
  const decision = wellFormedValue(handedIn);
  const { requestId } = decision;
  return work.exclusively(requestId, async () => {
    const entry = await journal.durable(requestId);
    if (entry === undefined) return refused({ about: 'requestId', text: 'there is no such request' });
    if (entry.decisionIds.includes(decision.decisionId)) {
      // It may be one of which only now it is known that it is durable.
      work.enqueue(requestId, 'answer');
      return { status: 'repeated' };
    }
    if (entry.pending !== undefined) return refused({ about: 'state', text: 'an answer is being signed' });
    const { policy, trunks, provider } = core.options;
    const outcome = answerOfDecision(decision, subjectOfEntry(entry), { policy, directory: trunks, provider });
    if (outcome.status === 'refused') return outcome;
    const { draft, despite } = outcome;
    const next: ResponderEntry = decidedEntry(entry, decision, { draft, despite, atMs: clock.nowMs() });
    await saveAndWork(core, next);
    const { answerId = '', revision = 0 } = next.pending ?? {};
    return { status: 'accepted', answerId, revision };
  });
}

function refused(problem: DecisionProblem): Decided {
  return { status: 'refused', problems: [problem] };
}

/**
 * Worked on in any case: what the journal has taken without being able to say that it is durable is carried on once it is, though whoever
 * handed it in does not come back.
 */
async function saveAndWork({ journal, work }: ResponderCore, entry: ResponderEntry): Promise<void> {
  try {
    await journal.save(entry);
  } finally {
    work.enqueue(entry.requestId, 'answer');
  }
}

/** @throws HopbackError `closed` */
export function refuseClosed({ stop }: ResponderCore): void {
  if (stop.signal.aborted) throw new HopbackError('closed', 'the responder is closed');
}
