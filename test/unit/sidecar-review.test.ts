import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HopbackError, isHopbackError } from '../../sdk/src/errors.js';
import { accountEntry, readAccounts } from '../../sdk/src/sidecar/review/account-file.js';
import { openReviewAudit } from '../../sdk/src/sidecar/review/review-audit.js';
import { reviewApp } from '../../sdk/src/sidecar/review/review-app.js';
import type { ReviewAppOptions } from '../../sdk/src/sidecar/review/review-app.js';
import { answerIn } from '../support/responder-lab.js';
import { createReviewLab, NAME, PASSWORD } from '../support/review-lab.js';
import type { ReviewLab } from '../support/review-lab.js';
import { FIRST_ID, SECOND_ID } from '../support/traceback-cases.js';

const ORIGIN = 'http://sidecar.example';

let lab: ReviewLab;
beforeEach(async () => {
  lab = await createReviewLab();
});
afterEach(() => lab.responder.close());

interface Browser {
  cookie: string;
  readonly get: (path: string) => Promise<Page>;
  /** Sends a form; what a page of this server sends along is there unless it is replaced. */
  readonly post: (path: string, fields: Fields, headers?: Readonly<Record<string, string>>) => Promise<Page>;
  readonly logIn: (password?: string) => Promise<Page>;
}
type Fields = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

const pairsOf = (fields: Fields): readonly (readonly [string, string])[] =>
  Array.isArray(fields) ? fields : Object.entries(fields);

interface Page {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
  readonly headers: Headers;
}

function browserOf(app: ReviewLab['app'] = lab.app): Browser {
  const page = async (path: string, init: RequestInit): Promise<Page> => {
    const headers = { cookie: browser.cookie, host: 'sidecar.example', ...(init.headers as Record<string, string>) };
    const response = await app.request(`${ORIGIN}${path}`, { ...init, headers });
    const set = response.headers.get('set-cookie');
    if (set !== null) browser.cookie = set.split(';')[0] ?? '';
    const { status } = response;
    return {
      status,
      text: await response.text(),
      location: response.headers.get('location'),
      headers: response.headers,
    };
  };
  const browser: Browser = {
    cookie: '',
    get: (path) => page(path, {}),
    post: (path, fields, headers = {}) =>
      page(path, {
        method: 'POST',
        headers: { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: new URLSearchParams(pairsOf(fields).map(([name, value]): [string, string] => [name, value])).toString(),
      }),
    logIn: (password = PASSWORD) => browser.post('/review/login', { name: NAME, password }),
  };
  return browser;
}

/** The token of the form of a page that is sent to a path. */
function tokenOf(text: string, action: string): string {
  const form = text.slice(text.indexOf(`action="${action}"`));
  return /name="token" value="([^"]+)"/.exec(form)?.[1] ?? '';
}

async function answered(browser: Browser, fields: Fields): Promise<Page> {
  const path = '/review/requests/r-1';
  const token = tokenOf((await browser.get(path)).text, path);
  return browser.post(path, [['token', token], ...pairsOf(fields)]);
}

const CHOICE = { step: 'check', arm: 'received-from', candidate: FIRST_ID };

test('nobody sees a request without logging in, and whoever logs in sees what waits, with its deadline in words', async () => {
  await lab.ask({});
  const browser = browserOf();
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
  await lab.ask({});
  const browser = browserOf();
  await browser.logIn();
  const shown = await answered(browser, CHOICE);
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
  await lab.ask({});
  const browser = browserOf();
  await browser.logIn();
  const without = await answered(browser, { step: 'check', arm: 'received-from', comment: 'a "comment" <b>' });
  expect(without.status).toBe(422);
  expect(without.text).toContain('say which call it was');
  expect(without.text).toContain('a &quot;comment&quot; &lt;b&gt;');
  // The second call fits less well: it takes a confirmation.
  const second = { ...CHOICE, candidate: SECOND_ID };
  expect((await answered(browser, second)).text).toContain('another call fits better: confirm it');
  const confirmed = await answered(browser, [...Object.entries(second), ['despite', 'another-fits-better']]);
  expect(confirmed.text).toContain('In spite of this: another call fits better');
  expect((await answered(browser, { step: 'check' })).text).toContain('say what is answered');
  expect((await answered(browser, { step: 'edit', reason: 'kept' })).text).toContain('value="kept"');
  await lab.responder.settled();
  expect(lab.desk.taken.size).toBe(0);
});

