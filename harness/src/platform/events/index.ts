export { createEventsArea } from './events-area.js';
export { eventsDefinition } from './events-tables.js';
export type { AddressGuardOptions, ResolveAddresses } from './address-guard.js';
export type { WebhookPosterOptions } from './post-webhook.js';
export { readByEndpoints } from './read-by-endpoints.js';
