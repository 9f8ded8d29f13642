/**
 * What all behaviours may say: from when to when they hold, seconds from the first call, and for which part of the calls, drawn by the seed. Absent: always,
 * and for all.
 */
export interface BehaviourBounds {
  readonly fromSeconds?: number;
  readonly untilSeconds?: number;
  /** 0 to 1. Behaviours of answers and certificates have none: they are the same for all calls. */
  readonly share?: number;
}

/** What a provider does to the calls that it carries. */
export type SignallingBehaviour =
  /** A link that is not IP: Identity does not survive. */
  | { readonly kind: 'strips-identity' }
  /** Signs whatever its customers show with full attestation. */
  | { readonly kind: 'signs-spoofed' }
  /** Throws away what came and signs anew with less. */
  | { readonly kind: 'downgrades'; readonly to: 'B' | 'C' }
  /** Throws away what came and signs anew in the name of another, whose key it has: third-party signing, or a stolen SPC. */
  | { readonly kind: 'signs-as'; readonly provider: string; readonly attestation: 'A' | 'B' | 'C' }
  /** Writes full attestation into the PASSporT that came, under the signature that it has. */
  | { readonly kind: 'alters-identity' }
  /** Forwards calls to the numbers that it serves to another number, as its subscribers asked, with a div PASSporT. */
  | { readonly kind: 'diverts'; readonly to: string; readonly withoutDiv?: boolean }
  /** Puts another number into the call. `national`: without +1. `prefix`: technical prefix and # before the called number. `calling`: another caller. */
  | { readonly kind: 'rewrites-numbers'; readonly how: 'national' | 'prefix' | 'calling'; readonly value?: string }
  /** Sends each call to several next hops at once; the first answer counts. */
  | { readonly kind: 'forks'; readonly branches: number }
  /** Puts the Identity of an earlier call into a later one. */
  | { readonly kind: 'replays-identity' }
  /** Refuses with 503 what is more than it can carry. */
  | { readonly kind: 'overloads'; readonly perSecond: number }
  /** Ends all calls and answers nothing, as a switch that has crashed, then comes back. */
  | { readonly kind: 'crashes' };

/** What is wrong with its certificate, or with the server that it is fetched from. */
export type CertificateBehaviour =
  | { readonly kind: 'certificate'; readonly fault: 'expired' | 'revoked' | 'wrong-spc' | 'untrusted' }
  | { readonly kind: 'certificate-server'; readonly fault: 'dead' | 'slow' | 'hostile' };

/** What is wrong with its records. */
export type RecordBehaviour =
  /** No records of the time, and it knows. */
  | { readonly kind: 'record-gap' }
  /** They are there, and gone when they are asked for. */
  | { readonly kind: 'purged-records' }
  /** Its clock is wrong: records, and signatures, are so many seconds late. */
  | { readonly kind: 'clock-skew'; readonly seconds: number };

/** What it does with traceback requests. */
export type AnswerBehaviour =
  | { readonly kind: 'silent' }
  /** Answers so many hours after the request, of the platform's clock. */
  | { readonly kind: 'late'; readonly hours: number }
  | { readonly kind: 'refuses'; readonly reason: string }
  /**
   * Names a provider of the network that did not send it the call. With `colludes` that provider says that it did. With `otherCall` the answer discloses
   * another call, six hours later.
   */
  | {
      readonly kind: 'names-another';
      readonly provider: string;
      readonly colludes?: boolean;
      readonly otherCall?: boolean;
    }
  | { readonly kind: 'names-nobody'; readonly name: string }
  /** Says that the call began with it. */
  | { readonly kind: 'claims-origin' }
  /** Says that there was no such call. */
  | { readonly kind: 'denies' };

/** What a provider does that an honest one with good equipment does not. */
export type Behaviour = BehaviourBounds &
  (SignallingBehaviour | CertificateBehaviour | RecordBehaviour | AnswerBehaviour);

/** Every kind there is. */
export type BehaviourKind = Behaviour['kind'];
