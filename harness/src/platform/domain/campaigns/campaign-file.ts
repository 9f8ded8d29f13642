import type { CampaignCall, DomainEventData } from '../../core/index.js';
import type { PlacedCall } from './call-note.js';
import { exchangeText } from './call-note.js';
import type { DistinctSketch } from './key-tables.js';
import { createDistinctSketch } from './key-tables.js';

/** What a campaign's calls belong together by. */
export type CampaignKey =
  /** A group of calls, `signer:707S`, and the way in which it calls. */
  | {
      readonly kind: 'group';
      readonly group: string;
      readonly way: string;
    }
  /** A calling number, canonical. Sealed wherever it is stored. */
  | { readonly kind: 'calling-number'; readonly tn: string }
  /** A number that people are asked to call. Sealed wherever it is stored. */
  | { readonly kind: 'call-back-number'; readonly tn: string }
  /** Method and value of an audio fingerprint, hashed. */
  | { readonly kind: 'recording'; readonly recording: string }
  /** A transcript, numbers left out, that stands for its script. */
  | {
      readonly kind: 'script';
      readonly transcript: string;
      readonly language?: string;
    };

/** Whether a campaign is told of, and what an analyst said of it. */
export interface CampaignStanding {
  readonly state: 'live' | 'dormant' | 'closed';
  /** Why it is in that state, as a word; since when, milliseconds since the epoch. */
  readonly because: 'calls-came' | 'no-calls' | 'closed-by-analyst' | 'lawful' | 'merged' | 'silent-for-long';
  readonly sinceMs: number;
}

/** A campaign, as it grows. Plain JSON but for the sketches; holds no telephone number but in `keys`. */
export interface CampaignFile {
  readonly campaignId: string;
  name: string;
  isNamedByAnalyst: boolean;
  /** Kind of fraud, a word. */
  kind: string;
  standing: CampaignStanding;
  /** Campaign that it was merged into. */
  mergedInto: string | undefined;
  /** Campaigns that an analyst keeps apart from it. */
  readonly apartFrom: Set<string>;
  readonly keys: Map<string, CampaignKey>;
  /** Calls by why they belong: script, recording, way of calling, … */
  readonly reasons: Map<string, number>;
  /** Calls that were placed, and of which at least one record or report has come. */
  observedCalls: number;
  /** What they were counted from: records of carriers and reports of applications. */
  carrierRecords: number;
  appReports: number;
  /** Of the calls: on carriers' records, in reports, and in both. */
  recordedCalls: number;
  reportedCalls: number;
  bothCalls: number;
  readonly callingNumbers: DistinctSketch;
  readonly signers: Map<string, number>;
  readonly attestations: Map<string, number>;
  readonly upstreams: Map<string, number>;
  readonly reporters: Map<string, number>;
  /** By area code of who was called. */
  readonly areas: Map<string, number>;
  readonly transcripts: string[];
  firstSeenMs: number;
  lastSeenMs: number;
  /** Calls in each of the last minutes: minute since the epoch and calls. */
  readonly minutes: Map<number, number>;
}

/** Counts of calls and of what they were counted from. */
const COUNTS = [
  'observedCalls',
  'carrierRecords',
  'appReports',
  'recordedCalls',
  'reportedCalls',
  'bothCalls',
] as const;

/** Counts by name. */
const NAMES = ['reasons', 'signers', 'attestations', 'upstreams', 'reporters', 'areas'] as const;

/** Entries of each count by name: what comes later is counted as `other`. A campaign with more signers is seen by the first ones. */
export const MAX_NAMES = 256;
/** Transcripts that stand for a campaign. */
export const MAX_TRANSCRIPTS = 4;
/** Things that hold one campaign together; more come of a merger that went wrong. */
const MAX_CAMPAIGN_KEYS = 512;
/** Minutes over which a rate is counted: long enough for a rate of a call in a quarter of an hour. */
export const RATE_MINUTES = 15;

/** Starts a campaign. Never throws. */
function createCampaignFile(campaignId: string, atMs: number): CampaignFile {
  return {
    campaignId,
    name: campaignId,
    isNamedByAnalyst: false,
    kind: 'unknown',
    standing: { state: 'live', because: 'calls-came', sinceMs: atMs },
    mergedInto: undefined,
    apartFrom: new Set(),
    keys: new Map(),
    observedCalls: 0,
    carrierRecords: 0,
    appReports: 0,
    recordedCalls: 0,
    reportedCalls: 0,
    bothCalls: 0,
    callingNumbers: createDistinctSketch(),
    ...byName(() => new Map<string, number>()),
    transcripts: [],
    firstSeenMs: atMs,
    lastSeenMs: atMs,
    minutes: new Map(),
  };
}

