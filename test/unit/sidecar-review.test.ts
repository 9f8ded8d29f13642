import { readFile, truncate } from 'node:fs/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HopbackError, isHopbackError } from '../../sdk/src/errors.js';
import { accountEntry, createSessionCookie, readAccounts } from '../../sdk/src/sidecar/review/sessions.js';
import { ReviewAudit, sourceOf } from '../../sdk/src/sidecar/review/review-parts.js';
import { decisionOfForm } from '../../sdk/src/sidecar/review/review-routes.js';
import { reviewApp, type ReviewAppOptions } from '../../sdk/src/sidecar/review/review-app.js';
import { thrownBy } from '../support/code-of.js';
import { answerIn } from '../support/responder-lab.js';
import {
  cheapAccount,
  createReviewLab,
  fromAnywhere,
  NAME,
  PASSWORD,
  reviewBrowser,
  tokenOf,
  WRONG,
} from '../support/review-lab.js';
import type { ReviewLab } from '../support/review-lab.js';
import { testFolder } from '../support/test-folder.js';
import { FIRST_ID, SECOND_ID } from '../support/traceback-cases.js';
import { forAll } from '../support/for-all.js';

const folder = testFolder();
let lab: ReviewLab;
beforeEach(async () => {
  lab = await createReviewLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** A browser in which somebody has logged in, and waits for the first request if the lab has none. */
async function loggedIn({ app, ask, responder }: ReviewLab = lab) {
  if (responder.list().length === 0) await ask({});
  const browser = reviewBrowser(app);
  await browser.logIn();
  return browser;
}

const CHOICE = { step: 'check', arm: 'received-from', candidate: FIRST_ID };

test('nobody sees a request without logging in, and whoever logs in sees what waits, with its deadline in words', async () => {
  await lab.ask({});
  const browser = reviewBrowser(lab.app);
  for (const path of ['/review', '/review/requests/r-1'])
    expect(await browser.get(path)).toMatchObject({ status: 303, location: '/review/login' });
  expect(await browser.logIn('another password, as long')).toMatchObject({ status: 401 });
  expect(await browser.logIn()).toMatchObject({ status: 303, location: '/review' });
  const { status, text } = await browser.get('/review');
  expect(status).toBe(200);
  expect(text).toContain('r-1');
  expect(text).toContain('<span class="deadline deadline-open">due in ');
  expect(text).toContain('2026-11-03 17:41:10 UTC');
  expect(text).toContain('(Nov 3, 12:41:10 EST)');
  expect(lab.audit.map(({ event, account }) => [event, account])).toEqual([
    ['login-failed', NAME],
    ['login', NAME],
  ]);
});

test('a call is chosen, the answer is shown in words, and only then signed and sent, in the name of whoever decided', async () => {
  const browser = await loggedIn();
  const shown = await browser.answer(CHOICE);
  expect(shown.status).toBe(200);
  expect(shown.text).toContain('received from Example Carrier Corp (OCN 0003)');
  expect(lab.desk.taken.size).toBe(0);
  const path = '/review/requests/r-1';
  const id = /name="decision-id" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';
  const confirmed = { ...CHOICE, step: 'send', 'decision-id': id, token: tokenOf(shown.text, path) };
  expect(await browser.post(path, confirmed)).toMatchObject({ status: 303, location: `${path}?taken=1` });
  // Sent twice by an impatient hand, it counts once.
  expect(await browser.post(path, confirmed)).toMatchObject({ status: 303 });
  await lab.responder.settled();
  const answers = [...lab.desk.taken.values()].map(({ jws }) => answerIn(jws));
  expect(answers).toMatchObject([{ finding: { arm: 'received-from' }, answeredBy: { kind: 'person', name: NAME } }]);
  expect((await browser.get(path)).text).toContain('the platform has it');
  const decisions = lab.audit.filter(({ event }) => event.startsWith('decision'));
  expect(
    decisions.map(({ event, candidate, outcome, decisionId }) => [event, candidate ?? outcome, decisionId]),
  ).toEqual([
    ['decision', FIRST_ID, id],
    ['decision-outcome', 'accepted', id],
    ['decision', FIRST_ID, id],
    ['decision-outcome', 'repeated', id],
  ]);
});

test('what cannot be answered yet is said, with all that was filled in, and nothing is signed', async () => {
  const browser = await loggedIn();
  const without = await browser.answer({ step: 'check', arm: 'received-from', comment: 'a "comment" <b>' });
  expect(without.status).toBe(422);
  expect(without.text).toContain('say which call it was');
  expect(without.text).toContain('a &quot;comment&quot; &lt;b&gt;');
  // The second call fits less well: it takes a confirmation.
  const second = { ...CHOICE, candidate: SECOND_ID };
  expect((await browser.answer(second)).text).toContain('another call fits better: confirm it');
  const confirmed = await browser.answer([...Object.entries(second), ['despite', 'another-fits-better']]);
  expect(confirmed.text).toContain('In spite of this: another call fits better');
  expect((await browser.answer({ step: 'check' })).text).toContain('say what is answered');
  expect((await browser.answer({ step: 'edit', reason: 'kept' })).text).toContain('value="kept"');
  await lab.responder.settled();
  expect(lab.desk.taken.size).toBe(0);
});

test('a form is taken from a page of this server, of this session, for this path, and from nowhere else', async () => {
  await lab.ask({}, { requestId: 'r-2' });
  const browser = await loggedIn();
  const path = '/review/requests/r-1';
  const token = tokenOf((await browser.get(path)).text, path);
  const other = reviewBrowser(lab.app);
  await other.logIn();
  const fields = { ...CHOICE, token };
  const refused = [
    await browser.post(path, fields, { origin: 'https://evil.example' }),
    await browser.post(path, fields, { origin: 'null' }),
    await browser.post(path, { ...fields, token: '' }),
    await browser.post('/review/requests/r-2', fields),
    await other.post(path, fields),
    await browser.post('/review/login', { name: NAME, password: PASSWORD }, { origin: 'https://evil.example' }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403]);
  expect((await browser.post(path, fields, { 'content-type': 'text/plain' })).status).toBe(400);
  expect((await browser.post(path, { ...fields, comment: 'x'.repeat(70_000) })).status).toBe(400);
  expect((await browser.post(path, fields)).status).toBe(200);
});

test('a session is a cookie that scripts and other sites cannot use, and ends by itself, by its account, and by logging out', async () => {
  let isThere = true;
  const accounts = readAccounts(await accountEntry({ name: NAME, password: PASSWORD }));
  await using other = await createReviewLab({ accounts: () => (isThere ? accounts : new Map()), clock: lab.clock });
  const browser = reviewBrowser(other.app);
  const { headers } = await browser.logIn();
  expect(headers.getSetCookie()[0]).toMatch(
    /^__Host-hopback-review=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
  );
  lab.clock.advance(899_000);
  expect((await browser.get('/review')).status).toBe(200);
  lab.clock.advance(901_000);
  expect((await browser.get('/review')).status).toBe(303);
  await browser.logIn();
  isThere = false;
  expect((await browser.get('/review')).status).toBe(303);
  isThere = true;
  await browser.logIn();
  const cookie = browser.cookie;
  const token = tokenOf((await browser.get('/review')).text, '/review/logout');
  expect(await browser.post('/review/logout', { token })).toMatchObject({ status: 303 });
  browser.cookie = cookie;
  expect((await browser.get('/review')).status).toBe(303);
});

test('wrong passwords of others keep nobody with the right one from logging in', async () => {
  await using page = await fromAnywhere();
  await page.guess('198.51.100.1', 30);
  for (const [source, mostMs] of [
    ['192.0.2.7', 5_000],
    ['198.51.100.1', 30_000],
  ] as const) {
    const { page: answer, waitedMs } = await page.timed(() => reviewBrowser(page.app, source).logIn());
    expect(answer.status).toBe(303);
    expect(waitedMs).toBeLessThanOrEqual(mostMs);
  }
});

test('a browser that signed in before does not wait, whatever comes from elsewhere and from its own source', async () => {
  await using attacked = await fromAnywhere();
  const known = reviewBrowser(attacked.app, '198.51.100.1');
  await known.logIn();
  await attacked.guess('198.51.100.1', 12);
  expect(await attacked.timed(() => known.logIn())).toMatchObject({ page: { status: 303 }, waitedMs: 0 });
  // A stolen one is of little use: after ten guesses it waits as others do.
  for (let guess = 1; guess <= 10; guess += 1)
    expect(await attacked.timed(() => known.logIn(WRONG))).toMatchObject({ page: { status: 401 }, waitedMs: 0 });
  expect((await attacked.timed(() => known.logIn(WRONG))).waitedMs).toBeGreaterThanOrEqual(2_000);
});

test('the cookie of a browser is of one account and one password, cannot be made up, and goes over TLS alone', async () => {
  let accounts = cheapAccount();
  await using attacked = await fromAnywhere({ accounts: () => accounts });
  const first = reviewBrowser(attacked.app);
  const { headers } = await first.logIn();
  const [, device = ''] = headers.getSetCookie();
  expect(device).toMatch(
    /^__Host-hopback-device-[0-9a-f]{16}=[\w-]{22}\.\d+\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=15552000$/,
  );
  await attacked.guess('198.51.100.1', 20);
  const waitsWith = async (cookie: string, password = PASSWORD): Promise<boolean> => {
    const browser = reviewBrowser(attacked.app, '192.0.2.9');
    browser.cookie = cookie;
    return (await attacked.timed(() => browser.logIn(password))).waitedMs > 0;
  };
  const [pair = ''] = device.split(';');
  expect(await waitsWith(pair)).toBe(false);
  expect(await waitsWith(pair.replace(/=(..)/, '=AA'))).toBe(true);
  expect(await waitsWith(pair.replace(/\.\d+\./, '.1999999999.'))).toBe(true);
  expect(await waitsWith(pair.replace(/\..*$/, ''))).toBe(true);
  accounts = cheapAccount('a new password, as long');
  expect(await waitsWith(pair, 'a new password, as long')).toBe(true);
});

test('a source has four attempts that wait: more are answered at once, on record once a minute, and a browser that goes frees its place', async () => {
  await using attacked = await fromAnywhere();
  const timers = attacked.clock.pendingTimers();
  for (let source = 1; source <= 5; source += 1) await reviewBrowser(attacked.app, `198.51.100.${source}`).logIn(WRONG);
  const leaving = new AbortController();
  const waiting = Array.from({ length: 4 }, () => attacked.attempt('203.0.113.1', leaving.signal));
  await attacked.untilWaiting(timers + 4);
  const refused = [await attacked.attempt('203.0.113.1'), await attacked.attempt('203.0.113.1')];
  expect(refused.map(({ status }) => status)).toEqual([429, 429]);
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(attacked.audit.filter(({ event }) => event === 'login-refused')).toHaveLength(1);
  leaving.abort();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([408, 408, 408, 408]);
  const again = attacked.attempt('203.0.113.1');
  await attacked.untilWaiting(timers + 1);
  attacked.clock.advance(30_000);
  expect((await again).status).toBe(401);
  attacked.clock.advance(60_000);
});

test('however many guesses of others wait, the person from a new address waits five seconds and logs in', async () => {
  await using attacked = await fromAnywhere();
  const timers = attacked.clock.pendingTimers();
  const guesses = Array.from({ length: 15 }, (_, source) =>
    Array.from({ length: 4 }, () => attacked.attempt(`203.0.113.${source}`)),
  );
  // The first four of all are free, and all places of the account are taken.
  await attacked.untilWaiting(timers + 20);
  const { page, waitedMs } = await attacked.timed(() => reviewBrowser(attacked.app, '192.0.2.7').logIn());
  expect(page.status).toBe(303);
  expect(waitedMs).toBeLessThanOrEqual(5_000);
  attacked.clock.advance(60_000);
  const statuses = new Set((await Promise.all(guesses.flat())).map(({ status }) => status));
  expect(statuses).toEqual(new Set([401, 429]));
});

test('behind a proxy the source is what the proxy says, and what anybody else says is ignored', async () => {
  const sources: (string | undefined)[] = [];
  await using attacked = await fromAnywhere({
    proxy: { addresses: ['10.0.0.0/8', 'fd00::1'], header: 'X-Forwarded-For' },
    audit: async ({ address }) => void sources.push(address),
  });
  const forwarded = async (connection: string, field: string): Promise<string | undefined> => {
    const browser = reviewBrowser(attacked.app, connection);
    await browser.post('/review/login', { name: NAME, password: PASSWORD }, { 'x-forwarded-for': field });
    return sources.at(-1);
  };
  expect(await forwarded('10.1.2.3', '198.51.100.9, 192.0.2.1, 10.9.9.9')).toBe('192.0.2.1');
  expect(await forwarded('fd00::1', '2001:db8::7')).toBe('2001:db8::7');
  expect(await forwarded('10.1.2.3', 'nonsense')).toBe('10.1.2.3');
  expect(await forwarded('10.1.2.3', '')).toBe('10.1.2.3');
  expect(await forwarded('198.51.100.1', '192.0.2.1')).toBe('198.51.100.1');
  expect(await forwarded('192.0.2.200', '10.1.2.3')).toBe('192.0.2.200');
  for (const addresses of [[], ['proxy.example'], ['10.0.0.0/33'], ['10.0.0.0/8/8']])
    await expect(fromAnywhere({ proxy: { addresses } })).rejects.toMatchObject({ code: 'invalid-configuration' });
});

test('a source of IPv6 is a network of 64 bits, and one of IPv4 is the same in either form', () => {
  expect(sourceOf('2001:db8:0:1:aaaa::1')).toBe(sourceOf('2001:0db8:0000:0001::'));
  expect(sourceOf('2001:db8:0:1::1')).not.toBe(sourceOf('2001:db8:0:2::1'));
  expect(sourceOf('::1')).toBe('0:0:0:0::/64');
  expect(sourceOf('::ffff:192.0.2.1')).toBe(sourceOf('192.0.2.1'));
  expect(sourceOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
});

test('a clock that is set back shuts nobody out', async () => {
  let nowMs = lab.clock.nowMs();
  await using other = await createReviewLab({ clock: { nowMs: () => nowMs } });
  const browser = reviewBrowser(other.app);
  expect((await browser.logIn('a guess as long as one')).status).toBe(401);
  nowMs -= 86_400_000;
  expect((await browser.logIn()).status).toBe(303);
});

test('whoever logs in anew leaves no session behind', async () => {
  const browser = await loggedIn();
  const before = browser.cookie;
  await browser.logIn();
  expect((await browser.get('/review')).status).toBe(200);
  browser.cookie = before;
  expect((await browser.get('/review')).status).toBe(303);
});

test('numbers are masked until somebody asks for them, which is on record', async () => {
  const browser = await loggedIn();
  expect((await browser.get('/review/requests/r-1')).text).not.toContain('2025550101');
  expect((await browser.get('/review/requests/r-1?numbers=shown')).text).toContain('2025550101');
  expect(lab.audit.at(-1)).toMatchObject({ event: 'numbers-shown', account: NAME, requestId: 'r-1' });
});

test('what cannot be put on record is not done', async () => {
  const failure = new HopbackError('storage-failed', 'the disk is full', { retryable: true });
  let isFull = false;
  const audit = (): Promise<void> => (isFull ? Promise.reject(failure) : Promise.resolve());
  await using full = await createReviewLab({ audit });
  const browser = await loggedIn(full);
  isFull = true;
  expect((await browser.answer({ ...CHOICE, step: 'send' })).status).toBe(503);
  expect((await browser.get('/review/requests/r-1?numbers=shown')).text).not.toContain('2025550101');
  await full.responder.settled();
  expect(full.desk.taken.size).toBe(0);
});

test('every page says what it may load, is kept by nobody, and has no script, no style of its own, and nothing of a peer unescaped', async () => {
  await lab.ask({ comment: '<script>alert(1)</script>' });
  const browser = reviewBrowser(lab.app);
  const pages = [await browser.get('/review/login'), await browser.logIn(), await browser.get('/review')];
  pages.push(await browser.get('/review/requests/r-1'), await browser.get('/review/requests/none'));
  expect(pages.map(({ status }) => status)).toEqual([200, 303, 200, 200, 404]);
  for (const { headers, text } of pages) {
    expect(headers.get('content-security-policy')).toContain("default-src 'self'; img-src 'self' data:");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(text).not.toMatch(/<script|\sstyle="|\son[a-z]+="/);
  }
  expect(pages[3]?.text).toContain('&lt;script&gt;');
});

test('an account is a line without a password; an invalid file is refused with the number of the line', async () => {
  const line = await accountEntry({ name: "Zoë O'Neil", password: 'correct horse battery staple' });
  expect(line).not.toContain('horse');
  expect([...readAccounts(`# people\n\n${line}\r\n`).keys()]).toEqual(["Zoë O'Neil"]);
  const lineOf = (text: string): unknown => {
    const error = thrownBy(() => readAccounts(text));
    return isHopbackError(error) ? [error.code, error.details['line']] : error;
  };
  const [name, kind, , ...rest] = line.split(':');
  for (const bad of ['nobody', line.replace('scrypt', 'plain'), [name, kind, 1_073_741_824, ...rest].join(':')])
    expect(lineOf(`# one\n${bad}\n`)).toEqual(['invalid-configuration', 2]);
  expect(lineOf(`${line}\n${line}`)).toEqual(['invalid-configuration', 2]);
  for (const account of [
    { name: 'a:b', password: PASSWORD },
    { name: 'a', password: 'too short' },
  ])
    await expect(accountEntry(account)).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('the audit is a line for each entry, also behind one that was cut off', async () => {
  const path = folder.at('audit.ndjson');
  const at = '2026-11-02T15:00:00Z';
  const first = await ReviewAudit.open(path);
  await Promise.all([
    first.write({ event: 'login', at, account: 'a' }),
    first.write({ event: 'logout', at, account: 'a' }),
  ]);
  await first.close();
  await truncate(path, (await readFile(path)).length - 10);
  await using second = await ReviewAudit.open(path);
  await second.write({ event: 'login', at, account: 'b' });
  const lines = (await readFile(path, 'utf8')).split('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'login', account: 'a' });
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ event: 'login', account: 'b' });
});

test('a zone that does not exist, a base that is no path and an idle time of a second are refused', () => {
  const options: ReviewAppOptions = {
    ...{ responder: lab.responder, accounts: () => new Map(), audit: async () => undefined, zone: 'Etc/UTC' },
    context: { policy: {}, directory: {}, provider: { name: 'x' } } as unknown as ReviewAppOptions['context'],
  };
  for (const bad of [{ zone: 'Mars/Base' }, { base: 'review' }, { idleMs: 1_000 }])
    expect(() => reviewApp({ ...options, ...bad })).toThrow(HopbackError);
});

const FIELDS = [
  ...['arm', 'candidate', 'despite', 'action', 'reason', 'comment', 'amend-reason', 'decision-id', 'customer-id'],
  ...['provider-name', 'provider-ocn', 'contact-name', 'contact-country', 'know-your-customer', 'by', 'format'],
];
const form = fc.array(
  fc.tuple(fc.constantFrom(...FIELDS), fc.oneof(fc.string(), fc.constantFrom('received-from', 'origin', 'warned', ''))),
);

test('any form makes a decision of whoever is logged in about the request of the page, or none, and never throws', () => {
  forAll([form], 100, (fields) => {
    const facts = { requestId: 'r-1', by: 'duty engineer', nowMs: 1_793_000_000_000, newId: () => 'd-1' };
    const reading = decisionOfForm(new URLSearchParams(fields), facts);
    if (reading.status === 'read')
      expect(reading.decision).toMatchObject({
        requestId: 'r-1',
        by: 'duty engineer',
        decidedAt: '2026-10-26T07:33:20.000Z',
      });
    else expect(reading.detail).not.toBe('');
  });
});

test('any text is a file of accounts, or is refused as a configuration that cannot be', () => {
  const salts = ['A'.repeat(22), 'A'.repeat(43)];
  const part = fc.constantFrom('name', 'scrypt', '32768', '8', '1', ':', '\n', '#', '-1', '1e9', ...salts);
  const parts = fc.array(part).map((some) => some.join(':'));
  forAll([fc.oneof(fc.string(), parts)], 100, (text) => {
    const error = thrownBy(() => expect(readAccounts(text).size).toBeGreaterThanOrEqual(0));
    if (error !== undefined) expect(isHopbackError(error) && error.code).toBe('invalid-configuration');
  });
});

test('a cookie that was given is read back among any others', () => {
  const cookie = createSessionCookie({ base: '/review', isSecure: true });
  forAll(
    [fc.array(fc.stringMatching(/^[a-z]{1,8}=[a-z0-9]{0,8}$/)), fc.stringMatching(/^[\w-]{43}$/)],
    100,
    (others, token) => {
      const own = cookie.field(token).split(';')[0] ?? '';
      expect(cookie.read(new Headers({ cookie: [...others, own].join('; ') }))).toBe(token);
    },
  );
});
