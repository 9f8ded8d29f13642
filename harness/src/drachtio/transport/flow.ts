/** Transports that the server speaks. */
export type TransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** An address and port, IPv6 without brackets. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * A way to one peer: a connection, or for UDP the peer's address seen from one of our sockets. Responses go back on the flow of their
 * request, and a message says by its flow where it came from.
 */
export interface Flow {
  readonly transport: TransportName;
  /** Whether the transport itself repeats what gets lost. */
  readonly isReliable: boolean;
  readonly remote: Endpoint;
  /**
   * Where the peer can reach us: the listening address, not the ephemeral one of a connection that we opened. For a listener at a wildcard
   * address it is the address of this machine that routes to the peer.
   */
  readonly local: Endpoint;
  /** Whether something can be sent. Always true for UDP. */
  readonly isOpen: () => boolean;
  /** The same socket and host, another port; for UDP alone. */
  readonly atPort?: (port: number) => Flow;
  /**
   * Sends one message; never throws. `onError` is called at most once, later, where the transport learns that it cannot deliver.
   * @param text - one character per octet
   */
  readonly send: (text: string, onError?: (error: Error) => void) => void;
}

/** Payload of the largest UDP datagram over IPv4. @see RFC 768, RFC 791 */
const MAX_DATAGRAM_BYTES = 65_507;

/** The longest message that a transport carries, octets. */
export function maxMessageBytes(transport: TransportName): number {
  return transport === 'udp' ? MAX_DATAGRAM_BYTES : Number.POSITIVE_INFINITY;
}

/** Where a listener is opened. */
export interface ListenerAddress extends Endpoint {
  /** The address that a peer reaches this listener at. */
  readonly addressTowards: (remote: string) => string;
}

/** What a listener or connection hands up. */
export interface TransportUser {
  /** Octets of one message; for streams the framing has been taken off. */
  readonly onMessage: (text: string, flow: Flow) => void;
  /** A stream broke a rule of framing; the connection is closed by the transport. */
  readonly onFault: (fault: TransportFault, flow: Flow) => void;
  /** A connection is over, for whatever reason. */
  readonly onClosed: (flow: Flow) => void;
}

/** Why a transport gave a peer up. */
export type TransportFault =
  | 'header-section-too-large'
  | 'message-too-large'
  | 'bad-content-length'
  | 'unreadable-stream'
  | 'slow-sender'
  | 'idle'
  | 'too-many-connections'
  | 'bad-frame'
  | 'send-backlog';

/** `127.0.0.1:5060`; IPv6 in brackets. */
export function hostPort(endpoint: Endpoint): string {
  return `${bracketed(endpoint.address)}:${endpoint.port}`;
}

/** A host as it stands in URIs and Via. */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** Whether a transport delivers reliably and in order. */
export function isReliable(transport: TransportName): boolean {
  return transport !== 'udp';
}

/** Whether messages are cut out of a stream of octets, rather than coming in datagrams or frames. */
export function isStream(transport: TransportName): boolean {
  return transport === 'tcp' || transport === 'tls';
}
