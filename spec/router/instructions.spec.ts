// Instruction documents in both languages: what is read, what is refused with which place, what is only warned of.

import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { strategies } from '../../src/config.js'
import {
  checkInline,
  documentLimit,
  readDocument,
  readInstructions,
} from '../../src/router/instructions/index.js'
import { faultText } from '../../src/runtime/index.js'

type Reading = ReturnType<typeof readInstructions>

const json = (...steps: unknown[]) => readInstructions({ json: { steps } })
const twiml = (text: string) => readInstructions({ twiml: text })
const response = (inner: string) => twiml(`<Response>${inner}</Response>`)
const stepsOf = (read: Reading) => (read.ok ? read.value.steps : read.faults)
const warningsOf = (read: Reading) => (read.ok ? read.value.warnings : read.faults)
const faultsOf = (read: Reading) => (read.ok ? [] : read.faults.map(faultText))

const rule = 'must be a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled'

test('one call plan says the same in TwiML, in seconds, and in JSON, in milliseconds', t => {
  const fromXml = twiml(`<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Dial timeout="20" totalTimeout="45" sequential="true" strategy="all"
    action="/done" method="GET" callerId="Desk" timeLimit="3600">
    <Client statusCallback="/s" statusCallbackEvent="ringing completed">support</Client>
    <Client>
      <Identity>alice</Identity>
      <Parameter name="order" value="4 &amp; 5"/>
    </Client>
  </Dial>
  <Pause length="2"/>
  <Pause/>
  <Dial> +15550100 </Dial>
  <Redirect method="GET">/next?a=1&amp;b=2</Redirect>
  <Redirect>https://voice.example.com/again</Redirect>
  <Reject reason="busy"/>
  <Reject/>
  <Hangup/>
  <Dial><Queue>support</Queue></Dial>
  <Enqueue maxWait="300" priority="5" skills="fr de" action="/left">support</Enqueue>
  <Say voice="amy" loop="2">Hello</Say>
  <Play>/a.mp3</Play>
  <Play digits="ww1"/>
  <Gather numDigits="1" timeout="5" speechTimeout="auto" input="dtmf speech" actionOnEmptyResult="true" action="/menu">
    <Say>Press one</Say><Play>/b.mp3</Play><Pause length="2"/>
  </Gather>
  <Gather/>
  <Record maxLength="120" playBeep="false"/>
  <Dial timeLimit="60" action="/left"><Conference beep="onExit">Room 1</Conference></Dial>
  <Dial timeout="15" callerId="+15550199"><Number sendDigits="1">+1 555-0100</Number><Sip>sip:bob@example.com</Sip></Dial>
</Response>
`)
  const fromJson = json(
    {
      dial: {
        to: [
          { name: 'support', statusCallback: { url: '/s', events: ['ringing', 'completed'] } },
          { name: 'alice', params: { order: '4 & 5' } },
        ],
        timeoutMs: 20_000,
        totalTimeoutMs: 45_000,
        sequential: true,
        strategy: 'all',
        action: '/done',
        method: 'GET',
        callerId: 'Desk',
        timeLimitMs: 3_600_000,
      },
    },
    { pause: { ms: 2000 } },
    { pause: { ms: 1000 } },
    { dial: { to: '+15550100' } },
    { redirect: { url: '/next?a=1&b=2', method: 'GET' } },
    { redirect: { url: 'https://voice.example.com/again' } },
    { reject: { reason: 'busy' } },
    { reject: {} },
    { hangup: {} },
    { dial: { queue: 'support' } },
    {
      enqueue: {
        group: 'support',
        maxWaitMs: 300_000,
        priority: 5,
        skills: ['fr', 'de', 'fr'],
        action: '/left',
      },
    },
    { say: { text: 'Hello', voice: 'amy', loop: 2 } },
    { play: '/a.mp3' },
    { play: { digits: 'ww1' } },
    {
      gather: {
        numDigits: 1,
        timeoutMs: 5000,
        speechTimeoutMs: 'auto',
        input: ['dtmf', 'speech'],
        actionOnEmptyResult: true,
        action: '/menu',
        prompts: [{ say: 'Press one' }, { play: { url: '/b.mp3' } }, { pause: { ms: 2000 } }],
      },
    },
    { gather: {} },
    { record: { maxLengthMs: 120_000, playBeep: false } },
    { conference: { name: 'Room 1', beep: 'onExit', timeLimitMs: 60_000, action: '/left' } },
    {
      forward: {
        to: [{ number: '+1 555-0100', sendDigits: '1' }, 'sip:bob@example.com'],
        timeoutMs: 15_000,
        callerId: '+15550199',
      },
    },
  )
  t.strictSame(fromXml, {
    ok: true,
    value: {
      steps: [
        {
          verb: 'dial',
          to: [
            {
              name: 'support',
              params: {},
              statusCallback: { url: '/s', method: 'POST', events: ['ringing', 'completed'] },
            },
            { name: 'alice', params: { order: '4 & 5' } },
          ],
          timeoutMs: 20_000,
          totalTimeoutMs: 45_000,
          strategy: 'all',
          sequential: true,
          action: '/done',
          method: 'GET',
          callerId: 'Desk',
          timeLimitMs: 3_600_000,
        },
        { verb: 'pause', ms: 2000 },
        { verb: 'pause', ms: 1000 },
        {
          verb: 'dial',
          to: [{ name: '+15550100', params: {} }],
          sequential: false,
          method: 'POST',
          number: true,
        },
        { verb: 'redirect', url: '/next?a=1&b=2', method: 'GET' },
        { verb: 'redirect', url: 'https://voice.example.com/again', method: 'POST' },
        { verb: 'reject', reason: 'busy' },
        { verb: 'reject', reason: 'rejected' },
        { verb: 'hangup' },
        { verb: 'dial', to: [], queue: { name: 'support' }, sequential: false, method: 'POST' },
        {
          verb: 'enqueue',
          group: 'support',
          maxWaitMs: 300_000,
          priority: 5,
          skills: ['fr', 'de'],
          action: '/left',
          method: 'POST',
        },
        { verb: 'perform', what: 'say', with: { text: 'Hello', voice: 'amy', loop: 2 } },
        { verb: 'perform', what: 'play', with: { url: '/a.mp3' } },
        { verb: 'perform', what: 'play', with: { digits: 'ww1' } },
        {
          verb: 'perform',
          what: 'gather',
          with: {
            input: ['dtmf', 'speech'],
            numDigits: 1,
            timeoutMs: 5000,
            speechTimeoutMs: 'auto',
            prompts: [{ say: { text: 'Press one' } }, { play: { url: '/b.mp3' } }, { pause: { ms: 2000 } }],
          },
          action: '/menu',
          method: 'POST',
          evenEmpty: true,
        },
        { verb: 'perform', what: 'gather', with: { input: ['dtmf'], prompts: [] }, method: 'POST' },
        {
          verb: 'perform',
          what: 'record',
          with: { maxLengthMs: 120_000, playBeep: false },
          method: 'POST',
        },
        {
          verb: 'perform',
          what: 'conference',
          with: { name: 'Room 1', beep: 'onExit', timeLimitMs: 60_000 },
          action: '/left',
          method: 'POST',
        },
        {
          verb: 'perform',
          what: 'forward',
          with: {
            to: [{ number: '+15550100', sendDigits: '1' }, { sip: 'sip:bob@example.com' }],
            sequential: false,
            timeoutMs: 15_000,
            callerId: '+15550199',
          },
          method: 'POST',
        },
      ],
      warnings: [],
    },
  })
  t.strictSame(fromJson, fromXml)
  t.strictSame(stepsOf(response('')), [], 'a document may ask for nothing')
  const callback = { url: 'https://voice.example.com/s', method: 'POST', events: ['completed'] }
  t.strictSame(stepsOf(json({ dial: { to: { name: 'bob', statusCallback: callback.url } } })), [
    {
      verb: 'dial',
      to: [{ name: 'bob', params: {}, statusCallback: callback }],
      sequential: false,
      method: 'POST',
    },
  ])
  t.match(stepsOf(json({ conference: 'Room 1' }, { forward: { to: '1001' } }, { gather: { prompts: [] } })), [
    { what: 'conference', with: { name: 'Room 1' } },
    { what: 'forward', with: { to: [{ number: '1001' }], sequential: false } },
    { what: 'gather', with: { prompts: [] } },
  ])
  t.end()
})

