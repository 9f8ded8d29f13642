import type { CertificateFaultName, ServerFaultName, ServiceProviderOptions } from '@hopback/sdk/testing';
import type { CaseSetting, VerificationCase } from '../case.js';
import { PASSED, REFUSED, callWith, identityOf, path, table, verificationCase } from './build-case.js';
import type { CaseDetails, FaultRow } from './build-case.js';

const VALIDITY = 'RFC 5280 §6.1.3 (a)(2)';
const PROFILE = 'ATIS-1000080 §6.4, RFC 8226 §4';
const PATH = 'RFC 5280 §6.1, ATIS-1000082 (row 17)';

const END_ENTITIES: readonly FaultRow<CertificateFaultName>[] = [
  ['V-351', 'leaf-expired', 'refuses a certificate that has expired', VALIDITY],
  ['V-352', 'leaf-not-yet-valid', 'refuses a certificate that is not valid yet', VALIDITY],
  ['V-353', 'leaf-signature-corrupted', 'refuses a certificate whose signature is corrupted', 'RFC 5280 §6.1.3 (a)(1)'],
  ['V-354', 'leaf-forged', 'refuses a certificate that its issuer did not sign', 'RFC 5280 §6.1.3 (a)(1)'],
  [
    'V-355',
    'leaf-without-digital-signature',
    'refuses a certificate whose key usage lacks digitalSignature',
    'RFC 5280 §4.2.1.3',
  ],
  ['V-356', 'leaf-unknown-critical-extension', 'refuses a critical extension that it does not know', 'RFC 5280 §4.2'],
  ['V-358', 'leaf-secp256k1', 'refuses a secp256k1 key', `${PROFILE}; ES256 takes P-256`],
  ['V-359', 'leaf-ed25519', 'refuses an Ed25519 key', `${PROFILE}; ES256 takes P-256`],
  ['V-360', 'leaf-sha1', 'refuses a certificate signed over SHA-1', 'ATIS-1000080 §6.4: ecdsa-with-SHA256'],
  ['V-361', 'tn-auth-list-absent', 'refuses a certificate without TNAuthList', 'RFC 8226 §9, ATIS-1000080 §6.4'],
  ['V-362', 'leaf-self-signed', 'refuses a self-signed certificate', PATH],
];

const PATHS: readonly FaultRow<CertificateFaultName>[] = [
  ['V-401', 'other-root', 'refuses a whole path to a root that it does not trust', PATH],
  ['V-402', 'intermediate-missing', 'refuses an end entity whose intermediate is neither served nor known', PATH],
  ['V-403', 'intermediate-expired', 'refuses an intermediate that has expired', VALIDITY],
  ['V-404', 'intermediate-not-yet-valid', 'refuses an intermediate that is not valid yet', VALIDITY],
  ['V-405', 'intermediate-forged', 'refuses an intermediate that its issuer did not sign', 'RFC 5280 §6.1.3 (a)(1)'],
  ['V-406', 'issuer-name-mismatch', 'refuses an issuer of another name', 'RFC 5280 §6.1.3 (a)(4)'],
  ['V-407', 'issuer-not-a-ca', 'refuses an issuer whose cA is false', 'RFC 5280 §6.1.4 (k)'],
  ['V-408', 'issuer-without-basic-constraints', 'refuses an issuer without BasicConstraints', 'RFC 5280 §6.1.4 (k)'],
  ['V-409', 'issuer-without-cert-sign', 'refuses an issuer whose key usage lacks keyCertSign', 'RFC 5280 §6.1.4 (n)'],
  [
    'V-410',
    'intermediate-unknown-critical-extension',
    'refuses an intermediate with a critical extension that it does not know',
    'RFC 5280 §6.1.4 (o)',
  ],
  ['V-411', 'path-length-exceeded', 'refuses a CA below a pathLenConstraint of 0', 'RFC 5280 §6.1.4 (l)'],
  ['V-412', 'loop', 'refuses two CAs that vouch for each other alone', PATH],
  ['V-414', 'delegate-parent-not-a-ca', 'refuses a delegate of a certificate that is no CA', 'RFC 9060 §4'],
  ['V-415', 'delegate-spc-not-encompassed', 'refuses a delegate with a code that its parent has not', 'RFC 9060 §4.1'],
  [
    'V-416',
    'delegate-range-not-encompassed',
    'refuses a delegate with a number that its parent has not',
    'RFC 9060 §4.1',
  ],
  ['V-417', 'claim-constraints-on-ca', 'refuses JWTClaimConstraints on a CA', 'RFC 8226 §8', 'should'],
];

