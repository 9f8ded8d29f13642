import { audioOffer, compactLength, contentLength, message, octets, refused, taken, textBody } from './sip-case.js';
import type { SipCase } from './sip-case.js';

// RFC 4475 section 3.1.1: messages that every parser has to take. The words and numbers are ours.

const long = (word: string, times: number): string => word.repeat(times);

/** Method names are tokens: every mark that a token may have, and a % that escapes nothing. */
const ODD_METHOD = "~Odd'Method_42+*%41!.`-x";

/** The lone request of `dblreq`, in front of what is not one. */
const FIRST_OF_TWO = message([
  'REGISTER sip:example.org SIP/2.0',
  'Via: SIP/2.0/UDP 198.51.100.33:5080;rport;branch=z9hG4bK-dblreq-1',
  'Max-Forwards: 9',
  'To: sip:lena@example.org',
  'From: sip:lena@example.org;tag=dbl-1',
  'I: dblreq-1-77c0@198.51.100.33',
  'CSeq: 3 REGISTER',
  'Contact: sip:lena@desk-33.example.org',
  contentLength,
]);

/** A message that is whole by itself, as the noise behind `dblreq`. */
const SECOND_OF_TWO = message(
  [
    'INVITE sip:marta@example.org SIP/2.0',
    'Via: SIP/2.0/UDP 198.51.100.34;branch=z9hG4bK-dblreq-2',
    'Max-Forwards: 9',
    't: sip:marta@example.org',
    'From: sip:jo@example.net;tag=dbl-2',
    'Call-ID: dblreq-2-77c1@198.51.100.34',
    'CSeq: 3 INVITE',
    'Contact: <sip:jo@198.51.100.34>',
    'Content-Type: application/sdp',
    contentLength,
  ],
  audioOffer('198.51.100.34'),
);

/** Every octet there is, then what looks like the end of a header and a request, then what is nearly the boundary. */
const EVERY_OCTET = octets(
  Uint8Array.from({ length: 256 }, (_, index) => index),
  '\r\n\r\nBYE sip:nobody@example.org SIP/2.0\r\n\r\n\0\0--cut-here-7f\r\n',
);

