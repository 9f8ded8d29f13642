import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { ASTERISK_SOURCE, asteriskRow } from '../support/cli-records-lab.js';
import { ask, openSidecarLab } from '../support/sidecar-lab.js';

const PATIENCE = { timeout: 45_000, interval: 50 };

test('serve tells of a source that is stuck in its log, its readiness and its metrics, and answers calls all the same', async () => {
  await using lab = await openSidecarLab();
  const path = join(lab.directory, 'Master.csv');
  // A packed file that may still be written waits a minute; the half row of a switch that died is not waited for.
  const packed = `${path}.1.gz`;
  await writeFile(packed, gzipSync(`${asteriskRow(2)}\n`));
  await writeFile(path, `${asteriskRow(1)}\n${asteriskRow(3).slice(0, 20)}`);
  await lab.write('pbx-1.json', JSON.stringify({ ...ASTERISK_SOURCE, path, stuckAfterMs: 500 }));
  await lab.configure({ records: { directory: 'store', sources: ['pbx-1.json'] } });
  const sidecar = await lab.start();
  const readiness = async (): Promise<unknown> => JSON.parse((await ask(sidecar, '/readyz')).text);
  await vi.waitFor(async () => {
    expect(await readiness()).toMatchObject({ isReady: true, records: 'stuck: pbx-1' });
  }, PATIENCE);
  const told = (words: string): boolean =>
    lab.notices.some(({ part, text }) => part === 'records' && text.startsWith('pbx-1: ') && text.includes(words));
  await vi.waitFor(() => expect(told('makes no progress')).toBe(true), PATIENCE);
  const figure = async (name: string): Promise<number> => {
    const { text } = await ask(sidecar, '/metrics');
    return Number(new RegExp(`^${name}\\{source="pbx-1"\\} (\\S+)$`, 'm').exec(text)?.[1]);
  };
  expect(await figure('hopback_records_oldest_unread_seconds')).toBeGreaterThan(0.4);
  const lastSeconds = await figure('hopback_records_last_progress_timestamp_seconds');
  expect(Math.abs(lastSeconds - Date.now() / 1_000)).toBeLessThan(300);
  const longAgo = Date.now() / 1_000 - 3_600;
  await utimes(packed, longAgo, longAgo);
  await vi.waitFor(async () => expect(await readiness()).toMatchObject({ records: 'ready' }), PATIENCE);
  expect(await figure('hopback_records_oldest_unread_seconds')).toBe(0);
  expect(await figure('hopback_records_last_progress_timestamp_seconds')).toBeGreaterThanOrEqual(lastSeconds);
  await vi.waitFor(() => expect(told('goes on again')).toBe(true), PATIENCE);
});
