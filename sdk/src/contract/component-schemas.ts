import { z } from 'zod';
import type { JsonObject } from '../core/json-text.js';
import { readBySchema } from '../core/schema-findings.js';
import { WIRE_SCHEMAS } from './bodies.js';
import type { WireBodyName } from './bodies.js';
import { SharedEvidence, VerdictEvidence } from './call-record.js';
import {
  ContactDetails,
  cursor,
  fileName,
  frn,
  identifier,
  line,
  MAX_PAGE_ITEMS,
  ocn,
  pattern,
  ProviderReference,
  spc,
  utcTime,
} from './common.js';
import { DemandDecision, DemandScope } from './demand.js';
import { PLATFORM_EVENT_SCHEMAS } from './event.js';
import type { PlatformEventType } from './event.js';
import { PLATFORM_EVENT_KINDS } from './event-table.js';
import type { RouteParameter } from './route.js';
import {
  ANSWER_RECEIPT_JWS_TYPE,
  LogCheckpoint,
  RequestedCall,
  RequestedCampaign,
  Requester,
  StatedTime,
  TRACEBACK_ANSWER_JWS_TYPE,
  TracebackFinding,
} from './traceback-exchange.js';

/** Longest idempotency key. */
const MAX_KEY_CHARS = 128;

/** What several bodies hold, and has a name of its own. */
const PARTS: Readonly<Record<string, z.ZodType>> = {
  ProviderReference,
  ContactDetails,
  StatedTime,
  RequestedCall,
  RequestedCampaign,
  Requester,
  TracebackFinding,
  LogCheckpoint,
  DemandScope,
  DemandDecision,
  VerdictEvidence,
  SharedEvidence,
};

/** Where a schema is found in a document. */
export const schemaAddress = (name: string): string => `#/components/schemas/${name}`;

/**
 * The JSON Schema of every body, of the parts that several of them have and of every kind of event, by name. They refer to each other as parts
 * of one document.
 * @param beside - further bodies; one whose schema is not of zod is any JSON
 */
export function componentSchemas(beside: Readonly<Record<string, object>> = {}): Readonly<Record<string, JsonObject>> {
  const registry = z.registry<{ id: string }>();
  const events = Object.entries(PLATFORM_EVENT_SCHEMAS).map(
    ([type, schema]) => [PLATFORM_EVENT_KINDS[type as PlatformEventType].name, schema] as const,
  );
  for (const [id, schema] of [...Object.entries({ ...beside, ...PARTS, ...WIRE_SCHEMAS }), ...events])
    registry.add('_zod' in schema ? (schema as z.ZodType) : z.any(), { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: 'input',
    unrepresentable: 'any',
    uri: schemaAddress,
    override: ({ jsonSchema }) => shorten(jsonSchema),
  });
  const said = Object.fromEntries(
    Object.values(PLATFORM_EVENT_KINDS).map(({ name, summary, description }) => [name, `${summary}. ${description}`]),
  );
  const named = Object.entries(schemas).map(([name, schema]) => {
    const description = said[name];
    const described = { ...withoutDialect(schema), ...(description !== undefined && { description }) };
    return [name, withPayload(name, described)] as const;
  });
  return Object.fromEntries(named.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** Members that are a compact JWS, and what is signed in them. */
const SIGNED: Readonly<
  Record<
    string,
    {
      readonly member: string;
      readonly typ: string;
      readonly payload: WireBodyName;
    }
  >
> = {
  AnswerSubmission: { member: 'answer', typ: TRACEBACK_ANSWER_JWS_TYPE, payload: 'TracebackAnswer' },
  SignedReceipt: { member: 'receipt', typ: ANSWER_RECEIPT_JWS_TYPE, payload: 'AnswerReceipt' },
};

/** Header and payload of a JWS, as section 8.6 of the validation vocabulary shows it for a JWT. */
function withPayload(name: string, schema: JsonObject): JsonObject {
  const signed = SIGNED[name];
  if (signed === undefined) return schema;
  const properties = schema['properties'] as Readonly<Record<string, JsonObject>>;
  const fields = {
    alg: { enum: ['ES256', 'EdDSA'] },
    kid: { type: 'string', minLength: 1, maxLength: 256 },
    typ: { const: signed.typ },
  };
  const header = { type: 'object', properties: fields, required: ['alg', 'kid', 'typ'] };
  const content = {
    contentMediaType: 'application/jose',
    contentSchema: { type: 'array', minItems: 2, prefixItems: [header, { $ref: schemaAddress(signed.payload) }] },
  };
  return { ...schema, properties: { ...properties, [signed.member]: { ...properties[signed.member], ...content } } };
}

/** What a parameter of a route can hold. */
const FORMS: Readonly<Record<Exclude<RouteParameter['form'], readonly string[]>, z.ZodType>> = {
  identifier,
  'file-name': fileName,
  cursor,
  'page-limit': z.int().min(1).max(MAX_PAGE_ITEMS),
  'utc-time': utcTime,
  line,
  frn,
  ocn,
  spc,
  'idempotency-key': pattern(/^[\x21-\x7e]{1,128}$/).max(MAX_KEY_CHARS),
};

/** What a parameter can hold. */
export function parameterSchema(form: RouteParameter['form']): JsonObject {
  return typeof form === 'string' ? inline(FORMS[form]) : { type: 'string', enum: form };
}

/**
 * Whether a text is in the form that a parameter of a route has to be in: what a platform asks before it looks at a value. Never throws.
 * @param text - of the path without its escapes, of the query, or of a header field
 * @param form - of the parameter
 * @returns whether it is
 * @see {@link PLATFORM_ROUTES} for the parameters and their forms
 * @example
 * ```ts
 * console.log(isParameterInForm('50', 'page-limit'), isParameterInForm('501', 'page-limit')); // true false
 * ```
 */
export function isParameterInForm(text: string, form: RouteParameter['form']): boolean {
  if (typeof form !== 'string') return form.includes(text);
  const value = form === 'page-limit' ? (/^\d{1,9}$/.test(text) ? Number(text) : undefined) : text;
  return readBySchema(FORMS[form], value).success;
}

function inline(schema: z.ZodType): JsonObject {
  return withoutDialect(z.toJSONSchema(schema, { io: 'input', override: ({ jsonSchema }) => shorten(jsonSchema) }));
}

/** The dialect is that of the document, and the name is its place in it. */
function withoutDialect({ $schema: _dialect, $id: _name, ...schema }: z.core.JSONSchema.BaseSchema): JsonObject {
  return schema as JsonObject;
}

/** `format` says what a time or date is; of the expression that zod tries remains what `format` does not say: that it is in UTC. */
function shorten(schema: z.core.JSONSchema.BaseSchema): void {
  const { format, pattern: expression } = schema;
  // No format of JSON Schema: `contentEncoding` and the expression say it.
  if (format === 'base64') delete schema.format;
  if (expression === undefined) return;
  if (format === 'date' || (format === 'date-time' && expression.includes('[+-]'))) delete schema.pattern;
  else if (format === 'date-time') schema.pattern = 'Z$';
}
