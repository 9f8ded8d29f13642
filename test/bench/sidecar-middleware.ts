import { verify as verifySignature } from 'node:crypto';
import { verifyIdentity, type CallIdentity } from '@hopback/sdk/switch';
import { sampleInvite } from '@hopback/sdk/testing';
import { interleave, median, sized, type BenchContext, type Contestant, type Figure } from './bench.js';
import { createSignedWorld, createWarmService, inTurn, rawChecks, signCalls, type SignedCall } from './signed-calls.js';

const CALLS = 20_000;
const RAW_CHECKS = 256;
const ROUNDS = { quick: 5, short: 31, full: 75 };
const TURN_MS = 120;
const BAR_US = 150;

/** Processor time of a call in the middleware, less that of the signature check alone. */
export async function middleware(context: BenchContext): Promise<Figure> {
  const nowMs = Date.now();
  const world = await createSignedWorld(nowMs);
  const calls = signCalls(world, CALLS, (index) => Math.floor(nowMs / 1_000) - (index % 30));
  await using warm = await createWarmService(world, { nowMs: () => nowMs });
  const next = inTurn(calls.map(inviteOf), warm.forgetCalls);
  const handle = verifyIdentity({ service: warm.service });
  const checks = inTurn(rawChecks(calls.slice(0, RAW_CHECKS)));
  const rounds = sized(context, ROUNDS);
  const rates = await interleave(
    {
      middleware: byProcessorTime(async () => {
        const request = { raw: next(), locals: {} as Record<string, unknown> };
        await new Promise<void>((resolve) => handle(request, REFUSES, resolve));
        const { verdict } = request.locals['identity'] as CallIdentity;
        if (verdict?.status !== 'passed') throw new Error('a good call did not pass');
      }),
      bare: byProcessorTime(() => {
        const { publicKey, signingInput, der } = checks();
        if (!verifySignature('sha256', signingInput, publicKey, der))
          throw new Error('a good signature did not verify');
      }),
    },
    { rounds, ms: TURN_MS, steadyBy: 'bare' },
  );
  const us = (rate: number): number => 1e6 / rate;
  const added = rates.middleware.rounds.map((rate, at) => us(rate) - us(rates.bare.rounds[at] ?? Number.NaN));
  return {
    ...{ figure: 'middleware', value: median(added), unit: 'µs of processor a call', bar: { valueAtMost: BAR_US } },
    note: `${us(rates.middleware.median).toFixed(0)} with it, ${us(rates.bare.median).toFixed(0)} for the signature check alone; medians of the steadiest ${rounds} of ${rates.bare.made} rounds`,
  };
}

const REFUSES = {
  send: (): never => {
    throw new Error('a good call was refused');
  },
};

/** As text of its own, which nobody has read yet. */
function inviteOf({ request }: SignedCall, index: number): string {
  const invite = sampleInvite({
    ...{ identityHeaders: [request.identity], from: request.from, to: request.to, requestUri: request.requestUri },
    ...{ assertedIdentities: [request.pAssertedIdentity], dateMs: Date.parse(request.date) },
    callId: `${index.toString(36)}@originating.example`,
  });
  return Buffer.from(invite, 'latin1').toString('latin1');
}

/** Operations a second of processor time, so that other programs count for less. */
function byProcessorTime(operation: () => void | Promise<void>): Contestant {
  return {
    measure: async (ms) => {
      const startMs = performance.now();
      const before = process.cpuUsage();
      let count = 0;
      while (performance.now() - startMs < ms) {
        for (let batch = 0; batch < BATCH; batch += 1) await operation();
        count += BATCH;
      }
      const { user, system } = process.cpuUsage(before);
      return (count * 1e6) / (user + system);
    },
  };
}

/** Between looks at the clock. */
const BATCH = 32;
