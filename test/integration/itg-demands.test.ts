import { afterAll, beforeAll } from 'vitest';
import { demandClaims } from '../support/itg-demand-claims.js';
import { closeDemandDatabase, DATABASE_PATIENCE_MS, openDemandDatabase } from '../support/itg-demands.js';

beforeAll(() => openDemandDatabase(), DATABASE_PATIENCE_MS);
afterAll(closeDemandDatabase);

demandClaims('PGlite');
