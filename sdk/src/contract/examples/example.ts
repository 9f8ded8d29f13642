import type { WireBodies } from '../bodies.js';
import type { ContactDetails, ProviderReference } from '../common.js';
import type { DemandDecision } from '../demand.js';
import type { RequestedCall, RequestedCampaign, Requester } from '../traceback-exchange.js';

/** A body as it could cross the wire. */
export interface WireExample<Name extends keyof WireBodies = keyof WireBodies> {
  /** In kebab-case; one of its kind within the body. */
  readonly name: string;
  readonly summary: string;
  readonly value: WireBodies[Name];
}

/** Examples of a body, the plainest first. */
export type WireExamples<Name extends keyof WireBodies> = readonly [WireExample<Name>, ...WireExample<Name>[]];

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

/** Ids of what the examples tell of. */
export const ids = {
  alderRequest: 'trq-20261023-0017-1',
  birchRequest: 'trq-20261023-0017-2',
  cedarRequest: 'trq-20261023-0017-3',
  amendedAnswer: 'ans-9b3a6610',
  traceback: 'tb-20261023-0017',
  answer: 'ans-7c1d5e2f',
  campaign: 'cmp-ssa-suspended-p2',
  report: 'rpt-0a51c7d2',
  pack: 'pack-7c1d5e2f',
  log: 'birch.example/evidence',
  notice: 'ntc-2026-0042',
  demand: 'dmd-2026-0311',
  decision: 'dec-2026-0311-1',
  production: 'prd-2026-0311-1',
  alert: 'alr-2026-1190',
  endpoint: 'whe-4b8e02',
  orig: '5ed0b6a4-4c1f-4f0d-9a37-0c6b7f2b8a11',
} as const;

export const times = {
  opened: '2026-10-23T20:02:00Z',
  issued: '2026-10-23T20:05:10Z',
  /** Asked on Friday at 16:05 in New York: due on Monday at the same time of day. */
  due: '2026-10-26T20:05:10Z',
  answered: '2026-10-23T20:05:12Z',
  received: '2026-10-23T20:05:12.480Z',
} as const;

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

/** The number that the recorded message asks to call back. */
export const CALL_BACK_NUMBER: RequestedCall = {
  called: '+1 202 555 0177',
  at: { asWritten: '10/23/2026', local: '2026-10-23', zone: 'America/New_York', precision: 'day' },
};

export const TRANSCRIPT =
  'This is an automated message from the Social Security Administration. Your benefits have been suspended due to suspicious activity. Press one to speak with an officer.';
export const RECORDING_SHA256 = 'b0d2f2f0f5a8c2f0bb0c5d7a8a5e4a4d3c1b7f6e9d8c7b6a5f4e3d2c1b0a9f8e';

export const REQUESTED_CAMPAIGN: RequestedCampaign = {
  campaignId: ids.campaign,
  name: 'SSA-Suspended-P2',
  description: 'Recorded message in the name of the Social Security Administration; press one.',
  transcript: TRANSCRIPT,
  recordingSha256: RECORDING_SHA256,
};

export const APPROVAL: DemandDecision = {
  decision: 'approve',
  reason: 'Within the authority that it cites; the scope is that of one campaign.',
  decisionId: ids.decision,
  decidedBy: 'Reviewing counsel',
  decidedAt: '2026-10-23T22:15:00Z',
};

/** An example with its name and what it shows. */
export const example = <Value>(name: string, summary: string, value: Value) => ({ name, summary, value });

/** The end of a list. */
export const lastPage = <Item>(...items: Item[]) => example('last-page', 'There is no more', { items });
