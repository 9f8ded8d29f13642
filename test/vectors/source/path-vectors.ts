import { CERTIFICATE_FAULTS } from '@hopback/sdk/testing';
import type { CertificateFaultName } from '@hopback/sdk/testing';
import type { FailureReason } from '../../../sdk/src/stir/verification/step.js';
import { bad, good, passedBy, TN_FAILED, UNSUPPORTED } from './draft.js';
import type { VectorDraft, VectorGroup } from './draft.js';
import { CRL_PATH, identityHeader, ROOT_PATH } from './scene.js';
import type { Scene } from './scene.js';

const SECTION = 'RFC 5280 section 6, RFC 8226, RFC 9060';

/** Every way in which a certification path fails, and paths that only look wrong. */
export const pathVectors: VectorGroup = (scene) => ({
  'trust-list-empty': {
    description: 'there are no trust anchors: nothing is trusted, never everything',
    section: SECTION,
    trustAnchors: [],
    headers: [bad(identityHeader(scene), UNSUPPORTED, 'trust-list-empty')],
    verdict: TN_FAILED,
  },
  'certificate-expired': path(scene, 'leaf-expired'),
  'certificate-not-yet-valid': path(scene, 'leaf-not-yet-valid'),
  'certificate-signature-invalid': path(scene, 'leaf-forged'),
  'certificate-self-signed': path(scene, 'leaf-self-signed'),
  'issuer-name-mismatch': path(scene, 'issuer-name-mismatch'),
  'signature-algorithm-not-permitted': path(scene, 'leaf-sha1'),
  'public-key-not-permitted': path(scene, 'leaf-rsa'),
  'not-a-ca': path(scene, 'issuer-not-a-ca'),
  'path-length-exceeded': path(scene, 'path-length-exceeded'),
  'path-too-long': path(scene, 'path-too-long'),
  'key-usage-missing': path(scene, 'leaf-without-digital-signature'),
  'key-usage-of-issuer-missing': path(scene, 'intermediate-for-tls'),
  'signer-is-a-ca': path(scene, 'leaf-is-a-ca'),
  'unknown-critical-extension': path(scene, 'leaf-unknown-critical-extension'),
  'key-identifier-mismatch': path(scene, 'authority-key-identifier-wrong'),
  'tn-auth-list-missing': path(scene, 'tn-auth-list-absent'),
  'tn-auth-list-not-encompassed': path(scene, 'delegate-spc-not-encompassed'),
  'claim-constraints-on-ca': path(scene, 'claim-constraints-on-ca'),
  'certificate-revoked': revoked(scene),
  'good-cross-signed': path(scene, 'cross-signed'),
  'good-chain-shuffled': path(scene, 'chain-shuffled'),
  'good-intermediate-p384': path(scene, 'intermediate-p384'),
  'good-delegate-of-range': path(scene, 'delegate-of-range'),
});

/** A named path of the test kit; a faulty one gives its own reason and, where stated, others. */
function path(scene: Scene, name: CertificateFaultName, ...others: readonly FailureReason[]): VectorDraft {
  const { description, expectedReasonHint, build } = CERTIFICATE_FAULTS[name];
  const { endEntity, chainPem } = build(scene.pki, '1234');
  const served = scene.publish(name, endEntity, chainPem);
  const identity = identityHeader(scene, {}, served);
  const isGood = expectedReasonHint === undefined;
  return {
    description,
    section: SECTION,
    certificates: { [served.x5u]: { chain: served.chain } },
    headers: [isGood ? good(identity) : bad(identity, UNSUPPORTED, expectedReasonHint, ...others)],
    verdict: isGood ? passedBy('A') : TN_FAILED,
    trustAnchors: [ROOT_PATH],
  };
}

function revoked(scene: Scene): VectorDraft {
  const { pki } = scene;
  const provider = pki.issueServiceProvider({ spc: '1234' });
  const served = scene.publish('revoked', provider);
  const crl = pki.crl({ revoked: [{ certificate: provider, reason: 'keyCompromise' }], number: 2 });
  return {
    description: 'the indirect CRL of the STI-PA lists the certificate',
    section: 'RFC 5280 section 6.3, ATIS-1000080',
    certificates: { [served.x5u]: { chain: served.chain } },
    crls: [CRL_PATH, scene.writeFile('pki/sti-pa-revoked.crl.pem', crl.pem)],
    headers: [bad(identityHeader(scene, {}, served), UNSUPPORTED, 'certificate-revoked')],
    verdict: TN_FAILED,
  };
}
