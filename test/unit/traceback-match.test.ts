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
  legs,
  MINUTE_US,
  named,
  outcomeOf,
  request,
  SCOPE,
  SECOND_US,
  unanswered,
  verdictOn,
  without,
  withoutCalling,
} from '../support/matched-calls.js';

const INGRESS = 'The leg by which the call came in is not on record.';
const ORIG_ID = '5b0a2a4f-8d3b-4b7e-9a53-0a8f9f1b6c11';
const FIRST_HOP = without(request({}, { hop: 1 }), 'downstream');
const HEP = { id: 'hep', format: 'hep', readerVersion: 1, sha256: 'a'.repeat(64) } as const;
const WITH_HEP = { coverage: [...ALL, { sourceId: 'hep', fromUs: 0, toUs: CALL_US * 2 }] };

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

test('the weights of called number, caller, time and downstream add up to 100, and no identifier weighs half of that', () => {
  const fields = ['called', 'calling', 'time', 'downstream'] as const;
  expect(fields.reduce((total, field) => total + MATCH_WEIGHTS[field].equal, 0)).toBe(100);
  expect(Math.max(...Object.values(MATCH_WEIGHTS).map(({ equal }) => equal))).toBeLessThan(50);
});

test.each([
  ['called number is in another format', '+12025550101', named(CALLED)],
  ['called number has dots', '202.555.0101', named(CALLED)],
  ['called number has other hyphens', '202\u2011555\u20110101', named(CALLED)],
  ['called number is a SIP URI', 'sip:+12025550101@example.com;user=phone', named(CALLED)],
  ['called number is dialled from abroad', '01112025550101', named(CALLED)],
  ['called number comes from a spreadsheet', '12025550101.0', named(CALLED)],
  ['called number has a technical prefix', '1234#12025550101', named(CALLED)],
  ['called number is ported', '+12025550101;rn=+12025550999;npdi', named(CALLED)],
  ['record has a toll-free number translated to it', CALLED, { ...named('18005550199'), translatedTn: CALLED }],
  ['record has its translation to another number', CALLED, { ...named(CALLED), translatedTn: '12155550112' }],
  ['record has a routing number too', CALLED, { ...named(CALLED), lrn: '12155550100' }],
  ['record has a technical prefix', CALLED, { asWritten: `1234#${CALLED}`, tn: CALLED, techPrefix: '1234#' }],
] as readonly (readonly [string, string, CalledNumber])[])('a call is unique if the %s', (_what, called, recorded) => {
  expect(brief(outcomeOf(request({ called }), [leg('one', { called: recorded })]))).toBe('unique one');
});

test.each(['3125550144', '(312) 555-0144', '13125550144.0'])('the calling number may be spelled %s', (calling) => {
  const records = legs('one; other calling=14155550123');
  expect(brief(outcomeOf(request({ calling }), records))).toBe('unique one');
});

test.each([
  ['the other call of the pair was ten minutes later', 'one; again +10m in-b>', 'unique one'],
  ['the pair called twice within the stated minute', 'one; again +40s in-b>', 'several one again'],
  ['the call was sent to another provider', 'one >out-y', 'several one disputed'],
  ['neither of two calls was sent to the provider that named us', 'one >out-y; two in-b>out-y', 'several one two'],
  ['an own switch took the call over', 'core +1s core/between>; edge >core/between', 'unique edge'],
  ['only the own switch has a record', 'core core/between>', 'several core'],
  ['an own switch sent it elsewhere', 'edge >core/b; core +1s core/b>out-y', 'several edge disputed'],
  ['the leg by which the call came in is missing', 'b ->', 'several b'],
  ['the first try was answered', 'one; again +30s in-a-2/two>', 'several one again'],
  ['another upstream tries again', 'first in-a/1> unanswered=4; again +6s in-b/2>', 'several first again'],
  [
    'each of two tries of an upstream has a leg for each side',
    'a >- group=1 unanswered=4; b +1s -> group=1 unanswered=3; a2 +6s >- group=2; b2 +7s -> group=2',
    'unique a2',
  ],
  ['the call crossed us twice', 'once >out-y group=g; twice +2s in-b> group=g', 'unique twice'],
])('the outcome where %s', (_what, records, expected) => {
  expect(brief(outcomeOf(request(), legs(records)))).toBe(expected);
});

