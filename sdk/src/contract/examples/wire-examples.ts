import type { WireBodies } from '../bodies.js';
import type { PlatformEventData, PlatformEventEnvelope as Envelope, PlatformEventType } from '../event.js';
import * as demandExamples from './demand-examples.js';
import { APPROVAL, example, ids, times } from './example.js';
import type { WireExample, WireExamples } from './example.js';
import * as registryExamples from './registry-examples.js';
import * as requestExamples from './request-examples.js';
import * as tracebackExamples from './traceback-examples.js';

const NAMES = { requestId: ids.birchRequest, tracebackId: ids.traceback } as const;

const told = <Data>(summary: string, subject: string, time: string, data: Data) => ({ summary, subject, time, data });

type EventParts<Type extends PlatformEventType> = ReturnType<typeof told<PlatformEventData[Type]>>;

/** What each kind of event is about, in the order of their ids. */
const PARTS: { readonly [Type in PlatformEventType]: EventParts<Type> } = {
  'org.hopback.traceback-request.created.1': told('A provider is asked', ids.birchRequest, '2026-10-23T20:05:10.020Z', {
    request: requestExamples.TracebackRequest[0].value,
  }),
  'org.hopback.traceback-request.reminded.1': told(
    'An answer is still missing',
    ids.birchRequest,
    '2026-10-26T16:05:10Z',
    { ...NAMES, dueAt: times.due, reminder: 1 },
  ),
  'org.hopback.traceback-request.cancelled.1': told(
    'The answer is no longer needed',
    ids.birchRequest,
    '2026-10-23T21:00:00Z',
    { ...NAMES, cancelledAt: '2026-10-23T21:00:00Z', reason: 'Another request covers the same call.' },
  ),
  'org.hopback.traceback-request.overdue.1': told('An answer was due', ids.birchRequest, times.due, {
    ...NAMES,
    dueAt: times.due,
  }),
  'org.hopback.traceback-answer.received.1': told(
    'An answer is stored',
    ids.answer,
    '2026-10-23T20:05:12.500Z',
    requestExamples.AnswerReceipt[0].value,
  ),
  'org.hopback.traceback.updated.1': told('A traceback ended', ids.traceback, '2026-10-23T20:05:21Z', {
    traceback: tracebackExamples.Traceback[0].value,
  }),
  'org.hopback.notice.issued.1': told('A notice of suspected illegal traffic', ids.notice, '2026-10-23T21:30:01Z', {
    notice: demandExamples.FccNotice[0].value,
  }),
  'org.hopback.alert.raised.1': told('A live campaign', ids.alert, '2026-10-23T20:06:00Z', {
    alert: registryExamples.Alert[0].value,
  }),
  'org.hopback.campaign.updated.1': told('A campaign changed', ids.campaign, '2026-10-23T20:05:21Z', {
    campaign: registryExamples.Campaign[0].value,
  }),
  'org.hopback.demand.decided.1': told('A demand was approved', ids.demand, '2026-10-23T22:15:00Z', {
    demandId: ids.demand,
    decision: APPROVAL,
  }),
  'org.hopback.production.ready.1': told('A production can be fetched', ids.production, '2026-10-23T22:15:09Z', {
    production: demandExamples.Production[0].value,
  }),
  'org.hopback.platform.fault.1': told('A legal hold is not in place', `demand:${ids.demand}`, '2026-10-23T23:05:00Z', {
    subject: `demand:${ids.demand}`,
    fault: 'demands.holds',
    title: `The legal hold of demand ${ids.demand} is not in place`,
    summary: 'The platform tried 10 times to place the hold, and tries once a day from now on.',
  }),
};

/**
 * An event of a kind as the examples have it. Never throws.
 * @param type - of the event
 * @returns the whole event
 */
export function exampleEvent<Type extends PlatformEventType>(type: Type): Envelope<Type, PlatformEventData[Type]> {
  const { subject, time, data } = PARTS[type];
  const place = Object.keys(PARTS).indexOf(type) + 1;
  return {
    specversion: '1.0',
    id: `evt-${String(place).padStart(6, '0')}`,
    source: 'https://itg.example/',
    type,
    subject,
    time,
    datacontenttype: 'application/json',
    data,
  };
}

/** `org.hopback.alert.raised.1` is called `alert-raised`. */
const nameOf = (type: string): string => type.slice('org.hopback.'.length, -2).replaceAll('.', '-');

const event = (type: PlatformEventType): WireExample<'PlatformEvent'> =>
  // The compiler does not carry the pairing of type and data through the union.
  example(nameOf(type), PARTS[type].summary, exampleEvent(type) as WireExample<'PlatformEvent'>['value']);

const [firstKind, ...otherKinds] = Object.keys(PARTS) as [PlatformEventType, ...PlatformEventType[]];
const PlatformEvent: WireExamples<'PlatformEvent'> = [event(firstKind), ...otherKinds.map(event)];

const PlatformEventEnvelope: WireExamples<'PlatformEventEnvelope'> = [
  example('unknown-kind', 'A kind of a later release, which is let pass', {
    specversion: '1.0',
    id: 'evt-000012',
    source: 'https://itg.example/',
    type: 'org.hopback.scorecard.updated.1',
    time: '2026-10-24T00:00:00Z',
    datacontenttype: 'application/json',
    data: { providerId: 'prv-cedar' },
  }),
];

/**
 * Examples of every body, all of the same afternoon: ids, numbers and hashes fit together. Numbers are those set aside for fiction.
 * @see RFC 2606 for the names of hosts, RFC 5737 for addresses, NANPA for 555-0100 to 555-0199
 * @example
 * ```ts
 * const request = WIRE_EXAMPLES.TracebackRequest[0].value;
 * console.log(request.requestId, WIRE_SCHEMAS.TracebackRequest.safeParse(request).success); // trq-20261023-0017-2 true
 * ```
 */
export const WIRE_EXAMPLES: {
  readonly [Name in keyof WireBodies]: readonly [WireExample<Name>, ...WireExample<Name>[]];
} = {
  ...registryExamples,
  ...requestExamples,
  ...tracebackExamples,
  ...demandExamples,
  PlatformEvent,
  PlatformEventEnvelope,
};
