import { parse } from 'yaml';
import { configurationJsonSchema } from './configuration.schema.js';

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
export function settingsOfEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly Setting[] {
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
