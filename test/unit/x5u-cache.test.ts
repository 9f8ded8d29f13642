import { expect, test } from 'vitest';
import {
  freshUntil,
  MAX_FRESH_MS,
  MAX_RETRY_MS,
  MAX_STALE_MS,
  MIN_FRESH_MS,
  outOfDateDelayMs,
  retryDelayMs,
  revalidationDelayMs,
  servedUntil,
} from '../../sdk/src/stir/certificates/certificate-cache.js';
import { settle } from './x5u-laboratory.js';
import {
  createFetchSlots,
  createSiteFairCache,
  siteOf,
  siteOfUrl,
} from '../../sdk/src/stir/certificates/site-shares.js';

const NOW = Date.UTC(2026, 10, 2, 12, 0, 0);
const HOUR = 3_600_000;
const DAY = 86_400_000;
const YEAR = 365 * DAY;
const http = (ms: number): string => new Date(ms).toUTCString();

const lifetime = (headers: Record<string, string>, notAfterMs = NOW + YEAR): number =>
  freshUntil({ headers, fetchedAtMs: NOW, notAfterMs }) - NOW;

test.each<[string, Record<string, string>]>([
  ['no directive', {}],
  ['no directive but an old Last-Modified', { 'last-modified': http(NOW - 10 * YEAR) }],
  ['max-age of one hour', { 'cache-control': 'max-age=3600' }],
  ['max-age of 0', { 'cache-control': 'max-age=0' }],
  ['no-cache', { 'cache-control': 'no-cache' }],
  ['no-store', { 'cache-control': 'no-store' }],
  ['private', { 'cache-control': 'private, max-age=999999' }],
  ['an Expires in the past', { expires: http(NOW - HOUR) }],
  ['an Expires of 0', { expires: '0' }],
  ['an Expires in one hour', { expires: http(NOW + HOUR), date: http(NOW) }],
  ['nonsense', { 'cache-control': 'max-age=soon, ,=,,;', expires: 'never', date: 'x', age: '-5', vary: '*' }],
])('%s gives 24 hours', (_what, headers) => {
  expect(lifetime(headers)).toBe(MIN_FRESH_MS);
});

test.each<[string, Record<string, string>, number]>([
  ['max-age of three days', { 'cache-control': 'max-age=259200' }, 3 * DAY],
  ['s-maxage over max-age', { 'cache-control': 'max-age=60, s-maxage=259200' }, 3 * DAY],
  ['max-age over Expires', { 'cache-control': 'max-age=259200', expires: http(NOW + HOUR) }, 3 * DAY],
  ['max-age less the age that the response came with', { 'cache-control': 'max-age=259200', age: '86400' }, 2 * DAY],
  ['Expires against Date', { expires: http(NOW + 5 * DAY), date: http(NOW + 2 * DAY) }, 3 * DAY],
  ['Expires without Date, against our clock', { expires: http(NOW + 3 * DAY) }, 3 * DAY],
  ['a year', { 'cache-control': 'max-age=31536000' }, MAX_FRESH_MS],
  ['more seconds than there are', { 'cache-control': 'max-age=99999999999999999999' }, MAX_FRESH_MS],
])('%s counts as RFC 9111 says, within the bounds', (_what, headers, expected) => {
  expect(lifetime(headers)).toBe(expected);
});

test('never past notAfter of the end-entity certificate', () => {
  expect(lifetime({}, NOW + HOUR)).toBe(HOUR);
  expect(lifetime({ 'cache-control': 'max-age=604800' }, NOW + 2 * DAY)).toBe(2 * DAY);
  expect(lifetime({}, NOW - HOUR)).toBe(-HOUR);
});

test('waits after failures double from one second to ten minutes', () => {
  const waits = [1, 2, 3, 4, 5, 11, 12, 1_000].map((failures) => retryDelayMs(failures, undefined, NOW));
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, MAX_RETRY_MS, MAX_RETRY_MS, MAX_RETRY_MS]);
});

