import { z } from 'zod';
import type { BodyOf } from './common.js';
import {
  answerId,
  object,
  oneOf,
  ProviderReference,
  reportId,
  requestId,
  text,
  tracebackId,
  utcTime,
} from './common.js';
import {
  CustomerAction,
  direction,
  FindingArm,
  hop,
  MAX_HOPS,
  RequestedCall,
  RequestedCampaign,
  Requester,
} from './traceback-exchange.js';

/** Opens a traceback of one call. */
export const TracebackOpening = object('Opens a traceback of one call.', {
  direction,
  /** The call, as it was stated. */
  call: RequestedCall.describe('The call, as it was stated.'),
  /** What the call is suspected to be part of. */
  campaign: RequestedCampaign.exactOptional().describe('What the call is suspected to be part of.'),
  /** Who asks, if it is not the caller of the platform. */
  requester: Requester.exactOptional().describe('Who asks, if it is not the caller of the platform.'),
  /** The terminating provider, if known: it is asked first. */
  firstProvider: ProviderReference.exactOptional().describe('The terminating provider, if known: it is asked first.'),
  /** Id of the report of an application that the traceback begins with. */
  reportId: reportId.exactOptional().describe('Id of the report of an application that the traceback begins with.'),
  /** For the people at the other side. */
  comment: text.exactOptional().describe('For the people at the other side.'),
});
export type TracebackOpening = BodyOf<typeof TracebackOpening>;

const hopState = z
  .enum(['asked', 'acknowledged', 'overdue', 'non-responsive', 'answered', 'corrected', 'not-askable', 'withdrawn'])
  .describe(
    'The state of the hop. `overdue`: the deadline has passed; `non-responsive`: so has the grace period; `corrected`: the answer was amended; `not-askable`: abroad, unlisted or not to be reached; `withdrawn`: the traceback does not lead there any more.',
  );

export const TracebackHop = z.object({
  hop,
  requestId,
  /** The provider of this hop. */
  provider: ProviderReference.describe('The provider of this hop.'),
  state: hopState,
  /** When it was asked, RFC 3339 in UTC; absent if it was not asked. */
  issuedAt: utcTime.exactOptional().describe('When it was asked, RFC 3339 in UTC; absent if it was not asked.'),
  /** By when an answer is due, RFC 3339 in UTC. */
  dueAt: utcTime.exactOptional().describe('By when an answer is due, RFC 3339 in UTC.'),
  /** When it answered, RFC 3339 in UTC. */
  answeredAt: utcTime.exactOptional().describe('When it answered, RFC 3339 in UTC.'),
  answerId: answerId.exactOptional(),
  /** What the last answer says. The provider it names is shown to both sides of the hand-off, to staff, and to an agency whose reviewed demand covers the traceback. */
  arm: FindingArm.exactOptional().describe(
    'What the last answer says. The provider it names is shown to both sides of the hand-off, to staff, and to an agency whose reviewed demand covers the traceback.',
  ),
  /** The provider from which it says the call came. */
  upstream: ProviderReference.exactOptional().describe('The provider from which it says the call came.'),
  customerAction: CustomerAction.exactOptional(),
});
/** One provider on the way of the call, the terminating one first. */
export type TracebackHop = BodyOf<typeof TracebackHop>;
export type TracebackHopState = TracebackHop['state'];

export const TracebackConclusion = z.enum([
  'origin',
  'point-of-entry',
  'foreign-provider',
  'serves-number',
  'non-responsive',
  'refused',
  'no-record',
  'not-retained',
  'number-not-ours',
  'ambiguous',
  'disputed',
  'unlisted-provider',
  'not-askable',
  'several-neighbours',
  'loop',
  'too-many-hops',
])
  .describe(`What the traceback has come to if \`state\` is \`closed\`; while it is \`open\`, the outcome if no further answer arrived.

- \`origin\`: a provider says that the call began there
- \`point-of-entry\`: a provider says that the call entered the United States there
- \`foreign-provider\`: a provider abroad was named, who is not asked
- \`serves-number\`: trace forward: a provider says that it serves the number
- \`non-responsive\`: a provider did not answer. \`refused\`: it said that it will not
- \`no-record\`: a provider with complete records of that time has none of the call. \`not-retained\`: they were removed
- \`number-not-ours\`: the first provider does not serve the called number
- \`ambiguous\`: the call could not be told from others
- \`disputed\`: statements contradict each other, and evidence does not decide; nobody is accused
- \`unlisted-provider\`, \`not-askable\`: the named provider is not in the registry; or is, and cannot be asked
- \`several-neighbours\`: several say that they sent the call to the silent one
- \`loop\`, \`too-many-hops\`: the answers go in a circle, or the chain is longer than the platform follows`);
/** What a traceback has come to. */
export type TracebackConclusion = z.output<typeof TracebackConclusion>;

/** A whole traceback: one call, hop by hop. */
export const Traceback = object('A whole traceback: one call, hop by hop.', {
  /** Marks the form. */
  format: z.literal('hopback.traceback.1').describe('Marks the form.'),
  tracebackId,
  direction,
  /** The state of the traceback. */
  state: oneOf('The state of the traceback.', ['open', 'closed', 'withdrawn']),
  outcome: TracebackConclusion.exactOptional(),
  /** Who asks. */
  requester: Requester.describe('Who asks.'),
  /** What the call is suspected to be part of. */
  campaign: RequestedCampaign.exactOptional().describe('What the call is suspected to be part of.'),
  /** The call, as it was stated. */
  call: RequestedCall.describe('The call, as it was stated.'),
  /** When it was opened, RFC 3339 in UTC. */
  openedAt: utcTime.describe('When it was opened, RFC 3339 in UTC.'),
  /** When it last changed, RFC 3339 in UTC. */
  updatedAt: utcTime.describe('When it last changed, RFC 3339 in UTC.'),
  /** When it was closed, RFC 3339 in UTC. */
  closedAt: utcTime.exactOptional().describe('When it was closed, RFC 3339 in UTC.'),
  // A provider that a call crosses twice is asked twice.
  /** Hops so far, the terminating provider first. */
  hops: z.array(TracebackHop).max(MAX_HOPS).describe('Hops so far, the terminating provider first.'),
});
export type Traceback = BodyOf<typeof Traceback>;
