import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../../core/call-record.js';
import { FAILURE_REASONS } from './failure-reasons.js';
import type { FailureReason } from './failure-reasons.js';
import type { StepName } from './step.js';
import { VERIFICATION_STEPS } from './steps.js';

/** One step of a verification, told so that a person sees why. */
export interface ExplainedStep {
  /** Name of the step, as in {@link VERIFICATION_STEPS}. */
  readonly step: StepName;
  /** The rule in one sentence. */
  readonly rule: string;
  /** Where the rule comes from. */
  readonly section: string;
  /** `skipped`: did not apply, or an earlier step ended the matter. */
  readonly result: 'passed' | 'noted' | 'failed' | 'unknown' | 'skipped';
  /** Failure reasons or notes, empty when the step simply passed. */
  readonly reasons: readonly { readonly reason: string; readonly text?: string }[];
  /** What the rule asked for. */
  readonly expected?: string | number;
  /** What was found. */
  readonly actual?: string | number;
}

/** The steps of one Identity header. */
export interface ExplainedPassport {
  /** Position of the Identity header in the request, from 0. */
  readonly index: number;
  /** The PASSporT type; absent where it could not be read or the PASSporT has none. */
  readonly ppt?: string;
  /** As in the verdict. */
  readonly status: PassportEvidence['status'];
  /** Every step in the order it is made, those that did not apply included. */
  readonly steps: readonly ExplainedStep[];
}

/**
 * Tells step by step what a verification service checked, with both values of each comparison. Works from the evidence alone,
 * so that a verdict can be explained months later from what was kept of it. The values are what stood in request and token:
 * untrusted text, telephone numbers in full. Never throws for evidence of this format.
 * @param evidence - of a call verdict, or read back from a call record
 * @returns the steps of each Identity header, in the order of the request
 * @see RFC 8224 section 6.2
 * @example
 * ```ts
 * const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const identity = createPassport({ signer, x5u: 'https://certs.example/1234.pem' }).identityHeader;
 * const from = '<sip:+12025550166@a.example>';
 * const pending = startVerification({ identity, from }, { policy: verificationPolicy(), types, nowMs: TEST_NOW_MS });
 * const { evidence } = concludeVerification(pending, [], { signatures: [] });
 * const orig = explainEvidence(evidence)[0]?.steps.find(({ step }) => step === 'orig');
 * console.log(orig?.result, orig?.expected, orig?.actual); // failed 12025550166 12025550101
 * ```
 */
export function explainEvidence(evidence: VerdictEvidence): readonly ExplainedPassport[] {
  return evidence.passports.map((passport) => ({
    index: passport.index,
    status: passport.status,
    ...(passport.ppt === undefined ? undefined : { ppt: passport.ppt }),
    steps: VERIFICATION_STEPS.map(({ name, rule, section }) => ({
      step: name,
      rule,
      section,
      ...explainStep(name, passport, evidence),
    })),
  }));
}

type Explanation = Pick<ExplainedStep, 'result' | 'reasons' | 'expected' | 'actual'>;

function explainStep(name: StepName, passport: PassportEvidence, evidence: VerdictEvidence): Explanation {
  const exceptions = passport.exceptions.filter((exception) => exception.step === name);
  const [first] = exceptions;
  if (first === undefined) {
    if (!passport.passed.includes(name)) return { result: 'skipped', reasons: [] };
    return { result: 'passed', reasons: [], ...PASSED_VALUES[name](passport, evidence) };
  }
  const worst = exceptions.find(({ result }) => result === 'failed') ?? first;
  return {
    result: worst.result,
    reasons: exceptions.map(explainReason),
    ...(worst.expected === undefined ? undefined : { expected: worst.expected }),
    ...(worst.actual === undefined ? undefined : { actual: worst.actual }),
  };
}

function explainReason({ reason, result }: EvidenceException): { readonly reason: string; readonly text?: string } {
  const isKnown = result !== 'noted' && Object.hasOwn(FAILURE_REASONS, reason);
  return isKnown ? { reason, text: FAILURE_REASONS[reason as FailureReason].text } : { reason };
}

type PassedValues = (
  passport: PassportEvidence,
  evidence: VerdictEvidence,
) => { readonly expected?: string | number; readonly actual?: string | number };

const nothing: PassedValues = () => ({});
const same = (value: string | number | undefined): ReturnType<PassedValues> =>
  value === undefined ? {} : { expected: value, actual: value };
const seconds = (evidence: VerdictEvidence): string =>
  `${String(Math.floor(evidence.checkedAtMs / 1000))} ± ${String(evidence.freshnessSeconds)} s`;
const values = (expected: string | undefined, actual: string | undefined): ReturnType<PassedValues> => ({
  ...(expected === undefined ? undefined : { expected }),
  ...(actual === undefined ? undefined : { actual }),
});

/** Both values of a step that passed, out of what the evidence keeps once. */
const PASSED_VALUES: Readonly<Record<StepName, PassedValues>> = {
  'identity-header-syntax': nothing,
  'ppt-parameter': ({ ppt }) => same(ppt),
  'full-form': nothing,
  'info-parameter': ({ x5u }) => values(undefined, x5u),
  'alg-parameter': () => same('ES256'),
  'passport-syntax': nothing,
  'header-claims': nothing,
  'critical-headers': nothing,
  'x5u-is-info': ({ x5u }) => same(x5u),
  typ: () => same('passport'),
  alg: () => same('ES256'),
  ppt: ({ ppt }) => same(ppt),
  claims: ({ attestation, origId }) =>
    attestation === undefined ? {} : { actual: `attest ${attestation}, origid ${origId ?? ''}` },
  'date-fresh': (_passport, evidence) => ({
    expected: seconds(evidence),
    ...(evidence.request.dateSeconds === undefined ? undefined : { actual: evidence.request.dateSeconds }),
  }),
  'iat-fresh': ({ iatSeconds }, evidence) => ({
    expected: seconds(evidence),
    ...(iatSeconds === undefined ? undefined : { actual: iatSeconds }),
  }),
  orig: ({ orig }, { request }) => values(request.orig, orig),
  dest: ({ dest }, { request }) => values(request.dest, dest?.join(' ')),
  'div-chain': ({ div, dest }, { request }) =>
    values(request.target ?? request.dest, `${div ?? ''} → ${dest?.join(' ') ?? ''}`),
  'certificate-fetched': ({ certificateSha256 }) => values(undefined, certificateSha256),
  'certificate-path': ({ trustAnchorSha256 }) => values(undefined, trustAnchorSha256),
  revocation: nothing,
  'number-authority': ({ spc, div, orig }) => values(spc === undefined ? undefined : `SPC ${spc}`, div ?? orig),
  'claim-constraints': nothing,
  signature: ({ certificateSha256 }) => values(certificateSha256, undefined),
  replay: (_passport, { seenCount }) => (seenCount === undefined ? {} : { expected: 1, actual: seenCount }),
};
