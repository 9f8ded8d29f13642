import type pg from 'pg';
import type { StatementNames } from './statement-names.js';
import { sentValue, textParser } from './sql-values.js';
import type { TextParser } from './sql-values.js';

/** A statement with its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a statement gave, as kysely takes it. */
export interface StatementResult {
  /** `SELECT`, `INSERT`. */
  command: string;
  rowCount: number | null;
  readonly rows: object[];
}

/** Sends statements together: one message to the server and one answer, however many they are. */
export type StatementExchange = (statements: readonly Statement[]) => Promise<readonly StatementResult[]>;

/**
 * Makes the exchange of a connection. Statements are carried out in their order, and none after one that failed; outside of a transaction all of them are
 * one. What a prepared statement gives is described once on a connection and not each time: should its columns change, the server refuses it.
 * @param names - of statements that are prepared
 * @returns the exchange; rejects with the error of the first statement that failed, or of the connection
 * @see PostgreSQL, section 53.2.3, Extended Query
 */
export function createStatementExchange(client: pg.ClientBase, names: StatementNames): StatementExchange {
  const shapes = new Map<string, RowShape>();
  return (statements) =>
    new Promise((resolve, reject) => {
      // What cannot be sent is found out before anything is.
      const named = statements.map((one) => sentStatement(one, names));
      client.query(createSubmission({ statements: named, shapes, resolve, reject }));
    });
}

/** A statement as it is sent: one without a name is read anew. */
interface SentStatement {
  readonly text: string;
  readonly values: readonly SentValue[];
  readonly name: string | undefined;
}

type SentValue = ReturnType<typeof sentValue>;

const sentStatement = ({ text, values }: Statement, names: StatementNames): SentStatement => ({
  text,
  values: values.map(sentValue),
  name: names.nameOf(text),
});

/** Columns of rows: how each is called, and what makes a value of its text. */
type RowShape = readonly { readonly name: string; readonly read: TextParser }[];

/** No rows. */
const NO_SHAPE: RowShape = [];

/** The connection of the driver, as its own queries use it. */
interface DriverConnection {
  readonly stream: { readonly cork: () => void; readonly uncork: () => void };
  /** Texts of prepared statements by name: those that the server has said it has read, and those that are on their way to it. */
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  readonly parse: (statement: { readonly text: string; readonly name: string | undefined }) => void;
  readonly bind: (bound: { readonly statement: string | undefined; readonly values: readonly SentValue[] }) => void;
  readonly describe: (what: { readonly type: 'P' }) => void;
  readonly execute: () => void;
  readonly sync: () => void;
}

interface Described {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** What the driver hands over of what the server says. */
interface Submission extends pg.Submittable {
  /** Of the statement that the server is at, which is the one that it says something of. */
  readonly name: string | undefined;
  readonly text: string | undefined;
  readonly handleRowDescription: (described: Described) => void;
  readonly handleDataRow: (row: { readonly fields: readonly (string | null)[] }) => void;
  readonly handleCommandComplete: (complete: { readonly text: string }) => void;
  readonly handleEmptyQuery: () => void;
  readonly handleError: (error: unknown, connection: DriverConnection) => void;
  readonly handleReadyForQuery: () => void;
}

function createSubmission({
  statements,
  shapes,
  resolve,
  reject,
}: {
  readonly statements: readonly SentStatement[];
  readonly shapes: Map<string, RowShape>;
  readonly resolve: (results: readonly StatementResult[]) => void;
  readonly reject: (error: unknown) => void;
}): Submission {
  const results: StatementResult[] = [];
  let current = emptyResult();
  let shape: RowShape | undefined;
  let failure: unknown;
  const completed = (): void => {
    const name = statements[results.length]?.name;
    if (name !== undefined && !shapes.has(name)) shapes.set(name, shape ?? NO_SHAPE);
    results.push(current);
    current = emptyResult();
    shape = undefined;
  };
  return {
    get name() {
      return statements[results.length]?.name;
    },
    get text() {
      return statements[results.length]?.text;
    },
    submit: (connection) => submitAll(connection as unknown as DriverConnection, statements, shapes),
    handleRowDescription: (described) => {
      shape = shapeOf(described);
    },
    handleDataRow: ({ fields }) => {
      shape ??= shapes.get(statements[results.length]?.name ?? '') ?? NO_SHAPE;
      try {
        current.rows.push(rowOf(shape, fields));
      } catch (error) {
        failure ??= error;
      }
    },
    handleCommandComplete: ({ text }) => {
      Object.assign(current, tagOf(text));
      completed();
    },
    handleEmptyQuery: completed,
    handleError: (error, { submittedNamedStatements }) => {
      // Those behind it the server has not looked at.
      for (const { name } of statements.slice(results.length + 1))
        if (name !== undefined) delete submittedNamedStatements[name];
      reject(failure ?? error);
    },
    handleReadyForQuery: () => {
      if (failure === undefined) resolve(results);
      else reject(failure);
    },
  };
}

const emptyResult = (): StatementResult => ({ command: '', rowCount: null, rows: [] });

/** Writes all messages at once. */
function submitAll(
  connection: DriverConnection,
  statements: readonly SentStatement[],
  shapes: ReadonlyMap<string, RowShape>,
): void {
  const { stream, parsedStatements, submittedNamedStatements } = connection;
  stream.cork();
  try {
    for (const { text, name, values } of statements) {
      const isRead =
        name !== undefined && (parsedStatements[name] !== undefined || submittedNamedStatements[name] !== undefined);
      if (!isRead) connection.parse({ text, name });
      if (name !== undefined && !isRead) submittedNamedStatements[name] = text;
      connection.bind({ statement: name, values });
      if (name === undefined || !shapes.has(name)) connection.describe({ type: 'P' });
      connection.execute();
    }
    connection.sync();
  } finally {
    stream.uncork();
  }
}

const shapeOf = ({ fields }: Described): RowShape =>
  fields.map(({ name, dataTypeID }) => ({ name, read: textParser(dataTypeID) }));

function rowOf(shape: RowShape, fields: readonly (string | null)[]): object {
  const row: Record<string, unknown> = {};
  let at = 0;
  for (const { name, read } of shape) {
    const text = fields[at] ?? null;
    row[name] = text === null ? null : read(text);
    at += 1;
  }
  return row;
}

/** `INSERT 0 5`, `UPDATE 3`, `SELECT 1`, `COMMIT`. PostgreSQL, section 53.7, CommandComplete */
function tagOf(text: string): Pick<StatementResult, 'command' | 'rowCount'> {
  const [command = '', ...numbers] = text.split(' ');
  const count = Number(numbers.at(-1));
  return { command, rowCount: numbers.length > 0 && Number.isSafeInteger(count) ? count : null };
}
