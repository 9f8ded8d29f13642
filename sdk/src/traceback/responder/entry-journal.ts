import { join } from 'node:path';
import { defined } from '../../core/plain-data.js';
import type { CallRecord } from '../../contract/call-record.js';
import type { ProviderReference } from '../../contract/common.js';
import { HopbackError } from '../../errors.js';
import { JOURNAL_KEY_BYTES, openValueJournal, readValueJournal } from '../../log/index.js';
import type { ValueJournal, ValueJournalOptions } from '../../log/index.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import { isNoticeOpen } from './notices.js';
import { isClosed, summaryOf } from './responder-contract.js';
import type { EntrySummary, ResponderEntry, TrackedNotice } from './responder-contract.js';

/** Most bytes of an entry in the journal: a request with a long transcript, twenty candidates of some legs each, and an answer. */
export const ENTRY_BYTES: number = 2 ** 20;

/** Candidates that are kept where all of them are too many. */
const FEW_CANDIDATES = 5;

/**
 * The text of an entry for the journal. Where it is too long, what can be done without goes first: calls that come last, bytes of source
 * records, evidence of verifications, at last the calls themselves. What was asked and what was answered always stays.
 * @returns undefined where even that is too long
 */
function entryText(entry: ResponderEntry): string | undefined {
  for (const reduce of REDUCTIONS) {
    const text = JSON.stringify(reduce(entry));
    if (Buffer.byteLength(text) <= ENTRY_BYTES) return text;
  }
  return undefined;
}

/**
 * Reads an entry of the journal back. The journal holds what this package wrote, with a checksum: only the form is looked at.
 * @returns undefined where it is none
 */
export function readEntry(text: string | undefined): ResponderEntry | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isEntry =
      typeof value === 'object' && value !== null && 'format' in value && value.format === 'hopback.responder-entry.1';
    return isEntry ? (value as ResponderEntry) : undefined;
  } catch {
    return undefined;
  }
}

type Reduction = (entry: ResponderEntry) => ResponderEntry;

const REDUCTIONS: readonly Reduction[] = [
  (entry) => entry,
  (entry) => withOutcome(entry, few),
  (entry) => withOutcome(entry, (outcome) => eachLeg(few(outcome), withoutRaw)),
  (entry) => withOutcome(entry, (outcome) => eachLeg(few(outcome), bare)),
  ({ outcome: _calls, ...rest }) => rest,
];

function withOutcome(entry: ResponderEntry, change: (outcome: MatchOutcome) => MatchOutcome): ResponderEntry {
  return entry.outcome === undefined ? entry : { ...entry, outcome: change(entry.outcome) };
}

function few(outcome: MatchOutcome): MatchOutcome {
  if (outcome.status === 'unique') return { ...outcome, others: outcome.others.slice(0, FEW_CANDIDATES) };
  return outcome.status === 'several'
    ? { ...outcome, candidates: outcome.candidates.slice(0, FEW_CANDIDATES) }
    : outcome;
}

function eachLeg(outcome: MatchOutcome, change: (leg: CallRecord) => CallRecord): MatchOutcome {
  const ofCandidate = (candidate: MatchCandidate): MatchCandidate => ({
    ...candidate,
    legs: candidate.legs.map(change),
    ingressLeg: change(candidate.ingressLeg),
    ...(candidate.egressLeg === undefined ? {} : { egressLeg: change(candidate.egressLeg) }),
  });
  if (outcome.status === 'unique')
    return { ...outcome, candidate: ofCandidate(outcome.candidate), others: outcome.others.map(ofCandidate) };
  return outcome.status === 'several' ? { ...outcome, candidates: outcome.candidates.map(ofCandidate) } : outcome;
}

function withoutRaw(leg: CallRecord): CallRecord {
  const { raw: _bytes, ...source } = leg.source;
  return { ...leg, source };
}

function bare(leg: CallRecord): CallRecord {
  if (leg.received === undefined) return withoutRaw(leg);
  const { evidence: _verdict, ...received } = leg.received;
  return { ...withoutRaw(leg), received };
}

/** The requests of a responder, durable one by one, with what is in memory of each. */
export type EntryJournal = ReturnType<typeof journalOf>;

/** Keys of the journal: `r/` requests, `c/` requests that were cancelled before they came, `n/` notices, `s/settings` what it works by. */
const SETTINGS_KEY = 's/settings';
const requestKey = (requestId: string): string => `r/${requestId}`;
const cancelledKey = (requestId: string): string => `c/${requestId}`;
const noticeKey = (noticeId: string): string => `n/${noticeId}`;

