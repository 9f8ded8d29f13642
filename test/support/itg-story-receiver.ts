import { createServer } from 'node:https';
import type { TimerClock } from '../../sdk/src/core/runtime/clock.js';
import { WebhookReceiver, type PlatformClient, type PlatformEvent } from '../../sdk/src/platform/index.js';
import type { TestPki } from '../../sdk/src/testing/index.js';
import { listening } from './http-server.js';

/** An endpoint of HTTPS that an organization has registered. */
export type StoryReceiver = Awaited<ReturnType<typeof startStoryReceiver>>;

/** Listens with the receiver of the SDK, and registers that address for an organization. */
export async function startStoryReceiver(
  client: PlatformClient,
  { pki, clock }: { readonly pki: TestPki; readonly clock: TimerClock },
) {
  const heard: PlatformEvent[] = [];
  // Until the platform has given the real one.
  const secrets = [`whsec_${Buffer.alloc(24).toString('base64')}`];
  const receiver = new WebhookReceiver({
    ...{ clock, secrets: () => secrets, consume: (event) => void heard.push(event) },
  });
  const { chainPem: cert, privateKeyPem: key } = pki.issueTls({ addresses: ['127.0.0.1'] });
  const server = await listening(createServer({ cert, key }, receiver.nodeHandler));
  const { secret } = await client.webhookEndpoints.create({ url: `https://127.0.0.1:${server.port}/hook` });
  /** Replaces the secret that signatures are verified with. */
  const useSecret = (next: string): void => void secrets.splice(0, 1, next);
  useSecret(secret);
  return {
    ...{ heard, useSecret },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await receiver.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