test('what a JSON document asks for and cannot have is told all at once, each with its path', t => {
  t.strictSame(
    faultsOf(
      json(
        { dial: { to: ['a b', { name: '..' }, { name: 'bob', params: { n: 1 } }, 7], timeoutMs: 0 } },
        { enqueue: { group: 'a b', maxWaitMs: 0 } },
        { dial: { to: [], action: 7, method: 'PUT', strategy: 'fastest', sequential: 'yes' } },
        { dial: { totalTimeoutMs: 1.5 } },
        { dial: 'alice' },
        { redirect: { url: 'ftp://x', method: 'PUT' } },
        { redirect: { url: 'ftp://x' } },
        { redirect: {} },
        { reject: { reason: 'rude' } },
        { pause: { ms: -1 } },
        { hangup: [] },
        { hangup: {}, reject: {} },
        {},
        'hangup',
        null,
        { dial: { to: { name: 'bob', params: { long: 'x'.repeat(4096) } } } },
        { 'odd\u001b verb': {} },
        { dial: { to: 'bob', queue: 'support', action: 'ftp://x', callerId: 'a\nb', timeLimitMs: 0 } },
        { dial: { to: 'bob', queue: 'support', action: 'ftp://x' } },
        { dial: { to: { name: 'bob', statusCallback: { method: 'POST', events: [] } } } },
        { dial: { to: { name: 'bob', statusCallback: { method: 'POST' } } } },
        { dial: { to: { name: 'bob', statusCallback: 'mailto:a@b' } } },
        { enqueue: { group: 'support', skills: ['a b'], priority: 1e9 } },
        { enqueue: { group: 'support', skills: ['a b'] } },
        { say: '' },
        { play: {} },
        { play: 'file:///etc/passwd' },
        { gather: { prompts: [{ dance: {} }, 'hi', { say: 'a', play: 'b' }, { say: 7 }], input: [] } },
        { gather: { prompts: [{ dance: {} }, 'hi', { say: 'a', play: 'b' }, { say: 7 }] } },
        { record: { trim: 'all', maxLengthMs: 0 } },
        { conference: {} },
        { conference: [] },
        { forward: {} },
        { forward: { to: [] } },
        {
          forward: { to: ['bob', 'sip:a b', { number: 7 }, { sip: 7 }, { number: '1', sendDigits: 'x' }, 7] },
        },
      ),
    ),
    [
      'steps[0].dial.timeoutMs must be whole milliseconds, 1 to 604800000',
      `steps[0].dial.to[0] ${rule}`,
      `steps[0].dial.to[1].name ${rule}`,
      'steps[0].dial.to[2].params.n must be string',
      'steps[0].dial.to[3] must be an object',
      `steps[1].enqueue.group ${rule}`,
      'steps[1].enqueue.maxWaitMs must be whole milliseconds, 1 to 604800000',
      'steps[2].dial.sequential must be boolean',
      `steps[2].dial.strategy must be one of ${strategies.join(', ')}`,
      'steps[2].dial.action must be string',
      'steps[2].dial.method must be one of GET, POST',
      'steps[2].dial.to must name a destination',
      'steps[3].dial.totalTimeoutMs must be whole milliseconds, 1 to 604800000',
      'steps[3].dial.to is missing',
      'steps[4].dial must be an object',
      'steps[5].redirect.method must be one of GET, POST',
      'steps[5].redirect.url must be an http or https URL',
      'steps[6].redirect.url must be an http or https URL',
      'steps[7].redirect.url is missing',
      'steps[8].reject.reason must be one of rejected, busy',
      'steps[9].pause.ms must be whole milliseconds, 0 to 604800000',
      'steps[10].hangup must be an object',
      'steps[11] must be an object with one key, its verb',
      'steps[12] must be an object with one key, its verb',
      'steps[13] must be an object with one key, its verb',
      'steps[14] must be an object with one key, its verb',
      'steps[15].dial.to.params must keep within 4096 bytes',
      'steps[16]["odd\\u001b verb"] is not supported',
      'steps[17].dial.callerId must be text of 1 to 128 characters, none of them a control character',
      'steps[17].dial.timeLimitMs must be whole milliseconds, 1 to 604800000',
      'steps[17].dial.action must be an http or https URL',
      'steps[17].dial must have to or queue, not both',
      'steps[18].dial.action must be an http or https URL',
      'steps[18].dial must have to or queue, not both',
      'steps[19].dial.to.statusCallback.url is missing',
      'steps[19].dial.to.statusCallback.events must be one or more of initiated, ringing, answered, completed',
      'steps[20].dial.to.statusCallback.url is missing',
      'steps[21].dial.to.statusCallback.url must be an http or https URL',
      'steps[22].enqueue.priority must be a whole number, -1000 to 1000',
      'steps[23].enqueue.skills must be at most 32 names of skills',
      'steps[24].say.text must be text of 1 to 4096 characters',
      'steps[25].play must have url or digits',
      'steps[26].play.url must be an http or https URL',
      'steps[27].gather.input must be one or more of dtmf, speech',
      'steps[28].gather.prompts[0] must be an object with one of say, play and pause',
      'steps[28].gather.prompts[1] must be an object with one of say, play and pause',
      'steps[28].gather.prompts[2] must be an object with one of say, play and pause',
      'steps[28].gather.prompts[3].say must be an object',
      'steps[29].record.maxLengthMs must be whole milliseconds, 1 to 604800000',
      'steps[29].record.trim must be one of trim-silence, do-not-trim',
      'steps[30].conference.name is missing',
      'steps[31].conference must be an object',
      'steps[32].forward.to is missing',
      'steps[33].forward.to must name a number or a SIP address',
      'steps[34].forward.to[0] must be a number: up to 32 digits, * and #, with a + first if it has one',
      'steps[34].forward.to[1] must be a sip: or sips: URI of at most 256 characters, without spaces',
      'steps[34].forward.to[2].number must be string',
      'steps[34].forward.to[3].sip must be string',
      'steps[34].forward.to[4].sendDigits must be 1 to 64 of 0-9, *, #, A-D and w',
      'steps[34].forward.to[5] must be an object',
    ],
  )
  t.strictSame(faultsOf(readInstructions({ json: [] })), ['must be an object'])
  t.strictSame(faultsOf(readInstructions({ json: {} })), ['steps is missing'])
  t.strictSame(faultsOf(json(JSON.parse('{"__proto__":{}}'))), ['steps[0].__proto__ is not supported'])
  t.end()
})

