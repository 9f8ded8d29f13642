import { writtenName } from '../message/header-names.js';

/** A Request-URI as it may go out, and the header fields that it held, each as a line with its end. */
export interface PlainRequestUri {
  readonly requestUri: string;
  readonly lines: string;
}

/**
 * Takes out of a URI what has no place in a Request-URI: the method, and header fields, which become fields of the request. Those that
 * route a request or name a call are left out, since whoever wrote the URI has no say in them. Never throws.
 * @see RFC 3261 sections 19.1.1 table 1 and 19.1.5
 */
export function plainRequestUri(uri: string): PlainRequestUri {
  const question = uri.indexOf('?');
  const hasMethod = /;method=/i.test(uri);
  if ((question < 0 && !hasMethod) || !/^sips?:/i.test(uri)) return { requestUri: uri, lines: '' };
  const bare = question < 0 ? uri : uri.slice(0, question);
  const requestUri = hasMethod ? bare.replace(/;method=[^;]*/gi, '') : bare;
  let lines = '';
  for (const field of question < 0 ? [] : uri.slice(question + 1).split('&')) {
    const equals = field.indexOf('=');
    const name = unescaped(field.slice(0, Math.max(0, equals)));
    const value = unescaped(field.slice(equals + 1));
    if (isFieldOfOthers(name) && !hasControl(value)) lines += `${writtenName(name)}: ${value}\r\n`;
  }
  return { requestUri, lines };
}

/** Fields that are not for a URI to write; `body` stands for the body. */
const OWN: ReadonlySet<string> = new Set([
  ...[
    'via',
    'v',
    'route',
    'record-route',
    'max-forwards',
    'from',
    'f',
    'to',
    't',
    'call-id',
    'i',
    'cseq',
    'contact',
    'm',
  ],
  ...['content-length', 'l', 'content-type', 'c', 'rseq', 'rack', 'body'],
]);

function isFieldOfOthers(name: string): boolean {
  return /^[\w.!%*+`'~-]{1,64}$/.test(name) && !OWN.has(name.toLowerCase());
}

/** Octets for their escapes. @see RFC 3261 section 25.1, escaped */
function unescaped(text: string): string {
  return text.replace(/%([\dA-Fa-f]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function hasControl(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) if (value.charCodeAt(at) < 0x20) return true;
  return false;
}
