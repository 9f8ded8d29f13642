import { expect, test } from 'vitest';
import type { CalledNumber, CallRecord } from '../../sdk/src/contract/call-record.js';
import type { ProviderReference } from '../../sdk/src/contract/common.js';
import type { RequestedCall } from '../../sdk/src/contract/traceback-exchange.js';
import { DOUBTS, matchCall } from '../../sdk/src/traceback/match/match-call.js';
import { MATCH_WEIGHTS } from '../../sdk/src/traceback/match/match-options.js';
import {
  ALL,
  AT,
  brief,
  CALL_US,
  CALLED,
  CALLING,
  DIRECTORY,
  DOWNSTREAM_Y,
  HOUR_US,
  leg,
  MINUTE_US,
  outcomeOf,
  request,
  SCOPE,
  SECOND_US,
  unanswered,
  verdictOn,
  without,
  withoutCalling,
} from '../support/matched-calls.js';

test('a call that is consistent with everything that was stated is unique, with a reason for each field', () => {
  const outcome = outcomeOf(request(), [leg('one')]);
  if (outcome.status !== 'unique') throw new Error(outcome.status);
  const { candidate } = outcome;
  expect(candidate.reasons.map(({ field, verdict }) => `${field} ${verdict}`)).toEqual([
    'called equal',
    'calling equal',
    'time equal',
    'downstream equal',
  ]);
  expect(candidate).toMatchObject({ score: 1, downstream: 'sent-to-downstream', timeOffsetUs: 0 });
  expect(candidate.upstream).toMatchObject({ provider: { name: 'Upstream A' } });
});

test('the weights of number called, caller, time and downstream make one, and none of an identifier more than half of that', () => {
  const sum = (['called', 'calling', 'time', 'downstream'] as const).reduce(
    (total, field) => total + MATCH_WEIGHTS[field].equal,
    0,
  );
  expect(sum).toBe(100);
  expect(Math.max(...Object.values(MATCH_WEIGHTS).map(({ equal }) => equal))).toBeLessThan(50);
});

const spellings = [
  '+12025550101',
  '2025550101',
  '12025550101',
  '(202) 555-0101',
  '202.555.0101',
  '12025550101.0',
  '01112025550101',
]
  .concat([
    '0012025550101',
    '1234#12025550101',
    'sip:+12025550101@example.com;user=phone',
    'tel:+1-202-555-0101',
    '202\u2011555\u20110101',
  ])
  .concat(['+12025550101;rn=+12025550999;npdi']);
test.each(spellings)('the number called may be spelled %s', (called) => {
  expect(brief(outcomeOf(request({ called }), [leg('one')]))).toBe('unique one');
});

test.each(['+13125550144', '3125550144', '(312) 555-0144', '13125550144.0'])(
  'the calling number may be spelled %s',
  (calling) => {
    expect(brief(outcomeOf(request({ calling }), [leg('one'), leg('other', { calling: named('14155550123') })]))).toBe(
      'unique one',
    );
  },
);

const named = (tn: string): { asWritten: string; tn: string } => ({ asWritten: tn, tn });

const translated: readonly [string, CalledNumber][] = [
  [
    'a toll-free number was translated to the one that was stated',
    { asWritten: '8005550199', tn: '18005550199', translatedTn: CALLED },
  ],
  [
    'the number that was stated was translated to another',
    { asWritten: CALLED, tn: CALLED, translatedTn: '12155550112' },
  ],
  ['a routing number stands beside it', { asWritten: CALLED, tn: CALLED, lrn: '12155550100' }],
  ['it has a technical prefix', { asWritten: `1234#${CALLED}`, tn: CALLED, techPrefix: '1234#' }],
];
test.each(translated)('a call is unique where %s', (_what, called) => {
  expect(brief(outcomeOf(request(), [leg('one', { called })]))).toBe('unique one');
});

test('a call whose called field holds nothing but the routing number contradicts, and a person sees it', () => {
  const outcome = outcomeOf(request(), [leg('one', { called: named('12155550100') })]);
  expect([brief(outcome), verdictOn(outcome, 'called')]).toEqual(['several one', 'contradicts']);
});

test('the asserted number counts as the calling one', () => {
  expect(brief(outcomeOf(request(), [leg('one', { calling: named('14155550123'), asserted: named(CALLING) })]))).toBe(
    'unique one',
  );
});

test('without a calling number the only call of that minute is unique, with a lower score', () => {
  const outcome = outcomeOf(withoutCalling(), [leg('one'), leg('later', {}, CALL_US + 20 * MINUTE_US)]);
  expect(brief(outcome)).toBe('unique one');
  expect(outcome).toMatchObject({ candidate: { score: 0.75 }, others: [{ ingressLeg: { legId: 'later' } }] });
});

