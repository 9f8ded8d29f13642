import { readBySchema } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { rowClock } from '../../records/ingest/row-time.js';
import type { RowClock } from '../../records/ingest/row-time.js';
import type { TrunkParty } from '../trunk-directory.js';
import type { TrunkDirectoryData, TrunkEntry } from './trunk-directory-data.js';
import { writtenTrunkDirectorySchema } from './trunk-directory.schema.js';
import type { WrittenTrunkEntry } from './trunk-directory.schema.js';

/**
 * Reads a trunk directory, out of a file or a part of one.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the directory. Default `the trunk directory`
 * @returns the data, for {@link createTrunkDirectory}
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds, the first in
 * `details.member`
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const data = readTrunkDirectory({
 *   directoryId: 'trunks-7',
 *   zone: 'America/New_York',
 *   trunks: [
 *     { trunk: 'east-1', until: '2026-03-01', provider: { name: 'Example Telecom LLC', ocn: '0001' } },
 *     { trunk: 'east-1', from: '2026-03-01', provider: { name: 'Example Wholesale Inc', ocn: '0002' } },
 *     { trunk: 'pbx-9', customer: { customerId: 'C-9' } },
 *   ],
 * });
 * console.log(data.entries[1]?.fromUs); // 1772341200000000
 * ```
 */
export function readTrunkDirectory(value: unknown, options: { readonly at?: string } = {}): TrunkDirectoryData {
  const what = options.at ?? 'the trunk directory';
  const result = readBySchema(writtenTrunkDirectorySchema, value);
  if (!result.success) throw configurationError(what, { error: result.error, value });
  const { directoryId, zone, handoverMarginSeconds, providers = [], trunks = [] } = result.data;
  const clock = zone === undefined ? undefined : rowClock({ zone });
  return {
    directoryId,
    providers,
    entries: trunks.map((entry, index) => entryOf(entry, { clock, at: `trunks[${String(index)}]`, what })),
    ...(handoverMarginSeconds === undefined ? {} : { handoverMarginSeconds }),
  };
}

interface EntryPlace {
  readonly clock: RowClock | undefined;
  readonly at: string;
  readonly what: string;
}

function entryOf(written: WrittenTrunkEntry, place: EntryPlace): TrunkEntry {
  const { trunk, address, switchProvider, from, until } = written;
  const fromUs = from === undefined ? undefined : timeOf(from, 'from', place);
  const untilUs = until === undefined ? undefined : timeOf(until, 'until', place);
  if (fromUs !== undefined && untilUs !== undefined && fromUs >= untilUs)
    throw wrong(place, 'until', 'is not after from');
  return {
    ...(trunk === undefined ? {} : { trunk }),
    ...(address === undefined ? {} : { address }),
    ...(switchProvider === undefined ? {} : { switchProvider }),
    ...(fromUs === undefined ? {} : { fromUs }),
    ...(untilUs === undefined ? {} : { untilUs }),
    party: partyOf(written),
  };
}

function partyOf({ provider, unlistedProvider, foreignProvider, customer }: WrittenTrunkEntry): TrunkParty {
  if (provider !== undefined) return { kind: 'provider', provider };
  if (unlistedProvider !== undefined) return { kind: 'unlisted-provider', contact: unlistedProvider };
  if (foreignProvider !== undefined) return { kind: 'foreign-provider', contact: foreignProvider };
  return { kind: 'customer', ...customer };
}

function timeOf(text: string, member: string, place: EntryPlace): number {
  const read = periodTime(text, place.clock);
  if (typeof read === 'number') return read;
  throw wrong(place, member, read.fault);
}

function wrong({ at, what }: EntryPlace, member: string, fault: string): HopbackError {
  return new HopbackError('invalid-configuration', `${what}: ${at}.${member} ${fault}`, {
    details: { member: `${at}.${member}` },
  });
}

const UTC = rowClock({ zone: 'utc' });

/**
 * Reads the beginning or end of a period: a day, or a day and time, with an offset or in a zone. Never throws.
 * @param clock - of the zone in which times without an offset are; undefined where none was declared
 * @returns microseconds since the epoch, or what is wrong with it
 */
export function periodTime(text: string, clock: RowClock | undefined): number | { readonly fault: string } {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text;
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(whole.slice(DAY_CHARS));
  if (!hasOffset && clock === undefined) return { fault: 'has no offset, and the directory no zone' };
  const read = (clock ?? UTC).read(whole, 'iso-8601');
  if (read.status === 'rejected') return { fault: 'is no time' };
  // Two instants are no instant at which a trunk changes hands.
  if (read.otherUs !== undefined) return { fault: 'comes twice in that zone: write it with an offset' };
  return read.atUs;
}

/** `2026-11-02` */
const DAY_CHARS = 10;
