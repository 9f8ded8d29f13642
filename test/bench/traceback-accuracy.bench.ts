import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { openDuckDbRecordStore } from '../../sdk/dist/records/store/duckdb-record-store.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { storedByCallers } from '../support/stored-records.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { startHelper } from './line-process.js';
import { answerFigure, type AnswersMeasured } from './traceback-answers.js';
import type { MatchBrief, MatchesMeasured } from './traceback-matches.js';
import type { CarrierJob } from './traceback-process.js';
import { drawRequests, isKept, REQUESTS, truthOf, type AskedCall, type Truth } from './traceback-requests.js';
import { calledNumber, DAY_US, drawPassages, HOUR_US, SOURCES, TRAFFIC, upstreamOf } from './traceback-traffic.js';
import type { Ground, Passage } from './traceback-traffic.js';

/** Requests of which it is known who sent the call, answered out of the DuckDB record store. */
export const bench: Bench = {
  name: 'traceback-accuracy',
  description: 'traceback requests matched with the records of one carrier, of which it is known who sent each call',
  figures: [
    'wrong-upstream',
    'correct-automatic',
    'right-among-three',
    'not-found-outside-coverage',
    'match-latency',
    'statement-fits-another',
    'ambiguous-right-among-three',
    'not-found-though-there',
    'answer-latency',
  ],
  quick: { seconds: 30 },
  run: measure,
};

const SEED = 20_261_101;
const BLOCK = 20_000;
const RATE = 20;
/** Requests that are sent by the clock; the others follow at once, four at a time. */
const PACED = { quick: 100, short: 600, full: 6_000 };
const RECORDS = 'records';

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const records = sized(context, { quick: 100_000, short: 1_000_000, full: 10_000_000 });
  const requests = sized(context, { quick: 300, short: 2_000, full: 20_000 });
  const ground = groundOf(context.full ? 20 : 4);
  context.progress(
    `seed ${SEED}, ${records} records of ${(ground.endUs - ground.startUs) / DAY_US} days, ${requests} requests`,
  );
  context.progress(`traffic ${JSON.stringify(TRAFFIC)}`);
  context.progress(`requests ${JSON.stringify(REQUESTS)}`);
  context.progress(
    `gaps ${ground.gaps.map(({ sourceId, fromUs, toUs }) => `${sourceId} ${((toUs - fromUs) / HOUR_US).toFixed(1)} h`).join(', ')}`,
  );
  const random = new SeededRandom(SEED);
  const { asked, passages } = drawRequests(random.fork('requests'), requests, ground);
  await using directory = await createTemporaryDirectory();
  const folder = directory.path;
  const store = await openDuckDbRecordStore({ directory: join(folder, RECORDS) });
  const calls = await filled(store, { ground, total: records, asked, passages, random, context });
  const truths = asked.map((one) => truthOf(one, calls.get(one.calledTn) ?? [], ground));
  await store.close();
  const job = { folder, ground, asked: asked.map(bareAsked), paced: sized(context, PACED), rate: RATE };
  const matched = await inCarrier<MatchesMeasured>('matches', job, context);
  context.progress(`${job.paced} requests matched at ${RATE}/s, and the others at once`);
  yield* figuresOf(asked, { truths, ground, ...matched });
  yield answerFigure(await inCarrier<AnswersMeasured>('answers', job, context), RATE);
}

/** A period around the end of daylight saving time, whose first tenth was removed; in every three days a source was down for some hours. */
function groundOf(days: number): Ground {
  const endUs = Date.UTC(2026, 10, 3) * 1_000;
  const startUs = endUs - days * DAY_US;
  const random = new SeededRandom(SEED, 'gaps');
  const retainedFromUs = startUs + Math.floor((days * DAY_US) / 10);
  const count = Math.max(2, Math.round(days / 3));
  const gaps = Array.from({ length: count }, (_, at) => {
    const fromUs =
      retainedFromUs + Math.floor(((at + random.next() * 0.7) * (endUs - retainedFromUs)) / count) + 2 * HOUR_US;
    const sourceId = (['sbc-1', 'sbc-2', 'edge'] as const)[at % 3] ?? 'sbc-1';
    return { sourceId, fromUs, toUs: fromUs + HOUR_US + Math.floor(random.next() * 2 * HOUR_US) };
  });
  return { startUs, endUs, retainedFromUs, gaps };
}

