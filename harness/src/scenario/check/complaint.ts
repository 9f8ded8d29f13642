/** Something in a scenario that makes no sense, and where. */
export interface Complaint {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Row of the CSV file, where it is in that; from 0, without the first line and comments. */
  readonly csvRow?: number;
}
