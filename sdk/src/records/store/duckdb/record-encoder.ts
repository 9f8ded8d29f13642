import type { CallRecord } from '../../../contract/call-record.js';
import {
  COUNT_BASE,
  HOLE,
  MAX_COUNT,
  MEMBERS,
  PER_MILLISECOND,
  PER_SECOND,
  BodyWriter,
  hasNames,
  unknownMember,
} from './record-form.js';
import type { Kind, Shape } from './record-form.js';

/** Writes a text into a hole. */
function writtenPiece(text: string, kinds: number, holes: BodyWriter): string {
  const { length } = text;
  const isDigits = (kinds & DIGIT_KIND) !== 0 && length <= MAX_DIGITS;
  if (isDigits && (text.charCodeAt(0) !== ZERO || length === 1)) {
    const value = Number(text);
    const isShort = value < MAX_DIGITS_5;
    holes.fixed(value, isShort ? 5 : 7);
    return isShort ? DIGITS_5 : DIGITS_7;
  }
  if ((kinds & HEX_KIND) !== 0 && length >= MIN_RUN && length % 2 === 0 && length < 2 * MAX_COUNT) {
    holes.hex(text, 0, length);
    return HEX[length >>> 1] ?? hexHole(length >>> 1);
  }
  if (length === UUID_LENGTH && isUuid(text)) {
    holes.hex(text, 0, length);
    return UUID;
  }
  holes.text(text);
  return TEXT;
}

/** Writes a number into a hole, times as distances from the beginning of the call. */
function writtenNumber(
  value: number,
  kind: Kind,
  into: { readonly holes: BodyWriter; readonly inviteAtUs: number },
): string {
  const { holes, inviteAtUs } = into;
  if (!Number.isSafeInteger(value) || Math.abs(value) > MAX_NUMBER) {
    holes.text(JSON.stringify(value));
    return JSON_TEXT;
  }
  if (kind === 'us') {
    const distance = value - inviteAtUs;
    // Sources that write whole seconds have whole seconds between their times.
    const isWhole = distance % PER_SECOND === 0;
    const units = isWhole ? distance / PER_SECOND : distance;
    holes.unsigned(2 * (units < 0 ? -2 * units - 1 : 2 * units) + (isWhole ? 1 : 0));
    return MICROSECONDS;
  }
  if (kind === 'ms') {
    holes.signed(value - Math.floor(inviteAtUs / PER_MILLISECOND));
    return MILLISECONDS;
  }
  if (kind === 's') {
    holes.signed(value - Math.floor(inviteAtUs / PER_SECOND));
    return SECONDS;
  }
  holes.signed(value);
  return NUMBER;
}

const MAX_DIGITS_5 = 2 ** 40;
const MAX_DIGITS = 15;

/** Shortest run of hexadecimal digits, and shortest text, that is worth an entry in the list of what can be repeated. */
export const MIN_RUN: number = 8;

const FORM: string = String.fromCharCode(HOLE.form);
const UUID = String.fromCharCode(HOLE.uuid);
const DIGITS_5 = String.fromCharCode(HOLE.digits5);
const DIGITS_7 = String.fromCharCode(HOLE.digits7);
const TEXT: string = String.fromCharCode(HOLE.text);
const NUMBER = String.fromCharCode(HOLE.number);
const MICROSECONDS = String.fromCharCode(HOLE.microseconds);
const MILLISECONDS = String.fromCharCode(HOLE.milliseconds);
const SECONDS = String.fromCharCode(HOLE.seconds);
const RECORD_ID: string = String.fromCharCode(HOLE.recordId);
const INVITE_AT_US: string = String.fromCharCode(HOLE.inviteAtUs);
const AT_HOST: string = `@${FORM}${String.fromCharCode(HOLE.whole)}"`;
const JSON_TEXT: string = String.fromCharCode(HOLE.json);

const QUOTED_BASE64: string = `"${String.fromCharCode(HOLE.base64)}"`;

/** The holes of usual lengths and places, made once. */
const HEX: readonly string[] = Array.from({ length: 65 }, (_, size) => hexHole(size));
const QUOTED_REPEATS: readonly string[] = Array.from({ length: 64 }, (_, index) => `"${repeatHole(index)}"`);
const REPEATS: readonly string[] = Array.from({ length: 64 }, (_, index) => repeatHole(index));

function hexHole(size: number): string {
  return String.fromCharCode(HOLE.hex, COUNT_BASE + size);
}

function repeatHole(index: number): string {
  return String.fromCharCode(HOLE.repeat, COUNT_BASE + index);
}

