import { appendFile } from 'node:fs/promises';
import { wait } from '@hopback/sdk/internal';

/** A switch that writes call detail records as Asterisk's `cdr_csv` does, `usegmtime=yes` and `loguniqueid=yes`. */
export interface CallRecordWriter {
  /** Rows written so far. */
  readonly rows: () => number;
  /** What the disk refused with, if it did: no more is written then. */
  readonly failure: () => unknown;
  /** Writes no more. */
  readonly stop: () => void;
}

/** What a switch writes, and when. */
export interface WrittenCalls {
  /** Rows that are in the file already. */
  readonly before: number;
  /** Rows in all. */
  readonly rows: number;
  readonly perSecond: number;
  /** The rest is written from then on. */
  readonly begins: Promise<unknown>;
  /** The last rows, from this one on, are written only when the promise has resolved. */
  readonly last: { readonly from: number; readonly after: Promise<unknown> };
}

/** How often rows are written, milliseconds. */
const WRITE_EVERY_MS = 50;

/** Name of the trunk by which every call comes in. */
export const DEMO_TRUNK = 'carrier-a';

/** Makes the file, and writes to it until all rows are there. */
export async function startCallRecordWriter(path: string, traffic: WrittenCalls): Promise<CallRecordWriter> {
  const firstCallMs = Date.now() - 3_600_000;
  let rows = 0;
  let failure: unknown;
  const stopping = new AbortController();
  const writeTo = async (count: number): Promise<void> => {
    const text = Array.from({ length: count - rows }, (_, index) => cdrRow(rows + index, firstCallMs)).join('');
    await appendFile(path, text, { mode: 0o600 });
    rows = count;
  };
  let most = traffic.last.from;
  const work = async (): Promise<void> => {
    await traffic.begins;
    void traffic.last.after.then(() => (most = traffic.rows));
    const startMs = performance.now();
    while (!stopping.signal.aborted && rows < traffic.rows) {
      await wait(WRITE_EVERY_MS);
      const due = traffic.before + Math.ceil(((performance.now() - startMs) * traffic.perSecond) / 1_000);
      await writeTo(Math.min(most, due));
    }
  };
  await writeTo(traffic.before);
  void work().catch((error: unknown) => (failure = error));
  return { rows: () => rows, failure: () => failure, stop: () => stopping.abort() };
}

/** One call: 700 ms after the one before, between numbers set aside for fiction. */
function cdrRow(index: number, firstCallMs: number): string {
  const startMs = firstCallMs + index * 700;
  const isAnswered = index % 3 !== 0;
  const rings = 2 + (index % 11);
  const talks = isAnswered ? 5 + (index % 90) : 0;
  const caller = fictional(202, index);
  const called = fictional(303, index * 7);
  const channel = (index + 1).toString(16).padStart(8, '0');
  return csv([
    ...['', caller, called, 'from-carrier', `"" <${caller}>`],
    ...[`PJSIP/${DEMO_TRUNK}-${channel}`, `PJSIP/carrier-b-${channel}`, 'Dial', `PJSIP/${called}@carrier-b,60`],
    ...[utc(startMs), isAnswered ? utc(startMs + rings * 1_000) : '', utc(startMs + (rings + talks) * 1_000)],
    ...[rings + talks, talks, isAnswered ? 'ANSWERED' : 'NO ANSWER', 'DOCUMENTATION'],
    ...[`${String(Math.floor(startMs / 1_000))}.${String(index)}`, ''],
  ]);
}

function fictional(areaCode: number, index: number): string {
  return `1${String(areaCode)}55501${String(index % 100).padStart(2, '0')}`;
}

function utc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function csv(fields: readonly (string | number)[]): string {
  const written = fields.map((field) =>
    typeof field === 'number' ? String(field) : `"${field.replaceAll('"', '""')}"`,
  );
  return `${written.join(',')}\n`;
}
