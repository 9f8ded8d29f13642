import type { AppReport } from '@hopback/sdk/platform';
import type { LiveRecord } from '../../core/index.js';
import { exchangeText, npaNxxOfTn, numberKey, recordCallId, reportCallId } from './call-note.js';
import type { CallNote, PlacedCall, ReportedCall } from './call-note.js';
import type { CampaignPolicy } from './campaign-policy.js';
import type { ContentCluster } from './content-cluster.js';
import type { JoinKey, JoinTable, JoinTime } from './key-tables.js';
import { createJoinTable, keyHashOf } from './key-tables.js';

// Which records and reports are evidence of one call. docs/decisions/0020 says why, and how often it is wrong.

/** Calls that more evidence may come of. */
export interface PlacedCalls {
  readonly policy: CampaignPolicy;
  /** Calls on record, by calling number and exchange called. */
  readonly recorded: JoinTable<PlacedCall>;
  /** Those of campaigns: they stay for longer than others, since figures rest on them. */
  readonly counted: JoinTable<PlacedCall>;
  /** Calls on record by what names them: group of legs, PASSporT, Call-ID between two carriers. */
  readonly named: JoinTable<PlacedCall>;
  /** Reports of calls of which there is no record yet. */
  readonly waiting: JoinTable<WaitingReport>;
}

/** A report of a call of which the record may still come. */
export interface WaitingReport {
  readonly atMs: number;
  readonly cluster: ContentCluster | undefined;
  readonly reported: ReportedCall;
  isMet: boolean;
}

/** How far two switches may be apart in how long a call took: answers and ends pass through several of them. */
const DURATION_MS = 2_000;
/** How far clocks may be apart where the same PASSporT, or one Call-ID on the link between two carriers, says that it is one call. */
const NAMED_MS = 600_000;
/** Legs of one call may begin an hour after it, by a transfer; later, a switch may have given the name anew. */
const GROUP_MS = 3_600_000;
/** Of records and reports of one call, in the order of time, no two that follow each other are further apart. */
export const EVIDENCE_GAP_MS: number = GROUP_MS + NAMED_MS;
/** Two answered calls of one pair of numbers would have been at the same time: no line is called so. */
const OVERLAP_MS = 60_000;

/**
 * Makes the tables, empty. Never throws.
 * @param limits - calls on record and waiting reports that are remembered, powers of two
 */
export function createPlacedCalls(
  policy: CampaignPolicy,
  limits: { readonly calls: number; readonly reports: number },
): PlacedCalls {
  return {
    policy,
    // Twice as many places as entries: see putByNumbers.
    recorded: createJoinTable(limits.calls),
    counted: createJoinTable(limits.calls),
    named: createJoinTable(limits.calls / 2),
    waiting: createJoinTable(limits.reports * 2),
  };
}

/** The tables as they stand, by reference. Never throws. */
export const placedCallsState = ({ recorded, counted, named, waiting }: PlacedCalls) => ({
  recorded: recorded.state(),
  counted: counted.state(),
  named: named.state(),
  waiting: waiting.state(),
});

/** Takes saved tables over. @throws RangeError for tables of another size */
export function restorePlacedCalls(calls: PlacedCalls, saved: ReturnType<typeof placedCallsState>): void {
  for (const table of ['recorded', 'counted', 'named'] as const) calls[table].restore(saved[table]);
  calls.waiting.restore(saved.waiting);
}

/** All calls that more evidence may come of. Never throws. */
export function rememberedCalls({ recorded, counted, named, waiting }: PlacedCalls): ReadonlySet<PlacedCall> {
  const found = new Set<PlacedCall>();
  for (const table of [recorded, counted, named])
    for (const call of table.state().entries) if (call !== undefined) found.add(call);
  for (const report of waiting.state().entries) if (report !== undefined) found.add(report.reported.placed);
  return found;
}

/** Starts a call. Never throws. */
export function createPlacedCall(atMs: number, name?: string): PlacedCall {
  return {
    name,
    atMs,
    records: NONE,
    reports: NONE,
    campaignId: undefined,
    reasons: NONE,
  };
}

