import { createPassport, type PassportOptions } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import type { CertificateLookup } from '../../sdk/src/stir/certificates/repository.js';
import { checkInline, type SignatureChecker } from '../../sdk/src/stir/verification/signature-checker.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import {
  createVerificationLab,
  type CertificateRepository,
  type VerificationLab,
} from '../support/verification-lab.js';

const BUDGET_MS = 50;
/** What a machine with other work may add to a timer; far below the seconds that a silent repository would take. */
const LATE_MS = 1000;
const SLOW_X5U = 'https://certs.slow.example/shaken.pem';

let lab: VerificationLab;

beforeAll(async () => {
  lab = await createVerificationLab();
  lab.repository.put(SLOW_X5U, lab.provider.chainPem);
});

const passport = (changes: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: lab.provider, x5u: lab.x5u, ...changes }).identityHeader;

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** Answers for the slow URL when told to; everything else at once. */
function slowRepository(): { readonly certificates: CertificateRepository; readonly release: () => void } {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const certificates: CertificateRepository = {
    ...lab.repository,
    peek: (url) => (url === SLOW_X5U ? undefined : lab.repository.peek(url)),
    lookup: async (url) => {
      await released;
      return lab.repository.lookup(url);
    },
  };
  return { certificates, release: () => release() };
}

async function timed(run: () => Promise<CallVerdict>): Promise<{ readonly verdict: CallVerdict; readonly ms: number }> {
  const start = performance.now();
  const verdict = await run();
  return { verdict, ms: performance.now() - start };
}

test('a repository that never answers costs a call its time budget and no more', async () => {
  const certificates = { ...lab.repository, peek: () => undefined, lookup: () => never<CertificateLookup>() };
  const service = lab.serviceWith({ certificates, timeBudgetMs: BUDGET_MS });
  const { verdict, ms } = await timed(() => service.verify({ ...lab.call, identity: passport() }));
  expect(verdict).toMatchObject({ status: 'indeterminate', verstat: 'No-TN-Validation' });
  expect([verdict.reasons, verdict.sipResponse]).toEqual([['time-budget-spent'], undefined]);
  expect(ms).toBeGreaterThan(BUDGET_MS - 5);
  expect(ms).toBeLessThan(BUDGET_MS + LATE_MS);
});

test('a budget given with the call takes the place of that of the service', async () => {
  const certificates = { ...lab.repository, peek: () => undefined, lookup: () => never<CertificateLookup>() };
  const service = lab.serviceWith({ certificates, timeBudgetMs: 60_000 });
  const { verdict, ms } = await timed(() => service.verify({ ...lab.call, identity: passport() }, { timeBudgetMs: 0 }));
  expect(verdict.reasons).toEqual(['time-budget-spent']);
  expect(ms).toBeLessThan(LATE_MS);
});

test('of two headers the one whose certificate is there still decides when the other one does not come', async () => {
  const { certificates, release } = slowRepository();
  const service = lab.serviceWith({ certificates, timeBudgetMs: BUDGET_MS });
  const identity = [passport({ x5u: SLOW_X5U }), passport()];
  const { verdict } = await timed(() => service.verify({ ...lab.call, identity }));
  release();
  expect(verdict.outcomes.map(({ status }) => status)).toEqual(['indeterminate', 'passed']);
  expect([verdict.status, verdict.reasons]).toEqual(['passed', ['time-budget-spent']]);
});

test('a certificate that comes late changes neither the verdict nor its evidence', async () => {
  const { certificates, release } = slowRepository();
  const service = lab.serviceWith({ certificates, timeBudgetMs: BUDGET_MS });
  const verdict = await service.verify({ ...lab.call, identity: passport({ x5u: SLOW_X5U }) });
  const before = JSON.stringify(verdict);
  release();
  await lab.repository.lookup(SLOW_X5U);
  await Promise.resolve().then(() => Promise.resolve());
  expect(JSON.stringify(verdict)).toBe(before);
  expect(verdict.status).toBe('indeterminate');
});

