/** Version of CloudEvents that is spoken. */
export const CLOUD_EVENTS_VERSION = '1.0';

/**
 * The attributes as header fields, the body apart from them ("binary mode"): the same names over HTTP and NATS. Never throws for a
 * `timeMs` that a `Date` can hold.
 * @param event - the attributes; `source` and `type` of visible ASCII
 * @returns header fields by lower-case name
 * @see CloudEvents HTTP Protocol Binding 1.0.2 section 3.1, NATS Protocol Binding 1.0.2 section 3.1
 * @example
 * ```ts
 * const fields = cloudEventFields({ id: '1', source: '/switch/a', type: 'org.example.batch', timeMs: 0 });
 * console.log(fields['ce-time']); // 1970-01-01T00:00:00.000Z
 * ```
 */
export function cloudEventFields(event: {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly timeMs: number;
}): Readonly<Record<string, string>> {
  return {
    'ce-specversion': CLOUD_EVENTS_VERSION,
    'ce-id': event.id,
    'ce-source': event.source,
    'ce-type': event.type,
    'ce-time': new Date(event.timeMs).toISOString(),
  };
}
