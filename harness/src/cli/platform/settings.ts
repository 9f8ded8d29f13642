import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { OptionSpecs, OptionValues } from '@hopback/sdk/internal/cli';
import type { PlatformLog } from '../../platform/index.js';

/** Where a platform keeps what it has. */
export const PLACE_OPTIONS = {
  directory: { value: 'DIR', text: 'data folder, default hopback-platform' },
  database: {
    value: 'URL',
    text: 'a PostgreSQL 15 or newer, postgres://user@host/name; default an embedded one in the folder',
  },
} as const satisfies OptionSpecs;

/** Options of `hopback-harness platform`. */
export const PLATFORM_OPTIONS = {
  ...PLACE_OPTIONS,
  host: { value: 'ADDRESS', text: 'where it listens, default 127.0.0.1' },
  port: { value: 'N', text: 'default 8300; 0 takes any that is free' },
  'public-url': { value: 'URL', text: 'how clients reach it, where that is another address' },
  'tls-cert': { value: 'FILE', text: 'certificate (PEM) with its chain' },
  'tls-key': { value: 'FILE', text: 'its key' },
  'client-ca': {
    value: 'FILE',
    text: 'CA of client certificates (PEM); presented certificates are verified against it',
  },
  'trusted-proxies': { value: 'N', text: 'proxies in front whose X-Forwarded-For is believed, default 0' },
  'seed-demo': { text: 'fill an empty platform with sample carriers, applications, agencies and a campaign' },
  'log-level': {
    value: 'LEVEL',
    text: 'lines of JSON on standard error: info, warn, error or none; default warn on a terminal, else info',
  },
  json: { text: 'print JSON lines instead of text' },
} as const satisfies OptionSpecs;

/** From which level on lines of the log are written: from the one that writes most. */
const LOG_LEVELS = ['info', 'warn', 'error', 'none'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** How a platform is to be started. Paths are absolute. */
export interface PlatformSettings {
  readonly directory: string;
  /** URL of PostgreSQL; absent: the embedded database in `directory`. */
  readonly databaseUrl?: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string;
  readonly tls?: {
    readonly certificateFile: string;
    readonly keyFile: string;
    readonly clientCaFile?: string;
  };
  readonly trustedProxies: number;
  readonly seedsDemo: boolean;
  readonly logLevel: LogLevel;
  readonly isJson: boolean;
}

/** What the command line gives, as it was read. */
export type GivenSettings = { readonly [Name in keyof typeof PLATFORM_OPTIONS]?: OptionValues[string] };

/** Proxies that may stand in front: more is a typing error. */
const MAX_PROXIES = 10;

/**
 * Settings of a command line, or what is wrong with it. Never throws.
 * @param given - values of {@link PLATFORM_OPTIONS}
 * @param isTerminal - whether a person sees the log: of it only warnings are shown then, unless more is asked for
 */
export function readPlatformSettings(given: GivenSettings, isTerminal: boolean): PlatformSettings | string {
  const text = (name: keyof GivenSettings): string | undefined => {
    const value = given[name];
    return typeof value === 'string' ? value : undefined;
  };
  const host = text('host') ?? '127.0.0.1';
  const port = wholeNumber(text('port') ?? '8300', 65_535);
  const trustedProxies = wholeNumber(text('trusted-proxies') ?? '0', MAX_PROXIES);
  const logLevel = text('log-level') ?? (isTerminal ? 'warn' : 'info');
  const [certificateFile, keyFile, clientCaFile] = [text('tls-cert'), text('tls-key'), text('client-ca')];
  const [databaseUrl, publicUrl] = [text('database'), text('public-url')];
  if (isIP(host) === 0) return `--host: ${host} is no IP address, such as 127.0.0.1 or ::1`;
  if (port === undefined) return `--port: ${text('port') ?? '8300'} is no port`;
  if (trustedProxies === undefined) return `--trusted-proxies must be a number from 0 to ${MAX_PROXIES}`;
  if (!isLogLevel(logLevel)) return `--log-level: ${logLevel} is not one of ${LOG_LEVELS.join(', ')}`;
  if ((certificateFile === undefined) !== (keyFile === undefined)) return '--tls-cert and --tls-key go together';
  if (clientCaFile !== undefined && certificateFile === undefined)
    return '--client-ca is for connections with TLS: --tls-cert and --tls-key';
  // What is wrong is not repeated: it may hold a password.
  if (databaseUrl !== undefined && !isDatabaseUrl(databaseUrl))
    return '--database must be the URL of a PostgreSQL, postgres://user@host/name';
  if (publicUrl !== undefined && !isPublicUrl(publicUrl))
    return `--public-url must be an http or https URL without user, query or fragment, such as https://platform.example, not ${publicUrl}`;
  if (publicUrl === undefined && isEverywhere(host))
    return `--host ${host} listens everywhere: say with --public-url how clients reach it, since their assertions name it`;
  return {
    directory: resolve(text('directory') ?? 'hopback-platform'),
    host,
    port,
    trustedProxies,
    logLevel,
    seedsDemo: given['seed-demo'] === true,
    isJson: given.json === true,
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(certificateFile !== undefined &&
      keyFile !== undefined && {
        tls: { certificateFile, keyFile, ...(clientCaFile !== undefined && { clientCaFile }) },
      }),
  };
}

const isLogLevel = (word: string): word is LogLevel => (LOG_LEVELS as readonly string[]).includes(word);

/** Addresses that mean all addresses of a machine. */
const isEverywhere = (host: string): boolean => /^[0.]+$|^[0:]+$/.test(host);

const isLoopback = (host: string): boolean => host.startsWith('127.') || host === '::1';

/** Whether others than this machine can reach it, and what they send can be read on the way. */
export function isReadableOnTheWay({ host, tls, publicUrl }: PlatformSettings): boolean {
  return !isLoopback(host) && tls === undefined && publicUrl?.startsWith('https:') !== true;
}

function isDatabaseUrl(text: string): boolean {
  return URL.canParse(text.replace('///', '//localhost/')) && /^postgres(?:ql)?:\/\//.test(text);
}

function isPublicUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url !== undefined && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '' && url.username === ''
  );
}

function wholeNumber(text: string, most: number): number | undefined {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return number <= most ? number : undefined;
}

const nothing = (): void => undefined;

/** The part of a log from a level on. */
export function fromLevel(log: PlatformLog, level: LogLevel): PlatformLog {
  const isWritten = (of: LogLevel): boolean => LOG_LEVELS.indexOf(of) >= LOG_LEVELS.indexOf(level);
  return {
    info: isWritten('info') ? log.info : nothing,
    warn: isWritten('warn') ? log.warn : nothing,
    error: isWritten('error') ? log.error : nothing,
  };
}
