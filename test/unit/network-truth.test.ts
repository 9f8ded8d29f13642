import { expect, test } from 'vitest';
import { callTruth, networkTruth, type CallTruth } from '../../harness/src/network/truth/index.js';
import type { Behaviour } from '../../harness/src/scenario/index.js';
import { rowOf, smallPlan, type SmallCall, type SmallProvider } from '../support/planned-network.js';

/** The truth of the last of some calls over providers in a row. */
function truthOf(providers: readonly SmallProvider[], calls: readonly SmallCall[]): CallTruth {
  const plan = smallPlan({ providers, calls });
  const last = plan.calls.at(-1);
  if (last === undefined) throw new Error('no calls');
  return callTruth(plan, last);
}

const inARow = (behaviours: Readonly<Record<string, readonly Behaviour[]>>, call: Partial<SmallCall> = {}): CallTruth =>
  truthOf(rowOf('a b c d', behaviours), [{ way: 'a b c d', ...call }]);

/** Providers with other settings for some of them. */
const changed = (row: readonly SmallProvider[], settings: Record<string, Partial<SmallProvider>>): SmallProvider[] =>
  row.map((provider) => ({ ...provider, ...settings[provider.id] }));

const verstats = ({ hops }: CallTruth): string =>
  hops.map(({ provider, verdict }) => `${provider}:${verdict.verstat.join('|')}`).join(' ');

const signatures = ({ hops }: CallTruth): string =>
  hops
    .map(({ sends }) =>
      sends.identity.map(({ ppt, attestation, spc }) => `${ppt}${attestation ?? ''}@${spc}`).join('+'),
    )
    .join(' ');

const fair = ({ fairOutcomes }: CallTruth): readonly string[] =>
  fairOutcomes.map(({ kind, provider }) => (provider === undefined ? kind : `${kind}:${provider}`)).sort();

const PASSED = 'TN-Validation-Passed';
const FAILED = 'TN-Validation-Failed';
const NONE = 'No-TN-Validation';

test('an honest call is signed by the originating provider, passes everywhere, and leads to its origin', () => {
  const truth = inARow({});
  expect(signatures(truth)).toBe('shakenA@1000 shakenA@1000 shakenA@1000 shakenA@1000');
  expect(verstats(truth)).toBe(`a:not-asked b:${PASSED} c:${PASSED} d:${PASSED}`);
  expect(truth.hops[3]?.verdict).toMatchObject({ attestation: 'A', signerSpc: '1000' });
  expect(truth.answers.map(({ given }) => given.kind)).toEqual(['origin', 'upstream', 'upstream', 'upstream']);
  expect(fair(truth)).toEqual(['origin:a']);
  expect(truth).toMatchObject({
    finalStatus: [200],
    culprit: { kind: 'origin', provider: 'a' },
    innocent: ['b', 'c', 'd'],
  });
});

test('a number that the originating provider has not given out is signed with B', () => {
  expect(inARow({}, { calling: '14155550100' }).hops[3]?.verdict.attestation).toBe('B');
});

test('a gateway signs with C what comes from abroad, and is the point of entry', () => {
  const providers: SmallProvider[] = [
    { id: 'f', role: 'foreign' },
    { id: 'g', role: 'gateway' },
    { id: 't', role: 'terminating' },
  ];
  const truth = truthOf(providers, [{ way: 'f g t' }]);
  expect(signatures(truth)).toBe(' shakenC@1001 shakenC@1001');
  expect(verstats(truth)).toBe(`f:not-asked g:not-asked t:${PASSED}`);
  expect(fair(truth)).toEqual(['foreign-provider', 'point-of-entry:g']);
  expect(truth.culprit).toEqual({ kind: 'point-of-entry', provider: 'g' });
});

test('an intermediate provider signs with C what an originating one sends it unsigned, and nothing else', () => {
  const unsigned = changed(rowOf('a b c d'), { a: { stir: false } });
  const calls = [{ way: 'a b c d' }];
  expect(signatures(truthOf(unsigned, calls))).toBe(' shakenC@1001 shakenC@1001 shakenC@1001');
  const both = truthOf(changed(unsigned, { b: { stir: false } }), calls);
  expect(signatures(both)).toBe('   ');
  expect(verstats(both)).toBe(`a:not-asked b:not-asked c:not-asked d:${NONE}`);
});