test('Dial names the skills that whoever is rung must have', t => {
  const steps = [
    { verb: 'dial', to: [{ name: 'support', params: {} }], skills: ['fr', 'tax'], sequential: false },
  ]
  t.match(twiml('<Response><Dial skills=" fr  tax">support</Dial></Response>'), { value: { steps } })
  t.match(json({ dial: { to: 'support', skills: ['fr', 'tax'] } }), { value: { steps } })
  t.strictSame(faultsOf(json({ dial: { to: 'support', skills: 'fr' } })), [
    'steps[0].dial.skills must be array',
  ])
  const again = { value: { steps: [{ skills: ['fr', 'de'] }] } }
  t.match(twiml('<Response><Dial skills="fr, de,fr">support</Dial></Response>'), again)
  t.match(json({ dial: { to: 'support', skills: ['fr', 'de', 'fr'] } }), again)
  t.strictSame(faultsOf(twiml('<Response><Dial skills="!">support</Dial></Response>')), [
    '1:11 Dial skills must be at most 32 names of skills, not "!"',
  ])
  t.strictSame(faultsOf(json({ dial: { to: 'support', skills: ['a b'] } })), [
    'steps[0].dial.skills must be at most 32 names of skills',
  ])
  t.end()
})

test('what a TwiML document asks for and cannot have is told all at once, each with line and column', t => {
  t.strictSame(
    faultsOf(
      twiml(`<Response>
  <Dance/>
  <Gather><Dial>a</Dial></Gather>\r
  <Dial action="ftp://x/" timeout="abc" totalTimeout="-1">alice</Dial>\r\n    <Dial timeout="0"
    sequential="yes" strategy="fastest">alice smith</Dial>
  <Dial/>
  <Dial>alice<Client>bob</Client></Dial>
  <Dial>
    <Number>+15550100</Number><Queue>support</Queue>
    <Sip>sip:a@b</Sip><Conference>room</Conference>
  </Dial>
  <Dial><Client/><Client>a<Identity>b</Identity></Client><Client>a b</Client></Dial>
  <Dial><Client>a<Parameter name="x"/><Parameter value="y"/><Video/></Client></Dial>
  <Dial><Client><Identity>a<b/></Identity><Parameter name="x" value="1"/><Parameter name="x" value="2"><c/></Parameter></Client></Dial>
  <Dial><Client>a<Parameter name="x" value="${'y'.repeat(4096)}"/></Client></Dial>
  <Redirect/>
  <Redirect method="get">https://u:p@x/<d/></Redirect>
  <Reject reason="rude"/>
  <Pause length="1.5"/>
  <Pause length="604801"><e/></Pause>
</Response>`),
    ),
    [
      '2:3 Dance is not supported',
      '3:11 Dial in Gather is not supported',
      '4:3 Dial action must be an http or https URL',
      '4:3 Dial timeout must be whole seconds, 1 to 604800, not "abc"',
      '4:3 Dial totalTimeout must be whole seconds, 1 to 604800, not "-1"',
      '5:5 Dial timeout must be whole seconds, 1 to 604800, not "0"',
      '5:5 Dial sequential must be one of true, false, not "yes"',
      `5:5 Dial strategy must be one of ${strategies.join(', ')}, not "fastest"`,
      `5:5 Dial ${rule}, not "alice smith"`,
      '7:3 Dial must name a destination',
      '8:3 Dial must have text or nouns, not both',
      '10:31 Queue must not stand beside Number in one Dial',
      '11:23 Conference must not stand beside Number in one Dial',
      '13:9 Client must have one identity, as its text or in Identity',
      '13:18 Client must have one identity, as its text or in Identity',
      `13:58 Client ${rule}, not "a b"`,
      '14:18 Parameter must have a name and a value',
      '14:39 Parameter must have a name and a value',
      '14:61 Video in Client is not supported',
      '15:28 b in Identity is not supported',
      '15:104 c in Parameter is not supported',
      '15:74 Parameter "x" is there twice',
      '16:9 the Parameters of Client must keep within 4096 bytes',
      '17:3 Redirect must have a URL',
      '18:3 Redirect method must be one of GET, POST, not "get"',
      '18:40 d in Redirect is not supported',
      '18:3 Redirect must be a URL without a user or password',
      '19:3 Reject reason must be one of rejected, busy, not "rude"',
      '20:3 Pause length must be whole seconds, 0 to 604800, not "1.5"',
      '21:26 e in Pause is not supported',
      '21:3 Pause length must be whole seconds, 0 to 604800, not "604801"',
    ],
  )
  t.end()
})

