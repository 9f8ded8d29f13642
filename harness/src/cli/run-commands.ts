import { join } from 'node:path';
import { EXIT, printJson, printLines, UsageError } from '@hopback/sdk/internal/cli';
import type { Options } from '@hopback/sdk/internal/cli';
import { findingText, ladderOf, ladderText, oneLine, verdictSentence } from '../report/index.js';
import { dryRunLines, labRunOptions, loadPlan, prepareLab, readLab, replayPlan, truthOfPlan } from '../runner/index.js';
import type { LoadedPlan, RunOptions, RunResult } from '../runner/index.js';
import { carryOut } from './carry-out.js';
import { signalled } from './harness-io.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';
import {
  ENDING_OPTIONS,
  hostAndPort,
  PARTNER_OPTIONS,
  PLAN_OPTIONS,
  runSettings,
  unusable,
  whole,
} from './run-settings.js';
import type { RunSettings } from './run-settings.js';

type Plan = Extract<LoadedPlan, { readonly status: 'loaded' }>['plan'];

const RUN_OPTIONS = {
  ...PLAN_OPTIONS,
  rate: { value: 'X', text: 'factor of the rates, 0.01 to 100; default 1' },
  'dry-run': { text: 'print the plan and the expected results; place no call' },
  ...ENDING_OPTIONS,
  pcap: {
    value: 'MODE',
    choices: ['sampled', 'all'],
    text: 'write a capture per provider: sampled (only the calls in the report) or all',
  },
  'no-messages': { text: 'keep no messages: no ladders, less load' },
  processes: {
    value: 'N',
    text: 'processes for the providers; callers and called get one more; default 0: all in this process',
  },
  control: {
    value: 'HOST:PORT',
    text: 'steer the run over HTTP, on loopback; HOPBACK_CONTROL_TOKEN is its token, or one is made and printed',
  },
  drachtio: {
    value: 'ID=HOST:PORT',
    multiple: true,
    text: 'use this drachtio-server for a provider instead of the embedded one; HOPBACK_DRACHTIO_SECRET is its secret',
  },
  ...PARTNER_OPTIONS,
  json: { text: 'print lines of JSON' },
} as const;

/** What a dashboard is steered by. */
export const DASHBOARD_NOTE =
  'On a terminal a dashboard is drawn: + - 10 % more or less, * / twice or half, p pause, q stop. Elsewhere a line is printed each second.';

const RUN_EXIT_CODES =
  'Exit codes: 0 passed; 1 failed; 2 the command line or the scenario cannot be understood; 3 incomplete: all observed results are correct, ' +
  'but somebody stopped the run, a signal ended it, or calls of the plan were not placed; 4 an address cannot be bound, or a file not be ' +
  'written; 97 the time was up; 99 no call was placed, or the plan has no calls (also with --dry-run).';

/** `hopback-harness run` */
export const RUN: HarnessCommand = {
  usage: ['SCENARIO [options]'],
  options: RUN_OPTIONS,
  notes: [
    'Carries out a scenario over real SIP on loopback, and compares the observed results with the expected ones. SCENARIO is a file (YAML or JSON), the ' +
      'name of a shipped one (hopback-harness list), the folder of an earlier run, or one that hopback-harness lab has prepared.',
    DASHBOARD_NOTE,
    'The folder has summary.json, report.html (a single file to pass on), junit.xml, ctrf.json, snapshots.csv, plan.json, and ' +
      'ladders and captures of calls.',
    RUN_EXIT_CODES,
  ],
  run: async (options, io) => {
    const [from, more] = options.operands;
    if (from === undefined) throw new UsageError('which scenario? hopback-harness list names those that are shipped');
    if (more !== undefined) throw new UsageError(`${more}: one scenario at a time`);
    const settings = runSettings(options, io.env);
    const plan = await loadedPlan(from, settings, io);
    if (plan.calls.length === 0) {
      const { scenario, seed } = plan;
      const why = `${oneLine(scenario.name)}, seed ${seed}, has no call to place: its phases are too short`;
      printLines(io, [`hopback-harness run: ${why}`], io.stderr);
      return EXIT.noCalls;
    }
    if (options.isOn('dry-run')) {
      io.stdout.write(`${dryRunLines(plan, truthOfPlan(plan)).join('\n')}\n`);
      return EXIT.ok;
    }
    const lab = await labOf(from);
    return carryOut({
      plan,
      settings: { ...settings, run: { ...lab, ...settings.run } },
      io,
      tell: resultLines,
      out: options.text('out') ?? defaultFolder(plan),
      keeps: options.isOn('keep'),
      isJson: options.isOn('json'),
      command: commandOf(from, options, plan),
    });
  },
};

