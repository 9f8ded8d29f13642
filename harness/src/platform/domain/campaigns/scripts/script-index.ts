import { evidenceOf } from './evidence.js';
import { BARS } from './likeness.js';
import { DEFAULT_SCRIPT_LIMITS, LEAST_WORDS } from './limits.js';
import { createPhraseFrequency, type PhraseFrequencyState } from './phrase-frequency.js';
import { createScriptStore, type ScriptStoreState, type StoredScript } from './script-store.js';
import { chosenPhrases, phrasesOf } from './shingles.js';
import { tokenise } from './tokens.js';
import { createWordings, type Heard, type Match, type WordingsState } from './wordings.js';
import type { Script, ScriptEvidence, ScriptIndex, ScriptIndexOptions, ScriptMerge, ScriptPlacement } from './types.js';

/** An index whose contents can be saved. */
export interface SavedScriptIndex extends ScriptIndex {
  /** What it holds, by reference: to be written before the next add. Holds transcripts as they were heard. */
  state(): ScriptIndexState;
  /** Goes on where another index with the same limits was, before anything was added. */
  restore(saved: ScriptIndexState): void;
}

/** What an index holds, as plain values. */
export interface ScriptIndexState {
  readonly store: ScriptStoreState;
  readonly frequency: PhraseFrequencyState;
  readonly wordings: WordingsState;
  readonly counts: { readonly added: number; readonly merges: number; readonly forgottenScripts: number };
}

/** How far a wording has to be from all that are kept, as a share of what the bar leaves, to be kept too: chains of recordings cut at ever later words hang on it. */
const NEW_WORDING = 0.5;

/**
 * An index that tells which transcripts are the same script: near-duplicates with misheard words, other names, amounts and call-back
 * numbers, and recordings cut off at either end. Incremental, of bounded memory and deterministic: the same adds in the same order give the
 * same answers. In another order the same transcripts come together unless one of them lies on the bar; ids then differ.
 *
 * @param options strictness and limits
 * @example
 * const index = createScriptIndex();
 * index.add('a', 'Your car warranty is about to expire, press one to speak with a warranty specialist');
 * console.log(index.add('b', 'car warranty is about to expire. Press 2 to speak with a warranty specialist').kind); // joined
 */
