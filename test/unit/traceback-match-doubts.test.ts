import { expect, test } from 'vitest';
import type { CalledNumber } from '../../sdk/src/contract/call-record.js';
import type { RequestedCall, StatedTime } from '../../sdk/src/contract/traceback-exchange.js';
import {
  ALL,
  AT,
  brief,
  CALL_US,
  CALLED,
  HOUR_US,
  leg,
  legs,
  MINUTE_US,
  named,
  outcomeOf,
  request,
  SECOND_US,
  verdictOn,
  without,
  withoutCalling,
} from '../support/matched-calls.js';

// What a machine must not decide: which of two calls is meant where what tells them apart is weak, and "not found" where something was there.

const OTHER_CALLER = '14155550123';
const ORIG_ID = '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11';
const received = { attestation: 'B' as const, origId: ORIG_ID, spc: '709J' };
const resigned = { attestation: 'A' as const, origId: ORIG_ID, spc: '310B' };

test.each<[string, Partial<RequestedCall>]>([
  ['attestation', { attestation: 'B' }],
  ['spc', { spc: '709J' }],
])('another %s does not rule a call out, since a later hop may have signed anew', (field, stated) => {
  const one = leg('one', { received });
  const other = leg('other', { ingress: { trunk: 'in-b' }, received: resigned });
  expect(brief(outcomeOf(withoutCalling(stated), [one, other]))).toBe('several one other');
  const alone = outcomeOf(withoutCalling(stated), [other]);
  expect([brief(alone), verdictOn(alone, field)]).toEqual(['several other', 'contradicts']);
});

test('another attestation and code are doubts, and neither rule a call out nor make it a dispute', () => {
  const outcome = outcomeOf(request({ attestation: 'B', spc: '709J' }), [leg('one', { received: resigned })]);
  expect(brief(outcome)).toBe('several one');
  expect(outcome).toMatchObject({
    because: [
      'The attestation on record is not the one that was stated.',
      'The code on record is not that of the signer that was stated.',
    ],
  });
  const elsewhere = leg('one', { egress: { trunk: 'out-y' }, received: resigned });
  expect(brief(outcomeOf(request({ attestation: 'B' }), [elsewhere]))).toBe('several one');
});

test('a call that an origid, a Call-ID or a record id names is shown whatever else speaks against it', () => {
  const [one] = legs(`one +40m >out-y/this called=18005550199 calling=${OTHER_CALLER}`).map((record) => ({
    ...record,
    received,
  }));
  const far = leg('far', { called: named('18005550199'), egress: { trunk: 'out-y' } }, CALL_US + 40 * HOUR_US);
  expect(brief(outcomeOf(request({ origId: ORIG_ID }), [one!]))).toBe('several one');
  expect(brief(outcomeOf(request({ callId: 'this@192.0.2.1' }), [one!]))).toBe('several one');
  expect(brief(outcomeOf(request({ recordId: far.recordId }), [far]))).toBe('several far');
});

test('two identifiers that name two calls name neither', () => {
  const [one, other] = legs('one; other in-b/this>');
  const asked = request({ recordId: one!.recordId, callId: 'this@192.0.2.1' });
  expect(outcomeOf(asked, [one!, other!])).toMatchObject({ status: 'several', candidates: [{}, {}] });
});

test('an origid and the code of a signer are the same in capitals', () => {
  const written = leg('one', { received: { ...received, origId: ORIG_ID.toUpperCase() } });
  expect(brief(outcomeOf(request({ origId: ORIG_ID }), [written]))).toBe('unique one');
  for (const stated of [{ origId: ORIG_ID.toUpperCase() }, { spc: '709j' }])
    expect(brief(outcomeOf(request(stated), [leg('one', { received })]))).toBe('unique one');
});

test('calls to the number that contradict in two things are shown to a person; calls to another number are not', () => {
  const outcome = outcomeOf(request(), legs(`other +20m calling=${OTHER_CALLER}`));
  expect(brief(outcome)).toBe('several other');
  expect(outcome).toMatchObject({
    because: ['Calls to the number were found, and more than one thing that was stated speaks against each.'],
  });
  expect(outcomeOf(request(), legs('other +20m called=18005550199')).status).toBe('none-but-covered');
});

const STATED_PORTED = `+${CALLED};rn=+12025550999;npdi`;
const PORTED = { ...named('12155550112'), lrn: '12025550999' };
const routed: readonly (readonly [string, string, CalledNumber, string])[] = [
  ['another number that is ported to the same switch', STATED_PORTED, PORTED, 'contradicts'],
  ['the routing number of the stated call, alone', CALLED, named('12155550100'), 'contradicts'],
  ['a routing number alone', STATED_PORTED, { asWritten: 'unreadable', lrn: '12025550999' }, 'compatible'],
  ['a routing number in the called field', STATED_PORTED, named('12025550999'), 'compatible'],
  ['the stated number as routing number of another', CALLED, { ...PORTED, lrn: CALLED }, 'compatible'],
  ['the number as it was dialled within its area', CALLED, named('5550101'), 'compatible'],
];
test.each(routed)('%s is not full agreement', (_what, called, recorded, verdict) => {
  const outcome = outcomeOf(request({ called }), [leg('one', { called: recorded })]);
  expect([brief(outcome), verdictOn(outcome, 'called')]).toEqual(['several one', verdict]);
});

