import { audioOffer, compactLength, contentLength, dropped, message, refused, taken, textBody } from './sip-case.js';
import type { SipCase } from './sip-case.js';

// RFC 4475 sections 3.2 to 3.4: messages that any parser reads; what is odd about them shows further up. The words and numbers are ours.

export const SEMANTIC: readonly SipCase[] = [
  {
    name: 'badbranch',
    section: '3.2.1',
    trick: 'A branch that is the magic cookie and nothing else.',
    expected: refused(
      'transaction',
      400,
      'A parser must not break on it; it may be refused with 400, without state if possible, or matched by the rules of RFC 2543.',
      { liberal: true },
    ),
    bytes: () =>
      message([
        'OPTIONS sip:marta@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.61;rport;branch=z9hG4bK',
        'Max-Forwards: 4',
        'To: sip:marta@example.org',
        'From: sip:jo@example.net;tag=badb-1',
        'Call-ID: badbranch-0909@203.0.113.61',
        'CSeq: 26 OPTIONS',
        'Accept: application/sdp',
        compactLength,
      ]),
  },
  {
    name: 'insuf',
    section: '3.3.1',
    trick: 'No From, no To and no Call-ID.',
    expected: refused('message', 400, 'An element must not break on what is missing, and answers 400 if it can.'),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.62;rport;branch=z9hG4bK-insuf',
          'Max-Forwards: 70',
          'CSeq: 27 INVITE',
          'Contact: <sip:jo@203.0.113.62>',
          'Content-Type: application/sdp',
          compactLength,
        ],
        audioOffer('203.0.113.62'),
      ),
  },
  {
    name: 'unkscm',
    section: '3.3.2',
    trick: 'A Request-URI with a scheme that nobody knows.',
    expected: refused(
      'core',
      416,
      'A parser takes it and the element answers 416; it must not look into To for a way to route it.',
      { valid: true, roundTrip: true },
    ),
    bytes: () =>
      message([
        'OPTIONS no-such-scheme:opaque-words-only SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.63;rport;branch=z9hG4bK-unkscm',
        'Max-Forwards: 4',
        'To: sip:marta@example.org',
        'From: sip:jo@example.net;tag=unks-1',
        'Call-ID: unkscm-1a1a@203.0.113.63',
        'CSeq: 28 OPTIONS',
        contentLength,
      ]),
  },
  {
    name: 'novelsc',
    section: '3.3.3',
    trick: 'A Request-URI with a registered scheme that has no business there.',
    expected: refused(
      'core',
      416,
      'A parser takes it; an element that never has a use for the scheme answers 416, one that might have a use answers 404 for this URI.',
      {
        valid: true,
        anyOf: [416, 404],
        roundTrip: true,
      },
    ),
    bytes: () =>
      message([
        'OPTIONS coap://203.0.113.164:5683/lamp SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.64;rport;branch=z9hG4bK-novelsc',
        'Max-Forwards: 4',
        'To: sip:marta@example.org',
        'From: sip:jo@example.net;tag=nove-1',
        'Call-ID: novelsc-2b2c@203.0.113.64',
        'CSeq: 29 OPTIONS',
        contentLength,
      ]),
  },
  {
    name: 'unksm2',
    section: '3.3.4',
    trick: 'To, From and Contact with registered schemes that are not those of SIP.',
    expected: taken(
      'It is syntactically valid and no parser may fail on it; the registrar behind answers 400, because an address of record is a SIP or SIPS URI.',
      {
        layer: 'application',
      },
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.65:5060;rport;branch=z9hG4bK-unksm2',
        'Max-Forwards: 70',
        'To: urn:example:desk-3',
        'From: <ldap://directory.example.net/cn=desk-3>;tag=unks-2',
        'Call-ID: unksm2-3c3d@203.0.113.65',
        'CSeq: 30 REGISTER',
        'Contact: <news:comp.example.desks>',
        compactLength,
      ]),
  },
  {
    name: 'bext01',
    section: '3.3.5',
    trick: 'Require and Proxy-Require with option tags that nobody supports.',
    expected: refused(
      'core',
      420,
      'Any element answers 420 and lists in Unsupported the tags of the field that is meant for its role.',
      { valid: true, roundTrip: true },
    ),
    bytes: () =>
      message([
        'OPTIONS sip:marta@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.66;rport;branch=z9hG4bK-bext01',
        'Max-Forwards: 7',
        'To: sip:marta@example.org',
        'From: sip:jo@example.net;tag=bext-1',
        'Call-ID: bext01-4d4d@203.0.113.66',
        'CSeq: 31 OPTIONS',
        'Require: x-no-agent-has-this, x-nor-this',
        'Proxy-Require: x-no-proxy-has-this, x-nor-that',
        contentLength,
      ]),
  },
  {
    name: 'invut',
    section: '3.3.6',
    trick: 'A body of a type that nobody knows.',
    expected: taken('No parser may fail on it and a proxy treats it as any INVITE; the endpoint answers 415.', {
      layer: 'application',
    }),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.67;rport;branch=z9hG4bK-invut',
          'Max-Forwards: 70',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=invu-1',
          'Call-ID: invut-5e5e@203.0.113.67',
          'CSeq: 32 INVITE',
          'Contact: <sip:jo@203.0.113.67>',
          'Content-Type: application/x-nobody-reads-this',
          contentLength,
        ],
        textBody('{tune: "la la la",', ' beats: 44}'),
      ),
  },
  {
    name: 'regaut01',
    section: '3.3.7',
    trick: 'An Authorization with a scheme that nobody knows.',
    expected: taken(
      'It is well formed; a registrar that authenticates challenges it with 401, one that does not ignores the field, and who is none answers 405.',
      {
        layer: 'application',
      },
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.68;rport;branch=z9hG4bK-regaut01',
        'Max-Forwards: 9',
        'To: sip:lena@example.org',
        'From: sip:lena@example.org;tag=rega-1',
        'Call-ID: regaut01-6f6f@203.0.113.68',
        'CSeq: 33 REGISTER',
        'Authorization: Handshake secret-grip=thumb-first',
        (size) => `Content-Length:${size}`,
      ]),
  },
  {
    name: 'multi01',
    section: '3.3.8',
    trick: 'Two each of CSeq, Call-ID, From, To, Max-Forwards and Contact, all different.',
    expected: refused('message', 400, 'An element must not break on it, and answers 400.'),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Contact: <sip:jo@203.0.113.69>',
          'Via: SIP/2.0/UDP 203.0.113.69;rport;branch=z9hG4bK-multi01',
          'Max-Forwards: 70',
          'CSeq: 34 INVITE',
          'Call-ID: multi01-7070@203.0.113.69',
          'From: sip:jo@example.net;tag=mult-1',
          'To: sip:marta@example.org',
          'Call-ID: multi01-7171@203.0.113.169',
          'CSeq: 340 INVITE',
          'To: sip:lena@example.org',
          'From: sip:ada@example.com;tag=mult-2',
          'Content-Type: application/sdp',
          compactLength,
          'Contact: <sip:ada@203.0.113.169>',
          'Max-Forwards: 6',
        ],
        audioOffer('203.0.113.69'),
      ),
  },
  {
    name: 'mcl01',
    section: '3.3.9',
    trick: 'Two Content-Length that differ, neither of them right.',
    expected: refused(
      'framing',
      400,
      'That is as bad as no length: it should be answered with an error and the datagram thrown away; on a stream the connection is closed.',
      { onStream: 'close' },
    ),
    bytes: () =>
      message(
        [
          'OPTIONS sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.70;rport;branch=z9hG4bK-mcl01',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=mcl-1',
          'Call-ID: mcl01-8181@203.0.113.70',
          'CSeq: 35 OPTIONS',
          'Content-Length: 21',
          'Max-Forwards: 64',
          'Content-Length: 6',
          'Content-Type: text/plain',
        ],
        textBody('Where this text ends is anybody’s guess.'),
      ),
  },
  {
    name: 'bcast',
    section: '3.3.10',
    trick: 'A response whose second Via is the broadcast address.',
    expected: dropped(
      'core',
      'It is well formed; an endpoint throws away a response with more than one Via, and a proxy should, lest it is made to broadcast.',
      { valid: true, roundTrip: true },
    ),
    bytes: () =>
      message(
        [
          'SIP/2.0 200 OK',
          'Via: SIP/2.0/UDP 192.0.2.75;branch=z9hG4bK-bcast-1',
          'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK-bcast-2',
          'To: sip:marta@example.org;tag=bcas-2',
          'From: sip:jo@example.net;tag=bcas-1',
          'Call-ID: bcast-9292@192.0.2.75',
          'CSeq: 47 INVITE',
          'Contact: <sip:marta@desk-75.example.org>',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.75'),
      ),
  },
  {
    name: 'zeromf',
    section: '3.3.11',
    trick: 'A Max-Forwards of zero.',
    expected: taken(
      'It is legal: who would forward it, a back-to-back agent included, answers 483; who is its end treats it as if hops were left.',
      {
        layer: 'core',
        anyOf: [483],
      },
    ),
    bytes: () =>
      message([
        'OPTIONS sip:marta@example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.76;rport;branch=z9hG4bK-zeromf',
        'To: sip:marta@example.org',
        'From: sip:jo@example.net;tag=zero-1',
        'Call-ID: zeromf-a3a3@203.0.113.76',
        'CSeq: 36 OPTIONS',
        'Max-Forwards: 0',
        contentLength,
      ]),
  },
  {
    name: 'cparam01',
    section: '3.3.12',
    trick: 'A Contact without angle brackets, so that the unknown parameter is one of the field.',
    expected: taken(
      'The registration succeeds; the parameter belongs to the Contact and must never show up in its URI.',
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.77:5060;rport;branch=z9hG4bK-cparam01',
        'Max-Forwards: 70',
        'To: sip:lena@example.org',
        'From: sip:lena@example.org;tag=cpar-1',
        'Call-ID: cparam01-b4b4@203.0.113.77',
        'CSeq: 37 REGISTER',
        'Contact: sip:+12025550143@gw-77.example.net;never-seen',
        compactLength,
      ]),
  },
  {
    name: 'cparam02',
    section: '3.3.13',
    trick: 'A Contact in angle brackets, so that the unknown parameter is one of the URI.',
    expected: taken('The registration succeeds; the parameter belongs to the URI and has to stay in it.'),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.78:5060;rport;branch=z9hG4bK-cparam02',
        'Max-Forwards: 70',
        'To: sip:lena@example.org',
        'From: sip:lena@example.org;tag=cpar-2',
        'Call-ID: cparam02-c5c5@203.0.113.78',
        'CSeq: 38 REGISTER',
        'Contact: <sip:+12025550143@gw-78.example.net;never-seen>',
        compactLength,
      ]),
  },
  {
    name: 'regescrt',
    section: '3.3.14',
    trick: 'A Contact whose URI, in angle brackets, carries an escaped Route.',
    expected: taken(
      'The registration succeeds and the Contact keeps its escaped field, which is for those who will send requests there.',
    ),
    bytes: () =>
      message([
        'REGISTER sip:example.org SIP/2.0',
        'Via: SIP/2.0/UDP 203.0.113.79;rport;branch=z9hG4bK-regescrt',
        'Max-Forwards: 70',
        'To: sip:lena@example.org',
        'From: sip:lena@example.org;tag=rege-1',
        'Call-ID: regescrt-d6d6@203.0.113.79',
        'CSeq: 39 REGISTER',
        'M: <sip:lena@desk-79.example.org?Route=%3Csip:edge.example.net%3Blr%3E>',
        (size) => `L:${size}`,
      ]),
  },
  {
    name: 'sdp01',
    section: '3.3.15',
    trick: 'An INVITE whose Accept leaves out SDP, so that it cannot be answered with a session.',
    expected: taken('The callee may answer 406, or 400 because whoever sends INVITE has to support SDP.', {
      layer: 'application',
    }),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.80;rport;branch=z9hG4bK-sdp01',
          'Max-Forwards: 6',
          'To: sip:marta@example.org',
          'From: sip:jo@example.net;tag=sdp-1',
          'Call-ID: sdp01-e7e7@203.0.113.80',
          'CSeq: 40 INVITE',
          'Contact: <sip:jo@203.0.113.80>',
          'Accept: text/x-nobody-writes-this',
          'Content-Type: application/sdp',
          contentLength,
        ],
        audioOffer('203.0.113.80'),
      ),
  },
  {
    name: 'inv2543',
    section: '3.4.1',
    trick: 'As before RFC 3261: no branch, no tag in From, no Max-Forwards, no Content-Length.',
    expected: taken(
      'It is legal by RFC 2543, and who cares for old elements takes it: the body is all that the datagram still holds, and the tag counts as null.',
      {
        anyOf: [400],
        roundTrip: false,
        onStream: 'close',
      },
    ),
    bytes: () =>
      message(
        [
          'INVITE sip:marta@example.org SIP/2.0',
          'Via: SIP/2.0/UDP 203.0.113.81',
          'Record-Route: <sip:marta@example.org;maddr=203.0.113.181>',
          'From: <sip:+12025550171@old.example.net;user=phone>',
          'To: sip:+12025550172@example.org;user=phone',
          'Call-ID: inv2543-f8f8@203.0.113.81',
          'CSeq: 41 INVITE',
          'Contact: <sip:+12025550171@203.0.113.81>',
          'Content-Type: application/sdp',
        ],
        audioOffer('203.0.113.81'),
      ),
  },
];
