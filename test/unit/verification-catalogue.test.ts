import { describe, expect, test } from 'vitest';
import { GOOD_PASSPORTS, PASSPORT_FAULTS, sampleInvite } from '@hopback/sdk/testing';
import { GOOD_PASSPORT_NAMES } from '../../sdk/src/testing/passport.js';
import { PASSPORT_FAULT_NAMES } from '../../sdk/src/testing/passport-faults/passport-faults.js';
import { parseSipRequest } from '../../sdk/src/core/sip-request.js';
import { verificationRequestOf } from '../../sdk/src/stir/verification/request.js';
import { createStepNames, namesOfSteps } from '../../sdk/src/stir/verification/step.js';
import { VERIFICATION_STEPS } from '../../sdk/src/stir/verification/steps.js';
import { createTrustStore } from '../../sdk/src/stir/certificates/trust-store.js';
import { createVerificationLab } from '../support/verification-lab.js';

const PROFILES = ['shaken', 'rfc8224'] as const;
const lab = await createVerificationLab();

function requestOf(invite: string): ReturnType<typeof verificationRequestOf> {
  const parsed = parseSipRequest(invite);
  if (parsed.status !== 'parsed') throw new Error(`INVITE does not parse: ${parsed.reason}`);
  return verificationRequestOf(parsed.request);
}

describe.each(PROFILES)('in profile %s', (profile) => {
  const service = () => lab.serviceWith({ policy: { profile } });

  test.each(GOOD_PASSPORT_NAMES.filter((name) => GOOD_PASSPORTS[name].acceptedBy.includes(profile)))(
    'passes %s',
    async (name) => {
      const call = GOOD_PASSPORTS[name].build(lab.faults);
      const verdict = await service().verify(requestOf(sampleInvite(call.invite)));
      expect(verdict).toMatchObject({ status: 'passed', verstat: 'TN-Validation-Passed' });
      expect(verdict.attestation).toBe(call.attestation);
    },
  );

  test.each(PASSPORT_FAULT_NAMES.filter((name) => PASSPORT_FAULTS[name].refusedBy.includes(profile)))(
    'refuses %s',
    async (name) => {
      const { identityHeader, expectedReasonHint } = PASSPORT_FAULTS[name].build(lab.faults);
      const verdict = await service().verify({ ...requestOf(sampleInvite({})), identity: [identityHeader] });
      // RFC 8224 lets a type be that is not known: nothing is said of the call then.
      const isIgnored = profile === 'rfc8224' && name === 'ppt-unknown';
      expect(verdict.status).toBe(isIgnored ? 'indeterminate' : 'failed');
      if (expectedReasonHint !== undefined && profile === 'shaken')
        expect(verdict.reasons).toContain(expectedReasonHint);
    },
  );

  test.each(PASSPORT_FAULT_NAMES.filter((name) => PASSPORT_FAULTS[name].acceptedBy.includes(profile)))(
    'passes %s, which only looks wrong',
    async (name) => {
      const { identityHeader } = PASSPORT_FAULTS[name].build(lab.faults);
      const verdict = await service().verify(requestOf(sampleInvite({ identityHeaders: [identityHeader] })));
      expect(verdict.reasons).toEqual([]);
      expect(verdict.status).toBe('passed');
    },
  );
});

test('a forged signature is a finding also where revocation is unknown', async () => {
  const trustStore = createTrustStore({ anchors: lab.trustStore.anchors, source: { kind: 'files' } });
  const { identityHeaders, invite } = GOOD_PASSPORTS['shaken-a'].build(lab.faults);
  const [identity = ''] = identityHeaders;
  const dot = identity.lastIndexOf('.', identity.indexOf(';'));
  const forged = `${identity.slice(0, dot + 1)}${'A'.repeat(86)}${identity.slice(identity.indexOf(';'))}`;
  const service = lab.serviceWith({ trustStore });
  const good = await service.verify(requestOf(sampleInvite(invite)));
  expect(good).toMatchObject({ status: 'indeterminate', reasons: ['revocation-unknown'] });
  const bad = await service.verify({ ...requestOf(sampleInvite(invite)), identity: [forged] });
  expect(bad).toMatchObject({ status: 'failed', verstat: 'TN-Validation-Failed' });
  expect(bad.reasons).toEqual(['signature-invalid', 'revocation-unknown']);
});

test('step names in evidence come in the order in which the steps are made', () => {
  const all = VERIFICATION_STEPS.map(({ name }) => name);
  const every = 2 ** all.length - 1;
  expect(namesOfSteps(every)).toEqual(all);
  const remembered = createStepNames();
  for (const set of [0, 1, 0b1010, every]) expect(remembered(set)).toEqual(namesOfSteps(set));
  expect(remembered(every)).toBe(remembered(every));
});
