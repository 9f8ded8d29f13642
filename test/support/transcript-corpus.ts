import { createSeededRandom, type SeededRandom } from '../../harness/src/faults/index.js';

/** A transcript of which it is known what was read out. */
export interface MadeTranscript {
  readonly id: string;
  readonly language: string;
  readonly transcript: string;
  /** Script that was read out; absent for what somebody said to one person. */
  readonly script?: number;
}

export interface CorpusOptions {
  readonly seed: number;
  readonly transcripts: number;
  /** Scripts that are read out; few are heard often and many seldom. */
  readonly scripts: number;
  /** Share of voicemails that are no script, each unlike all others. Default 0.15. */
  readonly unlikeShare?: number;
  /** Share of words that are misheard, lost or added. Default 0.02, about what two recognisers differ by on one recording. */
  readonly wordErrors?: number;
  /** Share of transcripts whose start or end is missing. Default 0.35. */
  readonly cutShare?: number;
}

/** Transcripts of made scripts through a bad line and a recogniser; the same for the same options. */
export function* makeTranscripts(options: CorpusOptions): Generator<MadeTranscript> {
  const random = createSeededRandom(options.seed, 'transcripts');
  const made = new Map<number, { language: string; text: string }>();
  for (let count = 0; count < options.transcripts; count += 1) {
    const id = `t${String(count)}`;
    if (random.next() < (options.unlikeShare ?? 0.15)) {
      const language = random.chance(0.85) ? 'en' : 'es';
      yield { id, language, transcript: spoken(random, sentences(random, language, 2 + random.int(4)), language) };
      continue;
    }
    // The square of a share of one: a tenth of the scripts is heard in a third of the calls.
    const script = Math.floor(random.next() ** 2 * options.scripts);
    let source = made.get(script);
    if (source === undefined) {
      source = makeScript(options.seed, script);
      made.set(script, source);
    }
    yield { id, language: source.language, script, transcript: heard(random, source, options) };
  }
}

/** The script of a number: first those written by hand, then made ones. */
export function makeScript(seed: number, script: number): { language: string; text: string } {
  const written = WRITTEN_SCRIPTS[script];
  if (written !== undefined) return written;
  const random = createSeededRandom(seed, `script/${String(script)}`);
  const language = random.next() < 0.8 ? 'en' : 'es';
  const opening = random.pick(COMMON_OPENINGS[language] ?? ['']);
  const closing = random.pick(COMMON_CLOSINGS[language] ?? ['']);
  return { language, text: `${opening} ${sentences(random, language, 2 + random.int(5), true)} ${closing}`.trim() };
}

function sentences(random: SeededRandom, language: string, count: number, withSlots = false): string {
  const words = WORDS[language] ?? [];
  const said: string[] = [];
  for (let sentence = 0; sentence < count; sentence += 1) {
    const length = 8 + random.int(10);
    const own: string[] = [];
    for (let at = 0; at < length; at += 1) own.push(words[Math.floor(random.next() ** 1.5 * words.length)] ?? '');
    if (withSlots && random.next() < 0.4)
      own.splice(random.int(length), 0, random.pick(['{amount} dollars', '{name}', 'number {number}']));
    const text = own.join(' ');
    said.push(`${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`);
  }
  return said.join(' ');
}

function heard(random: SeededRandom, source: { language: string; text: string }, options: CorpusOptions): string {
  const said = spoken(random, source.text, source.language);
  const isUnspaced = source.language === 'zh';
  const units = isUnspaced ? Array.from(said) : said.split(' ');
  const misheard = mishear(random, units, {
    isUnspaced,
    share: options.wordErrors ?? 0.02,
    words: WORDS[source.language] ?? [],
  });
  const cut = random.next() < (options.cutShare ?? 0.35) ? cutOff(random, misheard) : misheard;
  const text = cut.join(isUnspaced ? '' : ' ');
  const doubled = random.next() < 0.05 ? `${text} ${text}` : text;
  return random.next() < 0.06 ? `${doubled} ${random.pick(TAILS)}` : doubled;
}

/** Fills the places of a script, numbers now in digits and now in words. */
function spoken(random: SeededRandom, text: string, language: string): string {
  const phone = `8${random.pick(['00', '33', '44', '55', '66', '77', '88'])}555${String(1_000 + random.int(9_000))}`;
  const name = random.pick(NAMES);
  const company = random.pick(COMPANIES);
  return text.replace(/\{(\w+)\}/gu, (_, slot: string) => {
    if (slot === 'name') return name;
    if (slot === 'company') return company;
    if (slot === 'amount') return String(100 + random.int(1_900));
    if (slot === 'number') return String(2 + random.int(90));
    if (slot === 'phone')
      return random.next() < 0.3 ? digitsInWords(phone, language) : phone.replace(/^(...)(...)/u, '$1-$2-');
    const key = String(1 + random.int(9));
    return random.next() < 0.4 ? digitsInWords(key, language) : key;
  });
}

