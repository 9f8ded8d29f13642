import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { TestPki } from '@hopback/sdk/testing';

/** A platform that takes batches of records over HTTPS and keeps each record once, by its id. */
export interface DemoPlatform extends AsyncDisposable {
  /** Where batches are posted. */
  readonly url: string;
  /** PEM certificate that vouches for it. */
  readonly caPem: string;
  /** Ids of the records that it keeps. */
  readonly ids: ReadonlySet<string>;
  /** Records that came although they were there. */
  readonly repeated: () => number;
  /** Resolves when the first batch is here. */
  readonly first: Promise<void>;
  /** Asked at each batch whose records are kept; true leaves it without an answer. */
  readonly onKept: (isUnanswered: (kept: number) => boolean) => void;
}

/** Starts it on a free port of loopback. */
export async function startDemoPlatform(pki: TestPki, token: string): Promise<DemoPlatform> {
  const certificate = pki.issueTls({ addresses: ['127.0.0.1'] });
  const ids = new Set<string>();
  let repeated = 0;
  let hasCome: () => void = () => undefined;
  const first = new Promise<void>((resolve) => (hasCome = resolve));
  let isUnanswered: (kept: number) => boolean = () => false;

  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end();
      return;
    }
    const unpack = request.headers['content-encoding'] === 'br' ? brotliDecompressSync : gunzipSync;
    const records = recordIds(unpack(body));
    for (const id of records) {
      if (ids.has(id)) repeated += 1;
      ids.add(id);
    }
    hasCome();
    if (isUnanswered(ids.size)) return;
    const batchId = String(request.headers['idempotency-key']);
    response.end(JSON.stringify({ batchId, accepted: records.length, rejected: [] }));
  };
  const server = createServer({ key: certificate.privateKeyPem, cert: certificate.chainPem }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
    // Whoever posts may be killed.
    request.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1/records`,
    caPem: pki.tlsRoot.certificatePem,
    ids,
    first,
    repeated: () => repeated,
    onKept: (asked) => (isUnanswered = asked),
    [Symbol.asyncDispose]: () => closed(server),
  };
}

function recordIds(body: Buffer): readonly string[] {
  const lines = body.toString().trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { readonly recordId: string }).recordId);
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
