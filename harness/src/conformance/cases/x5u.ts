import type { ServerFaultName } from '@hopback/sdk/testing';
import type { VerificationCase } from '../case.js';
import type { CaseSetting } from '../case-setting.js';
import type { CaseDetails, FaultRow } from './build-case.js';
import { callWith, identityOf, PASSED, REFUSED, table, verificationCase } from './build-case.js';

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
