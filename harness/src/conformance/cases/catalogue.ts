import { CERTIFICATE_FAULTS, PASSPORT_FAULTS, SERVER_FAULTS } from '@hopback/sdk/testing';
import type { CertificateFaultName, PassportFaultName, ServerFaultName } from '@hopback/sdk/testing';
import { CASE_GROUPS, VERSTATS } from '../case.js';
import type { Capability, CaseGroup, ConformanceCase, VerificationCase, VerificationExpectation } from '../case.js';
import { CALLS, callWith, identityOf, REASONED } from './calls.js';
import { SIGNING } from './signing.js';

// Every case is a row: number, level and the answer that conforms | what a conforming service does | the text that decides | what is sent, where a
// catalogue of faults of the test kit has it (a token, a certification path, a server) | what the interface needs. Numbers are stable: one that was
// taken out is never given again. An answer of three digits is a response code.
const CATALOGUE = `
# good-calls
V-001 must passed A | passes a call that is attested A | RFC 8588 §4, RFC 8224 §6.2
V-002 must passed B | passes a call that is attested B | RFC 8588 §4, RFC 8224 §6.2
V-003 must passed C | passes a call that is attested C | RFC 8588 §4, RFC 8224 §6.2
V-004 must passed | passes a call whose dest lists the called number among others | RFC 8225 §5.2.1, RFC 8224 §6.2
V-005 should passed | passes a token with a claim that it does not know | RFC 7519 §4: claims that are not understood are ignored
V-006 should passed | passes a token with a header parameter that it does not know and that is not critical | RFC 7515 §4: parameters that are not understood are ignored
V-007 should passed | passes a token that comes again: forks, route advance and further hops repeat it | RFC 8224 §12.1
V-008 must refused No-TN-Validation | says No-TN-Validation of a call without Identity | 3GPP TS 24.229 §7.2A.20 | needs unsigned
V-009 should passed | passes a call whose Date was rewritten on the way while the iat is fresh | RFC 8224 §6.2 step 4 | needs date
# identity-syntax
V-101 must refused | refuses a token without a signature segment | RFC 7515 §2, §5.2 | token segment-missing
V-102 must refused | refuses a token of four segments | RFC 7515 §2, §5.2 | token segment-extra
V-103 must refused | refuses an Identity header without a token | RFC 8224 §4 (grammar) | token token-empty
V-104 should refused | refuses a payload segment with padding | RFC 7515 §2 | token padding-on-payload
V-105 should refused | refuses a signature segment with padding | RFC 7515 §2 | token padding-on-signature
V-106 must refused | refuses a signature in the standard base64 alphabet | RFC 7515 §2 | token standard-base64-alphabet
V-107 must refused | refuses a space inside the token | RFC 7515 §2, §5.2 | token whitespace-in-token
V-108 must refused | refuses a payload that is an array | RFC 8225 §5, RFC 7519 §7.2 | token json-not-an-object
V-109 must refused | refuses a payload that lacks its last brace | RFC 7519 §7.2, RFC 8259 | token json-cut-short
V-110 must refused | refuses a payload with a second object behind it | RFC 7519 §7.2, RFC 8259 | token json-with-trailing-text
V-111 should refused | refuses a payload with an octet that is not UTF-8 | RFC 7519 §7.2, RFC 8259 §8.1 | token json-invalid-utf8
V-112 must refused | refuses a payload with a comment | RFC 8259 | token json-with-comment
V-113 must refused | refuses an Identity header without info | RFC 8224 §4, ATIS-1000082 (row 6) | token info-missing
V-114 must refused | refuses an empty info | RFC 8224 §4, ATIS-1000082 (row 7) | token info-empty
V-115 should refused | refuses an info without angle brackets | RFC 8224 §4 (grammar) | token info-without-brackets
V-116 must refused | refuses an info whose bracket does not close | RFC 8224 §4 (grammar) | token bracket-unclosed
V-117 should refused | refuses a ppt whose quotation does not close | RFC 8224 §4 (grammar) | token quote-unclosed
V-118 must refused | refuses a value that is a token alone | RFC 8224 §4 (grammar) | token no-semicolon
V-119 should refused | refuses a parameter that is given twice | RFC 3261 §7.3.1 | token parameter-twice
V-120 must refused | refuses the compact form of a shaken PASSporT | RFC 8588 §6, ATIS-1000082 (row 4) | token compact-form
V-121 must refused | never passes a type that it does not know | RFC 8224 §6.2 step 1, RFC 8225 §8.1 | token ppt-unknown
V-122 must refused | refuses a ppt parameter that differs from that of the token | RFC 8224 §4, ATIS-1000082 (rows 5, 13) | token parameter-ppt-differs
V-123 must refused | refuses an info that differs from x5u | ATIS-1000082 (row 10) | token info-differs-from-x5u
V-130 must passed | passes parameters with white space around their semicolons | RFC 3261 §25.1 (SEMI) | token parameters-spaced
V-131 must passed | passes parameter names in upper case | RFC 3261 §7.3.1 | token parameters-upper-case
V-132 must passed | passes a parameter that it does not know | RFC 8224 §4 (generic-param) | token parameter-unknown
V-133 should passed | passes alg and ppt in quotes, as many deployed signers write them | deployed signers; the grammar of RFC 8224 §4 has none | token parameters-quoted
V-134 must passed | passes a value that is folded over two lines | RFC 3261 §7.3.1 | token folded | needs folding
V-135 should passed | passes a token without the alg parameter, which is optional | RFC 8224 §4
V-140 must refused | answers for a value that is no PASSporT at all | RFC 8224 §6.2.2
V-141 must answered | answers for JSON that nests 1,500 arrays, whatever the answer is | RFC 8259 §9 leaves depth open | token json-deep
V-142 must answered | answers for a value of more than 8,192 characters, whatever the answer is | RFC 8224 sets no limit | token value-too-long
V-143 must refused | answers for a value of one character, whatever it is | RFC 8224 §6.2.2
# claims
V-201 must refused | refuses a token header without alg | RFC 8225 §4, ATIS-1000082 (row 9) | token header-alg-missing
V-202 must refused | refuses a token header without ppt | RFC 8225 §4, ATIS-1000082 (row 9) | token header-ppt-missing
V-203 must refused | refuses a token header without typ | RFC 8225 §4, ATIS-1000082 (row 9) | token header-typ-missing
V-204 must refused | refuses a token header without x5u | RFC 8225 §4, ATIS-1000082 (row 9) | token header-x5u-missing
V-205 must refused | refuses the typ "JWT" | RFC 8225 §4.1, ATIS-1000082 (row 11) | token typ-jwt
V-206 must refused | refuses a token whose ppt is not that of its Identity header | RFC 8225 §8.1, ATIS-1000082 (row 13) | token header-ppt-differs
V-207 must refused | refuses an x5u that is a number | RFC 7515 §4.1.5 | token x5u-number
V-210 must refused | refuses a token without attest | RFC 8588 §4, ATIS-1000082 (row 14) | token attest-missing
V-211 must refused | refuses a token without dest | RFC 8588 §4, ATIS-1000082 (row 14) | token dest-missing
V-212 must refused | refuses a token without iat | RFC 8588 §4, ATIS-1000082 (row 14) | token iat-missing
V-213 must refused | refuses a token without orig | RFC 8588 §4, ATIS-1000082 (row 14) | token orig-missing
V-214 must refused | refuses a token without origid | RFC 8588 §4, ATIS-1000082 (row 14) | token origid-missing
V-215 must refused | refuses an attest that only begins with A | RFC 8588 §4, ATIS-1000082 (row 19) | token attest-word
V-216 must refused | refuses an attest of D | RFC 8588 §4, ATIS-1000082 (row 19) | token attest-d
V-217 must refused | refuses an attest of a | RFC 8588 §4, ATIS-1000082 (row 19) | token attest-lower-case
V-218 must refused | refuses an empty attest | RFC 8588 §4, ATIS-1000082 (row 19) | token attest-empty
V-219 must refused | refuses an attest that is an array | RFC 8588 §4, ATIS-1000082 (row 19) | token attest-array
V-220 must refused | refuses an attest of null | RFC 8588 §4, ATIS-1000082 (row 19) | token attest-null
V-221 must refused | refuses an orig that is a string | RFC 8225 §5.2.1 | token orig-string
V-222 must refused | refuses an orig that is empty | RFC 8225 §5.2.1 | token orig-empty
V-223 must refused | refuses an orig with a list of numbers | RFC 8225 §5.2.1 | token orig-tn-array
V-224 must refused | refuses an orig with a JSON number | RFC 8225 §5.2.1 | token orig-tn-number
V-225 must refused | refuses an orig with letters for a number | RFC 8225 §5.2.1, RFC 8224 §8.3 | token orig-tn-letters
V-226 must refused | refuses a dest that is a string | RFC 8225 §5.2.1 | token dest-string
V-227 must refused | refuses a dest that is empty | RFC 8225 §5.2.1 | token dest-empty
V-228 must refused | refuses a dest whose tn is a string | RFC 8225 §5.2.1 | token dest-tn-string
V-229 must refused | refuses a dest with an empty list | RFC 8225 §5.2.1 | token dest-tn-empty
V-230 must refused | refuses an origid that is a number | RFC 8588 §5 | token origid-number
V-231 must refused | refuses an origid that is an object | RFC 8588 §5 | token origid-object
V-232 must refused | refuses an orig that has its number under __proto__ alone | RFC 8225 §5.2.1 | token proto-key-in-orig
V-240 must refused | refuses attest given twice, a right one first and a wrong one last | RFC 7519 §4: refused, or the last one counts
V-241 should passed | passes claims in another order than the signer should have used | RFC 8225 §9 binds signers | token claims-in-other-order
V-242 should passed | passes claims with white space that the signer should not have written | RFC 8225 §9 binds signers | token json-with-whitespace
# time
V-251 should passed | passes an iat that is 30 s old | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15): 60 s are recommended, local policy decides
V-252 should passed | passes an iat that is 5 s ahead: clocks differ | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)
V-253 should refused | refuses an iat that is 75 s old | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15): 60 s are recommended
V-254 must refused | refuses an iat that is 10 minutes old | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)
V-255 must refused | refuses an iat that is a year old | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)
V-256 must refused | refuses an iat that is 10 minutes ahead | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)
V-257 must refused | refuses an iat that is a year ahead | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15)
V-258 must refused | refuses an iat in milliseconds | RFC 8225 §5.1.1, RFC 7519 §2 (NumericDate) | token iat-milliseconds
V-259 must refused | refuses an iat that is a string | RFC 8225 §5.1.1, RFC 7519 §2 (NumericDate) | token iat-string
V-260 must refused | refuses a negative iat | RFC 8224 §6.2 step 4, ATIS-1000082 (row 15) | token iat-negative
V-261 must refused | refuses an old token under an old Date: both were copied | RFC 8224 §6.2 step 4, §12.1 | needs date
# signatures
V-301 must refused | refuses alg "none" over a right signature | RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12) | token alg-none
V-302 must refused | refuses alg "none" with an empty signature | RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12) | token alg-none-empty-signature
V-303 must refused | refuses HS256 that is keyed with the public key | RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12) | token alg-hs256-with-public-key
V-304 must refused | refuses HS256 that is keyed with the certificate | RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12) | token alg-hs256-with-certificate
V-305 must refused | refuses alg "ES384" over an ES256 signature | RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12) | token alg-es384
V-306 must refused | refuses alg "RS256" over an ES256 signature | RFC 8225 §4.2, RFC 8725 §3.1, ATIS-1000082 (row 12) | token alg-rs256
V-307 must refused | refuses alg "es256" | RFC 7515 §4.1.1: case-sensitive | token alg-lower-case
V-310 must refused | refuses a signature by another key than that of the certificate | RFC 8224 §6.2 step 5, ATIS-1000082 (row 18) | token signature-by-other-key
V-311 must refused | refuses a signature with one bit flipped | RFC 8224 §6.2 step 5, ATIS-1000082 (row 18) | token signature-corrupted
V-312 must refused | refuses claims under the signature of other claims | RFC 8224 §6.2 step 5, ATIS-1000082 (row 18) | token signature-of-other-payload
V-313 must refused | refuses an empty signature | RFC 8224 §6.2 step 5, ATIS-1000082 (row 18) | token signature-empty
V-314 must refused | refuses a signature of zeros | RFC 8224 §6.2 step 5, ATIS-1000082 (row 18) | token signature-zero
V-315 must refused | refuses a signature whose s is the order of the group | RFC 7518 §3.4 | token signature-s-is-order
V-316 must refused | refuses a signature that lacks an octet | RFC 7518 §3.4 | token signature-one-octet-short
V-317 must refused | refuses a signature with an octet too many | RFC 7518 §3.4 | token signature-one-octet-long
V-318 must refused | refuses a signature in DER | RFC 7518 §3.4 | token signature-der
V-319 must refused | refuses a signature over SHA-384 | RFC 7518 §3.4 | token signature-by-sha384
V-320 must refused | does not take the key from jwk in the token header | RFC 8224 §6.2 step 3: the key is that of info | token jwk-embedded
V-321 must refused | does not take the key from jku in the token header | RFC 8224 §6.2 step 3: the key is that of info | token jku-injected
V-322 must refused | does not take the key from kid in the token header | RFC 8224 §6.2 step 3: the key is that of info | token kid-injected
V-323 must refused | does not take the key from x5c in the token header | RFC 8224 §6.2 step 3: the key is that of info | token x5c-embedded
V-324 must refused | refuses a critical header parameter that it does not know | RFC 7515 §4.1.11 | token crit-unknown
V-325 should refused | refuses an empty crit | RFC 7515 §4.1.11 | token crit-empty
V-326 must refused | refuses a signature over the bare payload | RFC 7797 §6, RFC 8225 §6 | token b64-false
V-330 should passed | passes the other signature (r, n-s) of a right one, which verifies as well | FIPS 186-4 §6.4, RFC 7518 §3.4 | token signature-twin
# certificates
V-351 must refused | refuses a certificate that has expired | RFC 5280 §6.1.3 (a)(2) | path leaf-expired
V-352 must refused | refuses a certificate that is not valid yet | RFC 5280 §6.1.3 (a)(2) | path leaf-not-yet-valid
V-353 must refused | refuses a certificate whose signature is corrupted | RFC 5280 §6.1.3 (a)(1) | path leaf-signature-corrupted
V-354 must refused | refuses a certificate that its issuer did not sign | RFC 5280 §6.1.3 (a)(1) | path leaf-forged
V-355 must refused | refuses a certificate whose key usage lacks digitalSignature | RFC 5280 §4.2.1.3 | path leaf-without-digital-signature
V-356 must refused | refuses a critical extension that it does not know | RFC 5280 §4.2 | path leaf-unknown-critical-extension
V-357 must refused | refuses an RSA key | ATIS-1000080 §6.4, RFC 8226 §4; ES256 takes P-256
V-358 must refused | refuses a secp256k1 key | ATIS-1000080 §6.4, RFC 8226 §4; ES256 takes P-256 | path leaf-secp256k1
V-359 must refused | refuses an Ed25519 key | ATIS-1000080 §6.4, RFC 8226 §4; ES256 takes P-256 | path leaf-ed25519
V-360 must refused | refuses a certificate signed over SHA-1 | ATIS-1000080 §6.4: ecdsa-with-SHA256 | path leaf-sha1
V-361 must refused | refuses a certificate without TNAuthList | RFC 8226 §9, ATIS-1000080 §6.4 | path tn-auth-list-absent
V-362 must refused | refuses a self-signed certificate | RFC 5280 §6.1, ATIS-1000082 (row 17) | path leaf-self-signed
V-363 must refused | refuses claims that break the permitted values of the certificate | RFC 8226 §8
V-364 must refused | refuses a token that lacks a claim which the certificate demands | RFC 8226 §8
V-365 must passed | passes claims that keep the constraints of the certificate | RFC 8226 §8
V-366 should refused | refuses a token with a claim that the certificate excludes | RFC 9118 §5
V-367 must refused | refuses a delegate certificate that is for another calling number | RFC 9060 §6, RFC 8226 §9
# chain
V-401 must refused | refuses a whole path to a root that it does not trust | RFC 5280 §6.1, ATIS-1000082 (row 17) | path other-root
V-402 must refused | refuses an end entity whose intermediate is neither served nor known | RFC 5280 §6.1, ATIS-1000082 (row 17) | path intermediate-missing
V-403 must refused | refuses an intermediate that has expired | RFC 5280 §6.1.3 (a)(2) | path intermediate-expired
V-404 must refused | refuses an intermediate that is not valid yet | RFC 5280 §6.1.3 (a)(2) | path intermediate-not-yet-valid
V-405 must refused | refuses an intermediate that its issuer did not sign | RFC 5280 §6.1.3 (a)(1) | path intermediate-forged
V-406 must refused | refuses an issuer of another name | RFC 5280 §6.1.3 (a)(4) | path issuer-name-mismatch
V-407 must refused | refuses an issuer whose cA is false | RFC 5280 §6.1.4 (k) | path issuer-not-a-ca
V-408 must refused | refuses an issuer without BasicConstraints | RFC 5280 §6.1.4 (k) | path issuer-without-basic-constraints
V-409 must refused | refuses an issuer whose key usage lacks keyCertSign | RFC 5280 §6.1.4 (n) | path issuer-without-cert-sign
V-410 must refused | refuses an intermediate with a critical extension that it does not know | RFC 5280 §6.1.4 (o) | path intermediate-unknown-critical-extension
V-411 must refused | refuses a CA below a pathLenConstraint of 0 | RFC 5280 §6.1.4 (l) | path path-length-exceeded
V-412 must refused | refuses two CAs that vouch for each other alone | RFC 5280 §6.1, ATIS-1000082 (row 17) | path loop
V-413 must refused | refuses an intermediate that signs with RSA | ATIS-1000080 §6.4
V-414 must refused | refuses a delegate of a certificate that is no CA | RFC 9060 §4 | path delegate-parent-not-a-ca
V-415 must refused | refuses a delegate with a code that its parent has not | RFC 9060 §4.1 | path delegate-spc-not-encompassed
V-416 must refused | refuses a delegate with a number that its parent has not | RFC 9060 §4.1 | path delegate-range-not-encompassed
V-417 should refused | refuses JWTClaimConstraints on a CA | RFC 8226 §8 | path claim-constraints-on-ca
V-430 should passed | finds the path among two, one of which leads nowhere | RFC 5280 §6.1 | path cross-signed
V-431 should passed | does not count a self-issued intermediate in the path length | RFC 5280 §6.1.4 (l) | path self-issued-intermediate
V-432 should passed | passes a chain that has the root as well | RFC 8446 §4.4.2 practice | path root-in-chain
V-433 should passed | passes a chain whose intermediates come in another order | RFC 5280 §6.1 | path chain-shuffled
V-434 should passed | passes an intermediate with a P-384 key | SHAKEN Certificate Policy 1.4 | path intermediate-p384
V-435 should passed | passes a delegate certificate that is for the calling number | RFC 9060 §6
# revocation
V-451 must refused | refuses a certificate that is revoked | ATIS-1000080 §6.5, RFC 5280 §6.3.3
V-452 must refused | refuses a certificate below a CA that is revoked | ATIS-1000080 §6.5, RFC 5280 §6.3.3
V-453 must passed | passes a certificate with the serial number of a revoked one of another issuer | RFC 5280 §5.3.3: entries of an indirect CRL name their issuer
# x5u
V-501 must refused | refuses a call whose certificate is not there (404) | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server status-404
V-502 must refused | refuses a call whose repository fails (500) | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server status-500
V-503 must refused | refuses a call whose repository is busy (503) | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server status-503
V-504 must refused | refuses a call whose repository refuses the connection | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server refused
V-505 must refused | refuses a call whose repository hangs up | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server hang-up
V-506 must refused | answers in time for a repository that never does | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server stall
V-507 must refused | answers in time for a repository that goes silent inside the body | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server stall-in-body
V-508 must refused | answers in time for a repository that is silent in TLS | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server tls-silent
V-509 must refused | answers in time for a body without end | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server endless
V-510 must refused | refuses a small body that unpacks to a large one | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server gzip-bomb
V-511 must refused | refuses a body that is no certificate | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server not-pem
V-512 must refused | refuses an empty body | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server empty-body
V-513 must refused | refuses a body that is cut off | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8) | server truncated
V-520 must refused | refuses a repository whose TLS certificate is for another host | RFC 9110 §4.3.4: the server is who the URL says | server wrong-name
V-521 must refused | refuses a repository whose TLS certificate nobody vouches for | RFC 9110 §4.3.4: the server is who the URL says | server untrusted
V-522 must refused | refuses a repository whose TLS certificate has expired | RFC 9110 §4.3.4: the server is who the URL says | server expired
V-530 must refused | does not follow a redirect (301) | ATIS-1000074 §5.3.1: redirects are not followed | server redirect-301
V-531 must refused | does not follow a redirect (302) | ATIS-1000074 §5.3.1: redirects are not followed | server redirect-302
V-532 must refused | does not follow a redirect (307) | ATIS-1000074 §5.3.1: redirects are not followed | server redirect-307
V-540 must refused | refuses an x5u of http | ATIS-1000074 §5.3.1 (info)
V-541 should refused | refuses an x5u with a user and a password | ATIS-1000074 §5.3.1 (info)
V-542 should refused | refuses an x5u with a query | ATIS-1000074 §5.3.1 (info)
V-543 should refused | refuses an x5u with a fragment | ATIS-1000074 §5.3.1 (info)
V-544 must refused | refuses an x5u that is no URL | ATIS-1000074 §5.3.1 (info), ATIS-1000082 (row 7)
V-545 must refused | refuses an x5u of file | ATIS-1000074 §5.3.1 (info)
V-550 should passed | passes a chain of the type text/plain | deployed repositories; RFC 8226 §7 has another type
V-551 must passed | passes a chain that it has not fetched before | RFC 8224 §6.2 step 3, ATIS-1000082 (row 8)
# numbers
V-601 must refused | refuses a token for another caller | RFC 8224 §6.2 step 2, ATIS-1000082 (row 16) | needs parties
V-602 must refused | refuses a token for another called number | RFC 8224 §6.2 step 2, ATIS-1000082 (row 16) | needs parties
V-603 must refused | refuses a token whose caller and called number are swapped | RFC 8224 §6.2 step 2, ATIS-1000082 (row 16) | needs parties
V-604 should refused | refuses a caller whose number is only the end of the one signed | RFC 8224 §6.2 step 2, ATIS-1000082 (row 16); RFC 8224 §8.3: local policy may complete a local number | needs parties
V-605 must passed | passes numbers with a + in front | RFC 8224 §8.3, §8.5 | needs parties
V-606 must passed | passes numbers with visual separators | RFC 8224 §8.3, §8.5, RFC 3966 §5.1.1 | needs parties
V-607 must passed | passes a caller in a tel URI | RFC 8224 §8.3, §8.5 | needs parties sip-caller
V-608 must passed | passes a caller whose display name has another number | RFC 8224 §4.1 | needs parties sip-caller
V-609 must passed | passes a caller with a trunk group in the user part | RFC 4904 §4, RFC 3966 §5 | needs parties sip-caller
V-610 must passed | passes a called number that was ported (rn and npdi) | RFC 8224 §8.3, RFC 4694 | needs parties sip-caller
V-611 must passed | takes the caller from P-Asserted-Identity where From is anonymous | RFC 8224 §8.2, ATIS-1000074 §5.3.1 | needs parties sip-caller
V-612 should passed | takes the caller from P-Asserted-Identity before From | ATIS-1000074 §5.3.1 | needs parties sip-caller
V-613 must refused | refuses a signed number where the request names no caller | RFC 8224 §6.2 step 2, ATIS-1000082 (row 16) | needs parties sip-caller
V-614 must refused | refuses the number of the display name for that of the caller | RFC 8224 §4.1 | needs parties sip-caller
# div
V-651 must passed | passes a call that was diverted once | RFC 8946 §5 | needs parties several-headers target
V-652 must passed | passes a call that was diverted three times | RFC 8946 §5 | needs parties several-headers target
V-653 must passed | passes a diverted call whose Identity headers come in reverse order | RFC 8946 §5, RFC 8224 §4 | needs parties several-headers target
V-654 should refused | refuses a call that was retargeted and has no div | RFC 8946 §1, RFC 8224 §6.2 step 2 | needs parties several-headers target
V-655 must refused | refuses a div whose dest is not where the call goes | RFC 8946 §5 | needs parties several-headers target
V-656 must refused | refuses a div that continues no other token | RFC 8946 §5 | needs parties several-headers target
V-657 must refused | refuses a div with another orig than the token before | RFC 8946 §5 | needs parties several-headers target
V-658 must refused | refuses a chain that has lost the div in its middle | RFC 8946 §5 | needs parties several-headers target
V-659 must refused | refuses a div whose signature does not verify | RFC 8946 §5 | needs parties several-headers target
V-660 must refused | refuses a diverted call whose shaken signature does not verify | RFC 8946 §5 | needs parties several-headers target
V-661 must refused | refuses an outermost div that is 10 minutes old | RFC 8946 §5 | needs parties several-headers target
V-662 must refused | refuses a div alone: the shaken token was removed | RFC 8946 §4: the original stays | needs parties several-headers target
V-663 must refused | refuses a div without a div claim | RFC 8946 §3 | needs parties several-headers target
V-664 must refused | refuses a div with a list of numbers in div | RFC 8946 §3 | needs parties several-headers target
# several-headers
V-701 should passed | passes a good token behind one that is none | RFC 8224 §6.2.1: fails only where all fail (recommended) | needs several-headers
V-702 should passed | passes a good token in front of one that is none | RFC 8224 §6.2.1: fails only where all fail (recommended) | needs several-headers
V-703 must passed | passes a good token behind one of a type that nobody knows | RFC 8224 §6.2 step 1 | needs several-headers
V-704 should passed | passes a good token behind a forged one | RFC 8224 §6.2.1: fails only where all fail (recommended) | needs several-headers
V-705 should passed | passes a good token behind one that is too old | RFC 8224 §6.2.1: fails only where all fail (recommended) | needs several-headers
V-706 should passed | passes a good token behind one whose certificate is not there | RFC 8224 §6.2.1: fails only where all fail (recommended) | needs several-headers
V-707 must refused | refuses a call of which every token is wrong | RFC 8224 §6.2.1: fails only where all fail | needs several-headers
V-708 must refused | refuses a call of which every token is of a type that nobody knows | RFC 8224 §6.2 step 1 | needs several-headers
V-709 must refused | refuses a right token for another call beside a forged one for this | RFC 8224 §6.2.1: fails only where all fail | needs several-headers parties
# responses
V-801 must refused 403 | answers 403 for an iat that is 10 minutes old | RFC 8224 §6.2.2, ATIS-1000082 (row 15) | needs codes
V-802 must refused 403 438 | answers 403 or 438 for an iat that is a year ahead | RFC 8224 §6.2.2 has 403 for a stale Date alone, ATIS-1000082 (row 15) for every iat out of bounds | needs codes
V-803 must refused 436 | answers 436 for an Identity header without info | ATIS-1000082 (row 6) | token info-missing | needs codes
V-804 must refused 436 | answers 436 for an info that is no URL | ATIS-1000082 (row 7) | token info-not-a-url | needs codes
V-805 must refused 436 | answers 436 for a certificate that is not there | RFC 8224 §6.2.2, ATIS-1000082 (row 8) | server status-404 | needs codes
V-806 must refused 436 | answers 436 for an info that differs from x5u | ATIS-1000082 (row 10) | token info-differs-from-x5u | needs codes
V-807 must refused 437 438 | answers 437 or 438 for a typ that is not passport | ATIS-1000082 (row 11) has 437, RFC 8224 §6.2.2 438 | token typ-jwt | needs codes
V-808 must refused 437 438 | answers 437 or 438 for an alg that is not ES256 | ATIS-1000082 (row 12) has 437, RFC 8224 §6.2.2 438 | token alg-es384 | needs codes
V-809 must refused 438 | answers 438 for a claim that is missing | ATIS-1000082 (row 14) | token origid-missing | needs codes
V-810 must refused 438 | answers 438 for a token of another caller | RFC 8224 §6.2.2, ATIS-1000082 (row 16) | needs codes parties
V-811 must refused 438 | answers 438 for a token of another called number | RFC 8224 §6.2.2, ATIS-1000082 (row 16) | needs codes parties
V-812 must refused 437 | answers 437 for a path to a root that it does not trust | RFC 8224 §6.2.2, ATIS-1000082 (row 17) | path other-root | needs codes
V-813 must refused 437 | answers 437 for a certificate that has expired | RFC 8224 §6.2.2, ATIS-1000082 (row 17) | path leaf-expired | needs codes
V-814 must refused 437 | answers 437 for a certificate that is revoked | RFC 8224 §6.2.2, ATIS-1000082 (row 17) | needs codes
V-815 must refused 438 | answers 438 for a signature that does not verify | RFC 8224 §6.2.2, ATIS-1000082 (row 18) | token signature-by-other-key | needs codes
V-816 must refused 438 | answers 438 for an attest that does not exist | ATIS-1000082 (row 19) | token attest-d | needs codes
V-817 must refused 438 | answers 438 for the compact form | ATIS-1000082 (row 4) | token compact-form | needs codes
V-818 must refused 428 438 | answers 438 for a type that it does not know, or 428 as for a call without Identity | ATIS-1000082 (row 5); RFC 8224 §6.2 step 1 ignores it | token ppt-unknown | needs codes
V-821 must refused TN-Validation-Failed | says TN-Validation-Failed of a signature that does not verify | ATIS-1000082 (row 18) | token signature-by-other-key | needs verstat
V-822 must refused TN-Validation-Failed | says TN-Validation-Failed of a path to a root that it does not trust | ATIS-1000082 (row 17) | path other-root | needs verstat
V-823 should refused No-TN-Validation | says No-TN-Validation of an iat that is 10 minutes old | ATIS-1000082 (row 15) | needs verstat
V-824 should refused No-TN-Validation | says No-TN-Validation of a certificate that is not there | ATIS-1000082 (row 8) | server status-404 | needs verstat
V-831 should passed | tells in Reason which token failed beside a good one | RFC 9410 §4, §5 | needs reasons several-headers
V-832 should refused | tells of several failures in one Reason each | RFC 9410 §4, §5 | needs reasons several-headers
V-833 should passed | tells in Reason that a certificate is not there, beside a good token | RFC 9410 §4, §5 | needs reasons several-headers
V-834 must passed | tells of no failure where there was none | RFC 9410 §4, §5; asked of services that tell failures in Reason | needs reasons several-headers
# signing
S-101 must | keeps the attestation A | RFC 8588 §4, ATIS-1000082 | needs sign-attestation
S-102 must | keeps the attestation B | RFC 8588 §4, ATIS-1000082 | needs sign-attestation
S-103 must | keeps the attestation C | RFC 8588 §4, ATIS-1000082 | needs sign-attestation
S-104 must | does not sign an attestation that does not exist | RFC 8588 §4, ATIS-1000082 | needs sign-attestation
S-105 must | keeps the origid of the request | ATIS-1000082 | needs sign-origid
S-106 must | writes an origid that is a UUID | RFC 8588 §5, ATIS-1000074 §5.2.4
S-107 must | writes an iat of now | RFC 8224 §4.1, RFC 8225 §5.1.1
S-108 should | signs no iat of an hour ago | RFC 8224 §4.1 | needs sign-iat
S-109 must | writes info and x5u alike | ATIS-1000082 (row 10), RFC 8224 §4
S-110 must | writes the x5u that it was given | RFC 8225 §4.3
S-111 must | signs with ES256 and says so | RFC 8225 §4.2, RFC 8224 §4
S-112 must | writes ppt "shaken" into the token and beside it | RFC 8588 §4, RFC 8224 §4
S-113 must | writes typ "passport" | RFC 8225 §4.1
S-114 must | writes keys in lexicographic order and no white space | RFC 8225 §9
S-115 must | signs so that the key of its certificate verifies it | RFC 8225 §6, RFC 7518 §3.4
S-116 should | writes attest, dest, iat, orig and origid, and nothing else | RFC 8588 §4
S-117 must | writes the caller and the called number of the request | RFC 8225 §5.2.1
S-118 must | writes a caller with + and separators in canonical form | RFC 8224 §8.3 | needs sign-spelling
S-119 must | writes a called number with + and separators in canonical form | RFC 8224 §8.3 | needs sign-spelling
S-120 must | writes all called numbers of the request | RFC 8225 §5.2.1 | needs sign-several
S-121 must | does not sign letters for a caller | RFC 8224 §8.3, RFC 8225 §5.2.1
S-122 must | does not sign a call without a caller | RFC 8225 §5.2.1 | needs sign-incomplete
S-123 must | does not sign a call without a called number | RFC 8225 §5.2.1 | needs sign-incomplete
S-124 should | writes alg and ppt without quotes, which some verifiers do not read | RFC 8224 §4 (token)
# signing-div
S-151 must | writes ppt "div" into the token of a diverted call | RFC 8946 §3, §4 | needs sign-div
S-152 must | writes who diverted, where to, and whose call it is | RFC 8946 §3, §4 | needs sign-div
S-153 should | writes no attestation and no origid into a div | RFC 8946 §3 | needs sign-div
S-154 must | signs a div so that the key of its certificate verifies it | RFC 8946 §4 | needs sign-div
S-155 must | signs no div for a call that was never signed | RFC 8946 §4 | needs sign-div
`;

