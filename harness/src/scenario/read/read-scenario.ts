import type { Scalar } from 'yaml';
import { checkScenario } from '../check/check-scenario.js';
import type { Complaint } from '../check/complaint.js';
import { issuePaths, schemaComplaints } from '../check/complaint.js';
import { MAX_FAULTS, MAX_SCENARIO_CHARS } from '../scenario.js';
import { MEMBER_NAMES, Scenario, VARIABLES_SECTION } from '../schema/scenario.schema.js';
import { readCsvFiles } from './csv-files.js';
import type { ReadFile } from './csv-files.js';
import { readYaml } from './scenario-yaml.js';
import type { ScenarioYaml } from './scenario-yaml.js';
import { createVariables, plainValue } from './variables.js';
import type { Variables, VariableSources } from './variables.js';

/** Settings of {@link readScenario}. */
export interface ReadScenarioOptions extends VariableSources {
  /** Of the file, for messages, and what paths of CSV files are relative to. */
  readonly path: string;
  /** Reads a file that the scenario names; the path is as it is written there, `path` is beside it. Default there are no files. */
  readonly readFile?: ReadFile;
}

/** Something that is wrong with a scenario. */
export interface ScenarioFault {
  /** File that it is in: the scenario, or a CSV file of it. */
  readonly file: string;
  /** From 1. Of what is missing, where the object is that lacks it. */
  readonly line: number;
  readonly column: number;
  /** Member, `callers[0].at`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** What {@link readScenario} made of a text. */
export type ScenarioResult =
  | { readonly status: 'read'; readonly scenario: Scenario }
  /** In the order of the text; at most 100. */
  | { readonly status: 'faulty'; readonly faults: readonly ScenarioFault[] };

/**
 * Reads a scenario: YAML or JSON with variables, and the CSV files that it names. All that is wrong is told at once, as far as it can be seen: what is
 * wrong with its sense is looked for where its form is right.
 * @param text - of the file, at most 2,097,152 characters
 * @param options - where it is, what variables are worth, who reads files
 * @returns the scenario, which can be planned, or what is wrong with it, with line and column; never throws, and rejects never
 * @see YAML 1.2.2
 * @example
 * ```ts
 * const result = await readScenario('format: hopback.scenario.1\nname: first', { path: 'first.yaml' });
 * if (result.status === 'faulty') console.log(result.faults[0]?.message); // why is missing
 * ```
 */
export async function readScenario(text: string, options: ReadScenarioOptions): Promise<ScenarioResult> {
  const { path: file } = options;
  const whole = (message: string): ScenarioResult =>
    faulty([
      {
        file,
        line: 1,
        column: 1,
        path: '',
        message,
      },
    ]);
  if (text.length > MAX_SCENARIO_CHARS) return whole(`has more than ${String(MAX_SCENARIO_CHARS)} characters`);
  const yaml = readYaml(text);
  if (!('scalars' in yaml)) return faulty(yaml.map((fault) => ({ ...fault, file, path: '' })));
  const before = yaml.content();
  if (before === undefined) return whole('has aliases that expand to more than a scenario may hold');
  const variables = createVariables((before.value as { variables?: unknown } | null)?.variables, options);
  const filled = fillScalars(yaml, variables);
  const unknown = filled.unknown.map((fault) => ({ ...fault, file, path: '' }));
  const unused = variables.unused().map((name) => `variable ${name} is set, but nothing in the file has it`);
  if (unknown.length > 0 || unused.length > 0)
    return faulty([
      ...unused.map((message) => ({
        file,
        line: 1,
        column: 1,
        path: '',
        message,
      })),
      ...unknown,
    ]);
  const { scenario, complaints } = parseFilled(yaml, filled);
  const at = (complaint: Complaint): ScenarioFault => faultOf(complaint, yaml, file);
  if (scenario === undefined) return faulty(complaints.map(at));
  const read = await readCsvFiles(scenario, options.readFile);
  const senses = checkScenario(read.scenario).filter(({ path }) => !read.isFaulty(path));
  // More than are told, since it is the first ones of the text that are told; but not one for each of a hundred thousand rows.
  const faults = [...read.complaints, ...senses]
    .slice(0, 10 * MAX_FAULTS)
    .map((complaint) => inCsv(at(complaint), complaint, read.placeOf(complaint)));
  return faults.length > 0 ? faulty(faults) : { status: 'read', scenario: read.scenario };
}

/**
 * A fault as a line for people, which begins with its place as editors read it.
 * @param fault - from {@link readScenario}
 * @returns `first.yaml:12:5: callers[0].at: there is no provider alpa. Did you mean alpha?`; never throws
 * @see https://www.gnu.org/prep/standards/html_node/Errors.html
 * @example
 * ```ts
 * console.log(faultText({ file: 'a.yaml', line: 3, column: 1, path: 'seed', message: 'must be a whole number' }));
 * // a.yaml:3:1: seed: must be a whole number
 * ```
 */
export function faultText(fault: ScenarioFault): string {
  const { file, line, column, path, message } = fault;
  return `${file}:${String(line)}:${String(column)}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** A path as text: `callers[0].at`. */
export const pathText = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${String(part)}]`;
    return text === '' ? part.slice(0, 64) : `${text}.${part.slice(0, 64)}`;
  }, '');

