import type { HostQuestion, HostTold, HostWord } from './forked-host.js';
import { createNodeHost } from './node-host.js';
import type { HostOrder, NodeHost } from './node-host.js';
import type { NodePeers } from '../node/index.js';

// A process of a network: some of its providers. It is forked by `forkNodeHost`, asked one thing after another, and ends when nobody is there to ask.

/** What is told by itself goes together: one message of the process for each is too many. */
const TELLING_MS = 20;

const say = (word: HostWord): void => {
  if (process.connected) process.send?.(word);
};

let waiting: HostTold[] = [];
const flush = (): void => {
  if (waiting.length === 0) return;
  const told = waiting;
  waiting = [];
  say({ kind: 'told', told });
};
const tell = (told: HostTold): void => {
  if (waiting.length === 0) setTimeout(flush, TELLING_MS);
  waiting.push(told);
};

const host: NodeHost = createNodeHost({
  onHop: (...parts) => tell({ name: 'onHop', parts }),
  onTrouble: (...parts) => tell({ name: 'onTrouble', parts }),
  onMessage: (...parts) => tell({ name: 'onMessage', parts }),
});

const METHODS: { readonly [Name in keyof NodeHost]: (argument: unknown) => Promise<unknown> } = {
  open: (argument) => host.open(argument as HostOrder),
  connect: (argument) => host.connect(argument as NodePeers),
  begin: (argument) => host.begin(argument as number),
  advance: (argument) => host.advance(argument as number),
  drain: () => host.drain(),
  answering: () => host.answering(),
  close: () => host.close(),
};

process.on('message', ({ id, method, argument }: HostQuestion) => {
  METHODS[method](argument).then(
    (value) => {
      // What was told before the answer is there before it.
      flush();
      say({ kind: 'answer', id, value });
    },
    (error: unknown) => say({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => {
  void host.close().finally(() => process.exit());
});
