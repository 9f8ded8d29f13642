import type { Alert, Page, WireSchema } from '@hopback/sdk/platform';
import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import type { ProviderReference } from '@hopback/sdk/traceback';
import { z } from 'zod';
import type { AlertRule, AlertSubscription, DueAlert } from '../domain/alerts/alert-rules.js';
import type { CaseSheet } from '../domain/alerts/case-sheet.js';

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

/** Rules of staff, and those that are tried at once. */
export const MAX_RULES = 200;
/** Types, States and agencies that a rule or subscription names: more than there are jurisdictions. */
const MAX_WORDS = 100;
/** Campaigns that rules are tried on at once: each is read with thousands of calls. */
export const MAX_TRIED = 100;
/** Agencies that a case is shared with at once: those of all jurisdictions, and some of the United States. */
const MAX_SHARED_WITH = 100;
/** Items of lists in answers. */
const MAX_ITEMS = 500;
/** What rules come to on the campaigns that they were tried on. */
const MAX_FINDINGS = 100_000;

const identifier = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._~:@=-]{0,127}$/);
const line = z.string().regex(/^[^\u0000-\u001f\u007f]{1,256}$/);
const text = z.string().regex(/^[^\u0000]{1,8192}$/);
const utcTime = z.iso.datetime().max(40);
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const jurisdiction = z.string().regex(/^US(?:-[A-Z]{2})?$/);
const severity = z.enum(['information', 'warning', 'urgent']);
const campaignKind = z.enum(['campaign-suspected', 'campaign-resumed', 'live-campaign']);
const kind = z.enum([
  'campaign-suspected',
  'campaign-resumed',
  'live-campaign',
  'provider-non-responsive',
  'point-of-entry',
]);
const words = z.array(line).max(MAX_WORDS);

const rule: z.ZodType<AlertRule> = z.object({
  ruleId: identifier,
  kind: campaignKind,
  severity,
  isEnabled: z.boolean(),
  minCalls: count,
  minCallsPerMinute: z.number().min(0),
  mustBeLive: z.boolean(),
  types: words,
  minShare: share,
  minCallsThere: count,
  agencyIds: z.array(identifier).max(MAX_WORDS),
});

const subscription: z.ZodType<AlertSubscription> = z.object({
  withoutKinds: z.array(kind).max(5),
  types: words,
  minCalls: count,
  minShare: share,
  minSeverity: severity,
  alsoJurisdictions: z.array(jurisdiction).max(MAX_WORDS),
});

const due: z.ZodType<DueAlert & { readonly campaignId: string }> = z.object({
  campaignId: identifier,
  agencyId: identifier,
  ruleId: identifier,
  kind: campaignKind,
  severity,
  callsThere: count,
  shareThere: share,
});

const alert = z.custom<Alert>((value) => WIRE_SCHEMAS.Alert.safeParse(value).success);
const provider: z.ZodType<ProviderReference> = z.object({
  providerId: z.exactOptional(identifier),
  name: line,
  ocn: z.exactOptional(line),
  spc: z.exactOptional(line),
  frn: z.exactOptional(line),
});

const sheet: z.ZodType<CaseSheet> = z.object({
  format: z.literal('hopback.case-sheet.1'),
  campaignId: identifier,
  name: line,
  description: z.exactOptional(text),
  state: z.enum(['live', 'dormant', 'closed']),
  asOf: utcTime,
  said: z.exactOptional(z.string().max(131_072)),
  recordingSha256: z.array(z.string().max(64)).max(MAX_ITEMS),
  signals: z.array(line).max(MAX_WORDS),
  volume: z.object({
    firstSeenAt: utcTime,
    lastSeenAt: utcTime,
    observedCalls: count,
    carrierRecords: count,
    appReports: count,
    callingNumbers: count,
    sampledCalls: count,
    unjoined: z.exactOptional(count),
    callsPerMinute: z.number().min(0),
    trend: z.exactOptional(z.enum(['rising', 'steady', 'falling'])),
    perHour: z.array(z.object({ from: utcTime, calls: count })).max(MAX_WORDS),
  }),
  jurisdictions: z.array(z.object({ jurisdiction, calls: count, share })).max(MAX_WORDS),
  elsewhere: count,
  signers: z
    .array(z.object({ spc: line, calls: count, attestation: z.object({ A: count, B: count, C: count }) }))
    .max(MAX_WORDS),
  unsigned: count,
  providers: z
    .array(
      z.object({
        provider,
        role: z.enum(['origin', 'point-of-entry', 'transit', 'terminating']),
        tracebacks: count,
        of: count,
        lower: share,
        upper: share,
      }),
    )
    .max(MAX_WORDS),
  tracebacks: z
    .array(z.object({ tracebackId: identifier, outcome: z.exactOptional(z.custom<never>(isWord)) }))
    .max(MAX_ITEMS),
  process: z.array(z.object({ records: text, process: text, basis: text })).max(MAX_WORDS),
});

function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z-]{1,64}$/.test(value);
}

const caseShare: z.ZodType<CaseShare> = z.object({
  shareId: identifier,
  campaignId: identifier,
  from: identifier,
  with: identifier,
  note: z.exactOptional(text),
  sharedAt: utcTime,
  withdrawnAt: z.exactOptional(utcTime),
});

const caseEntry: z.ZodType<CaseEntry> = z.object({
  campaignId: identifier,
  alerts: z.array(alert).max(MAX_ITEMS),
  sharedBy: z.array(identifier).max(MAX_ITEMS),
});

/** Schemas of the bodies, by name. */
export const ALERT_SCHEMAS: { readonly [Name in keyof AlertBodies]: WireSchema<AlertBodies[Name]> } = {
  AlertRule: rule,
  AlertRuleList: z.object({ rules: z.array(rule).max(MAX_RULES + MAX_WORDS) }),
  AlertSubscription: subscription,
  AlertTrial: z.object({
    rules: z.exactOptional(z.array(rule).max(MAX_RULES)),
    subscription: z.exactOptional(subscription),
    campaignIds: z.exactOptional(z.array(identifier).max(MAX_TRIED)),
  }),
  AlertTrialReport: z.object({ campaigns: count, alerts: z.array(due).max(MAX_FINDINGS) }),
  CaseSheet: sheet,
  CaseShareOrder: z.object({
    with: z.array(identifier).min(1).max(MAX_SHARED_WITH),
    note: z.exactOptional(text),
  }),
  CaseShare: caseShare,
  CaseShareList: z.object({ shares: z.array(caseShare).max(MAX_ITEMS) }),
  CasePage: z.object({ items: z.array(caseEntry).max(MAX_ITEMS), nextCursor: z.exactOptional(z.string().max(2_048)) }),
};
