import { z } from 'zod';
import { INTAKE_FIELD_NAMES } from './intake-fields.js';
import type { IntakeField } from './intake-fields.js';
import { MAX_LABEL_CHARS } from './label-index.js';
import type { IntakeLabels } from './label-index.js';

/** A provider that gets requests from ten requesters in as many layouts has some dozens of its own. */
const MOST_LABELS = 256;

/** Of the file that holds labels of the user's own. A field that nobody knows is a typing error, and is refused. */
export const intakeLabelsSchema: z.ZodType<IntakeLabels> = z.partialRecord(
  z.enum(INTAKE_FIELD_NAMES as readonly [IntakeField, ...IntakeField[]]),
  z.array(z.string().min(1).max(MAX_LABEL_CHARS)).max(MOST_LABELS),
);