test.each(['anonymous', 'Restricted', ' UNKNOWN '])('a calling number that is stated as %s is none', (calling) => {
  expect(brief(outcomeOf(request({ calling }), [leg('one')]))).toBe('unique one');
});

test('a record without the calling number that was stated is not unique, and keeps another from being it', () => {
  const silent = without(leg('silent', { ingress: { trunk: 'in-b' } }), 'calling') as CallRecord;
  expect(brief(outcomeOf(request(), [silent]))).toBe('several silent');
  expect(brief(outcomeOf(request(), [silent, leg('one')]))).toBe('several one silent');
});

test('a spoofed calling number that a hop rewrote contradicts: a person decides', () => {
  const outcome = outcomeOf(request({ calling: '12125550123' }), [leg('one')]);
  expect([brief(outcome), verdictOn(outcome, 'calling')]).toEqual(['several one', 'contradicts']);
});

test('a calling number that is none keeps a call from being unique', () => {
  expect(brief(outcomeOf(request({ calling: 'V-1234-X' }), [leg('one')]))).toBe('several one');
});

test('a call that was not sent to the provider that named us is disputed, and never unique', () => {
  const outcome = outcomeOf(request(), [leg('one', { egress: { trunk: 'out-y' } })]);
  expect(brief(outcome)).toBe('several one disputed');
  expect(outcome).toMatchObject({ disputed: { downstream: 'sent-elsewhere' } });
});

test('two calls of which none was sent to the provider that named us are no dispute', () => {
  const elsewhere = { egress: { trunk: 'out-y' } };
  const outcome = outcomeOf(request(), [
    leg('one', elsewhere),
    leg('two', { ...elsewhere, ingress: { trunk: 'in-b' } }),
  ]);
  expect(brief(outcome)).toBe('several one two');
});

test('a call of which nobody knows to whom it was sent is not unique', () => {
  const outcome = outcomeOf(request(), [leg('one', { egress: { trunk: 'nobody knows' } })]);
  expect(outcome).toMatchObject({ status: 'several', candidates: [{ downstream: 'unknown-egress' }] });
});

test.each(['__proto__', 'constructor', 'toString'])(
  'a trunk may be named %s, and is one that nobody knows',
  (trunk) => {
    const outcome = outcomeOf(request(), [leg('one', { ingress: { trunk }, egress: { trunk } })]);
    expect(outcome).toMatchObject({ status: 'several', candidates: [{ downstream: 'unknown-egress' }] });
  },
);

test('a call is not said to have been sent elsewhere where nobody knows who named us', () => {
  const asked = request({}, { downstream: { name: 'Another Name of Downstream Y' } });
  const outcome = outcomeOf(asked, [leg('one')]);
  expect(outcome).toMatchObject({ status: 'several', candidates: [{ downstream: 'unknown-egress' }] });
  expect(outcome).not.toHaveProperty('disputed');
});

test('a call of which one leg went to nobody knows whom is not said to have been sent elsewhere', () => {
  const fork = { callGroupId: 'fork', egress: { trunk: 'out-y' } };
  const elsewhere = leg('elsewhere', fork);
  const check = (parts: Partial<CallRecord>): string | undefined => {
    const outcome = outcomeOf(request(), [elsewhere, leg('other', { ...fork, ...parts }, CALL_US + SECOND_US)]);
    return outcome.status === 'several' ? outcome.candidates[0]?.downstream : outcome.status;
  };
  expect(check({})).toBe('sent-elsewhere');
  expect(check({ egress: { trunk: 'nobody knows' } })).toBe('unknown-egress');
  // To an own switch, whose record is missing.
  expect(check({ egress: { trunk: 'core', callId: 'between@192.0.2.9' } })).toBe('unknown-egress');
  expect(check({ ingress: {}, egress: {} })).toBe('unknown-egress');
  expect(check({ ingress: {}, egress: {}, disposition: 'blocked' })).toBe('sent-elsewhere');
  // The leg by which the call came in has an egress leg of its own.
  expect(check({ egress: {} })).toBe('sent-elsewhere');
});

test('at the first hop a call that was handed to an own switch is not said to have gone on', () => {
  const first = without(request({}, { hop: 1 }), 'downstream');
  const fork = { callGroupId: 'fork' };
  const core = leg('core', { ...fork, egress: { trunk: 'core', callId: 'between@192.0.2.9' } }, CALL_US + SECOND_US);
  expect(outcomeOf(first, [leg('one', fork), core])).toMatchObject({ candidates: [{ downstream: 'unknown-egress' }] });
});

test('a call that an own switch took over and sent elsewhere was sent elsewhere', () => {
  const edge = leg('edge', { egress: { trunk: 'core', callId: 'between@192.0.2.9' } });
  const core = leg(
    'core',
    { ingress: { trunk: 'core', callId: 'between@192.0.2.9' }, egress: { trunk: 'out-y' } },
    CALL_US + SECOND_US,
  );
  expect(outcomeOf(request(), [edge, core])).toMatchObject({ disputed: { downstream: 'sent-elsewhere' } });
});

