import type { PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import type { TracebackRequest } from '../../sdk/src/traceback/index.js';
import { startLineProcess } from './line-process.js';
import { platformProcess } from './platform-process.js';

/** A provider as the bench registers it. */
export interface BenchProvider {
  readonly providerId: string;
  readonly name: string;
  readonly ocn: string;
  readonly clientJwk: Readonly<Record<string, unknown>>;
  readonly answerJwk: Readonly<Record<string, unknown>>;
}

/** A line to the process of the platform. */
export type TraceOrder = { readonly id: number } & (
  | { readonly do: 'register'; readonly providers: readonly BenchProvider[] }
  | {
      readonly do: 'call';
      readonly operationId: string;
      /** Organization: `itg`, or a provider. */
      readonly by: string;
      readonly parameters: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** Moves the clock, and does what is due then; with 0 all jobs of the area. */
  | { readonly do: 'pass'; readonly ms: number }
  /** Waits until areas have reacted, and the audit is in its log. */
  | { readonly do: 'settle' }
  | { readonly do: 'figures' }
  | { readonly do: 'end' }
);

/** What the process has used and done so far. */
export interface TraceFigures {
  /** Processor, user and system, of the process of the platform, without the lines that it is spoken to by. */
  readonly cpuMs: number;
  /** What of it the embedded database took, by the clock: it takes the thread while it runs. */
  readonly databaseMs: number;
  /** Tracebacks. */
  readonly open: number;
  readonly closed: number;
  /** Requests to providers, those that joined another among them. */
  readonly hops: number;
  readonly answers: number;
}

/** A platform in another process. */
export type TracePlatform = Awaited<ReturnType<typeof startTracePlatform>>;

export const idOf = (carrier: number): string => `prv-${String(carrier)}`;
export const referenceTo = (carrier: number) => ({ providerId: idOf(carrier), name: `Carrier ${String(carrier)} LLC` });

/** The call that a traceback asks about. @param at - RFC 3339, in UTC */
export const askedCall = (called: string, at: string) => ({
  ...{ called, calling: '+13035550199' },
  at: { asWritten: at, local: at.slice(0, -1), zone: 'UTC', precision: 'millisecond' },
});

const PROCESS = platformProcess('platform-trace-process.ts');

/** Providers of one line and one transaction. */
const REGISTERED_AT_ONCE = 500;

interface TraceRequest {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Without the id that its line gets. */
type Unsent<Order> = Order extends unknown ? Omit<Order, 'id'> : never;

/** Hears of what reaches providers, and of tracebacks that have come to something. */
export interface TraceListener {
  readonly asked: (request: TracebackRequest) => void;
  readonly concluded: (tracebackId: string) => void;
}

interface Said {
  readonly asked?: TracebackRequest;
  readonly concluded?: string;
  readonly id?: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/**
 * Starts a platform.
 * @param place - a folder of its own, and a server of PostgreSQL where it is not to be embedded
 */
export async function startTracePlatform(
  place: { readonly directory: string; readonly postgresUrl?: string },
  { asked, concluded }: TraceListener,
) {
  const { directory, postgresUrl } = place;
  const child = await startLineProcess([
    ...[...PROCESS, directory],
    ...(postgresUrl === undefined ? [] : [postgresUrl]),
  ]);
  const waiting = new Map<number, Record<'resolve' | 'reject', (value: unknown) => void>>();
  const heard = (said: Said): void => {
    if (said.asked !== undefined) asked(said.asked);
    if (said.concluded !== undefined) concluded(said.concluded);
    const { id = -1, answer, error } = said;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(answer);
    else call?.reject(new Error(error));
  };
  const read = async (): Promise<void> => {
    for (let line = await child.nextLine(); line !== undefined; line = await child.nextLine())
      heard(JSON.parse(line) as Said);
    for (const { reject } of waiting.values()) reject(new Error('the platform has ended'));
  };
  const reading = read();
  let ids = 0;
  const order = (what: Unsent<TraceOrder>): Promise<unknown> => {
    const id = (ids += 1);
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      child.write(JSON.stringify({ id, ...what }));
    });
  };
  const { url, receiptKeys } = JSON.parse(child.firstLine) as {
    readonly url: string;
    readonly receiptKeys: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
  };
  return {
    ...{ url, receiptKeys },
    register: async (providers: readonly BenchProvider[]): Promise<void> => {
      for (let at = 0; at < providers.length; at += REGISTERED_AT_ONCE)
        await order({ do: 'register', providers: providers.slice(at, at + REGISTERED_AT_ONCE) });
    },
    /** @param by - organization: `itg`, or a provider */
    call: async (operationId: string, by: string, { parameters = {}, body }: TraceRequest) =>
      (await order({ do: 'call', operationId, by, parameters, body })) as PlatformAnswer,
    pass: (ms: number) => order({ do: 'pass', ms }),
    settle: () => order({ do: 'settle' }),
    figures: async () => (await order({ do: 'figures' })) as TraceFigures,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await order({ do: 'end' }).catch(() => undefined);
      await reading;
      await child.close();
    },
  };
}
