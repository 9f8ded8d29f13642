import { html } from 'hono/html';
import type { ReviewDecision } from '../../../traceback/index.js';

/** A piece of a page: whatever is put into it is escaped, but pieces. */
export type Html = ReturnType<typeof html>;

/** What every page has. */
export interface PageFrame {
  /** First what is looked at, then the product: a list of tabs tells them apart. */
  readonly title: string;
  /** Path that all pages are below: `/review`. */
  readonly base: string;
  /** Who is logged in, and the token of the form that ends it. */
  readonly user?: { readonly name: string; readonly logoutToken: string };
}

/** A whole page. It needs no script, and works by keyboard alone. */
export function page({ title, base, user }: PageFrame, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} – Hopback</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="${base}/style.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header>
          <p class="product"><a href="${base}">Hopback tracebacks</a></p>
          ${user === undefined ? '' : userBar(base, user)}
        </header>
        <main id="content" tabindex="-1">
          <h1>${title}</h1>
          ${content}
        </main>
      </body>
    </html>`;
}

function userBar(base: string, { name, logoutToken }: NonNullable<PageFrame['user']>): Html {
  return html`<form class="user" method="post" action="${base}/logout">
    <span>${name}</span>
    <input type="hidden" name="token" value="${logoutToken}" />
    <button type="submit" class="quiet">Log out</button>
  </form>`;
}

/** What is wrong with what was sent: first on the page, and read out. */
export function problemBox(title: string, problems: readonly (string | Html)[]): Html {
  return html`<div class="problems" role="alert">
    <h2>${title}</h2>
    <ul>
      ${problems.map((problem) => html`<li>${problem}</li>`)}
    </ul>
  </div>`;
}

/** Labels and texts in pairs. */
export function factList(facts: readonly { readonly label: string; readonly value: string | Html }[]): Html {
  return html`<dl>
    ${facts.map(
      ({ label, value }) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** Shows instants in UTC, and as a clock of the office shows them. */
export type Times = ReturnType<typeof createTimes>;

/** Makes it for a zone. @param zone - IANA name */
export function createTimes(zone: string) {
  const local = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    timeZoneName: 'short',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return {
    /** @param instant - RFC 3339 in UTC, or milliseconds since the epoch */
    shown(instant: string | number): Html {
      const date = new Date(instant);
      if (Number.isNaN(date.getTime())) return html`${String(instant)}`;
      const utc = date.toISOString().slice(0, 19);
      return html`<time datetime="${utc}Z">${utc.replace('T', ' ')} UTC</time>
        <span class="local">(${local.format(date)})</span>`;
    },
  };
}

/** The style sheet. Colours have a contrast of 4.5 to 1 at least, and never say anything alone. WCAG 2.2 sections 1.4.1, 1.4.3 */
export const STYLE = `:root { color-scheme: light; --ink: #1b1f24; --line: #c9d1d9; --soft: #f3f5f7; --link: #0b4f9e; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.5 system-ui, sans-serif; }
a { color: var(--link); }
:focus-visible { outline: 3px solid #b35900; outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem; background: #fff; z-index: 1; }
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 1rem; padding: .5rem 1.5rem;
  border-bottom: 1px solid var(--line); background: var(--soft); }
header p, header form { margin: 0; }
.product a { color: var(--ink); font-weight: 700; text-decoration: none; }
.user { display: flex; gap: 1rem; align-items: center; }
main { max-width: 75rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
main:focus { outline: none; }
h1 { font-size: 1.6rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: #4a525a; padding-bottom: .25rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }
thead th { background: var(--soft); }
.scroll { overflow-x: auto; }
.local { color: #4a525a; display: inline-block; }
time { white-space: nowrap; }
.deadline { display: inline-block; padding: .1rem .5rem; border-radius: .25rem; border: 1px solid; font-weight: 600; }
.deadline-open { color: #14532d; background: #e7f6ec; }
.deadline-close { color: #713f12; background: #fef3c7; }
.deadline-overdue { color: #8f1414; background: #fde8e8; }
.deadline-done { color: #374151; background: #eef0f2; }
.equal { color: #14532d; } .compatible { color: #1b4d7a; } .absent { color: #4a525a; } .contradicts { color: #8f1414; font-weight: 600; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: .3rem 1.5rem; margin: .5rem 0; }
dl > div { display: flex; flex-wrap: wrap; gap: 0 .75rem; }
dt { flex: 0 0 7.5rem; color: #4a525a; }
dd { flex: 1 1 11rem; min-width: 0; margin: 0; overflow-wrap: anywhere; }
.calls { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: 1rem; }
.call { border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; }
.call dl { grid-template-columns: 1fr; }
.warning { color: #713f12; }
.final { color: #8f1414; }
.problems { border: 2px solid #8f1414; border-radius: .4rem; padding: 0 1rem; background: #fff7f7; }
.problems h2 { margin-top: .75rem; color: #8f1414; }
.note { border-left: 4px solid var(--link); background: var(--soft); padding: .5rem 1rem; }
fieldset { min-width: 0; border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; padding: .5rem 1rem 1rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; padding: .5rem 1rem; }
summary { cursor: pointer; font-weight: 700; }
legend { font-weight: 700; padding: 0 .3rem; }
.choice { display: block; overflow-wrap: anywhere; padding: .2rem 0; }
.choice input { margin-right: .5rem; }
.field { display: block; margin: .6rem 0; max-width: 40rem; }
.field > span { display: block; }
input[type="text"], input[type="email"], input[type="password"], select, textarea { width: 100%; font: inherit; padding: .4rem;
  border: 1px solid #6b7280; border-radius: .25rem; background: #fff; color: inherit; }
textarea { min-height: 5rem; }
button { font: inherit; padding: .5rem 1.2rem; border: 1px solid var(--link); border-radius: .25rem; background: var(--link); color: #fff;
  cursor: pointer; }
button.quiet { background: #fff; color: var(--link); padding: .2rem .7rem; }
.login { max-width: 24rem; }
`;

/** The page on which somebody says who they are. */
export function loginPage(base: string, problem?: string): Html {
  return page(
    { title: 'Log in', base },
    html`${problem === undefined ? '' : problemBox('You are not logged in', [problem])}
      <form class="login" method="post" action="${base}/login">
        <label class="field"
          ><span>Name</span><input type="text" name="name" autocomplete="username" required maxlength="64"
        /></label>
        <label class="field"
          ><span>Password</span
          ><input type="password" name="password" autocomplete="current-password" required maxlength="256"
        /></label>
        <button type="submit">Log in</button>
      </form>`,
  );
}

/** A page that says one thing. */
export function messagePage(frame: PageFrame, text: string): Html {
  return page(
    frame,
    html`<p>${text}</p>
      <p><a href="${frame.base}">All requests</a></p>`,
  );
}

/** What is about to be signed. */
interface ConfirmPageParts {
  readonly decision: ReviewDecision;
  /** What the answer says, in words. */
  readonly text: string;
  /** Warnings that it is given against, in words. */
  readonly despite: readonly string[];
  /** What was filled in, to be sent once more. */
  readonly values: URLSearchParams;
  readonly token: string;
}

/** The page that says what will be signed, before it is: whoever is named wrongly is accused. */
export function confirmPage(frame: Omit<PageFrame, 'title'>, parts: ConfirmPageParts): Html {
  const { decision, text, despite, values, token } = parts;
  const path = `${frame.base}/requests/${encodeURIComponent(decision.requestId)}`;
  const kept = [...values].filter(([name]) => !OWN_FIELDS.has(name));
  return page(
    { ...frame, title: 'Sign this answer?' },
    html`<p class="note">Request ${decision.requestId}: <strong>${text}</strong></p>
      ${factList([
        { label: 'signed for', value: decision.by },
        ...(decision.candidate === undefined ? [] : [{ label: 'by the record', value: decision.candidate }]),
        ...(decision.comment === undefined ? [] : [{ label: 'comment', value: decision.comment }]),
        ...(decision.amendReason === undefined ? [] : [{ label: 'changed because', value: decision.amendReason }]),
      ])}
      ${despite.map((warning) => html`<p class="warning">In spite of this: ${warning}</p>`)}
      <form method="post" action="${path}">
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="decision-id" value="${decision.decisionId}" />
        ${kept.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <button type="submit" name="step" value="send">Sign and send</button>
        <button type="submit" name="step" value="edit" class="quiet">Back to the request</button>
      </form>`,
  );
}

const OWN_FIELDS: ReadonlySet<string> = new Set(['token', 'step', 'decision-id']);
