import { ANY_NUMBER, tokenise } from './tokens.js';
import type { ScriptClass, ScriptName } from './types.js';

/** Words of a table as they are written there, with a comma and a space between. */
function listed(words: string): readonly string[] {
  return words.split(', ');
}

/** What is said to have happened or to be offered. */
interface Detail {
  readonly detail: string;
  /** As those of topics. */
  readonly words: readonly string[];
  /** Classes that the detail is said of; none for all. */
  readonly classes: readonly ScriptClass[];
}

const said = (detail: string, words: string, ...classes: readonly ScriptClass[]): Detail => ({
  detail,
  words: listed(words),
  classes,
});

/** Tried in order. */
const DETAILS: readonly Detail[] = [
  said('30MinDisconnect', 'disconnection, disconnect, interruption of service, shut off, corte, 停电, 停電', 'utility'),
  said(
    'BenefitsCanceled',
    'benefits canceled, benefits cancelled, cancel your benefits, benefits will be',
    'government-impersonation',
    'health',
  ),
  said('Suspended', 'suspend, suspension, suspendid*, 暂停, 暫停, 冻结, 凍結'),
  said('ArrestWarrant', 'arrest, warrant, orden de arresto, 逮捕', 'government-impersonation', 'unknown'),
  said('LegalAction', 'legal action, enforcement, lawsuit, legal proceeding, demanda, accion legal'),
  said('ReturnedParcel', 'final notice delivery, 退回, 签收, 簽收, undelivered, no entregado'),
  said('SeizedParcel', 'seized, intercepted, illegal items, drugs, 查获'),
  said(
    'SuspiciousCharge',
    'suspicious, unauthorized charge, fraudulent, unauthorized, unusual, sospechos*, 可疑',
    'business-impersonation',
    'financial',
    'tech-support',
  ),
  said('SuspiciousActivity', 'suspicious, fraudulent, sospechos*, 可疑', 'government-impersonation'),
  said('AuthorizeOrder', 'authorize, authorized order, order has been placed, order placed, autoriz*, 授权'),
  said('Purchase', 'purchase, charged, compra, cargo', 'business-impersonation', 'financial', 'tech-support'),
  said('Forgiveness', 'forgiveness, forgiven, condonacion, 减免, 減免', 'student-loan', 'debt-relief'),
  said('Hardship', 'hardship, covid', 'student-loan', 'debt-relief', 'financial'),
  said(
    'RateReduction',
    'zero percent, lower your, interest rate, reduce, reduction, tasa de interes, 利率',
    'financial',
    'debt-relief',
  ),
  said('VisaAlert', 'visa mastercard, visa and mastercard, visa alert', 'financial'),
  said('Extended', 'extend, expire, factory, extendid*, 延长', 'warranty'),
  said('Renewal', 'renew, subscription, renov*, suscripcion, 续费'),
  said('Refund', 'refund, reembolso, 退款'),
  said('Rebate', 'rebate, discount, percent off, descuento, 折扣, 优惠'),
  said('Hijack', 'hacked, hijack, virus, compromised, breach, 病毒'),
  said('Blocked', 'blocked, locked, bloquead*'),
  said('Enrollment', 'enroll*, open enrollment, inscri*'),
  said('Approved', 'approved, preapproved, qualif*, aprobad*, califica*, 批准'),
  said('Winner', 'winner, won, prize, selected, ganador, premio, 中奖, 中獎', 'travel-prize', 'business-impersonation'),
  said('FreeOffer', 'free, no cost, gratis, 免费, 免費'),
  said('Closing', 'closed, closing, closure, delay, cerrad*', 'lawful-looking'),
  said('Refill', 'refill, ready, prescription, receta', 'lawful-looking'),
  said('Reminder', 'reminder, appointment, recordatorio, cita, 预约', 'lawful-looking'),
  said('Verify', 'verify, verification, confirm, verific*, 验证'),
  said('FinalNotice', 'final notice, final attempt, last notice, ultimo aviso, 最后, 最後'),
];

/** What a script is about, with the words that show it: whole words, with the endings of plural and past; `stem*` is every word that begins so; `a b` are words in a row. */
interface Topic {
  readonly topic: string;
  readonly class: ScriptClass;
  /** Each found counts once; those with a `!` before them decide alone, others only with a second. */
  readonly words: readonly string[];
}

