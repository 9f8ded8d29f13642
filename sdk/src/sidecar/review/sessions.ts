import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Account, Accounts } from './account-file.js';

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
export interface Sessions {
  /** @returns the token for the cookie */
  readonly begin: (account: Account) => string;
  /** The session of a token, whose idle time begins anew; one whose account has gone or changed is over. */
  readonly of: (token: string | undefined, accounts: Accounts) => Session | undefined;
  readonly end: (token: string | undefined) => void;
}

/** What sessions go by. */
export interface SessionParts {
  readonly nowMs: () => number;
  /** Octets that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array;
  readonly idleMs: number;
}

/** 256 bits: nobody guesses one. */
const TOKEN_BYTES = 32;

/** Makes it, without any. */
export function createSessions({ nowMs, random, idleMs }: SessionParts): Sessions {
  /** By the hash of the token, the one used longest ago first. */
  const sessions = new Map<string, Session & { readonly beganAtMs: number; readonly usedAtMs: number }>();
  const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64');
  return {
    begin(account) {
      const token = Buffer.from(random(TOKEN_BYTES)).toString('base64url');
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      const atMs = nowMs();
      sessions.set(keyOf(token), { account, formKey: random(TOKEN_BYTES), beganAtMs: atMs, usedAtMs: atMs });
      return token;
    },
    of(token, accounts) {
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
    end: (token) => void (token !== undefined && sessions.delete(keyOf(token))),
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
