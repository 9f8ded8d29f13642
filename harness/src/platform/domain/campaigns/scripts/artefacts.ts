/**
 * What speech recognisers write where nobody speaks. They were trained on subtitles, so silence and music at the end of a recording come out
 * as the words of subtitlers, in the language they take it for.
 */
const INVENTED: readonly string[] = [
  'thank you for watching',
  'thanks for watching',
  'thank you so much for watching',
  'please subscribe to my channel',
  'please like and subscribe',
  'dont forget to like and subscribe',
  'see you in the next video',
  'ill see you in the next video',
  'subtitles by the amara org community',
  'subtitles by the amaraorg community',
  'transcription by castingwords',
  'transcribed by https otter ai',
  'gracias por ver el video',
  'gracias por ver',
  'suscribete al canal',
  'suscribete',
  'subtitulos realizados por la comunidad de amara org',
  'subtitulos por la comunidad de amara org',
  'sous titres realises par la communaute damara org',
  'sous titrage societe radio canada',
  'merci davoir regarde cette video',
  'legendas pela comunidade amara org',
  'obrigado por assistir',
  'untertitel der amara org community',
  'untertitel im auftrag des zdf',
  'vielen dank furs zuschauen',
  'sottotitoli creati dalla comunita amara org',
  'grazie per aver guardato il video',
  'продолжение следует',
  'субтитры сделал dimatorzok',
  'cam on cac ban da theo doi',
  'hay subscribe cho kenh',
  'hen gap lai cac ban trong nhung video tiep theo',
];

const INVENTED_UNSPACED: readonly string[] = [
  '请不吝点赞订阅转发打赏支持明镜与点点栏目',
  '請不吝點贊訂閱轉發打賞支持明鏡與點點欄目',
  '字幕由amaraorg社区提供',
  '字幕由amaraorg社區提供',
  '谢谢观看',
  '謝謝觀看',
  '谢谢大家观看',
  'ご視聴ありがとうございました',
  'チャンネル登録お願いします',
  'mbc뉴스',
  '시청해주셔서감사합니다',
];

/** Longest name of a sound in brackets, such as `[upbeat music playing]`; more is speech that somebody bracketed. */
const BRACKETED = /\[[^[\]]{0,40}\]|\([^()]{0,40}\)|\*[^*]{0,40}\*|<[^<>]{0,40}>|[♪♫♬♩]/gu;
const SOUND =
  /music|sound|noise|silence|blank|inaudible|applause|laugh|beep|ring|tone|static|click|phone|dial|cough|sigh|breath|unintelligible|foreign|speaking|musica|ruido|silencio|risas|aplausos|timbre|音楽|音乐|音樂|掌声|掌聲|笑|♪|음악/u;

/** Takes away names of sounds in brackets and signs of music; other brackets stay. @param text normalised to lower case */
export function withoutSounds(text: string): string {
  return text.replace(BRACKETED, (found) => (found.length === 1 || SOUND.test(found) ? ' ' : found));
}

const inventedByFirst = byFirst(INVENTED.map((phrase) => phrase.split(' ')));

/** Length in tokens of an invented phrase that begins at a place, 0 where none does. */
export function inventedAt(tokens: readonly string[], at: number): number {
  for (const phrase of inventedByFirst.get(tokens[at] ?? '') ?? [])
    if (phrase.every((word, index) => tokens[at + index] === word)) return phrase.length;
  return 0;
}

/** Takes away invented phrases of languages without spaces, whatever signs stand in them. @param text normalised to lower case */
export function withoutUnspacedInventions(text: string): string {
  if (!BEYOND_LATIN.test(text)) return text;
  const places: number[] = [];
  let letters = '';
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (SIGNS.includes(sign)) continue;
    letters += sign;
    places.push(at);
  }
  let rest = text;
  for (const phrase of INVENTED_UNSPACED)
    for (let from = letters.indexOf(phrase); from >= 0; from = letters.indexOf(phrase, from + phrase.length)) {
      const [start = 0, end = 0] = [places[from], places[from + phrase.length - 1]];
      // Blanks of the same length, so that the places of the others stay.
      rest = `${rest.slice(0, start)}${' '.repeat(end + 1 - start)}${rest.slice(end + 1)}`;
    }
  return rest;
}

const BEYOND_LATIN = /[\u1000-\uffff]/u;
/** Signs that recognisers write between the words of such a phrase, and spaces. */
const SIGNS = ' \t\n.,、。·';

function byFirst(phrases: readonly (readonly string[])[]): ReadonlyMap<string, readonly (readonly string[])[]> {
  const map = new Map<string, (readonly string[])[]>();
  for (const phrase of phrases.toSorted((a, b) => b.length - a.length)) {
    const [first = ''] = phrase;
    map.set(first, [...(map.get(first) ?? []), phrase]);
  }
  return map;
}