const RIGHT_PATHS: readonly FaultRow<CertificateFaultName>[] = [
  ['V-430', 'cross-signed', 'finds the path among two, one of which leads nowhere', 'RFC 5280 §6.1', 'should'],
  [
    'V-431',
    'self-issued-intermediate',
    'does not count a self-issued intermediate in the path length',
    'RFC 5280 §6.1.4 (l)',
    'should',
  ],
  ['V-432', 'root-in-chain', 'passes a chain that has the root as well', 'RFC 8446 §4.4.2 practice', 'should'],
  ['V-433', 'chain-shuffled', 'passes a chain whose intermediates come in another order', 'RFC 5280 §6.1', 'should'],
  ['V-434', 'intermediate-p384', 'passes an intermediate with a P-384 key', 'SHAKEN Certificate Policy 1.4', 'should'],
];

const endEntity = (setting: CaseSetting, options: Omit<ServiceProviderOptions, 'spc'>): ReturnType<typeof signedBy> =>
  signedBy(setting, setting.pki.issueServiceProvider({ spc: setting.provider.certificate.spc, ...options }));

const signedBy = (
  setting: CaseSetting,
  signer: ReturnType<CaseSetting['pki']['issueDelegate']>,
): ReturnType<VerificationCase['sends']> =>
  callWith(setting, [identityOf(setting, { signer, x5u: setting.publish(signer.chainPem) })]);

/** A delegate of the provider of the case, for numbers. */
const delegated = (setting: CaseSetting, tn: string): ReturnType<typeof signedBy> => {
  const { pki, provider } = setting;
  const parent = pki.issueServiceProvider({ spc: provider.certificate.spc, canDelegate: true, issuer: pki.issueCa() });
  return signedBy(setting, pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn }] }));
};

const CONSTRAINTS = 'RFC 8226 §8';

/** The end entity's own certificate. */
export const CERTIFICATES: readonly VerificationCase[] = [
  ...table('certificates', END_ENTITIES, { sends: path, expects: REFUSED }),
  verificationCase(
    'certificates',
    { number: 'V-357', title: 'refuses an RSA key', source: `${PROFILE}; ES256 takes P-256` },
    { sends: (setting) => endEntity(setting, { key: setting.rsaKey }), expects: REFUSED },
  ),
  verificationCase(
    'certificates',
    {
      number: 'V-363',
      title: 'refuses claims that break the permitted values of the certificate',
      source: CONSTRAINTS,
    },
    {
      sends: (setting) =>
        endEntity(setting, { jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted: ['B', 'C'] }] } }),
      expects: REFUSED,
    },
  ),
  verificationCase(
    'certificates',
    { number: 'V-364', title: 'refuses a token that lacks a claim which the certificate demands', source: CONSTRAINTS },
    { sends: (setting) => endEntity(setting, { jwtClaimConstraints: { mustInclude: ['rcd'] } }), expects: REFUSED },
  ),
  verificationCase(
    'certificates',
    { number: 'V-365', title: 'passes claims that keep the constraints of the certificate', source: CONSTRAINTS },
    {
      sends: (setting) =>
        endEntity(setting, { jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted: ['A', 'B'] }] } }),
      expects: PASSED,
    },
  ),
  verificationCase(
    'certificates',
    {
      number: 'V-366',
      title: 'refuses a token with a claim that the certificate excludes',
      source: 'RFC 9118 §5',
      level: 'should',
    },
    {
      sends: (setting) => endEntity(setting, { enhancedJwtClaimConstraints: { mustExclude: ['attest'] } }),
      expects: REFUSED,
    },
  ),
  verificationCase(
    'certificates',
    {
      number: 'V-367',
      title: 'refuses a delegate certificate that is for another calling number',
      source: 'RFC 9060 §6, RFC 8226 §9',
    },
    { sends: (setting) => delegated(setting, '12125550177'), expects: REFUSED },
  ),
];

