import type { Disposition, ReceivedVerification, Release } from '../../core/call-record.js';
import { splitHeaderList } from '../../core/sip-request.js';
import type { LegParts, LegSide } from './leg.js';
import { writtenVerstat } from './kamailio-layout.js';
import type { AccColumns } from './kamailio-layout.js';
import { accTime, laterBy } from './kamailio-row.js';
import type { AccRow } from './kamailio-row.js';
import type { TimedRow } from './kamailio-calls.js';
import { shakenClaims } from './passport-claims.js';
import { leadsTo, startByDuration, startNotAfter } from './call-order.js';
import { instantNearest, instantNotBefore } from './row-time.js';
import type { RowClock, RowInstant, RowTimeFault } from './row-time.js';
import { blockedByStatus, dispositionOfStatus } from './sip-dispositions.js';

/** The rows that make one record. */
export interface AccLeg {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  /** What tells branches without a tag of their own apart. */
  readonly branch?: string;
  readonly invite?: TimedRow | undefined;
  readonly bye?: TimedRow | undefined;
  readonly cdr?: TimedRow | undefined;
  readonly cancel?: TimedRow | undefined;
}

/** Makes a record's parts of the rows of a leg, at least an INVITE, a CDR or a CANCEL. Never throws. */
export function accLegParts(leg: AccLeg, columns: AccColumns, clock: RowClock): LegParts {
  const { invite, cdr, cancel } = leg;
  const main = (invite ?? cdr ?? cancel) as TimedRow;
  const role: AccRow['role'] = (name) => main.row.role(name) || (cdr?.row.role(name) ?? '');
  const times = timesOf(leg, columns, clock);
  const isGivenUp = invite === undefined && cdr === undefined;
  const status = statusOf(main.row, isGivenUp);
  const disposition = isGivenUp ? 'cancelled' : dispositionOf(status, times);
  return {
    legId: [leg.callId, leg.fromTag, leg.toTag, leg.branch ?? ''].filter((part) => part !== '').join(' '),
    callGroupId: role('callGroup') || leg.callId,
    invite: times.invite,
    answeredAtUs: disposition === 'answered' ? times.answeredAtUs : undefined,
    endedAtUs: times.endedAtUs,
    calling: role('calling'),
    asserted: role('asserted'),
    called: role('called') || role('sentTo'),
    sentTo: role('sentTo'),
    lrn: role('lrn'),
    ingress: {
      trunk: role('ingressTrunk'),
      address: addressOf(role('sourceAddress'), role('sourcePort')),
      callId: leg.callId,
    },
    egress: egressOf(role, leg, disposition),
    disposition,
    release: releaseOf(leg, columns, disposition, status),
    received: receivedOf(role),
    customerId: role('customer'),
    blockedBy: role('blockedBy') || (disposition === 'blocked' ? blockedByStatus(status) : undefined),
  };
}

interface LegTimes {
  readonly invite: RowInstant;
  readonly answeredAtUs: number | undefined;
  readonly endedAtUs: number | undefined;
  /** Whether a CDR says that the call lasted. */
  readonly lasted: boolean;
}

function timesOf({ invite, bye, cdr, cancel }: AccLeg, { cdrStart }: AccColumns, clock: RowClock): LegTimes {
  const main = (invite ?? cdr ?? cancel) as TimedRow;
  const durationUs = durationOf((cdr ?? main).row);
  const lasted = durationUs !== undefined && durationUs > 0;
  const declared = accTime(main.row.role('inviteTime') || (cdr?.row.role('inviteTime') ?? ''), clock);
  const start = cdr?.at;
  const written =
    declared?.status === 'instant'
      ? declared
      : start !== undefined && cdrStart === 'invite'
        ? start
        : (invite ?? main).at;
  const begun = startNotAfter(written, [invite?.at, bye?.at]);
  const setup = Number(main.row.core('setuptime') || 'none');
  // OpenSIPS writes how long it took from there to the answer; without that, acc writes the row when the answer comes.
  const rowUs = invite === undefined ? undefined : instantNearest(invite.at, begun.atUs);
  const answeredAtUs =
    declared?.status === 'instant' && setup >= 0
      ? laterBy(begun, setup * 1_000_000).atUs
      : (rowUs ?? (start !== undefined && cdrStart === 'answer' ? start.atUs : undefined));
  const code = Number((invite ?? main).row.core('sip_code'));
  const endedAtUs = endOf({ invite, bye, cdr, cancel }, { answeredAtUs, durationUs, isFailure: code >= 300 }, clock);
  return { invite: begun, answeredAtUs, endedAtUs, lasted };
}

/** When the call of a CDR row began; or that its times contradict each other. Undefined where none is there. Never throws. */
export function cdrStart(
  row: AccRow,
  clock: RowClock,
): RowInstant | (RowTimeFault & { readonly of: string }) | undefined {
  const start = accTime(row.core('start_time'), clock);
  if (start === undefined) return undefined;
  if (start.status === 'rejected') return { ...start, of: 'start_time' };
  const end = accTime(row.core('end_time'), clock);
  if (end === undefined) return start;
  if (end.status === 'rejected') return { ...end, of: 'end_time' };
  const durationUs = durationOf(row);
  if (durationUs === undefined) return startNotAfter(start, [end]);
  const { atUs, otherUs = atUs } = start;
  const isSaid = leadsTo(end, atUs + durationUs) || leadsTo(end, otherUs + durationUs);
  return isSaid ? startByDuration(start, end, durationUs) : CONTRADICTS;
}