test('of two calls in that minute the one that was sent to the provider that named us is unique', () => {
  const records = [leg('one', { egress: { trunk: 'out-y' } }), leg('two', { ingress: { trunk: 'in-b' } })];
  expect(brief(outcomeOf(withoutCalling(), records))).toBe('unique two');
});

test('at the first hop a call is unique that was delivered to a customer, and not one that was sent on', () => {
  const first = without(request({}, { hop: 1 }), 'downstream');
  expect(brief(outcomeOf(first, [leg('one', { egress: { trunk: 'subscribers' } })]))).toBe('unique one');
  expect(brief(outcomeOf(first, [leg('one')]))).toBe('several one');
});

test('a call that was blocked at the first hop is unique there', () => {
  const first = without(request({}, { hop: 1 }), 'downstream');
  const blocked = unanswered('blocked', { disposition: 'blocked', egress: {}, blockedBy: 'analytics' }, 0);
  expect(brief(outcomeOf(first, [blocked]))).toBe('unique blocked');
});

test('a call that was blocked here was not sent to whoever says to have it from us', () => {
  const blocked = unanswered('blocked', { disposition: 'blocked', egress: {}, blockedBy: 'analytics' }, 0);
  expect(brief(outcomeOf(request(), [blocked]))).toBe('several blocked disputed');
});

test('the same pair that called twice is told apart by the stated time', () => {
  const records = [leg('one'), leg('again', { ingress: { trunk: 'in-b' } }, CALL_US + 10 * MINUTE_US)];
  expect(brief(outcomeOf(request(), records))).toBe('unique one');
});

test('the same pair that called twice within what was stated is not told apart', () => {
  const records = [leg('one'), leg('again', { ingress: { trunk: 'in-b' } }, CALL_US + 40 * SECOND_US)];
  expect(brief(outcomeOf(request(), records))).toBe('several one again');
});

test('a time that is stated to the second does not tell apart what clocks might have moved', () => {
  const at = { ...AT, local: '2026-10-23T15:41:20', precision: 'second' as const };
  const records = [leg('one'), leg('again', { ingress: { trunk: 'in-b' } }, CALL_US + 40 * SECOND_US)];
  expect(brief(outcomeOf(request({ at }), records))).toBe('several one again');
  expect(brief(outcomeOf(request({ at }), records, { options: { clockAllowanceMs: 2_000 } }))).toBe('unique one');
});

test.each([-59, 0, 59])('a clock that is %i s off is allowed for', (seconds) => {
  const atUs = Date.UTC(2026, 9, 23, 19, 41, seconds < 0 ? 0 : 59) * 1_000 + seconds * SECOND_US;
  const short = unanswered('one', {}, 0, atUs);
  expect(brief(outcomeOf(request(), [short]))).toBe('unique one');
});

test('a clock that is further off makes a call that a person decides on', () => {
  const outcome = outcomeOf(request(), [leg('one', {}, CALL_US + 5 * MINUTE_US)]);
  expect([brief(outcome), verdictOn(outcome, 'time')]).toEqual(['several one', 'contradicts']);
  expect(outcome).toMatchObject({ candidates: [{ timeOffsetUs: 5 * MINUTE_US + 20 * SECOND_US - MINUTE_US + 1 }] });
});

test('a time that is that of the end of a call is compatible with it', () => {
  const begun = CALL_US - 12 * MINUTE_US;
  const outcome = outcomeOf(request(), [leg('one', { endedAtUs: CALL_US }, begun)]);
  expect([brief(outcome), verdictOn(outcome, 'time')]).toEqual(['unique one', 'compatible']);
});

test.each(['UTC', '+00:00', 'Z', 'GMT'])('a time may be stated in %s', (zone) => {
  expect(brief(outcomeOf(request({ at: { ...AT, local: '2026-10-23T19:41', zone } }), [leg('one')]))).toBe(
    'unique one',
  );
});

test.each(['-04:00', '-0400', 'UTC-04:00', 'America/Detroit'])('a time may be stated in %s', (zone) => {
  expect(brief(outcomeOf(request({ at: { ...AT, zone } }), [leg('one')]))).toBe('unique one');
});

