import type { StatedTime } from '../../core/traceback-request.js';
import { fieldValue } from './field-values.js';
import { squeezed } from './group-calls.js';
import { INTAKE_FIELD_NAMES, INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import type { IntakeKnowledge } from './intake-options.js';
import type { DoubtKind, IntakeDoubt, ReadField, UnreadField } from './intake-report.js';
import type { StatedCell } from './stated-cell.js';
import { isNothing, statedNumber } from './stated-number.js';
import { instantOfStated, instantText, statedTime } from './stated-time.js';
import type { TimeReading } from './stated-time.js';
import { readTimeWords } from './time-words.js';
import type { DateOrder, TimeWords } from './time-words.js';

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
  const gathering: Gathering = { own, shared, known, countsTo24, fields: [], unread: [], doubts: [] };
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
  return { called, calling, at, atAsWritten: asWritten, values, fields: inOrder(fields), unread, doubts };
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
  fields.push({ field, label, asWritten: text, value, place });
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
const DECISIVE: ReadonlySet<IntakeField> = new Set<IntakeField>([
  ...(['called', 'calling', 'at', 'date', 'timeOfDay', 'zone', 'callId', 'origId', 'recordId'] as const),
  ...(['attestation', 'spc', 'direction', 'downstream', 'downstreamId', 'downstreamOcn', 'downstreamSpc'] as const),
  'downstreamFrn',
]);

function addDoubt(
  { doubts }: Gathering,
  kind: DoubtKind,
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
    const options = { isCalled: field === 'called', ...numbersOption(gathering) };
    const read = statedNumber(cell.text, options);
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

function numbersOption({ known }: Gathering): { readonly numbers?: NonNullable<IntakeKnowledge['numbers']> } {
  return known.numbers === undefined ? {} : { numbers: known.numbers };
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
  const knowledge = { asWritten, receivedAtMs, clocks, countsTo24, ...(zone === undefined ? {} : { zone }) };
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

const HINTS_OF_NO_ZONE: ReadonlySet<string> = new Set([
  ...['approx', 'approximate', 'approximately', 'if known', 'required', 'optional', 'mandatory', 'call', 'of call'],
  ...['start', 'start of call', '24 hour', '24 hours', '24h', '24 hr', '24 hrs', '24 hour clock', 'military'],
  ...['12 hour', '12h', '12 hr', 'am pm', 'hh mm am pm', 'iso 8601', 'rfc 3339'],
]);

function writtenWithHint({ text, hint }: StatedCell): string {
  return hint === undefined || readTimeWords(hint) === undefined ? text : `${text} (${hint})`;
}

/** `2026-10-23T15:41 -04:00`, for people. */
export function timeText({ local, zone, precision }: StatedTime): string {
  const shown = precision === 'day' ? local.slice(0, 10) : local;
  return zone === undefined ? `${shown} (no zone)` : `${shown} ${zone}`;
}

/** A time that is not that of the call, as an instant: left out where it may be several. */
function instantField(field: IntakeField, gathering: Gathering): string | undefined {
  const { zone, dateOrder, clocks } = gathering.known;
  const found = new Set<string>();
  for (const cell of cellsOf(field, gathering)) {
    const words = wordsOf(cell, dateOrder);
    const known = { asWritten: cell.text, receivedAtMs: Infinity, clocks, ...(zone === undefined ? {} : { zone }) };
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
