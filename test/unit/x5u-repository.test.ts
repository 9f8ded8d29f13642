import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';
import { CertificateRepository } from '../../sdk/src/stir/certificates/certificate-repository.js';
import type { BoundedFetchResult } from '../../sdk/src/stir/certificates/bounded-fetch.js';
import { ManualClock, TestPki } from '../../sdk/src/testing/index.js';
import {
  NOT_MODIFIED,
  DAY,
  failed,
  fetched,
  laboratory,
  leafOf,
  MINUTE,
  settle,
  URL_1,
  warmLaboratory,
  type Answer,
} from './x5u-laboratory.js';

test('1,000 concurrent lookups of one cold URL share one fetch and one chain', async () => {
  const { repository, requests } = laboratory();
  const lookups = Array.from({ length: 1_000 }, () => repository.lookup(URL_1));
  await settle();
  expect(requests).toHaveLength(1);
  requests[0]?.answer(fetched('one'));
  const found = await Promise.all(lookups);
  expect(new Set(found.map((lookup) => (lookup.status === 'found' ? lookup.chain : undefined))).size).toBe(1);
  expect(leafOf(repository.peek(URL_1))).toBe('one');
  expect(repository.stats()).toMatchObject({ fetches: 1, misses: 1, entries: 1 });
});

test('peek waits for nothing, and a refused URL is never fetched and takes no memory', async () => {
  const { repository, requests } = laboratory();
  expect(repository.peek(URL_1)).toBeUndefined();
  expect(repository.peek('http://cert.example.com/a')).toMatchObject({ status: 'refused', reason: 'scheme-not-https' });
  expect(await repository.lookup('https://localhost/a')).toMatchObject({ reason: 'host-not-permitted' });
  expect(await repository.revalidate('https://127.1/a')).toMatchObject({ reason: 'address-special-purpose' });
  expect(requests).toHaveLength(0);
  expect(repository.stats()).toMatchObject({ negativeEntries: 0, entries: 0 });
});

test('URLs that differ only in case, port or trailing slash are different entries', async () => {
  const urls = [URL_1, 'https://CERT.example.com/1234.pem', 'https://cert.example.com:443/1234.pem', `${URL_1}/`];
  const { repository, requests } = laboratory({}, () => fetched('one'));
  await Promise.all(urls.map((url) => repository.lookup(url)));
  expect(requests.map(({ url }) => url)).toEqual(urls);
  expect(repository.stats().entries).toBe(4);
});

test('a chain without a directive is fresh for 24 hours, then stale and revalidated once in the background', async () => {
  const { clock, repository, requests, first } = await warmLaboratory({ etag: '"1"' });
  clock.advance(DAY - 1);
  expect(repository.peek(URL_1)).toBe(first);
  expect(requests).toHaveLength(1);
  clock.advance(1);
  for (let call = 0; call < 100; call += 1) expect(repository.peek(URL_1)).toBe(first);
  expect(await repository.lookup(URL_1)).toBe(first);
  await settle();
  expect(requests).toHaveLength(2);
  expect(requests[1]?.options.validators).toEqual({ etag: '"1"' });
  requests[1]?.answer(NOT_MODIFIED);
  await settle();
  const renewed = repository.peek(URL_1);
  expect(renewed).toMatchObject({ status: 'found', fetchedAtMs: clock.nowMs(), freshUntilMs: clock.nowMs() + DAY });
  expect(renewed?.status === 'found' && first.status === 'found' && renewed.chain === first.chain).toBe(true);
});

test('a revalidation that brings the same certificates keeps the chain array', async () => {
  const { clock, repository, requests, first } = await warmLaboratory();
  clock.advance(DAY);
  repository.peek(URL_1);
  await settle();
  expect(requests[1]?.options.validators).toBeUndefined();
  requests[1]?.answer(fetched('one'));
  await settle();
  const second = repository.peek(URL_1);
  expect(second?.status === 'found' && first.status === 'found' && second.chain === first.chain).toBe(true);
  expect(repository.stats()).toMatchObject({ revalidations: 1, rotations: 0 });
});

test('a certificate rotated in place comes with one revalidation, asked for past every cache', async () => {
  const { clock, repository, requests } = await warmLaboratory({ body: 'old', etag: '"1"' });
  clock.advance(1_000);
  const revalidations = Array.from({ length: 500 }, () => repository.revalidate(URL_1));
  await settle();
  expect(requests).toHaveLength(2);
  expect(requests[1]?.options).toMatchObject({ noCache: true });
  expect(requests[1]?.options.validators).toBeUndefined();
  expect(leafOf(repository.peek(URL_1))).toBe('old');
  requests[1]?.answer(fetched('new'));
  expect(new Set((await Promise.all(revalidations)).map(leafOf))).toEqual(new Set(['new']));
  expect(leafOf(repository.peek(URL_1))).toBe('new');
  expect(repository.stats().rotations).toBe(1);
});

