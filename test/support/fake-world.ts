import type { NetworkPlan, PlannedCall } from '../../harness/src/network/plan/index.js';
import type { SeenMessage, World, WorldOptions } from '../../harness/src/network/world/index.js';
import type { RunFacts, SeenCall, SeenHop, SeenTraceback } from '../../harness/src/oracle/index.js';
import type { RunnerParts } from '../../harness/src/runner/index.js';
import { sampleJudge, sampleTruth } from './run-plan-samples.js';

/** A clock as runners take it. */
interface FakeClock {
  readonly nowMs: () => number;
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
}

/** Settings of {@link fakeParts}. */
export interface FakeWorldOptions {
  readonly clock: FakeClock;
  /** How long a call takes; default as long as its plan says. */
  readonly callMs?: number;
  /** Changes what was seen of a call: a defect. */
  readonly spoil?: (seen: SeenCall, call: PlannedCall) => SeenCall;
  readonly tracebacks?: readonly SeenTraceback[];
  /** Answers whoever asks what was found so far; default there is no platform. */
  readonly found?: World['found'];
  /** Never resolves what it was asked to settle. */
  readonly hangs?: boolean;
}

/** What a fake world was asked to do. */
export interface FakeParts extends RunnerParts {
  readonly placed: { readonly index: number; readonly atMs: number }[];
  readonly isClosed: () => boolean;
}

/** Carries plans out without SIP: every call ends as is true of it, and leaves the messages of an ordinary call. */
export function fakeParts(options: FakeWorldOptions): FakeParts {
  const { clock, spoil = (seen) => seen, tracebacks = [], hangs = false, found } = options;
  const placed: { readonly index: number; readonly atMs: number }[] = [];
  let isClosed = false;
  const openWorld = async ({ plan, onMessage }: WorldOptions): Promise<World> => {
    const startedAtMs = clock.nowMs();
    const seen: SeenCall[] = [];
    const close = async (): Promise<void> => void (isClosed = true);
    return {
      place: (call) => {
        const atMs = clock.nowMs();
        placed.push({ index: call.index, atMs });
        const made = spoil(seenCall(plan, call, atMs), call);
        if (onMessage !== undefined) for (const message of messagesOf(made, call)) onMessage(message);
        return new Promise((resolve) => {
          clock.schedule(() => {
            seen.push(made);
            resolve(made);
          }, options.callMs ?? call.durationMs);
        });
      },
      settle: () => (hangs ? new Promise(() => undefined) : Promise.resolve()),
      facts: async (): Promise<RunFacts> => {
        const calls = plan.calls.map(({ index }) => seen.find((one) => one.index === index) ?? unplaced(index));
        const nothing = { records: [], campaigns: [], alerts: [], troubles: [] };
        return { ...nothing, startedAtMs, endedAtMs: clock.nowMs(), calls, tracebacks };
      },
      ...(found !== undefined && { found }),
      close,
      [Symbol.asyncDispose]: close,
    };
  };
  return { openWorld, judge: sampleJudge, truthOf: sampleTruth, placed, isClosed: () => isClosed };
}

const unplaced = (index: number): SeenCall => ({ index, hops: [], reasons: [] });

function seenCall(plan: NetworkPlan, call: PlannedCall, atMs: number): SeenCall {
  const truth = sampleTruth(plan)(call.index);
  const hops = truth.hops.map(({ provider, verdict }, hop): SeenHop => {
    const [verstat] = verdict.verstat;
    return {
      ...{ provider, atMs: atMs + hop * 2, reasons: [], heldUs: 1_500 + hop * 300 },
      ...{ ingressCallId: legOf(call, hop), egressCallIds: [legOf(call, hop + 1)] },
      ...(verstat !== undefined && verstat !== 'not-asked' && { verstat }),
      ...(verdict.attestation !== undefined && { attestation: verdict.attestation }),
    };
  });
  return { index: call.index, placedAtMs: atMs, finalStatus: 200, setupMs: 8 + (call.index % 5), hops, reasons: [] };
}

const legOf = ({ index }: PlannedCall, leg: number): string => `call-${index}-leg-${leg}@sample`;

const TOKEN = [
  'eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUvYS5wZW0ifQ',
  Buffer.from(
    JSON.stringify({
      attest: 'C',
      dest: { tn: ['12025550150'] },
      iat: 1_793_620_800,
      orig: { tn: '12025551000' },
      origid: '6a1d',
    }),
  ).toString('base64url'),
  'c2lnbmF0dXJl',
].join('.');

/** INVITE, 100, 200, ACK, BYE and 200 on every leg, seen at both of its ends. */
function messagesOf({ hops, placedAtMs = 0, finalStatus = 0 }: SeenCall, call: PlannedCall): readonly SeenMessage[] {
  const last = hops.length;
  const steps = [
    ['INVITE', 'down', 0],
    ['100 Trying', 'up', 1],
    [finalStatus === 200 ? '200 OK' : `${finalStatus} Failed`, 'up', 30],
    ['ACK', 'down', 60],
    ['BYE', 'down', 500],
    ['200 OK', 'up', 530],
  ] as const;
  const messages: SeenMessage[] = [];
  for (const [line, towards, afterMs] of steps) {
    for (let step = 0; step <= last; step += 1) {
      const leg = towards === 'down' ? step : last - step;
      const cseq = afterMs >= 500 ? '2 BYE' : line === 'ACK' ? '1 ACK' : '1 INVITE';
      const text = sipText(line, { leg, call, cseq });
      const atMs = placedAtMs + (line === '100 Trying' ? leg * 2 + 0.7 : afterMs + step * 2);
      const put = (hop: number, direction: 'in' | 'out', at: number): void => {
        const provider = hops[hop]?.provider;
        if (provider === undefined) return;
        const local = { address: '127.0.0.1', port: 5_060 + hop };
        const remote = { address: '127.0.0.1', port: 5_060 + (hop === leg ? hop - 1 : hop + 1) };
        messages.push({ ...{ provider, direction, atMs: at, transport: 'udp', local, remote, text } });
      };
      if (towards === 'down') {
        put(leg - 1, 'out', atMs);
        put(leg, 'in', atMs + 0.4);
      } else {
        put(leg, 'out', atMs);
        put(leg - 1, 'in', atMs + 0.4);
      }
    }
  }
  return messages;
}

function sipText(
  line: string,
  at: { readonly leg: number; readonly call: PlannedCall; readonly cseq: string },
): string {
  const { leg, call, cseq } = at;
  const isRequest = !/^\d/.test(line);
  const first = isRequest ? `${line} sip:+${call.called}@127.0.0.1:506${leg} SIP/2.0` : `SIP/2.0 ${line}`;
  const identity =
    line === 'INVITE' && leg > 1 ? [`Identity: ${TOKEN};info=<https://cert.example/a.pem>;alg=ES256;ppt="shaken"`] : [];
  return [
    first,
    `Via: SIP/2.0/UDP 127.0.0.1:${5_059 + leg};branch=z9hG4bK-${call.index}-${leg}-${cseq.split(' ')[1] ?? ''}`,
    'Max-Forwards: 70',
    `From: "Account services" <sip:+${call.calling}@sample>;tag=a${leg}`,
    `To: <sip:+${call.called}@sample>${isRequest && line === 'INVITE' ? '' : `;tag=b${leg}`}`,
    `Call-ID: ${legOf(call, leg)}`,
    `CSeq: ${cseq}`,
    ...identity,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
