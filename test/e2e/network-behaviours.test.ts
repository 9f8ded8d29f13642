import { afterAll, beforeAll, expect, test } from 'vitest';
import type { World } from '@hopback/harness';
import type { PlannedCall } from '../../harness/src/network/plan/index.js';
import type { RunFacts, SeenCall, SeenHop } from '../../harness/src/oracle/index.js';
import type { Behaviour } from '../../harness/src/scenario/index.js';
import { smallPlan } from '../support/network-plan.js';
import type { SmallProvider } from '../support/network-plan.js';
import { placed, testWorld } from '../support/network-world.js';

// One world for all behaviours that do something to calls: each on a way of its own between the same two ends.

const PATIENCE_MS = 90_000;

/** In the middle of a way, by a name of their own. */
const MIDDLES: Readonly<Record<string, Behaviour>> = {
  strips: { kind: 'strips-identity' },
  downgrades: { kind: 'downgrades', to: 'C' },
  'signs-as': { kind: 'signs-as', provider: 'birch', attestation: 'A' },
  alters: { kind: 'alters-identity' },
  diverts: { kind: 'diverts', to: '12145550990' },
  'without-div': { kind: 'diverts', to: '12145550991', withoutDiv: true },
  national: { kind: 'rewrites-numbers', how: 'national' },
  prefix: { kind: 'rewrites-numbers', how: 'prefix', value: '4321' },
  calling: { kind: 'rewrites-numbers', how: 'calling', value: '13125550123' },
  forks: { kind: 'forks', branches: 3 },
  replays: { kind: 'replays-identity' },
  overloads: { kind: 'overloads', perSecond: 2 },
  gap: { kind: 'record-gap' },
  crashes: { kind: 'crashes', fromSeconds: 0, untilSeconds: 2 },
  half: { kind: 'strips-identity', share: 0.5 },
};

/** Where a way begins. */
const ORIGINS: Readonly<Record<string, Behaviour>> = {
  'signs-spoofed': { kind: 'signs-spoofed' },
  expired: { kind: 'certificate', fault: 'expired' },
  revoked: { kind: 'certificate', fault: 'revoked' },
  'wrong-spc': { kind: 'certificate', fault: 'wrong-spc' },
  untrusted: { kind: 'certificate', fault: 'untrusted' },
  dead: { kind: 'certificate-server', fault: 'dead' },
  slow: { kind: 'certificate-server', fault: 'slow' },
  hostile: { kind: 'certificate-server', fault: 'hostile' },
  'clock-skew': { kind: 'clock-skew', seconds: -600 },
};

const named = (behaviours: Readonly<Record<string, Behaviour>>): readonly SmallProvider[] =>
  Object.entries(behaviours).map(([id, behaviour]) => ({ id, behaviours: [behaviour] }));

/** So many calls by a way, and what differs. */
const by = (
  way: readonly string[],
  count: number = 1,
  call: Partial<PlannedCall> = {},
): readonly Partial<PlannedCall>[] => Array.from({ length: count }, () => ({ way, atMs: 0, ...call }));

const LOST_WAY = ['alder', 'crashes', 'cedar'];
const ABROAD = ['abroad', 'gateway', 'cedar'];
const CALLS: readonly Partial<PlannedCall>[] = [
  ...Object.entries(MIDDLES).flatMap(([id, behaviour]) =>
    by(['alder', id, 'cedar'], { overloads: 4, replays: 2, half: 8, crashes: 0 }[id] ?? 1, {
      ...(behaviour.kind === 'diverts' && {
        diversions: [{ hop: 1, behaviour: 0, to: behaviour.to, destination: 'homes' }],
      }),
    }),
  ),
  ...Object.keys(ORIGINS).flatMap((id) => by([id, 'cedar'])),
  ...by(['alder', 'cedar'], 1, { calling: '13125550123' }),
  ...by(['alder', 'strict'], 1, { calling: '13125550123' }),
  ...by(['alder', 'old', 'cedar']),
  ...by(['calling-rejected', 'calling', 'strict']),
  ...by(ABROAD, 1, { calling: '442079460123' }),
  ...by(['alder', 'cedar'], 1, { isRejected: true, isAnswered: false }),
  ...by(['alder', 'cedar'], 1, { isAnswered: false }),
  ...by(LOST_WAY, 1, { atMs: 500 }),
  ...by(LOST_WAY, 1, { atMs: 4_000 }),
];

