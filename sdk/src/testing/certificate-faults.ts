import type { PathFailure } from '../stir/index.js';
import type { CertificateOptions } from './issue-certificate.js';
import type { TestCertificate } from './test-key.js';
import type { CaOptions, TestPki } from './test-pki.js';

/** One way in which a certification path is wrong, or only looks wrong. */
export interface CertificateFault {
  readonly description: string;
  /** The reason, among others, that path validation gives; absent where the path is right. */
  readonly expectedReasonHint?: PathFailure['reason'];
  /** Makes the chain in a PKI, for the provider with this code. */
  readonly build: (
    pki: TestPki,
    spc: string,
  ) => {
    /** Whose key signs PASSporTs. */
    readonly endEntity: TestCertificate;
    /** As an x5u URL would serve it. */
    readonly chainPem: string;
    /** What it is checked against. */
    readonly trustAnchors: readonly TestCertificate[];
  };
}

/** @see RFC 5280 section 4.2.1.12 */
const SERVER_AUTH_OID = '1.3.6.1.5.5.7.3.1';

/**
 * The catalogue of certification paths that are wrong in one way each, and of some that only look wrong. All are to be
 * checked at `pki.nowMs`.
 * @see RFC 5280 section 6.1, RFC 8226, RFC 9060
 */
