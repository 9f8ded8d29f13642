import type { Attestation, CanonicalTn, Spc, Verstat } from './terms.js';

/** A check that did not simply pass, with both values where there are two to compare. */
export interface EvidenceException {
  /** Name of the step, as listed by `VERIFICATION_STEPS`. */
  readonly step: string;
  /** `failed`; `unknown` (could not be checked); `noted` (a deviation that policy lets pass). */
  readonly result: 'failed' | 'unknown' | 'noted';
  /** The failure reason or note. */
  readonly reason: string;
  /** What the rule asked for, or the value on the other side of the comparison. */
  readonly expected?: string | number;
  /** What was found. */
  readonly actual?: string | number;
}

/** What is kept of one PASSporT that was looked at. */
export interface PassportEvidence {
  /** Index of the Identity header in the request, from 0. */
  readonly index: number;
  /** The PASSporT type: `shaken`, `div`, …; absent where it could not be read or the PASSporT has none. */
  readonly ppt?: string;
  /** `ignored`: a type that was not verified. */
  readonly status: 'passed' | 'failed' | 'indeterminate' | 'ignored';
  /** SHA-256 of the JWS signing input (header.payload), lower-case hex. Never of the token: its text and signature can be respelled. */
  readonly signingInputSha256?: string;
  /** URL of the certificate, as the Identity header gave it. */
  readonly x5u?: string;
  /** SHA-256 of the DER of the end-entity certificate that was used, lower-case hex. */
  readonly certificateSha256?: string;
  /** SHA-256 of the trust anchor that the path ended in. */
  readonly trustAnchorSha256?: string;
  /** Service Provider Code that the certificate speaks for, where it has exactly one. */
  readonly spc?: string;
  /** Who calls, as the PASSporT says: a number or a URI. Believed only where `status` is `passed`; so with all claims below. */
  readonly orig?: string;
  /** Who is called, as the PASSporT says. */
  readonly dest?: readonly string[];
  /** The diverting number of a div PASSporT. */
  readonly div?: string;
  /** When the PASSporT says that it was issued, seconds since the epoch. */
  readonly iatSeconds?: number;
  /** The attest claim. */
  readonly attestation?: Attestation;
  /** The origid claim. */
  readonly origId?: string;
  /** Names of the steps that passed, in the order they were made. Steps in neither list did not apply or were not reached. */
  readonly passed: readonly string[];
  /** Steps that failed, could not be decided or left a note. */
  readonly exceptions: readonly EvidenceException[];
}

/**
 * What a verification service looked at and found, compact enough to be kept with every call record and complete enough
 * that a traceback answer can be built from it. Plain JSON.
 */
export interface VerdictEvidence {
  /** Marks the form; a reader refuses others. */
  readonly format: 'hopback.verdict-evidence.1';
  /** When the verdict was given, milliseconds since the epoch, by the verifier's clock. */
  readonly checkedAtMs: number;
  /** The profile of the policy that the call was judged by. */
  readonly profile: 'shaken' | 'rfc8224';
  /** How old, or how far ahead, an `iat` may have been, seconds. */
  readonly freshnessSeconds: number;
  /** Which set of trust anchors and CRLs was used: the id of the trust store. */
  readonly trustStore?: string;
  /** What the verdict was. */
  readonly verstat: Verstat;
  /** The values of the request that claims were compared with, in canonical form, and where they were taken from. */
  readonly request: {
    readonly orig?: string;
    readonly origSource?: 'p-asserted-identity' | 'from' | 'given';
    readonly dest?: string;
    readonly destSource?: 'to' | 'request-uri' | 'given';
    /** Number of the Request-URI, where it was given. */
    readonly target?: string;
    /** The Date header, seconds since the epoch. */
    readonly dateSeconds?: number;
  };
  /** One per Identity header that was looked at, in the order of the request. */
  readonly passports: readonly PassportEvidence[];
  /** How many further Identity headers were not looked at; absent when all were. */
  readonly surplusHeaders?: number;
  /**
   * Same call, same key: SHA-256 of the signing input in its canonical spelling (RFC 8225 section 9), lower-case hex, so that
   * respelled tokens and twin signatures do not differ. Where the PASSporT was spelled so, it is its `signingInputSha256`.
   */
  readonly callKey?: string;
  /** How often this verifier has seen the call key, this time included; 1 for the first. */
  readonly seenCount?: number;
  /** When this verifier first saw the call key, milliseconds since the epoch. */
  readonly firstSeenMs?: number;
}

/** A stretch of time for which a store holds everything that a source wrote. "Not found" may only be said inside it. */
export interface CoverageInterval {
  /** Name of the source, as in `CallRecord.source.id`. */
  readonly sourceId: string;
  /** First and last instant, microseconds since the epoch, both included. */
  readonly fromUs: number;
  readonly toUs: number;
}

/** Layouts in which switches write down their calls, one reader each. */
export type RecordFormat =
  | 'asterisk-cdr'
  | 'asterisk-cel'
  | 'freeswitch-csv'
  | 'freeswitch-json'
  | 'kamailio-acc'
  | 'oracle-sbc'
  | 'ribbon-act'
  | 'broadworks'
  | 'hep'
  | 'columns'
  | 'hopback';

/**
 * One row, document or packet as it was found, without its line end: as text where its bytes are exactly the UTF-8 of that text, in
 * base64 (RFC 4648 section 4) where they are any others.
 */
