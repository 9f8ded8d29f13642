import { printableText } from '../../core/text.js';
import type { Certificate, JwtClaimConstraints } from './certificate.js';
import { SIGNATURE_ALGORITHMS } from './signed-object.js';
import { tnAuthListText } from './tn-auth-list.js';

/**
 * A certificate for people: one fact a line, `label: value`, without a verdict. Never throws for peer input.
 * @param certificate - parsed, trusted or not
 * @returns a line for each fact that there is, from subject to SHA-256; a value is cut after 2,048 characters and has no control characters
 * @see RFC 5280 section 4, RFC 8226 section 9
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const result = parseCertificate(pki.issueServiceProvider({ spc: '1234' }).der);
 * const lines = result.status === 'parsed' ? describeCertificate(result.certificate) : [];
 * console.log(lines[0]); // subject: C=US, O=Test Telephone Company, CN=SHAKEN 1234
 * console.log(lines[6]); // TNAuthList: spc 1234
 * ```
 */
export function describeCertificate(certificate: Certificate): readonly string[] {
  const { keyUsage, basicConstraints, tnAuthList, jwtClaimConstraints } = certificate;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['subject', certificate.subject.text],
    ['issuer', certificate.issuer.text],
    ['serial number', certificate.serialNumber],
    ['valid', `${instant(certificate.notBeforeMs)} to ${instant(certificate.notAfterMs)}`],
    ['public key', certificate.publicKeyType],
    ['signature algorithm', algorithmName(certificate.signatureAlgorithm)],
    ['TNAuthList', tnAuthList && tnAuthListText(tnAuthList)],
    ['claim constraints', jwtClaimConstraints && constraintsText(jwtClaimConstraints)],
    ['CA', basicConstraints && caText(basicConstraints)],
    ['key usage', keyUsage?.usages.join(', ')],
    ['subject key identifier', certificate.subjectKeyIdentifier],
    ['authority key identifier', certificate.authorityKeyIdentifier],
    ['policies', listText(certificate.certificatePolicies)],
    ...certificate.crlDistributionPoints.map(
      ({ urls, crlIssuer }) =>
        ['CRL', [...urls, ...(crlIssuer === undefined ? [] : [`by ${crlIssuer}`])].join(' ')] as const,
    ),
    ['issuer certificates', listText(certificate.caIssuers)],
    ['extensions not processed', listText(certificate.unknownCriticalExtensions)],
    ['SHA-256', certificate.sha256],
  ];
  return facts.flatMap(([label, value]) =>
    value === undefined ? [] : [`${label}: ${printableText(value, MAX_FACT_CHARS)}`],
  );
}

/** Long lists of URLs and policies are still worth reading; whole pages are not. */
const MAX_FACT_CHARS = 2048;

function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function algorithmName(oid: string): string {
  const known = Object.values(SIGNATURE_ALGORITHMS).find((algorithm) => algorithm.oid === oid);
  return known === undefined ? oid : `ECDSA with ${known.hash.toUpperCase()} (${oid})`;
}

function caText({ ca, pathLength }: { readonly ca: boolean; readonly pathLength?: number }): string {
  if (!ca) return 'no';
  return pathLength === undefined ? 'yes' : `yes, at most ${pathLength} intermediate CA(s) below it`;
}

function constraintsText({ mustInclude, permittedValues, mustExclude }: JwtClaimConstraints): string {
  return [
    ...mustInclude.map((claim) => `must have ${claim}`),
    ...permittedValues.map(({ claim, permitted }) => `${claim} only ${permitted.join(' or ')}`),
    ...mustExclude.map((claim) => `must not have ${claim}`),
  ].join('; ');
}

function listText(list: readonly string[]): string | undefined {
  return list.length === 0 ? undefined : list.join(' ');
}
