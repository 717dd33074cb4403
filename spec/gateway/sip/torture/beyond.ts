// RFC 4475, the rest of sections 3.1.2, 3.3 and 3.4: well formed, or wrong only in what nobody here acts on, so that the
// trouble they may make begins behind the parser. What it hands on is what a server judges them by.

import { message, sdp, type Valid } from './message.js'

const common = (name: string, method: string): string[] => [
  'To: sip:user@example.com',
  'From: sip:caller@example.net;tag=3ghsd41',
  `Call-ID: ${name}.jfasdlfnm2o2l43r5u0asdfas`,
  `CSeq: 39234321 ${method}`,
  'Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bKkdjuw2349i',
]

export const beyond: readonly Valid[] = [
  {
    section: '3.1.2.12',
    name: 'baddate',
    title: 'an invalid time zone in Date',
    text: message(
      'INVITE sip:user@example.com SIP/2.0',
      [...common('baddate', 'INVITE'), 'Max-Forwards: 70', 'Date: Fri, 01 Jan 2010 16:00:00 EST'],
      sdp,
    ),
    gives: { fields: { Date: 'Fri, 01 Jan 2010 16:00:00 EST' } },
  },
  {
    section: '3.3.4',
    name: 'unksm2',
    title: 'unknown schemes in other fields',
    text: message('REGISTER sip:example.com SIP/2.0', [
      'To: isbn:2983792873',
      'From: <http://www.example.com>;tag=3234233',
      'Call-ID: unksm2.daksdj@hyphenated-host.example.com',
      'CSeq: 234902 REGISTER',
      'Max-Forwards: 70',
      'Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw',
      'Contact: <name:John_Smith>',
      'l: 0',
    ]),
    gives: {
      to: { uri: 'isbn:2983792873', account: undefined },
      from: { uri: 'http://www.example.com', account: undefined },
      contacts: [{ uri: 'name:John_Smith' }],
    },
  },
  {
    section: '3.3.5',
    name: 'bext01',
    title: 'Require and Proxy-Require of unknown extensions',
    text: message('OPTIONS sip:user@example.com SIP/2.0', [
      ...common('bext01', 'OPTIONS'),
      'Require: nothingSupportsThis, nothingSupportsThisEither',
      'Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis',
    ]),
    gives: { requires: ['nothingSupportsThis', 'nothingSupportsThisEither'] },
  },
  {
    section: '3.3.6',
    name: 'invut',
    title: 'an unknown content type',
    text: message(
      'INVITE sip:user@example.com SIP/2.0',
      [...common('invut', 'INVITE'), 'Content-Type: application/unknownformat'],
      '<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n',
    ),
    gives: { fields: { 'Content-Type': 'application/unknownformat' } },
  },
  {
    section: '3.3.7',
    name: 'regaut01',
    title: 'an unknown authorization scheme',
    text: message('REGISTER sip:example.com SIP/2.0', [
      ...common('regaut01', 'REGISTER'),
      'Authorization: NoOneKnowsThisScheme opaque-data=here',
    ]),
    gives: { fields: { Authorization: 'NoOneKnowsThisScheme opaque-data=here' }, authorization: undefined },
  },
  {
    section: '3.3.10',
    name: 'bcast',
    title: 'a 200 with a broadcast address in Via',
    text: message(
      'SIP/2.0 200 OK',
      [...common('bcast', 'INVITE'), 'Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23'],
      sdp,
    ),
    gives: { status: 200, vias: [{ host: 'host1.example.com' }, { host: '255.255.255.255' }] },
  },
  {
    section: '3.3.11',
    name: 'zeromf',
    title: 'Max-Forwards of zero',
    text: message('OPTIONS sip:user@example.com SIP/2.0', [
      ...common('zeromf', 'OPTIONS'),
      'Max-Forwards: 0',
    ]),
    gives: { maxForwards: 0 },
  },
  {
    section: '3.3.12',
    name: 'cparam01',
    title: 'a parameter of the field Contact',
    text: message('REGISTER sip:example.com SIP/2.0', [
      ...common('cparam01', 'REGISTER'),
      'Contact: sip:+19725552222@gw1.example.net;unknownparam',
    ]),
    gives: {
      contacts: [{ uri: 'sip:+19725552222@gw1.example.net', params: { unknownparam: '' }, uriParams: {} }],
    },
  },
  {
    section: '3.3.13',
    name: 'cparam02',
    title: 'a parameter of the URI in Contact',
    text: message('REGISTER sip:example.com SIP/2.0', [
      ...common('cparam02', 'REGISTER'),
      'Contact: <sip:+19725552222@gw1.example.net;unknownparam>',
    ]),
    gives: {
      contacts: [
        {
          uri: 'sip:+19725552222@gw1.example.net;unknownparam',
          params: {},
          uriParams: { unknownparam: '' },
        },
      ],
    },
  },
  {
    section: '3.3.14',
    name: 'regescrt',
    title: 'escaped header fields in the URI in Contact',
    text: message('REGISTER sip:example.com SIP/2.0', [
      ...common('regescrt', 'REGISTER'),
      'M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>',
    ]),
    gives: { contacts: [{ account: 'user', uriHeaders: { Route: '<sip:sip.example.com>' } }] },
  },
  {
    section: '3.3.15',
    name: 'sdp01',
    title: 'Accept without application/sdp',
    text: message(
      'INVITE sip:user@example.com SIP/2.0',
      [...common('sdp01', 'INVITE'), 'Accept: text/nobodyKnowsThis', 'Content-Type: application/sdp'],
      sdp,
    ),
    gives: { accepts: ['text/nobodyKnowsThis'], body: sdp },
  },
  {
    section: '3.4.1',
    name: 'inv2543',
    title: 'an INVITE as RFC 2543 has it',
    text: message(
      'INVITE sip:UserB@example.com SIP/2.0',
      [
        'Via: SIP/2.0/UDP iftgw.example.com',
        'From: <sip:+13035551111@ift.client.example.net;user=phone>',
        'Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>',
        'To: sip:+16505552222@ss1.example.net;user=phone',
        'Call-ID: inv2543.1717@ift.client.example.com',
        'CSeq: 56 INVITE',
        'Content-Type: application/sdp',
      ],
      sdp,
    ),
    gives: {
      account: 'UserB',
      from: { account: '+13035551111', uriParams: { user: 'phone' } },
      to: { account: '+16505552222', params: { user: 'phone' } },
      maxForwards: undefined,
    },
  },
]
