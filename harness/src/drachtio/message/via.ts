import { addressOf, endOfParameterName, endOfQuoted, listValues, parameterOf, unfolded } from './sip-message.js';

/**
 * The topmost Via of a message.
 * @see RFC 3261 sections 18.2 and 20.42, RFC 3581
 */
export interface TopVia {
  /** `UDP`, `TCP`, `WS`, …, upper case. */
  readonly transport: string;
  /** Sent-by host as written. */
  readonly host: string;
  /** Sent-by port; 0 where none is written. */
  readonly port: number;
  /** Empty where there is none. */
  readonly branch: string;
  /** Where the value ends within its header field: others may follow behind a comma. */
  readonly end: number;
  /** Where to write the value of an `rport` that came without one; -1 where there is none. */
  readonly rportEnd: number;
  /** Where the reader wrote `received`, which the one who received the message overrules; -1 where it did not. */
  readonly receivedAt: number;
  /** Whether each parameter has a name. Where one has none the message is refused, and this value is still good for the way back. */
  readonly isSound: boolean;
}

/** The value as this reader understood it: the same as given unless it was folded. */
export interface ReadVia {
  readonly value: string;
  readonly via: TopVia;
}

/**
 * Reads the first value of a Via header field. Never throws for peer input.
 * @returns undefined where protocol, sent-by or parameters cannot be read
 */
export function readVia(raw: string): ReadVia | undefined {
  const value = unfolded(raw);
  const sentBy = readProtocol(value);
  if (sentBy === undefined) return undefined;
  let at = sentBy.at;
  const hostEnd = endOfHost(value, at);
  const host = value.slice(at, hostEnd);
  if (host === '') return undefined;
  at = skipBlanks(value, hostEnd);
  let port = 0;
  if (value.charCodeAt(at) === 0x3a) {
    at = skipBlanks(value, at + 1);
    const portEnd = endOfDigits(value, at);
    port = portEnd - at > 5 ? 0 : Number(value.slice(at, portEnd));
    if (portEnd === at || port < 1 || port > 65_535) return undefined;
    at = skipBlanks(value, portEnd);
  }
  const parameters = readParameters(value, at);
  if (parameters === undefined) return undefined;
  const { branch, end, rportEnd, receivedAt, isSound } = parameters;
  return {
    value,
    via: {
      transport: sentBy.transport,
      host,
      port,
      branch,
      end,
      rportEnd,
      receivedAt,
      isSound,
    },
  };
}

/**
 * The value with what its receiver writes into it: `received`, and the port in `rport` when that was asked for.
 * @param source - the address and port the message came from
 * @see RFC 3261 section 18.2.1, RFC 3581 section 4
 */
export function stampedVia(
  { value, via }: ReadVia,
  source: { readonly address: string; readonly port: number },
): string {
  const wantsPort = via.rportEnd >= 0;
  if (!wantsPort && via.receivedAt < 0 && isAddress(via.host, source.address)) return value;
  const first = value.slice(0, via.end);
  const stamped = wantsPort ? `${first.slice(0, via.rportEnd)}=${source.port}${first.slice(via.rportEnd)}` : first;
  // What the sender claims about itself here would mislead whoever sends the response.
  const clean =
    via.receivedAt < 0 ? stamped : withoutReceived(stamped, movedBehind(via, stamped.length - first.length));
  return `${clean};received=${source.address}${value.slice(via.end)}`;
}

/** Whether a branch is of the kind that identifies a transaction by itself. @see RFC 3261 section 8.1.1.7 */
export function isMagic(branch: string): boolean {
  return branch.length > MAGIC.length && branch.startsWith(MAGIC);
}

const MAGIC = 'z9hG4bK';

/** Whether a sent-by host is this address: IPv6 stands in brackets there. */
function isAddress(host: string, address: string): boolean {
  if (host.charCodeAt(0) !== 0x5b) return host === address;
  return host.length === address.length + 2 && host.startsWith(address, 1);
}

/** Where `received` stands once the port has been written into `rport`. */
function movedBehind({ rportEnd, receivedAt }: TopVia, inserted: number): number {
  return rportEnd <= receivedAt ? receivedAt + inserted : receivedAt;
}

