import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { ManualClock } from '../../sdk/src/testing/index.js';
import {
  NOT_MODIFIED,
  certificate,
  DAY,
  exportOf,
  failed,
  fetched,
  laboratory,
  leafOf,
  settle,
  URL_1,
  warmLaboratory,
} from './x5u-laboratory.js';

test('the wait for a socket is part of the one deadline', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { repository, requests } = laboratory({ deadlineMs: 100 });
    const lookups = Array.from({ length: 72 }, (_, index) => repository.lookup(`https://h${index}.slow.example/`));
    await settle();
    vi.advanceTimersByTime(100);
    const results = await Promise.all(lookups);
    expect(results.filter(({ status }) => status === 'unavailable')).toHaveLength(72);
    expect(requests).toHaveLength(8);
    expect(repository.stats()).toMatchObject({
      activeFetches: 0,
      queuedFetches: 0,
      overloaded: 64,
      negativeEntries: 8,
    });
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test.each([
  ['expired eight days ago', 8 * DAY],
  ['expired an hour ago', 3_600_000],
  ['expires in this millisecond', 0],
])('a server that publishes a certificate that %s is not asked at every call', async (_when, agoMs) => {
  const clock = new ManualClock();
  const notAfterMs = clock.nowMs() - agoMs;
  const { repository, requests } = laboratory({ clock }, () => fetched(`old until ${notAfterMs}`));
  for (let call = 0; call < 10_000; call += 1) expect(leafOf(await repository.lookup(URL_1))).toBe('old');
  expect(requests).toHaveLength(1);
  for (let second = 0; second < 3_600; second += 1) {
    expect(leafOf(await repository.lookup(URL_1))).toBe('old');
    await settle();
    clock.advance(1_000);
  }
  // After 1, 3, 7, 15, 25, 35, 45 and 55 minutes.
  expect(requests).toHaveLength(1 + 8);
});

test('a flood of chains from one site pushes out its own, not those of others', async () => {
  const { repository } = laboratory({ limits: { maxEntries: 100 } }, (url) => fetched(url));
  const others = Array.from({ length: 50 }, (_, index) => `https://cr.provider-${index}.example/a.pem`);
  await repository.preload(others);
  for (let index = 0; index < 500; index += 1) await repository.lookup(`https://h${index}.flood.example/${index}`);
  expect(others.filter((url) => repository.peek(url) !== undefined)).toHaveLength(50);
  expect(repository.peek('https://h499.flood.example/499')?.status).toBe('found');
  expect(repository.peek('https://h400.flood.example/400')).toBeUndefined();
  expect(repository.stats().entries).toBe(100);
});

test('a flood of certificates with thousands of distribution points takes no more memory than is permitted', async () => {
  const points = Array.from({ length: 5_400 }, () => ({ urls: [] }));
  const chain = [{ ...certificate('leaf'), crlDistributionPoints: points }];
  const { repository } = laboratory(
    { limits: { maxBytes: 10_000_000 }, parseChain: () => ({ status: 'parsed', chain }) },
    () => fetched('leaf'),
  );
  for (let index = 0; index < 100; index += 1) await repository.lookup(`https://cr.flood-${index}.example/`);
  const { entries, sizeBytes } = repository.stats();
  expect(sizeBytes).toBeLessThanOrEqual(10_000_000);
  // Each takes some 450 KB, though its bytes in the file would be 15 KB.
  expect(entries).toBeGreaterThan(0);
  expect(entries).toBeLessThanOrEqual(25);
});

test('too many fetches here are no failure of a server: its chain is revalidated as soon as there is room', async () => {
  let body = 'old';
  const { clock, repository, requests } = laboratory({ limits: { maxConcurrent: 1, maxQueued: 1 } });
  const answerAll = async (): Promise<void> => {
    await settle();
    for (const { url, answer } of requests.splice(0)) answer(url === URL_1 ? fetched(body) : failed());
    await settle();
  };
  const cold = repository.lookup(URL_1);
  await answerAll();
  await cold;
  body = 'new';
  for (let round = 0; round < 7; round += 1) {
    const filling = ['a', 'b'].map((name) => repository.lookup(`https://cert.${name}.example/${round}`));
    await settle();
    expect(leafOf(await repository.revalidate(URL_1))).toBe('old');
    await answerAll();
    await answerAll();
    await Promise.all(filling);
    clock.advance(5_000);
  }
  expect(repository.stats()).toMatchObject({ overloaded: 7, fetchFailures: 14, rotations: 0 });
  const revalidated = repository.revalidate(URL_1);
  await answerAll();
  expect(leafOf(await revalidated)).toBe('new');
});

test('no new attempt follows within five seconds of one that found no room', async () => {
  const { clock, repository } = laboratory({ limits: { maxConcurrent: 1, maxQueued: 1 } });
  await repository.import(exportOf(clock.nowMs(), 'https://cert.example.com/1234.pem', 'one'));
  const filling = ['a', 'b'].map((name) => repository.lookup(`https://cert.${name}.example/`));
  await settle();
  for (let call = 0; call < 100; call += 1) await repository.revalidate(URL_1);
  expect(repository.stats()).toMatchObject({ revalidations: 1, overloaded: 1 });
  clock.advance(5_000);
  await repository.revalidate(URL_1);
  expect(repository.stats()).toMatchObject({ revalidations: 2, overloaded: 2 });
  await repository.close();
  await Promise.all(filling);
});

test('a signature that fails while a conditional request is under way has the file fetched all the same', async () => {
  const { clock, repository, requests } = await warmLaboratory({ body: 'old', etag: '"never-changes"' });
  clock.advance(DAY);
  repository.peek(URL_1);
  const revalidations = Array.from({ length: 100 }, () => repository.revalidate(URL_1));
  await settle();
  expect(requests).toHaveLength(2);
  requests[1]?.answer(NOT_MODIFIED);
  await settle();
  expect(requests).toHaveLength(3);
  expect(requests[2]?.options).toMatchObject({ noCache: true });
  requests[2]?.answer(fetched('new', { etag: '"never-changes"' }));
  expect(new Set((await Promise.all(revalidations)).map(leafOf))).toEqual(new Set(['new']));
  await repository.revalidate(URL_1);
  expect(requests).toHaveLength(3);
});

test('a conditional request that brings another chain, or fails, answers a signature that fails meanwhile', async () => {
  for (const [answer, leaf] of [
    [fetched('new'), 'new'],
    [failed(), 'old'],
  ] as const) {
    const { clock, repository, requests } = await warmLaboratory({ body: 'old', etag: '"1"' });
    clock.advance(DAY);
    repository.peek(URL_1);
    const revalidated = repository.revalidate(URL_1);
    await settle();
    requests[1]?.answer(answer);
    expect(leafOf(await revalidated)).toBe(leaf);
    expect(requests).toHaveLength(2);
  }
});

test('"not modified" that comes after an import says nothing of the chain that was imported', async () => {
  const { clock, repository, requests } = await warmLaboratory({ body: 'old', etag: '"1"' });
  clock.advance(2 * DAY);
  repository.peek(URL_1);
  await settle();
  expect(await repository.import(exportOf(clock.nowMs(), URL_1, 'new'))).toEqual({ imported: 1, rejected: 0 });
  requests[1]?.answer(NOT_MODIFIED);
  await settle();
  expect(leafOf(repository.peek(URL_1))).toBe('new');
});

test('an import is read in turns, so that calls are answered meanwhile, and no further than there is room', async () => {
  const entries = Array.from({ length: 300 }, (_, index) => {
    const { entries: made } = exportOf(new ManualClock().nowMs(), `https://c${index}.example/`, `leaf ${index}`) as {
      entries: unknown[];
    };
    return made[0];
  });
  const data = { format: 'hopback.certificate-cache.1', entries };
  const { repository } = laboratory({ limits: { maxEntries: 200 } });
  let turns = 0;
  const ended = new AbortController();
  const importing = repository.import(data).finally(() => ended.abort());
  while (!ended.signal.aborted) {
    await setImmediate();
    turns += 1;
  }
  expect(await importing).toEqual({ imported: 200, rejected: 100 });
  expect(turns).toBeGreaterThan(20);
  expect(leafOf(repository.peek('https://c299.example/'))).toBe('leaf 299');
  expect(repository.peek('https://c99.example/')).toBeUndefined();
});

test('an import ends when the repository is closed', async () => {
  const { clock, repository } = laboratory();
  await repository.close();
  expect(await repository.import(exportOf(clock.nowMs(), URL_1, 'one'))).toEqual({ imported: 0, rejected: 1 });
});

test('a renewed certificate in place of an expired one is found within ten minutes', async () => {
  const clock = new ManualClock();
  let body = `old until ${clock.nowMs() - 8 * DAY}`;
  const { repository } = laboratory({ clock }, () => fetched(body));
  for (let minute = 0; minute < 300; minute += 1) {
    await repository.lookup(URL_1);
    await settle();
    clock.advance(60_000);
  }
  body = 'new';
  for (let minute = 0; minute < 11; minute += 1) {
    repository.peek(URL_1);
    await settle();
    clock.advance(60_000);
  }
  expect(leafOf(repository.peek(URL_1))).toBe('new');
});

test('an expired chain whose server falls silent is served for a day after it was fetched', async () => {
  const clock = new ManualClock();
  const body = `old until ${clock.nowMs() - 8 * DAY}`;
  let broken = false;
  const { repository } = laboratory({ clock }, () => (broken ? failed() : fetched(body)));
  await repository.lookup(URL_1);
  broken = true;
  clock.advance(DAY - 1);
  expect(leafOf(repository.peek(URL_1))).toBe('old');
  await settle();
  clock.advance(1);
  expect(repository.peek(URL_1)).toBeUndefined();
});
