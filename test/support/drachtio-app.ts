import { once, type EventEmitter } from 'node:events';
import Srf from 'drachtio-srf';
import type { DrachtioServer } from '@hopback/harness/drachtio';
import { PATIENCE_MS } from './drachtio-inbox.js';

// drachtio-srf is used as published. Its own types leave out half of what it does, so what the tests use is typed here, and this
// is the only file that casts.

/** Header fields and body of a message as an application sees them. */
export interface AppMessage {
  readonly raw: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly status: number;
  readonly get: (name: string) => string | undefined;
  readonly has: (name: string) => boolean;
  readonly source: string;
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly stackTime: string;
  readonly stackTxnId: string;
  readonly stackDialogId: string;
}

/** What an application sends along. */
export interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A request that came, or that the application sent. */
export interface AppRequest extends AppMessage, EventEmitter {
  readonly method: string;
  readonly uri: string;
  readonly receivedOn: string | undefined;
  readonly callingNumber: string;
  readonly calledNumber: string;
  readonly isNewInvite: boolean;
  readonly cancel: (options?: SendOptions, callback?: (error: unknown, cancel: AppRequest) => void) => void;
}

/** Told how a response went out. */
export type Sent = (error: unknown, response?: AppMessage) => void;

/** A response: the one to be sent, or one that came. */
export interface AppResponse extends AppMessage {
  readonly finalResponseSent: boolean;
  send(status: number, options?: SendOptions, sent?: Sent | null, acknowledged?: (request: AppRequest) => void): void;
  send(
    status: number,
    reason: string,
    options?: SendOptions,
    sent?: Sent | null,
    acknowledged?: (request: AppRequest) => void,
  ): void;
}

