import type { TrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { ManualClock, createPassport, TestPki, TEST_NOW_MS, type PassportOptions } from '@hopback/sdk/testing';
import { twinSignature } from '../../sdk/src/testing/passport-faults/encoding-faults.js';
import * as fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import { describeVerdict } from '../../sdk/src/stir/verification/explain.js';
import type { CertificateLookup } from '../../sdk/src/stir/certificates/repository.js';
import type { VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import type { SignatureChecker } from '../../sdk/src/stir/verification/signature-checker.js';
import { PATH_REEVALUATION_MS, ReplayMemory } from '../../sdk/src/stir/verification/memory.js';
import type { VerificationServiceOptions } from '../../sdk/src/stir/verification/verification-service.js';
import { createShelfRepository, createVerificationLab, trustStoreOf } from '../support/verification-lab.js';
import type { CertificateRepository, VerificationLab } from '../support/verification-lab.js';
import { forAll } from '../support/for-all.js';

let lab: VerificationLab;

beforeEach(async () => {
  lab = await createVerificationLab();
});

const passport = (changes: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: lab.provider, x5u: lab.x5u, ...changes }).identityHeader;

const requestOf = (identity: string | readonly string[]): VerificationRequest => ({ ...lab.call, identity });

const broken = (): never => {
  throw new Error('out of order');
};

/** A repository that knows only what was looked up before. */
function coldRepository(): CertificateRepository & { readonly asked: string[] } {
  const asked: string[] = [];
  const lookup = (url: string): Promise<CertificateLookup> => {
    asked.push(url);
    return lab.repository.lookup(url);
  };
  return {
    ...lab.repository,
    asked,
    lookup,
    peek: (url) => (asked.includes(url) ? lab.repository.peek(url) : undefined),
  };
}

test('a certificate that is not in memory is fetched, and the call passes', async () => {
  const certificates = coldRepository();
  const service = lab.serviceWith({ certificates });
  expect((await service.verify(requestOf(passport()))).status).toBe('passed');
  expect((await service.verify(requestOf(passport()))).status).toBe('passed');
  expect(certificates.asked).toEqual([lab.x5u]);
});

test('verifyNow does not wait: an unknown certificate is fetched in the background and this call is undecided', async () => {
  const certificates = coldRepository();
  const service = lab.serviceWith({ certificates });
  const first = service.verifyNow(requestOf(passport()));
  expect([first.status, first.reasons]).toEqual(['indeterminate', ['time-budget-spent']]);
  expect(certificates.asked).toEqual([lab.x5u]);
  expect(first.evidence.seenCount).toBeUndefined();
  // The fetch in the background has two promises to get through.
  await Promise.resolve().then(() => Promise.resolve());
  expect(service.verifyNow(requestOf(passport())).status).toBe('passed');
});

/** A repository whose cached chain was replaced at its URL. */
function rotated(cached: string, published: string): CertificateRepository & { revalidations: number } {
  const old = createShelfRepository();
  old.put(lab.x5u, cached);
  const fresh = createShelfRepository();
  fresh.put(lab.x5u, published);
  const repository = {
    ...old,
    revalidations: 0,
    revalidate: (url: string): Promise<CertificateLookup> => {
      repository.revalidations += 1;
      return fresh.lookup(url);
    },
  };
  return repository;
}

test('a certificate rotated in place gets its second chance', async () => {
  const renewed = lab.pki.issueServiceProvider({ spc: '1234' });
  const certificates = rotated(lab.provider.chainPem, renewed.chainPem);
  const service = lab.serviceWith({ certificates });
  const verdict = await service.verify(requestOf(passport({ signer: renewed })));
  expect([verdict.status, verdict.reasons, verdict.signer?.certificateSha256]).toEqual(['passed', [], renewed.sha256]);
  expect([certificates.revalidations, verdict.evidence.seenCount]).toEqual([1, 1]);
});

test('a forged signature fails after one revalidation, and not against the renewed certificate either', async () => {
  const renewed = lab.pki.issueServiceProvider({ spc: '1234' });
  const certificates = rotated(lab.provider.chainPem, renewed.chainPem);
  const verdict = await lab.serviceWith({ certificates }).verify(requestOf(passport({ signer: lab.faults.attacker })));
  expect([verdict.status, verdict.verstat, certificates.revalidations]).toEqual(['failed', 'TN-Validation-Failed', 1]);
});

test('a revalidation that brings nothing new changes nothing', async () => {
  const answers: readonly CertificateLookup[] = [
    { status: 'unavailable', url: lab.x5u, reason: 'timeout', detail: '', retryAfterMs: 1 },
    { status: 'refused', url: lab.x5u, reason: 'address-special-purpose', detail: '' },
    lab.repository.peek(lab.x5u) as CertificateLookup,
  ];
  for (const answer of answers) {
    const certificates = { ...lab.repository, revalidate: () => Promise.resolve(answer) };
    const verdict = await lab
      .serviceWith({ certificates })
      .verify(requestOf(passport({ signer: lab.faults.attacker })));
    expect([verdict.status, verdict.reasons]).toEqual(['failed', ['signature-invalid']]);
  }
});

test('a repository that fails has the call undecided, and leaves no timer behind', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const rejecting = (): Promise<never> => Promise.reject(new Error('out of order'));
  for (const fail of [broken, rejecting]) {
    const certificates = { peek: fail === broken ? broken : () => undefined, lookup: fail, revalidate: fail };
    const service = lab.serviceWith({ certificates });
    const verdict = await service.verify(requestOf(passport()));
    expect([verdict.status, verdict.reasons]).toEqual(['indeterminate', ['time-budget-spent']]);
    expect(service.verifyNow(requestOf(passport())).status).toBe('indeterminate');
  }
  expect(timers()).toBe(before);
});

