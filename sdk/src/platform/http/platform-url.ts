import { HopbackError } from '../../errors.js';

/** Addresses of this very machine, to which a request in the clear goes past nobody. */
const HERE = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

/**
 * An address that records, answers and credentials may be sent to: `https:`, or `http:` on this very machine.
 * @param text - absolute URL
 * @returns the URL without a fragment
 * @throws {@link HopbackError} `invalid-configuration` when it is none, or has a credential in it
 */
export function platformUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && HERE.test(url.hostname);
  if (url === undefined || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)))
    throw new HopbackError(
      'invalid-configuration',
      'the platform is at an https: URL, or at http: on this very machine',
    );
  if (url.username !== '' || url.password !== '')
    throw new HopbackError('invalid-configuration', 'credentials belong in authorization, not in the URL');
  url.hash = '';
  return url;
}
