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
 * Writes the value of an Identity header: `token;info=<url>;alg=ES256;ppt=shaken`. Checks nothing, and never throws.
 * @param token - what stands in front of the parameters, as it is
 * @param options - the parameters; one that is not mentioned has its default or is left out
 * @returns the value, without the name of the header
 * @see RFC 8224 section 4
 * @example
 * ```ts
 * const info = 'https://certs.example/1234.pem';
 * const value = writeIdentityHeader('eyJh.eyJk.c2ln', { info, ppt: 'shaken', quoted: true });
 * console.log(value); // eyJh.eyJk.c2ln;info=<https://certs.example/1234.pem>;alg="ES256";ppt="shaken"
 * ```
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