test('behind a link without IP an intermediate provider is asked nothing and a terminating one finds no signature', () => {
  expect(verstats(inARow({ b: [{ kind: 'strips-identity' }] }))).toBe(`a:not-asked b:${PASSED} c:not-asked d:${NONE}`);
});

const GOOD = [PASSED, 'B', '1000'] as const;
const DIVERTS: Behaviour = { kind: 'diverts', to: '13125559999' };
const DIVERTS_AGAIN: Behaviour = { kind: 'diverts', to: '13125558888' };
const REWRITES: Behaviour = { kind: 'rewrites-numbers', how: 'calling', value: '12025559999' };
const SKEWED: Behaviour = { kind: 'clock-skew', seconds: 600 };
const withFault = (fault: 'expired' | 'revoked' | 'untrusted'): Behaviour => ({ kind: 'certificate', fault });
const signsAs = (provider: string): Behaviour => ({ kind: 'signs-as', provider, attestation: 'A' });

test.for([
  ['signs-spoofed', { a: [{ kind: 'signs-spoofed' }] }, PASSED, 'A', '1000'],
  ['downgrades', { b: [{ kind: 'downgrades', to: 'C' }] }, PASSED, 'C', '1001'],
  ['signs-as', { b: [signsAs('d')] }, PASSED, 'A', '1003'],
  ['alters-identity', { b: [{ kind: 'alters-identity' }] }, FAILED],
  ['calling rewritten', { b: [REWRITES] }, NONE],
  ['prefix', { b: [{ kind: 'rewrites-numbers', how: 'prefix', value: '1234' }] }, NONE],
  ['national', { b: [{ kind: 'rewrites-numbers', how: 'national' }] }, ...GOOD],
  ['rewritten, then signed', { b: [REWRITES, { kind: 'downgrades', to: 'B' }] }, PASSED, 'B', '1001'],
  ['diverted', { b: [DIVERTS] }, ...GOOD],
  ['diverted twice', { b: [DIVERTS], c: [DIVERTS_AGAIN] }, ...GOOD],
  ['diverted without div', { b: [{ ...DIVERTS, withoutDiv: true }] }, NONE],
  ['diverted, then rewritten', { b: [DIVERTS], c: [REWRITES] }, NONE],
  ['expired', { a: [withFault('expired')] }, FAILED],
  ['revoked', { a: [withFault('revoked')] }, FAILED],
  ['untrusted', { a: [withFault('untrusted')] }, FAILED],
  ['certificate of the diverter', { b: [DIVERTS, withFault('expired')] }, FAILED],
  ['stolen certificate that is revoked', { b: [signsAs('c')], c: [withFault('revoked')] }, FAILED],
  ['dead server', { a: [{ kind: 'certificate-server', fault: 'dead' }] }, NONE],
  ['skewed by ten minutes', { a: [SKEWED] }, NONE],
  ['skewed by half a minute', { a: [{ kind: 'clock-skew', seconds: -30 }] }, ...GOOD],
  ['both skewed alike', { a: [SKEWED], d: [SKEWED] }, ...GOOD],
  ['not under it yet', { a: [{ kind: 'certificate', fault: 'expired', fromSeconds: 10 }] }, ...GOOD],
  ['for no call', { b: [{ kind: 'strips-identity', share: 0 }] }, ...GOOD],
] as [string, Record<string, Behaviour[]>, string, string?, string?][])(
  'the terminating provider comes to what %s makes of a call',
  ([, behaviours, verstat, attestation, signerSpc]) => {
    const verdict = inARow(behaviours, { calling: '14155550100' }).hops.at(-1)?.verdict;
    expect(verdict?.verstat).toEqual([verstat]);
    expect(verdict?.attestation).toBe(attestation);
    expect(verdict?.signerSpc).toBe(signerSpc);
  },
);

test('a certificate that becomes bad during the run may still be in a cache', () => {
  const truth = truthOf(rowOf('a d', { a: [{ kind: 'certificate-server', fault: 'dead', fromSeconds: 1 }] }), [
    { way: 'a d' },
    { way: 'a d' },
  ]);
  expect(truth.hops[1]?.verdict.verstat).toEqual([PASSED, NONE]);
});

const REPLAYS = rowOf('a b d', { b: [{ kind: 'replays-identity' }] });

