import {
  createCertificateRepository,
  createVerificationService,
  loadTrustStore,
  parseSipRequest,
  verificationRequestOf,
} from '@hopback/sdk/stir';
import type {
  CallVerdict,
  CertificateRepositoryOptions,
  TrustStoreFiles,
  VerificationService,
} from '@hopback/sdk/stir';

/** One service for the process. The repository owns sockets and files: close it when the process ends. */
export async function startVerifying(
  files: TrustStoreFiles,
  repository: Partial<CertificateRepositoryOptions> = {},
): Promise<{ readonly service: VerificationService; readonly close: () => Promise<void> }> {
  const clock = { nowMs: Date.now };
  const trustStore = await loadTrustStore(files, { clock });
  const certificates = createCertificateRepository({ clock, ...repository });
  const service = createVerificationService({ certificates, trustStore, clock });
  return { service, close: certificates.close };
}

/** A verdict for one INVITE as it arrived; undefined when the text is no SIP request. */
export async function verdictOf(service: VerificationService, invite: string): Promise<CallVerdict | undefined> {
  const parsed = parseSipRequest(invite);
  return parsed.status === 'parsed' ? service.verify(verificationRequestOf(parsed.request)) : undefined;
}

/** What the call carries on with, whatever the verdict: `verstat` for the callee's network, Reason headers for the caller's. */
export function headersFor(verdict: CallVerdict, callerUri: string): readonly string[] {
  return [
    `P-Asserted-Identity: <${callerUri};verstat=${verdict.verstat}>`,
    ...verdict.reasonHeaders.map((value) => `Reason: ${value}`),
  ];
}
