import type { RequestedCall, TracebackRequest } from '../../core/traceback-request.js';
import type { RecordQuery, TimeWindow } from '../../records/store/record-store.js';
import { LONGEST_SEARCH_US, matchLimits } from './match-options.js';
import type { MatchOptions } from './match-options.js';
import { origIdSpellings } from './orig-id.js';
import { readStatedNumber } from './stated-number.js';
import type { StatedNumber } from './stated-number.js';
import { readStatedTime } from './stated-time.js';
import type { StatedTimeReading } from './stated-time.js';

/** Most records that one look-up of a match asks for: a number that is called more often in half an hour is a person's to look at. */
export const MATCH_LOOKUP_LIMIT = 1_000;

/** Where and by what a call is looked for. */
export type SearchPlan =
  | {
      readonly status: 'planned';
      /** The time as it was read. */
      readonly time: Extract<StatedTimeReading, { status: 'read' }>;
      readonly called: StatedNumber;
      readonly calling: StatedNumber;
      /** Whatever is consistent with the stated time began in these. */
      readonly narrow: readonly TimeWindow[];
      /** An hour around `narrow`. */
      readonly wide: readonly TimeWindow[];
      /** Look-ups to begin with: by identifiers, and by the number called in the narrow windows. */
      readonly first: readonly RecordQuery[];
      /** Those that follow where none of what was found can be meant. */
      readonly widened: readonly RecordQuery[];
      /** Those that find the caller's calls to the number, where the number is called so often that the first were cut. */
      readonly ifCut: readonly RecordQuery[];
      /** Those that find a record by its id where it is not within an hour of the stated time: it names itself, whatever the time. */
      readonly farther: readonly RecordQuery[];
      /** By what is looked: `called`, `calling`, `call-id`, `origid`, `record-id`. */
      readonly keys: readonly string[];
      /** How it was read, where that has to be known. */
      readonly notes: readonly string[];
    }
  /** Nothing can be looked for: a person reads the request. */
  | { readonly status: 'unreadable'; readonly because: readonly string[] };

/**
 * Plans how the call of a request is looked for. Nothing that was stated is believed: numbers are read in any usual spelling, and the
 * time in its zone, at its precision, with an allowance for clocks, and for people who note when a call ended.
 *
 * A local time that comes twice is looked for at both instants. One that is left out in spring is looked for as clocks before and after
 * the change would have meant it, and never answered without a person.
 * @param request - as it was received; nothing of it is trusted
 * @param options - the default zone, the allowance for clocks and how far the search is widened, milliseconds
 * @returns windows and look-ups, or why there is nothing to look for. Never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const plan = planSearch({
 *   format: 'hopback.traceback-request.1',
 *   requestId: 'request-1',
 *   tracebackId: 'traceback-1',
 *   direction: 'back',
 *   hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' },
 *   issuedAt: '2026-10-26T14:00:00Z',
 *   provider: { name: 'Example Carrier' },
 *   call: {
 *     called: '(202) 555-0101',
 *     at: { asWritten: '10/23/2026 3:41 PM', local: '2026-10-23T15:41', zone: 'America/New_York', precision: 'minute' },
 *   },
 * });
 * if (plan.status === 'planned') console.log(plan.first[0]?.calledTn, plan.time.instants.length); // 12025550101 1
 * ```
 */
export function planSearch(request: TracebackRequest, options: MatchOptions = {}): SearchPlan {
  const { call, direction } = request;
  if (direction === 'forward') return { status: 'unreadable', because: [BECAUSE.forward] };
  const time = readStatedTime(call.at, options.defaultZone);
  const called = readStatedNumber(call.called, options.numbers);
  const calling = readStatedNumber(call.calling, options.numbers);
  const keys = keysOf(call, { called, calling });
  const because = [
    ...(time.status === 'unreadable' ? [time.because] : []),
    ...(keys.length === 0 ? [called.kind === 'unreadable' ? BECAUSE.noNumber : BECAUSE.nothing] : []),
  ];
  if (time.status === 'unreadable' || because.length > 0) return { status: 'unreadable', because };
  const { allowanceUs, lagUs, widenUs } = matchLimits(options);
  const around = (beforeUs: number, afterUs: number): readonly TimeWindow[] =>
    joined(time.instants.map(({ fromUs, toUs }) => ({ fromUs: fromUs - beforeUs, toUs: toUs + afterUs })));
  const narrow = around(allowanceUs + lagUs, allowanceUs);
  // A zone that was taken for another moves everything that is consistent with the stated time, and not that time alone.
  const wide = around(widenUs + allowanceUs + lagUs, widenUs + allowanceUs);
  return {
    status: 'planned',
    ...{ time, called, calling, narrow, wide, keys },
    ...lookUps(call, { called, calling, narrow, wide, far: around(LONGEST_SEARCH_US, LONGEST_SEARCH_US) }),
    notes: notesOf(time, { called, calling }),
  };
}

