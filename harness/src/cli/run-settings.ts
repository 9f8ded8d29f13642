import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { UsageError } from '@hopback/sdk/internal/cli';
import type { OptionSpecs, OptionValues } from '@hopback/sdk/internal/cli';
import type { RunOptions } from '../runner/index.js';

/** Names of {@link PLAN_OPTIONS}. */
type PlanOption = 'seed' | 'set' | 'once' | 'shorten';

/** Which calls are made: options of all commands that plan a run. */
export const PLAN_OPTIONS: OptionSpecs<PlanOption> = {
  seed: { value: 'N', text: 'seed of all random choices; default the seed of the scenario' },
  set: { value: 'NAME=VALUE', multiple: true, text: 'value of a variable of the scenario' },
  once: { text: 'one call of each caller' },
  shorten: { value: 'F', text: 'divide all durations by F; rates stay' },
};

/** Names of {@link PARTNER_OPTIONS}. */
type PartnerOption = 'external' | 'listen' | 'await';

/** Who else takes part. */
export const PARTNER_OPTIONS: OptionSpecs<PartnerOption> = {
  external: { value: 'ID=URI', multiple: true, text: 'send calls for this provider to your switch at this SIP URI' },
  listen: {
    value: 'ID=HOST:PORT',
    multiple: true,
    text: 'where a provider, or the end that answers for called numbers, takes calls; default any free port',
  },
  await: { value: 'ID', multiple: true, text: 'your program places the calls of this caller; the run waits for them' },
};

/** Names of {@link ENDING_OPTIONS}. */
type EndingOption = 'out' | 'timeout' | 'keep';

/** How long a run may take, and what is left of it. */
export const ENDING_OPTIONS: OptionSpecs<EndingOption> = {
  out: { value: 'DIR', text: 'folder of the run; default hopback-runs/NAME-SEED-TIME' },
  timeout: { value: 'S', text: 'end after S seconds in any case' },
  keep: { text: 'leave the network and the platform up until Control-C, when the report is written' },
};

/** Values of the options of `run`, `replay`, `lab` and `demo`. */
export interface RunValues {
  readonly seed?: string | undefined;
  readonly set?: readonly string[] | undefined;
  readonly once?: boolean | undefined;
  readonly shorten?: string | undefined;
  readonly rate?: string | undefined;
  readonly out?: string | undefined;
  readonly pcap?: string | undefined;
  readonly 'no-messages'?: boolean | undefined;
  readonly processes?: string | undefined;
  readonly timeout?: string | undefined;
  readonly control?: string | undefined;
  readonly drachtio?: readonly string[] | undefined;
  readonly external?: readonly string[] | undefined;
  readonly await?: readonly string[] | undefined;
  readonly listen?: readonly string[] | undefined;
}

/** What a command line of `run` asks for. */
export interface RunSettings {
  readonly seed: number | undefined;
  readonly set: Readonly<Record<string, string>>;
  readonly onceOnly: true | undefined;
  readonly scale: number | undefined;
  readonly control: { readonly host: string; readonly port: number } | undefined;
  readonly run: RunOptions;
}

/** Longest time that can be asked for, seconds: a timer cannot wait longer. */
const MAX_TIMEOUT_SECONDS = 2_000_000;
const MAX_PROCESSES = 64;
/** Of a switch: the user part is the number that is called. RFC 3261 section 25.1 */
const SIP_URI = /^sips?:(?:\[[\da-f:.]{2,45}\]|[^\s@:;?[\]]{1,255})(?::(?<port>\d{1,16}))?(?:[;?][^\s@]{0,1000})?$/i;
const MAX_PORT = 65_535;

/** Reads the values of a command line. @throws UsageError for what cannot be */
export function runSettings(values: OptionValues, env: Readonly<Record<string, string | undefined>>): RunSettings {
  const settings = readRunSettings(values, env);
  if (typeof settings === 'string') throw new UsageError(settings);
  return settings;
}

