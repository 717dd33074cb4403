// RFC 4475, section 3.1.2, and section 3.2: messages that are wrong. Where the RFC leaves a choice between refusing and
// guessing, they are refused: two that guess may guess differently.

import { type Invalid, message, sdp } from './message.js'

/** The fields of a request that is right but for what is put in their place. */
const fields = (method: string, own: Readonly<Record<string, string>>): string[] =>
  Object.entries({
    To: 'sip:j.user@example.com',
    From: 'sip:caller@example.net;tag=134161461246',
    'Max-Forwards': '7',
    'Call-ID': 'invalid.0ha0isndaksdjasdf3234nas',
    CSeq: `8 ${method}`,
    Via: 'SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw',
    Contact: '<sip:caller@host5.example.net>',
    ...own,
  }).map(([name, value]) => `${name}: ${value}`)

const invite = (
  own: Readonly<Record<string, string>>,
  start = 'INVITE sip:user@example.com SIP/2.0',
): string => message(start, fields('INVITE', { 'Content-Type': 'application/sdp', ...own }), sdp)

const options = (
  own: Readonly<Record<string, string>>,
  start = 'OPTIONS sip:user@example.com SIP/2.0',
): string => message(start, fields('OPTIONS', own))

const register = (own: Readonly<Record<string, string>>): string =>
  message('REGISTER sip:example.com SIP/2.0', fields('REGISTER', own))