function readCatalogue(catalogue: string): readonly ConformanceCase[] {
  let group: CaseGroup = 'good-calls';
  return catalogue
    .trim()
    .split('\n')
    .flatMap((row) => {
      if (!row.startsWith('# ')) return [caseOf(row, group)];
      group = CASE_GROUPS.find((one) => row === `# ${one}`) ?? group;
      return [];
    });
}

function caseOf(row: string, group: CaseGroup): ConformanceCase {
  const [head = '', title = '', source = '', ...cells] = row.split(' | ');
  const [number = '', level, ...expected] = head.split(' ');
  const needed = cells.find((cell) => cell.startsWith('needs ')) ?? 'needs';
  const needs = needed.split(' ').slice(1) as readonly Capability[];
  const base = {
    number,
    title,
    group,
    source,
    level: level === 'must' ? 'must' : 'should',
  } as const;
  const signing = SIGNING[number];
  if (signing !== undefined) return { kind: 'signing', ...base, needs: ['sign', ...needs], ...signing };
  return {
    ...base,
    kind: 'verification',
    needs: ['verify', ...needs],
    isLast: SILENT.has(number),
    sends: CALLS[number] ?? faultCall(cells[0] ?? '', number),
    expects: expectationOf(expected),
    ...REASONED[number],
  };
}

