import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import {
  createAttestationPolicy,
  createAuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
  DEFAULT_ATTESTATION_POLICY,
  readSigningCertificate,
} from '../../stir/index.js';
import type {
  AttestationPolicyData,
  AuthenticationService,
  ExplicitAttestation,
  SignatureRecord,
  SigningCertificate,
  X5uAllowList,
} from '../../stir/index.js';
import type { SigningConfiguration } from '../config/configuration.js';
import { pathFrom, readTextFile } from './files.js';

/** What calls are signed with, as long as it is used. */
export interface SigningPart {
  readonly service: AuthenticationService;
  readonly configuration: SigningConfiguration;
  readonly certificate: SigningCertificate;
  readonly files: readonly string[];
}

/** What signing is loaded with. */
export interface LoadSigningOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** Opens an encrypted key. */
  readonly passphrase?: string;
  readonly allow?: X5uAllowList;
  /** Gets the record of each signature. */
  readonly onRecord?: (record: SignatureRecord) => void;
}

/**
 * Loads key, certificate and policy.
 * @throws {@link HopbackError} `storage-failed`, `key-unusable`, `certificate-unusable` or `invalid-configuration`
 */
export async function loadSigning(
  configuration: SigningConfiguration,
  { directory, clock, passphrase, allow, onRecord }: LoadSigningOptions,
): Promise<SigningPart> {
  const [keyPath, chainPath] = [configuration.key, configuration.certificate].map((path) => pathFrom(directory, path));
  const [privateKeyPem, chainPem] = [await readTextFile(keyPath ?? ''), await readTextFile(chainPath ?? '')];
  const policyPath =
    configuration.attestationPolicy === undefined ? undefined : pathFrom(directory, configuration.attestationPolicy);
  const { x5u } = configuration;
  const x5uPolicy = allow === undefined ? {} : { x5uPolicy: { allow } };
  const read = readSigningCertificate({ chainPem, x5u, ...x5uPolicy });
  if (read.status === 'unusable')
    throw new HopbackError('certificate-unusable', `${chainPath ?? ''} cannot be signed under: ${read.detail}`);
  const service = createAuthenticationService({
    spc: configuration.spc ?? spcOf(read.signingCertificate),
    signer: await createLocalSigner({ privateKeyPem, ...(passphrase !== undefined && { passphrase }) }),
    certificateSource: createStaticCertificateSource({ chainPem, x5u, ...x5uPolicy }),
    policy: createAttestationPolicy({
      ...(policyPath === undefined ? DEFAULT_ATTESTATION_POLICY : await policyOf(policyPath)),
      explicitAttestation: EXPLICIT[configuration.attestation],
    }),
    emergencyCalls: configuration.emergencyCalls,
    ...{ clock, randomUuid: randomUUID, ...(onRecord !== undefined && { onRecord }) },
  });
  const obstacle = service.obstacle();
  // One of another key is a mistake of whoever changed the files; one that has run out must not stop verification.
  if (
    obstacle !== undefined &&
    obstacle.reason !== 'certificate-expired' &&
    obstacle.reason !== 'certificate-not-yet-valid'
  )
    throw new HopbackError('certificate-unusable', `nothing can be signed: ${obstacle.detail}`);
  const files = [keyPath, chainPath, policyPath].filter((path) => path !== undefined);
  return { service, configuration, certificate: read.signingCertificate, files };
}

const EXPLICIT: Readonly<Record<SigningConfiguration['attestation'], ExplicitAttestation>> = {
  'of-the-switch': 'permitted',
  'at-most-policy': 'at-most-rule',
  'policy-alone': 'refused',
};

async function policyOf(path: string): Promise<AttestationPolicyData> {
  try {
    // createAttestationPolicy checks every part of it.
    return JSON.parse(await readTextFile(path)) as AttestationPolicyData;
  } catch (cause) {
    if (cause instanceof HopbackError) throw cause;
    throw new HopbackError('invalid-configuration', `${path} is no JSON`, { cause });
  }
}

function spcOf({ certificate }: SigningCertificate): string {
  const [spc, ...more] = (certificate.tnAuthList ?? []).flatMap((entry) => (entry.kind === 'spc' ? [entry.spc] : []));
  if (spc !== undefined && more.length === 0) return spc;
  throw new HopbackError('invalid-configuration', 'signing.spc: the certificate has not exactly one');
}
