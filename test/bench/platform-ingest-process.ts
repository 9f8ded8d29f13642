/**
 * What takes batches of live records, in a process of its own, for the bench `platform-ingest`. Says `{"url","control","client"}` once it
 * listens; at `control`, `/drained` answers when everything is stored and told, and `/count?from&to` with what is stored of a stretch of time.
 * `tsx platform-ingest-process.ts DIRECTORY platform|intake|bodies`
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodiesAlone, intakeAlone, wholePlatform, type ReceivingSide } from './platform-ingest-sides.js';
import { threadTimes } from './process-times.js';

const [directory = '', design = ''] = process.argv.slice(2);
const SIDES: Readonly<Record<string, (directory: string) => Promise<ReceivingSide>>> = {
  platform: wholePlatform,
  intake: intakeAlone,
  bodies: bodiesAlone,
};
/** Milliseconds that are looked up at once: some 15,000 records. */
const WINDOW_MS = 1_000;

const open = SIDES[design];
if (open === undefined) throw new Error(`${design} is none of ${Object.keys(SIDES).join(', ')}`);
const side = await open(directory);

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

const control = createServer((request, response) => {
  void answerTo(new URL(request.url ?? '/', 'http://control'))
    .then((answer) => response.end(JSON.stringify(answer)))
    .catch((error: unknown) => response.writeHead(500).end(String(error)));
});
await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
const controlUrl = `http://127.0.0.1:${(control.address() as AddressInfo).port}`;
process.stdout.write(`${JSON.stringify({ url: side.url, control: controlUrl, client: side.client })}\n`);
// The bench is gone, by whatever end: so is its platform.
process.stdin.resume().on('end', () => process.exit());
