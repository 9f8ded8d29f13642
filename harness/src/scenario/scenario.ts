/** Characters of a scenario file: a network of 7,000 carriers with all its trunks has about two million. */
export const MAX_SCENARIO_CHARS = 2_097_152;
/** All carriers of the United States, twice. */
export const MAX_PROVIDERS = 20_000;
/** Each of them at ten others. */
export const MAX_TRUNKS = 200_000;
/** Callers, and called numbers: each has random numbers of its own, which takes memory. */
export const MAX_PARTIES = 20_000;
/** Of one provider: more would not be understood by anybody. */
export const MAX_BEHAVIOURS = 32;
export const MAX_PHASES = 100;
/** Of a phase, seconds: a week. */
export const MAX_PHASE_SECONDS = 604_800;
/** Of calls that staff traces for what became of them: more would not be looked at one by one. */
export const MAX_TRACES = 1_000;
/** Calls a second: more than a carrier has, so that a slip of the keyboard is found. */
export const MAX_PER_SECOND = 100_000;
/** Calls of a whole scenario: what a simulation carries in an hour. */
export const MAX_CALLS = 20_000_000;
/** Entries of a list of numbers. */
export const MAX_NUMBER_ENTRIES = 10_000;
/** Numbers that the ranges of one list may hold together. */
export const MAX_POOL_NUMBERS = 1_000_000;
/** Numbers of one do-not-originate list: they are held, and searched, as they are. */
export const MAX_DNO_NUMBERS = 10_000;
/** Phones of sip.js in a scenario: each is a user agent with a connection of its own. */
export const MAX_PHONES = 50;
/** Characters of a script: ten minutes of talk. */
export const MAX_SCRIPT_CHARS = 20_000;
/** Lines of a CSV file. */
export const MAX_CSV_ROWS = 100_000;
/** Fields of a line. */
export const MAX_CSV_FIELDS = 64;
/** Characters of a CSV file. */
export const MAX_CSV_CHARS = 16_777_216;
/** Aliases of YAML that one scenario may use, and values that they may stand for: a few lines can otherwise stand for more than there is memory. */
export const MAX_YAML_ALIASES = 1_000;
/** Faults that are told of one scenario. */
export const MAX_FAULTS = 100;

