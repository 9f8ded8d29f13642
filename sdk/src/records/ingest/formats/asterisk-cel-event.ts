import type { Disposition, Release } from '../../../contract/call-record.js';
import { membersOf, parsedJson } from '../../../core/text.js';
import { HopbackError } from '../../../errors.js';
import { asteriskChannel, dialledNumber } from './asterisk-cdr.js';
import { nameOf, rejectedRow, skippedRow } from './leg.js';
import type { LegParts } from './leg.js';
import { csvFields, rowText } from '../record-reader.js';
import type { RowReading, SourceRow, WaitingRaw } from '../record-reader.js';
import type { RowInstant } from './row-times.js';

const CEL_MEMBERS = [
  /** `CHAN_START`, `ANSWER`, `APP_START`, `BRIDGE_ENTER`, `HANGUP`, `CHAN_END`, `LINKEDID_END` and others. */
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
] as const;

/** What a column of a CEL file can hold; `unused` for all that no record takes. */
export const CEL_COLUMNS = [...CEL_MEMBERS, 'unused'] as const;

/** One of {@link CEL_COLUMNS}. */
export type CelColumn = (typeof CEL_COLUMNS)[number];

/** One row of channel event logging. Members are empty where the row says nothing. */
export type CelEvent = Readonly<Record<(typeof CEL_MEMBERS)[number], string>>;

/** The column of a name; `unused` where there is none of that name. */
export function celColumn(name: string): CelColumn {
  return CEL_COLUMNS.find((known) => known === name) ?? 'unused';
}

/**
 * The mapping that `cel_custom.conf` comes with. BRIDGEPEER, userfield, userdeftype and eventextra follow, not all of them in all
 * versions: eventextra is always the last.
 */
const SAMPLE_LAYOUT = layoutOf(
  'event time - callerNumber callerAni - dialledNumber extension - channel application applicationData - accountCode uniqueId linkedId',
);

/** The order of the manager's event, which has no name of the channel. */
const MANAGER_LAYOUT = layoutOf(
  'event accountCode callerNumber - callerAni - dialledNumber extension - application applicationData time - uniqueId linkedId',
);

/** The same with the name of the channel behind the context. */
const MANAGER_LAYOUT_WITH_CHANNEL = MANAGER_LAYOUT.toSpliced(9, 0, 'channel');

function layoutOf(names: string): readonly CelColumn[] {
  return names.split(' ').map(celColumn);
}

/** Names of columns in header rows, of the manager's event and of the tables of other CEL back ends, in lower case. */
const HEADER_NAMES: Readonly<Partial<Record<CelColumn, readonly string[]>>> = {
  event: ['eventname', 'eventtype'],
  time: ['eventtime'],
  callerNumber: ['calleridnum', 'cid_num', 'cidnum'],
  callerAni: ['calleridani', 'cid_ani', 'cidani'],
  dialledNumber: ['calleriddnid', 'cid_dnid', 'ciddnid'],
  extension: ['exten'],
  channel: ['channel', 'channame'],
  application: ['application', 'appname'],
  applicationData: ['appdata'],
  accountCode: ['accountcode'],
  uniqueId: ['uniqueid'],
  linkedId: ['linkedid'],
  extra: ['extra', 'eventextra'],
};

const COLUMN_BY_HEADER: ReadonlyMap<string, CelColumn> = new Map(
  CEL_COLUMNS.flatMap((column) => (HEADER_NAMES[column] ?? []).map((name) => [name, column] as const)),
);

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
    /** The event of a row, or what else is to be said of it. */
    read: (row: SourceRow): CelEvent | readonly RowReading[] => {
      const text = rowText(row);
      if (text === '') return skippedRow('not-a-call');
      const split = csvFields(text);
      if (split.status === 'rejected') return [split];
      const { fields } = split;
      const header = headerLayout(fields);
      if (header !== undefined) {
        fromHeader = header;
        return skippedRow('header');
      }
      const layout = declared ?? fromHeader ?? seenLayout(fields);
      if (fields.length < layout.length) {
        return rejectedRow('too-few-fields', `${fields.length} columns where there should be ${layout.length}`);
      }
      const event = eventOf(fields, layout);
      const missing = NEEDED.find((name) => event[name] === '');
      return missing === undefined ? event : rejectedRow('missing-field', 'an event without it', missing);
    },
  };
}

function headerLayout(fields: readonly string[]): readonly CelColumn[] | undefined {
  const columns = fields.map((field): CelColumn => COLUMN_BY_HEADER.get(field.trim().toLowerCase()) ?? 'unused');
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

const NO_EVENT = Object.fromEntries(CEL_COLUMNS.map((column) => [column, ''])) as Record<CelColumn, string>;

function eventOf(fields: readonly string[], layout: readonly CelColumn[]): CelEvent {
  const event = { ...NO_EVENT };
  // Of columns that are declared twice the first counts.
  for (let at = layout.length - 1; at >= 0; at -= 1) event[layout[at] ?? 'unused'] = fields[at] ?? '';
  if (!layout.includes('extra')) event.extra = lastExtra(fields);
  return event;
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
  return extra === '' || extra.length > MAX_EXTRA_CHARS ? {} : membersOf(parsedJson(extra));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
