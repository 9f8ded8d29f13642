import { expect, test } from 'vitest';
import type { Traceback } from '../../sdk/src/platform/index.js';
import { startCarrierChain } from '../support/itg-carriers.js';
import { STAFF } from '../support/itg-tracebacks.js';

test('three carriers with the SDK are asked and answer by themselves, hop by hop to the one that had the call from abroad', async () => {
  await using chain = await startCarrierChain(3);
  const { lab, call } = chain;
  const local = new Date(call.startedAtMs).toISOString().slice(0, 16);
  const tracebackId = await lab.open({
    call: {
      ...{ called: call.called, calling: call.calling },
      at: { asWritten: `${local} UTC`, local, zone: 'UTC', precision: 'minute' },
    },
  });
  const fetched = (): Promise<Traceback> => lab.value('fetchTraceback', STAFF, { parameters: { tracebackId } });
  await expect.poll(fetched, { timeout: 200_000, interval: 200 }).toMatchObject({ state: 'closed' });
  const shown = await fetched();
  expect(shown.outcome).toBe('foreign-provider');
  expect(shown.hops.map(({ provider, arm }) => [provider.providerId, arm])).toEqual([
    ['prv-a', 'received-from'],
    ['prv-b', 'received-from'],
    ['prv-c', 'received-from'],
    ['prv-abroad', undefined],
  ]);
}, 240_000);
