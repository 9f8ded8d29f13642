import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { SharedRecord } from '../../contract/call-record.js';
import type { FindingArm } from '../../contract/traceback-exchange.js';
import { membersOf, parsedJson } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { DEFAULT_PAGE_ITEMS } from '../../contract/common.js';
import { jsonAnswer, problemAnswer } from '../../contract/platform-answer.js';
import type { PlatformAnswer } from '../../contract/platform-answer.js';
import { readWireBody } from '../../contract/read-platform-request.js';
import type { ReadPlatformRequest } from '../../contract/read-platform-request.js';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../../contract/record-batch.js';
import type { RecordRejection } from '../../contract/record-batch.js';
import { WIRE_SCHEMAS } from '../../platform/index.js';
import type {
  Alert,
  Campaign,
  DoNotOriginateEntry,
  FccNotice,
  NoticeResponse,
  Page,
  ProviderEntry,
  ProviderScorecard,
  RecordBatchAnswer,
  WireBodies,
} from '../../platform/index.js';
import { viewTraceback } from '../../traceback/lifecycle/traceback-view.js';
import type { RegisteredProvider } from './registered-clients.js';
import type { RequestRecord, TracebackRecord } from './kit-tracebacks.js';

/** Something in a list, and its place: places grow, and stay while others come and go. */
export interface Placed<Item> {
  readonly place: number;
  readonly item: Item;
}

/** What a page is asked for with. */
interface PageQuery {
  readonly cursor?: string;
  readonly limit?: string;
}

/**
 * A stretch of a list.
 * @param items - in any order
 * @param query - cursor and limit as they came, in the form of the contract
 * @param order - by place: `oldest-first` upwards, `newest-first` downwards
 * @returns the page; undefined where the cursor is none of ours
 */
export function pageOf<Item>(
  items: readonly Placed<Item>[],
  { cursor, limit }: PageQuery,
  order: 'oldest-first' | 'newest-first',
): Page<Item> | undefined {
  const sign = order === 'oldest-first' ? 1 : -1;
  const behind = cursor === undefined ? -Infinity : placeOf(cursor);
  if (behind === undefined) return undefined;
  const sorted = items
    .map(({ place, item }) => ({ at: sign * place, item }))
    .sort((one, other) => one.at - other.at)
    .filter(({ at }) => at > behind);
  const size = limit === undefined ? DEFAULT_PAGE_ITEMS : Number(limit);
  const shown = sorted.slice(0, size);
  const last = shown.at(-1);
  const nextCursor = sorted.length > size && last !== undefined ? cursorOf(last.at) : undefined;
  return { items: shown.map(({ item }) => item), ...(nextCursor !== undefined && { nextCursor }) };
}

const cursorOf = (at: number): string => Buffer.from(`behind ${at}`).toString('base64url');

function placeOf(cursor: string): number | undefined {
  const place = /^behind (-?\d{1,12})$/.exec(Buffer.from(cursor, 'base64url').toString())?.[1];
  return place === undefined ? undefined : Number(place);
}

/** Holds something that a test gives against the contract. @throws {@link HopbackError} `invalid-argument` */
export function conforming<Name extends keyof WireBodies>(name: Name, value: WireBodies[Name]): WireBodies[Name] {
  const { errors, surplus } = readWireBody(WIRE_SCHEMAS[name], value);
  const [wrong] = [...errors, ...surplus];
  if (wrong === undefined) return value;
  throw new HopbackError('invalid-argument', `a ${name} is not in the form of the contract at "${wrong.pointer}"`, {
    details: { pointer: wrong.pointer, code: wrong.code },
  });
}

/** The entry of a provider in the registry. */
export function entryOf(
  { providerId, name, ocn, spc, frn, entry }: RegisteredProvider,
  updatedAt: string,
): ProviderEntry {
  return conforming('ProviderEntry', {
    format: 'hopback.provider-entry.1',
    providerId,
    businessName: name,
    ...(frn !== undefined && { frn }),
    previousBusinessNames: [],
    otherDbaNames: [],
    isForeignVoiceServiceProvider: false,
    isVoiceServiceProvider: true,
    isGatewayProvider: false,
    isNonGatewayIntermediateProvider: true,
    implementation: 'complete',
    ocns: ocn === undefined ? [] : [ocn],
    spcs: spc === undefined ? [] : [spc],
    principals: [],
    affiliates: [],
    updatedAt,
    ...entry,
  });
}

/** What a list of providers is asked for with. */
interface ProviderQuery {
  readonly name?: string;
  readonly frn?: string;
  readonly ocn?: string;
  readonly spc?: string;
  readonly changedSince?: string;
}

