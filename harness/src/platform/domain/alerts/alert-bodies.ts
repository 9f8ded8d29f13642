import type { BodyOf } from '@hopback/sdk/platform';
import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import { z } from 'zod';
import { count, identifier, jurisdiction, line, MAX_ITEMS, pageOf, share, utcTime } from '../wire/routes.js';

// Bodies of the routes of alerts and cases beside the contract. Times are RFC 3339 in UTC.

/** Rules of staff, and those that are tried at once. */
export const MAX_RULES = 200;
/** Types, States and agencies that a rule or subscription names: more than there are jurisdictions. */
const MAX_WORDS = 100;
/** Campaigns that rules are tried on at once: each is read with thousands of calls. */
export const MAX_TRIED = 100;
/** Agencies that a case is shared with at once: those of all jurisdictions, and some of the United States. */
const MAX_SHARED_WITH = 100;
/** What rules come to on the campaigns that they were tried on. */
const MAX_FINDINGS = 100_000;

const text = z.string().regex(/^[^\u0000]{1,8192}$/);
const severity = z.enum(['information', 'warning', 'urgent']);
/** Kinds of alert that are about a campaign. */
const campaignKind = z.enum(['campaign-suspected', 'campaign-resumed', 'live-campaign']);
const kind = z.enum([...campaignKind.options, 'provider-non-responsive', 'point-of-entry']);
const words = z.array(line).max(MAX_WORDS);

/** Who is told of which campaigns. All that a rule states has to hold. */
const AlertRule = z.object({
  ruleId: identifier,
  kind: campaignKind,
  severity,
  isEnabled: z.boolean(),
  /** Calls of the campaign that were observed, at least. */
  minCalls: count,
  /** Calls a minute over the last ten minutes, at least. */
  minCallsPerMinute: z.number().min(0),
  /** Whether calls have to come now. */
  mustBeLive: z.boolean(),
  /**
   * Words that the class of the campaign begins with, its name, or one of its signals: `government-impersonation`, `SSA`, `same-script`; without
   * regard to case. Empty: any.
   */
  types: words,
  /** Share of the calls to the agency's own State, at least; the United States have every call to them. */
  minShare: share,
  /** Calls to it, at least. */
  minCallsThere: count,
  /** Agencies that it is for; empty: all whose jurisdiction is concerned. */
  agencyIds: z.array(identifier).max(MAX_WORDS),
});
export type AlertRule = BodyOf<typeof AlertRule>;

/** What one agency wants beside or less than the rules. */
const AlertSubscription = z.object({
  /** Kinds that it does not want. */
  withoutKinds: z.array(kind).max(5),
  /** Types that it wants; empty: any. As those of a rule. */
  types: words,
  minCalls: count,
  /** Of its own State; only ever narrower than the rule. */
  minShare: share,
  minSeverity: severity,
  /** Other States that it wants to hear of: `US-NV`. */
  alsoJurisdictions: z.array(jurisdiction).max(MAX_WORDS),
});
export type AlertSubscription = BodyOf<typeof AlertSubscription>;

/** Tries rules on campaigns that there were. */
const AlertTrial = z.object({
  /** Instead of the rules there are; staff alone. */
  rules: z.exactOptional(z.array(AlertRule).max(MAX_RULES)),
  /** Instead of the one that the caller has; agencies alone. */
  subscription: z.exactOptional(AlertSubscription),
  /** The latest where nothing is said. */
  campaignIds: z.exactOptional(z.array(identifier).max(MAX_TRIED)),
});
export type AlertTrial = BodyOf<typeof AlertTrial>;

const AlertTrialReport = z.object({
  campaigns: count,
  /** What would have been told, had the rules been held against each campaign when its last call was seen. */
  alerts: z
    .array(
      z.object({
        campaignId: identifier,
        agencyId: identifier,
        ruleId: identifier,
        kind: campaignKind,
        severity,
        /** Calls to the jurisdiction of the agency. */
        callsThere: count,
        shareThere: share,
      }),
    )
    .max(MAX_FINDINGS),
});
export type AlertTrialReport = BodyOf<typeof AlertTrialReport>;
/** A reason to tell an agency of a campaign. */
export type DueAlert = Omit<AlertTrialReport['alerts'][number], 'campaignId'>;

