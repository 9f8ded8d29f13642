import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SegmentLog } from '../../sdk/dist/log/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { durations, interleave, sized, type Bench, type BenchContext, type Figure, type Percentiles } from './bench.js';
import { DELIVER_FIGURES, deliverFigures } from './stream-deliver.js';

const ENQUEUE = ['enqueue', 'enqueue-of-bare', 'enqueue-append-p99'] as const;

/** Records on their way to the platform. */
export const bench: Bench = {
  name: 'stream',
  description:
    'call records into the durable spool, beside a bare append of the same bytes, and out of it to a receiver, beside raw posting',
  figures: [...ENQUEUE, ...DELIVER_FIGURES],
  quick: { seconds: 45 },
  run: measureStream,
};

async function* measureStream(context: BenchContext): AsyncGenerator<Figure> {
  if (ENQUEUE.some((figure) => context.wants(figure))) yield* await enqueuedRecords(context);
  yield* deliverFigures(context);
}

/** Of the issue: records a second to durable, call path, and beside a bare append. */
const RECORDS_PER_SECOND = 60_000;
const APPEND_P99_US = 20;
const OF_BARE = 0.3;

/** Different records, so that nothing is in a cache for being the same. */
const TEXTS = 1_024;
/** Records that one turn of the event loop brings. */
const BURST = 64;
/** One append in so many is timed: each would cost as much as it measures. */
const TIMED = 4;
/** What the bare append writes and syncs at once: as much as is pending in the log when the disk is what it waits for, and more gives no more. */
const BARE_GROUP_BYTES = 8 * 2 ** 20;
const BARE_FILE_BYTES = 64 * 2 ** 20;

/**
 * Call records of 900 bytes and more, as text, to a durable log; a bare `writev` and `fdatasync` of the same bytes has its turn between.
 * @returns `enqueue` (records/s durable), `enqueue-of-bare` (the same beside the bare append) and `enqueue-append-p99`
 */
async function enqueuedRecords(context: BenchContext): Promise<readonly Figure[]> {
  const texts = Array.from({ length: TEXTS }, (_, index) => recordText(index));
  const bytes = texts.reduce((total, text) => total + Buffer.byteLength(text), 0) / TEXTS;
  const times = durations();
  await using temporary = await createTemporaryDirectory();
  const directory = temporary.path;
  const rates = await interleave(
    {
      log: { measure: (ms) => logRate({ directory: join(directory, 'log'), texts, ms, times, context }) },
      bare: { measure: (ms) => bareRate({ directory, texts, ms }) },
    },
    { rounds: sized(context, { quick: 1, short: 5, full: 15 }), ms: context.full ? 4_000 : 1_500, steadyBy: 'bare' },
  );
  return figuresOf(rates.log.median, rates.bare.median, { bytes, times: times.percentiles() });
}

function figuresOf(
  log: number,
  bare: number,
  { bytes, times }: { readonly bytes: number; readonly times: Percentiles },
): readonly Figure[] {
  const us = (milliseconds: number): string => (milliseconds * 1_000).toFixed(1);
  const note = `records of ${Math.round(bytes)} bytes`;
  const baseline = 'writev + fdatasync of the same bytes';
  return [
    { figure: 'enqueue', value: log, unit: 'records/s', bar: { valueAtLeast: RECORDS_PER_SECOND }, note },
    {
      ...{ figure: 'enqueue-of-bare', value: log, unit: 'records/s', baseline, baselineValue: bare },
      bar: { ratioAtLeast: OF_BARE },
      note,
    },
    {
      ...{ figure: 'enqueue-append-p99', value: times.p99 * 1_000, unit: 'us', bar: { valueAtMost: APPEND_P99_US } },
      note: `${times.count} appends timed at full rate: p50 ${us(times.p50)}, p99.9 ${us(times.p999)}, slowest ${us(times.max)} us`,
    },
  ];
}

interface Turn {
  readonly directory: string;
  readonly texts: readonly string[];
  readonly ms: number;
}