test('a form is taken from a page of this server, of this session, for this path, and from nowhere else', async () => {
  await lab.ask({}, { requestId: 'r-2' });
  const browser = browserOf();
  await browser.logIn();
  const path = '/review/requests/r-1';
  const token = tokenOf((await browser.get(path)).text, path);
  const other = browserOf();
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
  const other = await createReviewLab({ accounts: () => (isThere ? accounts : new Map()), clock: lab.clock });
  const browser = browserOf(other.app);
  const { headers } = await browser.logIn();
  expect(headers.get('set-cookie')).toMatch(
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
  await other.responder.close();
});

test('guesses of a password are few: after five the right one has to wait a minute, too', async () => {
  const browser = browserOf();
  for (let guess = 1; guess <= 5; guess += 1) expect((await browser.logIn('a guess as long as one')).status).toBe(401);
  expect((await browser.logIn()).status).toBe(429);
  lab.clock.advance(60_000);
  expect((await browser.logIn()).status).toBe(303);
  expect(lab.audit.at(-2)?.event).toBe('login-refused');
});

test('a flood of logins that are kept out fills no disk: one a minute is on record', async () => {
  const browser = browserOf();
  for (let guess = 1; guess <= 5; guess += 1) await browser.logIn('a guess as long as one');
  for (let flood = 1; flood <= 50; flood += 1) expect((await browser.logIn()).status).toBe(429);
  const refusals = (): number => lab.audit.filter(({ event }) => event === 'login-refused').length;
  expect(refusals()).toBe(1);
  lab.clock.advance(60_000);
  expect((await browser.logIn('a guess as long as one')).status).toBe(401);
  expect((await browser.logIn()).status).toBe(429);
  expect(refusals()).toBe(2);
});

test('a clock that is set back shuts nobody out', async () => {
  let nowMs = lab.clock.nowMs();
  const other = await createReviewLab({ clock: { nowMs: () => nowMs } });
  const browser = browserOf(other.app);
  expect((await browser.logIn('a guess as long as one')).status).toBe(401);
  nowMs -= 86_400_000;
  expect((await browser.logIn()).status).toBe(303);
  await other.responder.close();
});

test('whoever logs in anew leaves no session behind', async () => {
  const browser = browserOf();
  await browser.logIn();
  const before = browser.cookie;
  await browser.logIn();
  expect((await browser.get('/review')).status).toBe(200);
  browser.cookie = before;
  expect((await browser.get('/review')).status).toBe(303);
});

test('numbers are masked until somebody asks for them, which is on record', async () => {
  await lab.ask({});
  const browser = browserOf();
  await browser.logIn();
  expect((await browser.get('/review/requests/r-1')).text).not.toContain('2025550101');
  expect((await browser.get('/review/requests/r-1?numbers=shown')).text).toContain('2025550101');
  expect(lab.audit.at(-1)).toMatchObject({ event: 'numbers-shown', account: NAME, requestId: 'r-1' });
});

test('what cannot be put on record is not done', async () => {
  const failure = new HopbackError('storage-failed', 'the disk is full', { retryable: true });
  let isFull = false;
  const audit = (): Promise<void> => (isFull ? Promise.reject(failure) : Promise.resolve());
  const full = await createReviewLab({ audit });
  await full.ask({});
  const browser = browserOf(full.app);
  await browser.logIn();
  isFull = true;
  expect((await answered(browser, { ...CHOICE, step: 'send' })).status).toBe(503);
  expect((await browser.get('/review/requests/r-1?numbers=shown')).text).not.toContain('2025550101');
  await full.responder.settled();
  expect(full.desk.taken.size).toBe(0);
  await full.responder.close();
});

test('every page says what it may load, is kept by nobody, and has no script, no style of its own, and nothing of a peer unescaped', async () => {
  await lab.ask({ comment: '<script>alert(1)</script>' });
  const browser = browserOf();
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

test('an account is a line without a password; a file that is none is refused with the line', async () => {
  const line = await accountEntry({ name: "Zoë O'Neil", password: 'correct horse battery staple' });
  expect(line).not.toContain('horse');
  expect([...readAccounts(`# people\n\n${line}\r\n`).keys()]).toEqual(["Zoë O'Neil"]);
  const lineOf = (text: string): unknown => {
    try {
      return readAccounts(text).size;
    } catch (error) {
      return isHopbackError(error) ? [error.code, error.details['line']] : error;
    }
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
  const directory = await mkdtemp(join(tmpdir(), 'hopback-audit-'));
  const path = join(directory, 'audit.ndjson');
  const at = '2026-11-02T15:00:00Z';
  const first = await openReviewAudit(path);
  await Promise.all([
    first.write({ event: 'login', at, account: 'a' }),
    first.write({ event: 'logout', at, account: 'a' }),
  ]);
  await first.close();
  await truncate(path, (await readFile(path)).length - 10);
  await using second = await openReviewAudit(path);
  await second.write({ event: 'login', at, account: 'b' });
  const lines = (await readFile(path, 'utf8')).split('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ event: 'login', account: 'a' });
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ event: 'login', account: 'b' });
  await rm(directory, { recursive: true });
});

test('a zone that does not exist, a base that is no path and an idle time of a second are refused', () => {
  const options: ReviewAppOptions = {
    ...{ responder: lab.responder, accounts: () => new Map(), audit: async () => undefined, zone: 'Etc/UTC' },
    context: { policy: {}, directory: {}, provider: { name: 'x' } } as unknown as ReviewAppOptions['context'],
  };
  for (const bad of [{ zone: 'Mars/Base' }, { base: 'review' }, { idleMs: 1_000 }])
    expect(() => reviewApp({ ...options, ...bad })).toThrow(HopbackError);
});
