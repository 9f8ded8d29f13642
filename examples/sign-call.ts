import {
  AttestationPolicy,
  AuthenticationService,
  createLocalSigner,
  createStaticCertificateSource,
} from '@hopback/sdk/stir';
import type { SignatureRecord } from '@hopback/sdk/stir';
import { isMain, openLab } from './lab.js';

/** What a provider signs with. */
export interface ProviderFiles {
  /** Private key, PEM. */
  readonly privateKeyPem: string;
  /** Certificate and everything above it that verifiers need, PEM. */
  readonly chainPem: string;
}

/** One service per provider, made once. */
export async function startSigning(
  files: ProviderFiles,
  keep: (record: SignatureRecord) => void,
): Promise<AuthenticationService> {
  return new AuthenticationService({
    spc: '1234',
    signer: await createLocalSigner({ privateKeyPem: files.privateKeyPem }),
    certificateSource: createStaticCertificateSource({
      chainPem: files.chainPem,
      x5u: 'https://certificates.example.com/shaken/1234.pem',
    }),
    policy: new AttestationPolicy(),
    onRecord: keep,
  });
}

/** Signs one call; returns the header lines to add to its INVITE. */
export function headersToAdd(service: AuthenticationService): readonly string[] {
  const outcome = service.signNow({
    from: '"Front desk" <sip:+12025550101@pbx.example.com>;tag=9fxced76sl',
    to: '<sip:+12025550199@carrier.example.net>',
    facts: { role: 'originating', customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' },
  });
  // A call that is not signed goes on without; `outcome.reason` says why.
  if (outcome.status !== 'signed') return [];
  const date = outcome.date === undefined ? [] : [`Date: ${outcome.date}`];
  return [...date, ...outcome.identityHeaders.map((value) => `Identity: ${value}`)];
}

if (isMain(import.meta.url)) {
  const lab = await openLab();
  const records: SignatureRecord[] = [];
  const headers = headersToAdd(await startSigning(lab.provider, (record) => records.push(record)));
  console.log(headers.map((line) => line.split(':', 1)[0]).join(' '), records.length); // Date Identity 1
  await lab.close();
}
