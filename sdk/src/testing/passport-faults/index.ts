import { CLAIM_FAULTS, HEADER_FAULTS } from './claim-faults.js';
import { ENCODING_FAULTS, SIGNATURE_FAULTS } from './encoding-faults.js';

/**
 * The catalogue of Identity headers that are wrong in one way each, and of some that only look wrong. Each is made for a
 * call from `context.origTn` to `context.destTn` at `context.nowSeconds`.
 */
export const PASSPORT_FAULTS = {
  ...SIGNATURE_FAULTS,
  ...ENCODING_FAULTS,
  ...HEADER_FAULTS,
  ...CLAIM_FAULTS,
};

/** Every named fault. */
export type PassportFaultName = keyof typeof PASSPORT_FAULTS;

/** Names of {@link PASSPORT_FAULTS}, for tests that go through all of them. */
export const PASSPORT_FAULT_NAMES = Object.keys(PASSPORT_FAULTS) as readonly PassportFaultName[];