test('what a document can do without is passed over with a warning', t => {
  t.strictSame(
    warningsOf(
      twiml(`<Response version="2">
  hello
  <Say voice="alice">One moment<break/></Say>
  <Play loop="2">https://x/hold.mp3</Play>
  <Dial record="true" ringTone="de" __proto__="x" constructor="y">
    <Client url="/whisper">alice<Parameter name="a" value="b" c="d">text</Parameter></Client>
  </Dial>
  <Hangup now="yes">bye</Hangup>
</Response>`),
    ),
    [
      'Response at 1:1: version is ignored',
      'Response at 1:1: the text "hello" is ignored',
      'Say at 3:3: break is ignored',
      'Dial at 5:3: record is ignored',
      'Dial at 5:3: ringTone is ignored',
      'Dial at 5:3: __proto__ is ignored',
      'Dial at 5:3: constructor is ignored',
      'Client at 6:5: url is ignored',
      'Parameter at 6:33: c is ignored',
      'Parameter at 6:33: the text "text" is ignored',
      'Hangup at 8:3: the text "bye" is ignored',
      'Hangup at 8:3: now is ignored',
    ],
  )
  t.strictSame(
    warningsOf(
      json({ say: { text: 'a', pitch: 2 } }, { dial: { to: [{ name: 'a', role: 1 }], record: true } }),
    ),
    [
      'steps[0].say.pitch is ignored',
      'steps[1].dial.record is ignored',
      'steps[1].dial.to[0].role is ignored',
    ],
  )
  t.end()
})

