import { z } from 'zod';
import type { ColumnPlace } from '../../records/ingest/column-map.js';
import { TIME_LAYOUTS } from '../../records/ingest/time-layouts.js';
import { INTAKE_FIELD_NAMES } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import type { RequestCsvMap } from './request-csv-map.js';

// Written by hand: a member that nobody knows is a typing error, and is refused.

/** Columns are numbered up to here, as of call records. */
const MAX_COLUMN = 1_023;
const MAX_NAME_CHARS = 256;
const MAX_HEADER_ROWS = 100;

const place: z.ZodType<ColumnPlace> = z.union([z.int().min(0).max(MAX_COLUMN), z.string().min(1).max(MAX_NAME_CHARS)]);

/** Of the file that declares what the columns mean. */
export const requestCsvMapSchema: z.ZodType<RequestCsvMap> = z
  .strictObject({
    columns: z
      .partialRecord(z.enum(INTAKE_FIELD_NAMES as readonly [IntakeField, ...IntakeField[]]), place)
      .refine((columns) => columns.called !== undefined || columns.recordId !== undefined, 'must say where called is')
      .refine((columns) => columns.at !== undefined || columns.date !== undefined, 'must say where at is, or date'),
    timeLayout: z.exactOptional(z.enum(TIME_LAYOUTS)),
    zone: z.exactOptional(z.string().min(1).max(64)),
    dateOrder: z.exactOptional(z.enum(['month-first', 'day-first'])),
    separator: z.exactOptional(
      z
        .string()
        .length(1)
        .refine((character) => character !== '"', 'must be one character, and no quote'),
    ),
    headerRows: z.exactOptional(z.int().min(0).max(MAX_HEADER_ROWS)),
  })
  .refine(
    ({ columns, headerRows }) =>
      headerRows !== 0 || Object.values(columns).every((column) => typeof column === 'number'),
    'names columns, but headerRows says that there is no head',
  );
