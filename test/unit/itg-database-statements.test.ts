import { openTestDatabase } from '../support/itg-database.js';
import { statementClaims } from '../support/itg-statement-claims.js';

statementClaims('PGlite', () => openTestDatabase());
