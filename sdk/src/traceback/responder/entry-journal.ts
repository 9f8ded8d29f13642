import { join } from 'node:path';
import { defined, membersOf, parsedJson } from '../../core/text.js';
import type { CallRecord } from '../../contract/call-record.js';
import type { ProviderReference } from '../../contract/common.js';
import { HopbackError } from '../../errors.js';
import { ValueJournal } from '../../log/index.js';
import { JOURNAL_KEY_BYTES, readValueJournal } from '../../log/value-journal.js';
import type { ValueJournalOptions } from '../../log/index.js';
import type { MatchCandidate, MatchOutcome } from '../match-outcome.js';
import type { TracebackPolicyData } from '../policy/traceback-policy.js';
import { isClosed, isNoticeOpen, summaryOf } from './responder-contract.js';
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
  const value = parsedJson(text);
  return membersOf(value)['format'] === 'hopback.responder-entry.1' ? (value as ResponderEntry) : undefined;
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
    ...defined({ egressLeg: candidate.egressLeg && change(candidate.egressLeg) }),
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

/** Keys of the journal: `r/` requests, `c/` requests that were cancelled before they came, `n/` notices, `s/settings` what it works by. */
const SETTINGS_KEY = 's/settings';
const requestKey = (requestId: string): string => `r/${requestId}`;
const cancelledKey = (requestId: string): string => `c/${requestId}`;
const noticeKey = (noticeId: string): string => `n/${noticeId}`;

/** Cancellations of requests that never came, and notices: beyond, the oldest go. */
const MOST_OTHERS = 1_000;
const SLACK_KEYS = 64;
const ROOM_PART = 100;

/**
 * Opens the journal and reads it.
 * @throws HopbackError `storage-failed`, `invalid-argument`
 */
export async function openEntryJournal(
  options: Pick<ValueJournalOptions, 'directory' | 'files' | 'clock' | 'schedule'>,
  { requests, settings }: { readonly requests: number; readonly settings: string },
): Promise<EntryJournal> {
  const values = await ValueJournal.open({
    ...options,
    // Requests, those whose removal is on its way, cancellations, notices and the settings.
    maxKeys: requests + 2 * MOST_OTHERS + SLACK_KEYS,
    maxValueBytes: ENTRY_BYTES,
  });
  const journal = new EntryJournal(values, requests);
  try {
    if (values.get(SETTINGS_KEY) !== settings) await values.set(SETTINGS_KEY, settings);
  } catch (error) {
    await values.close().catch(() => undefined);
    throw error;
  }
  return journal;
}

/** The requests of a responder, durable one by one, with what is in memory of each. */
export class EntryJournal {
  /** All requests, by id. */
  readonly summaries = new Map<string, EntrySummary>();
  /** Those that are not closed, or of which somebody has not been told, or the evidence. */
  readonly open = new Set<string>();
  readonly notices = new Map<string, TrackedNotice>();
  readonly #unsaved = new Set<string>();
  readonly #cancelled = new Map<string, number>();
  readonly #values: ValueJournal;
  readonly #most: number;

  constructor(values: ValueJournal, most: number) {
    this.#values = values;
    this.#most = most;
    for (const [key, text] of values.entries()) {
      const entry = key.startsWith('r/') ? readEntry(text) : undefined;
      if (entry !== undefined) this.#remember(entry);
      if (key.startsWith('c/')) this.#cancelled.set(key.slice(2), Number(text));
      const notice = key.startsWith('n/') ? (parsedJson(text) as TrackedNotice | undefined) : undefined;
      if (notice !== undefined) this.notices.set(key.slice(2), notice);
    }
  }