test('a time without a zone is read in the configured one, and by nobody but a person where none is', () => {
  const asked = request({ at: without(AT, 'zone') });
  expect(brief(outcomeOf(asked, [leg('one')], { options: { defaultZone: 'America/New_York' } }))).toBe('unique one');
  const read = outcomeOf(asked, [leg('one')], { options: { defaultZone: 'America/New_York' } });
  const reasons = read.status === 'unique' ? read.candidate.reasons : [];
  expect(reasons.find(({ field }) => field === 'time')?.stated).toBe(
    '2026-10-23T15:41 America/New_York (no zone stated: the configured one)',
  );
  const unsure = outcomeOf(request({ at: { ...without(AT, 'zone'), local: '2026-10-23T19:41' } }), [leg('one')]);
  expect(brief(unsure)).toBe('several one');
  expect(brief(outcomeOf(asked, []))).toBe('several ');
});

test('a local time that comes twice is looked for at both instants', () => {
  const at = { ...AT, local: '2026-11-01T01:30' };
  const early = leg('early', {}, Date.UTC(2026, 10, 1, 5, 30) * 1_000);
  const late = leg('late', { ingress: { trunk: 'in-b' } }, Date.UTC(2026, 10, 1, 6, 30) * 1_000);
  expect(brief(outcomeOf(request({ at }), [early]))).toBe('unique early');
  expect(brief(outcomeOf(request({ at }), [late]))).toBe('unique late');
  expect(brief(outcomeOf(request({ at }), [early, late]))).toBe('several early late');
});

test('a local time that does not exist is read both ways, and never by a machine alone', () => {
  const at = { ...AT, local: '2026-03-08T02:30' };
  const before = leg('before', {}, Date.UTC(2026, 2, 8, 6, 30) * 1_000);
  const after = leg('after', {}, Date.UTC(2026, 2, 8, 7, 30) * 1_000);
  expect(brief(outcomeOf(request({ at }), [before]))).toBe('several before');
  expect(brief(outcomeOf(request({ at }), [after]))).toBe('several after');
  expect(brief(outcomeOf(request({ at }), []))).toBe('several ');
});

test('a record whose own local time came twice could be meant at either instant', () => {
  const time = { written: 'local' as const, resolutionUs: SECOND_US, otherInviteAtUs: CALL_US };
  const outcome = outcomeOf(request(), [leg('one', { time }, CALL_US - HOUR_US)]);
  expect([brief(outcome), verdictOn(outcome, 'time')]).toEqual(['unique one', 'compatible']);
});

test('a day is a precision too', () => {
  const at = { ...AT, local: '2026-10-23', precision: 'day' as const };
  expect(brief(outcomeOf(request({ at }), [leg('one', {}, CALL_US - 9 * HOUR_US)]))).toBe('unique one');
  expect(brief(outcomeOf(request({ at }), [leg('one', {}, CALL_US + 9 * HOUR_US)]))).toBe('several one');
});

const unreadable: readonly [string, Partial<RequestedCall>][] = [
  ['no date', { at: { ...AT, local: 'last Friday' } }],
  ['a day that there is not', { at: { ...AT, local: '2026-02-30T10:00' } }],
  ['no zone of any kind', { at: { ...AT, zone: 'Eastern' } }],
  ['no number', { called: 'the grandmother' }],
];
test.each(unreadable)('a request with %s is unreadable', (_what, call) => {
  expect(outcomeOf(request(call), [leg('one')]).status).toBe('unreadable');
});

test('a request for who serves a number is not for a call', () => {
  expect(outcomeOf(request({}, { direction: 'forward' }), [leg('one')]).status).toBe('unreadable');
});

test('the legs of a fork are one call', () => {
  const parts = { callGroupId: 'fork' };
  const records = [
    unanswered('first', { ...parts, egress: { trunk: 'out-y' } }, 6),
    leg('second', parts, CALL_US + SECOND_US),
  ];
  const outcome = outcomeOf(request(), records);
  expect(outcome).toMatchObject({ status: 'unique', candidate: { egressLeg: { legId: 'second' }, legs: [{}, {}] } });
});

test('legs of a back-to-back user agent with other numbers on each are one call', () => {
  const parts = { callGroupId: 'b2b' };
  const a = leg('a', { ...parts, called: named('18005550199'), calling: named('14155550123'), egress: {} });
  const b = leg('b', { ...parts, ingress: {} }, CALL_US + SECOND_US);
  const outcome = outcomeOf(request(), [b, a]);
  expect(outcome).toMatchObject({
    status: 'unique',
    candidate: { ingressLeg: { legId: 'a' }, egressLeg: { legId: 'b' } },
  });
});

test('a leg towards the downstream whose incoming leg is not on record is not unique', () => {
  expect(brief(outcomeOf(request(), [leg('b', { ingress: {} })]))).toBe('several b');
});

