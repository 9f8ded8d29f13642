import { html } from 'hono/html';
import type { ReviewDecision } from '../../../traceback/index.js';
import { factList, page } from './layout.js';
import type { Html, PageFrame } from './layout.js';

/** What is about to be signed. */
export interface ConfirmPageParts {
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