export type RawRow = { readonly text: string } | { readonly base64: string };

/** Where a record comes from, so that a court can be shown the bytes and how they were read. */
export interface RecordSource {
  /** Name of the switch or feed, as the carrier has configured it. */
  readonly id: string;
  readonly format: RecordFormat;
  /** Version of the reader of that format that made this record of the bytes. */
  readonly readerVersion: number;
  /**
   * SHA-256 of the raw bytes of the row, document or packet, lower-case hex. Of several: SHA-256 of their hashes in ascending order, each
   * with a line feed behind it.
   */
  readonly sha256: string;
  /**
   * The bytes themselves, one entry for each row or packet that made the record, where the source is described with `keepRaw`. They
   * never leave the carrier with a shared record.
   */
  readonly raw?: readonly RawRow[];
}

/** Where an instant was taken from, and how far it can be trusted. */
export interface TimeBasis {
  /**
   * `utc`: written in UTC or with an offset; `local`: written in local time and brought to UTC by the zone that was declared;
   * `observed`: the clock of whoever took the call or its packets down.
   */
  readonly written: 'utc' | 'local' | 'observed';
  /** IANA name of the zone of a local time. */
  readonly zone?: string;
  /** Smallest step of the times of the source, microseconds: 1,000,000 where seconds are written. */
  readonly resolutionUs: number;
  /** The other instant that the local time may mean, microseconds since the epoch: it was written in the hour that comes twice. */
  readonly otherInviteAtUs?: number;
}

/** A telephone number or URI of a call in the forms that it had. */
export interface PartyNumber {
  /** As the switch wrote it, prefixes and all. */
  readonly asWritten: string;
  /** In canonical form; absent where it is none. */
  readonly tn?: CanonicalTn;
}

/** The called party, which the network may have translated. */
export interface CalledNumber extends PartyNumber {
  /** Where the call was sent on to, in canonical form, where that is another number: a ported, forwarded or toll-free number. */
  readonly translatedTn?: CanonicalTn;
  /** Location routing number that stood in the place of, or beside, the number called. */
  readonly lrn?: CanonicalTn;
  /** Technical prefix that stood before the number, such as `1234#`. */
  readonly techPrefix?: string;
}

/** Which side of a hop a call came by or left by. */
export interface HopSide {
  /** Name of the trunk, realm or peer, as the switch has it. */
  readonly trunk?: string;
  /** The provider on the other end, as the carrier has declared it for the trunk or address. */
  readonly provider?: string;
  /** Signalling address of the other end, `192.0.2.1:5060` or `[2001:db8::1]:5060`; without a port where none is known. */
  readonly address?: string;
  /** SIP Call-ID on that side. */
  readonly callId?: string;
}

/** How a call went. */
export type Disposition = 'answered' | 'busy' | 'no-answer' | 'cancelled' | 'rejected' | 'failed' | 'blocked';

/** Why and by whom a call was ended. */
export interface Release {
  /** Final SIP status, where there was one. */
  readonly sipStatus?: number;
  /** Q.850 cause. */
  readonly q850Cause?: number;
  /** The switch's own word for it. */
  readonly cause?: string;
  /** Who ended it, where the source says. */
  readonly party?: 'calling' | 'called' | 'network';
}

/** What the signatures of a call were worth when it came in. */
export interface ReceivedVerification {
  readonly verstat?: Verstat;
  readonly attestation?: Attestation;
  readonly origId?: string;
  readonly iatSeconds?: number;
  readonly spc?: Spc;
  /** The whole record of the verification, where our own service made it. */
  readonly evidence?: VerdictEvidence;
}

/** What the carrier itself signed. */
export interface OwnSigning {
  readonly attestation: Attestation;
  readonly origId?: string;
  /** What the attestation rests on, in the words of the attestation policy. */
  readonly basis?: string;
}

/**
 * One leg of a call as one switch saw it: everything that a traceback asks for, whatever the switch. Plain JSON.
 * Records of other legs, forks and routes of the same call share its `callGroupId`.
 */
export interface CallRecord {
  /** Marks the form; a reader refuses others. */
  readonly format: 'hopback.call-record.1';
  /**
   * The same leg read again has the same id: 32 lower-case hexadecimal digits of the SHA-256 of source, leg and time.
   */
  readonly recordId: string;
  readonly source: RecordSource;
  /** The switch's own name of the leg. */
  readonly legId: string;
  /** What the legs of one call have in common. */
  readonly callGroupId: string;
  /** When the INVITE came in, or the leg began, microseconds since the epoch, UTC. */
  readonly inviteAtUs: number;
  /** Absent where nobody answered. */
  readonly answeredAtUs?: number;
  readonly endedAtUs?: number;
  readonly time: TimeBasis;
  /** Who calls: the number of From, as it came in. Absent where the source has none. */
  readonly calling?: PartyNumber;
  /** The asserted number, where it came and is another one. */
  readonly asserted?: PartyNumber;
  readonly called?: CalledNumber;
  /** The side from which the call came: whom a traceback names. */
  readonly ingress: HopSide;
  /** The side to which it was sent. */
  readonly egress: HopSide;
  readonly disposition: Disposition;
  readonly release?: Release;
  readonly received?: ReceivedVerification;
  readonly signed?: OwnSigning;
  /** The carrier's name for its own customer, where the call began there. */
  readonly customerId?: string;
  /** What refused the call: a rule, an analytics engine, the subscriber. */
  readonly blockedBy?: string;
}

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
