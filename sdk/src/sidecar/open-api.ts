import type { SidecarConfiguration } from './config/configuration.js';
export const openApiDocument = (_configuration: SidecarConfiguration): Readonly<Record<string, unknown>> => ({});
