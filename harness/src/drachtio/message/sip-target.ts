import { listValues, addressOf, parameterOf } from './address.js';
import { endOfHost } from './via.js';

/** Where a URI leads, as far as sending needs it. */
export interface SipTarget {
  readonly isSecure: boolean;
  /** As written, IPv6 without brackets. */
  readonly host: string;
  /** 0 where none is written: 5060, or 5061 where it is secure. */
  readonly port: number;
  /** `udp`, `tcp`, `ws`, … lower case; empty where the URI does not say. */
  readonly transport: string;
  /** Whether the element routes loosely. @see RFC 3261 section 19.1.1, lr */
  readonly isLoose: boolean;
}

/**
 * Reads where a SIP or SIPS URI leads. Never throws for peer input.
 * @param uri - bare, without angle brackets
 * @returns undefined for other schemes and for what has no readable host
 * @see RFC 3261 section 19.1, RFC 3263 section 4
 */
export function targetOf(uri: string): SipTarget | undefined {
  const schemeEnd = endOfScheme(uri);
  if (schemeEnd < 0) return undefined;
  const isSecure = schemeEnd === 5;
  // A user part may hold ; and ?, but no @; nor may what follows the host.
  const hostStart = startOfHost(uri, schemeEnd);
  const headers = uri.indexOf('?', hostStart);
  const end = headers < 0 ? uri.length : headers;
  const semicolon = uri.indexOf(';', hostStart);
  const params = semicolon < 0 || semicolon > end ? '' : uri.slice(semicolon, end);
  const hostPort = readHostPort(uri, hostStart, params === '' ? end : semicolon);
  if (hostPort === undefined) return undefined;
  const transport = params === '' ? '' : (parameterOf(params, 'transport') ?? '').toLowerCase();
  const maddr = params === '' ? undefined : parameterOf(params, 'maddr');
  return {
    isSecure,
    host: maddr === undefined || maddr === '' ? hostPort.host : maddr,
    port: hostPort.port,
    transport,
    isLoose: params !== '' && parameterOf(params, 'lr') !== undefined,
  };
}

/**
 * Whether a Request-URI can be read as far as whoever receives it has to: a SIP or SIPS URI needs a host and may not carry header
 * fields; other schemes are for the application. Never throws for peer input.
 * @see RFC 3261 section 19.1.1
 */
export function isRequestUri(uri: string): boolean {
  const schemeEnd = endOfScheme(uri);
  if (schemeEnd < 0) return true;
  const hostStart = startOfHost(uri, schemeEnd);
  const semicolon = uri.indexOf(';', hostStart);
  if (uri.includes('?', hostStart)) return false;
  return readHostPort(uri, hostStart, semicolon < 0 ? uri.length : semicolon) !== undefined;
}

/** The URIs of a list of Route or Record-Route values, in their order, each with its header parameters as written. */
export function routesOf(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => listValues(value)).filter((value) => addressOf(value) !== undefined);
}

/** The bare URI of a name-addr; empty where there is none. */
export function uriOf(value: string): string {
  return addressOf(value)?.uri ?? '';
}

/** 4 or 5 for a SIP or SIPS URI, -1 for any other. */
function endOfScheme(uri: string): number {
  if (uri.startsWith('sip:') || /^sip:/i.test(uri)) return 4;
  return /^sips:/i.test(uri) ? 5 : -1;
}

function startOfHost(uri: string, schemeEnd: number): number {
  const at = uri.indexOf('@', schemeEnd);
  return at < 0 ? schemeEnd : at + 1;
}

/** Host and port that stand at `start` and have to end at `end`. */
function readHostPort(
  uri: string,
  start: number,
  end: number,
): { readonly host: string; readonly port: number } | undefined {
  const hostEnd = endOfHost(uri, start);
  const isReference = uri.charCodeAt(start) === 0x5b;
  const host = isReference ? uri.slice(start + 1, hostEnd - 1) : uri.slice(start, hostEnd);
  if (host === '' || host.length > MAX_HOST || (isReference && !/^[\dA-Fa-f:.]{2,45}$/.test(host))) return undefined;
  if (hostEnd === end) return { host, port: 0 };
  const digits = end - hostEnd - 1;
  if (uri.charCodeAt(hostEnd) !== 0x3a || digits < 1 || digits > 5) return undefined;
  let port = 0;
  for (let at = hostEnd + 1; at < end; at += 1) {
    const digit = uri.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    port = port * 10 + digit;
  }
  return port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Longest name of a host. @see RFC 1035 section 2.3.4 */
const MAX_HOST = 253;