const DIGIT_WORDS: Readonly<Record<string, string>> = {
  en: 'zero one two three four five six seven eight nine',
  es: 'cero uno dos tres cuatro cinco seis siete ocho nueve',
  fr: 'zero un deux trois quatre cinq six sept huit neuf',
  pt: 'zero um dois tres quatro cinco seis sete oito nove',
};

/** Digits one by one as a language says them; as they are where the language has no words here. */
export function digitsInWords(digits: string, language: string): string {
  const words = DIGIT_WORDS[language]?.split(' ');
  return words === undefined ? digits : Array.from(digits, (digit) => words[Number(digit)] ?? digit).join(' ');
}

function mishear(
  random: SeededRandom,
  units: readonly string[],
  { isUnspaced, share, words }: { isUnspaced: boolean; share: number; words: readonly string[] },
): string[] {
  const heardUnits: string[] = [];
  for (const unit of units) {
    if (random.next() >= share) heardUnits.push(unit);
    else {
      const other = isUnspaced
        ? (units[random.int(units.length)] ?? '')
        : (words[random.int(Math.max(words.length, 1))] ?? 'hm');
      const kind = random.int(3);
      if (kind === 0) heardUnits.push(other);
      else if (kind === 1) heardUnits.push(unit, other);
    }
  }
  return heardUnits;
}

/** Keeps 40 % at least: a voicemail that starts late, or one that ends early. */
function cutOff(random: SeededRandom, units: readonly string[]): string[] {
  const kept = Math.ceil(units.length * (0.4 + 0.6 * random.next()));
  return random.next() < 0.7 ? units.slice(units.length - kept) : units.slice(0, kept);
}

/** Invented scripts by language, with slots for what varies: `{name}`, `{amount}`, `{phone}`, `{key}`, `{number}`, `{company}`. */
const SCRIPTS_BY_LANGUAGE: Readonly<Record<string, readonly string[]>> = {
  en: [
    'Good day. My name is {name} and I am an agent of the social security office. A rental car found near the border was leased with your social security number, and a judge has ordered it to be frozen by this evening. Press {key} to give your statement before a marshal comes to your home.',
    'Hello, {name} from the order desk of Amazon. A television for {amount} dollars was bought with your card and leaves our warehouse tonight. If that was not you, press {key} to stop the shipment, or call {phone} and have your card at hand.',
    'This is the last reminder that the factory coverage of your car has run out. {name} in the renewal office has kept your file open until Friday. Press {key} to hear your price, or press {key} to be taken off our list.',
    'Attention customer of {company}. Your meter shows an unpaid bill and a crew has been sent to cut your power within {number} minutes. To call the crew back press {key} at once and settle {amount} dollars with the billing desk.',
    'Hi, it is {name}. Your application for student loan forgiveness is missing one signature, and the program closes at the end of the month. Call me back on {phone}, that is {phone}, and mention file {number}.',
    'Good news from cardholder services. Because you paid on time, the interest rate on your credit cards can go down to {number} percent for the next {number} months. Press {key} to speak to {name} while this offer lasts.',
    'This is {name} with the county school district. Because of ice on the roads all schools open two hours late on Monday, and buses run on the winter schedule. Breakfast will not be served. Stay safe and warm.',
    'Hello, this is {company} pharmacy. The prescription for {name} ending in {number} is ready for pickup until Saturday. Our counter is open from eight to nine. To hear this again press {key}.',
    'Hi neighbor, {name} here, your candidate for city council. On election day I ask for your vote, because potholes do not fix themselves. Polls are open until eight in the evening. Paid for by friends of {name}.',
  ],
  es: [
    'Le habla {name} de la oficina del seguro social. Su numero fue usado para abrir cuentas falsas en Texas y sera suspendido hoy mismo. Oprima {key} para hablar con un agente federal o llame al {phone} antes de las cinco.',
    'Estimado cliente, detectamos una compra de {amount} dolares en su tarjeta que usted no hizo. Si desea cancelar el cargo oprima {key} ahora y tenga lista su tarjeta. Mi nombre es {name} del departamento de fraudes.',
    'Buenas tardes, le llama {name} de la clinica dental para recordarle su cita del jueves a las diez de la manana. Por favor llegue quince minutos antes y traiga su identificacion. Si no puede venir llame al {phone}.',
  ],
  zh: [
    '您好,这里是国际快递公司,您有一个包裹因为地址不清被海关扣留,编号{number},请在今天下午之前按{key}联系客服人员办理,逾期将退回寄件人。',
    '这里是中国驻纽约总领事馆,您有一份重要文件尚未领取,涉及一宗刑事案件,请按{key}转接值班警官{name},或拨打{phone}查询。',
    '家长您好,明天因为大雪全区学校停课一天,校车不开,体育馆的活动改到下周六举行,请互相转告,谢谢您的配合。',
  ],
  fr: [
    'Bonjour, ici {name} du service des impots. Un mandat sera emis contre vous pour une dette de {amount} dollars. Appuyez sur le {key} pour parler avec un agent et eviter la saisie de vos biens ce soir.',
  ],
  pt: [
    'Prezado cliente, sua conta foi bloqueada depois de uma transferencia de {amount} reais que nao foi reconhecida. Pressione {key} para falar com {name} da central de seguranca ou ligue para {phone} ainda hoje.',
  ],
  vi: [
    'Xin chao quy khach, tai khoan ngan hang cua quy khach se bi khoa trong hai gio toi vi co giao dich la {amount} do la. Vui long bam phim {key} de gap nhan vien {name} va xac nhan thong tin.',
  ],
};
const WRITTEN_SCRIPTS = Object.entries(SCRIPTS_BY_LANGUAGE).flatMap(([language, texts]) =>
  texts.map((text) => ({ language, text })),
);

