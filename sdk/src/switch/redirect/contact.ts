import { isIPv6, isIP } from 'node:net';
import { isUriText } from '../../core/sip-uri.js';
import { parseSipUri } from '../../core/sip-uri.js';
import type { SipRequestLike } from '../sip-request-like.js';
import type { RedirectProfile } from './profile.js';

/**
 * Value of the Contact of an answer: the called user, written as it came, at the host that the profile says. Where there is no such user, or no
 * such host, it is the Request-URI as it came.
 * @param requestUri - as it came; may be anything
 * @returns undefined for what no Contact can hold; never throws for peer input
 * @see RFC 3261 sections 8.1.3.4 and 21.3
 * @internal
 */
export function contactOf(
  requestUri: string,
  { contact, request }: { readonly contact: RedirectProfile['contact']; readonly request: SipRequestLike },
): string | undefined {
  if (!isUriText(requestUri)) return undefined;
  const host = contact === 'request-uri' ? undefined : contact === 'source' ? sourceHost(request) : contact.host;
  const user = host === undefined ? undefined : calledUser(requestUri);
  return user === undefined ? `<${requestUri}>` : `<${user.scheme}:${user.text}@${host}${user.parameter}>`;
}

/** Over UDP with its port, which is that of the SBC; a connection came from a port where nobody listens. */
function sourceHost({ source_address, source_port, protocol }: SipRequestLike): string | undefined {
  // The zone of a link-local address is known on this machine alone. @see RFC 6874 section 1
  const [address = ''] = source_address?.replace(/^\[|\]$/g, '').split('%', 1) ?? [];
  if (isIP(address) === 0) return undefined;
  const port = Number(source_port);
  const isUsual = protocol?.toLowerCase() !== 'udp' || port === SIP_PORT || !(port > 0);
  return `${isIPv6(address) ? `[${address}]` : address}${isUsual ? '' : `:${String(port)}`}`;
}

const SIP_PORT = 5060;

interface CalledUser {
  readonly scheme: 'sip' | 'sips';
  readonly text: string;
  readonly parameter: '' | ';user=phone';
}

/** With its parameters and escapes, as the SBC wrote it. @see RFC 3261 section 19.1.6 for numbers of tel URIs */
function calledUser(requestUri: string): CalledUser | undefined {
  const read = parseSipUri(requestUri);
  if (read.status === 'malformed') return undefined;
  const { scheme, user, params } = read.uri;
  const rest = requestUri.slice(requestUri.indexOf(':') + 1);
  if (scheme === 'tel') return { scheme: 'sip', text: rest, parameter: ';user=phone' };
  if ((scheme !== 'sip' && scheme !== 'sips') || user === undefined) return undefined;
  const parameter = params.get('user') === 'phone' ? ';user=phone' : '';
  return { scheme, text: rest.slice(0, rest.indexOf('@')), parameter };
}
