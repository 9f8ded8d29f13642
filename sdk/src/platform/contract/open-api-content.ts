import type { JsonObject } from '../../core/json-text.js';
import type { WireBodyName } from '../wire/wire-bodies.js';
import { schemaAddress } from './component-schemas.schema.js';
import { exampleEvent } from './examples/event-examples.js';
import { WIRE_EXAMPLES } from './examples/wire-examples.js';
import type { RouteRequest, RouteResponse } from './route.js';

// What stands under `content` of the OpenAPI document.

/** What is sent along. */
export function requestBody(request: RouteRequest): JsonObject {
  if (request.kind === 'json') return { required: true, content: { 'application/json': body(request.body) } };
  if (request.kind === 'form')
    return { required: true, content: { 'application/x-www-form-urlencoded': body(request.body) } };
  if (request.kind === 'lines')
    return {
      required: true,
      description: 'One value of this schema a line, each line ending in a line feed.',
      content: { 'application/x-ndjson': body(request.line) },
    };
  return { required: true, content: { 'multipart/form-data': twoParts(request) } };
}

function twoParts({ jsonPart, body: name, pdfPart }: Extract<RouteRequest, { kind: 'json-and-pdf' }>): JsonObject {
  const pdf = { type: 'string', contentMediaType: 'application/pdf', description: 'The bytes of the PDF.' };
  return {
    schema: {
      type: 'object',
      properties: { [jsonPart]: { $ref: schemaAddress(name) }, [pdfPart]: pdf },
      required: [jsonPart, pdfPart],
    },
    encoding: { [jsonPart]: { contentType: 'application/json' }, [pdfPart]: { contentType: 'application/pdf' } },
  };
}

/** What comes back when all went well, by media type; nothing where there is no body. */
export function responseContent(response: RouteResponse): JsonObject | undefined {
  if (response.kind === 'json') return { 'application/json': body(response.body) };
  if (response.kind === 'file') return { '*/*': { schema: {} } };
  if (response.kind === 'nothing') return undefined;
  return { 'text/event-stream': { schema: STREAMED, examples: { 'an-event': { value: streamedExample() } } } };
}

/** A body with its examples. */
export function body(name: WireBodyName): JsonObject {
  return {
    schema: { $ref: schemaAddress(name) },
    examples: Object.fromEntries(
      WIRE_EXAMPLES[name].map((one) => [one.name, { $ref: exampleAddress(name, one.name) }]),
    ),
  };
}

/** Under which key an example stands in the components. */
export const exampleKey = (name: WireBodyName, example: string): string => `${name}.${example}`;

/** Where an example is found in the document. */
export const exampleAddress = (name: WireBodyName, example: string): string =>
  `#/components/examples/${exampleKey(name, example)}`;

/** Of a stream each `data` is an event: of a kind that is known, or of one of a later release. */
const STREAMED: JsonObject = {
  type: 'string',
  contentMediaType: 'text/event-stream',
  contentSchema: {
    anyOf: [{ $ref: schemaAddress('PlatformEvent') }, { $ref: schemaAddress('PlatformEventEnvelope') }],
  },
};

function streamedExample(): string {
  const event = exampleEvent('org.hopback.traceback-request.overdue.1');
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
