import { CompiledQuery } from 'kysely';
import type { Reading } from '../core/index.js';

/**
 * Makes a query that is compiled once, for those that every hop of a traceback asks: to build and compile one takes longer than to send it. One whose
 * values are not its parameters one by one, in their order, is compiled each time.
 * @param make - builds the query of its values; nothing else may make a difference to its text
 */
export function compiledOnce<Values extends readonly unknown[], Row>(
  make: (reading: Reading, ...values: Values) => CompiledQuery<Row>,
): (reading: Reading, ...values: Values) => CompiledQuery<Row> {
  let text: string | undefined;
  return (reading, ...values) => {
    if (text !== undefined) return CompiledQuery.raw(text, [...values]);
    const made = make(reading, ...values);
    const { parameters } = made;
    if (parameters.length === values.length && values.every((value, at) => value === parameters[at])) text = made.sql;
    return made;
  };
}
