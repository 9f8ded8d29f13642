import { html } from 'hono/html';
import { page, problemBox } from './layout.js';
import type { Html } from './layout.js';

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
