import type { CalledNumber, CallRecord } from '../../core/call-record.js';
import type { RequestedCall } from '../../core/traceback-request.js';
import type { MatchReason } from '../match-outcome.js';
import { reasonOf } from './match-weights.js';
import { comparableOrigId } from './orig-id.js';
import { mayBeOneNumber } from './stated-number.js';
import type { StatedNumber } from './stated-number.js';

/** What was stated beside the time and the downstream provider. */
export interface StatedFields {
  readonly call: RequestedCall;
  readonly called: StatedNumber;
  readonly calling: StatedNumber;
}

/**
 * Compares the legs of a call with what was stated, field by field. What was not stated gives no reason. Never throws.
 */
export function weighFields(legs: readonly CallRecord[], stated: StatedFields): readonly MatchReason[] {
  const { call } = stated;
  return [
    calledReason(legs, stated),
    callingReason(legs, stated),
    identifierReason(
      'record-id',
      call.recordId?.toLowerCase(),
      legs.map(({ recordId }) => recordId),
    ),
    identifierReason(
      'call-id',
      call.callId,
      legs.flatMap(({ ingress, egress }) => [ingress.callId, egress.callId]),
    ),
    identifierReason(
      'origid',
      comparableOrigId(call.origId),
      legs.flatMap(({ received, signed }) => [received?.origId, signed?.origId]).map(comparableOrigId),
    ),
    valueReason(
      'attestation',
      call.attestation,
      legs.flatMap(({ received, signed }) => [received?.attestation, signed?.attestation]),
    ),
    // What the carrier signed itself carries its own code, which its records do not.
    valueReason(
      'spc',
      call.spc?.toUpperCase(),
      legs.some(({ signed }) => signed !== undefined) ? [] : legs.map(({ received }) => received?.spc?.toUpperCase()),
    ),
    durationReason(legs, call.durationSeconds),
  ].filter((reason) => reason !== undefined);
}

/** Seconds and part by which a stated duration may differ: bills round up to six seconds, and count from the ringing or the answer. */
const DURATION_SECONDS = 6;
const DURATION_PART = 0.05;
/** Bills in minutes. */
const DURATION_MINUTE_SECONDS = 60;

function calledReason(legs: readonly CallRecord[], { call, called }: StatedFields): MatchReason | undefined {
  if (called.kind === 'not-stated') return undefined;
  const parties = legs.map((leg) => leg.called).filter((party) => party !== undefined);
  const recorded = parties[0]?.asWritten;
  const said = { stated: call.called, recorded };
  if (called.kind === 'unreadable') {
    return reasonOf('called', parties.some(({ asWritten }) => asWritten === call.called) ? 'equal' : 'absent', said);
  }
  const equal = parties.find(({ tn, translatedTn }) => tn === called.tn || translatedTn === called.tn);
  if (equal !== undefined) return reasonOf('called', 'equal', { stated: call.called, recorded: equal.asWritten });
  const isKnown = parties.some(({ tn, translatedTn }) => tn !== undefined || translatedTn !== undefined);
  const inPart = parties.find((party) => isCalledInPart(party, called, isKnown));
  if (inPart !== undefined)
    return reasonOf('called', 'compatible', { stated: call.called, recorded: inPart.asWritten });
  return reasonOf('called', isKnown ? 'contradicts' : 'absent', said);
}

/**
 * Whether nothing but part of a stated number is on record: its routing number, or the number in another form.
 * @param isKnown - whether any number called is on record
 */
function isCalledInPart(
  { tn, translatedTn, lrn }: CalledNumber,
  called: Extract<StatedNumber, { kind: 'number' }>,
  isKnown: boolean,
): boolean {
  const isPart = (one: string | undefined): boolean =>
    one !== undefined && (one === called.lrn || mayBeOneNumber(one, called.tn));
  if (isPart(tn) || isPart(translatedTn)) return true;
  if (lrn === undefined) return false;
  // A routing number is that of a whole switch: where one was stated too, it says nothing beside a number that is another.
  return called.lrn === undefined ? lrn === called.tn : !isKnown && (lrn === called.lrn || lrn === called.tn);
}

function callingReason(legs: readonly CallRecord[], { call, calling }: StatedFields): MatchReason | undefined {
  if (calling.kind === 'not-stated') return undefined;
  const parties = legs.flatMap((leg) => [leg.calling, leg.asserted]).filter((party) => party !== undefined);
  const isEqual = ({ tn, asWritten }: (typeof parties)[number]): boolean =>
    calling.kind === 'number' ? tn === calling.tn : asWritten === call.calling;
  const equal = parties.find(isEqual);
  if (equal !== undefined) return reasonOf('calling', 'equal', { stated: call.calling, recorded: equal.asWritten });
  const known = calling.kind === 'number' ? parties.filter(({ tn }) => tn !== undefined) : [];
  const inPart = known.find(({ tn = '' }) => calling.kind === 'number' && mayBeOneNumber(tn, calling.tn));
  if (inPart !== undefined)
    return reasonOf('calling', 'compatible', { stated: call.calling, recorded: inPart.asWritten });
  return reasonOf('calling', known.length > 0 ? 'contradicts' : 'absent', {
    stated: call.calling,
    recorded: parties[0]?.asWritten,
  });
}

/** Another Call-ID is what a back-to-back user agent makes of a call; origids go through to the end, and another record is another record. */
function identifierReason(
  field: 'record-id' | 'call-id' | 'origid',
  stated: string | undefined,
  recorded: readonly (string | undefined)[],
): MatchReason | undefined {
  if (stated === undefined || stated === '') return undefined;
  if (recorded.includes(stated)) return reasonOf(field, 'equal', { stated, recorded: stated });
  const known = recorded.find((value) => value !== undefined);
  if (known === undefined) return reasonOf(field, 'absent', { stated });
  return reasonOf(field, field === 'call-id' ? 'compatible' : 'contradicts', { stated, recorded: known });
}

function valueReason(
  field: 'attestation' | 'spc',
  stated: string | undefined,
  recorded: readonly (string | undefined)[],
): MatchReason | undefined {
  if (stated === undefined) return undefined;
  if (recorded.includes(stated)) return reasonOf(field, 'equal', { stated, recorded: stated });
  const known = recorded.find((value) => value !== undefined);
  return reasonOf(field, known === undefined ? 'absent' : 'contradicts', { stated, recorded: known });
}

function durationReason(legs: readonly CallRecord[], stated: number | undefined): MatchReason | undefined {
  if (stated === undefined) return undefined;
  const seconds = legs.flatMap(({ inviteAtUs, answeredAtUs, endedAtUs }) =>
    endedAtUs === undefined
      ? []
      : [(endedAtUs - (answeredAtUs ?? endedAtUs)) / 1_000_000, (endedAtUs - inviteAtUs) / 1_000_000],
  );
  if (seconds.length === 0) return reasonOf('duration', 'absent', { stated: String(stated) });
  const offset = Math.min(...seconds.map((value) => Math.abs(value - stated)));
  const recorded = seconds
    .map((value) => value.toFixed(1))
    .slice(0, 2)
    .join(' or ');
  const said = { stated: String(stated), recorded };
  if (offset <= Math.max(DURATION_SECONDS, stated * DURATION_PART)) return reasonOf('duration', 'equal', said);
  return reasonOf('duration', offset <= DURATION_MINUTE_SECONDS ? 'compatible' : 'contradicts', said);
}
