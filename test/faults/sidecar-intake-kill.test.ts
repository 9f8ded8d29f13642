import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { readRejects } from '../../sdk/src/records/ingest/rejects.js';
import { rejectsFile } from '../../sdk/src/records/intake/intake-source.js';
import { sampleCallRecord } from '../../sdk/src/testing/sample-call-record.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { testFolder } from '../support/test-folder.js';

const PROCESS = fileURLToPath(new URL('../support/sidecar-intake-process.ts', import.meta.url));

const folder = testFolder();
let running: ChildProcess | undefined;
afterEach(() => void running?.kill('SIGKILL'));

async function start() {
  const child = spawn(process.execPath, ['--import', 'tsx', PROCESS, folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running = child;
  const exit = once(child, 'exit');
  const [port] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exit;
  };
  return { url: `http://127.0.0.1:${port}`, kill };
}

/** Sends batches of three records with a line that is none, and keeps what was acknowledged. What was not is sent again. */
function createSender(name: string) {
  const acknowledged = new Set<string>();
  let rejects = 0;
  let batch = 0;
  const send = async (url: string): Promise<void> => {
    const records = [1, 2, 3].map((n) => sampleCallRecord({ legId: `${name}-${batch}-${n}` }));
    const body = [...records.map((record) => JSON.stringify(record)), `{"not":"${name}-${batch}"}`].join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await fetch(`${url}/v1/records`, { method: 'POST', headers, body });
    const { accepted, repeated, rejected } = (await response.json()) as Readonly<Record<string, number>>;
    expect([response.status, (accepted ?? 0) + (repeated ?? 0), rejected]).toEqual([200, 3, 1]);
    for (const { recordId } of records) acknowledged.add(recordId);
    rejects += 1;
    batch += 1;
  };
  return {
    acknowledged,
    rejectsAcknowledged: () => rejects,
    /** Sends until the server is gone. */
    async run(url: string, onAcknowledged: () => void): Promise<void> {
      for (;;) {
        const isGone = await send(url).then(
          () => false,
          (error: unknown) => {
            // The connection was refused, or broke within an answer: of both fetch says the cause.
            if (error instanceof TypeError && error.cause !== undefined) return true;
            throw error;
          },
        );
        if (isGone) return;
        onAcknowledged();
      }
    },
  };
}

test('what was acknowledged is there after every kill, records in the store and rejected lines in their file', async () => {
  const kills = faultCount({ short: 3, full: 50 });
  const senders = ['a', 'b', 'c', 'd'].map(createSender);
  for (let round = 1; round <= kills; round += 1) {
    const server = await start();
    let answers = 0;
    let killed: Promise<void> | undefined;
    const onAcknowledged = (): void => {
      answers += 1;
      // Somewhere within the work of the next batches, another place in every round.
      if (answers === 5 + round) killed = server.kill();
    };
    await Promise.all(senders.map((sender) => sender.run(server.url, onAcknowledged)));
    await killed;
  }
  const ids = new Set(senders.flatMap(({ acknowledged }) => [...acknowledged]));
  await using store = await openDuckDbRecordStore({ directory: folder.path });
  const window = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER };
  let found = 0;
  for (const recordId of ids) found += (await store.find({ window, recordId })).records.length;
  expect(found).toBe(ids.size);
  expect(found).toBeGreaterThanOrEqual(kills * 15);
  const kept = new Set<string>();
  for await (const { sha256 } of readRejects(rejectsFile(folder.path, 'http', 'tail'))) kept.add(sha256);
  const rejects = senders.reduce((sum, sender) => sum + sender.rejectsAcknowledged(), 0);
  expect(kept.size).toBeGreaterThanOrEqual(rejects);
  reportFault('sidecar-intake-kill', {
    kills,
    acknowledged: ids.size,
    missing: ids.size - found,
    rejects,
    rejectsKept: kept.size,
  });
});