test('revalidate fetches at most once per URL per minute', async () => {
  const { clock, repository, requests } = laboratory({}, () => fetched('one'));
  await repository.lookup(URL_1);
  for (let second = 0; second < 120; second += 1) {
    await Promise.all(Array.from({ length: 20 }, () => repository.revalidate(URL_1)));
    clock.advance(1_000);
  }
  expect(requests).toHaveLength(1 + 2);
});

test('a revalidation that fails or brings no chain leaves the old one, and the next waits longer and longer', async () => {
  let answer = fetched('one');
  const { clock, repository, requests } = laboratory({}, () => answer);
  const first = await repository.lookup(URL_1);
  answer = failed();
  clock.advance(DAY);
  for (let minute = 0; minute < 60; minute += 1) {
    expect(repository.peek(URL_1)).toMatchObject({
      status: 'found',
      chain: first.status === 'found' ? first.chain : [],
    });
    await settle();
    clock.advance(MINUTE);
  }
  // After 0, 1, 3, 7, 15 and 31 minutes.
  expect(requests).toHaveLength(1 + 6);
  answer = fetched('bad');
  clock.advance(DAY);
  expect(leafOf(await repository.revalidate(URL_1))).toBe('one');
});

test('a stale chain is served for a week while its server is down, then no longer', async () => {
  let broken = false;
  const { clock, repository } = laboratory({}, () => (broken ? failed() : fetched('one')));
  await repository.lookup(URL_1);
  broken = true;
  clock.advance(8 * DAY - 1);
  expect(leafOf(repository.peek(URL_1))).toBe('one');
  await settle();
  clock.advance(1);
  expect(repository.peek(URL_1)).toBeUndefined();
  expect(await repository.lookup(URL_1)).toMatchObject({ status: 'unavailable', reason: 'timeout' });
  broken = false;
  clock.advance(MINUTE);
  expect(leafOf(await repository.lookup(URL_1))).toBe('one');
});

test('10,000 calls to a dead URL within ten seconds cost four fetches', async () => {
  const { clock, repository, requests } = laboratory({}, () => failed());
  for (let call = 0; call < 10_000; call += 1) {
    const result = await repository.lookup(URL_1);
    expect(result).toMatchObject({ status: 'unavailable', reason: 'timeout' });
    clock.advance(1);
  }
  // After 0, 1, 3 and 7 seconds.
  expect(requests).toHaveLength(4);
  expect(repository.stats()).toMatchObject({ negativeHits: 10_000 - 4, fetchFailures: 4, negativeEntries: 1 });
});

test('a negative entry says for how long, is forgotten on success, and begins anew with one second', async () => {
  let broken = true;
  const { clock, repository } = laboratory({}, () => (broken ? failed() : fetched('one')));
  expect(await repository.lookup(URL_1)).toMatchObject({ status: 'unavailable', retryAfterMs: 1_000 });
  clock.advance(400);
  expect(repository.peek(URL_1)).toMatchObject({ status: 'unavailable', retryAfterMs: 600 });
  clock.advance(600);
  expect(repository.peek(URL_1)).toBeUndefined();
  expect(await repository.lookup(URL_1)).toMatchObject({ retryAfterMs: 2_000 });
  broken = false;
  clock.advance(2_000);
  expect(leafOf(await repository.lookup(URL_1))).toBe('one');
  expect(repository.stats().negativeEntries).toBe(0);
});

test('a body without a chain and a busy server give a negative entry, for as long as Retry-After asks', async () => {
  const { repository } = laboratory({}, (url) => (url === URL_1 ? fetched('bad') : failed('http-status', '300')));
  const malformed = { status: 'unavailable', reason: 'body-malformed', detail: 'not-pem: bad' };
  expect(await repository.lookup(URL_1)).toMatchObject(malformed);
  const busy = await repository.lookup('https://cert.example.com/busy');
  expect(busy).toMatchObject({ reason: 'http-status', retryAfterMs: 300_000 });
});