/** Numbers that four times themselves are still exact of. */
const MAX_NUMBER = 2 ** 51;

/** Kinds of characters, and of texts that have no others. */
const DIGIT_KIND: number = 1;
const HEX_KIND: number = 2;
/** Written in JSON as it is. */
const PLAIN_KIND: number = 4;
const ANY_KIND = DIGIT_KIND | HEX_KIND | PLAIN_KIND;

const KINDS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 48 && code <= 57) return ANY_KIND;
  if (code >= 97 && code <= 102) return HEX_KIND | PLAIN_KIND;
  return code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c ? 0 : PLAIN_KIND;
});

const PLUS: number = 0x2b;
const ZERO = 0x30;
const UUID_LENGTH = 36;

/** The kinds that all characters of a text share; none for an empty one. */
function kindsOf(text: string): number {
  let kinds = text.length === 0 ? 0 : ANY_KIND;
  for (let at = 0; at < text.length && kinds !== 0; at += 1) kinds &= KINDS[text.charCodeAt(at)] ?? 0;
  return kinds;
}

function isUuid(text: string): boolean {
  for (let at = 0; at < UUID_LENGTH; at += 1) {
    const isHyphen = at === 8 || at === 13 || at === 18 || at === 23;
    const code = text.charCodeAt(at);
    if (isHyphen ? code !== 0x2d : ((KINDS[code] ?? 0) & HEX_KIND) === 0) return false;
  }
  return true;
}

/** Whether every surrogate of a text has its other half. */
function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0xd800 || code > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (code > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at += 1;
  }
  return true;
}

/** Numbers of forms. */
export interface FormNumbers {
  /** The number of a form, from 1; 0 where it has none and is to be written out. */
  readonly numberOf: (form: string) => number;
}

/** Ports that few peers do not use; others are mostly one connection's and would make every connection a form. */
const USUAL_PORTS: ReadonlySet<string> = new Set(['5060', '5061', '5080']);

/** Digits of a port. What is longer is none, and a text like any other: one that later ones may repeat. */
const MAX_PORT_DIGITS = 5;

/** Shapes of objects that are remembered of one place: some forms of a record take turns. */
const MAX_SHAPES = 4;

/** Takes records apart, one at a time. Never throws for what a record holds. */
export class RecordEncoder {
  readonly #forms: FormNumbers;
  readonly #paths: ReturnType<typeof createFormPaths>;
  readonly #holes = new BodyWriter(4_096);
  readonly #numbers: (number | string)[] = [];
  readonly #repeatable: string[] = [];
  #inviteAtUs = 0;
  #recordId = '';
  /** Where in the form we are. */
  #place: FormStep;
  /** Where the shape of the object of a form of its own is remembered: all forms begin at one step, which would have those of all of them. */
  #reference: FormStep | undefined;

  /** @param forms - numbers the forms */
  constructor(forms: FormNumbers) {
    this.#forms = forms;
    this.#paths = createFormPaths(forms);
    this.#place = this.#paths.start();
  }

  /**
   * Writes the body of a record.
   * @returns the number of its form; 0 where the body begins with the form itself
   */
  encode(record: CallRecord, into: BodyWriter): number {
    this.#holes.reset();
    this.#numbers.length = 0;
    this.#repeatable.length = 0;
    this.#inviteAtUs = record.inviteAtUs;
    this.#recordId = record.recordId;
    this.#place = this.#paths.start();
    this.#reference = undefined;
    this.#object(record);
    const form = this.#paths.end(this.#place);
    if (typeof form === 'string') into.text(form);
    for (const number of this.#numbers) {
      if (typeof number === 'number') into.unsigned(number);
      else {
        into.unsigned(0);
        into.text(number);
      }
    }
    into.copy(this.#holes);
    return typeof form === 'string' ? 0 : form;
  }

  #put(text: string): void {
    this.#place = this.#paths.token(this.#place, text);
  }

