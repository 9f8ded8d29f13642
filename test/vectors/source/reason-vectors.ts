import { PASSPORT_FAULTS } from '@hopback/sdk/testing';
import type { PassportFaultName } from '@hopback/sdk/testing';
import type { FailureReason } from '../../../sdk/src/stir/verification/step.js';
import { BAD_INFO, bad, INVALID, open, STALE_DATE, TN_FAILED, UNSUPPORTED, USE_IDENTITY } from './draft.js';
import type { VectorDraft, VectorGroup, Wire } from './draft.js';
import { identityHeader, NOW_MS, NOW_SECONDS } from './scene.js';
import type { Scene } from './scene.js';

const JSON_RULES = 'RFC 8259 section 4, RFC 7493 section 2';
const SYNTAX = 'RFC 8224 section 4';
const DIV = 'RFC 8946 section 4.2';

/** Failure reasons that no row of the table stands for. */
export const reasonVectors: VectorGroup = (scene) => ({
  ...syntaxVectors(scene),
  ...requestVectors(scene),
  ...divVectors(scene),
  ...authorityVectors(scene),
  ...circumstanceVectors(scene),
});

const syntaxVectors: VectorGroup = (scene) => ({
  'identity-header-malformed': unreadable(scene, 'quote-unclosed'),
  'no-semicolon': fault(scene, 'no-semicolon', SYNTAX, INVALID, 'ppt-unsupported', 'info-missing', 'ppt-mismatch'),
  'identity-header-too-long': unreadable(scene, 'value-too-long'),
  'too-many-identity-headers': tooMany(scene),
  'base64url-trailing-bits': fault(scene, 'trailing-bits-in-payload', 'RFC 7515 section 2', INVALID),
  'json-malformed': fault(scene, 'json-cut-short', JSON_RULES, INVALID),
  'json-duplicate-key': fault(scene, 'duplicate-claim', JSON_RULES, INVALID),
  'json-forbidden-key': fault(scene, 'proto-key-in-claims', JSON_RULES, INVALID),
  'json-too-deep': fault(scene, 'json-deep', JSON_RULES, INVALID),
  'json-too-large': {
    description: 'a claim lists more values than are looked at',
    section: JSON_RULES,
    headers: [
      bad(
        identityHeader(scene, { claims: { note: Array.from({ length: 1100 }, () => 0) } }),
        INVALID,
        'json-too-large',
      ),
    ],
  },
  'header-claim-malformed': fault(
    scene,
    'typ-number',
    'RFC 8225 section 4',
    BAD_INFO,
    'header-claim-malformed',
    'typ-not-passport',
  ),
  'critical-header-unsupported': fault(scene, 'crit-unknown', 'RFC 7515 section 4.1.11', INVALID),
  'claim-malformed-iat-string': fault(scene, 'iat-string', 'RFC 8225 section 5.1.1', INVALID),
  'claim-malformed-dest-tn-string': fault(scene, 'dest-tn-string', 'RFC 8225 section 5.2.1', INVALID),
  'alg-none': fault(scene, 'alg-none', 'RFC 8725 section 3.1', UNSUPPORTED),
  'alg-confusion': fault(scene, 'alg-hs256-with-public-key', 'RFC 8725 section 2.1', UNSUPPORTED),
  'signature-der': { ...fault(scene, 'signature-der', 'RFC 7518 section 3.4', INVALID), verdict: TN_FAILED },
  'key-embedded': { ...fault(scene, 'jwk-embedded', 'RFC 7515 section 10', INVALID), verdict: TN_FAILED },
});

