/** Short words that are frequent in one of these languages and no words of the others; without marks on letters. */
const MARKERS: Readonly<Record<string, readonly string[]>> = {
  en: ['the', 'you', 'your', 'is', 'this', 'to', 'of', 'and', 'for', 'with', 'have', 'please'],
  es: ['el', 'los', 'las', 'usted', 'su', 'para', 'con', 'una', 'es', 'esta', 'por', 'y', 'del', 'oprima', 'presione'],
  fr: ['le', 'les', 'des', 'vous', 'votre', 'est', 'pour', 'avec', 'une', 'et', 'dans', 'appuyez', 'du'],
  pt: ['voce', 'seu', 'sua', 'nao', 'uma', 'em', 'um', 'os', 'ao', 'com', 'pressione', 'da', 'do'],
  vi: ['cua', 'ban', 'la', 'va', 'khong', 'cho', 'duoc', 'voi', 'vui', 'long', 'phim', 'cac', 'toi'],
};

const languagesOf: ReadonlyMap<string, readonly string[]> = languagesByWord();

/** Words at the start that are looked at to tell the language. */
const WORDS_LOOKED_AT = 80;

/** The language of a BCP 47 tag as its primary subtag, `undefined` where it is none. */
export function primaryLanguage(tag: string | undefined): string | undefined {
  const primary = /^[A-Za-z]{2,3}(?=$|-|_)/u.exec(tag ?? '')?.[0].toLowerCase();
  return primary === undefined || primary === 'und' ? undefined : primary;
}

/**
 * Language of a text, from the letters it is written in and from short words; `und` where neither says anything.
 * @param text in lower case without marks on letters
 * @param words its words, in order
 */
export function guessLanguage(text: string, words: readonly string[]): string {
  if (/[\u3040-\u30ff]/u.test(text)) return 'ja';
  if (/[\u3400-\u9fff]/u.test(text)) return 'zh';
  if (/[\uac00-\ud7af]/u.test(text)) return 'ko';
  const counts = new Map<string, number>();
  for (const word of words.slice(0, WORDS_LOOKED_AT))
    for (const language of languagesOf.get(word) ?? []) counts.set(language, (counts.get(language) ?? 0) + 1);
  let best = 'und';
  for (const [language, count] of counts) if (count > (counts.get(best) ?? 0)) best = language;
  return best;
}

function languagesByWord(): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (const [language, words] of Object.entries(MARKERS))
    for (const word of words) map.set(word, [...(map.get(word) ?? []), language]);
  return map;
}
