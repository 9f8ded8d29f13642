/** How an Identity header value is written around a token. `'absent'` leaves a parameter out. */
export interface IdentityHeaderOptions {
  /** URL inside `info=<…>`; default the token's x5u. */
  readonly info?: string;
  /** Default `ES256`. */
  readonly alg?: string;
  /** Default the token's type. */
  readonly ppt?: string;
  /** Writes `alg="ES256";ppt="shaken"`, as many deployed signers do. */
  readonly quoted?: boolean;
  /** Spaces around `;`. */
  readonly spaced?: boolean;
  /** Parameters as they stand (with their leading `;`), in place of all of the above. */
  readonly parametersText?: string;
}

/**
 * Writes the value of an Identity header: `token;info=<url>;alg=ES256;ppt=shaken`.
 * @see RFC 8224 section 4
 */
export function writeIdentityHeader(token: string, options: IdentityHeaderOptions): string {
  if (options.parametersText !== undefined) return token + options.parametersText;
  const quote = (text: string): string => (options.quoted === true ? `"${text}"` : text);
  const alg = options.alg ?? 'ES256';
  const parameters = [
    ...(options.info === undefined || options.info === 'absent' ? [] : [`info=<${options.info}>`]),
    ...(alg === 'absent' ? [] : [`alg=${quote(alg)}`]),
    ...(options.ppt === undefined || options.ppt === 'absent' ? [] : [`ppt=${quote(options.ppt)}`]),
  ];
  return [token, ...parameters].join(options.spaced === true ? ' ; ' : ';');
}
