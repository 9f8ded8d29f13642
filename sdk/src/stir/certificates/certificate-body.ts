import type { CertificateChainParseResult } from './certificate.js';
import { looksLikeDer } from './der.js';
import { parseCertificate, parseCertificateBundle } from './parse-certificate.js';

/**
 * Reads what certificates are published or kept as when it is not known which: PEM with one or more, or bare DER with one. Pure; never
 * throws for peer input.
 * @param body - a file, or what was fetched
 * @param limits - of PEM: `maxBytes` of the body, `maxCertificates` in it
 * @returns the certificates in their order, or what was wrong
 */
export function parseCertificateBody(
  body: Uint8Array,
  limits: { readonly maxBytes: number; readonly maxCertificates: number },
): CertificateChainParseResult {
  if (!looksLikeDer(body)) return parseCertificateBundle(body, limits);
  const result = parseCertificate(body);
  return result.status === 'malformed' ? result : { status: 'parsed', chain: [result.certificate] };
}
