import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { dirname } from 'node:path';
import type { Context } from 'hono';
import { defined } from '../../core/text.js';
import { endsWithinLine } from '../../core/runtime/whole-file.js';
import { HopbackError } from '../../errors.js';
import { boundedOctets, mediaTypeOf } from '../intake/record-intake-app.js';
import type { Html, PageFrame } from './pages/layout.js';
import { messagePage } from './pages/layout.js';
import { formToken, isFormToken, isSameOrigin } from './sessions.js';
import type { Accounts, Session, SessionCookie, Sessions } from './sessions.js';

/** Something that a person did, or that was done in somebody's name. */
export interface ReviewAuditEntry {
  /**
   * - `login`, `login-failed`, `login-refused`, `logout`: who came, whose password was wrong, who was refused because too many attempts were waiting (once a minute for an account), who went
   * - `numbers-shown`: telephone numbers of a request were shown in full
   * - `decision`: a person has an answer signed and sent; written before it is. `decision-outcome`: what the responder said
   */
  readonly event:
    'login' | 'login-failed' | 'login-refused' | 'logout' | 'numbers-shown' | 'decision' | 'decision-outcome';
  /** RFC 3339 in UTC. */
  readonly at: string;
  /** Who; of a login that failed the name that was given, 64 characters at most. */
  readonly account: string;
  /** Where from, as far as it is known. */
  readonly address?: string;
  readonly requestId?: string;
  readonly decisionId?: string;
  readonly arm?: string;
  readonly candidate?: string;
  /** Warnings that were seen and decided against. */
  readonly despite?: readonly string[];
  /** `accepted`, `repeated` or `refused`. */
  readonly outcome?: string;
}

/**
 * The audit of the review page: a line of JSON for each entry, on the medium before whoever did it hears of it. Nothing is ever taken off it.
 * @see {@link TracebackDesk}
 * @example
 * ```ts
 * const { mkdtemp, readFile, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const audit = await ReviewAudit.open(`${directory}/audit.ndjson`);
 * await audit.write({ event: 'login', at: '2026-11-02T15:00:00Z', account: 'duty engineer' });
 * await audit.close();
 * console.log((await readFile(`${directory}/audit.ndjson`, 'utf8')).includes('"duty engineer"')); // true
 * await rm(directory, { recursive: true });
 * ```
 */
export class ReviewAudit implements AsyncDisposable {
  readonly #file: FileHandle;
  #running: Promise<void> = Promise.resolve();
  /** A line that a full disk or a kill has cut off is ended first: the next one must not be glued to it. */
  #isCut: boolean;
  #closing: Promise<void> | undefined;

  /**
   * Opens a file for the audit.
   * @param path - made where it is not there, for this user only
   * @returns the audit; to be closed
   * @throws {@link HopbackError} `storage-failed` where it cannot be opened
   */
  static async open(path: string): Promise<ReviewAudit> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(refused);
    const file = await open(path, 'a+', 0o600).catch(refused);
    return new ReviewAudit(file, await endsWithinLine(file).catch(refused));
  }

  private constructor(file: FileHandle, isCut: boolean) {
    this.#file = file;
    this.#isCut = isCut;
  }

  /** Resolved means durable. @throws {@link HopbackError} `storage-failed` where the disk refuses */
  write(entry: ReviewAuditEntry): Promise<void> {
    const turn = this.#running.then(() => this.#append(entry));
    this.#running = turn.catch(() => undefined);
    return turn;
  }

  /** Ends behind what was handed in. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#running.then(() => this.#file.close()).catch(() => undefined);
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(entry: ReviewAuditEntry): Promise<void> {
    const line = `${this.#isCut ? '\n' : ''}${JSON.stringify(entry)}\n`;
    this.#isCut = true;
    await this.#file.appendFile(line).catch(refused);
    await this.#file.datasync().catch(refused);
    this.#isCut = false;
  }
}

function refused(cause: unknown): never {
  throw new HopbackError('storage-failed', 'The audit of the review page cannot be written.', {
    retryable: true,
    cause,
  });
}

/** Proxies in front of the page, and the field in which they say where a request comes from. */
interface ReviewProxy {
  /** Addresses and networks of the proxies: `127.0.0.1`, `10.0.0.0/8`, `fd00::/8`. The field is believed from these alone. */
  readonly addresses: readonly string[];
  /** Field with one address, or several with commas between, the nearest last. Default `x-forwarded-for`. */
  readonly header?: string;
}

/**
 * Finds where a request comes from: the address of its connection, or what a named proxy says in its field.
 * @returns finds the address; undefined where not even that of the connection is known
 * @throws HopbackError `invalid-configuration` for a proxy without addresses, or one that is not an address or network
 */
