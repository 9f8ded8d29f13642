import type { AppReport } from '@hopback/sdk/platform';
import type { CampaignCall, LiveReader, LiveRecord } from '../../core/index.js';
import { callNote, recordEvidence } from './call-note.js';
import type { CallEvidence, CallNote, PlacedCall, ReportedCall } from './call-note.js';
import { createCampaignBook } from './campaign-book.js';
import type { CampaignBook } from './campaign-book.js';
import type { CampaignFile, CountedCall } from './campaign-file.js';
import { DEFAULT_CAMPAIGN_POLICY } from './campaign-policy.js';
import {
  addRecord,
  addReport,
  callsOfRecord,
  createPlacedCall,
  createPlacedCalls,
  isJoinable,
  mayBeOne,
  numbersKey,
  placedCallId,
  placeReport,
  putByNumbers,
  rememberNote,
  rememberRecord,
  reportsOfRecord,
} from './placed-call.js';
import type { PlacedCalls, WaitingReport } from './placed-call.js';

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
    ...{ file, reasons, evidence: recordEvidence(note), callingKey: note.callingKey },
    record: {
      attestation: note.isFailed ? 'failed' : (note.attestation ?? 'none'),
      signer: isNew('signer') ? note.signer : undefined,
      upstream: isNew('upstream') ? note.upstream : undefined,
      reporter: isNew('reporterId') ? note.reporterId : undefined,
    },
    ...{ records: counted.length, reports: call.reports.filter(({ isCounted }) => isCounted).length },
  });
  if (isJoinable(note)) putByNumbers(counting.calls.counted, numbersKey(note), call);
}

/** Counts a report for a campaign, once. Never throws. */
export function countReported(counting: Counting, reported: ReportedCall, file: CampaignFile): void {
  if (reported.isCounted) return;
  const { placed: call, reasons, callingKey } = reported;
  countFor(counting, call, {
    ...{ file, reasons, evidence: reported.call, callingKey, record: undefined },
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
    ...{ reasons, callingKey: counted.callingKey, record: counted.record, before: { records, reports } },
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
export interface EvidenceJoiner {
  /** Never throws. */
  readonly record: (live: LiveRecord) => JoinedEvidence;
  /** Never throws. */
  readonly report: (appId: string, report: AppReport) => JoinedEvidence;
}

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
export function createEvidenceJoiner(): EvidenceJoiner {
  const policy = DEFAULT_CAMPAIGN_POLICY;
  const limits = { calls: REMEMBERED, reports: REMEMBERED };
  // Nothing is counted for a campaign, so that the book stays empty.
  const counting = {
    book: createCampaignBook({ newId: () => '', limit: 1 }),
    calls: createPlacedCalls(policy, limits),
  };
  return {
    record: (live) => {
      const note = callNote(live, policy);
      placeRecord(counting, note, live);
      return { placedCallId: (known) => (note.placed === undefined ? '' : placedCallId(note.placed, known)) };
    },
    report: (appId, report) => {
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
