import { HEADER } from '../message/header-names.js';
import { composeResponse } from '../message/compose.js';
import { headerLines, headerValue } from '../message/sip-message.js';
import { withTag } from '../dialog/dialog.js';
import { viaLines, type Received } from '../received.js';

/** Reason phrases of the responses that the server, or an exchange on it, gives itself. */
export const OWN_REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  200: 'OK',
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  416: 'Unsupported URI Scheme',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  486: 'Busy Here',
  487: 'Request Terminated',
  491: 'Request Pending',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  505: 'Version Not Supported',
  607: 'Unwanted',
};

/** What distinguishes one response of our own from another. */
export interface OwnResponse {
  readonly status: number;
  /** In place of the usual phrase. */
  readonly reason?: string;
  /** Empty for 100, which carries none. */
  readonly toTag: string;
  /** Further lines, each with its end. */
  readonly others?: string;
}

/** Writes a response that no application has a part in. @see RFC 3261 section 8.2.6 */
export function ownResponse(received: Received, { status, reason, toTag, others = '' }: OwnResponse): string {
  const { message, essentials } = received;
  const to = headerValue(message, HEADER.to) ?? '';
  return composeResponse({
    status,
    reason: reason ?? OWN_REASONS[status] ?? '',
    vias: viaLines(received),
    recordRoutes: headerLines(message, HEADER.recordRoute),
    from: headerValue(message, HEADER.from) ?? '',
    to: toTag === '' || essentials.toTag !== '' ? to : withTag(to, toTag),
    callId: essentials.callId,
    cseq: headerValue(message, HEADER.cseq) ?? '',
    contact: undefined,
    others,
    contentType: undefined,
    body: '',
  });
}