/** Cancellations of requests that never came, and notices: beyond, the oldest go. */
const MOST_OTHERS = 1_000;

/**
 * Opens the journal and reads it.
 * @throws HopbackError `storage-failed`, `invalid-argument`
 */
export async function openEntryJournal(
  options: Pick<ValueJournalOptions, 'directory' | 'files' | 'clock' | 'schedule'>,
  { requests, settings }: { readonly requests: number; readonly settings: string },
): Promise<EntryJournal> {
  const values = await openValueJournal({
    ...options,
    // Requests, those whose removal is on its way, cancellations, notices and the settings.
    maxKeys: requests + 2 * MOST_OTHERS + SLACK_KEYS,
    maxValueBytes: ENTRY_BYTES,
  });
  const core = createCore(values, requests);
  try {
    if (values.get(SETTINGS_KEY) !== settings) await values.set(SETTINGS_KEY, settings);
  } catch (error) {
    await values.close().catch(() => undefined);
    throw error;
  }
  return journalOf(core);
}

const SLACK_KEYS = 64;

interface JournalCore {
  readonly values: ValueJournal;
  readonly most: number;
  readonly summaries: Map<string, EntrySummary>;
  readonly open: Set<string>;
  readonly unsaved: Set<string>;
  readonly cancelled: Map<string, number>;
  readonly notices: Map<string, TrackedNotice>;
}

function createCore(values: ValueJournal, most: number): JournalCore {
  const core: JournalCore = {
    values,
    most,
    summaries: new Map(),
    open: new Set(),
    unsaved: new Set(),
    cancelled: new Map(),
    notices: new Map(),
  };
  for (const [key, text] of values.entries()) {
    const id = key.slice(2);
    if (key.startsWith('r/')) {
      const entry = readEntry(text);
      if (entry !== undefined) remember(core, entry);
    } else if (key.startsWith('c/')) core.cancelled.set(id, Number(text));
    else if (key.startsWith('n/')) {
      const tracked = readNotice(text);
      if (tracked !== undefined) core.notices.set(id, tracked);
    }
  }
  return core;
}

/** The journal holds what this package wrote, with a checksum. */
function readNotice(text: string): TrackedNotice | undefined {
  try {
    return JSON.parse(text) as TrackedNotice;
  } catch {
    return undefined;
  }
}

function remember({ summaries, open }: JournalCore, entry: ResponderEntry): void {
  const summary = summaryOf(entry);
  summaries.set(summary.requestId, summary);
  if (isClosed(summary.state) && !summary.isUntold && !summary.isUnfiled) open.delete(summary.requestId);
  else open.add(summary.requestId);
}

function journalOf(core: JournalCore) {
  const { values, summaries, open, unsaved, cancelled, notices } = core;
  const get = (requestId: string): ResponderEntry | undefined => readEntry(values.get(requestKey(requestId)));
  return {
    /** All requests, by id. */
    summaries,
    /** Those that are not closed, or of which somebody has not been told, or the evidence. */
    open,
    /** As it was set last, durable or about to be. */
    get,
    /**
     * As `get`, once it is durable.
     * @throws HopbackError `storage-failed`, `closed`
     */
    durable: async (requestId: string): Promise<ResponderEntry | undefined> => {
      const entry = get(requestId);
      if (entry !== undefined && unsaved.has(requestId)) await save(core, entry);
      return entry;
    },
    /**
     * Resolves once it is durable. Of two calls for one request the later has to wait for the earlier.
     * @throws HopbackError `storage-failed`: it is kept, and becomes durable by `durable`; `closed`
     */
    save: (entry: ResponderEntry) => save(core, entry),
    /** Whether a request fits, once what is closed has made room. */
    room: (entry: ResponderEntry): 'free' | 'full' | 'too-large' => room(core, entry),
    isCancelled: (requestId: string) => cancelled.has(requestId),
    /** Remembers that a request which is not there yet is no longer asked. @throws HopbackError as `save` */
    rememberCancelled: async (requestId: string, atMs: number) => {
      cancelled.set(requestId, atMs);
      await values.set(cancelledKey(requestId), String(atMs));
      await drop(core, cancelled, cancelledKey);
    },
    notices,
    /** @throws HopbackError as `save` */
    saveNotice: async (tracked: TrackedNotice) => {
      notices.set(tracked.notice.noticeId, tracked);
      await values.set(noticeKey(tracked.notice.noticeId), JSON.stringify(tracked));
      const done = new Map([...notices].filter(([, one]) => !isNoticeOpen(one)));
      if (notices.size > MOST_OTHERS) await drop(core, done, noticeKey, notices);
    },
    sizeBytes: () => values.state().sizeBytes,
    /** @throws HopbackError `storage-failed` when what was not durable could not be written */
    close: () => values.close(),
  };
}

