import { ManualClock } from '@hopback/sdk/testing';
import { createTimers } from '../../harness/src/drachtio/timers.js';
import { readParsed, type Received } from '../../harness/src/drachtio/received.js';
import { parseMessage } from '../../harness/src/drachtio/message/parse-message.js';
import { createTransactionLayer } from '../../harness/src/drachtio/transaction/transaction-layer.js';
import type { ServerTransaction } from '../../harness/src/drachtio/transaction/transaction-layer.js';
import { TIMER_BASE, type TimerBase } from '../../harness/src/drachtio/transaction/transition.js';
import { arrivalOn, fakeFlow } from './sip-samples.js';
import type { TransportName } from '../../harness/src/drachtio/transport/flow.js';

/** The branch of requests that `request` of a lab sends. */
export const OUR_BRANCH = 'z9hG4bKours';
/** The ACK that their user writes. */
export const OUR_ACK = 'ACK sip:bob@example.com SIP/2.0\r\n\r\n';

export type TransactionLab = ReturnType<typeof createTransactionLab>;

/** Makes a transaction layer on a clock that stands still and a flow that leads nowhere. */
export function createTransactionLab(transport: TransportName = 'udp', base: TimerBase = TIMER_BASE) {
  const clock = new ManualClock(0);
  const timers = createTimers(clock);
  const flow = fakeFlow(transport);
  /** What the layer handed up: `request METHOD`, `cancel`, `cancel nothing`, `ack`, `stray STATUS`. */
  const told: string[] = [];
  const servers: ServerTransaction[] = [];
  const cancelled: (ServerTransaction | undefined)[] = [];
  /** Milliseconds from the start, and the method or status that was sent. */
  const sendings: (readonly [number, string])[] = [];
  let retransmissions = 0;
  const layer = createTransactionLayer(
    {
      ...{ timers, base, responseFlow: (received: Received) => received.flow },
      send: (to, text, onError) => {
        sendings.push([clock.nowMs(), whatOf(text)]);
        to.send(text, onError);
      },
      onRetransmission: () => (retransmissions += 1),
    },
    {
      onRequest: ({ message }, transaction) => {
        told.push(`request ${message.method}`);
        servers.push(transaction);
      },
      onCancel: (_received, transaction, invite) => {
        told.push(invite === undefined ? 'cancel nothing' : 'cancel');
        servers.push(transaction);
        cancelled.push(invite);
      },
      onAck: () => told.push('ack'),
      onStrayResponse: ({ message }) => told.push(`stray ${message.status}`),
    },
  );
  return {
    ...{ clock, timers, flow, layer, told, servers, cancelled, sendings },
    arrive: (text: string): void => {
      const reading = readParsed(parseMessage(text), arrivalOn(flow));
      if (reading.status !== 'read') throw new Error(`the sample cannot be read: ${JSON.stringify(reading)}`);
      const { received } = reading;
      if (received.message.status === 0) layer.receiveRequest(received);
      else layer.receiveResponse(received);
    },
    /** Sends a request whose user notes what it gets: `STATUS`, `timeout`, `transport-error`, `end`. */
    request: (method: string) => {
      const text = `${method} sip:bob@example.com SIP/2.0\r\n\r\n`;
      const userTold: string[] = [];
      const transaction = layer.request({
        ...{ branch: OUR_BRANCH, method, flow, text },
        user: {
          onResponse: ({ message }) => userTold.push(String(message.status)),
          onFailure: (why) => userTold.push(why),
          acknowledgement: () => OUR_ACK,
          onEnd: () => userTold.push('end'),
        },
      });
      return { transaction, told: userTold };
    },
    retransmissions: () => retransmissions,
    left: () => ({ ...layer.counts(), timers: timers.pendingTimers() + clock.pendingTimers() }),
  };
}

/** Nothing is left. */
export const NOTHING_LEFT = { server: 0, client: 0, timers: 0 };

function whatOf(text: string): string {
  return text.startsWith('SIP/2.0 ') ? text.slice(8, 11) : text.slice(0, text.indexOf(' '));
}
