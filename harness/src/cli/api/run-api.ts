import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isHopbackError } from '@hopback/sdk/errors';
import type { PlatformClient, RouteCallParams } from '@hopback/sdk/platform';
import { printableText } from '@hopback/sdk/platform';
import { EXIT, readCommandLine } from '../command-line.js';
import type { HarnessProcess } from '../run.js';
import type { ApiCommand, OptionReading } from './command-words.js';
import { API_COMMANDS, routeOf } from './commands.js';
import type { ApiRoute } from './commands.js';
import { clientOfProfile, DEFAULT_PROFILE, PROFILE_VARIABLE } from './profile.js';
import { memberLines, tableLines } from './shown-value.js';

/** Nouns that begin a command of this kind. */
export const API_NOUNS: ReadonlySet<string> = new Set([
  'api',
  ...API_COMMANDS.map(({ name }) => name.split(' ')[0] ?? ''),
]);

/** Items that a list shows where nobody asked for more. */
const DEFAULT_ITEMS = 50;
/** Most octets of a file that a body is read from: the platform takes less. */
const MAX_INPUT_BYTES = 32 * 1_048_576;

const COMMON = {
  profile: { type: 'string' },
  json: { type: 'boolean' },
  body: { type: 'string' },
  document: { type: 'string' },
  output: { type: 'string' },
  items: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** What it is to work with. */
export interface ApiSurroundings {
  readonly io: HarnessProcess;
  /** Routes that a platform has beside the contract. */
  readonly furtherRoutes: readonly ApiRoute[];
  /** Makes the client of a profile. */
  readonly clientOf?: (profile: string, onWarning: (warning: string) => void) => Promise<PlatformClient>;
}

/**
 * Runs a command that calls a platform: `campaigns list`, `tracebacks show ID`, `api OPERATION`.
 * @returns the exit code
 */
export async function runApi(argv: readonly string[], surroundings: ApiSurroundings): Promise<number> {
  const { io, furtherRoutes } = surroundings;
  const command = commandOf(argv, furtherRoutes);
  if (command === undefined) return usage(io, unknownCommand(argv), argv[0]);
  const route = routeOf(command.operationId, furtherRoutes);
  if (route === undefined) return usage(io, `there is no operation ${command.operationId}`, argv[0]);
  const asked = readCommandLine(argv.slice(command.name.split(' ').length), optionsOf(command, route));
  if (asked.status === 'not-understood') return usage(io, `${command.name}: ${asked.why}`, argv[0]);
  const values = asked.values as Readonly<Record<string, string | boolean | undefined>>;
  if (values['help'] === true) return said(io, helpOf(command, route));
  const filled = operandsOf(command, asked.positionals);
  if (typeof filled === 'string') return usage(io, `${command.name}: ${filled}`, argv[0]);
  try {
    const params = await paramsOf(command, route, { values, operands: filled, io });
    if (typeof params === 'string') return usage(io, `${command.name}: ${params}`, argv[0]);
    const profile = textOf(values['profile']) ?? io.env[PROFILE_VARIABLE] ?? DEFAULT_PROFILE;
    const warned = (warning: string): void =>
      void io.stderr.write(`hopback-harness: warning: ${printableText(warning)}\n`);
    const client = await (surroundings.clientOf ?? clientOfProfile)(profile, warned);
    const refusal = await refusalOf({ command, params, values, client, furtherRoutes });
    if (refusal !== undefined) {
      io.stderr.write(`hopback-harness: ${command.name}: ${printableText(refusal)}\n`);
      return EXIT.failed;
    }
    return await carryOut({ command, route, params, values, client, io });
  } catch (error) {
    return failed(io, error);
  }
}

/** Why a command is not carried out. */
async function refusalOf(given: {
  readonly command: ApiCommand;
  readonly params: RouteCallParams;
  readonly values: Given['values'];
  readonly client: PlatformClient;
  readonly furtherRoutes: readonly ApiRoute[];
}): Promise<string | undefined> {
  const { command, params, values, client, furtherRoutes } = given;
  return command.check?.({
    body: (params.body ?? {}) as Readonly<Record<string, unknown>>,
    isOn: (name) => values[name] === true,
    fetch: async (operationId, parameters) => {
      const route = routeOf(operationId, furtherRoutes);
      if (route === undefined) throw new TypeError(`there is no operation ${operationId}`);
      try {
        const result = await client.call(route, { parameters });
        return result.kind === 'json' ? (result.value as Readonly<Record<string, unknown>>) : {};
      } catch (error) {
        if (isHopbackError(error) && error.details['problemCode'] === 'not-found') return undefined;
        throw error;
      }
    },
  });
}

/** A line for each command, for `--help`. */
export function apiHelp(): string {
  const width = Math.max(...API_COMMANDS.map(({ name }) => name.length));
  const lines = API_COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [...lines, `  ${'api OPERATION'.padEnd(width)}  any operation by its operationId; \`api\` lists them`].join(
    '\n',
  );
}

const said = (io: HarnessProcess, text: string): number => (io.stdout.write(`${text}\n`), EXIT.ok);

const textOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

function usage(io: HarnessProcess, why: string, noun = ''): number {
  const known = API_COMMANDS.filter(({ name }) => name.startsWith(`${noun} `)).map(({ name }) => `  ${name}`);
  io.stderr.write(`hopback-harness: ${printableText(why)}\n${known.length > 0 ? `\n${known.join('\n')}\n` : ''}`);
  return EXIT.usage;
}

const unknownCommand = ([noun = '', verb]: readonly string[]): string =>
  verb === undefined || verb.startsWith('-') ? `${noun} what?` : `there is no command ${noun} ${verb}`;

function commandOf([noun = '', verb = '']: readonly string[], further: readonly ApiRoute[]): ApiCommand | undefined {
  const named = API_COMMANDS.find(({ name }) => name === `${noun} ${verb}`);
  if (named !== undefined || noun !== 'api') return named;
  const route = routeOf(verb, further);
  if (route === undefined) return undefined;
  const operands = route.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  return { name: `api ${verb}`, summary: route.summary, operationId: verb, operands };
}

type Options = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly short?: string }>>;

