import { WEB_SOCKET } from './carry-call.js';
import type { SrfHandler } from './srf-face.js';

/** Where the phones of a provider are: by the connection that each has registered over. */
export interface Registrar {
  readonly handle: SrfHandler;
  /** Address of the phone with a number, digits with or without `+`; undefined where none has registered. */
  readonly find: (number: string) => string | undefined;
}

/** Makes the registrar of a provider: whoever is there is believed. */
export function registrar(): Registrar {
  const addresses = new Map<string, string>();
  const digits = (number: string): string => number.replace(/^\+/, '');
  return {
    handle: (req, res) => {
      const number = /sips?:\+?([^@;>:]{1,64})@/i.exec(req.get('To') ?? '')?.[1];
      const contact = req.get('Contact') ?? '';
      if (number !== undefined)
        addresses.set(digits(number), `${req.source_address}:${String(req.source_port)}${WEB_SOCKET}`);
      res.send(OK, { headers: { Contact: contact } });
    },
    find: (number) => addresses.get(digits(number)),
  };
}

const OK = 200;