interface Filling {
  readonly ground: Ground;
  readonly total: number;
  readonly asked: readonly AskedCall[];
  readonly passages: readonly Passage[];
  readonly random: SeededRandom;
  readonly context: BenchContext;
}

/** Fills the store in the order of time, and keeps the calls to numbers that are asked about. */
async function filled(store: RecordStore, filling: Filling): Promise<ReadonlyMap<string, readonly Passage[]>> {
  const { ground, total, asked, passages, context } = filling;
  await store.expire(ground.retainedFromUs);
  for (const sourceId of SOURCES) {
    await store.cover({ sourceId, fromUs: ground.startUs, toUs: ground.endUs + DAY_US });
  }
  for (const gap of ground.gaps) await store.uncover(gap);
  const calls = new Map<string, Passage[]>(asked.map(({ calledTn }) => [calledTn, []]));
  let block: CallRecord[] = [];
  let written = 0;
  for (const passage of inTime(filling, total)) {
    for (const tn of new Set(passage.calleds)) calls.get(tn)?.push(passage);
    for (const record of passage.records) {
      if (isKept({ ...passage, records: [record] }, ground)) block.push(record);
    }
    if (block.length < BLOCK) continue;
    await storedByCallers(store, block);
    written += block.length;
    block = [];
    if (written % (50 * BLOCK) < 2 * BLOCK) context.progress(`${written} records`);
  }
  await storedByCallers(store, block);
  context.progress(
    `${written + block.length} records, ${passages.length} calls of them around those that are asked about`,
  );
  return calls;
}

/** Calls of no interest, and between them those that are asked about. */
function* inTime({ ground, passages, random, asked: _asked }: Filling, total: number): Generator<Passage> {
  const special = [...passages].sort((one, other) => one.atUs - other.atUs);
  const draws = random.fork('traffic');
  const count = Math.round(total / RECORDS_OF_CALL) - special.length;
  const stepUs = (ground.endUs - ground.retainedFromUs) / count;
  let next = 0;
  for (let index = 0; index < count; index += 1) {
    const atUs = Math.floor(ground.retainedFromUs + index * stepUs + draws.next() * stepUs);
    for (; (special[next]?.atUs ?? Infinity) <= atUs; next += 1) yield special[next]!;
    yield* drawPassages(draws, { atUs, called: calledNumber(draws) }, index);
  }
  yield* special.slice(next);
}

/** Records that a call of this traffic makes on average, as counted. */
const RECORDS_OF_CALL = 1.427;

