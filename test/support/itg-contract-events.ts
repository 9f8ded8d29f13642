import { expect, test } from 'vitest';
import type { StreamedEvent } from '../../sdk/src/platform/index.js';
import { expectPaged, refusal } from './itg-contract-world.js';
import type { ContractWorld } from './itg-contract-world.js';

/** Events by webhook and stream. */
export function eventContractClaims(engine: string, opened: () => ContractWorld): void {
  test(`${engine}: webhook endpoints are those of their organization, and tell their secret once`, async () => {
    const { birch, texas, as } = opened();
    const { webhookEndpoints } = await as(birch);
    const order = { url: 'https://receiver.example/hook', description: 'Tracebacks.' } as const;
    const created = await webhookEndpoints.create(order, { idempotencyKey: 'endpoint-0' });
    expect(created).toMatchObject({ ...order, state: 'active', secret: expect.stringMatching(/^whsec_/) });
    expect(await webhookEndpoints.create(order, { idempotencyKey: 'endpoint-0' })).toEqual(created);
    expect(await refusal(webhookEndpoints.create({ url: 'https://10.0.0.1/hook' }))).toBe('webhook-url-refused');
    for (const path of ['a', 'b']) await webhookEndpoints.create({ url: `https://receiver.example/${path}` });
    const listed = await expectPaged((page) => webhookEndpoints.list(page), {
      limit: 2,
      keyOf: ({ endpointId }) => endpointId,
    });
    expect(listed).toHaveLength(3);
    expect(JSON.stringify(listed)).not.toContain('whsec_');
    const { endpointId } = created;
    const rotated = await webhookEndpoints.rotateSecret({ endpointId }, { idempotencyKey: 'rotation-0' });
    expect(rotated).toMatchObject({ endpointId, secret: expect.stringMatching(/^whsec_/) });
    expect(rotated.secret).not.toBe(created.secret);
    expect(await webhookEndpoints.rotateSecret({ endpointId }, { idempotencyKey: 'rotation-0' })).toEqual(rotated);
    const since = new Date(Date.now() - 600_000).toISOString();
    const replayed = await webhookEndpoints.replay({ endpointId, since });
    // Requests, tracebacks and notices of the tests before.
    expect(replayed.events).toBeGreaterThan(5);
    const old = new Date(Date.now() - 40 * 86_400_000).toISOString();
    expect(await refusal(webhookEndpoints.replay({ endpointId, since: old }))).toBe('gone');
    const others = (await as(texas)).webhookEndpoints;
    expect(await refusal(others.rotateSecret({ endpointId }))).toBe('not-found');
    expect(await refusal(others.replay({ endpointId, since }))).toBe('not-found');
    expect(await refusal(others.delete({ endpointId }))).toBe('not-found');
    for (const one of listed) await webhookEndpoints.delete({ endpointId: one.endpointId });
    expect((await webhookEndpoints.list()).items).toEqual([]);
    expect(await refusal(webhookEndpoints.delete({ endpointId }))).toBe('not-found');
  });

  test(`${engine}: the stream tells whom it concerns, and goes on behind the last event that was read`, async () => {
    const { lab, birch, texas, as } = opened();
    const notice = (reference: string): Promise<unknown> =>
      lab.asOperator('POST', '/v1/notices', {
        ...{ providerId: 'birch', reference, description: 'Suspected illegal traffic.', calls: [], tracebackIds: [] },
      });
    const ended = new AbortController();
    const { signal } = ended;
    const nothing: StreamedEvent[] = [];
    const elsewhere = (async () => {
      for await (const event of (await as(texas)).events({ signal })) nothing.push(event);
    })();
    const client = await as(birch);
    const seen: StreamedEvent[] = [];
    let read: Promise<void> = Promise.resolve();
    await new Promise<void>((resolve) => {
      read = (async () => {
        const events = client.events({ signal, onConnection: () => resolve() });
        for await (const event of events) if (seen.push(event) === 2) break;
      })();
    });
    for (const reference of ['EB-S-1', 'EB-S-2']) await notice(reference);
    await read;
    expect(seen.map(referenceIn)).toEqual(['EB-S-1', 'EB-S-2']);
    const { lastEventId } = seen[0]!;
    for await (const event of client.events({ signal, lastEventId })) {
      expect(event).toEqual(seen[1]);
      break;
    }
    expect(nothing).toEqual([]);
    ended.abort();
    await elsewhere;
    await expect(client.events({ lastEventId: 'never-was' }).next()).rejects.toMatchObject({
      details: { problemCode: expect.stringMatching(/^(gone|invalid-parameter)$/) },
    });
  });
}

function referenceIn(streamed: StreamedEvent): string | undefined {
  if (streamed.status !== 'event' || streamed.event.type !== 'org.hopback.notice.issued.1') return streamed.status;
  return streamed.event.data.notice.reference;
}