test.each<readonly [string, () => unknown]>([
  ['nothing', () => undefined],
  ['a promise of nothing', () => Promise.resolve(undefined)],
  ['a number', () => 1],
  ['a rejection', () => Promise.reject(new Error('out of order'))],
])('a signature checker that answers %s has the call undecided', async (_name, check) => {
  const service = lab.serviceWith({ signatureChecker: { check: check as SignatureChecker['check'] } });
  const verdict = await service.verify(requestOf(passport()));
  expect([verdict.status, verdict.reasons]).toEqual(['indeterminate', ['signature-unchecked']]);
});

test('a request that is no object, and a clock that gives no time, reject and do not throw', async () => {
  await expect(lab.service.verify(undefined as unknown as VerificationRequest)).rejects.toBeInstanceOf(TypeError);
  for (const nowMs of [() => Number.NaN, () => lab.clock.nowMs() * -1, broken]) {
    const service = lab.serviceWith({ clock: { nowMs } });
    await expect(service.verify(requestOf(passport()))).rejects.toMatchObject({ code: 'invalid-configuration' });
    expect(() => service.verifyNow(requestOf(passport()))).toThrow(withCode('invalid-configuration'));
  }
});

test.each<object>([
  ...[[], ['RS256'], ['ES256', 'none']].map((certificateAlgorithms) => ({ certificateAlgorithms })),
  ...[-1, Number.NaN, 120_000].map((timeBudgetMs) => ({ timeBudgetMs })),
  { policy: { freshnessSeconds: 0 } },
])('a service with %o is not made', (options) => {
  expect(() => lab.serviceWith(options)).toThrow(withCode('invalid-configuration'));
});

test('a verdict is frozen, so that changing it cannot change later ones', async () => {
  const { reasonHeaders, outcomes, evidence } = await lab.service.verify(requestOf(passport()));
  const [outcome] = outcomes;
  const [kept] = evidence.passports;
  if (outcome === undefined || outcome.status === 'ignored' || kept === undefined) throw new Error('one PASSporT');
  for (const list of [reasonHeaders, outcome.notes, kept.exceptions, kept.passed]) {
    expect(() => (list as unknown[]).push('mine')).toThrow(TypeError);
  }
});

test('a time budget out of range rejects the promise', async () => {
  for (const timeBudgetMs of [-1, Number.NaN, 120_000]) {
    const verdict = lab.service.verify(requestOf(passport()), { timeBudgetMs });
    await expect(verdict).rejects.toMatchObject({ code: 'invalid-configuration' });
  }
});