export function createScriptIndex(options: ScriptIndexOptions = {}): SavedScriptIndex {
  const limits = { ...DEFAULT_SCRIPT_LIMITS, ...options.limits };
  const strictness = options.strictness ?? 'same-script';
  const bars = { ...BARS[strictness], ...options.bars };
  const prefix = options.idPrefix ?? 'script-';
  const newWording = 1 - (1 - bars.similarity) * NEW_WORDING;
  const numbers = strictness === 'same-recording' ? 'digits' : 'any-number';
  const store = createScriptStore(limits);
  const frequency = createPhraseFrequency();
  const wordings = createWordings(frequency, { limits, bars });
  let counts = { added: 0, merges: 0, forgottenScripts: 0 };
  const nameOf = (ordinal: number): string => `${prefix}${String(ordinal)}`;

  function forget(script: StoredScript): void {
    wordings.forget(script);
    frequency.went(script.counted);
    store.remove(script);
    counts.forgottenScripts += 1;
  }

  function open(heard: Heard): StoredScript {
    const script = store.open();
    script.counted = heard.phrases.sorted;
    frequency.came(script.counted);
    wordings.keep(heard, script);
    for (let overdue = store.overdue(); overdue !== undefined; overdue = store.overdue()) forget(overdue);
    return script;
  }

  function merge(one: StoredScript, other: StoredScript): { kept: StoredScript; gone: StoredScript } {
    const [kept, gone] = one.ordinal < other.ordinal ? [one, other] : [other, one];
    kept.count += gone.count;
    for (const wording of gone.wordings) {
      wording.script = kept;
      kept.wordings.push(wording);
    }
    wordings.trim(kept);
    frequency.went(gone.counted);
    store.remove(gone);
    store.follow(gone.ordinal, kept.ordinal);
    counts.merges += 1;
    return { kept, gone };
  }

  /** Put into words when it is asked for: most placements nobody asks about. */
  const explain = (heard: Heard, { wording, likeness, relation }: Match): (() => ScriptEvidence) => {
    let evidence: ScriptEvidence | undefined;
    return () => {
      const { id, language, transcript } = wording;
      const there = (): readonly string[] =>
        tokenise(transcript, { language, numbers, maxTokens: limits.maxTokens }).tokens;
      return (evidence ??= evidenceOf(heard.tokens.tokens, there(), { likeId: id, likeness, relation }));
    };
  };

  function join(heard: Heard, found: readonly Match[], best: Match): ScriptPlacement {
    const because = explain(heard, best);
    for (const { wording } of found) wording.found += 1;
    let { script } = best.wording;
    const merges: ScriptMerge[] = [];
    for (const match of found) {
      // A piece may be of either, and does not make one of the two.
      if (match.relation === 'piece' || best.relation === 'piece') continue;
      // A wording that an earlier merge dropped still names the script that it was in.
      const other = store.byOrdinal(store.current(match.wording.script.ordinal));
      if (other === undefined || other === script) continue;
      const { kept, gone } = merge(script, other);
      const evidence = explain(heard, match);
      merges.push({
        ...{ kept: nameOf(kept.ordinal), gone: nameOf(gone.ordinal), byId: heard.id },
        get evidence() {
          return evidence();
        },
      });
      script = kept;
    }
    script.count += 1;
    store.touch(script);
    store.noteMember(heard.id, script.ordinal);
    if (best.likeness.similarity < newWording && best.relation !== 'piece') wordings.keep(heard, script);
    return {
      ...{ kind: 'joined', scriptId: nameOf(script.ordinal), merges },
      get because() {
        return because();
      },
    };
  }

  function add(id: string, transcript: string, language?: string): ScriptPlacement {
    const known = store.ordinalOfMember(id);
    if (known !== undefined) return { kind: 'known', scriptId: nameOf(known) };
    counts.added += 1;
    const { maxTokens } = limits;
    const tokens = tokenise(transcript, { numbers, maxTokens, ...(language === undefined ? {} : { language }) });
    if (tokens.words < LEAST_WORDS) {
      const reason = tokens.isOnlyNoise ? 'only-noise' : tokens.tokens.length === 0 ? 'empty' : 'too-short';
      return { kind: 'none', reason, informativeWords: Math.floor(tokens.words) };
    }
    const phrases = phrasesOf(tokens.tokens);
    const heard = { id, transcript, tokens, phrases, chosen: chosenPhrases(phrases) };
    const found = wordings.matches(heard);
    const [best] = found;
    if (best !== undefined) return join(heard, found, best);
    const script = open(heard);
    store.noteMember(id, script.ordinal);
    return { kind: 'opened', scriptId: nameOf(script.ordinal) };
  }

  function ordinalOf(scriptId: string): number | undefined {
    const digits = scriptId.startsWith(prefix) ? scriptId.slice(prefix.length) : '';
    return /^[1-9]\d{0,15}$/u.test(digits) ? store.current(Number(digits)) : undefined;
  }

  const shown = (script: StoredScript): Script => ({
    scriptId: nameOf(script.ordinal),
    count: script.count,
    exemplars: script.wordings.map(({ id, transcript, language }) => ({ id, transcript, language })),
  });

  return {
    add,
    scriptOf(id) {
      const ordinal = store.ordinalOfMember(id);
      return ordinal === undefined ? undefined : nameOf(ordinal);
    },
    currentId(scriptId) {
      const ordinal = ordinalOf(scriptId);
      return ordinal === undefined || store.byOrdinal(ordinal) === undefined ? undefined : nameOf(ordinal);
    },
    script(scriptId) {
      const ordinal = ordinalOf(scriptId);
      const script = ordinal === undefined ? undefined : store.byOrdinal(ordinal);
      return script === undefined ? undefined : shown(script);
    },
    scripts: () => store.all().map((script) => shown(script)),
    membersOf(scriptId) {
      const ordinal = ordinalOf(scriptId);
      const ids: string[] = [];
      if (ordinal !== undefined)
        for (const [id, of] of store.members()) if (store.current(of) === ordinal) ids.push(id);
      return ids;
    },
    state: () => ({ store: store.state(), frequency: frequency.state(), wordings: wordings.state(), counts }),
    restore(saved) {
      store.restore(saved.store);
      frequency.restore(saved.frequency);
      wordings.restore(saved.wordings);
      counts = { ...saved.counts };
    },
    statistics: () => ({
      added: counts.added,
      scripts: store.size,
      merges: counts.merges,
      forgottenScripts: counts.forgottenScripts,
      members: store.memberCount,
      postings: wordings.capacity,
    }),
  };
}
