import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { SegmentLog } from '../../sdk/src/log/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { changedRecords, LOG_APPENDER, readEverything, recordText } from '../support/log-records.js';
import { withinASecond, type RestartTime } from '../support/restart-time.js';
import { createSimulatedLogFiles, everyCrash, type SimulatedLogFiles } from '../support/simulated-log-files.js';

const KILLS = faultCount({ short: 50, full: 1_000 });

/** Runs the appender and kills it so many milliseconds after its first acknowledgement. */
async function killedAppender(directory: string, afterMs: number) {
  const child = spawn(process.execPath, [LOG_APPENDER, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (timer === undefined && output.includes('durable')) timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await once(child, 'close');
  const lines = output.split('\n').slice(0, -1);
  const lastDurable = lines.findLast((line) => line.startsWith('durable'));
  const opened = lines.find((line) => line.startsWith('open'))?.split(' ') ?? [];
  const restart: RestartTime = { tookMs: Number(opened[3]), processorMs: Number(opened[4]) };
  return {
    /** The last number given before it began. */
    openedAt: Number(opened[2]),
    durable: Number(lastDurable?.split(' ')[1] ?? 0),
    appended: lastDurable !== undefined,
    restart,
  };
}

test(
  `a process killed ${KILLS} times while it appends: every acknowledged record is there, a restart takes less than a second`,
  { timeout: 60_000 + 4_000 * KILLS },
  async () => {
    await using directory = await createTemporaryDirectory();
    // Numbers of a group that a kill tore apart were never acknowledged, and are not given again: there are holes between the lives.
    const acknowledged = new Set<number>();
    let total = 0;
    const restarts: RestartTime[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      // From the middle of the first groups to several segments later.
      const killed = await killedAppender(directory.path, (round * 7) % 61);
      expect(killed.appended).toBe(true);
      restarts.push(killed.restart);
      for (let sequence = killed.openedAt + 1; sequence <= killed.durable; sequence += 1) acknowledged.add(sequence);
      await using log = await SegmentLog.open({ directory: directory.path, segmentBytes: 262_144 });
      const records = await readEverything(log);
      expect(changedRecords(records)).toEqual([]);
      const found = new Set(records.map(({ sequence }) => sequence));
      expect([...acknowledged].filter((sequence) => !found.has(sequence))).toEqual([]);
      // Read once, they stay.
      for (const sequence of found) acknowledged.add(sequence);
      expect(log.state().lost.records).toBe(0);
      total = killed.durable;
      const trimmed = total - 1_000;
      await log.trim(trimmed);
      for (const sequence of acknowledged) if (sequence <= trimmed) acknowledged.delete(sequence);
    }
    expect(total).toBeGreaterThan(KILLS);
    reportFault('log-kill', { kills: KILLS, records: total, lost: 0, ...withinASecond(restarts) });
  },
);

/** A life of a log: some groups over several segments, a trim, more groups. Tells of each acknowledgement. */
async function life(files: SimulatedLogFiles, acknowledge: (durable: number, trimmed: number) => void): Promise<void> {
  const log = await SegmentLog.open({ directory: '/log', segmentBytes: 4_096, files, schedule: () => () => undefined });
  let trimmed = 0;
  log.onDurable((durable) => acknowledge(durable, trimmed));
  for (let group = 1; group <= 8; group += 1) {
    for (let count = 0; count < group; count += 1) log.append(recordText(log.lastSequence + 1));
    await log.flush();
    if (group === 5) {
      trimmed = log.durableSequence - 2;
      acknowledge(log.durableSequence, trimmed);
      await log.trim(trimmed);
    }
  }
  await log.close();
}

test(
  'killed between every pair of file operations, and again while it recovers: every acknowledged record is there',
  { timeout: 240_000 },
  async () => {
    const whole = createSimulatedLogFiles();
    await life(whole, () => undefined);
    const operations = whole.operations();
    expect(operations).toBeGreaterThan(30);
    let crashes = 0;
    for (const { after, crash, fraction } of everyCrash(operations)) {
      const files = createSimulatedLogFiles();
      let [acknowledged, trimmed] = [0, 0];
      files.killAfter(after);
      const tell = (durable: number, through: number): void => void ([acknowledged, trimmed] = [durable, through]);
      await life(files, tell).catch(() => undefined);
      files.killAfter(0);
      for (let recovery = 0; recovery <= 8; recovery += 1) {
        const again = files.afterCrash(crash, fraction);
        again.killAfter(recovery);
        const schedule = () => () => undefined;
        await SegmentLog.open({ directory: '/log', files: again, schedule }).catch(() => undefined);
        again.killAfter(0);
        const last = again.afterCrash(crash, fraction);
        await using log = await SegmentLog.open({ directory: '/log', segmentBytes: 4_096, files: last });
        const records = await readEverything(log);
        expect(changedRecords(records)).toEqual([]);
        const found = new Set(records.map(({ sequence }) => sequence));
        for (let sequence = trimmed + 1; sequence <= acknowledged; sequence += 1) {
          if (!found.has(sequence))
            expect.fail(`${crash} after ${after}, ${recovery}: ${sequence} of ${acknowledged} is gone`);
        }
        expect(log.state().lost.records).toBe(0);
        log.append(recordText(log.lastSequence + 1));
        expect(await log.flush()).toBe(log.lastSequence);
        crashes += 1;
      }
    }
    expect(crashes).toBeGreaterThan(1_000);
    reportFault('log-kill-between-operations', { operations, crashes, lost: 0 });
  },
);
