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
    // Two that are equal do not tell in which order they are.
    const isTold = new Set(values).size === values.length && parameters.length === values.length;
    if (isTold && values.every((value, at) => value === parameters[at])) text = made.sql;
    return made;
  };
}