/** What scripts of all kinds begin and end with: the phrases that must not hold them together. */
const COMMON_OPENINGS: Readonly<Record<string, readonly string[]>> = {
  en: [
    'Hello, this is an automated call.',
    'Hi, this is {name} calling on a recorded line.',
    'This is an important message for you.',
    '',
  ],
  es: ['Hola, esta es una llamada automatica.', 'Buenas tardes, le habla {name}.', ''],
};
const COMMON_CLOSINGS: Readonly<Record<string, readonly string[]>> = {
  en: [
    'Press {key} to speak to a representative now. Thank you and have a great day.',
    'To be removed from our calling list press {key}. Thank you, goodbye.',
    'Please call us back at {phone}. Again, that is {phone}. Thank you.',
    '',
  ],
  es: [
    'Oprima {key} para hablar con un representante. Gracias por su atencion.',
    'Para ser eliminado de la lista oprima {key}. Gracias.',
    '',
  ],
};

/** Words from which the bodies of made scripts are drawn, often ones first. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  en: `the to your you and a of for is we on this in with our have be that it will from as are not can has an all by at now was if or been any
    no call up new today please home time free business service plan offer price payment bill card bank credit account number office month
    year day week family house roof water heater window solar panel energy power company state federal program grant money cash check tax
    refund claim insurance policy health doctor clinic medical device brace knee back pain relief order delivery package store purchase
    computer license software internet phone line signal upgrade tower security camera alarm system warranty repair vehicle truck driver
    engine oil school loan student degree class course teacher travel hotel cruise ticket beach island prize winner entry drawing survey
    question answer minute hour morning evening local city county street neighbor crew team manager director agent specialist advisor
    department review record file notice letter mail email website online page listing search map customer owner property land sale buyer
    lender rate mortgage debt balance limit charge fee interest amount value save lower reduce cancel confirm update verify renew extend
    expire approve qualify enroll receive send visit schedule install inspect clean replace cover protect support help need want ask give
    take make find know think leave return open close start stop hold wait speak listen hear read write sign quick simple easy special
    limited final last first second third next best better great good bad high low big small short long early late recent current
    personal private public national international official certified licensed trusted senior young single double whole half full empty
    garden kitchen floor carpet door garage basement attic chimney gutter fence pool lawn tree snow storm rain wind summer winter spring
    monday tuesday wednesday thursday friday saturday sunday january march april june july august october december church charity veteran
    police fire rescue donation ticket badge ballot vote poll party senator mayor council budget road bridge park library museum music`.split(
    /\s+/u,
  ),
  es: `de la que el en y a los se del las un por con no una su para es al lo como mas o pero sus le ha me si sin sobre este ya entre cuando
    todo esta ser son dos tambien fue era muy anos hasta desde esta mi porque que solo han yo hay vez puede todos asi nos ni parte tiene
    uno donde bien tiempo mismo ese ahora cada vida otro despues te otros aunque esa eso hace otra gobierno tan durante siempre dia tanto
    ella tres menos hoy mayor cuenta banco tarjeta credito pago factura luz agua casa techo energia empresa estado programa dinero cheque
    reembolso seguro poliza salud doctor clinica pedido entrega paquete tienda compra computadora licencia internet telefono linea garantia
    vehiculo motor escuela prestamo estudiante viaje hotel crucero premio ganador encuesta pregunta respuesta minuto hora oficina archivo
    carta correo cliente dueno propiedad venta tasa hipoteca deuda saldo cargo interes monto ahorrar bajar cancelar confirmar renovar
    aprobar calificar recibir enviar visitar limpiar cubrir proteger ayuda gratis especial ultimo primero mejor grande rapido facil`.split(
    /\s+/u,
  ),
};

const NAMES: readonly string[] =
  'Amber Bruno Carla Dexter Elena Farid Gloria Hector Ingrid Jonas Kamala Leroy Monica Nestor Olga Percy Quincy Rosa Stefan Tamara Ulises Vera Wendell Ximena Yusuf Zelda'.split(
    ' ',
  );
const COMPANIES: readonly string[] = [
  'Lakeside Power',
  'Northern Electric',
  'Blue Ridge Energy',
  'Harbor Light',
  'Prairie Gas',
];

/** What recognisers add where nobody speaks. */
const TAILS: readonly string[] = [
  'Thank you for watching!',
  'Thanks for watching.',
  '[Music]',
  '(upbeat music)',
  'you',
  'Bye. Bye. Bye.',
  '♪',
];
