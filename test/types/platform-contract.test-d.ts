import type { WireBodyName, WireSchema } from '../../sdk/src/contract/bodies.js';
import type { PlatformEventData, PlatformEventType } from '../../sdk/src/contract/event.js';
import type { PROBLEM_KINDS } from '../../sdk/src/contract/problem-table.js';
import type { PlatformEvent, ProblemCode, WIRE_EXAMPLES, WIRE_SCHEMAS, WireBodies } from '@hopback/sdk/platform';
import type { TracebackAnswer } from '@hopback/sdk/traceback';

// Checked by the compiler, never run: what is written here compiles exactly as long as the types keep their word.

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Holds<T extends true> = T;

/** Every body has a schema that reads it and no other, and an example. */
export type SchemasAreTotal = Holds<Equal<keyof typeof WIRE_SCHEMAS, WireBodyName>>;
export type ExamplesAreTotal = Holds<Equal<keyof typeof WIRE_EXAMPLES, WireBodyName>>;
export type SchemaReadsItsBody = Holds<
  (typeof WIRE_SCHEMAS)['Traceback'] extends WireSchema<WireBodies['Traceback']> ? true : false
>;
export type ExampleIsItsBody = Holds<Equal<(typeof WIRE_EXAMPLES)['TracebackAnswer'][0]['value'], TracebackAnswer>>;

/** Every problem has a status. */
export type ProblemsAreTotal = Holds<Equal<keyof typeof PROBLEM_KINDS, ProblemCode>>;

/** The type of an event says what its data are. */
export type EventsAreTotal = Holds<Equal<PlatformEvent['type'], PlatformEventType>>;
export type DataFollowType = Holds<
  Equal<
    Extract<PlatformEvent, { readonly type: 'org.hopback.alert.raised.1' }>['data'],
    PlatformEventData['org.hopback.alert.raised.1']
  >
>;
