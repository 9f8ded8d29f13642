import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { liveRow } from '../../harness/dist/platform/records/live-reader.js';
import { openDuckDbRecordStore } from '../../sdk/dist/records/store/duckdb-record-store.js';
import type { CallRecord, PartyNumber, SharedRecord } from '../../sdk/src/contract/call-record.js';
import type { RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import { DEFAULT_STREAM_POLICY } from '../../sdk/src/records/stream/stream-policy.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { registerCarrier } from '../support/itg-command-load.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { sharedRecord } from '../support/shared-records.js';
import { startLineProcess, type LineProcess } from './line-process.js';
import { platformProcess } from './platform-process.js';
import { median, sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { benchRecord, fillSpool } from './stream-deliver.js';
import { threadTimes, type ThreadTimes } from './process-times.js';

/** Live records from a carrier's spool to the record store of the platform. */
export const bench: Bench = {
  name: 'platform-ingest',
  description:
    'live records of 900 octets and more, all of campaigns, from the spool of a carrier into the store of a platform, both on this machine',
  figures: ['ingest', 'ingest-intake', 'store-alone'],
  quick: {
    seconds: 40,
    leftOut: { 'ingest-intake': 'sends all records once more, for a figure without a bar' },
  },
  run: measure,
};

const RECORDS = { quick: 75_000, short: 150_000, full: 1_000_000 };
const ROUNDS = { quick: 1, short: 3, full: 5 };
/** Between two records: what 15,000 a second are apart. */
const STEP_US = 66;
const REPEAT_EVERY = 20;
/** Rows that are made before the store alone is measured. */
const STORED_ALONE = 60_000;
const RECEIVER = platformProcess('platform-ingest-process.ts');
const { batchRecords, maxInFlight } = DEFAULT_STREAM_POLICY;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const records = callsUpToNow(sized(context, RECORDS));
  const rounds = sized(context, ROUNDS);
  for (const figure of ['ingest', 'ingest-intake'] as const)
    if (context.wants(figure)) yield await ingest(context, figure, { records, rounds });
  if (context.wants('store-alone')) yield await storeAlone(records, rounds);
}

async function ingest(
  context: BenchContext,
  figure: 'ingest' | 'ingest-intake',
  { records, rounds }: { readonly records: Calls; readonly rounds: number },
): Promise<Figure> {
  const turns: Turn[] = [];
  const bodies: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const one = await turn(records, figure === 'ingest' ? 'platform' : 'intake');
    turns.push(one);
    bodies.push(await postedAlone(records));
    const { perSecond, platform, sender } = one;
    context.progress(
      `${figure}: ${Math.round(perSecond)}/s; platform ${spent(platform)} and sender ${spent(sender)} of processor a record`,
    );
  }
  const of = (what: (one: Turn) => number): number => median(turns.map(what));
  const [platform, sender] = (['platform', 'sender'] as const).map((side) => ({
    allUs: of((one) => one[side].allUs),
    mainUs: of((one) => one[side].mainUs),
  })) as [ThreadTimes, ThreadTimes];
  return {
    ...{ figure, value: of(({ perSecond }) => perSecond), unit: 'records/s' },
    ...{ baseline: 'the same bodies, ready-made, posted to a server that reads them', baselineValue: median(bodies) },
    ...(figure === 'ingest' && { bar: { valueAtLeast: 15_000 } }),
    note: `${records.length} records of ${octets(records)} octets, every ${REPEAT_EVERY}th batch twice, 0 lost, 0 doubled; processor time a record: platform ${spent(platform)}, sender ${spent(sender)}; JSON.parse of a record alone ${parsedUs(records).toFixed(1)} µs`,
  };
}

const spent = ({ allUs, mainUs }: ThreadTimes): string => `${allUs.toFixed(1)} µs (main thread ${mainUs.toFixed(1)})`;

/** What one step of it takes here and now by itself: a measure of how busy the machine is with others. */
function parsedUs(records: Calls): number {
  const lines = records.some(0, 10_000).map((record) => JSON.stringify(record));
  const before = threadTimes();
  for (const line of lines) JSON.parse(line);
  return (threadTimes().allUs - before.allUs) / lines.length;
}

const octets = (records: Calls): number => {
  const some = records.some(0, 100);
  return Math.round(some.reduce((sum, record) => sum + JSON.stringify(record).length, 0) / some.length);
};

/**
 * Records of calls, made when they are asked for: a process that held all of them would spend as much on its heap as on sending, which no
 * carrier does.
 */
interface Calls {
  readonly length: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly some: (from: number, to: number) => readonly SharedRecord[];
}

/** The last of them now. */
function callsUpToNow(count: number): Calls {
  const firstUs = Math.floor(Date.now() / 1_000) * 1_000_000 - count * STEP_US;
  const timeUs = (index: number): number => firstUs + index * STEP_US;
  const record = (index: number): SharedRecord =>
    sharedRecord(callOfItsOwn(index, timeUs(index)), index % 2 === 0 ? 'all-pseudonymous' : 'all');
  return {
    length: count,
    firstMs: Math.floor(timeUs(0) / 1_000),
    lastMs: Math.floor(timeUs(count - 1) / 1_000),
    some: (from, to) => Array.from({ length: Math.max(0, Math.min(to, count) - from) }, (_, at) => record(from + at)),
  };
}

