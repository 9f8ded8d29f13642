import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../../core/verdict-evidence.js';
import { durationText, instantText, printableText } from '../../core/text.js';
import type { CallVerdict, VerificationOutcome } from './outcome.js';
import { FAILURE_REASONS, NOTE_TEXTS } from './step.js';
import type { FailureReason, NoteReason, StepName, VerificationFailure } from './step.js';
import { VERIFICATION_STEPS } from './steps.js';

/** One step of a verification, told so that a person sees why. */
export type ExplainedStep = ExplainedPassport['steps'][number];

/** The steps of one Identity header. */
export interface ExplainedPassport {
  /** Position of the Identity header in the request, from 0. */
  readonly index: number;
  /** The PASSporT type; absent where it could not be read or the PASSporT has none. */
  readonly ppt?: string;
  /** As in the verdict. */
  readonly status: PassportEvidence['status'];
  /** Every step in the order it is made, those that did not apply included. */
  readonly steps: readonly {
    /** Name of the step, as in `VERIFICATION_STEPS`. */
    readonly step: VerificationFailure['step'];
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
  }[];
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
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
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
const secondsText = (evidence: VerdictEvidence): string =>
  `${String(Math.floor(evidence.checkedAtMs / 1000))} ± ${String(evidence.freshnessSeconds)} s`;
const bothValues = (expected: string | undefined, actual: string | undefined): ReturnType<PassedValues> => ({
  ...(expected === undefined ? undefined : { expected }),
  ...(actual === undefined ? undefined : { actual }),
});

/** Both values of a step that passed, out of what the evidence keeps once. */
const PASSED_VALUES: Readonly<Record<StepName, PassedValues>> = {
  'identity-header-syntax': nothing,
  'ppt-parameter': ({ ppt }) => same(ppt),
  'full-form': nothing,
  'info-parameter': ({ x5u }) => bothValues(undefined, x5u),
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
    expected: secondsText(evidence),
    ...(evidence.request.dateSeconds === undefined ? undefined : { actual: evidence.request.dateSeconds }),
  }),
  'iat-fresh': ({ iatSeconds }, evidence) => ({
    expected: secondsText(evidence),
    ...(iatSeconds === undefined ? undefined : { actual: iatSeconds }),
  }),
  orig: ({ orig }, { request }) => bothValues(request.orig, orig),
  dest: ({ dest }, { request }) => bothValues(request.dest, dest?.join(' ')),
  'div-chain': ({ div, dest }, { request }) =>
    bothValues(request.target ?? request.dest, `${div ?? ''} → ${dest?.join(' ') ?? ''}`),
  'certificate-fetched': ({ certificateSha256 }) => bothValues(undefined, certificateSha256),
  'certificate-path': ({ trustAnchorSha256 }) => bothValues(undefined, trustAnchorSha256),
  revocation: nothing,
  'number-authority': ({ spc, div, orig }) => bothValues(spc === undefined ? undefined : `SPC ${spc}`, div ?? orig),
  'claim-constraints': nothing,
  signature: ({ certificateSha256 }) => bothValues(certificateSha256, undefined),
  replay: (_passport, { seenCount }) => (seenCount === undefined ? {} : { expected: 1, actual: seenCount }),
};

/**
 * Tells a verdict to a person, one line each, without colour: first the answer and why, then what goes into SIP, then for every
 * Identity header each step with both values and where the rule comes from. The first character of a line that is no blank is
 * its mark: `✓` passed, `✗` failed, `?` could not be checked, `!` let pass with a note, `·` not applicable or not reached.
 * The lines hold telephone numbers in full: they are for whoever asked about this call, not for logs. What a peer
 * wrote is made printable. Never throws for a verdict of this release.
 * @param verdict - of a verification service
 * @returns the lines; the first is the answer, the second says why or who signed
 * @see RFC 8224 section 6.2, RFC 9410
 * @example
 * ```ts
 * // A request that nobody signed: nothing has to be fetched for it.
 * const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));
 * const pending = startVerification({ identity: [] }, { policy: verificationPolicy(), types, nowMs: Date.now() });
 * const verdict = concludeVerification(pending, [], { signatures: [] });
 * console.log(describeVerdict(verdict)[0]); // ? indeterminate: No-TN-Validation, identity-absent
 * ```
 */
export function describeVerdict(verdict: CallVerdict): readonly string[] {
  const { evidence } = verdict;
  const explained = explainEvidence(evidence);
  return [
    headline(verdict),
    ...facts(verdict).map(([label, value]) => `  ${label.padEnd(LABEL_CHARS)} ${printableText(value, MAX_FACT_CHARS)}`),
    ...explained.flatMap((passport, at) => [
      '',
      ...passportLines(passport, verdict, explained.length, evidence.passports[at]),
    ]),
  ];
}

const MARKS: Readonly<Record<CallVerdict['status'] | 'ignored', string>> = {
  passed: '✓',
  failed: '✗',
  indeterminate: '?',
  ignored: '·',
};

const STEP_MARKS: Readonly<Record<ExplainedStep['result'], string>> = {
  passed: '✓',
  failed: '✗',
  unknown: '?',
  noted: '!',
  skipped: '·',
};

