import type { JsonObject, JsonValue } from '../../core/json-text.js';

/**
 * A place in the schema of a body, from its name on: a member by its name, an element of a list as `*`, one of several forms as `|` and the
 * word that tells it from the others. `TracebackAnswer/finding`, `Traceback/hops/*`, `TracebackFinding/|origin`.
 */
export type SchemaPlace = readonly [string, ...string[]];

/** What is said of a place, where something is said. */
export type DescriptionOf = (place: SchemaPlace) => string | undefined;

/** A schema in which every place says what `descriptionOf` says of it. */
export function describeSchema(schema: JsonObject, place: SchemaPlace, descriptionOf: DescriptionOf): JsonObject {
  const inner = Object.entries(schema).map(([keyword, value]) => [
    keyword,
    within(keyword, value, { place, descriptionOf }),
  ]);
  const described = Object.fromEntries(inner) as JsonObject;
  const description = descriptionOf(place);
  return description === undefined ? described : { ...described, description };
}

interface Inside {
  readonly place: SchemaPlace;
  readonly descriptionOf: DescriptionOf;
}

function within(keyword: string, value: JsonValue, { place, descriptionOf }: Inside): JsonValue {
  if (keyword === 'properties')
    return mapped(value, (member, name) => describeSchema(member, [...place, name], descriptionOf));
  if (keyword === 'items') return describeSchema(value as JsonObject, [...place, '*'], descriptionOf);
  if (keyword !== 'oneOf' && keyword !== 'anyOf' && keyword !== 'allOf') return value;
  return (value as readonly JsonObject[]).map((form) => {
    const word = tellingWord(form);
    return word === undefined
      ? membersOnly(form, { place, descriptionOf })
      : describeSchema(form, [...place, `|${word}`], descriptionOf);
  });
}

/** One of several forms that no word tells: what is said of the place stands beside it already. */
function membersOnly(form: JsonObject, { place, descriptionOf }: Inside): JsonObject {
  return describeSchema(form, place, (inner) => (inner.length === place.length ? undefined : descriptionOf(inner)));
}

function mapped(value: JsonValue, change: (member: JsonObject, name: string) => JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, member]) => [name, change(member as JsonObject, name)]),
  );
}

/** Members whose word tells a form from the others. */
const TELLING = ['arm', 'kind', 'decision', 'shown'];

function tellingWord({ properties }: JsonObject): string | undefined {
  const members = properties as Readonly<Record<string, JsonObject>> | undefined;
  const words = TELLING.map((name) => members?.[name]?.['const']);
  return words.find((word) => typeof word === 'string');
}
