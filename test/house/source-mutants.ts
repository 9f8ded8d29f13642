/**
 * `npm run source-mutants [-- --count N] [--seed N] [--jobs N] [--out FILE]`: plants N small defects in the sources of stir, match, lifecycle and log, chosen by
 * the seed, and says how many of them unit, integration and property tests notice. All defects are in one copy of the sources; each run switches one of them
 * on. FILE gets a line of JSON for each defect as soon as it was tried; a run that is begun again with the same FILE goes on where it ended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { parseArgs } from 'node:util';
import { defectPlaces, plantDefects, type DefectPlace, type SourceDefect } from '../mutants/source-defects.js';
import { ROOT } from './run.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});

const COPY = `${ROOT}.cache/source-mutants/`;
const FOLDERS = ['sdk/src/stir/', 'sdk/src/traceback/match/', 'sdk/src/traceback/lifecycle/', 'sdk/src/log/'];
const TESTS = /^(?:core|verification|signing|certificates|x5u|stir|testing|traceback|log|switch)-.*\.test\.ts$/;
/** A run that takes longer is in a loop that never ends: the defect is noticed. */
const PATIENCE_MS = 300_000;
/** All files, each in a process of its own. */
const REACH_PATIENCE_MS = 3_600_000;
/** Test files of the first run for a defect, those that reach the fewest others: most defects are noticed there. */
const FIRST_FILES = 5;

interface TriedDefect extends SourceDefect {
  readonly isNoticed: boolean;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const defects = plantInCopy(Number(values.count), Number(values.seed));
say(`${String(defects.length)} defects planted`);
const tried = new Map(triedBefore().map((defect) => [defect.id, defect]));
const left = defects.filter(({ id }) => !tried.has(id));
const reaching = await filesThatReach();
await Promise.all(Array.from({ length: Number(values.jobs) }, hunt));
const noticed = [...tried.values()].filter(({ isNoticed }) => isNoticed).length;
say(`${String(noticed)} of ${String(defects.length)} noticed`);

/** What FILE has, if it is of the same defects. */
function triedBefore(): readonly TriedDefect[] {
  if (values.out === undefined || !existsSync(values.out)) return [];
  const lines = readFileSync(values.out, 'utf8').split('\n').filter(Boolean);
  const before = lines.map((line) => JSON.parse(line) as TriedDefect);
  for (const { id, file, line } of before) {
    const defect = defects[id];
    if (defect?.file !== file || defect.line !== line) throw new Error(`${values.out} is of other defects`);
  }
  return before;
}

/** Copies the sources, and plants defects in the copy. */
function plantInCopy(count: number, seed: number): readonly SourceDefect[] {
  rmSync(COPY, { recursive: true, force: true });
  for (const name of ['sdk', 'harness']) {
    cpSync(`${ROOT}${name}/src`, `${COPY}${name}/src`, { recursive: true });
    cpSync(`${ROOT}${name}/package.json`, `${COPY}${name}/package.json`);
    const modules = `${ROOT}${name}/node_modules`;
    if (existsSync(modules)) symlinkSync(modules, `${COPY}${name}/node_modules`);
  }
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}${name}`),
  ).toSorted();
  const all = files.flatMap((file) =>
    defectPlaces(file, readFileSync(`${ROOT}${file}`, 'utf8')).map((place) => ({ ...place, file })),
  );
  const chosen: (DefectPlace & { readonly file: string; readonly id: number })[] = [];
  const random = randomFrom(seed);
  while (chosen.length < count && all.length > 0) {
    const [place] = all.splice(Math.floor(random() * all.length), 1);
    if (place === undefined) break;
    const overlaps = chosen.some(
      ({ file, start, end }) => file === place.file && start < place.end && place.start < end,
    );
    if (!overlaps) chosen.push({ ...place, id: chosen.length });
  }
  for (const file of new Set(chosen.map((place) => place.file))) {
    const text = readFileSync(`${ROOT}${file}`, 'utf8');
    const here = chosen.filter((place) => place.file === file);
    writeFileSync(`${COPY}${file}`, plantDefects(text, here));
  }
  return chosen.map(({ id, file, start, end, becomes }) => {
    const text = readFileSync(`${ROOT}${file}`, 'utf8');
    return { id, file, line: text.slice(0, start).split('\n').length, text: text.slice(start, end), becomes };
  });
}

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Runs each test file in a process of its own. @returns for each defect the files that reach it, those that reach the fewest others first */
async function filesThatReach(): Promise<ReadonlyMap<number, readonly string[]>> {
  const path = `${COPY}reached.jsonl`;
  mkdirSync(COPY, { recursive: true });
  const files = ['unit', 'integration', 'property'].flatMap((project) =>
    readdirSync(`${ROOT}test/${project}`)
      .filter((name) => TESTS.test(name))
      .map((name) => `test/${project}/${name}`),
  );
  if (!(await passes(files, { HOPBACK_REACHED: path }, ['--isolate'], REACH_PATIENCE_MS)))
    throw new Error('tests fail although no defect is switched on');
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly file: string; readonly reached: readonly number[] })
    .toSorted((one, other) => one.reached.length - other.reached.length);
  return new Map(
    defects.map(({ id }) => [id, lines.filter(({ reached }) => reached.includes(id)).map(({ file }) => file)]),
  );
}

async function hunt(): Promise<void> {
  for (let defect = left.shift(); defect !== undefined; defect = left.shift()) {
    const files = reaching.get(defect.id) ?? [];
    const isNoticed = !(
      (await passesWith(defect, files.slice(0, FIRST_FILES))) && (await passesWith(defect, files.slice(FIRST_FILES)))
    );
    const result: TriedDefect = { ...defect, isNoticed };
    tried.set(defect.id, result);
    if (values.out !== undefined) appendFileSync(values.out, `${JSON.stringify(result)}\n`);
    say(`${isNoticed ? 'noticed' : 'SURVIVED'} ${defect.file}:${String(defect.line)} ${JSON.stringify(defect.text)}`);
  }
}

function passesWith(defect: SourceDefect, files: readonly string[]): Promise<boolean> {
  return passes(files, { HOPBACK_DEFECT: String(defect.id) }, ['--bail', '1', '--maxWorkers', '1']);
}

async function passes(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  flags: readonly string[],
  timeout = PATIENCE_MS,
): Promise<boolean> {
  if (files.length === 0) return true;
  const child = spawn(
    process.execPath,
    [`${ROOT}node_modules/vitest/vitest.mjs`, 'run', '--config', 'test/vitest.config.ts', ...flags, ...files],
    {
      ...{ cwd: ROOT, stdio: 'ignore', timeout, killSignal: 'SIGKILL' },
      env: { ...process.env, HOPBACK_SOURCES: COPY, ...env },
    },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}