/** Room for the longest label, the longest name of a step and the usual value. */
const LABEL_CHARS = 14;
const STEP_CHARS = 23;
const VALUE_CHARS = 44;

/** Longest URL that is fetched; `ppi` is shortened before. */
const MAX_FACT_CHARS = 1100;

function headline({ status, verstat, attestation, signer, reasons }: CallVerdict): string {
  const parts = [
    verstat,
    ...(attestation === undefined ? [] : [`attestation ${attestation}`]),
    ...(signer?.spc === undefined ? [] : [`signed by SPC ${signer.spc}`]),
    ...(status === 'passed' ? [] : [...reasons]),
  ];
  return `${MARKS[status]} ${status}: ${parts.join(', ')}`;
}

function facts(verdict: CallVerdict): readonly (readonly [string, string])[] {
  const { status, signer, origId, sipResponse, reasonHeaders, reasons, evidence } = verdict;
  const [primary] = reasons;
  const store = evidence.trustStore === undefined ? '' : `, trust store ${evidence.trustStore.slice(0, 8)}`;
  const out: (readonly [string, string])[] = [];
  if (status !== 'passed' && primary !== undefined) out.push(['why', FAILURE_REASONS[primary].text]);
  if (signer !== undefined) out.push(['signer', signer.subject], ['certificate', signer.x5u]);
  if (origId !== undefined) out.push(['origid', origId]);
  out.push(['caller', partyText(evidence.request.orig, evidence.request.origSource)]);
  out.push(['called', partyText(evidence.request.dest, evidence.request.destSource)]);
  out.push(['checked', `${instantText(evidence.checkedAtMs)}, profile ${evidence.profile}${store}`]);
  if (evidence.surplusHeaders !== undefined) {
    out.push(['not looked at', `${String(evidence.surplusHeaders)} further Identity headers`]);
  }
  if (sipResponse !== undefined) {
    out.push([
      'SIP response',
      `${String(sipResponse.status)} ${sipResponse.reasonPhrase}, where policy refuses the call`,
    ]);
  }
  return [...out, ...reasonHeaders.map((value) => ['Reason', shortPpi(value)] as const)];
}

/** The whole PASSporT of a full `ppi` is in the verdict itself; its ends are enough to recognise it. */
function shortPpi(reasonHeader: string): string {
  const start = reasonHeader.indexOf('ppi="');
  const ppi = start < 0 ? '' : reasonHeader.slice(start + 5, -1);
  return ppi.length <= 2 * PPI_END_CHARS
    ? reasonHeader
    : reasonHeader.replace(ppi, `${ppi.slice(0, PPI_END_CHARS)}…${ppi.slice(-PPI_END_CHARS)}`);
}

const PPI_END_CHARS = 12;

const SOURCES: Readonly<Record<string, string>> = {
  'p-asserted-identity': 'P-Asserted-Identity',
  from: 'From',
  to: 'To',
  'request-uri': 'Request-URI',
  given: 'as given',
};

function partyText(value: string | undefined, source: string | undefined): string {
  if (value === undefined) return 'not known from the request';
  return source === undefined ? value : `${value} (${SOURCES[source] ?? source})`;
}

function passportLines(
  passport: ExplainedPassport,
  verdict: CallVerdict,
  total: number,
  evidence: PassportEvidence | undefined,
): readonly string[] {
  const { index, status, steps } = passport;
  const ppt = printableText(passport.ppt ?? 'no ppt', 40);
  const title = `${MARKS[status]} Identity header ${String(index + 1)} of ${String(total)}: ${ppt}, ${status}`;
  if (status === 'ignored' || evidence === undefined) return [`${title}: a type that is not verified here`];
  const lastMade = steps.findLastIndex(({ result }) => result !== 'skipped');
  const isCutShort = status !== 'passed';
  const made = steps.slice(0, lastMade + 1);
  return [
    title,
    ...made.flatMap((step) => (step.result === 'skipped' ? [] : stepLines(step, verdict, evidence))),
    ...listLine('does not apply', isCutShort ? made : steps),
    ...listLine('not reached', isCutShort ? steps.slice(lastMade + 1) : []),
  ];
}

function listLine(what: string, steps: readonly ExplainedStep[]): readonly string[] {
  const names = steps.filter(({ result }) => result === 'skipped').map(({ step }) => step);
  return names.length === 0 ? [] : [`  · ${what}: ${names.join(', ')}`];
}

function stepLines(step: ExplainedStep, verdict: CallVerdict, evidence: PassportEvidence): readonly string[] {
  const exceptions = evidence.exceptions.filter((exception) => exception.step === step.step);
  const isSeveral = exceptions.length > 1;
  const text = isSeveral ? `${String(exceptions.length)} reasons` : valueText(step, evidence, verdict.evidence);
  const value = printableText(text);
  const section = step.section.replaceAll(/ sections? /g, ' §');
  const first = `  ${STEP_MARKS[step.result]} ${step.step.padEnd(STEP_CHARS)} ${value.padEnd(VALUE_CHARS)} ${section}`;
  return [
    first,
    ...exceptions.map((exception) => {
      const values = isSeveral ? comparedText(exception) : '';
      const more = [values, detailOf(verdict.outcomes[evidence.index], exception)]
        .filter((part) => part !== '')
        .join('; ');
      const said = meaningOf(exception) + (more === '' ? '' : ` (${more})`);
      return `    ${' '.repeat(STEP_CHARS)} ${exception.reason}: ${printableText(said)}`;
    }),
  ];
}