test('a leg that went out after a call had come in twice belongs to neither of them', () => {
  const loop = { callGroupId: 'loop@192.0.2.1' };
  const once = leg('once', { ...loop, egress: { trunk: 'out-y' } });
  const twice = leg('twice', { ...loop, ingress: { trunk: 'in-b' }, egress: {} }, CALL_US + SECOND_US);
  const out = leg('out', { ...loop, ingress: {} }, CALL_US + 2 * SECOND_US);
  const outcome = outcomeOf(request(), [once, twice, out]);
  expect(outcome).toMatchObject({ status: 'several', because: [expect.stringContaining('could be meant'), INGRESS] });
  // Whose customer it was is no answer to who sent it: it came in by one of the two.
  const billed = { ...out, customerId: 'customer-1' };
  expect(outcomeOf(request(), [once, twice, billed])).toMatchObject({ status: 'several' });
  expect(outcomeOf(request(), [once, { ...twice, egress: { trunk: 'out-y' } }, billed])).toMatchObject({
    status: 'several',
    because: [INGRESS],
  });
  // Before the second one came in it can only be of the first.
  const early = leg('early', { ...loop, ingress: {} }, CALL_US);
  expect(outcomeOf(request(), [{ ...once, egress: {} }, twice, early])).toMatchObject({
    candidates: [{ ingressLeg: { legId: 'once' }, egressLeg: { legId: 'early' } }, { ingressLeg: { legId: 'twice' } }],
  });
});

const INGRESS = 'The leg by which the call came in is not on record.';

test('a leg that went out after a call of its name had ended is of another call', () => {
  const came = leg('came', { callGroupId: 'again', egress: {} }, CALL_US - 120 * SECOND_US);
  const out = leg('out', { callGroupId: 'again', ingress: {} });
  expect(outcomeOf(request(), [came, out]).status).toBe('several');
  const later = leg('later', { callGroupId: 'again', ingress: { trunk: 'in-b' }, egress: {} }, CALL_US - 10_000);
  expect(brief(outcomeOf(request(), [came, out, later]))).toBe('unique later');
});

test('two switches that give two calls one name have two calls', () => {
  const group = { callGroupId: '17' };
  const core = { id: 'core-2', format: 'columns', readerVersion: 1, sha256: 'a'.repeat(64) } as const;
  const one = leg('one', { ...group, egress: {} });
  const out = leg('out', { ...group, ingress: {}, source: core }, CALL_US + SECOND_US);
  const scope = { sources: ['sbc-1', 'core-2'] };
  const coverage = [...ALL, { sourceId: 'core-2', fromUs: 0, toUs: CALL_US * 2 }];
  expect(brief(outcomeOf(request(), [one, out], { scope, coverage }))).toBe('several out one');
});

test.each([
  ['provider', { provider: 'carrier-a' }, { provider: 'carrier-b' }],
  [
    'provider beside the trunk',
    { trunk: 'unknown', provider: 'carrier-a' },
    { trunk: 'unknown', provider: 'carrier-b' },
  ],
  ['trunk, where the other record has none', { trunk: 'in-a' }, { trunk: 'in-b', address: '192.0.2.9' }],
  ['known party', { trunk: 'in-a' }, { trunk: 'in-customer' }],
])('legs of one group that came from another %s are two calls', (_claim, first, second) => {
  const group = { callGroupId: 'group' };
  const records = [
    leg('one', { ...group, ingress: first }),
    leg('two', { ...group, ingress: second, egress: { trunk: 'out-y' } }, CALL_US + SECOND_US),
  ];
  const outcome = outcomeOf(withoutCalling(), records);
  expect(outcome).toMatchObject({ status: 'unique', candidate: { legs: [{ legId: 'one' }] }, others: [{}] });
});

test('a diverted call is found by the number that it was diverted to', () => {
  const parts = { callGroupId: 'diverted' };
  const a = leg('a', { ...parts, called: named('12155550112'), egress: { trunk: 'subscribers' } });
  const b = leg('b', { ...parts, called: named(CALLED) }, CALL_US + 15 * SECOND_US);
  expect(outcomeOf(request(), [a, b])).toMatchObject({ status: 'unique', candidate: { legs: [{}, {}] } });
});

test('the same leg of two sources is one call', () => {
  const twin = leg(
    'capture',
    { source: { id: 'hep', format: 'hep', readerVersion: 1, sha256: 'a'.repeat(64) } },
    CALL_US + SECOND_US,
  );
  const coverage = [...ALL, { sourceId: 'hep', fromUs: 0, toUs: CALL_US * 2 }];
  expect(outcomeOf(request(), [leg('one'), twin], { coverage })).toMatchObject({
    status: 'unique',
    candidate: { legs: [{}, {}] },
  });
});

test('an upstream that tries again by another route is one call, and another upstream is not', () => {
  const failed = unanswered('first', { ingress: { trunk: 'in-a', callId: 'one@192.0.2.1' } }, 4);
  const again = (trunk: string): CallRecord =>
    leg('again', { ingress: { trunk, callId: 'two@192.0.2.1' } }, CALL_US + 6 * SECOND_US);
  expect(outcomeOf(request(), [failed, again('in-a-2')])).toMatchObject({
    status: 'unique',
    candidate: { legs: [{}, {}] },
  });
  expect(brief(outcomeOf(request(), [failed, again('in-b')]))).toBe('several first again');
});

