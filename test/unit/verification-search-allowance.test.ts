import { createPassport } from '@hopback/sdk/testing';
import type { CertificateOptions, TestCertificate, TestServiceProvider } from '@hopback/sdk/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import type { CertificateLookup } from '../../sdk/src/stir/certificates/repository.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import {
  createVerificationLab,
  trustStoreOf,
  type CertificateRepository,
  type VerificationLab,
} from '../support/verification-lab.js';
import { parsedChain } from './certificates-parsed.js';

let lab: VerificationLab;
let signer: TestServiceProvider;
/** Signatures over certificates of strangers that were computed, as multiples of one under P-256. */
let spent: number;
/** Called for each of them. */
let onSignature: () => void;
let urls: number;

beforeEach(async () => {
  lab = await createVerificationLab();
  signer = lab.pki.issueServiceProvider({ spc: '6666' });
  spent = 0;
  urls = 0;
  onSignature = () => undefined;
});

afterEach(() => {
  vi.useRealTimers();
});

const hidden = { subjectKeyIdentifier: 'absent', authorityKeyIdentifier: 'absent' } as const;
const everybody = [{ type: 'CN', value: 'Everybody' }] as const;

/** Nine CAs of one name that all say the listed root had signed them, which it has not. */
function hostileChain(curve: 'P-256' | 'P-384' = 'P-256'): string {
  const options: CertificateOptions = { ...hidden, subject: everybody, curve };
  const forger = lab.pki.issueRoot({ ...hidden, subject: lab.pki.root.subject });
  const cas = Array.from({ length: 9 }, () => lab.pki.issueCa({ ...options, issuer: forger }));
  return chainUnder(cas);
}

/** Nine CAs of one name, each signed by the one before. */
function selfVouchingChain(curve: 'P-256' | 'P-384'): string {
  const options: CertificateOptions = { ...hidden, subject: everybody, curve };
  const cas = [lab.pki.issueCa({ ...options, issuer: 'self' })];
  for (let index = 0; index < 8; index += 1) {
    cas.push(lab.pki.issueCa({ ...options, issuer: cas.at(-1) as TestCertificate }));
  }
  return chainUnder(cas);
}

function chainUnder(cas: readonly TestCertificate[]): string {
  const issuer = cas.at(-1) as TestCertificate;
  const { certificatePem } = lab.pki.issueServiceProvider({ spc: '6666', issuer, key: signer.key, ...hidden });
  return certificatePem + cas.map((ca) => ca.certificatePem).join('');
}

/** Puts a chain at a URL of its own and signs a call with it; the DER is read once for each signature that is computed. */
function publish(chainPem: string): string {
  urls += 1;
  const url = `https://host-${String(urls)}.example/shaken.pem`;
  const never = Number.MAX_SAFE_INTEGER;
  const chain = parsedChain(chainPem).map(counted);
  lab.repository.set({ status: 'found', url, chain, fetchedAtMs: 0, freshUntilMs: never, notes: [] });
  const iatSeconds = Math.floor(lab.clock.nowMs() / 1000);
  return createPassport({ signer, x5u: url, iatSeconds }).identityHeader;
}

function counted(certificate: Certificate): Certificate {
  const { der, ...rest } = certificate;
  const readDer = (): Uint8Array => {
    spent += certificate.signatureAlgorithm.endsWith('.3.3') ? 7 : 1;
    onSignature();
    return der;
  };
  return Object.defineProperty({ ...rest, der }, 'der', { get: readDer });
}

const honest = (): string => publish(signer.chainPem);
const requestOf = (...identity: readonly string[]) => ({ identity, ...lab.call });
const times = <T>(length: number, make: () => T): readonly T[] => Array.from({ length }, make);

/** Reasons by header, or that it passed. */
const byHeader = ({ outcomes }: CallVerdict): readonly string[] =>
  outcomes.map((outcome) => ('failures' in outcome ? outcome.failures.map(({ reason }) => reason).join() : 'passed'));

test.each([
  ['that claim a listed root', hostileChain],
  ['that vouch for themselves under P-256', () => selfVouchingChain('P-256')],
  ['that vouch for themselves under P-384', () => selfVouchingChain('P-384')],
] as const)(
  'a call with sixteen chains %s costs at most one signature more for each than the worst call with one',
  (_, make) => {
    const headers = times(16, () => publish(make()));
    lab.service.verifyNow(requestOf(headers[0] as string));
    expect(spent).toBeLessThanOrEqual(14 + 8 + 1);
    spent = 0;
    lab.serviceWith({}).verifyNow(requestOf(...headers));
    expect(spent).toBeLessThanOrEqual(14 + 8 + 1 + 15);
  },
);

test('what is not searched any more in a call is undecided, not failed, and has its turn in the next one', () => {
  const headers = times(16, () => publish(hostileChain()));
  const first = lab.service.verifyNow(requestOf(...headers));
  expect(byHeader(first)[0]).toContain('certificate-signature-invalid');
  expect(byHeader(first).slice(1)).toEqual(times(15, () => 'time-budget-spent'));
  // The second was begun and not ended, the last one not begun.
  for (const header of [headers[1] as string, headers[15] as string]) {
    lab.clock.advance(1000);
    const next = lab.service.verifyNow(requestOf(header));
    expect([next.status, next.reasons[0]]).toEqual(['failed', 'certificate-signature-invalid']);
  }
});

