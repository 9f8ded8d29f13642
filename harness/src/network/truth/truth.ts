import type { Verstat } from '@hopback/sdk/stir';

/** Attestation of a shaken PASSporT. */
export type Attestation = 'A' | 'B' | 'C';

/** An Identity header field of a call, as whoever knows everything would describe it. */
export interface TrueIdentity {
  readonly ppt: 'shaken' | 'div';
  /** Id of the provider that made it, and the SPC of the certificate that it was made with: another's where somebody signs in its name. */
  readonly signedBy: string;
  readonly spc: string;
  readonly attestation?: Attestation;
  /** Numbers that it is about, digits. */
  readonly orig: string;
  readonly dest: string;
  /** Of a div PASSporT: the number that was called before. */
  readonly div?: string;
  /** Index of the call that it was made for: an earlier one where it is replayed. */
  readonly madeFor: number;
  /** What makes it worth nothing to whoever verifies it; empty: it is good. */
  readonly faults: readonly TrueFault[];
  /**
   * What shows to some and not to others: while a certificate is in somebody's cache, where a server is slow, or a time is at the edge of what is fresh.
   */
  readonly doubtful: readonly TrueFault[];
}

/** Why an Identity header does not hold. */
export type TrueFault =
  | 'caller-differs'
  | 'callee-differs'
  | 'replayed'
  | 'stale'
  | 'signature-false'
  | 'certificate-expired'
  | 'certificate-revoked'
  | 'certificate-untrusted'
  | 'certificate-wrong-spc'
  | 'certificate-not-fetched';

/** What the verdict of a hop has to be. */
export interface TrueVerdict {
  /** `not-asked`: this hop verifies nothing of this call. Several where the standards leave it open, or the time of a fault cannot be known to the second. */
  readonly verstat: readonly (Verstat | 'not-asked')[];
  readonly attestation?: Attestation;
  readonly signerSpc?: string;
  readonly because: string;
}

/** One provider that a call came through. */
export interface TrueHop {
  readonly provider: string;
  /** Where the call came from: a provider, or a customer of this one. */
  readonly from: { readonly provider: string } | { readonly caller: string };
  /** Where it went: a provider, numbers that it serves, or nowhere: it ended here. */
  readonly to: { readonly provider: string } | { readonly destination: string } | { readonly refusedWith: number };
  readonly receives: {
    readonly calling: string;
    readonly called: string;
    readonly identity: readonly TrueIdentity[];
  };
  readonly verdict: TrueVerdict;
  readonly sends: {
    readonly calling: string;
    readonly called: string;
    readonly identity: readonly TrueIdentity[];
  };
  /** Whether the provider has a record of it when it is asked. */
  readonly isOnRecord: boolean;
  /** `gone`: it made one, which is not there any more when it is asked. `none`: it made none. */
  readonly record: 'kept' | 'gone' | 'none';
  /** Whether the call comes this far in any case; false where it depends on the instant, as behind a provider that is overloaded or has just crashed. */
  readonly isCertain: boolean;
}

/** What a provider that knows and says everything would answer about a call: or why it cannot. */
export type TrueAnswer =
  | { readonly kind: 'upstream'; readonly provider: string }
  | { readonly kind: 'origin'; readonly caller: string }
  | { readonly kind: 'point-of-entry'; readonly foreign: string }
  | { readonly kind: 'not-retained' }
  | { readonly kind: 'not-found' };

/** What comes instead. `upstream` of a provider that was not there is a lie. */
export type GivenAnswer =
  | TrueAnswer
  /** It names a provider, and discloses another call than it was asked about: nobody may follow that. */
  | {
      readonly kind: 'upstream';
      readonly provider: string;
      readonly otherCall: true;
    }
  | { readonly kind: 'silent' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unlisted'; readonly name: string };

/** What is true of a call, whatever anybody says. */
export interface CallTruth {
  readonly index: number;
  readonly hops: readonly TrueHop[];
  /** How it ended for the caller: final status of the INVITE. Several where it depends on the instant. */
  readonly finalStatus: readonly number[];
  /** Who would have to be named at the end of a traceback: the origin, or the gateway that took it from abroad. */
  readonly culprit: { readonly kind: 'origin' | 'point-of-entry'; readonly provider: string };
  /** What is true, and what will be said: for each of `hops`, in their order, then for providers that the call never came to and that say it did. */
  readonly answers: readonly TrueStatement[];
  /**
   * What a fair traceback may come to: its outcome, and the provider it is about. Honest ones that are silent about nothing lead to the culprit; where
   * evidence cannot decide, `disputed`.
   */
  readonly fairOutcomes: readonly FairOutcome[];
  /**
   * Providers of the way whom no outcome may name as origin or point of entry: all but the culprit, and but those that say of themselves that they are.
   * Of providers that the call never came to {@link NetworkTruth.mayBeNamed} tells the same.
   */
  readonly innocent: readonly string[];
}

/** Where a call comes to, and how it ends: the part of its truth for which no traceback has to be thought of. */
export type CarriedTruth = Pick<CallTruth, 'hops' | 'finalStatus'>;

/** What one provider knows of a call, and what it says. */
export interface TrueStatement {
  readonly provider: string;
  readonly truth: TrueAnswer;
  readonly given: GivenAnswer;
}

/** What a traceback may come to; without `provider`, about whomever. `kind` is one of `OutcomeKind` of `@hopback/sdk/traceback`. */
export interface FairOutcome {
  readonly kind: string;
  readonly provider?: string;
}

/** How a provider answers. */
export interface AnsweringHabits {
  /** What it says whatever it finds; absent: what it finds. */
  readonly says?: GivenAnswer;
  /** Who says that it sent it the call, though it did not. */
  readonly colluder?: string;
  /** How long after the request, hours; 0: at once. */
  readonly afterHours: number;
}

/** What an answer of the wire says, in the words of the truth; `ambiguous` is never true, but may be all that a provider can say. */
export type SaidKind = GivenAnswer['kind'] | 'ambiguous';

const KINDS: Readonly<Record<string, SaidKind>> = {
  'received-from': 'upstream',
  upstream: 'upstream',
  'received-from-unlisted': 'unlisted',
  unlisted: 'unlisted',
  origin: 'origin',
  'point-of-entry': 'point-of-entry',
  'not-found': 'not-found',
  'not-our-number': 'not-found',
  'not-sent-to-downstream': 'not-found',
  'not-retained': 'not-retained',
  refused: 'refused',
  ambiguous: 'ambiguous',
};

/** What an answer says, by its word on the wire; undefined for a word that says nothing of the call. */
export const saidKind = (word: string): SaidKind | undefined => (Object.hasOwn(KINDS, word) ? KINDS[word] : undefined);
