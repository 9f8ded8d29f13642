import type { Context, Hono } from 'hono';
import { defined } from '../../core/text.js';
import { findingText } from '../../traceback/review/review-view.js';
import { subjectOfEntry } from '../../traceback/responder/responder-core.js';
import { readReviewDecision } from '../../traceback/review/review-decision.js';
import { answerOfDecision } from '../../traceback/review/answer-of-decision.js';
import type { EntrySummary, ReviewDecision, ReviewView, TracebackResponder } from '../../traceback/index.js';
import type { ReviewDecisionReading } from '../../traceback/review/review-decision.js';
import { confirmPage, loginPage, messagePage } from './pages/layout.js';
import { listPage, PARTY_FIELDS, requestPage } from './pages/request-page.js';
import type { ListedRequests } from './pages/request-page.js';
import type { Times } from './pages/layout.js';
import { audited, formOf, frameOf, sessionForm, sessionOf, shown, sourceOf } from './review-parts.js';
import type { ReviewParts } from './review-parts.js';
import { formToken } from './sessions.js';
import type { CheckPassword, DeviceCookie, LoginAttempt, LoginDelays, Session } from './sessions.js';
import type { PolicyInput } from '../../traceback/policy/traceback-policy.js';

/** What the server adds to a form. */
interface DecisionFacts {
  readonly requestId: string;
  /** Name of the account. */
  readonly by: string;
  readonly nowMs: number;
  /** Of a form that is sent for the first time; the page that confirms it brings it along, so that it counts once. */
  readonly newId: () => string;
}

/** Arms of which an action is taken against a customer, and not against whoever sent the call. */
const CUSTOMER_ARMS: ReadonlySet<string> = new Set(['origin', 'serves-number']);

