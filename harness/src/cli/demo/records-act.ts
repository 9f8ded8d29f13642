import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { wait } from '@hopback/sdk/internal/runtime';
import { openDuckDbRecordStore } from '@hopback/sdk/records';
import { TestPki, TestPlatform } from '@hopback/sdk/testing';

/** A switch that writes call detail records as Asterisk's `cdr_csv` does, `usegmtime=yes` and `loguniqueid=yes`. */
type CallRecordWriter = Awaited<ReturnType<typeof startCallRecordWriter>>;

/** What a switch writes, and when. */
interface WrittenCalls {
  /** Rows that are in the file already. */
  readonly before: number;
  /** Rows in all. */
  readonly rows: number;
  readonly perSecond: number;
  /** The rest is written from then on. */
  readonly begins: Promise<unknown>;
  /** The last rows, from this one on, are written only when the promise has resolved. */
  readonly last: { readonly from: number; readonly after: Promise<unknown> };
}

/** How often rows are written, milliseconds. */
const WRITE_EVERY_MS = 50;

/** Name of the trunk by which every call comes in. */
const DEMO_TRUNK = 'carrier-a';

/** Makes the file, and writes to it until all rows are there. */
async function startCallRecordWriter(path: string, traffic: WrittenCalls) {
  const firstCallMs = Date.now() - 3_600_000;
  let rows = 0;
  let failure: unknown;
  const stopping = new AbortController();
  const writeTo = async (count: number): Promise<void> => {
    const text = Array.from({ length: count - rows }, (_, index) => cdrRow(rows + index, firstCallMs)).join('');
    await appendFile(path, text, { mode: 0o600 });
    rows = count;
  };
  let most = traffic.last.from;
  const work = async (): Promise<void> => {
    await traffic.begins;
    void traffic.last.after.then(() => (most = traffic.rows));
    const startMs = performance.now();
    while (!stopping.signal.aborted && rows < traffic.rows) {
      await wait(WRITE_EVERY_MS);
      const due = traffic.before + Math.ceil(((performance.now() - startMs) * traffic.perSecond) / 1_000);
      await writeTo(Math.min(most, due));
    }
  };
  await writeTo(traffic.before);
  void work().catch((error: unknown) => (failure = error));
  return {
    /** Rows written so far. */
    rows: () => rows,
    /** What the disk refused with, if it did: no more is written then. */
    failure: (): unknown => failure,
    /** Writes no more. */
    stop: () => stopping.abort(),
  };
}

/** One call: 700 ms after the one before, between numbers set aside for fiction. */
function cdrRow(index: number, firstCallMs: number): string {
  const startMs = firstCallMs + index * 700;
  const isAnswered = index % 3 !== 0;
  const rings = 2 + (index % 11);
  const talks = isAnswered ? 5 + (index % 90) : 0;
  const caller = fictional(202, index);
  const called = fictional(303, index * 7);
  const channel = (index + 1).toString(16).padStart(8, '0');
  return csv([
    '',
    caller,
    called,
    'from-carrier',
    `"" <${caller}>`,
    `PJSIP/${DEMO_TRUNK}-${channel}`,
    `PJSIP/carrier-b-${channel}`,
    'Dial',
    `PJSIP/${called}@carrier-b,60`,
    utc(startMs),
    isAnswered ? utc(startMs + rings * 1_000) : '',
    utc(startMs + (rings + talks) * 1_000),
    rings + talks,
    talks,
    isAnswered ? 'ANSWERED' : 'NO ANSWER',
    'DOCUMENTATION',
    `${String(Math.floor(startMs / 1_000))}.${String(index)}`,
    '',
  ]);
}

function fictional(areaCode: number, index: number): string {
  return `1${String(areaCode)}55501${String(index % 100).padStart(2, '0')}`;
}

function utc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function csv(fields: readonly (string | number)[]): string {
  const written = fields.map((field) =>
    typeof field === 'number' ? String(field) : `"${field.replaceAll('"', '""')}"`,
  );
  return `${written.join(',')}\n`;
}

/** What `hopback records tail` is started with. */
interface TailFiles {
  /** Directory of the record store. */
  readonly store: string;
  readonly argv: readonly string[];
}

/** Writes what the command reads: the source, the token, the certificate of the platform, a key for pseudonyms. */
async function writeTailFiles(
  directory: string,
  options: {
    readonly cdrPath: string;
    readonly url: string;
    readonly token: string;
    readonly caPem: string;
  },
): Promise<TailFiles> {
  const source = {
    id: 'pbx-1',
    format: 'asterisk-cdr',
    path: options.cdrPath,
    time: { zone: 'utc' },
  };
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const store = join(directory, 'records');
  const files = {
    source: await write('pbx-1.json', JSON.stringify(source)),
    'token-file': await write('token', options.token),
    'platform-ca': await write('platform.pem', options.caPem),
    'pseudonym-key': await write('pseudonym-key', randomBytes(32).toString('hex')),
  };
  const named = Object.entries(files).flatMap(([name, path]) => [`--${name}`, path]);
  const plain = ['--platform', options.url, '--sharing', 'all-pseudonymous', '--rotation', '1', '--tenant', 'demo'];
  return { store, argv: ['records', 'tail', '--store', store, ...named, ...plain, '--json'] };
}