function meaningOf({ reason, result }: EvidenceException): string {
  return result === 'noted' ? NOTE_TEXTS[reason as NoteReason] : FAILURE_REASONS[reason as FailureReason].text;
}

/** What evidence does not keep: details are for the person in front of the verdict. */
function detailOf(outcome: VerificationOutcome | undefined, exception: EvidenceException): string {
  if (outcome === undefined || outcome.status === 'ignored') return '';
  const entries: readonly Detailed[] =
    outcome.status === 'passed' ? outcome.notes : [...outcome.failures, ...outcome.notes];
  const { step, reason, expected, actual } = exception;
  const entry = entries.find(
    (candidate) =>
      candidate.step === step &&
      candidate.reason === reason &&
      candidate.expected === expected &&
      candidate.actual === actual,
  );
  return (entry?.detail ?? '').replaceAll(SHA256, '$1…');
}

/** A digest is recognised by its beginning. */
const SHA256 = /\b([0-9a-f]{16})[0-9a-f]{48}\b/g;

type Detailed = Pick<VerificationFailure, 'step' | 'expected' | 'actual' | 'detail'> & { readonly reason: string };

type Compared = Pick<ExplainedStep, 'expected' | 'actual'>;

type ValueText = (step: ExplainedStep, passport: PassportEvidence, evidence: VerdictEvidence) => string;

/** What both values of a step are, where "expected, found" would leave a person guessing. */
const VALUE_TEXTS: Partial<Readonly<Record<StepName, ValueText>>> = {
  'date-fresh': (_step, _passport, evidence) => ageText(evidence.request.dateSeconds, evidence),
  'iat-fresh': (_step, { iatSeconds }, evidence) => ageText(iatSeconds, evidence),
  claims: (step, { attestation }) =>
    step.result === 'passed' && attestation !== undefined ? `attest ${attestation}` : comparedText(step),
  orig: (step) => comparedText(step, 'request', 'token'),
  dest: (step) => comparedText(step, 'request', 'token'),
  'div-chain': (step) => (step.result === 'passed' ? String(step.actual ?? '') : comparedText(step)),
  'certificate-fetched': (step) =>
    step.result === 'passed' ? `SHA-256 ${shortHash(step.actual)}` : comparedText(step),
  'certificate-path': (step) =>
    step.result === 'passed' ? `to anchor SHA-256 ${shortHash(step.actual)}` : comparedText(step),
  revocation: (step) => revocationText(step),
  'number-authority': (step) =>
    step.result === 'passed' && step.expected !== undefined
      ? `${String(step.expected)} for ${String(step.actual)}`
      : comparedText(step),
  signature: (step) => (step.result === 'passed' ? 'ES256, key of the certificate' : comparedText(step)),
  replay: (step, _passport, { firstSeenMs }) => {
    if (step.actual === 1) return 'first time seen';
    const since = firstSeenMs === undefined ? '' : `, first at ${instantText(firstSeenMs)}`;
    return `seen ${String(step.actual)} times${since}`;
  },
};

function valueText(step: ExplainedStep, passport: PassportEvidence, evidence: VerdictEvidence): string {
  return VALUE_TEXTS[step.step]?.(step, passport, evidence) ?? comparedText(step);
}

function comparedText({ expected, actual }: Compared, left = 'expected', right = 'found'): string {
  if (expected === undefined) return actual === undefined ? '' : shownValue(actual);
  if (actual === undefined) return `${left} ${shownValue(expected)}`;
  if (expected === actual) return shownValue(actual);
  return `${left} ${shownValue(expected)}, ${right} ${shownValue(actual)}`;
}

/** Of the numbers in evidence only milliseconds since the epoch are this large. */
const shownValue = (value: string | number): string =>
  typeof value === 'number' && value > 100_000_000_000 ? instantText(value) : String(value);

function revocationText(step: ExplainedStep): string {
  if (step.result === 'passed') return 'good';
  if (step.result === 'failed' && typeof step.actual === 'number') return `revoked ${instantText(step.actual)}`;
  return 'unknown';
}

function ageText(atSeconds: number | undefined, evidence: VerdictEvidence): string {
  if (atSeconds === undefined) return 'absent';
  const age = Math.floor(evidence.checkedAtMs / 1000) - atSeconds;
  const side = age < 0 ? `${durationText(-age)} ahead` : `${durationText(age)} old`;
  return `${instantText(atSeconds * 1000)}, ${side}, limit ${String(evidence.freshnessSeconds)} s`;
}

const shortHash = (value: string | number | undefined): string => `${String(value ?? '').slice(0, 16)}…`;
