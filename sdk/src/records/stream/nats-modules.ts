/** Header fields of a message. */
export interface NatsFields {
  readonly set: (name: string, value: string) => void;
}

/** A connection to a server or cluster. */
export interface NatsConnection {
  readonly info?: { readonly max_payload?: number };
  readonly closed: () => Promise<unknown>;
  readonly close: () => Promise<void>;
}

/** Publishes and waits for the server's acknowledgement. */
export interface JetStreamClient {
  readonly publish: (
    subject: string,
    payload: Uint8Array,
    options: { readonly msgID: string; readonly headers: NatsFields; readonly timeout: number },
  ) => Promise<unknown>;
}

/** What is used of `@nats-io/transport-node` and `@nats-io/jetstream`. */
export interface NatsModules {
  readonly connect: (options: Readonly<Record<string, unknown>>) => Promise<NatsConnection>;
  readonly headers: () => NatsFields;
  readonly jetstream: (connection: NatsConnection) => JetStreamClient;
}

/**
 * The optional packages by name, so that they are looked for when they are needed and not when this package is compiled against: their
 * declarations do not hold under `exactOptionalPropertyTypes`.
 */
const TRANSPORT: string = '@nats-io/transport-node';
const JETSTREAM: string = '@nats-io/jetstream';

/**
 * Loads them.
 * @throws Error with the code `ERR_MODULE_NOT_FOUND` where one is not installed
 */
export async function loadNatsModules(): Promise<NatsModules> {
  const [transport, jetstream] = (await Promise.all([import(TRANSPORT), import(JETSTREAM)])) as [
    Pick<NatsModules, 'connect' | 'headers'>,
    Pick<NatsModules, 'jetstream'>,
  ];
  return { connect: transport.connect, headers: transport.headers, jetstream: jetstream.jetstream };
}
