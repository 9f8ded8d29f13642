import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PlatformClient, WebhookReceiver, createWebhookRequestSource } from '@hopback/sdk/platform';
import { bearerToken, mergeTracebackRequestSources } from '@hopback/sdk/platform';
import { pollTracebackRequests, signWebhook, WIRE_EXAMPLES } from '@hopback/sdk/platform';
import type { FccNotice, PlatformFetch, TracebackRequestArrival } from '@hopback/sdk/platform';
import type { TracebackRequest } from '@hopback/sdk/traceback';
import { isMain } from './lab.js';

type Write = (id: string, received: TracebackRequest | FccNotice) => Promise<unknown>;

/** Takes requests and notices in by webhook, and by polling what those did not bring. `write` resolves when the disk has one. */
export function receiveRequests(client: PlatformClient, secrets: readonly string[], write: Write) {
  const webhooks = createWebhookRequestSource({ client });
  const receiver = new WebhookReceiver({ secrets, consume: webhooks.consume });
  const source = mergeTracebackRequestSources([webhooks, pollTracebackRequests({ client })]);
  const receiving = (async () => {
    for await (const arrival of source)
      await written(arrival, write).then(() => arrival.acknowledge(), arrival.release);
  })();
  const close = async (): Promise<void> => {
    await source.close();
    await Promise.all([receiver.close(), receiving]);
  };
  return { handler: receiver.nodeHandler, close };
}

async function written(arrival: TracebackRequestArrival, write: Write): Promise<void> {
  if (arrival.kind === 'request') await write(arrival.request.requestId, arrival.request);
  if (arrival.kind === 'notice') await write(arrival.notice.noticeId, arrival.notice);
  // A cancelled one needs nobody any more; here nobody works on it yet.
}

if (isMain(import.meta.url)) {
  // In place of the platform: nothing to poll, and every acknowledgement is taken.
  const [{ value: status }] = WIRE_EXAMPLES.TracebackRequestStatus;
  const fetch: PlatformFetch = async (_url, { method }) => Response.json(method === 'GET' ? { items: [] } : status);
  const client = new PlatformClient({
    baseUrl: 'https://itg.example',
    authorization: bearerToken('c2VjcmV0'),
    fetch,
  });
  const secrets = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'];
  const kept = new Map<string, unknown>();
  const { handler, close } = receiveRequests(client, secrets, async (id, received) => kept.set(id, received));
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  // What the platform posts, twice, and what somebody else would like to have been posted.
  const [{ value: event }] = WIRE_EXAMPLES.PlatformEvent;
  const body = JSON.stringify(event);
  const fields = signWebhook({ id: event.id, timestampSeconds: Math.floor(Date.now() / 1_000), body, secrets });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  const post = async (octets: string): Promise<number> =>
    (await globalThis.fetch(address, { method: 'POST', headers: { ...fields }, body: octets })).status;
  console.log(await post(body), await post(body), await post(body.replace('"hop":', '"hip":')), kept.size); // 204 204 401 1
  await close();
  server.close();
}
