import { PASSPORT_FAULTS } from '@hopback/sdk/testing';
import type { PassportFaultName } from '@hopback/sdk/testing';
import type { FailureReason } from '../../../sdk/src/stir/verification/step.js';
import { BAD_INFO, bad, INVALID, open, STALE_DATE, TN_FAILED, UNSUPPORTED } from './draft.js';
import type { VectorDraft, VectorGroup, Wire } from './draft.js';
import { identityHeader, NOW_MS, NOW_SECONDS } from './scene.js';
import type { Scene } from './scene.js';

const TABLE = 'ATIS-1000082 error table';

/** Rows E3 to E19 of the error table of ATIS-1000082, some of them in several ways. */
export const tableVectors: VectorGroup = (scene) => ({
  'e03-date-stale': {
    ...row(3, 'the Date is 61 s old, iat is fresh, and policy does not let iat make up for it'),
    policy: { dateFreshness: 'strict' },
    request: { date: new Date(NOW_MS - 61_000).toUTCString() },
    headers: [bad(identityHeader(scene), STALE_DATE, 'date-stale')],
  },
  'e03-date-and-iat-stale': {
    ...row(3, 'Date and iat are both 61 s old'),
    request: { date: new Date(NOW_MS - 61_000).toUTCString() },
    headers: [bad(identityHeader(scene, { iatSeconds: NOW_SECONDS - 61 }), STALE_DATE, 'date-stale', 'iat-stale')],
  },
  'e04-compact-form': fault(scene, 4, 'compact-form', INVALID),
  'e05-ppt-parameter-not-shaken': fault(scene, 5, 'ppt-unknown', INVALID),
  'e05-ppt-parameter-missing': fault(scene, 5, 'parameter-ppt-missing', INVALID, 'ppt-unsupported', 'ppt-mismatch'),
  'e06-info-missing': fault(scene, 6, 'info-missing', BAD_INFO),
  'e07-info-without-brackets': fault(scene, 7, 'info-without-brackets', BAD_INFO),
  'e07-info-refused': {
    ...row(7, 'info is a URL that the URL policy refuses'),
    certificates: { [scene.context.x5u]: { refused: 'port-not-permitted' } },
    headers: [bad(identityHeader(scene), BAD_INFO, 'info-invalid')],
  },
  'e08-x5u-unreachable': {
    ...row(8, 'nothing answers at the x5u URL'),
    certificates: { [scene.context.x5u]: { unavailable: 'timeout' } },
    headers: [open(identityHeader(scene), BAD_INFO, 'x5u-unreachable')],
  },
  'e09-header-ppt-missing': fault(scene, 9, 'header-ppt-missing', BAD_INFO, 'header-claim-missing', 'ppt-mismatch'),
  'e09-header-typ-missing': fault(scene, 9, 'header-typ-missing', BAD_INFO),
  'e09-header-x5u-missing': fault(scene, 9, 'header-x5u-missing', BAD_INFO),
  'e09-header-alg-missing': fault(scene, 9, 'header-alg-missing', BAD_INFO),
  'e10-x5u-differs-from-info': fault(scene, 10, 'info-differs-from-x5u', BAD_INFO),
  'e11-typ-not-passport': fault(scene, 11, 'typ-jwt', UNSUPPORTED),
  'e12-alg-not-es256': fault(scene, 12, 'alg-es384', UNSUPPORTED),
  'e13-header-ppt-not-shaken': fault(scene, 13, 'header-ppt-differs', INVALID),
  'e14-attest-missing': fault(scene, 14, 'attest-missing', INVALID),
  'e14-dest-missing': fault(scene, 14, 'dest-missing', INVALID),
  'e14-iat-missing': fault(scene, 14, 'iat-missing', INVALID),
  'e14-orig-missing': fault(scene, 14, 'orig-missing', INVALID),
  'e14-origid-missing': fault(scene, 14, 'origid-missing', INVALID),
  'e15-iat-stale': fault(scene, 15, 'iat-61-s-old', STALE_DATE),
  'e15-iat-in-future': fault(scene, 15, 'iat-61-s-ahead', STALE_DATE),
  'e16-orig-mismatch': fault(scene, 16, 'orig-not-the-caller', INVALID),
  'e16-dest-mismatch': fault(scene, 16, 'dest-not-the-callee', INVALID),
  'e17-ca-not-authenticated': untrustedRoot(scene),
  'e18-signature-invalid': { ...fault(scene, 18, 'signature-corrupted', INVALID), verdict: TN_FAILED },
  'e19-attest-invalid': fault(scene, 19, 'attest-word', INVALID),
});

function row(number: number, description: string): Pick<VectorDraft, 'row' | 'description' | 'section'> {
  return { row: number, description, section: `${TABLE}, row ${number}` };
}

/** A named fault of the test kit; its own reason where no others are given. */
function fault(
  scene: Scene,
  number: number,
  name: PassportFaultName,
  ...[wire, ...reasons]: readonly [Wire, ...FailureReason[]]
): VectorDraft {
  const { description } = PASSPORT_FAULTS[name];
  const { identityHeader: identity, expectedReasonHint } = PASSPORT_FAULTS[name].build(scene.context);
  const expected = reasons.length > 0 ? reasons : [expectedReasonHint as FailureReason];
  return { ...row(number, description), headers: [bad(identity, wire, ...expected)] };
}

function untrustedRoot(scene: Scene): VectorDraft {
  const { pki } = scene;
  const other = scene.publish(
    'other-root',
    pki.issueServiceProvider({ spc: '1234', issuer: pki.issueCa({ issuer: pki.issueRoot() }) }),
  );
  return {
    ...row(17, 'the certification path ends in a root that nobody trusts'),
    certificates: { [other.x5u]: { chain: other.chain } },
    headers: [bad(identityHeader(scene, {}, other), UNSUPPORTED, 'no-path-to-trust-anchor')],
    verdict: TN_FAILED,
  };
}