/** A call or subscription. */
export interface AppDialog extends EventEmitter {
  readonly id: string;
  readonly connected: boolean;
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  readonly local: { readonly uri: string; readonly sdp: string; readonly contact: string };
  readonly remote: { readonly uri: string; readonly sdp: string };
  readonly req: AppRequest;
  readonly res: AppResponse;
  other?: AppDialog;
  readonly destroy: (options?: SendOptions & { readonly auth?: Credentials }) => Promise<AppRequest>;
  modify(sdp: string, options?: SendOptions): Promise<string>;
  modify(options: { readonly noAck: true }): Promise<{ readonly sdp: string; readonly ack: (sdp: string) => void }>;
  readonly request: (
    options: SendOptions & { readonly method: string; readonly auth?: Credentials },
  ) => Promise<AppResponse>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface ProxyOptions {
  readonly forking?: 'sequential' | 'simultaneous';
  readonly remainInDialog?: boolean;
  readonly recordRoute?: boolean;
  readonly path?: boolean;
  readonly followRedirects?: boolean;
  readonly provisionalTimeout?: string;
  readonly finalTimeout?: string;
  readonly headers?: Record<string, string>;
}

export interface ProxyResult {
  readonly connected: boolean;
  readonly finalStatus?: number;
  readonly finalResponse?: { readonly status: number; readonly msg: AppMessage };
  readonly responses: readonly {
    readonly address: string;
    readonly port: number;
    readonly msgs: readonly { readonly time: string; readonly status: number; readonly msg: AppMessage }[];
  }[];
}

export interface UacOptions extends SendOptions {
  readonly method?: 'INVITE' | 'SUBSCRIBE';
  readonly localSdp?: string;
  readonly callingNumber?: string;
  readonly callingName?: string;
  readonly proxy?: string;
  readonly auth?: Credentials;
  readonly followRedirects?: boolean;
}

export interface UacCallbacks {
  readonly cbRequest?: (error: unknown, request: AppRequest) => void;
  readonly cbProvisional?: (response: AppResponse) => void;
}

export interface B2buaOptions extends UacOptions {
  readonly proxyRequestHeaders?: readonly string[];
  readonly proxyResponseHeaders?: readonly string[];
  readonly responseHeaders?: Record<string, string>;
}

export interface RequestOptions extends SendOptions {
  readonly method: string;
  readonly auth?: Credentials;
  readonly proxy?: string;
}

export type Handler = (request: AppRequest, response: AppResponse, next: () => void) => void;

/** The part of `Srf` that the tests use. */
export interface AppSrf extends EventEmitter {
  use(handler: Handler): void;
  use(method: string, handler: Handler): void;
  readonly invite: (handler: Handler) => void;
  readonly register: (handler: Handler) => void;
  readonly options: (handler: Handler) => void;
  readonly createUAS: (request: AppRequest, response: AppResponse, options: UacOptions) => Promise<AppDialog>;
  createUAC(
    uri: string,
    options: UacOptions & { readonly noAck: true },
  ): Promise<{ readonly sdp: string; readonly ack: (sdp: string) => Promise<AppDialog> }>;
  createUAC(uri: string, options: UacOptions, callbacks?: UacCallbacks): Promise<AppDialog>;
  // oxlint-disable-next-line eslint/max-params -- as drachtio-srf has it
  readonly createB2BUA: (
    request: AppRequest,
    response: AppResponse,
    uri: string,
    options: B2buaOptions,
    callbacks?: UacCallbacks,
  ) => Promise<{ readonly uas: AppDialog; readonly uac: AppDialog }>;
  readonly proxyRequest: (
    request: AppRequest,
    destination: string | readonly string[],
    options?: ProxyOptions,
  ) => Promise<ProxyResult>;
  request(uri: string, options: RequestOptions): Promise<AppRequest>;
  request(uri: string, options: RequestOptions, callback: (error: unknown, request: AppRequest) => void): void;
  readonly findDialogById: (id: string) => AppDialog | undefined;
  readonly unregisterForMessages: (verb: string) => void;
  readonly reregisterForMessages: (verb: string) => void;
  readonly disconnect: () => void;
}

/** An application with its connection. */
export type ConnectedApp = Awaited<ReturnType<typeof connectApp>>;

/** Settings of {@link connectApp}. */
export interface ConnectOptions {
  readonly secret?: string;
  readonly tags?: readonly string[];
  /** Run before connecting, as applications do. */
  readonly setUp?: (srf: AppSrf) => void;
}

interface Internals {
  readonly app: { readonly client: { readonly wp: { closing: boolean } } };
}

type SrfClass = new (tags?: readonly string[]) => AppSrf & {
  readonly connect: (options: object) => void;
};

/** What {@link connectApp} needs to know of a server. */
export type Controlled = Pick<DrachtioServer, 'control'>;

/**
 * Tells by which method a call ended, also where that was before anybody could listen: a BYE may be read in one go with the ACK, and the
 * promise of the dialog is only kept after that.
 */
export function onEnded(dialog: AppDialog, tell: (method: string) => void): void {
  if (dialog.connected) dialog.on('destroy', ({ method }: AppRequest) => tell(method));
  else tell('BYE');
}

/**
 * Connects an application to a server.
 * @throws Error when the server refuses it
 */
export async function connectApp({ control }: Controlled, options: ConnectOptions = {}) {
  const srf = new (Srf as unknown as SrfClass)(options.tags);
  let isOpen = false;
  // Without a listener a connection that is lost would end the process.
  srf.on('error', () => undefined);
  srf.on('close', () => {
    isOpen = false;
  });
  options.setUp?.(srf);
  srf.connect({ ...control, ...(options.secret === undefined ? {} : { secret: options.secret }) });
  const [error, ...greeting] = (await once(srf, 'connect')) as [Error | null, ...string[]];
  const stop = (): void => {
    (srf as unknown as Internals).app.client.wp.closing = true;
  };
  if (error !== null) {
    stop();
    throw error;
  }
  srf.on('connect', () => {
    isOpen = true;
  });
  isOpen = true;
  const close = async (): Promise<void> => {
    // Nobody reconnects from here on.
    stop();
    if (!isOpen) return;
    const closed = once(srf, 'close');
    srf.disconnect();
    await closed;
  };
  return { srf, greeting, close, [Symbol.asyncDispose]: close };
}

/** The first time that something is heard, with its arguments. */
export function heard<Arguments extends readonly unknown[]>(emitter: EventEmitter, event: string): Promise<Arguments> {
  return once(emitter, event, { signal: AbortSignal.timeout(PATIENCE_MS) }) as unknown as Promise<Arguments>;
}
