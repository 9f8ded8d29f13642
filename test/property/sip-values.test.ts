import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  HEADER,
  addressOf,
  endOfQuoted,
  headerId,
  headerIdAt,
  headerName,
  listValues,
  parameterOf,
  tagOf,
  unfolded,
  usualHeaderIdAt,
  writtenName,
} from '../../harness/src/drachtio/message/sip-message.js';
import { linesWithout, readAppMessage } from '../../harness/src/drachtio/message/app-message.js';
import {
  isRequestUri,
  readVia,
  routesOf,
  stampedVia,
  targetOf,
  uriOf,
} from '../../harness/src/drachtio/message/via.js';
import { parseCommand } from '../../harness/src/drachtio/control/command.js';
import { sipLike } from '../support/sip-mutations.js';
import { forAll } from '../support/for-all.js';

const RUNS = 5_000;
const from = (...pieces: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((chosen) => chosen.join(''));
const pieces = [...Array.from('"<>;,=\\ a1@:[]?\xa0'), 'tag', ';tag=', 'lr', 'sip:', '\r\n '];
const value = fc.oneof(sipLike, from(...pieces));
const sentBy = fc.constantFrom(
  'h',
  'h:5060',
  '[::1]',
  '192.0.2.9',
  '192.0.2.9 : 7',
  '[2001:db8::9]:1',
  '',
  'h:0',
  '[h',
);
const protocol = fc.constantFrom('SIP/2.0/UDP ', 'SIP / 2.0 / TCP\r\n ', 'SIP/3.0/X ', 'sip/2.0/ws   ');
const viaParameters = from(
  ...[
    ';rport',
    ';branch=b',
    ';received=1.2.3.4',
    ';received',
    ';x=";received=y,"',
    ';Received = "a;b"',
    ';RPORT ',
    ';rport=7',
  ],
  ...[';', '=', 'a', ' ', ',', '"', '\\', '\r\n ', ', SIP/2.0/UDP i;rport;received=z'],
);
const viaValue = fc.oneof(
  { weight: 1, arbitrary: value },
  { weight: 4, arbitrary: fc.tuple(protocol, sentBy, viaParameters).map((parts) => parts.join('')) },
);

const check = (run: (text: string) => void, text: fc.Arbitrary<string> = value): void => {
  forAll([text], RUNS, run);
};

test('returns an address with a URI that is in the value, or none, for any text', () => {
  check((text) => {
    const address = addressOf(text);
    if (address === undefined) return;
    expect(address.uri).not.toBe('');
    expect(text).toContain(address.uri);
    expect(text.endsWith(address.params)).toBe(true);
    expect(uriOf(text)).toBe(address.uri);
  });
});

test('the quick way to a tag gives what the long way gives, for any text', () => {
  const addressLike = fc
    .tuple(
      from('a ', '"a"', '<', '>', ';tag=1'),
      from('sip:a', '', ' ', 'sip:a;tag=2'),
      from(';tag=', '1', ';', '>', ' ', '"', '<', '='),
    )
    .map(([name, uri, rest]) => `${name}<${uri}>${rest}`);
  check(
    (text) => {
      const address = addressOf(text);
      expect(tagOf(text)).toBe(address === undefined ? undefined : (parameterOf(address.params, 'tag') ?? ''));
    },
    fc.oneof(value, addressLike),
  );
});

test('splits any text into values and loses only commas and white space', () => {
  const bare = (text: string): string => text.replaceAll(/[,\s]/g, '');
  check((text) => {
    const values = listValues(text);
    expect(bare(values.join(''))).toBe(bare(text));
    expect(routesOf([text]).every((route) => values.includes(route))).toBe(true);
  });
});

test('gives back the values that were joined with commas', () => {
  const one = fc.constantFrom('<sip:a;lr>', '"a, b" <sip:c,d@e>;x="1,\\",2"', 'sip:a;q=1', '*');
  forAll([fc.array(one, { maxLength: 9 }), fc.constantFrom(',', ', ', ' ,\r\n ')], 100, (values, comma) => {
    expect(listValues(values.join(comma))).toEqual(values);
  });
});

test('gives back the parameters that were written', () => {
  const name = fc.stringMatching(/^[a-z]{1,6}$/);
  const one = fc.oneof(fc.stringMatching(/^[\w.-]{0,8}$/), fc.constant('"a;b=\\"c\\""'));
  forAll([fc.uniqueArray(fc.tuple(name, one), { selector: ([key]) => key, maxLength: 6 })], 100, (written) => {
    const params = written.map(([key, text]) => ` ; ${key.toUpperCase()} = ${text}`).join('');
    for (const [key, text] of written) expect(parameterOf(params, key)).toBe(text);
    expect(parameterOf(params, 'missing')).toBeUndefined();
  });
});

test('a quoted string ends inside the text, behind a quote, for any text', () => {
  check((text) => {
    const end = endOfQuoted(`"${text}`, 0);
    if (end >= 0) expect(`"${text}`.charAt(end - 1)).toBe('"');
    else expect(text.replaceAll(/\\./gs, '')).not.toContain('"');
  });
});

test('returns a Via that ends inside the value, or none, for any text', () => {
  check((text) => {
    const read = readVia(text);
    if (read === undefined) return;
    const { via } = read;
    expect(read.value).toBe(unfolded(text));
    expect(read.value).toContain(via.host);
    expect(via.end).toBeLessThanOrEqual(read.value.length);
    expect(['', ',']).toContain(read.value.slice(via.end).trimStart().charAt(0));
    for (const place of [via.rportEnd, via.receivedAt]) expect(place).toBeLessThanOrEqual(via.end);
    expect(via.port >= 0 && via.port <= 65_535).toBe(true);
  }, viaValue);
});

test('a stamped Via is the same Via, and says once where it came from', () => {
  const source = { address: '192.0.2.9', port: 5099 };
  check((text) => {
    const read = readVia(text);
    if (read === undefined || !read.via.isSound) return;
    const stamped = stampedVia(read, source);
    const again = readVia(stamped);
    const { branch, host, port, transport, rportEnd } = read.via;
    expect(again?.via).toMatchObject({ branch, host, port, transport, isSound: true });
    if (rportEnd >= 0) expect(stamped.slice(0, again?.via.end)).toContain('=5099');
    const first = stamped.slice(0, again?.via.end).replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
    const claims = first.split(';').filter((one) => /^\s*received\s*(?:=|$)/i.test(one));
    expect(claims).toEqual(stamped === read.value ? [] : ['received=192.0.2.9']);
    expect(stamped.slice(again?.via.end)).toBe(read.value.slice(read.via.end));
  }, viaValue);
});

test('returns a target with a host and a port, or none, for any text', () => {
  check((text) => {
    for (const uri of [text, `sip:${text}`, `sips:a@${text}`]) {
      const target = targetOf(uri);
      if (target === undefined) continue;
      expect(target.host).not.toBe('');
      expect(target.port >= 0 && target.port <= 65_535).toBe(true);
      expect(isRequestUri(uri)).toBe(!uri.slice(uri.indexOf('@') + 1).includes('?'));
    }
  });
});

test('gives back the target that was written', () => {
  const user = fc.option(fc.stringMatching(/^[\w;?:&=+$,/.!~*'()-]{1,20}$/), { nil: undefined });
  const host = fc.constantFrom('example.com', '192.0.2.9', '[2001:db8::9]', 'h');
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: 0 });
  const transport = fc.constantFrom('', 'udp', 'TCP', 'wss');
  forAll(
    [user, host, port, fc.record({ transport, isLoose: fc.boolean(), isSecure: fc.boolean() })],
    100,
    (...parts) => {
      const [name, where, number, more] = parts;
      const params = `${more.transport === '' ? '' : `;transport=${more.transport}`}${more.isLoose ? ';lr' : ''}`;
      const at = `${name === undefined ? '' : `${name}@`}${where}${number === 0 ? '' : `:${number}`}`;
      expect(targetOf(`${more.isSecure ? 'sips' : 'SIP'}:${at}${params}`)).toEqual({
        ...more,
        ...{ host: where.replaceAll(/[[\]]/g, ''), port: number, transport: more.transport.toLowerCase() },
      });
    },
  );
});

test('a header name is known in one way of asking as in the other, for any text', () => {
  const names = Object.values(HEADER).map(headerName);
  check(
    (text) => {
      const id = headerId(text);
      if (text !== '') {
        expect(headerIdAt(`:${text}:`, 1, 1 + text.length)).toBe(id);
        expect(usualHeaderIdAt(`:${text}:`, 1, 1 + text.length)).toBe(headerName(id) === text ? id : HEADER.other);
      }
      expect(headerId(writtenName(text))).toBe(id);
    },
    fc.oneof(
      value,
      fc.constantFrom(...names, ...Array.from('vftimlckoy')),
      fc.constantFrom(...names).map((name) => name.toUpperCase()),
    ),
  );
});

test('returns a command for any text', () => {
  const line = from('m', '|', 'sip', 'proxy', 'route', 'authenticate', 'ping', '\r\n', 'SIP/2.0', '2s', 'sip:a', ',');
  check(
    (text) => {
      const command = parseCommand(text);
      expect(text.startsWith(command.messageId)).toBe(true);
      if (command.kind === 'proxy') expect(command.destinations).not.toEqual([]);
      if (command.kind === 'sip' || command.kind === 'proxy') expect(text.endsWith(command.text)).toBe(true);
    },
    fc.oneof(value, line),
  );
});

test('returns an application message or nothing for any text, and writes lines that end', () => {
  const local = { address: '192.0.2.1', port: 5060, transport: 'tcp' } as const;
  const start = fc.constantFrom('', 'INVITE sip:a SIP/2.0\r\n', 'SIP/2.0 200 OK\r\n');
  const names = [
    'Contact: ',
    'From: ',
    'm:',
    'P-Asserted-Identity: ',
    'X-A: ',
    'sip:a@localhost',
    '<sip:localhost>',
    '\r\n',
    ',',
    '"',
    ';',
  ];
  forAll([start, fc.oneof(value, from(...names))], RUNS, (line, text) => {
    const read = readAppMessage(line + text, local);
    if (read === undefined) return;
    const { others } = read.headers;
    expect(others === '' || others.endsWith('\r\n')).toBe(true);
    expect(linesWithout(others, new Set())).toBe(others);
  });
});
