import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FIRST_ROW_US, rowText } from './followed-rows.js';

/** What such a log does. */
export interface RotatingLogOptions {
  readonly path: string;
  readonly random: () => number;
  /**
   * Whether a file may be rotated out of reach: `copytruncate` copies and truncates in one step; what is deleted has been rotated twice
   * at least. Whoever looks seldomer than that loses rows, as with every follower.
   */
  readonly isReadTo?: (name: string) => boolean;
  /** Every third leg has two rows, the second some legs later. */
  readonly hasTwoRows?: boolean;
  /** Rows at most that one step writes. Default 4. */
  readonly burst?: number;
}

/** Makes a switch and its logrotate, which do one step at a time as numbers between 0 and 1 decide. */
export function createRotatingLog(options: RotatingLogOptions) {
  const { path, random, isReadTo = () => false, burst = 4 } = options;
  const open: number[] = [];
  const history: string[] = [];
  let next = 0;
  let begun = '';
  /** Where the switch writes: after a rename it goes on there until it is told to open its file anew. */
  let target = path;
  const rotated = (number: number): string => `${path}.${number}`;

  const write = (text: string): void => appendFileSync(target, text);
  const finish = (): void => {
    if (begun === '') return;
    write(`${rowText(next)}\n`.slice(begun.length));
    begun = '';
    next += 1;
  };
  const writeLeg = (): void => {
    if (options.hasTwoRows === true && next % 3 === 0) {
      open.push(next);
      write(`begin,leg-${next}\n`);
    } else write(`${rowText(next)}\n`);
    next += 1;
    while (open.length > 3) endLeg();
  };
  const endLeg = (): void => {
    const leg = open.splice(Math.floor(random() * open.length), 1)[0] ?? 0;
    write(`end,leg-${leg},${FIRST_ROW_US + leg * 1_000_000}\n`);
  };
  const shift = (): void => {
    const names = readdirSync(join(path, '..')).flatMap((name) => {
      const [, number, suffix = ''] = /\.(\d+)(\.gz)?$/.exec(name) ?? [];
      return number === undefined ? [] : [{ number: Number(number), suffix }];
    });
    for (const { number, suffix } of names.toSorted((a, b) => b.number - a.number)) {
      renameSync(rotated(number) + suffix, rotated(number + 1) + suffix);
    }
  };
  const actions: Readonly<Record<string, () => boolean>> = {
    write() {
      finish();
      for (let count = Math.floor(random() * burst); count >= 0; count -= 1) {
        writeLeg();
      }
      return true;
    },
    writePart() {
      finish();
      begun = `${rowText(next)}\n`.slice(0, 1 + Math.floor(random() * 20));
      write(begun);
      return true;
    },
    rename() {
      if (!existsSync(path) || target !== path) return false;
      shift();
      renameSync(path, rotated(1));
      target = rotated(1);
      return true;
    },
    reopen() {
      if (target === path) return false;
      finish();
      target = path;
      return true;
    },
    copyTruncate() {
      if (!existsSync(path) || target !== path) return false;
      // The part of a row that is left behind in the copy never ends there, and begins anew in the file: no tool can help that.
      finish();
      shift();
      copyFileSync(path, rotated(1));
      truncateSync(path);
      return true;
    },
    pack() {
      const plain = rotated(2);
      if (!existsSync(plain) || target === plain) return false;
      writeFileSync(`${plain}.gz`, gzipSync(readFileSync(plain)));
      unlinkSync(plain);
      return true;
    },
    remove() {
      const directory = join(path, '..');
      const names = readdirSync(directory).filter((name) => /\.(?:[4-9]|\d\d+)(?:\.gz)?$/.test(name) && isReadTo(name));
      for (const name of names) unlinkSync(join(directory, name));
      return names.length > 0;
    },
  };
  const weighted = 'write write write writePart rename reopen reopen copyTruncate pack remove'.split(' ');

  return {
    /** Writes rows or a part of one, rotates in one way or another, packs, or deletes. */
    step() {
      const name = weighted[Math.floor(random() * weighted.length)] ?? 'write';
      if (actions[name]?.() === true) history.push(name);
    },
    /** Ends the row that was begun. */
    finish() {
      finish();
      while (open.length > 0) endLeg();
      history.push('finish');
    },
    /** Rows of which the end is written. */
    written: () => next,
    /** The steps so far, for the message of a failed test. */
    history: (): readonly string[] => history,
  };
}