/** A call between numbers that have few others: one in five is of one of a thousand busy callers, the others of a million subscribers. */
function callOfItsOwn(index: number, inviteAtUs: number): CallRecord {
  const caller = index % 5 === 0 ? (index / 5) % 1_000 : 1_000 + ((index * 7_919) % 999_983);
  return {
    ...benchRecord(index),
    ...{
      inviteAtUs,
      callGroupId: `call-${index}`,
      calling: party(201, caller),
      called: party(401, (index * 104_729) % 999_983),
    },
  };
}

/** One of a million numbers, from an area code on. */
function party(areaCode: number, number: number): PartyNumber {
  const tn = `1${areaCode + Math.floor(number / 10_000)}555${String(number % 10_000).padStart(4, '0')}`;
  return { asWritten: `+${tn}`, tn };
}

interface Turn {
  readonly perSecond: number;
  /** A record. */
  readonly platform: ThreadTimes;
  readonly sender: ThreadTimes;
}

interface Receiver {
  readonly url: string;
  readonly control: string;
}

const receiverOf = ({ firstLine }: LineProcess): Receiver => JSON.parse(firstLine) as Receiver;

/** From the first acknowledgement to the moment at which the last record is stored, and told to who listens. */
async function turn(records: Calls, design: 'platform' | 'intake'): Promise<Turn> {
  await using directory = await createTemporaryDirectory();
  await using process = await startLineProcess([...RECEIVER, join(directory.path, 'platform'), design]);
  const receiver = receiverOf(process);
  const asked = async <Answer>(path: string): Promise<Answer> =>
    (await (await fetch(`${receiver.control}${path}`)).json()) as Answer;
  await fillSpool(join(directory.path, 'carrier'), records.length, (from, to) => records.some(from, to));
  const authorization =
    design === 'platform' ? await registerCarrier(join(directory.path, 'platform'), receiver) : bearerToken('c2VjcmV0');
  const url = `${receiver.url}/v1/record-batches`;
  const { transport, start } = repeating(createHttpsRecordTransport({ url, authorization }));
  const before = { platform: await asked<ThreadTimes>('/drained'), sender: threadTimes() };
  await using spool = await openStreamOnDisk(join(directory.path, 'carrier'), {
    transport,
    segmentBytes: 64 * 2 ** 20,
  });
  await spool.stream.drain();
  const after = { platform: await asked<ThreadTimes>('/drained'), sender: threadTimes() };
  const seconds = (performance.now() - start()) / 1_000;
  const { acknowledged } = spool.stream.status();
  const stored = await asked<{ readonly records: number; readonly distinct: number }>(
    `/count?from=${records.firstMs}&to=${records.lastMs + 1}`,
  );
  if (acknowledged !== records.length || stored.distinct !== records.length || stored.records !== records.length)
    throw new Error(
      `${acknowledged} of ${records.length} acknowledged, ${stored.records} stored, ${stored.distinct} distinct`,
    );
  const each = (side: 'platform' | 'sender'): ThreadTimes => ({
    allUs: (after[side].allUs - before[side].allUs) / records.length,
    mainUs: (after[side].mainUs - before[side].mainUs) / records.length,
  });
  return {
    perSecond: (records.length - batchRecords) / seconds,
    ...{ platform: each('platform'), sender: each('sender') },
  };
}

/** Sends some batches twice. The time begins with the first acknowledgement, so that connecting is not in it. */
function repeating(inner: RecordTransport): { readonly transport: RecordTransport; readonly start: () => number } {
  let start: number | undefined;
  let batches = 0;
  const deliver: RecordTransport['deliver'] = async (batch, signal) => {
    batches += 1;
    const isRepeated = batches % REPEAT_EVERY === 0;
    const result = await inner.deliver(batch, signal);
    start ??= performance.now();
    return isRepeated ? inner.deliver(batch, signal) : result;
  };
  return { transport: { ...inner, deliver }, start: () => start ?? performance.now() };
}

/** As the sender's fastest level makes them. */
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 };

async function postedAlone(records: Calls): Promise<number> {
  await using directory = await createTemporaryDirectory();
  await using process = await startLineProcess([...RECEIVER, directory.path, 'bodies']);
  const url = `${receiverOf(process).url}/v1/record-batches`;
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < records.length; at += batchRecords) {
    const lines = records.some(at, at + batchRecords).map((record) => `${JSON.stringify(record)}\n`);
    bodies.push(brotliCompressSync(lines.join(''), { params: BROTLI }));
  }
  await (await fetch(url, { method: 'POST', body: bodies[0]! as Uint8Array<ArrayBuffer> })).text();
  const start = performance.now();
  const poster = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
      await (await fetch(url, { method: 'POST', body: body as Uint8Array<ArrayBuffer> })).text();
  };
  await Promise.all(Array.from({ length: maxInFlight }, poster));
  return records.length / ((performance.now() - start) / 1_000);
}

async function storeAlone(records: Calls, rounds: number): Promise<Figure> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using directory = await createTemporaryDirectory();
    await using store = await openDuckDbRecordStore({ directory: directory.path });
    const rows = records.some(0, STORED_ALONE).map((record) => liveRow('carrier-1', record, Date.now()));
    const start = performance.now();
    const inserts: Promise<unknown>[] = [];
    for (let at = 0; at < rows.length; at += batchRecords)
      inserts.push(store.insert(rows.slice(at, at + batchRecords)));
    await Promise.all(inserts);
    rates.push(rows.length / ((performance.now() - start) / 1_000));
  }
  return {
    figure: 'store-alone',
    value: median(rates),
    unit: 'records/s',
    note: 'rows that are made already, handed in at once',
  };
}
