import { isIP } from 'node:net';
import { scheduleInBackground } from '@hopback/sdk/internal/runtime';
import type { TimerClock } from '@hopback/sdk/platform';
import { TestPki } from '@hopback/sdk/testing';
import type { CertificateServerOptions, TestPkiOptions } from '@hopback/sdk/testing';
import { pkiKeysFromPem } from '../../laboratory/index.js';
import type { PkiKeysPem } from '../../laboratory/index.js';
import type { RunFacts, SeenCall } from '../../oracle/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';

/**
 * A clock that goes as that of the machine does until it is moved on, so that a day of waiting takes no time: what is due by then runs at once. Its timers
 * keep no process alive.
 * @see {@link openWorld}
 * @example
 * ```ts
 * const clock = new WorldClock();
 * let isTomorrow = false;
 * clock.schedule(() => {
 *   isTomorrow = true;
 * }, 86_400_000);
 * clock.advance(86_400_000);
 * console.log(isTomorrow); // true
 * ```
 */
export class WorldClock implements TimerClock {
  #offsetMs = 0;
  readonly #waiting = new Set<{ readonly atMs: number; readonly fire: () => void }>();

  readonly nowMs = (): number => Date.now() + this.#offsetMs;

  readonly schedule = (callback: () => void, delayMs: number): (() => void) => {
    const fire = (): void => {
      if (this.#waiting.delete(entry)) callback();
    };
    const cancel = scheduleInBackground(fire, delayMs);
    const entry = { atMs: this.nowMs() + delayMs, fire };
    this.#waiting.add(entry);
    return () => {
      cancel();
      this.#waiting.delete(entry);
    };
  };

  /** Moves it on by so many milliseconds, 0 or more. */
  advance(ms: number): void {
    this.#offsetMs += ms;
    for (const entry of [...this.#waiting]) if (entry.atMs <= this.nowMs()) entry.fire();
  }
}

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

/** A PKI that is the same in every network that it is given to. Keys and certificates are PEM. */
export interface WorldCertificateSettings {
  readonly keys: Readonly<Record<keyof NonNullable<TestPkiOptions['keys']>, string>>;
  /** Host in the URLs of certificates, and where their server listens. */
  readonly host: string;
  readonly address: string;
  readonly httpsPort: number;
  /** What providers sign with that are set up already, by id: it is served as it is. */
  readonly issued: Readonly<Record<string, { readonly privateKeyPem: string; readonly chainPem: string }>>;
  /** File that the CRL of each network is written to, PEM. */
  readonly crlFile: string;
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
    Record<
      string,
      {
        readonly host: string;
        readonly port: number;
        readonly secret: string;
      }
    >
  >;
  /**
   * Where providers, by id, and whoever answers for called numbers, by the id of these, take calls: for switches that have to be told where to send them.
   * Default a free port of 127.0.0.1 each.
   */
  readonly listen?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Keys and places of the PKI, so that a switch of somebody else's is set up once. Default new keys, and free ports of 127.0.0.1. */
  readonly certificates?: WorldCertificateSettings;
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

/** The PKI of a network: a new one, or with its keys the one that was there before. */
export function networkPki({ nowMs, keys }: { readonly nowMs: number; readonly keys?: PkiKeysPem }): TestPki {
  if (keys === undefined) return new TestPki({ nowMs, label: LABEL });
  return new TestPki({
    nowMs,
    label: LABEL,
    keys: pkiKeysFromPem(keys),
    // Serial numbers of networks under the same keys must differ, or a verifier that remembers them is confused.
    firstSerialNumber: Math.floor(nowMs / MS_PER_SECOND),
  });
}

const LABEL = 'Network';
const MS_PER_SECOND = 1_000;

/** Where a certificate server is to be, for somebody who was told before. */
export function serverPlace({ host, address, httpsPort }: WorldCertificateSettings): CertificateServerOptions {
  return {
    host,
    address,
    port: httpsPort,
    ...(isIP(host) === 0 && { names: [host] }),
  };
}

/** Path of the certificate of a provider at the certificate server. */
export const certificatePath = (id: string): string => `/${id}.pem`;