/** A call and what follows from it take less, or hang. */
const REPLAY_TIMEOUT_SECONDS = 60;

const REPLAY_OPTIONS = {
  ...PLAN_OPTIONS,
  out: { value: 'DIR', text: 'folder of the run; default nothing is written' },
  trace: { text: 'print the ladder of the call, and each of its messages' },
  timeout: { value: 'S', text: `end after S seconds in any case; default ${REPLAY_TIMEOUT_SECONDS}` },
} as const;

/** `hopback-harness replay` */
export const REPLAY: HarnessCommand = {
  usage: ['CALL RUN [options]'],
  options: REPLAY_OPTIONS,
  notes: [
    'Places one call of a run again, with the same seed and plan. CALL is its index, RUN the folder of the run or a scenario.',
    RUN_EXIT_CODES,
  ],
  run: async (options, io) => {
    const [call = '', from, more] = options.operands;
    const index = whole(call, Number.MAX_SAFE_INTEGER);
    if (Number.isNaN(index) || from === undefined || more !== undefined)
      throw new UsageError('name the call and the run: replay CALL RUN');
    const settings = runSettings(options, io.env);
    const plan = await loadedPlan(from, settings, io);
    if (!plan.calls.some((planned) => planned.index === index))
      throw new UsageError(`call ${index}: the plan has ${plan.calls.length} calls, from 0`);
    // A call by itself is placed by us.
    const { externalCallers: _, ...lab } = await labOf(from);
    const leaving = signalled(io.process);
    const folder = options.text('out');
    try {
      const result = await replayPlan(plan, index, {
        ...lab,
        timeoutSeconds: REPLAY_TIMEOUT_SECONDS,
        ...settings.run,
        signal: leaving.signal,
        ...(folder !== undefined && { folder }),
      });
      if (options.isOn('json')) io.stdout.write(`${JSON.stringify(result.summary)}\n`);
      else {
        const lines = [...(options.isOn('trace') ? traceLines(result, index) : []), ...resultLines(result)];
        io.stdout.write(`${lines.join('\n')}\n`);
      }
      return result.exitCode;
    } catch (error) {
      throw unusable(error);
    } finally {
      leaving.release();
    }
  },
};

const DEFAULT_FOLDER = 'lab';
/** Ports that an x5u may have are 443 and 8443. ATIS-1000074 */
const DEFAULT_CERTIFICATES = '127.0.0.1:8443';

const LAB_OPTIONS = {
  ...PLAN_OPTIONS,
  external: { ...PARTNER_OPTIONS.external, text: 'your switch at this SIP URI takes the place of a provider' },
  listen: PARTNER_OPTIONS.listen,
  await: {
    ...PARTNER_OPTIONS.await,
    text: 'your program places the calls of this caller; FOLDER/ID.csv lists them for SIPp',
  },
  certificates: { value: 'HOST:PORT', text: `where the certificate server will be; default ${DEFAULT_CERTIFICATES}` },
} as const;

