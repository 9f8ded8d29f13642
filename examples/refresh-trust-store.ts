import {
  CertificateRepository,
  TrustStoreRefresh,
  VerificationService,
  parseCertificateChain,
} from '@hopback/sdk/stir';
import type { TrustStoreRefreshOptions } from '@hopback/sdk/stir';
import { TestPki, CertificateServer } from '@hopback/sdk/testing';
import { isMain } from './lab.js';

/**
 * Verifies by the list of STI-CAs and the CRLs as they are published, and takes up new ones without losing a call. What cannot be
 * fetched, is refused or is older than what is in use changes nothing; it is told to `onProblem`, and tried again.
 * @param options - `listUrl`, `crlUrls`, the roots of the policy administrator, which came another way, and `cachePath`
 * @returns both are to be closed; no service where neither network nor cache have a list, for then nobody can be trusted
 */
export async function startTrusting(
  certificates: CertificateRepository,
  options: Omit<TrustStoreRefreshOptions, 'onTrustStore' | 'clock' | 'schedule' | 'random'>,
): Promise<{ readonly service: VerificationService | undefined; readonly trust: TrustStoreRefresh }> {
  let service: VerificationService | undefined;
  const clock = { nowMs: Date.now };
  const schedule: TrustStoreRefreshOptions['schedule'] = (callback, delayMs) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  };
  // Calls under way end by the store that they began with; all others are judged by the new one.
  const onTrustStore: TrustStoreRefreshOptions['onTrustStore'] = (trustStore) => service?.useTrustStore(trustStore);
  const trust = new TrustStoreRefresh({ ...options, onTrustStore, clock, schedule, random: Math.random });
  await trust.refresh();
  const trustStore = trust.current();
  if (trustStore !== undefined) service = new VerificationService({ certificates, trustStore, clock });
  return { service, trust };
}

if (isMain(import.meta.url)) {
  const pki = new TestPki({ nowMs: Date.now() });
  await using server = await CertificateServer.start();
  const web = { allow: { addresses: ['127.0.0.0/8'], ports: [server.ports.https] }, ca: server.tlsRootPem };
  await using certificates = new CertificateRepository({ clock: { nowMs: Date.now }, ...web });
  const root = parseCertificateChain(pki.stiPaRoot.certificatePem);
  const { trust } = await startTrusting(certificates, {
    listUrl: server.publish('/list.jws', pki.trustList({ sequence: 5, withX5c: true }).jws),
    stiPaRoots: root.status === 'parsed' ? root.chain : [],
    onProblem: ({ part, reason }) => console.log(part, reason), // list sequence-rolled-back
    ...web,
  });
  server.publish('/list.jws', pki.trustList({ sequence: 4, withX5c: true }).jws);
  console.log((await trust.refresh()).status); // kept
  await trust.close();
}
