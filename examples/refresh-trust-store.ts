import { CertificateRepository, TrustStoreRefresh, VerificationService } from '@hopback/sdk/stir';
import type { CertificateRepositoryOptions, TrustStoreProblem } from '@hopback/sdk/stir';
import { CertificateServer, TestPki } from '@hopback/sdk/testing';
import { isMain, openLab } from './lab.js';

/** Where the policy administrator publishes, and its root, which came another way. */
export interface PolicyAdministrator {
  readonly listUrl: string;
  readonly crlUrls: readonly string[];
  /** Paths of PEM files. */
  readonly stiPaRoots: readonly string[];
}

/**
 * Verifies by the list of STI-CAs and the CRLs as they are published, and takes up new ones without losing a call. What cannot be
 * fetched, is refused or is older than what is in use changes nothing: it is reported to `onProblem`, and tried again.
 * @returns close `trust` and `certificates` when the process ends; rejects where nobody can be trusted yet
 */
export async function startTrusting(
  administrator: PolicyAdministrator,
  onProblem: (problem: TrustStoreProblem) => void,
  web: Pick<CertificateRepositoryOptions, 'allow' | 'ca'> = {},
): Promise<{ service: VerificationService; trust: TrustStoreRefresh; certificates: CertificateRepository }> {
  const certificates = new CertificateRepository(web);
  const trust = await TrustStoreRefresh.start({ ...administrator, onProblem, ...web });
  // Calls under way end by the store that they began with; all others are judged by the one in force.
  const service = new VerificationService({ certificates, trustStore: trust });
  return { service, trust, certificates };
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const pki = new TestPki({ nowMs: Date.now() });
  const server = await CertificateServer.start();
  const administrator = {
    listUrl: server.publish('/list.jws', pki.trustList({ sequence: 5, withX5c: true }).jws),
    crlUrls: [],
    stiPaRoots: [await lab.put('published-root.pem', pki.stiPaRoot.certificatePem)],
  };
  const web = { allow: { addresses: ['127.0.0.0/8'], ports: [server.ports.https] }, ca: server.tlsRootPem };
  const { trust, certificates } = await startTrusting(
    administrator,
    ({ part, reason }) => console.log(part, reason), // list sequence-rolled-back
    web,
  );
  server.publish('/list.jws', pki.trustList({ sequence: 4, withX5c: true }).jws);
  console.log((await trust.refresh()).status); // kept
  for (const part of [trust, certificates, server, lab]) await part.close();
}
