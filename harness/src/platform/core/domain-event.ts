import type { PlatformEventType } from '@hopback/sdk/platform';

/**
 * Events that areas hear of each other beside those of the wire. Data are in {@link DomainEventData}.
 */
export interface DomainEventData {
  /** A campaign was found, or changed in what others rest on. */
  readonly 'campaign.changed': {
    readonly campaignId: string;
    readonly change: 'found' | 'grown' | 'live' | 'dormant' | 'merged';
  };
  /** A traceback has come to something, or was closed. */
  readonly 'traceback.concluded': {
    readonly tracebackId: string;
    readonly campaignId?: string;
    readonly isFinal: boolean;
  };
  /** A provider did not answer in time, or did after all. */
  readonly 'provider.responsiveness': {
    readonly providerId: string;
    readonly requestId: string;
    readonly isNonResponsive: boolean;
  };
  /** Legal process asks that a call be traced. */
  readonly 'demand.approved': { readonly demandId: string };
  /** The platform could not do something that it owes: staff look, and the organization that waits for it is told. */
  readonly 'platform.fault': {
    /** What it is about, `demand:d-1`. */
    readonly subject: string;
    /** What failed, as a word: the same fault of the same subject is told once. */
    readonly fault: string;
    readonly title: string;
    readonly summary: string;
    readonly organizationId?: string;
  };
}

/** Name of an event that areas can react to. */
export type DomainEventType = keyof DomainEventData | PlatformEventType;

/** An event as it is read back: `data` is in the form that its type says. */
export interface DomainEvent {
  readonly eventId: string;
  readonly position: number;
  readonly atMs: number;
  readonly type: DomainEventType;
  readonly subject: string;
  readonly data: unknown;
}
