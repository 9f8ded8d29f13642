import { mkdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ASTERISK_SOURCE, asteriskRow, createRecordsLab, type RecordsLab } from '../support/cli-records-lab.js';
import { isEnded, writeOld } from '../support/packed-records.js';
import { openSidecarLab } from '../support/sidecar-lab.js';
import { startSidecarProcess } from '../support/sidecar-process.js';

/** Rows of the rotated file: packed they have some hundred KiB. */
const ROTATED = 15_000;
const LIVE = 20;

let lab: RecordsLab;
beforeEach(async () => {
  lab = await createRecordsLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

const rows = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `${asteriskRow(from + at)}\n`).join('');

/** Two PBXs: the first has rotated and packed its file, as logrotate does every day. @returns the files that declare them */
async function twoSources(): Promise<readonly string[]> {
  const packed = gzipSync(rows(0, ROTATED), { level: 1 });
  expect(packed.length).toBeGreaterThan(262_144);
  for (const name of ['pbx-1', 'pbx-2']) {
    await mkdir(lab.path(name));
    await lab.put(`${name}/Master.csv`, rows(ROTATED, ROTATED + LIVE));
  }
  await writeOld(lab.path('pbx-1/Master.csv.1.gz'), packed);
  return Promise.all(
    ['pbx-1', 'pbx-2'].map((id) =>
      lab.putJson(`${id}.json`, { ...ASTERISK_SOURCE, id, path: lab.path(`${id}/Master.csv`) }),
    ),
  );
}

const tailArgs = (sources: readonly string[]): readonly string[] => [
  ...['records', 'tail', '--store', lab.store, '--json'],
  ...sources.flatMap((source) => ['--source', source]),
];
const isAllIn = (line: string): boolean =>
  line.includes(`"inserted":${ROTATED + LIVE}`) && line.includes(`"inserted":${LIVE}`);

test('records tail --once takes in a packed file of some hundred KiB, and what another source has', async () => {
  const command = lab.start([...tailArgs(await twoSources()), '--once']);
  expect(await isEnded(command.ended())).toBe(true);
  expect(await command.ended()).toBe(0);
  expect(await lab.stored()).toBe(ROTATED + 2 * LIVE);
});

test('records tail reads a packed file of some hundred KiB and the other source, and ends on SIGTERM', async () => {
  const command = lab.start(tailArgs(await twoSources()));
  expect(await isEnded(command.until(isAllIn))).toBe(true);
  const end = command.end('SIGTERM');
  expect(await isEnded(end)).toBe(true);
  expect(await end).toBe(0);
  expect(await lab.stored()).toBe(ROTATED + 2 * LIVE);
});

test('serve reads packed files of its sources, and ends on SIGTERM', async () => {
  await using sidecar = await openSidecarLab();
  const sources = await twoSources();
  await sidecar.configure({ records: { directory: lab.store, sources } });
  await using service = await startSidecarProcess({ configurationPath: sidecar.configurationPath });
  const inserted = (id: string): string => `{source="${id}",outcome="inserted"}`;
  const isTakenIn = async (): Promise<void> => {
    for (;;) {
      const counts = await service.counts('hopback_records_total');
      if (counts[inserted('pbx-1')] === ROTATED + LIVE && counts[inserted('pbx-2')] === LIVE) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  expect(await isEnded(isTakenIn())).toBe(true);
  service.signal('SIGTERM');
  expect(await isEnded(service.ended)).toBe(true);
  expect(await service.ended).toEqual({ code: 0, signal: null });
});
