import type { Disposition, Release, OwnSigning, ReceivedVerification } from '../../../contract/call-record.js';
import { decodePercent } from '../../../core/sip-uri.js';
import { isRecord, parsedJson } from '../../../core/text.js';
import type { Attestation, Verstat } from '../../../core/telephone-number.js';
import { rowText } from '../record-reader.js';
import type { CsvFault, RowFields, RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { columnFormat, columnTimes } from './column-format.js';
import { nameOf, rejectedRow, skippedRow, legReading, legSource, rowReader, shakenClaims } from './leg.js';
import type { LegDetails, LegSide, LegSource } from './leg.js';
import { callTimes, isNoTime } from './row-times.js';
import type { WrittenCallTimes } from './row-times.js';

/**
 * Codes of the causes that FreeSWITCH writes by name, where they are those of Q.850; its own, from 487 on, are none.
 * @see ITU-T Q.850 table 1
 */
export const Q850_CAUSES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    UNALLOCATED_NUMBER: 1,
    NO_ROUTE_TRANSIT_NET: 2,
    NO_ROUTE_DESTINATION: 3,
    CHANNEL_UNACCEPTABLE: 6,
    NORMAL_CLEARING: 16,
    USER_BUSY: 17,
    NO_USER_RESPONSE: 18,
    NO_ANSWER: 19,
    SUBSCRIBER_ABSENT: 20,
    CALL_REJECTED: 21,
    NUMBER_CHANGED: 22,
    DESTINATION_OUT_OF_ORDER: 27,
    INVALID_NUMBER_FORMAT: 28,
    FACILITY_REJECTED: 29,
    NORMAL_UNSPECIFIED: 31,
    NORMAL_CIRCUIT_CONGESTION: 34,
    NETWORK_OUT_OF_ORDER: 38,
    NORMAL_TEMPORARY_FAILURE: 41,
    SWITCH_CONGESTION: 42,
    REQUESTED_CHAN_UNAVAIL: 44,
    OUTGOING_CALL_BARRED: 52,
    INCOMING_CALL_BARRED: 54,
    BEARERCAPABILITY_NOTAVAIL: 58,
    INCOMPATIBLE_DESTINATION: 88,
    RECOVERY_ON_TIMER_EXPIRE: 102,
    PROTOCOL_ERROR: 111,
    INTERWORKING: 127,
  }),
);

/** How calls went that nobody answered, by cause; what is not here has failed. */
const UNANSWERED: ReadonlyMap<string, Disposition> = new Map<string, Disposition>([
  ['NORMAL_CLEARING', 'no-answer'],
  ['NO_USER_RESPONSE', 'no-answer'],
  ['NO_ANSWER', 'no-answer'],
  ['ALLOTTED_TIMEOUT', 'no-answer'],
  ['PROGRESS_TIMEOUT', 'no-answer'],
  ['USER_BUSY', 'busy'],
  ['ORIGINATOR_CANCEL', 'cancelled'],
  ['LOSE_RACE', 'cancelled'],
  ['PICKED_OFF', 'cancelled'],
  ['CALL_REJECTED', 'rejected'],
  ['USER_CHALLENGE', 'rejected'],
  ['OUTGOING_CALL_BARRED', 'blocked'],
  ['INCOMING_CALL_BARRED', 'blocked'],
]);

/** How a leg went, by FreeSWITCH's word for its end. */
export function freeswitchDisposition(cause: string, answeredAtUs: number | undefined): Disposition {
  return answeredAtUs === undefined ? (UNANSWERED.get(cause) ?? 'failed') : 'answered';
}

const COLUMNS = 15;
const UUID_PLACE = 10;

/**
 * FreeSWITCH's `mod_cdr_csv` in its own layout, with the space before accountcode that the built-in template has, or without. Times are local
 * to the switch. Other templates are read by declared columns.
 *
 * The layout has no trunk and no address: whom a call came from has to be told by the JSON records, or by the accountcode.
 * A leg with a `bleg_uuid` is in the group of that leg, so that both rows have the same wherever `legs` is `ab`.
 * @see FreeSWITCH `conf/vanilla/autoload_configs/cdr_csv.conf.xml`, template `example`
 */
