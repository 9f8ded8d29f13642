import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { UsageError } from '@hopback/sdk/internal/cli';
import type { Options, OptionSpecs } from '@hopback/sdk/internal/cli';
import type { RunOptions, RunScenarioOptions } from '../runner/index.js';

/** Which calls are made: options of all commands that plan a run. */
export const PLAN_OPTIONS = {
  seed: { value: 'N', text: 'seed of all random choices; default the seed of the scenario' },
  set: { value: 'NAME=VALUE', multiple: true, text: 'value of a variable of the scenario' },
  once: { text: 'one call of each caller' },
  shorten: { value: 'F', text: 'divide all durations by F; rates stay' },
} as const satisfies OptionSpecs;

/** Who else takes part. */
export const PARTNER_OPTIONS = {
  external: { value: 'ID=URI', multiple: true, text: 'send calls for this provider to your switch at this SIP URI' },
  listen: {
    value: 'ID=HOST:PORT',
    multiple: true,
    text: 'address at which a provider, or an entry of called, takes calls; default any free port',
  },
  await: { value: 'ID', multiple: true, text: 'your program places the calls of this caller; the run waits for them' },
} as const satisfies OptionSpecs;

/** How long a run may take, and what is left of it. */
export const ENDING_OPTIONS = {
  out: { value: 'DIR', text: 'folder of the run; default hopback-runs/NAME-SEED-TIME' },
  timeout: { value: 'S', text: 'end after S seconds in any case' },
  keep: { text: 'after the report, leave the network and the platform up until Control-C' },
} as const satisfies OptionSpecs;

/** What a command line of `run`, `replay`, `lab` or `demo` asks for. */
export interface RunSettings {
  readonly plan: Pick<RunScenarioOptions, 'seed' | 'onceOnly' | 'scale'> & {
    readonly set: Readonly<Record<string, string>>;
  };
  readonly control: Address | undefined;
  readonly run: RunOptions;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Longest time that can be asked for, seconds: a timer cannot wait longer. */
const MAX_TIMEOUT_SECONDS = 2_000_000;
/** Of a switch: the user part is the number that is called. RFC 3261 section 25.1 */
const SIP_URI = /^sips?:(?:\[[\da-f:.]{2,45}\]|[^\s@:;?[\]]{1,255})(?::(?<port>\d{1,16}))?(?:[;?][^\s@]{0,1000})?$/i;
const MAX_PORT = 65_535;

/** Reads the options of a command line. @throws UsageError for what cannot be */
export function runSettings(options: Options, env: Readonly<Record<string, string | undefined>>): RunSettings {
  const seed = options.text('seed');
  if (seed !== undefined && Number.isNaN(whole(seed, Number.MAX_SAFE_INTEGER)))
    throw new UsageError(`--seed ${seed}: must be a whole number of 0 or more`);
  const shorten = decimal(options, { name: 'shorten', min: 0.001, max: 1_000 });
  const control = options.text('control');
  return {
    plan: {
      set: Object.fromEntries(pairs(options, 'set', 'NAME=VALUE')),
      seed: seed === undefined ? undefined : Number(seed),
      onceOnly: options.isOn('once') || undefined,
      scale: shorten === undefined ? undefined : 1 / shorten,
    },
    control: control === undefined ? undefined : hostAndPort(`--control ${control}`, control),
    run: runOptions(options, env['HOPBACK_DRACHTIO_SECRET'] ?? 'cymru'),
  };
}

function runOptions(options: Options, secret: string): RunOptions {
  const timeoutSeconds = decimal(options, { name: 'timeout', min: 0.001, max: MAX_TIMEOUT_SECONDS });
  const pcap = options.text('pcap') as RunOptions['pcap'];
  const isSilent = options.isOn('no-messages');
  if (isSilent && pcap !== undefined) throw new UsageError('--pcap needs the messages: leave out --no-messages');
  const switches = pairs(options, 'external', 'ID=URI');
  for (const [id, uri] of switches) checkUri(`--external ${id}=${uri}`, uri);
  const listen = addresses(options, 'listen');
  const servers = addresses(options, 'drachtio').map(([id, at]) => [id, { ...at, secret }] as const);
  const externalCallers = options.texts('await');
  return {
    rateFactor: decimal(options, { name: 'rate', min: 0.01, max: 100 }) ?? 1,
    processes: options.number('processes', 0, 64) ?? 0,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(pcap !== undefined && { pcap }),
    ...(isSilent && { keepsMessages: false }),
    ...(switches.length > 0 && { external: Object.fromEntries(switches.map(([id, uri]) => [id, { uri }])) }),
    ...(externalCallers.length > 0 && { externalCallers }),
    ...(listen.length > 0 && { listen: Object.fromEntries(listen) }),
    ...(servers.length > 0 && { drachtio: Object.fromEntries(servers) }),
  };
}

function decimal(
  options: Options,
  {
    name,
    min,
    max,
  }: {
    readonly name: string;
    readonly min: number;
    readonly max: number;
  },
): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value >= min && value <= max)) throw new UsageError(`--${name} ${text}: must be ${min} to ${max}`);
  return value;
}

/** A whole number from 0 to `most`; else not a number. */
export function whole(text: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value <= most ? value : Number.NaN;
}

function pairs(options: Options, name: string, form: string): readonly (readonly [string, string])[] {
  return options.texts(name).map((text) => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new UsageError(`--${name} ${text}: must be ${form}`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
}

const addresses = (options: Options, name: string): readonly (readonly [string, Address])[] =>
  pairs(options, name, 'ID=HOST:PORT').map(([id, text]) => [id, hostAndPort(`--${name} ${id}=${text}`, text)]);

/** Reads `HOST:PORT`. @param what - the option, for the message */
export function hostAndPort(what: string, text: string): Address {
  const [, host = '', digits = ''] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const port = whole(digits, MAX_PORT);
  if (host === '' || Number.isNaN(port)) throw new UsageError(`${what}: must be HOST:PORT`);
  return { host, port };
}

/** @throws UsageError where no switch can be at a URI */
function checkUri(what: string, uri: string): void {
  const parts = SIP_URI.exec(uri);
  if (parts === null) throw new UsageError(`${what}: must be a SIP URI without a user, sip:HOST:PORT`);
  const { port } = parts.groups ?? {};
  if (port !== undefined && !(whole(port, MAX_PORT) >= 1))
    throw new UsageError(`${what}: the port must be 1 to ${MAX_PORT}, not ${port}`);
}

/** Turns an error of the machine, such as a port in use, into exit code 4. A mistake in the arguments stays one. */
export function unusable(error: unknown): Error {
  if (error instanceof UsageError || (isHopbackError(error) && error.code === 'invalid-argument')) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HopbackError('unavailable', message, { cause: error });
}
