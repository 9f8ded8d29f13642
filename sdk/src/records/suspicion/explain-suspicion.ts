import { MAX_FAN_OUT } from './suspicion-policy.js';
import type {
  NotJudgedReason,
  NotJudgedSignal,
  Suspicion,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion.js';

/**
 * Says in English why a call was judged as it was: the level, a sentence for each signal, and one for each that could not be judged.
 * Holds no telephone number. Never throws.
 * @param suspicion - from {@link SuspicionTracker.judge}
 * @returns the sentences, the level first
 * @see {@link SUSPICION_SIGNALS}
 * @example
 * ```ts
 * const suspicion: Suspicion = { score: 0, level: 'none', policyId: 'example-1', signals: [], notJudged: [] };
 * console.log(explainSuspicion(suspicion)[0]);
 * ```
 */
export function explainSuspicion(suspicion: Suspicion): readonly string[] {
  const score = suspicion.score.toFixed(2);
  const level = {
    none: `Nothing that matters speaks against the call (score ${score}, policy ${suspicion.policyId}).`,
    watch: `The call is to be watched (score ${score}, policy ${suspicion.policyId}).`,
    suspicious: `The call looks like a robocall (score ${score}, policy ${suspicion.policyId}).`,
  }[suspicion.level];
  return [level, ...suspicion.signals.map(describeSignal), ...suspicion.notJudged.map(describeNotJudged)];
}

/**
 * One sentence for a signal, with what was seen and from where on it counts. Never throws.
 * @param signal - of a judgement
 * @returns the sentence, with a full stop
 * @see {@link SUSPICION_SIGNALS}
 * @example
 * ```ts
 * console.log(
 *   describeSignal({
 *     name: 'very-short-call',
 *     about: 'call',
 *     strength: 1,
 *     observed: 1,
 *     threshold: 6,
 *     evidence: { recordIds: [] },
 *   }),
 * ); // The call was answered and ended after 1 s; up to 6 s count as very short.
 * ```
 */
export function describeSignal(signal: SuspicionSignal): string {
  return SENTENCES[signal.name](signal);
}

/**
 * One sentence for a signal that could not be judged. Never throws.
 * @param signal - of a judgement
 * @returns the sentence, with a full stop
 * @see {@link NotJudgedReason}
 * @example
 * ```ts
 * console.log(describeNotJudged({ name: 'do-not-originate', why: 'no-list' }));
 * // Not judged, do-not-originate: no list was given.
 * ```
 */
export function describeNotJudged(signal: NotJudgedSignal): string {
  const { name, why } = signal;
  return `Not judged, ${name}: ${REASONS[why]}.`;
}

const SUBJECTS: Readonly<Record<SuspicionSubject, string>> = {
  call: 'the call',
  'calling-number': 'the calling number',
  trunk: 'the trunk it came in by',
  signer: 'its signer',
};

const share = (value: number | string): string =>
  typeof value === 'number' ? `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %` : value;
const plain = (value: number | string): string =>
  typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;

/** `12 of 340 calls since 2026-11-25T00:00Z`. */
function counts({ evidence }: SuspicionSignal): string {
  if (!('counts' in evidence)) return 'this call';
  const { calls, matching, sinceUs } = evidence.counts;
  return `${String(matching)} of ${String(calls)} calls since ${instant(sinceUs)}`;
}

/** `340 calls since 2026-11-25T00:00Z`. */
function calls({ evidence }: SuspicionSignal): string {
  return 'counts' in evidence
    ? `${String(evidence.counts.calls)} calls since ${instant(evidence.counts.sinceUs)}`
    : 'this call';
}

/** How many numbers: beyond a limit they are not counted any more. */
function numbersCalled(observed: number | string): string {
  return observed === MAX_FAN_OUT ? `${plain(observed)} or more` : `about ${plain(observed)}`;
}

function instant(atUs: number): string {
  const date = new Date(atUs / 1_000);
  return Number.isNaN(date.getTime()) ? 'a time that is none' : `${date.toISOString().slice(0, 16)}Z`;
}

const SENTENCES: Readonly<Record<SuspicionSignalName, (signal: SuspicionSignal) => string>> = {
  'do-not-originate': () => 'The calling number is on the do-not-originate list: its holder makes no calls from it.',
  'invalid-calling-number': ({ observed }) =>
    `No telephone has the calling number: ${String(observed).replaceAll('-', ' ')}.`,
  'failed-verification': ({ observed }) => `The signature of the call failed verification: ${String(observed)}.`,
  'replayed-passport': ({ observed, threshold }) =>
    `The same PASSporT has come ${plain(observed)} times; from ${plain(threshold)} times on it counts as replayed.`,
  'gateway-attestation': () =>
    'The call carries gateway attestation (C): its signer knows where the call entered the network and not who calls.',
  'neighbour-spoofing': (signal) =>
    `The caller shows area code and exchange of whom it calls, and the trunk is not of that area; so do ${share(signal.observed)} of the trunk's calls (${counts(signal)}); from ${share(signal.threshold)} on it counts.`,
  'sequential-dialling': ({ observed, threshold }) =>
    `The trunk has called at least ${plain(observed)} numbers in a row shortly after one another; from ${plain(threshold)} on it counts.`,
  'fan-out': (signal) =>
    `The calling number has called ${numbersCalled(signal.observed)} different numbers (${calls(signal)}); from ${plain(signal.threshold)} on it counts.`,
  snowshoe: ({ about, observed, threshold, evidence }) =>
    'counts' in evidence
      ? `About ${String(evidence.counts.matching)} numbers made the ${String(evidence.counts.calls)} calls of ${SUBJECTS[about]} since ${instant(evidence.counts.sinceUs)}, few each, and of those that were no conversation ${share(observed)} came to nothing; from ${share(threshold)} on it counts.`
      : `Many numbers with few calls each: ${share(observed)} came to nothing.`,
  'very-short-call': ({ observed, threshold }) =>
    `The call was answered and ended after ${plain(observed)} s; up to ${plain(threshold)} s count as very short.`,
  'short-call-share': (signal) =>
    `Of the answered calls of ${SUBJECTS[signal.about]} that were no conversation ${share(signal.observed)} ended within seconds (${counts(signal)}); from ${share(signal.threshold)} on it counts.`,
  'low-answer-ratio': (signal) =>
    `Of the calls of ${SUBJECTS[signal.about]} ${share(signal.observed)} were answered (${counts(signal)}); up to ${share(signal.threshold)} count as few.`,
  'signer-concentration': (signal) =>
    `Calls that speak against themselves come with this signer ${plain(signal.observed)} times as often as with others (${counts(signal)}); from ${plain(signal.threshold)} times on it counts.`,
};

const REASONS: Readonly<Record<NotJudgedReason, string>> = {
  'no-calling-number': 'the record has no calling number',
  'caller-anonymous': 'the caller asked not to be named',
  'calling-number-withheld': 'the carrier shows the calling number under a pseudonym',
  'calling-number-foreign': 'the calling number is of another country, whose plan is not known here',
  'no-called-number': 'the record has no called number',
  'called-number-pseudonymous': 'the carrier shows the called number under a pseudonym',
  'called-number-not-north-american': 'the called number is none of the North American plan',
  'no-trunk': 'the record names no trunk',
  'not-answered': 'the call was not answered',
  'no-duration': 'the record does not say how long the call lasted',
  'no-verification': 'the record says nothing of a verification',
  'no-verified-signer': 'no signature of the call was found good',
  'no-list': 'no list was given',
  'too-few-calls': 'too few calls were seen to judge by',
};
