import {
  createAttestationPolicy,
  createAuthenticationService,
  createCertificateRepository,
  createLocalSigner,
  createRevocationSet,
  createStaticCertificateSource,
  createTrustStore,
  createVerificationService,
  parseCertificate,
  parseCrl,
} from '@hopback/sdk/stir';
import type {
  AuthenticationService,
  Certificate,
  TrustStore,
  VerificationService,
  X5uAllowList,
} from '@hopback/sdk/stir';
import { randomUUID } from 'node:crypto';
import { createTestPki, startCertificateServer } from '@hopback/sdk/testing';
import type { CertificateServer, TestCertificate, TestPki } from '@hopback/sdk/testing';

/** Two carriers and the certificates between them, in this process. */
export interface DemoWorld extends AsyncDisposable {
  readonly pki: TestPki;
  readonly x5u: string;
  /** The originating carrier signs. */
  readonly authentication: AuthenticationService;
  /** Somebody signs under a certificate that nobody issued, published at its own x5u. */
  readonly impostor: AuthenticationService;
  /** The terminating carrier verifies, by a clock that is `aheadMs` ahead of this machine's. */
  readonly verifier: (options?: { readonly aheadMs?: number; readonly revoked?: boolean }) => VerificationService;
  /** Takes the certificate server away for one URL. */
  readonly unpublishedX5u: string;
  readonly certificateRequests: () => number;
}

/** Makes the PKI, starts the certificate server on a free port of loopback. */
export async function openDemoWorld(): Promise<DemoWorld> {
  const nowMs = Date.now();
  const clock = { nowMs: Date.now };
  const pki = await createTestPki({ nowMs, label: 'Demo' });
  const server = await startCertificateServer();
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const stranger = pki.issueServiceProvider({ spc: '1234', issuer: pki.issueRoot({ organization: 'Nobody' }) });
  const x5u = server.publish('/1234.pem', provider.chainPem);
  // The policy of addresses is what keeps a verifier from being sent to its own machine: here it has to go there.
  const allow: X5uAllowList = { addresses: ['127.0.0.0/8'], ports: [server.ports.https] };
  const repository = createCertificateRepository({ clock, allow, ca: server.tlsRootPem });
  const trust = { good: trustStoreOf(pki, []), revoked: trustStoreOf(pki, [provider]) };
  const signerFor = (certificate: TestCertificate, url: string): Promise<AuthenticationService> =>
    authenticationServiceOf(certificate, url, allow);
  return {
    pki,
    x5u,
    authentication: await signerFor(provider, x5u),
    impostor: await signerFor(stranger, server.publish('/impostor.pem', stranger.chainPem)),
    verifier: ({ aheadMs = 0, revoked = false } = {}) =>
      createVerificationService({
        certificates: repository,
        trustStore: revoked ? trust.revoked : trust.good,
        clock: { nowMs: () => Date.now() + aheadMs },
        timeBudgetMs: 5_000,
      }),
    unpublishedX5u: server.url('/gone.pem'),
    certificateRequests: () => server.requests(),
    [Symbol.asyncDispose]: () => closeBoth(server, repository),
  };
}

async function closeBoth(server: CertificateServer, repository: AsyncDisposable): Promise<void> {
  await repository[Symbol.asyncDispose]();
  await server.close();
}

async function authenticationServiceOf(
  certificate: TestCertificate,
  x5u: string,
  allow: X5uAllowList,
): Promise<AuthenticationService> {
  return createAuthenticationService({
    spc: '1234',
    signer: await createLocalSigner({ privateKeyPem: certificate.privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem: certificate.chainPem, x5u, x5uPolicy: { allow } }),
    clock: { nowMs: Date.now },
    policy: createAttestationPolicy(),
    randomUuid: randomUUID,
  });
}

function trustStoreOf(pki: TestPki, revoked: readonly TestCertificate[]): TrustStore {
  const anchors = [parsed(pki.root)];
  const crl = parseCrl(
    pki.crl({ revoked: revoked.map((certificate) => ({ certificate, reason: 'keyCompromise' })) }).der,
  );
  if (crl.status === 'malformed') throw new Error(`the CRL of the demo cannot be read: ${crl.detail}`);
  const revocation = createRevocationSet([crl.crl], {
    atMs: pki.nowMs,
    issuers: anchors,
    stiPaRoots: [parsed(pki.stiPaRoot)],
    signers: [parsed(pki.stiPaCrlIssuer)],
  });
  return createTrustStore({ anchors, revocation, source: { kind: 'files' } });
}

function parsed({ der }: TestCertificate): Certificate {
  const result = parseCertificate(der);
  if (result.status === 'parsed') return result.certificate;
  throw new Error(`a certificate of the demo cannot be read: ${result.detail}`);
}
