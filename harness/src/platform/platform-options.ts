import type { TimerClock } from '@hopback/sdk/platform';
import type { AreaDefinition, PlatformArea, PlatformContext, PlatformLog } from './core/index.js';
import type { DatabasePlace, EventFeed, KeyRing, OpenedDatabase } from './database/index.js';
import type { WebhookPosterOptions } from './events/index.js';
import type { PlatformTls, Rate } from './http/index.js';
import type { FirstOperator, TrustArea } from './trust/index.js';

/** What an area is opened with. */
export interface AreaParts {
  readonly context: PlatformContext;
  readonly database: OpenedDatabase;
  readonly trust: TrustArea;
  readonly feed: EventFeed;
  /** Areas that were opened before, by their names: whoever needs a port of another stands behind it in the list. */
  readonly opened: ReadonlyMap<string, PlatformArea>;
  /** Address of the platform, without a slash at its end. */
  readonly publicUrl: string;
}

/** An area as it is plugged into a platform: what is known of it before it is opened, and how that is done. */
export interface PluggedArea {
  readonly definition: AreaDefinition;
  readonly open: (parts: AreaParts) => Promise<PlatformArea> | PlatformArea;
}

/** Settings of `startPlatform`. */
export interface PlatformOptions {
  /** Default PGlite in memory, which ends with the process. */
  readonly database?: DatabasePlace;
  /** Keys for what is sealed: `openKeyRing`. Without them a database that is kept is of no use, so that they are asked for there. */
  readonly keyRing?: KeyRing;
  /** Beside trust and events, in this order. */
  readonly areas?: readonly PluggedArea[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0, any free one. */
  readonly port?: number;
  readonly tls?: PlatformTls;
  /** Address that clients know the platform by; what assertions name begins with it. Default the one that is listened at. */
  readonly publicUrl?: string;
  /** Proxies in front whose `X-Forwarded-For` is believed. Default 0. */
  readonly trustedProxies?: number;
  /** Who lets in everybody else, where nobody may yet. */
  readonly firstOperator?: FirstOperator;
  readonly rates?: { readonly perClient?: Rate; readonly perAddress?: Rate };
  readonly webhooks?: WebhookPosterOptions;
  /** Whether every answer is held against its schema: for tests. Default false. */
  readonly checkAnswers?: boolean;
  /** How long calls may take when the platform closes, milliseconds. Default 10,000. */
  readonly drainMs?: number;
  /** How long the body of a request may take, milliseconds. Default 60,000. */
  readonly bodyTimeoutMs?: number;
  /** Default none is written. */
  readonly log?: PlatformLog;
  /** Default that of the machine. */
  readonly clock?: TimerClock;
}
