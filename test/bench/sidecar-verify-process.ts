/**
 * Verifies in its own process what the sidecar verifies over HTTP: the same calls, the same request to the service. Gets the file of a world,
 * and then a line an order: file of calls, offset, count, milliseconds. Answers each with a rate.
 */
import { open, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { VerificationRequest } from '@hopback/sdk/stir';
import { asReceived, createWarmService, inTurn, readWorld, requireFirstSight } from './signed-calls.js';

const [worldPath = '', freshnessSeconds = '60'] = process.argv.slice(2);
const world = readWorld(await readFile(worldPath, 'utf8'));
const ports = world.signers.map(({ x5u }) => Number(new URL(x5u).port));
const { service, forgetCalls } = await createWarmService(
  { ...world, allow: { addresses: ['127.0.0.0/8'], ports } },
  { nowMs: Date.now },
  { policy: { freshnessSeconds: Number(freshnessSeconds) } },
);
process.stdout.write('ready\n');

for await (const order of createInterface({ input: process.stdin })) {
  const [path = '', offset = '0', count = '0', ms = '0'] = order.split('\t');
  const calls = await callsOf(path, Number(offset), Number(count));
  forgetCalls();
  const next = inTurn(calls, forgetCalls);
  const rate = asReceived(
    (): VerificationRequest => ({ ...next() }),
    (call) => service.verify(call),
    requireFirstSight,
  );
  process.stdout.write(`${await rate(Number(ms))}\n`);
}

/** As `/stir/v1/verification` hands a call on. */
async function callsOf(path: string, offset: number, count: number): Promise<readonly VerificationRequest[]> {
  const calls: VerificationRequest[] = [];
  await using file = await open(path);
  for await (const line of file.readLines({ start: offset, encoding: 'latin1' })) {
    const [identity = '', from = '', to = ''] = line.split('\t');
    calls.push({ identity, orig: { kind: 'tn', value: from }, dest: [{ kind: 'tn', value: to }] });
    if (calls.length === count) break;
  }
  return calls;
}
