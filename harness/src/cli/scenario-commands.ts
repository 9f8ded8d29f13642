import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { EXIT, printJson, refuseOperands, UsageError } from '@hopback/sdk/internal/cli';
import { diffRuns, diffText, oneLine, readRunSummary } from '../report/index.js';
import type { RunSummary } from '../report/index.js';
import { readShippedScenario, shippedScenarios } from '../scenario/index.js';
import type { HarnessCommand } from './harness-io.js';

/** `hopback-harness diff` */
export const DIFF: HarnessCommand = {
  usage: ['BEFORE AFTER'],
  options: {},
  notes: [
    'Compares the folders of two runs: verdict, metrics, thresholds, findings that are new or gone.',
    'Exit codes: 0 the later run is not worse; 1 it is; 2 the command line cannot be understood; 4 a summary cannot be read.',
  ],
  run: async ({ operands: [before, after, more], isOn }, io) => {
    if (before === undefined || after === undefined || more !== undefined)
      throw new UsageError('name two run folders, the earlier one first');
    const diff = diffRuns(await summaryIn(before), await summaryIn(after));
    io.stdout.write(isOn('json') ? `${JSON.stringify(diff)}\n` : `${diffText(diff).map(oneLine).join('\n')}\n`);
    return diff.isWorse ? EXIT.negative : EXIT.ok;
  },
};

async function summaryIn(folder: string): Promise<RunSummary> {
  const path = join(folder, 'summary.json');
  try {
    const read = readRunSummary(await readFile(path, 'utf8'));
    if (read.status === 'read') return read.summary;
    throw new HopbackError('unavailable', `${path}: ${read.why}`);
  } catch (error) {
    throw isHopbackError(error) ? error : failed(`${path} cannot be read`, error as NodeJS.ErrnoException);
  }
}

const failed = (what: string, { code = 'unknown' }: NodeJS.ErrnoException): HopbackError =>
  new HopbackError('storage-failed', `${what} (${code})`);

/** `hopback-harness list` */
export const LIST: HarnessCommand = {
  usage: [''],
  options: {},
  notes: [
    'Lists the scenarios that come with the package, and their purpose.',
    'Exit codes: 0 listed; 2 the command line cannot be understood; 4 the output could not be written.',
  ],
  run: async (options, io) => {
    refuseOperands(options);
    const scenarios = await Promise.all(shippedScenarios().map((name) => readShippedScenario(name)));
    if (options.isOn('json')) {
      io.stdout.write(`${JSON.stringify(scenarios.map(({ name, why }) => ({ name, why })))}\n`);
      return EXIT.ok;
    }
    const lines = scenarios.map(({ name, why }) => `${name}\n${wrapped(oneLine(why), 100)}\n`);
    io.stdout.write(`${lines.join('\n')}\nRun one: hopback-harness run NAME\n`);
    return EXIT.ok;
  },
};

function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = '   ';
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width) {
      lines.push(line);
      line = '   ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

/** `hopback-harness init` */
export const INIT: HarnessCommand = {
  usage: ['[FILE]'],
  options: {},
  notes: [
    'Writes a first scenario with a comment for each member; default scenario.yaml. An existing file is not changed.',
    'Exit codes: 0 written; 2 the command line cannot be understood; 4 the file is there, or cannot be written.',
  ],
  run: async ({ operands: [file = 'scenario.yaml', more], isOn }, io) => {
    if (more !== undefined) throw new UsageError(`${more}: one file at a time`);
    try {
      await writeFile(file, FIRST_SCENARIO, { flag: 'wx' });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') throw new HopbackError('storage-failed', `${file} is there already`);
      throw failed(`${file} cannot be written`, error as NodeJS.ErrnoException);
    }
    if (isOn('json')) printJson(io, { format: 'hopback.scenario-written.1', exitCode: EXIT.ok, file });
    else io.stdout.write(`Wrote ${file}. Carry it out: hopback-harness run ${file}\n`);
    return EXIT.ok;
  },
};

/** The scenario that `hopback-harness init` writes: small, complete, with a comment for each member that users change. */
const FIRST_SCENARIO = `# A network, who calls in it, and the bar for the run. Run it: hopback-harness run FILE
format: hopback.scenario.1
name: first
why: A dialer abroad calls homes through a gateway and a transit carrier; an office calls the same homes.

# Used below as \${name}. --set perSecond=20 and HOPBACK_PER_SECOND=20 take precedence over the values here.
variables:
  perSecond: 5
  setupMs: 2000

# Carriers. Roles: originating, ipes, gateway, transit, terminating, foreign.
providers:
  - { id: fern, role: foreign, country: CY }
  - { id: elm, role: gateway }
  - { id: dune, role: originating, numbers: ['1555303'] }
  - id: birch
    role: transit
    # What it does wrong. Without this line it is honest. Others: strips-identity, names-another, late, denies ...
    behaviours: [{ kind: silent }]
  - { id: alder, role: terminating, numbers: ['1202555'] }

# Which carrier sends calls to which. A call takes the cheapest path.
trunks:
  - { from: fern, to: elm }
  - { from: elm, to: birch }
  - { from: dune, to: birch }
  - { from: birch, to: alder }

callers:
  - id: dialer
    kind: robocaller
    at: fern
    # It shows numbers with the area code and exchange of the called number.
    numbers: { kind: neighbour }
    calls: [homes]
    script: irs-lawsuit
    durationSeconds: { from: 1, to: 2 }
  - id: office
    kind: ordinary
    at: dune
    # 555 is not an area code, so these numbers belong to nobody.
    numbers: { kind: own, numbers: [15553034100-15553034109] }
    calls: [homes]
    durationSeconds: { from: 3, to: 9 }
    # Half as many calls as the dialer.
    share: 0.5

called:
  # Keep this range much larger than the calls of a minute: ordinary calls to a small block look like a dialer that counts up.
  - { id: homes, at: alder, first: '12025550100', count: 2000, app: { reports: 0.8 } }

phases:
  - { name: flood, seconds: 20, rate: { shape: constant, perSecond: '\${perSecond}' } }

# The traceback group. Without it the run has calls only.
platform:
  staffTracebacks: 3

# The run passes when all of these are met. Without thresholds any finding fails it.
thresholds:
  calls_wrong: [count==0]
  verdict_accuracy: [rate==1]
  campaign_precision: [rate==1]
  wrong_accusations: [count==0]
  call_setup_ms: ['p(99)<\${setupMs}']
`;