/** Numbers one after the other. */
interface NumberRange {
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

/** Digits of a North American number: what is made up under a prefix of it has so many. Elsewhere numbers are as long, or four digits longer than the prefix. */
const MADE_DIGITS = 11;

/** All numbers under a prefix. Behind `1`, and behind a North American area code, no digit follows that no area code or exchange begins with. */
export function numbersUnder(prefix: string) {
  const length = prefix.startsWith('1') ? MADE_DIGITS : Math.max(MADE_DIGITS, Math.min(15, prefix.length + 4));
  const digits = Math.max(0, length - prefix.length);
  const isBounded = prefix === '1' || (prefix.length === 4 && prefix.startsWith('1'));
  const room = digits === 0 ? 1 : (isBounded ? 8 : 10) * 10 ** (digits - 1);
  const from = isBounded ? 2 * 10 ** (digits - 1) : 0;
  const at = (place: number): string => (digits === 0 ? prefix : prefix + String(from + place).padStart(digits, '0'));
  return { room, at };
}

/** A script that robocallers read out. */
export interface RobocallScript {
  /** BCP 47. */
  readonly language: string;
  /** What kind of call it is. */
  readonly topic: 'impersonation' | 'tech-support' | 'finance' | 'utility' | 'health' | 'vehicle' | 'travel' | 'debt';
  /** With words in braces that vary from call to call. */
  readonly text: string;
}

/** Words in braces that every script may have. A CSV file may bring others along. */
export const SCRIPT_WORDS: readonly string[] = ['name', 'company', 'amount', 'number', 'key', 'callBack', 'day'];
/** Scripts by name, for `script` of a caller. All are invented: none is of a real recording. */
export const ROBOCALL_SCRIPTS: Readonly<Record<string, RobocallScript>> = {
  'ssa-suspended': {
    language: 'en',
    topic: 'impersonation',
    text: 'This call is from the inspector of the social security administration. My name is officer {name}. We are compelled to suspend your social security number because of suspicious activity in the south border of Texas. To speak with an officer press {key} now, or call our federal office at {callBack} before you are arrested.',
  },
  'irs-lawsuit': {
    language: 'en',
    topic: 'impersonation',
    text: 'Final notice from the tax crime unit. A lawsuit about unpaid taxes of {amount} dollars is being filed under your name, case number {number}. If we do not hear from you, the local sheriff will be at your door by {day}. Return this call at {callBack} and ask for agent {name}.',
  },
  'shop-order': {
    language: 'en',
    topic: 'impersonation',
    text: 'Hello, {name} here from the fraud desk of your online store. A telephone for {amount} dollars was ordered through your account and leaves the warehouse tonight. If you did not place this order press {key} to cancel it, or call {callBack} to have your money returned.',
  },
  'computer-renewal': {
    language: 'en',
    topic: 'tech-support',
    text: 'Dear customer, the protection plan of your computer is renewed today, and {amount} dollars will be taken from your bank account for {number} months. To cancel the renewal and get a refund call the billing department at {callBack}. Again, the number is {callBack}.',
  },
  'card-rates': {
    language: 'en',
    topic: 'finance',
    text: 'This is {name} with account services. Your good record of payments makes you eligible to lower the interest on all of your credit cards to as little as {number} percent, for a limited time. Press {key} to speak with a specialist, or press {key} to be taken off the list.',
  },
  'student-loan': {
    language: 'en',
    topic: 'finance',
    text: 'Hi, this is {name} with the student loan assistance center. Your file has been pre approved for forgiveness of {amount} dollars under the new program, but we need one document before {day}. Please call me back on {callBack} and mention file {number}.',
  },
  'power-disconnect': {
    language: 'en',
    topic: 'utility',
    text: 'Attention, this is the disconnection department of {company}. Because of a past due balance of {amount} dollars your electric service will be shut off within {number} minutes. To stop the crew that is on its way, call {callBack} or press {key} and have a payment card ready.',
  },
  'medicare-brace': {
    language: 'en',
    topic: 'health',
    text: 'Good afternoon, I am {name} with the senior health line. Our records show that your Medicare covers a back or knee brace at no cost, and a doctor has already signed the order. To have it shipped before {day} press {key} and confirm the number on your red, white and blue card.',
  },
  'vehicle-warranty': {
    language: 'en',
    topic: 'vehicle',
    text: 'We have been trying to reach you about the extended warranty of your vehicle. You should have received a notice in the mail about the coverage that is expiring. Since we have had no answer, this is a final courtesy call before we close your file. Press {key} to renew, or call {callBack}.',
  },
  'free-cruise': {
    language: 'en',
    topic: 'travel',
    text: 'Ahoy! This is captain {name} of {company}. You have been chosen out of {number} guests of our hotels for a cruise to the islands for two, with all taxes paid but a small fee of {amount} dollars. Press {key} to claim the cabin by {day}.',
  },
  'debt-warrant': {
    language: 'en',
    topic: 'debt',
    text: 'This message is for the party at this address. My name is {name} with pre legal services. A claim for {amount} dollars is to be served at your home and your place of work on {day}. To stop it you have the right to call the firm at {callBack}, reference {number}.',
  },
  'seguro-social': {
    language: 'es',
    topic: 'impersonation',
    text: 'Le habla {name} de la oficina del seguro social. Su numero fue usado para abrir cuentas falsas en Texas y sera suspendido hoy mismo. Oprima {key} para hablar con un agente federal o llame al {callBack} antes de que cierre su caso numero {number}.',
  },
  consulado: {
    language: 'es',
    topic: 'impersonation',
    text: 'Buenas tardes, le llamamos del departamento de documentos del consulado. Hay un paquete a su nombre con tarjetas que no son suyas, y la policia abrio el expediente {number}. Para dar su declaracion oprima {key}, o comuniquese con el oficial {name} al {callBack} hoy mismo.',
  },
};