test('a call that crosses the carrier twice is two calls, and the provider that named us decides which is meant', () => {
  const [once, twice] = legs('once >out-y group=loop@192.0.2.1; twice +2s in-b> group=loop@192.0.2.1') as [
    CallRecord,
    CallRecord,
  ];
  expect(brief(outcomeOf(request({}, { downstream: DOWNSTREAM_Y }), [once, twice]))).toBe('unique once');
  const both = [once, { ...twice, egress: once.egress }];
  expect(brief(outcomeOf(request({ callId: 'loop@192.0.2.1' }), both))).toBe('several once twice');
});

test('the asserted number counts as the calling number', () => {
  const asserted = leg('one', { calling: named('14155550123'), asserted: named(CALLING) });
  expect(brief(outcomeOf(request(), [asserted]))).toBe('unique one');
});

test('without a calling number the only call of that minute is unique, with a lower score', () => {
  const outcome = outcomeOf(withoutCalling(), legs('one; later +20m'));
  expect(brief(outcome)).toBe('unique one');
  expect(outcome).toMatchObject({ candidate: { score: 0.75 }, others: [{ ingressLeg: { legId: 'later' } }] });
  for (const calling of ['anonymous', 'Restricted', ' UNKNOWN '])
    expect(brief(outcomeOf(request({ calling }), [leg('one')]))).toBe('unique one');
  // Of two calls in that minute the downstream tells.
  expect(brief(outcomeOf(withoutCalling(), legs('one >out-y; two in-b>')))).toBe('unique two');
});

test('a record without the stated calling number is not unique, and keeps another from being unique', () => {
  const withheld = leg('silent', { ingress: { trunk: 'in-b' }, calling: { asWritten: 'anonymous' } });
  for (const silent of [withheld, without(withheld, 'calling') as CallRecord]) {
    expect(brief(outcomeOf(request(), [silent]))).toBe('several silent');
    expect(brief(outcomeOf(request(), [silent, leg('one')]))).toBe('several one silent');
  }
});

test('a calling number that a hop has rewritten, or that cannot be read, leaves the decision to a person', () => {
  const outcome = outcomeOf(request({ calling: '12125550123' }), [leg('one')]);
  expect([brief(outcome), verdictOn(outcome, 'calling')]).toEqual(['several one', 'contradicts']);
  expect(brief(outcomeOf(request({ calling: 'V-1234-X' }), [leg('one')]))).toBe('several one');
});

test.each(['unknown', '__proto__', 'constructor', 'toString'])(
  'a call over trunk %s, which the directory does not know, is not unique',
  (trunk) => {
    const outcome = outcomeOf(request(), [leg('one', { ingress: { trunk }, egress: { trunk } })]);
    expect(outcome).toMatchObject({ status: 'several', candidates: [{ downstream: 'unknown-egress' }] });
  },
);

test('a call was not sent elsewhere if the directory does not know the provider that named us', () => {
  const asked = request({}, { downstream: { name: 'Another Name of Downstream Y' } });
  const outcome = outcomeOf(asked, [leg('one')]);
  expect(outcome).toMatchObject({ status: 'several', candidates: [{ downstream: 'unknown-egress' }] });
  expect(outcome).not.toHaveProperty('disputed');
});

test('a call was not sent elsewhere if it is not known where one of its legs went', () => {
  const fork = { callGroupId: 'fork', egress: { trunk: 'out-y' } };
  const elsewhere = leg('elsewhere', fork);
  const check = (parts: Partial<CallRecord>): string | undefined => {
    const outcome = outcomeOf(request(), [elsewhere, leg('other', { ...fork, ...parts }, CALL_US + SECOND_US)]);
    return outcome.status === 'several' ? outcome.candidates[0]?.downstream : outcome.status;
  };
  expect(check({})).toBe('sent-elsewhere');
  expect(check({ egress: { trunk: 'unknown' } })).toBe('unknown-egress');
  // To an own switch, whose record is missing.
  expect(check({ egress: { trunk: 'core', callId: 'between@192.0.2.9' } })).toBe('unknown-egress');
  expect(check({ ingress: {}, egress: {} })).toBe('unknown-egress');
  expect(check({ ingress: {}, egress: {}, disposition: 'blocked' })).toBe('sent-elsewhere');
  // The leg by which the call came in has an egress leg of its own.
  expect(check({ egress: {} })).toBe('sent-elsewhere');
});