/** Most calls have one record: what is the same for all takes no room. */
const NONE: readonly never[] = [];

/** Name of a call, from now on the same for all of its evidence. Never throws. */
export function placedCallId(call: PlacedCall, known?: string): string {
  call.name ??= known;
  if (call.name !== undefined) return call.name;
  const [note] = call.records;
  call.name = note === undefined ? (call.reports[0]?.call.callId ?? '') : recordCallId(note.reporterId, note.recordId);
  return call.name;
}

/**
 * Finds the calls on record that a new record is a record of too: mostly none or one; several where this record is the first that ties them together.
 * Never throws.
 */
export function callsOfRecord(calls: PlacedCalls, note: CallNote, { record }: LiveRecord): readonly PlacedCall[] {
  const { named, policy } = calls;
  const { atMs } = note;
  const found: PlacedCall[] = [];
  addCall(found, named.near(nameKey(note.groupKey, 0), { atMs, withinMs: GROUP_MS, fits: isOnRecord }));
  const linked = {
    atMs,
    withinMs: NAMED_MS,
    fits: (call: PlacedCall) => isOnRecord(call) && nothingContradicts(note, call),
  };
  for (const key of linkKeys(record, 'other')) addCall(found, named.near(nameKey(key, 0), linked));
  const same = { atMs, withinMs: NAMED_MS, fits: (call: PlacedCall) => isRecordOf(note, call, policy) };
  if (isJoinable(note)) addCall(found, nearestOnRecord(calls, numbersKey(note), same));
  if (found.length === 0 && note.passportKey >= 0)
    addCall(found, named.near(nameKey(note.passportKey, note.calledNpaNxx), same));
  return found;
}

function addCall(found: PlacedCall[], call: PlacedCall | undefined): void {
  if (call !== undefined && !found.includes(call)) found.push(call);
}

/** Reports that waited for a record, and are about the call of this one: at most one of each application, the nearest in time. Never throws. */
export function reportsOfRecord(calls: PlacedCalls, note: CallNote, call: PlacedCall): readonly WaitingReport[] {
  if (!isJoinable(note)) return [];
  const met: WaitingReport[] = [];
  const when = {
    atMs: note.atMs,
    withinMs: calls.policy.joinSeconds * 1_000,
    fits: ({ isMet, reported }: WaitingReport) =>
      !isMet &&
      isSameCalled(note, reported) &&
      (reported.placed === call ||
        (reported.placed.records.length === 0 &&
          hasNoReportOf(call, reported) &&
          met.every((one) => !isOfOneApp(one.reported, reported)))),
  };
  const key = numbersKey(note);
  for (;;) {
    const found = nearByNumbers(calls.waiting, key, when);
    if (found === undefined) return met;
    found.isMet = true;
    met.push(found);
  }
}

/** The call on record that a report is about, or the one that another application reported at the same time. Never throws. */
export function callOfReport(
  calls: PlacedCalls,
  reported: Omit<ReportedCall, 'placed'>,
  calledNpaNxx: number,
): PlacedCall | undefined {
  const { callingKey, call } = reported;
  if (callingKey < 0) return undefined;
  const { policy, waiting } = calls;
  const key = { ...nameKey(callingKey, calledNpaNxx), calledKey: reported.calledKey };
  const recorded = nearestOnRecord(calls, key, {
    atMs: call.atMs,
    withinMs: policy.joinSeconds * 1_000,
    fits: (one) =>
      isOnRecord(one) && hasNoReportOf(one, reported) && one.records.every((note) => isSameCalled(note, reported)),
  });
  if (recorded !== undefined) return recorded;
  return nearByNumbers(waiting, key, {
    atMs: call.atMs,
    withinMs: policy.sameCallSeconds * 1_000,
    fits: (other) =>
      !other.isMet && hasNoReportOf(other.reported.placed, reported) && areCalledAlike(other.reported, reported),
  })?.reported.placed;
}