export const CERTIFICATE_FAULTS = named({
  'leaf-expired': leaf('certificate-expired', 'expired a second ago', ({ nowMs }) => ({ notAfterMs: nowMs - 1000 })),
  'leaf-not-yet-valid': leaf('certificate-not-yet-valid', 'valid in a minute', ({ nowMs }) => ({
    notBeforeMs: nowMs + 60_000,
  })),
  'intermediate-expired': intermediate('certificate-expired', 'expired a second ago', ({ nowMs }) => ({
    notAfterMs: nowMs - 1000,
  })),
  'intermediate-not-yet-valid': intermediate('certificate-not-yet-valid', 'valid in a minute', ({ nowMs }) => ({
    notBeforeMs: nowMs + 60_000,
  })),
  'leaf-signature-corrupted': leaf('certificate-signature-invalid', 'one bit of its signature is flipped', () => ({
    corruptSignature: true,
  })),
  'leaf-forged': leaf(
    'certificate-signature-invalid',
    'names the intermediate and is signed by the TLS root',
    ({ tlsRoot }) => ({
      signedBy: tlsRoot.key,
    }),
  ),
  'intermediate-forged': intermediate(
    'certificate-signature-invalid',
    'names the root and is signed by the TLS root',
    ({ tlsRoot }) => ({
      signedBy: tlsRoot.key,
    }),
  ),
  'issuer-name-mismatch': leaf('issuer-name-mismatch', 'names another issuer than the one that signed', () => ({
    issuerName: [{ type: 'CN', value: 'Somebody Else' }],
  })),
  'issuer-not-a-ca': intermediate('not-a-ca', 'cA is false', () => ({ basicConstraints: { ca: false } })),
  'issuer-without-basic-constraints': intermediate('not-a-ca', 'has no BasicConstraints', () => ({
    basicConstraints: 'absent',
  })),
  'issuer-without-cert-sign': intermediate('key-usage-missing', 'KeyUsage lacks keyCertSign', () => ({
    keyUsage: { usages: ['digitalSignature'] },
  })),
  'leaf-without-digital-signature': leaf('key-usage-missing', 'KeyUsage lacks digitalSignature', () => ({
    keyUsage: { usages: ['keyAgreement'] },
  })),
  'leaf-is-a-ca': leaf('signer-is-a-ca', 'a certification authority signs calls with its own certificate', () => ({
    basicConstraints: { ca: true },
    keyUsage: { usages: ['digitalSignature', 'keyCertSign'] },
  })),
  'intermediate-for-tls': intermediate('key-usage-missing', 'may issue certificates of TLS servers only', () => ({
    extendedKeyUsage: [SERVER_AUTH_OID],
  })),
  'leaf-unknown-critical-extension': leaf(
    'unknown-critical-extension',
    'has a critical extension that nobody knows',
    () => ({
      unknownCriticalExtension: true,
    }),
  ),
  'intermediate-unknown-critical-extension': intermediate(
    'unknown-critical-extension',
    'has a critical extension that nobody knows',
    () => ({ unknownCriticalExtension: true }),
  ),
  'authority-key-identifier-wrong': leaf(
    'key-identifier-mismatch',
    'points to another key than that of its issuer',
    () => ({
      authorityKeyIdentifier: 'wrong',
    }),
  ),
  'path-length-exceeded': chain(
    'path-length-exceeded',
    'a CA below an intermediate whose pathLenConstraint is 0',
    (pki, spc) => served(pki, pki.issueServiceProvider({ spc, issuer: pki.issueCa({ issuer: pki.intermediate }) })),
  ),
  'path-too-long': chain('path-too-long', 'nine CAs one below the other: ten certificates and their root', (pki, spc) =>
    served(pki, pki.issueServiceProvider({ spc, issuer: casBelow(pki, pki.root, 9) })),
  ),
  'leaf-rsa': leaf('public-key-not-permitted', 'has an RSA key', () => ({ curve: 'RSA-2048' })),
  'leaf-secp256k1': leaf('public-key-not-permitted', 'has a secp256k1 key', () => ({ curve: 'secp256k1' })),
  'leaf-ed25519': leaf('public-key-not-permitted', 'has an Ed25519 key', () => ({ curve: 'Ed25519' })),
  'leaf-sha1': leaf('signature-algorithm-not-permitted', 'is signed over SHA-1', () => ({ signatureHash: 'SHA-1' })),
  'intermediate-rsa': intermediate('signature-algorithm-not-permitted', 'has an RSA key and signs with it', () => ({
    curve: 'RSA-2048',
  })),
  'tn-auth-list-absent': leaf('tn-auth-list-missing', 'has no TNAuthList', () => ({ tnAuthList: 'absent' })),
  'leaf-self-signed': leaf('no-path-to-trust-anchor', 'is self-signed', () => ({ issuer: 'self' })),
  'other-root': chain('no-path-to-trust-anchor', 'a whole path that ends in a root nobody trusts', (pki, spc) =>
    served(pki, pki.issueServiceProvider({ spc, issuer: pki.issueCa({ issuer: pki.issueRoot() }) })),
  ),
  'intermediate-missing': chain(
    'no-path-to-trust-anchor',
    'the end entity alone, its intermediate left out',
    (pki, spc) => {
      const endEntity = pki.issueServiceProvider({ spc });
      return { ...served(pki, endEntity), chainPem: endEntity.certificatePem };
    },
  ),
  loop: chain('no-path-to-trust-anchor', 'two CAs that vouch for each other and for nothing else', loop),
  'delegate-spc-not-encompassed': delegate(
    'tn-auth-list-not-encompassed',
    'delegates a service provider code that it has not',
    (spc) => [{ kind: 'spc', spc: `${spc}X` }],
  ),
  'delegate-range-not-encompassed': chain(
    'tn-auth-list-not-encompassed',
    'a delegate passes on one number more than the range it was given',
    (pki, spc) => {
      const parent = pki.issueServiceProvider({ spc, canDelegate: true, issuer: pki.issueCa() });
      const given = pki.issueDelegate({
        parent,
        canDelegate: true,
        tnAuthList: [{ kind: 'range', start: '12025550100', count: 10 }],
      });
      const tnAuthList = [{ kind: 'range', start: '12025550101', count: 10 }] as const;
      return served(pki, pki.issueDelegate({ parent: given, tnAuthList }));
    },
  ),
  'delegate-parent-not-a-ca': chain('not-a-ca', 'delegated by a certificate that may not', (pki, spc) =>
    served(
      pki,
      pki.issueDelegate({
        parent: pki.issueServiceProvider({ spc }),
        tnAuthList: [{ kind: 'one', tn: '12025550101' }],
      }),
    ),
  ),
  'claim-constraints-on-ca': intermediate('claim-constraints-on-ca', 'carries JWTClaimConstraints', () => ({
    jwtClaimConstraints: { mustInclude: ['attest'] },
  })),
  'cross-signed': chain(undefined, 'the intermediate comes twice, once under a root that nobody trusts', crossSigned),
  'intermediate-p384': intermediate(undefined, 'has a P-384 key', () => ({ curve: 'P-384' })),
  'self-issued-intermediate': chain(
    undefined,
    'an intermediate with pathLenConstraint 0 has issued itself a new key, which does not count',
    (pki, spc) => {
      const renewed = pki.issueCa({ subject: pki.intermediate.subject, issuer: pki.intermediate });
      return served(pki, pki.issueServiceProvider({ spc, issuer: renewed }));
    },
  ),
  'root-in-chain': chain(undefined, 'the root is served as well', (pki, spc) => {
    const endEntity = pki.issueServiceProvider({ spc });
    return { ...served(pki, endEntity), chainPem: endEntity.chainPem + pki.root.certificatePem };
  }),
  'chain-shuffled': chain(undefined, 'the intermediates come in another order than that of the path', (pki, spc) => {
    const lower = casBelow(pki, pki.root, 2);
    const endEntity = pki.issueServiceProvider({ spc, issuer: lower });
    const upperPem = lower.issuer?.certificatePem ?? '';
    return { ...served(pki, endEntity), chainPem: endEntity.certificatePem + upperPem + lower.certificatePem };
  }),
  'delegate-of-numbers': delegate(undefined, 'delegates a single number', () => [{ kind: 'one', tn: '12025550101' }]),
  'delegate-of-range': delegate(undefined, 'delegates a range of numbers', () => [
    { kind: 'range', start: '12025550100', count: 100 },
  ]),
});