/** A running `hopback records tail`. */
type TailProcess = ReturnType<typeof startTail>;

/** How it ended. */
interface TailEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it said on standard error. */
  readonly complaint: string;
}

/** Most characters of a complaint that are kept. */
const COMPLAINT_CHARS = 2_000;

/** Starts the command of the sdk that this harness depends on, whatever is in PATH and in the environment. */
function startTail({ argv }: TailFiles) {
  const child = spawn(process.execPath, [hopbackCommand(), ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: withoutSettings(process.env),
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
  return {
    /** Resolves when it has ended, by itself or killed. */
    ended: endOf(child),
    kill: (signal: 'SIGKILL' | 'SIGTERM') => void child.kill(signal),
  };
}

async function endOf(child: ChildProcess): Promise<TailEnd> {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(0, COMPLAINT_CHARS);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, signal: null, complaint: error.message }));
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, complaint }));
  });
}

/** The file behind the `hopback` command, as the package names it. */
function hopbackCommand(): string {
  const manifest = createRequire(import.meta.url).resolve('@hopback/sdk/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly bin: { readonly hopback: string } };
  return join(dirname(manifest), bin.hopback);
}

function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HOPBACK_')));
}

/** Where the act writes: lines that stay, and how things stand at the moment. */
export interface RecordsActOutput {
  readonly say: (lines: readonly string[]) => void;
  readonly progress: (line: string) => void;
}

const CALLS = 4_000;
/** Written when the process starts: the rest comes when it is at work, however long that takes. */
const CALLS_BEFORE = 200;
const CALLS_PER_SECOND = 800;
/** So much has to have happened before the process is killed: the batch that comes then is kept, and not answered. */
const KILL_AFTER = { written: CALLS / 2, atPlatform: CALLS / 4 };
/** Written after the kill, so that there is always another batch to kill it at. */
const CALLS_AFTER_KILL = CALLS / 10;
const PROGRESS_EVERY_MS = 100;
/** The act gives up after this time without a new record. A process starts within a second, on a very busy machine within many. */
const PATIENCE_MS = 60_000;

/**
 * A switch writes calls to a file; `hopback records tail`, a process of its own, follows it, stores each call and sends it to a platform
 * over HTTPS. At the worst moment, when the platform has a batch and has not said so, the process is killed, and started again. Then calls
 * are counted at all three places.
 * @param signal - ends the act where it is
 * @returns 0 when no call was lost and none is there twice, else 1
 */