/** The way from the end entity to a trust anchor. */
export const CHAIN: readonly VerificationCase[] = [
  ...table('chain', PATHS, { sends: path, expects: REFUSED }),
  verificationCase(
    'chain',
    { number: 'V-413', title: 'refuses an intermediate that signs with RSA', source: 'ATIS-1000080 §6.4' },
    {
      sends: (setting) => endEntity(setting, { issuer: setting.pki.issueCa({ key: setting.rsaKey }) }),
      expects: REFUSED,
    },
  ),
  ...table('chain', RIGHT_PATHS, { sends: path, expects: PASSED }),
  verificationCase(
    'chain',
    {
      number: 'V-435',
      title: 'passes a delegate certificate that is for the calling number',
      source: 'RFC 9060 §6',
      level: 'should',
    },
    { sends: (setting) => delegated(setting, setting.origTn), expects: PASSED },
  ),
];

const REVOKED = 'ATIS-1000080 §6.5, RFC 5280 §6.3.3';

/** Who is on the CRL of the policy administrator. */
export const REVOCATION: readonly VerificationCase[] = [
  verificationCase(
    'revocation',
    { number: 'V-451', title: 'refuses a certificate that is revoked', source: REVOKED },
    {
      sends: (setting) => endEntity(setting, { serialNumber: setting.revokedSerials.endEntity }),
      expects: REFUSED,
    },
  ),
  verificationCase(
    'revocation',
    { number: 'V-452', title: 'refuses a certificate below a CA that is revoked', source: REVOKED },
    {
      sends: (setting) =>
        endEntity(setting, { issuer: setting.pki.issueCa({ serialNumber: setting.revokedSerials.ca }) }),
      expects: REFUSED,
    },
  ),
  verificationCase(
    'revocation',
    {
      number: 'V-453',
      title: 'passes a certificate with the serial number of a revoked one of another issuer',
      source: 'RFC 5280 §5.3.3: entries of an indirect CRL name their issuer',
    },
    {
      sends: (setting) =>
        endEntity(setting, { issuer: setting.pki.issueCa(), serialNumber: setting.revokedSerials.endEntity }),
      expects: PASSED,
    },
  ),
];

const URL_RULES = 'ATIS-1000074 §5.3.1 (info)';
const FETCH = 'RFC 8224 §6.2 step 3, ATIS-1000082 (row 8)';
const TLS = 'RFC 9110 §4.3.4: the server is who the URL says';
const REDIRECTS = 'ATIS-1000074 §5.3.1: redirects are not followed';

