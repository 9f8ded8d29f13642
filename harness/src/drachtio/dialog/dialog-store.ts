import type { Essentials } from '../message/essentials.js';
import type { AppConnection } from '../control/app-connection.js';
import type { Dialog } from './dialog.js';

/** The dialogs of one server. */
export interface DialogStore {
  readonly add: (dialog: Dialog) => void;
  readonly remove: (dialog: Dialog) => void;
  /** By the name that applications know; of several branches of a fork the confirmed one. */
  readonly byId: (id: string) => Dialog | undefined;
  /** The dialog that a request from the network belongs to. @see RFC 3261 section 12.2.2 */
  readonly ofRequest: (essentials: Essentials) => Dialog | undefined;
  /** By the tags of both sides. */
  readonly byTags: (callId: string, localTag: string, remoteTag: string) => Dialog | undefined;
  /** Early dialogs of a call other than the one that was answered. */
  readonly removeEarly: (id: string) => void;
  readonly ofApp: (app: AppConnection) => readonly Dialog[];
  readonly size: () => number;
  readonly clear: () => void;
}

/**
 * Makes an empty store.
 * @param onRemoved - told of each dialog that is over, so that nothing that belongs to it stays behind
 */
export function createDialogStore(onRemoved: (dialog: Dialog) => void = () => undefined): DialogStore {
  const byTags = new Map<string, Dialog>();
  const byId = new Map<string, Dialog | Dialog[]>();

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
    add: (dialog) => {
      byTags.set(tagsKey(dialog.callId, dialog.localTag, dialog.remoteTag), dialog);
      const named = byId.get(dialog.id);
      if (named === undefined) byId.set(dialog.id, dialog);
      else if (named !== dialog) byId.set(dialog.id, Array.isArray(named) ? [...named, dialog] : [named, dialog]);
    },
    remove,
    byId: (id) => {
      const named = byId.get(id);
      if (!Array.isArray(named)) return named;
      return named.find((dialog) => dialog.state === 'confirmed') ?? named.at(-1);
    },
    ofRequest: ({ callId, toTag, fromTag }) => byTags.get(tagsKey(callId, toTag, fromTag)),
    byTags: (callId, localTag, remoteTag) => byTags.get(tagsKey(callId, localTag, remoteTag)),
    removeEarly: (id) => {
      const named = byId.get(id);
      if (named === undefined) return;
      for (const dialog of Array.isArray(named) ? named : [named]) if (dialog.state === 'early') remove(dialog);
    },
    ofApp: (app) => [...byTags.values()].filter((dialog) => dialog.app === app),
    size: () => byTags.size,
    clear: () => {
      for (const dialog of byTags.values()) onRemoved(dialog);
      byTags.clear();
      byId.clear();
    },
  };
}

function tagsKey(callId: string, localTag: string, remoteTag: string): string {
  return `${callId}|${localTag}|${remoteTag}`;
}
