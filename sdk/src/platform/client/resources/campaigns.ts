import type { Alert, AlertAcknowledgement } from '../../wire/alert.js';
import { alertSchema } from '../../wire/alert.schema.js';
import type { AppReport, AppReportReceipt } from '../../wire/app-report.js';
import { appReportReceiptSchema } from '../../wire/app-report.schema.js';
import type { Campaign, CampaignState } from '../../wire/campaign.js';
import { campaignSchema } from '../../wire/campaign.schema.js';
import type { PlatformRequestOptions } from '../request-options.js';
import type { Requester } from '../requester.js';
import { fetching, posting } from './json-calls.js';
import { pagedList } from './paged-list.js';
import type { PagedList, PageParams } from './paged-list.js';

/** Which campaigns. */
export interface CampaignListParams extends PageParams {
  readonly state?: CampaignState;
}

/** Campaigns of robocalls. Everything rejects with {@link HopbackError}. */
export interface CampaignCalls extends PagedList<Campaign, CampaignListParams> {
  readonly retrieve: (params: { readonly campaignId: string }, options?: PlatformRequestOptions) => Promise<Campaign>;
}

/** Which alerts. */
export interface AlertListParams extends PageParams {
  readonly state?: 'unacknowledged' | 'acknowledged';
}

/** Alerts to the calling organization. Everything rejects with {@link HopbackError}. */
export interface AlertCalls extends PagedList<Alert, AlertListParams> {
  /** The first acknowledgement counts, further ones change nothing. */
  readonly acknowledge: (
    params: { readonly alertId: string } & AlertAcknowledgement,
    options?: PlatformRequestOptions,
  ) => Promise<Alert>;
}

/** Calls that applications took for robocalls. Everything rejects with {@link HopbackError}. */
export interface AppReportCalls {
  /** Sends a report; `reportId` tells repeats. */
  readonly create: (params: AppReport, options?: PlatformRequestOptions) => Promise<AppReportReceipt>;
}

const CAMPAIGNS = '/v1/campaigns';
const ALERTS = '/v1/alerts';

/** Makes the calls of this group. */
export function campaignCalls(requester: Requester): CampaignCalls {
  return {
    ...pagedList(requester, { route: CAMPAIGNS, item: campaignSchema }),
    retrieve: (path, options) =>
      requester.send(fetching(`${CAMPAIGNS}/{campaignId}`, campaignSchema, { path: { ...path } }), options),
  };
}

/** Makes the calls of this group. */
export function alertCalls(requester: Requester): AlertCalls {
  return {
    ...pagedList(requester, { route: ALERTS, item: alertSchema }),
    acknowledge: ({ alertId, ...body }, options) =>
      requester.send(posting(`${ALERTS}/{alertId}/acknowledgement`, alertSchema, { path: { alertId }, body }), options),
  };
}

/** Makes the calls of this group. */
export function appReportCalls(requester: Requester): AppReportCalls {
  return {
    create: (body, options) => requester.send(posting('/v1/app-reports', appReportReceiptSchema, { body }), options),
  };
}
