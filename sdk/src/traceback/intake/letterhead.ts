import { isCellRead } from './cell-reading.js';
import { domainOf, emailAddress } from './field-values.js';
import type { VisibleLine } from './visible-text.js';

/** The head of a message that was forwarded or quoted in a text. */
export interface Letterhead {
  readonly fromName?: string;
  readonly fromAddress?: string;
  /** As it was written. */
  readonly date?: string;
  /** Lines that it takes. */
  readonly length: number;
}

/** Lines of a head at most: From, Sent, To and Cc of many lines, Subject. */
const MOST_LINES = 24;

/**
 * Whether the head of a message begins at a line: From, Date or Sent, and Subject among lines that nothing else stands between. `From` and
 * `To` in it are people, and not the two numbers of a call. Never throws for peer input.
 */
export function letterheadAt(lines: readonly VisibleLine[], start: number): Letterhead | undefined {
  const values = new Map<string, string>();
  let at = start;
  for (; at < lines.length && at - start < MOST_LINES; at += 1) {
    const text = lines[at]?.text ?? '';
    const found =
      /^\*?(from|date|sent|to|cc|bcc|subject|reply-to|importance|message-id)\s{0,3}:\*?\s{0,8}(.{0,4096})$/i.exec(text);
    if (found === null && at === start) return undefined;
    // A long list of recipients goes on in the next line.
    const goesOn = found === null && text !== '' && emailAddress(text.replace(/[;,\s]{1,8}$/, '')) !== undefined;
    if (found === null && !goesOn) break;
    const [, name = '', value = ''] = found ?? [];
    if (found !== null && !values.has(name.toLowerCase())) values.set(name.toLowerCase(), value.trim());
  }
  const from = values.get('from');
  const date = values.get('date') ?? values.get('sent');
  if (from === undefined || date === undefined || !values.has('subject')) return undefined;
  // The fields of a call have the same names.
  if (isCellRead('calling', from)) return undefined;
  return { ...senderOf(from), date, length: at - start };
}

/** `ITG <itg@example.org>`, `"ITG" itg@example.org`, or a name alone. */
export function senderOf(text: string): { readonly fromName?: string; readonly fromAddress?: string } {
  const bounded = text.slice(0, 512);
  const address =
    emailAddress(bounded) ?? bounded.split(/[\s<>"()[\]]+/).flatMap((word) => emailAddress(word) ?? [])[0];
  const before = bounded.split('<', 1)[0] ?? '';
  const name = (address === undefined ? before : before.replaceAll(address, '')).replace(/["'[\]()]/g, '').trim();
  const shown = name === '' || (address !== undefined && name === domainOf(address)) ? undefined : name;
  return {
    ...(shown === undefined ? {} : { fromName: shown }),
    ...(address === undefined ? {} : { fromAddress: address }),
  };
}
