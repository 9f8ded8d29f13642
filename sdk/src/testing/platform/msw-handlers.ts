import type { TestPlatform } from './test-platform.js';

/** As much of `http` of msw as is needed: it is handed in, so that the kit loads where there is no msw. */
export interface MswHttp<Handler> {
  readonly all: (path: string, resolver: (info: { readonly request: Request }) => Promise<Response>) => Handler;
}

/**
 * Binds a test platform to msw: requests of this process to its address are answered by it. Never throws.
 * @param platform - who answers
 * @param options - `http` of msw; the address in place of the platform's own, without a slash at its end
 * @returns handlers for `setupServer`. Never throws
 * @see https://mswjs.io/docs/api/setup-server
 * @example
 * ```ts
 * // import { http } from 'msw'; import { setupServer } from 'msw/node';
 * const http = { all: (path: string) => path };
 * await using platform = createTestPlatform();
 * // setupServer(...platformHandlers(platform, { http })).listen();
 * console.log(platformHandlers(platform, { http })); // [ 'https://itg.example/*' ]
 * ```
 */
export function platformHandlers<Handler>(
  platform: TestPlatform,
  options: { readonly http: MswHttp<Handler>; readonly baseUrl?: string },
): readonly Handler[] {
  const { http, baseUrl = platform.baseUrl } = options;
  return [http.all(`${baseUrl}/*`, ({ request }) => platform.handle(request))];
}
