import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { PlatformDatabase } from '../../harness/src/platform/core/index.js';

/** Telephone numbers that are nowhere but where a test has put them, by the name of the place. */
export type Canaries = ReturnType<typeof createCanaries>;

/** Ten digits with area code and exchange that no other test uses. */
const FIRST = 5_126_840_000;
/** Area code and exchange beside the 32 hexadecimal digits of a pseudonym, as a file of a database has them: four of those may be anything. */
const BESIDE_PSEUDONYM = new RegExp(`${String(FIRST).slice(0, 6)}(?=[0-9a-f]{32}(?![0-9a-f]))`, 'g');

/** Makes numbers, and finds them again. */
export function createCanaries() {
  const places = new Map<string, string>();
  return {
    /** A new number of such a place: 11 digits, the first a 1. */
    number: (place: string): string => {
      // A step that leaves no two numbers with most digits alike.
      const digits = String(FIRST + 1_000 + places.size * 41);
      places.set(digits, place);
      return `1${digits}`;
    },
    /** Places whose numbers a text holds, however they are written. */
    in: (text: string): readonly string[] => {
      const found = new Set<string>();
      for (const readable of readings(text.replaceAll(BESIDE_PSEUDONYM, '')))
        for (const [digits, place] of places) if (readable.includes(digits)) found.add(place);
      return [...found];
    },
  };
}

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const DIGIT_WORDS = new RegExp(`\\b(${DIGITS.join('|')})\\b`, 'gi');

/** A number as somebody says it. */
export const said = (number: string): string =>
  Array.from(number.slice(1), (digit) => DIGITS[Number(digit)] ?? '').join(' ');
/** A number as somebody writes it. */
export const written = (number: string): string => `(${number.slice(1, 4)}) ${number.slice(4, 7)}-${number.slice(7)}`;

/** A text with digits moved together, those that are words too; and the same of what base64 in it stands for. */
function* readings(text: string): Generator<string> {
  yield together(text);
  for (const [encoded] of text.matchAll(/[A-Za-z0-9+/_-]{16,}/g))
    yield together(Buffer.from(encoded, 'base64url').toString('latin1'));
}

const together = (text: string): string =>
  text
    .replaceAll(DIGIT_WORDS, (word) => String(DIGITS.indexOf(word.toLowerCase())))
    .replaceAll(/(?<=\d)[ ().,+\-/]{1,3}(?=\d)/g, '');

/** Something that was looked through. */
export interface SearchedText {
  /** Table and column, file, or whatever it is part of. */
  readonly where: string;
  readonly text: string;
}

/** Every value of every table as text, with the name of its column. */
export async function tableTexts(database: PlatformDatabase): Promise<readonly SearchedText[]> {
  const { rows: columns } = await sql<{ table_name: string; column_name: string }>`
    select table_name, column_name from information_schema.columns where table_schema = 'public'`.execute(database);
  const texts: SearchedText[] = [];
  for (const { table_name: table, column_name: column } of columns) {
    const { rows } = await sql<{ text: string | null }>`
      select ${sql.ref(column)}::text as text from ${sql.table(table)}`.execute(database);
    for (const { text } of rows) if (text !== null) texts.push({ where: `${table}.${column}`, text });
  }
  return texts;
}

/** Every file of a folder as octets. */
export async function fileTexts(folder: string): Promise<readonly SearchedText[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const where = join(parentPath, name);
      return { where: where.slice(folder.length), text: await readFile(where, 'latin1') };
    }),
  );
}

/** Where a canary is that must not be there, as `place in where`, each once. */
export function leaksIn(canaries: Canaries, texts: readonly SearchedText[]): readonly string[] {
  const leaks = new Set<string>();
  for (const { where, text } of texts) for (const place of canaries.in(text)) leaks.add(`${place} in ${where}`);
  return [...leaks].toSorted();
}
