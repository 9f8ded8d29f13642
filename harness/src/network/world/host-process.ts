import type { NodePeers } from '../node/node.js';
import { answerParent, createNodeHost, tellParent, toldMessage } from './forked-process.js';
import type { HostOrder, HostMessage, NodeHost } from './forked-process.js';

// A process of a network: some of its providers. It is forked by `forkNodeHost`, asked one thing after another, and ends when nobody is there to ask.

// A copy: drachtio-srf asks for a variable at each header field, and each time the system would be asked.
process.env = { ...process.env };

const tell = (told: HostMessage): void => tellParent(told);

const host: NodeHost = createNodeHost({
  onHop: (...parts) => tell({ name: 'onHop', parts }),
  onTrouble: (...parts) => tell({ name: 'onTrouble', parts }),
  onMessage: (message) => tell({ name: 'onMessage', message: toldMessage(message) }),
});

answerParent({
  open: (argument) => host.open(argument as HostOrder),
  connect: (argument) => host.connect(argument as NodePeers),
  begin: (argument) => host.begin(argument as number),
  advance: (argument) => host.advance(argument as number),
  drain: () => host.drain(),
  answering: () => host.answering(),
  close: () => host.close(),
} satisfies { readonly [Name in keyof NodeHost]: (argument: unknown) => Promise<unknown> });
