import { scryptSync } from 'node:crypto';
import type { Context } from 'hono';
import { accountEntry, readAccounts, type Accounts } from '../../sdk/src/sidecar/review/sessions.js';
import { reviewApp, type ReviewAppOptions } from '../../sdk/src/sidecar/review/review-app.js';
import type { ReviewAuditEntry } from '../../sdk/src/sidecar/review/review-parts.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { DEFAULT_TRACEBACK_POLICY, type TracebackRequest } from '../../sdk/src/traceback/index.js';
import { openResponder } from './responder-lab.js';
import { aRequest, DIRECTORY, SEVERAL_CALLS, US } from './traceback-cases.js';

export const NAME = 'duty engineer';
export const PASSWORD = 'correct horse battery staple';
/** One for all tests of a process: to make one costs some tenths of a second. */
const entry = accountEntry({ name: NAME, password: PASSWORD });

/** The review page of a carrier that has two calls for each request. */
export async function createReviewLab(options: Partial<ReviewAppOptions> = {}) {
  const lab = await openResponder({ findMatch: () => Promise.resolve(SEVERAL_CALLS) });
  const accounts = readAccounts(await entry);
  const audit: ReviewAuditEntry[] = [];
  const app = reviewApp({
    responder: lab.responder,
    context: { policy: DEFAULT_TRACEBACK_POLICY, directory: DIRECTORY, provider: US },
    accounts: () => accounts,
    audit: async (done) => void audit.push(done),
    zone: 'America/New_York',
    clock: lab.clock,
    ...options,
  });
  /** Submits requests, and waits until they wait for a person. */
  const ask = async (...requests: readonly Partial<TracebackRequest>[]): Promise<void> => {
    for (const request of requests) await lab.responder.submit(aRequest(request));
    await lab.responder.settled();
  };
  return { ...lab, app, audit, ask, [Symbol.asyncDispose]: (): Promise<void> => lab.responder.close() };
}

export type ReviewLab = Awaited<ReturnType<typeof createReviewLab>>;

const ORIGIN = 'http://sidecar.example';

type Fields = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

const pairsOf = (fields: Fields): readonly (readonly [string, string])[] =>
  Array.isArray(fields) ? fields : Object.entries(fields);

/** A browser at the review page of an app: it keeps cookies, and sends forms as a page of that server does. */
export function reviewBrowser(app: ReviewLab['app'], source = '192.0.2.1') {
  const state = { cookie: '' };
  const page = async (path: string, init: RequestInit) => {
    const headers = {
      ...{ cookie: state.cookie, host: 'sidecar.example', 'x-test-source': source },
      ...(init.headers as Record<string, string>),
    };
    const response = await app.request(`${ORIGIN}${path}`, { ...init, headers });
    const jar = new Map(state.cookie.split('; ').map((pair) => [pair.split('=', 1)[0] ?? '', pair]));
    for (const field of response.headers.getSetCookie()) {
      const [pair = ''] = field.split(';');
      jar.set(pair.split('=', 1)[0] ?? '', pair);
    }
    state.cookie = [...jar.values()].filter((pair) => pair !== '').join('; ');
    const { status, headers: fields } = response;
    return { status, text: await response.text(), location: fields.get('location'), headers: fields };
  };
  /** Sends a form; what a page of this server sends along is there unless it is replaced. */
  const post = (path: string, fields: Fields, headers: Readonly<Record<string, string>> = {}) =>
    page(path, {
      method: 'POST',
      headers: { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(pairsOf(fields).map(([name, value]): [string, string] => [name, value])).toString(),
    });
  const get = (path: string) => page(path, {});
  return Object.assign(state, {
    ...{ get, post },
    logIn: (password = PASSWORD) => post('/review/login', { name: NAME, password }),
    /** Fills in the form of a request, and sends it with its token. */
    answer: async (fields: Fields, path = '/review/requests/r-1') =>
      post(path, [['token', tokenOf((await get(path)).text, path)], ...pairsOf(fields)]),
  });
}

type Page = Awaited<ReturnType<ReturnType<typeof reviewBrowser>['get']>>;

/** The token of the form of a page that is sent to a path. */
export function tokenOf(text: string, action: string): string {
  const form = text.slice(text.indexOf(`action="${action}"`));
  return /name="token" value="([^"]+)"/.exec(form)?.[1] ?? '';
}

/** An account whose password costs nothing to check. */
export function cheapAccount(password = PASSWORD): Accounts {
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync(password, salt, 32, { N: 2, r: 8, p: 1 });
  return readAccounts(`${NAME}:scrypt:2:8:1:${salt.toString('base64url')}:${hash.toString('base64url')}`);
}

export const WRONG = 'a guess as long as one';

/** A page with a clock of its own, whose requests come from the address that a field of the test names. */
export async function fromAnywhere(options: Partial<ReviewAppOptions> = {}) {
  const clock = new ManualClock();
  const addressOf = (context: Context): string | undefined => context.req.header('x-test-source');
  const accounts = cheapAccount();
  const made = await createReviewLab({ clock, addressOf, accounts: () => accounts, ...options });
  /** Does something while the clock goes on, and measures how long it waited by that. */
  const timed = async (work: () => Promise<Page>): Promise<{ readonly page: Page; readonly waitedMs: number }> => {
    const fromMs = clock.nowMs();
    const moving = setInterval(() => {
      if (clock.pendingTimers() > 0) clock.advance(250);
    }, 1);
    try {
      return { page: await work(), waitedMs: clock.nowMs() - fromMs };
    } finally {
      clearInterval(moving);
    }
  };
  /** Sends wrong passwords one after the other. */
  const guess = async (source: string, count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) await timed(() => reviewBrowser(made.app, source).logIn(WRONG));
  };
  /** Sends one wrong password, without waiting for what comes of it. */
  const attempt = (source: string, signal?: AbortSignal): Promise<Response> =>
    Promise.resolve(
      made.app.request(`${ORIGIN}/review/login`, {
        ...{ method: 'POST', ...(signal !== undefined && { signal }) },
        headers: {
          ...{ origin: ORIGIN, host: 'sidecar.example', 'x-test-source': source },
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: new URLSearchParams({ name: NAME, password: WRONG }).toString(),
      }),
    );
  /** Until so many attempts wait. */
  const untilWaiting = async (count: number): Promise<void> => {
    while (clock.pendingTimers() !== count) await new Promise(setImmediate);
  };
  return { ...made, clock, timed, guess, attempt, untilWaiting };
}
