import { createPassport, divertedCall } from '@hopback/sdk/testing';
import type { PassportOptions, TestServiceProvider } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import type { VerificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import { MAX_REASON_CHARS } from '../../sdk/src/stir/verification/outcome.js';
import type { VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import { LAB_X5U, createVerificationLab } from '../support/verification-lab.js';
import type { VerificationLab } from '../support/verification-lab.js';

const DEAD = 'https://certs.dead.example/shaken.pem';
const OTHER = 'https://certs.other.example/shaken.pem';

let lab: VerificationLab;
let other: TestServiceProvider;
let call: Omit<VerificationRequest, 'identity'>;

beforeAll(async () => {
  lab = await createVerificationLab();
  other = lab.pki.issueServiceProvider({ spc: '5678' });
  lab.repository.put(OTHER, other.chainPem);
  const { origTn, destTn } = lab.faults;
  call = {
    from: `<sip:+${origTn}@originating.example>;tag=1`,
    to: `<sip:+${destTn}@terminating.example>`,
    requestUri: `sip:+${destTn}@terminating.example`,
  };
});

const shaken = (changes: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: lab.provider, x5u: LAB_X5U, ...changes }).identityHeader;
const forged = (changes: Partial<PassportOptions> = {}): string => shaken({ ...changes, signer: lab.faults.attacker });
const unreachable = (): string => shaken({ x5u: DEAD });
const tokenOf = (header: string): string => header.split(';')[0] ?? '';

function verdictOn(identity: readonly string[], policy: Partial<VerificationPolicy> = {}): CallVerdict {
  return lab.serviceWith({ policy }).verifyNow({ ...call, identity });
}

test('a request fails only if all its Identity headers fail', () => {
  expect(verdictOn([forged(), shaken()]).status).toBe('passed');
  expect(verdictOn([shaken(), forged()]).status).toBe('passed');
  expect(verdictOn([forged(), shaken({ origTn: '12025550142' })]).status).toBe('failed');
});

test('the attestation and signer of a request are those of the header that passed', () => {
  const verdict = verdictOn([forged({ attest: 'A' }), shaken({ attest: 'C', signer: other, x5u: OTHER })]);
  expect([verdict.attestation, verdict.signer?.spc, verdict.signer?.x5u]).toEqual(['C', '5678', OTHER]);
});

test('of two headers that pass the first one answers for the call', () => {
  const first = shaken({ attest: 'B' });
  const second = shaken({ attest: 'A', signer: other, x5u: OTHER });
  expect(verdictOn([first, second]).attestation).toBe('B');
  expect(verdictOn([second, first]).attestation).toBe('A');
});

test('junk beside a good header passes, with a Reason that names the junk', () => {
  const junk = forged();
  const verdict = verdictOn([shaken(), junk]);
  expect(verdict.verstat).toBe('TN-Validation-Passed');
  expect(verdict.sipResponse).toBeUndefined();
  expect(verdict.reasons).toEqual(['signature-invalid']);
  expect(verdict.reasonHeaders).toEqual([`STIR;cause=438;text="Invalid Identity Header";ppi="${tokenOf(junk)}"`]);
});

test('each header that did not verify gets a Reason of its own, in the order of the request', () => {
  const headers = [forged(), unreachable(), shaken({ iatSeconds: 1 }), shaken({ x5u: OTHER })];
  const { reasonHeaders } = verdictOn(headers);
  expect(reasonHeaders.map((value) => /cause=(\d+)/.exec(value)?.[1])).toEqual(['438', '436', '403', '438']);
  expect(reasonHeaders.every((value, index) => value.includes(`ppi="${tokenOf(headers[index] ?? '')}"`))).toBe(true);
});

test('policy has the ppi in compact form or not at all', () => {
  const bad = forged();
  const signature = tokenOf(bad).split('.')[2] ?? '';
  expect(verdictOn([bad], { ppi: 'compact' }).reasonHeaders).toEqual([
    `STIR;cause=438;text="Invalid Identity Header";ppi="..${signature}"`,
  ]);
  expect(verdictOn([bad], { ppi: 'none' }).reasonHeaders).toEqual(['STIR;cause=438;text="Invalid Identity Header"']);
});

test('the Reasons of one response stay within 4 KiB, each with its cause, whatever the tokens are', () => {
  const long = `${'A'.repeat(3_900)}.e30.AA;info=<${LAB_X5U}>;alg=ES256;ppt=shaken`;
  const { reasonHeaders } = verdictOn(Array.from({ length: 16 }, () => long));
  expect(reasonHeaders).toHaveLength(16);
  expect(reasonHeaders.join('').length).toBeLessThanOrEqual(MAX_REASON_CHARS);
  for (const value of reasonHeaders) expect(value).toBe('STIR;cause=438;text="Invalid Identity Header"');
});

test('a token that is too long to repeat leaves room for the ppi of those that are not', () => {
  const long = `${'A'.repeat(3_900)}.e30.AA;info=<${LAB_X5U}>;alg=ES256;ppt=shaken`;
  const junk = forged();
  const { reasonHeaders } = verdictOn([junk, long, long]);
  const bare = 'STIR;cause=438;text="Invalid Identity Header"';
  expect(reasonHeaders).toEqual([`${bare};ppi="${tokenOf(junk)}"`, bare, bare]);
});

test('one response holds the ppi of as many PASSporTs as fit, and of the first ones', () => {
  const headers = Array.from({ length: 16 }, () => forged());
  const { reasonHeaders } = verdictOn(headers);
  const named = reasonHeaders.filter((value) => value.includes(';ppi='));
  expect(named.length).toBeGreaterThanOrEqual(5);
  expect(named).toEqual(reasonHeaders.slice(0, named.length));
  expect(reasonHeaders.join('').length).toBeLessThanOrEqual(MAX_REASON_CHARS);
  expect(reasonHeaders.join('').length + (named[0]?.length ?? 0)).toBeGreaterThan(MAX_REASON_CHARS);
});

test.each(['a"b', 'a\r\nVia: x', 'a>b', 'é', ' '])('a token such as %j is never repeated in a Reason', (token) => {
  const { reasonHeaders } = verdictOn([`${token};info=<${LAB_X5U}>;alg=ES256;ppt=shaken`]);
  expect(reasonHeaders).toEqual(['STIR;cause=438;text="Invalid Identity Header"']);
});

test('answers 436 when no certificate could be had', () => {
  const verdict = verdictOn([unreachable(), unreachable()]);
  expect([verdict.status, verdict.sipResponse?.status]).toEqual(['indeterminate', 436]);
});

test('answers no 436 when one certificate could be had and its PASSporT is wrong', () => {
  const verdict = verdictOn([unreachable(), forged()]);
  expect([verdict.status, verdict.sipResponse?.status]).toEqual(['indeterminate', 438]);
  expect(verdict.reasons).toEqual(['x5u-unreachable', 'signature-invalid']);
});

test('answers what is wrong with a PASSporT rather than 436 for one without info', () => {
  const verdict = verdictOn([shaken({ identityHeader: { info: 'absent' } }), shaken({ iatSeconds: 1 })]);
  expect([verdict.status, verdict.sipResponse?.status]).toEqual(['failed', 403]);
});

test('a header that could not be checked beside one that failed leaves the request undecided', () => {
  const verdict = verdictOn([forged(), unreachable()]);
  expect([verdict.status, verdict.verstat]).toEqual(['indeterminate', 'No-TN-Validation']);
});

test('a request without Identity is undecided, with 428 for a policy that wants one', () => {
  for (const identity of [[], '', ',', ' , ,'] as const) {
    const verdict = lab.service.verifyNow({ ...call, identity });
    expect([verdict.status, verdict.sipResponse?.status, verdict.verstat]).toEqual([
      'indeterminate',
      428,
      'No-TN-Validation',
    ]);
  }
});

test('several headers in one field are one field each', () => {
  const verdict = lab.service.verifyNow({ ...call, identity: `${forged()}, ${shaken()},` });
  expect(verdict.outcomes.map(({ status, index }) => [index, status])).toEqual([
    [0, 'failed'],
    [1, 'passed'],
  ]);
});

test('outcomes and evidence come in the order of the headers', () => {
  const headers = [shaken(), forged(), unreachable(), shaken({ ppt: 'tomorrow' }), 'junk'];
  for (let turn = 0; turn < headers.length; turn += 1) {
    const turned = [...headers.slice(turn), ...headers.slice(0, turn)];
    const verdict = verdictOn(turned);
    const expected = ['passed', 'failed', 'indeterminate', 'ignored', 'failed'];
    const statuses = [...expected.slice(turn), ...expected.slice(0, turn)];
    expect(verdict.outcomes.map(({ status }) => status)).toEqual(statuses);
    expect(verdict.evidence.passports.map(({ status, index }) => [index, status])).toEqual(
      statuses.map((status, index) => [index, status]),
    );
    expect(verdict.status).toBe('passed');
  }
});

test('an unknown type beside a known one is ignored and gets no Reason', () => {
  const verdict = verdictOn([shaken({ ppt: 'tomorrow' }), shaken()]);
  expect([verdict.status, verdict.reasons, verdict.reasonHeaders]).toEqual(['passed', [], []]);
});

test('an unknown type alone is row 5 in profile shaken and an unsigned call in profile rfc8224', () => {
  const identity = [shaken({ ppt: 'tomorrow' })];
  expect(verdictOn(identity).sipResponse?.status).toBe(438);
  expect(verdictOn(identity, { profile: 'rfc8224' }).sipResponse?.status).toBe(428);
});

test('no certificate is asked for twice, and none for a header that has failed already or is ignored', async () => {
  const asked: string[] = [];
  const { repository } = lab;
  const certificates = {
    ...repository,
    peek: (url: string) => {
      asked.push(url);
      return repository.peek(url);
    },
  };
  const identity = [shaken(), shaken(), shaken({ iatSeconds: 1, x5u: OTHER }), shaken({ ppt: 'tomorrow', x5u: DEAD })];
  await lab.serviceWith({ certificates }).verify({ ...call, identity });
  expect(asked).toEqual([LAB_X5U]);
});

test('worst-of-all lets every header count', () => {
  const policy = { verstatPriority: 'worst-of-all' } as const;
  expect(verdictOn([shaken(), shaken()], policy).status).toBe('passed');
  expect(verdictOn([shaken(), forged()], policy)).toMatchObject({ status: 'failed', verstat: 'TN-Validation-Failed' });
  expect(verdictOn([shaken(), unreachable()], policy)).toMatchObject({
    status: 'indeterminate',
    verstat: 'No-TN-Validation',
  });
  expect(verdictOn([unreachable(), forged()], policy)).toMatchObject({
    status: 'failed',
    verstat: 'TN-Validation-Failed',
    sipResponse: { status: 438 },
  });
});

test('worst-of-all still leaves unknown types aside', () => {
  expect(verdictOn([shaken({ ppt: 'tomorrow' }), shaken()], { verstatPriority: 'worst-of-all' }).status).toBe('passed');
});

test('under worst-of-all the PASSporT that speaks for the caller answers, wherever it stands', () => {
  const diverted = divertedCall(lab.faults, 2);
  const service = lab.serviceWith({ policy: { verstatPriority: 'worst-of-all' } });
  const requestUri = `sip:+${diverted.targetTn}@terminating.example`;
  const verdict = service.verifyNow({ ...call, requestUri, identity: diverted.identityHeaders.toReversed() });
  expect([verdict.status, verdict.attestation, verdict.evidence.seenCount]).toEqual(['passed', 'A', 1]);
});

test('of a chain that failed the finding decides, not what could not be checked', () => {
  const { destTn } = lab.faults;
  const identity = [shaken({ x5u: DEAD }), forged({ ppt: 'div', divTn: destTn, destTn: '13035550101' })];
  const verdict = lab.service.verifyNow({ ...call, requestUri: 'sip:+13035550101@terminating.example', identity });
  expect([verdict.status, verdict.verstat, verdict.reasons[0]]).toEqual([
    'failed',
    'TN-Validation-Failed',
    'signature-invalid',
  ]);
  expect(verdict.sipResponse?.status).toBe(438);
});