const requestVectors: VectorGroup = (scene) => ({
  'identity-absent': {
    description: 'the request carries no Identity header',
    section: 'RFC 8224 section 6.2.2',
    headers: [],
    verdict: { status: 'indeterminate', reasons: ['identity-absent'], sip: USE_IDENTITY },
    reasonHeaders: ['STIR;cause=428;text="Use Identity Header"'],
  },
  'identity-ignored': {
    description: 'profile rfc8224 ignores a PASSporT type that it does not know: what is left is an unsigned call',
    section: 'RFC 8224 section 6.2 step 1',
    policy: { profile: 'rfc8224' },
    headers: [{ identity: identityHeader(scene, { ppt: 'tomorrow' }), status: 'ignored' }],
    verdict: { status: 'indeterminate', reasons: ['identity-absent'], sip: USE_IDENTITY },
    reasonHeaders: ['STIR;cause=428;text="Use Identity Header"'],
  },
  'orig-unusable': {
    description: 'the caller is anonymous and nobody asserts who it is',
    section: 'RFC 8224 section 6.2 step 2',
    request: { from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1928301774' },
    headers: [open(identityHeader(scene), undefined, 'orig-unusable')],
  },
  'orig-asserted-differently': {
    description: 'the sip and the tel URI of P-Asserted-Identity have different numbers',
    section: 'RFC 3325 section 9.1',
    request: { pAssertedIdentity: ['<sip:+12025550177@originating.example>', `<tel:+${scene.context.origTn}>`] },
    headers: [open(identityHeader(scene), undefined, 'orig-unusable')],
  },
  'dest-unusable': {
    description: 'neither To nor the Request-URI can be read',
    section: 'RFC 8224 section 6.2 step 2',
    request: { to: 'nobody', requestUri: 'nowhere' },
    headers: [open(identityHeader(scene), undefined, 'dest-unusable')],
  },
  'retarget-without-div': {
    description: 'the Request-URI names another number than To and dest, and no div accounts for it',
    section: 'RFC 8946 section 1',
    request: { requestUri: 'sip:+13035550101@terminating.example;user=phone' },
    headers: [bad(identityHeader(scene), INVALID, 'retarget-without-div')],
  },
});

const DIVERTED_TO = '13035550101';

const divVectors: VectorGroup = (scene) => ({
  'div-target-mismatch': {
    description: 'the call goes to another number than the outermost div says',
    section: DIV,
    request: { requestUri: 'sip:+13035550102@terminating.example;user=phone' },
    headers: [
      bad(identityHeader(scene), INVALID, 'retarget-without-div'),
      bad(divHeader(scene, {}), INVALID, 'div-target-mismatch'),
    ],
    verdict: { reasons: ['retarget-without-div', 'div-target-mismatch'], sip: INVALID },
  },
  'div-chain-broken': {
    description: 'the div diverts from a number that no PASSporT of the call has as dest',
    section: DIV,
    request: DIVERTED,
    headers: [
      bad(identityHeader(scene), INVALID, 'retarget-without-div'),
      bad(divHeader(scene, { divTn: '12025550188' }), INVALID, 'div-chain-broken'),
    ],
    verdict: { reasons: ['retarget-without-div', 'div-chain-broken'], sip: INVALID },
  },
  'div-orig-changed': {
    description: 'the div names another caller than the PASSporT that it diverts',
    section: DIV,
    request: DIVERTED,
    headers: [
      bad(identityHeader(scene), INVALID, 'retarget-without-div'),
      bad(divHeader(scene, { origTn: '12025550142' }), INVALID, 'orig-mismatch', 'div-chain-broken'),
    ],
    verdict: { reasons: ['retarget-without-div', 'orig-mismatch', 'div-chain-broken'], sip: INVALID },
  },
  'div-signature-invalid': {
    description: 'the chain is right but for the signature of its div',
    section: DIV,
    request: DIVERTED,
    headers: [
      { identity: identityHeader(scene), status: 'passed' },
      bad(divHeader(scene, { alterSignature: flipLastBit }), INVALID, 'signature-invalid'),
    ],
    verdict: { ...TN_FAILED, status: 'failed', reasons: ['signature-invalid'], sip: INVALID },
  },
  'div-stale': {
    description: 'the outermost div is 61 s old',
    section: DIV,
    request: DIVERTED,
    headers: [
      { identity: identityHeader(scene), status: 'passed' },
      bad(divHeader(scene, { iatSeconds: NOW_SECONDS - 61 }), STALE_DATE, 'iat-stale'),
    ],
    verdict: { status: 'failed', reasons: ['iat-stale'], sip: STALE_DATE },
  },
  'claim-not-permitted': {
    description: 'a div PASSporT carries a claim beyond the four it may have',
    section: 'RFC 8946 section 3',
    request: DIVERTED,
    headers: [
      bad(identityHeader(scene), INVALID, 'retarget-without-div'),
      bad(divHeader(scene, { claims: { attest: 'A' } }), INVALID, 'claim-not-permitted'),
    ],
    verdict: { reasons: ['retarget-without-div', 'claim-not-permitted'], sip: INVALID },
  },
});

const DIVERTED = { requestUri: `sip:+${DIVERTED_TO}@terminating.example;user=phone` } as const;

const authorityVectors: VectorGroup = (scene) => {
  const { pki } = scene;
  const parent = pki.issueServiceProvider({ spc: '1234', canDelegate: true, issuer: pki.issueCa() });
  const delegate = scene.publish(
    'delegate-other-number',
    pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '12025550155' }] }),
  );
  const constrained = scene.publish(
    'attest-b-and-c-only',
    pki.issueServiceProvider({
      spc: '1234',
      jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted: ['B', 'C'] }] },
    }),
  );
  return {
    'tn-not-authorized': {
      description: 'a delegate signs for a number that its TNAuthList does not have',
      section: 'RFC 8226 section 9, RFC 9060',
      certificates: { [delegate.x5u]: { chain: delegate.chain } },
      headers: [bad(identityHeader(scene, {}, delegate), UNSUPPORTED, 'tn-not-authorized')],
      verdict: TN_FAILED,
    },
    'claim-constraint-violated': {
      description: 'the certificate permits attest B and C, and the PASSporT says A',
      section: 'RFC 8226 section 8',
      certificates: { [constrained.x5u]: { chain: constrained.chain } },
      headers: [bad(identityHeader(scene, {}, constrained), UNSUPPORTED, 'claim-constraint-violated')],
      verdict: TN_FAILED,
    },
  };
};