/** Their repositories say nothing, or do not stop. */
const SILENT: ReadonlySet<string> = new Set(['V-506', 'V-507', 'V-508', 'V-509']);

function expectationOf([outcome, ...words]: readonly string[]): VerificationExpectation {
  const codes = words.filter((word) => /^\d{3}$/.test(word)).map(Number);
  const verstat = VERSTATS.filter((one) => words.includes(one));
  const attestation = (['A', 'B', 'C'] as const).find((one) => words.includes(one));
  return {
    outcome: outcome === 'passed' || outcome === 'answered' ? outcome : 'refused',
    ...(codes.length > 0 && { codes }),
    ...(verstat.length > 0 && { verstat }),
    ...(attestation !== undefined && { attestation }),
  };
}

/** Sends what the catalogues of faults have under a name. */
function faultCall(cell: string, number: string): VerificationCase['sends'] {
  const [kind = '', name = ''] = cell.split(' ');
  if (kind === 'token' && Object.hasOwn(PASSPORT_FAULTS, name)) {
    const { build } = PASSPORT_FAULTS[name as PassportFaultName];
    return (setting) => callWith(setting, [build(setting.context).identityHeader]);
  }
  if (kind === 'path' && Object.hasOwn(CERTIFICATE_FAULTS, name)) return pathCall(name as CertificateFaultName);
  if (kind === 'server' && Object.hasOwn(SERVER_FAULTS, name))
    return (setting) => {
      const x5u = setting.publishFault(name as ServerFaultName, setting.provider.certificate.chainPem);
      return callWith(setting, [identityOf(setting, { x5u })]);
    };
  throw new TypeError(`case ${number} sends nothing`);
}

/** The number that paths with delegates are for. */
const DELEGATED_TN = '12025550101';

/** Sends a right token under a path of the catalogue of certification paths. */
const pathCall =
  (name: CertificateFaultName): VerificationCase['sends'] =>
  (setting) => {
    const { endEntity, chainPem } = CERTIFICATE_FAULTS[name].build(setting.pki, setting.provider.certificate.spc);
    const changes = { origTn: DELEGATED_TN, signer: endEntity, x5u: setting.publish(chainPem) };
    return callWith(setting, [identityOf(setting, changes)], { origTn: DELEGATED_TN });
  };

/** All cases, by number, V before S. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = readCatalogue(CATALOGUE);
