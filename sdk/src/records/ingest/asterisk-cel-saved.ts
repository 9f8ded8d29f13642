import { CEL_COLUMNS } from './asterisk-cel-event.js';
import type { CelColumn } from './asterisk-cel-event.js';
import type { CelChannel } from './asterisk-cel-leg.js';
import { savedCelStateSchema } from './asterisk-cel-saved.schema.js';
import type { SavedCelChannel, SavedCelState } from './asterisk-cel-saved.schema.js';
import type { RawKeeper } from './raw-rows.js';

/**
 * Characters of rows that are saved with the channels they belong to: half of what may be made durable of a source. Channels beyond it are
 * saved with the hashes of their rows alone, and recorded so where another reader goes on with them.
 */
export const MAX_SAVED_RAW_CHARS = 2_097_152;

/** What a reader of channel events has in mind between two rows. */
export interface CelState {
  /** Channels that wait for the end of their calls, in the order in which they began. */
  readonly channels: readonly CelChannel[];
  readonly header: readonly CelColumn[] | undefined;
}

/** Writes the state of a reader as text. Channels that have ended are kept where one that waits made them or was made by them. */
export function saveCelChannels({ channels, header }: CelState): string {
  const waiting = new Set(channels);
  const all = withRelatives(channels);
  const places = new Map(all.map((channel, place) => [channel, place]));
  const takeTexts = savedTexts();
  const state: SavedCelState = {
    format: 'hopback.asterisk-cel.1',
    channels: all.map((channel) => ({
      ...saved(channel, waiting.has(channel), places.get(channel.maker ?? channel)),
      ...takeTexts(channel),
    })),
  };
  return JSON.stringify(header === undefined ? state : { ...state, header });
}

/** Takes the texts of channel after channel, as long as there is room for them. */
function savedTexts(): (channel: CelChannel) => Pick<SavedCelChannel, 'texts'> {
  let room = MAX_SAVED_RAW_CHARS;
  return ({ raw, rows }) => {
    if (raw === undefined || raw.rows.length !== rows.length) return {};
    const chars = JSON.stringify(raw.rows).length;
    if (chars > room) return {};
    room -= chars;
    return { texts: raw.rows };
  };
}

/**
 * Reads what {@link saveCelChannels} wrote. Never throws.
 * @param raw - keeps the rows of the channels, where they were saved
 * @returns undefined where it is anything else
 */
export function restoreCelChannels(text: string, raw: RawKeeper<string>): CelState | undefined {
  const state = savedState(text);
  if (state === undefined) return undefined;
  const header = state.header?.map((column) => CEL_COLUMNS.find((known) => known === column) ?? 'unused');
  const channels: CelChannel[] = [];
  for (const one of state.channels) {
    // Whoever made a channel comes before it in the list.
    const maker = one.maker === undefined ? undefined : channels[one.maker];
    const channel = restored(one, maker);
    if (one.waits) channel.raw = restoredRaw(one, raw);
    maker?.made.push(channel);
    channels.push(channel);
  }
  return { channels: channels.filter((_, place) => state.channels[place]?.waits), header };
}

function savedState(text: string): SavedCelState | undefined {
  try {
    const result = savedCelStateSchema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
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

function saved(channel: CelChannel, waits: boolean, makerPlace: number | undefined): SavedCelChannel {
  const { start, hangup, answeredAtUs, endedAtUs } = channel;
  return {
    uniqueId: channel.uniqueId,
    bornLinkedId: channel.bornLinkedId,
    linkedId: channel.linkedId,
    ...(channel.maker === undefined || makerPlace === undefined ? {} : { maker: makerPlace }),
    waits,
    startUs: start.atUs,
    ...(start.otherUs === undefined ? {} : { otherStartUs: start.otherUs }),
    ...(start.basis.zone === undefined ? {} : { zone: start.basis.zone }),
    resolutionUs: start.basis.resolutionUs,
    name: channel.name,
    accountCode: channel.accountCode,
    calling: channel.calling,
    called: channel.called,
    latestCaller: channel.latestCaller,
    madeWith: channel.madeWith,
    dialArgument: channel.dialArgument,
    ...(answeredAtUs === undefined ? {} : { answeredAtUs }),
    ...(endedAtUs === undefined ? {} : { endedAtUs }),
    ...(hangup === undefined ? {} : { hangup: savedHangup(hangup) }),
    rows: channel.rows,
  };
}

function savedHangup({
  q850Cause,
  source,
  dialStatus,
}: NonNullable<CelChannel['hangup']>): NonNullable<SavedCelChannel['hangup']> {
  return q850Cause === undefined ? { source, dialStatus } : { q850Cause, source, dialStatus };
}

function restored(one: SavedCelChannel, maker: CelChannel | undefined): CelChannel {
  const { startUs, otherStartUs, zone, resolutionUs, hangup } = one;
  const basis =
    zone === undefined
      ? ({ written: 'utc', resolutionUs } as const)
      : ({ written: 'local', zone, resolutionUs } as const);
  return {
    uniqueId: one.uniqueId,
    bornLinkedId: one.bornLinkedId,
    linkedId: one.linkedId,
    maker,
    made: [],
    start: {
      status: 'instant',
      atUs: startUs,
      ...(otherStartUs === undefined ? {} : { otherUs: otherStartUs }),
      basis,
    },
    name: one.name,
    accountCode: one.accountCode,
    calling: one.calling,
    called: one.called,
    latestCaller: one.latestCaller,
    madeWith: one.madeWith,
    dialArgument: one.dialArgument,
    answeredAtUs: one.answeredAtUs,
    endedAtUs: one.endedAtUs,
    hangup:
      hangup === undefined
        ? undefined
        : { q850Cause: hangup.q850Cause, source: hangup.source, dialStatus: hangup.dialStatus },
    rows: [...one.rows],
    raw: undefined,
  };
}

function restoredRaw({ rows, texts = [] }: SavedCelChannel, keeper: RawKeeper<string>): CelChannel['raw'] {
  if (texts.length !== rows.length) return undefined;
  let raw = keeper.begin();
  for (const text of texts) raw = keeper.add(raw, text, Buffer.byteLength(text));
  return raw;
}
