/** Numbers one after the other. */
export interface NumberRange {
  readonly first: string;
  readonly count: number;
}

/** Reads `12025550100` or `12025550100-12025550199`; absent for what is no range: of two lengths, or backwards. */
export function readNumberRange(text: string): NumberRange | undefined {
  const [first = '', last] = text.split('-');
  if (last === undefined) return { first, count: 1 };
  const count = Number(last) - Number(first) + 1;
  return first.length === last.length && count >= 1 ? { first, count } : undefined;
}

/** The number that is so many after the first, with as many digits. */
export const numberAt = (first: string, offset: number): string =>
  String(Number(first) + offset).padStart(first.length, '0');

/** Whether a number is one of `count` from `first` on. */
export function isInRange(number: string, { first, count }: NumberRange): boolean {
  const offset = Number(number) - Number(first);
  return number.length === first.length && offset >= 0 && offset < count;
}

/** Digits of a North American number: what is made up under a prefix has so many, or four more than a prefix that is longer than seven. */
const MADE_DIGITS = 11;

/** Numbers under a prefix, by their place from 0; all of them differ. */
export interface NumbersUnder {
  readonly room: number;
  readonly at: (place: number) => string;
}

/** All numbers under a prefix. Behind `1`, and behind a North American area code, no digit follows that no area code or exchange begins with. */
export function numbersUnder(prefix: string): NumbersUnder {
  const digits = Math.max(MADE_DIGITS, Math.min(15, prefix.length + 4)) - prefix.length;
  const isBounded = prefix === '1' || (prefix.length === 4 && prefix.startsWith('1'));
  const room = digits === 0 ? 1 : (isBounded ? 8 : 10) * 10 ** (digits - 1);
  const from = isBounded ? 2 * 10 ** (digits - 1) : 0;
  const at = (place: number): string => (digits === 0 ? prefix : prefix + String(from + place).padStart(digits, '0'));
  return { room, at };
}
