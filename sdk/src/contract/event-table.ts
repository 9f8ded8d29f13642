import type { PlatformScope } from './common.js';
import type { PlatformEventType } from './event.js';

/** A kind of event, as data. */
export interface PlatformEventKind {
  /** What it is called in the documents. */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Whom it is sent to, as far as it concerns them. */
  readonly audience: readonly PlatformScope[];
  /** Which id `subject` holds. */
  readonly subject: string;
}

/** Every kind of event of the contract. */
export const PLATFORM_EVENT_KINDS: Readonly<Record<PlatformEventType, PlatformEventKind>> = {
  'org.hopback.traceback-request.created.1': {
    name: 'TracebackRequestCreatedEvent',
    summary: 'A provider is asked',
    description: 'Carries the whole request. The federal clock begins with its receipt, within business hours.',
    audience: ['carrier'],
    subject: 'requestId',
  },
  'org.hopback.traceback-request.reminded.1': {
    name: 'TracebackRequestRemindedEvent',
    summary: 'An answer is still missing',
    description: 'Sent some time before the deadline if the request is unanswered.',
    audience: ['carrier'],
    subject: 'requestId',
  },
  'org.hopback.traceback-request.cancelled.1': {
    name: 'TracebackRequestCancelledEvent',
    summary: 'The answer is no longer needed',
    description: 'A later answer is refused with `request-cancelled`.',
    audience: ['carrier'],
    subject: 'requestId',
  },
  'org.hopback.traceback-request.overdue.1': {
    name: 'TracebackRequestOverdueEvent',
    summary: 'An answer was due, and there is none',
    description: 'An answer is still taken, and counted as late.',
    audience: ['carrier', 'staff'],
    subject: 'requestId',
  },
  'org.hopback.traceback-answer.received.1': {
    name: 'TracebackAnswerReceivedEvent',
    summary: 'An answer is stored',
    description: 'Carries the content of the receipt, for the provider that answered and for staff.',
    audience: ['carrier', 'staff'],
    subject: 'answerId',
  },
  'org.hopback.traceback.updated.1': {
    name: 'TracebackUpdatedEvent',
    summary: 'A traceback advanced or ended',
    description: 'Carries the whole traceback as far as the receiver may see it.',
    audience: ['carrier', 'agency', 'staff'],
    subject: 'tracebackId',
  },
  'org.hopback.notice.issued.1': {
    name: 'NoticeIssuedEvent',
    summary: 'The Commission notifies a provider of suspected illegal traffic',
    description: 'Details of mitigation are due in 48 hours, a report in 14 days.',
    audience: ['carrier'],
    subject: 'noticeId',
  },
  'org.hopback.alert.raised.1': {
    name: 'AlertRaisedEvent',
    summary: 'Something that an agency or provider may want to act on',
    description: 'Contains no records that require a demand.',
    audience: ['carrier', 'agency', 'staff'],
    subject: 'alertId',
  },
  'org.hopback.campaign.updated.1': {
    name: 'CampaignUpdatedEvent',
    summary: 'A campaign was found, changed or ended',
    description: 'Only agencies and staff see its providers and tracebacks.',
    audience: ['carrier', 'app', 'agency', 'staff'],
    subject: 'campaignId',
  },
  'org.hopback.demand.decided.1': {
    name: 'DemandDecidedEvent',
    summary: 'A demand was approved, narrowed or rejected',
    description: 'With the reason.',
    audience: ['agency', 'staff'],
    subject: 'demandId',
  },
  'org.hopback.production.ready.1': {
    name: 'ProductionReadyEvent',
    summary: 'A production can be fetched',
    description: 'Lists its files with their hashes.',
    audience: ['agency', 'staff'],
    subject: 'productionId',
  },
  'org.hopback.platform.fault.1': {
    name: 'PlatformFaultEvent',
    summary: 'The platform could not meet an obligation',
    description:
      'A legal hold is not in place, or a production cannot be made. Sent after several attempts, then once a day while the fault lasts.',
    audience: ['agency', 'staff'],
    subject: 'subject',
  },
};
