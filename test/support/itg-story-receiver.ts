import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TimerClock } from '../../sdk/src/core/runtime/clock.js';
import { createWebhookReceiver, nodeWebhookHandler } from '../../sdk/src/platform/index.js';
import type { PlatformClient } from '../../sdk/src/platform/index.js';
import type { TestPki } from '../../sdk/src/testing/index.js';

/** An event as the receiver of the SDK handed it on: its signature was verified by then. */
export interface HeardEvent {
  readonly type: string;
  readonly subject?: string;
  readonly data: unknown;
}

/** An endpoint of HTTPS that an organization has registered. */
export interface StoryReceiver extends AsyncDisposable {
  readonly heard: readonly HeardEvent[];
  /** Replaces the secret that signatures are verified with. */
  readonly useSecret: (secret: string) => void;
}

/** Listens with the receiver of the SDK, and registers that address for an organization. */
export async function startStoryReceiver(
  client: PlatformClient,
  { pki, clock }: { readonly pki: TestPki; readonly clock: TimerClock },
): Promise<StoryReceiver> {
  const heard: HeardEvent[] = [];
  // Until the platform has given the real one.
  const secrets = [`whsec_${Buffer.alloc(24).toString('base64')}`];
  const consume = (event: HeardEvent): void => void heard.push(event);
  const receiver = createWebhookReceiver({ clock, secrets: () => secrets, consume });
  const certificate = pki.issueTls({ addresses: ['127.0.0.1'] });
  const server = createServer(
    { cert: certificate.chainPem, key: certificate.privateKeyPem },
    nodeWebhookHandler(receiver),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`;
  const { secret } = await client.webhookEndpoints.create({ url });
  const useSecret = (next: string): void => void secrets.splice(0, 1, next);
  useSecret(secret);
  return {
    ...{ heard, useSecret },
    [Symbol.asyncDispose]: async () => {
      await receiver.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
