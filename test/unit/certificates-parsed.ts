import type { TestCertificate } from '@hopback/sdk/testing';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import { parseCrl, type CertificateRevocationList } from '../../sdk/src/stir/certificates/crl.js';
import { parseCertificate, parseCertificateChain } from '../../sdk/src/stir/certificates/parse-certificate.js';

/** The parsed form of a test certificate, which has to parse. */
export function parsed(certificate: Pick<TestCertificate, 'der'>): Certificate {
  const result = parseCertificate(certificate.der);
  if (result.status === 'malformed') throw new Error(`${result.reason}: ${result.detail}`);
  return result.certificate;
}

/** The parsed form of a PEM chain, which has to parse. */
export function parsedChain(chainPem: string): readonly Certificate[] {
  const result = parseCertificateChain(chainPem);
  if (result.status === 'malformed') throw new Error(`${result.reason}: ${result.detail}`);
  return result.chain;
}

/** The parsed form of a test CRL in DER or PEM, which has to parse. */
export function parsedCrl(crl: { readonly der: Uint8Array | string }): CertificateRevocationList {
  const result = parseCrl(crl.der);
  if (result.status === 'malformed') throw new Error(`${result.reason}: ${result.detail}`);
  return result.crl;
}
