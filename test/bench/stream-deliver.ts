import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { RECORD_BATCH_TYPE } from '../../sdk/src/contract/record-batch.js';
import type { BatchEncoding, RecordBatch, RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { SegmentLog } from '../../sdk/src/log/index.js';
import { bearerToken } from '../../sdk/src/platform/retry.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import { createJetStreamRecordTransport } from '../../sdk/src/records/stream/jetstream-transport.js';
import { encodeFrame, type StreamedRecord } from '../../sdk/src/records/stream/packed-spool.js';
import { DEFAULT_STREAM_POLICY } from '../../sdk/src/records/stream/stream-policy.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { peer } from '../peers.js';
import type { JetStreamReceipt } from '../support/jetstream-receiver-process.js';
import { startJetStreamReceiver } from '../support/jetstream-receiver.js';
import { startNatsServer } from '../support/nats-server.js';
import { startRecordReceiver, type RecordReceiver } from '../support/record-receiver.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';
import { sampleRecord } from '../support/stream-lab.js';
import { median, sized, type BenchContext, type Figure } from './bench.js';

/** Figures of delivery, for the bench `stream`. */
export const DELIVER_FIGURES = [
  'deliver',
  'deliver-jetstream',
  'publish-jetstream',
  'publish-jetstream-unpacked',
  'backlog-drain',
] as const;

/** Records of one turn. */
const TURN_RECORDS = { quick: 60_000, short: 120_000, full: 300_000 };
/** Records that wait when the platform comes back. */
const BACKLOG_RECORDS = { quick: 100_000, short: 200_000, full: 5_000_000 };
/** Records that come in meanwhile, a second. */
const ARRIVALS = 2_000;
const ROUNDS = { quick: 1, short: 3, full: 7 };

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
  if (context.wants('publish-jetstream')) yield await publishJetStream(context, 'publish-jetstream');
  if (context.wants('publish-jetstream-unpacked')) yield await publishJetStream(context, 'publish-jetstream-unpacked');
  if (context.wants('backlog-drain')) yield await backlogDrain(context);
}

async function deliver(context: BenchContext): Promise<Figure> {
  await using receiver = await startRecordReceiver();
  const transport = (): RecordTransport => httpTo(receiver);
  const { stream, raw, sent } = await sideBySide(context, transport, { startWatch: untilAcknowledged });
  const { distinct } = await receiver.report();
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
  await using server = await startStreamServer();
  await using receiver = await startJetStreamReceiver(server.address, STREAM);
  const receipts: JetStreamReceipt[] = [];
  const { stream, raw, sent } = await sideBySide(context, server.transport, {
    startWatch: async (records) => {
      const received = await receiver.count(records);
      return {
        transport: acknowledging,
        rate: async () => {
          const receipt = await received();
          receipts.push(receipt);
          return (receipt.records * 1_000) / receipt.ms;
        },
      };
    },
  });
  const { distinct, repeated } = receipts.at(-1) ?? { distinct: 0, repeated: 0 };
  if (distinct !== sent || repeated > 0)
    throw new Error(`the receiver has ${distinct} of ${sent} records, and ${repeated} came twice`);
  return {
    ...{ figure: 'deliver-jetstream', value: median(stream), unit: 'records/s', bar: { ratioAtLeast: 0.5 } },
    ...{ baseline: 'the same connection publishing ready-made bodies', baselineValue: median(raw) },
    note: `nats-server with sync_interval always, one message a batch of ${batchRecords}, to a receiver process that parses and counts ids`,
  };
}

/** With nobody who takes the batches from the server; what waits is packed, as after an hour without the server, or as it was written. */
async function publishJetStream(context: BenchContext, figure: 'publish-jetstream' | 'publish-jetstream-unpacked') {
  const { available, install } = peer('nats');
  if (!available) return { figure, value: 0, unit: 'records/s', note: `needs nats-server: ${install}` };
  await using server = await startStreamServer();
  const isPacked = figure === 'publish-jetstream';
  const { stream, raw } = await sideBySide(context, server.transport, { startWatch: untilAcknowledged, isPacked });
  return {
    ...{ figure, value: median(stream), unit: 'records/s', ...(isPacked && { bar: { ratioAtLeast: 0.5 } }) },
    ...{ baseline: 'the same connection publishing ready-made bodies', baselineValue: median(raw) },
    note: isPacked
      ? 'nobody takes the batches from the server, which was away until what waited was packed'
      : 'the same, with nothing packed',
  };
}

const STREAM = 'RECORDS';
const SUBJECT = 'records.bench';

