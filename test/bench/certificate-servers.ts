import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createScriptedLookup } from '@hopback/sdk/testing';
import type { ScriptedLookup, ServerFaultName } from '@hopback/sdk/testing';
import type { X5uAllowList } from '@hopback/sdk/stir';

/** What the server process is started with. */
export interface ServerStart {
  readonly names: readonly string[];
}

/** What it is told to do. */
export type ServerOrder =
  | { readonly kind: 'publish'; readonly prefix: string; readonly count: number; readonly body: string }
  | { readonly kind: 'fault'; readonly name: ServerFaultName; readonly body: string }
  | { readonly kind: 'requests'; readonly path: string };

/** What it answers. */
export interface ServerAnswers {
  /** How many paths. */
  readonly publish: number;
  /** The URL. */
  readonly fault: string;
  /** How many there were. */
  readonly requests: number;
}

/** A certificate server over HTTPS on loopback, in a process of its own: its memory and its work are not the verifier's. */
export interface CertificateServers extends AsyncDisposable {
  /** What a repository needs in order to reach it: names, addresses, port, and the root of its TLS certificate. */
  readonly reach: { readonly ca: string; readonly lookup: ScriptedLookup; readonly allow: X5uAllowList };
  /** URL of a path at the n-th site; all sites are this server under other names. */
  readonly url: (site: number, path: string) => string;
  /** Serves a body at the paths `/PREFIX0.pem`, `/PREFIX1.pem`, …, at all sites. */
  readonly publish: (prefix: string, count: number, body: string) => Promise<number>;
  /** Sets up a fault of the catalogue; returns the URL where it is met. */
  readonly fault: (name: ServerFaultName, body: string) => Promise<string>;
  /** How often a path was asked for. */
  readonly requests: (path: string) => Promise<number>;
}

/** Of as many domains, so that the limit of one site is not what bounds the whole. */
export const SITES = 64;

/** Starts the server. */
export async function startCertificateServers(): Promise<CertificateServers> {
  const names = Array.from({ length: SITES }, (_, site) => `certificates.provider-${site}.example`);
  const child = fork(fileURLToPath(new URL('certificate-server-process.ts', import.meta.url)));
  const closed = once(child, 'exit');
  const next = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), failed(closed)])) as [unknown];
    return message;
  };
  child.send({ names } satisfies ServerStart);
  const { tlsRootPem, ports } = (await next()) as {
    readonly tlsRootPem: string;
    readonly ports: Readonly<Record<string, number>>;
  };
  const ask = async <Kind extends ServerOrder['kind']>(
    order: ServerOrder & { readonly kind: Kind },
  ): Promise<ServerAnswers[Kind]> => {
    child.send(order);
    return (await next()) as ServerAnswers[Kind];
  };
  return {
    reach: {
      ca: tlsRootPem,
      lookup: createScriptedLookup(Object.fromEntries(names.map((name) => [name, [[LOOPBACK]]]))),
      allow: { addresses: ['127.0.0.0/8'], ports: Object.values(ports) },
    },
    url: (site, path) => `https://${names[site % SITES] ?? LOOPBACK}:${ports['https'] ?? 0}${path}`,
    publish: (prefix, count, body) => ask({ kind: 'publish', prefix: `/${prefix}`, count, body }),
    fault: (name, body) => ask({ kind: 'fault', name, body }),
    requests: (path) => ask({ kind: 'requests', path }),
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await closed;
    },
  };
}

const LOOPBACK = '127.0.0.1';

async function failed(closed: Promise<unknown[]>): Promise<never> {
  const [code] = await closed;
  throw new Error(`the certificate server ended: ${String(code)}`);
}