test('a chain that could not be searched to an end is not begun again for the next header that names it', () => {
  const [first, other] = [publish(hostileChain()), publish(hostileChain())];
  lab.service.verifyNow(requestOf(first, other));
  const once = spent;
  spent = 0;
  lab.serviceWith({}).verifyNow(requestOf(first, ...times(15, () => other)));
  expect(spent).toBe(once);
});

test.each(['P-256', 'P-384'] as const)('a chain in order passes in a call beside a hostile one under %s', (curve) => {
  const verdict = lab.service.verifyNow(requestOf(publish(hostileChain(curve)), honest()));
  expect(byHeader(verdict)[1]).toBe('passed');
});

test('eight chains in order that nobody has seen before pass in one call', () => {
  expect(byHeader(lab.service.verifyNow(requestOf(...times(8, honest))))).toEqual(times(8, () => 'passed'));
});

test('a chain without its root in the list fails in a flood as well, since that takes no signature to see', () => {
  for (const header of times(8, () => publish(hostileChain()))) lab.service.verifyNow(requestOf(header));
  spent = 0;
  const verdict = lab.service.verifyNow(requestOf(publish(selfVouchingChain('P-256'))));
  expect([verdict.status, verdict.reasons]).toEqual(['failed', ['no-path-to-trust-anchor']]);
  expect(spent).toBe(0);
});

test('in a flood of 250 hostile chains a second every new signer in order passes, and the flood gets a bounded share', () => {
  const hostile = hostileChain();
  const verdicts = times(500, () => {
    lab.clock.advance(4);
    return lab.service.verifyNow(requestOf(publish(hostile))).status;
  });
  // 300 and 1,200 a second and what had been saved up: 13 % of one event loop.
  expect(spent).toBeLessThanOrEqual(2 * (300 + 1200) + 2 * 28);
  expect(verdicts).toContain('failed');
  spent = 0;
  const newcomers = times(50, () => {
    for (let index = 0; index < 5; index += 1) {
      lab.clock.advance(4);
      lab.service.verifyNow(requestOf(publish(hostile)));
    }
    return lab.service.verifyNow(requestOf(honest())).status;
  });
  expect(newcomers).toEqual(times(50, () => 'passed'));
});

test('when no time passes at all a flood is undecided and costs nothing more, and a known signer passes all the same', () => {
  const known = honest();
  expect(lab.service.verifyNow(requestOf(known)).status).toBe('passed');
  const hostile = hostileChain();
  for (const header of times(100, () => publish(hostile))) lab.service.verifyNow(requestOf(header));
  expect(spent).toBeLessThanOrEqual(100);
  spent = 0;
  const verdict = lab.service.verifyNow(requestOf(publish(hostile)));
  expect([verdict.status, verdict.reasons, spent]).toEqual(['indeterminate', ['time-budget-spent'], 0]);
  // All paths have to be built anew.
  lab.service.useTrustStore(trustStoreOf(lab.pki));
  expect(lab.service.verifyNow(requestOf(known)).status).toBe('passed');
  const newcomer = honest();
  expect(lab.service.verifyNow(requestOf(newcomer)).reasons).toEqual(['time-budget-spent']);
  lab.clock.advance(100);
  expect(lab.service.verifyNow(requestOf(newcomer)).status).toBe('passed');
});

test('a clock that is put back neither fills nor locks the allowance', () => {
  let behindMs = 0;
  const service = lab.serviceWith({ clock: { nowMs: () => lab.clock.nowMs() - behindMs } });
  const hostile = hostileChain();
  for (const header of times(100, () => publish(hostile))) service.verifyNow(requestOf(header));
  behindMs = 10_000;
  expect(service.verifyNow(requestOf(honest())).reasons).toEqual(['time-budget-spent']);
  lab.clock.advance(100);
  expect(service.verifyNow(requestOf(honest())).status).toBe('passed');
});

/** A repository that has nothing in memory and answers by a script. */
const cold = (lookup: (url: string) => Promise<CertificateLookup>): CertificateRepository => ({
  ...lab.repository,
  peek: () => undefined,
  lookup,
});

test('chains that could not be searched before the deadline are undecided, and the verdict is not late by them', async () => {
  const headers = times(6, honest);
  vi.useFakeTimers();
  // Each chain takes two signatures: three chains have begun when the time is up.
  onSignature = () => vi.advanceTimersByTime(100);
  const service = lab.serviceWith({ certificates: cold(lab.repository.lookup), timeBudgetMs: 500 });
  const startedMs = performance.now();
  const verdict = await service.verify(requestOf(...headers));
  expect(byHeader(verdict)).toEqual([...times(3, () => 'passed'), ...times(3, () => 'time-budget-spent')]);
  expect(performance.now() - startedMs).toBe(600);
  onSignature = () => undefined;
  const later = await service.verify(requestOf(...headers));
  expect(byHeader(later)).toEqual(times(6, () => 'passed'));
});

test('a chain that came in time is searched in time, though another one never comes', async () => {
  const [prompt, never] = [honest(), honest()];
  vi.useFakeTimers();
  const lookup = (url: string) => (url.includes('host-1.') ? lab.repository.lookup(url) : new Promise<never>(() => {}));
  const pending = lab.serviceWith({ certificates: cold(lookup) }).verify(requestOf(prompt, never));
  await vi.advanceTimersByTimeAsync(500);
  expect(byHeader(await pending)).toEqual(['passed', 'time-budget-spent']);
});
