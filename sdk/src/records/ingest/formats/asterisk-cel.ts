import { z } from 'zod';
import type { TimeBasis } from '../../../contract/call-record.js';
import { passingMap } from '../../../core/memo.js';
import type { PassingMap } from '../../../core/memo.js';
import { readBySchema } from '../../../core/schema-findings.js';
import { parsedJson } from '../../../core/text.js';
import { startByBirth } from './asterisk-cdr.js';
import { celColumn, celEventReader, celHangup, celLegParts, isLocalChannel } from './asterisk-cel-event.js';
import type { CelChannel, CelColumn, CelEvent } from './asterisk-cel-event.js';
import { joinedLegReading, legSource, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { MAX_CSV_ROW_CHARS, rawKeeper, rawRowsOf } from '../record-reader.js';
import { joinedSha256 } from '../../record-id.js';
import type { RawKeeper, RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { instantNotBefore } from './row-times.js';
import type { RowInstant } from './row-times.js';

/** Channels of calls that are up, and of those that made them or were made by them. Twice what waits at most. */
const MAX_SAVED_CHANNELS = 400_000;
/**
 * Rows of one channel whose hashes are kept apart: hundreds of times what a call has. A channel of a queue or a conference that has more is
 * kept by the joined hash of what there was.
 */
export const MAX_ROWS_OF_CHANNEL = 1_024;
/** Columns of one file. */
const MAX_COLUMNS = 1_024;
/** A row with the byte order mark and the carriage return that may stand around it. */
const MAX_ROW_CHARS = MAX_CSV_ROW_CHARS + 2;
/** The longest field of a row. */
const MAX_TEXT_CHARS = 16_384;

const textSchema = z.string().max(MAX_TEXT_CHARS);
const instant = z.int().min(0);
const placeSchema = z.int().min(0).max(MAX_SAVED_CHANNELS);

/** One channel; others are named by their places in the list. */
const channelSchema = z.object({
  uniqueId: textSchema.min(1),
  bornLinkedId: textSchema.min(1),
  linkedId: textSchema.min(1),
  maker: z.exactOptional(placeSchema),
  /** False for a channel that has ended and is kept for the sake of others. */
  waits: z.boolean(),
  startUs: instant,
  otherStartUs: z.exactOptional(instant),
  zone: z.exactOptional(z.string().max(64)),
  resolutionUs: z.int().min(1),
  name: textSchema,
  accountCode: textSchema,
  calling: textSchema,
  called: textSchema,
  latestCaller: textSchema,
  madeWith: textSchema,
  dialArgument: textSchema,
  answeredAtUs: z.exactOptional(instant),
  endedAtUs: z.exactOptional(instant),
  hangup: z.exactOptional(
    z.object({ q850Cause: z.exactOptional(z.int().min(1).max(127)), source: textSchema, dialStatus: textSchema }),
  ),
  rows: z
    .array(z.string().regex(/^[0-9a-f]{64}$/))
    .min(1)
    .max(MAX_ROWS_OF_CHANNEL),
  /** Texts of these rows, where they are kept and there was room for them. */
  texts: z.exactOptional(z.array(z.string().max(MAX_ROW_CHARS)).max(MAX_ROWS_OF_CHANNEL)),
});

type SavedCelChannel = z.infer<typeof channelSchema>;

const SAVED_FORMAT = 'hopback.asterisk-cel.1';

/** What a reader of channel events keeps between two runs. */
const savedCelStateSchema = z.object({
  format: z.literal(SAVED_FORMAT),
  header: z.exactOptional(z.array(z.string().max(64)).max(MAX_COLUMNS)),
  channels: z.array(channelSchema).max(MAX_SAVED_CHANNELS),
});

/**
 * Characters of rows that are saved with the channels they belong to: half of what may be made durable of a source. Channels beyond it are
 * saved with the hashes of their rows alone, and recorded so where another reader goes on with them.
 */
export const MAX_SAVED_RAW_CHARS = 2_097_152;

/** What a reader of channel events has in mind between two rows. */
interface CelState {
  /** Channels that wait for the end of their calls, in the order in which they began. */
  readonly channels: readonly CelChannel[];
  readonly header: readonly CelColumn[] | undefined;
}

/** Writes the state of a reader as text. Channels that have ended are kept where one that waits made them or was made by them. */
function saveCelChannels({ channels, header }: CelState): string {
  const waiting = new Set(channels);
  const all = withRelatives(channels);
  const places = new Map(all.map((channel, place) => [channel, place]));
  const takeTexts = savedTexts();
  const saved = all.map((channel) => ({
    ...savedChannel(channel),
    maker: channel.maker === undefined ? undefined : places.get(channel.maker),
    waits: waiting.has(channel),
    texts: takeTexts(channel),
  }));
  return JSON.stringify({ format: SAVED_FORMAT, channels: saved, header });
}

/** Takes the texts of channel after channel, as long as there is room for them. */
function savedTexts(): (channel: CelChannel) => readonly string[] | undefined {
  let room = MAX_SAVED_RAW_CHARS;
  return ({ raw, rows }) => {
    if (raw === undefined || raw.rows.length !== rows.length) return undefined;
    const chars = JSON.stringify(raw.rows).length;
    if (chars > room) return undefined;
    room -= chars;
    return raw.rows;
  };
}

/**
 * Reads what `saveCelChannels` wrote. Never throws.
 * @param raw - keeps the rows of the channels, where they were saved
 * @returns undefined where it is anything else
 */
function restoreCelChannels(text: string, raw: RawKeeper<string>): CelState | undefined {
  const { data: state } = readBySchema(savedCelStateSchema, parsedJson(text));
  if (state === undefined) return undefined;
  const header = state.header?.map(celColumn);
  const channels: CelChannel[] = [];
  for (const one of state.channels) {
    // Whoever made a channel comes before it in the list.
    const maker = one.maker === undefined ? undefined : channels[one.maker];
    const channel = restoredChannel(one, maker);
    if (one.waits) channel.raw = restoredRaw(one, raw);
    maker?.made.push(channel);
    channels.push(channel);
  }
  return { channels: channels.filter((_, place) => state.channels[place]?.waits), header };
}

/** The channels, those that made them and those that they made; makers before what they made. */
function withRelatives(channels: readonly CelChannel[]): readonly CelChannel[] {
  const all = new Set<CelChannel>();
  for (const channel of channels) {
    const line: CelChannel[] = [];
    for (let at: CelChannel | undefined = channel; at !== undefined && !all.has(at); at = at.maker) line.push(at);
    for (const one of line.toReversed()) all.add(one);
  }
  for (const channel of channels) for (const made of channel.made) all.add(made);
  return [...all];
}

/** Members that are undefined are not written. */
function savedChannel({ start, made: _made, raw: _raw, ...facts }: CelChannel) {
  const { zone, resolutionUs } = start.basis;
  return {
    ...facts,
    startUs: start.atUs,
    otherStartUs: start.otherUs,
    zone,
    resolutionUs,
  };
}

function restoredChannel(saved: SavedCelChannel, maker: CelChannel | undefined): CelChannel {
  const { startUs, otherStartUs, zone, resolutionUs, hangup, waits: _waits, texts: _texts, ...facts } = saved;
  const other = otherStartUs === undefined ? {} : { otherUs: otherStartUs };
  const basis: TimeBasis =
    zone === undefined ? { written: 'utc', resolutionUs } : { written: 'local', zone, resolutionUs };
  return {
    ...facts,
    maker,
    made: [],
    start: {
      status: 'instant',
      atUs: startUs,
      ...other,
      basis,
    },
    answeredAtUs: facts.answeredAtUs,
    endedAtUs: facts.endedAtUs,
    hangup: hangup === undefined ? undefined : { q850Cause: hangup.q850Cause, ...hangup },
    rows: [...facts.rows],
    raw: undefined,
  };
}

function restoredRaw({ rows, texts = [] }: SavedCelChannel, keeper: RawKeeper<string>): CelChannel['raw'] {
  if (texts.length !== rows.length) return undefined;
  let raw = keeper.begin();
  for (const text of texts) raw = keeper.add(raw, text, Buffer.byteLength(text));
  return raw;
}

/** Goes up when the same rows would make other records. */
const READER_VERSION = 1;

/** A source of channel events. */
export interface AsteriskCelDescription extends SourceDescription {
  /**
   * The order of the columns where `cel_custom.conf` has one of its own. Default: what a header row says, else the sample mapping of
   * `cel_custom.conf` or the order of the manager's event, whichever the place of the time shows.
   */
  readonly celColumns?: readonly CelColumn[];
}

/**
 * Channels that wait for the end of their calls, at most: a switch carries some thousands. Above it the call that began first is given up
 * and made into records, so that a file whose ends are missing does not fill the memory.
 */
export const MAX_WAITING_CHANNELS = 100_000;

/**
 * Makes the reader of Asterisk's channel event logging (CEL) as `cel_custom` writes it. Channels of one LinkedID are the legs of a call:
 * each has a record of its own, with the same `callGroupId`, when `LINKEDID_END` comes; a channel that transfers join to another call
 * goes along with it. What is still up waits, until `expire`: events of a call that was given up are rejected from then on, so that it is given
 * no second record; hence give up only what is older than any call lasts. `source.sha256` of a leg stands for
 * all its rows: the SHA-256 of their hashes in ascending order, each with a line feed behind it; of one row its own hash.
 * Times are epochs unless cel.conf has a `dateformat`: then they are local times.
 * @param description - name of the source, zone of its local times, numbers, providers, and the order of columns of its own
 * @returns the reader; 100,000 channels wait in it at most
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists, or no column
 * that every event needs; never for what a file holds
 * @see https://docs.asterisk.org/Configuration/Reporting/Channel-Event-Logging-CEL/
 */
export function createAsteriskCelReader(description: AsteriskCelDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  const events = celEventReader(description.celColumns);
  const raw: RawKeeper<string> = rawKeeper(source.keepsRaw);
  const calls = waitingCalls(source, raw);
  return {
    framing: 'csv',
    read: (row) => {
      const read = events.read(row);
      return 'event' in read ? takeEvent(read, row, { source, calls, raw }) : read;
    },
    expire: (beforeUs) => calls.expire(beforeUs),
    waiting: calls.waiting,
    saveWaiting: () => saveCelChannels({ channels: calls.channels(), header: events.header() }),
    restoreWaiting: (saved) => {
      const restored = restoreCelChannels(saved, raw);
      if (restored === undefined) return false;
      if (restored.header !== undefined) events.setHeader(restored.header);
      for (const channel of restored.channels) calls.add(channel);
      return true;
    },
  };
}

type WaitingCalls = ReturnType<typeof waitingCalls>;

/** Channels by their own id, and by the call that they belong to. */
function waitingCalls(source: LegSource, raw: RawKeeper<string>) {
  const channels: PassingMap<CelChannel> = passingMap();
  const calls: PassingMap<CelChannel[]> = passingMap();
  const join = (channel: CelChannel): void => {
    const call = calls.get(channel.linkedId);
    if (call === undefined) calls.set(channel.linkedId, [channel]);
    else call.push(channel);
  };
  const end = (linkedId: string): readonly RowReading[] => {
    const call = calls.get(linkedId) ?? [];
    calls.delete(linkedId);
    for (const { uniqueId } of call) channels.delete(uniqueId);
    const readings = recordsOf(call, source);
    for (const channel of call) channel.raw = raw.end(channel.raw);
    return readings;
  };
  return {
    channels: (): readonly CelChannel[] => channels.entries().map(([, channel]) => channel),
    channel: channels.get,
    add: (channel: CelChannel): readonly RowReading[] => {
      const oldest = channels.size() >= MAX_WAITING_CHANNELS ? calls.oldest() : undefined;
      const given = oldest === undefined ? [] : end(oldest[0]);
      channels.set(channel.uniqueId, channel);
      join(channel);
      return given;
    },
    move: (channel: CelChannel, linkedId: string) => {
      const rest = (calls.get(channel.linkedId) ?? []).filter((other) => other !== channel);
      if (rest.length === 0) calls.delete(channel.linkedId);
      else calls.set(channel.linkedId, rest);
      channel.linkedId = linkedId;
      join(channel);
    },
    end,
    expire: (beforeUs: number): readonly RowReading[] =>
      calls
        .entries()
        .filter(([, call]) => call.every(({ start }) => start.atUs < beforeUs))
        .flatMap(([linkedId]) => end(linkedId)),
    waiting: channels.size,
  };
}

function recordsOf(call: readonly CelChannel[], source: LegSource): readonly RowReading[] {
  const legs = call.filter((channel) => !isLocalChannel(channel)).toSorted((a, b) => a.start.atUs - b.start.atUs);
  return legs.flatMap((channel) => {
    // The hash stands for all rows of the channel.
    const row = { text: '', sha256: joinedSha256(channel.rows), line: 0 };
    const raw = channel.raw === undefined ? undefined : rawRowsOf(rowsOf(channel));
    return joinedLegReading(row, source, celLegParts(channel), raw);
  });
}

/** The rows of a channel whose texts are kept. */
function rowsOf({ rows, raw }: CelChannel): { readonly text: string; readonly sha256: string }[] {
  return rows.map((sha256, at) => ({ text: raw?.rows[at] ?? '', sha256 }));
}

const WAITING: readonly RowReading[] = [{ status: 'waiting' }];

interface CelReaderState {
  readonly source: LegSource;
  readonly calls: WaitingCalls;
  readonly raw: RawKeeper<string>;
}

function takeEvent(event: CelEvent, row: SourceRow, { source, calls, raw }: CelReaderState): readonly RowReading[] {
  const time = source.clock.read(event.time, isEpoch(event.time) ? 'epoch-seconds' : 'date-time');
  if (time.status === 'rejected') return rejectedRow(time.reason, time.detail, 'EventTime');
  if (event.event === 'LINKEDID_END') {
    const readings = calls.end(event.linkedId);
    return readings.length === 0 ? skippedRow('interim') : readings;
  }
  const known = calls.channel(event.uniqueId);
  if (known === undefined) {
    // When such a leg began, and so its id, is not known: it is from before the file, or was given up.
    if (event.event !== 'CHAN_START') {
      return rejectedRow('missing-field', 'an event of a channel whose start is not known', 'CHAN_START');
    }
    const channel = newChannel(event, { at: time, maker: calls.channel(event.linkedId), raw: raw.begin() });
    channel.maker?.made.push(channel);
    addRow(channel, row, raw);
    const given = calls.add(channel);
    return given.length === 0 ? WAITING : [...WAITING, ...given];
  }
  if (known.linkedId !== event.linkedId) calls.move(known, event.linkedId);
  changeChannel(known, event, instantNotBefore(time, known.start.atUs));
  addRow(known, row, raw);
  return WAITING;
}

function isEpoch(text: string): boolean {
  return !text.includes('-') && !text.includes(':');
}

interface ChannelBeginning extends Pick<CelChannel, 'raw'> {
  readonly at: RowInstant;
  /** The channel whose id is the linked one, where it is another. */
  readonly maker: CelChannel | undefined;
}

function newChannel(event: CelEvent, { at, maker, raw }: ChannelBeginning): CelChannel {
  const { uniqueId, linkedId } = event;
  const isInbound = uniqueId === linkedId;
  return {
    uniqueId,
    bornLinkedId: linkedId,
    maker,
    made: [],
    linkedId,
    start: startByBirth(at, uniqueId),
    name: event.channel,
    accountCode: event.accountCode,
    // On a channel that goes out the caller id is that of the called party: who calls is said by the channel that made it.
    calling: isInbound ? event.callerNumber || event.callerAni : (maker?.latestCaller ?? event.callerNumber),
    called: isInbound ? event.extension || event.dialledNumber : event.dialledNumber || event.callerNumber,
    latestCaller: event.callerNumber || event.callerAni,
    madeWith: maker?.dialArgument ?? '',
    dialArgument: '',
    answeredAtUs: undefined,
    endedAtUs: undefined,
    hangup: undefined,
    rows: [],
    raw,
  };
}

function addRow(channel: CelChannel, { text, sha256 }: SourceRow, raw: RawKeeper<string>): void {
  if (channel.rows.length >= MAX_ROWS_OF_CHANNEL) {
    channel.rows = [joinedSha256(channel.rows)];
    // A hash of hashes can be made of the rows no more.
    channel.raw = raw.end(channel.raw);
  }
  channel.rows.push(sha256);
  if (channel.raw !== undefined) channel.raw = raw.add(channel.raw, text, Buffer.byteLength(text));
}

function changeChannel(channel: CelChannel, event: CelEvent, atUs: number): void {
  if (event.channel !== '') channel.name = event.channel;
  if (event.callerNumber !== '') channel.latestCaller = event.callerNumber;
  if (event.application === 'Dial' && event.applicationData !== '') channel.dialArgument = event.applicationData;
  if (event.event === 'ANSWER') channel.answeredAtUs ??= atUs;
  if (event.event === 'HANGUP') {
    channel.endedAtUs = atUs;
    channel.hangup = celHangup(event.extra);
  }
  if (event.event === 'CHAN_END') channel.endedAtUs ??= atUs;
}
