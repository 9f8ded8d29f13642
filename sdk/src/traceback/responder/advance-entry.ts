import { deliverEntry } from './deliver-entry.js';
import { quietEntry, toldEntry } from './entry-steps.js';
import { inTime, isForGood, PORT_LIMITS_MS } from './in-time.js';
import { matchEntry } from './match-entry.js';
import { noteProblem, StepFailure } from './responder-core.js';
import type { ResponderCore, ResponderLane, Retries } from './responder-core.js';
import { isUnfiled, stateOfEntry } from './responder-entry.js';
import type { ResponderEntry } from './responder-entry.js';
import { fileEntry, setBack, signEntry } from './sign-entry.js';

/** Steps of one request in a row: then it is the turn of the others. Match, sign, deliver, file, and the same for a revision or two. */
const MOST_STEPS = 16;

/**
 * Takes a request as far as it can go in one lane, one durable step after the other; where it goes on in another it is handed over, and people
 * are told of what became of it: of that too where a step failed. Never rejects: what fails is counted and tried again.
 */
export async function advanceEntry(
  core: ResponderCore,
  requestId: string,
  lane: Exclude<ResponderLane, 'tell'>,
): Promise<void> {
  const { journal, work } = core;
  await attempted(core, { requestId, retries: core.retries }, () => takeSteps(core, requestId, lane));
  if (journal.summaries.get(requestId)?.isUntold === true) work.enqueue(requestId, 'tell');
  forgetClosed(core, requestId);
}

async function attempted(
  core: ResponderCore,
  { requestId, retries }: { readonly requestId: string; readonly retries: Retries },
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (core.stop.signal.aborted) return;
    const { kind, cause } = error instanceof StepFailure ? error : new StepFailure('storage', error);
    noteProblem(core, { kind, requestId, cause });
    retries.later(requestId);
  }
}

/** Of what needs nobody any more, nothing is kept in memory. */
function forgetClosed({ journal, retries, tellRetries, health }: ResponderCore, requestId: string): void {
  if (journal.open.has(requestId)) return;
  retries.forget(requestId);
  tellRetries.forget(requestId);
  health.forget(requestId);
}

async function takeSteps(core: ResponderCore, requestId: string, lane: Exclude<ResponderLane, 'tell'>): Promise<void> {
  const { journal, retries, stop, work } = core;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (stop.signal.aborted) return;
    const entry = await journal.durable(requestId);
    if (entry === undefined) return;
    const wanted = laneOf(entry);
    if (wanted !== lane) {
      if (wanted !== undefined) work.enqueue(requestId, wanted);
      return;
    }
    const next = await nextEntry(core, entry);
    if (next === undefined) return;
    await save(core, entry, next);
    // It goes well: the next failure is the first.
    retries.forget(requestId);
    countStep(core, next, entry.answers.length);
  }
  work.enqueue(requestId, lane);
}

/** Where the next step is taken; undefined where none is left. */
function laneOf(entry: ResponderEntry): Exclude<ResponderLane, 'tell'> | undefined {
  const state = stateOfEntry(entry);
  if (state === 'signed' || state === 'sent') return 'deliver';
  return state === 'received' || state === 'decided' || entry.answers.some(isUnfiled) ? 'answer' : undefined;
}

/** Where the journal will never have what was signed, a person is asked: signed anew it would be as long. */
async function save(core: ResponderCore, entry: ResponderEntry, next: ResponderEntry): Promise<void> {
  try {
    await core.journal.save(next);
  } catch (error) {
    if (entry.pending === undefined || !isForGood(error)) throw error;
    await core.journal.save(setBack(core, entry, new StepFailure('storage', error)));
  }
}

/** The entry after its next step; undefined where there is none that can be taken now. */
async function nextEntry(core: ResponderCore, entry: ResponderEntry): Promise<ResponderEntry | undefined> {
  switch (stateOfEntry(entry)) {
    case 'received':
      return matchEntry(core, entry);
    case 'decided':
      return signEntry(core, entry);
    case 'signed':
    case 'sent':
      return deliverEntry(core, entry);
    default:
      return fileEntry(core, entry);
  }
}

/**
 * Tells people what they have not been told, one after the other, each taken off once it was told: at least once. Only of what is durable.
 * Meanwhile the request goes on. Never rejects.
 */
export async function tellPeople(core: ResponderCore, requestId: string): Promise<void> {
  await attempted(core, { requestId, retries: core.tellRetries }, async () => {
    const entry = await core.journal.durable(requestId);
    if (entry === undefined || core.stop.signal.aborted) return;
    const { notify } = core.options;
    if (notify === undefined) return change(core, requestId, quietEntry);
    for (const event of entry.untold) {
      await inTime(core, () => notify(event), { kind: 'notify', timeoutMs: PORT_LIMITS_MS.notify });
      await change(core, requestId, (current) => toldEntry(current, event.eventId));
      core.tellRetries.forget(requestId);
    }
  });
  forgetClosed(core, requestId);
}

/** As it stands when it is its turn. */
async function change(
  { journal, work }: ResponderCore,
  requestId: string,
  changed: (entry: ResponderEntry) => ResponderEntry,
): Promise<void> {
  await work.exclusively(requestId, async () => {
    const entry = journal.get(requestId);
    if (entry !== undefined && entry.untold.length > 0) await journal.save(changed(entry));
  });
}

/** After it is durable: what was counted and not done would not come right again. */
function countStep({ counts, clock }: ResponderCore, entry: ResponderEntry, answersBefore: number): void {
  const last = entry.answers.at(-1);
  if (last === undefined) return;
  if (entry.answers.length > answersBefore) {
    const { finding, answeredBy, revision } = last.answer;
    counts.arms.set(finding.arm, (counts.arms.get(finding.arm) ?? 0) + 1);
    if (revision > 1) counts.amended += 1;
    if (answeredBy.kind === 'person') counts.byPerson += 1;
    else {
      counts.automatic += 1;
      counts.automaticMs.observe(last.signedAtMs - entry.receivedAtMs);
    }
  }
  const isNews = last.filed === undefined && stateOfEntry(entry) === 'acknowledged';
  if (isNews && last.answer.revision === 1) counts.margin.observe((entry.deadline.dueAtMs - clock.nowMs()) / 1_000);
}
