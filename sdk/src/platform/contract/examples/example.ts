import type { WireBodies, WireBodyName } from '../../wire/wire-bodies.js';

/** A body as it could cross the wire. */
export interface WireExample<Name extends WireBodyName = WireBodyName> {
  /** In kebab-case; one of its kind within the body. */
  readonly name: string;
  readonly summary: string;
  readonly value: WireBodies[Name];
}

/** Examples of a body, the plainest first. */
export type WireExamples<Name extends WireBodyName> = readonly [WireExample<Name>, ...WireExample<Name>[]];
