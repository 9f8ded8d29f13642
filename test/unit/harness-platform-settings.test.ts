import { expect, test } from 'vitest';
import { fromLevel, isReadableOnTheWay, readPlatformSettings } from '../../harness/src/cli/platform/settings.js';
import type { GivenSettings, PlatformSettings } from '../../harness/src/cli/platform/settings.js';
import { startFailureLine } from '../../harness/src/cli/platform/start.js';
import { HopbackError } from '../../sdk/src/errors.js';

const DEFAULTS: GivenSettings = { directory: 'hopback-platform', host: '127.0.0.1', port: '8300' };

function settingsOf(given: GivenSettings): PlatformSettings {
  const settings = readPlatformSettings({ ...DEFAULTS, ...given }, false);
  if (typeof settings === 'string') throw new Error(settings);
  return settings;
}

test.each<[GivenSettings, string]>([
  [{ host: 'localhost' }, 'localhost is no IP address'],
  [{ port: '70000' }, '70000 is no port'],
  [{ port: '' }, '--port'],
  [{ 'trusted-proxies': '-1' }, '--trusted-proxies'],
  [{ 'log-level': 'loud' }, 'loud is not one of info, warn, error, none'],
  [{ 'tls-cert': 'a.pem' }, '--tls-cert and --tls-key go together'],
  [{ 'client-ca': 'ca.pem' }, '--client-ca is for connections with TLS'],
  [{ database: 'mysql://user:secret@db/name' }, '--database'],
  [{ 'public-url': 'ftp://platform.example' }, '--public-url'],
  [{ 'public-url': 'https://user@platform.example' }, '--public-url'],
  [{ host: '0.0.0.0' }, 'say with --public-url'],
  [{ host: '::' }, 'say with --public-url'],
])('settings %j are wrong, in words', (given, why) => {
  const settings = readPlatformSettings({ ...DEFAULTS, ...given }, false);
  expect(settings).toContain(why);
  expect(settings).not.toContain('secret');
});

test('of a log a person sees warnings alone, and a file all of it', () => {
  expect(settingsOf({}).logLevel).toBe('info');
  expect(readPlatformSettings(DEFAULTS, true)).toMatchObject({ logLevel: 'warn' });
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  const log = fromLevel({ info: keep, warn: keep, error: keep }, 'warn');
  for (const level of ['info', 'warn', 'error'] as const) log[level](level);
  expect(lines).toEqual(['warn', 'error']);
});

test('a platform that others reach without TLS is warned of', () => {
  expect(isReadableOnTheWay(settingsOf({}))).toBe(false);
  expect(isReadableOnTheWay(settingsOf({ host: '::1' }))).toBe(false);
  expect(isReadableOnTheWay(settingsOf({ host: '192.0.2.7' }))).toBe(true);
  expect(isReadableOnTheWay(settingsOf({ host: '192.0.2.7', 'tls-cert': 'c', 'tls-key': 'k' }))).toBe(false);
  expect(isReadableOnTheWay(settingsOf({ host: '0.0.0.0', 'public-url': 'https://itg.example' }))).toBe(false);
});

test('a socket of PostgreSQL is an address too', () => {
  expect(settingsOf({ database: 'postgres:///name?host=/run/postgresql' }).databaseUrl).toBeDefined();
});

const system = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'x' });

test.each([
  [new HopbackError('invalid-configuration', 'no port', { cause: system('EADDRINUSE') }), '127.0.0.1:8300 is in use'],
  [new HopbackError('storage-failed', 'busy', { details: { reason: 'folder-in-use' } }), '/data is in use'],
  [new HopbackError('storage-failed', 'away', { cause: system('ECONNREFUSED') }), 'cannot be reached (ECONNREFUSED)'],
  [
    new HopbackError('storage-failed', 'away', { cause: new AggregateError([system('ECONNREFUSED')]) }),
    'cannot be reached (ECONNREFUSED)',
  ],
  [new HopbackError('key-unusable', 'others may read /data/keys/ring.json'), 'others may read'],
  [new Error('postgres://u:secret@db/name is odd\nand more'), 'the URL of --database is odd'],
])('why it does not start is one line without a password: %s', (error, part) => {
  const databaseUrl = 'postgres://u:secret@db/name';
  const line = startFailureLine(error, { host: '127.0.0.1', port: 8_300, directory: '/data', databaseUrl });
  expect(line).toContain(part);
  expect(line).not.toMatch(/secret|\n/);
});
