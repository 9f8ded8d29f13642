import type { PassportFaultName } from '@hopback/sdk/testing';
import type { VerificationCase } from '../case.js';
import type { FaultRow } from './build-case.js';
import { fault, PASSED, REFUSED, table, token, verificationCase } from './build-case.js';

const HEADER = 'RFC 8225 §4, ATIS-1000082 (row 9)';
const MISSING = 'RFC 8588 §4, ATIS-1000082 (row 14)';
const ATTEST = 'RFC 8588 §4, ATIS-1000082 (row 19)';
const SHAPE = 'RFC 8225 §5.2.1';

const MUST_REFUSE: readonly FaultRow<PassportFaultName>[] = [
  ['V-201', 'header-alg-missing', 'refuses a token header without alg', HEADER],
  ['V-202', 'header-ppt-missing', 'refuses a token header without ppt', HEADER],
  ['V-203', 'header-typ-missing', 'refuses a token header without typ', HEADER],
  ['V-204', 'header-x5u-missing', 'refuses a token header without x5u', HEADER],
  ['V-205', 'typ-jwt', 'refuses the typ "JWT"', 'RFC 8225 §4.1, ATIS-1000082 (row 11)'],
  [
    'V-206',
    'header-ppt-differs',
    'refuses a token whose ppt is not that of its Identity header',
    'RFC 8225 §8.1, ATIS-1000082 (row 13)',
  ],
  ['V-207', 'x5u-number', 'refuses an x5u that is a number', 'RFC 7515 §4.1.5'],
  ['V-210', 'attest-missing', 'refuses a token without attest', MISSING],
  ['V-211', 'dest-missing', 'refuses a token without dest', MISSING],
  ['V-212', 'iat-missing', 'refuses a token without iat', MISSING],
  ['V-213', 'orig-missing', 'refuses a token without orig', MISSING],
  ['V-214', 'origid-missing', 'refuses a token without origid', MISSING],
  ['V-215', 'attest-word', 'refuses an attest that only begins with A', ATTEST],
  ['V-216', 'attest-d', 'refuses an attest of D', ATTEST],
  ['V-217', 'attest-lower-case', 'refuses an attest of a', ATTEST],
  ['V-218', 'attest-empty', 'refuses an empty attest', ATTEST],
  ['V-219', 'attest-array', 'refuses an attest that is an array', ATTEST],
  ['V-220', 'attest-null', 'refuses an attest of null', ATTEST],
  ['V-221', 'orig-string', 'refuses an orig that is a string', SHAPE],
  ['V-222', 'orig-empty', 'refuses an orig that is empty', SHAPE],
  ['V-223', 'orig-tn-array', 'refuses an orig with a list of numbers', SHAPE],
  ['V-224', 'orig-tn-number', 'refuses an orig with a JSON number', SHAPE],
  ['V-225', 'orig-tn-letters', 'refuses an orig with letters for a number', 'RFC 8225 §5.2.1, RFC 8224 §8.3'],
  ['V-226', 'dest-string', 'refuses a dest that is a string', SHAPE],
  ['V-227', 'dest-empty', 'refuses a dest that is empty', SHAPE],
  ['V-228', 'dest-tn-string', 'refuses a dest whose tn is a string', SHAPE],
  ['V-229', 'dest-tn-empty', 'refuses a dest with an empty list', SHAPE],
  ['V-230', 'origid-number', 'refuses an origid that is a number', 'RFC 8588 §5'],
  ['V-231', 'origid-object', 'refuses an origid that is an object', 'RFC 8588 §5'],
  ['V-232', 'proto-key-in-orig', 'refuses an orig that has its number under __proto__ alone', SHAPE],
];

/** What the token says, properly signed. */
export const CLAIMS: readonly VerificationCase[] = [
  ...table('claims', MUST_REFUSE, { sends: fault, expects: REFUSED }),
  verificationCase(
    'claims',
    {
      number: 'V-240',
      title: 'refuses attest given twice, a right one first and a wrong one last',
      source: 'RFC 7519 §4: refused, or the last one counts',
    },
    { sends: token((setting) => twice(setting.context, '"attest":"A","attest":"Z"')), expects: REFUSED },
  ),
  verificationCase(
    'claims',
    {
      number: 'V-241',
      title: 'passes claims in another order than the signer should have used',
      source: 'RFC 8225 §9 binds signers',
      level: 'should',
    },
    { sends: fault('claims-in-other-order'), expects: PASSED },
  ),
  verificationCase(
    'claims',
    {
      number: 'V-242',
      title: 'passes claims with white space that the signer should not have written',
      source: 'RFC 8225 §9 binds signers',
      level: 'should',
    },
    { sends: fault('json-with-whitespace'), expects: PASSED },
  ),
];

const twice = (
  { destTn, origTn, origId, nowSeconds }: { destTn: string; origTn: string; origId: string; nowSeconds: number },
  attest: string,
): { readonly payloadText: string } => ({
  payloadText: `{${attest},"dest":{"tn":["${destTn}"]},"iat":${nowSeconds},"orig":{"tn":"${origTn}"},"origid":"${origId}"}`,
});
