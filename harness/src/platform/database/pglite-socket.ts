import { Duplex } from 'node:stream';
import { callbackify } from 'node:util';
import type { PGlite } from '@electric-sql/pglite';
import { HopbackError } from '@hopback/sdk/errors';

/** First octet of the message by which a client says that it goes. PostgreSQL, section 53.7, Terminate */
const TERMINATE = 0x58;

/** What a client of PostgreSQL does with a socket besides reading and writing. */
interface SocketOfClient {
  readonly connect: (port: number, host: string) => unknown;
  readonly setNoDelay: (isOn?: boolean) => unknown;
  readonly setKeepAlive: (isOn?: boolean, delayMs?: number) => unknown;
  readonly ref: () => unknown;
  readonly unref: () => unknown;
}

/**
 * A connection to PGlite for the driver `pg`, so that both engines have one: it speaks the protocol of PostgreSQL with what runs in this process. All
 * messages that are written at once are carried out at once, where PGlite's own `query` takes five turns; a statement that has been prepared costs a
 * sixth of it.
 */
export class PgliteSocket extends Duplex implements SocketOfClient {
  readonly #pglite: PGlite;
  readonly #carryOut = callbackify((messages: Buffer) => this.#carriedOut(messages));

  constructor(pglite: PGlite) {
    super();
    this.#pglite = pglite;
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    // What there is to read is pushed when it is there.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#carryOut(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#carryOut(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  async #carriedOut(messages: Buffer): Promise<void> {
    if (messages[0] === TERMINATE) return;
    if (this.#pglite.closed) throw new HopbackError('closed', 'the database has been closed');
    // What it gives lies in the memory of its machine, and is another thing the next moment.
    const onRawData = (answered: Uint8Array): void => void this.push(Buffer.from(answered));
    // This way it does not read its own answers too.
    await this.#pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData });
  }
}
