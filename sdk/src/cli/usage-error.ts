/** The command line, or what it was given to read, cannot be understood. Ends a command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What to do about it, one line each. */
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}
