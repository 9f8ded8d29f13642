import type { AttestationFacts, SigningOutcome } from '@hopback/sdk/stir';
import type { ServerFault } from '@hopback/sdk/testing';
import type { TracebackAnswer } from '@hopback/sdk/traceback';
import type { Behaviour, BehaviourKind } from '../../../scenario/index.js';
import type { PlannedCall } from '../../plan/index.js';

/** The behaviour of a kind, with its members. */
export type BehaviourOf<Kind extends BehaviourKind> = Extract<Behaviour, { readonly kind: Kind }>;

/** A leg that is about to be sent on. */
export interface Leg {
  /** Header fields, names in lower case; several Identity header fields are one text, as `outboundHeaders` makes it. */
  readonly headers: Readonly<Record<string, string>>;
  /** User part of the Request-URI. */
  readonly target: string;
  /** What became of our own signature, for the record. */
  readonly signing?: SigningOutcome;
  /** How many INVITEs are sent at once. */
  readonly branches: number;
}

/** What a behaviour may ask of its provider. */
export interface LegSurroundings {
  readonly call: PlannedCall;
  /** Signs a call with an attestation of its own choice, in the name of a provider: by id, default itself. */
  readonly signAs: (
    parties: { readonly origTn: string; readonly destTn: string },
    order: { readonly attestation: 'A' | 'B' | 'C'; readonly provider?: string },
  ) => Promise<SigningOutcome>;
  /** Adds a div PASSporT to Identity header values. */
  readonly divert: (
    identity: readonly string[],
    numbers: { readonly from: string; readonly to: string },
  ) => Promise<readonly string[]>;
  /** What the provider remembers between calls, by the behaviour itself. */
  readonly memory: Map<Behaviour, unknown>;
}

/** What an answer is changed by. */
export interface AnswerSurroundings {
  /** Name and id in the registry of a provider of the network, by the id of the scenario. */
  readonly provider: (id: string) => { readonly providerId: string; readonly name: string };
}

/**
 * What one kind of behaviour makes a node do, beside the SDK. Whatever is left out stays as it is with an honest provider.
 */
export interface NodeBehaviour<Kind extends BehaviourKind> {
  /** What it says that it knows of a customer, when it signs. */
  readonly facts?: (facts: AttestationFacts, behaviour: BehaviourOf<Kind>) => AttestationFacts;
  /** Whether it refuses a call for overload. `arrivedMs`: when those came that it took in, the newest last; it may change the list. */
  readonly isTooMuch?: (arrivedMs: number[], nowMs: number, behaviour: BehaviourOf<Kind>) => boolean;
  /** Changes what is sent on. */
  readonly sends?: (leg: Leg, behaviour: BehaviourOf<Kind>, around: LegSurroundings) => Leg | Promise<Leg>;
  /** Whether it signs with its faulty credential. */
  readonly hasFaultyCredential?: true;
  /** How its repository of certificates fails. */
  readonly serves?: (behaviour: BehaviourOf<Kind>) => ServerFault;
  /** Whether records of the calls are missing, and of the time. */
  readonly losesRecords?: true;
  /** Whether records are removed before anybody asks. */
  readonly purgesRecords?: true;
  /** By how much its clock is ahead, milliseconds. */
  readonly skewMs?: (behaviour: BehaviourOf<Kind>) => number;
  /** Whether its switch is down. */
  readonly isDown?: true;
  /** Whether it does not answer at all. */
  readonly isSilent?: true;
  /** How long after the request it answers, milliseconds of the platform's clock. */
  readonly answersAfterMs?: (behaviour: BehaviourOf<Kind>) => number;
  /** What it says in place of what it found. */
  readonly says?: (
    answer: TracebackAnswer,
    behaviour: BehaviourOf<Kind>,
    around: AnswerSurroundings,
  ) => TracebackAnswer;
}
