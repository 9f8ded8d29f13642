import type { CallRecord, CoverageInterval } from '../../sdk/src/contract/call-record.js';
import type { RecordReader, RowFraming, RowReading, SourceRow } from '../../sdk/src/records/ingest/record-reader.js';
import type { RejectedRow, RejectSink } from '../../sdk/src/records/ingest/rejects.js';
import type { Inserted } from '../../sdk/src/records/store/record-store.js';
import { recordIdOf } from '../../sdk/src/records/record-id.js';
import { sparseRecord } from './stored-records.js';

/** When the rows of tests are written: row `n` a second after row `n - 1`. */
export const FIRST_ROW_US = 1_790_000_000_000_000;

/** The row of leg `n`; `,` and a quoted field behind it, as CSV has them. */
export function rowText(n: number): string {
  return `leg-${n},${FIRST_ROW_US + n * 1_000_000},"a name, and more"`;
}

/** The record that the reader below makes of the row of leg `n`. */
export function rowRecord(legId: string, inviteAtUs: number, sha256: string): CallRecord {
  const recordId = recordIdOf({ sourceId: 'test-switch', legId, inviteAtUs });
  const source = { id: 'test-switch', format: 'columns', readerVersion: 1, sha256 } as const;
  return sparseRecord(legId, inviteAtUs, { recordId, source, disposition: 'answered' });
}

/** Reads what {@link rowText} writes; a row of another form is rejected, `begin,LEG` and `end,LEG,TIME` are one leg. */
export function createRowReader(
  framing: RowFraming = 'csv',
  { canSave = false }: { readonly canSave?: boolean } = {},
): RecordReader {
  /** Legs of which one row is there: the time that the second row has, or nothing of the first. */
  const begun = new Map<string, string>();
  const record = (legId: string, timeUs: string, row: SourceRow): readonly RowReading[] => [
    { status: 'record', record: rowRecord(legId, Number(timeUs), row.sha256) },
  ];
  return {
    framing,
    read(row) {
      const { leg, timeUs, step } = fieldsOf(row.text, framing);
      if (step !== undefined) {
        const other = begun.get(leg);
        // Rows of two files may come in either order.
        if (other === undefined || (other === '') === (step === 'begin')) {
          begun.set(leg, timeUs);
          return [{ status: 'waiting' }];
        }
        begun.delete(leg);
        return record(leg, other === '' ? timeUs : other, row);
      }
      if (!/^leg-\d+$/.test(leg) || !/^\d{16}$/.test(timeUs)) {
        return [{ status: 'rejected', reason: 'bad-field', field: 'leg', detail: 'no leg' }];
      }
      return record(leg, timeUs, row);
    },
    expire: () => [],
    waiting: () => begun.size,
    ...(canSave
      ? {
          saveWaiting: () => JSON.stringify([...begun]),
          restoreWaiting: (saved) => {
            for (const [leg, timeUs] of JSON.parse(saved) as readonly [string, string][]) begun.set(leg, timeUs);
            return true;
          },
        }
      : {}),
  };
}

function fieldsOf(text: string, framing: RowFraming) {
  if (framing === 'json') {
    const { leg = '', timeUs = '' } = JSON.parse(text) as { leg?: string; timeUs?: string };
    return { leg, timeUs };
  }
  const [first = '', second = '', third = ''] = text.split(',');
  return first === 'begin' || first === 'end'
    ? { step: first, leg: second, timeUs: third }
    : { leg: first, timeUs: second };
}

/** Makes a store that counts how often each leg was inserted; `before` is awaited before a batch is accepted. */
export function createCountingStore(before: (batch: number) => void | Promise<void> = () => undefined) {
  const times = new Map<string, number>();
  const batches: number[] = [];
  const covered: CoverageInterval[] = [];
  return {
    times: times as ReadonlyMap<string, number>,
    batches: batches as readonly number[],
    covered: covered as readonly CoverageInterval[],
    async insert(records: readonly CallRecord[]): Promise<Inserted> {
      await before(batches.length);
      batches.push(records.length);
      let inserted = 0;
      for (const { legId } of records) {
        if (!times.has(legId)) inserted += 1;
        times.set(legId, (times.get(legId) ?? 0) + 1);
      }
      return { inserted, repeated: records.length - inserted, expired: 0 };
    },
    cover: async (interval: CoverageInterval): Promise<void> => void covered.push(interval),
  };
}

/** A sink that keeps what it is given. */
export function createRejectList(): RejectSink & { readonly rows: readonly RejectedRow[] } {
  const rows: RejectedRow[] = [];
  return {
    rows,
    reject: (row) => void rows.push({ ...row, bytes: Uint8Array.from(row.bytes) }),
    flush: async () => undefined,
  };
}

/** Legs `from` to `to`, both included, each once: what a store has to have counted. */
export function eachOnce(from: number, to: number): ReadonlyMap<string, number> {
  return new Map(Array.from({ length: to - from + 1 }, (_, at) => [`leg-${from + at}`, 1]));
}

/** Rows `from` to `to`, both included, as a switch writes them. */
export const rowLines = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, at) => `${rowText(from + at)}\n`).join('');
