import { readFile } from 'node:fs/promises';
import { LineCounter, isMap, isScalar, parse, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { attempt } from '../../core/runtime/deadline.js';
import { defined } from '../../core/text.js';
import { readBySchema, schemaFindings } from '../../core/schema-findings.js';
import { HopbackError } from '../../errors.js';
import { SIDECAR_CONFIGURATION, configurationJsonSchema } from './configuration.schema.js';
import type { SidecarConfiguration } from './configuration.schema.js';

/** One member that stands in for what the file says. */
export interface Setting {
  /** Names of members, and places in lists as digits. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Where it comes from, for messages: `HOPBACK__WORKERS`, `--set workers`. */
  readonly from: string;
}

/** Variables that stand in for members: two underscores between names. One underscore belongs to the variables of commands. */
const PREFIX = 'HOPBACK__';

/**
 * Reads the variables that stand in for members: `HOPBACK__LISTEN__CALLS__PORT=8443` is `listen.calls.port`.
 * @param environment - of the process
 * @returns settings in the order of their names; values are read as YAML, so that lists and objects can be written as JSON
 */
function settingsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly Setting[] {
  return Object.entries(environment)
    .filter(([name, value]) => name.startsWith(PREFIX) && name.length > PREFIX.length && value !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value = '']) => ({
      path: membersOfNames(name.slice(PREFIX.length).split('__')),
      value: yamlValue(value),
      from: name,
    }));
}

/**
 * Reads a setting of the command line: `listen.calls.port=8443`.
 * @param text - path and value, which is read as YAML
 * @returns the setting; undefined when it is none; never throws
 * @see YAML 1.2.2
 * @example
 * ```ts
 * console.log(settingOfText('listen.calls.port=8443')?.value); // 8443
 * ```
 */
export function settingOfText(text: string): Setting | undefined {
  const at = text.indexOf('=');
  const name = text.slice(0, at).trim();
  if (at < 1 || name === '') return undefined;
  return { path: name.split('.'), value: yamlValue(text.slice(at + 1)), from: `--set ${name}` };
}

