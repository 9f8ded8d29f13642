import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { liveRow } from '../../harness/dist/platform/records/live-row.js';
import { openDuckDbRecordStore } from '../../sdk/dist/records/store/index.js';
import type { SharedRecord } from '../../sdk/src/core/shared-record.js';
import { openSegmentLog } from '../../sdk/src/log/index.js';
import { bearerToken } from '../../sdk/src/platform/auth.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import type { RecordTransport } from '../../sdk/src/platform/wire/record-batch.js';
import { encodeFrame } from '../../sdk/src/records/stream/spool-frame.js';
import { DEFAULT_STREAM_POLICY } from '../../sdk/src/records/stream/stream-policy.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { sharedRecord } from '../support/shared-records.js';
import { startLineProcess } from './line-process.js';
import { median, type Bench, type BenchContext, type Figure } from './bench.js';
import { benchRecord } from './stream-deliver.js';

/** Live records from a carrier's spool to the record store of the platform. */
export const bench: Bench = {
  name: 'platform-ingest',
  description:
    'live records of 900 octets and more from the spool of a carrier into the store of a platform, both on this machine',
  figures: ['ingest', 'ingest-direct', 'store-alone'],
  run: measure,
};

const RECORDS = { short: 60_000, full: 1_000_000 };
const ROUNDS = { short: 3, full: 5 };
/** Records a second that their times are made for. */
const STEP_US = 66;
const REPEAT_EVERY = 20;
const PLATFORM = ['--import', 'tsx', fileURLToPath(new URL('platform-ingest-process.ts', import.meta.url))];
const { batchRecords, maxInFlight } = DEFAULT_STREAM_POLICY;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const records = samples(RECORDS[context.full ? 'full' : 'short']);
  const rounds = ROUNDS[context.full ? 'full' : 'short'];
  for (const figure of ['ingest', 'ingest-direct'] as const) {
    if (!context.wants(figure)) continue;
    const turns: Turn[] = [];
    const sinks: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      turns.push(await turn(records, figure === 'ingest' ? 'journal' : 'direct'));
      sinks.push(await postedAlone(records));
      const { perSecond, platformUs, senderUs } = turns.at(-1)!;
      context.progress(
        `${figure}: ${Math.round(perSecond)}/s, platform ${platformUs.toFixed(1)} µs and sender ${senderUs.toFixed(1)} µs of processor a record; bodies alone ${Math.round(sinks.at(-1)!)}/s`,
      );
    }
    const of = (name: keyof Turn): number => median(turns.map((one) => one[name]));
    yield {
      ...{
        figure,
        value: of('perSecond'),
        unit: 'records/s',
        baseline: 'the same bodies, ready-made, posted to a server that reads them',
      },
      ...{ baselineValue: median(sinks), ...(figure === 'ingest' && { bar: { valueAtLeast: 15_000 } }) },
      note: `${records.length} records of ${octets(records)} octets, every ${REPEAT_EVERY}th batch twice, 0 lost, 0 doubled; processor time a record: platform ${of('platformUs').toFixed(1)} µs, sender ${of('senderUs').toFixed(1)} µs; ${of('bytesEach').toFixed(0)} octets on disk`,
    };
  }
  if (context.wants('store-alone')) yield await storeAlone(records, rounds);
}

const octets = (records: readonly SharedRecord[]): number => {
  const some = records.slice(0, 100);
  return Math.round(some.reduce((sum, record) => sum + JSON.stringify(record).length, 0) / some.length);
};

function samples(count: number): readonly SharedRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const record = benchRecord(index);
    const inviteAtUs = record.inviteAtUs + index * STEP_US;
    return sharedRecord({ ...record, inviteAtUs }, index % 2 === 0 ? 'all-pseudonymous' : 'all');
  });
}

interface Turn {
  readonly perSecond: number;
  readonly platformUs: number;
  readonly senderUs: number;
  readonly bytesEach: number;
}

interface Drained {
  readonly records: number;
  readonly sizeBytes: number;
  readonly heard: number;
  readonly cpuUs: number;
}

/** From the first acknowledgement to the moment at which the last record is stored, and told to who listens. */
async function turn(records: readonly SharedRecord[], design: 'journal' | 'direct'): Promise<Turn> {
  await using directory = await createTemporaryDirectory();
  await using platform = await startLineProcess([...PLATFORM, join(directory.path, 'platform'), design]);
  const root = `http://127.0.0.1:${(JSON.parse(platform.firstLine) as { port: number }).port}`;
  const drained = async (): Promise<Drained> => (await (await fetch(`${root}/drained`)).json()) as Drained;
  await fillSpool(join(directory.path, 'carrier'), records);
  const { transport, start } = repeating(
    createHttpsRecordTransport({ url: `${root}/v1/record-batches`, authorization: bearerToken('c2VjcmV0') }),
  );
  const before = await drained();
  const cpuBefore = process.cpuUsage();
  await using spool = await openStreamOnDisk(join(directory.path, 'carrier'), {
    transport,
    segmentBytes: 64 * 2 ** 20,
  });
  await spool.stream.drain();
  const after = await drained();
  const seconds = (performance.now() - start()) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const { acknowledged } = spool.stream.status();
  if (acknowledged !== records.length || after.records !== records.length)
    throw new Error(`${acknowledged} of ${records.length} records acknowledged, ${after.records} stored`);
  if (design === 'journal' && after.heard < records.length) throw new Error(`${after.heard} records told`);
  return {
    perSecond: (records.length - batchRecords) / seconds,
    platformUs: (after.cpuUs - before.cpuUs) / records.length,
    senderUs: (user + system) / records.length,
    bytesEach: after.sizeBytes / records.length,
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

async function fillSpool(directory: string, records: readonly SharedRecord[]): Promise<void> {
  await using log = await openSegmentLog({ directory: join(directory, 'spool') });
  for (const record of records) {
    const frame = encodeFrame(record, Date.now());
    while (!log.append(frame).accepted) await log.flush();
  }
  await log.flush();
}

async function postedAlone(records: readonly SharedRecord[]): Promise<number> {
  await using directory = await createTemporaryDirectory();
  await using platform = await startLineProcess([...PLATFORM, directory.path, 'sink']);
  const url = `http://127.0.0.1:${(JSON.parse(platform.firstLine) as { port: number }).port}/v1/record-batches`;
  const bodies: Uint8Array[] = [];
  for (let at = 0; at < records.length; at += batchRecords)
    bodies.push(
      gzipSync(
        records
          .slice(at, at + batchRecords)
          .map((record) => `${JSON.stringify(record)}\n`)
          .join(''),
        { level: 1 },
      ),
    );
  await (await fetch(url, { method: 'POST', body: bodies[0]! as Uint8Array<ArrayBuffer> })).text();
  const start = performance.now();
  const poster = async (): Promise<void> => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop())
      await (await fetch(url, { method: 'POST', body: body as Uint8Array<ArrayBuffer> })).text();
  };
  await Promise.all(Array.from({ length: maxInFlight }, poster));
  return records.length / ((performance.now() - start) / 1_000);
}

async function storeAlone(records: readonly SharedRecord[], rounds: number): Promise<Figure> {
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await using directory = await createTemporaryDirectory();
    await using store = await openDuckDbRecordStore({ directory: directory.path });
    const rows = records.map((record) => liveRow('carrier-1', record, 1_790_000_000_000));
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