/** Has a call be found by a record of it. Never throws. */
export function rememberRecord(calls: PlacedCalls, note: CallNote, call: PlacedCall, { record }: LiveRecord): void {
  rememberNote(calls, note, call);
  for (const key of linkKeys(record, 'own')) calls.named.put(nameKey(key, 0), call);
}

/** The same without the Call-IDs of the record. Never throws. */
export function rememberNote({ named, recorded }: PlacedCalls, note: CallNote, call: PlacedCall): void {
  named.put(nameKey(note.groupKey, 0), call);
  if (note.passportKey >= 0) named.put(nameKey(note.passportKey, note.calledNpaNxx), call);
  if (isJoinable(note)) putByNumbers(recorded, numbersKey(note), call);
}

/** Adds a record to a call. Never throws. */
export function addRecord(call: PlacedCall, note: CallNote): void {
  if (call.records.length === 0) call.atMs = note.atMs;
  call.records = call.records.length === 0 ? [note] : [...call.records, note];
  note.placed = call;
}

/** Adds a report to a call. Never throws. */
export function addReport(call: PlacedCall, reported: ReportedCall): void {
  call.reports = [...call.reports, reported];
  reported.placed = call;
}

/** A report with the application that sent it. */
export interface ReceivedReport {
  readonly appId: string;
  readonly report: AppReport;
  readonly receivedAtMs: number;
}

/** What is known of a report beside what it says. */
export interface PlacedReportFacts {
  readonly reasons: readonly string[];
  /** What was heard in it. */
  readonly cluster: ContentCluster | undefined;
}

/**
 * Makes a report evidence of the call that it is about, which may be known already by records or by what another application reported. Where there is
 * no record of it yet, the report waits for one. Never throws.
 */
export function placeReport(
  calls: PlacedCalls,
  received: ReceivedReport,
  { reasons, cluster }: PlacedReportFacts,
): ReportedCall {
  const unplaced = { ...reportedCall(received), reasons };
  const { call } = unplaced;
  const npaNxx = calledNpaNxxOf(received.report);
  const placed = callOfReport(calls, unplaced, npaNxx) ?? createPlacedCall(call.atMs);
  const reported: ReportedCall = { ...unplaced, placed };
  addReport(placed, reported);
  waitForRecord(calls, { reported, cluster }, npaNxx);
  return reported;
}

/** Has a report be found by a record that is still to come. Never throws. */
export function waitForRecord(
  { waiting }: PlacedCalls,
  { reported, cluster }: { readonly reported: ReportedCall; readonly cluster: ContentCluster | undefined },
  calledNpaNxx: number,
): void {
  const { callingKey, placed, call } = reported;
  if (callingKey < 0 || placed.records.length > 0) return;
  const key = { ...nameKey(callingKey, calledNpaNxx), calledKey: reported.calledKey };
  putByNumbers(waiting, key, { atMs: call.atMs, cluster, reported, isMet: false });
}

/** A report as evidence, before it is known of which call. Never throws. */
export function reportedCall({
  appId,
  report,
  receivedAtMs,
}: ReceivedReport): Omit<ReportedCall, 'placed' | 'reasons'> {
  const atMs = Date.parse(report.calledAt);
  const exchange = exchangeText(calledNpaNxxOf(report));
  return {
    call: {
      callId: reportCallId(appId, report.reportId),
      atMs: Number.isFinite(atMs) ? Math.min(atMs, receivedAtMs) : receivedAtMs,
      reporterId: appId,
      reportId: report.reportId,
      ...(exchange !== undefined && { calledNpaNxx: exchange }),
      ...(report.durationSeconds !== undefined && { durationSeconds: report.durationSeconds }),
    },
    callingKey: report.calling === undefined ? -1 : numberKey(report.calling),
    calledKey: report.called.shown === 'number' ? numberKey(report.called.tn) : -1,
    isCounted: false,
  };
}

