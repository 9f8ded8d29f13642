import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
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
} from '../../conformance/index.js';
import type { ConformanceOutcome, ConformanceRun, MatrixColumn } from '../../conformance/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { CONFORMANCE_OPTIONS, readConformanceOrder } from './settings.js';
import type { ConformanceOrder, RunSettings } from './settings.js';
import { CONFORMANCE_USAGE } from './usage.js';

/** Prepares, lists, or asks a service. @returns the exit code */
export async function runConformanceCommand(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, CONFORMANCE_OPTIONS);
  if (asked.status === 'not-understood') return misunderstood(io, asked.why);
  if (asked.values.help) {
    io.stdout.write(CONFORMANCE_USAGE);
    return EXIT.ok;
  }
  const order = readConformanceOrder(asked.values, asked.positionals);
  if (typeof order === 'string') return misunderstood(io, order);
  try {
    return await carryOut(order, io);
  } catch (error) {
    io.stderr.write(`hopback-harness conformance: ${whyNot(error)}\n`);
    return EXIT.environment;
  }
}

function misunderstood(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness conformance: ${why}\n\n${CONFORMANCE_USAGE}`);
  return EXIT.usage;
}

/** Of what the system or the user got wrong: anything else is a mistake of ours, and is not hidden. */
function whyNot(error: unknown): string {
  if (error instanceof HopbackError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${message}: another run may be using this folder`;
  if (typeof code === 'string') return message;
  throw error;
}

async function carryOut(order: ConformanceOrder, io: HarnessProcess): Promise<number> {
  if (order.kind === 'list') return list(order, io);
  if (order.kind === 'matrix') return matrix(order.files, io);
  return order.kind === 'prepare' ? prepare(order, io) : ask(order.settings, io);
}

function list({ selection, isJson }: Extract<ConformanceOrder, { readonly kind: 'list' }>, io: HarnessProcess): number {
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

async function matrix(files: readonly string[], io: HarnessProcess): Promise<number> {
  const columns: MatrixColumn[] = [];
  for (const file of files) {
    const run = conformanceRunOf(await readFile(file, 'utf8'));
    if (run === undefined) {
      io.stderr.write(`hopback-harness conformance: ${file} is no summary.json of a conformance run\n`);
      return EXIT.environment;
    }
    columns.push({ run });
  }
  io.stdout.write(writeConformanceMatrix(columns));
  return EXIT.ok;
}

/** The second port that ATIS-1000074 has for an x5u, and one beside it for the CRL. */
const DEFAULT_CERTIFICATES = { host: '127.0.0.1', httpsPort: 8443, httpPort: 8444 };

async function prepare(
  { folder, certificates }: Extract<ConformanceOrder, { readonly kind: 'prepare' }>,
  io: HarnessProcess,
): Promise<number> {
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

async function ask(settings: RunSettings, io: HarnessProcess): Promise<number> {
  const { folder, kind, url, signingUrl, tokenFile, timeoutMs, lacks, sip } = settings;
  if (!(await isThere(join(folder, 'conformance.json')))) {
    io.stderr.write(
      `hopback-harness conformance: ${folder} is not prepared: hopback-harness conformance --prepare ${relative(process.cwd(), folder)}\n`,
    );
    return EXIT.environment;
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

async function report(outcome: ConformanceOutcome, settings: RunSettings, io: HarnessProcess): Promise<number> {
  if (outcome.status === 'no-cases') return misunderstood(io, 'no case fits --only and --group');
  if (outcome.status === 'no-answer') {
    io.stderr.write(`hopback-harness conformance: nobody answers at ${settings.url}: ${outcome.said}\n`);
    return EXIT.noCalls;
  }
  const { run } = outcome;
  if (settings.out !== undefined) await writeReports(settings.out, run, settings.isStrict);
  const { stdout } = io;
  const color = stdout.isTTY && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb';
  stdout.write(settings.isJson ? `${JSON.stringify(run, undefined, 2)}\n` : writeConformanceTable(run, { color }));
  if (!run.isComplete) return EXIT.timeout;
  return run.counts.fail > 0 || (settings.isStrict && run.counts.departs > 0) ? EXIT.failed : EXIT.ok;
}

async function writeReports(folder: string, run: ConformanceRun, strict: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'summary.json'), `${JSON.stringify(run, undefined, 2)}\n`);
  await writeFile(join(folder, 'junit.xml'), writeJunit(run, { strict }));
  await writeFile(join(folder, 'index.html'), writeConformancePage(run));
}

/** How far a run is, where a person watches. */
function progress(all: number, { stderr }: HarnessProcess): { readonly one: () => void; readonly end: () => void } {
  let count = 0;
  return {
    one: () => {
      count += 1;
      if (stderr.isTTY) stderr.write(`\r${String(count)} of ${String(all)}`);
    },
    end: () => {
      if (stderr.isTTY) stderr.write('\r\u001b[K');
    },
  };
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
