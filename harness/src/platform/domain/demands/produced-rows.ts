import type { DemandRecordClass } from '@hopback/sdk/internal';
import type { AppReport, Campaign, Traceback } from '@hopback/sdk/platform';
import type { SharedRecord } from '@hopback/sdk/records';
import type {
  AnsweredCall,
  CustomerStatement,
  RequestedCall,
  StatedTime,
  TracebackAnswer,
} from '@hopback/sdk/traceback';
import { callDifferences, nextAskedCall } from '@hopback/sdk/internal';
import { COLUMNS } from './data-dictionary.js';
import type { ScopeItem } from './scope.js';

type TracebackHop = Traceback['hops'][number];

/** A value of one column. */
export type Cell = string | number | boolean | undefined;

/** Something that can be produced: what it is for the scope, its columns, and the whole of it. */
export interface Producible {
  readonly item: ScopeItem;
  /** By name of column. */
  readonly cells: Readonly<Record<string, Cell>>;
  /** The whole of it, for the JSON file. */
  readonly whole: unknown;
  /** Of a record and a report: the call that it is evidence of, the same for all evidence of one call. */
  readonly placedCallId?: string;
  /** It is not joined with other evidence of its call, and counts as one. */
  readonly isUnjoined?: boolean;
}

type Links = Pick<ScopeItem, 'campaignIds' | 'tracebackIds'>;
type EvidenceLinks = Links & { readonly placedCallId: string; readonly isUnjoined?: boolean | undefined };
type Times = Pick<ScopeItem, 'fromMs' | 'toMs'>;

/**
 * A live record of a carrier. Its call is of the instant at which the INVITE arrived. Never throws.
 * @param links - what it is known to belong to
 */
export function callRecordRow(
  {
    providerId,
    record,
    receivedAtMs,
  }: {
    readonly providerId: string;
    readonly record: SharedRecord;
    readonly receivedAtMs: number;
  },
  { placedCallId, isUnjoined = false, ...links }: EvidenceLinks,
): Producible {
  const [calling, called] = [callingOf(record), calledOf(record)];
  const atMs = Math.floor(record.inviteAtUs / 1_000);
  return {
    item: {
      recordClass: 'call-records',
      fromMs: atMs,
      toMs: atMs,
      calling: listed(calling),
      called: listed(called),
      ...links,
      providers: [{ providerId, name: providerId }],
    },
    cells: {
      placed_call_id: placedCallId,
      provider_id: providerId,
      record_id: record.recordId,
      invite_at: timeOfUs(record.inviteAtUs),
      answered_at: timeOfUs(record.answeredAtUs),
      ended_at: timeOfUs(record.endedAtUs),
      duration_s: secondsOf(record),
      calling,
      called,
      called_npa_nxx: record.called?.shown === 'pseudonym' ? record.called.npaNxx : undefined,
      disposition: record.disposition,
      ingress_provider: record.ingress.provider,
      egress_provider: record.egress.provider,
      attestation: record.received?.attestation,
      signer_spc: record.received?.spc,
      orig_id: record.received?.origId,
      sharing_form: record.sharing.form,
      received_at: new Date(receivedAtMs).toISOString(),
      campaign_ids: links.campaignIds.join(' '),
    },
    whole: { placedCallId, providerId, receivedAt: new Date(receivedAtMs).toISOString(), record },
    placedCallId,
    isUnjoined,
  };
}

/** Seconds from answer to end; undefined for a call that was not answered, or whose end is not on record. Never throws. */
export function secondsOf({ answeredAtUs, endedAtUs }: SharedRecord): number | undefined {
  if (endedAtUs === undefined || answeredAtUs === undefined) return undefined;
  return Math.max(0, (endedAtUs - answeredAtUs) / 1_000_000);
}

/** A report of an application without what was said, which is content and of another class. Never throws. */
export function appReportRow(
  appId: string,
  report: AppReport,
  { placedCallId, isUnjoined = false, ...links }: EvidenceLinks,
): Producible {
  const { transcript, audioFingerprint, ...rest } = report;
  return {
    item: { recordClass: 'app-reports', ...reportParts(report), ...links, providers: [] },
    cells: {
      placed_call_id: placedCallId,
      app_id: appId,
      report_id: report.reportId,
      app: report.app.name,
      called_at: report.calledAt,
      calling: report.calling,
      called: report.called.shown === 'number' ? report.called.tn : undefined,
      called_npa_nxx: report.called.shown === 'pseudonym' ? report.called.npaNxx : undefined,
      caller_name: report.callerName,
      verstat: report.verstat,
      served_by: report.servedBy,
      action: report.action,
      reason: report.reason,
      duration_s: report.durationSeconds,
      has_transcript: transcript !== undefined,
      has_fingerprint: audioFingerprint !== undefined,
      campaign_ids: links.campaignIds.join(' '),
    },
    whole: { placedCallId, appId, report: rest },
    placedCallId,
    isUnjoined,
  };
}