/** Area code and exchange of the number called, -1 where they are not known. Never throws. */
export function calledNpaNxxOf({ called }: AppReport): number {
  if (called.shown === 'number') return npaNxxOfTn(called.tn);
  return called.npaNxx === undefined ? -1 : Number(called.npaNxx);
}

/** Whether two calls on record may be one: nothing says that they are two. Never throws. */
export const mayBeOne = (one: PlacedCall, other: PlacedCall): boolean =>
  one.records.every((note) => nothingContradicts(note, other));

/** Records that others made of the same call before. Never throws. */
export const otherRecords = (note: CallNote): readonly CallNote[] =>
  note.placed === undefined || note.placed.records.length < 2
    ? NONE
    : note.placed.records.filter((other) => other !== note);

/** Numbers by which carriers and applications can speak of one call. Never throws. */
export const isJoinable = (note: CallNote): boolean => note.isCallingShown && note.calledNpaNxx >= 0;

/** Key of a record by its numbers, where {@link isJoinable}. Never throws. */
export const numbersKey = (note: CallNote): JoinKey => ({
  callingKey: note.callingKey,
  calledNpaNxx: note.calledNpaNxx,
  calledKey: note.isCalledShown ? note.calledKey : -1,
  sourceKey: note.sourceKey,
  groupKey: note.groupKey,
});

/** Key for an identifier of a call: its group, PASSporT or Call-ID. */
const nameKey = (callingKey: number, calledNpaNxx: number): JoinKey => ({
  callingKey,
  calledNpaNxx,
  calledKey: -1,
  sourceKey: -1,
  groupKey: -1,
});

function nearestOnRecord(
  { recorded, counted }: PlacedCalls,
  key: JoinKey,
  when: JoinTime<PlacedCall>,
): PlacedCall | undefined {
  const one = nearByNumbers(recorded, key, when);
  const other = nearByNumbers(counted, key, when);
  return nearer(one, other, when.atMs);
}

function nearer<Entry extends { readonly atMs: number }>(
  one: Entry | undefined,
  other: Entry | undefined,
  atMs: number,
): Entry | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.abs(one.atMs - atMs) <= Math.abs(other.atMs - atMs) ? one : other;
}

/** Newest calls between two numbers that a lookup examines. Nobody dials the same number more often within the minutes of joining. */
const MAX_OF_PAIR = 64;

/**
 * Stores an entry twice: among the calls to its called number, and among all calls to the exchange. A lookup that knows the called number then skips the
 * rest of the exchange, which one caller may dial a hundred times a second. Never throws.
 */
export function putByNumbers<Entry extends { readonly atMs: number }>(
  table: JoinTable<Entry>,
  key: JoinKey,
  entry: Entry,
): void {
  table.put(amongCalled(key, key.calledKey), entry);
  table.put(key, entry);
}

function nearByNumbers<Entry extends { readonly atMs: number }>(
  table: JoinTable<Entry>,
  key: JoinKey,
  when: JoinTime<Entry>,
): Entry | undefined {
  if (key.calledKey < 0) return table.near(key, when);
  const same = table.near(amongCalled(key, key.calledKey), when, MAX_OF_PAIR);
  return table.hasUncalled() ? nearer(same, table.near(amongCalled(key, -1), when), when.atMs) : same;
}

/** Key for the calls to one called number, or (-1) for those whose called number is unknown. */
const amongCalled = (key: JoinKey, calledKey: number): JoinKey => ({
  callingKey: key.callingKey + (calledKey < 0 ? 1 : calledKey + 2),
  calledNpaNxx: key.calledNpaNxx,
  calledKey: key.calledKey,
  sourceKey: key.sourceKey,
  groupKey: key.groupKey,
});

/** A call that was made one with another has no records any more. */
const isOnRecord = ({ records }: PlacedCall): boolean => records.length > 0;

/** Nothing says that it is another call, and with one of its records there is evidence that it is the same. */
const isRecordOf = (note: CallNote, { records }: PlacedCall, policy: CampaignPolicy): boolean =>
  nothingContradicts(note, { records }) && records.some((other) => agrees(note, other, policy));

