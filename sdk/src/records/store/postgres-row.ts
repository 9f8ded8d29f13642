import type { CalledNumber, CallRecord, Disposition, HopSide, ReceivedVerification } from '../../core/call-record.js';
import type { Attestation } from '../../core/terms.js';
import { rawRowsOf, withRaw } from '../ingest/raw-rows.js';
import { writtenCalled, writtenCaller } from '../ingest/written-number.js';
import { isWallTime, zoneClock } from '../ingest/written-time.js';
import type { LocalInstant, WallTime, ZoneClock } from '../ingest/written-time.js';
import { recordIdOf, sourceSha256 } from '../record-id.js';
import { DISPOSITIONS } from './postgres-table.js';
import type { PostgresColumns, PostgresTable } from './postgres-table.js';
import { EPOCH_UNIT_US } from './postgres-query.js';

/** A row as it is selected: every value as text. */
export type PostgresRow = Readonly<Partial<Record<keyof PostgresColumns, string | null>>>;

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/** Makes records of the rows of one table. Never throws. */
export interface PostgresRows {
  /** @returns undefined for a row without a leg or a time */
  readonly recordOf: (row: PostgresRow) => CallRecord | undefined;
  /** Instant of a time as it is selected, microseconds since the epoch. */
  readonly instantOf: (text: string | null | undefined) => number | undefined;
}

/**
 * Makes the reader of the rows of one table.
 * @returns undefined where the zone of the source is none
 */
export function createPostgresRows(table: PostgresTable): PostgresRows | undefined {
  const { time = 'timestamptz', source } = table;
  const clock = zoneClock(time === 'timestamp' ? source.time.zone : 'utc');
  if (clock === undefined) return undefined;
  const place = (text: string | null | undefined): PlacedTime | undefined => {
    if (text === null || text === undefined) return undefined;
    if (time !== 'timestamptz' && time !== 'timestamp') return epochTime(text, EPOCH_UNIT_US[time]);
    const wall = wallTimeIn(text);
    return wall === undefined ? undefined : wallInstant(wall, clock, source.time.repeatedHour);
  };
  return {
    instantOf: (text) => place(text)?.atUs,
    recordOf(row) {
      const invited = place(row.inviteAt);
      const legId = row.legId ?? '';
      if (invited === undefined || legId === '') return undefined;
      const answeredAtUs = place(row.answeredAt)?.atUs;
      const endedAtUs = place(row.endedAt)?.atUs;
      const calling = writtenCaller(row.calling ?? '', source.numbers);
      const asserted = writtenCaller(row.asserted ?? '', source.numbers);
      const called = calledOf(row, table);
      const received = receivedOf(row);
      const signed = attestationIn(row.signedAttestation);
      const text = JSON.stringify(row);
      const sha256 = sourceSha256(text);
      const record: CallRecord = {
        format: 'hopback.call-record.1',
        recordId: recordIdOf({ sourceId: source.id, legId, inviteAtUs: invited.atUs }),
        source: {
          id: source.id,
          format: 'columns',
          readerVersion: READER_VERSION,
          sha256,
        },
        legId,
        callGroupId: present(row.callGroupId) ?? legId,
        inviteAtUs: invited.atUs,
        ...(answeredAtUs === undefined ? {} : { answeredAtUs }),
        ...(endedAtUs === undefined ? {} : { endedAtUs }),
        time: {
          written: time === 'timestamp' && clock.zone !== 'UTC' ? 'local' : 'utc',
          ...(time === 'timestamp' && clock.zone !== 'UTC' ? { zone: clock.zone } : {}),
          resolutionUs: time === 'epoch-seconds' || time === 'epoch-milliseconds' ? EPOCH_UNIT_US[time] : 1,
          ...(invited.otherUs === undefined ? {} : { otherInviteAtUs: invited.otherUs }),
        },
        ...(calling === undefined ? {} : { calling }),
        ...(asserted === undefined ? {} : { asserted }),
        ...(called === undefined ? {} : { called }),
        ingress: sideOf(row, 'ingress', table),
        egress: sideOf(row, 'egress', table),
        disposition: dispositionOf(row, { table, isAnswered: answeredAtUs !== undefined }),
        ...releaseOf(row),
        ...(received === undefined ? {} : { received }),
        ...(signed === undefined ? {} : { signed: { attestation: signed, ...named('origId', row.signedOrigId) } }),
        ...named('customerId', row.customerId),
        ...named('blockedBy', row.blockedBy),
      };
      return source.keepRaw === true ? withRaw(record, rawRowsOf([{ text, sha256 }])) : record;
    },
  };
}

interface PlacedTime {
  readonly atUs: number;
  /** What else the local time may mean. */
  readonly otherUs?: number;
}

