import type { ProviderReference } from '../../core/traceback-request.js';

/**
 * What an alert is about.
 * - `campaign-suspected`, `campaign-resumed`: calls that look like a campaign; one that was dormant calls again
 * - `live-campaign`: one that calls now, so that a temporary restraining order would stop it
 * - `provider-non-responsive`: requests to a provider go unanswered
 * - `point-of-entry`: foreign illegal calls come in at a provider again and again
 */
export type AlertKind =
  'campaign-suspected' | 'campaign-resumed' | 'live-campaign' | 'provider-non-responsive' | 'point-of-entry';

/** How soon somebody should look. */
export type AlertSeverity = 'information' | 'warning' | 'urgent';

/** Tells an agency or provider of what it may want to act on, with enough to open an investigation and no record that needs a demand. */
export interface Alert {
  readonly format: 'hopback.alert.1';
  readonly alertId: string;
  readonly kind: AlertKind;
  readonly severity: AlertSeverity;
  /** RFC 3339 in UTC. */
  readonly raisedAt: string;
  readonly title: string;
  readonly summary: string;
  readonly campaignId?: string;
  readonly tracebackIds: readonly string[];
  readonly providers: readonly ProviderReference[];
  /** What it rests on, counted. */
  readonly figures: readonly { readonly name: string; readonly value: number; readonly unit?: string }[];
  /** First acknowledgement by the caller's organization. */
  readonly acknowledged?: AlertAcknowledgement & { readonly acknowledgedAt: string };
}

/** Somebody has seen an alert. Said again it changes nothing. */
export interface AlertAcknowledgement {
  /** Who, by role or office. */
  readonly acknowledgedBy: string;
  readonly intends?: 'investigate' | 'watch' | 'no-action';
  readonly note?: string;
}
