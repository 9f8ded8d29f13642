import type { PlatformRoute } from '../contract/route.js';
import { PLATFORM_ROUTES } from '../contract/routes.js';

/** A route that a request is meant for, and what its path says. */
export interface MatchedRoute<Route extends PlatformRoute<string, string> = PlatformRoute> {
  readonly route: Route;
  /** Parameters of the path by their names, without their escapes. */
  readonly path: Readonly<Record<string, string>>;
}

/**
 * Makes a function that finds the route which a request is meant for.
 * @param routes - of the contract, or others beside them
 * @returns a function of the method and the path below the address of the platform, with its escapes; what it gives is undefined where
 * there is no such route. It never throws for peer input.
 * @see RFC 3986 section 3.3 for paths
 * @example
 * ```ts
 * const match = createRouteMatcher(PLATFORM_ROUTES);
 * console.log(match('GET', '/v1/campaigns/c-1')?.path['campaignId']); // c-1
 * ```
 */
export function createRouteMatcher<Route extends PlatformRoute<string, string>>(
  routes: readonly Route[],
): (method: string, pathname: string) => MatchedRoute<Route> | undefined {
  const entries = routes.map((route) => ({ route, parts: route.path.split('/') }));
  return (method, pathname) => {
    const given = pathname.split('/');
    for (const { route, parts } of entries) {
      const path = route.method === method ? pathOf(parts, given) : undefined;
      if (path !== undefined) return { route, path };
    }
    return undefined;
  };
}

/**
 * Finds the route of the contract that a request is meant for, as {@link createRouteMatcher} does.
 * @see RFC 9110 section 9
 * @example
 * ```ts
 * console.log(matchPlatformRoute('GET', '/v1/alerts')?.route.operationId); // listAlerts
 * ```
 */
export const matchPlatformRoute: (method: string, pathname: string) => MatchedRoute | undefined =
  createRouteMatcher(PLATFORM_ROUTES);

function pathOf(parts: readonly string[], given: readonly string[]): Readonly<Record<string, string>> | undefined {
  if (parts.length !== given.length) return undefined;
  const path: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith('{') && value !== '') path[part.slice(1, -1)] = unescaped(value);
    else if (part !== value) return undefined;
  }
  return path;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
