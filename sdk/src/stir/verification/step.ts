import type { FailureReason } from './failure-reasons.js';
import type { RequestContext, Token } from './token.js';

/** Names of the verification steps, in the order they are made. */
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
  readonly expected?: string | number;
  readonly actual?: string | number;
  readonly detail?: string;
}

/** What a step found: undefined is a pass. */
export type StepResult = undefined | 'does-not-apply' | StepException | readonly StepException[];

/** One rule of the verification service. Pure: looks at the token and the request, says what it found. */
export interface VerificationStep {
  readonly name: StepName;
  /** Where the rule comes from. */
  readonly section: string;
  /** The rule in one sentence, for people. */
  readonly rule: string;
  /** Makes the check; never throws for peer input. */
  readonly check: (token: Token, context: RequestContext) => StepResult;
}

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
export function runSteps(steps: readonly VerificationStep[], token: Token, context: RequestContext): void {
  for (const step of steps) {
    const result = step.check(token, context);
    if (result === undefined) token.passed.push(step.name);
    else if (result !== 'does-not-apply') record(token, result);
  }
}

/** Takes back what steps found, so that they can be made again under other circumstances. */
export function forgetSteps(steps: readonly VerificationStep[], token: Token): void {
  const names = new Set<StepName>(steps.map(({ name }) => name));
  const passed = token.passed.filter((name) => !names.has(name as StepName));
  const exceptions = token.exceptions.filter(({ step }) => !names.has(step));
  token.passed.splice(0, token.passed.length, ...passed);
  token.exceptions.splice(0, token.exceptions.length, ...exceptions);
}

function record(token: Token, result: StepException | readonly StepException[]): void {
  const exceptions = isList(result) ? result : [result];
  for (const exception of exceptions) {
    token.exceptions.push(exception);
    if (exception.result !== 'noted') token.isStopped = true;
    else token.passed.push(exception.step);
  }
}

const isList = (result: StepException | readonly StepException[]): result is readonly StepException[] =>
  Array.isArray(result);
