/** Words for numbers of a language, without marks on letters, in lower case. */
export interface NumberWords {
  /** 0 to 19, as one word, and others that are one word. */
  readonly units: ReadonlyMap<string, number>;
  /** 20, 30 … 90. */
  readonly tens: ReadonlyMap<string, number>;
  /** The word for 100 as a factor: `eight hundred`. */
  readonly hundreds: ReadonlySet<string>;
  readonly thousands: ReadonlySet<string>;
  /** Words that double or triple the digit behind them. */
  readonly repeats: ReadonlyMap<string, number>;
  /** Word between tens and units: `treinta y cinco`. */
  readonly and?: string;
}

/** Words in the order of their numbers: the first is `from`, each next one `by` more. A `/` stands between words for the same number. */
function numbered(words: string, from: number = 0, by: number = 1): ReadonlyMap<string, number> {
  const numbers = words.split(/\s+/u).map((word, at) => [word, from + at * by] as const);
  return new Map(numbers.flatMap(([word, number]) => word.split('/').map((one) => [one, number] as const)));
}

const ENGLISH: NumberWords = {
  units: numbered(
    `zero/oh one two three four five six seven eight nine
    ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen`,
  ),
  tens: numbered('twenty thirty forty/fourty fifty sixty seventy eighty ninety', 20, 10),
  hundreds: new Set(['hundred']),
  thousands: new Set(['thousand']),
  repeats: numbered('double triple', 2),
};

const SPANISH: NumberWords = {
  units: new Map([
    ...numbered(
      `cero uno dos tres cuatro cinco seis siete ocho nueve
      diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve
      veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve`,
    ),
    ...numbered(
      'cien/ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos',
      100,
      100,
    ),
  ]),
  tens: numbered('treinta cuarenta cincuenta sesenta setenta ochenta noventa', 30, 10),
  hundreds: new Set(),
  thousands: new Set(['mil']),
  repeats: numbered('doble triple', 2),
  and: 'y',
};

const FRENCH: NumberWords = {
  units: numbered('zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize'),
  tens: numbered('vingt trente quarante cinquante soixante', 20, 10),
  hundreds: new Set(['cent', 'cents']),
  thousands: new Set(['mille']),
  repeats: numbered('double triple', 2),
};

const PORTUGUESE: NumberWords = {
  units: numbered(
    `zero um dois tres quatro cinco seis/meia sete oito nove
    dez onze doze treze catorze/quatorze quinze dezesseis dezessete dezoito dezenove`,
  ),
  tens: numbered('vinte trinta quarenta cinquenta sessenta setenta oitenta noventa', 20, 10),
  hundreds: new Set(),
  thousands: new Set(['mil']),
  repeats: numbered('duplo triplo', 2),
  and: 'e',
};

const NONE: NumberWords = {
  units: new Map(),
  tens: new Map(),
  hundreds: new Set(),
  thousands: new Set(),
  repeats: new Map(),
};

const VIETNAMESE: NumberWords = { ...NONE, units: numbered('khong mot hai ba bon nam sau bay tam chin') };

const BY_LANGUAGE: ReadonlyMap<string, NumberWords> = new Map([
  ['en', ENGLISH],
  ['es', SPANISH],
  ['fr', FRENCH],
  ['pt', PORTUGUESE],
  ['vi', VIETNAMESE],
]);

/** Digits of Chinese and Japanese as they are read out one by one; `幺` is how 1 is said in telephone numbers. */
export const HAN_DIGITS: ReadonlyMap<string, number> = numbered('零/〇 一/幺 二/两/兩 三 四 五 六 七 八 九');

/** Number words of a language; those of none where the language has no table here. @param language two or three letters */
export function numberWordsOf(language: string): NumberWords {
  return BY_LANGUAGE.get(language) ?? NONE;
}

/** Languages with number words. */
export const NUMBERED_LANGUAGES: readonly string[] = [...BY_LANGUAGE.keys()];
