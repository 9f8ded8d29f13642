import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import type { CustomerAction } from '../../core/traceback-request.js';
import type { RequestedCall } from '../../core/traceback-request.js';

/** Where a notice stands. */
export type NoticeState = 'open' | 'mitigation-stated' | 'reported' | 'withdrawn';

/** The Commission's notice of suspected illegal traffic to a provider. @see 47 CFR 64.1200(n)(2) */
export interface FccNotice {
  readonly format: 'hopback.fcc-notice.1';
  readonly noticeId: string;
  readonly state: NoticeState;
  /** The Commission's own number of it. */
  readonly reference: string;
  readonly provider: ProviderReference;
  /** RFC 3339 in UTC. */
  readonly issuedAt: string;
  /** By when details of mitigation are due: 48 hours. */
  readonly mitigationDueAt: string;
  /** By when the report of the investigation is due: 14 days. */
  readonly reportDueAt: string;
  /** What is suspected, and why it is illegal. */
  readonly description: string;
  readonly campaignId?: string;
  /** Calls that stand for the traffic. */
  readonly calls: readonly RequestedCall[];
  readonly tracebackIds: readonly string[];
  readonly responses: readonly NoticeResponse[];
}

/** What a provider does about suspected traffic. */
export interface MitigationMeasure {
  readonly action: CustomerAction | 'traffic-blocked' | 'upstream-notified' | 'other';
  /** RFC 3339 in UTC. */
  readonly takenAt: string;
  readonly detail: string;
}

/** From whom the suspected traffic came. */
export type NoticeSource =
  | { readonly kind: 'customer'; readonly contact: ContactDetails }
  | { readonly kind: 'provider'; readonly upstream: ProviderReference }
  | { readonly kind: 'unlisted-provider'; readonly upstream: ContactDetails };

/** What a provider says to a notice: first what it did, then what it found. */
export interface NoticeResponse {
  readonly format: 'hopback.notice-response.1';
  /** The provider's own, so that the same response sent again is none more. */
  readonly responseId: string;
  readonly kind: 'mitigation' | 'report';
  /** RFC 3339 in UTC. */
  readonly respondedAt: string;
  readonly finding: 'traffic-illegal' | 'traffic-lawful' | 'not-our-traffic' | 'under-investigation';
  readonly statement: string;
  readonly measures: readonly MitigationMeasure[];
  readonly sources: readonly NoticeSource[];
}