/** `hopback-harness lab` */
export const LAB: HarnessCommand = {
  usage: ['SCENARIO [FOLDER] [options]'],
  options: LAB_OPTIONS,
  notes: [
    'Writes a folder with everything that your switches and dialers need to take part in a scenario: trust anchors, keys, ' +
      'certificates, addresses, and the calls. Default folder: lab. hopback-harness run FOLDER carries the scenario out with them. A folder ' +
      'that was prepared before keeps its keys and certificates, so that a switch is set up once.',
    'Exit codes: 0 written; 2 the command line or the scenario cannot be understood; 4 a file cannot be written.',
  ],
  run: async (options, io) => {
    const [from, folder = DEFAULT_FOLDER, more] = options.operands;
    if (from === undefined || more !== undefined) throw new UsageError('name the scenario: lab SCENARIO [FOLDER]');
    const settings = runSettings(options, io.env);
    const at = options.text('certificates') ?? DEFAULT_CERTIFICATES;
    const certificates = hostAndPort(`--certificates ${at}`, at);
    const { external = {}, externalCallers = [], listen = {} } = settings.run;
    const told = Object.entries(listen).map(([id, place]) => [`--listen ${id}=`, place] as const);
    for (const [option, { host, port }] of [...told, ['--certificates ', certificates] as const])
      if (port === 0) throw new UsageError(`${option}${host}:0: an external program needs a fixed port, 1 to 65535`);
    const plan = await loadedPlan(from, settings, io);
    try {
      await prepareLab(folder, plan, {
        externalCallers,
        listen,
        certificates,
        external: Object.fromEntries(Object.entries(external).map(([id, { uri }]) => [id, uri])),
      });
    } catch (error) {
      throw unusable(error);
    }
    if (options.isOn('json')) printJson(io, { format: 'hopback.lab-prepared.1', exitCode: EXIT.ok, folder });
    else
      io.stdout.write(
        `${folder}/README.md explains how to configure your programs. Then: hopback-harness run ${folder}\n`,
      );
    return EXIT.ok;
  },
};

/** Reads a scenario. @throws UsageError with what is wrong with it */
export async function loadedPlan(from: string, settings: RunSettings, { env }: HarnessIo): Promise<Plan> {
  const loaded = await loadPlan({ from, env, ...settings.plan });
  if (loaded.status === 'loaded') return loaded.plan;
  throw new UsageError(loaded.status === 'faulty' ? loaded.faults.join('\n') : loaded.why);
}

/** What a run in a lab is carried out with; nothing where `from` is none. @throws UsageError for a lab that cannot be read */
async function labOf(from: string): Promise<RunOptions> {
  try {
    const lab = await readLab(from);
    return lab === undefined ? {} : labRunOptions(from, lab);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Folder of a run where none is named. */
export function defaultFolder({ scenario, seed }: Plan): string {
  const time = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  return join('hopback-runs', `${scenario.name}-${seed}-${time}`);
}

/** The command that makes the same calls again. */
function commandOf(from: string, options: Options<'set' | 'once' | 'shorten'>, { seed }: Plan): string {
  const quoted = (text: string): string => (/^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  const words = ['hopback-harness', 'run', quoted(from), '--seed', String(seed)];
  const shorten = options.text('shorten');
  for (const pair of options.texts('set')) words.push('--set', quoted(pair));
  if (options.isOn('once')) words.push('--once');
  if (shorten !== undefined) words.push('--shorten', shorten);
  return words.join(' ');
}

/** Findings that a terminal shows; all are in the report. */
const SHOWN = 10;

/** What a run came to, for a terminal. */
function resultLines({ record, verdict, thresholds, oracle, folder }: RunResult): readonly string[] {
  const { findings, findingsInAll } = oracle;
  const left = findingsInAll - Math.min(SHOWN, findings.length);
  return [
    '',
    `${verdict.toUpperCase()}: ${verdictSentence(record)}`,
    ...thresholds.map(
      ({ metric, threshold, isMet, seen }) => `  ${isMet ? 'ok  ' : 'FAIL'} ${metric} ${threshold} (${seen})`,
    ),
    ...findings.slice(0, SHOWN).map((finding) => `  ! ${oneLine(findingText(finding))}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
    ...(folder === undefined ? [] : [`Report: ${folder}/report.html`]),
    `Again:  ${record.command}`,
  ];
}

/** Ladder and messages of a call that was placed again. */
function traceLines({ record }: RunResult, index: number): readonly string[] {
  const sample = record.samples.find((one) => one.index === index);
  if (sample === undefined) return [`Call ${index} was not seen.`];
  const messages = sample.messages.map(({ provider, direction, atMs, transport, remote, text }) => {
    const head = `${new Date(atMs).toISOString()} ${provider} ${direction === 'in' ? '<-' : '->'} ${transport} ${remote.address}:${remote.port}`;
    return `${head}\n${text.split(/\r?\n/).map(oneLine).join('\n')}`;
  });
  return [ladderText(`Call ${index}`, ladderOf(sample, record.plan)), ...messages];
}
