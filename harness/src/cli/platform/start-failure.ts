import { isHopbackError } from '@hopback/sdk/errors';
import { printableText } from '@hopback/sdk/platform';
import type { PlatformSettings } from './settings.js';

/** Longest line of an error: what a person reads of it. */
const MAX_LINE_CHARS = 500;

/**
 * One line for whoever starts a platform that does not start: what is in the way, and what to do about it. It holds no password. Never throws.
 * @param error - as starting it threw
 */
export function startFailureLine(
  error: unknown,
  { host, port, directory, databaseUrl }: Pick<PlatformSettings, 'host' | 'port' | 'directory' | 'databaseUrl'>,
): string {
  const systemCode = systemCodeOf(error);
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (systemCode === 'EADDRINUSE') return `${address} is in use: end what listens there, or take another --port`;
  if (systemCode === 'EACCES' && port < 1_024) return `${address} is not for this user: take a --port above 1023`;
  if (systemCode === 'EADDRNOTAVAIL') return `${host} is no address of this machine: see --host`;
  if (isHopbackError(error) && error.details['reason'] === 'folder-in-use')
    return `${directory} is in use by another platform: ${printable(error.message)}; see --directory`;
  if (databaseUrl !== undefined && systemCode !== undefined && UNREACHABLE.has(systemCode))
    return `the PostgreSQL of --database cannot be reached (${systemCode})`;
  if (isHopbackError(error)) return printable(withoutUrl(error.message, databaseUrl));
  return printable(withoutUrl(error instanceof Error ? error.message : String(error), databaseUrl));
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ETIMEDOUT',
]);

/** Causes that are looked through: errors wrap each other a few times. */
const DEPTH = 5;

function systemCodeOf(error: unknown): string | undefined {
  let here: unknown = error;
  for (let depth = 0; depth < DEPTH && here instanceof Error; depth += 1) {
    const { code, syscall } = here as NodeJS.ErrnoException;
    if (typeof code === 'string' && syscall !== undefined) return code;
    // Several addresses of one host: each has an error of its own.
    here = here instanceof AggregateError ? (here.errors[0] as unknown) : here.cause;
  }
  return undefined;
}

const printable = (text: string): string => printableText(text, MAX_LINE_CHARS);

const withoutUrl = (text: string, url: string | undefined): string =>
  url === undefined ? text : text.replaceAll(url, 'the URL of --database');
