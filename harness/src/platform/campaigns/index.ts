export { createCampaignsArea } from './campaigns-area.js';
export type { CampaignsArea, CampaignsOptions } from './campaigns-area.js';
export { campaignsDefinition } from './campaigns-migrations.js';
