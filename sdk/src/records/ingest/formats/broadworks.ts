import type { Release } from '../../../contract/call-record.js';
import { csvFields, rowText } from '../record-reader.js';
import { dispositionOfQ850, legReading, legSource, nameOf, rejectedRow, rowReader, skippedRow } from './leg.js';
import type { LegParts, LegSide, LegSource } from './leg.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { isNoTime, rejectedTime } from './row-times.js';
import type { CallTimes, RejectedTime } from './row-times.js';

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of BroadWorks (Cisco, formerly BroadSoft) CDR files, CSV. Times are UTC, `yyyymmddhhmmss.mmm`, whatever zone is
 * declared. Each row is the call as one user's service saw it: of an Originating row the user's device is the ingress side and the route
 * the egress side, of a Terminating row the other way round. Rows of type Start, Duration and Interim are passed over for the
 * Normal or End row of the same call. A call that was redirected is recorded as called by its original number, with the number
 * that it was sent on to as `translatedTn`. The two rows of a call between users of one platform, which name each other by localCallId and
 * remoteCallId, are one call group.
 * @param description - name of the source, numbers and providers; its zone is not looked at
 * @returns the reader; each Normal, End or Failover row is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name; never for what a file holds
 * @see BroadWorks Accounting Call Detail Record Interface Specification, release 22
 * @example
 * ```ts
 * const reader = createBroadworksReader({ id: 'as-1', format: 'broadworks', time: { zone: 'utc' } });
 * console.log(reader.framing, reader.waiting()); // csv 0
 * ```
 */
export function createBroadworksReader(description: SourceDescription): RecordReader {
  const source = legSource({ ...description, time: { zone: 'utc' } }, READER_VERSION);
  return rowReader('csv', (row) => readCdr(row, source));
}

/** Up to the cause of the end. */
const LEAST_FIELDS = 15;

/** Places, from 0. */
const FIELD = {
  recordId: 0,
  type: 2,
  userNumber: 3,
  direction: 5,
  callingNumber: 6,
  calledNumber: 8,
  startTime: 9,
  answerIndicator: 11,
  answerTime: 12,
  releaseTime: 13,
  terminationCause: 14,
  dialedDigits: 17,
  networkTranslatedNumber: 20,
  releasingParty: 22,
  route: 23,
  networkCallId: 24,
  accessDeviceAddress: 26,
  accessCallId: 27,
  originalCalledNumber: 35,
  redirectingNumber: 38,
  localCallId: 44,
  remoteCallId: 45,
} as const;

/** Types of rows that are a whole call. A failover row is what the surviving server knows of a call that the other one lost. */
const WHOLE: ReadonlySet<string> = new Set(['normal', 'end', 'failover']);
/** Types of rows that another one follows. */
const INTERIM: ReadonlySet<string> = new Set(['start', 'duration', 'interim', 'long duration', 'long-duration']);

type Text = (place: number) => string;

function readCdr(row: SourceRow, source: LegSource): readonly RowReading[] {
  const written = rowText(row);
  if (written === '') return skippedRow('not-a-call');
  if (/^version=/i.test(written) || /^"?recordId"?,/i.test(written)) return skippedRow('header');
  const split = csvFields(written);
  if (split.status === 'rejected') return [split];
  const { fields } = split;
  const text: Text = (place) => fields[place]?.trim() ?? '';
  const type = text(FIELD.type).toLowerCase();
  if (INTERIM.has(type)) return skippedRow('interim');
  if (fields.length < LEAST_FIELDS) {
    return rejectedRow('too-few-fields', `${fields.length} fields, which end before the termination cause`);
  }
  if (!WHOLE.has(type)) return rejectedRow('bad-field', 'no type of row that there is', 'type');
  if (text(FIELD.recordId) === '') return rejectedRow('missing-field', 'a row without its id', 'recordId');
  const direction = text(FIELD.direction).toLowerCase();
  if (direction !== 'originating' && direction !== 'terminating') {
    return rejectedRow('bad-field', 'neither Originating nor Terminating', 'direction');
  }
  const times = timesOf(text, source);
  if (times.status === 'rejected') return [times];
  return legReading(row, source, partsOf(text, times, direction === 'originating'));
}

