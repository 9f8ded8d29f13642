import { HopbackError } from '../../errors.js';
import { createSourceHepReader, createSourceReader } from '../ingest/source-configuration.js';
import type { SourceConfiguration } from '../ingest/source-configuration.js';
import type { IntakeSource } from './intake-source.js';

/** The sources that are taken in at a time. */
export interface IntakeSources {
  readonly all: () => readonly IntakeSource[];
  readonly named: (sourceId: string) => IntakeSource | undefined;
  /** One change after the other. @throws what the first that cannot be is refused with; then all are as they were */
  readonly replace: (configurations: readonly SourceConfiguration[]) => Promise<void>;
  /** Ends all, the last first, whatever one of them says. @throws the first that one of them said */
  readonly close: () => Promise<void>;
}

/**
 * Looks at sources before anything is opened.
 * @throws {@link HopbackError} `invalid-configuration` where two have one id, or a zone, columns or a layout cannot be
 */
export function checkSources(sources: readonly SourceConfiguration[]): void {
  const ids = new Set<string>();
  for (const source of sources) {
    if (ids.has(source.id)) throw new HopbackError('invalid-configuration', `two sources have the id ${source.id}`);
    ids.add(source.id);
    if (source.format === 'hep') createSourceHepReader(source);
    else createSourceReader(source);
  }
}

interface Running {
  readonly configuration: SourceConfiguration;
  readonly source: IntakeSource;
}

/** Makes the set, empty at first. */
export function createIntakeSources(open: (source: SourceConfiguration) => Promise<IntakeSource>): IntakeSources {
  let running = new Map<string, Running>();
  let changing: Promise<void> = Promise.resolve();
  let isClosed = false;

  const start = async (configuration: SourceConfiguration): Promise<Running> => ({
    configuration,
    source: await open(configuration),
  });
  const change = async (configurations: readonly SourceConfiguration[]): Promise<void> => {
    if (isClosed) throw new HopbackError('closed', 'The intake of records is closed.');
    checkSources(configurations);
    const before = running;
    const stay = configurations.map((one) => ({ one, was: before.get(one.id) }));
    const kept = new Set(stay.filter(({ one, was }) => was !== undefined && isSame(was.configuration, one)));
    const ended = [...before.values()].filter((one) => ![...kept].some(({ was }) => was === one));
    // What ends gives its places and ports free before another takes them.
    for (const { source } of ended) await source.close();
    const after = new Map<string, Running>();
    const opened: Running[] = [];
    try {
      for (const entry of stay) {
        const { one, was } = entry;
        if (was !== undefined && kept.has(entry)) after.set(one.id, was);
        else {
          const begun = await start(one);
          opened.push(begun);
          after.set(one.id, begun);
        }
      }
    } catch (error) {
      running = await restored(before, { ended, opened });
      throw error;
    }
    running = after;
  };
  /** As it was, but for a source that cannot be opened again either. */
  const restored = async (
    before: ReadonlyMap<string, Running>,
    { ended, opened }: { readonly ended: readonly Running[]; readonly opened: readonly Running[] },
  ): Promise<Map<string, Running>> => {
    for (const { source } of opened) await source.close().catch(() => undefined);
    const again = new Map(before);
    for (const { configuration } of ended) {
      const begun = await start(configuration).catch(() => undefined);
      if (begun === undefined) again.delete(configuration.id);
      else again.set(configuration.id, begun);
    }
    return again;
  };
  return {
    all: () => [...running.values()].map(({ source }) => source),
    named: (sourceId) => running.get(sourceId)?.source,
    replace(configurations) {
      const turn = changing.then(() => change(configurations));
      changing = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      isClosed = true;
      await changing;
      await closeAll([...running.values()].map(({ source }) => source).reverse());
    },
  };
}

/** One after the other, whatever one of them says; then the first that was said. */
export async function closeAll(parts: readonly { readonly close: () => Promise<void> }[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts) await part.close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Configurations are plain JSON, read by one schema, which puts members in one order. */
function isSame(one: SourceConfiguration, other: SourceConfiguration): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
