/** What one check of `hopback doctor` found. Free of telephone numbers and key material. */
export interface Finding {
  readonly name: string;
  /** `skipped`: nothing was named that could be checked. */
  readonly result: 'ok' | 'failed' | 'warning' | 'skipped';
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}