/** Name of a key within its campaign. Never throws. */
export function keyName(key: CampaignKey): string {
  switch (key.kind) {
    case 'group':
      return `group\n${key.group}\n${key.way}`;
    case 'calling-number':
    case 'call-back-number':
      return `${key.kind}\n${key.tn}`;
    case 'recording':
      return `recording\n${key.recording}`;
    case 'script':
      return `script\n${key.transcript}`;
    default:
      return key satisfies never;
  }
}

/** A record or report that is counted. */
export interface CountedCall {
  readonly call: CampaignCall;
  readonly callingKey: number;
  /** Of a record: how the call came; and who signed it, sent it and recorded it, as far as no record of the call that was counted before says so. */
  readonly record:
    | {
        readonly attestation: string;
        readonly signer: string | undefined;
        readonly upstream: string | undefined;
        readonly reporter: string | undefined;
      }
    | undefined;
  /** Records and reports of the same call that were counted before. */
  readonly before: { readonly records: number; readonly reports: number };
  readonly reasons: readonly string[];
}

/** Counts a record or report: the call that it is evidence of only where it is the first. Never throws. */
function countCall(file: CampaignFile, { call, callingKey, record, before, reasons }: CountedCall): void {
  seeCall(file, call.atMs);
  if (record === undefined) {
    file.appReports += 1;
    if (before.reports === 0) file.reportedCalls += 1;
    if (before.reports === 0 && before.records > 0) file.bothCalls += 1;
  } else {
    file.carrierRecords += 1;
    if (record.upstream !== undefined) countName(file.upstreams, record.upstream);
    if (record.reporter !== undefined) countName(file.reporters, record.reporter);
    // Whoever signs a call has no signature on its own record of it.
    if (record.signer !== undefined) countName(file.signers, record.signer);
    if (before.records === 0) {
      file.recordedCalls += 1;
      if (before.reports > 0) file.bothCalls += 1;
      countName(file.attestations, record.attestation);
    }
  }
  if (before.records + before.reports > 0) return;
  file.observedCalls += 1;
  for (const reason of reasons) countName(file.reasons, reason);
  if (callingKey >= 0) file.callingNumbers.add(callingKey);
  if (call.calledNpaNxx !== undefined) countName(file.areas, call.calledNpaNxx.slice(0, 3));
  const minute = Math.floor(call.atMs / 60_000);
  file.minutes.set(minute, (file.minutes.get(minute) ?? 0) + 1);
  if (file.minutes.size > 2 * RATE_MINUTES) forgetMinutes(file);
}

/** Notes when a call of the campaign was, without counting it. Never throws. */
function seeCall(file: CampaignFile, atMs: number): void {
  file.firstSeenMs = Math.min(file.firstSeenMs, atMs);
  file.lastSeenMs = Math.max(file.lastSeenMs, atMs);
}

/** Takes a call back with all that was counted of it. Never throws. */
function uncountCall(file: CampaignFile, { records, reports, reasons }: PlacedCall): void {
  const notes = records.filter(({ campaignId }) => campaignId !== undefined);
  const counted = reports.filter(({ isCounted }) => isCounted);
  const [note] = notes;
  const first = note ?? counted[0]?.call;
  if (first === undefined) return;
  file.observedCalls -= 1;
  file.carrierRecords -= notes.length;
  file.appReports -= counted.length;
  if (note !== undefined) {
    file.recordedCalls -= 1;
    countName(file.attestations, note.isFailed ? 'failed' : (note.attestation ?? 'none'), -1);
  }
  if (counted.length > 0) file.reportedCalls -= 1;
  if (note !== undefined && counted.length > 0) file.bothCalls -= 1;
  const different = (member: 'signer' | 'upstream' | 'reporterId'): ReadonlySet<string> =>
    new Set(notes.flatMap((one) => one[member] ?? []));
  for (const name of different('signer')) countName(file.signers, name, -1);
  for (const name of different('upstream')) countName(file.upstreams, name, -1);
  for (const name of different('reporterId')) countName(file.reporters, name, -1);
  for (const reason of reasons) countName(file.reasons, reason, -1);
  const npaNxx = note === undefined ? counted[0]?.call.calledNpaNxx : exchangeText(note.calledNpaNxx);
  if (npaNxx !== undefined) countName(file.areas, npaNxx.slice(0, 3), -1);
  const minute = Math.floor(first.atMs / 60_000);
  const inMinute = file.minutes.get(minute);
  if (inMinute !== undefined) file.minutes.set(minute, inMinute - 1);
}