export const SYNTAX_VALID: readonly SipCase[] = [
  {
    name: 'wsinv',
    section: '3.1.1.1',
    trick:
      'Folds and white space wherever the grammar has room for them, names in odd case and short form, lists in both forms, escaped quotes, an empty Subject, leading zeros, unknown fields and parameters.',
    expected: taken(
      'Every element has to treat it as a well-formed request; a field nobody knows is text, whatever its commas look like.',
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@desk-17.example.org;novelty SIP/2.0',
          'tO :',
          ' sip:marta@desk-17.example.org ;   shelf    = top',
          String.raw`fROM   : "Jo \\ \"Ada\" \\\""       <sip:jo@example.com>`,
          '  ;',
          '\ttag = a77f-q',
          'mAx-FoRwArDs: 0042',
          'Call-ID: wsinv-41d7@198.51.100.11',
          (size) => `content-LENGTH   : ${size}`,
          'CSEQ: 00017',
          '  INVITE',
          'Via  : SIP  /   2.0',
          ' /UDP',
          '\t  198.51.100.12 ;rport;branch=oldstyle17',
          's :',
          'Fresh-Header:   a value that begins here',
          ' and goes on behind the fold',
          'Odd-Header-Nobody-Knows: ,,;;,;;;,',
          'Content-Type: application/sdp',
          'Route:',
          ' <sip:edge.example.net;lr;colour=blue;plain>',
          'v:  SIP  / 2.0  / TCP     loom.example.net   ;',
          '  branch  =   z9hG4bKwarp7  ,',
          ' SIP  /    2.0   / UDP  203.0.113.90   ; branch=',
          ' z9hG4bKweft3',
          String.raw`m:"Quoted \"name\" here" <sip:jo@desk-2.example.com> ; shade =`,
          '      green ;',
          '  bare ; q = 0.71',
        ],
        audioOffer('198.51.100.12'),
      ),
  },
  {
    name: 'intmeth',
    section: '3.1.1.2',
    trick:
      'Every character that a method, a user part, a branch, a Call-ID, a parameter and a field name may have; quoted NUL, DEL and other controls; UTF-8 in values.',
    expected: refused(
      'core',
      501,
      'The method is well formed and unknown: a proxy that knows the user forwards the request, an endpoint answers 501 with the methods that it knows.',
      { valid: true, anyOf: [501, 405], roundTrip: true },
    ),
    bytes: () =>
      message([
        `${ODD_METHOD} sip:0_odd.user~(so-it!goes)&isn't=it+$?,/;;*:pa&ss=w+o$r,d_1.(fine!)~*'@example.net SIP/2.0`,
        "Via: SIP/2.0/UDP node-4.example.net;rport;branch=z9hG4bK~'`+_*%!.-",
        'To: "SOH:\\\x01 NUL:\\\0 ESC:\\\x1b DEL:\\\x7f" <sip:0_odd.user~(so-it!goes)&isn\'t=it+$?,/;;*@example.net>',
        "From: mark.! token_*+`  third'~%- <sip:plain@example.com>;odd'*+~`!_.-%param=\"άλφα και ωμέγα\";tag=-.%!*_+`'~tag",
        String.raw`Call-ID: int%41meth-.!*_+${'`'}'~}{?][/"\:><)(@z)(<>:\"/[]?{}.end`,
        `CSeq: 2147483646 ${ODD_METHOD}`,
        'Max-Forwards: 255',
        "Ext-!.%*+_`'~-Header: \ufeffგამარჯობა",
        contentLength,
      ]),
  },
  {
    name: 'esc01',
    section: '3.1.1.3',
    trick:
      'Escapes in user parts and in the names and values of URI parameters; one value that still holds an escape once it is undone.',
    expected: taken(
      'Escapes stand for their characters in SIP URIs and reason phrases, there alone, and are undone once and never again.',
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:sips%3Ateam%40example.org@example.net SIP/2.0',
          'Via: SIP/2.0/UDP host-9.example.net;rport;branch=z9hG4bK-esc01',
          'Max-Forwards: 61',
          'To: sip:%6Fffic%65@example.org',
          'From: <sip:two%20words%20here@example.net>;tag=esc-1',
          'i: esc01-90ab@host-9.example.net',
          'CSeq: 7001 INVITE',
          'Contact:',
          ' <sip:li%6Ee@host-9.example.net;%66%6Cag;co%6Cour=bl%75e%25%36%31>',
          'C: application/sdp',
          contentLength,
        ],
        audioOffer('198.51.100.13'),
      ),
  },
  {
    name: 'escnull',
    section: '3.1.1.4',
    trick: 'User parts with an escaped NUL, among them two Contacts that are the same to whoever stops there.',
    expected: taken(
      'A parser has to take it, must not cut the user short at the NUL, and sees two different Contacts.',
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP host-8.example.org;rport;branch=z9hG4bK-escnull',
        'Max-Forwards: 70',
        'To: sip:zero-%00-inside@example.org',
        'From: sip:zero-%00-inside@example.org;tag=escn-1',
        'Call-ID: escnull-5510@host-8.example.org',
        'CSeq: 88 REGISTER',
        'Contact: <sip:a%00@host-8.example.org>',
        'Contact: <sip:a%00b@host-8.example.org>',
        (size) => `L:${size}`,
      ]),
  },
  {
    name: 'esc02',
    section: '3.1.1.5',
    trick:
      'A % where it escapes nothing: in the method, in a display name, in a branch and in the name of a field that is not Contact.',
    expected: refused(
      'core',
      501,
      'It is well formed; OPTI%4FNS is not OPTIONS but an unknown method, which an endpoint refuses with 501.',
      { valid: true, anyOf: [501, 405], roundTrip: true },
    ),
    bytes: () =>
      message([
        'OPTI%4FNS sip:desk.example.org SIP/2.0',
        'Via: SIP/2.0/UDP host-7.example.org;rport;branch=z9hG4bK-esc02-%zz',
        'Max-Forwards: 70',
        'To: "%Q%51" <sip:desk@example.org>',
        'From: "%Q%51" <sip:lena@example.org>;tag=esc-2',
        'Call-ID: esc02-71fe@host-7.example.org',
        'CSeq: 412 OPTI%4FNS',
        'Contact: <sip:first@host-7.example.org>',
        'Cont%61ct: <sip:second@host-7.example.org>',
        'Contact: <sip:third@host-7.example.org>',
        compactLength,
      ]),
  },
  {
    name: 'lwsdisp',
    section: '3.1.1.6',
    trick: 'No white space between the display name and the <.',
    expected: taken(
      'The grammar of RFC 3261 asks for the space by mistake; elements should take the request as well formed.',
    ),
    bytes: () =>
      message([
        'OPTIONS sip:desk@example.org SIP/2.0',
        'Via: SIP/2.0/UDP board.example.org;rport;branch=z9hG4bK-lwsdisp',
        'Max-Forwards: 70',
        'To: sip:desk@example.org',
        'From: switchboard<sip:board@example.org>;tag=lws-1',
        'Call-ID: lwsdisp-2b2b@board.example.org',
        'CSeq: 31 OPTIONS',
        compactLength,
      ]),
  },
  {
    name: 'longreq',
    section: '3.1.1.7',
    trick:
      'Thirty-four Via under every spelling of the name, the topmost without a branch; long names, values, parameters, tag and Call-ID.',
    expected: taken('It is well formed, however long its values are and however often a field comes.'),
    bytes: () => message(longLines(), audioOffer('203.0.113.5')),
  },
  {
    name: 'dblreq',
    section: '3.1.1.8',
    trick: 'Behind a request without a body the datagram goes on with octets that look like another request.',
    expected: taken(
      'The first request is handled as ever; what follows in the datagram is noise that must be ignored and never forwarded.',
      {
        roundTrip: false,
        messageSizeBytes: FIRST_OF_TWO.length,
        onStream: 'two-messages',
      },
    ),
    bytes: () => octets(FIRST_OF_TWO, '\r\n', SECOND_OF_TWO),
  },
  {
    name: 'semiuri',
    section: '3.1.1.9',
    trick: 'A user part that holds a semicolon, a parameter of its own and an escaped @.',
    expected: taken(
      'Everything in front of the @ that is not escaped is the user part, semicolon and all; the URI has no parameters.',
    ),
    bytes: () =>
      message([
        'OPTIONS sip:desk;floor=2%40east.example.net@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 198.51.100.35;rport;branch=z9hG4bK-semiuri',
        'Max-Forwards: 4',
        'To: sip:desk_2@example.org',
        'From: sip:jo@example.net;tag=semi-1',
        'Call-ID: semiuri-c0de@198.51.100.35',
        'CSeq: 5 OPTIONS',
        'Accept: application/sdp, text/plain,',
        '\tmultipart/mixed,',
        '   message/sipfrag',
        compactLength,
      ]),
  },
  {
    name: 'transports',
    section: '3.1.1.10',
    trick: 'Via with each transport that is known, and one with a transport that is not.',
    expected: taken(
      'Parsers have to take it; what the lower Via say about transports changes nothing for the element that reads the topmost.',
    ),
    bytes: () =>
      message([
        'OPTIONS sip:desk@example.org SIP/2.0',
        'Via: SIP/2.0/UDP way-1.example.net;rport;branch=z9hG4bK-transports-1',
        'Via: SIP/2.0/TLS way-2.example.net;branch=z9hG4bK-transports-2',
        'Via: SIP/2.0/SCTP way-3.example.net;branch=z9hG4bK-transports-3',
        'Via: SIP/2.0/WSS way-4.example.net;branch=z9hG4bK-transports-4',
        'Via: SIP/2.0/PIGEON-2 way-5.example.net;branch=z9hG4bK-transports-5',
        'Via: SIP/2.0/TCP way-6.example.net;branch=z9hG4bK-transports-6',
        'Max-Forwards: 66',
        'To: sip:desk@example.org',
        'From: <sip:jo@example.net>;tag=tran-1',
        'Call-ID:  transports-0a1b@way-6.example.net',
        'CSeq: 19 OPTIONS',
        'Accept: application/sdp',
        compactLength,
      ]),
  },
  {
    name: 'mpart01',
    section: '3.1.1.11',
    trick:
      'A body of two parts, one of them with every octet from 0 to 255, an empty line, a request line and nearly the boundary.',
    expected: taken(
      'The message is framed by its Content-Length, NUL or not; a parser takes it even where nobody above it knows multipart bodies.',
    ),
    bytes: () =>
      message(
        [
          'MESSAGE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 198.51.100.36:5070;branch=z9hG4bK-mpart01;rport',
          'Max-Forwards: 70',
          'Route: <sip:203.0.113.36:5080;lr>',
          'To: <sip:marta@example.org>',
          'From: <sip:jo@example.com>;tag=mpart-1',
          'Call-ID: mpart01-3c3c@198.51.100.36',
          'CSeq: 2 MESSAGE',
          'MIME-Version: 1.0',
          'Content-Type: multipart/mixed;boundary=cut-here-7f3',
          contentLength,
        ],
        octets(
          textBody('--cut-here-7f3', 'Content-Type: text/plain', '', 'See the picture.', '--cut-here-7f3'),
          textBody('Content-Type: application/octet-stream', 'Content-Transfer-Encoding: binary', ''),
          EVERY_OCTET,
          textBody('', '--cut-here-7f3--'),
        ),
      ),
  },
  {
    name: 'unreason',
    section: '3.1.1.12',
    trick: 'A reason phrase of reserved characters, escapes and UTF-8 in place of OK.',
    expected: taken(
      'The phrase is for people and may be any such text; the code alone counts, and a parser has to take the response.',
      {
        kind: 'response',
      },
    ),
    bytes: () =>
      message(
        [
          'SIP/2.0 200 = 4 * 50; διακόσια, ναι! (%32%30%30) 二百',
          'Via: SIP/2.0/UDP 192.0.2.71;branch=z9hG4bK-unreason',
          'To: <sip:marta@example.org>;tag=unre-2',
          'From: <sip:jo@example.net>;tag=unre-1',
          'Call-ID: unreason-8d8d@192.0.2.71',
          'CSeq: 44 INVITE',
          'Contact: <sip:marta@desk-71.example.org>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.71'),
      ),
  },
  {
    name: 'noreason',
    section: '3.1.1.13',
    trick: 'An empty reason phrase behind the space that has to be there.',
    expected: taken('The response is well formed and a parser has to take it; without the space it could be refused.', {
      kind: 'response',
    }),
    bytes: () =>
      message([
        'SIP/2.0 180 ',
        'Via: SIP/2.0/UDP 192.0.2.72;branch=z9hG4bK-noreason',
        'To: <sip:marta@example.org>;tag=nore-2',
        'From: <sip:jo@example.net>;tag=nore-1',
        'Call-ID: noreason-4e4e@192.0.2.72',
        'CSeq: 45 INVITE',
        'Contact: <sip:marta@desk-72.example.org>',
        contentLength,
      ]),
  },
];

