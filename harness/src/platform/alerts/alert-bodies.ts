import type { Alert, Page } from '@hopback/sdk/platform';
import type { AlertRule, AlertSubscription, CaseSheet, DueAlert } from '../domain/alerts/index.js';

// Bodies of the routes of alerts and cases beside the contract. Times are RFC 3339 in UTC.

export interface AlertRuleList {
  readonly rules: readonly AlertRule[];
}

/** Tries rules on campaigns that there were. */
export interface AlertTrial {
  /** Instead of the rules there are; staff alone. */
  readonly rules?: readonly AlertRule[];
  /** Instead of the one that the caller has; agencies alone. */
  readonly subscription?: AlertSubscription;
  /** The latest where nothing is said. */
  readonly campaignIds?: readonly string[];
}

export interface AlertTrialReport {
  readonly campaigns: number;
  /** What would have been told, had the rules been held against each campaign when its last call was seen. */
  readonly alerts: readonly (DueAlert & { readonly campaignId: string })[];
}

export interface CaseShareOrder {
  /** Ids of agencies. */
  readonly with: readonly string[];
  readonly note?: string;
}

export interface CaseShare {
  readonly shareId: string;
  readonly campaignId: string;
  readonly from: string;
  readonly with: string;
  readonly note?: string;
  readonly sharedAt: string;
  readonly withdrawnAt?: string;
}

export interface CaseShareList {
  readonly shares: readonly CaseShare[];
}

/** A campaign that the caller has an alert of, or that was shared with it. */
export interface CaseEntry {
  readonly campaignId: string;
  /** Absent where it was only shared. */
  readonly alerts: readonly Alert[];
  /** Agencies that shared it with the caller. */
  readonly sharedBy: readonly string[];
}

/** Bodies by name. */
export interface AlertBodies {
  readonly AlertRule: AlertRule;
  readonly AlertRuleList: AlertRuleList;
  readonly AlertSubscription: AlertSubscription;
  readonly AlertTrial: AlertTrial;
  readonly AlertTrialReport: AlertTrialReport;
  readonly CaseSheet: CaseSheet;
  readonly CaseShareOrder: CaseShareOrder;
  readonly CaseShare: CaseShare;
  readonly CaseShareList: CaseShareList;
  readonly CasePage: Page<CaseEntry>;
}
