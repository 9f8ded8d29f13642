import type { Context } from 'hono';
import { boundedOctets } from '../intake/bounded-octets.js';
import { mediaTypeOf } from '../intake/media-type.js';
import type { Accounts } from './account-file.js';
import type { Html, PageFrame } from './pages/layout.js';
import { messagePage } from './pages/message-page.js';
import type { ReviewAudit, ReviewAuditEntry } from './review-audit.js';
import type { SessionCookie } from './session-cookie.js';
import { formToken, isFormToken, isSameOrigin } from './sessions.js';
import type { Session, Sessions } from './sessions.js';

/** What all routes of the page share. */
export interface ReviewParts {
  readonly base: string;
  readonly sessions: Sessions;
  readonly accounts: () => Accounts;
  readonly audit: ReviewAudit;
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
  return parts.audit({ ...entry, at, ...(address === undefined ? {} : { address }) });
}
