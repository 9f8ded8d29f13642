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