test('the routing number beside another number does not keep the call to the stated number from being unique', () => {
  const ported = leg('ported', { ingress: { trunk: 'in-b' }, called: PORTED });
  expect(brief(outcomeOf(request({ called: STATED_PORTED }), [ported, leg('one')]))).toBe('unique one');
});

test.each(['5550144', '144', '9113125550144'])(
  'a caller stated as %s may be one that is on record in full, and keeps a call from being unique',
  (calling) => {
    const local = legs(`local in-b> calling=${calling}`);
    expect(brief(outcomeOf(request({ calling }), [leg('one')]))).toBe('several one');
    expect(brief(outcomeOf(request({ calling }), [leg('one'), ...local]))).toBe('several local one');
    expect(brief(outcomeOf(request(), [leg('one'), ...local]))).toBe('several one local');
  },
);

test.each<[string, Partial<RequestedCall>]>([
  ['a short code', { called: '511' }],
  ['an extension', { called: '4021' }],
  ['a number as it is dialled within an area', { called: '5550101' }],
  ['a number behind a prefix that is not declared', { called: '991112025550101' }],
  ['a number that cannot be read', { called: '2025550101 x204', callId: 'this@192.0.2.1' }],
  ['a Call-ID alone', { called: 'unknown', callId: 'this@192.0.2.1' }],
  ['an origid alone', { called: 'unknown', origId: ORIG_ID }],
  ['a record id that no record has', { recordId: 'f'.repeat(32) }],
])('%s is never "not found", and a call to it is for a person', (_what, stated) => {
  expect(outcomeOf(request(stated), [])).toMatchObject({ status: 'several', candidates: [] });
  const { called = CALLED } = stated;
  expect(outcomeOf(request(stated), [leg('one', { called: named(called) })]).status).toBe('several');
});

test.each(['8005550199', '+1 (888) 555-0199', '+80012345678'])(
  'of %s, which is translated on the way, "not found" takes the caller',
  (called) => {
    expect(outcomeOf(withoutCalling({ called }), []).status).toBe('several');
    expect(outcomeOf(request({ called, calling: 'anonymous' }), []).status).toBe('several');
    expect(outcomeOf(request({ called, calling: '5550144' }), []).status).toBe('several');
    expect(outcomeOf(request({ called }), []).status).toBe('none-but-covered');
  },
);

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

test('a time without a zone, or one that comes twice, is not retained only if none of its instants is', () => {
  const twice = { ...AT, local: '2026-11-01T01:30' };
  const early = Date.UTC(2026, 10, 1, 5, 32) * 1_000;
  const unzoned = { ...without(AT, 'zone'), local: '2026-10-23T19:41' };
  const statusOf = (at: StatedTime, retainedFromUs: number): string =>
    outcomeOf(request({ at }), [], { scope: { sources: ['sbc-1'], retainedFromUs }, coverage: ALL }).status;
  expect([statusOf(twice, early), statusOf(twice, early + HOUR_US)]).toEqual(['several', 'not-retained']);
  const ends = NARROW_ENDS_US + 1;
  expect([statusOf(unzoned, ends), statusOf(unzoned, ends + 12 * HOUR_US)]).toEqual(['several', 'not-retained']);
});

test('calls to the number are shown where records of that time were removed or are missing', () => {
  const other = legs(`other +20m calling=${OTHER_CALLER}`);
  const scope = { sources: ['sbc-1'], retainedFromUs: NARROW_ENDS_US + 1 };
  expect(brief(outcomeOf(request(), other, { scope, coverage: ALL }))).toBe('several other');
  expect(brief(outcomeOf(request(), other, { coverage: [] }))).toBe('several other');
});

test('where nothing was found it is said whether a person may say so', () => {
  const toShort = request({ called: '511' });
  expect(outcomeOf(toShort, [])).toMatchObject({ isCovered: true });
  expect(outcomeOf(request({ at: without(AT, 'zone') }), [])).toMatchObject({ isCovered: true });
  const retainedFromUs = NARROW_BEGINS_US + 1;
  const cut = outcomeOf(request(), [], { scope: { sources: ['sbc-1'], retainedFromUs } });
  expect(cut).toMatchObject({ status: 'several', isCovered: false, retainedFromUs });
});
