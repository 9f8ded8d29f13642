/** Small values that survive the process, such as the journal of `@hopback/sdk/log`: what is set is durable when the promise resolves. */
export interface DurableValues {
  readonly get: (key: string) => string | undefined;
  /** Resolves once the value is durable. */
  readonly set: (key: string, value: string) => Promise<void>;
}