const CONTRADICTS: RowTimeFault & { readonly of: string } = {
  status: 'rejected',
  reason: 'bad-time',
  detail: 'the duration does not lead from start_time to end_time',
  of: 'duration',
};

function endOf(
  { invite, bye, cdr, cancel }: Pick<AccLeg, 'invite' | 'bye' | 'cdr' | 'cancel'>,
  {
    answeredAtUs,
    durationUs,
    isFailure,
  }: { answeredAtUs: number | undefined; durationUs: number | undefined; isFailure: boolean },
  clock: RowClock,
): number | undefined {
  if (cdr !== undefined) {
    const end = accTime(cdr.row.core('end_time'), clock);
    if (durationUs !== undefined) return cdr.at.atUs + durationUs;
    if (end?.status === 'instant') return instantNotBefore(end, cdr.at.atUs);
  }
  if (bye !== undefined) return instantNotBefore(bye.at, answeredAtUs ?? bye.at.atUs);
  if (isFailure) return invite?.at.atUs;
  if (invite === undefined) return cancel?.at.atUs;
  return durationUs === undefined || answeredAtUs === undefined ? undefined : answeredAtUs + durationUs;
}

/** Ten days: dialogs that nobody ended are timed out before. */
const MAX_DURATION_SECONDS = 864_000;

/** Duration of a CDR or a row of OpenSIPS, microseconds: in milliseconds where OpenSIPS has them, else seconds with up to six decimals. */
export function durationOf({ core }: AccRow): number | undefined {
  const ms = core('ms_duration');
  const seconds = /^\d{1,12}$/.test(ms) && ms !== '0' ? Number(ms) / 1_000 : numberOf(core('duration'));
  return seconds === undefined || seconds > MAX_DURATION_SECONDS ? undefined : Math.round(seconds * 1_000_000);
}

function numberOf(text: string): number | undefined {
  return /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

function statusOf({ core }: AccRow, isCancel: boolean): number | undefined {
  // The code of a CANCEL is what it was answered with, whatever became of the INVITE.
  const code = isCancel ? '' : core('sip_code');
  return /^[1-6]\d\d$/.test(code) ? Number(code) : undefined;
}

function dispositionOf(status: number | undefined, { lasted, endedAtUs, answeredAtUs }: LegTimes): Disposition {
  if (lasted) return 'answered';
  if (status !== undefined) return dispositionOfStatus(status);
  return endedAtUs === undefined && answeredAtUs !== undefined ? 'answered' : 'failed';
}

function egressOf(role: AccRow['role'], { callId }: AccLeg, disposition: Disposition): LegSide {
  const address = addressOf(role('destinationAddress'), role('destinationPort'));
  const trunk = role('egressTrunk');
  const other = role('egressCallId');
  // A proxy leaves the Call-ID as it is; of a call that went nowhere there is no other side.
  const isSent = address !== '' || trunk !== '' || disposition === 'answered';
  return { trunk, address, callId: other === '' && isSent ? callId : other };
}

function releaseOf(
  { invite, bye, cancel }: AccLeg,
  { detectsDirection }: AccColumns,
  disposition: Disposition,
  status: number | undefined,
): Release | undefined {
  const release: { sipStatus?: number; cause?: string; party?: 'calling' | 'called' } = {};
  if (disposition !== 'answered') {
    const reason = invite?.row.core('sip_reason').slice(0, MAX_REASON_CHARS);
    if (status !== undefined) release.sipStatus = status;
    if (reason !== undefined && reason !== '') release.cause = reason;
    if (cancel !== undefined) release.party = 'calling';
  } else if (bye !== undefined && invite !== undefined && !detectsDirection) {
    release.party = bye.row.core('from_tag') === invite.row.core('from_tag') ? 'calling' : 'called';
  }
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Reason phrases of real devices are shorter. */
const MAX_REASON_CHARS = 128;

function receivedOf(role: AccRow['role']): ReceivedVerification | undefined {
  const verstat = writtenVerstat(role('verstat'));
  const claims = shakenClaims(splitHeaderList(role('identity')));
  if (verstat === undefined && claims === undefined) return undefined;
  return verstat === undefined ? claims : { verstat, ...claims };
}

/** An address with its port out of `192.0.2.1`, `udp:192.0.2.1:5060`, `sip:12025550101@192.0.2.1:5060;transport=udp`; else as it is. */
export function addressOf(text: string, port: string): string {
  let address = text.trim();
  const scheme = /^(?:sips?|udp|tcp|tls|sctp|wss?):/i.exec(address)?.[0] ?? '';
  address = address.slice(scheme.length);
  if (scheme !== '') {
    const end = address.search(/[;?]/);
    const host = end < 0 ? address : address.slice(0, end);
    address = host.slice(host.lastIndexOf('@') + 1);
  }
  if (!/^\d{1,5}$/.test(port) || address === '' || hasPort(address)) return address;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}

function hasPort(address: string): boolean {
  const bracket = address.lastIndexOf(']');
  const colon = address.lastIndexOf(':');
  return bracket >= 0 ? colon > bracket : colon >= 0 && colon === address.indexOf(':');
}