/** What was said on a call that an application reported; undefined where the report has neither transcript nor fingerprint. Never throws. */
export function reportRecordingRow(appId: string, report: AppReport, links: Links): Producible | undefined {
  const { transcript, audioFingerprint } = report;
  if (transcript === undefined && audioFingerprint === undefined) return undefined;
  return {
    item: { recordClass: 'recordings', ...reportParts(report), ...links, providers: [] },
    cells: {
      source: 'app-report',
      source_id: `${appId} ${report.reportId}`,
      at: report.calledAt,
      language: transcript?.language,
      transcript: transcript?.text,
      fingerprint_algorithm: audioFingerprint?.algorithm,
      fingerprint_duration_ms: audioFingerprint?.durationMs,
      recording_sha256: undefined,
      campaign_ids: links.campaignIds.join(' '),
    },
    whole: {
      source: 'app-report',
      appId,
      reportId: report.reportId,
      calledAt: report.calledAt,
      transcript,
      audioFingerprint,
    },
  };
}

/**
 * Script and recordings by which a campaign is known; undefined where there are none. They are of some call between its first and its last, so that
 * a scope reaches them where it reaches all of that time. Never throws.
 */
export function campaignRecordingRow(campaign: Campaign): Producible | undefined {
  const { transcript, recordingSha256 = [], campaignId, firstSeenAt, lastSeenAt } = campaign;
  if (transcript === undefined && recordingSha256.length === 0) return undefined;
  return {
    item: {
      recordClass: 'recordings',
      fromMs: Date.parse(firstSeenAt),
      toMs: Date.parse(lastSeenAt),
      calling: [],
      called: [],
      campaignIds: [campaignId],
      tracebackIds: [],
      providers: [],
    },
    cells: {
      source: 'campaign',
      source_id: campaignId,
      at: `${firstSeenAt}/${lastSeenAt}`,
      language: undefined,
      transcript,
      fingerprint_algorithm: undefined,
      fingerprint_duration_ms: undefined,
      recording_sha256: recordingSha256.join(' '),
      campaign_ids: campaignId,
    },
    whole: {
      source: 'campaign',
      campaignId,
      firstSeenAt,
      lastSeenAt,
      transcript,
      recordingSha256,
    },
  };
}

/** When and with whom the call of a traceback was, as far as is known. */
export interface TracedCall extends Times {
  readonly timeBasis: 'answer' | 'stated' | 'opened';
  readonly calling: readonly string[];
  readonly called: readonly string[];
}

/** A whole traceback with the answers to its requests. */
export interface TracebackMaterial {
  readonly traceback: Traceback;
  readonly answers: readonly TracebackAnswer[];
  readonly call: TracedCall;
  /** Campaigns that it is known to belong to. */
  readonly campaignIds: readonly string[];
}

/**
 * Rows of a traceback: itself, each request of it, each answer without what it says of customers, and what it says of customers as a class of its
 * own. Scripts that came with it are content, and not in any of these. Never throws.
 */
export function tracebackRows(material: TracebackMaterial): readonly Producible[] {
  const { traceback, answers } = material;
  const asked = traceback.hops.map(({ provider }) => provider);
  const itemOf = itemMaker(material);
  const summary: Producible = {
    item: itemOf('traceback-records', asked),
    cells: {
      ...tracebackCells(material, 'traceback'),
      state: traceback.state,
      outcome: traceback.outcome,
      issued_at: traceback.openedAt,
    },
    whole: {
      kind: 'traceback',
      tracebackId: traceback.tracebackId,
      direction: traceback.direction,
      state: traceback.state,
      outcome: traceback.outcome,
      openedAt: traceback.openedAt,
      closedAt: traceback.closedAt,
      requester: traceback.requester,
      call: traceback.call,
      timeBasis: material.call.timeBasis,
      campaign: campaignNamed(traceback),
    },
  };
  return [
    summary,
    ...traceback.hops.map((hop) => requestRow(material, hop)),
    ...answers.map((answer) => answerRow(material, answer)),
    ...answers.flatMap((answer) => customerRow(material, answer)),
  ];
}

function itemMaker({ traceback, call, campaignIds }: TracebackMaterial) {
  return (recordClass: DemandRecordClass, providers: ScopeItem['providers']): ScopeItem => ({
    recordClass,
    fromMs: call.fromMs,
    toMs: call.toMs,
    calling: call.calling,
    called: call.called,
    campaignIds,
    tracebackIds: [traceback.tracebackId],
    providers,
  });
}

/** Without its script, which is content. */
function campaignNamed({ campaign }: Traceback): unknown {
  return campaign === undefined ? undefined : { campaignId: campaign.campaignId, name: campaign.name };
}

