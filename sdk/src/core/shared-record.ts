import type {
  CalledNumber,
  Disposition,
  HopSide,
  OwnSigning,
  PartyNumber,
  RecordFormat,
  Release,
  TimeBasis,
} from './call-record.js';
import type { Attestation, CanonicalTn, Spc, Verstat } from './terms.js';
import type { EvidenceException, PassportEvidence, VerdictEvidence } from './verdict-evidence.js';

/** A number that left the carrier under a pseudonym: the same number has the same one within a rotation id of that carrier. */
export interface PseudonymousNumber {
  readonly shown: 'pseudonym';
  /** 32 lower-case hexadecimal digits. */
  readonly pseudonym: string;
  /** Area code and exchange of a North American number, six digits; absent for others, of which nothing is shown. */
  readonly npaNxx?: string;
}

/** Who was called, as far as the carrier says it. */
export type SharedCalledNumber =
  /** As the carrier has it. */
  ({ readonly shown: 'whole' } & CalledNumber) | PseudonymousNumber;

/** Who calls, as far as the carrier says it. */
export type SharedCallingNumber =
  /** As the carrier has it. */
  | ({ readonly shown: 'whole' } & PartyNumber)
  /** The canonical number, without how it was written. */
  | { readonly shown: 'number'; readonly tn: CanonicalTn }
  | PseudonymousNumber
  /** What came was no telephone number, and is not shown: the caller asked not to be named, or it was something else. */
  | { readonly shown: 'no-number'; readonly isAnonymous: boolean };

/**
 * {@link PassportEvidence} without numbers and without what is made of them: the hash of a signing input would let anybody try the
 * ten thousand lines of an exchange until it fits.
 */
export interface SharedPassportEvidence extends Omit<
  PassportEvidence,
  'signingInputSha256' | 'orig' | 'dest' | 'div' | 'exceptions'
> {
  readonly exceptions: readonly Pick<EvidenceException, 'step' | 'result' | 'reason'>[];
}

/** {@link VerdictEvidence} without numbers and without what is made of them. */
export interface SharedEvidence extends Omit<VerdictEvidence, 'format' | 'request' | 'passports' | 'callKey'> {
  readonly format: 'hopback.shared-evidence.1';
  readonly passports: readonly SharedPassportEvidence[];
  /** Pseudonym of the call key: the same for the same PASSporT within a rotation id of the carrier. */
  readonly callKey?: string;
}

/** What the signatures of a shared call were worth. */
export interface SharedVerification {
  readonly verstat?: Verstat;
  readonly attestation?: Attestation;
  readonly origId?: string;
  readonly iatSeconds?: number;
  readonly spc?: Spc;
  readonly evidence?: VerdictEvidence | SharedEvidence;
}

/** How much the carrier shows of a record, and by which policy. */
export interface SharingMark {
  /** Name and version of the carrier's sharing policy. */
  readonly policyId: string;
  /**
   * `pseudonymous`: called number, leg and call group are pseudonyms, other members as the policy has it; `full`: the called number
   * is shown.
   */
  readonly form: 'pseudonymous' | 'full';
  /** Which key the pseudonyms were made with; pseudonyms of different rotation ids cannot be compared. */
  readonly rotationId: string;
  /** How the carrier judged the call, where it did: score 0 to 1 and the names of the signals. */
  readonly suspicion?: {
    readonly score: number;
    readonly level: 'none' | 'watch' | 'suspicious';
    readonly signals: readonly string[];
  };
}

/**
 * A {@link CallRecord} as it left the carrier: what the policy withholds is not there, what it veils is a pseudonym, and `sharing`
 * says which. `recordId` is that of the record, so that a traceback of a shared call starts at the carrier, whose answer names the
 * number. Never holds the customer, nor the raw bytes of the switch. Plain JSON.
 */
export interface SharedRecord {
  /** Marks the form; a reader refuses others. */
  readonly format: 'hopback.shared-record.1';
  readonly recordId: string;
  readonly sharing: SharingMark;
  readonly source: {
    /** Name of the switch, or its pseudonym. */
    readonly id?: string;
    readonly format: RecordFormat;
    readonly readerVersion: number;
    /** Only in the full form: the row holds the called number, and a hash lets it be guessed. */
    readonly sha256?: string;
  };
  /** Only in the full form: some switches name legs by the number called. */
  readonly legId?: string;
  /** In the pseudonymous form, and where it holds the customer, a pseudonym, which legs of one call share. */
  readonly callGroupId: string;
  readonly inviteAtUs: number;
  readonly answeredAtUs?: number;
  readonly endedAtUs?: number;
  readonly time: TimeBasis;
  readonly calling?: SharedCallingNumber;
  readonly asserted?: SharedCallingNumber;
  readonly called?: SharedCalledNumber;
  /** Trunk and Call-ID may be pseudonyms, and every member may be withheld. */
  readonly ingress: HopSide;
  readonly egress: HopSide;
  readonly disposition: Disposition;
  readonly release?: Release;
  readonly received?: SharedVerification;
  readonly signed?: OwnSigning;
  readonly blockedBy?: string;
}