const faulty = (faults: readonly ScenarioFault[]): ScenarioResult => ({
  status: 'faulty',
  faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_FAULTS),
});

function faultOf({ path, message }: Complaint, yaml: ScenarioYaml, file: string): ScenarioFault {
  return { file, ...yaml.placeOf(path), path: pathText(path), message };
}

const inCsv = (fault: ScenarioFault, { csvRow }: Complaint, place: CsvPlace | undefined): ScenarioFault =>
  place === undefined || csvRow === undefined ? fault : { ...fault, ...place, column: 1 };

interface CsvPlace {
  readonly file: string;
  readonly line: number;
}

/** Puts in what variables are worth, as text; what is worth nothing is told with its place. */
function fillScalars(yaml: ScenarioYaml, variables: Variables): Filled {
  const whole = new Set<Scalar>();
  const unknown = yaml.scalars().flatMap(({ scalar, place }) => {
    if (typeof scalar.value !== 'string') return [];
    const filled = variables.fill(scalar.value);
    if (filled.status === 'unknown') return [{ ...place, message: filled.message }];
    if (filled.status === 'filled') scalar.value = filled.text;
    if (filled.status === 'filled' && filled.isWhole) whole.add(scalar);
    return [];
  });
  return { unknown, whole };
}

interface Filled {
  readonly unknown: readonly {
    readonly line: number;
    readonly column: number;
    readonly message: string;
  }[];
  /** Values that are one variable and nothing else. */
  readonly whole: ReadonlySet<Scalar>;
}

/** What a file has, held against the schema; a variable that stands where a number, or true or false, has to is made one. */
function parseFilled(yaml: ScenarioYaml, { whole }: Filled): Parsed {
  const first = parseContent(yaml.content()?.value);
  if (first.scenario !== undefined || whole.size === 0) return first;
  const changed = first.issuePaths
    .map((path) => yaml.scalarAt(path))
    .filter((scalar) => scalar !== undefined && whole.has(scalar));
  if (changed.length === 0) return first;
  for (const scalar of changed) if (typeof scalar?.value === 'string') scalar.value = plainValue(scalar.value);
  return parseContent(yaml.content()?.value);
}

interface Parsed {
  readonly scenario?: Scenario;
  readonly complaints: readonly Complaint[];
  /** Where something has another form than it should have. */
  readonly issuePaths: readonly Complaint['path'][];
}

/** Holds what is written against the schema. */
function parseContent(content: unknown): Parsed {
  const isObject = typeof content === 'object' && content !== null && !Array.isArray(content);
  const { variables, ...members } = isObject ? (content as Record<string, unknown>) : {};
  const section = VARIABLES_SECTION.safeParse(variables ?? {});
  const parsed = Scenario.safeParse(isObject ? members : content);
  if (parsed.success && section.success) return { scenario: parsed.data, complaints: [], issuePaths: [] };
  return {
    complaints: [
      ...(section.success ? [] : schemaComplaints(section.error.issues, variables, []).map(inSection)),
      ...(parsed.success ? [] : schemaComplaints(parsed.error.issues, content, MEMBER_NAMES)),
    ],
    issuePaths: parsed.success ? [] : issuePaths(parsed.error.issues),
  };
}

const inSection = (complaint: Complaint): Complaint => ({ ...complaint, path: ['variables', ...complaint.path] });