test('each try of an upstream may have a leg for each side', () => {
  const out = { ingress: {} };
  const tries = [
    unanswered('a', { callGroupId: 'first', egress: {} }, 4),
    unanswered('b', { callGroupId: 'first', ...out }, 3, CALL_US + SECOND_US),
    leg('a again', { callGroupId: 'again', egress: {} }, CALL_US + 6 * SECOND_US),
    leg('b again', { callGroupId: 'again', ...out }, CALL_US + 7 * SECOND_US),
  ];
  expect(brief(outcomeOf(request(), tries))).toBe('unique a again');
});

test('a technical prefix without a mark is known where it is declared', () => {
  const numbers = { techPrefixes: ['9911'] };
  expect(brief(outcomeOf(request({ called: '991112025550101' }), [leg('one')], { options: { numbers } }))).toBe(
    'unique one',
  );
});

test('a call that was answered is no first try', () => {
  const again = leg('again', { ingress: { trunk: 'in-a-2', callId: 'two@192.0.2.1' } }, CALL_US + 30 * SECOND_US);
  expect(brief(outcomeOf(request(), [leg('one'), again]))).toBe('several one again');
});

test('a call that crosses the carrier twice is two, and the provider that named us decides which', () => {
  const loop = { callGroupId: 'loop@192.0.2.1' };
  const once = leg('once', { ...loop, egress: { trunk: 'out-y' } });
  const twice = leg('twice', { ...loop, ingress: { trunk: 'in-b' } }, CALL_US + 2 * SECOND_US);
  expect(brief(outcomeOf(request(), [once, twice]))).toBe('unique twice');
  expect(brief(outcomeOf(request({}, { downstream: DOWNSTREAM_Y }), [once, twice]))).toBe('unique once');
  expect(brief(outcomeOf(request({ callId: 'loop@192.0.2.1' }), [once, { ...twice, egress: once.egress }]))).toBe(
    'several once twice',
  );
});

test('two own switches that handed a call on are one call, which came from outside', () => {
  const edge = leg('edge', { egress: { trunk: 'core', callId: 'between@192.0.2.9' } });
  const core = leg('core', { ingress: { trunk: 'core', callId: 'between@192.0.2.9' } }, CALL_US + SECOND_US);
  expect(brief(outcomeOf(request(), [core, edge]))).toBe('unique edge');
  expect(brief(outcomeOf(request(), [core]))).toBe('several core');
});

/** One try of a call that proxies handed on without touching its Call-ID: by the edge, and by the core a moment later. */
function proxied(
  name: string,
  trunk: string,
  parts: { readonly seconds: number; readonly egress?: string },
): CallRecord[] {
  const { seconds, egress = 'out-x' } = parts;
  const atUs = CALL_US + seconds * SECOND_US;
  const callId = 'kept@192.0.2.1';
  return [
    leg(`edge ${name}`, { ingress: { trunk, callId }, egress: { trunk: 'core', callId } }, atUs),
    leg(`core ${name}`, { ingress: { trunk: 'core', callId }, egress: { trunk: egress, callId } }, atUs + 10_000),
  ];
}

test('a Call-ID that proxies left as it came joins no calls of two upstreams, one of which tried after the other', () => {
  const first = proxied('a', 'in-a', { seconds: 0 });
  for (const egress of ['out-x', 'out-y']) {
    for (const trunk of ['in-b', 'unknown']) {
      const outcome = outcomeOf(request(), [...first, ...proxied('b', trunk, { seconds: 9, egress })]);
      expect([trunk, outcome.status]).toEqual([trunk, 'several']);
    }
  }
  // Of one upstream it is the same whichever it was.
  expect(brief(outcomeOf(request(), [...first, ...proxied('b', 'in-a-2', { seconds: 9 })]))).toBe('unique edge b');
});

