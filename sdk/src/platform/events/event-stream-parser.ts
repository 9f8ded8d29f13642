/** Something that came over an event stream. */
export type EventStreamItem =
  | {
      readonly kind: 'event';
      /** Of this event or the last one that had one: what to resume from. */
      readonly lastEventId: string;
      /** `event` field; `message` where there is none. */
      readonly name: string;
      readonly data: string;
    }
  /** An event whose data are longer than is read. Its id counts all the same, lest it come again and again. */
  | { readonly kind: 'event-too-large'; readonly lastEventId: string }
  /** How long to wait before a new connection, milliseconds. */
  | { readonly kind: 'retry'; readonly waitMs: number };

/** Reads an event stream as it comes. */
export interface EventStreamParser {
  /**
   * Takes in what came; a chunk may end anywhere, within a character too. Never throws, whatever the bytes.
   * @param chunk - octets
   * @returns what is complete by now
   */
  readonly push: (chunk: Uint8Array) => readonly EventStreamItem[];
}

/** Most characters of the data of one event: a traceback with all of its hops, many times over. */
export const MAX_EVENT_CHARS = 1_048_576;

/** Longest id: it goes back in a header field. A longer one is no id. */
export const MAX_EVENT_ID_LENGTH = 512;

/** Longest wait that a stream may ask for, milliseconds: ten minutes, as with Retry-After. */
export const MAX_STREAM_RETRY_MS = 600_000;

/** Characters of a line beyond its data: the longest field name, colon and space. */
const FIELD_ROOM = 16;

/**
 * Makes a parser of `text/event-stream`: lines end with LF, CR or both, a byte order mark at the beginning is passed over, lines that begin
 * with a colon are comments, fields that are not known are passed over, and what a stream breaks off in is no event.
 * Never throws.
 * @param options - `maxEventChars`: characters of the data of an event at most. Default {@link MAX_EVENT_CHARS}
 * @returns the parser of one connection
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 * @example
 * ```ts
 * const parser = createEventStreamParser();
 * const [item] = parser.push(new TextEncoder().encode('id: 7\ndata: {}\n\n'));
 * console.log(item?.kind, item?.kind === 'event' && item.lastEventId); // event 7
 * ```
 */
export function createEventStreamParser(options: { readonly maxEventChars?: number } = {}): EventStreamParser {
  const { maxEventChars = MAX_EVENT_CHARS } = options;
  // Takes the byte order mark away, and puts U+FFFD where there is no UTF-8.
  const decoder = new TextDecoder();
  const lines = createLineReader(maxEventChars + FIELD_ROOM);
  const event = createEventReader(maxEventChars);
  return {
    push(chunk) {
      const items: EventStreamItem[] = [];
      lines.push(decoder.decode(chunk, { stream: true }), (line, isCut) => {
        const item = event.line(line, isCut);
        if (item !== undefined) items.push(item);
      });
      return items;
    },
  };
}

/** Cuts text into lines; of one that is too long only the beginning is kept. */
function createLineReader(maxChars: number): {
  readonly push: (text: string, onLine: (line: string, isCut: boolean) => void) => void;
} {
  let kept = '';
  let isCut = false;
  let isAfterCr = false;
  const keep = (piece: string): void => {
    const room = maxChars - kept.length;
    if (piece.length > room) isCut = true;
    kept += piece.length > room ? piece.slice(0, room) : piece;
  };
  return {
    push(text, onLine) {
      let start = 0;
      if (isAfterCr && text.length > 0) {
        isAfterCr = false;
        if (text.charCodeAt(0) === 0x0a) start = 1;
      }
      for (let at = start; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (code !== 0x0a && code !== 0x0d) continue;
        keep(text.slice(start, at));
        onLine(kept, isCut);
        kept = '';
        isCut = false;
        if (code === 0x0d) {
          if (at + 1 === text.length) isAfterCr = true;
          else if (text.charCodeAt(at + 1) === 0x0a) at += 1;
        }
        start = at + 1;
      }
      keep(text.slice(start));
    },
  };
}

/** Puts lines together to events. */
function createEventReader(maxChars: number): {
  readonly line: (line: string, isCut: boolean) => EventStreamItem | undefined;
} {
  let lastEventId = '';
  let name = '';
  let data: string[] = [];
  let chars = 0;
  let isTooLarge = false;

  const dispatch = (): EventStreamItem | undefined => {
    const item: EventStreamItem | undefined = isTooLarge
      ? { kind: 'event-too-large', lastEventId }
      : data.length === 0
        ? undefined
        : { kind: 'event', lastEventId, name: name === '' ? 'message' : name, data: data.join('\n') };
    name = '';
    data = [];
    chars = 0;
    isTooLarge = false;
    return item;
  };

  const addData = (value: string, isCut: boolean): void => {
    chars += value.length + 1;
    if (isCut || chars > maxChars + 1) {
      isTooLarge = true;
      data = [];
    } else if (!isTooLarge) data.push(value);
  };

  return {
    line(line, isCut) {
      if (line === '') return dispatch();
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(line.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1);
      if (field === 'data') addData(value, isCut);
      else if (field === 'event') name = value;
      else if (field === 'id' && value.length <= MAX_EVENT_ID_LENGTH && !value.includes('\0')) lastEventId = value;
      else if (field === 'retry' && /^\d{1,10}$/.test(value))
        return { kind: 'retry', waitMs: Math.min(Number(value), MAX_STREAM_RETRY_MS) };
      return undefined;
    },
  };
}
