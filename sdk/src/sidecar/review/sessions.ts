import { createHash, createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { pause } from '../../core/runtime/clock.js';
import type { TimerClock } from '../../core/runtime/clock.js';
import { backoffBoundMs } from '../../core/runtime/deadline.js';
import { HopbackError } from '../../errors.js';

/** Characters of a password at least: what NIST SP 800-63B-4 section 3.1.1.2 asks of one that stands alone. */
export const MIN_PASSWORD_CHARS = 15;

/** Characters of a password at most: sentences fit, and nobody has megabytes hashed. */
export const MAX_PASSWORD_CHARS = 256;

/** What scrypt costs, RFC 7914: 32 MiB and some tenths of a second, the least that OWASP recommends. */
const COST = { blocks: 32_768, blockSize: 8, parallelism: 3 } as const;
/** Memory that an entry of somebody else may cost at most. */
const MAX_MEMORY_BYTES = 268_435_456;
const MAX_PARALLELISM = 16;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Accounts of a file: an office, not a public. */
const MAX_ACCOUNTS = 1_000;

/** The accounts of a file, by name. */
export type Accounts = ReturnType<typeof readAccounts>;

/** Somebody who may look at tracebacks and answer them. */
export type Account = NonNullable<ReturnType<Accounts['get']>>;

/** Names of people and of duties, as answers and logs can show them; no colon, which divides the line. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._@' -]{0,63}$/u;

/**
 * Makes the line of an account for the file that {@link readAccounts} reads. It holds no password, only what a password is held against.
 * @param account - name: letters, digits and `._@' -`, 64 at most; password: 15 to 256 characters
 * @returns the line, without its end
 * @throws {@link HopbackError} `invalid-argument` where the name or the password cannot be
 * @see RFC 7914
 * @example
 * ```ts
 * const line = await accountEntry({ name: 'duty engineer', password: 'correct horse battery staple' });
 * console.log(line.split(':').slice(0, 2)); // [ 'duty engineer', 'scrypt' ]
 * console.log(readAccounts(line).has('duty engineer')); // true
 * ```
 */
export async function accountEntry(account: { readonly name: string; readonly password: string }): Promise<string> {
  const { name, password } = account;
  if (!NAME.test(name))
    throw new HopbackError('invalid-argument', "A name has letters, digits and ._@' -, 64 at most.");
  if (password.length < MIN_PASSWORD_CHARS || password.length > MAX_PASSWORD_CHARS)
    throw new HopbackError(
      'invalid-argument',
      `A password has ${MIN_PASSWORD_CHARS} to ${MAX_PASSWORD_CHARS} characters.`,
    );
  const salt = randomBytes(SALT_BYTES);
  const hash = await hashOf(password, { ...COST, salt });
  const { blocks, blockSize, parallelism } = COST;
  return [name, 'scrypt', blocks, blockSize, parallelism, salt.toString('base64url'), hash.toString('base64url')].join(
    ':',
  );
}

/**
 * Reads a file of accounts: a line each, as {@link accountEntry} makes it; empty lines, and those that begin with `#`, are passed over.
 * @param text - of the file
 * @returns the accounts by name
 * @throws {@link HopbackError} `invalid-configuration` that names the line
 * @see {@link accountEntry}
 * @example
 * ```ts
 * console.log(readAccounts('# nobody yet\n').size); // 0
 * ```
 */
export function readAccounts(text: string): ReadonlyMap<
  string,
  {
    /** Stands in the answers that this person gives. */
    readonly name: string;
    readonly blocks: number;
    readonly blockSize: number;
    readonly parallelism: number;
    readonly salt: Uint8Array;
    readonly hash: Uint8Array;
  }
> {
  const accounts = new Map<string, Account>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const account = accountOf(line);
    if (account === undefined) throw badLine(index, 'is no account');
    if (accounts.has(account.name)) throw badLine(index, 'has a name for the second time');
    if (accounts.size === MAX_ACCOUNTS) throw badLine(index, 'is one too many');
    accounts.set(account.name, account);
  }
  return accounts;
}

const badLine = (index: number, what: string): HopbackError =>
  new HopbackError('invalid-configuration', `Line ${index + 1} of the accounts ${what}.`, {
    details: { line: index + 1 },
  });

