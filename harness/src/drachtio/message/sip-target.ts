import { listValues, addressOf, parameterOf } from './address.js';

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
  const isSecure = /^sips:/i.test(uri);
  if (!isSecure && !/^sip:/i.test(uri)) return undefined;
  const headers = uri.indexOf('?');
  const end = headers < 0 ? uri.length : headers;
  const at = uri.lastIndexOf('@', end);
  const hostStart = at < 0 ? (isSecure ? 5 : 4) : at + 1;
  const semicolon = uri.indexOf(';', hostStart);
  const params = semicolon < 0 || semicolon > end ? '' : uri.slice(semicolon, end);
  const hostPort = readHostPort(uri.slice(hostStart, params === '' ? end : semicolon));
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

/** The URIs of a list of Route or Record-Route values, in their order, each with its header parameters as written. */
export function routesOf(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => listValues(value)).filter((value) => addressOf(value) !== undefined);
}

/** The bare URI of a name-addr; empty where there is none. */
export function uriOf(value: string): string {
  return addressOf(value)?.uri ?? '';
}

function readHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const isReference = text.startsWith('[');
  const hostEnd = isReference ? text.indexOf(']') + 1 : text.indexOf(':');
  const host = hostEnd <= 0 ? text : text.slice(0, hostEnd);
  const rest = hostEnd <= 0 ? '' : text.slice(hostEnd);
  if (isReference ? !/^\[[\dA-Fa-f:.]{2,45}\]$/.test(host) : !/^[\w.-]{1,253}$/.test(host)) return undefined;
  const bare = isReference ? host.slice(1, -1) : host;
  if (rest === '') return { host: bare, port: 0 };
  if (!/^:\d{1,5}$/.test(rest)) return undefined;
  const port = Number(rest.slice(1));
  return port < 1 || port > 65_535 ? undefined : { host: bare, port };
}