test('an Identity of an earlier call fails: it has other numbers, and after a minute it is too old', () => {
  const calls = [{ way: 'a b d' }, { way: 'a b d', atMs: 10_000 }, { way: 'a b d', atMs: 90_000 }];
  const plan = smallPlan({ providers: REPLAYS, calls });
  const truth = networkTruth(plan);
  const last = plan.calls.map((call) => truth.ofCall(call).hops[2]);
  expect(last.map((hop) => hop?.receives.identity[0]?.faults)).toEqual([
    [],
    ['caller-differs', 'callee-differs', 'replayed'],
    ['caller-differs', 'callee-differs', 'replayed', 'stale'],
  ]);
  expect(last.map((hop) => hop?.verdict.verstat)).toEqual([[PASSED], [NONE], [NONE]]);
});

test('of two calls that come at once either may lend its Identity to the other', () => {
  const plan = smallPlan({ providers: REPLAYS, calls: [{ way: 'a b d' }, { way: 'a b d', atMs: 500 }] });
  const verdicts = plan.calls.map((call) => callTruth(plan, call).hops[2]?.verdict.verstat);
  expect(verdicts).toEqual([
    [PASSED, NONE],
    [PASSED, NONE],
  ]);
});

test('a repeat that fits the call is evidence, not a failure', () => {
  const same = { way: 'a b d', calling: '12025550100', called: '13125550100' };
  const truth = truthOf(REPLAYS, [same, same]);
  expect(truth.hops[2]?.verdict).toMatchObject({ verstat: [PASSED], attestation: 'A', signerSpc: '1000' });
  // The owner of another switch decides what to make of it.
  const theirs = truthOf(changed(REPLAYS, { d: { isExternal: true } }), [same, same]);
  expect(theirs.hops[2]?.verdict.verstat).toEqual([PASSED, NONE]);
});

test('a certificate of the code of another is a good one, and the verdict names that code', () => {
  const certificate = { kind: 'certificate', fault: 'wrong-spc' } as const;
  const { verdict } = truthOf(rowOf('a d', { a: [certificate] }), [{ way: 'a d' }]).hops[1] ?? {};
  expect(verdict).toMatchObject({ verstat: [PASSED], signerSpc: '999Z' });
  // Changed during the run, the one or the other is in a cache.
  const later = truthOf(rowOf('a d', { a: [{ ...certificate, fromSeconds: 1 }] }), [{ way: 'a d' }, { way: 'a d' }]);
  expect(later.hops[1]?.verdict.verstat).toEqual([PASSED]);
  expect(later.hops[1]?.verdict).not.toHaveProperty('signerSpc');
});

test('a terminating provider refuses what fails where that is its policy, and an intermediate one never does', () => {
  const reject = { failureAction: 'reject_request' } as const;
  const providers = changed(rowOf('a b d', { a: [{ kind: 'certificate', fault: 'expired' }] }), {
    b: reject,
    d: reject,
  });
  const truth = truthOf(providers, [{ way: 'a b d' }]);
  expect(truth.finalStatus).toEqual([437]);
  expect(truth.hops.map(({ to }) => to)).toEqual([{ provider: 'b' }, { provider: 'd' }, { refusedWith: 437 }]);
});

test('what could not be checked is not refused', () => {
  const row = rowOf('a d', { a: [{ kind: 'certificate-server', fault: 'dead' }] });
  const providers = changed(row, { d: { failureAction: 'reject_request' } });
  expect(truthOf(providers, [{ way: 'a d' }]).finalStatus).toEqual([200]);
});

test('behind a crashed provider there is nothing, and near the instant of the crash both are possible', () => {
  const providers = rowOf('a b d', { b: [{ kind: 'crashes', fromSeconds: 10, untilSeconds: 20 }] });
  const at = (atMs: number, placedMs = atMs): CallTruth => truthOf(providers, [{ way: 'a b d', atMs, placedMs }]);
  expect(at(5_000)).toMatchObject({ finalStatus: [200] });
  expect(at(15_000).hops.map(({ provider }) => provider)).toEqual(['a']);
  expect(at(15_000).finalStatus).not.toContain(200);
  expect(at(20_500).finalStatus).toEqual(expect.arrayContaining([200, 503]));
  expect(at(20_500).hops.map(({ isCertain }) => isCertain)).toEqual([true, false, false]);
  // Somewhat late, but in the midst of it.
  expect(at(12_000, 13_000).finalStatus).not.toContain(200);
  // Placed after it, or in it, by a machine that stood still.
  for (const moved of [at(15_000, 21_000), at(7_000, 15_000), at(15_000, 40_000)]) {
    expect(moved.finalStatus).toEqual(expect.arrayContaining([200, 503]));
    expect(moved.hops.map(({ isCertain, record }) => [isCertain, record])).toEqual([
      [true, 'kept'],
      [false, 'kept'],
      [false, 'kept'],
    ]);
  }
});