  /** As it was set last, durable or about to be. */
  get(requestId: string): ResponderEntry | undefined {
    return readEntry(this.#values.get(requestKey(requestId)));
  }

  /**
   * As `get`, once it is durable.
   * @throws HopbackError `storage-failed`, `closed`
   */
  async durable(requestId: string): Promise<ResponderEntry | undefined> {
    const entry = this.get(requestId);
    if (entry !== undefined && this.#unsaved.has(requestId)) await this.save(entry);
    return entry;
  }

  /**
   * Resolves once it is durable. Of two calls for one request the later has to wait for the earlier.
   * @throws HopbackError `storage-failed`: it is kept, and becomes durable by `durable`; `closed`
   */
  async save(entry: ResponderEntry): Promise<void> {
    const { requestId } = entry;
    const text = entryText(entry);
    if (text === undefined)
      throw new HopbackError('invalid-argument', `an entry has at most ${String(ENTRY_BYTES)} bytes`);
    if (!this.summaries.has(requestId)) await this.#makeRoom();
    this.#remember(entry);
    this.#unsaved.add(requestId);
    try {
      await this.#values.set(requestKey(requestId), text);
    } catch (error) {
      // As the journal has it: it may have taken the value without being able to say that it is durable, or have refused it.
      const kept = this.get(requestId);
      if (kept === undefined) this.#forget(requestId);
      else this.#remember(kept);
      throw error;
    }
    this.#unsaved.delete(requestId);
    if (this.#cancelled.delete(requestId)) await this.#values.set(cancelledKey(requestId), undefined);
  }

  /** Whether a request fits, once what is closed has made room. */
  room(entry: ResponderEntry): 'free' | 'full' | 'too-large' {
    if (Buffer.byteLength(requestKey(entry.requestId)) > JOURNAL_KEY_BYTES) return 'too-large';
    // What is found and answered has to fit beside it.
    const text = entryText(entry);
    if (text === undefined || Buffer.byteLength(text) > ENTRY_BYTES / 2) return 'too-large';
    return this.summaries.size < this.#most || this.open.size < this.summaries.size ? 'free' : 'full';
  }

  isCancelled(requestId: string): boolean {
    return this.#cancelled.has(requestId);
  }

  /** Remembers that a request which is not there yet is no longer asked. @throws HopbackError as `save` */
  async rememberCancelled(requestId: string, atMs: number): Promise<void> {
    this.#cancelled.set(requestId, atMs);
    await this.#values.set(cancelledKey(requestId), String(atMs));
    await this.#drop(this.#cancelled, [...this.#cancelled.keys()], cancelledKey);
  }

  /** @throws HopbackError as `save` */
  async saveNotice(tracked: TrackedNotice): Promise<void> {
    const { noticeId } = tracked.notice;
    this.notices.set(noticeId, tracked);
    await this.#values.set(noticeKey(noticeId), JSON.stringify(tracked));
    const done = [...this.notices].flatMap(([id, one]) => (isNoticeOpen(one) ? [] : [id]));
    await this.#drop(this.notices, done, noticeKey);
  }

  sizeBytes(): number {
    return this.#values.state().sizeBytes;
  }

  /** @throws HopbackError `storage-failed` when what was not durable could not be written */
  close(): Promise<void> {
    return this.#values.close();
  }

  #remember(entry: ResponderEntry): void {
    const summary = summaryOf(entry);
    this.summaries.set(summary.requestId, summary);
    if (isClosed(summary.state) && !summary.isUntold && !summary.isUnfiled) this.open.delete(summary.requestId);
    else this.open.add(summary.requestId);
  }

  #forget(requestId: string): void {
    this.summaries.delete(requestId);
    this.open.delete(requestId);
    this.#unsaved.delete(requestId);
  }

  /** The oldest that are closed go: their answers are at the platform, and what they rest on is in the evidence. */
  async #makeRoom(): Promise<void> {
    if (this.summaries.size < this.#most) return;
    const closed = [...this.summaries.values()]
      .filter(({ requestId }) => !this.open.has(requestId))
      .toSorted((one, other) => one.receivedAtMs - other.receivedAtMs);
    // Some at once, so that not every request looks through all of them.
    for (const { requestId } of closed.slice(0, Math.max(1, Math.floor(this.#most / ROOM_PART)))) {
      this.#forget(requestId);
      await this.#values.set(requestKey(requestId), undefined);
    }
  }

  /** Removes the oldest of what may be removed. */
  async #drop(kept: Map<string, unknown>, removable: readonly string[], keyOf: (id: string) => string): Promise<void> {
    for (const id of removable) {
      if (kept.size <= MOST_OTHERS) return;
      kept.delete(id);
      await this.#values.set(keyOf(id), undefined);
    }
  }
}

/** The journal holds what this package wrote, with a checksum. */
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
 * @see {@link TracebackResponder}
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
    const notice = key.startsWith('n/') ? (parsedJson(text) as TrackedNotice | undefined) : undefined;
    if (notice !== undefined) notices.push(notice);
  }
  entries.sort((one, other) => one.deadline.dueAtMs - other.deadline.dueAtMs);
  return defined({
    provider,
    policy,
    directoryId,
    entries,
    notices,
  });
}