export const createFreeswitchCsvReader = columnFormat({
  version: 1,
  // Quotes are not doubled, so that an odd one in a name would take the rows behind it along; no value has a line end.
  framing: 'lines',
  columns: {
    caller_id_number: 1,
    destination_number: 2,
    start_stamp: 4,
    answer_stamp: 5,
    end_stamp: 6,
    duration: 7,
    billsec: 8,
    hangup_cause: 9,
    uuid: UUID_PLACE,
    bleg_uuid: 11,
    accountcode: 12,
  },
  layout: { spacesBeforeQuotes: true },
  repair: fieldsFromEnd,
  refuse: (cell, { count }) => {
    if (cell('caller_id_number').toLowerCase() === 'caller_id_number') return skippedRow('header');
    const written = `${count} columns where mod_cdr_csv writes ${COLUMNS}`;
    if (count < COLUMNS) return rejectedRow('too-few-fields', written);
    if (count > COLUMNS) return rejectedRow('bad-field', `${written}: declare the template`);
    return nameOf(cell('uuid')) === undefined ? rejectedRow('missing-field', 'a leg without uuid', 'uuid') : undefined;
  },
  times: columnTimes({
    layout: 'date-time',
    start: 'start_stamp',
    answer: 'answer_stamp',
    end: 'end_stamp',
    duration: 'duration',
    talk: 'billsec',
  }),
  leg: (cell, { answeredAtUs }) => {
    const uuid = nameOf(cell('uuid')) ?? '';
    const cause = cell('hangup_cause');
    return {
      legId: uuid,
      callGroupId: nameOf(cell('bleg_uuid')) ?? uuid,
      calling: cell('caller_id_number'),
      called: cell('destination_number'),
      disposition: freeswitchDisposition(cause, answeredAtUs),
      release: releaseOf(nameOf(cause)),
      customerId: nameOf(cell('accountcode')),
    };
  },
});

/**
 * FreeSWITCH does not double quotes: a caller's display name that has one would make its row unreadable, and a caller may choose it so.
 * Such a row is read from its end, where the switch itself has written; what is left over is the name.
 */
function fieldsFromEnd(text: string, read: RowFields | CsvFault): readonly string[] | undefined {
  const isClean = read.status === 'fields' ? read.count <= COLUMNS : read.reason !== 'bad-quoting';
  if (isClean || !text.startsWith('"') || !text.endsWith('"')) return undefined;
  const pieces = text.slice(1, -1).replaceAll('", "', '","').split('","');
  const behindName = pieces.slice(-(COLUMNS - 1));
  if (pieces.length < COLUMNS || behindName.some((piece) => piece.includes('"'))) return undefined;
  // A template with further columns looks like a name with quotes; what stands in the place of the uuid tells them apart.
  if (!UUID.test(behindName[UUID_PLACE - 1] ?? '')) return undefined;
  return [pieces.slice(0, 1 - COLUMNS).join('","'), ...behindName];
}

/** As FreeSWITCH makes them. @see RFC 9562 section 4 */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function releaseOf(cause: string | undefined): Release | undefined {
  if (cause === undefined) return undefined;
  const q850Cause = Q850_CAUSES.get(cause);
  return q850Cause === undefined ? { cause } : { q850Cause, cause };
}

/** A document of `mod_json_cdr`: one leg with all its channel variables. */
type FreeswitchDocument = NonNullable<ReturnType<typeof freeswitchDocument>>;

/** What a caller profile says; members are empty where it says nothing. */
type FreeswitchProfile = ReturnType<typeof profileOf>;

/** A leg with SDP of both sides, hundreds of variables and its applications has some 60 KiB. */
const MAX_DOCUMENT_CHARS = 1_048_576;