const circumstanceVectors: VectorGroup = (scene) => ({
  'revocation-unknown': {
    description: 'no CRL says anything about the certificate',
    section: 'ATIS-1000080',
    crls: [],
    headers: [open(identityHeader(scene), undefined, 'revocation-unknown')],
  },
  'trust-list-expired': {
    description: 'the STI-PA list of trust anchors runs out at this very instant: the verifier has to fetch a new one',
    section: 'ATIS-1000084; RFC 7519 section 4.1.4',
    conditions: { trustListExpMs: NOW_MS },
    headers: [open(identityHeader(scene), undefined, 'trust-list-expired')],
  },
  'time-budget-spent': {
    description: 'the certificate had not come when the time for the call was over',
    section: 'RFC 8224 section 6.2 step 3',
    certificates: {},
    headers: [open(identityHeader(scene), undefined, 'time-budget-spent')],
  },
  'signature-unchecked': {
    description: 'the check of the signature did not come back in time',
    section: 'RFC 8224 section 6.2 step 5',
    conditions: { signaturesChecked: false },
    headers: [open(identityHeader(scene), undefined, 'signature-unchecked')],
  },
  replayed: {
    description: 'the call was seen before and policy refuses repeats',
    section: 'RFC 8224 section 12.1',
    policy: { rejectReplay: true },
    conditions: { seenCount: 2 },
    headers: [bad(identityHeader(scene), INVALID, 'replayed')],
  },
  'one-unreachable-one-invalid': {
    description: 'one certificate cannot be had, one signature is wrong: undecided, and no 436 since one could be had',
    section: 'RFC 8224 sections 6.2.1 and 6.2.2',
    certificates: {
      [scene.context.x5u]: { chain: 'pki/sp-1234.pem' },
      [scene.diverting.x5u]: { unavailable: 'timeout' },
    },
    headers: [
      open(identityHeader(scene, {}, scene.diverting), BAD_INFO, 'x5u-unreachable'),
      bad(identityHeader(scene, { alterSignature: flipLastBit }), INVALID, 'signature-invalid'),
    ],
    verdict: { status: 'indeterminate', reasons: ['x5u-unreachable', 'signature-invalid'], sip: INVALID },
  },
});

/** A named fault of the test kit; its own reason where no others are given. */
function fault(
  scene: Scene,
  name: PassportFaultName,
  section: string,
  ...[wire, ...reasons]: readonly [Wire, ...FailureReason[]]
): VectorDraft {
  const { description } = PASSPORT_FAULTS[name];
  const { identityHeader: identity, expectedReasonHint } = PASSPORT_FAULTS[name].build(scene.context);
  const expected = reasons.length > 0 ? reasons : [expectedReasonHint as FailureReason];
  return { description, section, headers: [bad(identity, wire, ...expected)] };
}

/** A fault of the header around the token: what cannot be read so far cannot be named in a Reason. */
function unreadable(scene: Scene, name: PassportFaultName): VectorDraft {
  const draft = fault(scene, name, SYNTAX, INVALID);
  return { ...draft, headers: draft.headers.map((header) => ({ ...header, hasPpi: false })) };
}

/** Sixteen headers of an unknown type in front of a good one: it is not reached, and that is said. */
function tooMany(scene: Scene): VectorDraft {
  const unknown = identityHeader(scene, { ppt: 'tomorrow' });
  const headers = Array.from({ length: 16 }, () => ({ identity: unknown, status: 'ignored' }) as const);
  return {
    description: 'sixteen Identity headers of an unknown type stand before the good one, which is not looked at',
    section: 'RFC 8224 section 9',
    policy: { profile: 'rfc8224' },
    headers,
    unseen: [identityHeader(scene)],
    verdict: { status: 'failed', reasons: ['too-many-identity-headers'], sip: INVALID },
    reasonHeaders: ['STIR;cause=438;text="Invalid Identity Header"'],
  };
}

/** A div from the callee to {@link DIVERTED_TO} by the diverting provider, with changes. */
function divHeader(scene: Scene, changes: Parameters<typeof identityHeader>[1]): string {
  return identityHeader(
    scene,
    { ppt: 'div', divTn: scene.context.destTn, destTn: DIVERTED_TO, ...changes },
    scene.diverting,
  );
}

const flipLastBit = (signature: Uint8Array): Uint8Array =>
  signature.map((octet, index) => (index === 63 ? octet ^ 1 : octet));
