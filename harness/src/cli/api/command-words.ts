import type { Column } from '@hopback/sdk/internal/cli';
import type { PlatformRoute } from '@hopback/sdk/platform';
import { memberAt } from './shown-value.js';

/** A route that can be called, of the contract or beside it. */
export type ApiRoute = PlatformRoute<string>;

/** A command that calls one route. Parameters of its path are its operands, in their order. */
export interface ApiCommand {
  /** `tracebacks list`. */
  readonly name: string;
  readonly operationId: string;
  readonly summary: string;
  /** What its help says; default the description of the route. */
  readonly note?: string;
  /** Columns, where it lists things. */
  readonly columns?: readonly Column[];
  /** Columns of lists in the thing that it shows, by the names of their members. */
  readonly tables?: Readonly<Record<string, readonly Column[]>>;
  /** What the body is made of, where it is not a file of JSON: options by their names. */
  readonly body?: readonly BodyOption[];
  /** Members of the body that are there where nobody says otherwise. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** What is wrong with an answer: lines for standard error, and exit code 1 where there are any. */
  readonly faults?: (value: unknown) => readonly string[];
  /** Whether the answer is not there yet, so that the call is made again. */
  readonly isPending?: (value: unknown) => boolean;
  /** Switches that are no members of the body, by their names, with their help. */
  readonly switches?: Readonly<Record<string, string>>;
  /** Looks before the call whether it is right. @returns why it is refused; undefined where it is not */
  readonly check?: (check: CommandCheck) => Promise<string | undefined>;
}

/** What a check works with. */
export interface CommandCheck {
  readonly body: Readonly<Record<string, unknown>>;
  readonly isOn: (name: string) => boolean;
  /** The JSON of a resource; undefined if no resource has that id. */
  readonly fetch: (
    operationId: string,
    parameters: Readonly<Record<string, string>>,
  ) => Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** What the value of an option is read with. */
export interface OptionReading {
  /** The text of a file, or of standard input for `-`. */
  readonly textOf: (file: string) => Promise<string>;
  /** Another option of the same command line. */
  readonly option: (name: string) => string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tells the person at the terminal something. */
  readonly note: (line: string) => void;
}

/** An option that becomes a member of the body. */
export interface BodyOption {
  readonly option: string;
  /** Path in the body, `call.called`; absent for what another option is read with. */
  readonly member?: string;
  readonly help: string;
  readonly isRequired?: boolean;
  /** What the text becomes, now or later; default the text. */
  readonly read?: (text: string, reading: OptionReading) => unknown;
}

/** An option that may be left out. */
export const takes = (option: string, member: string, help: string, read?: BodyOption['read']): BodyOption => ({
  option,
  member,
  help,
  ...(read !== undefined && { read }),
});

/** An option that has to be there. */
export const needs = (...given: Parameters<typeof takes>): BodyOption => ({ ...takes(...given), isRequired: true });

/** Columns of a table, as `NAME name | STATE clock.state`: heading, and path of the member. Times are shown to the second. */
export const columns = (text: string): readonly Column[] =>
  text.split(' | ').map((column) => {
    const at = column.lastIndexOf(' ');
    const path = column.slice(at + 1);
    return { heading: column.slice(0, at), of: (item) => memberAt(item, path).replace(FRACTION, '$1Z') };
  });

const FRACTION = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z$/;

/** The text of a file that an option names. */
export const fileText = (path: string, { textOf }: OptionReading): Promise<string> => textOf(path);

/** Words with commas between. */
export const listed = (text: string): readonly string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