/** A nats-server with a stream on files. */
async function startStreamServer() {
  const [{ connect }, { jetstreamManager }] = await Promise.all([
    import('@nats-io/transport-node'),
    import('@nats-io/jetstream'),
  ]);
  const server = await startNatsServer();
  const admin = await connect({ servers: server.address });
  const manager = await jetstreamManager(admin);
  await manager.streams.add({ name: STREAM, subjects: [SUBJECT], storage: 'file' });
  await admin.close();
  return {
    address: server.address,
    transport: () => createJetStreamRecordTransport({ servers: server.address, subject: SUBJECT }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function backlogDrain(context: BenchContext): Promise<Figure> {
  const records = sized(context, BACKLOG_RECORDS);
  await using directory = await createTemporaryDirectory();
  await using receiver = await startRecordReceiver();
  context.progress(`backlog-drain: spooling ${records} records`);
  await fillSpool(directory.path, records, benchRecords(1));
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

/** What a turn is measured by, from the moment that it is made. */
interface Watch {
  /** What the turn sends through. */
  readonly transport: (inner: RecordTransport) => RecordTransport;
  /** Records a second, the first batch and the time up to it left out, so that connecting and opening files are not in it. */
  readonly rate: () => number | Promise<number>;
}

/** Begins a turn of so many records. */
type StartWatch = (records: number) => Watch | Promise<Watch>;

/** How turns are made. */
interface Way {
  readonly startWatch: StartWatch;
  /** Whether the receiver is away first, until the stream has packed what waits. */
  readonly isPacked?: boolean;
}

/** Turns of the stream and of the raw loop, one after the other, every record sent once; the first round warms up. */
async function sideBySide(context: BenchContext, transport: () => RecordTransport, way: Way) {
  const records = sized(context, TURN_RECORDS);
  const stream: number[] = [];
  const raw: number[] = [];
  let sent = 0;
  for (let round = 0; round <= sized(context, ROUNDS); round += 1) {
    const turn = { ...way, records };
    const ofStream = await streamTurn({ ...turn, first: sent + 1, inner: transport() });
    const ofRaw = await rawTurn({ ...turn, first: sent + records + 1, inner: transport() });
    sent += 2 * records;
    context.progress(`round ${round}: stream ${Math.round(ofStream)}/s, ready-made bodies ${Math.round(ofRaw)}/s`);
    if (round === 0) continue;
    stream.push(ofStream);
    raw.push(ofRaw);
  }
  return { stream, raw, sent };
}

/** The same, of which nothing but an acknowledgement is good. */
const acknowledging = (inner: RecordTransport): RecordTransport => ({
  ...inner,
  deliver: async (batch, signal) => {
    const result = await inner.deliver(batch, signal);
    if (result.status !== 'acknowledged') throw new Error(`a batch was ${result.status}: ${result.reason}`);
    return result;
  },
});

/** Counts what is acknowledged. */
const untilAcknowledged: StartWatch = () => {
  let records = 0;
  let firstMs: number | undefined;
  let lastMs = 0;
  return {
    transport: (inner) => {
      const { deliver: send, ...others } = acknowledging(inner);
      return {
        ...others,
        deliver: async (batch, signal) => {
          const result = await send(batch, signal);
          lastMs = performance.now();
          if (firstMs === undefined) firstMs = lastMs;
          else records += batch.count;
          return result;
        },
      };
    },
    rate: () => (records * 1_000) / (lastMs - (firstMs ?? lastMs)),
  };
};

interface Turn extends Way {
  readonly first: number;
  readonly records: number;
  readonly inner: RecordTransport;
}

/** A spool that waits. */
async function streamTurn({ first, records, inner, startWatch, isPacked }: Turn): Promise<number> {
  await using directory = await createTemporaryDirectory();
  await fillSpool(directory.path, records, benchRecords(first));
  if (isPacked === true) await pack(directory.path);
  const watch = await startWatch(records);
  await using spool = await openStreamOnDisk(directory.path, {
    transport: watch.transport(inner),
    segmentBytes: 64 * 2 ** 20,
  });
  await spool.stream.drain();
  const { acknowledged, requests, batches } = spool.stream.status();
  if (acknowledged !== records || requests !== batches)
    throw new Error(`${acknowledged} of ${records} records acknowledged, ${requests} requests for ${batches} batches`);
  return await watch.rate();
}

/** Opens the stream while its receiver is away, until too little is left to be packed. */
async function pack(directory: string): Promise<void> {
  const away: RecordTransport = {
    encoding: 'br',
    deliver: async () => ({ status: 'unavailable', reason: 'connection-failed' }),
    close: async () => {},
  };
  await using spool = await openStreamOnDisk(directory, { transport: away, segmentBytes: 64 * 2 ** 20 });
  const { packAboveBytes } = DEFAULT_STREAM_POLICY;
  for await (const { queued, packed } of spool.stream.statuses())
    if ((queued - packed) * recordBytes() < 1.2 * packAboveBytes) break;
}

/** As many bodies on their way at once as the stream has, all made before. */
async function rawTurn({ first, records, inner, startWatch }: Turn): Promise<number> {
  const bodies: RecordBatch[] = [];
  for (let at = 0; at < records; at += batchRecords)
    bodies.push(rawBatch(benchRecords(first)(at, Math.min(records, at + batchRecords)), inner.encoding ?? 'gzip'));
  const watch = await startWatch(records);
  const transport = watch.transport(inner);
  const { signal } = new AbortController();
  const sender = async (): Promise<void> => {
    for (let batch = bodies.pop(); batch !== undefined; batch = bodies.pop()) await transport.deliver(batch, signal);
  };
  await Promise.all(Array.from({ length: maxInFlight }, sender));
  await transport.close();
  return watch.rate();
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

/** Puts records into the spool of a stream. @param some - makes those from one place up to another */
export async function fillSpool(
  directory: string,
  records: number,
  some: (from: number, to: number) => readonly StreamedRecord[],
): Promise<void> {
  await using log = await SegmentLog.open({ directory: join(directory, 'spool') });
  for (let at = 0; at < records; at += batchRecords)
    for (const record of some(at, Math.min(records, at + batchRecords))) {
      const frame = encodeFrame(record, Date.now());
      while (!log.append(frame).accepted) await log.flush();
    }
  await log.flush();
}

/** Records one leg after the other, from the first one on. */
const benchRecords =
  (first: number) =>
  (from: number, to: number): readonly CallRecord[] =>
    Array.from({ length: to - from }, (_, at) => benchRecord(first + from + at));

const recordBytes = (): number => Buffer.byteLength(JSON.stringify(benchRecord(1)));
