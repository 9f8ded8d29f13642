import type { Behaviour, BehaviourKind } from '../../../scenario/index.js';
import type { Attestation, GivenAnswer, TrueFault, TrueIdentity } from '../truth.js';

/** The behaviour of a kind. */
export type BehaviourOf<Kind extends BehaviourKind> = Extract<Behaviour, { readonly kind: Kind }>;

/** A call between two providers: numbers and Identity, as they are on the wire. */
export interface Leg {
  readonly calling: string;
  readonly called: string;
  readonly identity: readonly TrueIdentity[];
}

/** The provider at which something is done to a call, as far as behaviours look at it. */
export interface BehaviourHop {
  readonly provider: string;
  readonly callIndex: number;
  /** Whether it takes part in STIR/SHAKEN. */
  readonly isSigner: boolean;
  /** Makes a shaken PASSporT for the numbers of a leg, with the certificate of a provider: its own, or that of another. */
  readonly sign: (leg: Leg, certificateOf: string, attestation: Attestation) => TrueIdentity;
  /** Makes a div PASSporT from one number to another. */
  readonly divert: (leg: Leg, to: string) => TrueIdentity;
  /** Identity of the first call that this provider sent on with any; undefined where that is no earlier one. */
  readonly earlierIdentity: () => readonly TrueIdentity[] | undefined;
}

/** How a provider fares with a call that comes in. */
export interface Reception {
  /** Whether it is refused for certain; else it depends on the instant. */
  readonly isCertain: boolean;
  /** What the caller may get then. */
  readonly status: readonly number[];
}

/** What follows from a behaviour, as far as something does. */
export interface BehaviourEffects {
  /** What is sent in place of what would be. */
  readonly sends?: (leg: Leg, hop: BehaviourHop) => Leg;
  /** With what it signs, where it signs. */
  readonly attestation?: Attestation;
  /** `perSecond`: calls that the provider is sent in the busiest of the seconds around this one. */
  readonly receives?: (load: () => number) => Reception | undefined;
  /** What is wrong with signatures under its certificate: in any case, and for some. */
  readonly certificate?: { readonly faults: readonly TrueFault[]; readonly doubtful: readonly TrueFault[] };
  readonly record?: 'gone' | 'none';
  /** How far its clock is ahead, seconds. */
  readonly clockSeconds?: number;
  /** What it says in place of the truth. */
  readonly says?: GivenAnswer;
  /** How long after the request it says it, hours. */
  readonly afterHours?: number;
  /** Who says that it sent the call, though it did not. */
  readonly colluder?: string;
  /** Whether the next provider gets the call several times. */
  readonly isForked?: boolean;
}
