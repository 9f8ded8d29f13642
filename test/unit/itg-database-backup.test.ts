import { openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import { backupClaims } from '../support/itg-backup-claims.js';
import { emptyDatabase } from '../support/itg-database.js';

const memory = async () => openPlatformDatabase({ memory: true, template: await emptyDatabase() });

backupClaims('PGlite to PGlite', memory, memory);
