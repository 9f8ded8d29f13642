/** Runs the certificate server for `certificate-servers`: publishes what it is told to and counts who asks. */
import { once } from 'node:events';
import { startCertificateServer } from '@hopback/sdk/testing';
import type { ServerAnswers, ServerOrder, ServerStart } from './certificate-servers.js';

const [start] = (await once(process, 'message')) as [ServerStart];
const server = await startCertificateServer({ names: start.names });

process.on('message', (order: ServerOrder) => void process.send?.(answer(order)));
process.once('disconnect', () => void server.close());
process.send?.({ tlsRootPem: server.tlsRootPem, ports: server.ports });

function answer(order: ServerOrder): ServerAnswers[ServerOrder['kind']] {
  if (order.kind === 'fault') return server.namedFault(order.name, order.body);
  if (order.kind === 'requests') return server.requests(order.path);
  for (let index = 0; index < order.count; index += 1) server.publish(`${order.prefix}${index}.pem`, order.body);
  return order.count;
}
