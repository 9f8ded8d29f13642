import type { NumberFault } from './north-american-number.js';

/** What can speak against a call. */
export type SuspicionSignalName =
  /** The call was answered and ended within seconds. */
  | 'very-short-call'
  /** Of the answered calls of the number, trunk or signer that were no conversation, many were that short. */
  | 'short-call-share'
  /** Few calls of the number, trunk or signer were answered. */
  | 'low-answer-ratio'
  /** One number called very many others. */
  | 'fan-out'
  /** Very many numbers, few calls each, hardly any of which came to a conversation. */
  | 'snowshoe'
  /** Called numbers one after the other, from one trunk. */
  | 'sequential-dialling'
  /** The caller shows area code and exchange of whom it calls, from a trunk that is not of that area. */
  | 'neighbour-spoofing'
  /** No telephone has the calling number. */
  | 'invalid-calling-number'
  /** The calling number is on the do-not-originate list. */
  | 'do-not-originate'
  /** The signature does not fit the call. */
  | 'failed-verification'
  /** The same PASSporT came again and again. */
  | 'replayed-passport'
  /** C: whoever signed knows no more than where the call entered the network. */
  | 'gateway-attestation'
  /** Calls that speak against themselves come with this signer more often than with others. */
  | 'signer-concentration';

/** Whom a signal is about. */
export type SuspicionSubject = 'call' | 'calling-number' | 'trunk' | 'signer';

/** Where what was observed can be looked up: the record, or counts within the window. */
export type SuspicionEvidence =
  | { readonly recordIds: readonly string[] }
  | {
      readonly counts: {
        /** Calls that were counted, this one included. */
        readonly calls: number;
        /** Those of them for which the signal holds. */
        readonly matching: number;
        /** From when they were counted, microseconds since the epoch; to the record at hand. */
        readonly sinceUs: number;
      };
    };

/** One thing that speaks against a call. */
export interface SuspicionSignal {
  readonly name: SuspicionSignalName;
  readonly about: SuspicionSubject;
  /** 0, exclusive, to 1: how far beyond the threshold. */
  readonly strength: number;
  /** What was seen, in the unit of the threshold: seconds, calls, numbers, a share from 0 to 1, or the words of a finding. */
  readonly observed: number | string;
  /** From where on it counts; empty where a finding alone is the signal. */
  readonly threshold: number | string;
  readonly evidence: SuspicionEvidence;
}

/** Why a signal could not be judged for a call. Neither for nor against it. */
export type NotJudgedReason =
  | 'no-calling-number'
  | 'caller-anonymous'
  | 'calling-number-withheld'
  | 'calling-number-foreign'
  | 'no-called-number'
  | 'called-number-pseudonymous'
  | 'called-number-not-north-american'
  | 'no-trunk'
  | 'not-answered'
  | 'no-duration'
  | 'no-verification'
  | 'no-verified-signer'
  | 'no-list'
  | 'too-few-calls';

/** A signal that could not be judged. */
export interface NotJudgedSignal {
  readonly name: SuspicionSignalName;
  readonly why: NotJudgedReason;
}

/** How a call is to be taken. */
export type SuspicionLevel = 'none' | 'watch' | 'suspicious';

/** What speaks against one call, and what could not be judged. Plain JSON; holds no telephone number. */
export interface Suspicion {
  /** 0 to 1. Not a probability: see {@link SuspicionPolicy} for how it comes about. */
  readonly score: number;
  readonly level: SuspicionLevel;
  /** Name and version of the policy. */
  readonly policyId: string;
  /** In the order of {@link SUSPICION_SIGNALS}. */
  readonly signals: readonly SuspicionSignal[];
  /** In the order of {@link SUSPICION_SIGNALS}. */
  readonly notJudged: readonly NotJudgedSignal[];
}

/** Names of all signals, in the order in which they are reported. */
export const SUSPICION_SIGNALS: readonly SuspicionSignalName[] = Object.freeze([
  'do-not-originate',
  'invalid-calling-number',
  'failed-verification',
  'replayed-passport',
  'gateway-attestation',
  'neighbour-spoofing',
  'sequential-dialling',
  'fan-out',
  'snowshoe',
  'very-short-call',
  'short-call-share',
  'low-answer-ratio',
  'signer-concentration',
] as const);

/** All reasons for which a signal cannot be judged. */
export const NOT_JUDGED_REASONS: readonly NotJudgedReason[] = Object.freeze([
  'no-calling-number',
  'caller-anonymous',
  'calling-number-withheld',
  'calling-number-foreign',
  'no-called-number',
  'called-number-pseudonymous',
  'called-number-not-north-american',
  'no-trunk',
  'not-answered',
  'no-duration',
  'no-verification',
  'no-verified-signer',
  'no-list',
  'too-few-calls',
] as const);

/** What `observed` of `invalid-calling-number` can be. */
export type InvalidCallingFinding = NumberFault | 'fictional' | 'short';