/** A Via value without its `received` parameters, the first of which begins at `from`. */
function withoutReceived(first: string, from: number): string {
  let kept = first.slice(0, from);
  for (let at = from; at >= 0 && at < first.length;) {
    const end = endOfParameter(first, at + 1);
    const parameter = first.slice(at, end < 0 ? first.length : end);
    if (!/^;[ \t]*received[ \t]*(?:=|$)/i.test(parameter)) kept += parameter;
    at = end;
  }
  return kept;
}

/** The version may be any: it is the start line that says whether the message can be understood, and its sender has to be told. */
function readProtocol(value: string): { readonly transport: string; readonly at: number } | undefined {
  if (value.startsWith('SIP/2.0/UDP ')) return { transport: 'UDP', at: skipBlanks(value, 12) };
  const read = /^SIP[ \t]{0,64}\/[ \t]{0,64}\d{1,3}\.\d{1,3}[ \t]{0,64}\/[ \t]{0,64}([\w.!%*+`'~-]{1,32})[ \t]+/i.exec(
    value,
  );
  return read?.[1] === undefined ? undefined : { transport: read[1].toUpperCase(), at: read[0].length };
}

/** Where a host that stands at `from` has ended, an IPv6 reference behind its bracket; `from` where there is none. Never throws. */
function endOfHost(value: string, from: number): number {
  const isReference = value.charCodeAt(from) === 0x5b;
  let at = isReference ? from + 1 : from;
  while (at < value.length && isHostCharacter(value.charCodeAt(at), isReference)) at += 1;
  if (!isReference) return at;
  return value.charCodeAt(at) === 0x5d && at > from + 1 ? at + 1 : from;
}

function isHostCharacter(code: number, isReference: boolean): boolean {
  const lower = code | 0x20;
  return (
    (code >= 0x30 && code <= 0x39) ||
    (lower >= 0x61 && lower <= 0x7a) ||
    code === 0x2e ||
    code === 0x2d ||
    code === 0x5f ||
    (isReference && (code === 0x3a || code === 0x25))
  );
}

function endOfDigits(value: string, from: number): number {
  let at = from;
  while (at < value.length && value.charCodeAt(at) >= 0x30 && value.charCodeAt(at) <= 0x39) at += 1;
  return at;
}

function skipBlanks(value: string, from: number): number {
  let at = from;
  while (value.charCodeAt(at) === 0x20 || value.charCodeAt(at) === 0x09) at += 1;
  return at;
}

type Parameters = Pick<TopVia, 'branch' | 'end' | 'rportEnd' | 'receivedAt' | 'isSound'>;

function readParameters(value: string, from: number): Parameters | undefined {
  let at = from;
  let branch = '';
  let rportEnd = -1;
  let receivedAt = -1;
  let isSound = true;
  while (value.charCodeAt(at) === 0x3b) {
    const nameStart = skipBlanks(value, at + 1);
    const end = endOfParameter(value, nameStart);
    if (end < 0) return undefined;
    const equals = endOfParameterName(value, nameStart, end);
    const hasValue = equals < end;
    const nameEnd = trimmedEnd(value, nameStart, equals);
    switch (nameEnd - nameStart) {
      case 0:
        isSound = false;
        break;
      case 6:
        if (branch === '' && isName(value, nameStart, 'branch') && hasValue)
          branch = value.slice(equals + 1, end).trim();
        break;
      case 5:
        if (rportEnd < 0 && isName(value, nameStart, 'rport') && !hasValue) rportEnd = nameEnd;
        break;
      case 8:
        if (receivedAt < 0 && isName(value, nameStart, 'received')) receivedAt = at;
        break;
      default:
    }
    at = end;
  }
  const next = value.charCodeAt(at);
  return at < value.length && next !== 0x2c
    ? undefined
    : {
        branch,
        end: trimmedEnd(value, 0, at),
        rportEnd,
        receivedAt,
        isSound,
      };
}

function isName(value: string, at: number, name: string): boolean {
  return value.startsWith(name, at) || value.slice(at, at + name.length).toLowerCase() === name;
}

function trimmedEnd(value: string, start: number, end: number): number {
  let at = end;
  while (at > start && (value.charCodeAt(at - 1) === 0x20 || value.charCodeAt(at - 1) === 0x09)) at -= 1;
  return at;
}

function endOfParameter(value: string, from: number): number {
  for (let at = from; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code === 0x3b || code === 0x2c) return at;
    if (code === 0x22) {
      const end = endOfQuoted(value, at);
      if (end < 0) return -1;
      at = end - 1;
    }
  }
  return value.length;
}

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
