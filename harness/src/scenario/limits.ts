/** Characters of a scenario file: a network of 7,000 carriers with all its trunks has about two million. */
export const MAX_SCENARIO_CHARS = 2_097_152;
/** All carriers of the United States, twice. */
export const MAX_PROVIDERS = 20_000;
/** Each of them at ten others. */
export const MAX_TRUNKS = 200_000;
/** Callers, and called numbers: each has random numbers of its own, which takes memory. */
export const MAX_PARTIES = 20_000;
/** Of one provider: more would not be understood by anybody. */
export const MAX_BEHAVIOURS = 32;
export const MAX_PHASES = 100;
/** Of a phase, seconds: a week. */
export const MAX_PHASE_SECONDS = 604_800;
/** Of calls that staff traces for what became of them: more would not be looked at one by one. */
export const MAX_TRACES = 1_000;
/** Calls a second: more than a carrier has, so that a slip of the keyboard is found. */
export const MAX_PER_SECOND = 100_000;
/** Calls of a whole scenario: what a simulation carries in an hour. */
export const MAX_CALLS = 20_000_000;
/** Entries of a list of numbers. */
export const MAX_NUMBER_ENTRIES = 10_000;
/** Numbers that the ranges of one list may hold together. */
export const MAX_POOL_NUMBERS = 1_000_000;
/** Numbers of one do-not-originate list: they are held, and searched, as they are. */
export const MAX_DNO_NUMBERS = 10_000;
/** Phones of sip.js in a scenario: each is a user agent with a connection of its own. */
export const MAX_PHONES = 50;
/** Characters of a script: ten minutes of talk. */
export const MAX_SCRIPT_CHARS = 20_000;
/** Lines of a CSV file. */
export const MAX_CSV_ROWS = 100_000;
/** Fields of a line. */
export const MAX_CSV_FIELDS = 64;
/** Characters of a CSV file. */
export const MAX_CSV_CHARS = 16_777_216;
/** Aliases of YAML that one scenario may use, and values that they may stand for: a few lines can otherwise stand for more than there is memory. */
export const MAX_YAML_ALIASES = 1_000;
/** Faults that are told of one scenario. */
export const MAX_FAULTS = 100;
