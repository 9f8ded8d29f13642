import type { AppReport } from '@hopback/sdk/platform';
import type { CampaignCall, LiveReader, LiveRecord } from '../../core/index.js';
import type { CallEvidence, CallNote, PlacedCall, ReportedCall } from './call-note.js';
import { callNote, recordCallId, recordEvidence, reportCallId } from './call-note.js';
import type { CampaignFile, CountedCall } from './campaign-file.js';
import { CampaignBook } from './campaign-file.js';
import { DEFAULT_CAMPAIGN_POLICY } from './campaign-policy.js';
import type { PlacedCalls, ReceivedReport, WaitingReport } from './placed-call.js';
import {
  addRecord,
  addReport,
  calledNpaNxxOf,
  callsOfRecord,
  createPlacedCall,
  createPlacedCalls,
  isJoinable,
  mayBeOne,
  numbersKey,
  placedCallId,
  placeReport,
  putByNumbers,
  rememberedCalls,
  rememberNote,
  rememberRecord,
  reportedCall,
  reportsOfRecord,
  waitForRecord,
} from './placed-call.js';

/** A record or report that was counted before a restart. */
export type KnownEvidence = Pick<CampaignCall, 'callId' | 'placedCallId' | 'reporterId' | 'recordId' | 'reportId'> & {
  readonly campaignId: string;
};

/** Puts what was counted before a restart back to the calls that it is evidence of, when it is read again. */
export type KnownEvidenceTable = ReturnType<typeof createKnownEvidence>;

/** Makes the table; it is empty again when it is settled. */
export function createKnownEvidence(calls: PlacedCalls) {
  const counted = new Map<string, KnownEvidence>();
  const placed = new Map<string, PlacedCall>();
  const take = (callId: string): KnownEvidence | undefined => {
    const known = counted.get(callId);
    counted.delete(callId);
    return known;
  };
  const callOf = ({ placedCallId: id, campaignId }: KnownEvidence, atMs: number): PlacedCall => {
    const call = placed.get(id) ?? createPlacedCall(atMs, id);
    placed.set(id, call);
    call.campaignId = campaignId;
    return call;
  };
  return {
    note: (one: KnownEvidence) => void counted.set(one.callId, one),
    /** Nothing happens for a record that is not known, or was read again before. Never throws. */
    placeRecord: (live: LiveRecord) => {
      const known = counted.size === 0 ? undefined : take(recordCallId(live.providerId, live.record.recordId));
      if (known === undefined) return;
      const note = callNote(live, calls.policy);
      note.campaignId = known.campaignId;
      const call = callOf(known, note.atMs);
      addRecord(call, note);
      rememberRecord(calls, note, call, live);
      if (isJoinable(note)) putByNumbers(calls.counted, numbersKey(note), call);
      for (const waiting of reportsOfRecord(calls, note, call)) takeUncounted(call, waiting);
    },
    /** The same of a report. */
    placeReport: (received: ReceivedReport) => {
      const { appId, report } = received;
      const known = counted.size === 0 ? undefined : take(reportCallId(appId, report.reportId));
      if (known === undefined) return;
      const unplaced = reportedCall(received);
      const { atMs } = unplaced.call;
      const reported: ReportedCall = { ...unplaced, reasons: [], placed: callOf(known, atMs), isCounted: true };
      addReport(reported.placed, reported);
      waitForRecord(calls, { reported, cluster: undefined }, calledNpaNxxOf(report));
    },
    /** Marks what was heard before it was noted, and forgets what was neither read again nor heard. Never throws. */
    settle: () => {
      if (counted.size > 0) for (const call of rememberedCalls(calls)) markCounted(calls, call, take);
      counted.clear();
      placed.clear();
    },
  };
}

/** Reports that were read again before a record of their call: those that were counted for another call stay there until a record ties the two. */
function takeUncounted(call: PlacedCall, waiting: WaitingReport): void {
  const { placed: other } = waiting.reported;
  if (other === call) return;
  if (other.campaignId !== undefined) {
    waiting.isMet = false;
    return;
  }
  for (const reported of other.reports) addReport(call, reported);
  other.reports = [];
}

