import { NOTHING, tableLines } from '@hopback/sdk/internal/cli';
import type { Column } from '@hopback/sdk/internal/cli';
import { printableText } from '@hopback/sdk/internal';

// Values of JSON as a person reads them: a list of things as a table, a thing as its members.

/**
 * Members of a thing below each other; what is in them stands indented, and whoever is named stands in one line. Depth is bounded, as JSON of
 * a platform is.
 * @param tables - columns of lists at the top, by the names of their members
 */
export function memberLines(
  value: unknown,
  indent = '',
  tables: Readonly<Record<string, readonly Column[]>> = {},
): readonly string[] {
  if (!isObject(value)) return [`${indent}${scalarText(value)}`];
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  const width = Math.max(0, ...entries.filter(([, member]) => isScalar(member)).map(([name]) => name.length));
  return entries.flatMap(([name, member]) => {
    const label = printableText(name);
    if (isScalar(member)) return [`${indent}${label.padEnd(width)}  ${scalarText(member)}`];
    const named = referenceText(member);
    if (named !== undefined) return [`${indent}${label.padEnd(width)}  ${named}`];
    const columns = tables[name];
    if (columns !== undefined && Array.isArray(member) && member.length > 0)
      return [`${indent}${label}`, ...tableLines(columns, member, undefined).map((line) => `${indent}  ${line}`)];
    if (Array.isArray(member)) return listLines(label, member, indent);
    return [`${indent}${label}`, ...memberLines(member, `${indent}  `)];
  });
}

function listLines(label: string, list: readonly unknown[], indent: string): readonly string[] {
  if (list.length === 0) return [`${indent}${label}  none`];
  if (list.every(isScalar)) return [`${indent}${label}  ${list.map(scalarText).join(', ')}`];
  const items = list.flatMap((item) => {
    const [first = '', ...rest] = memberLines(item, `${indent}    `);
    return [`${indent}  · ${first.trimStart()}`, ...rest];
  });
  return [`${indent}${label}`, ...items];
}

/** A provider as a person calls it; undefined where it is none, or more is known of it. */
function referenceText(value: unknown): string | undefined {
  if (!isObject(value) || typeof value['name'] !== 'string') return undefined;
  const { name, ...ids } = value;
  const known = Object.entries(ids).filter(([, id]) => id !== undefined);
  if (known.some(([key, id]) => !REFERENCE_IDS.has(key) || !isScalar(id))) return undefined;
  const shown = known.map(([key, id]) =>
    key === 'providerId' ? scalarText(id) : `${key.toUpperCase()} ${scalarText(id)}`,
  );
  return `${scalarText(name)}${shown.length > 0 ? ` (${shown.join(', ')})` : ''}`;
}

const REFERENCE_IDS: ReadonlySet<string> = new Set(['providerId', 'ocn', 'spc', 'frn']);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isScalar = (value: unknown): boolean => !isObject(value);

/** Longest text of a member: a transcript of half a minute. */
const MAX_MEMBER_CHARS = 2_000;

/** A text, number or yes and no as it is printed. */
function scalarText(value: unknown): string {
  if (value === undefined || value === null) return NOTHING;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? printableText(value, MAX_MEMBER_CHARS) : JSON.stringify(value);
}

/** What stands at a path of members, `provider.name`; lists of things are counted. */
export function memberAt(value: unknown, path: string): string {
  let here: unknown = value;
  for (const name of path.split('.')) here = isObject(here) ? here[name] : undefined;
  if (Array.isArray(here)) return here.every(isScalar) ? here.map(scalarText).join(', ') : String(here.length);
  return isObject(here) ? JSON.stringify(here) : scalarText(here);
}
