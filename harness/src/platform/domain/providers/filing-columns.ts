import type { ImplementationStatus, ProviderAffiliate, ProviderPrincipal } from '@hopback/sdk/platform';

// What the cells of a filing say. Cells are what strangers typed into a form: each reader gives undefined for what it cannot read.

/** Longest line that the contract takes. */
const MAX_LINE_CHARS = 256;
/** Longest text that the contract takes. */
const MAX_TEXT_CHARS = 8_192;
/** Entries of a list in one cell: as many as the contract takes. */
const MAX_LIST = 512;

/** One line; undefined where it is longer than the contract takes. */
export function lineCell(cell: string): string | undefined {
  const line = cell.replace(/\s+/g, ' ').trim();
  return line.length === 0 || line.length > MAX_LINE_CHARS ? undefined : line;
}

/** Text of several lines. */
export function textCell(cell: string): string | undefined {
  const text = cell.trim();
  return text.length === 0 || text.length > MAX_TEXT_CHARS ? undefined : text;
}

/** FCC Registration Number: the database writes it with and without its leading zeros. */
export function frnCell(cell: string): string | undefined {
  const digits = cell.trim();
  return /^\d{1,10}$/.test(digits) ? digits.padStart(10, '0') : undefined;
}

const YES = new Set(['true', 'yes', 'y', '1']);
const NO = new Set(['false', 'no', 'n', '0', '']);

export function booleanCell(cell: string): boolean | undefined {
  const word = cell.trim().toLowerCase();
  if (YES.has(word)) return true;
  return NO.has(word) ? false : undefined;
}

/** `Complete STIR/SHAKEN Implementation` and the like, by its first word; not applicable, as those without a network say, is none. */
export function implementationCell(cell: string): ImplementationStatus | undefined {
  const word = cell.trim().toLowerCase();
  if (word.startsWith('complete')) return 'complete';
  if (word.startsWith('partial')) return 'partial';
  return word === '' || word === 'n/a' || word === 'none' || word.startsWith('no ') || word.startsWith('not ')
    ? 'none'
    : undefined;
}

/** Date of `2026-09-14`, `2026-09-14 10:11:12` or `09/14/2026` and the like, as RFC 3339 full date. */
export function dateCell(cell: string): string | undefined {
  const text = cell.trim();
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ]|$)/.exec(text);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?: |$)/.exec(text);
  const [year, month, day] = iso === null ? [american?.[3], american?.[1], american?.[2]] : [iso[1], iso[2], iso[3]];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date ? undefined : date;
}

/** Names with semicolons, bars or line breaks between; a comma is part of a name (`Example, Inc.`). */
export function namesCell(cell: string): readonly string[] | undefined {
  const names = parts(cell, /[;|\r\n]/).filter((name) => !/^(?:n\/a|none)$/i.test(name));
  return names.length > MAX_LIST || names.some((name) => name.length > MAX_LINE_CHARS) ? undefined : names;
}

/** Codes with anything between that is no letter or digit. */
export function codesCell(cell: string, form: RegExp): readonly string[] | undefined {
  const codes = [...new Set(parts(cell.toUpperCase(), /[^0-9A-Z]+/))];
  return codes.length <= MAX_LIST && codes.every((code) => form.test(code)) ? codes : undefined;
}

/** `Name (owner); Other Name (director)`. What is no pair is a name without a stated role. */
export function principalsCell(cell: string): readonly ProviderPrincipal[] | undefined {
  return namesCell(cell)?.map((text) => {
    const { name, role = 'not stated' } = withRole(text);
    return { name, role };
  });
}

/** `Other Company LLC (subsidiary)`, or with its number `Other Company LLC [0000000123] (parent)`. */
export function affiliatesCell(cell: string): readonly ProviderAffiliate[] | undefined {
  return namesCell(cell)?.map((text) => {
    const { name: named, role = 'not stated' } = withRole(text);
    const number = /\[(\d{10})\]$/.exec(named)?.[1];
    const name = number === undefined ? named : named.slice(0, -12).trim();
    return { name: name === '' ? named : name, ...(number !== undefined && { frn: number }), relation: role };
  });
}

function withRole(text: string): { readonly name: string; readonly role?: string } {
  const opens = text.lastIndexOf('(');
  if (!text.endsWith(')') || opens <= 0) return { name: text };
  const [name, role] = [text.slice(0, opens).trim(), text.slice(opens + 1, -1).trim()];
  return name === '' || role === '' ? { name: text } : { name, role };
}

const parts = (cell: string, between: RegExp): readonly string[] =>
  cell
    .split(between)
    .map((part) => part.replace(/\s+/g, ' ').trim())
    .filter((part) => part !== '');
