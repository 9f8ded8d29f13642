import { CERTIFICATE_STEPS, REPLAY_STEPS, SIGNATURE_STEPS } from './certificate-steps.js';
import { HEADER_STEPS } from './header-steps.js';
import { REQUEST_STEPS } from './request-steps.js';
import type { VerificationStep } from './step.js';

/** Every rule of the verification service with its source, in the order they are applied. */
export const VERIFICATION_STEPS: readonly VerificationStep[] = [
  ...HEADER_STEPS,
  ...REQUEST_STEPS,
  ...CERTIFICATE_STEPS,
  ...SIGNATURE_STEPS,
  ...REPLAY_STEPS,
];