/** Calls an hour at a time, by the last quarter of an hour, or by less where it has called for less. Never throws. */
export function ratePerHour(file: CampaignFile, nowMs: number): number {
  const nowMinute = Math.floor(nowMs / 60_000);
  let calls = 0;
  for (const [minute, count] of file.minutes)
    if (minute > nowMinute - RATE_MINUTES && minute <= nowMinute) calls += count;
  const sinceMs = Math.max(file.firstSeenMs, (nowMinute - RATE_MINUTES + 1) * 60_000);
  const hours = Math.max(60_000, nowMs - sinceMs) / 3_600_000;
  return Math.round(calls / hours);
}

/** Takes over all that another campaign has. Never throws. */
function joinFiles(into: CampaignFile, from: CampaignFile, atMs: number): void {
  for (const [name, key] of from.keys) if (into.keys.size < MAX_CAMPAIGN_KEYS) into.keys.set(name, key);
  for (const member of NAMES) for (const [name, count] of from[member]) countName(into[member], name, count);
  for (const [minute, count] of from.minutes) into.minutes.set(minute, (into.minutes.get(minute) ?? 0) + count);
  forgetMinutes(into);
  for (const transcript of from.transcripts) keepTranscript(into, transcript);
  into.callingNumbers.join(from.callingNumbers);
  for (const member of COUNTS) into[member] += from[member];
  into.firstSeenMs = Math.min(into.firstSeenMs, from.firstSeenMs);
  into.lastSeenMs = Math.max(into.lastSeenMs, from.lastSeenMs);
  if (!into.isNamedByAnalyst && into.transcripts.length > 0 && from.kind !== 'unknown' && into.kind === 'unknown') {
    into.name = from.name;
    into.kind = from.kind;
  }
  from.mergedInto = into.campaignId;
  from.standing = { state: 'closed', because: 'merged', sinceMs: atMs };
  from.keys.clear();
}

/** Keeps a transcript if there is room. Never throws. */
function keepTranscript(file: CampaignFile, transcript: string): void {
  if (file.transcripts.length < MAX_TRANSCRIPTS && !file.transcripts.includes(transcript)) {
    file.transcripts.push(transcript);
  }
}

