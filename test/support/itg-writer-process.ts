/**
 * Writes to a platform's database until it is killed: `node --import tsx itg-writer-process.ts PLACE LIFE`, PLACE as JSON. Prints `open`, and `ack ID` for each
 * transaction that committed.
 */
import { readFileSync } from 'node:fs';
import {
  createPlatformContext,
  migratePlatform,
  openAuditLog,
  openKeyRing,
  openPlatformDatabase,
  SILENT_LOG,
} from '../../harness/src/platform/database/index.js';
import { createLogSigner } from '../../sdk/dist/log/index.js';
import type { WriterPlace } from './itg-killed-writers.js';

/** Transactions under way at once. */
const WRITERS = 4;

const [placeText = '', life = ''] = process.argv.slice(2);
const { database: place, folder } = JSON.parse(placeText) as WriterPlace;
const clock = {
  nowMs: () => Date.now(),
  schedule: (callback: () => void, delayMs: number) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
const database = await openPlatformDatabase(place);
await migratePlatform(database, []);
const masterKey = await openKeyRing(`${folder}/keys.json`);
const context = createPlatformContext({ database, clock, masterKey, log: SILENT_LOG });
const signer = createLogSigner(readFileSync(`${folder}/log-key.pem`, 'utf8'));
await openAuditLog({ context, database, directory: `${folder}/log`, logId: 'itg.example/audit', signer });
process.stdout.write('open\n');

const write = async (id: string): Promise<void> => {
  await context.transact(async (transaction) => {
    const entry = { action: 'written', organizationId: 'o', actor: 'c', object: id };
    await context.audit(transaction, { ...entry, details: { text: 'x'.repeat(id.length * 10) } });
    await context.announce(transaction, { type: 'demand.approved', subject: id, data: { demandId: id } });
    await context.sealed.seal(transaction, id, id);
  });
  process.stdout.write(`ack ${id}\n`);
};
const writer = async (number: number): Promise<void> => {
  // What failed for good is not acknowledged, and the next one tried.
  for (let count = 0; ; count += 1) await write(`${life}-${number}-${count}`).catch(() => undefined);
};
await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