test('an address that is refused is asked for again only after a growing wait', async () => {
  const refusal: Answer = { status: 'refused', reason: 'address-special-purpose', detail: '127.0.0.1' };
  const { clock, repository, requests } = laboratory({}, () => refusal);
  for (let call = 0; call < 3_000; call += 1) {
    expect(await repository.lookup(URL_1)).toMatchObject({
      status: 'refused',
      url: URL_1,
      reason: 'address-special-purpose',
    });
    clock.advance(1);
  }
  expect(requests).toHaveLength(2);
});

test('one slow site leaves sockets to the others', async () => {
  const { repository, requests } = laboratory();
  const slow = Array.from({ length: 500 }, (_, index) =>
    repository.lookup(`https://h${index}.slow.example/${index}.pem`),
  );
  await settle();
  expect(requests).toHaveLength(8);
  const other = repository.lookup(URL_1);
  await settle();
  expect(requests).toHaveLength(9);
  requests[8]?.answer(fetched('one'));
  expect(leafOf(await other)).toBe('one');
  // 8 under way, 64 waiting, the rest told so at once and not remembered.
  expect(repository.stats()).toMatchObject({
    activeFetches: 8,
    queuedFetches: 64,
    overloaded: 428,
    negativeEntries: 0,
  });
  const results = Promise.all(slow);
  await repository.close();
  expect((await results).every((lookup) => lookup.status === 'unavailable' && lookup.reason === 'overloaded')).toBe(
    true,
  );
});

test('100,000 distinct URLs keep sockets, queue and memory bounded', async () => {
  let active = 0;
  let most = 0;
  const limits = { maxEntries: 1_000, maxNegativeEntries: 1_000 };
  const { repository } = laboratory({
    limits,
    fetch: async (url) => {
      active += 1;
      most = Math.max(most, active);
      await setImmediate();
      active -= 1;
      return { ...(url.endsWith('7') ? fetched(url) : failed()), url };
    },
  });
  const outcomes: string[] = [];
  for (let round = 0; round < 100; round += 1) {
    const results = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        repository.lookup(`https://c.h${index % 100}.example/${round}/${index}`),
      ),
    );
    outcomes.push(...results.map((result) => (result.status === 'unavailable' ? result.reason : result.status)));
    const stats = repository.stats();
    expect(stats.entries).toBeLessThanOrEqual(1_000);
    expect(stats.negativeEntries).toBeLessThanOrEqual(1_000);
    expect(stats).toMatchObject({ activeFetches: 0, queuedFetches: 0 });
  }
  expect(most).toBe(64);
  expect(outcomes).toHaveLength(100_000);
  expect(new Set(outcomes)).toEqual(new Set(['found', 'overloaded', 'timeout']));
});

test('memory is bounded in bytes too, and bad URLs never push out chains', async () => {
  const { repository } = laboratory({ limits: { maxBytes: 500_000, maxNegativeEntries: 500 } }, (url) =>
    url.includes('bad') ? failed() : fetched(url),
  );
  for (let index = 0; index < 200; index += 1) await repository.lookup(`https://cert.example.com/${index}`);
  const { entries, sizeBytes } = repository.stats();
  expect(sizeBytes).toBeLessThanOrEqual(500_000);
  expect(entries).toBeGreaterThan(10);
  for (let index = 0; index < 2_000; index += 1) await repository.lookup(`https://cert.example.com/bad/${index}`);
  expect(repository.stats()).toMatchObject({ entries, negativeEntries: 500 });
});

test('a preload looks every URL up once and reports what failed', async () => {
  const { repository, requests } = laboratory({}, (url) => (url.endsWith('/3') ? failed() : fetched(url)));
  const urls = Array.from({ length: 300 }, (_, index) => `https://c${index}.example/${index}`);
  const report = await repository.preload([...urls, ...urls, 'http://nope/']);
  expect(report.found).toBe(299);
  expect(report.failures.map(({ status }) => status).sort()).toEqual(['refused', 'unavailable']);
  expect(requests).toHaveLength(300);
});

test('close ends what is under way; memory still answers, lookups no longer fetch', async () => {
  const { repository, requests } = await warmLaboratory();
  const cold = repository.lookup('https://cert.example.com/cold');
  await settle();
  const closing = repository.close();
  expect(requests[1]?.options.signal?.aborted).toBe(true);
  await closing;
  expect(await cold).toMatchObject({ status: 'unavailable', reason: 'overloaded', retryAfterMs: 0 });
  expect(leafOf(repository.peek(URL_1))).toBe('one');
  expect(leafOf(await repository.revalidate(URL_1))).toBe('one');
  expect(await repository.lookup('https://cert.example.com/other')).toMatchObject({
    status: 'unavailable',
    reason: 'overloaded',
  });
  expect(requests).toHaveLength(2);
  await repository.close();
});

