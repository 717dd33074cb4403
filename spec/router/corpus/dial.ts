// Dial and its nouns: Client, Number, Sip, Queue, Conference, and text.

import type { Specimen } from './specimen.js'

export const dial: readonly Specimen[] = [
  {
    title: 'text is a destination by name',
    twiml: '<Response><Dial>support</Dial></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'support', params: {} }] }],
    },
  },
  {
    title: 'text that reads as a number may be one',
    twiml: '<Response><Dial>+15550100</Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          to: [{ name: '+15550100', params: {} }],
          number: true,
        },
      ],
    },
  },
  {
    title: 'a number may be written for people',
    twiml: '<Response><Dial> +1 (555) 010-0100 </Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          to: [{ name: '+15550100100', params: {} }],
          number: true,
        },
      ],
    },
  },
  {
    title: 'a Client by its text',
    twiml: '<Response><Dial><Client>alice</Client></Dial></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'alice', params: {} }] }],
    },
  },
  {
    title: 'Clients side by side, with parameters',
    twiml: `<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Dial>
    <Client>support</Client>
    <Client>
      <Identity>alice</Identity>
      <Parameter name="order" value="4 &amp; 5"/>
      <Parameter name="note" value=""/>
    </Client>
  </Dial>
</Response>`,
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          to: [
            { name: 'support', params: {} },
            { name: 'alice', params: { order: '4 & 5', note: '' } },
          ],
        },
      ],
    },
  },
  {
    title: 'every attribute that is known',
    twiml:
      '<Response><Dial timeout="20" totalTimeout="45" sequential="true" strategy="all" action="/done?x=1" method="GET" callerId="Desk 4" timeLimit="3600"><Client>alice</Client></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: true,
          method: 'GET',
          timeoutMs: 20000,
          totalTimeoutMs: 45000,
          strategy: 'all',
          action: '/done?x=1',
          callerId: 'Desk 4',
          timeLimitMs: 3600000,
          to: [{ name: 'alice', params: {} }],
        },
      ],
    },
  },
  {
    title: 'attributes that are not needed are ignored',
    twiml:
      '<Response><Dial record="record-from-answer" answerOnBridge="true" ringTone="de" hangupOnStar="false">alice</Dial></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'alice', params: {} }] }],
      warnings: [
        'Dial at 1:11: record is ignored',
        'Dial at 1:11: answerOnBridge is ignored',
        'Dial at 1:11: ringTone is ignored',
        'Dial at 1:11: hangupOnStar is ignored',
      ],
    },
  },
  {
    title: 'a Client that is reported on',
    twiml:
      '<Response><Dial><Client statusCallback="https://voice.example.com/s" statusCallbackMethod="GET" statusCallbackEvent="initiated completed">alice</Client></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          to: [
            {
              name: 'alice',
              params: {},
              statusCallback: {
                url: 'https://voice.example.com/s',
                method: 'GET',
                events: ['initiated', 'completed'],
              },
            },
          ],
        },
      ],
    },
  },
  {
    title: 'a report is of the end, and posted, unless it is said otherwise',
    twiml: '<Response><Dial><Client statusCallback="/s">alice</Client></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          to: [
            {
              name: 'alice',
              params: {},
              statusCallback: { url: '/s', method: 'POST', events: ['completed'] },
            },
          ],
        },
      ],
    },
  },
  {
    title: 'events without an address are reported nowhere',
    twiml: '<Response><Dial><Client statusCallbackEvent="ringing">alice</Client></Dial></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'alice', params: {} }] }],
    },
  },
  {
    title: 'numbers and SIP addresses are for the gateway',
    twiml:
      '<Response><Dial timeout="15" callerId="+15550199" timeLimit="60" action="/after"><Number sendDigits="wW1#">+1 555-0100</Number><Sip>sip:bob@example.com;transport=tls</Sip></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'forward',
          with: {
            to: [{ number: '+15550100', sendDigits: 'wW1#' }, { sip: 'sip:bob@example.com;transport=tls' }],
            sequential: false,
            timeoutMs: 15000,
            callerId: '+15550199',
            timeLimitMs: 60000,
          },
          action: '/after',
          method: 'POST',
        },
      ],
    },
  },
  {
    title: 'what is for destinations here is ignored beside a number',
    twiml:
      '<Response><Dial strategy="all" totalTimeout="9"><Number url="/whisper">1001</Number></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'forward',
          with: { to: [{ number: '1001' }], sequential: false },
          method: 'POST',
        },
      ],
      warnings: [
        'Dial at 1:11: strategy is ignored',
        'Dial at 1:11: totalTimeout is ignored',
        'Number at 1:49: url is ignored',
      ],
    },
  },
  {
    title: 'a queue, from which its agent takes a call',
    twiml: '<Response><Dial action="/next"><Queue url="/about">support</Queue></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          action: '/next',
          to: [],
          queue: { name: 'support' },
        },
      ],
      warnings: ['Queue at 1:32: url is ignored'],
    },
  },
  {
    title: 'a conference is for the gateway',
    twiml:
      '<Response><Dial timeLimit="60" timeout="5"><Conference muted="true" beep="onEnter" startConferenceOnEnter="false" endConferenceOnExit="true" maxParticipants="10" waitUrl="">Room 1</Conference></Dial></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'conference',
          with: {
            name: 'Room 1',
            muted: true,
            beep: 'onEnter',
            startConferenceOnEnter: false,
            endConferenceOnExit: true,
            maxParticipants: 10,
            timeLimitMs: 60000,
          },
          method: 'POST',
        },
      ],
      warnings: ['Dial at 1:11: timeout is ignored', 'Conference at 1:44: waitUrl is ignored'],
    },
  },
  {
    title: 'nobody',
    twiml: `<Response>
<Dial/></Response>`,
    gives: { faults: ['2:1 Dial must name a destination'] },
  },
  {
    title: 'text and nouns',
    twiml: `<Response>
 <Dial>alice<Client>bob</Client></Dial></Response>`,
    gives: { faults: ['2:2 Dial must have text or nouns, not both'] },
  },
  {
    title: 'text that is no name',
    twiml: '<Response><Dial>alice smith</Dial></Response>',
    gives: {
      faults: [
        '1:11 Dial must be a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled, not "alice smith"',
      ],
    },
  },
  {
    title: 'nouns of two kinds',
    twiml: `<Response><Dial><Client>alice</Client>
<Number>1</Number><Queue>a</Queue></Dial></Response>`,
    gives: {
      faults: [
        '2:1 Number must not stand beside Client in one Dial',
        '2:19 Queue must not stand beside Client in one Dial',
      ],
    },
  },
  {
    title: 'two queues, and two conferences',
    twiml:
      '<Response><Dial><Queue>a</Queue><Queue>b</Queue></Dial><Dial><Conference>a</Conference><Conference>b</Conference></Dial></Response>',
    gives: {
      faults: [
        '1:33 Queue must not stand beside Queue in one Dial',
        '1:88 Conference must not stand beside Conference in one Dial',
      ],
    },
  },
  {
    title: 'nouns that nobody knows',
    twiml:
      '<Response><Dial><WhatsApp>+1</WhatsApp><Client>alice</Client><Application>AP1</Application></Dial><Dial><Sim>x</Sim></Dial></Response>',
    gives: {
      faults: [
        '1:17 WhatsApp in Dial is not supported',
        '1:62 Application in Dial is not supported',
        '1:105 Sim in Dial is not supported',
      ],
    },
  },
  {
    title: 'values that are none',
    twiml: `<Response>
<Dial timeout="0" totalTimeout="604801" sequential="yes" action="ftp://x/" method="PUT" callerId="a&#10;b" timeLimit="1.5">alice</Dial></Response>`,
    gives: {
      faults: [
        '2:1 Dial timeout must be whole seconds, 1 to 604800, not "0"',
        '2:1 Dial totalTimeout must be whole seconds, 1 to 604800, not "604801"',
        '2:1 Dial sequential must be one of true, false, not "yes"',
        '2:1 Dial action must be an http or https URL',
        '2:1 Dial method must be one of GET, POST, not "PUT"',
        '2:1 Dial callerId must be text of 1 to 128 characters, none of them a control character, not "a\\nb"',
        '2:1 Dial timeLimit must be whole seconds, 1 to 604800, not "1.5"',
      ],
    },
  },
  {
    title: 'a Client without an identity, with two, and with one that is no name',
    twiml:
      '<Response><Dial><Client/><Client>a<Identity>b</Identity></Client><Client>a b</Client></Dial></Response>',
    gives: {
      faults: [
        '1:17 Client must have one identity, as its text or in Identity',
        '1:26 Client must have one identity, as its text or in Identity',
        '1:66 Client must be a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled, not "a b"',
      ],
    },
  },
  {
    title: 'parameters that are none',
    twiml:
      '<Response><Dial><Client>a<Parameter name="x"/><Parameter value="y"/><Parameter name="z" value="1"/><Parameter name="z" value="2"/></Client></Dial></Response>',
    gives: {
      faults: [
        '1:26 Parameter must have a name and a value',
        '1:47 Parameter must have a name and a value',
        '1:100 Parameter "z" is there twice',
      ],
    },
  },
  {
    title: 'what has no business in a Client',
    twiml: '<Response><Dial><Client>a<Video/><Identity>b<i/></Identity></Client></Dial></Response>',
    gives: {
      faults: [
        '1:26 Video in Client is not supported',
        '1:45 i in Identity is not supported',
        '1:17 Client must have one identity, as its text or in Identity',
      ],
    },
  },
  {
    title: 'reports that go nowhere',
    twiml:
      '<Response><Dial><Client statusCallback="mailto:a@b" statusCallbackMethod="get" statusCallbackEvent="ringing hungup">a</Client></Dial></Response>',
    gives: {
      faults: [
        '1:17 Client statusCallback must be an http or https URL',
        '1:17 Client statusCallbackMethod must be one of GET, POST, not "get"',
        '1:17 Client statusCallbackEvent must be one or more of initiated, ringing, answered, completed, not "ringing hungup"',
      ],
    },
  },
  {
    title: 'numbers and SIP addresses that are none',
    twiml:
      '<Response><Dial><Number>alice</Number><Number/><Number sendDigits="hello">1</Number><Sip>alice@example.com</Sip><Sip>sip:a b</Sip><Sip>sip:a@b&gt;</Sip></Dial></Response>',
    gives: {
      faults: [
        '1:17 Number must be a number: up to 32 digits, * and #, with a + first if it has one, not "alice"',
        '1:39 Number must be a number: up to 32 digits, * and #, with a + first if it has one, not ""',
        '1:48 Number sendDigits must be 1 to 64 of 0-9, *, #, A-D and w, not "hello"',
        '1:85 Sip must be a sip: or sips: URI of at most 256 characters, without spaces, not "alice@example.com"',
        '1:113 Sip must be a sip: or sips: URI of at most 256 characters, without spaces, not "sip:a b"',
        '1:131 Sip must be a sip: or sips: URI of at most 256 characters, without spaces, not "sip:a@b>"',
      ],
    },
  },
  {
    title: 'a queue and a conference without a name',
    twiml:
      '<Response><Dial><Queue/></Dial><Dial><Conference/></Dial><Dial><Conference beep="loud">a</Conference></Dial></Response>',
    gives: {
      faults: [
        '1:17 Queue must be a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled, not ""',
        '1:38 Conference must be text of 1 to 128 characters, none of them a control character, not ""',
        '1:64 Conference beep must be one of true, false, onEnter, onExit, not "loud"',
      ],
    },
  },
]
