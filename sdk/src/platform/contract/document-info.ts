import type { JsonObject, JsonValue } from '../../core/json-text.js';
import type { PlatformScope } from '../wire/token.js';
import { CONTRACT_VERSION } from './routes.js';

/** What stands at the head of both documents. */
export function documentInfo(): {
  readonly title: string;
  readonly version: string;
  readonly summary: string;
  readonly description: string;
  readonly license: JsonValue;
} {
  return {
    title: 'Hopback platform contract',
    version: CONTRACT_VERSION,
    summary: 'Everything between carriers, robocall-blocking applications, agencies and a traceback platform.',
    description: [
      'Telephone carriers are asked who sent them a call, and answer; applications report robocalls; agencies demand records; the traceback group runs the platform between them.',
      'Members that a receiver does not know are let pass, and so are event types and problem codes; every other vocabulary is closed within a version. Times are RFC 3339 in UTC unless the member says otherwise. Ids are opaque.',
      'The guide "The platform contract" in the documentation of Hopback says how to read and use it.',
    ].join('\n\n'),
    license: { name: 'MIT', identifier: 'MIT' },
  };
}

/** Where a platform is. */
export const PLATFORM_SERVER: JsonObject = {
  url: 'https://{host}',
  description: 'A traceback platform',
  variables: {
    host: { default: 'itg.example', description: 'Name of the host, with a port where it is another than 443.' },
  },
};

/** What each scope is for. */
export const SCOPE_DESCRIPTIONS: Readonly<Record<PlatformScope, string>> = {
  carrier: 'Voice service providers that are asked, answer and stream records',
  app: 'Robocall-blocking applications that report calls',
  agency: 'Law enforcement and regulators, with demands and productions',
  staff: 'People of the traceback group',
};
