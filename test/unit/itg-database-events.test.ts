import { openTestDatabase } from '../support/itg-database.js';
import { eventClaims } from '../support/itg-event-claims.js';

eventClaims('PGlite', openTestDatabase);
