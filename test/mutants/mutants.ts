import { ANSWER_MUTANTS } from './answers.js';
import type { Mutant } from './mutant.js';
import { PLATFORM_MUTANTS } from './platform.js';
import { RECORD_MUTANTS } from './records.js';
import { SIGNING_MUTANTS } from './signing.js';
import { SWITCH_MUTANTS } from './switching.js';
import { VERIFICATION_MUTANTS } from './verification.js';

export type { Mutant } from './mutant.js';

/**
 * Defects that shipped scenarios have to notice. They were chosen by what could break in the switch of a carrier, by somebody who had not looked at what
 * holds runs against their truth: a mutant that survives shows what is not looked at, and stays in the table.
 */
export const MUTANTS: readonly Mutant[] = [
  ...VERIFICATION_MUTANTS,
  ...SIGNING_MUTANTS,
  ...SWITCH_MUTANTS,
  ...RECORD_MUTANTS,
  ...ANSWER_MUTANTS,
  ...PLATFORM_MUTANTS,
];
