import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { CallRecord } from '../../sdk/src/core/call-record.js';
import { openSegmentLog } from '../../sdk/src/log/index.js';
import { bearerToken } from '../../sdk/src/platform/auth.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import {
  RECORD_BATCH_TYPE,
  type BatchEncoding,
  type RecordBatch,
  type RecordTransport,
} from '../../sdk/src/platform/wire/record-batch.js';
import { createJetStreamRecordTransport } from '../../sdk/src/records/stream/jetstream-transport.js';
import { encodeFrame } from '../../sdk/src/records/stream/spool-frame.js';
import { DEFAULT_STREAM_POLICY } from '../../sdk/src/records/stream/stream-policy.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { peer } from '../peers.js';
import { startNatsServer } from '../support/nats-server.js';
import { startRecordReceiver, type RecordReceiver } from '../support/record-receiver.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { sampleRecord } from '../support/stream-lab.js';
import { median, type BenchContext, type Figure } from './bench.js';

/** Figures of delivery, for the bench `stream`. */
export const DELIVER_FIGURES = ['deliver', 'deliver-jetstream', 'backlog-drain'] as const;

/** Records of one turn. */
const TURN_RECORDS = { short: 120_000, full: 300_000 };
/** Records that wait when the platform comes back. */
const BACKLOG_RECORDS = { short: 200_000, full: 5_000_000 };
/** Records that come in meanwhile, a second. */
const ARRIVALS = 2_000;
const ROUNDS = { short: 3, full: 7 };

const { batchRecords, maxInFlight } = DEFAULT_STREAM_POLICY;

/** A record of 900 octets and more, with the evidence of its verdict. */
export function benchRecord(leg: number): CallRecord {
  const sample = sampleRecord(leg, leg % 1_000);
  const sha256 = createHash('sha256').update(String(leg)).digest('hex');
  return {
    ...sample,
    received: {
      ...sample.received,
      evidence: {
        ...{ format: 'hopback.verdict-evidence.1', checkedAtMs: 1_790_000_000_000 + leg, profile: 'shaken' },
        ...{
          freshnessSeconds: 60,
          verstat: 'TN-Validation-Passed',
          request: { orig: '12025550123', dest: '13035550145' },
        },
        passports: [
          {
            ...{ index: 0, ppt: 'shaken', status: 'passed', signingInputSha256: sha256, spc: '1234', attestation: 'B' },
            ...{ x5u: 'https://certificates.example/shaken.pem', passed: [], exceptions: [] },
          },
        ],
      },
    },
  };
}

/** Measures what is asked for. */
export async function* deliverFigures(context: BenchContext): AsyncGenerator<Figure> {
  if (context.wants('deliver')) yield await deliver(context);
  if (context.wants('deliver-jetstream')) yield await deliverJetStream(context);
  if (context.wants('backlog-drain')) yield await backlogDrain(context);
}

const size = (context: BenchContext, of: { readonly short: number; readonly full: number }): number =>
  context.full ? of.full : of.short;

async function deliver(context: BenchContext): Promise<Figure> {
  await using receiver = await startRecordReceiver();
  const transport = (): RecordTransport => httpTo(receiver);
  const { stream, raw } = await sideBySide(context, transport);
  const { distinct } = await receiver.report();
  const sent = (ROUNDS[context.full ? 'full' : 'short'] + 1) * 2 * size(context, TURN_RECORDS);
  if (distinct !== sent) throw new Error(`the receiver has ${distinct} of ${sent} records`);
  return {
    ...{ figure: 'deliver', value: median(stream), unit: 'records/s', bar: { ratioAtLeast: 0.5 } },
    ...{ baseline: 'the same transport posting ready-made bodies', baselineValue: median(raw) },
    note: `records of ${recordBytes()} octets, spool to a receiver process that parses and counts ids; wanted besides: 30,000 records/s`,
  };
}

async function deliverJetStream(context: BenchContext): Promise<Figure> {
  const { available, install } = peer('nats');
  if (!available)
    return { figure: 'deliver-jetstream', value: 0, unit: 'records/s', note: `needs nats-server: ${install}` };
  const [{ connect }, { jetstreamManager }] = await Promise.all([
    import('@nats-io/transport-node'),
    import('@nats-io/jetstream'),
  ]);
  await using server = await startNatsServer();
  const admin = await connect({ servers: server.address });
  const manager = await jetstreamManager(admin);
  await manager.streams.add({ name: 'RECORDS', subjects: ['records.bench'], storage: 'file' });
  const { stream, raw } = await sideBySide(context, () =>
    createJetStreamRecordTransport({ servers: server.address, subject: 'records.bench' }),
  );
  await admin.close();
  return {
    ...{ figure: 'deliver-jetstream', value: median(stream), unit: 'records/s', bar: { ratioAtLeast: 0.5 } },
    ...{ baseline: 'the same connection publishing ready-made bodies', baselineValue: median(raw) },
    note: `nats-server with sync_interval always, one message a batch of ${batchRecords}`,
  };
}

