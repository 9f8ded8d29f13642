import { isHopbackError } from '@hopback/sdk/errors';
import { prepareLab } from '../../runner/index.js';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import { loadedPlan } from './run-command.js';
import { hostAndPort, readRunSettings, RUN_OPTIONS } from './run-settings.js';
import { LAB_USAGE } from './usage.js';

const DEFAULT_FOLDER = 'lab';
/** Ports that an x5u may have are 443 and 8443. ATIS-1000074 */
const DEFAULT_CERTIFICATES = '127.0.0.1:8443';

/** Runs `hopback-harness lab`. @returns the exit code */
export async function runLab(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const { seed, set, once, shorten, external, await: awaited, listen, help } = RUN_OPTIONS;
  const certificates = { type: 'string', default: DEFAULT_CERTIFICATES } as const;
  const options = { seed, set, once, shorten, external, await: awaited, listen, help, certificates };
  const asked = readCommandLine(argv, options);
  if (asked.status === 'not-understood') return misunderstood(io, asked.why);
  if (asked.values.help) {
    io.stdout.write(LAB_USAGE);
    return EXIT.ok;
  }
  const [from, folder = DEFAULT_FOLDER, more] = asked.positionals;
  if (from === undefined || more !== undefined) return misunderstood(io, 'it is lab SCENARIO [FOLDER]');
  const settings = readRunSettings(asked.values, io.env);
  if (typeof settings === 'string') return misunderstood(io, settings);
  const place = hostAndPort(asked.values.certificates ?? DEFAULT_CERTIFICATES);
  if (typeof place === 'string') return misunderstood(io, `--certificates ${place}`);
  const told = Object.entries(settings.run.listen ?? {}).map(([id, at]) => [`--listen ${id}=`, at] as const);
  for (const [option, { host, port }] of [...told, ['--certificates ', place] as const])
    if (port === 0) return misunderstood(io, `${option}${host}:0: programs of others are told the port, 1 to 65535`);
  const plan = await loadedPlan(from, settings, io);
  if (typeof plan === 'number') return plan;
  const { external: switches = {}, externalCallers = [], listen: addresses = {} } = settings.run;
  try {
    await prepareLab(folder, plan, {
      ...{ externalCallers, listen: addresses, certificates: place },
      external: Object.fromEntries(Object.entries(switches).map(([id, { uri }]) => [id, uri])),
    });
    io.stdout.write(`${folder}/README.md says what to tell your programs. Then: hopback-harness run ${folder}\n`);
    return EXIT.ok;
  } catch (error) {
    io.stderr.write(`hopback-harness lab: ${error instanceof Error ? error.message : String(error)}\n`);
    return isHopbackError(error) && error.code === 'invalid-argument' ? EXIT.usage : EXIT.environment;
  }
}

function misunderstood(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness lab: ${why}\n\n${LAB_USAGE}`);
  return EXIT.usage;
}
