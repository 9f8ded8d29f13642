/** An object under construction: same members, still writable. */
export type Draft<T> = { -readonly [K in keyof T]: T[K] };
