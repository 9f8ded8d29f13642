import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { RequestedCall, StatedTime, TracebackRequest } from '../../sdk/src/contract/traceback-exchange.js';
import { matchCall } from '../../sdk/src/traceback/match/match-call.js';
import { clockAllowanceUs, MATCH_WEIGHTS, type MatchOptions } from '../../sdk/src/traceback/match/match-options.js';
import {
  ALL,
  AT,
  brief,
  CALL_US,
  DIRECTORY,
  HOUR_US,
  instantUs,
  legs,
  MINUTE_US,
  outcomeOf,
  request,
  SCOPE,
  SECOND_US,
} from '../support/matched-calls.js';

/** Members that are another, or none where `null`, than those of the usual call and the usual request about it. */
type Changes = Readonly<Record<string, unknown>>;

/** What is matched, in the short forms of matched-calls.ts, and what has to come of it. */
interface MatchCase {
  readonly why?: string;
  readonly stated?: Changes & { readonly at?: Changes };
  readonly request?: Changes;
  readonly legs?: string;
  /** By leg. */
  readonly changes?: Readonly<Record<string, Changes & { readonly source?: Changes }>>;
  readonly options?: MatchOptions;
  readonly sources?: readonly string[];
  readonly retainedFrom?: string;
  /** Source, and from when to when it is covered; `null` where that has no end. */
  readonly covered?: readonly (readonly [string, string | null, string | null])[];
  readonly expected: string;
  /** All reasons of the candidate, or one of them, as field and verdict. */
  readonly reasons?: readonly string[];
  readonly verdict?: string;
  /** Kind of the party that sent the call, `null` where none is known. */
  readonly upstream?: string | null;
  /** What else is in the outcome. */
  readonly and?: object;
}

const CLAIMS = JSON.parse(
  readFileSync(new URL('../vectors/match/outcomes.json', import.meta.url), 'utf8'),
) as readonly { readonly what: string; readonly cases: readonly MatchCase[] }[];

const changed = <Value extends object>(value: Value, changes: Changes = {}): Value =>
  Object.fromEntries(Object.entries({ ...value, ...changes }).filter(([, member]) => member !== null)) as Value;

function requestOf({ stated = {}, request: parts }: MatchCase): TracebackRequest {
  const asked = changed(request(), parts);
  const at: StatedTime = changed(AT, stated.at);
  return { ...asked, call: changed<RequestedCall>(asked.call, { ...stated, at }) };
}

const recordsOf = ({ legs: text, changes = {} }: MatchCase): readonly CallRecord[] =>
  text === undefined
    ? []
    : legs(text).map((record) => {
        const { source, ...others } = changes[record.legId] ?? {};
        return { ...changed(record, others), source: { ...record.source, ...source } };
      });

function outcomeIn(one: MatchCase): ReturnType<typeof outcomeOf> {
  const { options = {}, covered, sources = SCOPE.sources, retainedFrom } = one;
  const coverage = covered?.map(([sourceId, from, to]) => ({
    ...{ sourceId, fromUs: from === null ? 0 : instantUs(from), toUs: to === null ? CALL_US * 2 : instantUs(to) },
  }));
  const scope = { sources, ...(retainedFrom !== undefined && { retainedFromUs: instantUs(retainedFrom) }) };
  return outcomeOf(requestOf(one), recordsOf(one), { options, scope, ...(coverage !== undefined && { coverage }) });
}

test.each(CLAIMS)('$what', ({ cases }) => {
  for (const [index, one] of cases.entries()) {
    const outcome = outcomeIn(one);
    expect([index, brief(outcome).trim()]).toEqual([index, one.expected]);
    expect(outcome).toMatchObject(one.and ?? {});
    const [first] =
      outcome.status === 'unique' ? [outcome.candidate] : outcome.status === 'several' ? outcome.candidates : [];
    const reasons = first?.reasons.map(({ field, verdict }) => `${field} ${verdict}`);
    if (one.reasons !== undefined) expect(reasons).toEqual(one.reasons);
    if (one.verdict !== undefined) expect(reasons).toContain(one.verdict);
    if (one.upstream !== undefined) expect(first?.upstream?.kind ?? null).toBe(one.upstream);
  }
});

test('the weights of called number, caller, time and downstream add up to 100, and no identifier weighs half of that', () => {
  const fields = ['called', 'calling', 'time', 'downstream'] as const;
  expect(fields.reduce((total, field) => total + MATCH_WEIGHTS[field].equal, 0)).toBe(100);
  expect(Math.max(...Object.values(MATCH_WEIGHTS).map(({ equal }) => equal))).toBeLessThan(50);
});

