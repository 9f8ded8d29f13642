/** What a word for a time zone means. */
export type ZoneMeaning =
  /** A zone whose clocks are put forward and back: an IANA name, or `UTC`. */
  | { readonly kind: 'zone'; readonly zone: string }
  /** An offset from UTC that always holds, `-05:00`; `of` is the zone in which it holds for a part of the year. */
  | { readonly kind: 'offset'; readonly offset: string; readonly of?: string }
  /** Several: people of several countries use it for their own. */
  | { readonly kind: 'ambiguous'; readonly offsets: readonly string[] }
  /** `local time`, and nobody says whose. */
  | { readonly kind: 'unknown' };

/**
 * What people write for a zone, in small letters. The American abbreviations mean what RFC 5322 section 4.3 says; which abbreviations are used in
 * several countries is from the list of the IANA time zone database.
 */
export const ZONE_WORDS: Readonly<Record<string, ZoneMeaning>> = {
  ...words(['utc', 'gmt', 'z', 'zulu', 'ut', 'coordinated universal time', 'greenwich mean time'], utc()),
  ...american('America/New_York', { letter: 'e', name: 'eastern', standard: 5 }),
  ...american('America/Chicago', { letter: 'c', name: 'central', standard: 6 }),
  ...american('America/Denver', { letter: 'm', name: 'mountain', standard: 7 }),
  ...american('America/Los_Angeles', { letter: 'p', name: 'pacific', standard: 8 }),
  ...american('America/Anchorage', { letter: 'ak', name: 'alaska', standard: 9 }),
  ...words(['hst', 'hawaii', 'hawaii time', 'hawaii standard time', 'hawaiian standard time'], {
    kind: 'zone',
    zone: 'Pacific/Honolulu',
  }),
  ...words(['atlantic', 'atlantic time'], { kind: 'zone', zone: 'America/Halifax' }),
  adt: { kind: 'offset', offset: '-03:00', of: 'America/Halifax' },
  arizona: { kind: 'zone', zone: 'America/Phoenix' },
  'arizona time': { kind: 'zone', zone: 'America/Phoenix' },
  cet: { kind: 'offset', offset: '+01:00', of: 'Europe/Berlin' },
  cest: { kind: 'offset', offset: '+02:00', of: 'Europe/Berlin' },
  eet: { kind: 'offset', offset: '+02:00', of: 'Europe/Helsinki' },
  eest: { kind: 'offset', offset: '+03:00', of: 'Europe/Helsinki' },
  jst: { kind: 'offset', offset: '+09:00' },
  kst: { kind: 'offset', offset: '+09:00' },
  hkt: { kind: 'offset', offset: '+08:00' },
  sgt: { kind: 'offset', offset: '+08:00' },
  pkt: { kind: 'offset', offset: '+05:00' },
  ist: { kind: 'ambiguous', offsets: ['+05:30', '+02:00', '+01:00'] },
  bst: { kind: 'ambiguous', offsets: ['+01:00', '+06:00'] },
  ast: { kind: 'ambiguous', offsets: ['-04:00', '+03:00'] },
  sst: { kind: 'ambiguous', offsets: ['-11:00', '+08:00'] },
  gst: { kind: 'ambiguous', offsets: ['+04:00', '-02:00'] },
  ect: { kind: 'ambiguous', offsets: ['-05:00', '-04:00'] },
  amt: { kind: 'ambiguous', offsets: ['-04:00', '+04:00'] },
  wst: { kind: 'ambiguous', offsets: ['+08:00', '+13:00'] },
  ...words(['local', 'local time', 'lt'], { kind: 'unknown' }),
};

function utc(): ZoneMeaning {
  return { kind: 'zone', zone: 'UTC' };
}

function words(spellings: readonly string[], meaning: ZoneMeaning): Readonly<Record<string, ZoneMeaning>> {
  return Object.fromEntries(spellings.map((spelling) => [spelling, meaning]));
}

/** `ET`, `EST`, `EDT`, `Eastern`, `Eastern Time`, `Eastern Standard Time`, `US/Eastern` and the rest of them. */
function american(
  zone: string,
  { letter, name, standard }: { readonly letter: string; readonly name: string; readonly standard: number },
): Readonly<Record<string, ZoneMeaning>> {
  const west = (hours: number): ZoneMeaning => ({ kind: 'offset', offset: `-0${String(hours)}:00`, of: zone });
  return {
    ...words([`${letter}t`, name, `${name} time`, `us ${name}`, `us/${name}`], { kind: 'zone', zone }),
    ...words([`${letter}st`, `${name} standard time`, `${name} standard`], west(standard)),
    ...words(
      [`${letter}dt`, `${name} daylight time`, `${name} daylight`, `${name} daylight savings time`],
      west(standard - 1),
    ),
  };
}
