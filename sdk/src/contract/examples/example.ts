import type { WireBodies, WireBodyName } from '../bodies.js';
import type { ContactDetails, ProviderReference } from '../common.js';
import type { RequestedCall, RequestedCampaign, Requester } from '../traceback-exchange.js';

/** A body as it could cross the wire. */
export interface WireExample<Name extends WireBodyName = WireBodyName> {
  /** In kebab-case; one of its kind within the body. */
  readonly name: string;
  readonly summary: string;
  readonly value: WireBodies[Name];
}

/** Examples of a body, the plainest first. */
export type WireExamples<Name extends WireBodyName> = readonly [WireExample<Name>, ...WireExample<Name>[]];

// One afternoon that all examples tell of. Friday, 23 October 2026, 15:41 in New York: a subscriber of Alder Voice gets a call with
// a recorded message. Alder had it from Birch Carrier Services, Birch from Cedar Gateway, and Cedar from abroad. Numbers are those
// set aside for fiction, addresses and names those set aside for documentation.

export const ALDER: ProviderReference = {
  providerId: 'prv-alder',
  name: 'Alder Voice LLC',
  ocn: '901A',
  spc: '901A',
  frn: '0000000101',
};
export const BIRCH: ProviderReference = {
  providerId: 'prv-birch',
  name: 'Birch Carrier Services Inc.',
  ocn: '902B',
  spc: '902B',
  frn: '0000000102',
};
export const CEDAR: ProviderReference = {
  providerId: 'prv-cedar',
  name: 'Cedar Gateway Corp.',
  ocn: '903C',
  spc: '903C',
  frn: '0000000103',
};
/** A provider that no registry lists. */
export const DUNE: ContactDetails = {
  name: 'Dune Telefonia S.A.',
  email: 'noc@dune.example',
  telephone: '+44 1632 960123',
  country: 'GB',
};

export const ITG: Requester = { kind: 'itg', name: 'Industry Traceback Group', email: 'traceback@itg.example' };

export const CALLED = '12025550143';
export const CALLING = '12025550198';
export const ORIG_ID = '5ed0b6a4-4c1f-4f0d-9a37-0c6b7f2b8a11';

export const TRACEBACK_ID = 'tb-20261023-0017';
export const ALDER_REQUEST_ID = 'trq-20261023-0017-1';
export const BIRCH_REQUEST_ID = 'trq-20261023-0017-2';
export const CEDAR_REQUEST_ID = 'trq-20261023-0017-3';
export const ANSWER_ID = 'ans-7c1d5e2f';
export const AMENDED_ANSWER_ID = 'ans-9b3a6610';
export const CAMPAIGN_ID = 'cmp-ssa-suspended-p2';
export const REPORT_ID = 'rpt-0a51c7d2';
export const PACK_ID = 'pack-7c1d5e2f';
export const LOG_ID = 'birch.example/evidence';
export const NOTICE_ID = 'ntc-2026-0042';
export const DEMAND_ID = 'dmd-2026-0311';
export const DECISION_ID = 'dec-2026-0311-1';
export const PRODUCTION_ID = 'prd-2026-0311-1';
export const ALERT_ID = 'alr-2026-1190';
export const ENDPOINT_ID = 'whe-4b8e02';

export const OPENED_AT = '2026-10-23T20:02:00Z';
export const ISSUED_AT = '2026-10-23T20:05:10Z';
/** Asked on Friday at 16:05 in New York: due on Monday at the same time of day. */
export const DUE_AT = '2026-10-26T20:05:10Z';
export const ANSWERED_AT = '2026-10-23T20:05:12Z';
export const RECEIVED_AT = '2026-10-23T20:05:12.480Z';

/** As the subscriber's report has it: minutes, in the zone of the subscriber. */
export const REQUESTED_CALL: RequestedCall = {
  called: '+1 (202) 555-0143',
  calling: '202-555-0198',
  at: {
    asWritten: '10/23/2026 3:41 PM EDT',
    local: '2026-10-23T15:41',
    zone: 'America/New_York',
    precision: 'minute',
  },
  attestation: 'B',
  spc: '903C',
};

export const TRANSCRIPT =
  'This is an automated message from the Social Security Administration. Your benefits have been suspended due to suspicious activity. Press one to speak with an officer.';
export const RECORDING_SHA256 = 'b0d2f2f0f5a8c2f0bb0c5d7a8a5e4a4d3c1b7f6e9d8c7b6a5f4e3d2c1b0a9f8e';

export const REQUESTED_CAMPAIGN: RequestedCampaign = {
  campaignId: CAMPAIGN_ID,
  name: 'SSA-Suspended-P2',
  description: 'Recorded message in the name of the Social Security Administration; press one.',
  transcript: TRANSCRIPT,
  recordingSha256: RECORDING_SHA256,
};
