import type { Disposition, OwnSigning, ReceivedVerification, Release } from '../../core/call-record.js';
import type { Attestation, Verstat } from '../../core/terms.js';
import { asteriskChannel } from './asterisk-channel.js';
import type { CallTimes, CallTimesFault } from './call-times.js';
import type { ColumnMap, ColumnMember } from './column-map.js';
import { nameOf } from './leg.js';
import type { LegParts, LegSide } from './leg.js';

/** The text that a row has for a member; empty where no column is mapped to it, or nothing stands there. */
export type ColumnValue = (member: ColumnMember) => string;

/**
 * Adds the end and the answer where durations tell them and no column does: a duration of the talk counts from the answer to the end.
 * Never throws.
 */
export function columnTimes(
  times: CallTimes | CallTimesFault,
  value: ColumnValue,
  map: ColumnMap,
): CallTimes | CallTimesFault {
  if (times.status === 'rejected') return times;
  const { start } = times;
  const durationUs = microseconds(value('duration'), map);
  const answeredUs = microseconds(value('answeredDuration'), map);
  const afterAnswerUs =
    times.answeredAtUs === undefined || answeredUs === undefined ? undefined : times.answeredAtUs + answeredUs;
  const endedAtUs = times.endedAtUs ?? (durationUs === undefined ? afterAnswerUs : start.atUs + durationUs);
  // A talk of no time is what unanswered calls have.
  const isTold =
    times.answeredAtUs === undefined && answeredUs !== undefined && answeredUs > 0 && !hasAnswerColumn(map);
  const answeredAtUs = isTold && endedAtUs !== undefined ? endedAtUs - answeredUs : times.answeredAtUs;
  return { status: 'times', start, answeredAtUs, endedAtUs };
}

/** What a record says of a row. Never throws. */
export function columnLegParts(
  value: ColumnValue,
  map: ColumnMap,
  { legId, times }: { readonly legId: string; readonly times: CallTimes },
): LegParts {
  return {
    legId,
    callGroupId: value('callGroupId') || legId,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: value('calling'),
    asserted: value('asserted'),
    called: value('called'),
    sentTo: value('sentTo'),
    lrn: value('lrn'),
    ingress: sideOf(value, 'ingress'),
    egress: sideOf(value, 'egress'),
    disposition: dispositionOf(value, map, times.answeredAtUs !== undefined || isTalked(value, map)),
    release: releaseOf(value, map),
    received: receivedOf(value),
    signed: signedOf(value),
    customerId: value('customerId'),
    blockedBy: value('blockedBy'),
  };
}

const UNITS_US = { seconds: 1_000_000, milliseconds: 1_000, hundredths: 10_000 } as const;

/** Ten days: calls that nobody hung up. */
const MAX_DURATION_US = 864_000_000_000;

function microseconds(text: string, { durationUnit = 'seconds' }: ColumnMap): number | undefined {
  if (!/^\d{1,12}(?:\.\d{1,6})?$/.test(text)) return undefined;
  const us = Math.round(Number(text) * UNITS_US[durationUnit]);
  return us <= MAX_DURATION_US ? us : undefined;
}

function hasAnswerColumn({ columns }: ColumnMap): boolean {
  return columns.answeredAt !== undefined || columns.answeredDate !== undefined;
}

/** A talk whose place in time nothing tells is one all the same. */
function isTalked(value: ColumnValue, map: ColumnMap): boolean {
  return !hasAnswerColumn(map) && (microseconds(value('answeredDuration'), map) ?? 0) > 0;
}

function sideOf(value: ColumnValue, side: 'ingress' | 'egress'): LegSide {
  const host = value(`${side}Address`);
  const port = value(`${side}Port`);
  return {
    trunk: value(`${side}Trunk`) || asteriskChannel(value(`${side}Channel`))?.peer,
    address: host !== '' && /^\d{1,5}$/.test(port) && port !== '0' ? `${bracketed(host)}:${port}` : host,
    callId: value(`${side}CallId`),
  };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function dispositionOf(value: ColumnValue, map: ColumnMap, isAnswered: boolean): Disposition {
  if (value('blockedBy') !== '') return 'blocked';
  return wordIn(map.dispositions, value('disposition')) ?? (isAnswered ? 'answered' : 'failed');
}

function wordIn<T>(words: Readonly<Record<string, T>> | undefined, word: string): T | undefined {
  if (words === undefined || word === '') return undefined;
  const lower = word.toLowerCase();
  return Object.entries(words).find(([key]) => key.toLowerCase() === lower)?.[1];
}

function releaseOf(value: ColumnValue, map: ColumnMap): Release | undefined {
  const release: { -readonly [K in keyof Release]: Release[K] } = {};
  const sipStatus = Number(value('sipStatus'));
  if (Number.isInteger(sipStatus) && sipStatus >= 100 && sipStatus <= 699) release.sipStatus = sipStatus;
  const q850Cause = Number(value('q850Cause'));
  if (Number.isInteger(q850Cause) && q850Cause >= 1 && q850Cause <= 127) release.q850Cause = q850Cause;
  const cause = nameOf(value('cause'));
  if (cause !== undefined) release.cause = cause;
  const party = wordIn(map.releaseParties, value('releaseParty'));
  if (party !== undefined) release.party = party;
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Words of 3GPP, in any case; an attestation may stand behind, `TN-Validation-Passed-A`. @see 3GPP TS 24.229 section 7.2A.20 */
const VERSTAT = /^(TN-Validation-Passed|TN-Validation-Failed|No-TN-Validation)(?:-([ABC]))?$/i;
const VERSTATS: readonly Verstat[] = ['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation'];

function receivedOf(value: ColumnValue): ReceivedVerification | undefined {
  const received: { -readonly [K in keyof ReceivedVerification]: ReceivedVerification[K] } = {};
  const said = VERSTAT.exec(value('verstat'));
  const verstat = VERSTATS.find((word) => word.toLowerCase() === said?.[1]?.toLowerCase());
  if (verstat !== undefined) received.verstat = verstat;
  const attestation = attestationOf(value('attestation') || (said?.[2] ?? ''));
  if (attestation !== undefined) received.attestation = attestation;
  const origId = nameOf(value('origId'));
  if (origId !== undefined) received.origId = origId;
  const iat = value('iatSeconds');
  if (/^\d{9,11}$/.test(iat)) received.iatSeconds = Number(iat);
  const spc = value('spc');
  if (/^[0-9A-Z]{1,15}$/.test(spc)) received.spc = spc;
  return Object.keys(received).length === 0 ? undefined : received;
}

function signedOf(value: ColumnValue): OwnSigning | undefined {
  const attestation = attestationOf(value('signedAttestation'));
  if (attestation === undefined) return undefined;
  const origId = nameOf(value('signedOrigId'));
  return origId === undefined ? { attestation } : { attestation, origId };
}

function attestationOf(text: string): Attestation | undefined {
  const upper = text.toUpperCase();
  return upper === 'A' || upper === 'B' || upper === 'C' ? upper : undefined;
}