function timesOf(text: Text, { clock }: LegSource): CallTimes | RejectedTime {
  const start = clock.read(text(FIELD.startTime), 'compact');
  if (start.status === 'rejected') return rejectedTime(start, 'startTime');
  // A call that rings on elsewhere has an answer time of its own only where somebody answered here: the indicator decides.
  const answer =
    isAnswered(text) && !isNoTime(text(FIELD.answerTime)) ? clock.read(text(FIELD.answerTime), 'compact') : undefined;
  if (answer?.status === 'rejected') return rejectedTime(answer, 'answerTime');
  const release = isNoTime(text(FIELD.releaseTime)) ? undefined : clock.read(text(FIELD.releaseTime), 'compact');
  if (release?.status === 'rejected') return rejectedTime(release, 'releaseTime');
  return { status: 'times', start, answeredAtUs: answer?.atUs, endedAtUs: release?.atUs };
}

/** `Yes`, `No`, or `Yes-PostRedirection`: answered, but where the call had been redirected to. */
function isAnswered(text: Text): boolean {
  return /^yes/i.test(text(FIELD.answerIndicator));
}

function partsOf(text: Text, times: CallTimes, isOriginating: boolean): LegParts {
  const device = { address: text(FIELD.accessDeviceAddress), callId: text(FIELD.accessCallId) };
  const network = networkSide(text);
  const original = text(FIELD.originalCalledNumber);
  const called = text(FIELD.calledNumber) || text(FIELD.dialedDigits);
  const isRedirected = original !== '' || text(FIELD.redirectingNumber) !== '';
  const release = releaseOf(text, isRedirected ? undefined : isOriginating);
  return {
    legId: text(FIELD.recordId),
    callGroupId: groupOf(text),
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: text(FIELD.callingNumber) || (isOriginating && !isRedirected ? text(FIELD.userNumber) : ''),
    called: original || called,
    sentTo: text(FIELD.networkTranslatedNumber) || called,
    // A redirected call did not come from the device of who redirected it: where it came from, the row of that user tells.
    ingress: isOriginating ? (isRedirected ? undefined : device) : network,
    egress: isOriginating ? network : device,
    disposition: isAnswered(text) ? 'answered' : dispositionOfQ850(release?.q850Cause),
    release,
    customerId: isOriginating && !isRedirected ? nameOf(text(FIELD.userNumber)) : undefined,
  };
}

/** The route is an address, a name, or `Group` and `Enterprise` for calls that never left the platform. */
function networkSide(text: Text): LegSide {
  const route = text(FIELD.route);
  const callId = text(FIELD.networkCallId);
  return isAddress(route) ? { address: route, callId } : { trunk: nameOf(route), callId };
}

function isAddress(text: string): boolean {
  return (
    /^\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?$/.test(text) ||
    /^\[?[\da-f]{0,4}:[\da-f:.]{1,41}\]?(?::\d{1,5})?$/i.test(text)
  );
}

function groupOf(text: Text): string {
  const [first] = [text(FIELD.localCallId), text(FIELD.remoteCallId)].filter((id) => id !== '').sort();
  return first ?? (text(FIELD.networkCallId) || text(FIELD.recordId));
}

/** @param isOriginating - undefined where neither side of the row is the caller's */
function releaseOf(
  text: Text,
  isOriginating: boolean | undefined,
): (Release & { readonly q850Cause?: number }) | undefined {
  const written = text(FIELD.terminationCause);
  const number = /^\d{1,3}$/.test(written) ? Number(written) : 0;
  const isQ850 = number >= 1 && number <= 127;
  const cause = isQ850 ? undefined : nameOf(written);
  const side = isOriginating === undefined ? 'redirected' : isOriginating ? 'originating' : 'terminating';
  const party = PARTIES.get(`${side} ${text(FIELD.releasingParty).toLowerCase()}`);
  if (!isQ850 && cause === undefined && party === undefined) return undefined;
  return {
    ...(isQ850 ? { q850Cause: number } : undefined),
    ...(cause === undefined ? undefined : { cause }),
    ...(party === undefined ? undefined : { party }),
  };
}

/** Releasing party, which is named from where the user stands. */
const PARTIES: ReadonlyMap<string, 'calling' | 'called'> = new Map([
  ['originating local', 'calling'],
  ['originating remote', 'called'],
  ['terminating local', 'called'],
  ['terminating remote', 'calling'],
]);
