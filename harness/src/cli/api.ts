import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { EXIT, jsonLine, printLines, tableLines, UsageError } from '@hopback/sdk/internal/cli';
import type { CommandEntry, ExitCode, Options, OptionSpec, OptionSpecs } from '@hopback/sdk/internal/cli';
import { PLATFORM_ROUTES } from '@hopback/sdk/platform';
import { printableText } from '@hopback/sdk/internal';
import type { PlatformClient, RouteCallParams } from '@hopback/sdk/platform';
import { OPERATOR_ROUTES } from '../platform/operator-routes.js';
import type { ApiCommand, ApiRoute, OptionReading } from './api/command-words.js';
import { API_COMMANDS, routeOf } from './api/commands.js';
import { clientOfProfile, DEFAULT_PROFILE, PROFILE_VARIABLE } from './api/profile.js';
import { memberLines } from './api/shown-value.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';

/** Items that a list shows where nobody asked for more. */
const DEFAULT_ITEMS = 50;
/** Most octets of a file that a body is read from: the platform takes less. */
const MAX_INPUT_BYTES = 32 * 1_048_576;

/** Commands that call a platform: those with words of their own, and `api OPERATION` for every operation. */
export function apiEntries(): readonly CommandEntry<HarnessIo>[] {
  const named = API_COMMANDS.map((command) => ({ ...entryOf(command), isHidden: false }));
  const operations = [...PLATFORM_ROUTES, ...OPERATOR_ROUTES].map(({ operationId, summary }: ApiRoute) => ({
    ...entryOf({ name: `api ${operationId}`, operationId, summary }),
    isHidden: true,
  }));
  return [...named, ...operations];
}

function entryOf(command: ApiCommand): CommandEntry<HarnessIo> {
  const { name, summary, operationId } = command;
  return { name, summary, load: async () => ({ name, summary, ...commandOf(command, routeOf(operationId)) }) };
}

/** A command line of a command that calls a route. */
interface ApiCall {
  readonly command: ApiCommand;
  readonly route: ApiRoute;
  readonly options: Options;
  readonly io: HarnessIo;
}

/** Makes a command from its description and its route. */
function commandOf(command: ApiCommand, route: ApiRoute): HarnessCommand {
  return {
    usage: [[...operandNames(route).map((name) => name.toUpperCase()), '[options]'].join(' ')],
    options: optionsOf(command, route),
    notes: [
      command.note ?? route.description,
      'Exit codes: 0 done; 1 the platform refused it or cannot be reached, or the returned data failed a check; 2 the command line or the profile cannot be ' +
        'understood; 4 a file cannot be read.',
    ],
    run: async (options, io) => {
      const call: ApiCall = { command, route, options, io };
      const params = await paramsOf(call);
      const warned = (warning: string): void =>
        printLines(io, [`hopback-harness: warning: ${printableText(warning)}`], io.stderr);
      try {
        const client = await clientOfProfile(options.text('profile') ?? DEFAULT_PROFILE, warned);
        const refusal = await refusalOf(call, params, client);
        if (refusal === undefined) return await carryOut(call, params, client);
        printLines(io, [`hopback-harness ${command.name}: ${printableText(refusal)}`], io.stderr);
        return EXIT.negative;
      } catch (error) {
        return failed(error, call);
      }
    },
  };
}

const operandNames = ({ parameters }: ApiRoute): readonly string[] =>
  parameters.filter((one) => one.in === 'path').map(({ name }) => name);

/** Options of parameters have their names, `--campaignId`; those of lists have `--items` in place of pages. */
function optionsOf({ body = [], switches = {} }: ApiCommand, route: ApiRoute): OptionSpecs {
  const { parameters, request, response } = route;
  const free = (text: string): OptionSpec => ({ value: 'TEXT', isFreeText: true, text });
  const file = (text: string): OptionSpec => ({ value: 'FILE', text });
  const query = parameters.filter((one) => one.in !== 'path' && !OF_THE_COMMAND.has(one.name));
  return {
    ...Object.fromEntries(
      body.map(({ option, help, isRequired }) => [option, free(isRequired === true ? `${help} (required)` : help)]),
    ),
    ...Object.fromEntries(Object.entries(switches).map(([name, text]) => [name, { text }])),
    ...Object.fromEntries(query.map(({ name, description }) => [name, free(description)])),
    ...(request !== undefined && { body: file('the body, JSON; - for standard input') }),
    ...(request?.kind === 'json-and-pdf' && { document: file('the PDF') }),
    ...(response.kind === 'file' && { output: file('where it is written; default standard output') }),
    ...(isList(route) && { items: { value: 'N', text: `how many at most; default ${DEFAULT_ITEMS}` } }),
    profile: { ...file(`profile: client and platform; default ${DEFAULT_PROFILE}`), env: PROFILE_VARIABLE },
    json: { text: 'print JSON in place of a table' },
  };
}

