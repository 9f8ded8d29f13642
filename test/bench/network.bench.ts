import { cpus } from 'node:os';
import { readShippedScenario, runScenario, type RunResult } from '@hopback/harness';
import { DrachtioServer } from '@hopback/harness/drachtio';
import { connectApp, type AppSrf } from '../support/drachtio-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { startHelper, type LineProcess } from './line-process.js';
import { processTimesMs } from './process-times.js';

/**
 * The shipped scenario `five-hops` over real SIP: every hop verifies, records and streams to the platform, which finds the campaign and traces it. Beside it
 * five B2BUAs in the same processes that carry calls and do nothing else.
 */
export const bench: Bench = {
  name: 'network',
  description: 'a test network of five hops that verify, record and stream, beside five that only carry',
  figures: ['carried', 'set-up', 'processor-time'],
  quick: { seconds: 110 },
  run: measureNetwork,
};

const PER_SECOND = 155;
const SECONDS = { quick: 20, short: 60, full: 300 };
const RATE_BAR = 150;
/** One for each processor. */
const PROCESSES = 2;
/** Part of the callees whose app reports: the platform is to find and trace the campaign, and not to be what is measured. */
const REPORTS = 0.05;
const PLAIN_MS = { quick: 5_000, short: 15_000, full: 15_000 };

/** How the five are spread: as the network spreads its providers over two processes. */
const HOPS = [3, 2] as const;
/** Calls on their way at a time: enough that nobody waits, few enough that no message is repeated. */
const AT_A_TIME = 12;
const WARM_UP_MS = 8_000;

async function* measureNetwork(context: BenchContext): AsyncGenerator<Figure> {
  const plainMs = sized(context, PLAIN_MS);
  context.progress(`network: five plain B2BUAs for ${plainMs / 1_000} s`);
  const plain = await plainRate(plainMs);
  const seconds = sized(context, SECONDS);
  context.progress(`network: five hops, ${PER_SECOND} calls/s for ${seconds} s`);
  const { result, usedMs, elapsedMs } = await carriedOut(seconds);
  yield carried(result, plain);
  yield setUp(result);
  yield processorTime(result, { plain, usedMs, elapsedMs });
}

type Carried = Awaited<ReturnType<typeof carriedOut>>;

async function carriedOut(seconds: number) {
  const variables = { perSecond: String(PER_SECOND), seconds: String(seconds), reports: String(REPORTS) };
  const scenario = await readShippedScenario('five-hops', { variables });
  const marks = new Map<string, { readonly usedMs: number; readonly atMs: number }>();
  const result = await runScenario(scenario, {
    processes: PROCESSES,
    onView: ({ stage }) => {
      if (!marks.has(stage)) marks.set(stage, { usedMs: processTimesMs(), atMs: performance.now() });
    },
  });
  const [began, ended] = [marks.get('calls'), marks.get('settling')];
  if (began === undefined || ended === undefined) throw new Error('the run did not place its calls');
  return { result, usedMs: ended.usedMs - began.usedMs, elapsedMs: ended.atMs - began.atMs };
}