/** Counts under a name, or as `other` where there are too many. Never throws. */
export function countName(counts: Map<string, number>, name: string, by: number = 1): void {
  const key = counts.has(name) || counts.size < MAX_NAMES ? name : 'other';
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function forgetMinutes(file: CampaignFile): void {
  const least = Math.floor(file.lastSeenMs / 60_000) - RATE_MINUTES;
  for (const minute of file.minutes.keys()) if (minute < least) file.minutes.delete(minute);
}

/** A {@link CampaignFile} as it is stored: plain JSON. Its keys are stored apart, since some are telephone numbers. */
export interface SavedCampaign {
  readonly format: 'hopback.saved-campaign.1';
  readonly campaignId: string;
  readonly name: string;
  readonly isNamedByAnalyst: boolean;
  readonly kind: string;
  readonly standing: CampaignStanding;
  readonly mergedInto?: string;
  readonly apartFrom: readonly string[];
  /** Records and reports are absent in what was stored before they were counted. */
  readonly counts: Readonly<Record<'observedCalls' | 'recordedCalls' | 'reportedCalls' | 'bothCalls', number>> &
    Readonly<Partial<Record<'carrierRecords' | 'appReports', number>>>;
  readonly names: Readonly<Record<(typeof NAMES)[number], readonly (readonly [string, number])[]>>;
  readonly callingNumbers: string;
  readonly transcripts: readonly string[];
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly minutes: readonly (readonly [number, number])[];
}

const byName = <Value>(valueOf: (member: (typeof NAMES)[number]) => Value) =>
  Object.fromEntries(NAMES.map((member) => [member, valueOf(member)])) as Record<(typeof NAMES)[number], Value>;

/** A campaign as it is stored. Never throws. */
export function savedCampaign(file: CampaignFile): SavedCampaign {
  const { campaignId, name, isNamedByAnalyst, kind, standing, mergedInto, firstSeenMs, lastSeenMs } = file;
  return {
    format: 'hopback.saved-campaign.1',
    campaignId,
    name,
    isNamedByAnalyst,
    kind,
    standing,
    firstSeenMs,
    lastSeenMs,
    ...(mergedInto !== undefined && { mergedInto }),
    apartFrom: [...file.apartFrom],
    counts: Object.fromEntries(COUNTS.map((member) => [member, file[member]])) as SavedCampaign['counts'],
    names: byName((member) => [...file[member]]),
    callingNumbers: file.callingNumbers.saved(),
    transcripts: [...file.transcripts],
    minutes: [...file.minutes],
  };
}

/** A campaign as it was stored, with its keys. Never throws for what {@link savedCampaign} made. */
export function restoredCampaign(saved: SavedCampaign, keys: readonly CampaignKey[]): CampaignFile {
  const { campaignId, name, isNamedByAnalyst, kind, standing, firstSeenMs, lastSeenMs, names } = saved;
  return {
    campaignId,
    name,
    isNamedByAnalyst,
    kind,
    standing,
    firstSeenMs,
    lastSeenMs,
    // As many as calls, at the least.
    carrierRecords: saved.counts.recordedCalls,
    appReports: saved.counts.reportedCalls,
    ...saved.counts,
    mergedInto: saved.mergedInto,
    apartFrom: new Set(saved.apartFrom),
    keys: new Map(keys.map((key) => [keyName(key), key])),
    ...byName((member) => new Map(names[member])),
    callingNumbers: createDistinctSketch(saved.callingNumbers),
    transcripts: [...saved.transcripts],
    minutes: new Map(saved.minutes),
  };
}

/** What has become of a campaign that others rest on. */
export type CampaignChange = DomainEventData['campaign.changed']['change'];

/** What is new of a campaign since it was last asked. */
export interface CampaignNews {
  readonly file: CampaignFile;
  readonly calls: readonly CampaignCall[];
  readonly changes: readonly CampaignChange[];
}

/** Calls of one campaign that are told one by one until they are taken; the others are counted. Ten seconds of 1,000 a second. */
export const MAX_CALLS_TOLD = 10_000;

/** All campaigns, and what is new of them. */
export class CampaignBook {
  readonly #options: { readonly newId: () => string; readonly limit: number };
  readonly #files = new Map<string, CampaignFile>();
  readonly #news = new Map<string, { calls: CampaignCall[]; changes: CampaignChange[] }>();
  #hasChanges = false;
  #expected: ReadonlyMap<string, string> = new Map();

  /** @param options - how ids are made, and how many campaigns are told from others */
  constructor(options: { readonly newId: () => string; readonly limit: number }) {
    this.#options = options;
  }

  /** Under the id it has now, after mergers. */
  file(campaignId: string | undefined): CampaignFile | undefined {
    let file = campaignId === undefined ? undefined : this.#files.get(campaignId);
    // Mergers point to older ones only, and never in a circle.
    while (file?.mergedInto !== undefined) file = this.#files.get(file.mergedInto);
    return file;
  }

  files(): IterableIterator<CampaignFile> {
    return this.#files.values();
  }

  touch(file: CampaignFile, change?: CampaignChange): void {
    const { changes } = this.#newsOf(file);
    if (change === undefined) return;
    this.#hasChanges = true;
    if (!changes.includes(change)) changes.push(change);
  }

  name(file: CampaignFile, origin: { readonly name: string; readonly kind: string }): void {
    file.kind = origin.kind;
    if (!file.isNamedByAnalyst) file.name = this.#freeName(origin.name, file);
    this.touch(file);
  }

  /** @param callIds - calls that it is found by: a replay gives it the id under which they are stored */
  open(
    atMs: number,
    origin: { readonly name: string; readonly kind: string },
    callIds: readonly string[],
  ): CampaignFile {
    if (this.#files.size >= this.#options.limit) forgetOldest(this.#files, this.#news);
    const storedIds = callIds.map((callId) => this.#expected.get(callId));
    const stored = storedIds.find((id) => id !== undefined && !this.#files.has(id));
    const file = createCampaignFile(stored ?? this.#options.newId(), atMs);
    this.#files.set(file.campaignId, file);
    this.name(file, origin);
    this.touch(file, 'found');
    return file;
  }

  restore(file: CampaignFile): void {
    this.#files.set(file.campaignId, file);
  }

  /**
   * Campaigns that are stored and that a replay has still to find, by the ids of their calls: a campaign that is opened with such a call is
   * that one. An empty map ends it.
   */
  expect(campaignIds: ReadonlyMap<string, string>): void {
    this.#expected = campaignIds;
  }

  /** All campaigns, merged ones too, as plain values. */
  state() {
    return {
      files: [...this.#files.values()].map((file) => ({ saved: savedCampaign(file), keys: [...file.keys.values()] })),
    };
  }

  /** Takes a saved state over. @throws what a saved campaign of another form throws */
  restoreState(saved: ReturnType<CampaignBook['state']>): void {
    for (const one of saved.files) this.#files.set(one.saved.campaignId, restoredCampaign(one.saved, one.keys));
  }

  /** Counts a record or report that belongs to it, and has it live again if it was silent. */
  count(file: CampaignFile, counted: CountedCall): void {
    countCall(file, counted);
    const { calls } = this.#newsOf(file);
    if (calls.length < MAX_CALLS_TOLD) calls.push(counted.call);
    this.#revive(file, counted.call.atMs);
  }

  /** Takes back what was counted of a call. */
  uncount(file: CampaignFile, call: PlacedCall): void {
    uncountCall(file, call);
    const own = this.#newsOf(file);
    own.calls = own.calls.filter(({ placedCallId }) => placedCallId !== call.name);
  }

  /** Has it live again, by a call that is counted for another campaign. */
  see(file: CampaignFile, atMs: number): void {
    seeCall(file, atMs);
    this.touch(file);
    this.#revive(file, atMs);
  }

  hold(file: CampaignFile, key: CampaignKey): void {
    if (file.keys.size >= MAX_CAMPAIGN_KEYS) return;
    file.keys.set(keyName(key), key);
    this.touch(file);
  }

  hear(file: CampaignFile, transcript: string): void {
    keepTranscript(file, transcript);
  }

  areApart(one: CampaignFile, other: CampaignFile): boolean {
    return one.apartFrom.has(other.campaignId) || other.apartFrom.has(one.campaignId);
  }

  /** False where they are kept apart, or are one already. */
  join(into: CampaignFile, from: CampaignFile, atMs: number): boolean {
    if (into === from || into.apartFrom.has(from.campaignId) || from.apartFrom.has(into.campaignId)) return false;
    joinFiles(into, from, atMs);
    this.touch(from, 'merged');
    this.touch(into);
    return true;
  }

  /** Whether there is news that others rest on: a campaign that is new, or calls again. */
  hasChanges(): boolean {
    return this.#hasChanges;
  }

  /** What is new; what was taken is news no more. */
  take(): readonly CampaignNews[] {
    const taken = [...this.#news].flatMap(([campaignId, { calls, changes }]) => {
      const file = this.#files.get(campaignId);
      return file === undefined ? [] : [{ file, calls, changes }];
    });
    this.#news.clear();
    this.#hasChanges = false;
    return taken;
  }

  #newsOf(file: CampaignFile): { calls: CampaignCall[]; changes: CampaignChange[] } {
    let found = this.#news.get(file.campaignId);
    if (found === undefined) {
      found = { calls: [], changes: [] };
      this.#news.set(file.campaignId, found);
    }
    return found;
  }

  #revive(file: CampaignFile, atMs: number): void {
    const { state, because } = file.standing;
    if (state === 'live' || because === 'lawful' || because === 'closed-by-analyst') return;
    file.standing = { state: 'live', because: 'calls-came', sinceMs: atMs };
    this.touch(file, 'live');
  }

  #freeName(wanted: string, own: CampaignFile): string {
    const taken = new Set<string>();
    for (const file of this.#files.values()) if (file !== own && file.mergedInto === undefined) taken.add(file.name);
    let name = wanted;
    for (let variant = 2; taken.has(name); variant += 1) name = `${wanted}-P${String(variant)}`;
    return name;
  }
}

/** What was merged or closed goes first; never one of which there is news that nobody has stored. */
function forgetOldest(files: Map<string, CampaignFile>, news: ReadonlyMap<string, unknown>): void {
  let oldest: CampaignFile | undefined;
  const rank = ({ standing, lastSeenMs }: CampaignFile): number =>
    lastSeenMs + (standing.state === 'closed' ? 0 : Number.MAX_SAFE_INTEGER / 2);
  for (const file of files.values()) {
    if (news.has(file.campaignId)) continue;
    if (oldest === undefined || rank(file) < rank(oldest)) oldest = file;
  }
  if (oldest !== undefined) files.delete(oldest.campaignId);
}