function readRunSettings(values: RunValues, env: Readonly<Record<string, string | undefined>>): RunSettings | string {
  const seed = values.seed === undefined ? undefined : whole(values.seed, Number.MAX_SAFE_INTEGER);
  if (Number.isNaN(seed)) return `--seed ${values.seed}: it is a whole number of 0 or more`;
  const { rate = '1', processes: asked = '0', drachtio: servers = [], external: switches = [] } = values;
  const set = pairs(values.set ?? []);
  if (set === undefined) return '--set: it is NAME=VALUE';
  const shorten = values.shorten === undefined ? undefined : Number(values.shorten);
  if (shorten !== undefined && !(shorten >= 0.001 && shorten <= 1_000))
    return `--shorten ${values.shorten}: it is 0.001 to 1000`;
  const rateFactor = Number(rate);
  if (!(rateFactor >= 0.01 && rateFactor <= 100)) return `--rate ${rate}: it is 0.01 to 100`;
  const processes = whole(asked, MAX_PROCESSES);
  if (Number.isNaN(processes)) return `--processes ${asked}: it is 0 to ${MAX_PROCESSES}`;
  const timeoutSeconds = values.timeout === undefined ? undefined : Number(values.timeout);
  if (timeoutSeconds !== undefined && !(timeoutSeconds > 0 && timeoutSeconds <= MAX_TIMEOUT_SECONDS)) {
    return `--timeout ${values.timeout}: it is seconds, at most ${MAX_TIMEOUT_SECONDS}`;
  }
  const { pcap } = values;
  if (pcap !== undefined && pcap !== 'sampled' && pcap !== 'all') return `--pcap ${pcap}: it is sampled or all`;
  const isSilent = values['no-messages'] === true;
  if (isSilent && pcap !== undefined) return '--no-messages: --pcap is made of them';
  const control = values.control === undefined ? undefined : hostAndPort(values.control);
  if (typeof control === 'string') return `--control ${control}`;
  const external = pairs(switches);
  if (external === undefined) return '--external: it is ID=URI';
  for (const [id, uri] of Object.entries(external)) {
    const why = strangeUri(uri);
    if (why !== undefined) return `--external ${id}=${uri}: ${why}`;
  }
  const listen = addresses(values.listen ?? []);
  if (typeof listen === 'string') return `--listen ${listen}`;
  const externalCallers = values.await ?? [];
  const drachtio = drachtioServers(servers, env['HOPBACK_DRACHTIO_SECRET'] ?? 'cymru');
  if (typeof drachtio === 'string') return drachtio;
  return {
    ...{ seed, set, control, onceOnly: values.once === true || undefined },
    scale: shorten === undefined ? undefined : 1 / shorten,
    run: {
      ...{ rateFactor, processes },
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
      ...(pcap !== undefined && { pcap }),
      ...(isSilent && { keepsMessages: false }),
      ...(switches.length > 0 && {
        external: Object.fromEntries(Object.entries(external).map(([id, uri]) => [id, { uri }])),
      }),
      ...(externalCallers.length > 0 && { externalCallers }),
      ...(Object.keys(listen).length > 0 && { listen }),
      ...(servers.length > 0 && { drachtio }),
    },
  };
}

/** A whole number from 0 to `most`; else not a number. */
export function whole(text: string, most: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return value <= most ? value : Number.NaN;
}

function pairs(texts: readonly string[]): Readonly<Record<string, string>> | undefined {
  const entries = texts.map((text) => {
    const equals = text.indexOf('=');
    return equals < 1 ? undefined : ([text.slice(0, equals), text.slice(equals + 1)] as const);
  });
  if (!entries.every((entry) => entry !== undefined)) return undefined;
  return Object.fromEntries(entries);
}

/** Reads `HOST:PORT`. @returns the two, or why it is none */
export function hostAndPort(text: string): { readonly host: string; readonly port: number } | string {
  const [, host = '', digits = ''] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(text) ?? [];
  const port = whole(digits, MAX_PORT);
  if (host === '' || Number.isNaN(port)) return `${text}: it is HOST:PORT`;
  return { host, port };
}

/** Why a switch cannot be at a URI; undefined: it can. */
function strangeUri(uri: string): string | undefined {
  const parts = SIP_URI.exec(uri);
  if (parts === null) return 'it is a SIP URI without a user, sip:HOST:PORT';
  const { port } = parts.groups ?? {};
  if (port === undefined) return undefined;
  const number = whole(port, MAX_PORT);
  return number >= 1 ? undefined : `its port is ${port}: there are 1 to ${MAX_PORT}`;
}

function drachtioServers(texts: readonly string[], secret: string): NonNullable<RunOptions['drachtio']> | string {
  const read = addresses(texts);
  if (typeof read === 'string') return `--drachtio ${read}`;
  return Object.fromEntries(Object.entries(read).map(([id, at]) => [id, { ...at, secret }]));
}

function addresses(texts: readonly string[]): Readonly<Record<string, Address>> | string {
  const named = pairs(texts);
  if (named === undefined) return `${texts.find((text) => !text.includes('=')) ?? ''}: it is ID=HOST:PORT`;
  const read: Record<string, Address> = {};
  for (const [id, address] of Object.entries(named)) {
    const at = hostAndPort(address);
    if (typeof at === 'string') return at;
    read[id] = at;
  }
  return read;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Turns an error of the machine, such as a port in use, into exit code 4. A mistake in the arguments stays one. */
export function unusable(error: unknown): HopbackError {
  if (isHopbackError(error) && error.code === 'invalid-argument') return error;
  const message = error instanceof Error ? error.message : String(error);
  return new HopbackError('unavailable', message, { cause: error });
}
