import type { CoverageInterval, Disposition, Release } from './call-record.js';
import type { Attestation, Spc, Verstat } from './terms.js';

/** A voice service provider as whoever writes knows it: by its name, and by as many identifiers as there are. */
export interface ProviderReference {
  /** In the registry of the traceback platform, where both sides have it. */
  readonly providerId?: string;
  /** Business name, as it is filed or as it was stated. */
  readonly name: string;
  /** Operating Company Number, four characters. */
  readonly ocn?: string;
  readonly spc?: Spc;
  /** FCC Registration Number, ten digits. */
  readonly frn?: string;
}

/** How a provider that no registry lists can be reached. */
export interface ContactDetails {
  readonly name: string;
  readonly email?: string;
  readonly telephone?: string;
  readonly postalAddress?: string;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
}

/**
 * A moment as somebody stated it: what was written, and the wall clock that it means. Rarely the instant at which the INVITE arrived:
 * requests carry minutes, in a zone that is often not UTC.
 */
export interface StatedTime {
  /** As it stood in the request, `10/23/2026 3:41 PM EDT`. */
  readonly asWritten: string;
  /** Date and time of day without an offset: `2026-10-23T15:41`, with seconds and a fraction where they were stated. RFC 3339 section 5.6 */
  readonly local: string;
  /** IANA name (`America/New_York`), offset from UTC (`-04:00`) or `UTC`; absent where none was stated. */
  readonly zone?: string;
  /** Smallest step that was stated. */
  readonly precision: TimePrecision;
}

/** Smallest step of a stated time. */
export type TimePrecision = 'day' | 'hour' | 'minute' | 'second' | 'millisecond' | 'microsecond';

/** The call that is asked about, as it was stated: nothing in it is believed before it is matched. */
export interface RequestedCall {
  /** Number called, in any spelling. Absent only where `recordId` stands for it: a shared record under a pseudonym. */
  readonly called?: string;
  /** Number of the caller, in any spelling; often spoofed, often not there. */
  readonly calling?: string;
  readonly at: StatedTime;
  /** SIP Call-ID at whoever reported the call, or on the hop towards it. */
  readonly callId?: string;
  /** `origid` of the PASSporT, a UUID. RFC 8588 section 5 */
  readonly origId?: string;
  /** Of a record that the asked provider itself shared. */
  readonly recordId?: string;
  readonly attestation?: Attestation;
  /** Of the certificate that signed. */
  readonly spc?: Spc;
  readonly durationSeconds?: number;
}

/** Who asks, and by which right. 47 CFR 64.1200(n)(1) names them. */
export type RequesterKind = 'itg' | 'fcc' | 'civil-law-enforcement' | 'criminal-law-enforcement';

/** Whoever asks. */
export interface Requester {
  readonly kind: RequesterKind;
  readonly name: string;
  readonly email?: string;
}

/** What the call is suspected to be part of. */
export interface RequestedCampaign {
  readonly campaignId?: string;
  /** `SSA-Suspended-P2`. */
  readonly name: string;
  readonly description?: string;
  readonly transcript?: string;
  readonly recordingSha256?: string;
}

/**
 * One request to one provider about one call. A traceback is a chain of these, one for each hop.
 */
export interface TracebackRequest {
  readonly format: 'hopback.traceback-request.1';
  /** Of this request to this provider: there is one answer for it. */
  readonly requestId: string;
  /** Of the traceback that it belongs to. */
  readonly tracebackId: string;
  /** `back`: who sent you this call; `forward`: who serves this number. */
  readonly direction: 'back' | 'forward';
  /** 1 for the provider at which it starts. */
  readonly hop: number;
  readonly requester: Requester;
  /** When it was sent, RFC 3339 with offset. */
  readonly issuedAt: string;
  /** Until when an answer is asked for, RFC 3339 with offset, where it was stated. */
  readonly dueAt?: string;
  /** Who is asked. */
  readonly provider: ProviderReference;
  /** The hop that named the asked provider as the one it had the call from; absent at the first hop. */
  readonly downstream?: ProviderReference;
  readonly campaign?: RequestedCampaign;
  readonly call: RequestedCall;
  /** What was asked beside that, for people. */
  readonly comment?: string;
}

/** What is known of a customer whose call began at the answering provider. */
export interface CustomerStatement {
  readonly customerId?: string;
  /** As far as the provider's configuration lets it be said. */
  readonly contact?: ContactDetails;
  /** What the provider did to know its customer, in its own words. 47 CFR 64.1200(n)(4) */
  readonly knowYourCustomer?: string;
  /** What was done about the customer. */
  readonly action?: CustomerAction;
}

/** What was done about a customer or upstream provider that sent the call. */
export type CustomerAction = 'none' | 'under-review' | 'warned' | 'suspended' | 'terminated';