test('lookup never rejects, also when a stand-in fetch or parser throws, and remembers the failure', async () => {
  const throwing = (): never => {
    throw new Error('bug');
  };
  for (const options of [{ fetch: throwing }, { parseChain: throwing }]) {
    const { repository } = laboratory(options, () => fetched('one'));
    for (let call = 0; call < 10; call += 1) {
      expect(await repository.lookup(URL_1)).toMatchObject({
        status: 'unavailable',
        detail: 'bug',
        retryAfterMs: 1_000,
      });
    }
    expect(repository.stats()).toMatchObject({ activeFetches: 0, queuedFetches: 0, fetches: 1 });
  }
});

test('what is cached stands in when there is no room for a revalidation', async () => {
  const { clock, repository } = await warmLaboratory({}, { limits: { maxConcurrent: 1, maxQueued: 1 } });
  const filling = ['a', 'b'].map((name) => repository.lookup(`https://cert.${name}.example/`));
  await settle();
  expect(await repository.lookup('https://cert.c.example/')).toMatchObject({ reason: 'overloaded', retryAfterMs: 0 });
  expect(leafOf(await repository.revalidate(URL_1))).toBe('one');
  clock.advance(2 * DAY);
  expect(leafOf(await repository.lookup(URL_1))).toBe('one');
  await repository.close();
  await Promise.all(filling);
});

test.each([
  [{ deadlineMs: 0 }],
  [{ deadlineMs: Number.NaN }],
  [{ deadlineMs: 60_001 }],
  [{ limits: { maxEntries: 0 } }],
  [{ limits: { maxConcurrent: 1.5 } }],
  [{ allow: { addresses: ['localhost'] } }],
])('settings that make no sense are refused: %j', (options) => {
  const clock = new ManualClock();
  expect(() => new CertificateRepository({ clock, ...options })).toThrow(withCode('invalid-argument'));
});

test('an export imports elsewhere with the same chains, times and validators, and only what is better', async () => {
  const pki = new TestPki();
  const chainPem = pki.issueServiceProvider({ spc: '1234' }).chainPem;
  const real = {
    fetch: (url: string): Promise<BoundedFetchResult> =>
      Promise.resolve({ ...fetched(chainPem, { etag: '"1"' }), url } as BoundedFetchResult),
  };
  const clock = new ManualClock();
  const source = new CertificateRepository({ clock, ...real });
  await source.preload([URL_1, 'https://cert.example.com/2']);
  const exported = JSON.parse(JSON.stringify(source.export())) as { entries: Record<string, unknown>[] };
  expect(exported.entries).toHaveLength(2);
  const target = new CertificateRepository({ clock, ...real });
  expect(await target.import(exported)).toEqual({ imported: 2, rejected: 0 });
  expect(await target.import(exported)).toEqual({ imported: 0, rejected: 2 });
  expect(leafOf(target.peek(URL_1))).toBe(leafOf(source.peek(URL_1)));
  expect(target.export()).toEqual(source.export());
  expect(target.stats().fetches).toBe(0);

  const [entry] = exported.entries;
  const later = new CertificateRepository({ clock, ...real });
  for (const spoilt of [
    { ...entry, url: 'http://cert.example.com/x' },
    { ...entry, url: 'https://localhost/x' },
    { ...entry, body: `${String(entry?.['body'])} ` },
    { ...entry, bodySha256: '0'.repeat(64) },
    { ...entry, format: 'other' },
    { ...entry, fetchedAtMs: clock.nowMs() + 1 },
    { ...entry, fetchedAtMs: -1 },
    { ...entry, freshUntilMs: 'x' },
    { ...entry, fetchedAtMs: clock.nowMs() - 20 * DAY, freshUntilMs: clock.nowMs() + 20 * DAY },
    null,
    'x',
    [],
  ]) {
    expect(await later.import({ ...exported, entries: [spoilt] })).toEqual({ imported: 0, rejected: 1 });
  }
  for (const spoilt of [null, undefined, 'x', 5, [], {}, { format: 'hopback.certificate-cache.1', entries: 'x' }]) {
    expect(await later.import(spoilt)).toEqual({ imported: 0, rejected: 1 });
  }
  expect(later.stats().entries).toBe(0);
  // A freshness that was written larger than a fetch could have given it is cut down.
  await later.import({ ...exported, entries: [{ ...entry, freshUntilMs: clock.nowMs() + 300 * DAY }] });
  expect(later.peek(String(entry?.['url']))).toMatchObject({ freshUntilMs: clock.nowMs() + 7 * DAY });
});
