import type { NoticeResponse, NoticeState } from '@hopback/sdk/platform';

/** Responses to one notice: the two that are due, and what was added. */
export const MAX_NOTICE_RESPONSES = 100;

/** A response as it is held: by its id and what it says. */
export interface HeldResponse {
  readonly responseId: string;
  readonly kind: NoticeResponse['kind'];
  readonly sha256: string;
}

/** What becomes of a response. */
export type ResponseReception =
  | { readonly status: 'taken'; readonly state: NoticeState }
  /** It was there. */
  | { readonly status: 'repeat' }
  /** Its id stands for another response, the notice is withdrawn, or there are too many. */
  | { readonly status: 'conflict' };

/**
 * Decides about a response to a notice: first what was done, then what was found; what comes after a report adds to it. A late response is taken,
 * and its lateness shows by its time.
 * @returns what becomes of it; never throws
 * @see 47 CFR 64.1200(n)(2)
 */
export function receiveResponse(
  notice: { readonly state: NoticeState; readonly responses: readonly HeldResponse[] },
  response: HeldResponse,
): ResponseReception {
  const before = notice.responses.find(({ responseId }) => responseId === response.responseId);
  if (before !== undefined) return { status: before.sha256 === response.sha256 ? 'repeat' : 'conflict' };
  if (notice.state === 'withdrawn' || notice.responses.length >= MAX_NOTICE_RESPONSES) return { status: 'conflict' };
  if (response.kind === 'report') return { status: 'taken', state: 'reported' };
  return { status: 'taken', state: notice.state === 'open' ? 'mitigation-stated' : notice.state };
}