test('at the first hop a call is unique if it was delivered to a customer or blocked, and not if it was sent on', () => {
  const delivered = leg('delivered', { egress: { trunk: 'subscribers' } });
  const blocked = unanswered('blocked', { disposition: 'blocked', egress: {}, blockedBy: 'analytics' }, 0);
  const toOwnSwitch = legs('one group=fork; core +1s >core/between group=fork');
  expect(brief(outcomeOf(FIRST_HOP, [delivered]))).toBe('unique delivered');
  expect(brief(outcomeOf(FIRST_HOP, [blocked]))).toBe('unique blocked');
  expect(brief(outcomeOf(FIRST_HOP, [leg('one')]))).toBe('several one');
  expect(outcomeOf(FIRST_HOP, toOwnSwitch)).toMatchObject({ candidates: [{ downstream: 'unknown-egress' }] });
  // A later hop has to say which downstream named us; a call that was blocked here did not reach it.
  expect(outcomeOf({ ...FIRST_HOP, hop: 3 }, [delivered])).toMatchObject({
    status: 'several',
    candidates: [{ downstream: 'unknown-egress' }],
  });
  expect(brief(outcomeOf(request(), [blocked]))).toBe('several blocked disputed');
});

test('a time that is stated to the second does not tell apart what clocks might have moved', () => {
  const at = { ...AT, local: '2026-10-23T15:41:20', precision: 'second' as const };
  const records = legs('one; again +40s in-b>');
  expect(brief(outcomeOf(request({ at }), records))).toBe('several one again');
  expect(brief(outcomeOf(request({ at }), records, { options: { clockAllowanceMs: 2_000 } }))).toBe('unique one');
});

test('a clock may be 59 s off; if it is further off a person decides', () => {
  for (const seconds of [-59, 0, 59]) {
    const atUs = Date.UTC(2026, 9, 23, 19, 41, seconds < 0 ? 0 : 59) * 1_000 + seconds * SECOND_US;
    expect(brief(outcomeOf(request(), [unanswered('one', {}, 0, atUs)]))).toBe('unique one');
  }
  const outcome = outcomeOf(request(), legs('one +5m'));
  expect([brief(outcome), verdictOn(outcome, 'time')]).toEqual(['several one', 'contradicts']);
  expect(outcome).toMatchObject({ candidates: [{ timeOffsetUs: 5 * MINUTE_US + 20 * SECOND_US - MINUTE_US + 1 }] });
});

test('a stated time may be that of the end of a call, or the other instant of a record whose local time came twice', () => {
  const ended = leg('one', { endedAtUs: CALL_US }, CALL_US - 12 * MINUTE_US);
  const time = { written: 'local' as const, resolutionUs: SECOND_US, otherInviteAtUs: CALL_US };
  for (const record of [ended, leg('one', { time }, CALL_US - HOUR_US)]) {
    const outcome = outcomeOf(request(), [record]);
    expect([brief(outcome), verdictOn(outcome, 'time')]).toEqual(['unique one', 'compatible']);
  }
});

test.each([
  ...['UTC', '+00:00', 'Z', 'GMT'].map((zone) => [zone, '2026-10-23T19:41'] as const),
  ...['-04:00', '-0400', 'UTC-04:00', 'America/Detroit'].map((zone) => [zone, AT.local] as const),
])('a time may be stated in %s', (zone, local) => {
  expect(brief(outcomeOf(request({ at: { ...AT, local, zone } }), [leg('one')]))).toBe('unique one');
});