test('a source that does not know who sent a call joins no calls of two upstreams', () => {
  const callId = 'kept@192.0.2.1';
  const source = { id: 'hep', format: 'hep', readerVersion: 1, sha256: 'a'.repeat(64) } as const;
  const coverage = [...ALL, { sourceId: 'hep', fromUs: 0, toUs: CALL_US * 2 }];
  const captured = leg('capture', { source, ingress: { address: '192.0.2.7:5060', callId } }, CALL_US + SECOND_US);
  const one = leg('one', { ingress: { trunk: 'in-a', callId } });
  const other = leg('other', { ingress: { trunk: 'in-b', callId } }, CALL_US + 2 * SECOND_US);
  // Of one upstream it is the same leg, and the source that knows is believed.
  expect(brief(outcomeOf(request(), [one, captured], { coverage }))).toBe('unique one');
  expect(outcomeOf(request(), [one, captured, other], { coverage }).status).toBe('several');
  const hidden = [one, captured].map((record) => ({ ...record, calling: { asWritten: 'anonymous' } }));
  expect(brief(outcomeOf(withoutCalling(), hidden, { coverage }))).toBe('unique one');
  // A trunk that nobody knows is none of somebody's because a third source has the same Call-ID.
  const byAddress = { ...captured, ingress: { ...captured.ingress, trunk: 'in-a' } };
  const unknown = { ...other, ingress: { trunk: 'unknown', callId } };
  expect(outcomeOf(request(), [one, captured, unknown], { coverage }).status).toBe('several');
  expect(outcomeOf(request(), [byAddress, unknown], { coverage }).status).toBe('several');
  const elsewhere = { ...one, ingress: { ...one.ingress, address: '198.51.100.7:5060' } };
  expect(outcomeOf(request(), [elsewhere, captured], { coverage }).status).toBe('several');
});

test('two companies of one group that tried one after the other are two', () => {
  const isSame = (one: ProviderReference, other: ProviderReference): boolean =>
    one.name === other.name || [one, other].every(({ name }) => name.startsWith('Upstream'));
  const records = [unanswered('first', {}, 4), leg('again', { ingress: { trunk: 'in-b' } }, CALL_US + 6 * SECOND_US)];
  const directory = { ...DIRECTORY, isSame };
  const input = { request: request(), coverage: ALL, scope: SCOPE, directory };
  expect(brief(matchCall({ ...input, records }))).toBe('several first again');
  const group = records.map((record) => ({ ...record, callGroupId: 'one group' }));
  expect(brief(matchCall({ ...input, records: group }))).toBe('several first again');
});

test('a request of a later hop that does not say who named us is for no machine', () => {
  const first = without(request({}, { hop: 1 }), 'downstream');
  const delivered = leg('delivered', { egress: { trunk: 'subscribers' } });
  expect(brief(outcomeOf(first, [delivered]))).toBe('unique delivered');
  expect(outcomeOf({ ...first, hop: 3 }, [delivered])).toMatchObject({
    status: 'several',
    candidates: [{ downstream: 'unknown-egress' }],
  });
});

test('a Call-ID of the first time that a call came is no dispute of whoever had it the second time', () => {
  const once = leg('once', { ingress: { trunk: 'in-a', callId: 'one@192.0.2.1' }, egress: { trunk: 'out-y' } });
  const twice = leg('twice', { ingress: { trunk: 'in-b', callId: 'two@192.0.2.1' } }, CALL_US + 2 * SECOND_US);
  expect(brief(outcomeOf(request({ callId: 'one@192.0.2.1' }), [once]))).toBe('several once disputed');
  expect(brief(outcomeOf(request({ callId: 'one@192.0.2.1' }), [once, twice]))).toBe('several once twice');
});

test('a call that its Call-ID names is no dispute while records of that time are missing', () => {
  const callId = 'one@192.0.2.1';
  const once = leg('once', { ingress: { trunk: 'in-a', callId }, egress: { trunk: 'out-y' } });
  const coverage = [
    { sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US },
    { sourceId: 'sbc-1', fromUs: CALL_US + 30 * SECOND_US, toUs: CALL_US * 2 },
  ];
  const outcome = outcomeOf(request({ callId }), [once], { coverage });
  expect(brief(outcome)).toBe('several once');
  expect(outcome).toMatchObject({ because: expect.arrayContaining([DOUBTS.gap]) });
});

test('a zone that is an hour off finds the call wherever it was in what the right one would allow', () => {
  for (const seconds of [-15 * 60 - 20, -20, 0, 95]) {
    const records = [leg('one', { endedAtUs: CALL_US + 3_600 * SECOND_US }, CALL_US + seconds * SECOND_US)];
    for (const zone of ['-03:00', '-05:00'])
      expect([seconds, brief(outcomeOf(request({ at: { ...AT, zone } }), records))]).toEqual([seconds, 'several one']);
  }
});

test('a Call-ID names the call among others of that minute, whatever its other numbers', () => {
  const one = leg('one', { egress: { trunk: 'out-x', callId: 'this@192.0.2.1' } });
  const other = leg('other', { ingress: { trunk: 'in-b' } });
  expect(brief(outcomeOf(withoutCalling({ callId: 'this@192.0.2.1' }), [one, other]))).toBe('unique one');
});

test('a Call-ID of another hop says nothing where who called is known, and keeps a call from being unique where not', () => {
  const one = leg('one', { egress: { trunk: 'out-x', callId: 'this@192.0.2.1' } });
  expect(brief(outcomeOf(request({ callId: 'that@198.51.100.7' }), [one]))).toBe('unique one');
  expect(brief(outcomeOf(withoutCalling({ callId: 'that@198.51.100.7' }), [one]))).toBe('several one');
});

