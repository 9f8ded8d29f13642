import { afterEach } from 'vitest';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { lookupClaims, storeClaims } from '../support/record-store-conformance.js';
import { storeFolders } from '../support/record-store-folder.js';

const folders = storeFolders();
afterEach(folders.clear);

lookupClaims({
  name: 'the DuckDB store',
  holding: async (records, coverage) => {
    const store = await folders.empty(createManualClock());
    await store.insert(records);
    for (const interval of coverage) await store.cover(interval);
    return store;
  },
});

storeClaims({ name: 'the DuckDB store', empty: folders.empty, reopened: folders.reopened });
