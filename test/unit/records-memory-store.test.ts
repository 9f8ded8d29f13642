import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { lookupClaims, storeClaims } from '../support/record-store-conformance.js';

lookupClaims({
  name: 'the memory store',
  holding: async (records, coverage) => {
    const store = createMemoryRecordStore({ clock: new ManualClock() });
    await store.insert(records);
    for (const interval of coverage) await store.cover(interval);
    return store;
  },
});

storeClaims({ name: 'the memory store', empty: async (clock) => createMemoryRecordStore({ clock }) });
