import type { PassportFaultName } from '@hopback/sdk/testing';
import type { VerificationCase } from '../case.js';
import type { FaultRow } from './build-case.js';
import { fault, PASSED, REFUSED, table, verificationCase } from './build-case.js';

const ALG = 'RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12)';
const SIGNATURE = 'RFC 8224 §6.2 step 5, ATIS-1000082 (row 18)';
const ES256 = 'RFC 7518 §3.4';
const KEY = 'RFC 8224 §6.2 step 3: the key is that of info';

const MUST_REFUSE: readonly FaultRow<PassportFaultName>[] = [
  ['V-301', 'alg-none', 'refuses alg "none" over a right signature', ALG],
  ['V-302', 'alg-none-empty-signature', 'refuses alg "none" with an empty signature', ALG],
  ['V-303', 'alg-hs256-with-public-key', 'refuses HS256 that is keyed with the public key', ALG],
  ['V-304', 'alg-hs256-with-certificate', 'refuses HS256 that is keyed with the certificate', ALG],
  ['V-305', 'alg-es384', 'refuses alg "ES384" over an ES256 signature', ALG],
  ['V-306', 'alg-rs256', 'refuses alg "RS256" over an ES256 signature', ALG],
  ['V-307', 'alg-lower-case', 'refuses alg "es256"', 'RFC 7515 §4.1.1: case-sensitive'],
  ['V-310', 'signature-by-other-key', 'refuses a signature by another key than that of the certificate', SIGNATURE],
  ['V-311', 'signature-corrupted', 'refuses a signature with one bit flipped', SIGNATURE],
  ['V-312', 'signature-of-other-payload', 'refuses claims under the signature of other claims', SIGNATURE],
  ['V-313', 'signature-empty', 'refuses an empty signature', SIGNATURE],
  ['V-314', 'signature-zero', 'refuses a signature of zeros', SIGNATURE],
  ['V-315', 'signature-s-is-order', 'refuses a signature whose s is the order of the group', ES256],
  ['V-316', 'signature-one-octet-short', 'refuses a signature that lacks an octet', ES256],
  ['V-317', 'signature-one-octet-long', 'refuses a signature with an octet too many', ES256],
  ['V-318', 'signature-der', 'refuses a signature in DER', ES256],
  ['V-319', 'signature-by-sha384', 'refuses a signature over SHA-384', ES256],
  ['V-320', 'jwk-embedded', 'does not take the key from jwk in the token header', KEY],
  ['V-321', 'jku-injected', 'does not take the key from jku in the token header', KEY],
  ['V-322', 'kid-injected', 'does not take the key from kid in the token header', KEY],
  ['V-323', 'x5c-embedded', 'does not take the key from x5c in the token header', KEY],
  ['V-324', 'crit-unknown', 'refuses a critical header parameter that it does not know', 'RFC 7515 §4.1.11'],
  ['V-325', 'crit-empty', 'refuses an empty crit', 'RFC 7515 §4.1.11', 'should'],
  ['V-326', 'b64-false', 'refuses a signature over the bare payload', 'RFC 7797 §6, RFC 8225 §6'],
];

/** The signature, and attacks on the choice of the key. */
export const SIGNATURES: readonly VerificationCase[] = [
  ...table('signatures', MUST_REFUSE, { sends: fault, expects: REFUSED }),
  verificationCase(
    'signatures',
    {
      number: 'V-330',
      title: 'passes the other signature (r, n-s) of a right one, which verifies as well',
      source: 'FIPS 186-4 §6.4, RFC 7518 §3.4',
      level: 'should',
    },
    { sends: fault('signature-twin'), expects: PASSED },
  ),
];
