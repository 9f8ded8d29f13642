/** What every call of the client takes beside its parameters. */
export interface PlatformRequestOptions {
  /** Gives the call up, in an attempt or between two; it then rejects with `aborted`. */
  readonly signal?: AbortSignal;
  /** Milliseconds of one attempt, up to the last octet of the answer. Default that of the client. */
  readonly timeoutMs?: number;
  /** Attempts after the first, 0 or more. Default that of the client. */
  readonly maxRetries?: number;
  /**
   * Tells the platform that a call is the same as one before, of another process or another day, so that it is carried out once. Default a
   * new one for each call, kept through its retries. Calls that only read have none.
   * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
   */
  readonly idempotencyKey?: string;
}

/** Told of what happens on the way, for logs: no numbers, no tokens, no bodies. A pino logger is one. */
export interface PlatformLogger {
  readonly debug: (fields: Readonly<Record<string, unknown>>, message: string) => void;
  readonly warn: (fields: Readonly<Record<string, unknown>>, message: string) => void;
}
