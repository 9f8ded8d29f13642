import { readFile } from 'node:fs/promises';
import type { Column } from './shown-value.js';
import { memberAt } from './shown-value.js';

/** A command that calls one route. */
export interface ApiCommand {
  /** `tracebacks list`. */
  readonly name: string;
  readonly summary: string;
  readonly operationId: string;
  /** Parameters of the path that are operands, in their order. */
  readonly operands: readonly string[];
  /** Columns, where it lists things. */
  readonly columns?: readonly Column[];
  /** Columns of lists in the thing that it shows, by the names of their members. */
  readonly tables?: Readonly<Record<string, readonly Column[]>>;
  /** What the body is made of, where it is not a file of JSON: options by their names. */
  readonly body?: readonly BodyOption[];
  /** Members of the body that are there where nobody says otherwise. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly judge?: AnswerJudgement;
}

/** What an answer means to whoever calls the command. */
export interface AnswerJudgement {
  /** Lines for standard error: the command ends with exit code 1 where there are any. */
  readonly faults?: (value: unknown) => readonly string[];
  /** Whether the answer is not there yet, so that the call is made again. */
  readonly isPending?: (value: unknown) => boolean;
}

/** An option that becomes a member of the body. */
export interface BodyOption {
  readonly option: string;
  /** Path in the body, `call.called`. */
  readonly member: string;
  readonly help: string;
  readonly isRequired?: boolean;
  /** What the text becomes, now or later; default the text. */
  readonly read?: (text: string) => unknown;
}

/** A column of what stands at a path of members. */
export const column = (heading: string, path: string): Column => ({ heading, of: (item) => memberAt(item, path) });
/** Times to the second: the rest nobody compares by eye. */
export const time = (heading: string, path: string): Column => ({
  heading,
  of: (item) => memberAt(item, path).replace(/\.\d+Z$/, 'Z'),
});

/** The text of a file that an option names. */
export const fileText = (path: string): Promise<string> => readFile(path, 'utf8');

/** Words with commas between. */
export const listed = (text: string): readonly string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