/** Class, topic and words of the campaigns that regulators and traceback groups name in public; the first with the most words wins. */
const TOPICS: readonly Topic[] = topicsOf({
  'government-impersonation/SSA':
    '!social security, ssa, benefit, suspend, enforcement, officer, !seguro social, !seguridad social, 社会安全, 社會安全, 社保',
  'government-impersonation/IRS':
    '!internal revenue, !irs, tax, arrest, lawsuit, treasury, impuesto, 国税局, 國稅局, 税务, 稅務',
  'government-impersonation/CBP':
    '!border protection, !border patrol, customs, parcel, drugs, seized, intercepted, aduana, 海关, 海關',
  'government-impersonation/Consulate':
    '!consulate, !embassy, !consulado, !embajada, 领事馆, 領事館, 大使馆, 大使館, passport, visa application',
  'government-impersonation/Immigration': '!immigration, deport, visa status, !inmigracion, !migracion, 移民局, 出入境',
  'government-impersonation/LegalDept':
    'legal action, legal department, warrant, lawsuit, case, investigation, arrest, court, federal reserve, crime, demanda, orden de arresto, 法院, 公安, 逮捕, 检察院',
  'health/Medicare': '!medicare, red white and blue, benefit, part b, supplement, 医疗保险, 醫療保險, 红蓝卡, 紅藍卡',
  'health/HealthInsurance':
    '!health insurance, !health plan, !healthcare plan, health coverage, enrollment, subsidy, affordable, blue cross, aetna, cigna, !seguro medico, !seguro de salud, obamacare, 健康保险, 健康保險',
  'health/MedicalDevice':
    '!back brace, !knee brace, !medical alert, !brace, pain, orthopedic, cgm, glucose, diabetic, genetic test, fallen, alert system, 拐杖, 血糖',
  'business-impersonation/Amazon': '!amazon, prime, iphone, macbook, order, purchase, unauthorized, 亚马逊, 亞馬遜',
  'business-impersonation/Express':
    '!fedex, !ups, !dhl, !usps, package, parcel, delivery, paquete, entrega, 快递, 快遞, 快件, 包裹, 签收, 簽收',
  'business-impersonation/Order':
    '!authorized order, !preauthorized order, !authorized purchase, order, purchase, charged, authorize, cancel, refund, pedido, compra, cargo, autoriz*, 订单, 訂單, 退款',
  'financial/Bank':
    '!zelle, !cash app, !venmo, !wells fargo, !bank of america, !chase bank, bank account, debit card, blocked, suspend, cuenta bancaria, tarjeta de debito, 银行, 銀行, 转账, 轉賬',
  'financial/CCIRR':
    '!interest rate, !cardholder services, !card services, rate, discover, credit card, visa, mastercard, zero percent, payment history, qualify, lower, tasa de interes, tarjeta de credito, 信用卡, 利率',
  'student-loan/StudentLoan':
    '!student loan, forgiveness, federal loan, repayment, navient, !prestamo estudiantil, !prestamos estudiantiles, 学生贷款, 學生貸款, 助学贷款',
  'debt-relief/DebtRelief':
    '!debt relief, !debt consolidation, !debt settlement, debt, creditor, lender, unsecured, relief, hardship, alivio de deuda, deuda, 债务, 債務',
  'financial/Loan':
    '!personal loan, !preapproved for a, !business loan, loan, approved, funding, working capital, payday, prestamo, 贷款, 貸款',
  'financial/Mortgage': '!mortgage, refinance, equity, homeowner, hipoteca, 房贷, 房貸',
  'warranty/AutoWarranty':
    '!car warranty, !auto warranty, !extended warranty, !manufacturers warranty, car, dealer, !vehicle warranty, !vehicles warranty, warranty, vehicle, coverage, factory, garantia, vehiculo, 汽车保修, 保修',
  'warranty/HomeWarranty': '!home warranty, !homes warranty, appliance, garantia del hogar',
  'utility/Utility':
    '!electric bill, !disconnection, !disconnect, utility, power, electric, meter, technician, interruption of service, gas company, rebate, billing department, electricidad, factura de luz, corte, 电费, 電費, 停电, 停電',
  'business-impersonation/ISP':
    '!comcast, !xfinity, !spectrum, !verizon, !at t, !tmobile, !directv, cable, internet service, wireless, percent off, internet bill, 宽带',
  'tech-support/Computer':
    '!microsoft, !windows, !norton, !mcafee, !geek squad, computer, virus, hacked, hijack, antivirus, ip address, subscription, renew, refund, security breach, computadora, 电脑, 電腦, 病毒',
  'tech-support/Apple': '!apple support, !icloud, !apple id, apple, breached, compromised, iphone, 苹果, 蘋果',
  'travel-prize/Travel':
    '!vacation, !cruise, !marriott, !hilton, !timeshare, resort, travel, stay, reward, destination, bahamas, vacaciones, crucero, 旅游, 旅遊',
  'travel-prize/Prize':
    '!sweepstakes, !publishers clearing, !lottery, prize, winner, won, congratulations, gift card, premio, ganador, loteria, 中奖, 中獎, 奖金',
  'home-services/Solar': '!solar, panel, energy, electric bill, homeowner, paneles solares, 太阳能, 太陽能',
  'home-services/HomeImprovement':
    '!roof, !home security, !duct cleaning, !windows and, gutter, alarm system, free estimate, remodel, techo',
  'home-services/HouseBuyer':
    '!cash offer, !sell your house, !sell your home, !buy your house, property, real estate, vender su casa',
  'business-services/BusinessListing':
    '!google listing, !business listing, !google business, google, listing, search engine, verify, front page, business owner, 商家',
  'business-services/PaymentProcessing':
    '!merchant, !credit card processing, !card processing, terminal, processing fees',
  'lawful-looking/School':
    '!school district, !elementary school, !high school, !middle school, school, students, parents, principal, closed, bus, escuela, estudiantes, 学校, 學校',
  'lawful-looking/Pharmacy': '!prescription, !pharmacy, refill, ready for pickup, farmacia, !receta, 药房, 藥房, 处方',
  'lawful-looking/Appointment':
    '!your appointment, !an appointment, reminder, confirm, reschedule, doctor, clinic, dental, cita, 预约, 預約',
  'lawful-looking/Political':
    '!paid for by, !vote for, !election day, vote, election, candidate, senator, congress, ballot, poll, votar, elecciones, 投票, 选举',
  'lawful-looking/DebtCollection':
    '!debt collector, !attempt to collect, collect, personal business matter, cobrador, cobrar una deuda',
});

