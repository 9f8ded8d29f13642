import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDuckDbRecordStore } from '../../sdk/dist/records/store/duckdb-record-store.js';
import { measureAnswers } from './traceback-answers.js';
import { measureMatches } from './traceback-matches.js';
import type { AskedCall } from './traceback-requests.js';
import type { Ground } from './traceback-traffic.js';

// A carrier with its store and what it is asked, and nothing else: `traceback-process.ts matches|answers JOB_FILE`. Says that it has begun, writes
// what it measured beside the job, and says that it is done.

/** What the carrier does. */
export interface CarrierJob {
  /** Where `records` lies. */
  readonly folder: string;
  readonly ground: Ground;
  readonly asked: readonly Pick<AskedCall, 'request' | 'instants' | 'calledTn'>[];
  /** Requests that are sent by the clock. */
  readonly paced: number;
  /** Of those, a second. */
  readonly rate: number;
}

/** Requests beside those that are measured: the first of them warm up, by the others the raw limit is measured. */
const RAW_REQUESTS = 240;

const [part = '', file = ''] = process.argv.slice(2);
const { folder, ground, asked, paced, rate } = JSON.parse(readFileSync(file, 'utf8')) as CarrierJob;
const store = await openDuckDbRecordStore({ directory: join(folder, 'records') });
process.stdout.write(`${part} on ${asked.length} requests\n`);
const measured = part === 'answers' ? await answers() : await matches();
await store.close();
writeFileSync(`${file}.measured`, JSON.stringify(measured));
process.stdout.write('done\n');

function matches(): ReturnType<typeof measureMatches> {
  return measureMatches({ store, ground, requests: asked.map(({ request }) => request), paced, rate });
}

async function answers(): Promise<Awaited<ReturnType<typeof measureAnswers>>> {
  const count = Math.min(asked.length - RAW_REQUESTS, paced);
  const result = await measureAnswers({
    ...{ store, ground, rate, directory: join(folder, 'answers') },
    asked: asked.slice(0, count),
    others: asked.slice(count, count + RAW_REQUESTS),
  });
  for (const problem of new Set(result.problems)) process.stderr.write(`answers: ${problem}\n`);
  return result;
}
