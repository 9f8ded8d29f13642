import { createHash } from 'node:crypto';
import { HopbackError } from '../errors.js';
import { certificateExtensions } from './certificate-extensions.js';
import type { CertificateOptions } from './certificate-options.js';
import { bitString, contextConstructed, integer, pem, sequence, time } from './der.js';
import { nameDer, nameText } from './distinguished-name.js';
import type { TestName } from './distinguished-name.js';
import type { TestCertificate } from './test-certificate.js';
import { createTestKey, defaultHash, keyIdentifier, publicKeyDer, signatureAlgorithm, signDer } from './test-key.js';
import type { TestKey } from './test-key.js';

/** What the defaults of a kind of certificate leave no choice about. */
export interface IssueRequest extends Omit<CertificateOptions, 'issuer'> {
  readonly issuer?: TestCertificate | 'self';
  readonly subject: TestName;
  readonly serialNumber: number | bigint;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly spc?: string;
}

/**
 * Builds and signs one certificate exactly as asked, right or wrong.
 * @throws {@link HopbackError} `invalid-argument` when no issuer is named
 */
export function issueCertificate(request: IssueRequest): TestCertificate {
  const key = request.key ?? createTestKey(request.curve);
  const issuer = requireIssuer(request.issuer);
  const subjectKeyIdentifier = subjectIdentifierOf(request, key);
  const issuerKeyIdentifier = issuer === 'self' ? subjectKeyIdentifier : issuer.subjectKeyIdentifier;
  const signingKey = request.signedBy ?? (issuer === 'self' ? key : issuer.key);
  const hash = request.signatureHash ?? defaultHash(signingKey);
  const algorithm = signatureAlgorithm(signingKey, hash);
  const extensions = certificateExtensions((request.version ?? 3) < 3 ? onlyRawExtensions(request) : request, {
    subjectKeyIdentifier,
    issuerKeyIdentifier,
  });
  const tbs = sequence(
    ...(request.version === 1 ? [] : [contextConstructed(0, integer((request.version ?? 3) - 1))]),
    integer(request.serialNumber),
    algorithm,
    nameDer(request.issuerName ?? (issuer === 'self' ? request.subject : issuer.subject)),
    sequence(time(request.notBeforeMs), time(request.notAfterMs)),
    nameDer(request.subject),
    publicKeyDer(key),
    ...(extensions.length === 0 ? [] : [contextConstructed(3, sequence(...extensions))]),
  );
  const signature = Uint8Array.from(signDer(signingKey, hash, tbs));
  if (request.corruptSignature === true) flipLastBit(signature);
  return describe(request, { key, der: sequence(tbs, algorithm, bitString(signature)), issuer });
}

/**
 * The certificates that lead from one certificate to its root, itself first, the root left out: PEM, one after the other.
 */
function chainPemOf(certificate: Pick<TestCertificate, 'certificatePem' | 'issuer'>): string {
  const { issuer } = certificate;
  if (issuer?.issuer === undefined) return certificate.certificatePem;
  return certificate.certificatePem + chainPemOf(issuer);
}

function requireIssuer(issuer: TestCertificate | 'self' | undefined): TestCertificate | 'self' {
  if (issuer !== undefined) return issuer;
  throw new HopbackError('invalid-argument', "a certificate needs an issuer: a TestCertificate, or 'self'");
}

function onlyRawExtensions(request: IssueRequest): CertificateOptions {
  return {
    subjectKeyIdentifier: 'absent',
    authorityKeyIdentifier: 'absent',
    ...(request.extraExtensions === undefined ? {} : { extraExtensions: request.extraExtensions }),
  };
}

function subjectIdentifierOf(request: IssueRequest, key: TestKey): Uint8Array {
  return request.subjectKeyIdentifier instanceof Uint8Array ? request.subjectKeyIdentifier : keyIdentifier(key);
}

/** The last bit belongs to s of an ECDSA signature: the DER stays well-formed, the signature no longer verifies. */
function flipLastBit(signature: Uint8Array): void {
  signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
}

function describe(
  request: IssueRequest,
  made: { readonly key: TestKey; readonly der: Uint8Array; readonly issuer: TestCertificate | 'self' },
): TestCertificate {
  const { key, der, issuer } = made;
  const certificatePem = pem('CERTIFICATE', der);
  const above = issuer === 'self' ? {} : { issuer };
  const serialNumber = BigInt(request.serialNumber);
  return {
    der,
    certificatePem,
    chainPem: chainPemOf({ certificatePem, ...above }),
    privateKeyPem: key.privateKeyPem,
    privateKeyJwk: key.privateKeyJwk,
    publicKeyPem: key.publicKeyPem,
    key,
    sha256: createHash('sha256').update(der).digest('hex'),
    serialNumber,
    serialNumberHex: serialNumber.toString(16),
    subject: request.subject,
    subjectText: nameText(request.subject),
    subjectKeyIdentifier: subjectIdentifierOf(request, key),
    notBeforeMs: request.notBeforeMs,
    notAfterMs: request.notAfterMs,
    ...above,
    ...(request.spc === undefined ? {} : { spc: request.spc }),
  };
}