test('[FX1] a document with a DOCTYPE or an entity of its own is refused where it stands', t => {
  const entities = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`)
  for (const dtd of [
    '<!DOCTYPE Response>',
    `<!DOCTYPE Response [<!ENTITY l0 "lol">${entities.join('')}]>`,
    '<!DOCTYPE Response SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE Response [<!ENTITY x SYSTEM "http://127.0.0.1/x">]>',
    '<!DOCTYPE Response [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]>',
    `<!DOCTYPE Response [<!ENTITY big "${'x'.repeat(10_000)}">]>`,
  ]) {
    t.strictSame(faultsOf(twiml(`${dtd}<Response><Say>&l9;</Say></Response>`)), [
      `1:${dtd.length} a DOCTYPE is not allowed`,
    ])
  }
  t.strictSame(faultsOf(response('\n<Say>&x;</Say>')), ['2:8 undefined entity'])
  t.strictSame(faultsOf(response('<Say>&constructor;</Say>')), ['1:28 undefined entity'])
  t.strictSame(stepsOf(response('<Dial>a&#45;b</Dial>')), [
    { verb: 'dial', to: [{ name: 'a-b', params: {} }], sequential: false, method: 'POST' },
  ])
  t.end()
})

test('[FX2] references to what is no character, and floods of them, are refused', t => {
  for (const reference of ['&#0;', '&#x0;', '&#8;', '&#x110000;', '&#xD800;', '&#xFFFF;', '&#99999999999;']) {
    t.strictSame(faultsOf(response(`<Say>${reference}</Say>`)), [
      `1:${15 + reference.length} malformed character entity`,
    ])
  }
  t.strictSame(faultsOf(twiml('<?xml version="1.1"?><Response>&#1;</Response>')), [
    '1:35 malformed character entity',
  ])
  t.strictSame(faultsOf(response('<Say>\u0000</Say>')), ['1:16 disallowed character'])
  t.strictSame(faultsOf(response('\n<Say>\ud800</Say>')), ['2:6 has half of a surrogate pair'])
  t.match(stepsOf(response(`<Say>${'&#65;'.repeat(1000)}</Say>`)), [{ with: { text: 'A'.repeat(1000) } }])
  t.strictSame(faultsOf(response(`<Say>${'&#65;'.repeat(1001)}</Say>`)), [
    '1:5016 has more than 1000 references',
  ])
  t.end()
})

test('[FX3] a document is bounded in every direction, and what is not well formed is refused at its place', t => {
  const deep = (levels: number) => `<Say>${'<s>'.repeat(levels - 1)}${'</s>'.repeat(levels - 1)}</Say>`
  t.strictSame(stepsOf(response(deep(15))), [], 'the root is one of 16 levels')
  t.strictSame(faultsOf(response(deep(16))), ['1:60 elements more than 16 deep'])
  t.strictSame(faultsOf(twiml('<a>'.repeat(20_000))), ['1:51 elements more than 16 deep'])

  const attributes = (count: number) => Array.from({ length: count }, (_, n) => `a${n}="1"`).join(' ')
  t.match(warningsOf(response(`<Hangup ${attributes(64)}/>`)), { length: 64 })
  t.match(faultsOf(response(`<Hangup ${attributes(65)}/>`)), [/^1:\d+ more than 64 attributes$/])
  t.match(faultsOf(response(`<Hangup ${attributes(6000)}/>`)), [/^1:\d+ more than 64 attributes$/])
  t.match(stepsOf(response('<Hangup/>'.repeat(999))), { length: 999 })
  t.match(faultsOf(response('<Hangup/>'.repeat(1000))), [/^1:\d+ more than 1000 elements$/])
  t.match(faultsOf(response('<Foo/>'.repeat(999))), { length: 64 }, 'as many faults as anyone reads')

  t.strictSame(faultsOf(response('<Hangup a="1" a="2"/>')), ['1:31 duplicate attribute: a'])
  t.strictSame(faultsOf(twiml('<Response/><Response/>')), ['1:21 documents may contain only one root'])
  t.strictSame(faultsOf(twiml('<Response/> done')), ['1:16 text data outside of root node'])
  t.strictSame(faultsOf(twiml('<Response><Hangup></Response>')), ['1:29 unexpected close tag'])
  t.strictSame(faultsOf(twiml('<Response>')), ['1:10 unclosed tag: Response'])
  t.strictSame(faultsOf(twiml('')), ['1:0 document must contain a root element'])
  t.match(faultsOf(twiml(' <?xml version="1.0"?><Response/>')), [
    /^1:7 an XML declaration must be at the start/,
  ])
  t.strictSame(faultsOf(response('\r<A/>\r\n <B/>\n<C/>')), [
    '2:1 A is not supported',
    '3:2 B is not supported',
    '4:1 C is not supported',
  ])
  t.strictSame(faultsOf(twiml('<Dial/>')), ['1:1 the root must be Response, not Dial'])

  const whole = (size: number) => response(`<!--${'x'.repeat(size - 28)}-->`)
  t.strictSame(stepsOf(whole(documentLimit)), [])
  t.strictSame(faultsOf(whole(documentLimit + 1)), ['1:1 is larger than 65536 bytes'])
  t.match(faultsOf(response(`<${'x'.repeat(60_000)}/>`)), [/^1:11 x{200,256}…$/], 'a message stays short')

  t.strictSame(
    stepsOf(twiml('\uFEFF<?xml version="1.0"?>\n<Response/>\n')),
    [],
    'a byte order mark is accepted',
  )
  t.strictSame(stepsOf(readDocument(Buffer.from('\uFEFF<Response/>'), 'twiml')), [])
  t.strictSame(
    faultsOf(readDocument(Buffer.from('\uFEFF<?xml version="1.0" encoding="UTF-8"?><Response/>', 'utf16le'))),
    ['is not UTF-8'],
  )
  t.match(faultsOf(readDocument(Buffer.from('<Response/>', 'utf16le'), 'twiml')), [
    /^1:\d disallowed character/,
  ])
  t.end()
})

test('[FX6] names are case-sensitive, a name in a namespace is another name, and markup round text is not text', t => {
  t.strictSame(faultsOf(twiml('<response/>')), ['1:1 the root must be Response, not response'])
  t.strictSame(faultsOf(response('<dial>alice</dial><HANGUP/>')), [
    '1:11 dial is not supported',
    '1:29 HANGUP is not supported',
  ])
  t.strictSame(warningsOf(response('<Dial Timeout="5">alice</Dial>')), ['Dial at 1:11: Timeout is ignored'])
  t.strictSame(faultsOf(twiml('<Response xmlns="urn:x&#10;y"/>')), [
    '1:1 the root must be Response, not {urn:x\uFFFDy}Response',
  ])
  t.strictSame(faultsOf(response('<a:Dial xmlns:a="urn:a">alice</a:Dial>')), [
    '1:11 {urn:a}Dial is not supported',
  ])
  t.strictSame(faultsOf(response('<a:Dial>alice</a:Dial>')), ['1:18 unbound namespace prefix: "a"'])
  t.strictSame(
    twiml(`<Response xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="t.xsd">
      <?go fast?><!-- who is there? --><Dial>al<!-- i --><![CDATA[ic]]><?x y?>e</Dial></Response>`),
    {
      ok: true,
      value: {
        steps: [{ verb: 'dial', to: [{ name: 'alice', params: {} }], sequential: false, method: 'POST' }],
        warnings: [],
      },
    },
  )
  t.end()
})

test('a parameter keeps any name and value it is given, and changes nothing else', t => {
  const read = response('<Dial><Client>a<Parameter name="__proto__" value="&quot;&#10;x"/></Client></Dial>')
  const [step] = read.ok ? read.value.steps : []
  t.strictSame(step?.verb === 'dial' && Object.entries(step.to[0]!.params), [['__proto__', '"\nx']])
  t.end()
})

test('any text at all is read or refused, never thrown at', t => {
  const bits = fc.constantFrom(
    ...['<Response>', '</Response>', '<Dial', ' timeout="', '"', '>', '/>', '<Client>', '</Client>', 'a'],
    ...[
      '&',
      '&#',
      ';',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '<?',
      '?>',
      '<!DOCTYPE',
      '\r\n',
      '\ud83d',
      '\u0000',
    ],
  )
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), parts => {
      for (const read of [twiml(parts.join('')), response(parts.join(''))]) {
        if (!read.ok) t.match(read.faults[0]?.path ?? '', /^\d+:\d+$/)
      }
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      readInstructions({ json: value })
      readInstructions({ json: { steps: [value, { dial: value }, { dial: { to: value } }] } })
      checkInline(value, 'instructions')
    }),
  )
  t.end()
})

test('where instructions come from is a URL, a document, or in a configuration a file', t => {
  const url = (value: unknown) => checkInline(value, 'instructions')
  t.strictSame(url('https://voice.example.com/in'), {
    ok: true,
    value: { kind: 'url', url: 'https://voice.example.com/in', method: 'POST' },
  })
  t.strictSame(url({ url: 'http://a:8080/', method: 'GET', fallbackUrl: 'http://b/' }), {
    ok: true,
    value: { kind: 'url', url: 'http://a:8080/', method: 'GET', fallbackUrl: 'http://b/' },
  })
  t.strictSame(url({ url: 'http://a/' }), {
    ok: true,
    value: { kind: 'url', url: 'http://a/', method: 'POST' },
  })
  const hangup = { steps: [{ verb: 'hangup' }], warnings: [] }
  const inline = { ok: true, value: { kind: 'inline', instructions: hangup, from: 'inline' } }
  t.strictSame(url({ steps: [{ hangup: {} }] }), inline)
  t.strictSame(url({ twiml: '<Response><Hangup/></Response>' }), inline)

  const dir = t.testdir({
    'in.xml': '\n<Response><Hangup/></Response>',
    'in.json': '{"steps":[{"hangup":{}}]}',
    'bad.xml': '<Response>\n <Dance/><Hangup/></Response>',
    'bad.json': '{"steps":[{"dance":{}}]}',
    'half.json': '{"steps":[\u001b',
  })
  const file = (name: string) => checkInline({ file: name }, 'routes[0].instructions', dir)
  t.strictSame(file('in.xml'), { ok: true, value: { kind: 'inline', instructions: hangup, from: 'in.xml' } })
  t.strictSame(file(join(dir, 'in.json')), {
    ok: true,
    value: { kind: 'inline', instructions: hangup, from: join(dir, 'in.json') },
  })
  const path = 'routes[0].instructions.file'
  const fault = (message: string) => ({ ok: false, faults: [{ path, message }] })
  t.strictSame(file('bad.xml'), fault('bad.xml: 2:2 Dance is not supported'))
  t.strictSame(file('bad.json'), fault('bad.json: steps[0].dance is not supported'))
  t.match(file('half.json'), { faults: [{ path, message: /^half.json: is not JSON: [^\p{C}]+$/u }] })
  t.strictSame(file('gone.xml'), fault('cannot be read: gone.xml (ENOENT)'))
  t.strictSame(url({ file: 'in.xml' }), {
    ok: false,
    faults: [{ path: 'instructions.file', message: 'is for the configuration only' }],
  })
  t.end()
})

test('a document dials at most a hundred destinations, however it spreads them', t => {
  const read = (json: unknown) => readInstructions({ json })
  const to = Array(25).fill('support')
  t.ok(read({ steps: Array(4).fill({ dial: { to } }) }).ok)
  const message = 'must dial at most 100 destinations in all'
  t.match(read({ steps: [...Array(4).fill({ dial: { to } }), { dial: { to: 'alice' } }] }), {
    ok: false,
    faults: [{ path: '', message }],
  })
  const twiml = `<Response><Dial>${'<Client>a</Client>'.repeat(101)}</Dial></Response>`
  t.match(readInstructions({ twiml }), { ok: false, faults: [{ path: '', message }] })
  t.end()
})

test('a source that cannot be used is refused with every fault at its path', t => {
  const faults = (value: unknown) => {
    const checked = checkInline(value, 'instructions', '/')
    return checked.ok ? [] : checked.faults.map(faultText)
  }
  const forms = 'instructions must be a URL, or an object with one of url, steps, twiml and file'
  for (const value of [undefined, null, 7, [], {}, { method: 'GET' }, { url: 'http://a/', steps: [] }]) {
    t.strictSame(faults(value), [forms])
  }
  t.strictSame(faults('voice.example.com'), ['instructions must be an absolute URL'])
  t.strictSame(faults({ url: 1, method: 'PUT', fallback: '' }), [
    'instructions.fallback is not known here',
    'instructions.url must be string',
    'instructions.method must be one of GET, POST',
  ])
  t.strictSame(faults({ url: 'ftp://a/', fallbackUrl: 'http://a:25/' }), [
    'instructions.url must be an http or https URL',
    'instructions.fallbackUrl must be a URL with port 80, 443, or 1024 and up, not 25',
  ])
  t.strictSame(faults({ steps: {} }), ['instructions.steps must be array'])
  t.strictSame(faults({ steps: [{ dance: {} }] }), ['instructions.steps[0].dance is not supported'])
  t.strictSame(faults({ steps: [], more: 1 }), ['instructions.more is not known here'])
  t.strictSame(faults({ twiml: 1 }), ['instructions.twiml must be string'])
  t.strictSame(faults({ twiml: '<Response>\n<Dance/></Response>' }), [
    'instructions.twiml:2:1 Dance is not supported',
  ])
  t.strictSame(faults({ file: 1 }), ['instructions.file must be string'])
  t.end()
})
