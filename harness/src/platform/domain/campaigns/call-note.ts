import type { SharedRecord } from '@hopback/sdk/platform';
import type { CampaignCall, LiveRecord } from '../../core/index.js';
import type { CampaignPolicy } from './campaign-policy.js';
import { keyHash, keyHashOf } from './key-hash.js';

/** How a call went, as far as it tells people from recordings. */
export type CallOutcome = 'unanswered' | 'short' | 'listened' | 'conversation' | 'unknown';

/** A call as the detection of campaigns sees it. Holds no telephone number. */
export interface CallNote {
  readonly atMs: number;
  readonly reporterId: string;
  readonly recordId: string;
  /** Hash of number or pseudonym; -1 where there is none. */
  readonly callingKey: number;
  /** Whether `callingKey` is of the number itself, and so the same with every carrier. */
  readonly isCallingShown: boolean;
  readonly calledKey: number;
  readonly isCalledShown: boolean;
  /** Six digits, -1 where they are not known. */
  readonly callingNpaNxx: number;
  readonly calledNpaNxx: number;
  /** The switch that wrote the record, and its name of the call: hashes. Legs of one call share both. */
  readonly sourceKey: number;
  readonly groupKey: number;
  /** Of a signature that was found good. */
  readonly signer: string | undefined;
  /** Of signer, origid and `iat`: of one PASSporT; -1 where one of them is not known. */
  readonly passportKey: number;
  readonly attestation: 'A' | 'B' | 'C' | undefined;
  readonly isFailed: boolean;
  /** Name of the provider that sent it to the reporter, and the trunk by which it came. */
  readonly upstream: string | undefined;
  readonly trunk: string | undefined;
  readonly outcome: CallOutcome;
  readonly durationSeconds: number | undefined;
  /** Smallest step of the times of the switch, milliseconds. */
  readonly resolutionMs: number;
  /** Bits, by the order of `WAYS_OF_CALLING`. */
  marks: number;
  /** Calls of the same number before it, as far as they are remembered. */
  callsBefore: number;
  /** The call that it is a record of. */
  placed: PlacedCall | undefined;
  /** Campaign that detection takes it for. */
  campaignId: string | undefined;
}

/** A report of an application as evidence of a call. */
export interface ReportedCall {
  readonly call: CallEvidence;
  readonly callingKey: number;
  /** Of the number called; -1 where the application does not show it. */
  readonly calledKey: number;
  reasons: readonly string[];
  /** The call that it is a report of. */
  placed: PlacedCall;
  isCounted: boolean;
}

/** A record or report without the call that it is evidence of. */
export type CallEvidence = Omit<CampaignCall, 'placedCallId'>;

/** A call that somebody placed, with all records and reports of it that have come. */
export interface PlacedCall {
  /** Name of the first record or report of it; undefined until somebody asks for it by `placedCallId`. */
  name: string | undefined;
  /** By its first record, else by its first report. */
  atMs: number;
  /** Of carriers, in the order in which they came. */
  records: readonly CallNote[];
  reports: readonly ReportedCall[];
  /** The one campaign for which it is counted, and why. */
  campaignId: string | undefined;
  reasons: readonly string[];
}

/** A switch that writes minutes does not make every call of the minute one. */
const MAX_RESOLUTION_MS = 1_000;

/**
 * Takes a live record apart. Never throws for what a record holds.
 * @param live - in the form of its schema
 */
export function callNote(live: LiveRecord, policy: CampaignPolicy): CallNote {
  const { record, providerId } = live;
  const { received, source } = record;
  const caller = numberOf(record.asserted) === undefined ? record.calling : record.asserted;
  const calling = numberOf(caller);
  const called = record.called === undefined ? undefined : numberOf(record.called);
  const seconds = secondsOf(record);
  return {
    atMs: atOf(live),
    reporterId: providerId,
    recordId: record.recordId,
    callingKey: partyKey(calling, caller?.shown === 'pseudonym', live),
    isCallingShown: calling !== undefined && caller?.shown !== 'pseudonym',
    calledKey: partyKey(called, record.called?.shown === 'pseudonym', live),
    isCalledShown: called !== undefined && record.called?.shown !== 'pseudonym',
    callingNpaNxx: npaNxxOfParty(caller),
    calledNpaNxx: npaNxxOfParty(record.called),
    sourceKey: keyHashOf('source', providerId, source.id ?? ''),
    groupKey: keyHashOf(providerId, source.id ?? '', record.callGroupId),
    signer: signerOf(received),
    passportKey: passportKeyOf(received),
    attestation: received?.attestation,
    isFailed: received?.verstat === 'TN-Validation-Failed',
    upstream: record.ingress.provider,
    trunk: record.ingress.trunk ?? record.ingress.address,
    outcome: outcomeOf(record, seconds, policy),
    durationSeconds: seconds,
    resolutionMs: Math.min(MAX_RESOLUTION_MS, record.time.resolutionUs / 1_000),
    marks: 0,
    callsBefore: 0,
    placed: undefined,
    campaignId: undefined,
  };
}

