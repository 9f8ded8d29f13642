import type { PassportFaultName } from '@hopback/sdk/testing';
import type { VerificationCase } from '../case.js';
import type { FaultRow } from './build-case.js';
import {
  ANSWERED,
  callWith,
  fault,
  identityOf,
  PASSED,
  REFUSED,
  table,
  token,
  verificationCase,
} from './build-case.js';

const JWS = 'RFC 7515 §2, §5.2';
const GRAMMAR = 'RFC 8224 §4 (grammar)';

const MUST_REFUSE: readonly FaultRow<PassportFaultName>[] = [
  ['V-101', 'segment-missing', 'refuses a token without a signature segment', JWS],
  ['V-102', 'segment-extra', 'refuses a token of four segments', JWS],
  ['V-103', 'token-empty', 'refuses an Identity header without a token', GRAMMAR],
  ['V-104', 'padding-on-payload', 'refuses a payload segment with padding', 'RFC 7515 §2', 'should'],
  ['V-105', 'padding-on-signature', 'refuses a signature segment with padding', 'RFC 7515 §2', 'should'],
  ['V-106', 'standard-base64-alphabet', 'refuses a signature in the standard base64 alphabet', 'RFC 7515 §2'],
  ['V-107', 'whitespace-in-token', 'refuses a space inside the token', JWS],
  ['V-108', 'json-not-an-object', 'refuses a payload that is an array', 'RFC 8225 §5, RFC 7519 §7.2'],
  ['V-109', 'json-cut-short', 'refuses a payload that lacks its last brace', 'RFC 7519 §7.2, RFC 8259'],
  ['V-110', 'json-with-trailing-text', 'refuses a payload with a second object behind it', 'RFC 7519 §7.2, RFC 8259'],
  [
    'V-111',
    'json-invalid-utf8',
    'refuses a payload with an octet that is not UTF-8',
    'RFC 7519 §7.2, RFC 8259 §8.1',
    'should',
  ],
  ['V-112', 'json-with-comment', 'refuses a payload with a comment', 'RFC 8259'],
  ['V-113', 'info-missing', 'refuses an Identity header without info', 'RFC 8224 §4, ATIS-1000082 (row 6)'],
  ['V-114', 'info-empty', 'refuses an empty info', 'RFC 8224 §4, ATIS-1000082 (row 7)'],
  ['V-115', 'info-without-brackets', 'refuses an info without angle brackets', GRAMMAR, 'should'],
  ['V-116', 'bracket-unclosed', 'refuses an info whose bracket does not close', GRAMMAR],
  ['V-117', 'quote-unclosed', 'refuses a ppt whose quotation does not close', GRAMMAR, 'should'],
  ['V-118', 'no-semicolon', 'refuses a value that is a token alone', GRAMMAR],
  ['V-119', 'parameter-twice', 'refuses a parameter that is given twice', 'RFC 3261 §7.3.1', 'should'],
  ['V-120', 'compact-form', 'refuses the compact form of a shaken PASSporT', 'RFC 8588 §6, ATIS-1000082 (row 4)'],
  ['V-121', 'ppt-unknown', 'never passes a type that it does not know', 'RFC 8224 §6.2 step 1, RFC 8225 §8.1'],
  [
    'V-122',
    'parameter-ppt-differs',
    'refuses a ppt parameter that differs from that of the token',
    'RFC 8224 §4, ATIS-1000082 (rows 5, 13)',
  ],
  ['V-123', 'info-differs-from-x5u', 'refuses an info that differs from x5u', 'ATIS-1000082 (row 10)'],
];

/** The Identity header around the token, and the text of the token. */
export const IDENTITY_SYNTAX: readonly VerificationCase[] = [
  ...table('identity-syntax', MUST_REFUSE, { sends: fault, expects: REFUSED }),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-130',
      title: 'passes parameters with white space around their semicolons',
      source: 'RFC 3261 §25.1 (SEMI)',
    },
    { sends: fault('parameters-spaced'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    { number: 'V-131', title: 'passes parameter names in upper case', source: 'RFC 3261 §7.3.1' },
    { sends: fault('parameters-upper-case'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    { number: 'V-132', title: 'passes a parameter that it does not know', source: 'RFC 8224 §4 (generic-param)' },
    { sends: fault('parameter-unknown'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-133',
      title: 'passes alg and ppt in quotes, as many deployed signers write them',
      source: 'deployed signers; the grammar of RFC 8224 §4 has none',
      level: 'should',
    },
    { sends: fault('parameters-quoted'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-134',
      title: 'passes a value that is folded over two lines',
      source: 'RFC 3261 §7.3.1',
      needs: ['folding'],
    },
    { sends: fault('folded'), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-135',
      title: 'passes a token without the alg parameter, which is optional',
      source: 'RFC 8224 §4',
      level: 'should',
    },
    { sends: token(() => ({ identityHeader: { alg: 'absent' } })), expects: PASSED },
  ),
  verificationCase(
    'identity-syntax',
    { number: 'V-140', title: 'answers for a value that is no PASSporT at all', source: 'RFC 8224 §6.2.2' },
    { sends: (setting) => callWith(setting, ['junk']), expects: REFUSED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-141',
      title: 'answers for JSON that nests 1,500 arrays, whatever the answer is',
      source: 'RFC 8259 §9 leaves depth open',
    },
    { sends: fault('json-deep'), expects: ANSWERED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-142',
      title: 'answers for a value of more than 8,192 characters, whatever the answer is',
      source: 'RFC 8224 sets no limit',
    },
    { sends: fault('value-too-long'), expects: ANSWERED },
  ),
  verificationCase(
    'identity-syntax',
    {
      number: 'V-143',
      title: 'answers for a value of one character, whatever it is',
      source: 'RFC 8224 §6.2.2',
    },
    { sends: (setting) => callWith(setting, [identityOf(setting).slice(0, 1)]), expects: REFUSED },
  ),
];
