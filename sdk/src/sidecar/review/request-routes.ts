import type { Context, Hono } from 'hono';
import { answerOfDecision, findingText, subjectOfEntry } from '../../traceback/index.js';
import type {
  DecisionContext,
  EntrySummary,
  ReviewDecision,
  ReviewView,
  TracebackResponder,
} from '../../traceback/index.js';
import { decisionOfForm } from './decision-of-form.js';
import { confirmPage } from './pages/confirm-page.js';
import { listPage } from './pages/list-page.js';
import type { ListedRequests } from './pages/list-page.js';
import { messagePage } from './pages/message-page.js';
import { requestPage } from './pages/request-page.js';
import type { Times } from './pages/times.js';
import { audited, frameOf, sessionForm, sessionOf, shown } from './review-parts.js';
import type { ReviewParts } from './review-parts.js';
import { formToken } from './sessions.js';
import type { Session } from './sessions.js';

/** What requests are shown and decided with. */
export interface RequestParts extends ReviewParts {
  readonly responder: Pick<TracebackResponder, 'list' | 'review' | 'entry' | 'decide'>;
  readonly context: DecisionContext;
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
  const some = (summaries: readonly EntrySummary[], most: number): ListedRequests => ({
    shown: summaries.slice(0, most).flatMap((summary) => {
      const view = responder.review(summary.requestId);
      return view === undefined ? [] : [{ summary, deadline: view.deadline }];
    }),
    more: Math.max(0, summaries.length - most),
  });
  return {
    waiting: some(
      all.filter(({ state }) => WAITING.has(state)),
      MAX_WAITING,
    ),
    others: some(
      all.filter(({ state }) => !WAITING.has(state)),
      MAX_OTHERS,
    ),
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
  const content = requestPage(frameOf(parts, session), { view, times: parts.times, form, problems, isTaken });
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
    ...{ decision, values: form, token: formToken(session, pathOf(parts, requestId)) },
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
  const what = {
    arm,
    ...(candidate === undefined ? {} : { candidate }),
    ...(despite === undefined ? {} : { despite }),
  };
  // Nothing is signed that is not on record as somebody's decision.
  await audited(context, parts, { event: 'decision', ...who, ...what });
  const decided = await parts.responder.decide(decision);
  await audited(context, parts, { event: 'decision-outcome', ...who, outcome: decided.status });
  if (decided.status !== 'refused') return context.redirect(`${pathOf(parts, requestId)}?taken=1`, 303);
  const problems = decided.problems.map(({ text }) => text);
  return showRequest(context, parts, { session, requestId, values: form, problems });
}
