import {
  createCertificateRepository,
  createRevocationSet,
  createTrustStore,
  createVerificationService,
  parseCertificate,
  parseCrl,
} from '@hopback/sdk/stir';
import type { Certificate, TrustStore, VerificationService } from '@hopback/sdk/stir';
import type { NodeClock } from './node-clock.js';
import type { NodeMaterial, NodeTrust } from './node-material.js';

/** What a provider verifies with: caches of its own. */
export interface NodeVerification {
  readonly service: VerificationService;
  readonly close: () => Promise<void>;
}

/** Opens the verification service of a provider. */
export function openNodeVerification(
  { certificates, trust }: Pick<NodeMaterial, 'certificates' | 'trust'>,
  clock: NodeClock,
): NodeVerification {
  const repository = createCertificateRepository({
    clock,
    // Nobody fetches from loopback, unless told to.
    allow: { addresses: ['127.0.0.0/8'], ports: [certificates.port] },
    ca: certificates.tlsRootPem,
  });
  return {
    service: createVerificationService({ certificates: repository, trustStore: trustStoreOf(trust), clock }),
    close: () => repository.close(),
  };
}

function trustStoreOf({ root, stiPaRoot, crlSigner, crl }: NodeTrust): TrustStore {
  const list = parseCrl(Buffer.from(crl, 'base64'));
  if (list.status !== 'parsed') throw new TypeError('the CRL of the network cannot be read');
  const anchors = [certificateOf(root)];
  const revocation = createRevocationSet([list.crl], {
    ...{ atMs: Date.now(), issuers: anchors },
    ...{ stiPaRoots: [certificateOf(stiPaRoot)], signers: [certificateOf(crlSigner)] },
  });
  return createTrustStore({ anchors, revocation, source: { kind: 'files' } });
}

function certificateOf(base64: string): Certificate {
  const parsed = parseCertificate(Buffer.from(base64, 'base64'));
  if (parsed.status !== 'parsed') throw new TypeError(`a certificate of the network cannot be read: ${parsed.detail}`);
  return parsed.certificate;
}
