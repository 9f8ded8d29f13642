import type { OwnSigning, ReceivedVerification, Release } from '../../core/call-record.js';
import type { Attestation, Verstat } from '../../core/terms.js';
import { callTimes, rejectedTimes } from './call-times.js';
import type { WrittenCallTimes } from './call-times.js';
import { rowText } from './csv-fields.js';
import { freeswitchDisposition, freeswitchQ850Cause } from './freeswitch-cause.js';
import { freeswitchDocument, MAX_DOCUMENT_CHARS, severalValues } from './freeswitch-document.js';
import type { FreeswitchDocument } from './freeswitch-document.js';
import { legReading, legSource, nameOf, rejectedRow, skippedRow } from './leg.js';
import type { LegSide, LegSource } from './leg.js';
import { shakenClaims } from './passport-claims.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';
import { isNoTime } from './row-time.js';

/** Goes up when the same document would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of FreeSWITCH's `mod_json_cdr`: one document a leg, with all channel variables, so that address, Call-ID, gateway,
 * verification and the other leg are known. Times are epochs of microseconds, UTC; where only stamps are there, they are local.
 *
 * A verdict and an attestation are taken only where `sip_verstat` says that the switch verified the call; an Identity header that
 * nobody verified gives none.
 * @param description - name of the source, zone of stamps that stand in for epochs, numbers and providers
 * @returns the reader; each document is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists; never for what a file holds
 * @see https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Modules/mod_json_cdr_4653131/
 * @example
 * ```ts
 * const reader = createFreeswitchJsonReader({ id: 'fs-1', format: 'freeswitch-json', time: { zone: 'utc' } });
 * console.log(reader.framing); // json
 * ```
 */
export function createFreeswitchJsonReader(description: SourceDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  return {
    framing: 'json',
    read: (row) => readDocument(row, source),
    expire: () => [],
    waiting: () => 0,
  };
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
  const times = callTimes(writtenTimes(document), source.clock);
  if (times.status === 'rejected') return rejectedTimes(times, TIME_NAMES);
  const isInbound = variable('direction') !== 'outbound';
  const cause = variable('hangup_cause');
  return legReading(row, source, {
    legId: uuid,
    callGroupId: nameOf(variable('call_uuid')) ?? nameOf(variable('originator')) ?? nameOf(originator?.uuid) ?? uuid,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    ...numbersOf(document, isInbound),
    ingress: isInbound ? ownSide(document) : originatorSide(document),
    egress: isInbound ? originateeSide(document) : ownSide(document),
    disposition: freeswitchDisposition(cause, times.answeredAtUs !== undefined),
    release: releaseOf(document, isInbound),
    received: isInbound ? receivedOf(document) : undefined,
    signed: isInbound ? undefined : signedOf(document),
    customerId: nameOf(variable('accountcode')),
  });
}

const TIME_NAMES = { start: 'start_uepoch', answer: 'answer_uepoch', end: 'end_uepoch' } as const;

function writtenTimes({ variable, times }: FreeswitchDocument): WrittenCallTimes {
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

interface LegNumbers {
  readonly calling: string;
  readonly asserted?: string;
  readonly called: string;
  readonly sentTo?: string;
}

/** Of the leg that came in what stood in From and in the Request-URI; of one that was made what it was made with. */
function numbersOf({ variable, profile, originatee }: FreeswitchDocument, isInbound: boolean): LegNumbers {
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
function releaseOf({ variable }: FreeswitchDocument, isInbound: boolean): Release | undefined {
  const cause = nameOf(variable('hangup_cause'));
  const q850Cause = wholeNumber(variable('hangup_cause_q850'), 127) ?? freeswitchQ850Cause(cause ?? '');
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
