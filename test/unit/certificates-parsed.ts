import type { TestCertificate, TestCrl } from '@hopback/sdk/testing';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import type { CertificateRevocationList } from '../../sdk/src/stir/certificates/crl.js';
import { parseCrl } from '../../sdk/src/stir/certificates/crl.js';
import { parseCertificate } from '../../sdk/src/stir/certificates/parse-certificate.js';

/** The parsed form of a test certificate, which has to parse. */
export function parsed(certificate: Pick<TestCertificate, 'der'>): Certificate {
  const result = parseCertificate(certificate.der);
  if (result.status === 'malformed') throw new Error(`${result.reason}: ${result.detail}`);
  return result.certificate;
}

/** The parsed form of a test CRL, which has to parse. */
export function parsedCrl(crl: Pick<TestCrl, 'der'>): CertificateRevocationList {
  const result = parseCrl(crl.der);
  if (result.status === 'malformed') throw new Error(`${result.reason}: ${result.detail}`);
  return result.crl;
}