test('the evidence says how many headers were not looked at', async () => {
  const verdict = await lab.service.verify(requestOf(Array<string>(19).fill(passport())));
  expect(verdict.evidence).toMatchObject({ surplusHeaders: 3, verstat: 'TN-Validation-Passed' });
  expect(describeVerdict(verdict).join('\n')).toContain('3 further Identity headers');
  expect((await lab.service.verify(requestOf(passport()))).evidence.surplusHeaders).toBeUndefined();
});

test('a certificate that permits some values of a claim has these pass, and a token without the claim, and no other value', async () => {
  const permitting = (claim: string) => ({ claim, permitted: ['A', 'B'] });
  const jwtClaimConstraints = { permittedValues: ['attest', 'rcdi'].map(permitting) };
  const signer = lab.pki.issueServiceProvider({ spc: '1234', jwtClaimConstraints });
  lab.repository.put(lab.x5u, signer.chainPem);
  const attestations = ['A', 'B', 'C'] as const;
  const verdicts = await Promise.all(
    attestations.map((attest) => lab.service.verify(requestOf(passport({ signer, attest })))),
  );
  expect(verdicts.map(({ reasons }) => reasons)).toEqual([[], [], ['claim-constraint-violated']]);
});

test('several headers with one certificate ask for one revalidation, verifyNow for one in the background', async () => {
  const certificates = rotated(lab.provider.chainPem, lab.provider.chainPem);
  const forged = () => passport({ signer: lab.faults.attacker });
  const service = lab.serviceWith({ certificates });
  await service.verify(requestOf([forged(), forged(), forged()]));
  expect(certificates.revalidations).toBe(1);
  expect([service.verifyNow(requestOf(forged())).status, certificates.revalidations]).toEqual(['failed', 2]);
});

test('a repeated call is counted, with when it was first seen, and passes', async () => {
  const header = passport();
  for (const count of [1, 2, 3]) {
    const { status, evidence } = await lab.service.verify(requestOf(header));
    expect([status, evidence.seenCount, evidence.firstSeenMs]).toEqual(['passed', count, TEST_NOW_MS]);
    lab.clock.advance(1000);
  }
});

test('tells the age of a token, whether the call was seen before, and below each step its own reasons with both values', async () => {
  const told = async (identity: string): Promise<string> =>
    describeVerdict(await lab.service.verify(requestOf(identity)))
      .join('\n')
      .replaceAll(/ +/g, ' ');
  const header = passport();
  const first = await told(header);
  expect(first).toContain('✓ iat-fresh 2026-11-02T12:00:00Z, 0 s old, limit 60 s');
  expect(first).toContain('✓ replay first time seen');
  expect(await told(header)).toContain('! replay seen 2 times, first at 2026-11-02T12:00:00Z');
  const malformed = await told(passport({ attest: 'Z', origId: '' }));
  expect(malformed.slice(malformed.indexOf('✗ claims'), malformed.indexOf('·')).split('\n')).toEqual([
    '✗ claims 2 reasons RFC 8225 §5; RFC 8588; RFC 8946; ATIS-1000082 rows 14 and 19',
    ' attest-invalid: The attest claim is not "A", "B" or "C". (expected "A", "B" or "C", found "Z"; attest)',
    ' claim-malformed: A claim of the PASSporT has the wrong shape. (expected 1 to 128 characters, found ""; origid)',
    ' ',
  ]);
});

test('respelled parameters, respelled claims and the twin signature are the same call', async () => {
  const header = passport();
  const { payloadText } = createPassport({ signer: lab.provider, x5u: lab.x5u });
  const spellings = [
    header,
    header.replace(';alg=ES256;ppt=shaken', ';ppt="shaken";alg="ES256";x=1'),
    header.replace(';info', ' \r\n ;INFO'),
    passport({ alterSignature: twinSignature }),
    passport({ payloadText: JSON.stringify(JSON.parse(payloadText), null, 2) }),
    passport({
      payloadText: JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(payloadText) as object).toReversed())),
    }),
    passport({ payloadText: payloadText.replace('"attest"', String.raw`"\u0061ttest"`) }),
    passport(),
  ];
  const verdicts = await Promise.all(spellings.map((identity) => lab.service.verify(requestOf(identity))));
  expect(verdicts.map(({ status }) => status)).toEqual(spellings.map(() => 'passed'));
  expect(verdicts.map(({ evidence }) => evidence.seenCount)).toEqual(spellings.map((_spelling, index) => index + 1));
  // The key is the hash of what is signed in the canonical spelling.
  const key = verdicts[0]?.evidence.passports[0]?.signingInputSha256;
  expect(verdicts.map(({ evidence }) => evidence.callKey)).toEqual(spellings.map(() => key));
});

