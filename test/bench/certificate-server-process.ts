/** Runs the certificate server for `certificate-servers`, under the names that are given: publishes what it is told to and counts who asks. */
import { createInterface } from 'node:readline';
import { CertificateServer } from '@hopback/sdk/testing';
import type { ServerOrder } from './certificate-servers.js';

const server = await CertificateServer.start({ names: process.argv.slice(2) });
const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

say({ tlsRootPem: server.tlsRootPem, ports: server.ports });
for await (const line of createInterface({ input: process.stdin })) say(answer(JSON.parse(line) as ServerOrder));
await server.close();

function answer(order: ServerOrder): string | number {
  if (order.kind === 'fault') return server.namedFault(order.name, order.body);
  if (order.kind === 'requests') return server.requests(order.path);
  for (let index = 0; index < order.count; index += 1) server.publish(`${order.prefix}${index}.pem`, order.body);
  return order.count;
}
