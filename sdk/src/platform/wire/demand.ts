import type { ProviderReference } from '../../core/traceback-request.js';
import type { CanonicalTn } from '../../core/terms.js';

/** By which legal process records are demanded. @see 18 USC 2703 */
export type DemandKind = 'subpoena' | 'civil-investigative-demand' | 'court-order';

/**
 * Classes of what can be demanded. They stay apart, since each has its own legal edge.
 * - `traceback-records`: requests, answers, outcomes
 * - `call-records`: of providers' live streams
 * - `customer-records`: what providers said of their customers
 * - `app-reports`: of robocall-blocking applications
 * - `recordings`: content of calls. 18 USC 2702(a)
 */
export type DemandRecordClass =
  'traceback-records' | 'call-records' | 'customer-records' | 'app-reports' | 'recordings';

/** What a demand reaches: everything that fits all of what is stated. */
export interface DemandScope {
  readonly recordClasses: readonly DemandRecordClass[];
  /** RFC 3339 in UTC; `from` is in it, `to` is not, and has to be later. */
  readonly from: string;
  readonly to: string;
  readonly callingNumbers?: readonly CanonicalTn[];
  readonly calledNumbers?: readonly CanonicalTn[];
  readonly campaignIds?: readonly string[];
  readonly tracebackIds?: readonly string[];
  readonly providers?: readonly ProviderReference[];
}

/** Who demands. */
export interface DemandingAgency {
  readonly name: string;
  /** State or federal body whose law it acts under: `US`, `US-TX` (ISO 3166). */
  readonly jurisdiction: string;
  readonly contactEmail: string;
  readonly contactTelephone?: string;
}

/** What an agency sends beside the PDF of its demand. */
export interface DemandSubmission {
  readonly kind: DemandKind;
  readonly agency: DemandingAgency;
  /** The agency's number of the matter. */
  readonly reference: string;
  /** The law it is issued under, as cited in it. */
  readonly authority: string;
  readonly scope: DemandScope;
  /** RFC 3339 full date by which production is demanded. */
  readonly returnOn: string;
  /** Whether calls go on, so that review should not wait. */
  readonly isUrgent: boolean;
  /** SHA-256 of the PDF, lower-case hex. */
  readonly documentSha256: string;
  readonly comment?: string;
}

/** Where a demand stands. */
export type DemandState = 'under-review' | 'approved' | 'narrowed' | 'rejected' | 'produced' | 'withdrawn';

/** What a reviewer decides. */
export type DemandDecisionRequest =
  | { readonly decision: 'approve'; readonly reason: string }
  /** Approved as far as this scope reaches. */
  | { readonly decision: 'narrow'; readonly reason: string; readonly scope: DemandScope }
  | { readonly decision: 'reject'; readonly reason: string };

/** A decision that was taken. */
export type DemandDecision = DemandDecisionRequest & {
  readonly decisionId: string;
  /** Who, by role. */
  readonly decidedBy: string;
  /** RFC 3339 in UTC. */
  readonly decidedAt: string;
};

/** A subpoena, civil investigative demand or court order, and what became of it. */
export interface Demand extends DemandSubmission {
  readonly format: 'hopback.demand.1';
  readonly demandId: string;
  readonly state: DemandState;
  /** RFC 3339 in UTC. */
  readonly submittedAt: string;
  readonly documentSizeBytes: number;
  readonly decisions: readonly DemandDecision[];
  readonly productionIds: readonly string[];
}