test('another claim, another signer or another type makes another call', async () => {
  const other = lab.pki.issueServiceProvider({ spc: '5678' });
  lab.repository.put('https://certs.other.example/shaken.pem', other.chainPem);
  const headers = [
    passport(),
    passport({ origId: 'another' }),
    passport({ attest: 'B' }),
    passport({ iatSeconds: lab.faults.nowSeconds - 1 }),
    passport({ signer: other, x5u: 'https://certs.other.example/shaken.pem' }),
  ];
  const verdicts = await Promise.all(headers.map((identity) => lab.service.verify(requestOf(identity))));
  expect(verdicts.map(({ evidence }) => evidence.seenCount)).toEqual(headers.map(() => 1));
});

test('a certificate renewed in place does not make a new call of a repeated one', async () => {
  const renewed = lab.pki.issueServiceProvider({ spc: '1234' });
  await lab.service.verify(requestOf(passport()));
  lab.repository.put(lab.x5u, renewed.chainPem);
  const again = passport({ signer: renewed });
  expect((await lab.service.verify(requestOf(again))).evidence.seenCount).toBe(2);
});

test('rejectReplay fails a call that was seen before, also where its header stands twice', async () => {
  const service = lab.serviceWith({ policy: { rejectReplay: true } });
  const header = passport();
  expect((await service.verify(requestOf(header))).status).toBe('passed');
  const second = await service.verify(requestOf(passport({ alterSignature: twinSignature })));
  expect(second).toMatchObject({ status: 'failed', verstat: 'No-TN-Validation', sipResponse: { status: 438 } });
  expect(second.reasons).toEqual(['replayed']);
  expect([second.attestation, second.signer, second.evidence.seenCount]).toEqual([undefined, undefined, 2]);
  const twice = await service.verify(requestOf([header, header]));
  expect(twice.status).toBe('failed');
  expect(twice.reasons).toContain('replayed');
});

test('calls that do not pass are not counted', async () => {
  const service = lab.serviceWith({ policy: { rejectReplay: true } });
  const header = passport();
  for (let turn = 0; turn < 3; turn += 1) {
    await service.verify({ ...requestOf(header), from: '<sip:+12025550142@elsewhere.example>' });
    await service.verify(requestOf(header.replace('.ey', '.eY')));
  }
  expect((await service.verify(requestOf(header))).evidence.seenCount).toBe(1);
});

test('verifiers share what they have seen only through one memory', async () => {
  const replayMemory = new ReplayMemory({ windowMs: 120_000 });
  const header = passport();
  const seen = async (options: Partial<VerificationServiceOptions>): Promise<number | undefined> =>
    (await lab.serviceWith(options).verify(requestOf(header))).evidence.seenCount;
  expect([await seen({}), await seen({ replayMemory }), await seen({ replayMemory })]).toEqual([1, 1, 2]);
  expect(replayMemory.size()).toBe(1);
});

test('a replay memory remembers a key for the whole window and forgets it two windows later', () => {
  const memory = new ReplayMemory({ windowMs: 1000 });
  memory.observe('other', 0);
  expect(memory.observe('key', 999)).toEqual({ count: 1, firstSeenMs: 999 });
  expect(memory.observe('key', 1998)).toEqual({ count: 2, firstSeenMs: 999 });
  memory.observe('other', 3000);
  memory.observe('other', 4000);
  expect(memory.observe('key', 4001)).toEqual({ count: 1, firstSeenMs: 4001 });
});

test('a replay memory remembers as many keys as it promises, and half as many more at most', () => {
  const memory = new ReplayMemory({ windowMs: 1_000_000, maxKeys: 100 });
  for (let index = 0; index < 10_000; index += 1) {
    memory.observe(`key ${index}`, index);
    expect(memory.size()).toBeLessThanOrEqual(150);
    // The 98th call before, with the two repeats since then.
    if (index % 97 === 0 && index > 97) expect(memory.observe(`key ${index - 97}`, index).count).toBe(2);
  }
});