/** Names of {@link CERTIFICATE_FAULTS}, for tests that go through all of them. */
export const CERTIFICATE_FAULT_NAMES = Object.keys(CERTIFICATE_FAULTS) as readonly CertificateFaultName[];

/** Names of {@link CERTIFICATE_FAULTS}. */
export type CertificateFaultName = keyof typeof CERTIFICATE_FAULTS;

function named<Name extends string>(faults: Readonly<Record<Name, CertificateFault>>): typeof faults {
  return faults;
}

function chain(
  reason: PathFailure['reason'] | undefined,
  description: string,
  build: CertificateFault['build'],
): CertificateFault {
  return { description, build, ...(reason === undefined ? {} : { expectedReasonHint: reason }) };
}

function leaf(
  reason: PathFailure['reason'],
  description: string,
  options: (pki: TestPki) => CertificateOptions,
): CertificateFault {
  return chain(reason, `the end entity ${description}`, (pki, spc) =>
    served(pki, pki.issueServiceProvider({ spc, ...options(pki) })),
  );
}

function intermediate(
  reason: PathFailure['reason'] | undefined,
  description: string,
  options: (pki: TestPki) => CaOptions,
): CertificateFault {
  return chain(reason, `the intermediate ${description}`, (pki, spc) =>
    served(pki, pki.issueServiceProvider({ spc, issuer: pki.issueCa(options(pki)) })),
  );
}

function delegate(
  reason: PathFailure['reason'] | undefined,
  description: string,
  tnAuthList: (spc: string) => Parameters<TestPki['issueDelegate']>[0]['tnAuthList'],
): CertificateFault {
  return chain(reason, `a provider ${description}`, (pki, spc) => {
    const parent = pki.issueServiceProvider({ spc, canDelegate: true, issuer: pki.issueCa() });
    return served(pki, pki.issueDelegate({ parent, tnAuthList: tnAuthList(spc) }));
  });
}

function served(pki: TestPki, endEntity: TestCertificate): ReturnType<CertificateFault['build']> {
  return { endEntity, chainPem: endEntity.chainPem, trustAnchors: [pki.root] };
}

function casBelow(pki: TestPki, top: TestCertificate, depth: number): TestCertificate {
  let issuer = top;
  for (let level = 0; level < depth; level++) issuer = pki.issueCa({ issuer });
  return issuer;
}

function loop(pki: TestPki, spc: string): ReturnType<CertificateFault['build']> {
  const start = pki.issueRoot();
  const other = pki.issueCa({ issuer: start });
  const again = pki.crossSign(start, other);
  const endEntity = pki.issueServiceProvider({ spc, issuer: again });
  const chainPem = endEntity.certificatePem + again.certificatePem + other.certificatePem;
  return { ...served(pki, endEntity), chainPem };
}

function crossSigned(pki: TestPki, spc: string): ReturnType<CertificateFault['build']> {
  const trusted = pki.issueCa();
  const untrusted = pki.crossSign(trusted, pki.issueRoot());
  const endEntity = pki.issueServiceProvider({ spc, issuer: trusted });
  // The dead end comes first, so that a builder which takes the first match only is found out.
  return {
    ...served(pki, endEntity),
    chainPem: endEntity.certificatePem + untrusted.certificatePem + trusted.certificatePem,
  };
}