/** Profiles of one leg that are looked at: one for each transfer within the switch. */
const MAX_PROFILES = 64;

/** No value that a record takes is longer; an Identity header is the longest. */
const MAX_VALUE_CHARS = 16_384;

/**
 * Reads a document of `mod_json_cdr`. Values of variables are percent-encoded unless `encode-values` is off; both are read.
 * Never throws.
 * @returns undefined where the text is no JSON object with `variables`
 * @see https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653131/
 */
function freeswitchDocument(text: string) {
  const document = objectOf(parsed(text));
  const variables = objectOf(document?.['variables']);
  if (document === undefined || variables === undefined) return undefined;
  const flow = Array.isArray(document['callflow']) ? document['callflow'].slice(0, MAX_PROFILES) : [];
  const flows = flow.map(objectOf).filter((entry) => entry !== undefined);
  // The newest profile is written first: the last is the call as it came in.
  const first = flows.at(-1);
  const profile = objectOf(first?.['caller_profile']);
  const times = objectOf(first?.['times']);
  const latestTimes = objectOf(flows[0]?.['times']);
  return {
    /** A channel variable, decoded; empty where there is none. */
    variable: (name: string) => variableOf(variables, name),
    /** Who called whom when the leg came in, before the dialplan changed it. */
    profile: profileOf(profile),
    /** Of a leg that another one made: that other leg. */
    originator: linkedProfile(flows, 'originator'),
    /** Of a leg that made others: the one that it was last connected with. */
    originatee: linkedProfile(flows, 'originatee'),
    /** Microseconds since the epoch as text, `0` for what never happened. */
    times: {
      created: textOf(times, 'created_time'),
      answered: textOf(latestTimes, 'answered_time'),
      hangup: textOf(latestTimes, 'hangup_time'),
    },
  };
}

/**
 * The values of a variable that may have several: FreeSWITCH writes a header that comes more than once as `ARRAY::a|:b`. Never throws.
 */
function severalValues(value: string): readonly string[] {
  if (value === '') return [];
  return value.startsWith(ARRAY) ? value.slice(ARRAY.length).split('|:', MAX_PROFILES) : [value];
}

const ARRAY = 'ARRAY::';

type Members = Readonly<Record<string, unknown>>;

function parsed(text: string): unknown {
  return text.length > MAX_DOCUMENT_CHARS ? undefined : parsedJson(text);
}

function objectOf(value: unknown): Members | undefined {
  return isRecord(value) ? value : undefined;
}

function textOf(members: Members | undefined, name: string): string {
  const value = members?.[name];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value.slice(0, MAX_VALUE_CHARS) : '';
}

function variableOf(variables: Members, name: string): string {
  const value = textOf(variables, name);
  return decodePercent(value) ?? value;
}

function profileOf(profile: Members | undefined) {
  return {
    callerIdNumber: textOf(profile, 'caller_id_number'),
    destinationNumber: textOf(profile, 'destination_number'),
    networkAddress: textOf(profile, 'network_addr'),
    uuid: textOf(profile, 'uuid'),
  };
}

/** `caller_profile.originator.originator_caller_profiles[]`, and the same with `originatee`, of the newest profile that has one. */
function linkedProfile(flows: readonly Members[], kind: 'originator' | 'originatee'): FreeswitchProfile | undefined {
  for (const flow of flows) {
    const list = objectOf(objectOf(flow['caller_profile'])?.[kind])?.[`${kind}_caller_profiles`];
    const linked = Array.isArray(list) ? objectOf(list[0]) : undefined;
    if (linked !== undefined) return profileOf(linked);
  }
  return undefined;
}

/** Goes up when the same document would make another record. */
const READER_VERSION = 1;

/**
 * FreeSWITCH's `mod_json_cdr`: one document a leg, with all channel variables, so that address, Call-ID, gateway, verification and the other
 * leg are known. Times are epochs of microseconds, UTC; where only stamps are there, they are local.
 *
 * A verdict and an attestation are taken only where `sip_verstat` says that the switch verified the call; an Identity header that
 * nobody verified gives none.
 * @see https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653131/
 */
