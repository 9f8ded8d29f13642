import { CERTIFICATE_FAULTS, createPassport, createPassportFaultContext, TestPki, GOOD_PASSPORTS, PASSPORT_FAULTS, TEST_NOW_MS } from '@hopback/sdk/testing';
import { GOOD_PASSPORT_NAMES } from '../../sdk/src/testing/passport.js';
import type {
  CertificateFaultName,
  PassportFaultName,
  PassportOptions,
  TestCertificate,
} from '@hopback/sdk/testing';
import { loadVectors, type Vector } from '../support/vectors.js';

// Makes the tokens and certificates of the verification vectors. All else of a vector is stated by hand in its file, what is expected first.

/** Faults of the test kit, each of them the one Identity header of a vector. */
const FAULTS: Readonly<Record<string, PassportFaultName>> = {
  'e04-compact-form': 'compact-form',
  'e05-ppt-parameter-not-shaken': 'ppt-unknown',
  'e05-ppt-parameter-missing': 'parameter-ppt-missing',
  'e06-info-missing': 'info-missing',
  'e07-info-without-brackets': 'info-without-brackets',
  'e09-header-ppt-missing': 'header-ppt-missing',
  'e09-header-typ-missing': 'header-typ-missing',
  'e09-header-x5u-missing': 'header-x5u-missing',
  'e09-header-alg-missing': 'header-alg-missing',
  'e10-x5u-differs-from-info': 'info-differs-from-x5u',
  'e11-typ-not-passport': 'typ-jwt',
  'e12-alg-not-es256': 'alg-es384',
  'e13-header-ppt-not-shaken': 'header-ppt-differs',
  'e14-attest-missing': 'attest-missing',
  'e14-dest-missing': 'dest-missing',
  'e14-iat-missing': 'iat-missing',
  'e14-orig-missing': 'orig-missing',
  'e14-origid-missing': 'origid-missing',
  'e15-iat-stale': 'iat-61-s-old',
  'e15-iat-in-future': 'iat-61-s-ahead',
  'e16-orig-mismatch': 'orig-not-the-caller',
  'e16-dest-mismatch': 'dest-not-the-callee',
  'e18-signature-invalid': 'signature-corrupted',
  'e19-attest-invalid': 'attest-word',
  'identity-header-malformed': 'quote-unclosed',
  'no-semicolon': 'no-semicolon',
  'identity-header-too-long': 'value-too-long',
  'base64url-trailing-bits': 'trailing-bits-in-payload',
  'json-malformed': 'json-cut-short',
  'json-duplicate-key': 'duplicate-claim',
  'json-forbidden-key': 'proto-key-in-claims',
  'json-too-deep': 'json-deep',
  'header-claim-malformed': 'typ-number',
  'critical-header-unsupported': 'crit-unknown',
  'claim-malformed-iat-string': 'iat-string',
  'claim-malformed-dest-tn-string': 'dest-tn-string',
  'alg-none': 'alg-none',
  'alg-confusion': 'alg-hs256-with-public-key',
  'signature-der': 'signature-der',
  'key-embedded': 'jwk-embedded',
  'good-parameters-quoted': 'parameters-quoted',
  'good-parameters-spaced': 'parameters-spaced',
  'good-parameters-in-other-order': 'parameters-in-other-order',
  'good-folded': 'folded',
  'good-claims-in-other-order': 'claims-in-other-order',
  'good-json-with-whitespace': 'json-with-whitespace',
  'good-signature-twin': 'signature-twin',
  'good-iat-60-s-old': 'iat-60-s-old',
  'good-dest-several': 'dest-several',
  'good-origid-not-uuid': 'origid-not-uuid',
};

