import type { CallRecord } from '../../../core/call-record.js';
import { createBodyWriter } from './body-writer.js';
import type { BodyWriter } from './body-writer.js';
import { createFormPaths } from './form-path.js';
import type { FormStep } from './form-path.js';
import {
  AT_HOST,
  DIGIT_KIND,
  FORM,
  HEX_KIND,
  INVITE_AT_US,
  JSON_TEXT,
  MIN_RUN,
  PLAIN_KIND,
  PLUS,
  QUOTED_BASE64,
  QUOTED_REPEATS,
  RECORD_ID,
  REPEATS,
  TEXT,
  isWellFormed,
  kindsOf,
  repeatHole,
  writtenNumber,
  writtenPiece,
} from './hole-values.js';
import { MAX_COUNT } from './record-form.js';
import { MEMBERS, hasNames, unknownMember } from './record-members.js';
import type { Kind, Shape } from './record-members.js';

/** Numbers of forms. */
export interface FormNumbers {
  /** The number of a form, from 1; 0 where it has none and is to be written out. */
  readonly numberOf: (form: string) => number;
}

/** Takes records apart. Never throws for what a record holds. */
export interface RecordEncoder {
  /**
   * Writes the body of a record.
   * @returns the number of its form; 0 where the body begins with the form itself
   */
  readonly encode: (record: CallRecord, into: BodyWriter) => number;
}

/** Ports that few peers do not use; others are mostly one connection's and would make every connection a form. */
const USUAL_PORTS: ReadonlySet<string> = new Set(['5060', '5061', '5080']);

/** Digits of a port. What is longer is none, and a text like any other: one that later ones may repeat. */
const MAX_PORT_DIGITS = 5;

/** Shapes of objects that are remembered of one place: some forms of a record take turns. */
const MAX_SHAPES = 4;

