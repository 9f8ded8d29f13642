import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { EXIT, UsageError, valuesOf } from '@hopback/sdk/internal/cli';
import type { ExitCode } from '@hopback/sdk/internal/cli';
import {
  CONFORMANCE_CASES,
  conformanceRunOf,
  openConformanceEnvironment,
  openConformanceTarget,
  runConformance,
  selectCases,
  writeConformanceMatrix,
  writeConformancePage,
  writeConformanceTable,
  writeJunit,
} from '../conformance/index.js';
import type { ConformanceOutcome, ConformanceRun, MatrixColumn } from '../conformance/index.js';
import type { HarnessCommand, HarnessIo } from './carry-out.js';
import { CONFORMANCE_OPTIONS, readConformanceOrder } from './conformance-settings.js';
import type { ConformanceOrder, RunSettings } from './conformance-settings.js';

/** `hopback-harness conformance` */
export const CONFORMANCE: HarnessCommand = {
  name: 'conformance',
  summary: 'run some 270 cases against a verification and signing service of any vendor',
  usage: [
    '--prepare FOLDER [--certificates HOST:PORT]',
    '--target KIND --url URL [--folder FOLDER] [options]',
    '--list',
    '--matrix RUN/summary.json...',
  ],
  options: CONFORMANCE_OPTIONS,
  notes: [
    'Runs numbered cases against a verification and signing service of any vendor; the text of a standard decides each case.',
    'Exit codes: 0 conforms; 1 does not; 2 the command line cannot be understood; 4 a folder, port or file is not usable; 97 the time for the ' +
      'run was over; 99 nobody answered.',
  ],
  run: async (options, io) => {
    const order = readConformanceOrder(valuesOf(CONFORMANCE_OPTIONS, options), options.operands);
    if (typeof order === 'string') throw new UsageError(order);
    try {
      return await carryOut(order, io);
    } catch (error) {
      throw error instanceof UsageError ? error : new HopbackError('unavailable', whyNot(error), { cause: error });
    }
  },
};

/** Of what the system or the user got wrong: anything else is a mistake of ours, and is not hidden. */
function whyNot(error: unknown): string {
  if (error instanceof HopbackError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${message}: another run may be using this folder`;
  if (typeof code === 'string') return message;
  throw error;
}

async function carryOut(order: ConformanceOrder, io: HarnessIo): Promise<ExitCode> {
  if (order.kind === 'list') return list(order, io);
  if (order.kind === 'matrix') return matrix(order.files, io);
  return order.kind === 'prepare' ? prepare(order, io) : ask(order.settings, io);
}

function list({ selection, isJson }: Extract<ConformanceOrder, { readonly kind: 'list' }>, io: HarnessIo): ExitCode {
  const cases = selectCases(CONFORMANCE_CASES, selection);
  const text = isJson
    ? JSON.stringify(
        cases.map(({ number, title, group, level, source, needs }) => ({ number, title, group, level, source, needs })),
        undefined,
        2,
      )
    : cases
        .map(({ number, group, level, title }) => `${number}  ${group.padEnd(16)} ${level.padEnd(6)} ${title}`)
        .join('\n');
  io.stdout.write(`${text}\n`);
  return cases.length === 0 ? EXIT.usage : EXIT.ok;
}

async function matrix(files: readonly string[], io: HarnessIo): Promise<ExitCode> {
  const columns: MatrixColumn[] = [];
  for (const file of files) {
    const run = conformanceRunOf(await readFile(file, 'utf8'));
    if (run === undefined) throw new HopbackError('unavailable', `${file} is no summary.json of a conformance run`);
    columns.push({ run });
  }
  io.stdout.write(writeConformanceMatrix(columns));
  return EXIT.ok;
}

/** The second port that ATIS-1000074 has for an x5u, and one beside it for the CRL. */
const DEFAULT_CERTIFICATES = { host: '127.0.0.1', httpsPort: 8443, httpPort: 8444 };

async function prepare(
  { folder, certificates }: Extract<ConformanceOrder, { readonly kind: 'prepare' }>,
  io: HarnessIo,
): Promise<ExitCode> {
  const isNew = !(await isThere(join(folder, 'conformance.json')));
  const place = certificates ?? (isNew ? DEFAULT_CERTIFICATES : undefined);
  await using environment = await openConformanceEnvironment({
    ...{ folder, prepares: true },
    ...(place !== undefined && { certificates: place }),
  });
  const here = relative(process.cwd(), folder) || '.';
  io.stdout.write(
    [
      `Prepared ${here}. What the service is given, and what for, is in ${join(here, 'README.md')}.`,
      `During a run the certificate server is at ${new URL(environment.urls.signingX5u).origin}, the CRL at ${environment.urls.crl}.`,
      '',
      `  hopback-harness conformance --folder ${here} --target atis --url http://HOST:PORT`,
      '',
    ].join('\n'),
  );
  return EXIT.ok;
}

async function ask(settings: RunSettings, io: HarnessIo): Promise<ExitCode> {
  const { folder, kind, url, signingUrl, tokenFile, timeoutMs, lacks, sip } = settings;
  if (!(await isThere(join(folder, 'conformance.json')))) {
    const command = `hopback-harness conformance --prepare ${relative(process.cwd(), folder)}`;
    throw new HopbackError('unavailable', `${folder} is not prepared: ${command}`);
  }
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  await using environment = await openConformanceEnvironment({ folder });
  await using target = await openConformanceTarget({
    ...{ kind, url, timeoutMs, lacks, sip },
    ...(signingUrl !== undefined && { signingUrl }),
    ...(token !== undefined && { token }),
  });
  const { name, selection, concurrency, maxDurationMs } = settings;
  const counter = progress(selectCases(CONFORMANCE_CASES, selection).length, io);
  const outcome = await runConformance({
    ...{ target, environment, concurrency, maxDurationMs, ...selection },
    ...(name !== undefined && { name }),
    onResult: counter.one,
  });
  counter.end();
  return await report(outcome, settings, io);
}

async function report(outcome: ConformanceOutcome, settings: RunSettings, io: HarnessIo): Promise<ExitCode> {
  if (outcome.status === 'no-cases') throw new UsageError('no case fits --only and --group');
  if (outcome.status === 'no-answer') {
    io.stderr.write(`hopback-harness conformance: nobody answers at ${settings.url}: ${outcome.said}\n`);
    return EXIT.noCalls;
  }
  const { run } = outcome;
  if (settings.out !== undefined) await writeReports(settings.out, run, settings.isStrict);
  const { stdout } = io;
  const color = stdout.isTty && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb';
  stdout.write(settings.isJson ? `${JSON.stringify(run, undefined, 2)}\n` : writeConformanceTable(run, { color }));
  if (!run.isComplete) return EXIT.timeout;
  return run.counts.fail > 0 || (settings.isStrict && run.counts.departs > 0) ? EXIT.negative : EXIT.ok;
}

async function writeReports(folder: string, run: ConformanceRun, strict: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'summary.json'), `${JSON.stringify(run, undefined, 2)}\n`);
  await writeFile(join(folder, 'junit.xml'), writeJunit(run, { strict }));
  await writeFile(join(folder, 'index.html'), writeConformancePage(run));
}

/** How far a run is, where a person watches. */
function progress(all: number, { stderr }: HarnessIo): { readonly one: () => void; readonly end: () => void } {
  let count = 0;
  return {
    one: () => {
      count += 1;
      if (stderr.isTty) stderr.write(`\r${String(count)} of ${String(all)}`);
    },
    end: () => {
      if (stderr.isTty) stderr.write('\r\u001b[K');
    },
  };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
