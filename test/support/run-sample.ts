import { ManualClock } from '@hopback/sdk/testing';
import type { NetworkPlan, PlannedCall } from '../../harness/src/network/plan/index.js';
import type { SeenMessage, World } from '../../harness/src/network/world/index.js';
import { judgeRun, type SeenCall, type SeenTraceback } from '../../harness/src/oracle/index.js';
import { runPlan, truthOfPlan } from '../../harness/src/runner/index.js';
import type { RunnerParts, RunOptions, RunResult } from '../../harness/src/runner/index.js';
import type { Behaviour, Scenario } from '../../harness/src/scenario/index.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { smallPlan } from './planned-network.js';

// A small network for tests of runner and report: a foreign dialer by gateway and transit, and an office by the same transit. Its calls are
// carried out without SIP.

const ROLES = { fern: 'foreign', elm: 'gateway', birch: 'transit', dune: 'originating', alder: 'terminating' } as const;

/** Settings of {@link samplePlan}. */
export interface SamplePlanOptions extends Partial<Pick<Scenario, 'thresholds' | 'maxConcurrent'>> {
  readonly calls?: number;
  readonly everyMs?: number;
  readonly behaviours?: Readonly<Record<string, readonly Behaviour[]>>;
}

/** A plan whose calls alternate between the dialer's and the office's. */
export function samplePlan(options: SamplePlanOptions = {}): NetworkPlan {
  const { calls = 10, everyMs = 100, behaviours = {}, ...held } = options;
  const plan = smallPlan({
    seed: 7,
    providers: Object.entries(ROLES).map(([id, role]) => ({
      ...{ id, role, shares: 'nothing', behaviours: behaviours[id] ?? [] },
      ...(role === 'originating' && { numbers: ['1202555'] }),
    })),
    calls: Array.from({ length: calls }, (_, index) => ({
      ...{ atMs: index * everyMs, durationMs: 500, called: `120255501${String(50 + (index % 40))}` },
      ...(index % 2 === 0
        ? { way: 'fern elm birch alder', caller: 'dialer', campaign: 'dialer', calling: `1202555${1_000 + index}` }
        : { way: 'dune birch alder', caller: 'office', calling: '12025550101' }),
    })),
  });
  const office = { kind: 'own', numbers: ['12025550101'] } as const;
  return {
    ...plan,
    durationMs: calls * everyMs,
    scenario: {
      ...{ ...plan.scenario, ...held, name: 'sample' },
      callers: [
        { id: 'dialer', kind: 'robocaller', at: 'fern', numbers: { kind: 'neighbour' }, calls: ['phones'] },
        { id: 'office', kind: 'ordinary', at: 'dune', numbers: office, calls: ['phones'] },
      ],
      called: [{ id: 'phones', at: 'alder', first: '12025550150', count: 40 }],
    },
  };
}

/** Tracebacks of three calls of a sample, of which the first names an innocent provider. */
export function sampleTracebacks(plan: NetworkPlan): readonly SeenTraceback[] {
  const [first, ...others] = simulateRun(plan, { traced: [0, 2, 1] }).tracebacks;
  return [{ ...first!, outcome: { kind: 'origin', provider: 'dune' } }, ...others];
}

/** Settings of {@link sampleParts}. */
export interface SampleWorldOptions {
  /** How long a call takes; default as long as its plan says. */
  readonly callMs?: number;
  /** Changes what was seen of a call: a defect. */
  readonly spoil?: (seen: SeenCall) => SeenCall;
  readonly tracebacks?: readonly SeenTraceback[];
  /** Answers whoever asks what was found so far; default there is no platform. */
  readonly found?: World['found'];
  /** Never resolves what it was asked to settle. */
  readonly hangs?: boolean;
}

/** Carries plans out without SIP: every call ends as is true of it, and leaves the messages of an ordinary call. */
export function sampleParts(
  clock: Pick<ManualClock, 'nowMs' | 'schedule'>,
  { callMs, spoil = (seen) => seen, tracebacks = [], hangs = false, found }: SampleWorldOptions = {},
) {
  const placed: { readonly index: number; readonly atMs: number }[] = [];
  let isClosed = false;
  const openWorld: RunnerParts['openWorld'] = async ({ plan, onMessage }) => {
    const startedAtMs = clock.nowMs();
    const simulated = [...simulateRun(plan).calls];
    const seen = plan.calls.map(({ index }): SeenCall => ({ index, hops: [], reasons: [] }));
    const close = async (): Promise<void> => void (isClosed = true);
    return {
      place: (call) => {
        const { index, durationMs } = call;
        const atMs = clock.nowMs();
        placed.push({ index, atMs });
        const made = spoil({ ...simulated[index]!, placedAtMs: atMs });
        if (onMessage !== undefined) for (const message of messagesOf(made, call)) onMessage(message);
        return new Promise((resolve) => {
          clock.schedule(() => resolve((seen[index] = made)), callMs ?? durationMs);
        });
      },
      settle: () => (hangs ? new Promise(() => undefined) : Promise.resolve()),
      facts: async () => ({
        ...{ records: [], campaigns: [], alerts: [], troubles: [] },
        ...{ startedAtMs, endedAtMs: clock.nowMs(), calls: seen, tracebacks },
      }),
      ...(found !== undefined && { found }),
      close,
      [Symbol.asyncDispose]: close,
    };
  };
  return { openWorld, judge: judgeRun, truthOf: truthOfPlan, placed, isClosed: () => isClosed };
}