/** A text that is no YAML is that text. */
function yamlValue(text: string): unknown {
  try {
    return parse(text, { logLevel: 'silent' }) as unknown;
  } catch {
    return text;
  }
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** Variables have no case: names are found by their letters, as the schema has them. */
function membersOfNames(names: readonly string[]): readonly string[] {
  let at: SchemaNode | undefined = configurationJsonSchema();
  return names.map((name) => {
    const nodes: readonly SchemaNode[] = at === undefined ? [] : [at, ...(at.anyOf ?? [])];
    const known = nodes.flatMap(({ properties = {} }) => Object.entries(properties));
    const found = known.find(([member]) => member.toLowerCase() === name.replaceAll('_', '').toLowerCase());
    at =
      found?.[1] ?? at?.items ?? (typeof at?.additionalProperties === 'object' ? at.additionalProperties : undefined);
    return found?.[0] ?? name.toLowerCase();
  });
}

/** Where a configuration comes from. */
export interface ConfigurationSources {
  /** YAML, of which JSON is a part. */
  readonly text: string;
  /** Variables of the process; those that begin with `HOPBACK__` stand in for members. Default none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Of the command line; they win over the environment, as that does over the file. Default none. */
  readonly settings?: readonly Setting[];
}

/** One thing that is wrong with a configuration. */
export interface ConfigurationProblem {
  /** `trunks.verizon.role`; empty for the whole. */
  readonly member: string;
  readonly text: string;
  /** Where in the file, from 1; absent for what is not there or comes from elsewhere. */
  readonly line?: number;
  readonly column?: number;
  /** The variable or flag that the value comes from. */
  readonly from?: string;
}

/** What was read. */
export type ConfigurationResult =
  | { readonly status: 'read'; readonly configuration: SidecarConfiguration }
  | { readonly status: 'invalid'; readonly problems: readonly ConfigurationProblem[] };

/**
 * A problem as a line for people, which begins with its place as editors read it.
 * @param path - of the configuration file
 * @param problem - from {@link readConfiguration}
 * @returns `hopback.yaml:12:5: …`, or the variable or flag that the value comes from in the place of that; never throws
 * @see https://www.gnu.org/prep/standards/html_node/Errors.html
 * @example
 * ```ts
 * console.log(problemText('hopback.yaml', { member: 'workers', text: 'workers must be a number', line: 3, column: 1 }));
 * // hopback.yaml:3:1: workers must be a number
 * ```
 */
export function problemText(path: string, problem: ConfigurationProblem): string {
  const { line, column, from, text } = problem;
  const place = from ?? (line === undefined ? path : `${path}:${String(line)}:${String(column ?? 1)}`);
  return `${place}: ${text}`;
}

/** Larger than any configuration that people write. */
export const MAX_CONFIGURATION_CHARS = 1_048_576;

/**
 * Reads a configuration: the file, what variables and flags put in its place, the defaults.
 * @param sources - text of the file, variables, settings
 * @returns the whole configuration, or everything that is wrong with it, with line and column; never throws for what is written
 * @see YAML 1.2.2, JSON Schema draft-7
 * @example
 * ```ts
 * const result = readConfiguration({ text: 'trust: { roots: [roots.pem] }\nlisten: { calls: { port: 80900 } }\n' });
 * if (result.status === 'invalid') for (const { line, text } of result.problems) console.log(line, text); // 2 listen.calls.port must be at most 65535
 * ```
 */
export function readConfiguration(sources: ConfigurationSources): ConfigurationResult {
  const { text, environment = {}, settings = [] } = sources;
  if (text.length > MAX_CONFIGURATION_CHARS)
    return invalid([{ member: '', text: `has more than ${String(MAX_CONFIGURATION_CHARS)} characters` }]);
  const lines = new LineCounter();
  // Aliases are bounded by the library; a merge of maps is nothing that a schema could name places in.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  // What the library only warns of, such as a tag that nobody knows, would quietly be something else.
  const [firstError] = [...document.errors, ...document.warnings];
  if (firstError !== undefined) {
    const { line, col } = lines.linePos(firstError.pos[0]);
    return invalid([{ member: '', text: firstError.message, line, column: col }]);
  }
  // More aliases than a person writes: what is left is held against the schema as nothing.
  const value: unknown = attempt((): unknown => document.toJS({ maxAliasCount: 100 }));
  const overlays = [...settingsOfEnvironment(environment), ...settings];
  const { merged, problems } = overlay(value ?? {}, overlays);
  if (problems.length > 0) return invalid(problems);
  const result = readBySchema(SIDECAR_CONFIGURATION, merged);
  if (result.success) return { status: 'read', configuration: result.data };
  return invalid(
    schemaFindings(result.error.issues, merged).map(({ path, member, text: found }) => {
      const from = overlays.findLast((setting) => isWithin(path, setting.path))?.from;
      return { member, text: found, ...(from === undefined ? placeOf(document, lines, path) : { from }) };
    }),
  );
}

const invalid = (problems: readonly ConfigurationProblem[]): ConfigurationResult => ({ status: 'invalid', problems });

const isWithin = (path: readonly PropertyKey[], prefix: readonly string[]): boolean =>
  prefix.every((part, index) => String(path[index]) === part);

/** The place of the member, or of the nearest one above it that is written. */
function placeOf(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
): Pick<ConfigurationProblem, 'line' | 'column'> {
  for (let length = path.length; length >= 0; length -= 1) {
    const offset = offsetOf(document, path.slice(0, length));
    if (offset === undefined) continue;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  }
  return {};
}

/** Where the name of a member stands; of an entry of a list where its value does. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const above = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const name = path.at(-1);
  if (isMap(above)) {
    const pair = above.items.find(({ key }) => isScalar(key) && String(key.value) === String(name));
    return (pair?.key as Node | undefined)?.range?.[0];
  }
  return (document.getIn(path, true) as Node | undefined)?.range?.[0];
}

/** Puts settings into a copy of what the file says. */
function overlay(
  value: unknown,
  settings: readonly Setting[],
): { readonly merged: unknown; readonly problems: readonly ConfigurationProblem[] } {
  const merged: unknown = structuredClone(value);
  const problems: ConfigurationProblem[] = [];
  for (const { path, value: set, from } of settings) {
    if (!put(merged, path, set)) problems.push({ member: path.join('.'), text: 'cannot be set here', from });
  }
  return { merged, problems };
}

function put(root: unknown, path: readonly string[], value: unknown): boolean {
  let at = root;
  for (const [index, part] of path.entries()) {
    if (typeof at !== 'object' || at === null || part === '__proto__') return false;
    const members = at as Record<string, unknown>;
    if (index === path.length - 1) members[part] = value;
    else members[part] = Object.hasOwn(members, part) ? (members[part] ?? {}) : {};
    at = members[part];
  }
  return path.length > 0;
}

/** What stands in for parts of a configuration file; members that are undefined are not there. */
type StandIns = {
  readonly [Name in keyof Omit<ConfigurationSources, 'text'>]?: ConfigurationSources[Name] | undefined;
};

/**
 * Reads a configuration file.
 * @param path - absolute
 * @throws {@link HopbackError} `storage-failed` when it cannot be read
 */
export async function readConfigurationFile(
  path: string,
  { environment, settings }: StandIns,
): Promise<ConfigurationResult> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new HopbackError('storage-failed', `${path} cannot be read`, { cause });
  });
  return readConfiguration({ text, ...defined({ environment, settings }) });
}

/**
 * Reads a configuration file that has to be good.
 * @throws {@link HopbackError} `storage-failed`; `invalid-configuration` with every problem and its place, one a line
 */
export async function requireConfigurationFile(path: string, standIns: StandIns): Promise<SidecarConfiguration> {
  const read = await readConfigurationFile(path, standIns);
  if (read.status === 'read') return read.configuration;
  const lines = read.problems.map((problem) => problemText(path, problem));
  throw new HopbackError('invalid-configuration', lines.join('\n'), { details: { problems: lines.length } });
}
