import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface HeardRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** Starts an HTTP service that does what the test says, on a free port. */
export async function startStirService(
  answer: (request: HeardRequest, response: ServerResponse, count: number) => void,
) {
  const heard: HeardRequest[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      heard.push({ path, authorization: headers.authorization, body: Buffer.concat(chunks).toString() });
      answer(heard.at(-1) as HeardRequest, response, heard.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    heard,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers every call alike. */
export const verdict =
  (verstat: string): Parameters<typeof startStirService>[0] =>
  (_request, response) =>
    void response.end(JSON.stringify({ verificationResponse: { verstat } }));
