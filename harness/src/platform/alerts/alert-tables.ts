import type { Alert } from '@hopback/sdk/platform';
import type { AreaDefinition, EpochMs, JsonColumn } from '../core/index.js';
import { statements } from '../database/index.js';
import type { AlertRule, AlertSubscription } from '../domain/alerts/alert-bodies.js';

type AlertKind = Alert['kind'];

/** Tables of alerts. No number is in them. */
export type AlertTables = {
  /** One row for each organization that is told: no subject is told to it twice for the same reason. */
  readonly alerts_alerts: {
    readonly alert_id: string;
    readonly organization_id: string;
    /** `campaign:c-1`, `provider:prv-1`. */
    readonly subject: string;
    /** `live-campaign:2`: the kind, and which time of it this is. */
    readonly reason: string;
    readonly kind: AlertKind;
    readonly rule_id: string | null;
    readonly campaign_id: string | null;
    readonly raised_at_ms: EpochMs;
    /** Without its acknowledgement. */
    readonly alert: JsonColumn<Alert>;
    readonly acknowledged: JsonColumn<NonNullable<Alert['acknowledged']>> | null;
    readonly acknowledged_at_ms: number | null;
  };
  /** Campaigns that were heard of. */
  readonly alerts_campaigns: {
    readonly campaign_id: string;
    /** Whether it is looked at again without being heard of: while it calls, or where somebody could not be told yet. */
    readonly is_watched: boolean;
    /** Since when it is silent; null while it calls. */
    readonly dormant_ms: number | null;
    /** How often it has called again after a silence. */
    readonly resumed: number;
    readonly evaluated_ms: EpochMs;
  };
  readonly alerts_rules: {
    readonly rule_id: string;
    readonly rule: JsonColumn<AlertRule>;
    readonly updated_ms: EpochMs;
  };
  readonly alerts_subscriptions: {
    readonly organization_id: string;
    readonly subscription: JsonColumn<AlertSubscription>;
    readonly updated_ms: EpochMs;
  };
  /** Cases that one agency has shared with another. Demands and productions are never part of it. */
  readonly alerts_shares: {
    readonly share_id: string;
    readonly campaign_id: string;
    readonly from_id: string;
    readonly with_id: string;
    readonly note: string | null;
    readonly shared_ms: EpochMs;
    readonly withdrawn_ms: number | null;
  };
};

/** Tables of alerts, rules and shared cases. */
export const alertsDefinition: AreaDefinition = {
  name: 'alerts',
  migrations: [
    {
      name: 'alerts-001-alerts',
      up: statements(
        `create table alerts_alerts (
          alert_id text primary key,
          organization_id text not null,
          subject text not null,
          reason text not null,
          kind text not null,
          rule_id text,
          campaign_id text,
          raised_at_ms bigint not null,
          alert jsonb not null,
          acknowledged jsonb,
          acknowledged_at_ms bigint,
          unique (subject, reason, organization_id))`,
        'create index alerts_alerts_inbox on alerts_alerts (organization_id, raised_at_ms, alert_id)',
        'create index alerts_alerts_campaign on alerts_alerts (campaign_id, organization_id)',
        `create table alerts_campaigns (
          campaign_id text primary key,
          is_watched boolean not null,
          dormant_ms bigint,
          resumed int not null,
          evaluated_ms bigint not null)`,
        'create index alerts_campaigns_watched on alerts_campaigns (evaluated_ms) where is_watched',
        `create table alerts_rules (
          rule_id text primary key,
          rule jsonb not null,
          updated_ms bigint not null)`,
        `create table alerts_subscriptions (
          organization_id text primary key,
          subscription jsonb not null,
          updated_ms bigint not null)`,
      ),
    },
    {
      name: 'alerts-002-shares',
      up: statements(
        `create table alerts_shares (
          share_id text primary key,
          campaign_id text not null,
          from_id text not null,
          with_id text not null,
          note text,
          shared_ms bigint not null,
          withdrawn_ms bigint)`,
        `create unique index alerts_shares_open on alerts_shares (campaign_id, from_id, with_id)
          where withdrawn_ms is null`,
        'create index alerts_shares_with on alerts_shares (with_id, campaign_id)',
      ),
    },
  ],
};