export function createFreeswitchJsonReader(description: SourceDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  return rowReader('json', (row) => readDocument(row, source));
}

function readDocument(row: SourceRow, source: LegSource): readonly RowReading[] {
  const text = rowText(row);
  if (text.length > MAX_DOCUMENT_CHARS) {
    return rejectedRow('too-long', `a document of more than ${MAX_DOCUMENT_CHARS} characters`);
  }
  if (text.trim() === '') return skippedRow('not-a-call');
  const document = freeswitchDocument(text);
  if (document === undefined) return rejectedRow('bad-json', 'no JSON object with variables');
  const { variable, profile, originator } = document;
  const uuid = nameOf(variable('uuid')) ?? nameOf(profile.uuid);
  if (uuid === undefined) return rejectedRow('missing-field', 'a leg without uuid', 'uuid');
  const times = callTimes(jsonTimes(document), source.clock, JSON_TIME_NAMES);
  if (times.status === 'rejected') return [times];
  const isInbound = variable('direction') !== 'outbound';
  const cause = variable('hangup_cause');
  const parts: LegDetails = {
    legId: uuid,
    callGroupId: nameOf(variable('call_uuid')) ?? nameOf(variable('originator')) ?? nameOf(originator?.uuid) ?? uuid,
    ...numbersOf(document, isInbound),
    ingress: isInbound ? ownSide(document) : originatorSide(document),
    egress: isInbound ? originateeSide(document) : ownSide(document),
    disposition: freeswitchDisposition(cause, times.answeredAtUs),
    release: jsonRelease(document, isInbound),
    received: isInbound ? receivedOf(document) : undefined,
    signed: isInbound ? undefined : signedOf(document),
    customerId: nameOf(variable('accountcode')),
  };
  return legReading(row, source, parts, times);
}

const JSON_TIME_NAMES = { start: 'start_uepoch', answer: 'answer_uepoch', end: 'end_uepoch' } as const;

function jsonTimes({ variable, times }: FreeswitchDocument): WrittenCallTimes {
  const start = firstTime(variable('start_uepoch'), times.created);
  if (start !== '') {
    return {
      layout: 'epoch-microseconds',
      start,
      answer: firstTime(variable('answer_uepoch'), times.answered),
      end: firstTime(variable('end_uepoch'), times.hangup),
    };
  }
  return {
    layout: 'date-time',
    start: variable('start_stamp'),
    answer: variable('answer_stamp'),
    end: variable('end_stamp'),
    durationSeconds: variable('duration'),
    answeredSeconds: variable('billsec'),
  };
}

function firstTime(text: string, other: string): string {
  if (!isNoTime(text)) return text;
  return isNoTime(other) ? '' : other;
}

/** Of the leg that came in what stood in From and in the Request-URI; of one that was made what it was made with. */
function numbersOf({ variable, profile, originatee }: FreeswitchDocument, isInbound: boolean) {
  if (!isInbound) {
    return {
      calling: profile.callerIdNumber || variable('sip_from_user'),
      called: profile.destinationNumber || variable('sip_to_user'),
    };
  }
  const [asserted = ''] = severalValues(variable('sip_P-Asserted-Identity'));
  return {
    calling: variable('sip_from_user') || profile.callerIdNumber,
    asserted,
    called: variable('sip_req_user') || profile.destinationNumber,
    sentTo: originatee?.destinationNumber ?? '',
  };
}

/** The side that the leg itself is on. */
function ownSide({ variable, profile }: FreeswitchDocument): LegSide {
  const received = variable('sip_received_ip');
  const host = received || variable('sip_network_ip');
  const port = received === '' ? variable('sip_network_port') : variable('sip_received_port');
  return {
    trunk: variable('sip_gateway_name') || variable('sip_gateway') || variable('sofia_profile_name'),
    address: host === '' ? profile.networkAddress : withPort(host, port),
    callId: variable('sip_call_id'),
  };
}

