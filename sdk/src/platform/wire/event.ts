import type { TracebackRequest } from '../../core/traceback-request.js';
import type { Alert } from './alert.js';
import type { Campaign } from './campaign.js';
import type { DemandDecision } from './demand.js';
import type { FccNotice } from './notice.js';
import type { Production } from './production.js';
import type { Traceback } from './traceback.js';
import type { AnswerReceipt, RequestCancellation } from './traceback-exchange.js';

/**
 * An event as it is posted to a webhook and sent over the stream: the same JSON. It may come twice and out of order; `id` tells repeats,
 * and what is asked of the platform again is true.
 * @see CloudEvents 1.0.2 section 3, CloudEvents JSON Event Format 1.0.2 section 3
 */
export interface PlatformEventEnvelope<Type extends string = string, Data = unknown> {
  readonly specversion: '1.0';
  /** Unique with `source`; also the `webhook-id` and the id of the stream. */
  readonly id: string;
  /** URI reference of the platform. */
  readonly source: string;
  readonly type: Type;
  /** What it is about, the id of the request, traceback, notice or other. */
  readonly subject?: string;
  /** RFC 3339 in UTC. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Data;
}

/** A provider is asked. */
export interface RequestCreatedData {
  readonly request: TracebackRequest;
}

/** An answer is still wanted. */
export interface RequestRemindedData {
  readonly requestId: string;
  readonly tracebackId: string;
  /** RFC 3339 in UTC. */
  readonly dueAt: string;
  /** 1 for the first reminder. */
  readonly reminder: number;
}

/** No answer is wanted any longer. */
export interface RequestCancelledData extends RequestCancellation {
  readonly requestId: string;
  readonly tracebackId: string;
}

/** An answer was due, and there is none. */
export interface RequestOverdueData {
  readonly requestId: string;
  readonly tracebackId: string;
  /** RFC 3339 in UTC. */
  readonly dueAt: string;
}

/** A decision about a demand. */
export interface DemandDecidedData {
  readonly demandId: string;
  readonly decision: DemandDecision;
}

/** The platform could not do something that it owes, after several attempts. It goes on trying. */
export interface PlatformFaultData {
  /** What it is about: `demand:d-1`, `production:p-1`. */
  readonly subject: string;
  /** What failed, as a word: the job of the platform. */
  readonly fault: string;
  /** One line for people. */
  readonly title: string;
  /** What that means, and what can be done. */
  readonly summary: string;
}

/** What each kind of event carries, by its type. */
export interface PlatformEventData {
  readonly 'org.hopback.traceback-request.created.1': RequestCreatedData;
  readonly 'org.hopback.traceback-request.reminded.1': RequestRemindedData;
  readonly 'org.hopback.traceback-request.cancelled.1': RequestCancelledData;
  readonly 'org.hopback.traceback-request.overdue.1': RequestOverdueData;
  readonly 'org.hopback.traceback-answer.received.1': AnswerReceipt;
  readonly 'org.hopback.traceback.updated.1': { readonly traceback: Traceback };
  readonly 'org.hopback.notice.issued.1': { readonly notice: FccNotice };
  readonly 'org.hopback.alert.raised.1': { readonly alert: Alert };
  readonly 'org.hopback.campaign.updated.1': { readonly campaign: Campaign };
  readonly 'org.hopback.demand.decided.1': DemandDecidedData;
  readonly 'org.hopback.production.ready.1': { readonly production: Production };
  readonly 'org.hopback.platform.fault.1': PlatformFaultData;
}

/** Kinds of events of this release. Others are let pass unread: later releases may add some. */
export type PlatformEventType = keyof PlatformEventData;

/** An event of a kind that is known, with its data. */
export type PlatformEvent = {
  readonly [Type in PlatformEventType]: PlatformEventEnvelope<Type, PlatformEventData[Type]>;
}[PlatformEventType];
