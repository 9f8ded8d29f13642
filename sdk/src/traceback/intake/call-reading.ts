import { defined } from '../../core/text.js';
import type { StatedTime } from '../../contract/traceback-exchange.js';
import { fieldValue, isNothing, statedNumber } from './field-values.js';
import type { Letterhead } from './field-values.js';
import { INTAKE_FIELD_NAMES, INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import type { IntakeKnowledge } from './intake-options.js';
import type { IntakeDoubt, ReadField, StatedCell, UnreadField } from './intake-report.js';
import { instantOfStated, instantText, statedTime } from './stated-time.js';
import type { TimeReading } from './stated-time.js';
import type { LayoutItem } from './text-layout.js';
import { readTimeWords } from './time-words.js';
import type { DateOrder, TimeWords } from './time-words.js';
import { phraseSet } from './visible-text.js';

/** One call of a text, and the fields that stand with it. */
export interface GroupedCall {
  readonly cells: readonly StatedCell[];
  readonly unread: readonly UnreadField[];
}

/** What one message asks about: the text up to the head of a message that is forwarded or quoted in it, or that message. */
export interface GroupedText {
  readonly calls: readonly GroupedCall[];
  /** What holds for all calls. */
  readonly shared: readonly StatedCell[];
  /** Of the whole message. */
  readonly unread: readonly UnreadField[];
  /** The head of the message; of the text around all of them there is none. */
  readonly letterhead?: Letterhead;
  /** Which field belongs to which call is a guess. */
  readonly isUnclear: boolean;
  /** There are more calls, or more fields of one, than are read. */
  readonly isCut: boolean;
}

/** Calls of one text or file at most. */
export const MAX_INTAKE_CALLS = 10_000;

/** Fields of one call, or of all of them: each of the fields that there are, in several spellings. */
const MOST_CELLS = 256;

interface Block {
  readonly cells: StatedCell[];
  readonly unread: UnreadField[];
  readonly startedBy: 'first' | 'row' | 'heading' | 'blank' | 'repeat';
}

/**
 * Divides the fields of a text among its messages and their calls. A message begins with its head, and what one says is not said of the calls of
 * another: whoever forwards two requests has two downstream providers. Only what stands outside of the one message that has calls, and
 * before it, holds for them. A new call begins with a row of a table, under a heading, with a paragraph that has number and time of its
 * own, and where a field comes again that the call has already. Never throws for peer input.
 */
export function groupCalls(items: readonly LayoutItem[]): readonly GroupedText[] {
  const messages = messagesOf(items).map(groupMessage);
  const first = messages.findIndex(({ calls }) => calls.length > 0);
  if (first < 0) return messages;
  const isOnly = messages.filter(({ calls }) => calls.length > 0).length === 1;
  const around = messages.slice(0, first).flatMap(({ shared }) => shared);
  const lent = around.filter((cell) => cell.field === 'zone' || (isOnly && !isOfCall(cell)));
  return messages.map((message, at): GroupedText => {
    if (message.calls.length > 0) {
      const own = new Set(message.shared.map(({ field }) => field));
      return { ...message, shared: [...message.shared, ...lent.filter(({ field }) => !own.has(field))] };
    }
    const left = message.shared.filter((cell) => at > first || !lent.includes(cell));
    return { ...message, unread: [...message.unread, ...left.map(withoutCall)] };
  });
}

/** Items up to the first head, and from each head to the next. */
function messagesOf(items: readonly LayoutItem[]): readonly (readonly LayoutItem[])[] {
  const starts = [0, ...items.flatMap(({ kind }, at) => (kind === 'letterhead' && at > 0 ? [at] : []))];
  return starts.map((start, at) => items.slice(start, starts[at + 1] ?? items.length));
}

function groupMessage(items: readonly LayoutItem[]): GroupedText {
  const blocks: Block[] = [newBlock('first')];
  const zones: StatedCell[] = [];
  let letterhead: Letterhead | undefined;
  let isBlank = false;
  let isCut = false;
  for (const [at, item] of items.entries()) {
    const current = blocks.at(-1) as Block;
    if (item.kind === 'blank') isBlank = true;
    if (item.kind === 'letterhead') ({ letterhead } = item);
    if (item.kind === 'zone' && zones.length < MOST_CELLS) zones.push(item.cell);
    if (item.kind === 'unread') takeUnread(blocks, item.unread);
    if (item.kind === 'row') blocks.push({ cells: [...item.cells], unread: [], startedBy: 'row' });
    if (item.kind === 'heading' && current.cells.some(isOfCall)) blocks.push(newBlock('heading'));
    if (item.kind !== 'cell') continue;
    isCut ||= current.cells.length === MOST_CELLS;
    if (current.cells.length === MOST_CELLS) continue;
    const start = startOf(current, { cell: item.cell, items, at, isBlank });
    isBlank = false;
    if (start === undefined) current.cells.push(item.cell);
    else blocks.push({ cells: [item.cell], unread: [], startedBy: start });
  }
  const grouped = divided(blocks, letterhead);
  return { ...grouped, shared: [...grouped.shared, ...zones], isCut: isCut || blocks.length > MAX_INTAKE_CALLS };
}

/** What follows a table is of none of its rows; a row that was not read is of none either. */
function takeUnread(blocks: Block[], unread: UnreadField): void {
  const current = blocks.at(-1) as Block;
  if (current.startedBy !== 'row') current.unread.push(unread);
  else blocks.push({ cells: [], unread: [unread], startedBy: 'first' });
}

function newBlock(startedBy: Block['startedBy']): Block {
  return { cells: [], unread: [], startedBy };
}

interface Coming {
  readonly cell: StatedCell;
  readonly items: readonly LayoutItem[];
  readonly at: number;
  /** An empty line stands before it. */
  readonly isBlank: boolean;
}

/** Whether a field begins another call, and by what. */
function startOf(current: Block, { cell, items, at, isBlank }: Coming): Block['startedBy'] | undefined {
  // What follows a table is of none of its rows.
  if (current.startedBy === 'row') return 'first';
  if (!current.cells.some(isNumber)) return undefined;
  // A paragraph of its own, with number and time, behind another that has both.
  if (isBlank && current.cells.some(isTime)) {
    const paragraph = cellsUpToBlank(items, at);
    if (paragraph.some(({ field }) => field === 'called') && paragraph.some(isTime)) return 'blank';
  }
  const before = current.cells.find(({ field }) => field === cell.field);
  return before === undefined || squeezed(before.text) === squeezed(cell.text) ? undefined : 'repeat';
}

function cellsUpToBlank(items: readonly LayoutItem[], from: number): readonly StatedCell[] {
  const cells: StatedCell[] = [];
  for (let at = from; at < items.length; at += 1) {
    const item = items[at];
    if (item === undefined || item.kind === 'blank' || item.kind === 'heading' || item.kind === 'row') break;
    if (item.kind === 'cell') cells.push(item.cell);
  }
  return cells;
}

function divided(parted: readonly Block[], letterhead: Letterhead | undefined): Omit<GroupedText, 'isCut'> {
  const blocks = whole(parted);
  const calls = blocks.filter(({ cells }) => cells.some(isNamingCall));
  const others = lentOnly(blocks);
  const once = fieldsOfOne(calls);
  const isShared = ({ field }: StatedCell): boolean => once.has(field);
  const shared = [...others.flatMap(({ cells }) => cells), ...calls.flatMap(({ cells }) => cells.filter(isShared))];
  return {
    calls: calls
      .slice(0, MAX_INTAKE_CALLS)
      .map(({ cells, unread }) => ({ cells: cells.filter((cell) => !isShared(cell)), unread })),
    shared: shared.slice(0, MOST_CELLS),
    unread: others.flatMap(({ unread }) => unread),
    ...defined({ letterhead }),
    isUnclear: isUnclear(calls) || isHopUnclear(calls, once),
  };
}

/** A second date under a call that has one begins no other call where nothing there is called: the two contradict each other. */
function whole(blocks: readonly Block[]): readonly Block[] {
  const kept: Block[] = [];
  for (const block of blocks) {
    const before = kept.at(-1);
    if (block.startedBy !== 'repeat' || before === undefined || block.cells.some(isNamingCall)) {
      kept.push(block);
      continue;
    }
    kept[kept.length - 1] = {
      startedBy: before.startedBy,
      cells: [...before.cells, ...block.cells],
      unread: [...before.unread, ...block.unread],
    };
  }
  return kept;
}

/**
 * What stands apart from the calls and holds for all of them: fields of the request anywhere, a date or a zone before the first call, a zone
 * behind them as well. A date behind them is that of a letter, and is told of.
 */
function lentOnly(blocks: readonly Block[]): readonly Block[] {
  let isBehind = false;
  return blocks.flatMap((block): readonly Block[] => {
    if (block.cells.some(isNamingCall)) {
      isBehind = true;
      return [];
    }
    if (!isBehind) return [block];
    const isLent = (cell: StatedCell): boolean => !isOfCall(cell) || cell.field === 'zone';
    const left = block.cells.filter((cell) => !isLent(cell));
    return [{ ...block, cells: block.cells.filter(isLent), unread: [...block.unread, ...left.map(withoutCall)] }];
  });
}

function withoutCall({ label, text, place }: StatedCell): UnreadField {
  return { reason: 'without-call', label, asWritten: text.slice(0, 256), place };
}

/**
 * Fields of the request that stand with one call alone: they hold for all, since no other has its own. An empty cell of a table is empty: what
 * stands in another row is said of the call of that row.
 */
function fieldsOfOne(calls: readonly Block[]): ReadonlySet<IntakeField> {
  const counts = new Map<IntakeField, number>();
  for (const { cells } of calls.filter(({ startedBy }) => startedBy !== 'row')) {
    const fields = new Set(cells.filter((cell) => !isOfCall(cell)).map(({ field }) => field));
    for (const field of fields) counts.set(field, (counts.get(field) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count === 1).map(([field]) => field));
}

/**
 * Calls that only the repetition of a field divides are told apart for certain where all have the same fields in the same order. With
 * an optional field in the first alone it could as well begin the second.
 */
function isUnclear(calls: readonly Block[]): boolean {
  const labelled = calls.filter(({ startedBy }) => startedBy !== 'row');
  if (!labelled.some(({ startedBy }) => startedBy === 'repeat')) return false;
  const orders = labelled.map(({ cells }) =>
    cells
      .filter(isOfCall)
      .map(({ field }) => field)
      .join(' '),
  );
  return orders.some((order) => order !== orders[0]);
}

/**
 * Who is said to have had the call from us, in the midst of one of several calls: it may be said of that one alone, and by another downstream
 * provider another call is looked for.
 */
function isHopUnclear(calls: readonly Block[], once: ReadonlySet<IntakeField>): boolean {
  if (calls.length < 2) return false;
  return calls.some(({ cells }, at) => {
    const before = at === 0 ? cells.findIndex(isOfCall) : 0;
    return cells.slice(Math.max(before, 0)).some(({ field }) => OF_HOP.has(field) && once.has(field));
  });
}

const OF_HOP: ReadonlySet<string> = phraseSet(
  'downstream, downstreamId, downstreamOcn, downstreamSpc, downstreamFrn, direction',
);

const NAMING: ReadonlySet<IntakeField> = new Set(['called', 'calling', 'callId', 'origId', 'recordId']);
const TIMES: ReadonlySet<IntakeField> = new Set(['at', 'date', 'timeOfDay']);

function isNamingCall({ field }: StatedCell): boolean {
  return NAMING.has(field);
}

function isNumber({ field }: StatedCell): boolean {
  return field === 'called' || field === 'calling';
}

function isTime({ field }: StatedCell): boolean {
  return TIMES.has(field);
}

function isOfCall({ field }: StatedCell): boolean {
  return INTAKE_FIELDS[field].scope === 'call';
}

/** Small letters and single spaces, to tell whether two texts say the same. */
export function squeezed(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** What the fields of one call mean. */
export interface CallReading {
  /** Numbers called that may be meant; none where none was read. */
  readonly called: readonly string[];
  readonly calling: readonly string[];
  /** Times that may be meant; none where no day was read. */
  readonly at: readonly StatedTime[];
  /** As the time was written, all its parts; empty where there is none. */
  readonly atAsWritten: string;
  /** Every other field, in the form that a request has it. */
  readonly values: ReadonlyMap<IntakeField, string>;
  readonly fields: readonly ReadField[];
  readonly unread: readonly UnreadField[];
  readonly doubts: readonly IntakeDoubt[];
}

/** Gathers while it reads. */
interface Gathering {
  readonly own: readonly StatedCell[];
  readonly shared: readonly StatedCell[];
  readonly known: IntakeKnowledge;
  /** Of the writer of all the calls. */
  readonly countsTo24: boolean;
  readonly fields: ReadField[];
  readonly unread: UnreadField[];
  readonly doubts: IntakeDoubt[];
}

const TIME_OF_CALL: readonly IntakeField[] = ['at', 'date', 'timeOfDay', 'zone'];

/**
 * Reads the fields of one call: its own, and those that hold for all where it has none. Never throws for peer input.
 */
export function readCall(
  own: readonly StatedCell[],
  { shared, known, countsTo24 }: Pick<Gathering, 'shared' | 'known' | 'countsTo24'>,
): CallReading {
  const gathering: Gathering = {
    own,
    shared,
    known,
    countsTo24,
    fields: [],
    unread: [],
    doubts: [],
  };
  for (const cell of own) if (cell.isReordered) addDoubt(gathering, 'direction-of-writing', cell, []);
  const called = numbersOf('called', gathering);
  const calling = numbersOf('calling', gathering);
  const { reading, asWritten } = timeOf(gathering);
  const values = new Map<IntakeField, string>();
  // Of the forty fields a call has five.
  const stated = new Set([...own, ...shared].map(({ field }) => field));
  for (const field of INTAKE_FIELD_NAMES) {
    if (!stated.has(field)) continue;
    const { form } = INTAKE_FIELDS[field];
    if (form === 'number' || TIME_OF_CALL.includes(field)) continue;
    const value = form === 'time' ? instantField(field, gathering) : plainField(field, gathering);
    if (value !== undefined) values.set(field, value);
  }
  const { fields, unread, doubts } = gathering;
  const at = (reading?.readings ?? []).map((read) => corrected(read, values));
  return {
    called,
    calling,
    at,
    atAsWritten: asWritten,
    values,
    fields: inOrder(fields),
    unread,
    doubts,
  };
}

/** The form in which we write requests ourselves says how the time was first written, and how precise it was. */
function corrected(read: StatedTime, values: ReadonlyMap<IntakeField, string>): StatedTime {
  const { asWritten = read.asWritten, precision = read.precision } = Object.fromEntries(values) as {
    readonly asWritten?: string;
    readonly precision?: StatedTime['precision'];
  };
  return { ...read, asWritten, precision };
}

function inOrder(fields: readonly ReadField[]): readonly ReadField[] {
  return fields.toSorted((one, other) => (one.place.part === other.place.part ? one.place.line - other.place.line : 0));
}

function cellsOf(field: IntakeField, { own, shared }: Gathering): readonly StatedCell[] {
  const mine = own.filter((cell) => cell.field === field);
  return mine.length > 0 ? mine : shared.filter((cell) => cell.field === field);
}

function addRead({ fields }: Gathering, { field, label, text, place }: StatedCell, value: string): void {
  fields.push({
    field,
    label,
    asWritten: text,
    value,
    place,
  });
}

function addUnread({ unread }: Gathering, cell: StatedCell, reason: UnreadField['reason']): void {
  unread.push({ reason, label: cell.label, asWritten: cell.text.slice(0, 256), place: cell.place });
}

/** By what was stated the call has to be looked for: without it another one could be found. */
function addNotUnderstood(gathering: Gathering, cell: StatedCell): void {
  addUnread(gathering, cell, 'value-not-understood');
  if (DECISIVE.has(cell.field) && !isNothing(cell.text)) addDoubt(gathering, 'not-understood', cell, []);
}

/** Which call is meant, and whose question it is. */
const DECISIVE: ReadonlySet<string> = phraseSet(
  `called, calling, at, date, timeOfDay, zone, callId, origId, recordId, attestation, spc, direction, downstream, downstreamId,
   downstreamOcn, downstreamSpc, downstreamFrn`,
);

function addDoubt(
  { doubts }: Gathering,
  kind: IntakeDoubt['kind'],
  { field, text }: StatedCell,
  readings: readonly string[],
): void {
  if (doubts.some((doubt) => doubt.kind === kind && doubt.field === field)) return;
  doubts.push({ kind, field, asWritten: text.slice(0, 256), readings });
}

function numbersOf(field: 'called' | 'calling', gathering: Gathering): readonly string[] {
  const found = new Map<string, string>();
  let last: StatedCell | undefined;
  const cells = cellsOf(field, gathering);
  for (const cell of cells) {
    const read = statedNumber(cell.text, { isCalled: field === 'called', numbers: gathering.known.numbers });
    if (read.status === 'digits-lost') addDoubt(gathering, 'digits-lost', cell, []);
    if (read.status === 'withheld' && field === 'calling') addRead(gathering, cell, 'withheld');
    else if (read.status === 'withheld') addUnread(gathering, cell, 'value-not-understood');
    else if (read.status === 'unread') addNotUnderstood(gathering, cell);
    if (read.status !== 'read') continue;
    if (read.note !== undefined) addUnread(gathering, { ...cell, text: read.note }, 'value-not-understood');
    if (read.isIrregular) addDoubt(gathering, 'number-irregular', cell, []);
    if (read.numbers.length > 1) addDoubt(gathering, 'several-values', cell, read.numbers);
    addRead(gathering, cell, read.numbers.join(' or '));
    for (const number of read.numbers) if (!found.has(digitsOf(number))) found.set(digitsOf(number), number);
    if (last !== undefined && found.size > 1) addDoubt(gathering, 'fields-contradict', cell, [...found.values()]);
    last = cell;
  }
  return [...found.values()];
}

/** The same number in two spellings is one. */
function digitsOf(number: string): string {
  const digits = number.replace(/\D/g, '');
  return digits.length === 10 && !number.startsWith('+') ? `1${digits}` : digits;
}

/** A text that says something of the time, and what; undefined where nobody knows. */
interface TimePart {
  readonly cell: StatedCell;
  readonly words: TimeWords | undefined;
}

function timeOf(gathering: Gathering): { readonly reading: TimeReading | undefined; readonly asWritten: string } {
  const { own, shared, known, countsTo24 } = gathering;
  const isOfTime = ({ field }: StatedCell): boolean => TIME_OF_CALL.includes(field);
  const mine = own.filter(isOfTime).map((cell): TimePart => ({ cell, words: wordsOf(cell, known.dateOrder) }));
  const all = [...mine, ...lentParts(mine, shared.filter(isOfTime), known)];
  const asWritten = [...new Set(all.map(({ cell }) => writtenWithHint(cell)))].join(' ').slice(0, MAX_WRITTEN_CHARS);
  const read = all.flatMap(({ words }) => words ?? []);
  const { zone, receivedAtMs, clocks } = known;
  const knowledge = {
    asWritten,
    receivedAtMs,
    clocks,
    countsTo24,
    zone,
  };
  const reading = statedTime(read, knowledge);
  for (const { cell, words } of all) {
    if (words === undefined) addNotUnderstood(gathering, cell);
    else addRead(gathering, cell, partOfTime(cell.field, reading?.readings ?? []));
  }
  // What a label says of its times is of no account where the times have zones of their own.
  const isZoned = read.some(({ zones }) => zones.length > 0);
  for (const { cell } of isZoned ? [] : all.filter(({ cell: { hint } }) => !isHintRead(hint)))
    addNotUnderstood(gathering, { ...cell, field: 'zone', text: cell.hint ?? '' });
  gathering.doubts.push(...contradictingDates(read, asWritten), ...(reading?.doubts ?? []));
  return { reading, asWritten };
}

/** What stands for all calls fills in what this one does not say, and is in doubt with it where nobody knows what it means. */
function lentParts(
  mine: readonly TimePart[],
  lent: readonly StatedCell[],
  { dateOrder }: IntakeKnowledge,
): readonly TimePart[] {
  const lacks = (has: (words: TimeWords) => boolean): boolean =>
    !mine.some(({ words }) => words !== undefined && has(words));
  const [noDate, noClock, noZone] = [
    lacks(({ dates }) => dates.length > 0),
    lacks(({ clock }) => clock !== undefined),
    lacks(({ zones }) => zones.length > 0),
  ];
  return lent.flatMap((cell): readonly TimePart[] => {
    const said = wordsOf(cell, dateOrder);
    const isMissed = cell.field === 'zone' ? noZone : cell.field === 'timeOfDay' ? noClock : noDate;
    if (said === undefined) return isMissed ? [{ cell, words: undefined }] : [];
    const { dates, clock, isHalfOpen, zones, weekday } = said;
    const words: TimeWords = {
      dates: noDate ? dates : [],
      zones: noZone ? zones : [],
      ...(noClock && clock !== undefined ? { clock, ...(isHalfOpen === true ? { isHalfOpen } : {}) } : {}),
      ...(noDate && weekday !== undefined ? { weekday } : {}),
    };
    return words.dates.length + words.zones.length > 0 || words.clock !== undefined ? [{ cell, words }] : [];
  });
}

/** What a part of a time was read as: of a zone or a day that holds for all calls not the time of the first of them. */
function partOfTime(field: IntakeField, readings: readonly StatedTime[]): string {
  const texts = readings.map((read) => {
    if (field === 'zone') return read.zone ?? 'no zone';
    return field === 'date' ? read.local.slice(0, 10) : timeText(read);
  });
  return [...new Set(texts)].join(' or ');
}

/** All parts of a time: date, time of day, zone, each with its hint. */
const MAX_WRITTEN_CHARS = 512;

/** Two cells that each name a day, and no day that both may mean. */
function contradictingDates(read: readonly TimeWords[], asWritten: string): readonly IntakeDoubt[] {
  const named = read.map(({ dates }) => dates).filter((dates) => dates.length > 0);
  const key = (date: unknown): string => JSON.stringify(date);
  const isAgreed = (named[0] ?? []).some((date) =>
    named.every((dates) => dates.some((other) => key(other) === key(date))),
  );
  if (named.length < 2 || isAgreed) return [];
  return [{ kind: 'fields-contradict', field: 'date', asWritten, readings: [] }];
}

function wordsOf({ field, text, hint }: StatedCell, dateOrder: DateOrder | undefined): TimeWords | undefined {
  if (field === 'zone') return readTimeWords(/^[+\-\u2212]\s?\d/.test(text) ? `UTC${text.replace(/\s/g, '')}` : text);
  const order = orderOfHint(hint) ?? dateOrder;
  const words = readTimeWords(text, order);
  if (words === undefined || hint === undefined) return words;
  const { zones = [] } = readTimeWords(hint) ?? {};
  return { ...words, zones: [...words.zones, ...zones] };
}

/** `MM/DD/YYYY` behind the label. */
function orderOfHint(hint: string | undefined): DateOrder | undefined {
  const letters = hint?.toLowerCase().replace(/[^dmy]/g, '') ?? '';
  if (/^m{1,2}d{1,2}/.test(letters)) return 'month-first';
  return /^d{1,2}m{1,2}/.test(letters) ? 'day-first' : undefined;
}

/** `MM/DD/YYYY`, `24h`, `approximate` say nothing of a zone; neither do words that say one. */
function isHintRead(hint: string | undefined): boolean {
  if (hint === undefined || readTimeWords(hint) !== undefined) return true;
  return /^[mdyhstz\d\W_]{1,40}$/i.test(hint) || HINTS_OF_NO_ZONE.has(hint.toLowerCase().replace(/\W+/g, ' ').trim());
}

const HINTS_OF_NO_ZONE: ReadonlySet<string> = phraseSet(
  `approx, approximate, approximately, if known, required, optional, mandatory, call, of call, start, start of call, 24 hour,
   24 hours, 24h, 24 hr, 24 hrs, 24 hour clock, military, 12 hour, 12h, 12 hr, am pm, hh mm am pm, iso 8601, rfc 3339`,
);

function writtenWithHint({ text, hint }: StatedCell): string {
  return hint === undefined || readTimeWords(hint) === undefined ? text : `${text} (${hint})`;
}

/** `2026-10-23T15:41 -04:00`, for people. */
function timeText({ local, zone, precision }: StatedTime): string {
  const shown = precision === 'day' ? local.slice(0, 10) : local;
  return zone === undefined ? `${shown} (no zone)` : `${shown} ${zone}`;
}

/** A time that is not that of the call, as an instant: left out where it may be several. */
function instantField(field: IntakeField, gathering: Gathering): string | undefined {
  const { zone, dateOrder, clocks } = gathering.known;
  const found = new Set<string>();
  for (const cell of cellsOf(field, gathering)) {
    const words = wordsOf(cell, dateOrder);
    const known = { asWritten: cell.text, receivedAtMs: Infinity, clocks, zone };
    const reading = words === undefined ? undefined : statedTime([words], known);
    if (reading === undefined) addUnread(gathering, cell, 'value-not-understood');
    else {
      const [only, ...others] = reading.readings;
      const atMs =
        only === undefined || others.length > 0 || reading.doubts.length > 0
          ? undefined
          : instantOfStated(only, clocks);
      if (atMs === undefined) addUnread(gathering, cell, 'zone-unclear');
      else {
        const value = instantText(atMs);
        addRead(gathering, cell, value);
        found.add(value);
      }
    }
  }
  // Of two deadlines the earlier one binds.
  return [...found].toSorted()[0];
}

function plainField(field: IntakeField, gathering: Gathering): string | undefined {
  const found = new Map<string, string>();
  let last: StatedCell | undefined;
  for (const cell of cellsOf(field, gathering)) {
    const value = fieldValue(field, cell.text);
    if (value === undefined) {
      addNotUnderstood(gathering, cell);
      continue;
    }
    addRead(gathering, cell, value);
    if (!found.has(squeezed(value))) found.set(squeezed(value), value);
    last = cell;
  }
  if (found.size > 1 && last !== undefined) addDoubt(gathering, 'fields-contradict', last, [...found.values()]);
  return found.values().next().value;
}
