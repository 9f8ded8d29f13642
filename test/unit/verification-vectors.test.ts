import { readdirSync, readFileSync } from 'node:fs';
import { createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { compactVerify } from 'jose';
import { TestPki, type TestKey } from '@hopback/sdk/testing';
import { describeVerdict, explainEvidence } from '../../sdk/src/stir/verification/explain.js';
import { FAILURE_REASONS, FAILURE_REASON_NAMES, type FailureReason } from '../../sdk/src/stir/verification/step.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { VERIFICATION_STEPS } from '../../sdk/src/stir/verification/steps.js';
import type { VerdictEvidence } from '../../sdk/src/core/verdict-evidence.js';
import { asExpectation, loadVectors, runVector, VECTOR_FOLDER, type Vector } from '../support/vectors.js';
import { remakeVectors } from '../vectors/remake.js';
import { encodeBase64Url } from '../../sdk/src/core/base64url.js';
import type { StartedVerification } from '../../sdk/src/stir/verification/verdict.js';
import type { JsonObject } from '../../sdk/src/core/json-text.js';
import { verifyEs256 } from '../../sdk/src/stir/es256.js';
import { formatIdentityHeader } from '../../sdk/src/stir/identity-header.js';
import { canonicalJson, parsePassport, type ParsedPassport } from '../../sdk/src/stir/passport.js';
import { base } from '../../sdk/src/stir/passport-types/passport-type.js';
import { VerificationService } from '../../sdk/src/stir/verification/verification-service.js';
import type { VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import { createShelfRepository, trustStoreOf } from '../support/verification-lab.js';

const VECTORS = loadVectors();
const verdicts = new Map<Vector, CallVerdict>();

function verdictOf(vector: Vector): CallVerdict {
  const verdict = verdicts.get(vector) ?? runVector(vector).verdict;
  verdicts.set(vector, verdict);
  return verdict;
}

const byName = VECTORS.map((vector) => [vector.name, vector] as const);

/** The error table of ATIS-1000082, written down once more and independently of the product: row, code, text, verstat. */
const TABLE: readonly (readonly [number, number, string, string])[] = [
  [3, 403, 'Stale Date', 'No-TN-Validation'],
  [4, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [5, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [6, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [7, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [8, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [9, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [10, 436, 'Bad Identity Info', 'No-TN-Validation'],
  [11, 437, 'Unsupported Credential', 'No-TN-Validation'],
  [12, 437, 'Unsupported Credential', 'No-TN-Validation'],
  [13, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [14, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [15, 403, 'Stale Date', 'No-TN-Validation'],
  [16, 438, 'Invalid Identity Header', 'No-TN-Validation'],
  [17, 437, 'Unsupported Credential', 'TN-Validation-Failed'],
  [18, 438, 'Invalid Identity Header', 'TN-Validation-Failed'],
  [19, 438, 'Invalid Identity Header', 'No-TN-Validation'],
];

test.each(byName)('gives the verdict of vector %s', (_name, vector) => {
  expect(asExpectation(verdictOf(vector))).toEqual(vector.expected);
});

test.each(byName)(
  'explains every step of vector %s without a gap, also from evidence that was kept as JSON',
  (_name, vector) => {
    const { evidence } = verdictOf(vector);
    const explained = explainEvidence(evidence);
    const kept = JSON.parse(JSON.stringify(evidence)) as VerdictEvidence;
    expect(kept).toEqual(evidence);
    expect(explainEvidence(kept)).toEqual(explained);
    expect(explained.map(({ index }) => index)).toEqual(vector.expected.headers.map((_header, index) => index));
    for (const { steps } of explained) {
      expect(steps.map(({ step }) => step)).toEqual(VERIFICATION_STEPS.map(({ name }) => name));
      expect(JSON.stringify(steps)).not.toMatch(/undefined|NaN|\[object/);
    }
    const lines = describeVerdict(verdictOf(vector));
    expect(lines.length).toBeGreaterThan(vector.expected.headers.length);
    expect(lines.join('\n')).not.toMatch(/undefined|NaN|\[object|Invalid Date/);
  },
);

test.each(byName)('explains why each header of vector %s did not pass', (_name, vector) => {
  const explained = explainEvidence(verdictOf(vector).evidence);
  vector.expected.headers.forEach(({ status, reasons, notes }, index) => {
    const steps = explained[index]?.steps ?? [];
    const told = (result: string): readonly string[] =>
      steps.filter((step) => step.result === result).flatMap((step) => step.reasons.map(({ reason }) => reason));
    if (status !== 'ignored') expect([...told('failed'), ...told('unknown')].toSorted()).toEqual(reasons.toSorted());
    expect(told('noted').toSorted()).toEqual(notes.toSorted());
    for (const step of steps) {
      if (step.result !== 'failed' && step.result !== 'unknown') continue;
      expect(step.reasons.every(({ text }) => text !== undefined && text !== '')).toBe(true);
    }
  });
});

test.each(TABLE)('answers row %i of the ATIS-1000082 table with %i %s and verstat %s', (row, status, text, verstat) => {
  const vectors = VECTORS.filter((vector) => vector.row === row);
  expect(vectors).not.toEqual([]);
  for (const vector of vectors) {
    const verdict = verdictOf(vector);
    expect([vector.name, verdict.sipResponse, verdict.verstat]).toEqual([
      vector.name,
      { status, reasonPhrase: text },
      verstat,
    ]);
    expect(vector.name).toMatch(new RegExp(`^e${String(row).padStart(2, '0')}-`));
  }
  const rowsOfReasons = vectors.map(({ expected }) => FAILURE_REASONS[expected.reasons[0] as FailureReason].condition);
  // Row 7 is told before the fetch (info is no URL) and by the URL policy, both as info-invalid.
  expect(new Set(rowsOfReasons)).toEqual(new Set([row]));
});

test.each(FAILURE_REASON_NAMES)('has a vector in which %s decides', (reason) => {
  const decides = ({ expected }: Vector): boolean =>
    expected.reasons[0] === reason || expected.headers.some(({ reasons }) => reasons[0] === reason);
  expect(VECTORS.filter(decides).map(({ name }) => name)).not.toEqual([]);
});

test('the table of failure reasons speaks of rows 3 to 19 only, and of each', () => {
  const rows = FAILURE_REASON_NAMES.map((reason) => FAILURE_REASONS[reason].condition);
  const known = new Set(rows.filter((row) => row !== undefined));
  expect([...known].toSorted((a, b) => a - b)).toEqual(TABLE.map(([row]) => row));
});

test('every reason with a row answers with the code, text and verstat of that row', () => {
  const answers = FAILURE_REASON_NAMES.flatMap((reason) => {
    const { condition, sip, verstat } = FAILURE_REASONS[reason];
    return condition === undefined ? [] : [[reason, condition, sip?.status, sip?.reasonPhrase, verstat]];
  });
  const rows = new Map(TABLE.map((entry) => [entry[0], entry]));
  for (const [reason, row, ...answer] of answers) {
    expect([reason, ...answer]).toEqual([reason, ...(rows.get(row as number)?.slice(1) ?? [])]);
  }
});

test('explains both times of an expired certificate, and a reason of a later release without a text', () => {
  const { evidence } = verdictOf(VECTORS.find(({ name }) => name === 'certificate-expired')!);
  const explained = (): unknown => explainEvidence(evidence)[0]?.steps.filter(({ result }) => result === 'failed');
  const { checkedAtMs } = evidence;
  expect(explained()).toMatchObject([{ step: 'certificate-path', expected: checkedAtMs - 1_000, actual: checkedAtMs }]);
  const kept = JSON.parse(JSON.stringify(evidence).replaceAll('certificate-expired', 'later')) as VerdictEvidence;
  expect(explainEvidence(kept)[0]?.steps.flatMap(({ reasons }) => reasons)).toEqual([{ reason: 'later' }]);
});

test('a step fails with reasons that are findings, and is unknown with reasons that are open questions', () => {
  for (const vector of VECTORS) {
    for (const { exceptions } of verdictOf(vector).evidence.passports) {
      for (const { result, reason } of exceptions) {
        if (result === 'noted') continue;
        const { outcome } = FAILURE_REASONS[reason as FailureReason];
        expect([vector.name, reason, outcome]).toEqual([
          vector.name,
          reason,
          result === 'failed' ? 'failed' : 'indeterminate',
        ]);
      }
    }
  }
});

test('the vectors made anew, with new keys, give the same verdicts and have the same certificate files', async () => {
  const { vectors, files } = await remakeVectors();
  const names = readdirSync(`${VECTOR_FOLDER}pki`).map((name) => `pki/${name}`);
  expect([...files.keys()].toSorted()).toEqual(names.toSorted());
  const read = (path: string): string => files.get(path) ?? '';
  for (const vector of vectors) expect(asExpectation(runVector(vector, read).verdict)).toEqual(vector.expected);
});

test('the vectors hold no private key and stay below a megabyte', () => {
  const folders = ['verification', 'pki'].flatMap((folder) =>
    readdirSync(`${VECTOR_FOLDER}${folder}`).map((name) => readFileSync(`${VECTOR_FOLDER}${folder}/${name}`, 'utf8')),
  );
  expect(folders.every((text) => !text.includes('PRIVATE KEY'))).toBe(true);
  expect(folders.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(1_000_000);
});

// jose is the oracle of the one check that does not go through it (docs/decisions/0002): both must agree on every signature of
// every vector that is worth checking.

const isGoodForJose = (jws: string, publicKey: Checked['publicKey']): Promise<boolean> =>
  compactVerify(jws, publicKey, { algorithms: ['ES256'] }).then(
    () => true,
    () => false,
  );

interface Checked {
  readonly jws: string;
  readonly publicKey: Parameters<typeof compactVerify>[1];
  readonly isValid: boolean;
}

function checkedIn(pending: StartedVerification): readonly Checked[] {
  return pending.tokens.flatMap(({ passport, path, signatureValid }) => {
    const leaf = path?.status === 'trusted' ? path.path.certificates[0] : undefined;
    if (passport === undefined || leaf === undefined || signatureValid === undefined) return [];
    const jws = `${passport.signingInput}.${encodeBase64Url(passport.signature)}`;
    return [{ jws, publicKey: leaf.publicKey, isValid: signatureValid }];
  });
}

const checked = VECTORS.flatMap((vector) =>
  checkedIn(runVector(vector).pending).map((one, index) => [`${vector.name} ${index}`, one] as const),
);

test.each(checked)(
  'jose says of the signature of %s what the verifier says',
  async (_name, { jws, publicKey, isValid }) => {
    expect(await isGoodForJose(jws, publicKey)).toBe(isValid);
  },
);

test('there are good and bad signatures among them', () => {
  expect(checked.filter(([, { isValid }]) => isValid).length).toBeGreaterThan(10);
  expect(checked.filter(([, { isValid }]) => !isValid).length).toBeGreaterThan(2);
});

interface PublishedPassport {
  readonly name: string;
  readonly token: string;
  readonly publicKeyPem: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly signatureVerifies: boolean;
}

const PUBLISHED = JSON.parse(
  readFileSync(`${VECTOR_FOLDER}rfc/passports.json`, 'utf8'),
) as readonly PublishedPassport[];
const named = PUBLISHED.map((published) => [published.name, published] as const);
const X5U = 'https://www.example.com/cert.cer';
/** The `iat` of the examples of RFC 8946. */
const IAT_SECONDS = 1_443_208_345;

function published(name: string): PublishedPassport {
  const found = PUBLISHED.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no published PASSporT ${name}`);
  return found;
}

function passportIn(token: string): ParsedPassport {
  const parsed = parsePassport(token);
  if (parsed.status !== 'parsed') throw new Error(parsed.detail);
  return parsed.passport;
}

test.each(named)(
  'verifyEs256 and jose agree about the signature of %s',
  async (_name, { token, publicKeyPem, signatureVerifies }) => {
    const publicKey = createPublicKey(publicKeyPem);
    const { signingInput, signature } = passportIn(token);
    expect(verifyEs256({ publicKey, signingInput, signature })).toBe(signatureVerifies);
    expect(await isGoodForJose(token, publicKey)).toBe(signatureVerifies);
  },
);

test.each(named)(
  'canonicalJson writes header and payload of %s as they were printed',
  (_name, { token, header, payload }) => {
    const [headerSegment, payloadSegment] = token.split('.');
    expect(encodeBase64Url(canonicalJson(header))).toBe(headerSegment);
    expect(encodeBase64Url(canonicalJson(payload))).toBe(payloadSegment);
  },
);

test('canonicalJson brings the claims of RFC 8225 Appendix A into order, however they are given', () => {
  const { token, payload } = published('rfc8225-appendix-a');
  const reversed = Object.fromEntries(Object.entries(payload).toReversed());
  expect(encodeBase64Url(canonicalJson(reversed))).toBe(token.split('.')[1]);
});

test.each([
  ['rfc8946-section-5-div-o', 'dest'],
  ['draft-passport-string-iat', 'iat'],
])('refuses the published PASSporT %s, whose %s is a string', (name, claim) => {
  const read = base.readClaims(passportIn(published(name).token).payload);
  expect(read).toMatchObject({ status: 'malformed', problems: [{ reason: 'claim-malformed', claim }] });
});

/** A certificate over the published key, in a PKI of the examples' own time. */
const nowMs = IAT_SECONDS * 1000;
const pki = new TestPki({ nowMs });
const publishedKey = createPublicKey(published('rfc8946-section-5-opt').publicKeyPem);
const certificates = createShelfRepository();
certificates.put(
  X5U,
  pki.issueServiceProvider({ spc: '1234', key: { type: 'P-256', publicKey: publishedKey } as TestKey }).chainPem,
);
const service = new VerificationService({
  ...{ certificates, trustStore: trustStoreOf(pki), clock: { nowMs: () => nowMs } },
  policy: { profile: 'rfc8224' },
});

const call = (identity: readonly string[], target: string): VerificationRequest => ({
  identity,
  from: '<sip:+12155551212@example.com>;tag=1',
  to: '<sip:+12155551213@example.com>',
  requestUri: `sip:+${target}@example.com`,
});

test('passes the PASSporT without ppt of RFC 8946 under a certificate over its published key', async () => {
  const { token } = published('rfc8946-section-5-opt');
  const verdict = await service.verify(call([formatIdentityHeader({ token, info: X5U })], '12155551213'));
  expect([verdict.status, verdict.reasons]).toEqual(['passed', []]);
});

test('finds no link below the div PASSporT of RFC 8946, whose div.tn has one digit too many', async () => {
  const inner = formatIdentityHeader({ token: published('rfc8946-section-5-opt').token, info: X5U });
  const outer = formatIdentityHeader({ token: published('rfc8946-section-3-div').token, info: X5U, ppt: 'div' });
  const verdict = await service.verify(call([inner, outer], '12155551214'));
  expect([verdict.status, verdict.reasons]).toEqual(['failed', ['retarget-without-div', 'div-chain-broken']]);
});

test('ignores the div-o PASSporT of RFC 8946, a type that is not verified here', async () => {
  const { token } = published('rfc8946-section-5-div-o');
  const verdict = await service.verify(call([formatIdentityHeader({ token, info: X5U, ppt: 'div-o' })], '12155551214'));
  expect([verdict.status, verdict.reasons]).toEqual(['indeterminate', ['identity-absent']]);
});