const nothingContradicts = (note: CallNote, { records }: Pick<PlacedCall, 'records'>): boolean =>
  records.every((other) => !contradicts(note, other));

/** What says that two records are of two calls. */
function contradicts(note: CallNote, other: CallNote): boolean {
  // A switch has one name for a call: what it names differently it carried twice.
  if (note.sourceKey === other.sourceKey) return note.groupKey !== other.groupKey;
  if (note.isCalledShown && other.isCalledShown && note.calledKey !== other.calledKey) return true;
  if (note.isCallingShown && other.isCallingShown && note.callingKey !== other.callingKey) return true;
  // Whoever signs a call signs it once. A later hop may sign it anew.
  const isSignedByOne = note.signer !== undefined && note.signer === other.signer;
  return isSignedByOne && note.passportKey >= 0 && other.passportKey >= 0 && note.passportKey !== other.passportKey;
}

/** What says that two records that do not contradict each other are of one call. */
function agrees(note: CallNote, other: CallNote, { sameCallSeconds }: CampaignPolicy): boolean {
  if (note.groupKey === other.groupKey) return true;
  const resolutionMs = note.resolutionMs + other.resolutionMs;
  if (!endAlike(note, other, resolutionMs)) return false;
  if (note.passportKey >= 0 && note.passportKey === other.passportKey) return true;
  const apartMs = Math.abs(note.atMs - other.atMs);
  const isAtOnce = apartMs <= sameCallSeconds * 1_000 + resolutionMs;
  if (note.isCalledShown && other.isCalledShown) return isAtOnce || areAtTheSameTime(note, other, apartMs);
  const areSignersOther = note.signer !== undefined && other.signer !== undefined && note.signer !== other.signer;
  return isAtOnce && !areSignersOther;
}

const areAtTheSameTime = (note: CallNote, other: CallNote, apartMs: number): boolean =>
  apartMs < Math.min(OVERLAP_MS, (note.durationSeconds ?? 0) * 1_000, (other.durationSeconds ?? 0) * 1_000);

function endAlike(note: CallNote, other: CallNote, resolutionMs: number): boolean {
  if (note.durationSeconds === undefined || other.durationSeconds === undefined)
    return note.outcome === other.outcome || note.outcome === 'unknown' || other.outcome === 'unknown';
  return Math.abs(note.durationSeconds - other.durationSeconds) * 1_000 <= DURATION_MS + resolutionMs;
}

/** The Call-ID with which one carrier sends a call is that with which the next one receives it. */
function linkKeys({ ingress, egress }: LiveRecord['record'], side: 'own' | 'other'): readonly number[] {
  if (ingress.callId === undefined && egress.callId === undefined) return NONE;
  const [received, sent] = side === 'own' ? ['in', 'out'] : ['out', 'in'];
  const keys: number[] = [];
  if (ingress.callId !== undefined) keys.push(keyHashOf('link', received, ingress.callId));
  if (egress.callId !== undefined) keys.push(keyHashOf('link', sent, egress.callId));
  return keys;
}

/** Where both show the number that was called it has to be the same. */
const isSameCalled = (note: CallNote, { calledKey }: Pick<ReportedCall, 'calledKey'>): boolean =>
  calledKey < 0 || !note.isCalledShown || note.calledKey === calledKey;

const areCalledAlike = (one: Pick<ReportedCall, 'calledKey'>, other: Pick<ReportedCall, 'calledKey'>): boolean =>
  one.calledKey < 0 || other.calledKey < 0 || one.calledKey === other.calledKey;

/** An application reports a call once: what it reports twice are two calls. */
const hasNoReportOf = ({ reports }: PlacedCall, reported: Pick<ReportedCall, 'call'>): boolean =>
  reports.every((other) => !isOfOneApp(other, reported));

const isOfOneApp = (one: Pick<ReportedCall, 'call'>, other: Pick<ReportedCall, 'call'>): boolean =>
  one.call.reporterId === other.call.reporterId;
