/** What a request is written from. Values are written as given. */
export interface RequestParts {
  readonly method: string;
  readonly requestUri: string;
  /** Via value of this hop. */
  readonly via: string;
  readonly maxForwards: string;
  readonly routes: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  /** Absent for requests that have none. */
  readonly contact: string | undefined;
  /** Further lines, each with its end. */
  readonly others: string;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Writes a request. @see RFC 3261 section 7.1 */
export function composeRequest(parts: RequestParts): string {
  const { method, requestUri, via, maxForwards, routes, from, to, callId, cseq, contact, others } = parts;
  let text = `${method} ${requestUri} SIP/2.0\r\nVia: ${via}\r\n`;
  for (const route of routes) text += `Route: ${route}\r\n`;
  text += `Max-Forwards: ${maxForwards}\r\nFrom: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n`;
  if (contact !== undefined) text += `Contact: ${contact}\r\n`;
  return `${text}${others}${bodyLines(parts.contentType, parts.body)}`;
}

/** What a response is written from. */
export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  /** Lines of the request that go back as they are, each with its end. */
  readonly vias: string;
  readonly recordRoutes: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  /** Number and method. */
  readonly cseq: string;
  readonly contact: string | undefined;
  readonly others: string;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Writes a response. @see RFC 3261 sections 7.2 and 8.2.6 */
export function composeResponse(parts: ResponseParts): string {
  const { status, reason, vias, recordRoutes, from, to, callId, cseq, contact, others } = parts;
  let text = `SIP/2.0 ${status} ${reason}\r\n${vias}${recordRoutes}From: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq}\r\n`;
  if (contact !== undefined) text += `Contact: ${contact}\r\n`;
  return `${text}${others}${bodyLines(parts.contentType, parts.body)}`;
}

/** The type of a body that does not say: a session description shows itself. */
export function contentTypeOf(given: string | undefined, body: string): string | undefined {
  return given ?? (body.startsWith('v=0') ? 'application/sdp' : undefined);
}

function bodyLines(contentType: string | undefined, body: string): string {
  if (body === '') return 'Content-Length: 0\r\n\r\n';
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  return `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
}