/** Calls of the steady phase by the time in which they were placed; 0 unless all went well and nothing that they left behind is missing. */
function carried({ plan, facts, oracle, thresholds }: RunResult, plain: PlainRate): Figure {
  const steady = new Set(plan.calls.filter(({ phase }) => phase === 'flood').map(({ index }) => index));
  const placed = facts.calls.flatMap(({ index, placedAtMs }) =>
    steady.has(index) && placedAtMs !== undefined ? [placedAtMs] : [],
  );
  const inOrder = placed.toSorted((one, other) => one - other);
  const rate = ((inOrder.length - 1) * 1_000) / ((inOrder.at(-1) ?? 0) - (inOrder[0] ?? 0));
  const counts = ['calls_wrong', 'calls_unplaced'] as const;
  const [failed = 0, unplaced = 0] = counts.map((name) => {
    const metric = oracle.metrics[name];
    return metric.kind === 'count' ? metric.count : 0;
  });
  const rates = (['verdict_accuracy', 'records_complete', 'records_streamed'] as const).map((name) => {
    const metric = oracle.metrics[name];
    return metric.kind === 'rate' ? metric.value : 0;
  });
  const allRight = failed === 0 && unplaced === 0 && rates.every((value) => value === 1);
  const missed = thresholds.filter(({ isMet }) => !isMet).map(({ metric }) => metric);
  const notes = [
    `${placed.length} calls at ${rate.toFixed(1)}/s through five hops in ${PROCESSES} processes on ${cpus().length} processors; the app of every ${(1 / REPORTS).toFixed(0)}th callee reports`,
    `${failed} failed, ${unplaced} not placed; verdicts, records and streamed records right: ${rates.join(', ')}`,
    `thresholds of the scenario missed: ${missed.join(', ') || 'none'}; plain calls failed: ${plain.failed}`,
  ];
  return {
    ...{ figure: 'carried', value: allRight ? rate : 0, unit: 'calls/s', bar: { valueAtLeast: RATE_BAR } },
    ...{ baseline: 'five plain B2BUAs at their highest rate', baselineValue: plain.callsPerSecond },
    note: notes.join('; '),
  };
}

function setUp({ oracle }: RunResult): Figure {
  const metric = oracle.metrics.call_setup_ms;
  const { '50': p50, '99': p99 } = metric.kind === 'distribution' ? metric.percentiles : { '50': 0, '99': 0 };
  return { figure: 'set-up', value: p99, unit: 'ms', note: `p99 from INVITE to the final response; p50 ${p50} ms` };
}

function processorTime(
  { plan }: RunResult,
  { plain, usedMs, elapsedMs }: { readonly plain: PlainRate } & Omit<Carried, 'result'>,
): Figure {
  return {
    ...{ figure: 'processor-time', value: usedMs / plan.calls.length, unit: 'ms/call' },
    ...{ baseline: 'five plain B2BUAs', baselineValue: plain.processorMs },
    note: `of all processes while calls were up: ${(usedMs / elapsedMs).toFixed(2)} processors; callers, called and platform are in it`,
  };
}

/** What carriers reach that do nothing but carry. */
type PlainRate = Awaited<ReturnType<typeof plainRate>>;

/** Has as many calls carried as go, one behind the other, by five B2BUAs on servers of their own without anything of the SDK. */
async function plainRate(ms: number) {
  await using called = await DrachtioServer.open();
  await using calledApp = await connectApp(called);
  calledApp.srf.invite((req, res) => void calledApp.srf.createUAS(req, res, { localSdp: sdp('2') }).catch(ignored));
  await using calling = await DrachtioServer.open();
  await using callingApp = await connectApp(calling);
  const carriers: LineProcess[] = [];
  try {
    let next = called.uri('udp').slice('sip:'.length);
    for (const hops of HOPS.toReversed()) {
      const carrier = await startHelper('network-hops-process.ts', [String(hops), next]);
      carriers.push(carrier);
      next = carrier.firstLine;
    }
    await flood(callingApp.srf, next, WARM_UP_MS);
    const beforeMs = processTimesMs();
    const { calls, failed, elapsedMs } = await flood(callingApp.srf, next, ms);
    const usedMs = processTimesMs() - beforeMs;
    return { callsPerSecond: (calls * 1_000) / elapsedMs, processorMs: usedMs / calls, failed };
  } finally {
    for (const carrier of carriers) await carrier.close();
  }
}

async function flood(srf: AppSrf, address: string, ms: number) {
  let [calls, failed] = [0, 0];
  const startedAt = performance.now();
  const line = async (): Promise<void> => {
    while (performance.now() - startedAt < ms) {
      try {
        const dialog = await srf.createUAC(`sip:+12025550100@${address}`, { localSdp: sdp('1') });
        await dialog.destroy();
        calls += 1;
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, line));
  return { calls, failed, elapsedMs: performance.now() - startedAt };
}

function ignored(): void {
  // A caller that is gone is counted by itself.
}