test('an origid that two calls share names neither of them', () => {
  const received = { attestation: 'B' as const, origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11' };
  const records = [leg('one', { received }), leg('other', { received, ingress: { trunk: 'in-b' } })];
  expect(brief(outcomeOf(withoutCalling({ origId: received.origId }), records))).toBe('several one other');
  const scope = { sources: ['sbc-1', 'sbc-2'] };
  expect(brief(outcomeOf(request({ origId: received.origId }), [leg('one', { received })], { scope }))).toBe(
    'several one',
  );
});

test('an origid that is not on record, or is another there, keeps a call from being unique', () => {
  const origId = '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11';
  const other = { attestation: 'B' as const, origId: '0c1d2e3f-0000-4000-8000-1234567890ab' };
  expect(brief(outcomeOf(request({ origId }), [leg('one')]))).toBe('several one');
  expect(brief(outcomeOf(request({ origId }), [leg('one', { received: other })]))).toBe('several one');
  expect(brief(outcomeOf(request({ origId: other.origId }), [leg('one', { signed: other })]))).toBe('unique one');
});

test('an origid, a record id and a duration tell calls of one minute apart', () => {
  const received = { attestation: 'B' as const, origId: '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11', spc: '709J' };
  const one = leg('one', { received });
  const other = leg('other', {
    ingress: { trunk: 'in-b' },
    received: { attestation: 'A', origId: '0c1d2e3f-0000-4000-8000-1234567890ab', spc: '310B' },
    endedAtUs: CALL_US + 200 * SECOND_US,
  });
  const asked = (call: Partial<RequestedCall>): string => brief(outcomeOf(withoutCalling(call), [one, other]));
  expect(asked({})).toBe('several one other');
  expect(asked({ origId: received.origId })).toBe('unique one');
  expect(asked({ recordId: one.recordId.toUpperCase() })).toBe('unique one');
  expect(asked({ durationSeconds: 21 })).toBe('unique one');
});

test('"not found" is said only where every source is covered for all that was looked through', () => {
  const gap = [
    { sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US - 40 * MINUTE_US },
    { sourceId: 'sbc-1', fromUs: CALL_US - 30 * MINUTE_US, toUs: CALL_US * 2 },
  ];
  expect(outcomeOf(request(), []).status).toBe('none-but-covered');
  expect(outcomeOf(request(), [], { coverage: gap })).toMatchObject({ status: 'gap', gaps: [{ sourceId: 'sbc-1' }] });
  expect(outcomeOf(request(), [], { scope: { sources: ['sbc-1', 'sbc-2'] } })).toMatchObject({
    status: 'gap',
    gaps: [{ sourceId: 'sbc-2' }],
  });
  expect(outcomeOf(request(), [], { coverage: [], scope: { sources: [] } }).status).toBe('gap');
});

test('what retention removed is not retained, and not "not found"', () => {
  const scope = { sources: ['sbc-1'], retainedFromUs: CALL_US + HOUR_US };
  expect(outcomeOf(request(), [], { scope, coverage: [] })).toMatchObject({
    status: 'not-retained',
    retainedFromUs: scope.retainedFromUs,
  });
});

test('where records of that minute are missing no call is unique, except one that an identifier names', () => {
  const scope = { sources: ['sbc-1', 'sbc-2'] };
  expect(brief(outcomeOf(request(), [leg('one')], { scope }))).toBe('several one');
  const one = leg('one', { ingress: { trunk: 'in-a', callId: 'this@192.0.2.1' } });
  expect(brief(outcomeOf(request({ callId: 'this@192.0.2.1' }), [one], { scope }))).toBe('unique one');
});

test('an upstream outside the country, a customer and an unknown one are named as they are', () => {
  const upstreamOf = (trunk: string): unknown => {
    const outcome = outcomeOf(request(), [leg('one', { ingress: { trunk } })]);
    return outcome.status === 'unique' ? outcome.candidate.upstream?.kind : outcome.status;
  };
  expect(['in-foreign', 'in-customer', 'nobody knows'].map(upstreamOf)).toEqual([
    'foreign-provider',
    'customer',
    undefined,
  ]);
});

test('a name of a group that a switch used again is another call', () => {
  const again = leg('again', { callGroupId: 'name', ingress: { trunk: 'in-a' } }, CALL_US + 20 * MINUTE_US);
  const outcome = outcomeOf(request(), [leg('one', { callGroupId: 'name' }), again]);
  expect(outcome).toMatchObject({ status: 'unique', candidate: { legs: [{ legId: 'one' }] }, others: [{}] });
});