export const invalid: readonly Invalid[] = [
  {
    section: '3.1.2.1',
    name: 'badinv01',
    title: 'extraneous separators in header fields',
    text: invite({ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,', Contact: '"Joe" <sip:joe@example.org>;;;;' }),
    gives: 400,
  },
  {
    section: '3.1.2.2',
    name: 'clerr',
    title: 'a content length larger than the message',
    text: invite({ 'Content-Length': '9999' }),
    gives: 400,
  },
  {
    section: '3.1.2.3',
    name: 'ncl',
    title: 'a negative content length',
    text: invite({ 'Content-Length': '-999' }),
    gives: 400,
  },
  {
    section: '3.1.2.4',
    name: 'scalar02',
    title: 'request scalar fields with overlarge values',
    text: register({
      CSeq: '36893488147419103232 REGISTER',
      'Max-Forwards': '300',
      Expires: `1${'0'.repeat(100)}`,
      Contact: '<sip:user@host129.example.com>\n  ;expires=280297596632815',
    }),
    gives: 400,
  },
  {
    section: '3.1.2.5',
    name: 'scalarlg',
    title: 'response scalar fields with overlarge values',
    text: message(
      'SIP/2.0 503 Service Unavailable',
      fields('OPTIONS', {
        CSeq: '9292394834772304023312 OPTIONS',
        'Retry-After': '949302838503028349304023988',
        Warning: '1812 overture "In Progress"',
      }),
    ),
    gives: 'dropped',
  },
  {
    section: '3.1.2.6',
    name: 'quotbal',
    title: 'an unterminated quoted string in a display name',
    text: invite({ To: '"Mr. J. User <sip:j.user@example.com>' }),
    gives: 400,
  },
  {
    section: '3.1.2.7',
    name: 'ltgtruri',
    title: '<> around the Request-URI',
    text: invite({ Via: 'SIP/2.0/UDP 192.0.2.5' }, 'INVITE <sip:user@example.com> SIP/2.0'),
    gives: 400,
  },
  {
    section: '3.1.2.8',
    name: 'lwsruri',
    title: 'a malformed Request-URI, with embedded blanks',
    text: invite({}, 'INVITE sip:user@example.com; lr SIP/2.0'),
    gives: 400,
  },
  {
    section: '3.1.2.9',
    name: 'lwsstart',
    title: 'multiple blanks between the elements of the Request-Line',
    text: invite({}, 'INVITE  sip:user@example.com  SIP/2.0'),
    gives: 400,
  },
  {
    section: '3.1.2.10',
    name: 'trws',
    title: 'blanks at the end of the Request-Line',
    text: options({}, 'OPTIONS sip:remote-target@example.com SIP/2.0  '),
    gives: 400,
  },
  {
    section: '3.1.2.11',
    name: 'escruri',
    title: 'escaped header fields in the Request-URI',
    text: invite({}, 'INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0'),
    gives: 400,
  },
  {
    section: '3.1.2.13',
    name: 'regbadct',
    title: 'no <> around a URI in Contact that needs them',
    text: register({ Contact: 'sip:user@example.com?Route=%3Csip:sip.example.com%3E' }),
    gives: 400,
  },
  {
    section: '3.1.2.14',
    name: 'badaspec',
    title: 'blanks within an address',
    text: options({ To: '"Watson, Thomas" < sip:t.watson@example.org >' }),
    gives: 400,
  },
  {
    section: '3.1.2.15',
    name: 'baddn',
    title: 'what is no token in a display name without quotes',
    text: options({
      From: 'Bell, Alexander <sip:a.g.bell@example.com>;tag=43',
      To: 'Watson, Thomas <sip:t.watson@example.org>',
    }),
    gives: 400,
  },
  {
    section: '3.1.2.16',
    name: 'badvers',
    title: 'an unknown protocol version',
    text: options(
      {
        Via: 'SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw',
        From: 'A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe',
      },
      'OPTIONS sip:t.watson@example.org SIP/7.0',
    ),
    gives: 505,
  },
  {
    section: '3.1.2.17',
    name: 'mismatch01',
    title: 'a start line and a CSeq of different methods',
    text: options({ CSeq: '8 INVITE' }),
    gives: 400,
  },
  {
    section: '3.1.2.18',
    name: 'mismatch02',
    title: 'the same with an unknown method',
    text: invite({}, 'NEWMETHOD sip:user@example.com SIP/2.0'),
    gives: 400,
  },
  {
    section: '3.1.2.19',
    name: 'bigcode',
    title: 'an overlarge response code',
    text: message('SIP/2.0 4294967301 better not break the receiver', fields('INVITE', {})),
    gives: 'dropped',
  },
  {
    section: '3.2.1',
    name: 'badbranch',
    title: 'a branch without a transaction in it',
    text: options({ Via: 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK' }),
    gives: 400,
  },
  {
    section: '3.3.1',
    name: 'insuf',
    title: 'no Call-ID, From or To',
    text: message(
      'INVITE sip:user@example.com SIP/2.0',
      ['CSeq: 193942 INVITE', 'Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf'],
      sdp,
    ),
    gives: 400,
  },
  {
    section: '3.3.2',
    name: 'unkscm',
    title: 'a Request-URI of an unknown scheme',
    text: options({}, 'OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0'),
    gives: 416,
  },
  {
    section: '3.3.3',
    name: 'novelsc',
    title: 'a Request-URI of a known but atypical scheme',
    text: options({}, 'OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0'),
    gives: 416,
  },
  {
    section: '3.3.8',
    name: 'multi01',
    title: 'multiple values of single value fields',
    text: message(
      'INVITE sip:user@company.example SIP/2.0',
      [
        'Contact: <sip:caller@host25.example.net>',
        'Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw',
        'Max-Forwards: 70',
        'CSeq: 5 INVITE',
        'Call-ID: multi01.98asdh@192.0.2.1',
        'CSeq: 59 INVITE',
        'Call-ID: multi01.98asdh@192.0.2.2',
        'From: sip:caller@example.com;tag=3413415',
        'To: sip:user@example.com',
        'To: sip:other@example.net',
        'From: sip:caller@example.net;tag=2923420123',
        'Content-Type: application/sdp',
        'Contact: <sip:caller@host36.example.net>',
        'Max-Forwards: 5',
      ],
      sdp,
    ),
    gives: 400,
  },
  {
    section: '3.3.9',
    name: 'mcl01',
    title: 'multiple values of Content-Length',
    text: message(
      'OPTIONS sip:user@example.com SIP/2.0',
      [...fields('OPTIONS', {}), 'Content-Length: 13', 'Content-Length: 5', 'Content-Type: text/plain'],
      "There's no way to know how many octets are supposed to be here.\r\n",
    ),
    gives: 400,
  },
]
