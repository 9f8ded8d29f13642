import { readFile, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { moveFile, syncFolder, writeWholeFile } from '../../core/runtime/whole-file.js';
import { HopbackError } from '../../errors.js';
import { makeFolder } from '../../log/log-files.js';
import { readReviewDecision } from '../review/review-decision.js';
import type { Decided, ReviewDecision } from '../review/review-decision.js';
import { isForGood, noteProblem } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';

/**
 * Where decisions of persons wait for a responder that may be running in another process: a directory with a file for each, which comes to its
 * name in one step when it is whole and durable. What became of a decision is left beside it.
 */
type DecisionInbox = ReturnType<typeof createDecisionInbox>;

/** A decision that was handed in: the name of its file, and its id, which is the beginning of that. */
type WaitingDecision = { readonly name: string; readonly id: string } & (
  | /** A file that is no JSON or too long has `undefined` for its value. */
    { readonly status: 'read'; readonly value: unknown }
    /** It is no file, or one that this process may not read: nothing that passes by itself. */
  | { readonly status: 'unusable'; readonly detail: string }
  /** The disk does not give it now. */
  | { readonly status: 'later'; readonly detail: string }
);

/** What became of a decision. */
export type InboxResult = Decided | { readonly status: 'unreadable'; readonly detail: string };

/** Decisions that are looked at in one turn. */
const MOST_AT_ONCE = 1_000;
/** A decision with the longest texts that it may have. */
const MAX_DECISION_BYTES = 65_536;
/** Results that are left for whoever asks. */
const MOST_RESULTS = 1_000;
const DECISION_SUFFIX = '.decision.json';
/** Of one that is being carried out, or was when the process ended. */
const BEGUN_SUFFIX = '.decision.begun';
const RESULT_SUFFIX = '.result.json';
const ASIDE_SUFFIX = '.decision.aside';

/** The inbox of the responder of a directory. */
export function createDecisionInbox(directory: string) {
  const folder = inboxFolder(directory);
  return {
    /**
     * What waits, or was begun and not finished, by name, but for the ids that are passed over. One that cannot be read hides no other.
     * @throws the error of the system
     */
    waiting: async (passedOver: ReadonlySet<string>): Promise<readonly WaitingDecision[]> => {
      const names = (await namesIn(folder))
        .filter((name) => isDecision(name) && !passedOver.has(baseOf(name)))
        .toSorted()
        .slice(0, MOST_AT_ONCE);
      const read = await Promise.all(names.map((name) => waitingIn(folder, name)));
      return read.filter((one) => one !== undefined);
    },
    /**
     * Begins to carry a decision out, in one step: it can be taken back before, and not after.
     * @returns the name that it has now; undefined where it was taken back
     * @throws the error of the system
     */
    begin: async (name: string): Promise<string | undefined> => {
      if (name.endsWith(BEGUN_SUFFIX)) return name;
      const begun = `${baseOf(name)}${BEGUN_SUFFIX}`;
      try {
        await moveFile(join(folder, name), join(folder, begun), { isSynced: false });
        return begun;
      } catch (error) {
        return ifThere(error);
      }
    },
    /** Leaves what became of it, and takes it away. @throws the error of the system */
    finish: async (name: string, result: InboxResult) => {
      await leaveResult(folder, name, result);
      await unlink(join(folder, name)).catch(ifThere);
      await dropOldResults(folder);
    },
    /** Leaves why it cannot be read, and keeps it under another name for whoever looks. @throws the error of the system */
    putAside: async (name: string, detail: string) => {
      await leaveResult(folder, name, { status: 'unreadable', detail });
      const aside = `${baseOf(name)}${ASIDE_SUFFIX}`;
      await moveFile(join(folder, name), join(folder, aside), { isSynced: false }).catch(ifThere);
      await dropOldResults(folder);
    },
  };
}

const isDecision = (name: string): boolean => name.endsWith(DECISION_SUFFIX) || name.endsWith(BEGUN_SUFFIX);
const baseOf = (name: string): string =>
  name.slice(0, -(name.endsWith(BEGUN_SUFFIX) ? BEGUN_SUFFIX : DECISION_SUFFIX).length);

async function leaveResult(folder: string, name: string, result: InboxResult): Promise<void> {
  await writeWhole(folder, `${baseOf(name)}${RESULT_SUFFIX}`, JSON.stringify(result));
}

/** Undefined where it has gone meanwhile. */
async function waitingIn(folder: string, name: string): Promise<WaitingDecision | undefined> {
  const one = { name, id: baseOf(name) };
  try {
    const path = join(folder, name);
    // What is no file may never end.
    if (!(await stat(path)).isFile()) return { ...one, status: 'unusable', detail: 'it is no file' };
    return { ...one, status: 'read', value: await valueOf(path) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    return { ...one, status: LASTING.has(code) ? 'unusable' : 'later', detail: `it cannot be read: ${code}` };
  }
}

/** What the system says of a file that it will say again until somebody changes something. */
const LASTING: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ELOOP', 'EISDIR']);

/**
 * Hands a decision in, for the responder of a directory: durable when it resolves, whether the responder runs or not. The same decision handed
 * in twice is one.
 * @param directory - of the responder
 * @param decision - as `readReviewDecision` reads it
 * @returns once it is durable
 * @throws {@link HopbackError} `storage-failed` when the disk refuses
 * @see `decisionResult` for what became of it
 */
export async function postDecision(directory: string, decision: ReviewDecision): Promise<void> {
  try {
    await writeWhole(inboxFolder(directory), `${decision.decisionId}${DECISION_SUFFIX}`, JSON.stringify(decision));
  } catch (cause) {
    throw refused('the decision could not be kept', cause);
  }
}

/**
 * What became of a decision that was handed in.
 * @param directory - of the responder
 * @param decisionId - of the decision
 * @returns undefined while no responder has looked at it
 * @throws {@link HopbackError} `storage-failed` when the disk refuses
 * @see `postDecision`
 */
export async function decisionResult(directory: string, decisionId: string): Promise<InboxResult | undefined> {
  try {
    const path = join(inboxFolder(directory), `${decisionId}${RESULT_SUFFIX}`);
    return (await valueOf(path)) as InboxResult | undefined;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    throw refused('the inbox cannot be read', cause);
  }
}

/**
 * Decisions that were handed in and of which nothing has become yet: they wait, or are being carried out.
 * @param directory - of the responder
 * @returns in the order of their ids; what cannot be read is left out. Empty where there is no inbox
 * @throws {@link HopbackError} `storage-failed` when the disk refuses
 * @see `postDecision`, `withdrawDecision`
 */
export async function waitingDecisions(directory: string): Promise<readonly ReviewDecision[]> {
  try {
    const waiting = await createDecisionInbox(directory).waiting(new Set());
    // What became of a decision is there before it is taken away.
    const done = new Set((await namesIn(inboxFolder(directory))).filter((name) => name.endsWith(RESULT_SUFFIX)));
    return waiting.flatMap((one) => {
      if (one.status !== 'read') return [];
      const reading = readReviewDecision(one.value);
      const isDone = done.has(`${baseOf(one.name)}${RESULT_SUFFIX}`);
      return reading.status === 'read' && !isDone ? [reading.decision] : [];
    });
  } catch (cause) {
    throw refused('the inbox cannot be read', cause);
  }
}

/**
 * Takes a decision back that waits. One that a running responder has begun to carry out is carried out.
 * @param directory - of the responder
 * @param decisionId - of the decision
 * @returns whether it still waited: then it is not carried out, ever
 * @throws {@link HopbackError} `storage-failed` when the disk refuses
 * @see `waitingDecisions`
 */
export async function withdrawDecision(directory: string, decisionId: string): Promise<boolean> {
  const folder = inboxFolder(directory);
  try {
    await unlink(join(folder, `${decisionId}${DECISION_SUFFIX}`));
    await syncFolder(folder);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return false;
    throw refused('the decision could not be taken back', cause);
  }
}

function refused(what: string, cause: unknown): HopbackError {
  return new HopbackError('storage-failed', `${what}: ${codeOf(cause)}`, { retryable: true, cause });
}

function inboxFolder(directory: string): string {
  return join(directory, 'inbox');
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
}

async function valueOf(path: string): Promise<unknown> {
  if ((await stat(path)).size > MAX_DECISION_BYTES) return undefined;
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  await makeFolder(folder);
  await writeWholeFile(join(folder, name), text);
}

async function dropOldResults(folder: string): Promise<void> {
  const names = (await namesIn(folder)).filter((name) => name.endsWith(RESULT_SUFFIX));
  if (names.length <= MOST_RESULTS) return;
  const byTime = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  const oldest = byTime.toSorted((one, other) => one.atMs - other.atMs).slice(0, names.length - MOST_RESULTS);
  for (const { name } of oldest) await unlink(join(folder, name)).catch(ifThere);
}

function ifThere(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
  return undefined;
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'EUNKNOWN';
}

type Decide = (decision: ReviewDecision) => Promise<Decided>;

/**
 * Carries out what persons have decided at the command line, again and again until the responder ends.
 * @returns ends it
 */
export function takeInbox(
  core: ResponderCore,
  { inbox, decide }: { readonly inbox: DecisionInbox; readonly decide: Decide },
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
  decide: Decide,
): Promise<void> {
  if (waiting.status === 'unusable') return inbox.putAside(waiting.name, waiting.detail);
  const begun = await inbox.begin(waiting.name);
  // Undefined where it was taken back since it was read.
  if (begun !== undefined) await inbox.finish(begun, await resultOf(waiting.value, decide));
}

async function resultOf(value: unknown, decide: Decide): Promise<InboxResult> {
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