const MUST_REFUSE: readonly FaultRow<ServerFaultName>[] = [
  ['V-501', 'status-404', 'refuses a call whose certificate is not there (404)', FETCH],
  ['V-502', 'status-500', 'refuses a call whose repository fails (500)', FETCH],
  ['V-503', 'status-503', 'refuses a call whose repository is busy (503)', FETCH],
  ['V-504', 'refused', 'refuses a call whose repository refuses the connection', FETCH],
  ['V-505', 'hang-up', 'refuses a call whose repository hangs up', FETCH],
  ['V-506', 'stall', 'answers in time for a repository that never does', FETCH],
  ['V-507', 'stall-in-body', 'answers in time for a repository that goes silent inside the body', FETCH],
  ['V-508', 'tls-silent', 'answers in time for a repository that is silent in TLS', FETCH],
  ['V-509', 'endless', 'answers in time for a body without end', FETCH],
  ['V-510', 'gzip-bomb', 'refuses a small body that unpacks to a large one', FETCH],
  ['V-511', 'not-pem', 'refuses a body that is no certificate', FETCH],
  ['V-512', 'empty-body', 'refuses an empty body', FETCH],
  ['V-513', 'truncated', 'refuses a body that is cut off', FETCH],
  ['V-520', 'wrong-name', 'refuses a repository whose TLS certificate is for another host', TLS],
  ['V-521', 'untrusted', 'refuses a repository whose TLS certificate nobody vouches for', TLS],
  ['V-522', 'expired', 'refuses a repository whose TLS certificate has expired', TLS],
  ['V-530', 'redirect-301', 'does not follow a redirect (301)', REDIRECTS],
  ['V-531', 'redirect-302', 'does not follow a redirect (302)', REDIRECTS],
  ['V-532', 'redirect-307', 'does not follow a redirect (307)', REDIRECTS],
];

/** Their repositories say nothing, or do not stop. */
const SILENT: ReadonlySet<string> = new Set(['V-506', 'V-507', 'V-508', 'V-509']);

const broken =
  (name: ServerFaultName): VerificationCase['sends'] =>
  (setting) =>
    callWith(setting, [
      identityOf(setting, { x5u: setting.publishFault(name, setting.provider.certificate.chainPem) }),
    ]);

/** A right chain under a URL that is made of the right one. */
const under = (
  details: CaseDetails,
  url: (right: string, setting: CaseSetting) => string,
  expects: VerificationCase['expects'] = REFUSED,
): VerificationCase =>
  verificationCase('x5u', details, {
    sends: (setting) => {
      const right = setting.publish(setting.provider.certificate.chainPem);
      return callWith(setting, [identityOf(setting, { x5u: url(right, setting) })]);
    },
    expects,
  });

/** Where the certificate is, and how it is fetched. */
export const X5U: readonly VerificationCase[] = [
  ...table('x5u', MUST_REFUSE, { sends: broken, expects: REFUSED }).map((one) => ({
    ...one,
    isLast: SILENT.has(one.number),
  })),
  under({ number: 'V-540', title: 'refuses an x5u of http', source: URL_RULES }, (right, { httpUrl }) =>
    httpUrl(right),
  ),
  under(
    { number: 'V-541', title: 'refuses an x5u with a user and a password', source: URL_RULES, level: 'should' },
    (right) => right.replace('https://', 'https://user:password@'),
  ),
  under(
    { number: 'V-542', title: 'refuses an x5u with a query', source: URL_RULES, level: 'should' },
    (right, { publishAt }) => publishAt(`${new URL(right).pathname}?a=b`),
  ),
  under(
    { number: 'V-543', title: 'refuses an x5u with a fragment', source: URL_RULES, level: 'should' },
    (right) => `${right}#a`,
  ),
  under(
    { number: 'V-544', title: 'refuses an x5u that is no URL', source: `${URL_RULES}, ATIS-1000082 (row 7)` },
    () => 'certificate.pem',
  ),
  under(
    { number: 'V-545', title: 'refuses an x5u of file', source: URL_RULES },
    () => 'file:///etc/ssl/certs/ca-certificates.crt',
  ),
  verificationCase(
    'x5u',
    {
      number: 'V-550',
      title: 'passes a chain of the type text/plain',
      source: 'deployed repositories; RFC 8226 §7 has another type',
      level: 'should',
    },
    {
      sends: (setting) => {
        const x5u = setting.publish(setting.provider.certificate.chainPem, { contentType: 'text/plain' });
        return callWith(setting, [identityOf(setting, { x5u })]);
      },
      expects: PASSED,
    },
  ),
  under(
    { number: 'V-551', title: 'passes a chain that it has not fetched before', source: FETCH },
    (right) => right,
    PASSED,
  ),
];