export async function runRecordsAct(output: RecordsActOutput, signal: AbortSignal): Promise<0 | 1> {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-demo-'));
  try {
    const pki = new TestPki({ nowMs: Date.now(), label: 'Demo' });
    const { chainPem: certificate, privateKeyPem: privateKey } = pki.issueTls({ addresses: ['127.0.0.1'] });
    await using platform = await TestPlatform.start({ tls: { certificate, privateKey } });
    const cdrPath = join(directory, 'Master.csv');
    const files = await writeTailFiles(directory, {
      cdrPath,
      url: `${platform.baseUrl}/v1/record-batches`,
      token: platform.credentials('prv-birch').token,
      caPem: pki.tlsRoot.certificatePem,
    });
    output.say([
      'A switch writes its calls to a file, as Asterisk does. A process follows the file,',
      'stores each call and sends it to a platform over HTTPS: hopback records tail',
      '',
    ]);
    let onKilled = (): void => undefined;
    const killed = new Promise<void>((resolve) => (onKilled = resolve));
    const writer = await startCallRecordWriter(cdrPath, {
      before: CALLS_BEFORE,
      rows: CALLS,
      perSecond: CALLS_PER_SECOND,
      begins: platform.until(() => platform.batches()[0]),
      last: { from: CALLS - CALLS_AFTER_KILL, after: killed },
    });
    const act = {
      files,
      platform,
      writer,
      output,
      signal,
      onKilled,
    };
    const story = await followedThroughDeath(act).finally(writer.stop);
    return await counted(act, story);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Act {
  readonly files: TailFiles;
  readonly platform: TestPlatform;
  readonly writer: CallRecordWriter;
  readonly output: RecordsActOutput;
  readonly signal: AbortSignal;
  /** Called once the process has been killed. */
  readonly onKilled: () => void;
}

/** What happened, apart from the counts. */
interface Story {
  /** Calls that were written when the process was killed; undefined when it was not. */
  readonly killedAt: number | undefined;
  /** How the last process ended. */
  readonly end: TailEnd;
}

async function followedThroughDeath(act: Act): Promise<Story> {
  const { files, writer, output, signal } = act;
  let tail = startTail(files);
  let killedAt: number | undefined;
  const killing = unansweredBatch(act).then(() => {
    killedAt = writer.rows();
    tail.kill('SIGKILL');
    act.onKilled();
  });
  // Where it never comes so far, the platform is closed while that is waited for.
  killing.catch(() => undefined);
  const leave = (): void => tail.kill('SIGKILL');
  signal.addEventListener('abort', leave);
  try {
    const first = await untilEndedOrDone(act, tail);
    if (first !== undefined && (killedAt === undefined || signal.aborted)) return { killedAt, end: first };
    if (first !== undefined) {
      output.say([
        `  kill -9, with ${shown(killedAt ?? 0)} calls written and a batch at the platform that is not`,
        '  acknowledged; started again',
      ]);
      tail = startTail(files);
      const second = await untilEndedOrDone(act, tail);
      if (second !== undefined) return { killedAt, end: second };
    }
    // Everything is at the platform: it is asked to end.
    tail.kill('SIGTERM');
    return { killedAt, end: await tail.ended };
  } finally {
    signal.removeEventListener('abort', leave);
    tail.kill('SIGKILL');
  }
}

/** Waits until enough has happened, and then until the platform has kept a batch that it does not answer. */
async function unansweredBatch({ platform, writer }: Act): Promise<void> {
  await platform.until(() =>
    writer.rows() >= KILL_AFTER.written && platform.records().length >= KILL_AFTER.atPlatform ? true : undefined,
  );
  platform.injectFault({
    fault: { kind: 'connection-reset', isCarriedOut: true },
    operations: [SENDING],
    times: 1,
  });
  await platform.until(() => platform.calls(SENDING).find(({ fault }) => fault !== undefined));
}

const SENDING = 'sendRecordBatch';

/** @returns how the process ended; undefined when it runs, and all is at the platform or nothing comes any more */
async function untilEndedOrDone({ platform, writer, output }: Act, tail: TailProcess): Promise<TailEnd | undefined> {
  let known = -1;
  let knownSinceMs = performance.now();
  for (;;) {
    const ended = await Promise.race([tail.ended, wait(PROGRESS_EVERY_MS)]);
    if (ended !== undefined) return ended;
    if (writer.failure() !== undefined) throw writer.failure();
    const arrived = platform.records().length;
    output.progress(`  ${shown(writer.rows())} calls written, ${shown(arrived)} at the platform`);
    if (arrived >= CALLS) return undefined;
    if (arrived !== known) [known, knownSinceMs] = [arrived, performance.now()];
    if (performance.now() - knownSinceMs > PATIENCE_MS) return undefined;
  }
}

async function counted({ files, platform, writer, output }: Act, { killedAt, end }: Story): Promise<0 | 1> {
  if (end.exitCode !== 0) {
    const complaint = end.complaint.trim();
    output.say([
      `✗ hopback records tail ended with ${String(end.signal ?? end.exitCode)}${complaint === '' ? '' : `: ${complaint}`}`,
    ]);
    return 1;
  }
  const stored = await storedRecords(files.store);
  const arrived = new Set(platform.records().map(({ recordId }) => recordId));
  const repeated = platform.batches().reduce((total, { repeats }) => total + repeats, 0);
  const isRight =
    writer.rows() === CALLS &&
    stored.count === CALLS &&
    stored.ids.size === CALLS &&
    arrived.size === CALLS &&
    [...stored.ids].every((id) => arrived.has(id)) &&
    killedAt !== undefined;
  const number = (value: number): string => shown(value).padStart(7);
  output.say([
    '',
    `${number(writer.rows())}  rows written by the switch`,
    `${number(stored.count)}  records in the store`,
    `${number(arrived.size)}  different records at the platform`,
    `${number(repeated)}  came twice and were recognized by their id`,
    '',
    ...(isRight
      ? [
          `✓ ${shown(CALLS)} of ${shown(CALLS)} calls at the platform: none lost, none stored twice,`,
          `  killed once at call ${shown(killedAt)}`,
        ]
      : [
          `✗ ${shown(arrived.size)} of ${shown(CALLS)} calls at the platform, ${shown(stored.count)} in the store` +
            (killedAt === undefined ? ', and the process was never killed' : ''),
        ]),
  ]);
  return isRight ? 0 : 1;
}

/** Ids of all records of the trunk, and how many records there are whatever their trunk is. */
async function storedRecords(
  directory: string,
): Promise<{ readonly count: number; readonly ids: ReadonlySet<string> }> {
  await using store = await openDuckDbRecordStore({ directory });
  const window = { fromUs: (Date.now() - 86_400_000) * 1_000, toUs: (Date.now() + 86_400_000) * 1_000 };
  const { records } = await store.find({ window, trunk: DEMO_TRUNK, limit: 2 * CALLS });
  return { count: (await store.statistics()).records, ids: new Set(records.map(({ recordId }) => recordId)) };
}

const shown = (count: number): string => count.toLocaleString('en-US');