function accountOf(line: string): Account | undefined {
  const [name = '', kind, ...rest] = line.split(':');
  const [blocks = 0, blockSize = 0, parallelism = 0] = rest.slice(0, 3).map(Number);
  const [salt, hash] = rest.slice(3).map((part) => Buffer.from(part, 'base64url'));
  if (!NAME.test(name) || kind !== 'scrypt' || rest.length !== 5 || salt === undefined || hash === undefined)
    return undefined;
  const isPower = Number.isInteger(blocks) && blocks >= 2 && Number.isInteger(Math.log2(blocks));
  const isSized = Number.isInteger(blockSize) && blockSize >= 1 && 128 * blocks * blockSize <= MAX_MEMORY_BYTES;
  const isParallel = Number.isInteger(parallelism) && parallelism >= 1 && parallelism <= MAX_PARALLELISM;
  if (!isPower || !isSized || !isParallel || salt.length < SALT_BYTES || hash.length !== HASH_BYTES) return undefined;
  return {
    name,
    blocks,
    blockSize,
    parallelism,
    salt,
    hash,
  };
}

/** Of nobody: what a name that does not exist is held against, so that it takes as long as one that does. */
const NOBODY: Account = {
  name: '',
  ...COST,
  salt: new Uint8Array(SALT_BYTES),
  hash: new Uint8Array(HASH_BYTES),
};

/** Passwords that are hashed at a time, and that wait: a flood of logins takes no memory, and of the threads that sync disks half at most. */
const MOST_AT_ONCE = 2;
/** More than the attempts of one account that `login-delays` has waiting: they may all come at one moment. */
const MOST_WAITING = 32;

export type CheckPassword = ReturnType<typeof createPasswordCheck>;

