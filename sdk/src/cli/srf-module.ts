import { HopbackError } from '../errors.js';
import type { RedirectHandler } from '../switch/index.js';
import type { SocketHolder } from './guarded-socket.js';

/** What is used of an `Srf` of drachtio-srf: one connection to one drachtio server. */
export interface SrfLike extends SocketHolder {
  readonly use: (method: string, handler: RedirectHandler) => void;
  readonly on: (event: 'connect' | 'error' | 'close', listener: (error?: unknown, ...more: unknown[]) => void) => void;
  readonly connect: (options: Readonly<Record<string, unknown>>) => void;
  readonly unregisterForMessages: (method: string) => void;
  readonly disconnect: () => void;
}

/** By name, so that it is looked for when it is needed and not when this package is compiled against. */
const DRACHTIO_SRF: string = 'drachtio-srf';

/**
 * Loads drachtio-srf, an optional peer dependency.
 * @throws {@link HopbackError} `unavailable` where it is not installed
 */
export async function loadSrf(): Promise<new () => SrfLike> {
  try {
    const { default: Srf } = (await import(DRACHTIO_SRF)) as { readonly default: new () => SrfLike };
    return Srf;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new HopbackError(
      'unavailable',
      'a drachtio server is spoken to by the package drachtio-srf, which is not installed:\nnpm install drachtio-srf',
      { cause },
    );
  }
}