/** How the names of the Via in `longreq` are written, topmost first; the rest is written `Via`. */
const VIA_SPELLINGS = [
  'Via',
  'V',
  'v',
  'VIA',
  'via',
  'vIa',
  'ViA',
  'VIa',
  'viA',
  'vIA',
  'V ',
  'v ',
  'V\t',
  'v  ',
  'Via ',
  'Via\t',
];

function longLines(): readonly (string | ((size: number) => string))[] {
  const hops = Array.from({ length: 33 }, (_, index) => {
    const rport = index === 0 ? ';rport' : '';
    return `${VIA_SPELLINGS[index] ?? 'Via'}: SIP/2.0/UDP hop${33 - index}.example.net${rport}`;
  });
  const user = long('wordycaller', 11);
  return [
    'INVITE sip:marta@example.org SIP/2.0',
    `To: "Known as ${long('tremendously', 9)} wordy"<sip:marta@example.org:6020;param1=${long('stretched', 10)};${long('wide', 26)}=short;${long('drawn', 21)}NameAlone>`,
    `F: sip:${user}@example.net;tag=${long('4711', 36)};${long('odd', 30)}Name=${long('odder', 17)};${long('bare', 25)}`,
    `Call-ID: longreq-${long('really', 20)}long`,
    'CSeq: 6620417 INVITE',
    `Nobody-Knows-${long('Long', 19)}-Header: nobody-${long('long', 18)}-value; nobody-${long('long', 18)}-name = nobody-${long('long', 18)}-end`,
    ...hops,
    `Via: SIP/2.0/UDP origin.example.net;received=203.0.113.5;branch=un${long('ending', 40)}branch`,
    'Max-Forwards: 36',
    `Contact: <sip:${user}@origin.example.net>`,
    'Content-Type: application/sdp',
    compactLength,
  ];
}
