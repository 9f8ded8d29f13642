import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { EXIT, UsageError, wholeNumber } from '@hopback/sdk/internal/cli';
import type { ExitCode, Options } from '@hopback/sdk/internal/cli';
import { CAPABILITY_TEXT } from '../conformance/conformance-run.js';
import {
  CASE_GROUPS,
  CONFORMANCE_CASES,
  conformanceRunOf,
  ConformanceEnvironment,
  openConformanceTarget,
  runConformance,
  selectCases,
  TARGET_KINDS,
  writeConformanceMatrix,
  writeConformancePage,
  writeConformanceTable,
  writeJunit,
} from '../conformance/index.js';
import type {
  Capability,
  CaseSelection,
  ConformanceEnvironmentOptions,
  ConformanceOutcome,
  ConformanceRun,
  MatrixColumn,
  SipTargetOptions,
} from '../conformance/index.js';
import { mayColor } from './harness-io.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';

const OPTIONS = {
  prepare: {
    value: 'FOLDER',
    text: 'create keys and the files to set up the service with; FOLDER/README.md explains them',
  },
  certificates: {
    value: 'HOST:PORT',
    text: 'address at which the service reaches our certificate server; default the one in FOLDER, or 127.0.0.1:8443',
  },
  'crl-port': { value: 'N', text: 'HTTP port of the CRL; default the --certificates port + 1' },
  listen: { value: 'ADDRESS', text: 'address to bind, if HOST is a name; default all addresses' },
  target: {
    value: 'KIND',
    choices: TARGET_KINDS,
    text: 'atis (ATIS-1000082), 3gpp (Ms of TS 24.229), secsipidx, redirect (302 to an INVITE), sip (INVITE through a device)',
  },
  url: { value: 'URL', text: 'http://host:port[/path], or sip:host:port' },
  'signing-url': { value: 'URL', text: 'URL for signing, if it is not --url' },
  folder: { value: 'FOLDER', text: 'folder made by --prepare, default hopback-conformance' },
  name: { value: 'TEXT', text: 'name of the service in reports, default its URL' },
  only: { value: 'V-101,V-2*', multiple: true, text: 'run only these cases' },
  group: { value: 'NAME', multiple: true, text: 'run only these groups; --list shows their names' },
  lacks: {
    value: 'WHAT,...',
    multiple: true,
    text: 'features that the interface defines but this service does not support: codes, verstat, reasons, sign, ...',
  },
  'token-file': { value: 'FILE', text: 'bearer token of HTTP requests' },
  timeout: { value: 'SECONDS', text: 'how long to wait for each answer, default 10' },
  'max-seconds': { value: 'N', text: 'time limit for the whole run, default 600' },
  concurrency: { value: 'N', text: 'calls at once, default 4' },
  strict: { text: 'also fail on departures from recommendations' },
  out: { value: 'FOLDER', text: 'write summary.json, junit.xml and index.html there' },
  domain: { value: 'HOST', text: 'host of the Request-URI of calls to be verified (redirect, sip)' },
  'signing-domain': { value: 'HOST', text: 'host of the Request-URI of calls to be signed' },
  'attestation-field': { value: 'F', text: 'header field with the attestation in signing requests' },
  'origid-field': { value: 'F', text: 'header field with the origid in signing requests' },
  callee: {
    value: 'HOST:PORT',
    text: 'address that the device forwards calls to; the tests answer them there (sip)',
  },
  matrix: { text: 'print runs side by side, as Markdown' },
  list: { text: 'list the cases' },
  json: { text: 'print the run as JSON; with --list the cases' },
} as const;

