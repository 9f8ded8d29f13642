import { DrachtioServer } from '@hopback/harness/drachtio';
import { connectApp } from '../support/drachtio-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { openTcpCaller, openUdpCaller, type Caller, type CallResult } from '../support/sip-load-caller.js';
import { sized, type BenchContext, type Figure } from './bench.js';
import { largest } from './sip-load-server.js';

/** INVITEs at a time that the server takes, and how long each rings: it can take a third of what is offered. */
const MAX_PENDING = 100;
const RING_MS = 300;
const PER_SECOND = 1_000;
const SECONDS = { quick: 3, short: 5, full: 60 };
/** Behind the load: fewer than the server can take. */
const AFTERWARDS = { calls: 200, perSecond: 100 } as const;

/** More calls than a server takes: each is either completed, or told 503 and when to come again. */
export async function overloadRefused(context: BenchContext): Promise<Figure> {
  const seconds = sized(context, SECONDS);
  context.progress(`overload-refused: ${PER_SECOND} calls/s for ${seconds} s, room for ${MAX_PENDING} at a time`);
  await using server = await DrachtioServer.open({
    listen: ['udp', 'tcp'].map((transport) => ({ transport: transport as 'udp' | 'tcp', host: '127.0.0.1', port: 0 })),
    limits: { maxPendingInvites: MAX_PENDING },
  });
  let failures = 0;
  await using app = await connectApp(server);
  app.srf.invite((req, res) => {
    res.send(180);
    setTimeout(() => {
      app.srf.createUAS(req, res, { localSdp: sdp('2') }).catch(() => (failures += 1));
    }, RING_MS);
  });
  const portOf = (name: string): number => server.listening.find(({ transport }) => transport === name)?.port ?? 0;
  await using udp = await openUdpCaller(portOf('udp'));
  const call = inTurns([udp, openTcpCaller(portOf('tcp'))]);
  // Its routes are on their way.
  await untilTaken(udp);
  const before = server.counters().overloaded;
  const load = await flow(call, { calls: PER_SECOND * seconds, perSecond: PER_SECOND });
  const refusals = server.counters().overloaded - before;
  const after = await flow(call, AFTERWARDS);
  const neither = load.filter(({ outcome }) => outcome !== 'completed' && outcome !== 'refused').length;
  const notAfter = after.filter(({ outcome }) => outcome !== 'completed').length;
  const counts = countOutcomes(load);
  const notes = [
    `${load.length} calls at ${PER_SECOND}/s by UDP and TCP in turn, room for ${MAX_PENDING} that ring ${RING_MS} ms: ${largest(counts, 4)}`,
    `503 sent ${refusals} times, ${load.reduce((total, { repeats }) => total + repeats, 0)} requests repeated`,
    `behind the load ${after.length - notAfter} of ${after.length} calls completed; ${failures} answers failed at the application`,
  ];
  return {
    ...{ figure: 'overload-refused', value: neither + notAfter, unit: 'calls', bar: { valueAtMost: 0 } },
    note: notes.join('; '),
  };
}

/** Has the callers call one after the other. */
export function inTurns(callers: readonly Caller[]): (index: number) => Promise<CallResult> {
  return (index) => callers[index % callers.length]!.call();
}

/** Calls at a steady rate, whatever becomes of those before. */
export async function flow<Result>(
  call: (index: number) => Promise<Result>,
  { calls, perSecond }: { readonly calls: number; readonly perSecond: number },
): Promise<readonly Result[]> {
  const made: Promise<Result>[] = [];
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(calls, Math.floor(((performance.now() - startMs) * perSecond) / 1_000));
      while (made.length < due) made.push(call(made.length));
      if (made.length < calls) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  return Promise.all(made);
}

/** How many calls ended in each way. */
export function countOutcomes(results: readonly CallResult[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

/**
 * Calls until an application takes the call, as soon as its routes are there.
 * @throws Error where none does
 */
export async function untilTaken(caller: Caller): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { outcome } = await caller.call();
    if (outcome === 'completed') return;
    if (outcome === 'lost') break;
  }
  throw new Error('no application takes the calls');
}
