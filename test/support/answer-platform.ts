import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign } from 'jose';
import { createTestKey } from '../../sdk/src/testing/test-key.js';
import type { TracebackRequest } from '../../sdk/src/traceback/index.js';

/** Starts a platform on loopback that lists open requests, takes answers, signs receipts, and keeps every body that ever came. */
export async function startAnswerPlatform() {
  const { privateKey, publicKeyJwk } = createTestKey();
  const requests = new Map<string, TracebackRequest>();
  const answers = new Map<string, string[]>();
  const acknowledged = new Set<string>();
  const wake: (() => void)[] = [];
  let fault = (): number => 1;
  let rate = 0;

  const take = async (requestId: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { answer } = JSON.parse(await bodyOf(request)) as { answer: string };
    const broken = fault() < rate ? Math.floor(fault() * 3) : -1;
    if (broken === 0) return void request.socket.resetAndDestroy();
    if (broken === 1) return void response.writeHead(503, { 'retry-after': '0' }).end();
    answers.set(requestId, [...(answers.get(requestId) ?? []), answer]);
    // Taken, and nobody hears of it.
    if (broken === 2) return void request.socket.resetAndDestroy();
    const payload = JSON.parse(Buffer.from(answer.split('.')[1] ?? '', 'base64url').toString()) as {
      answerId: string;
      tracebackId: string;
      revision: number;
    };
    const receipt = {
      format: 'hopback.answer-receipt.1',
      requestId,
      tracebackId: payload.tracebackId,
      answerId: payload.answerId,
      revision: payload.revision,
      answerSha256: createHash('sha256').update(answer).digest('hex'),
      receivedAt: new Date().toISOString(),
      isLate: false,
    };
    const jws = await new CompactSign(Buffer.from(JSON.stringify(receipt)))
      .setProtectedHeader({ alg: 'ES256', typ: 'answer-receipt+jws' })
      .sign(privateKey);
    json(response, 201, { answerId: payload.answerId, receipt: jws });
  };
  const statusOf = (request: TracebackRequest): unknown => ({
    request,
    state: answers.has(request.requestId) ? 'answered' : 'open',
    dueAt: '2027-01-01T00:00:00Z',
    answers: [],
  });
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for (const resolve of wake.splice(0)) resolve();
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    const [, requestId = '', what = ''] = /^\/v1\/traceback-requests\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
    const asked = requests.get(requestId);
    if (what === 'answers') return take(requestId, request, response);
    if (what === 'acknowledgement') acknowledged.add(requestId);
    if (asked !== undefined) return json(response, 200, statusOf(asked));
    const items = [...requests.values()].filter(
      (one) => !answers.has(one.requestId) && !acknowledged.has(one.requestId),
    );
    return json(response, 200, { items: items.slice(0, PAGE).map(statusOf) });
  };
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const keys = JSON.stringify({ keys: [{ ...publicKeyJwk, alg: 'ES256', use: 'sig' }] });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    /** JWK set of the key of its receipts, as JSON. */
    keys,
    ask: (request: TracebackRequest) => void requests.set(request.requestId, request),
    /** By request: all answers that came, in order, repeats included. */
    answers: answers as ReadonlyMap<string, readonly string[]>,
    /** Requests that have no answer yet. */
    open: (): readonly string[] => [...requests.keys()].filter((requestId) => !answers.has(requestId)),
    acknowledged: () => acknowledged.size,
    /** Resolves when somebody asks next. */
    nextRequest: () => new Promise<void>((resolve) => wake.push(resolve)),
    /** Breaks in place of, or after, taking an answer as often as this says, 0 to 1. */
    setFaults: (random: (() => number) | undefined, part: number): void => {
      fault = random ?? fault;
      rate = part;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type AnswerPlatform = Awaited<ReturnType<typeof startAnswerPlatform>>;

/** Requests of one page; the others are there when these are acknowledged. */
const PAGE = 50;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
