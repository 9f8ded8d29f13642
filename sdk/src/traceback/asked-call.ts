import { defined } from '../core/text.js';
import type { AnsweredCall, RequestedCall, TracebackAnswer, TracebackRequest } from '../contract/traceback-exchange.js';
import { CLOCK_ALLOWANCE_US, LONGEST_LAG_US } from './match/match-options.js';
import { readStatedNumber, readStatedTime } from './match/plan-search.js';

/** What of a disclosed call contradicts the call that the request was about. */
export type CallDifference = 'called' | 'time';

/**
 * How far a disclosed call may lie outside the time that the request stated: two minutes, since a call passes from hop to hop within seconds and
 * people state when it rang, was answered or left a message; and what the clocks of both sides may be apart.
 */
const TOLERANCE_US: number = 120_000_000 + CLOCK_ALLOWANCE_US;

/**
 * Says how the call that an answer discloses contradicts the call that its request was about. A disclosed call fits when the called number is the same
 * or one that the answer declares the call to be diverted to, and the stated time lies within three minutes of the call,
 * from its start to its end, of which the first 15 minutes count: people also state when a message was left. If the answer states no end, only the start
 * counts. A number that only one side states, or that cannot be read (`1-800-FLOWERS`), is not compared. A time that cannot be read does not fit. A stated time without a zone fits if it does in UTC or
 * in a zone of the United States. Where a number is traced forward no particular call is meant, so that times are not compared.
 * @param asked - the call of the request
 * @param disclosed - the call of the answer; nothing of it is trusted
 * @param direction - of the traceback
 * @returns what differs; nothing where the call fits. Never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const at = { asWritten: '10/23/2026 3:41 PM EDT', local: '2026-10-23T15:41', zone: 'America/New_York', precision: 'minute' } as const;
 * const asked = { called: '(202) 555-0101', at };
 * const disclosed = { startedAt: '2026-10-23T19:41:06Z', called: '+12025550101', disposition: 'answered' } as const;
 * console.log(callDifferences(asked, disclosed)); // []
 * console.log(callDifferences(asked, { ...disclosed, startedAt: '2026-10-24T01:41:06Z' })); // [ 'time' ]
 * ```
 */
export function callDifferences(
  asked: RequestedCall,
  disclosed: AnsweredCall,
  direction: TracebackRequest['direction'] = 'back',
): readonly CallDifference[] {
  const differences: CallDifference[] = [];
  if (!isSameCalled(asked, disclosed)) differences.push('called');
  if (direction === 'back' && !isSameTime(asked, disclosed)) differences.push('time');
  return differences;
}

/**
 * The call that the next provider is asked about: as the answer before discloses it, if that call fits, since a switch's record says more than the
 * memory of a subscriber. Where it states no called number and another calling number or none, nothing shows that it is the same call: the calling
 * number, the Call-ID and the PASSporT then stay as they were asked. `recordId` is left out: it means nothing to others.
 * @param asked - the call that the provider before was asked about
 * @param answer - its answer; absent where a neighbour's word led on
 * @param direction - of the traceback
 * @returns the call; undefined where no number is known by which another provider could find it. Never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const at = { asWritten: '15:41 UTC', local: '2026-10-23T15:41', zone: 'UTC', precision: 'minute' } as const;
 * const call = { startedAt: '2026-10-23T15:41:06.250Z', called: '+12025550101', disposition: 'answered' } as const;
 * console.log(nextAskedCall({ called: '2025550101', at }, { call })?.at.local); // 2026-10-23T15:41:06.250
 * ```
 */
export function nextAskedCall(
  asked: RequestedCall,
  answer: Pick<TracebackAnswer, 'call'> | undefined,
  direction: TracebackRequest['direction'] = 'back',
): RequestedCall | undefined {
  const disclosed = answer?.call;
  const known =
    disclosed === undefined || callDifferences(asked, disclosed, direction).length > 0 ? undefined : disclosed;
  const called = known === undefined ? asked.called : moreComplete(asked.called, known.called);
  if (called === undefined) return undefined;
  const at = known === undefined || direction === 'forward' ? asked.at : recordedTime(known.startedAt);
  const same = known !== undefined && sharesNumber(asked, known) ? known : undefined;
  const calling = same?.calling ?? asked.calling;
  const callId = same === undefined ? asked.callId : same.ingressCallId;
  const { origId = asked.origId, attestation = asked.attestation, spc = asked.spc } = same?.received ?? NOT_RECEIVED;
  const { durationSeconds } = asked;
  return defined({
    called,
    at,
    calling,
    callId,
    origId,
    attestation,
    spc,
    durationSeconds,
  });
}

