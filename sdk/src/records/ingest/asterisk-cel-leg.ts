import type { Disposition, Release } from '../../core/call-record.js';
import { asteriskChannel, dialledNumber } from './asterisk-channel.js';
import { nameOf } from './leg.js';
import type { LegParts } from './leg.js';
import type { WaitingRaw } from './raw-rows.js';
import type { RowInstant } from './row-time.js';

/** A channel of a call as its events have told of it so far. */
export interface CelChannel {
  readonly uniqueId: string;
  /** The linked id that it began with: its own where it came in, that of the channel that made it where it went out. */
  readonly bornLinkedId: string;
  /** The channel that made it, whatever has become of that since. */
  readonly maker: CelChannel | undefined;
  /** The channels that it made. */
  readonly made: CelChannel[];
  linkedId: string;
  readonly start: RowInstant;
  /** Its name, which transfers may change. */
  name: string;
  readonly accountCode: string;
  /** Who called when it began; of a channel that went out, whom the one that made it said. */
  readonly calling: string;
  /** What was dialled when it began. */
  readonly called: string;
  /** Who calls by the latest event: a dialplan may have set another number. */
  latestCaller: string;
  /** Argument of the `Dial()` of the other channel that made it; empty where it came in. */
  readonly madeWith: string;
  /** Argument of the latest `Dial()`. */
  dialArgument: string;
  answeredAtUs: number | undefined;
  endedAtUs: number | undefined;
  hangup: CelHangup | undefined;
  /** Hashes of its rows. */
  rows: string[];
  /** Texts of the same rows in the same order; undefined where they are not kept. */
  raw: WaitingRaw<string> | undefined;
}

/** What the extra of a HANGUP says. */
export interface CelHangup {
  readonly q850Cause: number | undefined;
  /** Name of the channel whose side hung up. */
  readonly source: string;
  /** Of the channel that dialled. */
  readonly dialStatus: string;
}

/**
 * Reads the extra of a HANGUP, `{"hangupcause":16,"hangupsource":"PJSIP/carrier-a-0000001a","dialstatus":"ANSWER"}`. Never throws.
 */
export function celHangup(extra: string): CelHangup {
  const members = extraMembers(extra);
  const cause = Number(members['hangupcause']);
  const isCause = Number.isInteger(cause) && cause > 0 && cause <= 127;
  return {
    q850Cause: isCause ? cause : undefined,
    source: textOf(members['hangupsource']),
    dialStatus: textOf(members['dialstatus']),
  };
}

/** Whether a channel leads back into the switch: its two halves are no legs. */
export function isLocalChannel({ name }: CelChannel): boolean {
  return name.startsWith('Local/');
}

/** What a record says of a channel, by the one that made it and those that it made. Never throws. */
export function celLegParts(channel: CelChannel): LegParts {
  const { maker } = channel;
  const isInbound = channel.bornLinkedId === channel.uniqueId;
  const made = isInbound ? connectedWith(channel) : undefined;
  const peer = asteriskChannel(channel.name)?.peer;
  const otherPeer = asteriskChannel((isInbound ? made : maker)?.name ?? '')?.peer;
  // Who tries one route behind another has several `Dial()`s: each channel was made by its own.
  const dialled = (isInbound ? made : channel)?.madeWith || (maker ?? channel).dialArgument;
  const sentTo = dialledNumber(dialled, isInbound ? otherPeer : peer);
  return {
    legId: channel.uniqueId,
    callGroupId: channel.linkedId,
    invite: channel.start,
    answeredAtUs: channel.answeredAtUs,
    endedAtUs: channel.endedAtUs,
    calling: channel.calling,
    called: isInbound ? channel.called : (sentTo ?? (channel.called || maker?.called)),
    sentTo: isInbound ? sentTo : undefined,
    ingress: { trunk: isInbound ? peer : otherPeer },
    egress: { trunk: isInbound ? otherPeer : peer },
    disposition: dispositionOf(channel),
    release: releaseOf(channel, isInbound ? channel : maker, isInbound ? made : channel),
    customerId: nameOf((maker ?? channel).accountCode),
  };
}

/** The channel that one which came in was connected with: the one that answered, or the only one that rang. */
function connectedWith({ made }: CelChannel): CelChannel | undefined {
  const legs = made.filter((channel) => !isLocalChannel(channel));
  const answered = legs.filter(({ answeredAtUs }) => answeredAtUs !== undefined);
  const [first, ...others] = answered.length > 0 ? answered : legs;
  // After a transfer several have answered, and forks ring together: which of them is meant nobody can say.
  return others.length === 0 ? first : undefined;
}

const DIAL_STATUS: ReadonlyMap<string, Disposition> = new Map([
  ['BUSY', 'busy'],
  ['NOANSWER', 'no-answer'],
  ['CANCEL', 'cancelled'],
  ['DONTCALL', 'rejected'],
]);

const CAUSE: ReadonlyMap<number, Disposition> = new Map([
  [16, 'cancelled'],
  [17, 'busy'],
  [18, 'no-answer'],
  [19, 'no-answer'],
  [21, 'rejected'],
  // Answered elsewhere: another fork took the call.
  [26, 'cancelled'],
]);

function dispositionOf({ answeredAtUs, hangup }: CelChannel): Disposition {
  if (answeredAtUs !== undefined) return 'answered';
  return DIAL_STATUS.get(hangup?.dialStatus ?? '') ?? CAUSE.get(hangup?.q850Cause ?? 0) ?? 'failed';
}

function releaseOf(
  { hangup }: CelChannel,
  calling: CelChannel | undefined,
  called: CelChannel | undefined,
): Release | undefined {
  if (hangup === undefined) return undefined;
  const release: { -readonly [K in keyof Release]: Release[K] } = {};
  if (hangup.q850Cause !== undefined) release.q850Cause = hangup.q850Cause;
  if (hangup.dialStatus !== '') release.cause = hangup.dialStatus;
  if (hangup.source !== '' && hangup.source === calling?.name) release.party = 'calling';
  if (hangup.source !== '' && hangup.source === called?.name) release.party = 'called';
  return Object.keys(release).length === 0 ? undefined : release;
}

/** Longest extra of any event is a few hundred characters. */
const MAX_EXTRA_CHARS = 4_096;

function extraMembers(extra: string): Readonly<Record<string, unknown>> {
  if (extra === '' || extra.length > MAX_EXTRA_CHARS) return {};
  try {
    const value: unknown = JSON.parse(extra);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
