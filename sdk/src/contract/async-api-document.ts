import type { JsonObject, JsonValue } from '../core/json-text.js';
import { componentSchemas, schemaAddress } from './component-schemas.js';
import type { PlatformEventType } from './event.js';
import { PLATFORM_EVENT_KINDS } from './event-table.js';
import { exampleEvent } from './examples/wire-examples.js';
import { documentInfo, SCOPE_DESCRIPTIONS, WEBHOOK_FIELDS } from './open-api-document.js';

const KINDS = Object.entries(PLATFORM_EVENT_KINDS);

/**
 * The events of the contract as an AsyncAPI 3.0 document: the same messages over the event stream and by webhook. Never throws.
 * @returns plain JSON
 * @see https://www.asyncapi.com/docs/reference/specification/v3.0.0
 * @example
 * ```ts
 * const document = asyncApiDocument();
 * console.log(document['asyncapi'], Object.keys(document['channels'] ?? {})); // 3.0.0 [ 'eventStream', 'webhook' ]
 * ```
 */
export function asyncApiDocument(): JsonObject {
  const { summary, description, version } = documentInfo();
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hopback platform events',
      version,
      description: `${summary}\n\n${description}`,
      license: { name: 'MIT', url: 'https://spdx.org/licenses/MIT.html' },
    },
    defaultContentType: 'application/json',
    servers: servers(),
    channels: channels(),
    operations: operations(),
    components: { securitySchemes: securitySchemes(), messages: messages(), schemas: schemas() },
  };
}

function servers(): JsonObject {
  return {
    platform: {
      host: '{host}',
      protocol: 'https',
      description: 'A traceback platform',
      variables: { host: { default: 'itg.example', description: 'Name of the host of the platform.' } },
      security: [{ $ref: '#/components/securitySchemes/platformToken' }],
    },
    receiver: {
      host: '{host}',
      protocol: 'https',
      description: 'An organization that has events posted to it',
      variables: { host: { default: 'traceback.birch.example', description: 'Name of the host of the receiver.' } },
    },
  };
}

function securitySchemes(): JsonObject {
  return {
    platformToken: {
      type: 'oauth2',
      description: 'Client credentials with an assertion that the client signed. RFC 6749 section 4.4, RFC 7523',
      flows: {
        clientCredentials: { tokenUrl: 'https://itg.example/oauth/token', availableScopes: { ...SCOPE_DESCRIPTIONS } },
      },
    },
  };
}

function channels(): JsonObject {
  return {
    eventStream: {
      address: '/v1/events',
      title: 'Event stream',
      description:
        'Server-sent events. `id` is that of the event, `event` its type, `data` the payload in one line. With the field `Last-Event-ID`, the stream resumes after that event.',
      servers: [{ $ref: '#/servers/platform' }],
      messages: references(streamedName),
    },
    webhook: {
      // Each receiver names its own.
      address: null,
      title: 'Webhook',
      description:
        'A POST to the address of an endpoint, signed after Standard Webhooks. Redirects are not followed; 410 ends it.',
      servers: [{ $ref: '#/servers/receiver' }],
      messages: references(postedName),
    },
  };
}

const streamedName = (name: string): string => name;
const postedName = (name: string): string => `${name}Webhook`;

const references = (nameOf: (name: string) => string): JsonObject =>
  Object.fromEntries(KINDS.map(([, { name }]) => [nameOf(name), { $ref: `#/components/messages/${nameOf(name)}` }]));

function operations(): JsonObject {
  return {
    streamEvents: {
      action: 'send',
      channel: { $ref: '#/channels/eventStream' },
      title: 'Stream events',
      summary: 'The platform sends each reader of the stream the events that concern it.',
      bindings: { http: { method: 'GET', bindingVersion: '0.3.0' } },
    },
    postEvents: {
      action: 'send',
      channel: { $ref: '#/channels/webhook' },
      title: 'Post events',
      summary: 'The platform posts the events that concern an organization to its endpoints.',
      bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
    },
  };
}

function messages(): JsonObject {
  const headers = {
    type: 'object',
    properties: Object.fromEntries(
      WEBHOOK_FIELDS.map(({ name, description, schema }) => [name, { ...schema, description }]),
    ),
    required: WEBHOOK_FIELDS.map(({ name }) => name),
  };
  return Object.fromEntries(
    KINDS.flatMap(([type, { name, summary, description, audience, subject }]) => {
      const message = {
        name: type,
        title: summary,
        summary: `${summary}.`,
        description: `${description}\n\nTo: ${audience.join(', ')}. \`subject\` is the ${subject}.`,
        contentType: 'application/json',
        payload: { $ref: schemaAddress(name) },
        examples: [{ name, payload: exampleEvent(type as PlatformEventType) as unknown as JsonValue }],
      };
      return [
        [streamedName(name), message],
        [postedName(name), { ...message, headers, examples: [{ ...message.examples[0], headers: EXAMPLE_HEADERS }] }],
      ];
    }),
  ) as JsonObject;
}

/** As a test of the webhook functions would have them; the signature is of no body. */
const EXAMPLE_HEADERS: JsonObject = {
  'webhook-id': 'evt-000001',
  'webhook-timestamp': '1792785910',
  'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

/** Bodies of events, and what they refer to. */
function schemas(): JsonObject {
  const all = componentSchemas();
  const needed = new Set<string>();
  const open = KINDS.map(([, { name }]) => name);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const schema = all[name];
    if (needed.has(name) || schema === undefined) continue;
    needed.add(name);
    open.push(...namesIn(schema));
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => needed.has(name)));
}

function namesIn(schema: JsonObject): readonly string[] {
  const prefix = schemaAddress('');
  const found: string[] = [];
  JSON.stringify(schema, (key, value: unknown) => {
    if (key === '$ref' && typeof value === 'string' && value.startsWith(prefix)) found.push(value.slice(prefix.length));
    return value;
  });
  return found;
}