/** Makes an encoder that numbers forms by a table. One record at a time: it keeps its scratch. */
export function createRecordEncoder(forms: FormNumbers): RecordEncoder {
  const paths = createFormPaths(forms);
  const holes = createBodyWriter(4_096);
  const numbers: (number | string)[] = [];
  const repeatable: string[] = [];
  let inviteAtUs = 0;
  let recordId = '';
  /** Where in the form we are. */
  let place: FormStep = paths.start();
  /** Where the shape of the object of a form of its own is remembered: all forms begin at one step, which would have those of all of them. */
  let reference: FormStep | undefined;
  const put = (text: string): void => {
    place = paths.token(place, text);
  };

  /** Place of a text among those that can be repeated; -1 for none. Lengths differ mostly, and are compared first. */
  const repeatOf = (text: string): number => {
    const { length } = text;
    for (let at = 0; at < repeatable.length; at += 1) {
      const other = repeatable[at] as string;
      if (other.length === length && other === text) return at;
    }
    return -1;
  };

  const piece = (text: string, kinds: number): string => {
    if (text.length >= MIN_RUN) {
      const at = repeatOf(text);
      if (at >= 0) return REPEATS[at] ?? repeatHole(at);
      if (repeatable.length < MAX_COUNT) repeatable.push(text);
    }
    return writtenPiece(text, kinds, holes);
  };

  /** A Call-ID or the like: the host is a form of its own, since other records have it as well. */
  const atHost = (text: string, at: number): void => {
    const before = repeatOf(text);
    if (before >= 0) return put(QUOTED_REPEATS[before] ?? `"${repeatHole(before)}"`);
    put('"');
    const name = text.slice(0, at);
    put(piece(name, kindsOf(name)));
    const host = text.slice(at + 1);
    numbers.push(forms.numberOf(host) || host);
    put(AT_HOST);
    if (repeatable.length < MAX_COUNT) repeatable.push(text);
  };

  const written = (text: string): void => {
    const kinds = kindsOf(text);
    if (kinds === 0 && !isWellFormed(text)) {
      // Half a surrogate pair has no UTF-8; JSON escapes it.
      holes.text(JSON.stringify(text));
      return put(JSON_TEXT);
    }
    const at = (kinds & HEX_KIND) === 0 && (kinds & PLAIN_KIND) !== 0 ? text.indexOf('@') : -1;
    if (at > 0 && at < text.length - 1) return atHost(text, at);
    if (text.charCodeAt(0) === PLUS) {
      const number = text.slice(1);
      put('"+');
      put(piece(number, kindsOf(number)));
    } else {
      put('"');
      put(piece(text, kinds));
    }
    put('"');
  };

  const address = (text: string): void => {
    const colon = text.lastIndexOf(':');
    const port = text.slice(colon + 1);
    const isNumber = (kindsOf(port) & DIGIT_KIND) !== 0;
    if (colon >= 0 && isNumber && port.length > MAX_PORT_DIGITS) return written(text);
    if (colon < 0 || USUAL_PORTS.has(port) || !isNumber || (kindsOf(text) & PLAIN_KIND) === 0) {
      place = paths.word(place, text);
      return;
    }
    holes.text(port);
    put(`"${text.slice(0, colon)}:${TEXT}"`);
  };

  const rawText = (text: string): void => {
    if (!isWellFormed(text)) return written(text);
    put('"');
    put(piece(text, 0));
    put('"');
  };

  /** @returns false for what is no base64, or has another spelling */
  const rawOctets = (text: string): boolean => {
    const octets = Buffer.from(text, 'base64');
    if (octets.toString('base64') !== text) return false;
    holes.octets(octets);
    return true;
  };

  /** A form of its own. Its number stands before those of the forms inside it. */
  const section = (value: unknown): void => {
    const outer = place;
    const index = numbers.length;
    numbers.push(0);
    place = paths.start();
    reference = outer;
    any(value, 'value');
    numbers[index] = paths.end(place);
    place = paths.token(outer, FORM);
  };

  const list = (values: readonly unknown[], kind: Kind): void => {
    put('[');
    for (let at = 0; at < values.length; at += 1) {
      if (at > 0) put(',');
      if (kind === 'sections') section(values[at]);
      else any(values[at], kind === 'word' ? 'word' : 'value');
    }
    put(']');
  };

  /** What is known of the members of an object: mostly what was known of an object that stood in this place before. */
  const shapeOf = (value: object): Shape => {
    const from = reference ?? place;
    reference = undefined;
    const last = from.shape as Shape | undefined;
    for (let known = last; known !== undefined; known = known.before) if (hasNames(value, known.names)) return known;
    const names = Object.keys(value);
    const members = names.map((name) => MEMBERS.get(name) ?? unknownMember(name));
    const before = last !== undefined && last.count < MAX_SHAPES ? last : undefined;
    const shape: Shape = { names, members, before, count: (before?.count ?? 0) + 1 };
    from.shape = shape;
    return shape;
  };

  const object = (value: object): void => {
    const { members } = shapeOf(value);
    let isFirst = true;
    let at = -1;
    put('{');
    // `for in` reads members by their places and makes no lists of them.
    for (const name in value) {
      at += 1;
      const member = members[at];
      // What comes behind its own members is inherited.
      if (member === undefined) break;
      const inner = (value as Readonly<Record<string, unknown>>)[name];
      if (inner === undefined) continue;
      const { first, further, kind } = member;
      put(isFirst ? first : further);
      isFirst = false;
      if (kind === 'section') section(inner);
      else any(inner, kind);
    }
    put('}');
  };

  const any = (value: unknown, kind: Kind): void => {
    if (typeof value === 'string') {
      if (kind === 'word') place = paths.word(place, value);
      else if (kind === 'recordId' && value === recordId) put(RECORD_ID);
      else if (kind === 'address') address(value);
      else if (kind === 'text') rawText(value);
      else if (kind === 'base64' && rawOctets(value)) put(QUOTED_BASE64);
      else written(value);
    } else if (typeof value === 'number') {
      if (kind === 'inviteAtUs' && value === inviteAtUs) put(INVITE_AT_US);
      else if (kind === 'word') place = paths.word(place, value);
      else put(writtenNumber(value, kind, { holes, inviteAtUs }));
    } else if (typeof value !== 'object' || value === null) put(JSON.stringify(value) ?? 'null');
    else if (Array.isArray(value)) list(value, kind);
    else object(value);
  };

  const encode = (record: CallRecord, into: BodyWriter): number => {
    holes.reset();
    numbers.length = 0;
    repeatable.length = 0;
    inviteAtUs = record.inviteAtUs;
    recordId = record.recordId;
    place = paths.start();
    reference = undefined;
    object(record);
    const form = paths.end(place);
    if (typeof form === 'string') into.text(form);
    for (const number of numbers) {
      if (typeof number === 'number') into.unsigned(number);
      else {
        into.unsigned(0);
        into.text(number);
      }
    }
    into.copy(holes);
    return typeof form === 'string' ? 0 : form;
  };

  return { encode };
}