/** What an agency needs to open an investigation, and nothing that needs process: no number, no record of a call. */
const CaseSheet = z.object({
  format: z.literal('hopback.case-sheet.1'),
  campaignId: identifier,
  name: line,
  description: z.exactOptional(text),
  state: z.enum(['live', 'dormant', 'closed']),
  /** When it was made: figures are of this time. */
  asOf: utcTime,
  /** What is said on one call, numbers taken out. */
  said: z.exactOptional(z.string().max(131_072)),
  recordingSha256: z.array(z.string().max(64)).max(MAX_ITEMS),
  signals: z.array(line).max(MAX_WORDS),
  volume: z.object({
    firstSeenAt: utcTime,
    lastSeenAt: utcTime,
    /** Calls that were placed, each once, and the records and reports that they were counted from. */
    observedCalls: count,
    carrierRecords: count,
    appReports: count,
    callingNumbers: count,
    /** Newest calls that jurisdictions, signers and hours are counted over. */
    sampledCalls: count,
    /** Records and reports among them that are not joined, and count as a call each; absent where there are none. */
    unjoined: z.exactOptional(count),
    callsPerMinute: z.number().min(0),
    trend: z.exactOptional(z.enum(['rising', 'steady', 'falling'])),
    perHour: z.array(z.object({ from: utcTime, calls: count })).max(MAX_WORDS),
  }),
  /** `share` is of the calls whose area code belongs to a jurisdiction. */
  jurisdictions: z.array(z.object({ jurisdiction, calls: count, share })).max(MAX_WORDS),
  /** Calls whose area code is of no jurisdiction. */
  elsewhere: count,
  /** Calls by the Service Provider Code that signed them. */
  signers: z
    .array(z.object({ spc: line, calls: count, attestation: z.object({ A: count, B: count, C: count }) }))
    .max(MAX_WORDS),
  unsigned: count,
  /** Providers and the part that tracebacks found. What a provider says of itself or a neighbour is a statement, not a finding of a court. */
  providers: z
    .array(
      z.object({
        provider: z.object({
          providerId: z.exactOptional(identifier),
          name: line,
          ocn: z.exactOptional(line),
          spc: z.exactOptional(line),
          frn: z.exactOptional(line),
        }),
        role: z.enum(['origin', 'point-of-entry', 'transit', 'terminating']),
        /** Tracebacks that found it in this part, of those that came to something. */
        tracebacks: count,
        of: count,
        /** 95 % interval of the share of the campaign's calls for which that holds, were the traced ones drawn by chance. */
        lower: share,
        upper: share,
      }),
    )
    .max(MAX_WORDS),
  /** Without an outcome while nothing is known. */
  tracebacks: z
    .array(z.object({ tracebackId: identifier, outcome: WIRE_SCHEMAS.Traceback.shape.outcome }))
    .max(MAX_ITEMS),
  /** Which process reaches which records. */
  process: z.array(z.object({ records: text, process: text, basis: text })).max(MAX_WORDS),
});
export type CaseSheet = BodyOf<typeof CaseSheet>;

const CaseShareOrder = z.object({
  /** Ids of agencies. */
  with: z.array(identifier).min(1).max(MAX_SHARED_WITH),
  note: z.exactOptional(text),
});
export type CaseShareOrder = BodyOf<typeof CaseShareOrder>;

const CaseShare = z.object({
  shareId: identifier,
  campaignId: identifier,
  from: identifier,
  with: identifier,
  note: z.exactOptional(text),
  sharedAt: utcTime,
  withdrawnAt: z.exactOptional(utcTime),
});
export type CaseShare = BodyOf<typeof CaseShare>;

/** A campaign that the caller has an alert of, or that was shared with it. */
const CaseEntry = z.object({
  campaignId: identifier,
  /** Empty where it was only shared. */
  alerts: z.array(WIRE_SCHEMAS.Alert).max(MAX_ITEMS),
  /** Agencies that shared it with the caller. */
  sharedBy: z.array(identifier).max(MAX_ITEMS),
});
export type CaseEntry = BodyOf<typeof CaseEntry>;

/** Schemas of the bodies, by name. */
export const ALERT_SCHEMAS = {
  AlertRule,
  AlertRuleList: z.object({ rules: z.array(AlertRule).max(MAX_RULES + MAX_WORDS) }),
  AlertSubscription,
  AlertTrial,
  AlertTrialReport,
  CaseSheet,
  CaseShareOrder,
  CaseShare,
  CaseShareList: z.object({ shares: z.array(CaseShare).max(MAX_ITEMS) }),
  CasePage: pageOf(CaseEntry),
};