/** Parameters that the command sees to. */
const OF_THE_COMMAND: ReadonlySet<string> = new Set(['cursor', 'limit', 'Idempotency-Key']);

/** Why a command is not carried out. */
async function refusalOf(
  { command, options }: ApiCall,
  params: RouteCallParams,
  client: PlatformClient,
): Promise<string | undefined> {
  return command.check?.({
    body: (params.body ?? {}) as Readonly<Record<string, unknown>>,
    isOn: options.isOn,
    fetch: async (operationId, parameters) => {
      try {
        const result = await client.call(routeOf(operationId), { parameters });
        return result.kind === 'json' ? (result.value as Readonly<Record<string, unknown>>) : {};
      } catch (error) {
        if (isHopbackError(error) && error.details['problemCode'] === 'not-found') return undefined;
        throw error;
      }
    },
  });
}

/** What is sent. @throws UsageError with what is wrong */
async function paramsOf(call: ApiCall): Promise<RouteCallParams> {
  const { route, options, io } = call;
  const { operands } = options;
  const names = operandNames(route);
  if (operands.length !== names.length)
    throw new UsageError(
      names.length === 0
        ? `this command takes no operand, but got ${operands[0] ?? ''}`
        : `this command needs ${names.join(' and ')}`,
    );
  const given = route.parameters.flatMap(({ name }) => {
    const value = options.text(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const path = names.map((name, at) => [name, operands[at] ?? ''] as const);
  const parameters = Object.fromEntries([...given, ...path]);
  if (route.request === undefined) return { parameters };
  const document = options.text('document');
  const pdf = document === undefined ? undefined : await inputOf(document, io);
  const body = await bodyOf(call, pdf);
  return { parameters, body, ...(pdf !== undefined && { document: pdf }) };
}

async function bodyOf({ command, options, io }: ApiCall, pdf: Uint8Array | undefined): Promise<unknown> {
  const { body: members = [], defaults } = command;
  const file = options.text('body');
  let body: Record<string, unknown> = {};
  if (file !== undefined) {
    try {
      body = JSON.parse(Buffer.from(await inputOf(file, io)).toString('utf8')) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof SyntaxError) throw new UsageError(`${file} is not JSON: ${error.message}`);
      throw error;
    }
  } else if (members.length === 0 && defaults === undefined) throw new UsageError('--body FILE is needed');
  const reading: OptionReading = {
    textOf: async (path) => Buffer.from(await inputOf(path, io)).toString('utf8'),
    option: options.text,
    env: io.env,
    note: (line) => printLines(io, [line], io.stderr),
  };
  for (const { option, member, isRequired, read } of members) {
    const text = options.text(option);
    if (text === undefined && isRequired === true && file === undefined) throw new UsageError(`--${option} is needed`);
    if (text === undefined || member === undefined) continue;
    try {
      put(body, member.split('.'), read === undefined ? text : await read(text, reading));
    } catch (error) {
      if (isHopbackError(error) && error.code === 'storage-failed') throw error;
      throw new UsageError(isHopbackError(error) ? `--${option}: ${error.message}` : `--${option} has the wrong form`);
    }
  }
  for (const [member, value] of Object.entries(defaults ?? {})) body[member] ??= value;
  // The platform holds the PDF against it.
  if (pdf !== undefined) body['documentSha256'] ??= createHash('sha256').update(pdf).digest('hex');
  return body;
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

async function inputOf(file: string, io: HarnessIo): Promise<Uint8Array> {
  if (file !== '-') {
    const bytes = await readFile(file).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new HopbackError('storage-failed', why, { cause });
    });
    if (bytes.length > MAX_INPUT_BYTES) throw new UsageError(`${file} has more than ${MAX_INPUT_BYTES} octets`);
    return bytes;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of io.process.stdin ?? process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function carryOut(call: ApiCall, params: RouteCallParams, client: PlatformClient): Promise<ExitCode> {
  const { command, route, options, io } = call;
  if (isList(route)) return list(call, params, client);
  let result = await client.call(route, params);
  while (result.kind === 'json' && command.isPending?.(result.value) === true)
    result = await client.call(route, params);
  if (result.kind === 'nothing') return EXIT.ok;
  if (result.kind === 'file') {
    const output = options.text('output');
    if (output === undefined) io.stdout.write(result.bytes);
    else await writeFile(output, result.bytes);
    return EXIT.ok;
  }
  const lines = [command.name, ...memberLines(result.value, '  ', command.tables)];
  return shown(call, result.value, lines);
}

/** Prints an answer, and says what is wrong with it. @returns the exit code */
function shown({ command, options, io }: ApiCall, value: unknown, lines: readonly string[]): ExitCode {
  const faults = command.faults?.(value) ?? [];
  for (const fault of faults) printLines(io, [`hopback-harness: ${printableText(fault)}`], io.stderr);
  const text = options.isOn('json') ? JSON.stringify(value, undefined, 2) : lines.join('\n');
  io.stdout.write(`${text}\n`);
  return faults.length > 0 ? EXIT.negative : EXIT.ok;
}

/** Whether it is gone through page by page; a list in a document of its own is shown as that. */
const isList = ({ parameters, response }: ApiRoute): boolean =>
  parameters.some(({ name }) => name === 'cursor') && response.kind === 'json' && response.body.endsWith('Page');

interface Page {
  readonly items?: readonly unknown[];
  readonly nextCursor?: string;
}

async function list(call: ApiCall, params: RouteCallParams, client: PlatformClient): Promise<ExitCode> {
  const { command, route, options, io } = call;
  const most = Number(options.text('items') ?? DEFAULT_ITEMS);
  if (!Number.isSafeInteger(most) || most < 1)
    throw new UsageError(`--items: ${options.text('items') ?? ''} is no number of items`);
  const items: unknown[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(500, most - items.length);
    const result = await client.call(route, { ...params, parameters: { ...params.parameters, limit, cursor } });
    const page: Page = result.kind === 'json' ? (result.value as Page) : {};
    items.push(...(page.items ?? []));
    cursor = page.nextCursor;
  } while (cursor !== undefined && items.length < most);
  const exitCode = shown(call, items, listLines(command, items, io));
  if (cursor !== undefined && items.length > 0 && !options.isOn('json'))
    io.stderr.write(`There are more: --items ${most * 2} shows them.\n`);
  return exitCode;
}

function listLines({ columns }: ApiCommand, items: readonly unknown[], { stdout }: HarnessIo): readonly string[] {
  if (items.length === 0) return ['none'];
  if (columns === undefined) return items.flatMap((item) => [...memberLines(item), '']);
  return tableLines(columns, items, stdout.isTty ? stdout.columns : undefined);
}

/** Prints a refusal of the platform with its problem. Usage errors and unreadable files are thrown, and the kit prints them. */
function failed(error: unknown, { command, options, io }: ApiCall): ExitCode {
  if (error instanceof UsageError) throw error;
  if (!isHopbackError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    throw new HopbackError('unavailable', printableText(message), { cause: error });
  }
  const { code, details } = error;
  if (code === 'invalid-configuration' || code === 'invalid-argument') throw error;
  const more = ['problemCode', 'problemDetail', 'httpStatus', 'requestId'].flatMap((member) =>
    details[member] === undefined ? [] : [`${member} ${printableText(String(details[member]))}`],
  );
  const told = more.length > 0 ? ` (${more.join(', ')})` : '';
  const message = `${printableText(error.message)}${told}`;
  if (options.isOn('json'))
    io.stdout.write(
      jsonLine({
        format: 'hopback.error.1',
        exitCode: EXIT.negative,
        code,
        message,
        hints: [],
      }),
    );
  printLines(io, [`hopback-harness ${command.name}: ${message}`], io.stderr);
  return EXIT.negative;
}