function tracebackCells(
  { traceback, call, campaignIds }: TracebackMaterial,
  kind: string,
): Readonly<Record<string, Cell>> {
  return {
    kind,
    traceback_id: traceback.tracebackId,
    call_at: call.fromMs === call.toMs ? timeOfMs(call.fromMs) : `${timeOfMs(call.fromMs)}/${timeOfMs(call.toMs)}`,
    time_basis: call.timeBasis,
    calling: call.calling[0],
    called: call.called[0],
    campaign_ids: campaignIds.join(' '),
  };
}

function requestRow(material: TracebackMaterial, hop: TracebackHop): Producible {
  return {
    item: itemMaker(material)('traceback-records', [hop.provider]),
    cells: {
      ...tracebackCells(material, 'request'),
      hop: hop.hop,
      request_id: hop.requestId,
      provider_id: hop.provider.providerId,
      provider: hop.provider.name,
      state: hop.state,
      issued_at: hop.issuedAt,
      due_at: hop.dueAt,
      answered_at: hop.answeredAt,
      arm: hop.arm,
      upstream: hop.upstream?.name,
      customer_action: hop.customerAction,
    },
    whole: { kind: 'request', tracebackId: material.traceback.tracebackId, ...hop },
  };
}

/** An answer without its customer; its comment may speak of the customer, and goes with it. */
function answerRow(material: TracebackMaterial, answer: TracebackAnswer): Producible {
  const { finding, call } = answer;
  const isOfCustomer = customerOf(answer) !== undefined;
  const { comment, ...rest } = answer;
  const shown = isOfCustomer ? { ...rest, finding: { arm: finding.arm } } : answer;
  return {
    item: itemMaker(material)('traceback-records', [answer.provider]),
    cells: {
      ...tracebackCells(material, 'answer'),
      request_id: answer.requestId,
      answer_id: answer.answerId,
      provider_id: answer.provider.providerId,
      provider: answer.provider.name,
      answered_at: answer.answeredAt,
      arm: finding.arm,
      revision: answer.revision,
      upstream: 'upstream' in finding ? finding.upstream.name : undefined,
      reason: finding.arm === 'refused' ? finding.reason : undefined,
      started_at: call?.startedAt,
      ended_at: call?.endedAt,
      disposition: call?.disposition,
      comment: isOfCustomer ? undefined : comment,
    },
    whole: { kind: 'answer', ...shown },
  };
}

function customerRow(material: TracebackMaterial, answer: TracebackAnswer): readonly Producible[] {
  const customer = customerOf(answer);
  if (customer === undefined) return [];
  const { contact } = customer;
  return [
    {
      item: itemMaker(material)('customer-records', [answer.provider]),
      cells: {
        traceback_id: answer.tracebackId,
        request_id: answer.requestId,
        answer_id: answer.answerId,
        provider_id: answer.provider.providerId,
        provider: answer.provider.name,
        answered_at: answer.answeredAt,
        customer_id: customer.customerId,
        name: contact?.name,
        email: contact?.email,
        telephone: contact?.telephone,
        postal_address: contact?.postalAddress,
        country: contact?.country,
        know_your_customer: customer.knowYourCustomer,
        action: customer.action,
        comment: answer.comment,
      },
      whole: {
        tracebackId: answer.tracebackId,
        requestId: answer.requestId,
        answerId: answer.answerId,
        provider: answer.provider,
        answeredAt: answer.answeredAt,
        arm: answer.finding.arm,
        customer,
        comment: answer.comment,
      },
    },
  ];
}

function customerOf({ finding }: TracebackAnswer): CustomerStatement | undefined {
  return finding.arm === 'origin' || finding.arm === 'serves-number' ? finding.customer : undefined;
}

function reportParts(report: AppReport): Omit<ScopeItem, 'recordClass' | 'campaignIds' | 'tracebackIds' | 'providers'> {
  const atMs = Date.parse(report.calledAt);
  return {
    fromMs: atMs,
    toMs: atMs,
    calling: listed(report.calling),
    called: report.called.shown === 'number' ? [report.called.tn] : [],
  };
}

function callingOf({ calling }: SharedRecord): string | undefined {
  return calling?.shown === 'whole' || calling?.shown === 'number' ? calling.tn : undefined;
}

function calledOf({ called }: SharedRecord): string | undefined {
  return called?.shown === 'whole' ? called.tn : undefined;
}

function listed(number: string | undefined): readonly string[] {
  return number === undefined ? [] : [number];
}

function timeOfUs(us: number | undefined): string | undefined {
  if (us === undefined) return undefined;
  const text = timeOfMs(Math.floor(us / 1_000));
  // To the microsecond, as the carrier has it.
  return text === undefined ? undefined : `${text.slice(0, -1)}${String(us % 1_000).padStart(3, '0')}Z`;
}