/** `hopback-harness conformance` */
export const CONFORMANCE: HarnessCommand = {
  usage: [
    '--prepare FOLDER [--certificates HOST:PORT]',
    '--target KIND --url URL [--folder FOLDER] [options]',
    '--list',
    '--matrix RUN/summary.json...',
  ],
  options: OPTIONS,
  notes: [
    'Runs numbered cases against a verification and signing service of any vendor; the text of a standard decides each case.',
    'Exit codes: 0 conforms; 1 does not; 2 the command line cannot be understood; 4 a folder, port or file is not usable; 97 the time for the ' +
      'run was over; 99 nobody answered.',
  ],
  run: async (options, io) => {
    try {
      return await carryOut(options, io);
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

function carryOut(options: Options, io: HarnessIo): Promise<ExitCode> {
  if (options.isOn('matrix')) return matrix(options.operands, io);
  const [operand] = options.operands;
  if (operand !== undefined) throw new UsageError(`conformance takes no operand ${operand}`);
  const selection = selectionOf(options);
  if (options.isOn('list')) return list(selection, options, io);
  const folder = options.text('prepare');
  return folder === undefined ? ask(selection, options, io) : prepare(resolve(folder), options, io);
}

function selectionOf(options: Options): CaseSelection {
  const only = words(options, 'only');
  const groups = knownWords(options, 'group', CASE_GROUPS);
  return { ...(only.length > 0 && { only }), ...(groups.length > 0 && { groups }) };
}

/** Words of an option that may be given several times, and hold several between commas. */
const words = (options: Options, name: string): readonly string[] =>
  options
    .texts(name)
    .flatMap((text) => text.split(','))
    .filter((word) => word !== '');

function knownWords<Word extends string>(options: Options, name: string, known: readonly Word[]): readonly Word[] {
  return words(options, name).map((word) => {
    const found = known.find((one) => one === word);
    if (found === undefined) throw new UsageError(`--${name}: ${word} is not one of ${known.join(', ')}`);
    return found;
  });
}

async function list(selection: CaseSelection, options: Options, io: HarnessIo): Promise<ExitCode> {
  const cases = selectCases(CONFORMANCE_CASES, selection);
  const text = options.isOn('json')
    ? JSON.stringify(
        cases.map(({ number, title, group, level, source, needs }) => ({
          number,
          title,
          group,
          level,
          source,
          needs,
        })),
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
  if (files.length === 0) throw new UsageError('--matrix needs the summary.json of one or more runs');
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

async function prepare(folder: string, options: Options, io: HarnessIo): Promise<ExitCode> {
  const isNew = !(await isThere(join(folder, 'conformance.json')));
  const place = certificatesOf(options) ?? (isNew ? DEFAULT_CERTIFICATES : undefined);
  await using environment = await ConformanceEnvironment.open({
    folder,
    prepares: true,
    ...(place !== undefined && { certificates: place }),
  });
  const here = relative(process.cwd(), folder) || '.';
  io.stdout.write(
    [
      `Prepared ${here}. ${join(here, 'README.md')} says how to set up the service.`,
      `During a run the certificate server is at ${new URL(environment.urls.signingX5u).origin}, the CRL at ${environment.urls.crl}.`,
      '',
      `  hopback-harness conformance --folder ${here} --target atis --url http://HOST:PORT`,
      '',
    ].join('\n'),
  );
  return EXIT.ok;
}

function certificatesOf(options: Options): ConformanceEnvironmentOptions['certificates'] {
  const text = options.text('certificates');
  const [crlPort, address] = [options.text('crl-port'), options.text('listen')];
  if (text === undefined) {
    if (crlPort === undefined && address === undefined) return undefined;
    throw new UsageError('--crl-port and --listen go with --certificates');
  }
  const [, host, port = String(DEFAULT_CERTIFICATES.httpsPort)] = /^([A-Za-z0-9.-]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === undefined) throw new UsageError('--certificates must be HOST:PORT, such as 192.0.2.7:8443');
  const httpsPort = portOption('certificates', port);
  const httpPort = portOption('crl-port', crlPort ?? String(httpsPort + 1));
  return {
    host,
    httpsPort,
    httpPort,
    ...(address !== undefined && { address }),
  };
}

const portOption = (name: string, text: string): number => wholeNumber(`--${name}`, text, { min: 1, max: 65_535 });

async function ask(selection: CaseSelection, options: Options, io: HarnessIo): Promise<ExitCode> {
  const { kind, url, signingUrl } = serviceOf(options);
  if (options.text('certificates') !== undefined)
    throw new UsageError('--certificates goes with --prepare: the service already has the address');
  const lacks = knownWords(options, 'lacks', Object.keys(CAPABILITY_TEXT) as Capability[]);
  const seconds = options.number('timeout', 1, 600) ?? 10;
  const most = options.number('max-seconds', 1, 86_400) ?? 600;
  const concurrency = options.number('concurrency', 1, 64) ?? 4;
  const folder = resolve(options.text('folder') ?? 'hopback-conformance');
  if (!(await isThere(join(folder, 'conformance.json')))) {
    const command = `hopback-harness conformance --prepare ${relative(process.cwd(), folder)}`;
    throw new HopbackError('unavailable', `${folder} is not prepared: ${command}`);
  }
  const [tokenFile, name] = [options.text('token-file'), options.text('name')];
  const token = tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim();
  await using environment = await ConformanceEnvironment.open({ folder });
  await using target = await openConformanceTarget({
    kind,
    url,
    timeoutMs: seconds * 1_000,
    lacks,
    sip: sipOf(options),
    ...(signingUrl !== undefined && { signingUrl }),
    ...(token !== undefined && { token }),
  });
  const counter = progress(selectCases(CONFORMANCE_CASES, selection).length, io);
  const outcome = await runConformance({
    target,
    environment,
    concurrency,
    maxDurationMs: most * 1_000,
    ...selection,
    ...(name !== undefined && { name }),
    onResult: counter.one,
  });
  counter.end();
  return await report(outcome, { url, options, io });
}

/** Which service is asked, by which interface. */
function serviceOf(options: Options) {
  const kind = TARGET_KINDS.find((one) => one === options.text('target'));
  const [url, signingUrl] = [options.text('url'), options.text('signing-url')];
  if (kind === undefined) throw new UsageError('say what to do: --prepare, --target, --list or --matrix');
  if (url === undefined) throw new UsageError('--target needs --url, the address of the service');
  const isSip = kind === 'redirect' || kind === 'sip';
  for (const [name, value] of [['url', url] as const, ['signing-url', signingUrl ?? url] as const])
    if (!isUrl(value, isSip))
      throw new UsageError(`--${name}: for --target ${kind} it is ${isSip ? 'sip:host:port' : 'http://host:port'}`);
  return { kind, url, signingUrl };
}

function isUrl(text: string, isSip: boolean): boolean {
  if (isSip) return /^sip:[A-Za-z0-9.-]+(?::\d{1,5})?$/.test(text);
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** Options of services that are spoken to by SIP, and what they say. */
const SIP_OPTIONS = {
  domain: 'domain',
  signingDomain: 'signing-domain',
  attestationField: 'attestation-field',
  origIdField: 'origid-field',
  callee: 'callee',
} as const;

const sipOf = (options: Options): SipTargetOptions =>
  Object.fromEntries(
    Object.entries(SIP_OPTIONS).flatMap(([member, name]) => {
      const text = options.text(name);
      return text === undefined ? [] : [[member, text]];
    }),
  );

async function report(
  outcome: ConformanceOutcome,
  {
    url,
    options,
    io,
  }: {
    readonly url: string;
    readonly options: Options;
    readonly io: HarnessIo;
  },
): Promise<ExitCode> {
  if (outcome.status === 'no-cases') throw new UsageError('no case fits --only and --group');
  if (outcome.status === 'no-answer') {
    io.stderr.write(`hopback-harness conformance: nobody answers at ${url}: ${outcome.said}\n`);
    return EXIT.noCalls;
  }
  const { run } = outcome;
  const [out, isStrict] = [options.text('out'), options.isOn('strict')];
  if (out !== undefined) await writeReports(out, run, isStrict);
  io.stdout.write(
    options.isOn('json')
      ? `${JSON.stringify(run, undefined, 2)}\n`
      : writeConformanceTable(run, { color: mayColor(io) }),
  );
  if (!run.isComplete) return EXIT.timeout;
  return run.counts.fail > 0 || (isStrict && run.counts.departs > 0) ? EXIT.negative : EXIT.ok;
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
