import { createDrachtioServer } from '@hopback/harness/drachtio';
import { connectApp } from '../support/drachtio-app.js';
import type { AppSrf } from '../support/drachtio-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { startHelper, type LineProcess } from './line-process.js';
import { processTimesMs } from './process-times.js';

/** What carriers reach that do nothing but carry. */
export interface PlainRate {
  readonly callsPerSecond: number;
  /** Of all processes, callers and called among them, milliseconds for each call. */
  readonly processorMs: number;
  readonly failed: number;
}

/** How the five are spread: as the network spreads its providers over two processes. */
const HOPS = [3, 2] as const;
/** Calls on their way at a time: enough that nobody waits, few enough that no message is repeated. */
const AT_A_TIME = 12;
const WARM_UP_MS = 8_000;

/** Has as many calls carried as go, one behind the other, by five B2BUAs on servers of their own without anything of the SDK. */
export async function plainRate(ms: number): Promise<PlainRate> {
  await using called = await createDrachtioServer();
  await using calledApp = await connectApp(called);
  calledApp.srf.invite((req, res) => void calledApp.srf.createUAS(req, res, { localSdp: sdp('2') }).catch(ignored));
  await using calling = await createDrachtioServer();
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

async function flood(
  srf: AppSrf,
  address: string,
  ms: number,
): Promise<{ readonly calls: number; readonly failed: number; readonly elapsedMs: number }> {
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
