import { afterAll, afterEach, beforeAll } from 'vitest';
import { openCampaignsDatabase } from '../support/itg-campaigns-bench.js';
import { detectorClaims, SMALL_DETECTOR } from '../support/itg-detector-claims.js';

let opened: Awaited<ReturnType<typeof openCampaignsDatabase>>;
beforeAll(async () => {
  opened = await openCampaignsDatabase();
});
const empty = (): Promise<void> => opened.empty();
afterEach(empty);
afterAll(() => opened.database.close());

detectorClaims('PGlite', (options = SMALL_DETECTOR) => opened.bench(options), empty);
