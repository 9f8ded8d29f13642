import { startByBirth } from './asterisk-channel.js';
import { celEventReader } from './asterisk-cel-event.js';
import type { CelColumn, CelEvent } from './asterisk-cel-event.js';
import { celHangup, celLegParts, isLocalChannel } from './asterisk-cel-leg.js';
import type { CelChannel } from './asterisk-cel-leg.js';
import { MAX_ROWS_OF_CHANNEL } from './asterisk-cel-saved.schema.js';
import { restoreCelChannels, saveCelChannels } from './asterisk-cel-saved.js';
import { joinedLegReading, legSource, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { joinedSha256 } from './joined-sha256.js';
import { rawKeeper, rawRowsOf, readingsWithRaw } from './raw-rows.js';
import type { RawKeeper } from './raw-rows.js';
import { passingMap } from '../../core/memo.js';
import type { PassingMap } from '../../core/memo.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';
import { instantNotBefore } from './row-time.js';
import type { RowInstant } from './row-time.js';

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
 * @example
 * ```ts
 * const reader = createAsteriskCelReader({ id: 'pbx-1', format: 'asterisk-cel', time: { zone: 'utc' } });
 * console.log(reader.waiting()); // 0
 * ```
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
      return read.status === 'event' ? takeEvent(read.event, row, { source, calls, raw }) : read.readings;
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

interface WaitingCalls {
  readonly channels: () => readonly CelChannel[];
  readonly channel: (uniqueId: string) => CelChannel | undefined;
  readonly add: (channel: CelChannel) => readonly RowReading[];
  readonly move: (channel: CelChannel, linkedId: string) => void;
  readonly end: (linkedId: string) => readonly RowReading[];
  readonly expire: (beforeUs: number) => readonly RowReading[];
  readonly waiting: () => number;
}

/** Channels by their own id, and by the call that they belong to. */
function waitingCalls(source: LegSource, raw: RawKeeper<string>): WaitingCalls {
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
    channels: () => channels.entries().map(([, channel]) => channel),
    channel: channels.get,
    add: (channel) => {
      const oldest = channels.size() >= MAX_WAITING_CHANNELS ? calls.oldest() : undefined;
      const given = oldest === undefined ? [] : end(oldest[0]);
      channels.set(channel.uniqueId, channel);
      join(channel);
      return given;
    },
    move: (channel, linkedId) => {
      const rest = (calls.get(channel.linkedId) ?? []).filter((other) => other !== channel);
      if (rest.length === 0) calls.delete(channel.linkedId);
      else calls.set(channel.linkedId, rest);
      channel.linkedId = linkedId;
      join(channel);
    },
    end,
    expire: (beforeUs) =>
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
    return readingsWithRaw(joinedLegReading(row, source, celLegParts(channel)), raw);
  });
}

/** The rows of a channel whose texts are kept. */
function rowsOf({ rows, raw }: CelChannel): { readonly text: string; readonly sha256: string }[] {
  return rows.map((sha256, at) => ({ text: raw?.rows[at] ?? '', sha256 }));
}

const WAITING: readonly RowReading[] = [{ status: 'waiting' }];

interface CelState {
  readonly source: LegSource;
  readonly calls: WaitingCalls;
  readonly raw: RawKeeper<string>;
}

function takeEvent(event: CelEvent, row: SourceRow, { source, calls, raw }: CelState): readonly RowReading[] {
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