/** Certification paths of the test kit, each of them behind the one right Identity header of a vector. */
const PATHS: Readonly<Record<string, CertificateFaultName>> = {
  'certificate-expired': 'leaf-expired',
  'certificate-not-yet-valid': 'leaf-not-yet-valid',
  'certificate-signature-invalid': 'leaf-forged',
  'certificate-self-signed': 'leaf-self-signed',
  'issuer-name-mismatch': 'issuer-name-mismatch',
  'signature-algorithm-not-permitted': 'leaf-sha1',
  'public-key-not-permitted': 'leaf-rsa',
  'not-a-ca': 'issuer-not-a-ca',
  'path-length-exceeded': 'path-length-exceeded',
  'path-too-long': 'path-too-long',
  'key-usage-missing': 'leaf-without-digital-signature',
  'key-usage-of-issuer-missing': 'intermediate-for-tls',
  'signer-is-a-ca': 'leaf-is-a-ca',
  'unknown-critical-extension': 'leaf-unknown-critical-extension',
  'key-identifier-mismatch': 'authority-key-identifier-wrong',
  'tn-auth-list-missing': 'tn-auth-list-absent',
  'tn-auth-list-not-encompassed': 'delegate-spc-not-encompassed',
  'claim-constraints-on-ca': 'claim-constraints-on-ca',
  'good-cross-signed': 'cross-signed',
  'good-chain-shuffled': 'chain-shuffled',
  'good-intermediate-p384': 'intermediate-p384',
  'good-delegate-of-range': 'delegate-of-range',
};

/** A certificate that an x5u URL serves. */
interface Published {
  readonly signer: TestCertificate;
  readonly x5u: string;
}

type Scene = Awaited<ReturnType<typeof createScene>>;

/** A provider with SPC 1234, the right call it signs, and the files to be written below test/vectors, by path. */
async function createScene() {
  const pki = new TestPki({ nowMs: TEST_NOW_MS, label: 'Vector' });
  const files = new Map([
    ['pki/root.pem', pki.root.certificatePem],
    ['pki/sti-pa-root.pem', pki.stiPaRoot.certificatePem],
    ['pki/sti-pa-crl-signer.pem', pki.stiPaCrlIssuer.certificatePem],
    ['pki/sti-pa.crl.pem', pki.crl().pem],
  ]);
  const publish = (name: string, signer: TestCertificate, chainPem: string = signer.chainPem): Published => {
    files.set(`pki/${name}.pem`, chainPem);
    return { signer, x5u: `https://certs.provider.example/${name}.pem` };
  };
  const provider = publish('sp-1234', pki.issueServiceProvider({ spc: '1234' }));
  return { pki, context: createPassportFaultContext({ ...provider, nowMs: TEST_NOW_MS }), files, publish };
}

type Changes = Partial<PassportOptions>;

/** Identity header of the right call with changes, signed by the provider of the scene or another. */
function signed({ context }: Scene, changes: Changes = {}, { signer, x5u }: Published = context): string {
  const { origTn, destTn, origId, nowSeconds } = context;
  return createPassport({ signer, x5u, origTn, destTn, origId, iatSeconds: nowSeconds, ...changes }).identityHeader;
}

const DIVERTED_TO = '13035550101';
const flipLastBit = (signature: Uint8Array): Uint8Array =>
  signature.map((octet, index) => (index === 63 ? octet ^ 1 : octet));

