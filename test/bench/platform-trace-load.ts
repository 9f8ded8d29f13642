import { sign, type KeyObject } from 'node:crypto';
import { createTestKey, type TestKey } from '@hopback/sdk/testing';
import type { PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import { seededDice } from '../../sdk/src/testing/platform/platform-faults.js';
import type { TracebackAnswer, TracebackFinding, TracebackRequest } from '../../sdk/src/traceback/index.js';
import { drawCall, type CarrierGraph } from './platform-carriers.js';
import { askedCall, idOf, referenceTo, startTracePlatform } from './platform-trace-lines.js';
import type { BenchProvider, TracePlatform } from './platform-trace-lines.js';

// Thousands of tracebacks beside each other, driven to their ends by providers that answer, keep silent or deny, by the time that passes,
// and by staff that decides.

/** One in so many providers answers nothing. */
const SILENT_ONE_IN = 33;
/** One in so many calls is denied by the provider that the first one names. */
const DENIED_ONE_IN = 100;
/** Answers under way at once: as many carriers post at the same moment. */
const IN_FLIGHT = 128;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Reminders, the deadline and the time of grace of the first hop: over a weekend four days. */
const FIRST_STEPS = { steps: 8, ms: 14 * HOUR_MS };
/** After which what is stalled is closed as it is. */
const CLOSING_STEPS = { steps: 3, ms: 8 * DAY_MS };

/** What one run cost. */
export type LoadCost = Awaited<ReturnType<typeof driven>>;

/** Starts a platform with all carriers of a graph in its registry. */
export async function startTraceLoad(
  graph: CarrierGraph,
  place: { readonly directory: string; readonly postgresUrl?: string },
) {
  const keys = Array.from({ length: KEYS }, () => createTestKey());
  const waiting: TracebackRequest[] = [];
  const asked = (request: TracebackRequest): void => void waiting.push(request);
  const platform = await startTracePlatform(place, { asked, concluded: () => undefined });
  await platform.register(graph.neighbours.map((_none, carrier) => providerOf(carrier, keys[carrier % KEYS]!)));
  const world: World = {
    ...{ graph, platform, waiting, courses: new Map(), dice: seededDice(31) },
    keyOf: (carrier) => keys[carrier % KEYS]?.privateKey,
    ...{ opened: 0, disputes: 0, silent: [] },
  };
  return {
    /** Opens so many tracebacks at once, and drives all of them to their ends. */
    drive: (open: number, whenOpen: () => void) => driven(world, open, whenOpen),
    [Symbol.asyncDispose]: (): Promise<void> => platform[Symbol.asyncDispose](),
  };
}

/** Keys that providers share among them, each under an id of its own: making seven thousand would only make the bench longer. */
const KEYS = 16;

/** What a call is like: the carriers that it went over, the one that delivered it first. */
interface Course {
  readonly path: readonly number[];
  readonly isDenied: boolean;
}

interface World {
  readonly graph: CarrierGraph;
  readonly platform: TracePlatform;
  /** Requests that no provider has looked at yet. */
  readonly waiting: TracebackRequest[];
  readonly courses: Map<string, Course>;
  readonly dice: () => number;
  readonly keyOf: (carrier: number) => KeyObject | undefined;
  opened: number;
  disputes: number;
  /** Requests that are not answered. */
  silent: TracebackRequest[];
}

const carrierOf = (providerId: string): number => Number(providerId.slice('prv-'.length));
const isSilent = (carrier: number): boolean => (carrier * 2_654_435_761) % 2 ** 32 < 2 ** 32 / SILENT_ONE_IN;

function providerOf(carrier: number, { publicKeyJwk: jwk }: TestKey): BenchProvider {
  const ocn = carrier.toString(36).toUpperCase().padStart(4, '0');
  const kid = `key-${String(carrier)}`;
  return {
    ...{ ...referenceTo(carrier), ocn },
    ...{ clientJwk: { ...jwk, kid }, answerJwk: { ...jwk, kid, alg: 'ES256' } },
  };
}

async function driven(world: World, open: number, whenOpen: () => void) {
  const { platform } = world;
  await platform.settle();
  const before = await platform.figures();
  const startMs = performance.now();
  Object.assign(world, { disputes: 0, silent: [] });
  await openAll(world, open);
  const opened = await platform.figures();
  whenOpen();
  await answerAll(world);
  await passTime(world, FIRST_STEPS);
  await reportNeighbours(world);
  await answerAll(world);
  await decideDisputes(world);
  await answerAll(world);
  await passTime(world, CLOSING_STEPS);
  await platform.settle();
  const after = await platform.figures();
  if (after.open !== 0) throw new Error(`${String(after.open)} of ${String(open)} tracebacks have not ended`);
  const hops = after.hops - before.hops;
  return {
    // Of the process of the platform, the embedded database among it, from when all of them were open.
    cpuMsOfHop: (after.cpuMs - opened.cpuMs) / hops,
    databaseMsOfHop: (after.databaseMs - opened.databaseMs) / hops,
    cpuMsOfOpening: (opened.cpuMs - before.cpuMs) / open,
    ...{ hops, answers: after.answers - before.answers, disputes: world.disputes, silent: world.silent.length },
    seconds: (performance.now() - startMs) / 1_000,
  };
}

async function openAll(world: World, open: number): Promise<void> {
  await inFlight(open, async () => {
    const path = drawCall(world.graph, world.dice);
    const call = (world.opened += 1);
    const number = `+1202${String(2_000_000 + call)}`;
    const at = new Date(Date.UTC(2026, 10, 20, 15) + call * 1_000).toISOString();
    const opened = await valueOf<{ tracebackId: string }>(world, 'openTraceback', 'itg', {
      body: {
        ...{ direction: 'back', call: askedCall(number, at), firstProvider: referenceTo(path[0] ?? 0) },
      },
    });
    world.courses.set(opened.tracebackId, { path, isDenied: call % DENIED_ONE_IN === 0 });
  });
  await world.platform.settle();
}

/** Has everything answered that providers have, until there is nothing left. */
async function answerAll(world: World): Promise<void> {
  while (world.waiting.length > 0) {
    const taken = world.waiting.splice(0);
    await inFlight(taken.length, async (at) => {
      const request = taken[at];
      if (request !== undefined) await answerOne(world, request);
    });
    await world.platform.settle();
  }
}

async function answerOne(world: World, request: TracebackRequest): Promise<void> {
  const carrier = carrierOf(request.provider.providerId ?? '');
  const course = world.courses.get(request.tracebackId);
  if (course === undefined) throw new Error('a request of a traceback that nobody opened');
  if (isSilent(carrier)) {
    world.silent.push(request);
    return;
  }
  const finding = findingOf(course, request);
  if (finding.arm === 'not-sent-to-downstream') world.disputes += 1;
  const answer: TracebackAnswer = {
    ...({ format: 'hopback.traceback-answer.1', answerId: `a-${request.requestId}` } as const),
    ...{ requestId: request.requestId, tracebackId: request.tracebackId, revision: 1 },
    ...{ answeredAt: request.issuedAt, provider: request.provider, finding },
    answeredBy: { kind: 'automatic', policyId: 'hopback-traceback-1' },
    call: {
      startedAt: new Date(Date.parse(`${request.call.at.local}Z`) - 80).toISOString(),
      ...{ called: request.call.called ?? '', calling: request.call.calling ?? '', disposition: 'answered' },
      ...{ ingressTrunk: 'TG-IN-7', ingressCallId: `${request.requestId}@192.0.2.7`, egressTrunk: 'TG-OUT-2' },
      received: { attestation: 'B', origId: '5c1d64b9-9a5e-4b3e-8f2d-8f1c2a6f6a11', spc: '0001' },
    },
    searched: {
      windows: [{ from: '2026-11-20T14:00:00Z', to: '2026-11-20T16:00:00Z' }],
      ...{ keys: ['called', 'calling'], coverage: [], recordsConsidered: 3 },
    },
  };
  await valueOf(world, 'answerTracebackRequest', idOf(carrier), {
    parameters: { requestId: request.requestId },
    body: { answer: signedBy(world.keyOf(carrier), carrier, answer) },
  });
}

function findingOf({ path, isDenied }: Course, { hop, downstream }: TracebackRequest): TracebackFinding {
  if (isDenied && hop === 2 && downstream !== undefined) return { arm: 'not-sent-to-downstream', downstream };
  const next = path[hop];
  return next === undefined
    ? { arm: 'origin', customer: { customerId: 'C-1', action: 'suspended' } }
    : { arm: 'received-from', upstream: referenceTo(next) };
}

/** RFC 7515 section 7.1, RFC 7518 section 3.4 */
function signedBy(key: KeyObject | undefined, carrier: number, answer: TracebackAnswer): string {
  if (key === undefined) throw new Error('a provider without a key');
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'ES256', kid: `key-${String(carrier)}`, typ: 'traceback-answer+jws' })}.${part(answer)}`;
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

async function passTime(world: World, { steps, ms }: { readonly steps: number; readonly ms: number }): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await world.platform.pass(ms);
    await world.platform.settle();
  }
}

/** Of every second silent provider the one that had sent it the call says so, and the traceback goes on. */
async function reportNeighbours(world: World): Promise<void> {
  const reported = world.silent.filter((_request, index) => index % 2 === 0);
  await inFlight(reported.length, async (at) => {
    const { tracebackId, hop, provider, requestId } = reported[at]!;
    const next = world.courses.get(tracebackId)?.path[hop];
    if (next === undefined) return;
    const neighbour = referenceTo(next);
    await valueOf(world, 'reportNeighbour', 'itg', {
      parameters: { tracebackId },
      body: { reportId: `r-${requestId}`.slice(-60), provider: neighbour, sentTo: provider },
    });
  });
  await world.platform.settle();
}

interface Waiting {
  readonly items: readonly {
    readonly tracebackId: string;
    readonly items: readonly { readonly disputeId?: string }[];
  }[];
  readonly nextCursor?: string;
}

async function decideDisputes(world: World): Promise<void> {
  const disputes: { readonly tracebackId: string; readonly disputeId: string }[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const parameters: Record<string, string> = { limit: '500', ...(cursor !== '' && { cursor }) };
    const page: Waiting = await valueOf<Waiting>(world, 'listWaiting', 'itg', { parameters });
    for (const { tracebackId, items } of page.items)
      for (const { disputeId } of items) if (disputeId !== undefined) disputes.push({ tracebackId, disputeId });
    cursor = page.nextCursor;
  }
  await inFlight(disputes.length, async (at) => {
    const { tracebackId, disputeId } = disputes[at]!;
    await valueOf(world, 'decideDispute', 'itg', {
      parameters: { tracebackId },
      body: { disputeId, ruling: 'downstream-stands', reason: 'The record of the downstream provider shows it.' },
    });
  });
  await world.platform.settle();
}

async function valueOf<Value>({ platform }: World, ...[operationId, by, request]: Parameters<TracePlatform['call']>) {
  const answer: PlatformAnswer = await platform.call(operationId, by, request);
  if (answer.kind === 'json') return answer.value as Value;
  throw new Error(`${operationId}: ${JSON.stringify(answer)}`);
}

/** Does something so many times, some at once. */
async function inFlight(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count) }, worker));
}
