import {
  CertificateRepository,
  VerificationService,
  loadTrustStore,
  parseSipRequest,
  verificationRequestOf,
  withVerstat,
} from '@hopback/sdk/stir';
import type { CallVerdict, CertificateRepositoryOptions, TrustStoreFiles } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';

/** One service for the process. The repository owns sockets and files: close it when the process ends. */
export async function startVerifying(
  files: TrustStoreFiles,
  repository?: CertificateRepositoryOptions,
): Promise<{ readonly service: VerificationService; readonly close: () => Promise<void> }> {
  const certificates = new CertificateRepository(repository);
  const service = new VerificationService({ certificates, trustStore: await loadTrustStore(files) });
  return { service, close: () => certificates.close() };
}

/** A verdict for one INVITE as it arrived; undefined when the text is no SIP request. */
export async function verdictOf(service: VerificationService, invite: string): Promise<CallVerdict | undefined> {
  const parsed = parseSipRequest(invite);
  return parsed.status === 'parsed' ? service.verify(verificationRequestOf(parsed.request)) : undefined;
}

/**
 * What the call carries on with, whatever the verdict: `verstat` for the callee's network; Reason headers for the caller's, which go
 * into the responses.
 * @param asserted - value of the P-Asserted-Identity (or From) that arrived
 */
export function headersFor(verdict: CallVerdict, asserted: string): readonly string[] {
  const value = withVerstat(asserted, verdict.verstat);
  return [
    ...(value === undefined ? [] : [`P-Asserted-Identity: ${value}`]),
    ...verdict.reasonHeaders.map((reason) => `Reason: ${reason}`),
  ];
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const { service, close } = await startVerifying(lab.trust, lab.repository);
  const verdict = await verdictOf(service, lab.invite());
  console.log(verdict?.status, verdict?.attestation, verdict?.signer?.spc); // passed A 1234
  const spoofed = await verdictOf(service, lab.invite('12025550166'));
  console.log(spoofed?.status, spoofed?.reasons.join()); // failed orig-mismatch
  await close();
  await lab.close();
}
