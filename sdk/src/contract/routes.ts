import { CARRIER_ROUTES, EVENT_ROUTES } from './carrier-routes.js';
import type { PlatformRoute, RouteTag } from './route.js';
import { DEMAND_ROUTES, TRACEBACK_ROUTES } from './traceback-routes.js';

/** Version of the contract: the first number is that of the paths, formats and event types. */
export const CONTRACT_VERSION = '1.0.0';

/** Every operation of the platform. */
export const PLATFORM_ROUTES: readonly PlatformRoute[] = [
  ...CARRIER_ROUTES,
  ...TRACEBACK_ROUTES,
  ...DEMAND_ROUTES,
  ...EVENT_ROUTES,
];

/** What belongs together, in a sentence each. */
export const ROUTE_TAGS: Readonly<Record<RouteTag, string>> = {
  Tokens: 'How a client says who it is.',
  'Call records': 'Live records from carriers.',
  'Traceback requests': 'What a provider is asked, and what it answers.',
  Tracebacks: 'One call, followed hop by hop.',
  'App reports': 'What robocall-blocking applications heard.',
  Providers: 'The registry of voice service providers, and how they answer.',
  'Do not originate': 'Numbers that place no calls: a call that shows one is spoofed.',
  'Campaigns and alerts': 'Calls that belong together, and who should know.',
  Notices: "The Federal Communications Commission's notices of suspected illegal traffic.",
  'Demands and productions': 'Legal process, its review, and what is handed over under it.',
  Events: 'What happened, by webhook and by stream.',
};
