import type { LabelMeaning } from './label-index.js';
import type { IntakePlace } from './intake-report.js';

/** A text that stands for a field, not looked into yet. */
export interface StatedCell extends LabelMeaning {
  /** As it stood before the value, or at the head of the column. */
  readonly label: string;
  readonly text: string;
  readonly place: IntakePlace;
  /** Marks in it show a reader another order of characters. */
  readonly isReordered: boolean;
}