/** Whether an entry is one of those that are asked for. */
export function isAsked(entry: ProviderEntry, { name, frn, ocn, spc, changedSince }: ProviderQuery): boolean {
  const names = [entry.businessName, ...entry.previousBusinessNames, ...entry.otherDbaNames];
  return (
    (name === undefined || names.some((one) => one.toLowerCase().includes(name.toLowerCase()))) &&
    (frn === undefined || entry.frn === frn) &&
    (ocn === undefined || entry.ocns.includes(ocn)) &&
    (spc === undefined || entry.spcs.some((one) => one === spc)) &&
    (changedSince === undefined || Date.parse(entry.updatedAt) >= Date.parse(changedSince))
  );
}

const DAY_MS = 86_400_000;

interface ScorecardTime {
  readonly from?: string;
  readonly to?: string;
  readonly nowMs: number;
}

/** How a provider answers, counted over a stretch of time. */
export function scorecardOf(
  { providerId }: RegisteredProvider,
  tracebacks: Iterable<TracebackRecord>,
  { from, to, nowMs }: ScorecardTime,
): ProviderScorecard {
  const toMs = to === undefined ? nowMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - 365 * DAY_MS : Date.parse(from);
  const isCounted = (record: RequestRecord): boolean => {
    const issuedMs = Date.parse(record.request.issuedAt);
    return record.provider.providerId === providerId && issuedMs >= fromMs && issuedMs < toMs;
  };
  const all = [...tracebacks];
  const own = all.flatMap(({ requests }) => requests.filter(isCounted));
  const lasts = own.flatMap(({ answers }) => answers.slice(-1));
  const seconds = own
    .flatMap(({ request, answers: [first] }) =>
      first === undefined ? [] : [(Date.parse(first.receivedAt) - Date.parse(request.issuedAt)) / 1_000],
    )
    .sort((one, other) => one - other);
  const median = seconds[Math.floor(seconds.length / 2)];
  const slowest = seconds.at(-1);
  return {
    format: 'hopback.provider-scorecard.1',
    providerId,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    requests: countsOf(own, nowMs),
    tracedCalls: new Set(own.map(({ request }) => request.tracebackId)).size,
    answers: armsOf(lasts.map(({ answer }) => answer.finding.arm)),
    refusals: refusalsOf(
      lasts.flatMap(({ answer: { finding } }) => (finding.arm === 'refused' ? [finding.reason] : [])),
    ),
    ...(median !== undefined && { medianAnswerSeconds: median }),
    ...(slowest !== undefined && { slowestAnswerSeconds: slowest }),
    ...standingIn(all, own),
    concerns: [],
  };
}

function countsOf(own: readonly RequestRecord[], nowMs: number): ProviderScorecard['requests'] {
  const answered = own.filter(({ answers }) => answers.length > 0);
  const answeredInTime = answered.filter(({ answers: [first] }) => first?.isLate === false).length;
  const cancelled = own.filter(({ answers, cancelled: withdrawn }) => answers.length === 0 && withdrawn !== undefined);
  const open = own.filter(
    (record) => record.answers.length === 0 && record.cancelled === undefined && record.dueAtMs >= nowMs,
  );
  return {
    received: own.length,
    answeredInTime,
    answeredLate: answered.length - answeredInTime,
    unanswered: own.length - answered.length - cancelled.length - open.length,
    open: open.length,
    cancelled: cancelled.length,
  };
}

function armsOf(arms: readonly FindingArm[]): ProviderScorecard['answers'] {
  return [...new Set(arms)].map((arm) => ({ arm, count: arms.filter((one) => one === arm).length }));
}

function refusalsOf(reasons: readonly string[]): ProviderScorecard['refusals'] {
  return [...new Set(reasons)].map((reason) => ({ reason, count: reasons.filter((one) => one === reason).length }));
}

function standingIn(
  all: readonly TracebackRecord[],
  own: readonly RequestRecord[],
): Pick<ProviderScorecard, 'roles' | 'disputed'> {
  const ids = new Set(own.map(({ request }) => request.requestId));
  const hops = all.flatMap(({ state }) => viewTraceback(state).path).filter(({ requestId }) => ids.has(requestId));
  const count = (role: string): number => hops.filter((hop) => hop.role === role).length;
  return {
    roles: {
      origin: count('origin'),
      pointOfEntry: count('point-of-entry'),
      transit: count('transit'),
      terminating: hops.filter(({ hop }) => hop === 1).length,
    },
    disputed: count('disputed'),
  };
}

/** An alert, whom it is for, and who of them has seen it. */
export interface HeldAlert extends Placed<Alert> {
  readonly to: readonly string[];
  /** By client. */
  readonly acknowledged: Map<string, Alert['acknowledged'] & {}>;
}