test('a revalidation that never answers leaves undecided whether the certificate was rotated, when the budget is spent', async () => {
  const certificates = { ...lab.repository, revalidate: () => never<CertificateLookup>() };
  const service = lab.serviceWith({ certificates, timeBudgetMs: BUDGET_MS });
  const identity = passport({ signer: lab.faults.attacker });
  const { verdict, ms } = await timed(() => service.verify({ ...lab.call, identity }));
  expect([verdict.status, verdict.reasons]).toEqual(['indeterminate', ['signature-unchecked']]);
  expect(ms).toBeLessThan(BUDGET_MS + LATE_MS);
});

test.each<readonly [string, SignatureChecker]>([
  ['never answers', { check: () => never() }],
  ['answers with less than it was asked', { check: () => Promise.resolve([]) }],
  ['answers that it could not check', { check: (jobs) => jobs.map(() => undefined) }],
])(
  'a signature checker that %s leaves the signature unchecked, which is not invalid',
  async (_name, signatureChecker) => {
    const service = lab.serviceWith({ signatureChecker, timeBudgetMs: BUDGET_MS });
    const { verdict, ms } = await timed(() => service.verify({ ...lab.call, identity: passport() }));
    expect(verdict).toMatchObject({ status: 'indeterminate', verstat: 'No-TN-Validation' });
    expect(verdict.reasons).toEqual(['signature-unchecked']);
    expect(ms).toBeLessThan(BUDGET_MS + LATE_MS);
  },
);

test('a signature checker that never answers after a slow fetch costs the budget once, not twice', async () => {
  const { certificates, release } = slowRepository();
  const service = lab.serviceWith({ certificates, signatureChecker: { check: () => never() }, timeBudgetMs: 200 });
  const pending = timed(() => service.verify({ ...lab.call, identity: passport({ x5u: SLOW_X5U }) }));
  release();
  const { verdict, ms } = await pending;
  expect(verdict.reasons).toEqual(['signature-unchecked']);
  expect(ms).toBeLessThan(200 + LATE_MS);
});

test('a forged signature that other threads find gets its second chance as well, within the same budget', async () => {
  const renewed = lab.pki.issueServiceProvider({ spc: '1234' });
  const x5u = 'https://certs.provider.example/rotated.pem';
  lab.repository.put(x5u, lab.provider.chainPem);
  const old = lab.repository.peek(x5u) as CertificateLookup;
  lab.repository.put(x5u, renewed.chainPem);
  const certificates = { ...lab.repository, peek: () => old };
  const signatureChecker: SignatureChecker = {
    check: (jobs) => Promise.resolve(checkInline(jobs)),
  };
  const service = lab.serviceWith({ certificates, signatureChecker });
  const verdict = await service.verify({ ...lab.call, identity: passport({ signer: renewed, x5u }) });
  expect([verdict.status, verdict.signer?.certificateSha256]).toEqual(['passed', renewed.sha256]);
});

test('1,000 calls that wait for one silent repository are all answered in their time', async () => {
  const certificates = { ...lab.repository, peek: () => undefined, lookup: () => never<CertificateLookup>() };
  const service = lab.serviceWith({ certificates, timeBudgetMs: BUDGET_MS });
  const identity = passport();
  const start = performance.now();
  const verdicts = await Promise.all(Array.from({ length: 1000 }, () => service.verify({ ...lab.call, identity })));
  expect(new Set(verdicts.map(({ status }) => status))).toEqual(new Set(['indeterminate']));
  expect(performance.now() - start).toBeLessThan(BUDGET_MS + 2 * LATE_MS);
});

test('no timer is left behind once a call is answered', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const { certificates, release } = slowRepository();
  release();
  const service = lab.serviceWith({ certificates, timeBudgetMs: 60_000 });
  await service.verify({ ...lab.call, identity: passport({ x5u: SLOW_X5U }) });
  await service.verify({ ...lab.call, identity: passport({ signer: lab.faults.attacker }) });
  await service.verify({ ...lab.call, identity: passport() });
  expect(timers()).toBe(before);
});