/** A call that was heard, of which records or reports turn out to be counted: what comes later of it is counted with them. */
function markCounted(
  { counted }: PlacedCalls,
  call: PlacedCall,
  take: (callId: string) => KnownEvidence | undefined,
): void {
  const mark = ({ placedCallId: name, campaignId }: KnownEvidence): void => {
    call.name ??= name;
    call.campaignId ??= campaignId;
  };
  for (const note of call.records) {
    const known = note.campaignId === undefined ? take(recordCallId(note.reporterId, note.recordId)) : undefined;
    if (known === undefined) continue;
    mark(known);
    note.campaignId = known.campaignId;
    if (isJoinable(note)) putByNumbers(counted, numbersKey(note), call);
  }
  for (const reported of call.reports) {
    const known = reported.isCounted ? undefined : take(reported.call.callId);
    if (known === undefined) continue;
    mark(known);
    reported.isCounted = true;
  }
}

/** What evidence is counted with. */
export interface Counting {
  readonly book: CampaignBook;
  readonly calls: PlacedCalls;
}

/** Counts a record for a campaign: its call once, whatever else is counted of it. Never throws. */
export function countRecord(counting: Counting, note: CallNote, file: CampaignFile, reasons: readonly string[]): void {
  const { placed: call } = note;
  if (call === undefined) return;
  const counted = call.records.filter((other) => other !== note && other.campaignId !== undefined);
  const isNew = (member: 'signer' | 'upstream' | 'reporterId'): boolean =>
    note[member] !== undefined && counted.every((other) => other[member] !== note[member]);
  countFor(counting, call, {
    file,
    reasons,
    evidence: recordEvidence(note),
    callingKey: note.callingKey,
    record: {
      attestation: note.isFailed ? 'failed' : (note.attestation ?? 'none'),
      signer: isNew('signer') ? note.signer : undefined,
      upstream: isNew('upstream') ? note.upstream : undefined,
      reporter: isNew('reporterId') ? note.reporterId : undefined,
    },
    records: counted.length,
    reports: call.reports.filter(({ isCounted }) => isCounted).length,
  });
  if (isJoinable(note)) putByNumbers(counting.calls.counted, numbersKey(note), call);
}

/** Counts a report for a campaign, once. Never throws. */
export function countReported(counting: Counting, reported: ReportedCall, file: CampaignFile): void {
  if (reported.isCounted) return;
  const { placed: call, reasons, callingKey } = reported;
  countFor(counting, call, {
    file,
    reasons,
    evidence: reported.call,
    callingKey,
    record: undefined,
    records: call.records.filter(({ campaignId }) => campaignId !== undefined).length,
    reports: call.reports.filter(({ isCounted }) => isCounted).length,
  });
  reported.isCounted = true;
}

interface Counted extends Pick<CountedCall, 'reasons' | 'callingKey' | 'record'> {
  /** The campaign that evidence is found for; the call may be counted for another already, and is no further one of this. */
  readonly file: CampaignFile;
  readonly evidence: CallEvidence;
  /** Records and reports of the call that are counted already. */
  readonly records: number;
  readonly reports: number;
}

function countFor({ book }: Counting, call: PlacedCall, counted: Counted): void {
  const { file, evidence, reasons } = counted;
  const known = book.file(call.campaignId);
  if (known !== undefined && known !== file) book.see(file, evidence.atMs);
  const own = known ?? file;
  const [records, reports] = known === undefined ? [0, 0] : [counted.records, counted.reports];
  if (records + reports === 0) call.reasons = reasons;
  call.campaignId = own.campaignId;
  book.count(own, {
    reasons,
    callingKey: counted.callingKey,
    record: counted.record,
    before: { records, reports },
    call: { ...evidence, placedCallId: placedCallId(call) },
  });
}

/**
 * Makes two calls one that evidence has shown to be one. If both are counted, one of them is taken back, and its records and reports are counted for
 * the call that stays. Never throws.
 * @returns the call that stays
 */
export function mergeCalls(counting: Counting, one: PlacedCall, other: PlacedCall): PlacedCall {
  const isOneKept = one.campaignId !== undefined || other.campaignId === undefined;
  const [into, from] = isOneKept ? [one, other] : [other, one];
  const file = counting.book.file(from.campaignId);
  if (file !== undefined) counting.book.uncount(file, from);
  into.name ??= from.name;
  const { records, reports } = from;
  [from.records, from.reports] = [[], []];
  for (const note of records) {
    addRecord(into, note);
    rememberNote(counting.calls, note, into);
    if (file !== undefined && note.campaignId !== undefined) countRecord(counting, note, file, from.reasons);
  }
  for (const reported of reports) {
    const wasCounted = reported.isCounted;
    addReport(into, reported);
    reported.isCounted = false;
    if (wasCounted && file !== undefined) countReported(counting, reported, file);
  }
  return into;
}

