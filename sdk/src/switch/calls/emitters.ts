/** A dialog as drachtio-srf makes it: as much of it as is used here. */
export interface DialogLike {
  /** False when it is over. */
  readonly connected?: boolean;
  readonly sip?: { readonly callId?: string };
  /** The INVITE that it came of. */
  readonly req?: unknown;
}

interface Emitter {
  readonly on: (event: string, listener: (...parts: readonly unknown[]) => void) => unknown;
  readonly removeListener?: (event: string, listener: (...parts: readonly unknown[]) => void) => unknown;
}

function isEmitter(value: unknown): value is Emitter {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Emitter>).on === 'function';
}

/** Listens to what can be listened to. @returns whether it can be */
export function listen(emitter: unknown, event: string, listener: (...parts: readonly unknown[]) => void): boolean {
  if (!isEmitter(emitter)) return false;
  emitter.on(event, listener);
  return true;
}

/** What became of a request while something else went on. */
export interface CancelWatch {
  readonly isCancelled: () => boolean;
  /** Listens no longer. */
  readonly stop: () => void;
}

/** Watches whether the caller gives up. Of a request that cannot be listened to nobody knows. */
export function watchCancel(request: unknown): CancelWatch {
  let isCancelled = false;
  const onCancel = (): void => {
    isCancelled = true;
  };
  listen(request, 'cancel', onCancel);
  return {
    isCancelled: () => isCancelled,
    stop: () => void (request as Partial<Emitter> | null)?.removeListener?.('cancel', onCancel),
  };
}

/** Text of a message as it was on the wire, of a request, a response, or what drachtio-srf tells of a CANCEL. */
export function messageText(carrier: unknown): string | undefined {
  const { raw } = (typeof carrier === 'object' ? (carrier ?? {}) : {}) as { readonly raw?: unknown };
  return typeof raw === 'string' && raw !== '' ? raw : undefined;
}

/**
 * Tells, once, how a dialog ended: the BYE that came; `hung-up-here` where the application ended it, of which drachtio-srf tells nobody but by taking
 * its listeners off when the BYE was answered; `over-before` where it had ended before it was watched.
 */
export function watchDialog(
  dialog: DialogLike,
  tell: (how: unknown) => void,
  later: (task: () => void) => void = queueMicrotask,
): void {
  let isTold = false;
  const once = (how: unknown): void => {
    if (isTold) return;
    isTold = true;
    tell(how);
  };
  const watch = (): void => {
    const onDestroy = (bye: unknown): void => once(typeof bye === 'object' && bye !== null ? bye : 'hung-up-here');
    const onRemoved = (event: unknown, listener: unknown): void => {
      if (event !== 'destroy' || listener !== onDestroy || isTold) return;
      if (dialog.connected === false) once('hung-up-here');
      // Somebody took all listeners off a dialog that goes on. While that is done none can be put back.
      else later(watch);
    };
    listen(dialog, 'destroy', onDestroy);
    listen(dialog, 'removeListener', onRemoved);
  };
  if (dialog.connected === false) once('over-before');
  else watch();
}