/** Identity headers by the vectors that have others than one right one. */
function identities(scene: Scene): Readonly<Record<string, readonly string[]>> {
  const { pki, context, files, publish } = scene;
  const right = (changes?: Changes, by?: Published): string => signed(scene, changes, by);
  const secondsAgo = (age: number): Changes => ({ iatSeconds: context.nowSeconds - age });
  const diverting = publish('sp-5678', pki.issueServiceProvider({ spc: '5678' }));
  const div = (changes: Changes = {}): string =>
    right({ ppt: 'div', divTn: context.destTn, destTn: DIVERTED_TO, ...changes }, diverting);
  const otherCa = pki.issueCa({ issuer: pki.issueRoot() });
  const parent = pki.issueServiceProvider({ spc: '1234', canDelegate: true, issuer: pki.issueCa() });
  const otherNumber = pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: '12025550155' }] });
  const constrained = pki.issueServiceProvider({
    spc: '1234',
    jwtClaimConstraints: { permittedValues: [{ claim: 'attest', permitted: ['B', 'C'] }] },
  });
  const revoked = pki.issueServiceProvider({ spc: '1234' });
  const crl = pki.crl({ revoked: [{ certificate: revoked, reason: 'keyCompromise' }], number: 2 });
  files.set('pki/sti-pa-revoked.crl.pem', crl.pem);
  const unknown = right({ ppt: 'tomorrow' });
  return {
    'e03-date-and-iat-stale': [right(secondsAgo(61))],
    'e17-ca-not-authenticated': [
      right({}, publish('other-root', pki.issueServiceProvider({ spc: '1234', issuer: otherCa }))),
    ],
    'too-many-identity-headers': [...Array.from({ length: 16 }, () => unknown), right()],
    'json-too-large': [right({ claims: { note: Array.from({ length: 1100 }, () => 0) } })],
    'identity-absent': [],
    'identity-ignored': [unknown],
    'div-target-mismatch': [right(), div()],
    'div-chain-broken': [right(), div({ divTn: '12025550188' })],
    'div-orig-changed': [right(), div({ origTn: '12025550142' })],
    'div-signature-invalid': [right(), div({ alterSignature: flipLastBit })],
    'div-stale': [right(), div(secondsAgo(61))],
    'claim-not-permitted': [right(), div({ claims: { attest: 'A' } })],
    'tn-not-authorized': [right({}, publish('delegate-other-number', otherNumber))],
    'claim-constraint-violated': [right({}, publish('attest-b-and-c-only', constrained))],
    'one-unreachable-one-invalid': [right({}, diverting), right({ alterSignature: flipLastBit })],
    'certificate-revoked': [right({}, publish('revoked', revoked))],
    'good-bad-shaken-beside': [right({ signer: context.attacker }), right()],
    'noted-inner-iat-not-fresh': [right(secondsAgo(120)), div()],
    'noted-orig-tn-not-canonical': [right({ claims: { orig: { tn: '+1-202-555-0101' } } })],
    'noted-dest-tn-not-canonical': [right({ claims: { dest: { tn: ['+1(202)5550199'] } } })],
    ...Object.fromEntries(
      GOOD_PASSPORT_NAMES.map((name) => [`good-${name}`, GOOD_PASSPORTS[name].build(context).identityHeaders]),
    ),
    ...Object.fromEntries(
      Object.entries(FAULTS).map(([name, fault]) => [name, [PASSPORT_FAULTS[fault].build(context).identityHeader]]),
    ),
    ...Object.fromEntries(
      Object.entries(PATHS).map(([name, fault]) => {
        const { endEntity, chainPem } = CERTIFICATE_FAULTS[fault].build(pki, '1234');
        return [name, [right({}, publish(fault, endEntity, chainPem))]];
      }),
    ),
  };
}

/** Every vector with new tokens, and every file they refer to with new certificates, by its path below test/vectors. */
export async function remakeVectors(): Promise<{
  readonly vectors: readonly Vector[];
  readonly files: ReadonlyMap<string, string>;
}> {
  const scene = await createScene();
  const made = identities(scene);
  const vectors = loadVectors().map((vector) => withIdentity(vector, made[vector.name] ?? [signed(scene)]));
  const strangers = Object.keys(made).filter((name) => !vectors.some((vector) => vector.name === name));
  if (strangers.length > 0) throw new Error(`no file verification/NAME.json for ${strangers.join(', ')}`);
  return { vectors, files: scene.files };
}

/** The vector with other tokens, which its Reason headers name too. @see RFC 9410 sections 4 and 5 */
function withIdentity(vector: Vector, identity: readonly string[]): Vector {
  const tokenOf = (header = ''): string => header.split(';')[0] ?? '';
  const renewed = new Map(vector.request.identity.map((old, index) => [tokenOf(old), tokenOf(identity[index])]));
  const reasonHeaders = vector.expected.reasonHeaders.map((value) =>
    value.replace(/(?<=;ppi=")[^"]*/, (token) => renewed.get(token) ?? token),
  );
  return { ...vector, request: { ...vector.request, identity }, expected: { ...vector.expected, reasonHeaders } };
}