const BECAUSE = {
  forward: 'The request asks who serves a number, and not for a call.',
  nothing: 'Neither a number nor an identifier of the call was stated.',
  noNumber: 'The number called that was stated is no telephone number.',
};

interface StatedNumbers {
  readonly called: StatedNumber;
  readonly calling: StatedNumber;
}

type RecordKeys = Omit<RecordQuery, 'window'>;

function recordKeys({ recordId }: RequestedCall): readonly RecordKeys[] {
  return isSaid(recordId) ? [{ recordId: recordId.toLowerCase() }] : [];
}

/** What names the call and no other, where it was stated. */
function identifiersOf(call: RequestedCall): readonly RecordKeys[] {
  return [...recordKeys(call), ...(isSaid(call.callId) ? [{ callId: call.callId }] : [])];
}

function isSaid(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** Without the number called an identifier has to be there: by the caller alone every call of a spoofed number would be looked at. */
function keysOf(call: RequestedCall, { called, calling }: StatedNumbers): readonly string[] {
  const keys = [
    ...(isSaid(call.recordId) ? ['record-id'] : []),
    ...(isSaid(call.callId) ? ['call-id'] : []),
    ...(isSaid(call.origId) ? ['origid'] : []),
    ...(called.kind === 'number' ? ['called'] : []),
  ];
  return keys.length > 0 && calling.kind === 'number' ? [...keys, 'calling'] : keys;
}

function lookUps(
  call: RequestedCall,
  plan: StatedNumbers & Readonly<Record<'narrow' | 'wide' | 'far', readonly TimeWindow[]>>,
): Pick<Extract<SearchPlan, { status: 'planned' }>, 'first' | 'widened' | 'ifCut' | 'farther'> {
  const { called, calling, narrow, wide, far } = plan;
  const over = (windows: readonly TimeWindow[], keys: readonly RecordKeys[]): readonly RecordQuery[] =>
    keys.flatMap((key) => windows.map((window) => ({ window, ...key, limit: MATCH_LOOKUP_LIMIT })));
  const numbers = called.kind === 'number' ? [called.tn, ...(called.lrn === undefined ? [] : [called.lrn])] : [];
  const byCalled = numbers.map((calledTn) => ({ calledTn }));
  const byCalling = calling.kind === 'number' ? [{ callingTn: calling.tn }] : [];
  // One origid may stand for all calls of a customer: it is looked for where the number called does not lead to the call.
  const byOrigId = isSaid(call.origId) ? origIdSpellings(call.origId).map((origId) => ({ origId })) : [];
  return {
    first: [...over(wide, identifiersOf(call)), ...over(narrow, byCalled.length > 0 ? byCalled : byOrigId)],
    widened: [...over(wide, byCalled), ...over(wide, byCalling), ...over(wide, byOrigId)],
    ifCut:
      calling.kind === 'number'
        ? over(
            narrow,
            byCalled.map((key) => ({ ...key, callingTn: calling.tn })),
          )
        : [],
    farther: over(far, recordKeys(call)),
  };
}

function notesOf(time: Extract<StatedTimeReading, { status: 'read' }>, numbers: StatedNumbers): readonly string[] {
  return [
    ...(time.zoneFrom === 'configured' ? ['No zone was stated: the time was read in the configured one.'] : []),
    ...(time.zoneFrom === 'none' ? ['No zone was stated and none is configured: the time was read as UTC.'] : []),
    ...(time.occurs === 'twice' ? ['The stated local time came twice: both instants were looked at.'] : []),
    ...(time.occurs === 'left-out' ? ['The stated local time does not exist: clocks were put forward over it.'] : []),
    ...(numbers.called.kind === 'unreadable' ? [BECAUSE.noNumber] : []),
    ...(numbers.calling.kind === 'unreadable' ? ['The calling number that was stated is no telephone number.'] : []),
  ];
}

/** Windows in order and apart from each other. */
function joined(windows: readonly TimeWindow[]): readonly TimeWindow[] {
  const apart: TimeWindow[] = [];
  for (const window of windows.toSorted((one, other) => one.fromUs - other.fromUs)) {
    const last = apart.at(-1);
    if (last === undefined || window.fromUs > last.toUs + 1) apart.push(window);
    else apart[apart.length - 1] = { fromUs: last.fromUs, toUs: Math.max(last.toUs, window.toUs) };
  }
  return apart;
}
