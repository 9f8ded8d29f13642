import type { FailureReason } from './failure-reasons.js';
import type { RequestContext, Token } from './token.js';

/** Name of a verification step. */
export type StepName =
  | 'identity-header-syntax'
  | 'ppt-parameter'
  | 'full-form'
  | 'info-parameter'
  | 'alg-parameter'
  | 'passport-syntax'
  | 'header-claims'
  | 'critical-headers'
  | 'x5u-is-info'
  | 'typ'
  | 'alg'
  | 'ppt'
  | 'claims'
  | 'date-fresh'
  | 'iat-fresh'
  | 'orig'
  | 'dest'
  | 'div-chain'
  | 'certificate-fetched'
  | 'certificate-path'
  | 'revocation'
  | 'number-authority'
  | 'claim-constraints'
  | 'signature'
  | 'replay';

/** Deviations that are let pass, and remarked. */
export type NoteReason =
  | 'orig-tn-not-canonical'
  | 'dest-tn-not-canonical'
  | 'date-differs-from-iat'
  | 'inner-iat-not-fresh'
  | 'revocation-unknown-accepted'
  | 'certificate-stale'
  | 'seen-before'
  | 'certificate-host-deviates'
  | 'compact-form-accepted';

/** A step that did not simply pass. */
export type StepException =
  | {
      readonly step: StepName;
      readonly result: 'failed' | 'unknown';
      readonly reason: FailureReason;
      readonly expected?: string | number;
      readonly actual?: string | number;
      readonly detail?: string;
    }
  | {
      readonly step: StepName;
      readonly result: 'noted';
      readonly reason: NoteReason;
      readonly expected?: string | number;
      readonly actual?: string | number;
      readonly detail?: string;
    };

/** Both values of a comparison that went wrong, and what else helps a person. */
export interface Values {
  /** What the rule asked for, or the value of the request. */
  readonly expected?: string | number;
  /** What was found, or the value of the token. */
  readonly actual?: string | number;
  /** In words. */
  readonly detail?: string;
}

/** What a step found: undefined is a pass. */
export type StepResult = undefined | 'does-not-apply' | StepException | readonly StepException[];

/** One rule of the verification service. Pure: looks at the token and the request, says what it found. */
export interface VerificationStep {
  /** What evidence and outcomes call it. */
  readonly name: StepName;
  /** Where the rule comes from. */
  readonly section: string;
  /** The rule in one sentence, for people. */
  readonly rule: string;
  /** Makes the check; never throws for peer input. */
  readonly check: (token: Token, context: RequestContext) => StepResult;
}

/** A step with the bit that stands for it in a {@link StepSet}. */
export interface NumberedStep extends VerificationStep {
  readonly bit: StepSet;
}

/** A set of steps as one integer: cheap to add to on every call, and equal sets share one list of names. */
export type StepSet = number;

/** Every step once, in the order they are made: a name that is missing does not compile. */
const STEP_ORDER: Readonly<Record<StepName, true>> = {
  'identity-header-syntax': true,
  'ppt-parameter': true,
  'full-form': true,
  'info-parameter': true,
  'alg-parameter': true,
  'passport-syntax': true,
  'header-claims': true,
  'critical-headers': true,
  'x5u-is-info': true,
  typ: true,
  alg: true,
  ppt: true,
  claims: true,
  'date-fresh': true,
  'iat-fresh': true,
  orig: true,
  dest: true,
  'div-chain': true,
  'certificate-fetched': true,
  'certificate-path': true,
  revocation: true,
  'number-authority': true,
  'claim-constraints': true,
  signature: true,
  replay: true,
};

/** Names of the verification steps, in the order they are made. */
const STEP_NAMES = Object.keys(STEP_ORDER) as readonly StepName[];

/** The bit of a step: bit n for the n-th name. */
const bitOf = (name: StepName): StepSet => 1 << STEP_NAMES.indexOf(name);

/** Gives each step its bit. */
export const numbered = (steps: readonly VerificationStep[]): readonly NumberedStep[] =>
  steps.map((step) => ({ ...step, bit: bitOf(step.name) }));

/** Names of the steps in a set, in the order they are made. */
export function namesOfSteps(steps: StepSet): readonly StepName[] {
  return STEP_NAMES.filter((name) => (steps & bitOf(name)) !== 0);
}

/** Makes a {@link namesOfSteps} that remembers its lists: calls go a few ways through the steps. */
export function createStepNames(): typeof namesOfSteps {
  const known = new Map<StepSet, readonly StepName[]>();
  return (steps) => {
    const names = known.get(steps);
    if (names !== undefined) return names;
    // Whoever finds ever more ways only has the lists written out again.
    if (known.size >= MAX_KNOWN_SETS) known.clear();
    const written = Object.freeze(namesOfSteps(steps));
    known.set(steps, written);
    return written;
  };
}

const MAX_KNOWN_SETS = 1024;

/** A finding against the PASSporT. */
export function fail(step: StepName, reason: FailureReason, values: Values = {}): StepException {
  return { step, result: 'failed', reason, ...values };
}

/** A check that could not be made. */
export function unknown(step: StepName, reason: FailureReason, values: Values = {}): StepException {
  return { step, result: 'unknown', reason, ...values };
}

/** A deviation that is let pass. */
export function note(step: StepName, reason: NoteReason, values: Values = {}): StepException {
  return { step, result: 'noted', reason, ...values };
}

/** Makes the steps in order and writes what they find into the token; a note does not stop it. */
export function runSteps(steps: readonly NumberedStep[], token: Token, context: RequestContext): void {
  for (const step of steps) {
    const result = step.check(token, context);
    if (result === undefined) token.passed |= step.bit;
    else if (result !== 'does-not-apply') record(token, step.bit, result);
  }
}

/** Takes back what steps found, so that they can be made again under other circumstances. */
export function forgetSteps(steps: readonly NumberedStep[], token: Token): void {
  const names = new Set<StepName>(steps.map(({ name }) => name));
  for (const { bit } of steps) token.passed &= ~bit;
  const exceptions = token.exceptions.filter(({ step }) => !names.has(step));
  token.exceptions.splice(0, token.exceptions.length, ...exceptions);
}

function record(token: Token, bit: StepSet, result: StepException | readonly StepException[]): void {
  const exceptions = isList(result) ? result : [result];
  for (const exception of exceptions) {
    token.exceptions.push(exception);
    if (exception.result !== 'noted') token.isStopped = true;
    else token.passed |= bit;
  }
}

const isList = (result: StepException | readonly StepException[]): result is readonly StepException[] =>
  Array.isArray(result);
