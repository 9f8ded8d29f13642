import type { Essentials } from '../message/essentials.js';
import type { AppConnection } from '../control/app-connection.js';
import { flat } from '../identifiers.js';
import type { Dialog } from './dialog.js';
import { PassingMap } from '../timers.js';

/** The dialogs of one server. */
export type DialogStore = ReturnType<typeof createDialogStore>;

/**
 * Makes an empty store.
 * @param onRemoved - told of each dialog that is over, so that nothing that belongs to it stays behind
 */
export function createDialogStore(onRemoved: (dialog: Dialog) => void = () => undefined) {
  const byTags = new PassingMap<string, Dialog>();
  const byId = new PassingMap<string, Dialog | Dialog[]>();

  const remove = (dialog: Dialog): void => {
    const key = tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag);
    if (byTags.get(key) !== dialog) return;
    byTags.delete(key);
    onRemoved(dialog);
    const named = byId.get(dialog.id);
    if (named === dialog) byId.delete(dialog.id);
    else if (Array.isArray(named)) {
      const others = named.filter((other) => other !== dialog);
      const [only] = others;
      if (only === undefined) byId.delete(dialog.id);
      else byId.set(dialog.id, others.length === 1 ? only : others);
    }
  };
  return {
    add: (dialog: Dialog) => {
      byTags.set(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag), dialog);
      const named = byId.get(dialog.id);
      if (named === undefined) byId.set(dialog.id, dialog);
      else if (named !== dialog) byId.set(dialog.id, Array.isArray(named) ? [...named, dialog] : [named, dialog]);
    },
    remove,
    /**
     * By the name that applications know. It may have several: the branches of a fork, of which the confirmed one is meant, and the two
     * ends of a call that came back to us, of which the asking application's own is meant.
     */
    byId: (id: string, app: AppConnection): Dialog | undefined => {
      const named = byId.get(id);
      if (!Array.isArray(named)) return named;
      const confirmed = named.filter((dialog) => dialog.state === 'confirmed');
      return confirmed.find((dialog) => dialog.app === app) ?? confirmed[0] ?? named.at(-1);
    },
    /** The call with a name that an application of ours has answered. */
    answered: (id: string): Dialog | undefined => {
      const named = byId.get(id);
      if (named === undefined) return undefined;
      if (!Array.isArray(named)) return isAnswered(named) ? named : undefined;
      return named.find(isAnswered);
    },
    /** The dialog that a request from the network belongs to. @see RFC 3261 section 12.2.2 */
    ofRequest: ({ callId, toTag, fromTag }: Essentials): Dialog | undefined =>
      byTags.get(tagsKey(callId, toTag, fromTag)),
    /** By the tags of both sides. */
    byTags: (callId: string, localTag: string, remoteTag: string): Dialog | undefined =>
      byTags.get(tagsKey(callId, localTag, remoteTag)),
    /** Early dialogs of a call other than the one that was answered. */
    removeEarly: (id: string) => {
      const named = byId.get(id);
      if (named === undefined) return;
      for (const dialog of Array.isArray(named) ? named : [named]) if (dialog.state === 'early') remove(dialog);
    },
    size: () => byTags.size,
    clear: () => {
      for (const dialog of byTags.values()) onRemoved(dialog);
      byTags.clear();
      byId.clear();
    },
  };
}

function isAnswered({ isCaller, state }: Dialog): boolean {
  return !isCaller && state === 'confirmed';
}

function tagsKey(callId: string, localTag: string, remoteTag: string): string {
  return flat(`${callId}|${localTag}|${remoteTag}`);
}
