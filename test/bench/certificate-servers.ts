import { createScriptedLookup, type ServerFaultName } from '@hopback/sdk/testing';
import { asked, startHelper } from './line-process.js';

/** A line to the process of the server. */
export type ServerOrder =
  | { readonly kind: 'publish'; readonly prefix: string; readonly count: number; readonly body: string }
  | { readonly kind: 'fault'; readonly name: ServerFaultName; readonly body: string }
  | { readonly kind: 'requests'; readonly path: string };

export type CertificateServers = Awaited<ReturnType<typeof startCertificateServers>>;

/** Of as many domains, so that the limit of one site is not what bounds the whole. */
const SITES = 64;
const LOOPBACK = '127.0.0.1';

/** Starts a certificate server over HTTPS on loopback, in a process of its own: its memory and its work are not the verifier's. */
export async function startCertificateServers() {
  const names = Array.from({ length: SITES }, (_, site) => `certificates.provider-${site}.example`);
  const child = await startHelper('certificate-server-process.ts', names);
  const { tlsRootPem, ports } = JSON.parse(child.firstLine) as {
    readonly tlsRootPem: string;
    readonly ports: Readonly<Record<string, number>>;
  };
  const lookup = createScriptedLookup(Object.fromEntries(names.map((name) => [name, [[LOOPBACK]]])));
  const order = <Answer>(what: ServerOrder): Promise<Answer> => asked<Answer>(child, JSON.stringify(what));
  return {
    /** What a repository needs in order to reach it: names, addresses, port, and the root of its TLS certificate. */
    reach: {
      ca: tlsRootPem,
      lookup,
      allow: { addresses: ['127.0.0.0/8'], ports: Object.values(ports) },
    },
    /** URL of a path at the n-th site; all sites are this server under other names. */
    url: (site: number, path: string) => `https://${names[site % SITES] ?? LOOPBACK}:${ports['https'] ?? 0}${path}`,
    /** Serves a body at the paths `/PREFIX0.pem`, `/PREFIX1.pem`, …, at all sites. */
    publish: (prefix: string, count: number, body: string) =>
      order<number>({ kind: 'publish', prefix: `/${prefix}`, count, body }),
    /** Sets up a fault of the catalogue; returns the URL where it is met. */
    fault: (name: ServerFaultName, body: string) => order<string>({ kind: 'fault', name, body }),
    /** How often a path was asked for. */
    requests: (path: string) => order<number>({ kind: 'requests', path }),
    [Symbol.asyncDispose]: child.close,
  };
}