test('Retry-After can lengthen the wait up to ten minutes, and nothing else', () => {
  const wait = (retryAfter: string): number => retryDelayMs(1, retryAfter, NOW);
  expect(wait('120')).toBe(120_000);
  expect(wait(http(NOW + 60_000))).toBe(60_000);
  expect(wait('99999999')).toBe(MAX_RETRY_MS);
  for (const nonsense of ['0', '-5', 'soon', '', '1e9', http(NOW - DAY), '9'.repeat(400)])
    expect(wait(nonsense)).toBe(1_000);
});

test('revalidations are a minute apart, failing ones up to an hour', () => {
  expect([0, 1, 2, 3, 7, 100].map(revalidationDelayMs)).toEqual([
    60_000, 60_000, 120_000, 240_000, 3_600_000, 3_600_000,
  ]);
});

test('a stale chain is served for a week longer, and one that came out of date for a day', () => {
  expect(servedUntil({ fetchedAtMs: NOW, freshUntilMs: NOW + DAY })).toBe(NOW + DAY + MAX_STALE_MS);
  expect(servedUntil({ fetchedAtMs: NOW, freshUntilMs: NOW - HOUR })).toBe(NOW - HOUR + MAX_STALE_MS);
  expect(servedUntil({ fetchedAtMs: NOW, freshUntilMs: NOW - YEAR })).toBe(NOW + DAY);
});

test('waits for a chain that is out of date double from a minute to ten minutes', () => {
  expect([1, 2, 3, 4, 5, 1_000].map(outOfDateDelayMs)).toEqual([1, 2, 4, 8, 10, 10].map((minutes) => minutes * 60_000));
});

const place = (site: string, sizeBytes = 1): { readonly site: string; readonly sizeBytes: number } => ({
  site,
  sizeBytes,
});

test('of sites with equally many entries, the one that was used least recently gives one up', () => {
  const cache = createSiteFairCache<number>({ maxEntries: 3, maxBytes: 100 });
  for (const [value, key] of ['a', 'b', 'c'].entries()) cache.set(key, value, place(key));
  cache.get('a');
  cache.set('d', 3, place('d'));
  expect(['a', 'b', 'c', 'd'].map(cache.get)).toEqual([0, undefined, 2, 3]);
});

test('within a site what was used is spared once for each use', () => {
  const cache = createSiteFairCache<number>({ maxEntries: 2, maxBytes: 100 });
  cache.set('1', 1, place('a'));
  cache.set('2', 2, place('a'));
  cache.get('1');
  cache.set('3', 3, place('a'));
  expect(cache.values()).toEqual([1, 3]);
  cache.set('4', 4, place('a'));
  expect(cache.values()).toHaveLength(2);
  for (const key of ['1', '2', '3', '4']) cache.get(key);
  cache.set('5', 5, place('a'));
  expect(cache.size()).toEqual({ entries: 2, sizeBytes: 2 });
  expect(cache.get('5')).toBe(5);
});

test('bytes are counted through replacement, removal and what is too large to be taken', () => {
  const cache = createSiteFairCache<string>({ maxEntries: 10, maxBytes: 10 });
  cache.set('1', 'one', place('a', 4));
  cache.set('1', 'two', place('a', 6));
  expect(cache.size()).toEqual({ entries: 1, sizeBytes: 6 });
  cache.set('2', 'three', place('b', 5));
  expect([cache.get('1'), cache.get('2')]).toEqual([undefined, 'three']);
  cache.set('2', 'four', place('b', 11));
  expect(cache.get('2')).toBeUndefined();
  expect(cache.size()).toEqual({ entries: 0, sizeBytes: 0 });
});

test('slots go round by site and never exceed their limits', async () => {
  const slots = createFetchSlots({ maxConcurrent: 2, maxConcurrentPerSite: 1, maxQueued: 4, maxQueuedPerSite: 2 });
  const order: string[] = [];
  const take = (site: string): void =>
    void slots.acquire(site).then((slot) => order.push(slot === undefined ? `${site}:full` : site));
  const first = await slots.acquire('a');
  for (const site of ['a', 'a', 'a', 'b', 'c', 'c', 'd']) take(site);
  await settle();
  expect(order).toEqual(['a:full', 'b', 'd:full']);
  expect([slots.active(), slots.queued()]).toEqual([2, 4]);
  first?.();
  first?.();
  await settle();
  expect(order.at(-1)).toBe('a');
  expect([slots.active(), slots.queued()]).toEqual([2, 3]);
  slots.close();
  await settle();
  expect(order.slice(-3).sort()).toEqual(['a:full', 'c:full', 'c:full']);
  expect(await slots.acquire('e')).toBeUndefined();
});

