import { html } from 'hono/html';

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
