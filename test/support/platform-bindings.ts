import { createServer } from 'node:http';
import { isHopbackError } from '@hopback/sdk/errors';
import { http } from 'msw';
import { setupServer } from 'msw/node';
import { bearerToken, PlatformClient, WebhookReceiver } from '@hopback/sdk/platform';
import type { PlatformClientOptions, PlatformEvent, TimerClock } from '@hopback/sdk/platform';
import { TestPlatform, platformHandlers, type TestPlatformOptions } from '@hopback/sdk/testing';
import { listening } from './http-server.js';

/** A way by which requests come to a test platform. */
export interface PlatformBinding {
  readonly name: 'msw' | 'HTTP';
  readonly start: (options?: Omit<TestPlatformOptions, 'baseUrl'>) => Promise<TestPlatform>;
}

class BoundPlatform extends TestPlatform {
  readonly server = setupServer(...platformHandlers(this, { http }));

  override async close(): Promise<void> {
    this.server.close();
    await super.close();
  }
}

/** The same platform behind msw, and behind a port. */
export const PLATFORM_BINDINGS: readonly PlatformBinding[] = [
  {
    name: 'msw',
    start: async (options = {}) => {
      const platform = new BoundPlatform(options);
      platform.server.listen({ onUnhandledRequest: 'bypass' });
      return platform;
    },
  },
  { name: 'HTTP', start: (options = {}) => TestPlatform.start(options) },
];

/** A client of a provider, with a token that is there already. */
export function clientOf(
  platform: TestPlatform,
  clientId = 'prv-birch',
  options: Partial<PlatformClientOptions> = {},
): PlatformClient {
  const { token } = platform.credentials(clientId);
  const { baseUrl } = platform;
  return new PlatformClient({
    baseUrl,
    authorization: bearerToken(token),
    random: () => 0,
    maxRetries: 0,
    ...options,
  });
}

/** A receiver of webhooks on a port of its own; it answers its first requests with the given statuses. */
export async function receiving(clock?: TimerClock, answers: readonly number[] = []) {
  const events: PlatformEvent[] = [];
  const secrets: string[] = [];
  const receiver = new WebhookReceiver({
    secrets: () => (secrets.length === 0 ? ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] : secrets),
    ...(clock !== undefined && { clock }),
    consume: (event) => void events.push(event),
  });
  const handle = receiver.nodeHandler;
  let requests = 0;
  const server = await listening(
    createServer((request, response) => {
      const status = answers[requests];
      requests += 1;
      if (status === undefined) handle(request, response);
      else response.writeHead(status).end();
    }),
  );
  const close = async (): Promise<void> => {
    await receiver.close();
    await server[Symbol.asyncDispose]();
  };
  return { events, secrets, url: `http://127.0.0.1:${server.port}/`, [Symbol.asyncDispose]: close };
}

/** The code of the problem that a call is refused with; `fulfilled` where it is not. */
export async function problemOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'fulfilled',
    (error: unknown) => (isHopbackError(error) ? error.details['problemCode'] : error),
  );
}
