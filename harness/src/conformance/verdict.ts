import type {
  Capability,
  ConformanceCase,
  SentCall,
  SigningCase,
  SigningContext,
  VerificationCase,
  VerificationExpectation,
} from './case.js';
import type { Observed, ReasonSeen } from './observed.js';

/** What a case found: a service conforms in it, does not, or cannot be asked by this interface. */
export type CaseVerdict =
  | { readonly status: 'pass' }
  | { readonly status: 'fail'; readonly reason: string }
  | { readonly status: 'not-applicable'; readonly reason: string };

type Verified = Extract<Observed, { readonly kind: 'verified' }>;

const PASS: CaseVerdict = { status: 'pass' };
const failed = (reason: string): CaseVerdict => ({ status: 'fail', reason });

/** In words, for a reason why a case is not applicable. */
const CAPABILITY_TEXT: Readonly<Record<Capability, string>> = {
  verify: 'verifies nothing',
  parties: 'is not told who calls whom',
  'sip-caller': 'has no header fields of SIP',
  'several-headers': 'takes one Identity header alone',
  target: 'knows no Request-URI apart from To',
  date: 'knows no Date',
  unsigned: 'is not asked for calls without Identity',
  folding: 'has no header fields over several lines',
  codes: 'shows no response code',
  verstat: 'shows no verstat',
  reasons: 'shows no Reason',
  sign: 'signs nothing',
  'sign-attestation': 'is not told the attestation',
  'sign-origid': 'is not told the origid',
  'sign-iat': 'is not told the iat',
  'sign-several': 'takes one called number alone',
  'sign-spelling': 'cannot carry other spellings of numbers',
  'sign-incomplete': 'has no request without its numbers',
  'sign-div': 'signs no div',
};

/**
 * Whether a target can be asked what a case is about.
 * @returns not applicable and why, or undefined where it can
 */
export function applicability(
  { needs }: Pick<ConformanceCase, 'needs'>,
  has: ReadonlySet<Capability>,
): Extract<CaseVerdict, { readonly status: 'not-applicable' }> | undefined {
  const lacking = needs.find((need) => !has.has(need));
  return lacking === undefined
    ? undefined
    : { status: 'not-applicable', reason: `the interface ${CAPABILITY_TEXT[lacking]}` };
}

/**
 * Judges an answer of a verification service. What the interface does not show is not judged.
 * @param about - the case and the call that was sent
 * @param observed - what came
 */
export function judgeVerification(
  about: { readonly conformanceCase: VerificationCase; readonly call: SentCall },
  observed: Observed,
): CaseVerdict {
  const trouble = troubleOf(observed);
  if (trouble !== undefined) return failed(trouble);
  if (observed.kind !== 'verified') return failed(`a signature was answered: ${observed.said}`);
  const { expects } = about.conformanceCase;
  const expected = typeof expects === 'function' ? expects(about.call) : expects;
  const outcome = outcomeProblem(expected, observed);
  if (outcome === undefined && expected.verstat !== undefined && observed.isFinalResponse === true)
    return {
      status: 'not-applicable',
      reason: `the call was refused, and a refusal shows no verstat: ${observed.said}`,
    };
  const problem =
    outcome ??
    verstatProblem(expected, observed) ??
    codeProblem(expected, observed) ??
    attestationProblem(expected, observed) ??
    reasonProblem(expected, observed.reasons);
  return problem === undefined ? PASS : failed(problem);
}

/**
 * Judges an answer of a signing service.
 * @param conformanceCase - what was asked
 * @param observed - what came
 * @param about - what a signature is held against
 */
export function judgeSigning(conformanceCase: SigningCase, observed: Observed, about: SigningContext): CaseVerdict {
  const trouble = troubleOf(observed);
  if (trouble !== undefined) return failed(trouble);
  if (observed.kind !== 'signed' && observed.kind !== 'not-signed') return failed('a verdict was answered');
  const problem = conformanceCase.judges(observed, about);
  return problem === undefined ? PASS : failed(problem);
}

function troubleOf(observed: Observed): string | undefined {
  if (observed.kind === 'no-answer') return `no answer: ${observed.said}`;
  return observed.kind === 'not-understood' ? `not understood: ${observed.said}` : undefined;
}

function outcomeProblem({ outcome }: VerificationExpectation, { isPassed, said }: Verified): string | undefined {
  if (outcome === 'passed' && !isPassed) return `it did not pass: ${said}`;
  return outcome === 'refused' && isPassed ? `it passed: ${said}` : undefined;
}

function verstatProblem({ verstat }: VerificationExpectation, observed: Verified): string | undefined {
  if (verstat === undefined || (observed.verstat !== undefined && verstat.includes(observed.verstat))) return undefined;
  return `verstat is ${observed.verstat ?? 'absent'} instead of ${verstat.join(' or ')}`;
}

function codeProblem({ codes }: VerificationExpectation, { codes: seen, said }: Verified): string | undefined {
  if (codes === undefined || seen.some((code) => codes.includes(code))) return undefined;
  return `the code is ${seen.length === 0 ? 'missing' : seen.join(', ')} instead of ${codes.join(' or ')}: ${said}`;
}

function attestationProblem(expected: VerificationExpectation, { attestation }: Verified): string | undefined {
  if (expected.attestation === undefined || attestation === undefined || attestation === expected.attestation)
    return undefined;
  return `the attestation told is ${attestation} instead of ${expected.attestation}`;
}

function reasonProblem(
  { reasonCauses, ppiOf }: VerificationExpectation,
  reasons: readonly ReasonSeen[],
): string | undefined {
  if (reasonCauses === undefined) return undefined;
  const causes = reasons.map(({ cause }) => cause).sort((left, right) => left - right);
  const expected = [...reasonCauses].sort((left, right) => left - right);
  if (causes.join() !== expected.join())
    return `the causes in Reason are ${causes.join(', ') || 'none'} instead of ${expected.join(', ') || 'none'}`;
  if (ppiOf === undefined || reasons.some(({ ppi }) => ppi !== undefined && ppiOf.includes(ppi))) return undefined;
  return 'no ppi in Reason names the token that failed';
}