const plan = smallPlan({
  providers: [{ id: 'alder' }, { id: 'birch' }, { id: 'cedar' }],
  others: [
    ...named(MIDDLES),
    ...named(ORIGINS),
    { id: 'strict', failureAction: 'reject_request' },
    { id: 'calling-rejected' },
    { id: 'old', stir: false },
    { id: 'abroad', role: 'foreign', country: 'GB', stir: false, answersTracebacks: false },
    { id: 'gateway', role: 'gateway' },
  ],
  // Placed in the order of their time.
  calls: CALLS,
});

let world: World;
let facts: RunFacts;
beforeAll(async () => {
  world = await testWorld({ plan });
  await placed(world, plan.calls);
  await world.settle();
  facts = await world.facts();
}, PATIENCE_MS);
afterAll(() => world.close());

/** Calls that came by a way. */
function callsBy(...way: readonly string[]): readonly SeenCall[] {
  const planned = plan.calls.filter((call) => call.way.join(' ') === way.join(' '));
  return planned.map(({ index }) => facts.calls[index] as SeenCall);
}

const through = (id: string): readonly SeenCall[] => callsBy('alder', id, 'cedar');
const lastOf = (call: SeenCall | undefined): Partial<SeenHop> => call?.hops.at(-1) ?? {};
const spcOf = (id: string): string | undefined => plan.providers.find((one) => one.id === id)?.spc;

test('nothing went wrong in the network itself', () => {
  expect(facts.troubles).toEqual([]);
});

test('a TDM link takes Identity away: seen before it, gone behind it', () => {
  const [call] = through('strips');
  expect(call?.hops).toMatchObject([{}, { verstat: 'TN-Validation-Passed' }, { verstat: 'No-TN-Validation' }]);
  expect(call?.shownVerstat).toBe('No-TN-Validation');
});

test('a share of the calls, as the seed draws them', () => {
  const verstats = through('half').map((call) => lastOf(call).verstat);
  expect(new Set(verstats)).toEqual(new Set(['TN-Validation-Passed', 'No-TN-Validation']));
});

test('whoever signs anew stands for the call: with less, or as another', () => {
  expect(lastOf(through('downgrades')[0])).toMatchObject({ attestation: 'C', signerSpc: spcOf('downgrades') });
  expect(lastOf(through('signs-as')[0])).toMatchObject({ attestation: 'A', signerSpc: spcOf('birch') });
});

test('what was altered under a signature is not believed behind it', () => {
  const [call] = through('alters');
  expect(call?.hops).toMatchObject([{}, { verstat: 'TN-Validation-Passed' }, {}]);
  // Whoever has no time left to ask whether the certificate is a new one cannot say that the signature is false.
  expect(['signature-invalid', 'signature-unchecked']).toContain(lastOf(call).reasons?.[0]);
});

test('a diversion with its div is believed, one without is not', () => {
  expect(lastOf(through('diverts')[0])).toMatchObject({ verstat: 'TN-Validation-Passed', attestation: 'A' });
  expect(lastOf(through('without-div')[0]).verstat).not.toBe('TN-Validation-Passed');
});