test('a time without a zone is read in the configured zone, and left to a person if none is configured', () => {
  const asked = request({ at: without(AT, 'zone') });
  const read = outcomeOf(asked, [leg('one')], { options: { defaultZone: 'America/New_York' } });
  expect(brief(read)).toBe('unique one');
  const reasons = read.status === 'unique' ? read.candidate.reasons : [];
  expect(reasons.find(({ field }) => field === 'time')?.stated).toBe(
    '2026-10-23T15:41 America/New_York (no zone stated: the configured one)',
  );
  const unsure = request({ at: { ...without(AT, 'zone'), local: '2026-10-23T19:41' } });
  expect(brief(outcomeOf(unsure, [leg('one')]))).toBe('several one');
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

test('a local time that does not exist is read both ways, and always left to a person', () => {
  const at = { ...AT, local: '2026-03-08T02:30' };
  const before = leg('before', {}, Date.UTC(2026, 2, 8, 6, 30) * 1_000);
  const after = leg('after', {}, Date.UTC(2026, 2, 8, 7, 30) * 1_000);
  expect(brief(outcomeOf(request({ at }), [before]))).toBe('several before');
  expect(brief(outcomeOf(request({ at }), [after]))).toBe('several after');
  expect(brief(outcomeOf(request({ at }), []))).toBe('several ');
});

test('a zone that is an hour off finds the call wherever the right zone would allow it', () => {
  for (const seconds of [-15 * 60 - 20, -20, 0, 95]) {
    const records = [leg('one', { endedAtUs: CALL_US + 3_600 * SECOND_US }, CALL_US + seconds * SECOND_US)];
    for (const zone of ['-03:00', '-05:00'])
      expect([seconds, brief(outcomeOf(request({ at: { ...AT, zone } }), records))]).toEqual([seconds, 'several one']);
  }
});

test('a time may be stated to the day', () => {
  const at = { ...AT, local: '2026-10-23', precision: 'day' as const };
  expect(brief(outcomeOf(request({ at }), legs('one -9h')))).toBe('unique one');
  expect(brief(outcomeOf(request({ at }), legs('one +9h')))).toBe('several one');
});

test.each([
  ['no date', request({ at: { ...AT, local: 'last Friday' } })],
  ['a day that does not exist', request({ at: { ...AT, local: '2026-02-30T10:00' } })],
  ['a zone that does not exist', request({ at: { ...AT, zone: 'Eastern' } })],
  ['no number', request({ called: 'the grandmother' })],
  ['the direction forward, which is not about a call', request({}, { direction: 'forward' })],
])('a request with %s is unreadable', (_what, asked) => {
  expect(outcomeOf(asked, [leg('one')]).status).toBe('unreadable');
});

test('the legs of a fork, of a back-to-back user agent, of a diversion and of two sources are one call', () => {
  const fork = legs('first >out-y group=f unanswered=6; second +1s group=f');
  expect(outcomeOf(request(), fork)).toMatchObject({
    status: 'unique',
    candidate: { egressLeg: { legId: 'second' }, legs: [{}, {}] },
  });
  const [a, b] = legs('a >- group=g called=18005550199 calling=14155550123; b +1s -> group=g');
  expect(outcomeOf(request(), [b!, a!])).toMatchObject({
    status: 'unique',
    candidate: { ingressLeg: { legId: 'a' }, egressLeg: { legId: 'b' } },
  });
  const diverted = legs('a >subscribers group=d called=12155550112; b +15s group=d');
  expect(outcomeOf(request(), diverted)).toMatchObject({ status: 'unique', candidate: { legs: [{}, {}] } });
  const twin = leg('capture', { source: HEP }, CALL_US + SECOND_US);
  expect(outcomeOf(request(), [leg('one'), twin], WITH_HEP)).toMatchObject({
    status: 'unique',
    candidate: { legs: [{}, {}] },
  });
  const tries = legs('first in-a/one> unanswered=4; again +6s in-a-2/two>');
  expect(outcomeOf(request(), tries)).toMatchObject({ status: 'unique', candidate: { legs: [{}, {}] } });
});

test('a leg that went out after a call had come in twice belongs to neither call', () => {
  const [once, twice, out, early] = legs(
    'once >out-y group=g; twice +1s in-b>- group=g; out +2s -> group=g; early -> group=g',
  ) as [CallRecord, CallRecord, CallRecord, CallRecord];
  const outcome = outcomeOf(request(), [once, twice, out]);
  expect(outcome).toMatchObject({ status: 'several', because: [expect.stringContaining('could be meant'), INGRESS] });
  // The customer who pays for it does not say who sent it: it came in by one of the two.
  const billed = { ...out, customerId: 'customer-1' };
  expect(outcomeOf(request(), [once, twice, billed])).toMatchObject({ status: 'several' });
  expect(outcomeOf(request(), [once, { ...twice, egress: { trunk: 'out-y' } }, billed])).toMatchObject({
    status: 'several',
    because: [INGRESS],
  });
  // Before the second one came in it can only be of the first.
  expect(outcomeOf(request(), [{ ...once, egress: {} }, twice, early])).toMatchObject({
    candidates: [{ ingressLeg: { legId: 'once' }, egressLeg: { legId: 'early' } }, { ingressLeg: { legId: 'twice' } }],
  });
});

test('a leg that came after a call of its group had ended belongs to another call', () => {
  const [came, out] = legs('came -120s >- group=g; out -> group=g') as [CallRecord, CallRecord];
  expect(outcomeOf(request(), [came, out]).status).toBe('several');
  const later = leg('later', { callGroupId: 'g', ingress: { trunk: 'in-b' }, egress: {} }, CALL_US - 10_000);
  expect(brief(outcomeOf(request(), [came, out, later]))).toBe('unique later');
  expect(outcomeOf(request(), legs('one group=g; again +20m group=g'))).toMatchObject({
    status: 'unique',
    candidate: { legs: [{ legId: 'one' }] },
    others: [{}],
  });
});

test('two switches that give two calls one name have two calls', () => {
  const [one, out] = legs('one >- group=17; out +1s -> group=17') as [CallRecord, CallRecord];
  const records = [one, { ...out, source: { ...HEP, id: 'core-2' } }];
  const coverage = [...ALL, { sourceId: 'core-2', fromUs: 0, toUs: CALL_US * 2 }];
  const scope = { sources: ['sbc-1', 'core-2'] };
  expect(brief(outcomeOf(request(), records, { scope, coverage }))).toBe('several out one');
});

test.each([
  ['provider', { provider: 'carrier-a' }, { provider: 'carrier-b' }],
  [
    'provider, over one trunk',
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

test('a technical prefix without a mark is known where it is declared', () => {
  const options = { numbers: { techPrefixes: ['9911'] } };
  expect(brief(outcomeOf(request({ called: '991112025550101' }), [leg('one')], { options }))).toBe('unique one');
});

test('a Call-ID that proxies left unchanged does not join calls of two upstreams, one of which tried after the other', () => {
  const first = 'edge-a in-a/kept>core/kept; core-a core/kept>out-x/kept';
  for (const egress of ['out-x', 'out-y']) {
    for (const trunk of ['in-b', 'unknown']) {
      const next = `edge-b +9s ${trunk}/kept>core/kept; core-b +9s core/kept>${egress}/kept`;
      expect([trunk, outcomeOf(request(), legs(`${first}; ${next}`)).status]).toEqual([trunk, 'several']);
    }
  }
  // Of one upstream it is the same whichever it was.
  const again = 'edge-b +9s in-a-2/kept>core/kept; core-b +9s core/kept>out-x/kept';
  expect(brief(outcomeOf(request(), legs(`${first}; ${again}`)))).toBe('unique edge-b');
});

test('a source that does not know who sent a call does not join calls of two upstreams', () => {
  const callId = 'kept@192.0.2.1';
  const [one, other] = legs('one in-a/kept>; other +2s in-b/kept>') as [CallRecord, CallRecord];
  const captured = leg('capture', { source: HEP, ingress: { address: '192.0.2.7:5060', callId } }, CALL_US + SECOND_US);
  // Of one upstream it is the same leg, and the source that knows is believed.
  expect(brief(outcomeOf(request(), [one, captured], WITH_HEP))).toBe('unique one');
  expect(outcomeOf(request(), [one, captured, other], WITH_HEP).status).toBe('several');
  const hidden = [one, captured].map((record) => ({ ...record, calling: { asWritten: 'anonymous' } }));
  expect(brief(outcomeOf(withoutCalling(), hidden, WITH_HEP))).toBe('unique one');
  // An unknown trunk does not become a known one because a third source has the same Call-ID.
  const byAddress = { ...captured, ingress: { ...captured.ingress, trunk: 'in-a' } };
  const unknown = { ...other, ingress: { trunk: 'unknown', callId } };
  const elsewhere = { ...one, ingress: { ...one.ingress, address: '198.51.100.7:5060' } };
  for (const records of [
    [one, captured, unknown],
    [byAddress, unknown],
    [elsewhere, captured],
  ])
    expect(outcomeOf(request(), records, WITH_HEP).status).toBe('several');
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

test('a Call-ID names the call among others of that minute, if no record of the call is missing', () => {
  const records = legs('one >out-x/this; other in-b>');
  expect(brief(outcomeOf(withoutCalling({ callId: 'this@192.0.2.1' }), records))).toBe('unique one');
  const once = legs('once in-a/one>out-y');
  const asked = request({ callId: 'one@192.0.2.1' });
  expect(brief(outcomeOf(asked, once))).toBe('several once disputed');
  // The call came in a second time, which may be what is meant.
  expect(brief(outcomeOf(asked, [...once, ...legs('twice +2s in-b/two>')]))).toBe('several once twice');
  const coverage = [
    { sourceId: 'sbc-1', fromUs: 0, toUs: CALL_US },
    { sourceId: 'sbc-1', fromUs: CALL_US + 30 * SECOND_US, toUs: CALL_US * 2 },
  ];
  const outcome = outcomeOf(asked, once, { coverage });
  expect(brief(outcome)).toBe('several once');
  expect(outcome).toMatchObject({ because: expect.arrayContaining([DOUBTS.gap]) });
});

test('a Call-ID of another hop says nothing if the caller is known, and otherwise keeps a call from being unique', () => {
  const records = legs('one >out-x/this');
  expect(brief(outcomeOf(request({ callId: 'that@198.51.100.7' }), records))).toBe('unique one');
  expect(brief(outcomeOf(withoutCalling({ callId: 'that@198.51.100.7' }), records))).toBe('several one');
});

test('an origid that two calls share, that is not on record, or is another there, names no call', () => {
  const received = { attestation: 'B' as const, origId: ORIG_ID };
  const records = [leg('one', { received }), leg('other', { received, ingress: { trunk: 'in-b' } })];
  expect(brief(outcomeOf(withoutCalling({ origId: ORIG_ID }), records))).toBe('several one other');
  const scope = { sources: ['sbc-1', 'sbc-2'] };
  expect(brief(outcomeOf(request({ origId: ORIG_ID }), [leg('one', { received })], { scope }))).toBe('several one');
  const other = { attestation: 'B' as const, origId: '0c1d2e3f-0000-4000-8000-1234567890ab' };
  expect(brief(outcomeOf(request({ origId: ORIG_ID }), [leg('one')]))).toBe('several one');
  expect(brief(outcomeOf(request({ origId: ORIG_ID }), [leg('one', { received: other })]))).toBe('several one');
  expect(brief(outcomeOf(request({ origId: other.origId }), [leg('one', { signed: other })]))).toBe('unique one');
});

test('an origid, a record id and a duration tell calls of one minute apart', () => {
  const one = leg('one', { received: { attestation: 'B', origId: ORIG_ID, spc: '709J' } });
  const other = leg('other', {
    ingress: { trunk: 'in-b' },
    received: { attestation: 'A', origId: '0c1d2e3f-0000-4000-8000-1234567890ab', spc: '310B' },
    endedAtUs: CALL_US + 200 * SECOND_US,
  });
  const asked = (call: Partial<RequestedCall>): string => brief(outcomeOf(withoutCalling(call), [one, other]));
  expect(asked({})).toBe('several one other');
  expect(asked({ origId: ORIG_ID })).toBe('unique one');
  expect(asked({ recordId: one.recordId.toUpperCase() })).toBe('unique one');
  expect(asked({ durationSeconds: 21 })).toBe('unique one');
});

test('"not found" needs every source to be covered for all that was looked through', () => {
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

test('where records of that minute are missing no call is unique, except one that an identifier names', () => {
  const scope = { sources: ['sbc-1', 'sbc-2'] };
  expect(brief(outcomeOf(request(), [leg('one')], { scope }))).toBe('several one');
  expect(brief(outcomeOf(request({ callId: 'this@192.0.2.1' }), legs('one in-a/this>'), { scope }))).toBe('unique one');
});

test.each([
  ['in-foreign', 'foreign-provider'],
  ['in-customer', 'customer'],
  ['unknown', undefined],
])('the upstream of trunk %s is %s', (trunk, kind) => {
  const outcome = outcomeOf(request(), [leg('one', { ingress: { trunk } })]);
  expect(outcome.status === 'unique' && outcome.candidate.upstream?.kind).toBe(kind);
});