test('a replay memory keeps every key for its window where calls come in bursts', () => {
  forAll([fc.array(fc.nat({ max: 400 }), { maxLength: 300 })], 300, (pauses) => {
    const memory = new ReplayMemory({ windowMs: 1000, maxKeys: 50 });
    const lastSeen: { readonly key: string; readonly atMs: number }[] = [];
    let nowMs = 0;
    for (const [index, pause] of pauses.entries()) {
      nowMs += pause < 300 ? pause % 7 : pause;
      memory.observe(`key ${index}`, nowMs);
      lastSeen.push({ key: `key ${index}`, atMs: nowMs });
      const oldest = lastSeen.slice(-50).find(({ atMs }) => nowMs - atMs < 1000);
      if (index % 13 === 0 && oldest !== undefined) {
        expect(memory.observe(oldest.key, nowMs).count).toBeGreaterThan(1);
        lastSeen.push({ key: oldest.key, atMs: nowMs });
      }
    }
  });
});

test('a replay memory remembers 400,000 keys where nothing else is said', () => {
  const memory = new ReplayMemory({ windowMs: 660_000 });
  for (let index = 0; index < 400_000; index += 1) memory.observe(`key ${index}`, index);
  expect(memory.observe('key 0', 400_000).count).toBe(2);
});

test('a clock that goes back does not make a replay memory forget at once', () => {
  const memory = new ReplayMemory({ windowMs: 1000 });
  memory.observe('key', 5000);
  expect(memory.observe('key', 4000).count).toBe(2);
});

test('a PASSporT that ten minutes of forwarding still excuse is remembered for as long', async () => {
  const service = lab.serviceWith({ policy: { rejectReplay: true } });
  const { nowSeconds, destTn } = lab.faults;
  const token = passport();
  expect((await service.verify(requestOf(token))).status).toBe('passed');
  for (const seconds of [130, 260]) {
    lab.clock.advance(130_000);
    expect((await service.verify(requestOf(passport({ iatSeconds: nowSeconds + seconds })))).status).toBe('passed');
  }
  lab.clock.advance(130_000);
  const div = passport({ ppt: 'div', divTn: destTn, destTn: '12025550150', iatSeconds: nowSeconds + 390 });
  const diverted = { ...requestOf([token, div]), requestUri: 'sip:+12025550150@terminating.example' };
  const again = await service.verify(diverted);
  expect(again.status).toBe('failed');
  expect(again.reasons).toContain('replayed');
});

test('a replay memory keeps its count when calls end out of order around a turn of generations', () => {
  const memory = new ReplayMemory({ windowMs: 120_000 });
  memory.observe('K', 1_000_000);
  memory.observe('a', 1_120_001);
  memory.observe('b', 1_120_000);
  expect(memory.observe('K', 1_120_002)).toEqual({ count: 2, firstSeenMs: 1_000_000 });
});

test('a replay memory that throws leaves the verdict alone', async () => {
  const service = lab.serviceWith({ replayMemory: { observe: broken } });
  expect((await service.verify(requestOf(passport()))).status).toBe('passed');
});

test('a token that is dated ahead is still known as a repeat while it is fresh', async () => {
  const service = lab.serviceWith({ policy: { rejectReplay: true } });
  const header = passport({ iatSeconds: lab.faults.nowSeconds + 60 });
  expect((await service.verify(requestOf(header))).status).toBe('passed');
  lab.clock.advance(119_000);
  expect((await service.verify(requestOf(header))).reasons).toEqual(['replayed']);
});

test('useTrustStore judges all further calls by the new trust store, its revocations too', async () => {
  const other = new TestPki({ label: 'Other' });
  const header = passport();
  expect((await lab.service.verify(requestOf(header))).status).toBe('passed');
  const otherStore = trustStoreOf(other);
  lab.service.useTrustStore(otherStore);
  const verdict = await lab.service.verify(requestOf(header));
  expect([verdict.status, verdict.reasons[0]]).toEqual(['failed', 'no-path-to-trust-anchor']);
  expect(verdict.evidence.trustStore).toBe(otherStore.version);
  lab.service.useTrustStore(lab.trustStore);
  expect((await lab.service.verify(requestOf(header))).status).toBe('passed');
  lab.service.useTrustStore(trustStoreOf(lab.pki, { revoked: [lab.provider] }));
  expect((await lab.service.verify(requestOf(header))).reasons).toEqual(['certificate-revoked']);
});

