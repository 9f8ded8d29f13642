import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { expect, test, vi } from 'vitest';
import { whileListening } from '../support/http-server.js';
import { fromAnywhere, NAME, WRONG } from '../support/review-lab.js';

test('over real sockets a browser that hangs up while it waits frees its place', async () => {
  await using attacked = await fromAnywhere();
  const listener = getRequestListener(attacked.app.fetch, { overrideGlobalObjects: false });
  const server = createServer((request, response) => void listener(request, response));
  await whileListening(server, async (port) => {
    const posted = async (signal?: AbortSignal): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${port}/review/login`, {
        ...{ method: 'POST', redirect: 'manual', ...(signal !== undefined && { signal }) },
        headers: { origin: `http://127.0.0.1:${port}`, 'x-test-source': '203.0.113.1' },
        body: new URLSearchParams({ name: NAME, password: WRONG }),
      });
      return response.status;
    };
    expect([await posted(), await posted(), await posted()]).toEqual([401, 401, 401]);
    const leaving = new AbortController();
    const waiting = Array.from({ length: 4 }, () => posted(leaving.signal).catch(() => 'gone'));
    await vi.waitFor(() => expect(attacked.clock.pendingTimers()).toBe(4), { timeout: 30_000 });
    expect(await posted()).toBe(429);
    leaving.abort();
    expect(await Promise.all(waiting)).toEqual(['gone', 'gone', 'gone', 'gone']);
    await vi.waitFor(() => expect(attacked.clock.pendingTimers()).toBe(0), { timeout: 30_000 });
    const again = posted();
    await vi.waitFor(() => expect(attacked.clock.pendingTimers()).toBe(1), { timeout: 30_000 });
    attacked.clock.advance(30_000);
    expect(await again).toBe(401);
  });
});