function timeOfMs(ms: number): string | undefined {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : undefined;
}

/**
 * A line of a CSV file of a class, with its end. Text that a spreadsheet would compute has an apostrophe in front. Never throws.
 * @see RFC 4180 section 2
 */
export function csvLine(recordClass: DemandRecordClass, cells: Readonly<Record<string, Cell>>): string {
  return `${COLUMNS[recordClass].map(({ name }) => csvField(cells[name])).join(',')}\r\n`;
}

/** The line of names. Never throws. */
export function csvHead(recordClass: DemandRecordClass): string {
  return `${COLUMNS[recordClass].map(({ name }) => name).join(',')}\r\n`;
}

/** One field. Never throws. @see RFC 4180 section 2 */
export function csvField(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  // What others wrote is opened by whoever investigates it.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Length of the smallest step that was stated, milliseconds. */
const STEP_MS: Readonly<Record<StatedTime['precision'], number>> = {
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
  microsecond: 1,
};

/**
 * When the call of a traceback was, and between which numbers: by the records of the providers where one found it, else as it was stated; where
 * it was stated without a zone nobody knows when that is, and the day of the opening stands for it. An answer that discloses another call than the
 * one that is traced adds nothing. Never throws.
 * @param traceback - with what was stated of the call
 * @param answers - to its requests
 * @param instantOf - the instant that a stated time means, milliseconds since the epoch; undefined where that cannot be told
 */
export function tracedCall(
  traceback: Traceback,
  answers: readonly TracebackAnswer[],
  instantOf: (at: StatedTime) => number | undefined = offsetInstant,
): TracedCall {
  const found = fittingCalls(traceback, answers);
  const numbers = {
    calling: unique([traceback.call.calling, ...found.map(({ calling }) => calling)]),
    called: unique([traceback.call.called, ...found.map(({ called }) => called)]),
  };
  const started = found.map(({ startedAt }) => Date.parse(startedAt)).filter((ms) => Number.isFinite(ms));
  if (started.length > 0)
    return { timeBasis: 'answer', fromMs: Math.min(...started), toMs: Math.max(...started), ...numbers };
  const stated = instantOf(traceback.call.at);
  if (stated !== undefined)
    return { timeBasis: 'stated', fromMs: stated, toMs: stated + STEP_MS[traceback.call.at.precision] - 1, ...numbers };
  const openedMs = Date.parse(traceback.openedAt);
  return { timeBasis: 'opened', fromMs: openedMs, toMs: openedMs, ...numbers };
}

/** The disclosed calls that fit the call that is traced, as it is known from hop to hop. */
function fittingCalls({ call, direction }: Traceback, answers: readonly TracebackAnswer[]): readonly AnsweredCall[] {
  const known: RequestedCall[] = [call];
  return answers.flatMap((answer) => {
    const { call: disclosed } = answer;
    if (disclosed === undefined) return [];
    const asked = known.find((one) => callDifferences(one, disclosed, direction).length === 0);
    if (asked === undefined) return [];
    const next = nextAskedCall(asked, answer, direction);
    if (next !== undefined) known.push(next);
    return [disclosed];
  });
}

/** The instant of a stated time whose zone is UTC, an offset or a zone with a name; of an hour that comes twice the former. Never throws. */
export function offsetInstant({ local, zone }: StatedTime): number | undefined {
  if (zone === undefined) return undefined;
  const wall = Date.parse(`${fullLocal(local)}Z`);
  if (!Number.isFinite(wall)) return undefined;
  if (zone === 'UTC' || zone === 'Z') return wall;
  const offset = /^([+-])([0-9]{2}):([0-9]{2})$/.exec(zone);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return wall - (offset[1] === '-' ? -minutes : minutes) * 60_000;
  }
  return instantInZone(wall, zone);
}

/** `2026-10-23T15:41` and `2026-10-23` with what they leave out; fractions beyond milliseconds are cut. */
function fullLocal(local: string): string {
  if (local.length === 10) return `${local}T00:00:00`;
  if (local.length === 13) return `${local}:00:00`;
  if (local.length === 16) return `${local}:00`;
  return local.slice(0, 23);
}

function instantInZone(wall: number, zone: string): number | undefined {
  try {
    // Two rounds: the offset at the wall clock taken for UTC may be that of the other side of a change.
    let instant = wall;
    for (let round = 0; round < 2; round += 1) instant = wall - (wallClock(instant, zone) - instant);
    return instant;
  } catch {
    return undefined;
  }
}

/** What a clock on the wall shows at an instant, as if it were UTC. @throws RangeError for a zone that there is not */
function wallClock(instant: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((one) => one.type === type)?.value);
  const seconds = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return seconds + (((instant % 1_000) + 1_000) % 1_000);
}

function unique(numbers: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(numbers.filter((number) => number !== undefined))];
}
