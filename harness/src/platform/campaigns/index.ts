export { createCampaignsArea } from './campaigns-area.js';
export type { CampaignsArea } from './campaigns-area.js';
export { campaignsDefinition } from './campaigns-migrations.js';
