import { randomUUID } from 'node:crypto';
import { TestPki, CertificateServer } from '@hopback/sdk/testing';
import { VerificationService, type CallVerdict, verificationRequestOf } from '@hopback/sdk/stir';
import { parseSipRequest } from '../../sdk/src/core/sip-request.js';
import { CertificateRepository } from '../../sdk/src/stir/certificates/certificate-repository.js';
import { loadTrustStore, type TrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { AttestationPolicy } from '../../sdk/src/stir/signing/attestation-policy.js';
import { AuthenticationService } from '../../sdk/src/stir/signing/authentication-service.js';
import { createStaticCertificateSource } from '../../sdk/src/stir/signing/certificate-source.js';
import { createLocalSigner } from '../../sdk/src/stir/signing/signer.js';
import { createTemporaryDirectory } from './temporary-directory.js';

/** Our side of an exchange with a peer: a provider with its certificate on the web, a signer and a verifier. */
export interface OurEnd extends AsyncDisposable {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
  /** Where the chain is published: HTTPS on loopback. */
  readonly x5u: string;
  /** What a peer must trust to fetch it. */
  readonly tlsRootPem: string;
  /** How often the chain was fetched, by anybody. */
  readonly fetches: () => number;
  /** An Identity header value of our authentication service, attestation A. */
  readonly sign: (call: CallToSign) => Promise<string>;
  /** The verdict of our verification service on a whole INVITE. */
  readonly verify: (inviteText: string) => Promise<CallVerdict>;
  readonly close: () => Promise<void>;
}

/** A call that we sign. */
interface CallToSign {
  readonly orig: string;
  readonly dest: string;
}

const SPC = '1234';
const CHAIN_PATH = '/sp.pem';
/** Peers go by the real clock, so certificates and tokens here do too. */
const CLOCK = { nowMs: Date.now };
/** Our services refuse loopback x5u URLs unless told otherwise. */
const LOOPBACK = ['127.0.0.0/8'];

/** Starts our side, with a PKI and a certificate server of its own. */
export async function startOurEnd(): Promise<OurEnd> {
  const pki = new TestPki({ nowMs: CLOCK.nowMs() });
  const server = await CertificateServer.start();
  const provider = pki.issueServiceProvider({ spc: SPC });
  const x5u = server.publish(CHAIN_PATH, provider.chainPem);
  const allow = { addresses: LOOPBACK, ports: [server.ports.https] };
  const certificates = new CertificateRepository({ clock: CLOCK, ca: server.tlsRootPem, allow });
  const verification = new VerificationService({ certificates, trustStore: await trustStoreOf(pki), clock: CLOCK });
  const authentication = new AuthenticationService({
    ...{ spc: SPC, clock: CLOCK, randomUuid: randomUUID, policy: new AttestationPolicy() },
    signer: await createLocalSigner({ privateKeyPem: provider.privateKeyPem }),
    certificateSource: createStaticCertificateSource({ chainPem: provider.chainPem, x5u, x5uPolicy: { allow } }),
  });
  const close = async (): Promise<void> => {
    await certificates.close();
    await server.close();
  };
  return {
    privateKeyPem: provider.privateKeyPem,
    publicKeyPem: provider.publicKeyPem,
    tlsRootPem: server.tlsRootPem,
    x5u,
    fetches: () => server.requests(CHAIN_PATH),
    sign: (call) => identityHeaderOf(authentication, call),
    verify: (inviteText) => {
      const parsed = parseSipRequest(inviteText);
      if (parsed.status !== 'parsed') throw new Error(`not a SIP request: ${parsed.reason}`);
      return verification.verify(verificationRequestOf(parsed.request));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function trustStoreOf(pki: TestPki): Promise<TrustStore> {
  await using directory = await createTemporaryDirectory();
  const files = {
    anchors: { kind: 'files', paths: [await directory.write('root.pem', pki.root.certificatePem)] },
    stiPaRoots: [await directory.write('sti-pa-root.pem', pki.stiPaRoot.certificatePem)],
    crls: [await directory.write('crl.pem', pki.crl().pem)],
    crlSigners: [await directory.write('crl-signer.pem', pki.stiPaCrlIssuer.chainPem)],
  } as const;
  return await loadTrustStore(files, { clock: CLOCK });
}

async function identityHeaderOf(service: AuthenticationService, { orig, dest }: CallToSign): Promise<string> {
  const outcome = await service.sign({
    ...{ origTn: orig, destTn: dest },
    facts: { role: 'originating', customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' },
  });
  const [identityHeader] = outcome.status === 'signed' ? outcome.identityHeaders : [];
  if (identityHeader === undefined) throw new Error(`not signed: ${JSON.stringify(outcome)}`);
  return identityHeader;
}