/** Options of parameters have their names, `--campaignId`; those of lists have `--items` in place of pages. */
function optionsOf({ body = [], switches = {} }: ApiCommand, { parameters }: ApiRoute): Options {
  const named = parameters
    .filter((one) => one.in !== 'path' && !PAGING.has(one.name) && one.name !== 'Idempotency-Key')
    .map(({ name }) => [name, { type: 'string' }] as const);
  return {
    ...COMMON,
    ...Object.fromEntries(named),
    ...Object.fromEntries(body.map(({ option }) => [option, { type: 'string' }] as const)),
    ...Object.fromEntries(Object.keys(switches).map((name) => [name, { type: 'boolean' }] as const)),
  };
}

const PAGING: ReadonlySet<string> = new Set(['cursor', 'limit']);

function helpOf(command: ApiCommand, route: ApiRoute): string {
  const operands = command.operands.map((name) => ` ${name.toUpperCase()}`).join('');
  const query = route.parameters
    .filter((one) => one.in !== 'path' && !PAGING.has(one.name) && one.name !== 'Idempotency-Key')
    .map(({ name, description }) => [`--${name}`, description] as const);
  const own = (command.body ?? []).map(({ option, help, isRequired }) => {
    return [`--${option}`, `${help}${isRequired === true ? ' (has to be there)' : ''}`] as const;
  });
  const switches = Object.entries(command.switches ?? {}).map(([name, help]) => [`--${name}`, help] as const);
  const always = [
    ...(route.request !== undefined && command.body === undefined
      ? [['--body FILE', 'the body, JSON; - for standard input'] as const]
      : []),
    ...(route.request?.kind === 'json-and-pdf' ? [['--document FILE', 'the PDF'] as const] : []),
    ...(route.response.kind === 'file'
      ? [['--output FILE', 'where it is written; default standard output'] as const]
      : []),
    ...(command.columns === undefined ? [] : [['--items N', `how many at most; default ${DEFAULT_ITEMS}`] as const]),
    ['--profile FILE', `who calls, and where; default ${PROFILE_VARIABLE} or ${DEFAULT_PROFILE}`] as const,
    ['--json', 'print JSON in place of a table'] as const,
  ];
  const rows = [...own, ...switches, ...query, ...always];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
  return [`hopback-harness ${command.name}${operands} [options]`, '', route.description, '', ...lines].join('\n');
}