test('numbers that are written otherwise are the same, other numbers are not', () => {
  expect(lastOf(through('national')[0])).toMatchObject({ verstat: 'TN-Validation-Passed' });
  for (const id of ['prefix', 'calling']) expect(lastOf(through(id)[0]).verstat).not.toBe('TN-Validation-Passed');
  expect(through('calling')[0]?.finalStatus).toBe(200);
  // Where policy says so, such calls are refused.
  const [refused] = callsBy('calling-rejected', 'calling', 'strict');
  expect(refused?.finalStatus).toBe(438);
  expect(refused?.hops.map(({ provider }) => provider)).toEqual(['calling-rejected', 'calling', 'strict']);
});

test('the branches of a fork carry the same Identity, and one is answered', () => {
  const [call] = through('forks');
  expect(call).toMatchObject({ finalStatus: 200 });
  expect(call?.hops.map(({ provider }) => provider)).toEqual(['alder', 'forks', 'cedar', 'cedar', 'cedar']);
  expect(new Set(call?.hops[1]?.egressCallIds)).toEqual(new Set(call?.hops.slice(2).map((hop) => hop.ingressCallId)));
});

test('the Identity of an earlier call says nothing of a later one', () => {
  const verstats = through('replays').map((call) => lastOf(call).verstat);
  expect(verstats.filter((one) => one === 'TN-Validation-Passed')).toHaveLength(1);
});

test('what is more than a provider can carry gets 503', () => {
  const statuses = through('overloads').map(({ finalStatus }) => finalStatus);
  expect(statuses.filter((status) => status === 503)).toHaveLength(2);
});

test('a provider that has crashed answers nothing, then carries again', () => {
  const [lost, carried] = callsBy(...LOST_WAY);
  expect(lost?.finalStatus).not.toBe(200);
  expect(lost?.hops.map(({ provider }) => provider)).toEqual(['alder']);
  expect(carried?.finalStatus).toBe(200);
});

test('records of a gap are not there', () => {
  const stored = new Map(facts.records.map((one) => [one.provider, one.stored]));
  expect(stored.get('gap')).toBe(0);
  expect(stored.get('national')).toBe(1);
});

test("who signs in full what is not its customer's, and who does not", () => {
  expect(lastOf(callsBy('alder', 'cedar')[0])).toMatchObject({ attestation: 'B' });
  expect(lastOf(callsBy('signs-spoofed', 'cedar')[0])).toMatchObject({ attestation: 'A' });
});

test.each(['expired', 'revoked', 'untrusted', 'clock-skew'])('%s: what is signed so is not believed', (id) => {
  const [call] = callsBy(id, 'cedar');
  expect(lastOf(call).verstat).not.toBe('TN-Validation-Passed');
  expect(lastOf(call).reasons).not.toEqual([]);
});

test('a certificate of another code speaks for another', () => {
  const last = lastOf(callsBy('wrong-spc', 'cedar')[0]);
  expect(last).toMatchObject({ verstat: 'TN-Validation-Passed', signerSpc: '999Z' });
});

test.each(['dead', 'slow', 'hostile'])('%s server of certificates: nobody can tell, and the call goes on', (id) => {
  const [call] = callsBy(id, 'cedar');
  expect(lastOf(call)).toMatchObject({ verstat: 'No-TN-Validation' });
  expect(call?.finalStatus).toBe(200);
});

test('who takes no part in SHAKEN hands Identity on as it came', () => {
  const [call] = through('old');
  expect(call?.hops[1]?.verstat).toBeUndefined();
  expect(lastOf(call)).toMatchObject({ verstat: 'TN-Validation-Passed', signerSpc: '101A' });
});

test('a gateway signs what comes from abroad, as the point where it came in', () => {
  const [call] = callsBy(...ABROAD);
  expect(lastOf(call)).toMatchObject({ attestation: 'C', signerSpc: spcOf('gateway') });
});

test('callees reject, or do not answer', () => {
  const [, rejected, unanswered] = callsBy('alder', 'cedar');
  expect(rejected?.finalStatus).toBe(607);
  expect(unanswered?.finalStatus).toBe(480);
});
