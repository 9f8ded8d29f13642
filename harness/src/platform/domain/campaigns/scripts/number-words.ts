/** Words for numbers of a language, without marks on letters, in lower case. */
export interface NumberWords {
  /** 0 to 19, as one word. */
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

type Named = Readonly<Record<string, number>>;

const map = (words: Named): ReadonlyMap<string, number> => new Map(Object.entries(words));

const ENGLISH: NumberWords = {
  units: map({
    zero: 0,
    oh: 0,
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    eleven: 11,
    twelve: 12,
    thirteen: 13,
    fourteen: 14,
    fifteen: 15,
    sixteen: 16,
    seventeen: 17,
    eighteen: 18,
    nineteen: 19,
  }),
  tens: map({
    twenty: 20,
    thirty: 30,
    forty: 40,
    fourty: 40,
    fifty: 50,
    sixty: 60,
    seventy: 70,
    eighty: 80,
    ninety: 90,
  }),
  hundreds: new Set(['hundred']),
  thousands: new Set(['thousand']),
  repeats: map({ double: 2, triple: 3 }),
};

const SPANISH: NumberWords = {
  units: map({
    cero: 0,
    uno: 1,
    dos: 2,
    tres: 3,
    cuatro: 4,
    cinco: 5,
    seis: 6,
    siete: 7,
    ocho: 8,
    nueve: 9,
    diez: 10,
    once: 11,
    doce: 12,
    trece: 13,
    catorce: 14,
    quince: 15,
    dieciseis: 16,
    diecisiete: 17,
    dieciocho: 18,
    diecinueve: 19,
    veinte: 20,
    veintiuno: 21,
    veintidos: 22,
    veintitres: 23,
    veinticuatro: 24,
    veinticinco: 25,
    veintiseis: 26,
    veintisiete: 27,
    veintiocho: 28,
    veintinueve: 29,
    cien: 100,
    ciento: 100,
    doscientos: 200,
    trescientos: 300,
    cuatrocientos: 400,
    quinientos: 500,
    seiscientos: 600,
    setecientos: 700,
    ochocientos: 800,
    novecientos: 900,
  }),
  tens: map({ treinta: 30, cuarenta: 40, cincuenta: 50, sesenta: 60, setenta: 70, ochenta: 80, noventa: 90 }),
  hundreds: new Set(),
  thousands: new Set(['mil']),
  repeats: map({ doble: 2, triple: 3 }),
  and: 'y',
};

const FRENCH: NumberWords = {
  units: map({
    zero: 0,
    un: 1,
    deux: 2,
    trois: 3,
    quatre: 4,
    cinq: 5,
    six: 6,
    sept: 7,
    huit: 8,
    neuf: 9,
    dix: 10,
    onze: 11,
    douze: 12,
    treize: 13,
    quatorze: 14,
    quinze: 15,
    seize: 16,
  }),
  tens: map({ vingt: 20, trente: 30, quarante: 40, cinquante: 50, soixante: 60 }),
  hundreds: new Set(['cent', 'cents']),
  thousands: new Set(['mille']),
  repeats: map({ double: 2, triple: 3 }),
};

const PORTUGUESE: NumberWords = {
  units: map({
    zero: 0,
    um: 1,
    dois: 2,
    tres: 3,
    quatro: 4,
    cinco: 5,
    seis: 6,
    meia: 6,
    sete: 7,
    oito: 8,
    nove: 9,
    dez: 10,
    onze: 11,
    doze: 12,
    treze: 13,
    catorze: 14,
    quatorze: 14,
    quinze: 15,
    dezesseis: 16,
    dezessete: 17,
    dezoito: 18,
    dezenove: 19,
  }),
  tens: map({
    vinte: 20,
    trinta: 30,
    quarenta: 40,
    cinquenta: 50,
    sessenta: 60,
    setenta: 70,
    oitenta: 80,
    noventa: 90,
  }),
  hundreds: new Set(),
  thousands: new Set(['mil']),
  repeats: map({ duplo: 2, triplo: 3 }),
  and: 'e',
};

const VIETNAMESE: NumberWords = {
  units: map({ khong: 0, mot: 1, hai: 2, ba: 3, bon: 4, nam: 5, sau: 6, bay: 7, tam: 8, chin: 9 }),
  tens: map({}),
  hundreds: new Set(),
  thousands: new Set(),
  repeats: map({}),
};

const NONE: NumberWords = {
  units: map({}),
  tens: map({}),
  hundreds: new Set(),
  thousands: new Set(),
  repeats: map({}),
};

const BY_LANGUAGE: ReadonlyMap<string, NumberWords> = new Map([
  ['en', ENGLISH],
  ['es', SPANISH],
  ['fr', FRENCH],
  ['pt', PORTUGUESE],
  ['vi', VIETNAMESE],
]);

/** Digits of Chinese and Japanese as they are read out one by one; `幺` is how 1 is said in telephone numbers. */
export const HAN_DIGITS: ReadonlyMap<string, number> = map({
  零: 0,
  〇: 0,
  一: 1,
  幺: 1,
  二: 2,
  两: 2,
  兩: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
});

/** Number words of a language; those of none where the language has no table here. @param language two or three letters */
export function numberWordsOf(language: string): NumberWords {
  return BY_LANGUAGE.get(language) ?? NONE;
}

/** Languages with number words. */
export const NUMBERED_LANGUAGES: readonly string[] = [...BY_LANGUAGE.keys()];
