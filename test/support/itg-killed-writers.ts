import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openAuditLog, openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import type { DatabasePlace } from '../../harness/src/platform/database/index.js';
import { createLogSigner } from '../../sdk/src/log/index.js';
import { createTestKey } from '../../sdk/src/testing/index.js';
import { builtProgram } from './built-program.js';
import { createTestContext } from './itg-context.js';

/** Where a writer writes. */
export interface WriterPlace {
  readonly database: DatabasePlace;
  /** For the log of the audit, its key, and the key ring. */
  readonly folder: string;
}

const WRITER = fileURLToPath(new URL('itg-writer-process.ts', import.meta.url));

/** What a round does with a writer once it writes, beside killing it at the end. */
export type Disturbance = (round: number) => Promise<void>;

export interface KilledWriters {
  readonly acknowledged: number;
  readonly present: number;
  readonly longestOpenMs: number;
}

/** Kills writers in the middle, and counts what is there: all that was acknowledged, each once, with audit, event and leaf. */
export async function killedWriters(options: {
  readonly rounds: number;
  readonly place: (folder: string) => DatabasePlace;
  readonly disturb?: Disturbance;
}): Promise<KilledWriters> {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-itg-kill-'));
  const { privateKeyPem } = createTestKey();
  await writeFile(join(folder, 'log-key.pem'), privateKeyPem, { mode: 0o600 });
  const database = options.place(folder);
  const acknowledged = new Set<string>();
  let longestOpenMs = 0;
  for (let round = 0; round < options.rounds; round += 1) {
    const begunMs = performance.now();
    const child = spawn(
      process.execPath,
      [builtProgram(WRITER), JSON.stringify({ database, folder } satisfies WriterPlace), `r${round}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const acks = await untilKilled(child, {
      afterMs: (round * 37) % 200,
      onOpen: () => (longestOpenMs = Math.max(longestOpenMs, performance.now() - begunMs)),
      disturb: async () => options.disturb?.(round),
    });
    expect(acks.length).toBeGreaterThan(0);
    for (const id of acks) acknowledged.add(id);
  }
  const present = await counted({ database, folder }, { acknowledged, privateKeyPem });
  await rm(folder, { recursive: true, force: true });
  return { acknowledged: acknowledged.size, present, longestOpenMs: Math.round(longestOpenMs) };
}

async function untilKilled(
  child: ChildProcess,
  options: { readonly afterMs: number; readonly onOpen: () => void; readonly disturb: () => Promise<void> },
): Promise<readonly string[]> {
  let output = '';
  let isWriting = false;
  let disturbed: Promise<void> | undefined;
  const kill = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, options.afterMs));
    await options.disturb();
    await new Promise((resolve) => setTimeout(resolve, options.afterMs));
    child.kill('SIGKILL');
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (isWriting || !output.includes('ack ')) return;
    isWriting = true;
    options.onOpen();
    disturbed = kill();
  });
  await once(child, 'close');
  await disturbed;
  const lines = output.split('\n').slice(0, -1);
  return lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4));
}

async function counted(
  { database: place, folder }: WriterPlace,
  of: { readonly acknowledged: ReadonlySet<string>; readonly privateKeyPem: string },
): Promise<number> {
  await using database = await openPlatformDatabase(place);
  const context = createTestContext({ database });
  const signer = createLogSigner(of.privateKeyPem);
  await using log = await openAuditLog({
    ...{ context, database, directory: join(folder, 'log'), logId: 'itg.example/audit', signer },
  });
  await log.drain();
  const audited = (await context.audited()).map(({ object }) => object);
  const told = (await context.events()).map(({ subject }) => subject);
  const sealed = await database.database.selectFrom('core_sealed').select('belongs_to').execute();
  const present = new Set(audited);
  expect([...of.acknowledged].filter((id) => !present.has(id))).toEqual([]);
  // Each once, and event, audit and sealed value together or none.
  expect(present.size).toBe(audited.length);
  expect(told.toSorted()).toEqual(audited.toSorted());
  expect(sealed.map(({ belongs_to: id }) => id).toSorted()).toEqual(audited.toSorted());
  expect(await log.verify()).toMatchObject({
    status: 'intact',
    rows: audited.length,
    entries: audited.length,
    waiting: 0,
  });
  return audited.length;
}