function operandsOf({ operands }: ApiCommand, given: readonly string[]): Readonly<Record<string, string>> | string {
  if (given.length !== operands.length)
    return operands.length === 0
      ? `it takes no operands, but there is ${given[0]}`
      : `it takes ${operands.join(' and ')}`;
  return Object.fromEntries(operands.map((name, at) => [name, given[at] ?? '']));
}

interface Given {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly operands: Readonly<Record<string, string>>;
  readonly io: HarnessProcess;
}

/** What is sent, or what is wrong. */
async function paramsOf(command: ApiCommand, route: ApiRoute, given: Given): Promise<RouteCallParams | string> {
  const { values, operands, io } = given;
  const options = route.parameters.flatMap(({ name }) => {
    const value = textOf(values[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  const parameters = { ...Object.fromEntries(options), ...operands };
  if (route.request === undefined) return { parameters };
  const document = textOf(values['document']);
  const pdf = document === undefined ? undefined : await inputOf(document, io);
  const body = await bodyOf(command, given, pdf);
  if (typeof body === 'string') return body;
  return { parameters, body: body.body, ...(pdf !== undefined && { document: pdf }) };
}

async function bodyOf(
  { body: options = [], defaults }: ApiCommand,
  { values, io }: Given,
  pdf: Uint8Array | undefined,
): Promise<{ readonly body: unknown } | string> {
  const file = textOf(values['body']);
  let body: Record<string, unknown> = {};
  if (file !== undefined) {
    try {
      body = JSON.parse(Buffer.from(await inputOf(file, io)).toString('utf8')) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof SyntaxError) return `${file} is not JSON: ${error.message}`;
      throw error;
    }
  } else if (options.length === 0 && defaults === undefined) return 'it takes --body FILE';
  const reading: OptionReading = {
    textOf: async (path) => Buffer.from(await inputOf(path, io)).toString('utf8'),
    option: (name) => textOf(values[name]),
    env: io.env,
    note: (line) => void io.stderr.write(`${printableText(line)}\n`),
  };
  for (const { option, member, isRequired, read } of options) {
    const text = textOf(values[option]);
    if (text === undefined && isRequired === true && file === undefined) return `it takes --${option}`;
    if (text === undefined || member === undefined) continue;
    try {
      put(body, member.split('.'), read === undefined ? text : await read(text, reading));
    } catch (error) {
      // Of a file that cannot be read the system says why.
      if (error instanceof Error && 'syscall' in error) throw error;
      if (isHopbackError(error)) return `--${option}: ${error.message}`;
      return `--${option} is not in its form`;
    }
  }
  for (const [member, value] of Object.entries(defaults ?? {})) body[member] ??= value;
  // The platform holds the PDF against it.
  if (pdf !== undefined) body['documentSha256'] ??= createHash('sha256').update(pdf).digest('hex');
  return { body };
}

function put(body: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    body[name] = value;
    return;
  }
  const inner = body[name];
  const next: Record<string, unknown> = typeof inner === 'object' && inner !== null ? { ...inner } : {};
  put(next, rest, value);
  body[name] = next;
}

async function inputOf(file: string, io: HarnessProcess): Promise<Uint8Array> {
  if (file !== '-') {
    const bytes = await readFile(file);
    if (bytes.length > MAX_INPUT_BYTES) throw new RangeError(`${file} has more than ${MAX_INPUT_BYTES} octets`);
    return bytes;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin ?? process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Carrying extends Pick<Given, 'values' | 'io'> {
  readonly command: ApiCommand;
  readonly route: ApiRoute;
  readonly params: RouteCallParams;
  readonly client: PlatformClient;
}

async function carryOut(carrying: Carrying): Promise<number> {
  const { command, route, params, client, io, values } = carrying;
  if (isList(route)) return list(carrying);
  let result = await client.call(route, params);
  while (result.kind === 'json' && command.judge?.isPending?.(result.value) === true)
    result = await client.call(route, params);
  if (result.kind === 'nothing') return EXIT.ok;
  if (result.kind === 'file') {
    const output = textOf(values['output']);
    if (output === undefined) io.stdout.write(result.bytes);
    else await writeFile(output, result.bytes);
    return EXIT.ok;
  }
  const exitCode = judged(carrying, result.value);
  if (values['json'] === true) return (said(io, JSON.stringify(result.value, undefined, 2)), exitCode);
  said(io, [command.name, ...memberLines(result.value, '  ', command.tables)].join('\n'));
  return exitCode;
}

/** Says what is wrong with an answer. @returns the exit code */
function judged({ command, io }: Carrying, value: unknown): number {
  const faults = command.judge?.faults?.(value) ?? [];
  for (const fault of faults) io.stderr.write(`hopback-harness: ${printableText(fault)}\n`);
  return faults.length > 0 ? EXIT.failed : EXIT.ok;
}

/** Whether it is gone through page by page; a list in a document of its own is shown as that. */
const isList = ({ parameters, response }: ApiRoute): boolean =>
  parameters.some(({ name }) => name === 'cursor') && response.kind === 'json' && response.body.endsWith('Page');

async function list(carrying: Carrying): Promise<number> {
  const { command, route, params, client, io, values } = carrying;
  const most = Number(textOf(values['items']) ?? DEFAULT_ITEMS);
  if (!Number.isSafeInteger(most) || most < 1)
    return usage(io, `--items: ${String(values['items'])} is no number of items`);
  const items: unknown[] = [];
  let cursor: string | undefined;
  let isMore: boolean;
  do {
    const limit = Math.min(500, most - items.length);
    const parameters = { ...params.parameters, limit, cursor };
    const result = await client.call(route, { ...params, parameters });
    const page =
      result.kind === 'json'
        ? (result.value as { readonly items?: readonly unknown[]; readonly nextCursor?: string })
        : {};
    items.push(...(page.items ?? []));
    cursor = page.nextCursor;
    isMore = cursor !== undefined;
  } while (isMore && items.length < most);
  const exitCode = judged(carrying, items);
  if (values['json'] === true) return (said(io, JSON.stringify(items, undefined, 2)), exitCode);
  if (items.length === 0) return said(io, 'none');
  const { columns } = command;
  const shown =
    columns === undefined
      ? items.flatMap((item) => [...memberLines(item), ''])
      : tableLines(columns, items, io.stdout.isTTY ? io.stdout.columns : undefined);
  io.stdout.write(`${shown.join('\n')}\n`);
  if (isMore) io.stderr.write(`There are more: --items ${most * 2} shows them.\n`);
  return exitCode;
}

function failed(io: HarnessProcess, error: unknown): number {
  if (!isHopbackError(error)) {
    io.stderr.write(`hopback-harness: ${printableText(error instanceof Error ? error.message : String(error))}\n`);
    return EXIT.environment;
  }
  const { code, details } = error;
  const more = ['problemCode', 'problemDetail', 'httpStatus', 'requestId'].flatMap((name) =>
    details[name] === undefined ? [] : [`${name} ${printableText(String(details[name]))}`],
  );
  io.stderr.write(
    `hopback-harness: ${printableText(error.message)}${more.length > 0 ? ` (${more.join(', ')})` : ''}\n`,
  );
  return code === 'invalid-configuration' || code === 'invalid-argument' ? EXIT.usage : EXIT.failed;
}
