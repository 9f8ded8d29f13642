import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { isHopbackError } from '@hopback/sdk/errors';
import { printableText } from '@hopback/sdk/internal';
import { writeSecretFile } from '../../platform/database/index.js';
import { HARNESS_VERSION } from '../../version.js';
import { DEFAULT_PROFILE } from '../api/profile.js';
import type { ApiProfile } from '../api/profile.js';
import { isReadableOnTheWay } from './settings.js';
import type { PlatformSettings } from './settings.js';

/** Longest line of an error: what a person reads of it. */
const MAX_LINE_CHARS = 500;

/**
 * Explains in one line why the platform did not start, and what to do about it. Contains no password. Never throws.
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

/** A platform that has just begun to listen. */
interface StartedPlatform {
  readonly url: string;
  readonly profile: string;
  readonly keys: string;
  readonly startedInMs: number;
  /** What the operator has to know: `audit: broken at 57`. */
  readonly warnings?: readonly string[];
}

/** A path as a person would type it here. */
export function shownPath(path: string, here: string): string {
  const from = relative(here, path);
  return from === '' ? '.' : from.startsWith('..') ? path : from;
}

/** What a person reads when the platform has begun to listen. */
export function startLines(
  settings: PlatformSettings,
  { url, profile, keys, startedInMs, warnings = [] }: StartedPlatform,
  here: string,
): readonly string[] {
  const shownProfile = shownPath(profile, here);
  const by = shownProfile === DEFAULT_PROFILE ? '' : ` --profile ${shownProfile}`;
  const database = settings.databaseUrl === undefined ? 'the embedded database' : 'PostgreSQL';
  return [
    `Hopback reference platform ${HARNESS_VERSION}, up in ${(startedInMs / 1_000).toFixed(1)} s`,
    '',
    `  listens at  ${url}`,
    `  data in     ${shownPath(settings.directory, here)}, ${database}`,
    `  keys in     ${shownPath(keys, here)}: back them up, but not together with the data,`,
    '              which cannot be read without them',
    `  operator    ${shownProfile}`,
    ...(isReadableOnTheWay(settings)
      ? ['', `! Other machines can reach it, and without TLS their traffic can be read: use --tls-cert and --tls-key.`]
      : []),
    ...warnings.flatMap((warning) => ['', `! ${warning}`]),
    '',
    'In another terminal:',
    '',
    `  hopback-harness campaigns list${by}`,
    `  hopback-harness organizations list${by}`,
    '  hopback-harness api --help',
    '',
    'It is not a product of the Industry Traceback Group, and it gives no legal advice.',
    'Ctrl-C ends it after the requests in progress. A second Ctrl-C ends it at once.',
  ];
}

/** Where the profile of the first operator lies in the folder of a platform. */
export const operatorProfile = (directory: string): string => join(directory, 'operator.json');

/** A profile with the path of its key as the machine has it. */
type ProfileToWrite = Omit<ApiProfile, 'keyFile'> & { readonly keyFile: string };

/**
 * Writes who calls a platform and where it is, for `--profile`. A file that says the same already is left alone.
 * @throws HopbackError `storage-failed`
 */
export async function writeProfile(path: string, profile: ProfileToWrite): Promise<void> {
  const content = { ...profile, keyFile: relative(dirname(path), profile.keyFile) };
  const text = `${JSON.stringify(content, undefined, 2)}\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) !== text) await writeSecretFile(path, text, 'replace');
}
