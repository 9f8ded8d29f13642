/**
 * A drachtio server in TypeScript for tests: unmodified drachtio-srf applications connect to it, and it speaks SIP for them.
 *
 * - **To run one:** {@link DrachtioServer.open}; {@link ServerLimits} lists what it refuses.
 * - **To flood:** {@link Exchange} places and takes calls by the thousand, and costs little.
 * - **To look on:** {@link DrachtioServer.tap} shows every message, {@link pcapOf} makes a capture of them, {@link DrachtioServer.counters}
 *   counts by method and status, and {@link DrachtioServer.inUse} tells what is in memory still.
 * - **To read messages:** {@link parseMessage}, {@link readEssentials} and {@link valuesByName}, as the server itself reads them.
 *
 * Every example on these pages is a program: all that it names of `@hopback/harness` and `@hopback/harness/drachtio` is imported, the
 * rest is there. A `console.log` says in a comment what it prints. All of them run in the tests.
 * @packageDocumentation
 */
export { readEssentials } from './message/essentials.js';
export type { Essentials, EssentialsFault, ReadEssentials } from './message/essentials.js';
export { MESSAGE_LIMITS, parseMessage } from './message/parse-message.js';
export type { MessageFault, MessageLimits, ParsedMessage } from './message/parse-message.js';
export { bodyOf, valuesByName } from './message/sip-message.js';
export type { SipMessage } from './message/sip-message.js';
export type { ReadVia, TopVia } from './message/via.js';
export { Exchange } from './exchange/exchange.js';
export type { ArrivedInvite, ExchangeCall, PlacedCall, PlacedInvite, PlacedOutcome } from './exchange/exchange.js';
export { COMPATIBLE_VERSION, DrachtioServer } from './server.js';
export type { InUse } from './server.js';
export { SERVER_LIMITS } from './server-options.js';
export type { DrachtioServerOptions, ServerLimits } from './server-options.js';
export type { DirectionCounters, MessageCounters, MessageTap, TappedMessage } from './observe/tap.js';
export { pcapOf, PcapWriter, type PcapOptions } from './observe/pcap.js';
export type { TimerBase } from './transaction/transition.js';
export type { ConnectionLimits, TlsFiles } from './transport/connections.js';
export { CONNECTION_LIMITS } from './transport/connections.js';
export type { Endpoint, TransportName } from './transport/flow.js';
export type { ListenAddress } from './transport/transports.js';