function epochTime(text: string, unitUs: number): PlacedTime | undefined {
  const atUs = Math.round(Number(text) * unitUs);
  return text.trim() !== '' && Number.isSafeInteger(atUs) ? { atUs } : undefined;
}

const WALL_TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})$/;

function wallTimeIn(text: string): WallTime | undefined {
  const digits = WALL_TIME.exec(text)?.slice(1).map(Number);
  if (digits === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, microsecond = 0] = digits;
  const wall = { year, month, day, hour, minute, second, microsecond };
  return isWallTime(wall) ? wall : undefined;
}

const HOUR_US = 3_600_000_000;

function wallInstant(
  wall: WallTime,
  clock: ZoneClock,
  repeatedHour: 'earlier' | 'later' = 'earlier',
): PlacedTime | undefined {
  const local = clock.instantOf(wall);
  if (local.kind === 'one') return { atUs: local.atUs };
  if (local.kind === 'two') {
    const { earlierUs, laterUs } = local;
    return repeatedHour === 'later' ? { atUs: laterUs, otherUs: earlierUs } : { atUs: earlierUs, otherUs: laterUs };
  }
  // A time that is left out when clocks go forward: that of a clock that was not put forward. The row is not hidden for it.
  const before: LocalInstant = clock.instantOf({ ...wall, hour: wall.hour === 0 ? 0 : wall.hour - 1 });
  return before.kind === 'one' ? { atUs: before.atUs + HOUR_US } : undefined;
}

function calledOf(row: PostgresRow, { source }: PostgresTable): CalledNumber | undefined {
  const called = writtenCalled(row.called ?? row.translated ?? '', source.numbers);
  if (called === undefined) return undefined;
  const translatedTn = writtenCaller(row.translated ?? '', source.numbers)?.tn;
  const lrn = writtenCaller(row.lrn ?? '', source.numbers)?.tn ?? called.lrn;
  return {
    ...called,
    ...(translatedTn === undefined || translatedTn === called.tn ? {} : { translatedTn }),
    ...(lrn === undefined ? {} : { lrn }),
  };
}

function sideOf(row: PostgresRow, side: 'ingress' | 'egress', { source }: PostgresTable): HopSide {
  const trunk = present(row[`${side}Trunk`]);
  const address = present(row[`${side}Address`]);
  const host = address === undefined ? undefined : /^\[?([^\]]*?)\]?(?::\d+)?$/.exec(address)?.[1];
  const provider =
    present(row[`${side}Provider`]) ??
    (trunk === undefined ? undefined : providerIn(source.providers, trunk)) ??
    (host === undefined ? undefined : providerIn(source.providers, host));
  return {
    ...named('trunk', trunk),
    ...named('provider', provider),
    ...named('address', address),
    ...named('callId', row[`${side}CallId`]),
  };
}

function providerIn(providers: PostgresTable['source']['providers'], name: string): string | undefined {
  return providers !== undefined && Object.hasOwn(providers, name) ? providers[name] : undefined;
}

function dispositionOf(
  row: PostgresRow,
  { table, isAnswered }: { readonly table: PostgresTable; readonly isAnswered: boolean },
): Disposition {
  const words = table.dispositions ?? DISPOSITIONS;
  const word = (row.disposition ?? '').trim().toLowerCase();
  const known = Object.hasOwn(words, word) ? words[word] : undefined;
  if (known !== undefined) return known;
  if (present(row.blockedBy) !== undefined) return 'blocked';
  return isAnswered ? 'answered' : 'failed';
}

function releaseOf(row: PostgresRow): Pick<CallRecord, 'release'> {
  const sipStatus = wholeNumber(row.sipStatus);
  const q850Cause = wholeNumber(row.q850Cause);
  const cause = present(row.cause);
  if (sipStatus === undefined && q850Cause === undefined && cause === undefined) return {};
  return {
    release: {
      ...(sipStatus === undefined ? {} : { sipStatus }),
      ...(q850Cause === undefined ? {} : { q850Cause }),
      ...(cause === undefined ? {} : { cause }),
    },
  };
}

function receivedOf(row: PostgresRow): ReceivedVerification | undefined {
  const attestation = attestationIn(row.attestation);
  const [origId, spc] = [present(row.origId), present(row.spc)];
  if (attestation === undefined && origId === undefined && spc === undefined) return undefined;
  return {
    ...(attestation === undefined ? {} : { attestation }),
    ...named('origId', origId),
    ...named('spc', spc),
  };
}

function attestationIn(text: string | null | undefined): Attestation | undefined {
  return text === 'A' || text === 'B' || text === 'C' ? text : undefined;
}

function wholeNumber(text: string | null | undefined): number | undefined {
  return text !== null && text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function present(text: string | null | undefined): string | undefined {
  return text === null || text === '' ? undefined : text;
}

function named<Name extends string>(name: Name, text: string | null | undefined): { readonly [Key in Name]?: string } {
  const value = present(text);
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: string };
}