function topicsOf(table: Readonly<Record<`${ScriptClass}/${string}`, string>>): readonly Topic[] {
  return Object.entries(table).map(([name, words]) => {
    const [kind, topic] = name.split('/') as [ScriptClass, string];
    return { topic, class: kind, words: listed(words) };
  });
}

/** Transcripts of a script that are read for its name, and words of each: a name is told in the first minute. */
const MAX_TRANSCRIPTS = 8;
const MAX_TOKENS = 250;
const MAX_KEYWORDS = 8;
const MAX_PART = 23;
/** Words shorter than which say little; the fall-back names a script by longer ones. */
const LEAST_LETTERS = 5;

/** Words that most scripts have, and calls of all kinds. They name nothing. */
const GENERAL: ReadonlySet<string> = new Set(
  `about account after again before being call called calling calls contact could customer department first following from have hello here
  immediately information inform into just know listen message minutes number office other over please press queue reach received regarding
  representative right service services should speak stay still thank that their them then there these this those through today under very
  want were what when where which will with without would your yours gracias llamada llamar marque numero oprima para presione usted nuestro
  nuestra mensaje favor sobre desde donde buenos buenas votre vous pour avec appel`.split(/\s+/u),
);

/** What a topic was found by. */
interface Found {
  readonly topic: Topic;
  readonly score: number;
  readonly words: readonly string[];
}

/**
 * A name for a script in the style of the Industry Traceback Group, topic and detail, and the kind of fraud it is taken for. Topics come
 * from a table of words in English, Spanish and Chinese; where none fits the script is named by its own most distinctive words and its class
 * is `unknown`. A class is a guess from words and no finding. Never throws for any strings.
 *
 * @param transcripts of one script, at most 8 of which are read
 * @example
 * console.log(nameOfScript(['Your social security number has been suspended, press one']).name); // SSA-Suspended
 */
