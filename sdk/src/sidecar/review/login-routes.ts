import type { Context, Hono } from 'hono';
import type { CheckPassword } from './account-file.js';
import type { DeviceCookie } from './device-cookie.js';
import type { LoginAttempt, LoginDelays } from './login-delays.js';
import { loginPage } from './pages/login-page.js';
import { audited, formOf, sessionForm, shown } from './review-parts.js';
import { sourceOf } from './request-source.js';
import type { ReviewParts } from './review-parts.js';

/** What logging in takes. */
export interface LoginParts extends ReviewParts {
  readonly checkPassword: CheckPassword;
  readonly delays: LoginDelays;
  readonly device: DeviceCookie;
}

/** Characters of a name that the audit keeps. */
const MAX_NAME_CHARS = 64;

/** The routes by which somebody comes and goes. */
export function addLoginRoutes(app: Hono, parts: LoginParts): void {
  const { base, cookie, sessions } = parts;
  app.get(`${base}/login`, (context) => shown(context, loginPage(base)));
  app.post(`${base}/login`, async (context) => {
    const form = await formOf(context, parts);
    if (typeof form === 'string')
      return refused(context, base, { text: 'This was not sent from this page.', status: 403 });
    return logIn(context, form, parts);
  });
  app.post(`${base}/logout`, async (context) => {
    const taken = await sessionForm(context, parts, `${base}/logout`);
    if (taken instanceof Response) return taken;
    sessions.end(cookie.read(context.req.raw.headers));
    context.header('set-cookie', cookie.field());
    await audited(context, parts, { event: 'logout', account: taken.session.account.name });
    return context.redirect(`${base}/login`, 303);
  });
}

async function logIn(context: Context, form: URLSearchParams, parts: LoginParts): Promise<Response> {
  const { base, cookie, device, sessions, accounts, delays, checkPassword } = parts;
  const { headers, signal } = context.req.raw;
  const name = form.get('name') ?? '';
  const account = name.slice(0, MAX_NAME_CHARS);
  const knownDevice = device.read(headers, accounts(), name);
  const attempt: LoginAttempt = {
    ...{ account, source: sourceOf(parts.addressOf(context) ?? 'unknown') },
    ...(knownDevice !== undefined && { device: knownDevice }),
  };
  const admission = await delays.admit(attempt, signal);
  if (admission.status === 'gone') return context.body(null, 408);
  if (admission.status === 'refused') {
    const { retryAfterSeconds } = admission;
    if (admission.isToTell) await audited(context, parts, { event: 'login-refused', account });
    context.header('retry-after', String(retryAfterSeconds));
    const text = `Too many attempts to log in are waiting. Try again in ${retryAfterSeconds} seconds.`;
    return refused(context, base, { text, status: 429 });
  }
  const checked = await checkPassword(accounts(), { name, password: form.get('password') ?? '' });
  if (checked === 'busy')
    return refused(context, base, { text: 'Too many log in at the moment. Try again.', status: 503 });
  if (checked === 'wrong') {
    await audited(context, parts, { event: 'login-failed', account });
    return refused(context, base, { text: 'The name or the password is wrong.', status: 401 });
  }
  await audited(context, parts, { event: 'login', account: checked.name });
  delays.succeeded(attempt);
  // Whoever logs in anew leaves no session behind. OWASP ASVS 5.0, 7.2.4
  sessions.end(cookie.read(headers));
  context.header('set-cookie', cookie.field(sessions.begin(checked)));
  context.header('set-cookie', device.field(checked), { append: true });
  return context.redirect(base, 303);
}

function refused(
  context: Context,
  base: string,
  { text, status }: { readonly text: string; readonly status: 401 | 403 | 429 | 503 },
): Response | Promise<Response> {
  return shown(context, loginPage(base, text), status);
}