/**
 * Makes a record evidence of the call that it is of, which may be known already by other records or by reports. Never throws.
 * @returns reports that had waited for it
 */
export function placeRecord(counting: Counting, note: CallNote, live: LiveRecord): readonly WaitingReport[] {
  const { calls } = counting;
  let call: PlacedCall | undefined;
  for (const other of callsOfRecord(calls, note, live)) {
    if (call === undefined) call = other;
    else if (mayBeOne(call, other)) call = mergeCalls(counting, call, other);
  }
  const met = reportsOfRecord(calls, note, call ?? createPlacedCall(note.atMs));
  for (const { reported } of met) {
    if (call === undefined) call = reported.placed;
    else if (reported.placed !== call) call = mergeCalls(counting, call, reported.placed);
  }
  call ??= createPlacedCall(note.atMs);
  addRecord(call, note);
  rememberRecord(calls, note, call, live);
  return met;
}

/** Says of which call records and reports are, without looking for campaigns. */
export type EvidenceJoiner = ReturnType<typeof createEvidenceJoiner>;

/** A record or report that was joined with others. */
export interface JoinedEvidence {
  /**
   * Id of its call. A later record may show that two calls are one, so that ids are asked for when all that may be of these calls was heard: an id that
   * was given stays, and two that were given stay two. Never throws.
   * @param known - under which it is stored already: the id of its call, where that has none yet
   */
  readonly placedCallId: (known?: string) => string;
}

/** Calls that are remembered: those of some minutes, where records and reports come by time. */
const REMEMBERED = 65_536;

/**
 * Makes a joiner, which joins as the detection of campaigns does. It remembers the latest calls: records and reports of one call have to come within
 * minutes of each other, in any order.
 */
export function createEvidenceJoiner() {
  const policy = DEFAULT_CAMPAIGN_POLICY;
  const limits = { calls: REMEMBERED, reports: REMEMBERED };
  // Nothing is counted for a campaign, so that the book stays empty.
  const counting = {
    book: new CampaignBook({ newId: () => '', limit: 1 }),
    calls: createPlacedCalls(policy, limits),
  };
  return {
    /** Never throws. */
    record: (live: LiveRecord): JoinedEvidence => {
      const note = callNote(live, policy);
      placeRecord(counting, note, live);
      return { placedCallId: (known) => (note.placed === undefined ? '' : placedCallId(note.placed, known)) };
    },
    /** Never throws. */
    report: (appId: string, report: AppReport): JoinedEvidence => {
      const received = { appId, report, receivedAtMs: Number.MAX_SAFE_INTEGER };
      const reported = placeReport(counting.calls, received, { reasons: [], cluster: undefined });
      return { placedCallId: (known) => placedCallId(reported.placed, known) };
    },
  };
}

/** Stored times of calls are rounded: how far one may be from its record, milliseconds. */
const ROUNDING_MS = 1_000;

/** Reads the records of rows that are near in time, by call id. Leaves out reports, and rows whose record is gone. */
export async function recordsOfCalls(
  live: Pick<LiveReader, 'find' | 'record'>,
  calls: readonly Pick<CampaignCall, 'callId' | 'reporterId' | 'recordId' | 'atMs'>[],
): Promise<ReadonlyMap<string, LiveRecord>> {
  const wanted = calls.flatMap(({ callId, reporterId, recordId, atMs }) =>
    recordId === undefined ? [] : [{ callId, providerId: reporterId, recordId, atMs }],
  );
  const records = new Map<string, LiveRecord>();
  if (wanted.length === 0) return records;
  const times = wanted.map(({ atMs }) => atMs);
  const found = await live.find({
    fromMs: Math.min(...times) - ROUNDING_MS,
    toMs: Math.max(...times) + ROUNDING_MS,
    recordIds: wanted.map(({ providerId, recordId }) => ({ providerId, recordId })),
    limit: wanted.length,
  });
  const byId = new Map(found.records.map((one) => [`${one.providerId} ${one.record.recordId}`, one]));
  for (const { callId, providerId, recordId } of wanted) {
    // A record that was sent again with another time is found by its id.
    const record = byId.get(`${providerId} ${recordId}`) ?? (await live.record(providerId, recordId));
    if (record !== undefined) records.set(callId, record);
  }
  return records;
}