/** Name of a call that a carrier has shared. Never throws. */
export const recordCallId = (providerId: string, recordId: string): string => `record:${providerId}:${recordId}`;

/** Name of a call that an application has reported. Never throws. */
export const reportCallId = (appId: string, reportId: string): string => `report:${appId}:${reportId}`;

/** Key of a canonical number, the same whoever shows it. Never throws. */
export const numberKey = (tn: string): number => keyHash(tn);

/** A record as other areas know the evidence of calls. Never throws. */
export function recordEvidence(note: CallNote): CallEvidence {
  const { atMs, reporterId, recordId, signer, attestation, durationSeconds } = note;
  const exchange = exchangeText(note.calledNpaNxx);
  return {
    callId: recordCallId(reporterId, recordId),
    atMs,
    reporterId,
    recordId,
    ...(exchange !== undefined && { calledNpaNxx: exchange }),
    ...(signer !== undefined && { signer }),
    ...(attestation !== undefined && { attestation }),
    ...(durationSeconds !== undefined && { durationSeconds }),
  };
}

/** Six digits of an area code and exchange; undefined where they are not known. Never throws. */
export const exchangeText = (npaNxx: number): string | undefined =>
  npaNxx < 0 ? undefined : String(npaNxx).padStart(6, '0');

/** Area code and exchange of a canonical number as a whole number, -1 where it is not North American. Never throws. */
export function npaNxxOfTn(tn: string): number {
  if (tn.length !== 11 || tn.charCodeAt(0) !== 0x31) return -1;
  const prefix = Number(tn.slice(1, 7));
  return prefix >= 0 && Number.isInteger(prefix) ? prefix : -1;
}

type Party = SharedRecord['calling'] | SharedRecord['called'];

function numberOf(party: Party): string | undefined {
  if (party === undefined || party.shown === 'no-number') return undefined;
  return party.shown === 'pseudonym' ? party.pseudonym : party.tn;
}

function npaNxxOfParty(party: Party): number {
  if (party === undefined || party.shown === 'no-number') return -1;
  if (party.shown === 'pseudonym') return party.npaNxx === undefined ? -1 : Number(party.npaNxx);
  return party.tn === undefined ? -1 : npaNxxOfTn(party.tn);
}

/** Pseudonyms of different carriers and rotations have nothing in common. */
function partyKey(value: string | undefined, isVeiled: boolean, { providerId, record }: LiveRecord): number {
  if (value === undefined) return -1;
  return isVeiled ? keyHashOf(providerId, record.sharing.rotationId, value) : keyHash(value);
}

function signerOf(received: SharedRecord['received']): string | undefined {
  return received?.verstat === 'TN-Validation-Passed' ? received.spc : undefined;
}

/** Origid alone is not enough: a signer may use one for a customer. */
function passportKeyOf(received: SharedRecord['received']): number {
  const signer = signerOf(received);
  if (signer === undefined || received?.origId === undefined || received.iatSeconds === undefined) return -1;
  return keyHashOf(signer, received.origId, String(received.iatSeconds));
}

/** By the switch, but never later than it was received: a clock that is ahead must not make a campaign live tomorrow. */
function atOf({ record, receivedAtMs }: LiveRecord): number {
  const atMs = Math.floor(record.inviteAtUs / 1_000);
  return Number.isFinite(atMs) ? Math.min(atMs, receivedAtMs) : receivedAtMs;
}

function secondsOf({ disposition, answeredAtUs, endedAtUs }: SharedRecord): number | undefined {
  if (disposition !== 'answered' || answeredAtUs === undefined || endedAtUs === undefined) return undefined;
  return Math.max(0, (endedAtUs - answeredAtUs) / 1_000_000);
}

function outcomeOf(record: SharedRecord, seconds: number | undefined, policy: CampaignPolicy): CallOutcome {
  // What was blocked says nothing of who would have answered.
  if (record.disposition === 'blocked') return 'unknown';
  if (record.disposition !== 'answered') return 'unanswered';
  if (seconds === undefined) return 'unknown';
  if (seconds < policy.shortCallSeconds) return 'short';
  return seconds >= policy.conversationSeconds ? 'conversation' : 'listened';
}
