import type { ProviderReference } from './provider-reference.js';
import type { Attestation, Spc } from './terms.js';

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
