import { contractClaims } from '../support/itg-contract-claims.js';

contractClaims('PGlite');