test('an allowance for clocks of 0 to a week is taken, and in the place of any other one of a minute', () => {
  const allowances = [0, 604_800_000, 604_800_001, -1].map((clockAllowanceMs) =>
    clockAllowanceUs({ clockAllowanceMs }),
  );
  expect(allowances).toEqual([0, 604_800_000_000, MINUTE_US, MINUTE_US]);
});

test('two companies of one group that tried one after the other are two', () => {
  const isSame = (one: ProviderReference, other: ProviderReference): boolean =>
    one.name === other.name || [one, other].every(({ name }) => name.startsWith('Upstream'));
  const input = { request: request(), coverage: ALL, scope: SCOPE, directory: { ...DIRECTORY, isSame } };
  for (const group of ['', ' group=one'])
    expect(brief(matchCall({ ...input, records: legs(`first${group} unanswered=4; again +6s in-b>${group}`) }))).toBe(
      'several first again',
    );
});

// What was stated is 19:41 to 19:42, and began between 19:25 and 19:43 with what is allowed for; an hour around it is looked through.
const NARROW_ENDS_US = CALL_US - 20 * SECOND_US + 2 * MINUTE_US - 1;
const NARROW_BEGINS_US = CALL_US - 20 * SECOND_US - 16 * MINUTE_US;
const WIDE_BEGINS_US = NARROW_BEGINS_US - HOUR_US;
const NO_GAP = undefined;
const HOLE_BEFORE = { fromUs: WIDE_BEGINS_US + MINUTE_US, toUs: WIDE_BEGINS_US + 2 * MINUTE_US };
const HOLE_WITHIN = { fromUs: NARROW_ENDS_US - MINUTE_US, toUs: NARROW_ENDS_US };
const HOLE_BEHIND = { fromUs: NARROW_ENDS_US + 10 * MINUTE_US, toUs: NARROW_ENDS_US + 11 * MINUTE_US };
const NEVER = 0;

const kept: readonly [string, number, { readonly fromUs: number; readonly toUs: number } | undefined, string][] = [
  ['all kept, all covered', NEVER, NO_GAP, 'none-but-covered'],
  ['all kept, a hole at the beginning', NEVER, HOLE_BEFORE, 'gap'],
  ['all kept, a hole then', NEVER, HOLE_WITHIN, 'gap'],
  ['all kept, a hole behind', NEVER, HOLE_BEHIND, 'gap'],
  ['kept from where the search begins', WIDE_BEGINS_US, NO_GAP, 'none-but-covered'],
  ['not kept for its first microsecond', WIDE_BEGINS_US + 1, NO_GAP, 'several'],
  ['not kept before what is consistent', NARROW_BEGINS_US, NO_GAP, 'several'],
  ['not kept before what is consistent, a hole in what is not kept', NARROW_BEGINS_US, HOLE_BEFORE, 'several'],
  ['not kept before what is consistent, a hole then', NARROW_BEGINS_US, HOLE_WITHIN, 'gap'],
  ['not kept for part of what is consistent', NARROW_BEGINS_US + 1, NO_GAP, 'several'],
  ['not kept for part of what is consistent, a hole behind', NARROW_BEGINS_US + 1, HOLE_BEHIND, 'gap'],
  ['kept for the last microsecond of what is consistent', NARROW_ENDS_US, NO_GAP, 'several'],
  ['kept for nothing of what is consistent', NARROW_ENDS_US + 1, NO_GAP, 'not-retained'],
  ['kept for nothing of what is consistent, a hole behind', NARROW_ENDS_US + 1, HOLE_BEHIND, 'not-retained'],
  ['kept for nothing', CALL_US + 2 * HOUR_US, NO_GAP, 'not-retained'],
];
test.each(kept)('nothing found, %s', (_what, retainedFromUs, hole, status) => {
  const scope = { sources: ['sbc-1'], ...(retainedFromUs === NEVER ? {} : { retainedFromUs }) };
  const sourceId = 'sbc-1';
  const ends = hole === undefined ? [] : [hole.fromUs - 1, hole.toUs + 1];
  const coverage = [
    { sourceId, fromUs: retainedFromUs, toUs: ends[0] ?? CALL_US * 2 },
    ...(ends[1] === undefined ? [] : [{ sourceId, fromUs: Math.max(ends[1], retainedFromUs), toUs: CALL_US * 2 }]),
  ].filter(({ fromUs, toUs }) => fromUs <= toUs);
  expect(outcomeOf(request(), [], { scope, coverage }).status).toBe(status);
});
