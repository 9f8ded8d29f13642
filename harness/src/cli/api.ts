import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { HopbackError, isHopbackError } from '@hopback/sdk/errors';
import { EXIT, jsonLine, printLines, tableLines, UsageError, valuesOf } from '@hopback/sdk/internal/cli';
import type { CommandEntry, ExitCode, OptionSpecs, OptionValues } from '@hopback/sdk/internal/cli';
import { PLATFORM_ROUTES, printableText } from '@hopback/sdk/platform';
import type { PlatformClient, RouteCallParams } from '@hopback/sdk/platform';
import { OPERATOR_ROUTES } from '../platform/operator-routes.js';
import type { ApiCommand, OptionReading } from './api/command-words.js';
import { API_COMMANDS, routeOf } from './api/commands.js';
import type { ApiRoute } from './api/commands.js';
import { clientOfProfile, DEFAULT_PROFILE, PROFILE_VARIABLE } from './api/profile.js';
import { memberLines } from './api/shown-value.js';
import type { HarnessCommand, HarnessIo } from './carry-out.js';

/** Items that a list shows where nobody asked for more. */
const DEFAULT_ITEMS = 50;
/** Most octets of a file that a body is read from: the platform takes less. */
const MAX_INPUT_BYTES = 32 * 1_048_576;

/** Commands that call a platform: those with words of their own, and `api OPERATION` for every operation. */
export function apiEntries(): readonly CommandEntry<HarnessIo>[] {
  const named = API_COMMANDS.map((command) => ({
    ...{ name: command.name, summary: command.summary },
    load: () => Promise.resolve(commandOf(command, routeOf(command.operationId, OPERATOR_ROUTES))),
  }));
  const operations = [...PLATFORM_ROUTES, ...OPERATOR_ROUTES].map((route: ApiRoute) => {
    const { operationId, summary } = route;
    const operands = route.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
    const command = { name: `api ${operationId}`, summary, operationId, operands };
    return { name: command.name, summary, isHidden: true, load: () => Promise.resolve(commandOf(command, route)) };
  });
  return [...named, ...operations];
}

/** Makes a command from its description and its route. */
function commandOf(command: ApiCommand, route: ApiRoute | undefined): HarnessCommand {
  if (route === undefined) throw new TypeError(`there is no operation ${command.operationId}`);
  const specs = optionsOf(command, route);
  return {
    name: command.name,
    summary: command.summary,
    usage: [[...command.operands.map((name) => name.toUpperCase()), '[options]'].join(' ')],
    options: specs,
    notes: [
      route.description,
      'Exit codes: 0 done; 1 the platform refused it or cannot be reached, or the returned data failed a check; 2 the command line or the profile cannot be ' +
        'understood; 4 a file cannot be read.',
    ],
    run: async (options, io) => {
      const values = valuesOf(specs, options);
      const operands = operandsOf(command, options.operands);
      const params = await paramsOf(command, route, { values, operands, io });
      const warned = (warning: string): void =>
        printLines(io, [`hopback-harness: warning: ${printableText(warning)}`], io.stderr);
      try {
        const client = await clientOfProfile(textOf(values['profile']) ?? DEFAULT_PROFILE, warned);
        const refusal = await refusalOf({ command, params, values, client });
        if (refusal === undefined) return await carryOut({ command, route, params, values, client, io });
        printLines(io, [`hopback-harness ${command.name}: ${printableText(refusal)}`], io.stderr);
        return EXIT.negative;
      } catch (error) {
        return failed(error, { name: command.name, io, isJson: options.isOn('json') });
      }
    },
  };
}

/** Options of parameters have their names, `--campaignId`; those of lists have `--items` in place of pages. */
function optionsOf({ body, switches = {} }: ApiCommand, route: ApiRoute): OptionSpecs {
  const { parameters, request, response } = route;
  const own = (body ?? []).map(({ option, help, isRequired }) => {
    return [
      option,
      { value: 'TEXT', isFreeText: true, text: `${help}${isRequired === true ? ' (required)' : ''}` },
    ] as const;
  });
  const query = parameters
    .filter((one) => one.in !== 'path' && !PAGING.has(one.name) && one.name !== 'Idempotency-Key')
    .map(({ name, description }) => [name, { value: 'TEXT', isFreeText: true, text: description }] as const);
  return {
    ...Object.fromEntries(own),
    ...Object.fromEntries(Object.entries(switches).map(([name, text]) => [name, { text }] as const)),
    ...Object.fromEntries(query),
    ...(request !== undefined && { body: { value: 'FILE', text: 'the body, JSON; - for standard input' } }),
    ...(request?.kind === 'json-and-pdf' && { document: { value: 'FILE', text: 'the PDF' } }),
    ...(response.kind === 'file' && {
      output: { value: 'FILE', text: 'where it is written; default standard output' },
    }),
    ...(isList(route) && { items: { value: 'N', text: `how many at most; default ${DEFAULT_ITEMS}` } }),
    profile: {
      value: 'FILE',
      env: PROFILE_VARIABLE,
      text: `profile: client and platform; default ${DEFAULT_PROFILE}`,
    },
    json: { text: 'print JSON in place of a table' },
  };
}

const PAGING: ReadonlySet<string> = new Set(['cursor', 'limit']);