/** Carries out a plan of 40 calls with all that a report can show: liars, wrong verdicts, a call that fails, tracebacks. */
export async function sampleRun(options: RunOptions = {}): Promise<RunResult> {
  const clock = new ManualClock();
  const plan = samplePlan({
    ...{ calls: 40, everyMs: 250 },
    behaviours: {
      elm: [{ kind: 'names-another', provider: 'dune' }],
      birch: [
        { kind: 'silent', share: 0.5 },
        { kind: 'strips-identity', fromSeconds: 4, untilSeconds: 6 },
      ],
    },
    thresholds: {
      ...{ verdict_accuracy: ['rate==1'], wrong_accusations: ['count==0'], calls_wrong: ['count<=1'] },
      call_setup_ms: ['p(99)<500'],
    },
  });
  const spoil = (seen: SeenCall): SeenCall => {
    if (seen.index === 6) return { ...seen, finalStatus: 503 };
    if (seen.index % 17 !== 4) return seen;
    const verstat = 'No-TN-Validation' as const;
    const hops = seen.hops.map((hop) => (hop.provider === 'alder' ? { ...hop, verstat } : hop));
    return { ...seen, hops, shownVerstat: verstat };
  };
  const parts = sampleParts(clock, { tracebacks: sampleTracebacks(plan), spoil });
  const over = { is: false };
  const run = runPlan(plan, { clock, parts, ...options }).finally(() => (over.is = true));
  const pass = async (): Promise<void> => {
    while (!over.is) {
      clock.advance(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return (await Promise.all([run, pass()]))[0];
}

const segment = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const TOKEN = `${segment({ alg: 'ES256', ppt: 'shaken' })}.${segment({ attest: 'C', iat: 1_793_620_800 })}.c2lnbmF0dXJl`;

/** What goes over each leg, towards which end, and how long after the call was placed. */
const STEPS = [
  ...[['INVITE', '1 INVITE', 'down', 0] as const, ['100 Trying', '1 INVITE', 'up', 0] as const],
  ...[['200 OK', '1 INVITE', 'up', 30] as const, ['ACK', '1 ACK', 'down', 60] as const],
  ...[['BYE', '2 BYE', 'down', 500] as const, ['200 OK', '2 BYE', 'up', 530] as const],
];

/** INVITE, 100, 200, ACK, BYE and 200 on every leg, seen at both of its ends. */
function messagesOf({ hops, placedAtMs = 0, finalStatus }: SeenCall, call: PlannedCall): readonly SeenMessage[] {
  const last = hops.length;
  return STEPS.flatMap(([what, cseq, towards, afterMs]) =>
    Array.from({ length: last + 1 }, (_, step) => {
      const leg = towards === 'down' ? step : last - step;
      const line = afterMs === 30 && finalStatus !== 200 ? `${finalStatus} Failed` : what;
      const text = sipText(line, { leg, call, cseq });
      const atMs = placedAtMs + (what === '100 Trying' ? leg * 2 + 0.7 : afterMs + step * 2);
      // Either end of the leg belongs to a hop, or to the caller or the callee, who see nothing.
      const ends = [
        { hop: leg - 1, direction: towards === 'down' ? 'out' : 'in', port: 5_060 + leg },
        { hop: leg, direction: towards === 'down' ? 'in' : 'out', port: 5_059 + leg },
      ] as const;
      return ends.flatMap(({ hop, direction, port }): SeenMessage[] => {
        const provider = hops[hop]?.provider;
        const local = { address: '127.0.0.1', port: 5_060 + hop };
        const at = { transport: 'udp', local, remote: { address: '127.0.0.1', port } } as const;
        const seenMs = direction === 'in' ? atMs + 0.4 : atMs;
        return provider === undefined ? [] : [{ ...at, provider, direction, atMs: seenMs, text }];
      });
    }).flat(),
  );
}

function sipText(
  line: string,
  { leg, call, cseq }: { readonly leg: number; readonly call: PlannedCall; readonly cseq: string },
): string {
  const isRequest = !/^\d/.test(line);
  const identity = `Identity: ${TOKEN};info=<https://cert.example/a.pem>;alg=ES256;ppt="shaken"`;
  return [
    isRequest ? `${line} sip:+${call.called}@127.0.0.1:506${leg} SIP/2.0` : `SIP/2.0 ${line}`,
    `Via: SIP/2.0/UDP 127.0.0.1:${5_059 + leg};branch=z9hG4bK-${call.index}-${leg}-${cseq.slice(2)}`,
    'Max-Forwards: 70',
    `From: "Account services" <sip:+${call.calling}@sample>;tag=a${leg}`,
    `To: <sip:+${call.called}@sample>${line === 'INVITE' ? '' : `;tag=b${leg}`}`,
    `Call-ID: ${call.index}-${leg}`,
    `CSeq: ${cseq}`,
    ...(line === 'INVITE' && leg > 1 ? [identity] : []),
    ...['Content-Length: 0', '', ''],
  ].join('\r\n');
}