test('of more calls than a provider can carry it may refuse any, without a verdict', () => {
  const providers = rowOf('a b d', { b: [{ kind: 'overloads', perSecond: 2 }] });
  const plan = smallPlan({ providers, calls: [0, 10, 20, 5_000].map((atMs) => ({ way: 'a b d', atMs })) });
  const truths = plan.calls.map((call) => callTruth(plan, call));
  expect(truths.map(({ finalStatus }) => finalStatus)).toEqual([[200, 503], [200, 503], [200, 503], [200]]);
  const verdicts = truths[1]?.hops.map(({ verdict }) => verdict.verstat);
  expect(verdicts).toEqual([['not-asked'], [PASSED, 'not-asked'], [PASSED]]);
});

test.for([
  ['isRejected', { isRejected: true }, [607]],
  ['nobody answers', { isAnswered: false }, [408, 480, 486, 487]],
] as const)('%s', ([, call, status]) => {
  expect(inARow({}, call).finalStatus).toEqual(status);
});

test.for([
  ['silent', [{ kind: 'silent' }], ['disputed', 'non-responsive:b', 'not-askable:b', 'origin:a']],
  ['late', [{ kind: 'late', hours: 30 }], ['non-responsive:b', 'origin:a']],
  ['refuses', [{ kind: 'refuses', reason: 'no' }], ['disputed', 'origin:a', 'refused:b']],
  ['denies', [{ kind: 'denies' }], ['disputed', 'origin:a']],
  ['purged', [{ kind: 'purged-records' }], ['disputed', 'not-retained:b', 'origin:a']],
  ['gap', [{ kind: 'record-gap' }], ['disputed', 'not-retained:b', 'origin:a']],
  ['names nobody', [{ kind: 'names-nobody', name: 'Nobody LLC' }], ['disputed', 'origin:a', 'unlisted-provider']],
  ['names a third', [{ kind: 'names-another', provider: 'x' }], ['disputed', 'origin:a']],
  ['names one on the way', [{ kind: 'names-another', provider: 'd' }], ['disputed', 'loop', 'origin:a']],
  ['claims', [{ kind: 'claims-origin' }], ['disputed', 'origin:a', 'origin:b']],
] as [string, Behaviour[], string[]][])(
  'a provider that is or does %s: the neighbour before it may lead on',
  ([, behaviours, outcomes]) => {
    const truth = truthOf([...rowOf('a b c d', { b: behaviours }), { id: 'x', role: 'transit' }], [{ way: 'a b c d' }]);
    expect(fair(truth)).toEqual(outcomes);
  },
);

test('a colluder frames the one before it, who denies', () => {
  const providers = rowOf('a b d', { b: [{ kind: 'names-another', provider: 'x', colludes: true }] });
  const others: SmallProvider[] = [
    { id: 'x', role: 'transit', upstream: ['y'] },
    { id: 'y', role: 'originating' },
  ];
  const truth = truthOf([...providers, ...others], [{ way: 'a b d' }]);
  expect(truth.answers.at(-1)).toMatchObject({ provider: 'x', given: { kind: 'upstream', provider: 'y' } });
  expect(fair(truth)).toEqual(['disputed', 'origin:a']);
});

test('nobody may be named but the culprit and who says so of itself', () => {
  const plan = smallPlan({
    providers: rowOf('a b c d', { b: [{ kind: 'claims-origin' }], c: [{ kind: 'denies' }] }),
    calls: [{ way: 'a b c d' }],
  });
  const truth = networkTruth(plan);
  const [call] = plan.calls;
  if (call === undefined) throw new Error('no call');
  expect(truth.ofCall(call).innocent).toEqual(['c', 'd']);
  expect(['a', 'b', 'c', 'd'].filter((id) => truth.mayBeNamed(call, id))).toEqual(['a', 'b']);
});

test('a call that comes to the same provider by the same neighbour twice may lead round in a circle', () => {
  expect(fair(truthOf(rowOf('a b c d'), [{ way: 'a b c b c d' }]))).toEqual([
    'ambiguous:b',
    'loop',
    'origin:a',
    'several-neighbours:b',
  ]);
});