/** What the provider says: the arms of an answer. */
export type TracebackFinding =
  /** The call came directly from this provider, which is listed. */
  | { readonly arm: 'received-from'; readonly upstream: ProviderReference }
  /** It came directly from a provider that no registry lists. */
  | { readonly arm: 'received-from-unlisted'; readonly upstream: ContactDetails }
  /** The call began here. */
  | { readonly arm: 'origin'; readonly customer: CustomerStatement }
  /** It entered the United States here. */
  | { readonly arm: 'point-of-entry'; readonly upstream: ContactDetails }
  /** No such call, although everything of that time is at hand: `searched` says what. */
  | { readonly arm: 'not-found' }
  /** Records of that time have been removed: whether there was such a call cannot be said. */
  | { readonly arm: 'not-retained'; readonly retainedFrom: string }
  /** The number called is not served here, and was not when the call was made. First hop only. */
  | { readonly arm: 'not-our-number' }
  /** There is such a call, but it was not sent to the provider that named us. */
  | { readonly arm: 'not-sent-to-downstream'; readonly downstream: ProviderReference }
  /** Several calls fit, and a person could not tell them apart either. */
  | { readonly arm: 'ambiguous'; readonly candidates: number }
  /** Trace forward: the number is served here, for this customer. */
  | { readonly arm: 'serves-number'; readonly customer: CustomerStatement }
  /** Trace forward: the number was handed to this provider. */
  | { readonly arm: 'number-served-by'; readonly provider: ProviderReference }
  /** No answer will be given, for this reason. */
  | { readonly arm: 'refused'; readonly reason: string };

/** Name of an arm. */
export type FindingArm = TracebackFinding['arm'];

/** Every arm. */
export const FINDING_ARMS: readonly FindingArm[] = [
  'received-from',
  'received-from-unlisted',
  'origin',
  'point-of-entry',
  'not-found',
  'not-retained',
  'not-our-number',
  'not-sent-to-downstream',
  'ambiguous',
  'serves-number',
  'number-served-by',
  'refused',
];

/** Most numbers in `divertedTo`: a record has a translated number and a routing number for each of its few legs. */
export const MAX_DIVERTED_TO = 8;

/** What the provider's record says about the call. Times are RFC 3339 in UTC. */
export interface AnsweredCall {
  readonly startedAt: string;
  readonly answeredAt?: string;
  readonly endedAt?: string;
  readonly calling?: string;
  readonly called?: string;
  /**
   * Other numbers that the provider has on record for the called party, where it changed the number: the number that it sent the call on to after
   * forwarding or toll-free translation, or the routing number of a ported one. The next request is about `called`.
   */
  readonly divertedTo?: readonly string[];
  readonly disposition: Disposition;
  readonly release?: Release;
  readonly ingressTrunk?: string;
  /** Source of the signalling, `192.0.2.1:5060`. */
  readonly ingressAddress?: string;
  readonly ingressCallId?: string;
  readonly egressTrunk?: string;
  readonly received?: {
    readonly verstat?: Verstat;
    readonly attestation?: Attestation;
    readonly origId?: string;
    readonly spc?: Spc;
  };
  readonly signed?: { readonly attestation: Attestation; readonly origId?: string; readonly basis?: string };
  /** Which of the provider's own controls refused the call. */
  readonly blockedBy?: string;
}

/** What was looked through before an answer was given. Times are RFC 3339 in UTC, both ends included. */
export interface SearchStatement {
  readonly windows: readonly { readonly from: string; readonly to: string }[];
  /** What was looked for: `called`, `calling`, `call-id`, `origid`, `record-id`. */
  readonly keys: readonly string[];
  /** For which of those times records of which source are complete, microseconds since the epoch. */
  readonly coverage: readonly CoverageInterval[];
  /** Records that were weighed. */
  readonly recordsConsidered: number;
}

/** Who gave an answer. */
export type Answerer =
  /** A policy, without a person. */
  { readonly kind: 'automatic'; readonly policyId: string } | { readonly kind: 'person'; readonly name: string };

/** Where the evidence of an answer lies in the provider's log. */
export interface EvidenceReference {
  readonly packId: string;
  /** SHA-256 of the manifest of the pack, lower-case hex. */
  readonly manifestSha256: string;
  /** Of the log that it was written to. */
  readonly logId: string;
  readonly leafIndex: number;
}

/** A provider's answer to a {@link TracebackRequest}. Signed, it stands: what was wrong in it is amended by another. */
export interface TracebackAnswer {
  readonly format: 'hopback.traceback-answer.1';
  readonly answerId: string;
  readonly requestId: string;
  readonly tracebackId: string;
  /** 1 for the first answer to a request. */
  readonly revision: number;
  /** Of the answer before, and why it is amended; where `revision` is above 1. */
  readonly amends?: { readonly answerId: string; readonly reason: string };
  /** RFC 3339 in UTC. */
  readonly answeredAt: string;
  readonly provider: ProviderReference;
  readonly answeredBy: Answerer;
  readonly finding: TracebackFinding;
  /** Absent where no call was found. */
  readonly call?: AnsweredCall;
  /** What was done about whoever sent the call, where it is another provider. */
  readonly upstreamAction?: CustomerAction;
  readonly searched: SearchStatement;
  readonly evidence?: EvidenceReference;
  readonly comment?: string;
}