function originatorSide({ originator }: FreeswitchDocument): LegSide | undefined {
  return originator === undefined ? undefined : { address: originator.networkAddress };
}

/** Where the bridge of the leg led to: through one gateway, or to the address of the leg that was made. */
function originateeSide({ variable, originatee }: FreeswitchDocument): LegSide | undefined {
  const argument = variable('last_app') === 'bridge' ? variable('last_arg') : '';
  const gateway = GATEWAY.exec(argument)?.[1];
  if (gateway === undefined && originatee === undefined) return undefined;
  return { trunk: gateway, address: originatee?.networkAddress };
}

/** One dial string through a gateway, variables in braces before it left out; of several nobody can tell here which was taken. */
const GATEWAY = /^(?:\{[^{}]{0,4096}\}|\[[^[\]]{0,4096}\]){0,4}sofia\/gateway\/([^/,|&:{}[\]]{1,128})\/[^,|:]{0,256}$/;

function withPort(host: string, port: string): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return /^\d{1,5}$/.test(port) && port !== '0' ? `${bracketed}:${port}` : bracketed;
}

/** `recv_bye` and the like say who ended the leg, seen from the switch; what it sent itself may have come from either side. */
function jsonRelease({ variable }: FreeswitchDocument, isInbound: boolean): Release | undefined {
  const cause = nameOf(variable('hangup_cause'));
  const q850Cause = wholeNumber(variable('hangup_cause_q850'), 127) ?? Q850_CAUSES.get(cause ?? '');
  const sipStatus = wholeNumber(variable('sip_invite_failure_status') || variable('sip_term_status'), 699);
  const hungUp = variable('sip_hangup_disposition');
  const release: { -readonly [K in keyof Release]: Release[K] } = {};
  if (sipStatus !== undefined && sipStatus >= 100) release.sipStatus = sipStatus;
  if (q850Cause !== undefined && q850Cause > 0) release.q850Cause = q850Cause;
  if (cause !== undefined) release.cause = cause;
  if (hungUp === 'recv_bye') release.party = isInbound ? 'calling' : 'called';
  if (hungUp === 'recv_cancel' && isInbound) release.party = 'calling';
  return Object.keys(release).length === 0 ? undefined : release;
}

function wholeNumber(text: string, most: number): number | undefined {
  return /^\d{1,3}$/.test(text) && Number(text) <= most ? Number(text) : undefined;
}

const VERSTAT = /^(TN-Validation-Passed|TN-Validation-Failed|No-TN-Validation)(?:-([ABC]))?$/;

/** What the switch says that it verified. @see 3GPP TS 24.229 section 7.2A.20 */
function receivedOf({ variable }: FreeswitchDocument): ReceivedVerification | undefined {
  const said = VERSTAT.exec(variable('sip_verstat_detailed')) ?? VERSTAT.exec(variable('sip_verstat'));
  if (said === null) return undefined;
  const verstat = said[1] as Verstat;
  // What a PASSporT claims counts where its signature has been found good, and only there.
  if (verstat !== 'TN-Validation-Passed') return { verstat };
  const claims = shakenClaims(severalValues(variable('sip_h_Identity') || variable('sip_h_identity')));
  const attestation = (said[2] as Attestation | undefined) ?? claims?.attestation;
  const received: { -readonly [K in keyof ReceivedVerification]: ReceivedVerification[K] } = { verstat };
  if (attestation !== undefined) received.attestation = attestation;
  if (claims?.origId !== undefined) received.origId = claims.origId;
  if (claims?.iatSeconds !== undefined) received.iatSeconds = claims.iatSeconds;
  return received;
}

/** What the leg was signed with. */
function signedOf({ variable }: FreeswitchDocument): OwnSigning | undefined {
  const attestation = variable('sip_stir_shaken_attest').toUpperCase();
  return attestation === 'A' || attestation === 'B' || attestation === 'C' ? { attestation } : undefined;
}
