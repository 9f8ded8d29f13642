import { INTAKE_FIELDS } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import type { UnreadField } from './intake-report.js';
import type { Letterhead } from './letterhead.js';
import type { StatedCell } from './stated-cell.js';
import type { LayoutItem } from './text-layout.js';

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
    ...(letterhead === undefined ? {} : { letterhead }),
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

const OF_HOP: ReadonlySet<IntakeField> = new Set([
  ...(['downstream', 'downstreamId', 'downstreamOcn', 'downstreamSpc', 'downstreamFrn', 'direction'] as const),
]);

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
