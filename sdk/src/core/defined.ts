/** The names of members that may be undefined. */
type Optional<Members> = { [Name in keyof Members]: undefined extends Members[Name] ? Name : never }[keyof Members];

/** An object without the members that are undefined. */
export type Defined<Members> = Omit<Members, Optional<Members>> & {
  readonly [Name in Optional<Members>]?: Exclude<Members[Name], undefined>;
};

/** Leaves out the members that are undefined: an optional member is absent, and none has undefined for its value. */
export function defined<Members extends object>(members: Members): Defined<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<Members>;
}
