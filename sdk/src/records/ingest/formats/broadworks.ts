import { columnFormat } from './column-format.js';
import type { Cell } from './column-format.js';
import { addReleaseCause, dispositionOfQ850, nameOf, rejectedRow, skippedRow } from './leg.js';
import type { MadeRelease } from './leg.js';
import { callTimes } from './row-times.js';

/** Types of rows that are a whole call. A failover row is what the surviving server knows of a call that the other one lost. */
const WHOLE: ReadonlySet<string> = new Set(['normal', 'end', 'failover']);
/** Types of rows that another one follows. */
const INTERIM: ReadonlySet<string> = new Set(['start', 'duration', 'interim', 'long duration', 'long-duration']);
/** Up to the termination cause. */
const LEAST_FIELDS = 15;
const TIME_NAMES = { start: 'startTime', answer: 'answerTime', end: 'releaseTime' } as const;

/** Places, from 0. */
const COLUMNS = {
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
  networkCallID: 24,
  accessDeviceAddress: 26,
  accessCallID: 27,
  originalCalledNumber: 35,
  redirectingNumber: 38,
  localCallId: 44,
  remoteCallId: 45,
};
type Column = keyof typeof COLUMNS;

/**
 * BroadWorks (Cisco, formerly BroadSoft) CDR files. Times are UTC, `yyyymmddhhmmss.mmm`, whatever zone is declared. Each row is the call as
 * one user's service saw it: of an Originating row the user's device is the ingress side and the route the egress side, of a Terminating row
 * the other way round. Rows of type Start, Duration and Interim are passed over for the Normal or End row of the same call. A call that was
 * redirected is recorded as called by its original number, with the number that it was sent on to as `translatedTn`. The two rows of a call
 * between users of one platform, which name each other by localCallId and remoteCallId, are one call group.
 * @see BroadWorks Accounting Call Detail Record Interface Specification, release 22
 */
export const createBroadworksReader = columnFormat({
  version: 1,
  framing: 'csv',
  columns: COLUMNS,
  zone: 'utc',
  trims: true,
  passOver: (text) => (/^version=/i.test(text) || /^"?recordId"?,/i.test(text) ? skippedRow('header') : undefined),
  refuse: (cell, { count }) => {
    const type = cell('type').toLowerCase();
    if (INTERIM.has(type)) return skippedRow('interim');
    if (count < LEAST_FIELDS)
      return rejectedRow('too-few-fields', `${count} fields, which end before the termination cause`);
    if (!WHOLE.has(type)) return rejectedRow('bad-field', 'no type of row that there is', 'type');
    if (cell('recordId') === '') return rejectedRow('missing-field', 'a row without its id', 'recordId');
    return /^(?:originating|terminating)$/i.test(cell('direction'))
      ? undefined
      : rejectedRow('bad-field', 'neither Originating nor Terminating', 'direction');
  },
  times: (cell, clock) => {
    // A call that rings on elsewhere has an answer time of its own only where somebody answered here: the indicator decides.
    const answer = isAnswered(cell) ? cell('answerTime') : '';
    const written = {
      layout: 'compact',
      start: cell('startTime'),
      answer,
      end: cell('releaseTime'),
    } as const;
    return callTimes(written, clock, TIME_NAMES);
  },
  leg: (cell) => {
    const isOriginating = cell('direction').toLowerCase() === 'originating';
    const isRedirected = cell('originalCalledNumber') !== '' || cell('redirectingNumber') !== '';
    const isCallers = isOriginating && !isRedirected;
    const device = { address: cell('accessDeviceAddress'), callId: cell('accessCallID') };
    // The route is an address, a name, or `Group` and `Enterprise` for calls that never left the platform.
    const [route, callId] = [cell('route'), cell('networkCallID')];
    const network = isAddress(route) ? { address: route, callId } : { trunk: nameOf(route), callId };
    const called = cell('calledNumber') || cell('dialedDigits');
    const release = releaseOf(cell, isRedirected ? 'redirected' : isOriginating ? 'originating' : 'terminating');
    return {
      legId: cell('recordId'),
      callGroupId: groupOf(cell),
      calling: cell('callingNumber') || (isCallers ? cell('userNumber') : ''),
      called: cell('originalCalledNumber') || called,
      sentTo: cell('networkTranslatedNumber') || called,
      // A redirected call did not come from the device of who redirected it: where it came from, the row of that user tells.
      ingress: isOriginating ? (isRedirected ? undefined : device) : network,
      egress: isOriginating ? network : device,
      disposition: isAnswered(cell) ? 'answered' : dispositionOfQ850(release?.q850Cause),
      release,
      customerId: isCallers ? nameOf(cell('userNumber')) : undefined,
    };
  },
});

/** `Yes`, `No`, or `Yes-PostRedirection`: answered, but where the call had been redirected to. */
function isAnswered(cell: Cell<Column>): boolean {
  return /^yes/i.test(cell('answerIndicator'));
}

function isAddress(text: string): boolean {
  return (
    /^\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?$/.test(text) ||
    /^\[?[\da-f]{0,4}:[\da-f:.]{1,41}\]?(?::\d{1,5})?$/i.test(text)
  );
}

function groupOf(cell: Cell<Column>): string {
  const [first] = [cell('localCallId'), cell('remoteCallId')].filter((id) => id !== '').sort();
  return first ?? (cell('networkCallID') || cell('recordId'));
}

/** @param side - of the row; neither is the caller's where the call was redirected */
function releaseOf(cell: Cell<Column>, side: string): MadeRelease | undefined {
  const release: MadeRelease = {};
  addReleaseCause(release, cell('terminationCause'));
  const party = PARTIES.get(`${side} ${cell('releasingParty').toLowerCase()}`);
  if (party !== undefined) release.party = party;
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Releasing party, which is named from where the user stands. */
const PARTIES: ReadonlyMap<string, 'calling' | 'called'> = new Map([
  ['originating local', 'calling'],
  ['originating remote', 'called'],
  ['terminating local', 'called'],
  ['terminating remote', 'calling'],
]);