function* figuresOf(
  asked: readonly AskedCall[],
  run: MatchesMeasured & { readonly truths: readonly Truth[]; readonly ground: Ground },
): Generator<Figure> {
  const { outcomes, truths, ground, latency } = run;
  const all = asked.map((one, at) => ({
    one,
    truth: truths[at]!,
    outcome: outcomes[at]!,
    named: outcomes[at]!.named,
  }));
  const meantUpstream = ({ meant }: AskedCall): string | undefined =>
    meant === undefined ? undefined : upstreamOf(meant.upstreamTrunk, meant.atUs, ground);
  const automatic = all.filter(({ named }) => named !== undefined);
  const isTrue = ({ truth, named }: (typeof all)[number]): boolean =>
    truth.answer === 'one' && named === truth.upstream;
  // Who was named although more than one call would have fitted, and rightly, is not wronged.
  const wrong = automatic.filter((row) => !isTrue(row) && row.named !== meantUpstream(row.one));
  const another = automatic.filter((row) => isTrue(row) && row.named !== meantUpstream(row.one));
  const answerable = all.filter(({ truth }) => truth.answer === 'one');
  const correct = answerable.filter(isTrue);
  const rest = answerable.filter(({ named }) => named === undefined);
  const inReview = (row: (typeof all)[number], passage: Passage | undefined): boolean =>
    passage?.records.some(({ recordId }) => row.outcome.amongThree.includes(recordId)) === true;
  const seen = rest.filter((row) => row.truth.answer === 'one' && inReview(row, row.truth.passage));
  const outside = all.filter(({ one }) => one.kind === 'in-gap' || one.kind === 'removed');
  const ambiguous = all.filter(
    ({ one, truth, outcome }) => one.kind === 'in-store' && truth.answer !== 'one' && outcome.status === 'several',
  );
  const missed = all.filter(({ one, outcome }) => one.kind === 'in-store' && outcome.status === 'none-but-covered');
  const part = (some: number, of: number): number => (of === 0 ? 100 : (100 * some) / of);
  const crowded = all.filter(({ one }) => one.isCrowded).length;
  yield {
    figure: 'wrong-upstream',
    value: part(wrong.length, all.length),
    unit: '% of requests',
    bar: { valueAtMost: 0.01 },
    note: `${wrong.length} of ${all.length}; ${automatic.length} automatic${described(wrong)}`,
  };
  yield {
    figure: 'correct-automatic',
    value: part(correct.length, answerable.length),
    unit: '% of the answerable',
    bar: { valueAtLeast: 97 },
    note: `${correct.length} of ${answerable.length}; ${crowded} requests with 2 to 50 calls to the number within an hour`,
  };
  yield {
    figure: 'right-among-three',
    value: part(seen.length, rest.length),
    unit: '% of the answerable left to a person',
    bar: { valueAtLeast: 99 },
    note: `${seen.length} of ${rest.length}${reasonsOf(rest.map(({ outcome }) => outcome))}`,
  };
  yield {
    figure: 'not-found-outside-coverage',
    value: outside.filter(({ outcome }) => outcome.status === 'none-but-covered').length,
    unit: 'requests',
    bar: { valueAtMost: 0 },
    note: `of ${outside.length} about calls whose records were lost or removed`,
  };
  yield {
    figure: 'match-latency',
    value: latency.p99,
    unit: 'ms',
    bar: { valueAtMost: 100 },
    note: `p99 of ${latency.count} at ${RATE} requests/s, p50 ${latency.p50.toFixed(1)} ms, longest ${latency.max.toFixed(0)} ms`,
  };
  yield {
    figure: 'statement-fits-another',
    value: part(another.length, all.length),
    unit: '% of requests',
    note:
      `${another.length} of ${all.length}: answered as stated, but a clock was off, the call never came or a provider lied, and ` +
      `what was stated is true of one other call alone${described(another)}`,
  };
  yield {
    figure: 'ambiguous-right-among-three',
    value: part(ambiguous.filter((row) => inReview(row, row.one.meant)).length, ambiguous.length),
    unit: '% of what nothing stated decides',
    note: `of ${ambiguous.length} requests that several calls, or none, are consistent with`,
  };
  yield {
    figure: 'not-found-though-there',
    value: missed.length,
    unit: 'requests',
    note: `of ${all.filter(({ one }) => one.kind === 'in-store').length}; ${missed.filter(({ one }) => one.isRewrittenFurtherOn).length} of them state a number that is on no record`,
  };
}

/** What a carrier is told of a request that is asked of it: not which call was meant. */
function bareAsked({ request, instants, calledTn }: AskedCall): CarrierJob['asked'][number] {
  return { request, instants, calledTn };
}

/**
 * Lets a process of its own do it on the store, opened anew, as a carrier would: this one holds the whole traffic and the truth about it, some
 * gigabytes whose collection stops it for a second at a time.
 */
async function inCarrier<Measured>(part: 'matches' | 'answers', job: CarrierJob, context: BenchContext) {
  const file = join(job.folder, `${part}.json`);
  writeFileSync(file, JSON.stringify(job));
  await using carrier = await startHelper('traceback-process.ts', [part, file]);
  context.progress(carrier.firstLine);
  const done = await carrier.nextLine();
  if (done === undefined) throw new Error(`the carrier of ${part} ended before it was done`);
  return JSON.parse(readFileSync(`${file}.measured`, 'utf8')) as Measured;
}

/** Which requests were answered wrongly, so that they can be looked at. */
function described(wrong: readonly { readonly one: AskedCall; readonly named: string | undefined }[]): string {
  return wrong
    .slice(0, 10)
    .map(
      ({ one }) =>
        `; ${one.request.requestId} ${one.kind}${one.isSkewed ? ' skewed' : ''}${one.isCrowded ? ' crowded' : ''}${one.isRewrittenFurtherOn ? ' rewritten' : ''}`,
    )
    .join('');
}

/** Why a person was asked, by how often. */
function reasonsOf(outcomes: readonly MatchBrief[]): string {
  const counts = new Map<string, number>();
  for (const { because } of outcomes) {
    for (const reason of because) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, one], [, other]) => other - one).slice(0, 6);
  return sorted.map(([reason, count]) => `; ${count} ${reason}`).join('');
}
