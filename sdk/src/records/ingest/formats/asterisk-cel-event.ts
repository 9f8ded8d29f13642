import type { Disposition, Release } from '../../../contract/call-record.js';
import { HopbackError } from '../../../errors.js';
import { asteriskChannel, dialledNumber } from './asterisk-cdr.js';
import { nameOf, rejectedRow, skippedRow } from './leg.js';
import type { LegParts } from './leg.js';
import { csvFields, rowText } from '../record-reader.js';
import type { RowReading, SourceRow, WaitingRaw } from '../record-reader.js';
import type { RowInstant } from './row-times.js';

/** One row of channel event logging. Members are empty where the row says nothing. */
export interface CelEvent {
  /** `CHAN_START`, `ANSWER`, `APP_START`, `BRIDGE_ENTER`, `HANGUP`, `CHAN_END`, `LINKEDID_END` and others. */
  readonly event: string;
  readonly time: string;
  readonly callerNumber: string;
  readonly callerAni: string;
  readonly dialledNumber: string;
  readonly extension: string;
  readonly channel: string;
  readonly application: string;
  readonly applicationData: string;
  readonly accountCode: string;
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly extra: string;
}

/** What a column of a CEL file holds; `unused` for all that no record takes. */
export type CelColumn = keyof CelEvent | 'unused';

/** Every {@link CelColumn}. */
export const CEL_COLUMNS: readonly CelColumn[] = [
  'event',
  'time',
  'callerNumber',
  'callerAni',
  'dialledNumber',
  'extension',
  'channel',
  'application',
  'applicationData',
  'accountCode',
  'uniqueId',
  'linkedId',
  'extra',
  'unused',
];

/**
 * The mapping that `cel_custom.conf` comes with. BRIDGEPEER, userfield, userdeftype and eventextra follow, not all of them in all
 * versions: eventextra is always the last.
 */
const SAMPLE_LAYOUT: readonly CelColumn[] = [
  'event',
  'time',
  'unused',
  'callerNumber',
  'callerAni',
  'unused',
  'dialledNumber',
  'extension',
  'unused',
  'channel',
  'application',
  'applicationData',
  'unused',
  'accountCode',
  'uniqueId',
  'linkedId',
];

/** The order of the manager's event, which has no name of the channel. */
const MANAGER_LAYOUT: readonly CelColumn[] = [
  'event',
  'accountCode',
  'callerNumber',
  'unused',
  'callerAni',
  'unused',
  'dialledNumber',
  'extension',
  'unused',
  'application',
  'applicationData',
  'time',
  'unused',
  'uniqueId',
  'linkedId',
];

/** The same with the name of the channel behind the context. */
const MANAGER_LAYOUT_WITH_CHANNEL: readonly CelColumn[] = [
  ...MANAGER_LAYOUT.slice(0, 9),
  'channel',
  ...MANAGER_LAYOUT.slice(9),
];

/** Names of columns in header rows, of the manager's event and of the tables of other CEL back ends, in lower case. */
const HEADER_NAMES: ReadonlyMap<string, CelColumn> = new Map([
  ['eventname', 'event'],
  ['eventtype', 'event'],
  ['eventtime', 'time'],
  ['calleridnum', 'callerNumber'],
  ['cid_num', 'callerNumber'],
  ['cidnum', 'callerNumber'],
  ['calleridani', 'callerAni'],
  ['cid_ani', 'callerAni'],
  ['cidani', 'callerAni'],
  ['calleriddnid', 'dialledNumber'],
  ['cid_dnid', 'dialledNumber'],
  ['ciddnid', 'dialledNumber'],
  ['exten', 'extension'],
  ['channel', 'channel'],
  ['channame', 'channel'],
  ['application', 'application'],
  ['appname', 'application'],
  ['appdata', 'applicationData'],
  ['accountcode', 'accountCode'],
  ['uniqueid', 'uniqueId'],
  ['linkedid', 'linkedId'],
  ['extra', 'extra'],
  ['eventextra', 'extra'],
]);

