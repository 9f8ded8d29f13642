/**
 * Octets of all raw rows of one record at most, 128 KiB: a captured call of a hundred packets, a FreeSWITCH document of twice the usual
 * size. A record of more is kept with the hash alone; part of its rows would prove nothing, since the hash is of all of them. As JSON, where
 * an octet takes six characters at most, they leave a line of 1 MiB room for the record itself.
 */
export const MAX_RAW_BYTES = 131_072;

/** Raw rows of one record at most: as many as a channel of Asterisk keeps hashes of. A record of more is kept with the hash alone. */
export const MAX_RAW_ROWS = 1_024;
