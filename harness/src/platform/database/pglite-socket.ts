import { Duplex } from 'node:stream';
import { callbackify } from 'node:util';
import type { PGlite } from '@electric-sql/pglite';
import { HopbackError } from '@hopback/sdk/errors';
import { nextTurn } from '@hopback/sdk/internal/runtime';

/** First octet of the message by which a client says that it goes. PostgreSQL, section 53.7, Terminate */
const TERMINATE = 0x58;
/** Statements one after the other leave no turn of the event loop to anything else for so long at most, milliseconds. */
const LONGEST_WITHOUT_TURN_MS = 10;

/**
 * A connection to PGlite for the driver `pg`, so that both engines have one: it speaks the protocol of PostgreSQL with an engine in this process.
 * Messages that are written together are carried out together, whereas PGlite's own `query` takes five turns of the event loop; a prepared
 * statement costs a sixth of it.
 */
export class PgliteSocket extends Duplex {
  readonly #pglite: PGlite;
  #turnMs = 0;
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
    // The octets lie in the memory of the engine, which uses it again at once.
    const onRawData = (answered: Uint8Array): void => void this.push(Buffer.from(answered));
    try {
      // Unlike its other methods this one does not parse the answers.
      await this.#pglite.execProtocolRawStream(messages, { syncToFs: false, onRawData });
    } catch (cause) {
      throw endLater(cause);
    }
    if (performance.now() - this.#turnMs < LONGEST_WITHOUT_TURN_MS) return;
    await nextTurn();
    this.#turnMs = performance.now();
  }
}

/** What a statement does wrong is in the answers: if the engine throws, it has failed. The process ends, so that its supervisor restarts it. */
function endLater(cause: unknown): HopbackError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const failed = new HopbackError('storage-failed', `the embedded database has failed: ${why}`, { cause });
  setImmediate(() => {
    throw failed;
  });
  return failed;
}
