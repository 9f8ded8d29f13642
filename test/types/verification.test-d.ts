import type {
  CallVerdict,
  FailureMeaning,
  FailureReason,
  PathFailure,
  StepException,
  VerificationOutcome,
  VerificationPolicy,
  VerificationRequest,
  VerifiedPassport,
  FAILURE_REASONS,
  NOTE_TEXTS,
  STEP_NAMES,
} from '@hopback/sdk/stir';
import type { VERIFICATION_STEPS } from '../../sdk/src/stir/verification/steps.js';
import type { FAILURE_REASON_NAMES } from '../../sdk/src/stir/verification/step.js';

// Checked by the compiler, never run: what is written here compiles exactly as long as the types keep their word.

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Holds<T extends true> = T;

type NoteReason = keyof typeof NOTE_TEXTS;
type PathFailureReason = PathFailure['reason'];
type StepName = (typeof STEP_NAMES)[number];

/** The map from failure reason to SIP response is total, and knows nothing beyond the reasons. */
export type MapIsTotal = Holds<Equal<keyof typeof FAILURE_REASONS, FailureReason>>;
export type MapIsFixed = Holds<Equal<(typeof FAILURE_REASONS)[FailureReason], FailureMeaning>>;
export type NamesAreReasons = Holds<Equal<(typeof FAILURE_REASON_NAMES)[number], FailureReason>>;

/** Whatever a certification path can fail of is a failure reason. */
export type PathReasonsAreReasons = Holds<Equal<Extract<FailureReason, PathFailureReason>, PathFailureReason>>;

/** Notes are no failures: the two never share a name. */
export type NotesAreNoFailures = Holds<Equal<Extract<FailureReason, NoteReason>, never>>;

export type StepsAreNamed = Holds<Equal<(typeof VERIFICATION_STEPS)[number]['name'], StepName>>;
export type ResponsesAreClosed = Holds<
  Equal<NonNullable<FailureMeaning['sip']>['status'], 403 | 428 | 436 | 437 | 438>
>;
export type VerdictIsClosed = Holds<Equal<CallVerdict['status'], 'passed' | 'failed' | 'indeterminate'>>;
export type OutcomeIsClosed = Holds<Equal<VerificationOutcome['status'], CallVerdict['status'] | 'ignored'>>;
export type ExceptionIsClosed = Holds<Equal<StepException['result'], 'failed' | 'unknown' | 'noted'>>;

/** A map that forgets one reason does not compile. */
export function incompleteMap(complete: Readonly<Record<FailureReason, string>>): void {
  const { 'signature-invalid': _left, ...rest } = complete;
  // @ts-expect-error -- signature-invalid is missing
  const map: Readonly<Record<FailureReason, string>> = rest;
  void map;
}

/** All statuses of an outcome are told apart by `status` alone. */
export function outcomeArms(outcome: VerificationOutcome): readonly (FailureReason | VerifiedPassport)[] {
  switch (outcome.status) {
    case 'passed':
      return [outcome.passport];
    case 'failed':
    case 'indeterminate':
      return outcome.failures.map(({ reason }) => reason);
    case 'ignored':
      return [];
    default: {
      const never: never = outcome;
      return never;
    }
  }
}

/** What did not pass has no passport, and what passed no failures. */
export function wrongArm(outcome: VerificationOutcome): void {
  // @ts-expect-error -- not before the status was looked at
  void outcome.passport;
  // @ts-expect-error -- likewise
  void outcome.failures;
}

/** A note and a failure are told apart by `result`. */
export function exceptionArms(exception: StepException): FailureReason | NoteReason {
  if (exception.result === 'noted') {
    const note: NoteReason = exception.reason;
    return note;
  }
  const reason: FailureReason = exception.reason;
  return reason;
}

/** A verified PASSporT cannot be written down by hand. */
export function forgedPassport(): void {
  // @ts-expect-error -- only the verification service makes one
  const forged: VerifiedPassport = {
    ppt: 'shaken',
    orig: { kind: 'tn', value: '12025550101' },
    dest: [{ kind: 'tn', value: '12025550199' }],
    iatSeconds: 0,
    signer: { certificateSha256: '', subject: '', x5u: '' },
  };
  void forged;
}

/** Verdicts are read, not changed, and policies take known values only. */
export function readOnly(verdict: CallVerdict): Partial<VerificationPolicy> {
  // @ts-expect-error -- read-only
  verdict.status = 'passed';
  // @ts-expect-error -- read-only
  verdict.reasons.push('replayed');
  // @ts-expect-error -- no such profile
  return { profile: 'anything-goes' };
}

/** Everything of a request but its Identity may be absent, and absent is not undefined. */
export const smallestRequest: VerificationRequest = { identity: [] };
// @ts-expect-error -- leave it out instead
export const undefinedMember: VerificationRequest = { identity: [], date: undefined };