export function createRequestSource(
  proxy: ReviewProxy | undefined,
): (headers: Headers, connection: string | undefined) => string | undefined {
  if (proxy === undefined) return (_headers, connection) => connection;
  const { addresses, header = 'x-forwarded-for' } = proxy;
  const proxies = listOf(addresses);
  if (!/^[A-Za-z0-9-]{1,64}$/.test(header)) throw unusable(`"${header}" is not the name of a header field`);
  return (headers, connection) => {
    if (connection === undefined || !isIn(proxies, connection)) return connection;
    const hops = (headers.get(header) ?? '').split(',').map((hop) => hop.trim());
    // From the right: whoever sends a request can write anything in front of what the proxies add.
    for (const hop of hops.toReversed()) {
      if (isIP(hop) === 0) return connection;
      if (!isIn(proxies, hop)) return hop;
    }
    return connection;
  };
}

/** What counts as one source: an address of IPv4, or the network of 64 bits that a subscriber of IPv6 has. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: gap }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

function listOf(addresses: readonly string[]): BlockList {
  if (addresses.length === 0) throw unusable('it names no address');
  const list = new BlockList();
  for (const address of addresses) {
    const [ip = '', bits, ...rest] = address.split('/');
    const version = isIP(ip);
    const most = version === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(prefix >= 0 && prefix <= most))
      throw unusable(`"${address}" is not an address or network, such as 127.0.0.1 or 10.0.0.0/8`);
    list.addSubnet(ip, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

const unusable = (why: string): HopbackError =>
  new HopbackError('invalid-configuration', `The proxy of the review page cannot be used: ${why}.`);

/** What all routes of the page share. */
export interface ReviewParts {
  readonly base: string;
  readonly sessions: Sessions;
  readonly accounts: () => Accounts;
  readonly audit: (entry: ReviewAuditEntry) => Promise<void>;
  readonly nowMs: () => number;
  readonly cookie: SessionCookie;
  readonly origin: string | undefined;
  readonly addressOf: (context: Context) => string | undefined;
}

/** Octets of a form at most: with every text as long as it may be. */
const MAX_FORM_BYTES = 65_536;

/** The session of a request. */
export function sessionOf(context: Context, { cookie, sessions, accounts }: ReviewParts): Session | undefined {
  return sessions.of(cookie.read(context.req.raw.headers), accounts());
}

/** The frame of the pages of a session. */
export function frameOf({ base }: ReviewParts, session: Session): Omit<PageFrame, 'title'> {
  return { base, user: { name: session.account.name, logoutToken: formToken(session, `${base}/logout`) } };
}

/** The form that was sent, or why it is not taken: from another page, too large, or no form. */
export async function formOf(
  { req: { raw } }: Context,
  { origin }: ReviewParts,
): Promise<URLSearchParams | 'foreign' | 'unreadable'> {
  if (!isSameOrigin(raw, origin)) return 'foreign';
  if (mediaTypeOf(raw.headers) !== 'application/x-www-form-urlencoded') return 'unreadable';
  const reading = await boundedOctets(raw, MAX_FORM_BYTES);
  return reading.status === 'read' ? new URLSearchParams(new TextDecoder().decode(reading.octets)) : 'unreadable';
}

/** The form of a session, with its token for the path that such forms are sent to; else the answer to give. */
export async function sessionForm(
  context: Context,
  parts: ReviewParts,
  path: string,
): Promise<{ readonly session: Session; readonly form: URLSearchParams } | Response> {
  const session = sessionOf(context, parts);
  if (session === undefined) return context.redirect(`${parts.base}/login`, 303);
  const form = await formOf(context, parts);
  const frame = frameOf(parts, session);
  if (form === 'unreadable')
    return shown(
      context,
      messagePage({ ...frame, title: 'Not understood' }, 'What was sent is no form of this page, or too large.'),
      400,
    );
  if (form === 'foreign' || !isFormToken(form.get('token') ?? '', session, path))
    return shown(
      context,
      messagePage(
        { ...frame, title: 'Not taken' },
        'This was not sent from a page of this session. Go back, load the page anew, and try again.',
      ),
      403,
    );
  return { session, form };
}

/** A page as an answer. */
export function shown(
  context: Context,
  content: Html,
  status: 200 | 400 | 401 | 403 | 404 | 422 | 429 | 503 = 200,
): Response | Promise<Response> {
  return context.html(content, status);
}

/** Writes into the audit who did what, when, and from where. */
export function audited(
  context: Context,
  parts: ReviewParts,
  entry: Omit<ReviewAuditEntry, 'at' | 'address'>,
): Promise<void> {
  const address = parts.addressOf(context);
  const at = new Date(parts.nowMs()).toISOString();
  return parts.audit({ ...entry, at, ...defined({ address }) });
}