test('who waits for a slot gives up at the signal, and leaves the place to the next', async () => {
  const slots = createFetchSlots({ maxConcurrent: 1, maxConcurrentPerSite: 1, maxQueued: 2, maxQueuedPerSite: 2 });
  const first = await slots.acquire('a');
  const deadline = new AbortController();
  const impatient = slots.acquire('a', deadline.signal);
  const patient = slots.acquire('a', new AbortController().signal);
  expect(await slots.acquire('a')).toBeUndefined();
  deadline.abort();
  expect(await impatient).toBeUndefined();
  expect(slots.queued()).toBe(1);
  first?.();
  const second = await patient;
  expect([slots.active(), slots.queued()]).toEqual([1, 0]);
  second?.();
  expect(await slots.acquire('a', deadline.signal)).toBeUndefined();
  expect(slots.active()).toBe(0);
});

test('an abort after the slot was given takes nothing from those who wait', async () => {
  const slots = createFetchSlots({ maxConcurrent: 1, maxConcurrentPerSite: 1, maxQueued: 2, maxQueuedPerSite: 2 });
  const first = await slots.acquire('a');
  const deadline = new AbortController();
  const second = slots.acquire('a', deadline.signal);
  first?.();
  await second;
  expect([slots.active(), slots.queued()]).toEqual([1, 0]);
  const third = slots.acquire('a');
  deadline.abort();
  expect([slots.active(), slots.queued()]).toEqual([1, 1]);
  (await second)?.();
  (await third)?.();
  expect([slots.active(), slots.queued()]).toEqual([0, 0]);
});

test.each([
  ['a.b.cert.example.com', 'example.com'],
  ['example.com', 'example.com'],
  ['com', 'com'],
  ['a.co', 'a.co'],
  ['cr.provider.co.uk', 'provider.co.uk'],
  ['h1.evil.co.uk', 'evil.co.uk'],
  ['cr.provider.com.au', 'provider.com.au'],
  ['cr.provider.or.jp', 'provider.or.jp'],
  ['cr.provider.gob.mx', 'provider.gob.mx'],
  ['co.uk', 'co.uk'],
  ['cr.provider.ca', 'provider.ca'],
  ['cr.co.example', 'co.example'],
])('%s belongs to the site %s', (host, site) => {
  expect(siteOf(host)).toBe(site);
});

test('an IPv4 literal is its own site, IPv6 literals go by their /64', () => {
  expect(siteOf('8.8.8.8')).toBe('8.8.8.8');
  expect(siteOf('2606:4700::1111')).toBe('2606:4700:0:0::/64');
  expect(siteOf('2606:4700:0:0:ffff::1')).toBe('2606:4700:0:0::/64');
  expect(siteOf('2606:4700:1:2:3:4:5:6')).toBe('2606:4700:1:2::/64');
  expect(siteOf('2606:4700:0:1::')).toBe('2606:4700:0:1::/64');
  expect(siteOf('2600::4:5:6:7:8')).toBe('2600:0:0:4::/64');
  expect(siteOf('64:ff9b::8.8.8.8')).toBe('64:ff9b:0:0::/64');
  expect(siteOf('::1')).toBe('0:0:0:0::/64');
});

test('of a URL the host counts, whatever its case and port', () => {
  expect(siteOfUrl('https://CR.Provider.co.uk:8443/a.pem')).toBe('provider.co.uk');
  expect(siteOfUrl('https://[2606:4700::1111]/a')).toBe('2606:4700:0:0::/64');
  expect(siteOfUrl('no URL')).toBe('no URL');
});
