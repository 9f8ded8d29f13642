// What JSON is made of, member by member.

type Members = Readonly<Record<string, unknown>>;

/** A copy of a value in which every object has one member more. */
export function withUnknownMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUnknownMembers);
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withUnknownMembers(member)]);
  return { ...Object.fromEntries(members), 'x-later-release': { since: 2 } };
}

/** A copy of a value without one member of the object at its root. */
export function withoutMember(value: unknown, name: string): unknown {
  if (!isObject(value)) return value;
  const { [name]: _left, ...rest } = value;
  return rest;
}

/** A copy of a value in which one member is of another type: an object where there was none, a number where there was one. */
export function withWrongType(value: unknown, name: string): unknown {
  if (!isObject(value)) return value;
  return { ...value, [name]: isObject(value[name]) || Array.isArray(value[name]) ? 17 : { of: 'another type' } };
}

/** Names of the members of a value, the first that has to be there first. */
export function memberNames(value: unknown): readonly string[] {
  return isObject(value) ? Object.keys(value) : [];
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