/** Things that a test puts into the platform, each with its place in the lists. */
export interface RegistryShelf {
  readonly campaigns: Map<string, Placed<Campaign>>;
  readonly doNotOriginate: Map<string, Placed<DoNotOriginateEntry>>;
  readonly alerts: Map<string, HeldAlert>;
  readonly notices: Map<string, Placed<FccNotice> & { readonly to: string }>;
}

/** Makes an empty shelf. */
export function createShelf(): RegistryShelf {
  return { campaigns: new Map(), doNotOriginate: new Map(), alerts: new Map(), notices: new Map() };
}

/** Takes in what a provider says to a notice: first what it did, then what it found. 47 CFR 64.1200(n)(2) */
export function respondToNotice(
  { notices }: RegistryShelf,
  noticeId: string,
  response: NoticeResponse,
): PlatformAnswer {
  const held = notices.get(noticeId);
  if (held === undefined) return problemAnswer('not-found');
  const { item: notice } = held;
  const before = notice.responses.find(({ responseId }) => responseId === response.responseId);
  if (before !== undefined)
    return JSON.stringify(before) === JSON.stringify(response) ? jsonAnswer(notice) : problemAnswer('conflict');
  if (notice.state === 'withdrawn') return problemAnswer('conflict');
  const state = response.kind === 'report' ? 'reported' : notice.state === 'open' ? 'mitigation-stated' : notice.state;
  const item: FccNotice = { ...notice, state, responses: [...notice.responses, response] };
  notices.set(noticeId, { ...held, item });
  return jsonAnswer(item);
}

/** A batch as it came. */
export interface ReceivedBatch {
  readonly batchId: string;
  readonly clientId: string;
  readonly records: number;
  /** Of those the ones that were there before. */
  readonly repeats: number;
  readonly rejected: number;
}

/** Takes batches of records in. */
export type KitRecords = ReturnType<typeof createKitRecords>;

/**
 * @param refuse - why a record is not wanted, as a word; undefined where it is
 */
export function createKitRecords(refuse: (record: SharedRecord) => string | undefined) {
  const records = new Map<string, SharedRecord>();
  const batches: ReceivedBatch[] = [];
  return {
    take: ({ parameters, bytes }: ReadPlatformRequest, clientId: string): PlatformAnswer => {
      const batchId = parameters['ce-id'] ?? '';
      if (parameters['Idempotency-Key'] !== batchId)
        return problemAnswer('invalid-parameter', { errors: [{ pointer: 'Idempotency-Key', code: 'not-ce-id' }] });
      const lines = linesOf(bytes, parameters['Content-Encoding'] ?? '');
      if (lines === 'too-large' || lines === 'invalid-body') return problemAnswer(lines);
      const readings = lines.map(readLine);
      const wrong = readings.findIndex(({ recordId }) => recordId === undefined);
      if (wrong >= 0)
        return problemAnswer('invalid-body', { errors: [{ pointer: `/${wrong}/recordId`, code: 'missing' }] });
      const rejected: RecordRejection[] = [];
      let repeats = 0;
      for (const { recordId = '', record, place } of readings) {
        const code = record === undefined ? 'invalid-record' : refuse(record);
        if (code !== undefined || record === undefined) {
          rejected.push({ recordId, code: code ?? 'invalid-record', ...(place !== undefined && { detail: place }) });
        } else if (records.has(recordId)) repeats += 1;
        else records.set(recordId, record);
      }
      batches.push({
        batchId,
        clientId,
        records: readings.length,
        repeats,
        rejected: rejected.length,
      });
      const answer: RecordBatchAnswer = { batchId, accepted: readings.length - rejected.length, rejected };
      return jsonAnswer(answer);
    },
    /** Different records by their ids, the first one first. */
    records: (): readonly SharedRecord[] => [...records.values()],
    /** Batches, the same one again among them. */
    batches: (): readonly ReceivedBatch[] => [...batches],
  };
}

function linesOf(bytes: Uint8Array, encoding: string): readonly string[] | 'too-large' | 'invalid-body' {
  const limits = { maxOutputLength: MAX_BATCH_BYTES };
  let text: string;
  try {
    text = (encoding === 'br' ? brotliDecompressSync(bytes, limits) : gunzipSync(bytes, limits)).toString('utf8');
  } catch (error) {
    return error instanceof RangeError ? 'too-large' : 'invalid-body';
  }
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.length > MAX_BATCH_RECORDS ? 'too-large' : lines;
}

function readLine(line: string): {
  readonly recordId?: string;
  readonly record?: SharedRecord;
  readonly place?: string;
} {
  const given = parsedJson(line);
  const { value, errors, surplus } = readWireBody(WIRE_SCHEMAS.SharedRecord, given);
  const { recordId } = membersOf(given);
  if (typeof recordId !== 'string') return {};
  const [wrong] = [...errors, ...surplus];
  if (wrong !== undefined) return { recordId, place: wrong.pointer };
  return { recordId, record: value as SharedRecord };
}