async function save(core: JournalCore, entry: ResponderEntry): Promise<void> {
  const { values, unsaved } = core;
  const { requestId } = entry;
  const text = entryText(entry);
  if (text === undefined)
    throw new HopbackError('invalid-argument', `an entry has at most ${String(ENTRY_BYTES)} bytes`);
  if (!core.summaries.has(requestId)) await makeRoom(core);
  remember(core, entry);
  unsaved.add(requestId);
  try {
    await values.set(requestKey(requestId), text);
  } catch (error) {
    // As the journal has it: it may have taken the value without being able to say that it is durable, or have refused it.
    const kept = readEntry(values.get(requestKey(requestId)));
    if (kept === undefined) forget(core, requestId);
    else remember(core, kept);
    throw error;
  }
  unsaved.delete(requestId);
  if (core.cancelled.delete(requestId)) await values.set(cancelledKey(requestId), undefined);
}

function forget({ summaries, open, unsaved }: JournalCore, requestId: string): void {
  summaries.delete(requestId);
  open.delete(requestId);
  unsaved.delete(requestId);
}

function room(core: JournalCore, entry: ResponderEntry): 'free' | 'full' | 'too-large' {
  if (Buffer.byteLength(requestKey(entry.requestId)) > JOURNAL_KEY_BYTES) return 'too-large';
  // What is found and answered has to fit beside it.
  const text = entryText(entry);
  if (text === undefined || Buffer.byteLength(text) > ENTRY_BYTES / 2) return 'too-large';
  return core.summaries.size < core.most || core.open.size < core.summaries.size ? 'free' : 'full';
}

/** The oldest that are closed go: their answers are at the platform, and what they rest on is in the evidence. */
async function makeRoom(core: JournalCore): Promise<void> {
  const { summaries, open, most, values } = core;
  if (summaries.size < most) return;
  const closed = [...summaries.values()]
    .filter(({ requestId }) => !open.has(requestId))
    .toSorted((one, other) => one.receivedAtMs - other.receivedAtMs);
  // Some at once, so that not every request looks through all of them.
  for (const { requestId } of closed.slice(0, Math.max(1, Math.floor(most / ROOM_PART)))) {
    forget(core, requestId);
    await values.set(requestKey(requestId), undefined);
  }
}

const ROOM_PART = 100;

/** Removes the oldest of what may be removed. */
async function drop(
  { values }: JournalCore,
  entries: Map<string, unknown>,
  keyOf: (id: string) => string,
  kept: Map<string, unknown> = entries,
): Promise<void> {
  for (const id of [...entries.keys()]) {
    if (kept.size <= MOST_OTHERS) return;
    kept.delete(id);
    await values.set(keyOf(id), undefined);
  }
}

/** What a responder has in its directory, as of a moment. */
export interface ResponderSnapshot {
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  readonly directoryId?: string;
  /** By deadline. */
  readonly entries: readonly ResponderEntry[];
  readonly notices: readonly TrackedNotice[];
}

/**
 * Reads what a responder has, whether it runs or not: nothing is locked, changed or repaired.
 * @param directory - of the responder
 * @returns its requests and notices, and what it works by
 * @throws {@link HopbackError} `storage-failed` when the disk refuses, or there was never a responder
 * @see {@link createTracebackResponder}
 * @example
 * ```ts
 * const error: unknown = await readResponder('/nowhere').catch((caught: unknown) => caught);
 * console.log(isHopbackError(error) && error.code); // storage-failed
 * ```
 */
export async function readResponder(directory: string): Promise<ResponderSnapshot> {
  const values = await readValueJournal(join(directory, 'journal'));
  const settings = values.get(SETTINGS_KEY);
  if (settings === undefined) throw new HopbackError('storage-failed', 'there is no responder in that directory');
  const { provider, policy, directoryId } = JSON.parse(settings) as Pick<
    ResponderSnapshot,
    'provider' | 'policy' | 'directoryId'
  >;
  const entries: ResponderEntry[] = [];
  const notices: TrackedNotice[] = [];
  for (const [key, text] of values) {
    const entry = key.startsWith('r/') ? readEntry(text) : undefined;
    if (entry !== undefined) entries.push(entry);
    const notice = key.startsWith('n/') ? readNotice(text) : undefined;
    if (notice !== undefined) notices.push(notice);
  }
  entries.sort((one, other) => one.deadline.dueAtMs - other.deadline.dueAtMs);
  return defined({ provider, policy, directoryId, entries, notices });
}
