import { createAuthenticationService, createFileCertificateSource, createVerificationService } from '../stir/index.js';
import type { AuthenticationService, SignatureRecord, VerificationPolicy, VerificationService } from '../stir/index.js';
import { allowListOf, openRepository, REPOSITORY_OPTIONS } from './certificate-options.js';
import type { RepositoryOption } from './certificate-options.js';
import type { CliIo } from './io.js';
import type { Options, OptionSpecs } from './options.js';
import { attestationPolicyOf, CREDENTIAL_OPTIONS, loadCredentials } from './signing-options.js';
import type { CredentialOption } from './signing-options.js';
import { loadTrust, requireTrust, TRUST_OPTIONS } from './trust-options.js';
import type { TrustOption } from './trust-options.js';

export type ServiceOption = TrustOption | RepositoryOption | CredentialOption | 'revocation-unknown' | 'policy';

/** With what calls are verified and signed; `policy` is among the facts. */
export const SERVICE_OPTIONS: OptionSpecs<Exclude<ServiceOption, 'policy'>> = {
  ...TRUST_OPTIONS,
  ...REPOSITORY_OPTIONS,
  'revocation-unknown': {
    value: 'CHOICE',
    choices: ['indeterminate', 'accept'],
    text: 'a certificate whose revocation nobody knows: indeterminate (default), or accept with a note',
  },
  ...CREDENTIAL_OPTIONS,
};

/** A service, and what it rests on, which is read again now and then. */
export interface Reloadable<Service> {
  readonly service: Service;
  /** Reads files again: what is good takes effect, what is not leaves things as they are. @returns what was wrong */
  readonly reload: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

/** @throws {@link UsageError} when no trust is named; {@link HopbackError} of the files */
export async function openVerification(
  options: Options<ServiceOption>,
  io: CliIo,
  timeBudgetMs: number,
): Promise<Reloadable<VerificationService>> {
  requireTrust(options);
  const trustStore = await loadTrust(options, io, io.clock);
  const certificates = await openRepository(options, io);
  const revocationUnknown = options.text('revocation-unknown') as VerificationPolicy['revocationUnknown'] | undefined;
  const service = createVerificationService({
    ...{ certificates, trustStore, timeBudgetMs, clock: io.clock },
    ...(revocationUnknown !== undefined && { policy: { revocationUnknown } }),
  });
  return {
    service,
    async reload() {
      try {
        service.useTrustStore(await loadTrust(options, io, io.clock));
        return undefined;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    close: () => certificates.close(),
  };
}

/** @throws {@link UsageError} when key, certificate or x5u is not named; {@link HopbackError} of the files */
export async function openSigning(
  options: Options<ServiceOption>,
  io: CliIo,
  {
    hearsRequests,
    onRecord,
  }: { readonly hearsRequests: boolean; readonly onRecord: (record: SignatureRecord) => void },
): Promise<Reloadable<AuthenticationService>> {
  const { signer, spc } = await loadCredentials(options, io);
  const allow = allowListOf(options);
  const source = await createFileCertificateSource({
    // Both were asked for by now.
    ...{ path: options.text('certificate') ?? '', x5u: options.text('x5u') ?? '' },
    ...(allow !== undefined && { x5uPolicy: { allow } }),
    owner: { spc, publicKey: signer.publicKey, clock: io.clock },
  });
  const service = createAuthenticationService({
    ...{ spc, signer, certificateSource: source, clock: io.clock, randomUuid: io.randomUuid, onRecord },
    policy: await attestationPolicyOf(options, io, { hearsRequests }),
  });
  return {
    service,
    async reload() {
      const reloaded = await source.reload();
      return reloaded.status === 'kept' ? `${reloaded.reason}: ${reloaded.detail}` : undefined;
    },
    close: () => Promise.resolve(),
  };
}
