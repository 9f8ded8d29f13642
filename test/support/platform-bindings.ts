import { http } from 'msw';
import { setupServer } from 'msw/node';
import { bearerToken, createPlatformClient } from '@hopback/sdk/platform';
import type { PlatformClient, PlatformClientOptions } from '@hopback/sdk/platform';
import { createTestPlatform, platformHandlers, startTestPlatform } from '@hopback/sdk/testing';
import type { TestPlatform, TestPlatformOptions } from '@hopback/sdk/testing';

/** A way by which requests come to a test platform. */
export interface PlatformBinding {
  readonly name: 'msw' | 'HTTP';
  readonly start: (options?: Omit<TestPlatformOptions, 'baseUrl'>) => Promise<TestPlatform>;
}

/** The same platform behind msw, and behind a port. */
export const PLATFORM_BINDINGS: readonly PlatformBinding[] = [
  {
    name: 'msw',
    start: async (options = {}) => {
      const platform = createTestPlatform(options);
      const server = setupServer(...platformHandlers(platform, { http }));
      server.listen({ onUnhandledRequest: 'bypass' });
      const close = async (): Promise<void> => {
        server.close();
        await platform.close();
      };
      return { ...platform, close, [Symbol.asyncDispose]: close };
    },
  },
  { name: 'HTTP', start: (options = {}) => startTestPlatform(options) },
];

/** A client of a provider, with a token that is there already. */
export function clientOf(
  platform: TestPlatform,
  clientId = 'prv-birch',
  options: Partial<PlatformClientOptions> = {},
): PlatformClient {
  const { token } = platform.credentials(clientId);
  const { baseUrl } = platform;
  return createPlatformClient({
    baseUrl,
    authorization: bearerToken(token),
    random: () => 0,
    maxRetries: 0,
    ...options,
  });
}
