import { hash } from 'node:crypto';
import { assembleRequest, withoutRepeats } from './assemble-request.js';
import type { AssembledRequest, MessageKnowledge } from './assemble-request.js';
import { groupCalls, MAX_INTAKE_CALLS } from './call-reading.js';
import type { GroupedText } from './call-reading.js';
import { intakeKnowledge, reportOf, unreadableReport } from './intake-options.js';
import type { IntakeKnowledge, IntakeOptions } from './intake-options.js';
import type { IntakeDoubt, IntakeReport, IntakeRequest, StatedCell, UnreadField } from './intake-report.js';
import { instantOfStated, instantText, statedTime } from './stated-time.js';
import { referenceIn, textLayout } from './text-layout.js';
import type { LayoutItem } from './text-layout.js';
import { countsTo24, readTimeWords } from './time-words.js';
import { visibleLines } from './visible-text.js';

/**
 * Reads a traceback request that was pasted as text: labelled fields in any of some three hundred spellings, one a line or several,
 * value behind the label or below it; tables divided by tabs, bars, commas or spaces; several calls; quoted and forwarded mail.
 * Nothing is guessed: what can mean several things comes back as `doubtful`, with all that it may mean, and what was not
 * understood is listed. Nothing in it says that the request is from whom it says it is. Never throws for peer input.
 * @param text - 2,097,152 characters are read; what is longer is in doubt as a whole
 * @param options - what the reader knows beside the text
 * @returns a report: each call that is asked about, `clear`, `doubtful` or `incomplete`, with where each field stood
 * @throws {@link HopbackError} `invalid-argument` when a zone, a label or `receivedAtMs` of the options cannot be
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const text = 'Called Number: (202) 555-0101\nCalling Number: 202-555-0102\nDate/Time of call: 10/23/2026 3:41 PM EDT';
 * const report = readPastedText(text, { receivedAtMs: Date.UTC(2026, 9, 24) });
 * const [first] = report.requests;
 * if (first?.status === 'clear') console.log(first.request.call.at.local, first.request.call.at.zone); // 2026-10-23T15:41 -04:00
 * ```
 */
export function readPastedText(text: string, options: IntakeOptions): IntakeReport {
  const known = intakeKnowledge(options);
  const sha256 = hash('sha256', text, 'hex');
  if (text.trim() === '') return unreadableReport({ kind: 'text', sha256, because: 'empty' });
  const { requests, unread } = readTextPart(text, { known, part: 'text' });
  return reportOf(
    {
      kind: 'text',
      sha256,
      requests: distinctRequests(requests),
      unread,
      texts: [text],
    },
    known,
  );
}

/** A part of a message, and what is known of the message. */
export interface TextPart extends Partial<Omit<MessageKnowledge, 'known' | 'calls' | 'countsTo24'>> {
  readonly known: IntakeKnowledge;
  /** How places name it. */
  readonly part: string;
  /** Of the message: a line that may hold labelled fields, `Traceback ID: 4711`, and is not looked through for anything else. */
  readonly subject?: { readonly part: string; readonly text: string };
}

/** What a part of a message asks for. */
export interface PartReading {
  readonly requests: readonly AssembledRequest[];
  readonly unread: readonly UnreadField[];
  /** What it says of all calls, those of files beside it included. */
  readonly shared: readonly StatedCell[];
}

/** Reads one text: all of what was pasted, or a body of an e-mail. Never throws for peer input. */
export function readTextPart(text: string, { part, subject, known, ...message }: TextPart): PartReading {
  const visible = visibleLines(text);
  const { labels } = known;
  const stated = subject === undefined ? [] : subjectItems(subject, labels);
  const messages = groupCalls([...stated, ...textLayout(visible.lines, { labels, part })]);
  const asked = messages.reduce((sum, { calls }) => sum + calls.length, 0);
  const isCut = visible.isCut || asked > MAX_INTAKE_CALLS || messages.some((grouped) => grouped.isCut);
  const requests: AssembledRequest[] = [];
  for (const grouped of messages) {
    const calls = grouped.calls.slice(0, MAX_INTAKE_CALLS - requests.length);
    requests.push(...requestsOf({ ...grouped, calls }, { ...message, known, part, isCut }));
  }
  const tooLong = visible.tooLong.map(({ number, text: asWritten }): UnreadField => {
    return { reason: 'too-long', asWritten, place: { part, line: number } };
  });
  const asking = messages.filter(({ calls }) => calls.length > 0);
  const [only = { shared: messages.flatMap(({ shared }) => shared) }, ...others] = asking;
  const isZone = ({ field }: StatedCell): boolean => field === 'zone';
  return {
    requests,
    unread: [...messages.flatMap(({ unread }) => unread), ...tooLong],
    shared: others.length === 0 ? only.shared : asking.flatMap(({ shared }) => shared.filter(isZone)),
  };
}

