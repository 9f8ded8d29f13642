import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Account, Accounts } from './account-file.js';
import { cookieIn } from './session-cookie.js';

/** How long a browser is known after somebody signed in with it, seconds: half a year. */
const DEVICE_SECONDS = 15_552_000;
/** 128 bits: nobody guesses one. */
const ID_BYTES = 16;

/** The cookie by which a browser shows that an account signed in with it before. It lets nobody in: the password is still asked for. */
export interface DeviceCookie {
  /** Id of the browser; undefined for one that this account never signed in with, or whose password has changed since. */
  readonly read: (headers: Headers, accounts: Accounts, name: string) => string | undefined;
  /** Field `Set-Cookie` for a browser that an account has signed in with. */
  readonly field: (account: Account) => string;
}

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
}): DeviceCookie {
  const { base, isSecure, nowMs, random } = options;
  const attributes = `Path=${isSecure ? '/' : base}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  // One for each account: several people may use a browser.
  const cookieName = (account: string): string => {
    const digest = createHash('sha256').update(account).digest('hex').slice(0, 16);
    return `${isSecure ? '__Host-' : ''}hopback-device-${digest}`;
  };
  const nowSeconds = (): number => Math.floor(nowMs() / 1_000);
  return {
    read(headers, accounts, name) {
      const account = accounts.get(name);
      const value = account === undefined ? undefined : cookieIn(headers, cookieName(name));
      const [id = '', issued = '', mac = '', ...rest] = (value ?? '').split('.');
      if (account === undefined || rest.length > 0 || !/^\d{1,12}$/.test(issued)) return undefined;
      const [given, wanted] = [Buffer.from(mac), Buffer.from(macOf(account, id, issued))];
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
      return nowSeconds() - Number(issued) <= DEVICE_SECONDS ? id : undefined;
    },
    field(account) {
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
