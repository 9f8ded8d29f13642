/**
 * A map of things that are there for moments, thousands a second. V8 chains each table of a Map to the larger or cleaned one that
 * follows it; once one of them is old garbage, all that came later looks alive to the collector of young objects, with the calls in
 * them, and is kept until the next full collection. This one starts a map that is chained to nothing as often as V8 would clean up.
 */
export class PassingMap<Key, Value> {
  #entries = new Map<Key, Value>();
  #removed = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  set(key: Key, value: Value): void {
    if (this.#removed > Math.max(LEAST_REMOVED, this.#entries.size)) {
      this.#entries = new Map(this.#entries);
      this.#removed = 0;
    }
    this.#entries.set(key, value);
  }

  /** @returns whether it was there */
  delete(key: Key): boolean {
    const wasThere = this.#entries.delete(key);
    if (wasThere) this.#removed += 1;
    return wasThere;
  }

  clear(): void {
    this.#entries = new Map();
    this.#removed = 0;
  }

  /** What there is now. It may be changed meanwhile: what is removed is not walked over any more, and what is set not either. */
  *entries(): Generator<[Key, Value], void> {
    for (const entry of [...this.#entries]) if (this.#entries.get(entry[0]) === entry[1]) yield entry;
  }

  /** The values of {@link entries}. */
  *values(): Generator<Value, void> {
    for (const [, value] of this.entries()) yield value;
  }
}

const LEAST_REMOVED = 16;