interface LogTurn extends Turn {
  readonly times: ReturnType<typeof durations>;
  readonly context: BenchContext;
}

/** Appends as fast as records are taken, and counts what is durable. */
async function logRate({ directory, texts, ms, times, context }: LogTurn): Promise<number> {
  await using log = await SegmentLog.open({ directory });
  const before = log.lastSequence;
  const start = performance.now();
  let refused = 0;
  let go: () => void = () => undefined;
  log.onDurable(() => go());
  for (let at = 0; performance.now() - start < ms;) {
    let isFull = false;
    for (let burst = 0; burst < BURST; burst += 1) {
      const text = texts[at % TEXTS] ?? '';
      const isTimed = at % TIMED === 0;
      const startMs = isTimed ? performance.now() : 0;
      const { accepted } = log.append(text);
      if (isTimed && accepted) times.record(performance.now() - startMs);
      isFull = !accepted;
      if (isFull) break;
      at += 1;
    }
    if (isFull) refused += 1;
    // The disk needs a processor too: who found no room does not ask again before there is some.
    await new Promise<void>((resolve) => (isFull ? (go = resolve) : void setImmediate(resolve)));
  }
  const durable = (await log.flush()) - before;
  const rate = (durable * 1_000) / (performance.now() - start);
  context.progress(`enqueue: ${Math.round(rate)} records/s durable, no room ${refused} times`);
  await log.trim(log.durableSequence);
  return rate;
}

/** Writes ready-made bytes and syncs them, over and over; files are as long as segments. */
async function bareRate({ directory, texts, ms }: Turn): Promise<number> {
  const group = texts.map((text) => Buffer.from(text));
  const chunk = Buffer.concat(group);
  const buffers = Array.from({ length: Math.ceil(BARE_GROUP_BYTES / chunk.length) }, () => chunk);
  const perGroup = buffers.length * texts.length;
  const path = join(directory, 'bare');
  const start = performance.now();
  let written = 0;
  while (performance.now() - start < ms) {
    const file = await open(path, 'w');
    for (
      let bytes = 0;
      bytes < BARE_FILE_BYTES && performance.now() - start < ms;
      bytes += chunk.length * buffers.length
    ) {
      await file.writev(buffers);
      await file.datasync();
      written += perGroup;
    }
    await file.close();
    await unlink(path);
  }
  return (written * 1_000) / (performance.now() - start);
}

/** A call record as it is spooled, with the evidence of its verdict. */
function recordText(index: number): string {
  const callee = `1202555${String(100 + (index % 100)).padStart(4, '0')}`;
  return JSON.stringify({
    recordId: `r1-${(index * 2_654_435_761).toString(16).padStart(16, '0')}-${'0123456789abcdef'.repeat(2)}`,
    source: { id: 'sbc-east-1', format: 'oracle-sbc', readerVersion: 1, sha256: '9f86d081884c7d65'.repeat(4) },
    inviteAtUs: 1_793_620_800_000_000 + index * 1_250,
    answeredAtUs: 1_793_620_803_000_000 + index * 1_250,
    endedAtUs: 1_793_620_831_000_000 + index * 1_250,
    time: { written: 'utc', resolutionUs: 1_000 },
    calling: { asWritten: '+12025550142', tn: '12025550142' },
    called: { asWritten: `+${callee}`, tn: callee },
    ingress: { trunk: 'peer-17-in', callId: `${index.toString(36)}a84b4c76e66710@192.0.2.17` },
    egress: { trunk: 'core-2-out', callId: `${index.toString(36)}843817637684230@198.51.100.2` },
    disposition: { kind: 'answered', sipStatus: 200 },
    verdict: {
      ...{ verstat: 'TN-Validation-Passed', attestation: 'B', origid: '123e4567-e89b-12d3-a456-426655440000' },
      signer: { spc: '505J', certificateSha256: 'e3b0c44298fc1c14'.repeat(4) },
      evidence: { x5u: 'https://certificates.example/505j.pem', iatSeconds: 1_793_620_800, freshnessMs: 412 },
    },
  });
}
