import type { AppConnection } from './app-connection.js';

/** Stands for all of them, for an application that the server connected to. */
export const EVERY_VERB = '*';

/** Which applications want what. */
export interface AppDirectory {
  readonly add: (app: AppConnection) => void;
  readonly remove: (app: AppConnection) => void;
  /** Asking twice for the same verb is asking once. */
  readonly route: (app: AppConnection, verb: string) => void;
  /** Forgets all verbs of an application. */
  readonly removeRoutes: (app: AppConnection) => void;
  /** The next application in turn that wants a verb and has said the secret, or undefined. */
  readonly next: (verb: string) => AppConnection | undefined;
  readonly all: () => readonly AppConnection[];
}

/** Makes an empty directory. */
export function createAppDirectory(): AppDirectory {
  const apps = new Set<AppConnection>();
  const byVerb = new Map<string, AppConnection[]>();
  const turns = new Map<string, number>();
  const removeRoutes = (app: AppConnection): void => {
    for (const [verb, takers] of byVerb) {
      const others = takers.filter((taker) => taker !== app);
      if (others.length === 0) byVerb.delete(verb);
      else byVerb.set(verb, others);
    }
  };
  return {
    add: (app) => void apps.add(app),
    remove: (app) => {
      apps.delete(app);
      removeRoutes(app);
    },
    route: (app, verb) => {
      const takers = byVerb.get(verb) ?? [];
      if (!takers.includes(app)) byVerb.set(verb, [...takers, app]);
    },
    removeRoutes,
    next: (verb) => {
      const takers = (byVerb.get(verb) ?? byVerb.get(EVERY_VERB))?.filter((taker) => taker.isAuthenticated());
      if (takers === undefined || takers.length === 0) return undefined;
      const turn = turns.get(verb) ?? 0;
      turns.set(verb, turn + 1);
      return takers[turn % takers.length];
    },
    all: () => [...apps],
  };
}
