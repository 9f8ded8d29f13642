import { DEFAULT_PAGE_ITEMS, problemAnswer } from '@hopback/sdk/platform';
import type { PlatformAnswer, PlatformProblem } from '@hopback/sdk/platform';
import type { OperationCall } from '../core/index.js';
import { readCursor, writeCursor } from '../domain/providers/index.js';

/** Longest stretch of time that is counted: as long as providers keep what they answer by. */
const MAX_RANGE_MS = 5 * 366 * 86_400_000;
/** Stretch of a scorecard where nothing is said. */
const YEAR_MS = 365 * 86_400_000;

/** Items of a page that were asked for. The route has seen to it that it is a number. */
export const limitOf = ({ request }: OperationCall): number =>
  Number(request.parameters['limit'] ?? DEFAULT_PAGE_ITEMS);

/** A parameter that is not what it has to be. */
export const wrongParameter = (pointer: string): PlatformProblem =>
  problemAnswer('invalid-parameter', { errors: [{ pointer, code: 'invalid_format' }] });

/** A body that is in its form and cannot be. @param pointer - RFC 6901 */
export const wrongBody = (pointer: string, code: string): PlatformProblem =>
  problemAnswer('invalid-body', { errors: [{ pointer, code }] });

/** Place in a list that is sorted by time, newest first. */
export interface TimePlace {
  readonly atMs: number;
  readonly id: string;
}

/** Reads the cursor of a list by time; `undefined` for the first page. */
export function timePlaceOf(call: OperationCall): TimePlace | 'invalid' | undefined {
  const { cursor } = call.request.parameters;
  if (cursor === undefined) return undefined;
  const parts = readCursor(cursor, ['number', 'string']);
  return parts === undefined ? 'invalid' : { atMs: Number(parts[0]), id: String(parts[1]) };
}

/** A page of rows, one more than asked for where there are more. */
export function pageOf<Row>(
  rows: readonly Row[],
  options: {
    readonly limit: number;
    readonly place: (row: Row) => readonly (string | number)[];
    readonly item: (row: Row) => unknown;
  },
): PlatformAnswer {
  const shown = rows.slice(0, options.limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > options.limit && last !== undefined ? writeCursor(options.place(last)) : undefined;
  return { kind: 'json', value: { items: shown.map(options.item), ...(nextCursor !== undefined && { nextCursor }) } };
}

/** A stretch of time, milliseconds since the epoch; `toMs` is not in it. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The stretch that a call asks for; undefined where there is none, or it is too long. */
export function rangeOf(call: OperationCall): TimeRange | undefined {
  const { from, to } = call.request.parameters;
  const toMs = to === undefined ? call.atMs : Date.parse(to);
  const fromMs = from === undefined ? toMs - YEAR_MS : Date.parse(from);
  return fromMs < toMs && toMs - fromMs <= MAX_RANGE_MS ? { fromMs, toMs } : undefined;
}

/** What is in a JSON body, in the form that its schema has seen to. */
export const bodyOf = (call: OperationCall): unknown => call.request.body;

/** A parameter of the path, which is always there. */
export const pathOf = (call: OperationCall, name: string): string => call.request.parameters[name] ?? '';