/** Without one of these a row belongs nowhere. */
const NEEDED = ['event', 'time', 'uniqueId', 'linkedId'] as const;

/**
 * Makes the reader of the rows of one file.
 * @param declared - the order of the columns; without it a header row tells it, or else where the time of a row stands
 * @throws {@link HopbackError} `invalid-configuration` where a column is not declared that every event needs
 */
export function celEventReader(declared: readonly CelColumn[] | undefined) {
  const lacking = declared === undefined ? [] : NEEDED.filter((name) => !declared.includes(name));
  if (lacking.length > 0)
    throw new HopbackError('invalid-configuration', `celColumns must have ${lacking.join(', ')} too.`, {
      details: { member: 'celColumns' },
    });
  let fromHeader: readonly CelColumn[] | undefined;
  return {
    /** The order of the columns that a header row told, where one did. */
    header: (): readonly CelColumn[] | undefined => fromHeader,
    setHeader: (columns: readonly CelColumn[]) => {
      fromHeader = columns;
    },
    read: (
      row: SourceRow,
    ):
      | { readonly status: 'event'; readonly event: CelEvent }
      | { readonly status: 'other'; readonly readings: readonly RowReading[] } => {
      const text = rowText(row);
      if (text === '') return { status: 'other', readings: skippedRow('not-a-call') };
      const split = csvFields(text);
      if (split.status === 'rejected') return { status: 'other', readings: [split] };
      const { fields } = split;
      const header = headerLayout(fields);
      if (header !== undefined) {
        fromHeader = header;
        return { status: 'other', readings: skippedRow('header') };
      }
      const layout = declared ?? fromHeader ?? seenLayout(fields);
      if (fields.length < layout.length) {
        const readings = rejectedRow(
          'too-few-fields',
          `${fields.length} columns where there should be ${layout.length}`,
        );
        return { status: 'other', readings };
      }
      const event = eventOf(fields, layout);
      const missing = NEEDED.find((name) => event[name] === '');
      return missing === undefined
        ? { status: 'event', event }
        : { status: 'other', readings: rejectedRow('missing-field', 'an event without it', missing) };
    },
  };
}

function headerLayout(fields: readonly string[]): readonly CelColumn[] | undefined {
  const columns = fields.map((field): CelColumn => HEADER_NAMES.get(field.trim().toLowerCase()) ?? 'unused');
  return NEEDED.every((name) => columns.includes(name)) ? columns : undefined;
}

function seenLayout(fields: readonly string[]): readonly CelColumn[] {
  if (isTimeText(fields[1] ?? '')) return SAMPLE_LAYOUT;
  return isTimeText(fields[11] ?? '') ? MANAGER_LAYOUT : MANAGER_LAYOUT_WITH_CHANNEL;
}

/** An epoch with or without decimals, or a date. */
function isTimeText(text: string): boolean {
  return /^(?:\d{10,11}(?:\.\d{1,9})?|\d{4}-\d{2}-\d{2}[ T].{8,30})$/.test(text);
}

function eventOf(fields: readonly string[], layout: readonly CelColumn[]): CelEvent {
  const value = (column: CelColumn): string => fields[layout.indexOf(column)] ?? '';
  return {
    event: value('event'),
    time: value('time'),
    callerNumber: value('callerNumber'),
    callerAni: value('callerAni'),
    dialledNumber: value('dialledNumber'),
    extension: value('extension'),
    channel: value('channel'),
    application: value('application'),
    applicationData: value('applicationData'),
    accountCode: value('accountCode'),
    uniqueId: value('uniqueId'),
    linkedId: value('linkedId'),
    extra: layout.includes('extra') ? value('extra') : lastExtra(fields),
  };
}

/** The extra of an event is the last column, JSON where it is anything. */
function lastExtra(fields: readonly string[]): string {
  const last = fields.at(-1) ?? '';
  return last.startsWith('{') ? last : '';
}

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
interface CelHangup {
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
