/** The cookie that carries a session. */
export interface SessionCookie {
  /** The token that a request brings along. */
  readonly read: (headers: Headers) => string | undefined;
  /** Field `Set-Cookie` that gives a token to a browser; without one, that takes it away. */
  readonly field: (token?: string) => string;
}

/**
 * Makes it: scripts cannot read it, other sites cannot send it, and it goes when the browser does.
 * @param options - `isSecure`: for TLS alone, and for this host alone, which the name says
 * @see RFC 6265bis sections 4.1.2.5 to 4.1.2.7 and 4.1.3.2
 */
export function createSessionCookie({
  base,
  isSecure,
}: {
  readonly base: string;
  readonly isSecure: boolean;
}): SessionCookie {
  const name = isSecure ? '__Host-hopback-review' : 'hopback-review';
  const attributes = `Path=${isSecure ? '/' : base}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return {
    read: (headers) => cookieIn(headers, name),
    field: (token) => `${name}=${token ?? ''}; ${attributes}${token === undefined ? '; Max-Age=0' : ''}`,
  };
}

/** The value of a cookie that a request brings along. */
export function cookieIn(headers: Headers, name: string): string | undefined {
  const pairs = (headers.get('cookie') ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
