import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
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

/** Somebody who may look at tracebacks and answer them. */
export interface Account {
  /** Stands in the answers that this person gives. */
  readonly name: string;
  readonly blocks: number;
  readonly blockSize: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** By name. */
export type Accounts = ReadonlyMap<string, Account>;

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
export function readAccounts(text: string): Accounts {
  const accounts = new Map<string, Account>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const account = accountOf(line);
    const refused =
      account === undefined
        ? 'is no account'
        : accounts.has(account.name)
          ? 'has a name for the second time'
          : undefined;
    if (refused !== undefined || account === undefined || accounts.size === MAX_ACCOUNTS)
      throw new HopbackError(
        'invalid-configuration',
        `Line ${index + 1} of the accounts ${refused ?? 'is one too many'}.`,
        {
          details: { line: index + 1 },
        },
      );
    accounts.set(account.name, account);
  }
  return accounts;
}

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
  return { name, blocks, blockSize, parallelism, salt, hash };
}

/** Of nobody: what a name that does not exist is held against, so that it takes as long as one that does. */
const NOBODY: Account = {
  ...{ name: '', ...COST },
  ...{ salt: new Uint8Array(SALT_BYTES), hash: new Uint8Array(HASH_BYTES) },
};

/** Passwords that are hashed at a time, and that wait: a flood of logins takes no memory, and of the threads that sync disks half at most. */
const MOST_AT_ONCE = 2;
/** More than the attempts of one account that `login-delays` has waiting: they may all come at one moment. */
const MOST_WAITING = 32;

/** Holds a password against an account: the account, `wrong`, or `busy` where too many are held at the moment. Never rejects. */
export type CheckPassword = (
  accounts: Accounts,
  login: { readonly name: string; readonly password: string },
) => Promise<Account | 'wrong' | 'busy'>;

/** Makes it. */
export function createPasswordCheck(): CheckPassword {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (accounts, { name, password }) => {
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
