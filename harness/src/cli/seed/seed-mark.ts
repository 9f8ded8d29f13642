import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSecretFile } from '../../platform/database/index.js';
import { demoFolder } from './members.js';

/** How far a demo is: its calls are those of `startedAtMs`, however often it is begun. */
export interface SeedMark {
  readonly format: 'hopback.demo-seed.1';
  readonly startedAtMs: number;
  readonly isDone: boolean;
}

const FORMAT = 'hopback.demo-seed.1';

const markFile = (directory: string): string => join(demoFolder(directory), 'seed.json');

/** The mark of a folder; undefined where no demo was begun. */
export async function readSeedMark(directory: string): Promise<SeedMark | undefined> {
  const text = await readFile(markFile(directory), 'utf8').catch(() => '');
  try {
    const given = JSON.parse(text) as Partial<SeedMark>;
    return given.format === FORMAT && Number.isSafeInteger(given.startedAtMs) ? (given as SeedMark) : undefined;
  } catch {
    return undefined;
  }
}

/** @throws HopbackError `storage-failed` */
export async function keepSeedMark(directory: string, mark: Omit<SeedMark, 'format'>): Promise<SeedMark> {
  const whole: SeedMark = { format: FORMAT, ...mark };
  await writeSecretFile(markFile(directory), `${JSON.stringify(whole)}\n`, 'replace');
  return whole;
}
