import type { TimerClock } from '../../core/runtime/clock.js';
import type { SharedRecord } from '../../core/call-record.js';
import type { LifecycleRules } from '../../traceback/index.js';
import type { TestProvider } from './test-provider.js';
import type { WebhookFetch } from './webhook-sender.js';

/** Settings of {@link createTestPlatform}. */
export interface TestPlatformOptions {
  /** Address in front of `/v1`. Default `https://itg.example`. */
  readonly baseUrl?: string;
  /** Deadlines, tokens, retries and pauses go by it: {@link createManualClock} where a test moves it. Default that of the machine. */
  readonly clock?: TimerClock;
  /** Who is in the registry; the first one is asked first where an opening names nobody. Default {@link TEST_PROVIDERS}. */
  readonly providers?: readonly TestProvider[];
  /** Ids of clients that are robocall-blocking applications. Default none. */
  readonly apps?: readonly string[];
  /** Ids of clients that are agencies: they submit demands and fetch what is produced. Default none. */
  readonly agencies?: readonly string[];
  /** Ids of clients that are staff of the traceback group: they see everything, and decide about demands. Default none. */
  readonly staff?: readonly string[];
  /** By which tracebacks are conducted. Default the defaults of `lifecycleRules`. */
  readonly rules?: LifecycleRules;
  /** Sends webhooks. Default `globalThis.fetch`. */
  readonly fetch?: WebhookFetch;
  /** Of the dice that faults with a probability go by. Default 1. */
  readonly seed?: number;
  /** Default 300. */
  readonly tokenLifetimeSeconds?: number;
  /** Why the platform does not want a record of a batch, as a word; undefined where it does. Default it wants all. */
  readonly refuseRecord?: (record: SharedRecord) => string | undefined;
}