  /** Place of a text among those that can be repeated; -1 for none. Lengths differ mostly, and are compared first. */
  #findRepeat(text: string): number {
    const { length } = text;
    for (let at = 0; at < this.#repeatable.length; at += 1) {
      const other = this.#repeatable[at] as string;
      if (other.length === length && other === text) return at;
    }
    return -1;
  }

  #piece(text: string, kinds: number): string {
    if (text.length >= MIN_RUN) {
      const at = this.#findRepeat(text);
      if (at >= 0) return REPEATS[at] ?? repeatHole(at);
      if (this.#repeatable.length < MAX_COUNT) this.#repeatable.push(text);
    }
    return writtenPiece(text, kinds, this.#holes);
  }

  /** A Call-ID or the like: the host is a form of its own, since other records have it as well. */
  #atHost(text: string, at: number): void {
    const before = this.#findRepeat(text);
    if (before >= 0) return this.#put(QUOTED_REPEATS[before] ?? `"${repeatHole(before)}"`);
    this.#put('"');
    const name = text.slice(0, at);
    this.#put(this.#piece(name, kindsOf(name)));
    const host = text.slice(at + 1);
    this.#numbers.push(this.#forms.numberOf(host) || host);
    this.#put(AT_HOST);
    if (this.#repeatable.length < MAX_COUNT) this.#repeatable.push(text);
  }

  #written(text: string): void {
    const kinds = kindsOf(text);
    if (kinds === 0 && !isWellFormed(text)) {
      // Half a surrogate pair has no UTF-8; JSON escapes it.
      this.#holes.text(JSON.stringify(text));
      return this.#put(JSON_TEXT);
    }
    const at = (kinds & HEX_KIND) === 0 && (kinds & PLAIN_KIND) !== 0 ? text.indexOf('@') : -1;
    if (at > 0 && at < text.length - 1) return this.#atHost(text, at);
    if (text.charCodeAt(0) === PLUS) {
      const number = text.slice(1);
      this.#put('"+');
      this.#put(this.#piece(number, kindsOf(number)));
    } else {
      this.#put('"');
      this.#put(this.#piece(text, kinds));
    }
    this.#put('"');
  }

  #address(text: string): void {
    const colon = text.lastIndexOf(':');
    const port = text.slice(colon + 1);
    const isNumber = (kindsOf(port) & DIGIT_KIND) !== 0;
    if (colon >= 0 && isNumber && port.length > MAX_PORT_DIGITS) return this.#written(text);
    if (colon < 0 || USUAL_PORTS.has(port) || !isNumber || (kindsOf(text) & PLAIN_KIND) === 0) {
      this.#place = this.#paths.word(this.#place, text);
      return;
    }
    this.#holes.text(port);
    this.#put(`"${text.slice(0, colon)}:${TEXT}"`);
  }

  #rawText(text: string): void {
    if (!isWellFormed(text)) return this.#written(text);
    this.#put('"');
    this.#put(this.#piece(text, 0));
    this.#put('"');
  }

  /** @returns false for what is no base64, or has another spelling */
  #rawOctets(text: string): boolean {
    const octets = Buffer.from(text, 'base64');
    if (octets.toString('base64') !== text) return false;
    this.#holes.octets(octets);
    return true;
  }

  /** A form of its own. Its number stands before those of the forms inside it. */
  #section(value: unknown): void {
    const outer = this.#place;
    const index = this.#numbers.length;
    this.#numbers.push(0);
    this.#place = this.#paths.start();
    this.#reference = outer;
    this.#any(value, 'value');
    this.#numbers[index] = this.#paths.end(this.#place);
    this.#place = this.#paths.token(outer, FORM);
  }

  #list(values: readonly unknown[], kind: Kind): void {
    this.#put('[');
    for (let at = 0; at < values.length; at += 1) {
      if (at > 0) this.#put(',');
      if (kind === 'sections') this.#section(values[at]);
      else this.#any(values[at], kind === 'word' ? 'word' : 'value');
    }
    this.#put(']');
  }

  /** What is known of the members of an object: mostly what was known of an object that stood in this place before. */
  #findShape(value: object): Shape {
    const from = this.#reference ?? this.#place;
    this.#reference = undefined;
    const last = from.shape as Shape | undefined;
    for (let known = last; known !== undefined; known = known.before) if (hasNames(value, known.names)) return known;
    const names = Object.keys(value);
    const members = names.map((name) => MEMBERS.get(name) ?? unknownMember(name));
    const before = last !== undefined && last.count < MAX_SHAPES ? last : undefined;
    const shape: Shape = { names, members, before, count: (before?.count ?? 0) + 1 };
    from.shape = shape;
    return shape;
  }

  #object(value: object): void {
    const { members } = this.#findShape(value);
    let isFirst = true;
    let at = -1;
    this.#put('{');
    // `for in` reads members by their places and makes no lists of them.
    for (const name in value) {
      at += 1;
      const member = members[at];
      // What comes behind its own members is inherited.
      if (member === undefined) break;
      const inner = (value as Readonly<Record<string, unknown>>)[name];
      if (inner === undefined) continue;
      const { first, further, kind } = member;
      this.#put(isFirst ? first : further);
      isFirst = false;
      if (kind === 'section') this.#section(inner);
      else this.#any(inner, kind);
    }
    this.#put('}');
  }

  #any(value: unknown, kind: Kind): void {
    if (typeof value === 'string') {
      if (kind === 'word') this.#place = this.#paths.word(this.#place, value);
      else if (kind === 'recordId' && value === this.#recordId) this.#put(RECORD_ID);
      else if (kind === 'address') this.#address(value);
      else if (kind === 'text') this.#rawText(value);
      else if (kind === 'base64' && this.#rawOctets(value)) this.#put(QUOTED_BASE64);
      else this.#written(value);
    } else if (typeof value === 'number') {
      if (kind === 'inviteAtUs' && value === this.#inviteAtUs) this.#put(INVITE_AT_US);
      else if (kind === 'word') this.#place = this.#paths.word(this.#place, value);
      else this.#put(writtenNumber(value, kind, { holes: this.#holes, inviteAtUs: this.#inviteAtUs }));
    } else if (typeof value !== 'object' || value === null) this.#put(JSON.stringify(value) ?? 'null');
    else if (Array.isArray(value)) this.#list(value, kind);
    else this.#object(value);
  }
}

/**
 * Most steps that are remembered, some 25 MB. They are forgotten all at once when there are more: what is usual is back after a few
 * records, what never comes twice is not.
 */
const MAX_PATH_STEPS = 262_144;

/** What follows a step, by the text or value that makes it. */
interface Step extends FormStep {
  readonly text: string;
  readonly before: Step | undefined;
  /** The step taken last from here: mostly the next one too. */
  lastToken: string | undefined;
  lastStep: Step | undefined;
  tokens: Map<string, Step> | undefined;
  lastWord: string | number | undefined;
  lastWordStep: Step | undefined;
  words: Map<string | number, Step> | undefined;
  /** Number of the form that ends here; 0 while it has none. */
  form: number;
}

/** A place in a form. */
interface FormStep {
  /** For whoever steps: what it has made of the names of the members of the object that begins here. */
  shape: unknown;
}

/**
 * Finds the numbers of forms without writing them: a record steps through what records before it have stepped through, and only
 * where none has been is the text of the form put together. Writing and hashing the text of every form took longer than all the
 * rest of a record. Never throws.
 */
function createFormPaths(forms: FormNumbers) {
  let root = step('', undefined);
  let count = 0;

  const added = (text: string, before: Step): Step => {
    count += 1;
    return step(text, before);
  };

  const nextToken = (from: Step, text: string): Step => {
    from.tokens ??= new Map();
    let next = from.tokens.get(text);
    if (next === undefined) from.tokens.set(text, (next = added(text, from)));
    from.lastToken = text;
    from.lastStep = next;
    return next;
  };

  const nextWord = (from: Step, value: string | number): Step => {
    from.words ??= new Map();
    let next = from.words.get(value);
    if (next === undefined) from.words.set(value, (next = added(JSON.stringify(value), from)));
    from.lastWord = value;
    from.lastWordStep = next;
    return next;
  };

  return {
    start: (): FormStep => {
      if (count > MAX_PATH_STEPS) {
        root = step('', undefined);
        count = 0;
      }
      return root;
    },
    /** A part of the form as it stands. */
    token: (from: FormStep, text: string): FormStep => {
      const at = from as Step;
      return at.lastToken === text && at.lastStep !== undefined ? at.lastStep : nextToken(at, text);
    },
    /** A string or number of the form as JSON writes it. */
    word: (from: FormStep, value: string | number): FormStep => {
      const at = from as Step;
      return at.lastWord === value && at.lastWordStep !== undefined ? at.lastWordStep : nextWord(at, value);
    },
    /** The number of the form that ends here; its text where it has none. */
    end: (last: FormStep): number | string => {
      const at = last as Step;
      if (at.form !== 0) return at.form;
      const text = textTo(at);
      at.form = forms.numberOf(text);
      return at.form || text;
    },
  };
}

function step(text: string, before: Step | undefined): Step {
  return {
    text,
    before,
    lastToken: undefined,
    lastStep: undefined,
    tokens: undefined,
    lastWord: undefined,
    lastWordStep: undefined,
    words: undefined,
    form: 0,
    shape: undefined,
  };
}

function textTo(last: Step): string {
  const texts: string[] = [];
  for (let at: Step | undefined = last; at !== undefined; at = at.before) texts.push(at.text);
  return texts.reverse().join('');
}