async function backlogDrain(context: BenchContext): Promise<Figure> {
  const records = size(context, BACKLOG_RECORDS);
  await using directory = await createTemporaryDirectory();
  await using receiver = await startRecordReceiver();
  context.progress(`backlog-drain: spooling ${records} records`);
  await fillSpool(directory.path, 1, records);
  await using spool = await openStreamOnDisk(directory.path, {
    transport: httpTo(receiver),
    segmentBytes: 64 * 2 ** 20,
  });
  const start = performance.now();
  let arrived = 0;
  const arrivals = setInterval(() => {
    const due = ((performance.now() - start) * ARRIVALS) / 1_000;
    while (arrived < due && spool.stream.record(benchRecord(records + 1 + arrived)).accepted) arrived += 1;
  }, 5);
  for await (const { acknowledgedSequence } of spool.stream.statuses()) if (acknowledgedSequence >= records) break;
  const seconds = (performance.now() - start) / 1_000;
  clearInterval(arrivals);
  await spool.stream.drain();
  const { distinct } = await receiver.report();
  if (distinct !== records + arrived) throw new Error(`the receiver has ${distinct} of ${records + arrived} records`);
  return {
    ...{ figure: 'backlog-drain', value: records / seconds, unit: 'records/s', bar: { ratioAtLeast: 5 } },
    ...{ baseline: 'records that come in meanwhile', baselineValue: arrived / seconds },
    note: `${records} records waited`,
  };
}

const httpTo = (receiver: RecordReceiver): RecordTransport =>
  createHttpsRecordTransport({ url: receiver.url, authorization: bearerToken('c2VjcmV0') });

/** Turns of the stream and of the raw loop, one after the other, every record sent once; the first round warms up. */
async function sideBySide(
  context: BenchContext,
  transport: () => RecordTransport,
): Promise<{ readonly stream: readonly number[]; readonly raw: readonly number[] }> {
  const records = size(context, TURN_RECORDS);
  const stream: number[] = [];
  const raw: number[] = [];
  let first = 1;
  for (let round = 0; round <= ROUNDS[context.full ? 'full' : 'short']; round += 1) {
    const ofStream = await streamTurn(first, records, transport());
    const ofRaw = await rawTurn(first + records, records, transport());
    first += 2 * records;
    context.progress(`round ${round}: stream ${Math.round(ofStream)}/s, ready-made bodies ${Math.round(ofRaw)}/s`);
    if (round === 0) continue;
    stream.push(ofStream);
    raw.push(ofRaw);
  }
  return { stream, raw };
}

/** Counts from the first acknowledgement to the last, so that connecting and opening files are not in it. */
function timed(transport: RecordTransport): { readonly transport: RecordTransport; readonly rate: () => number } {
  let records = 0;
  let firstMs: number | undefined;
  let lastMs = 0;
  const counted: RecordTransport['deliver'] = async (batch, signal) => {
    const result = await transport.deliver(batch, signal);
    if (result.status !== 'acknowledged') throw new Error(`a batch was ${result.status}: ${result.reason}`);
    lastMs = performance.now();
    if (firstMs === undefined) firstMs = lastMs;
    else records += batch.count;
    return result;
  };
  return {
    transport: { ...transport, deliver: counted },
    rate: () => (records * 1_000) / (lastMs - (firstMs ?? lastMs)),
  };
}

/** A spool that waits, to the last acknowledgement. */
async function streamTurn(first: number, records: number, inner: RecordTransport): Promise<number> {
  await using directory = await createTemporaryDirectory();
  await fillSpool(directory.path, first, records);
  const { transport, rate } = timed(inner);
  await using spool = await openStreamOnDisk(directory.path, { transport, segmentBytes: 64 * 2 ** 20 });
  await spool.stream.drain();
  const { acknowledged, requests, batches } = spool.stream.status();
  if (acknowledged !== records || requests !== batches)
    throw new Error(`${acknowledged} of ${records} records acknowledged, ${requests} requests for ${batches} batches`);
  return rate();
}

/** As many bodies on their way at once as the stream has, all made before. */
async function rawTurn(first: number, records: number, inner: RecordTransport): Promise<number> {
  const bodies: RecordBatch[] = [];
  for (let leg = first; leg < first + records; leg += batchRecords) {
    const count = Math.min(batchRecords, first + records - leg);
    bodies.push(
      rawBatch(
        Array.from({ length: count }, (_, index) => benchRecord(leg + index)),
        inner.encoding ?? 'gzip',
      ),
    );
  }
  const { transport, rate } = timed(inner);
  const { signal } = new AbortController();
  const sender = async (): Promise<void> => {
    for (let batch = bodies.pop(); batch !== undefined; batch = bodies.pop()) await transport.deliver(batch, signal);
  };
  await Promise.all(Array.from({ length: maxInFlight }, sender));
  await transport.close();
  return rate();
}

const FASTEST_BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 1 };

function rawBatch(records: readonly CallRecord[], encoding: BatchEncoding): RecordBatch {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const id = createHash('sha256').update(lines).digest('hex').slice(0, 32);
  const body =
    encoding === 'gzip' ? gzipSync(lines, { level: 1 }) : brotliCompressSync(lines, { params: FASTEST_BROTLI });
  return {
    encoding,
    id,
    source: '/bench',
    type: RECORD_BATCH_TYPE,
    timeMs: 1_790_000_000_000,
    count: records.length,
    body,
  };
}

async function fillSpool(directory: string, first: number, records: number): Promise<void> {
  await using log = await openSegmentLog({ directory: join(directory, 'spool') });
  for (let leg = first; leg < first + records; leg += 1) {
    const frame = encodeFrame(benchRecord(leg), Date.now());
    while (!log.append(frame).accepted) await log.flush();
  }
  await log.flush();
}

const recordBytes = (): number => Buffer.byteLength(JSON.stringify(benchRecord(1)));