/** @returns holds a password against an account: the account, `wrong`, or `busy` where too many are held at the moment; never rejects */
export function createPasswordCheck() {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (accounts: Accounts, name: string, password: string): Promise<Account | 'wrong' | 'busy'> => {
    if (password.length > MAX_PASSWORD_CHARS) return 'wrong';
    if (running >= MOST_AT_ONCE) {
      if (waiting.length >= MOST_WAITING) return 'busy';
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      const account = accounts.get(name) ?? NOBODY;
      const isRight = timingSafeEqual(await hashOf(password, account), account.hash);
      return isRight && account !== NOBODY ? account : 'wrong';
    } catch {
      return 'busy';
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

function hashOf(password: string, parts: Omit<Account, 'name' | 'hash'>): Promise<Buffer> {
  const { blocks: N, blockSize: r, parallelism: p, salt } = parts;
  // What a keyboard composes and what it writes in one are the same password.
  const text = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    scrypt(text, salt, HASH_BYTES, { N, r, p, maxmem: 2 * MAX_MEMORY_BYTES }, (error, hash) =>
      error === null ? resolve(hash) : reject(error),
    );
  });
}

/** The cookie that carries a session. */
export type SessionCookie = ReturnType<typeof createSessionCookie>;

/**
 * Makes it: scripts cannot read it, other sites cannot send it, and it goes when the browser does.
 * @param options - `isSecure`: for TLS alone, and for this host alone, which the name says
 * @see RFC 6265bis sections 4.1.2.5 to 4.1.2.7 and 4.1.3.2
 */
export function createSessionCookie({ base, isSecure }: { readonly base: string; readonly isSecure: boolean }) {
  const name = isSecure ? '__Host-hopback-review' : 'hopback-review';
  const attributes = `Path=${isSecure ? '/' : base}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return {
    /** The token that a request brings along. */
    read: (headers: Headers): string | undefined => cookieIn(headers, name),
    /** Field `Set-Cookie` that gives a token to a browser; without one, that takes it away. */
    field: (token?: string) => `${name}=${token ?? ''}; ${attributes}${token === undefined ? '; Max-Age=0' : ''}`,
  };
}

/** The value of a cookie that a request brings along. */
function cookieIn(headers: Headers, name: string): string | undefined {
  const pairs = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** How long a session lasts without a request, milliseconds: a break, not a night. */
export const SESSION_IDLE_MS = 900_000;

/** How long a session lasts at most, milliseconds: a shift. */
export const SESSION_MAX_MS = 43_200_000;

/** Sessions at a time; the one that was used longest ago goes. */
const MAX_SESSIONS = 1_000;

/** Somebody who is logged in. */
export interface Session {
  readonly account: Account;
  /** Signs the forms of this session. */
  readonly formKey: Uint8Array;
}

/** Who is logged in. Of tokens only their hashes are kept: what is read out of the memory of this process logs nobody in. */
export type Sessions = ReturnType<typeof createSessions>;

/** 256 bits: nobody guesses one. */
const TOKEN_BYTES = 32;

/**
 * Makes it, without any.
 * @param random - octets that nobody can guess
 */
export function createSessions(nowMs: () => number, random: (bytes: number) => Uint8Array, idleMs: number) {
  /** By the hash of the token, the one used longest ago first. */
  const sessions = new Map<string, Session & { readonly beganAtMs: number; readonly usedAtMs: number }>();
  const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64');
  return {
    /** @returns the token for the cookie */
    begin(account: Account): string {
      const token = Buffer.from(random(TOKEN_BYTES)).toString('base64url');
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      const atMs = nowMs();
      sessions.set(keyOf(token), { account, formKey: random(TOKEN_BYTES), beganAtMs: atMs, usedAtMs: atMs });
      return token;
    },
    /** The session of a token, whose idle time begins anew; one whose account has gone or changed is over. */
    of(token: string | undefined, accounts: Accounts): Session | undefined {
      if (token === undefined) return undefined;
      const key = keyOf(token);
      const session = sessions.get(key);
      if (session === undefined) return undefined;
      sessions.delete(key);
      const { account, beganAtMs, usedAtMs } = session;
      const atMs = nowMs();
      if (atMs - usedAtMs > idleMs || atMs - beganAtMs > SESSION_MAX_MS) return undefined;
      if (!isSame(accounts.get(account.name), account)) return undefined;
      sessions.set(key, { ...session, usedAtMs: atMs });
      return session;
    },
    end: (token: string | undefined) => void (token !== undefined && sessions.delete(keyOf(token))),
  };
}

function isSame(one: Account | undefined, other: Account): boolean {
  return one !== undefined && Buffer.compare(one.hash, other.hash) === 0 && Buffer.compare(one.salt, other.salt) === 0;
}

/** What a form of a session carries, so that no other page can have it sent: for the one path that it is sent to. */
export function formToken({ formKey }: Session, path: string): string {
  return createHmac('sha256', formKey).update(path).digest('base64url');
}

/** Whether a form is one of this session, for this path. */
export function isFormToken(token: string, session: Session, path: string): boolean {
  const wanted = Buffer.from(formToken(session, path));
  const given = Buffer.from(token);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * Whether a form was sent by a page of this very server: the field `Origin`, which browsers put into every POST, names it.
 * @param origin - `https://sidecar.example`, where one before this server changes the field `Host`
 * @see RFC 6454 section 7
 */
export function isSameOrigin({ headers, url }: Request, origin: string | undefined): boolean {
  const given = headers.get('origin');
  if (given === null || !URL.canParse(given)) return false;
  if (origin !== undefined) return given === origin;
  return new URL(given).host === (headers.get('host') ?? new URL(url).host);
}

/** How long a browser is known after somebody signed in with it, seconds: half a year. */
const DEVICE_SECONDS = 15_552_000;
/** 128 bits: nobody guesses one. */
const ID_BYTES = 16;

/** The cookie by which a browser shows that an account signed in with it before. It lets nobody in: the password is still asked for. */
export type DeviceCookie = ReturnType<typeof createDeviceCookie>;

/**
 * Makes it. The key that signs a cookie is derived from the stored hash of the password, so that it outlives a restart, is of one account, and
 * ends when the password changes.
 * @param options - as for the cookie of the session; `random`: octets that nobody can guess
 * @see OWASP, Slow Down Online Guessing Attacks with Device Cookies
 */
export function createDeviceCookie(options: {
  readonly base: string;
  readonly isSecure: boolean;
  readonly nowMs: () => number;
  readonly random: (bytes: number) => Uint8Array;
}) {
  const { base, isSecure, nowMs, random } = options;
  const attributes = `Path=${isSecure ? '/' : base}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  // One for each account: several people may use a browser.
  const cookieName = (account: string): string => {
    const digest = createHash('sha256').update(account).digest('hex').slice(0, 16);
    return `${isSecure ? '__Host-' : ''}hopback-device-${digest}`;
  };
  const nowSeconds = (): number => Math.floor(nowMs() / 1_000);
  return {
    /** Id of the browser; undefined for one that this account never signed in with, or whose password has changed since. */
    read(headers: Headers, accounts: Accounts, name: string): string | undefined {
      const account = accounts.get(name);
      const value = account === undefined ? undefined : cookieIn(headers, cookieName(name));
      const [id = '', issued = '', mac = '', ...rest] = (value ?? '').split('.');
      if (account === undefined || rest.length > 0 || !/^\d{1,12}$/.test(issued)) return undefined;
      const [given, wanted] = [Buffer.from(mac), Buffer.from(macOf(account, id, issued))];
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
      return nowSeconds() - Number(issued) <= DEVICE_SECONDS ? id : undefined;
    },
    /** Field `Set-Cookie` for a browser that an account has signed in with. */
    field(account: Account): string {
      const id = Buffer.from(random(ID_BYTES)).toString('base64url');
      const issued = String(nowSeconds());
      const value = `${id}.${issued}.${macOf(account, id, issued)}`;
      return `${cookieName(account.name)}=${value}; ${attributes}; Max-Age=${DEVICE_SECONDS}`;
    },
  };
}

function macOf({ name, salt, hash }: Account, id: string, issued: string): string {
  const key = createHmac('sha256', hash).update('hopback review device').update(salt).digest();
  return createHmac('sha256', key).update(`${name}\n${id}\n${issued}`).digest('base64url');
}

/** Failures of an account from one source before the next attempt waits: typing errors. */
const FREE_FOR_SOURCE = 2;
/** The wait of an attempt from a source that fails again and again: 2, 4, 8, 16, then 30 s. */
const LONGEST_FOR_SOURCE_MS = 30_000;
/** Failures of an account from anywhere before attempts from unknown browsers wait. */
const FREE_FOR_ACCOUNT = 4;
/** Nobody keeps somebody else out: however many guesses come from elsewhere, an attempt waits no longer than this for them. */
const LONGEST_FOR_ACCOUNT_MS = 5_000;
/** Failures in a row after which a browser that signed in before waits as others do: it may have been stolen. */
const FREE_FOR_DEVICE = 10;
/** After how long one failure is forgotten, milliseconds. */
const FORGIVEN_EVERY_MS = 60_000;
/** Accounts, sources and browsers that are remembered; the one that failed longest ago goes. */
const MAX_REMEMBERED = 10_000;
/** Attempts that wait at a time: of all, of one account, of one source for one account. Each holds a connection and a form of some hundred octets. */
const MAX_WAITING = 100;
const MAX_WAITING_FOR_ACCOUNT = 20;
const MAX_WAITING_FOR_SOURCE = 4;

/** Somebody who tries to log in. */
export interface LoginAttempt {
  readonly account: string;
  /** Where from: an address, or a network. */
  readonly source: string;
  /** Of a browser that this account signed in with before. */
  readonly device?: string;
}

/** Whether a password may be checked now. */
type Admission =
  | { readonly status: 'admitted' }
  /** Too many wait. `isToTell`: for the audit, once a minute for an account, so that a flood of attempts does not fill the disk. */
  | {
      readonly status: 'refused';
      readonly retryAfterSeconds: number;
      readonly isToTell: boolean;
    }
  /** The browser has gone. */
  | { readonly status: 'gone' };

/** Makes guesses of passwords slow, and locks nobody out. */
export type LoginDelays = ReturnType<typeof createLoginDelays>;

/** Makes it. */
export function createLoginDelays({ nowMs, schedule }: TimerClock) {
  const failures = createFailures(nowMs);
  const waiting = createWaiting();
  const toldAtMs = createFailures(nowMs);
  const isDeviceTrusted = ({ device }: LoginAttempt): boolean =>
    device !== undefined && failures.count(`device ${device}`) < FREE_FOR_DEVICE;
  const delayOf = (attempt: LoginAttempt): number =>
    isDeviceTrusted(attempt)
      ? 0
      : Math.max(
          doubled(failures.count(sourceKey(attempt)) - FREE_FOR_SOURCE, LONGEST_FOR_SOURCE_MS),
          doubled(failures.count(accountKey(attempt)) - FREE_FOR_ACCOUNT, LONGEST_FOR_ACCOUNT_MS),
        );
  const refused = (attempt: LoginAttempt, delayMs: number): Admission => {
    const isToTell = toldAtMs.count(accountKey(attempt)) === 0;
    if (isToTell) toldAtMs.add(accountKey(attempt));
    return { status: 'refused', retryAfterSeconds: Math.ceil(delayMs / 1_000), isToTell };
  };
  return {
    /** Waits as long as this attempt has to, and counts it as failed until `succeeded`. */
    async admit(attempt: LoginAttempt, signal: AbortSignal): Promise<Admission> {
      const delayMs = delayOf(attempt);
      const dropped = new AbortController();
      const waiter: Waiter = { attempt, failures: failures.count(sourceKey(attempt)), drop: () => dropped.abort() };
      if (delayMs > 0 && !waiting.enter(waiter)) return refused(attempt, delayMs);
      // Before it is known whether it fails: those that come together are slowed down as those that come one by one.
      if (isDeviceTrusted(attempt)) failures.add(`device ${attempt.device}`);
      else {
        failures.add(sourceKey(attempt));
        failures.add(accountKey(attempt));
      }
      if (delayMs === 0) return { status: 'admitted' };
      try {
        const given = AbortSignal.any([signal, dropped.signal]);
        await pause(delayMs, { schedule }, given);
        if (!given.aborted) return { status: 'admitted' };
        return dropped.signal.aborted ? refused(attempt, delayMs) : { status: 'gone' };
      } finally {
        waiting.leave(waiter);
      }
    },
    succeeded(attempt: LoginAttempt): void {
      failures.forget(sourceKey(attempt));
      if (attempt.device !== undefined) failures.forget(`device ${attempt.device}`);
      // Only its own: others may go on guessing.
      failures.takeBack(accountKey(attempt));
    },
  };
}

const sourceKey = ({ account, source }: LoginAttempt): string => `source ${source} ${account}`;
const accountKey = ({ account }: LoginAttempt): string => `account ${account}`;

/** 2 s after the first failure that counts, twice as much after each further one. */
const doubled = (failures: number, longestMs: number): number =>
  failures <= 0 ? 0 : backoffBoundMs(failures, { baseMs: 2_000, capMs: longestMs });

function createFailures(nowMs: () => number) {
  const known = new Map<string, { readonly count: number; readonly atMs: number }>();
  const count = (key: string): number => {
    const failed = known.get(key);
    if (failed === undefined) return 0;
    // A clock that was set back must not slow anybody down until it is where it was.
    const passedMs = Math.max(0, nowMs() - failed.atMs);
    return Math.max(0, failed.count - Math.floor(passedMs / FORGIVEN_EVERY_MS));
  };
  const set = (key: string, failed: number): void => {
    known.delete(key);
    const [oldest] = known.keys();
    if (known.size >= MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
    if (failed > 0) known.set(key, { count: failed, atMs: nowMs() });
  };
  return {
    /** Those that are not forgotten yet. */
    count,
    add: (key: string) => set(key, count(key) + 1),
    takeBack: (key: string) => set(key, count(key) - 1),
    forget: (key: string) => void known.delete(key),
  };
}

interface Waiter {
  readonly attempt: LoginAttempt;
  /** Of its source for its account, before this attempt. */
  readonly failures: number;
  /** Ends its wait: it is refused. */
  readonly drop: () => void;
}

/** Where all places are taken, the attempt whose source has failed most often gives its place to one whose source has failed less often. */
function createWaiting() {
  const waiters = new Set<Waiter>();
  return {
    /** @returns false where too many wait, and none of them has failed more often */
    enter(waiter: Waiter): boolean {
      const ofAccount = [...waiters].filter(({ attempt }) => attempt.account === waiter.attempt.account);
      const ofSource = ofAccount.filter(({ attempt }) => attempt.source === waiter.attempt.source);
      if (ofSource.length >= MAX_WAITING_FOR_SOURCE) return false;
      const isFull = ofAccount.length >= MAX_WAITING_FOR_ACCOUNT || waiters.size >= MAX_WAITING;
      if (isFull) {
        const crowd = ofAccount.length >= MAX_WAITING_FOR_ACCOUNT ? ofAccount : [...waiters];
        const worst = crowd.reduce((one, other) => (other.failures > one.failures ? other : one));
        if (worst.failures <= waiter.failures) return false;
        waiters.delete(worst);
        worst.drop();
      }
      waiters.add(waiter);
      return true;
    },
    leave: (waiter: Waiter) => void waiters.delete(waiter),
  };
}