/** The decision that a person has filled in. Members left empty are not there. Never throws. */
export function decisionOfForm(form: URLSearchParams, facts: DecisionFacts): ReviewDecisionReading {
  const text = (name: string): string | undefined => {
    const value = form.get(name)?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const arm = text('arm');
  const action = text('action');
  const isOfCustomer = CUSTOMER_ARMS.has(arm ?? '');
  const despite = form.getAll('despite');
  const value = defined({
    format: 'hopback.review-decision.1',
    decisionId: text('decision-id') ?? facts.newId(),
    requestId: facts.requestId,
    by: facts.by,
    decidedAt: new Date(facts.nowMs).toISOString(),
    arm,
    candidate: text('candidate'),
    provider: partyOf(PARTY_FIELDS.provider, text),
    contact: partyOf(PARTY_FIELDS.contact, text),
    customer: filledOrNone({
      customerId: text('customer-id'),
      knowYourCustomer: text('know-your-customer'),
      action: isOfCustomer ? action : undefined,
    }),
    upstreamAction: isOfCustomer ? undefined : action,
    reason: text('reason'),
    comment: text('comment'),
    amendReason: text('amend-reason'),
    despite: despite.length === 0 ? undefined : despite,
  });
  if (arm === undefined) return { status: 'refused', detail: 'say what is answered' };
  return readReviewDecision(value);
}

function partyOf(
  fields: Readonly<Record<string, string>>,
  text: (name: string) => string | undefined,
): Readonly<Record<string, unknown>> | undefined {
  return filledOrNone(Object.fromEntries(Object.entries(fields).map(([member, field]) => [member, text(field)])));
}

function filledOrNone(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
  const there = defined(members);
  return Object.keys(there).length === 0 ? undefined : there;
}

/** What logging in takes. */
interface LoginParts extends ReviewParts {
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
    if (typeof form === 'string') return refused(context, base, 'This was not sent from this page.', 403);
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
  const source = sourceOf(parts.addressOf(context) ?? 'unknown');
  const attempt: LoginAttempt = { account, source, ...defined({ device: knownDevice }) };
  const admission = await delays.admit(attempt, signal);
  if (admission.status === 'gone') return context.body(null, 408);
  if (admission.status === 'refused') {
    const { retryAfterSeconds } = admission;
    if (admission.isToTell) await audited(context, parts, { event: 'login-refused', account });
    context.header('retry-after', String(retryAfterSeconds));
    const text = `Too many attempts to log in are waiting. Try again in ${retryAfterSeconds} seconds.`;
    return refused(context, base, text, 429);
  }
  const checked = await checkPassword(accounts(), name, form.get('password') ?? '');
  if (checked === 'busy') return refused(context, base, 'Too many log in at the moment. Try again.', 503);
  if (checked === 'wrong') {
    await audited(context, parts, { event: 'login-failed', account });
    return refused(context, base, 'The name or the password is wrong.', 401);
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
  text: string,
  status: 401 | 403 | 429 | 503,
): Response | Promise<Response> {
  return shown(context, loginPage(base, text), status);
}

/** What requests are shown and decided with. */
interface RequestParts extends ReviewParts {
  readonly responder: Pick<TracebackResponder, 'list' | 'review' | 'entry' | 'decide'>;
  readonly context: Pick<PolicyInput, 'policy' | 'directory' | 'provider'>;
  readonly times: Times;
  readonly newId: () => string;
}

/** Requests that are listed at most: a person works through some, not through thousands. */
const MAX_WAITING = 200;
const MAX_OTHERS = 100;

/** The routes by which requests are looked at and answered. */
export function addRequestRoutes(app: Hono, parts: RequestParts): void {
  const { base } = parts;
  app.get(base, (context) => {
    const session = sessionOf(context, parts);
    if (session === undefined) return context.redirect(`${base}/login`, 303);
    return shown(context, listPage(frameOf(parts, session), { ...listed(parts), times: parts.times }));
  });
  app.get(`${base}/requests/:request`, async (context) => {
    const session = sessionOf(context, parts);
    if (session === undefined) return context.redirect(`${base}/login`, 303);
    const requestId = context.req.param('request');
    const showNumbers = context.req.query('numbers') === 'shown';
    if (parts.responder.entry(requestId) === undefined) return notThere(context, parts, session);
    if (showNumbers)
      await audited(context, parts, { event: 'numbers-shown', account: session.account.name, requestId });
    return showRequest(context, parts, {
      session,
      requestId,
      showNumbers,
      isTaken: context.req.query('taken') === '1',
    });
  });
  app.post(`${base}/requests/:request`, async (context) => {
    const requestId = context.req.param('request');
    const taken = await sessionForm(context, parts, pathOf(parts, requestId));
    if (taken instanceof Response) return taken;
    if (parts.responder.entry(requestId) === undefined) return notThere(context, parts, taken.session);
    return takeForm(context, parts, { ...taken, requestId });
  });
}

/** Where the page of a request is, however somebody has written its id. */
function pathOf({ base }: RequestParts, requestId: string): string {
  return `${base}/requests/${encodeURIComponent(requestId)}`;
}

/** States in which nothing goes on without a person. */
const WAITING: ReadonlySet<EntrySummary['state']> = new Set(['review', 'blocked']);

function listed({ responder }: RequestParts): { readonly waiting: ListedRequests; readonly others: ListedRequests } {
  const all = responder.list();
  const waiting = all.filter(({ state }) => WAITING.has(state));
  const others = all.filter(({ state }) => !WAITING.has(state));
  const some = (summaries: readonly EntrySummary[], most: number): ListedRequests => ({
    shown: summaries.slice(0, most).flatMap((summary) => {
      const view = responder.review(summary.requestId);
      return view === undefined ? [] : [{ summary, deadline: view.deadline }];
    }),
    more: Math.max(0, summaries.length - most),
  });
  return {
    waiting: some(waiting, MAX_WAITING),
    others: some(others, MAX_OTHERS),
  };
}

function notThere(context: Context, parts: RequestParts, session: Session): Response | Promise<Response> {
  const frame = { ...frameOf(parts, session), title: 'No such request' };
  return shown(context, messagePage(frame, 'There is no such request, or it is not kept any longer.'), 404);
}

interface Shown {
  readonly session: Session;
  readonly requestId: string;
  readonly values?: URLSearchParams;
  readonly problems?: readonly string[];
  readonly showNumbers?: boolean;
  readonly isTaken?: boolean;
}

function showRequest(context: Context, parts: RequestParts, one: Shown): Response | Promise<Response> {
  const {
    session,
    requestId,
    values = new URLSearchParams(),
    problems = [],
    showNumbers = false,
    isTaken = false,
  } = one;
  const view = parts.responder.review(requestId, { showNumbers });
  if (view === undefined) return notThere(context, parts, session);
  const form = { values, token: formToken(session, pathOf(parts, requestId)) };
  const content = requestPage(frameOf(parts, session), {
    view,
    times: parts.times,
    form,
    problems,
    isTaken,
  });
  return shown(context, content, problems.length === 0 ? 200 : 422);
}

interface SentForm {
  readonly session: Session;
  readonly requestId: string;
  readonly form: URLSearchParams;
}

/** First it is checked and shown in words; what is confirmed then is signed and sent. */
async function takeForm(context: Context, parts: RequestParts, sent: SentForm): Promise<Response> {
  const { session, requestId, form } = sent;
  const step = form.get('step');
  if (step === 'edit') return showRequest(context, parts, { session, requestId, values: form });
  const facts = { requestId, by: session.account.name, nowMs: parts.nowMs(), newId: parts.newId };
  const reading = decisionOfForm(form, facts);
  if (reading.status === 'refused')
    return showRequest(context, parts, { session, requestId, values: form, problems: [reading.detail] });
  return step === 'send'
    ? carryOut(context, parts, { ...sent, decision: reading.decision })
    : check(context, parts, { ...sent, decision: reading.decision });
}

interface Deciding extends SentForm {
  readonly decision: ReviewDecision;
}

function check(context: Context, parts: RequestParts, deciding: Deciding): Response | Promise<Response> {
  const { session, requestId, form, decision } = deciding;
  const entry = parts.responder.entry(requestId);
  const view = parts.responder.review(requestId);
  if (entry === undefined || view === undefined) return notThere(context, parts, session);
  const outcome = answerOfDecision(decision, subjectOfEntry(entry), parts.context);
  if (outcome.status === 'refused') {
    const problems = outcome.problems.map(({ text }) => text);
    return showRequest(context, parts, { session, requestId, values: form, problems });
  }
  const content = confirmPage(frameOf(parts, session), {
    decision,
    values: form,
    token: formToken(session, pathOf(parts, requestId)),
    text: findingText(outcome.draft.finding),
    despite: warningTexts(view, outcome.despite),
  });
  return shown(context, content);
}

function warningTexts({ warnings, candidates, actions }: ReviewView, names: readonly string[]): readonly string[] {
  const arms = actions.flatMap((action) => action.arms);
  const all = [...warnings, ...candidates.flatMap((call) => call.warnings), ...arms.flatMap((arm) => arm.warnings)];
  return names.map((name) => all.find((one) => one.name === name)?.text ?? name);
}

async function carryOut(context: Context, parts: RequestParts, deciding: Deciding): Promise<Response> {
  const { session, requestId, form, decision } = deciding;
  const { decisionId, arm, candidate, despite } = decision;
  const who = { account: session.account.name, requestId, decisionId };
  // Nothing is signed that is not on record as somebody's decision.
  await audited(context, parts, { event: 'decision', ...who, arm, ...defined({ candidate, despite }) });
  const decided = await parts.responder.decide(decision);
  await audited(context, parts, { event: 'decision-outcome', ...who, outcome: decided.status });
  if (decided.status !== 'refused') return context.redirect(`${pathOf(parts, requestId)}?taken=1`, 303);
  const problems = decided.problems.map(({ text }) => text);
  return showRequest(context, parts, { session, requestId, values: form, problems });
}
