import { AsyncResource } from 'node:async_hooks';
import { isHopbackError } from '@hopback/sdk/errors';

/** How work is done in groups. */
export interface GroupedWorkOptions<Item, Result> {
  /** Does all of them, in one transaction. Rejects where none was done. */
  readonly together: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Two items of one key are never in one group. Default all may be. */
  readonly keyOf?: (item: Item) => string;
}

/** Items of one group: a transaction of some dozens of milliseconds, so that nobody waits for it who has other work. */
const MAX_TOGETHER = 64;

interface Entry<Item, Result> {
  readonly item: Item;
  /** Runs something as whoever handed the item in: a call under a key takes part in the transaction. */
  readonly asCaller: <Value>(work: () => Value) => Value;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does work in groups: what is handed in in one turn of the event loop, or while something is done, is done together. Who comes alone waits for nobody, and a thousand who
 * come at once share statements, which cost more than what they carry. Where a group fails each of its items is tried alone, so
 * that one does not spoil it for others.
 * @returns hands an item in; rejects as its work does
 */
export function createGroupedWork<Item, Result>({
  together,
  keyOf,
}: GroupedWorkOptions<Item, Result>): (item: Item) => Promise<Result> {
  const waiting: Entry<Item, Result>[] = [];
  let isRunning = false;
  // A group belongs to none of those who handed it in.
  const run = AsyncResource.bind(async (): Promise<void> => {
    // Who comes in the same turn of the event loop comes together with the first.
    await new Promise((resolve) => void setImmediate(resolve));
    while (waiting.length > 0) await doneTogether(nextGroup(waiting, keyOf), together);
    isRunning = false;
  });
  return (item) =>
    new Promise<Result>((resolve, reject) => {
      const resource = new AsyncResource('hopback:grouped-work');
      const asCaller = <Value>(work: () => Value): Value => resource.runInAsyncScope(work);
      waiting.push({ item, asCaller, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      void run();
    });
}

function nextGroup<Item, Result>(
  waiting: Entry<Item, Result>[],
  keyOf: ((item: Item) => string) | undefined,
): readonly Entry<Item, Result>[] {
  const keys = new Set<string | undefined>();
  const group: Entry<Item, Result>[] = [];
  const later: Entry<Item, Result>[] = [];
  for (const entry of waiting.splice(0)) {
    const key = keyOf?.(entry.item);
    if (group.length >= MAX_TOGETHER || (key !== undefined && keys.has(key))) later.push(entry);
    else group.push(entry);
    keys.add(key);
  }
  waiting.push(...later);
  return group;
}

async function doneTogether<Item, Result>(
  group: readonly Entry<Item, Result>[],
  together: GroupedWorkOptions<Item, Result>['together'],
): Promise<void> {
  const [only] = group;
  if (group.length === 1 && only !== undefined) return doneAlone(only, together);
  try {
    const results = await together(group.map(({ item }) => item));
    for (const [index, { resolve }] of group.entries()) resolve(results[index] as Result);
  } catch (error) {
    // The database is away, or nobody knows what became of it: for all of them.
    const isForAll = isHopbackError(error) && (error.retryable || error.code === 'storage-failed');
    if (isForAll) for (const { reject } of group) reject(error);
    else for (const entry of group) await doneAlone(entry, together);
  }
}

async function doneAlone<Item, Result>(
  { item, asCaller, resolve, reject }: Entry<Item, Result>,
  together: GroupedWorkOptions<Item, Result>['together'],
): Promise<void> {
  try {
    const [result] = await asCaller(() => together([item]));
    resolve(result as Result);
  } catch (error) {
    reject(error);
  }
}