/** Why a command is not carried out. */
async function refusalOf(given: {
  readonly command: ApiCommand;
  readonly params: RouteCallParams;
  readonly values: Given['values'];
  readonly client: PlatformClient;
}): Promise<string | undefined> {
  const { command, params, values, client } = given;
  return command.check?.({
    body: (params.body ?? {}) as Readonly<Record<string, unknown>>,
    isOn: (name) => values[name] === true,
    fetch: async (operationId, parameters) => {
      const route = routeOf(operationId, OPERATOR_ROUTES);
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

function operandsOf({ operands }: ApiCommand, given: readonly string[]): Readonly<Record<string, string>> {
  if (given.length !== operands.length)
    throw new UsageError(
      operands.length === 0
        ? `it takes no operands, but there is ${given[0] ?? ''}`
        : `it takes ${operands.join(' and ')}`,
    );
  return Object.fromEntries(operands.map((name, at) => [name, given[at] ?? '']));
}

const textOf = (value: OptionValues[string]): string | undefined => (typeof value === 'string' ? value : undefined);

interface Given {
  readonly values: OptionValues;
  readonly operands: Readonly<Record<string, string>>;
  readonly io: HarnessIo;
}

/** What is sent. @throws UsageError with what is wrong */
async function paramsOf(command: ApiCommand, route: ApiRoute, given: Given): Promise<RouteCallParams> {
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
  return { parameters, body, ...(pdf !== undefined && { document: pdf }) };
}

async function bodyOf(
  { body: options = [], defaults }: ApiCommand,
  { values, io }: Given,
  pdf: Uint8Array | undefined,
): Promise<unknown> {
  const file = textOf(values['body']);
  let body: Record<string, unknown> = {};
  if (file !== undefined) {
    try {
      body = JSON.parse(Buffer.from(await inputOf(file, io)).toString('utf8')) as Record<string, unknown>;
    } catch (error) {
      if (error instanceof SyntaxError) throw new UsageError(`${file} is not JSON: ${error.message}`);
      throw error;
    }
  } else if (options.length === 0 && defaults === undefined) throw new UsageError('it takes --body FILE');
  const reading: OptionReading = {
    textOf: async (path) => Buffer.from(await inputOf(path, io)).toString('utf8'),
    option: (name) => textOf(values[name]),
    env: io.env,
    note: (line) => printLines(io, [line], io.stderr),
  };
  for (const { option, member, isRequired, read } of options) {
    const text = textOf(values[option]);
    if (text === undefined && isRequired === true && file === undefined) throw new UsageError(`it takes --${option}`);
    if (text === undefined || member === undefined) continue;
    try {
      put(body, member.split('.'), read === undefined ? text : await read(text, reading));
    } catch (error) {
      if (isHopbackError(error) && error.code === 'storage-failed') throw error;
      throw new UsageError(isHopbackError(error) ? `--${option}: ${error.message}` : `--${option} is not in its form`);
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

interface Carrying extends Pick<Given, 'values' | 'io'> {
  readonly command: ApiCommand;
  readonly route: ApiRoute;
  readonly params: RouteCallParams;
  readonly client: PlatformClient;
}

async function carryOut(carrying: Carrying): Promise<ExitCode> {
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
  if (values['json'] === true) return said(io, JSON.stringify(result.value, undefined, 2), exitCode);
  return said(io, [command.name, ...memberLines(result.value, '  ', command.tables)].join('\n'), exitCode);
}

/** Says what is wrong with an answer. @returns the exit code */
function judged({ command, io }: Carrying, value: unknown): ExitCode {
  const faults = command.judge?.faults?.(value) ?? [];
  for (const fault of faults) printLines(io, [`hopback-harness: ${printableText(fault)}`], io.stderr);
  return faults.length > 0 ? EXIT.negative : EXIT.ok;
}

/** Whether it is gone through page by page; a list in a document of its own is shown as that. */
const isList = ({ parameters, response }: ApiRoute): boolean =>
  parameters.some(({ name }) => name === 'cursor') && response.kind === 'json' && response.body.endsWith('Page');

async function list(carrying: Carrying): Promise<ExitCode> {
  const { command, route, params, client, io, values } = carrying;
  const most = Number(textOf(values['items']) ?? DEFAULT_ITEMS);
  if (!Number.isSafeInteger(most) || most < 1)
    throw new UsageError(`--items: ${textOf(values['items']) ?? ''} is no number of items`);
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
  if (values['json'] === true) return said(io, JSON.stringify(items, undefined, 2), exitCode);
  if (items.length === 0) return said(io, 'none', exitCode);
  const { columns } = command;
  const shown =
    columns === undefined
      ? items.flatMap((item) => [...memberLines(item), ''])
      : tableLines(columns, items, io.stdout.isTty ? io.stdout.columns : undefined);
  io.stdout.write(`${shown.join('\n')}\n`);
  if (isMore) io.stderr.write(`There are more: --items ${most * 2} shows them.\n`);
  return exitCode;
}

function said(io: HarnessIo, text: string, exitCode: ExitCode): ExitCode {
  io.stdout.write(`${text}\n`);
  return exitCode;
}

/** Prints a refusal of the platform with its problem. Usage errors and unreadable files are thrown, and the kit prints them. */
function failed(
  error: unknown,
  { name, io, isJson }: { readonly name: string; readonly io: HarnessIo; readonly isJson: boolean },
): ExitCode {
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
  if (isJson)
    io.stdout.write(jsonLine({ format: 'hopback.error.1', exitCode: EXIT.negative, code, message, hints: [] }));
  printLines(io, [`hopback-harness ${name}: ${message}`], io.stderr);
  return EXIT.negative;
}
