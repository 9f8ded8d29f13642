/**
 * What takes batches of live records, in a process of its own, for the bench `platform-ingest`. Says `{"url","control"}` once it
 * listens; at `control`, `/drained` answers when everything is stored and told, and `/count?from&to` with what is stored of a stretch of time.
 * `tsx platform-ingest-process.ts DIRECTORY platform|intake|bodies`
 */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LiveReader, OperationCall } from '../../harness/dist/platform/core/index.js';
import { LiveFeed } from '../../harness/dist/platform/records/live-feed.js';
import { startReferenceWithAreas } from '../../harness/dist/platform/reference/reference-platform.js';
import { MACHINE_CLOCK } from '../../sdk/dist/core/runtime/clock.js';
import { jsonAnswer, type PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import { threadTimes } from './process-times.js';

/** Something that batches are sent to. */
interface ReceivingSide {
  /** Of the server; batches go to `/v1/record-batches`. */
  readonly url: string;
  /** Resolves when everything that was acknowledged is stored, and told to who listens. */
  readonly told: () => Promise<void>;
  readonly find: LiveReader['find'];
}

const CARRIER = 'carrier-1';
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
const [directory = '', design = ''] = process.argv.slice(2);
const SIDES: Readonly<Record<string, () => Promise<ReceivingSide>>> = {
  platform: wholePlatform,
  intake: intakeAlone,
  bodies: bodiesAlone,
};
/** Milliseconds that are looked up at once: some 15,000 records. */
const WINDOW_MS = 1_000;

const open = SIDES[design];
if (open === undefined) throw new Error(`${design} is none of ${Object.keys(SIDES).join(', ')}`);
const side = await open();

/** Records by their ids, and how many there are in all: more where one is there twice. */
async function count(fromMs: number, toMs: number): Promise<{ readonly records: number; readonly distinct: number }> {
  const ids = new Set<string>();
  let records = 0;
  for (let at = fromMs; at < toMs; at += WINDOW_MS) {
    const found = await side.find({ fromMs: at, toMs: Math.min(at + WINDOW_MS, toMs), limit: 50_000 });
    if (found.isCut) throw new Error('there are more records than are looked up at once');
    for (const { record } of found.records) ids.add(record.recordId);
    records += found.records.length;
  }
  return { records, distinct: ids.size };
}

async function answerTo(url: URL): Promise<unknown> {
  if (url.pathname === '/count') return count(Number(url.searchParams.get('from')), Number(url.searchParams.get('to')));
  await side.told();
  return threadTimes();
}

const control = await listening((request, response) => {
  void answerTo(new URL(request.url ?? '/', 'http://control'))
    .then((answer) => response.end(JSON.stringify(answer)))
    .catch((error: unknown) => response.writeHead(500).end(String(error)));
});
process.stdout.write(`${JSON.stringify({ url: side.url, control })}\n`);
// The bench is gone, by whatever end: so is its platform.
process.stdin.resume().on('end', () => process.exit());

/** The whole reference platform as it is started by its command: tokens, limits, the database within, the detection of campaigns. */
async function wholePlatform(): Promise<ReceivingSide> {
  const { url, opened } = await startReferenceWithAreas({ directory });
  return { url, told: opened.records.told, find: opened.records.reader.find };
}

/** Reading, keeping and telling alone, behind a server that does nothing else; somebody listens and does nothing. */
async function intakeAlone(): Promise<ReceivingSide> {
  const context = { clock: MACHINE_CLOCK, log: SILENT };
  const feed = await LiveFeed.open({ context, directory, keptMs: 90 * 86_400_000 });
  feed.listen('bench', { records: () => undefined, report: () => undefined });
  return { url: await taking(feed.take), told: () => feed.told(), find: feed.reader.find };
}

/** A server that reads bodies, and does nothing with them. */
async function bodiesAlone(): Promise<ReceivingSide> {
  const none = (): Promise<never> => Promise.reject(new Error('nothing is kept'));
  return { url: await taking(() => Promise.resolve(jsonAnswer({}))), told: () => Promise.resolve(), find: none };
}

type Take = (call: Pick<OperationCall, 'caller' | 'request' | 'atMs'>) => Promise<PlatformAnswer>;

/** Listens for batches. @returns the URL */
function taking(take: Take): Promise<string> {
  return listening((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      void take(callOf(request, Buffer.concat(chunks))).then((answer) => {
        if (answer.kind === 'json') response.end(JSON.stringify(answer.value));
        else response.writeHead(503).end();
      });
    });
  });
}

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function callOf({ headers }: IncomingMessage, bytes: Uint8Array): Parameters<Take>[0] {
  const parameters = Object.fromEntries(
    ['ce-id', 'Idempotency-Key', 'Content-Encoding'].map((name) => [name, String(headers[name.toLowerCase()])]),
  );
  const caller = { clientId: 'c', organizationId: CARRIER, kind: 'carrier', scopes: ['carrier'], name: 'c' } as const;
  return { caller, request: { parameters, bytes }, atMs: Date.now() };
}
