import type { SharedRecord } from '@hopback/sdk/records';
import { WIRE_SCHEMAS } from '@hopback/sdk/platform';
import { readWireBody } from '@hopback/sdk/internal';
import { z } from 'zod';

/** Whether a value has a form. Never throws for what JSON can be parsed to. */
type Check = (value: unknown) => boolean;

/** A JSON Schema, as far as it is read here. */
interface Form {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Form[];
  readonly properties?: Readonly<Record<string, Form>>;
  readonly required?: readonly string[];
  readonly items?: Form;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Words of a schema that are read here, or say nothing of a value. */
const READ_WORDS = new Set([
  '$schema',
  'description',
  'type',
  'const',
  'enum',
  'anyOf',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'maxItems',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
]);

const never: Check = () => false;
const any: Check = () => true;

function checkOfSchema(schema: z.ZodType): Check {
  const patterns = new Map<string, RegExp>();
  const form = z.toJSONSchema(schema, {
    override: ({ zodSchema }) => {
      if (!(zodSchema instanceof z.ZodString)) return;
      for (const check of zodSchema.def.checks ?? []) {
        // oxlint-disable-next-line eslint/no-underscore-dangle -- as zod has it
        const { def } = check._zod;
        if ('pattern' in def && def.pattern instanceof RegExp) patterns.set(def.pattern.source, def.pattern);
      }
    },
  });
  return checkOf(form as Form, patterns);
}

/** Regular expressions of a schema, by their source. */
type Patterns = ReadonlyMap<string, RegExp>;

/** What has another word in its schema has no short check, and goes the long way. */
function checkOf(form: Form, patterns: Patterns): Check {
  if (Object.keys(form).some((word) => !READ_WORDS.has(word))) return never;
  if (form.anyOf !== undefined) return anyOf(form.anyOf, patterns);
  const { const: word, type } = form;
  if (word !== undefined) return (value) => value === word;
  if (form.enum !== undefined) {
    const words = new Set(form.enum);
    return (value) => words.has(value);
  }
  switch (type) {
    case 'object':
      return shapeOf(form, patterns);
    case 'array':
      return listOf(form, patterns);
    case 'string':
      return textOf(form, patterns);
    case 'number':
    case 'integer':
      return numberOf(form);
    case 'boolean':
      return (value) => typeof value === 'boolean';
    default:
      return type === undefined ? any : never;
  }
}

/** In UTF-16 code units, as zod counts them; of no bounds where a pattern has its own. */
function textOf({ minLength = 0, maxLength = Infinity, pattern }: Form, patterns: Patterns): Check {
  if (pattern === undefined)
    return (value) => typeof value === 'string' && value.length >= minLength && value.length <= maxLength;
  const regex = patterns.get(pattern);
  if (regex === undefined || minLength > 0 || maxLength < Infinity) return never;
  return (value) => typeof value === 'string' && regex.test(value);
}

/** JSON has spellings that are infinite as a number, and whole ones that are not exact. */
function numberOf({ type, minimum = -Infinity, maximum = Infinity }: Form): Check {
  if (type === 'integer')
    return (value) => Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
  return (value) => Number.isFinite(value) && (value as number) >= minimum && (value as number) <= maximum;
}

function listOf({ items = {}, maxItems = Infinity }: Form, patterns: Patterns): Check {
  const check = checkOf(items, patterns);
  return (value) => Array.isArray(value) && value.length <= maxItems && value.every(check);
}

/** Where a word in one member tells the forms apart, the one of that word is looked at alone. */
function anyOf(forms: readonly Form[], patterns: Patterns): Check {
  const telling = Object.keys(forms[0]?.properties ?? {}).find((name) =>
    forms.every(({ properties }) => properties?.[name]?.const !== undefined),
  );
  if (telling === undefined) {
    const checks = forms.map((form) => checkOf(form, patterns));
    return (value) => checks.some((check) => check(value));
  }
  const checks = new Map(
    forms.map((form) => [
      form.properties?.[telling]?.const,
      checkOf({ ...form, properties: { ...form.properties, [telling]: {} } }, patterns),
    ]),
  );
  return (value) => isObject(value) && checks.get(value[telling])?.(value) === true;
}

/** An object with all that is required, and no member that the form does not have. */
function shapeOf({ properties = {}, required = [] }: Form, patterns: Patterns): Check {
  const members = new Map(
    Object.entries(properties).map(([key, form]) => [
      key,
      { key, check: checkOf(form, patterns), counts: required.includes(key) ? 1 : 0 },
    ]),
  );
  const all = required.length;
  // Members mostly come in the order in which they came last.
  const places: {
    readonly key: string;
    readonly check: Check;
    readonly counts: number;
  }[] = [];
  return (value) => {
    if (!isObject(value)) return false;
    let found = 0;
    let at = 0;
    for (const key in value) {
      let place = places[at];
      if (place === undefined || place.key !== key) {
        const member = members.get(key);
        if (member === undefined) return false;
        place = member;
        places[at] = place;
      }
      if (!place.check(value[key])) return false;
      found += place.counts;
      at += 1;
    }
    return found === all;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Whether a value is a shared record in the form of the contract, without a member that the contract does not know: said of nearly all
 * that carriers send in a tenth of the time that the schema takes, of which it is made. Never throws for peer input.
 * @param value - what JSON was parsed to
 * @returns true where the schema would take it and leave nothing out; false says nothing, and the schema is asked
 */
export const isUsualRecord: Check = checkOfSchema(WIRE_SCHEMAS.SharedRecord);

/**
 * How far a call may lie ahead of the platform's clock, milliseconds: clocks of switches are set by NTP and wrong by seconds, those that are
 * set by hand by minutes. A record of next week would be found by nobody who looks for last week's calls.
 */
export const MAX_AHEAD_MS: number = 10 * 60_000;

/** Why a record is not taken, as a word of the answer. */
export type RecordRejectionCode =
  /** Not in the form of the contract; the place is told. */
  | 'invalid-record'
  /** A form of another version, or something else than a shared record. */
  | 'unknown-format'
  /** Of a time that the platform keeps no records of any more. */
  | 'too-old'
  /** Later than {@link MAX_AHEAD_MS} from now. */
  | 'in-the-future';

/** What was made of a line. */
export type RecordLineReading =
  | { readonly status: 'read'; readonly record: SharedRecord }
  | {
      readonly status: 'rejected';
      readonly recordId: string;
      readonly code: RecordRejectionCode;
      /** JSON Pointer (RFC 6901) to what is wrong. */
      readonly place?: string;
    }
  /** Nobody could be told which record is meant: no JSON, or without an id. */
  | { readonly status: 'unreadable' };

/** Between which times a call may have begun, microseconds since the epoch, both included. */
export interface TakenTimes {
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Reads a line of a batch: a shared record in the form of the contract, of a time that is kept. Members that the contract does not know are
 * left out, so that a carrier may have a later release than the platform. Never throws for peer input.
 * @param line - text of one line, bounded by the batch
 * @param times - which calls are taken
 * @returns the record, or why it is none
 * @see RFC 8259
 */
export function readRecordLine(line: string, times: TakenTimes): RecordLineReading {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return { status: 'unreadable' };
  }
  if (isUsualRecord(given)) return inTime(given as SharedRecord, times);
  if (typeof given !== 'object' || given === null || !('recordId' in given)) return { status: 'unreadable' };
  const { recordId } = given;
  if (typeof recordId !== 'string' || !RECORD_ID.test(recordId)) return { status: 'unreadable' };
  if (!('format' in given) || given.format !== 'hopback.shared-record.1')
    return { status: 'rejected', recordId, code: 'unknown-format', place: '/format' };
  const { value, errors } = readWireBody(WIRE_SCHEMAS.SharedRecord, given);
  const [wrong] = errors;
  if (wrong !== undefined)
    return { status: 'rejected', recordId, code: 'invalid-record', place: placeOf(wrong.pointer) };
  return inTime(value as SharedRecord, times);
}

const RECORD_ID = /^[0-9a-f]{32}$/;

/** Longest place that is told: those of the contract are shorter. */
const MAX_PLACE_CHARS = 200;

/** A place is made of names of the schema alone, which hold no number. */
function placeOf(pointer: string): string {
  return pointer.slice(0, MAX_PLACE_CHARS);
}

function inTime(record: SharedRecord, { fromUs, toUs }: TakenTimes): RecordLineReading {
  const { recordId, inviteAtUs } = record;
  if (inviteAtUs < fromUs) return { status: 'rejected', recordId, code: 'too-old', place: '/inviteAtUs' };
  if (inviteAtUs > toUs) return { status: 'rejected', recordId, code: 'in-the-future', place: '/inviteAtUs' };
  return { status: 'read', record };
}
