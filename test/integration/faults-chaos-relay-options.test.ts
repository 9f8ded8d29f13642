import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { ChaosRelay, SOURCES_MAX } from '../../harness/src/faults/chaos-relay.js';
import { MAX_FAULT_MS } from '../../harness/src/faults/fault-settings.js';
import type { ChaosRelayOptions } from '../../harness/src/faults/index.js';

const TARGET = { host: '127.0.0.1', port: 9 };
const UDP: ChaosRelayOptions<'udp'> = { protocol: 'udp', target: TARGET, seed: 1 };
const TCP: ChaosRelayOptions<'tcp'> = { protocol: 'tcp', target: TARGET, seed: 1 };
const INVALID = expect.objectContaining({ code: 'invalid-argument' });

test.each([
  { lossRate: -0.1 },
  { lossRate: 1.1 },
  { duplicationRate: Number.NaN },
  { reorderRate: 2 },
  { cutRate: -1 },
  { delayMs: -1 },
  { jitterMs: MAX_FAULT_MS + 1 },
  { reorderMs: Number.POSITIVE_INFINITY },
  { outageMs: -5 },
  { cutAfterBytes: 1.5 },
  { cutAfterBytes: -1 },
])('refuses %o as faults of datagrams, in either direction', async (faults) => {
  await expect(ChaosRelay.open({ ...UDP, faults })).rejects.toThrow(INVALID);
  await expect(ChaosRelay.open({ ...UDP, faults: { toSource: faults } })).rejects.toThrow(INVALID);
});

test.each([
  { cutRate: 1.1 },
  { chunkBytes: 0 },
  { chunkBytes: 2.5 },
  { chunkGapMs: -1 },
  { bytesPerSecond: 0 },
  { bytesPerSecond: Number.POSITIVE_INFINITY },
  { cutAs: 'explode' as 'reset' },
])('refuses %o as faults of streams', async (faults) => {
  await expect(ChaosRelay.open({ ...TCP, faults })).rejects.toThrow(INVALID);
});

test('refuses a fault that the protocol does not have: TCP loses nothing, UDP has no chunks', async () => {
  const lossy: object = { lossRate: 0 };
  const chunked: object = { chunkBytes: 1 };
  const inherited: object = { toString: 1 };
  const mixed: object = { toTarget: {}, lossRate: 0.1 };
  await expect(ChaosRelay.open({ ...TCP, faults: lossy })).rejects.toThrow(INVALID);
  await expect(ChaosRelay.open({ ...UDP, faults: chunked })).rejects.toThrow(INVALID);
  await expect(ChaosRelay.open({ ...UDP, faults: inherited })).rejects.toThrow(INVALID);
  await expect(ChaosRelay.open({ ...UDP, faults: mixed })).rejects.toThrow(INVALID);
});

test.each<Partial<ChaosRelayOptions<'udp'>>>([
  { seed: -1 },
  { seed: 0.5 },
  { target: { host: 'localhost', port: 5060 } },
  { target: { host: '127.0.0.1', port: 0 } },
  { target: { host: '127.0.0.1', port: 65_536 } },
  { listen: { port: -1 } },
  { listen: { host: 'relay.example' } },
  { maxSources: 0 },
  { maxSources: SOURCES_MAX + 1 },
  { recordLimit: -1 },
  { idleMs: 0 },
  { protocol: 'sctp' as 'udp' },
])('refuses %o', async (options) => {
  await expect(ChaosRelay.open({ ...UDP, ...options })).rejects.toThrow(INVALID);
});

test('refuses to listen where somebody else does, and says what the system said', async () => {
  const other = createSocket('udp4').bind(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address();
  await expect(ChaosRelay.open({ ...UDP, listen: { port } })).rejects.toThrow(
    expect.objectContaining({ code: 'invalid-argument', cause: expect.objectContaining({ code: 'EADDRINUSE' }) }),
  );
  other.close();
});

test('keeps the faults it has when the ones to set are refused', async () => {
  await using relay = await ChaosRelay.open({ ...UDP, faults: { lossRate: 0.25 } });
  expect(() => relay.setFaults({ toTarget: { lossRate: 0.5 }, toSource: { lossRate: 5 } })).toThrow(INVALID);
  const { changes } = relay.record();
  expect(changes.map(({ direction, faults }) => [direction, faults?.lossRate])).toEqual([
    ['toTarget', 0.25],
    ['toSource', 0.25],
  ]);
});

test('a direction that is not named keeps its faults, a fault that is not named is gone', async () => {
  await using relay = await ChaosRelay.open({ ...UDP, faults: { lossRate: 0.25, delayMs: 10 } });
  relay.setFaults({ toSource: { jitterMs: 5 } });
  const { changes } = relay.record();
  expect(changes.slice(2)).toEqual([
    {
      atMs: expect.any(Number),
      kind: 'faults',
      direction: 'toSource',
      faults: {
        ...{ lossRate: 0, duplicationRate: 0, delayMs: 0, jitterMs: 5 },
        ...{ reorderRate: 0, reorderMs: 100, cutRate: 0, outageMs: 1_000 },
      },
    },
  ]);
});

test('is bound to IPv6 where asked to', async () => {
  await using relay = await ChaosRelay.open({ ...TCP, listen: { host: '::1' } });
  expect(relay.address).toEqual({ host: '::1', port: expect.any(Number) });
  expect(relay.address.port).toBeGreaterThan(0);
});