test('each call is judged by the store that is in force where the trust store renews itself', async () => {
  let inForce: TrustStore | undefined;
  const options = { trustStore: { current: () => inForce } };
  expect(() => lab.serviceWith(options)).toThrow('There is no trust store yet');
  inForce = lab.trustStore;
  const service = lab.serviceWith(options);
  expect((await service.verify(requestOf(passport()))).evidence.trustStore).toBe(lab.trustStore.version);
  inForce = trustStoreOf(lab.pki, { revoked: [lab.provider] });
  expect((await service.verify(requestOf(passport()))).reasons).toEqual(['certificate-revoked']);
  // The source has lost its store: the last one stays in force.
  inForce = undefined;
  expect((await service.verify(requestOf(passport()))).reasons).toEqual(['certificate-revoked']);
  service.useTrustStore(lab.trustStore);
  expect((await service.verify(requestOf(passport()))).status).toBe('passed');
});

test('the evidence names the trust store that the call was judged by, also where another came before the verdict', async () => {
  const other = trustStoreOf(new TestPki({ label: 'Other' }));
  const signatureChecker = {
    check: () => {
      service.useTrustStore(other);
      return Promise.resolve([true]);
    },
  };
  const service = lab.serviceWith({ signatureChecker });
  expect((await service.verify(requestOf(passport()))).evidence.trustStore).toBe(lab.trustStore.version);
});

test('a certificate that expires while it is cached fails at once', async () => {
  const signer = lab.pki.issueServiceProvider({ spc: '1234', notAfterMs: TEST_NOW_MS + 10_000 });
  const x5u = 'https://certs.provider.example/short.pem';
  lab.repository.put(x5u, signer.chainPem);
  const header = passport({ signer, x5u });
  expect((await lab.service.verify(requestOf(header))).status).toBe('passed');
  lab.clock.advance(11_001);
  expect((await lab.service.verify(requestOf(header))).reasons).toEqual(['certificate-expired']);
});

test('a certificate that becomes valid while it is cached passes after a minute at the latest', async () => {
  const signer = lab.pki.issueServiceProvider({ spc: '1234', notBeforeMs: TEST_NOW_MS + 1000 });
  const x5u = 'https://certs.provider.example/early.pem';
  lab.repository.put(x5u, signer.chainPem);
  const fresh = () => passport({ signer, x5u, iatSeconds: Math.floor(lab.clock.nowMs() / 1000) });
  expect((await lab.service.verify(requestOf(fresh()))).reasons).toEqual(['certificate-not-yet-valid']);
  lab.clock.advance(PATH_REEVALUATION_MS);
  expect((await lab.service.verify(requestOf(fresh()))).status).toBe('passed');
});

test('a CRL that runs out makes revocation unknown after a minute at the latest', async () => {
  const fresh = () => passport({ iatSeconds: Math.floor(lab.clock.nowMs() / 1000) });
  expect((await lab.service.verify(requestOf(fresh()))).status).toBe('passed');
  lab.clock.advance(24 * 3_600_000 + PATH_REEVALUATION_MS);
  const verdict = await lab.service.verify(requestOf(fresh()));
  expect([verdict.status, verdict.reasons]).toEqual(['indeterminate', ['revocation-unknown']]);
});

test('two services with clocks of their own judge by their own time', async () => {
  const header = passport();
  const late = lab.serviceWith({ clock: new ManualClock(TEST_NOW_MS + 61_000) });
  expect((await lab.service.verify(requestOf(header))).status).toBe('passed');
  expect((await late.verify(requestOf(header))).reasons).toEqual(['iat-stale']);
});

test('the evidence of a usual call that passed takes less than 1,600 bytes', async () => {
  const verdict = await lab.service.verify({ ...requestOf(passport()), date: new Date(TEST_NOW_MS).toUTCString() });
  const bytes = Buffer.byteLength(JSON.stringify(verdict.evidence));
  expect(verdict.status).toBe('passed');
  expect(bytes).toBeLessThan(1600);
});
