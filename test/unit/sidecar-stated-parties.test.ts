import { GOOD_PASSPORTS, PASSPORT_FAULTS } from '@hopback/sdk/testing';
import { GOOD_PASSPORT_NAMES } from '../../sdk/src/testing/passport.js';
import { PASSPORT_FAULT_NAMES } from '../../sdk/src/testing/passport-faults/passport-faults.js';
import { expect, test } from 'vitest';
import { statedParties } from '../../sdk/src/sidecar/dialects/stir-api.js';
import { claimedParties } from '../../sdk/src/stir/verification/request.js';
import { createVerificationLab } from '../support/verification-lab.js';

const lab = await createVerificationLab();

/** Whether a check passes is the same, however the parties are read. */
async function passes(identity: readonly string[], parties: typeof statedParties): Promise<boolean> {
  const service = lab.serviceWith({ policy: { retargeting: 'accept' } });
  return (await service.verify({ identity, ...parties(identity) })).status === 'passed';
}

test.each(PASSPORT_FAULT_NAMES)('%s passes no check that it would not pass by the strict reading', async (name) => {
  const { identityHeader } = PASSPORT_FAULTS[name].build(lab.faults);
  const identity = [identityHeader];
  expect(await passes(identity, statedParties)).toBe(await passes(identity, claimedParties));
});

test.each(GOOD_PASSPORT_NAMES)('%s passes as by the strict reading', async (name) => {
  const { identityHeaders = [] } = GOOD_PASSPORTS[name].build(lab.faults).invite;
  expect(await passes(identityHeaders, statedParties)).toBe(await passes(identityHeaders, claimedParties));
});

test('what names nobody leaves the call without parties', () => {
  for (const value of ['', 'a', 'a.b', 'a.bnVsbA.c', 'a.e30.c', 'a.eyJvcmlnIjp7InRuIjoxfX0.c'])
    expect(statedParties([value])).toEqual({});
});
