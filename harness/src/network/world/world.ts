import type { RunFacts, SeenCall } from '../../oracle/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';

/** A message of SIP as one provider sent or received it. */
export interface SeenMessage {
  readonly provider: string;
  readonly atMs: number;
  readonly direction: 'in' | 'out';
  readonly transport: string;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  readonly text: string;
}

/** Settings of {@link openWorld}. */
export interface WorldOptions {
  readonly plan: NetworkPlan;
  /** For records, logs and keys; has to exist. */
  readonly directory: string;
  /** Over how many processes the providers are spread; whoever calls and is called has one more. Default 0: all of them in this one. */
  readonly processes?: number;
  /** Gets every message of every provider, in the order of each. Default nobody: nothing is copied. */
  readonly onMessage?: (message: SeenMessage) => void;
  /** An address of a drachtio-server for a provider, by id: it is used in place of the embedded one. */
  readonly drachtio?: Readonly<
    Record<string, { readonly host: string; readonly port: number; readonly secret: string }>
  >;
  /** Calls go to, and come from, this address in place of a provider, by id: a switch of somebody else's is the one under test. */
  readonly external?: Readonly<Record<string, { readonly uri: string }>>;
}

/** What a platform has come to until now, in numbers. */
export interface FoundSoFar {
  readonly campaigns: number;
  /** Of how many calls it has begun a traceback, and how many of those are closed. */
  readonly tracebacks: number;
  readonly concluded: number;
  /** Alerts that agencies got. */
  readonly alerts: number;
}

/** A network that is up: providers, callers, phones, certificate servers, and the platform where the scenario has one. */
export interface World extends AsyncDisposable {
  /** Places a call and stays with it until it is over. Never rejects. */
  readonly place: (call: PlannedCall) => Promise<SeenCall>;
  /**
   * Waits until the providers have written down and streamed what they carried, then has the platform do what is left: its clock goes on, from deadline
   * to deadline, until all tracebacks are concluded.
   */
  readonly settle: () => Promise<void>;
  /** What was seen until now. */
  readonly facts: () => Promise<RunFacts>;
  /** What the platform has found until now; absent where there is none. For whoever watches: it reads lists, and no call. */
  readonly found?: () => Promise<FoundSoFar>;
  /** Where to look: the platform, when there is one, and who may call it. */
  readonly platform?: { readonly url: string; readonly profile: string };
  readonly close: () => Promise<void>;
}
