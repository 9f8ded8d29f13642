import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { intakeLabelsSchema } from './intake-labels.schema.js';
import { labelIndex } from './label-index.js';
import type { IntakeLabels } from './label-index.js';

/**
 * Reads labels of the user's own, out of a file: for each field the labels by which requests name it.
 * @param value - as JSON has it parsed
 * @param options - `at`: how a message names the file. Default `the labels`
 * @returns the labels
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds; `invalid-argument`
 * where one label is given to two fields
 * @see {@link INTAKE_FIELDS} for the fields, and the labels that need not be given
 * @example
 * ```ts
 * const labels = readIntakeLabels({ called: ['Target TN'] });
 * const report = readPastedText('Target TN: 2025550101', { receivedAtMs: 0, labels });
 * console.log(report.requests[0]?.fields[0]?.field); // called
 * ```
 */
export function readIntakeLabels(value: unknown, options: { readonly at?: string } = {}): IntakeLabels {
  const result = readBySchema(intakeLabelsSchema, value);
  if (!result.success) throw configurationError(options.at ?? 'the labels', { error: result.error, value });
  labelIndex(result.data);
  return result.data;
}
