import { TestPki, ManualClock, createPassportFaultContext, TEST_NOW_MS } from '@hopback/sdk/testing';
import { VerificationService } from '../../sdk/src/stir/verification/verification-service.js';
import type { VerificationServiceOptions } from '../../sdk/src/stir/verification/verification-service.js';
import type { CertificateLookup } from '../../sdk/src/stir/certificates/repository.js';
import { createRevocationSet } from '../../sdk/src/stir/certificates/revocation.js';
import { checkX5uUrl } from '../../sdk/src/stir/certificates/x5u-url-policy.js';
import { createTrustStore, type TrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { parsed, parsedChain, parsedCrl } from '../unit/certificates-parsed.js';

/** What a verifier asks of a repository. */
export type CertificateRepository = VerificationServiceOptions['certificates'];

/** A repository whose shelf the test fills; nothing is fetched. */
export interface ShelfRepository extends CertificateRepository {
  readonly put: (url: string, chainPem: string) => void;
  readonly set: (lookup: CertificateLookup) => void;
}

export const LAB_X5U = 'https://certs.provider.example/shaken.pem';

export type VerificationLab = Awaited<ReturnType<typeof createVerificationLab>>;

/** A provider with its certificate at a URL, a trust store with a current CRL, and a verifier in front, all in memory. */
export async function createVerificationLab() {
  const pki = new TestPki();
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const clock = new ManualClock(TEST_NOW_MS);
  const repository = createShelfRepository();
  repository.put(LAB_X5U, provider.chainPem);
  const trustStore = trustStoreOf(pki);
  const faults = createPassportFaultContext({ signer: provider, x5u: LAB_X5U });
  const serviceWith = (options: Partial<VerificationServiceOptions>): VerificationService =>
    new VerificationService({ certificates: repository, trustStore, clock, ...options });
  return {
    pki,
    provider,
    x5u: LAB_X5U,
    clock,
    trustStore,
    repository,
    service: serviceWith({}),
    faults,
    /** The request that tokens of `faults` fit, but for its Identity. */
    call: {
      from: `<sip:+${faults.origTn}@originating.example>;tag=1`,
      to: `<sip:+${faults.destTn}@terminating.example>`,
      requestUri: `sip:+${faults.destTn}@terminating.example`,
    },
    serviceWith,
  };
}

export function trustStoreOf(pki: TestPki, revoked?: Parameters<TestPki['crl']>[0]): TrustStore {
  const anchors = [parsed(pki.root)];
  const revocation = createRevocationSet([parsedCrl(pki.crl(revoked))], {
    atMs: pki.nowMs,
    issuers: anchors,
    stiPaRoots: [parsed(pki.stiPaRoot)],
    signers: [parsed(pki.stiPaCrlIssuer)],
  });
  return createTrustStore({ anchors, revocation, source: { kind: 'files' } });
}

export function createShelfRepository(): ShelfRepository {
  const shelf = new Map<string, CertificateLookup>();
  const absent = (url: string): CertificateLookup => {
    const checked = checkX5uUrl(url);
    if (checked.status === 'refused') return checked;
    return { status: 'unavailable', url, reason: 'connect-failed', detail: 'not on the shelf', retryAfterMs: 1000 };
  };
  const lookup = (url: string): Promise<CertificateLookup> => Promise.resolve(shelf.get(url) ?? absent(url));
  return {
    peek: (url) => shelf.get(url) ?? absent(url),
    lookup,
    revalidate: lookup,
    set: (entry) => void shelf.set(entry.url, entry),
    put(url, chainPem) {
      const never = Number.MAX_SAFE_INTEGER;
      const chain = parsedChain(chainPem);
      shelf.set(url, { status: 'found', url, chain, fetchedAtMs: 0, freshUntilMs: never, notes: [] });
    },
  };
}
