import { CLAIM_FAULTS, HEADER_FAULTS } from './claim-faults.js';
import type { ClaimFaultName, HeaderFaultName } from './claim-faults.js';
import { ENCODING_FAULTS, SIGNATURE_FAULTS } from './encoding-faults.js';
import type { EncodingFaultName, SignatureFaultName } from './encoding-faults.js';
import type { PassportFault } from '../passport.js';

export type { ClaimFaultName, HeaderFaultName } from './claim-faults.js';
export type { EncodingFaultName, SignatureFaultName } from './encoding-faults.js';
export { createPassportFaultContext } from '../passport.js';
export type {
  FaultProfile,
  FaultyIdentityHeader,
  PassportFault,
  PassportFaultContext,
  PassportFaultContextOptions,
} from '../passport.js';
export { twinSignature } from './encoding-faults.js';

/** Every named fault. */
export type PassportFaultName = ClaimFaultName | EncodingFaultName | HeaderFaultName | SignatureFaultName;

/**
 * The catalogue of Identity headers that are wrong in one way each, and of some that only look wrong. Each is made for a
 * call from `context.origTn` to `context.destTn` at `context.nowSeconds`.
 */
export const PASSPORT_FAULTS: Readonly<Record<PassportFaultName, PassportFault>> = {
  ...SIGNATURE_FAULTS,
  ...ENCODING_FAULTS,
  ...HEADER_FAULTS,
  ...CLAIM_FAULTS,
};

/** Names of {@link PASSPORT_FAULTS}, for tests that go through all of them. */
export const PASSPORT_FAULT_NAMES: readonly PassportFaultName[] = Object.keys(PASSPORT_FAULTS) as PassportFaultName[];
