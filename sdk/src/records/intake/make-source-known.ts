import type { RecordStore } from '../store/record-store.js';

/**
 * Makes a source known to a store, of which perhaps every row is rejected: from then on "not found" has to hold for it too. Nothing that the
 * store is complete for is taken away but the first microsecond of 1970.
 * @param store - where its records go
 * @param sourceId - name of the source
 * @returns when the store has it on its list
 * @throws {@link HopbackError} `storage-failed` when the store refuses
 * @see {@link RecordStore}, whose `scope` has the list
 * @example
 * ```ts
 * const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
 * await makeSourceKnown(store, 'pbx-1');
 * console.log((await store.scope()).sources); // [ 'pbx-1' ]
 * ```
 */
export async function makeSourceKnown(store: Pick<RecordStore, 'scope' | 'uncover'>, sourceId: string): Promise<void> {
  if (!(await store.scope()).sources.includes(sourceId)) await store.uncover({ sourceId, fromUs: 0, toUs: 0 });
}