export function nameOfScript(transcripts: readonly string[]): ScriptName {
  const read = transcripts
    .slice(0, MAX_TRANSCRIPTS)
    .map((transcript) => tokenise(transcript, { numbers: 'any-number', maxTokens: MAX_TOKENS }));
  const texts = read.map(({ tokens }) => ` ${joined(tokens)} `);
  const best = bestTopic(texts);
  const detail = detailOf(texts, best?.topic.class ?? 'unknown');
  const own = distinctiveWords(read.map(({ tokens }) => tokens));
  if (best === undefined) {
    const [first = 'Unnamed', second] = own;
    return named({
      topic: titled(first),
      detail: detail?.detail ?? titled(second ?? 'Unclassified'),
      class: 'unknown',
      keywords: own.slice(0, 2),
    });
  }
  const other = own.find((word) => !best.words.some((known) => word.includes(known.split(' ')[0] ?? known)));
  const keywords = [...new Set([...best.words, ...(detail === undefined ? [] : [detail.word])])];
  return named({
    topic: best.topic.topic,
    detail: detail?.detail ?? titled(other ?? 'General'),
    class: best.topic.class,
    keywords,
  });
}

function named({ topic, detail, class: kind, keywords }: Omit<ScriptName, 'name'>): ScriptName {
  return {
    name: `${topic}-${detail}`,
    topic,
    detail,
    class: kind,
    keywords: keywords.slice(0, MAX_KEYWORDS),
  };
}

/** Pairs of characters overlap by one: put together they are the text again. */
function joined(tokens: readonly string[]): string {
  let text = '';
  let last = '';
  for (const token of tokens) {
    const isOverlapping = token.length === 2 && token > '\u0e00' && last.length === 2 && last[1] === token[0];
    text += isOverlapping ? token.slice(1) : ` ${token}`;
    last = token;
  }
  return text.trim();
}

const ENDINGS = [' ', 's ', 'd ', 'ed ', 'es ', 'ing '];

function has(text: string, word: string): boolean {
  // Languages without spaces have no beginnings and ends of words to look for.
  if (word > '\u0e00') return text.includes(word);
  if (word.endsWith('*')) return text.includes(` ${word.slice(0, -1)}`);
  return text.includes(` ${word}`) && ENDINGS.some((ending) => text.includes(` ${word}${ending}`));
}

function bestTopic(texts: readonly string[]): Found | undefined {
  let best: Found | undefined;
  for (const topic of TOPICS) {
    let score = 0;
    const words: string[] = [];
    for (const marked of topic.words) {
      const isDeciding = marked.startsWith('!') || marked > '\u0e00';
      const word = marked.startsWith('!') ? marked.slice(1) : marked;
      const share = texts.filter((text) => has(text, word)).length / Math.max(texts.length, 1);
      // Heard in a third of the wordings at least: one transcript may be another's.
      if (share < 1 / 3) continue;
      score += (isDeciding ? 2.5 : 1) * share;
      words.push(word);
    }
    if (score >= 1.5 && score > (best?.score ?? 0)) best = { topic, score, words };
  }
  return best;
}

function detailOf(texts: readonly string[], of: ScriptClass): { detail: string; word: string } | undefined {
  for (const { detail, words, classes } of DETAILS) {
    if (classes.length > 0 && !classes.includes(of)) continue;
    const word = words.find((stem) => texts.filter((text) => has(text, stem)).length * 3 > texts.length);
    if (word !== undefined) return { detail, word };
  }
  return undefined;
}

/** Longer words that most of the wordings have, those said most often first. */
function distinctiveWords(read: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const tokens of read)
    for (const token of tokens) {
      const isTelling = token > '\u0e00' || (token.length >= LEAST_LETTERS && !GENERAL.has(token));
      if (token !== ANY_NUMBER && isTelling) counts.set(token, (counts.get(token) ?? 0) + 1);
    }
  return [...counts]
    .toSorted((a, b) => b[1] - a[1] || b[0].length - a[0].length || (a[0] < b[0] ? -1 : 1))
    .map(([word]) => word);
}

/** A word as a part of a name: letters and digits only. */
function titled(word: string): string {
  const letters = Array.from(word.replace(/[^\p{L}\p{N}]/gu, ''))
    .slice(0, MAX_PART)
    .join('');
  return letters === '' ? 'Unclassified' : `${letters.slice(0, 1).toUpperCase()}${letters.slice(1)}`;
}
