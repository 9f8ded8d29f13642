import { audioOffer, compactLength, contentLength, dropped, message, refused, taken } from './sip-case.js';
import type { SipCase } from './sip-case.js';

// RFC 4475 section 3.1.2: messages that break the grammar, and a few that only bend it. The words and numbers are ours.

export const SYNTAX_INVALID: readonly SipCase[] = [
  {
    name: 'badinv01',
    section: '3.1.2.1',
    trick: 'Semicolons and commas in Via and Contact with nothing between them.',
    expected: refused('message', 400, 'It is syntactically invalid, and an element should answer 400.'),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.41;rport;;branch=z9hG4bK-badinv01;,;,,',
          'Max-Forwards: 8',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=badi-1',
          'Call-ID: badinv01-6a6a@203.0.113.41',
          'CSeq: 12 INVITE',
          'Contact: "Jo" <sip:jo@203.0.113.41>;;;',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.41'),
      ),
  },
  {
    name: 'clerr',
    section: '3.1.2.2',
    trick: 'A Content-Length larger than what follows.',
    expected: refused(
      'framing',
      400,
      'In a datagram it should be answered with 400; on a stream one waits for the rest, and closes when it does not come.',
      {
        onStream: 'wait',
      },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.42;rport;branch=z9hG4bK-clerr',
          'Max-Forwards: 70',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=cler-1',
          'Call-ID: clerr-7b7b@203.0.113.42',
          'CSeq: 13 INVITE',
          'Contact: <sip:jo@203.0.113.42>',
          'Content-Type: application/sdp',
          'Content-Length: 8642',
        ],
        audioOffer('203.0.113.42'),
      ),
  },
  {
    name: 'ncl',
    section: '3.1.2.3',
    trick: 'A negative Content-Length.',
    expected: refused(
      'framing',
      400,
      'It should be answered with an error and the rest of the datagram thrown away; on a stream nothing can be found again, and the connection is closed.',
      {
        onStream: 'close',
      },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.43;rport;branch=z9hG4bK-ncl',
          'Max-Forwards: 253',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=ncl-1',
          'Call-ID: ncl-8c8c@203.0.113.43',
          'CSeq: 0 INVITE',
          'Contact: <sip:jo@203.0.113.43>',
          'Content-Type: application/sdp',
          'Content-Length: -512',
        ],
        audioOffer('203.0.113.43'),
      ),
  },
  {
    name: 'scalar02',
    section: '3.1.2.4',
    trick:
      'CSeq, Max-Forwards, Expires and the expires of a Contact beyond their range; cut down to 32 or 8 bits three of them look sound.',
    expected: refused(
      'message',
      400,
      'The CSeq calls for a 400; were only Max-Forwards wrong it could count as absent, were only the expiries wrong the default could stand in.',
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.44;rport;branch=z9hG4bK-scalar02',
        `Max-Forwards: ${0x100 + 70}`,
        'To: <sip:lena@example.org>',
        'From: <sip:lena@example.org>;tag=scal-2',
        'Call-ID: scalar02-9d9d@203.0.113.44',
        `CSeq: ${2 ** 33 + 5} REGISTER`,
        `Expires: 7${'0'.repeat(99)}`,
        'Contact: <sip:lena@203.0.113.44>',
        `  ;expires=${2 ** 40 + 3600}`,
        contentLength,
      ]),
  },
  {
    name: 'scalarlg',
    section: '3.1.2.5',
    trick: 'A response with a CSeq, a Retry-After and a warning code beyond their range.',
    expected: dropped('message', 'Whoever gets this response throws it away.'),
    bytes: () =>
      message([
        'SIP/2.0 503 Service Unavailable',
        'Via: SIP/2.0/UDP 192.0.2.73;branch=z9hG4bK-scalarlg;received=203.0.113.73',
        'To: <sip:lena@example.org>;tag=sclg-2',
        'From: <sip:jo@example.net>;tag=sclg-1',
        'Call-ID: scalarlg-aeae@192.0.2.73',
        `CSeq: ${2 ** 34 + 46} OPTIONS`,
        `Retry-After: 6${'1'.repeat(29)}`,
        'Warning: 30399 desk-73.example.org "Nearly a warning"',
        contentLength,
      ]),
  },
  {
    name: 'quotbal',
    section: '3.1.2.6',
    trick: 'A quotation mark in To that is never closed.',
    expected: refused(
      'message',
      400,
      'It should be refused with 400; whoever guesses where the quotation ends has to guess well.',
      { liberal: true },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.45:5050;rport;branch=z9hG4bK-quotbal',
          'Max-Forwards: 11',
          'To: "Front desk, ground floor <sip:marta@example.org>',
          'From: sip:jo@example.net;tag=quot-1',
          'Call-ID: quotbal-bfbf@203.0.113.45',
          'CSeq: 14 INVITE',
          'Contact: <sip:jo@203.0.113.45>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.45'),
      ),
  },
  {
    name: 'ltgtruri',
    section: '3.1.2.7',
    trick: 'A Request-URI in angle brackets.',
    expected: refused(
      'parse',
      400,
      'To refuse it with 400 is always right; a liberal element may look past the brackets, but must not forward them.',
      { liberal: true },
    ),
    bytes: () =>
      message(
        [
          'INVITE <sip:marta@example.org> SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.46;rport;branch=z9hG4bK-ltgtruri',
          'Max-Forwards: 24',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=ltgt-1',
          'Call-ID: ltgtruri-c1c1@203.0.113.46',
          'CSeq: 15 INVITE',
          'Contact: <sip:jo@203.0.113.46>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.46'),
      ),
  },
  {
    name: 'lwsruri',
    section: '3.1.2.8',
    trick: 'A space inside the Request-URI.',
    expected: refused(
      'parse',
      400,
      'It should be refused with 400; for schemes where the space is no riddle an element may look past it.',
      { liberal: true },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org; transport=udp SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.47:5060;rport;branch=z9hG4bK-lwsruri',
          'Max-Forwards: 6',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=lwsr-1',
          'Call-ID: lwsruri-d2d2@203.0.113.47',
          'CSeq: 1610612736 INVITE',
          'Contact: <sip:jo@203.0.113.47>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.47'),
      ),
  },
  {
    name: 'lwsstart',
    section: '3.1.2.9',
    trick: 'Two spaces between the parts of the request line.',
    expected: refused(
      'parse',
      400,
      'It may be refused as malformed; a liberal element may look past the spaces, but must not forward them.',
      { liberal: true },
    ),
    bytes: () =>
      message(
        [
          'INVITE  sip:marta@example.org  SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.48;rport;branch=z9hG4bK-lwsstart',
          'Max-Forwards: 7',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=lwss-1',
          'Call-ID: lwsstart-e3e3@203.0.113.48',
          'CSeq: 16 INVITE',
          'Contact: <sip:jo@203.0.113.48>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.48'),
      ),
  },
  {
    name: 'trws',
    section: '3.1.2.10',
    trick: 'Spaces behind the version in the request line.',
    expected: refused(
      'parse',
      400,
      'It may be refused as malformed; a liberal element may look past the spaces, but must not forward them.',
      { liberal: true },
    ),
    bytes: () =>
      message([
        'OPTIONS sip:marta@example.org SIP/2.0   ',
        'Via: SIP/2.0/UDP 203.0.113.49;rport;branch=z9hG4bK-trws',
        'Max-Forwards: 70',
        'To: <sip:marta@example.org>',
        'From: <sip:jo@example.net>;tag=trws-1',
        'Call-ID: trws-f4f4@203.0.113.49',
        'CSeq: 17 OPTIONS',
        'Accept: application/sdp',
        contentLength,
      ]),
  },
  {
    name: 'escruri',
    section: '3.1.2.11',
    trick: 'A Request-URI with a header field escaped into it, one that would route the request.',
    expected: refused(
      'message',
      400,
      'A Request-URI may not carry header fields: it may be refused with 400, or they may be ignored, but they must neither be forwarded nor become real ones.',
      {
        liberal: true,
      },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org?Route=%3Csip:trap.example.net%3Blr%3E SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.50;rport;branch=z9hG4bK-escruri',
          'Max-Forwards: 8',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=escr-1',
          'Call-ID: escruri-0505@203.0.113.50',
          'CSeq: 18 INVITE',
          'Contact: <sip:jo@203.0.113.50>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.50'),
      ),
  },
  {
    name: 'baddate',
    section: '3.1.2.12',
    trick: 'A Date whose time zone is not GMT.',
    expected: taken(
      'Only GMT is allowed, but nobody should refuse the request for it unless the date matters to what is being done; a verifier of PASSporTs, to whom it does, judges the date itself.',
      {
        valid: false,
        layer: 'application',
        anyOf: [400],
        roundTrip: false,
      },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.51;rport;branch=z9hG4bK-baddate',
          'Max-Forwards: 70',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=badd-1',
          'Call-ID: baddate-1616@203.0.113.51',
          'CSeq: 19 INVITE',
          'Date: Wed, 04 Mar 2026 09:30:00 CET',
          'Contact: <sip:jo@203.0.113.51>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.51'),
      ),
  },
  {
    name: 'regbadct',
    section: '3.1.2.13',
    trick: 'A Contact URI with an escaped header field that is not enclosed in angle brackets.',
    expected: refused(
      'message',
      400,
      'A URI with a question mark has to stand in angle brackets, and 400 is a fair answer; a liberal element may infer them here.',
      { liberal: true },
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.52:5060;rport;branch=z9hG4bK-regbadct',
        'Max-Forwards: 70',
        'To: sip:lena@example.org',
        'From: sip:lena@example.org;tag=regb-1',
        'Call-ID: regbadct-2727@203.0.113.52',
        'CSeq: 2 REGISTER',
        'Contact: sip:lena@desk-52.example.org?Route=%3Csip:edge.example.net%3Blr%3E',
        compactLength,
      ]),
  },
  {
    name: 'badaspec',
    section: '3.1.2.14',
    trick: 'Spaces inside the angle brackets of To.',
    expected: refused(
      'message',
      400,
      'Parsers must not break on it and 400 is a fair answer; a liberal element may look past the spaces.',
      { liberal: true },
    ),
    bytes: () =>
      message([
        'OPTIONS sip:night@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.53:5060;rport;branch=z9hG4bK-badaspec',
        'Max-Forwards: 70',
        'To: "Ops, night shift" < sip:night@example.org >',
        'From: "Ops, day shift" <sip:day@example.org>;tag=bada-1',
        'Call-ID: badaspec-3838@203.0.113.53',
        'CSeq: 20 OPTIONS',
        'Accept: application/sdp',
        compactLength,
      ]),
  },
  {
    name: 'baddn',
    section: '3.1.2.15',
    trick: 'Display names in To and From that would need quotation marks and have none.',
    expected: refused(
      'message',
      400,
      'To refuse it with 400 is always fair; whoever infers the marks must not pass the fault on.',
      { liberal: true },
    ),
    bytes: () =>
      message([
        'OPTIONS sip:night@example.org SIP/2.0',
        'Via:   SIP/2.0/UDP 203.0.113.54:5060;rport;branch=z9hG4bK-baddn',
        'Max-Forwards:   70',
        'To:   Ops, night shift <sip:night@example.org>',
        'From:   Ops, day shift <sip:day@example.org>;tag=badn-1',
        'Call-ID:   baddn-4949@203.0.113.54',
        'CSeq:   21 OPTIONS',
        'Accept: application/sdp',
        compactLength,
      ]),
  },
  {
    name: 'badvers',
    section: '3.1.2.16',
    trick: 'A version of SIP that nobody knows, in the request line and in Via.',
    expected: refused('message', 505, 'An element of RFC 3261 should answer that it does not support the version.'),
    bytes: () =>
      message([
        'OPTIONS sip:night@example.org SIP/3.5',
        'Via: SIP/3.5/UDP 203.0.113.55;rport;branch=z9hG4bK-badvers',
        'Max-Forwards: 70',
        'To: Night <sip:night@example.org>',
        'From: Day <sip:day@example.org>;tag=badv-1',
        'Call-ID: badvers-5a5a@203.0.113.55',
        'CSeq: 22 OPTIONS',
        compactLength,
      ]),
  },
  {
    name: 'mismatch01',
    section: '3.1.2.17',
    trick: 'One method in the request line and another in CSeq, both known.',
    expected: refused('message', 400, 'Any element answers 400.'),
    bytes: () =>
      message([
        'OPTIONS sip:marta@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.56;rport;branch=z9hG4bK-mismatch01',
        'Max-Forwards: 7',
        'To: sip:marta@example.org',
        'From: sip:jo@example.net;tag=mism-1',
        'Call-ID: mismatch01-6b6b@203.0.113.56',
        'CSeq: 23 INVITE',
        compactLength,
      ]),
  },
  {
    name: 'mismatch02',
    section: '3.1.2.18',
    trick: 'An unknown method in the request line and a known one in CSeq.',
    expected: refused(
      'message',
      501,
      'It should be answered with 501, which serves better once the method is known somewhere; 400 will do as well.',
      { anyOf: [501, 400] },
    ),
    bytes: () =>
      message(
        [
          'PONDER sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.57;rport;branch=z9hG4bK-mismatch02',
          'Max-Forwards: 7',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=mism-2',
          'Call-ID: mismatch02-7c7c@203.0.113.57',
          'CSeq: 24 INVITE',
          'Contact: <sip:jo@203.0.113.57>',
          'Content-Type: application/sdp',
          compactLength,
        ],
        audioOffer('203.0.113.57'),
      ),
  },
  {
    name: 'bigcode',
    section: '3.1.2.19',
    trick: 'A response code that is 200 to whoever cuts it down to 32 bits.',
    expected: dropped('parse', 'Whoever gets a response with a code above 699 throws it away.'),
    bytes: () =>
      message([
        `SIP/2.0 ${2 ** 32 + 200} That would be many an OK`,
        'Via: SIP/2.0/UDP 192.0.2.74;branch=z9hG4bK-bigcode',
        'To: <sip:marta@example.org>;tag=bigc-2',
        'From: <sip:jo@example.net>;tag=bigc-1',
        'Call-ID: bigcode-8d8e@192.0.2.74',
        'CSeq: 46 INVITE',
        'Contact: <sip:marta@desk-74.example.org>',
        contentLength,
      ]),
  },
];