/** The requests of one message of a text. */
function requestsOf(
  grouped: GroupedText,
  { known, isCut, shared = [], doubts = [], passedOnBy = [], fromName, fromAddress, ...message }: MessagePart,
): readonly AssembledRequest[] {
  if (grouped.calls.length === 0) return [];
  const { letterhead } = grouped;
  const sent = letterhead === undefined ? undefined : sentAt(letterhead.date ?? '', known);
  // Whoever forwards a request is not who asks.
  const sender = letterhead ?? { fromName, fromAddress };
  const whole: IntakeDoubt[] = [...doubts];
  if (grouped.isUnclear) whole.push({ kind: 'calls-not-told-apart', asWritten: '', readings: [] });
  if (isCut) whole.push({ kind: 'cut', asWritten: '', readings: [] });
  const context: MessageKnowledge = {
    known,
    ...message,
    issuedAt: sent ?? message.issuedAt,
    fromName: sender.fromName,
    fromAddress: sender.fromAddress,
    passedOnBy: letterhead === undefined || fromAddress === undefined ? passedOnBy : [...passedOnBy, fromAddress],
    shared: withLent(grouped.shared, shared),
    countsTo24: countsTo24(timesIn([...grouped.shared, ...grouped.calls.flatMap(({ cells }) => cells)])),
    doubts: whole,
    calls: grouped.calls.length,
  };
  return grouped.calls.map((call) => assembleRequest(call, context));
}

interface MessagePart extends TextPart {
  /** Of the whole text: there are more calls, or more of them, than are read. */
  readonly isCut: boolean;
}

/** What was written for times of calls. */
export function timesIn(cells: readonly StatedCell[]): readonly string[] {
  return cells.flatMap(({ field, text }) => (field === 'at' || field === 'timeOfDay' ? [text] : []));
}

/** Labelled fields of a subject, and the number in `Traceback Request #4711: SSA`; nothing of it is told of as not understood. */
function subjectItems(
  { part, text }: { readonly part: string; readonly text: string },
  labels: IntakeKnowledge['labels'],
): readonly LayoutItem[] {
  const items = textLayout(visibleLines(text).lines, { labels, part }).filter(({ kind }) => kind === 'cell');
  const reference = referenceIn(text);
  const isStated = items.some((item) => item.kind === 'cell' && item.cell.field === 'tracebackId');
  if (reference === undefined || isStated) return items;
  const { field, label, value } = reference;
  const cell: StatedCell = {
    field,
    label,
    text: value,
    place: { part, line: 1 },
    isReordered: false,
  };
  return [...items, { kind: 'cell', cell }];
}

/** What a part says itself goes before what the message around it says. */
export function withLent(own: readonly StatedCell[], lent: readonly StatedCell[]): readonly StatedCell[] {
  return [...own, ...lent.filter(({ field }) => !own.some((cell) => cell.field === field))];
}

/**
 * The same request, quoted below itself, in a reminder or in two tables, is one. An id that is stated for two different calls names neither: there
 * is one answer for each.
 */
export function distinctRequests(read: readonly AssembledRequest[]): readonly IntakeRequest[] {
  const assembled = withoutRepeats(read);
  const calls = new Map<string, Set<string>>();
  for (const { request, derivedId } of assembled) {
    const known = calls.get(request.requestId) ?? new Set();
    calls.set(request.requestId, known.add(derivedId));
  }
  const seen = new Set<string>();
  const kept: IntakeRequest[] = [];
  for (const { request, derivedId } of assembled) {
    if (seen.has(derivedId)) continue;
    seen.add(derivedId);
    kept.push((calls.get(request.requestId)?.size ?? 1) > 1 ? renamed(request, derivedId) : request);
  }
  return kept;
}

function renamed(request: IntakeRequest, requestId: string): IntakeRequest {
  const told = { requestId, assumed: [...request.assumed, { field: 'requestId', value: requestId } as const] };
  if (request.status === 'clear') return { ...request, ...told, request: { ...request.request, requestId } };
  if (request.status === 'incomplete') return { ...request, ...told };
  return { ...request, ...told, readings: request.readings.map((reading) => ({ ...reading, requestId })) };
}

/** When the message inside was sent, where its date has a zone. */
function sentAt(date: string, { dateOrder, zone, clocks }: IntakeKnowledge): string | undefined {
  const words = readTimeWords(date, dateOrder);
  const known = { asWritten: date, receivedAtMs: Infinity, clocks, zone };
  const [only, ...others] = (words && statedTime([words], known))?.readings ?? [];
  const atMs = only === undefined || others.length > 0 ? undefined : instantOfStated(only, clocks);
  return atMs === undefined ? undefined : instantText(atMs);
}
