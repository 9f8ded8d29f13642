import { Socket } from 'node:net';

/**
 * A control connection within a process: two sockets with nothing between them. What one end writes, the other has read when `write` returns; a connection
 * over loopback costs two system calls and a turn of the event loop for the same, and an application that carries calls writes five times for each leg.
 *
 * An end writes from a turn of the event loop of its own, as the server does, or takes what the other end does in answer within its `write`.
 */
class LinkEnd extends Socket {
  #other: LinkEnd | undefined;

  join(other: LinkEnd): void {
    this.#other = other;
    this.once('close', () => {
      this.#other = undefined;
      other.destroy();
    });
  }

  override write(
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    onWritten?: (error?: Error | null) => void,
  ): boolean {
    const done = typeof encoding === 'function' ? encoding : onWritten;
    const other = this.#other;
    if (other === undefined) {
      done?.(new Error('the other end is gone'));
      return false;
    }
    const octets =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8')
        : Buffer.from(chunk);
    other.emit('data', octets);
    done?.();
    return true;
  }

  override end(): this {
    return this.destroy();
  }
}

/** Makes both ends of a connection. What closes one closes the other. */
export function createInProcessLink(): readonly [Socket, Socket] {
  const ends = [new LinkEnd(), new LinkEnd()] as const;
  ends[0].join(ends[1]);
  ends[1].join(ends[0]);
  return ends;
}
