import { readBySchema } from '../../core/schema-findings.js';
import type { ColumnPlace } from '../../records/ingest/column-map.js';
import type { TimeLayout } from '../../records/ingest/time-layouts.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import type { IntakeField } from './intake-fields.js';
import { requestCsvMapSchema } from './request-csv-map.schema.js';
import type { DateOrder } from './time-words.js';

/** What the columns of a CSV file with requests mean. Plain JSON. One row is one call. */
export interface RequestCsvMap {
  /** Where each field stands: the number of its column, from 0, or the name that the head has for it, in any case. */
  readonly columns: Readonly<Partial<Record<IntakeField, ColumnPlace>>>;
  /** How `at`, or `date` and `timeOfDay` with a space between, is written. Default as people write times. */
  readonly timeLayout?: TimeLayout;
  /** In which zone times without one are: IANA name or `UTC`. */
  readonly zone?: string;
  /** Which number of a date in figures is the month, where no layout is declared. */
  readonly dateOrder?: DateOrder;
  /** One character. Default the comma; a tab for tab-separated files. */
  readonly separator?: string;
  /** Rows before the first call. Default 1 where a place is a name, else 0. */
  readonly headerRows?: number;
}

/**
 * Reads a field map, out of a file.
 * @param value - as JSON has it parsed
 * @param options - `at`: how a message names it. Default `the field map`
 * @returns the map
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is missing, not known or out of its bounds
 * @see RFC 4180
 * @example
 * ```ts
 * const map = readRequestCsvMap({ columns: { called: 'TN', at: 'When' }, zone: 'UTC' });
 * console.log(map.columns.called); // TN
 * ```
 */
export function readRequestCsvMap(value: unknown, options: { readonly at?: string } = {}): RequestCsvMap {
  const result = readBySchema(requestCsvMapSchema, value);
  if (result.success) return result.data;
  throw configurationError(options.at ?? 'the field map', { error: result.error, value });
}