/** What an answer says of the PASSporT of a call that had none. */
const NOT_RECEIVED: NonNullable<AnsweredCall['received']> = {};

function isSameCalled({ called: asked }: RequestedCall, call: AnsweredCall): boolean {
  const disclosed = disclosedCalled(call);
  if (!isStated(asked) || disclosed.length === 0) return true;
  return disclosed.some((number) => isSameNumber(asked, number));
}

/** Whether a call that contradicts nothing also states a number that ties it to the call of the request. */
function sharesNumber(asked: RequestedCall, disclosed: AnsweredCall): boolean {
  if (disclosedCalled(disclosed).length > 0) return true;
  return isStated(asked.calling) && isStated(disclosed.calling) && isSameNumber(asked.calling, disclosed.calling);
}

function disclosedCalled({ called, divertedTo = [] }: AnsweredCall): readonly string[] {
  return [called, ...divertedTo].filter(isStated);
}

/** What cannot be read, such as a number spelled in letters, says as little as what was not stated. */
function isStated(number: string | undefined): number is string {
  return readStatedNumber(number).kind === 'number';
}

/** Seven digits are a local number; too many numbers end in the same few digits of an extension. */
const LOCAL_DIGITS = 7;

function isSameNumber(one: string, other: string): boolean {
  if (one === other) return true;
  const [first, second] = [readStatedNumber(one), readStatedNumber(other)];
  if (first.kind !== 'number' || second.kind !== 'number') return false;
  if (first.tn === second.tn) return true;
  if (first.isGlobal && second.isGlobal) return false;
  return isEndOf(first.tn, second.tn) || isEndOf(second.tn, first.tn);
}

/** Whether a number is the end of another as it is, or without the 0 that most countries dial before a national number. */
function isEndOf(part: string, whole: string): boolean {
  return [part, part.replace(/^0/, '')].some((digits) => digits.length >= LOCAL_DIGITS && whole.endsWith(digits));
}

/** Where both state the number, the record's, unless it has a part of it alone. */
function moreComplete(asked: string | undefined, disclosed: string | undefined): string | undefined {
  if (!isStated(disclosed)) return asked;
  if (!isStated(asked)) return disclosed;
  const read = readStatedNumber(disclosed);
  return read.kind === 'number' && read.isGlobal ? disclosed : asked;
}

/** UTC and the whole hours of zones of the United States with its islands, in which a time without a zone may have been stated. */
const LIKELY_ZONES = 'UTC -04:00 -05:00 -06:00 -07:00 -08:00 -09:00 -10:00 -11:00 +10:00'.split(' ');

function isSameTime({ at }: RequestedCall, disclosed: AnsweredCall): boolean {
  const [beginUs, endUs] = disclosedSpan(disclosed);
  const firstUs = beginUs - TOLERANCE_US;
  const lastUs = endUs + TOLERANCE_US;
  return (at.zone === undefined ? LIKELY_ZONES : [at.zone]).some((zone) => {
    const time = readStatedTime(at, zone);
    return time.status === 'read' && time.instants.some(({ fromUs, toUs }) => firstUs <= toUs && lastUs >= fromUs);
  });
}

/** When the stated time may have been: during the call, as the matcher has it, and where no end is stated at its start. */
function disclosedSpan({ startedAt, endedAt }: AnsweredCall): readonly [beginUs: number, endUs: number] {
  const beginUs = Date.parse(startedAt) * 1_000;
  const endUs = Date.parse(endedAt ?? startedAt) * 1_000;
  return [beginUs, endUs > beginUs ? Math.min(endUs, beginUs + LONGEST_LAG_US) : beginUs];
}

const recordedTime = (startedAt: string): RequestedCall['at'] => ({
  asWritten: startedAt,
  local: new Date(startedAt).toISOString().slice(0, -1),
  zone: 'UTC',
  precision: 'millisecond',
});
