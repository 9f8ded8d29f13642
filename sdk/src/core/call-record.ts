import type { Attestation, CanonicalTn, Spc, Verstat } from './terms.js';
import type { VerdictEvidence } from './verdict-evidence.js';

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
