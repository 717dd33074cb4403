// Enqueue, Redirect, Reject, Hangup, Pause, and whole documents.

import type { Specimen } from './specimen.js'

export const flow: readonly Specimen[] = [
  {
    title: 'nothing at all',
    twiml: '<Response/>',
    gives: { steps: [] },
  },
  {
    title: 'a queue, with all that is its own',
    twiml:
      '<Response><Enqueue maxWait="300" priority="5" skills="fr billing" action="/left" method="GET">support</Enqueue></Response>',
    gives: {
      steps: [
        {
          verb: 'enqueue',
          group: 'support',
          priority: 5,
          skills: ['fr', 'billing'],
          method: 'GET',
          maxWaitMs: 300000,
          action: '/left',
        },
      ],
    },
  },
  {
    title: 'what a queue sounds like is for the gateway',
    twiml: '<Response><Enqueue waitUrl="/music" waitUrlMethod="GET">support</Enqueue></Response>',
    gives: {
      steps: [{ verb: 'enqueue', group: 'support', priority: 0, skills: [], method: 'POST' }],
      warnings: ['Enqueue at 1:11: waitUrl is ignored', 'Enqueue at 1:11: waitUrlMethod is ignored'],
    },
  },
  {
    title: 'skills may have commas between them, and are named once',
    twiml: '<Response><Enqueue skills="fr, de,fr" priority="-1">support</Enqueue></Response>',
    gives: {
      steps: [{ verb: 'enqueue', group: 'support', priority: -1, skills: ['fr', 'de'], method: 'POST' }],
    },
  },
  {
    title: 'a queue that is none',
    twiml:
      '<Response><Enqueue/><Enqueue maxWait="0" priority="high" skills="!">support</Enqueue><Enqueue workflowSid="WW1"><Task>{}</Task></Enqueue></Response>',
    gives: {
      faults: [
        '1:11 Enqueue must be a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled, not ""',
        '1:21 Enqueue maxWait must be whole seconds, 1 to 604800, not "0"',
        '1:21 Enqueue priority must be a whole number, -1000 to 1000, not "high"',
        '1:21 Enqueue skills must be at most 32 names of skills, not "!"',
        '1:113 Task in Enqueue is not supported',
        '1:86 Enqueue must be a name: 1 to 128 ASCII letters, digits and ._-+@:, with no dot first, last or doubled, not ""',
      ],
    },
  },
  {
    title: 'redirects, relative and whole',
    twiml:
      '<Response><Redirect method="GET">/next?a=1&amp;b=2</Redirect><Redirect>https://voice.example.com/again#here</Redirect></Response>',
    gives: {
      steps: [
        { verb: 'redirect', url: '/next?a=1&b=2', method: 'GET' },
        { verb: 'redirect', url: 'https://voice.example.com/again#here', method: 'POST' },
      ],
    },
  },
  {
    title: 'redirects to nowhere',
    twiml:
      '<Response><Redirect/><Redirect>http://u:p@x/</Redirect><Redirect>http://x:25/</Redirect><Redirect method="post">/a<b/></Redirect></Response>',
    gives: {
      faults: [
        '1:11 Redirect must have a URL',
        '1:22 Redirect must be a URL without a user or password',
        '1:56 Redirect must be a URL with port 80, 443, or 1024 and up, not 25',
        '1:89 Redirect method must be one of GET, POST, not "post"',
        '1:115 b in Redirect is not supported',
      ],
    },
  },
  {
    title: 'refusals',
    twiml: '<Response><Reject/><Reject reason="busy"/></Response>',
    gives: {
      steps: [
        { verb: 'reject', reason: 'rejected' },
        { verb: 'reject', reason: 'busy' },
      ],
    },
  },
  {
    title: 'a refusal with a reason of its own',
    twiml: '<Response><Reject reason="rude"/></Response>',
    gives: { faults: ['1:11 Reject reason must be one of rejected, busy, not "rude"'] },
  },
  {
    title: 'pauses',
    twiml: '<Response><Pause/><Pause length="0"/><Pause length="90"/></Response>',
    gives: {
      steps: [
        { verb: 'pause', ms: 1000 },
        { verb: 'pause', ms: 0 },
        { verb: 'pause', ms: 90000 },
      ],
    },
  },
  {
    title: 'pauses that are none',
    twiml:
      '<Response><Pause length="-1"/><Pause length="1e3"/><Pause length="604801"/><Pause length=""/></Response>',
    gives: {
      faults: [
        '1:11 Pause length must be whole seconds, 0 to 604800, not "-1"',
        '1:31 Pause length must be whole seconds, 0 to 604800, not "1e3"',
        '1:52 Pause length must be whole seconds, 0 to 604800, not "604801"',
        '1:76 Pause length must be whole seconds, 0 to 604800, not ""',
      ],
    },
  },
  {
    title: 'a call plan of several steps',
    twiml: `<Response>
  <Dial timeout="12"><Client>support</Client></Dial>
  <!-- nobody was there -->
  <Pause length="2"/>
  <Redirect>/voicemail</Redirect>
</Response>`,
    gives: {
      steps: [
        {
          verb: 'dial',
          sequential: false,
          method: 'POST',
          timeoutMs: 12000,
          to: [{ name: 'support', params: {} }],
        },
        { verb: 'pause', ms: 2000 },
        { verb: 'redirect', url: '/voicemail', method: 'POST' },
      ],
    },
  },
  {
    title: 'text between verbs is ignored',
    twiml: '<Response>hello<Hangup>bye</Hangup></Response>',
    gives: {
      steps: [{ verb: 'hangup' }],
      warnings: ['Response at 1:1: the text "hello" is ignored', 'Hangup at 1:16: the text "bye" is ignored'],
    },
  },
  {
    title: 'verbs that nobody knows, all at once',
    twiml: `<Response>
<Dance/>
<Sms>hi</Sms>
  <Hangup/><Stop/></Response>`,
    gives: {
      faults: ['2:1 Dance is not supported', '3:1 Sms is not supported', '4:12 Stop is not supported'],
    },
  },
  {
    title: 'what stands in a verb that holds nothing',
    twiml:
      '<Response><Hangup><Dial>a</Dial></Hangup><Reject><Say>no</Say></Reject><Pause><x/></Pause></Response>',
    gives: {
      faults: [
        '1:19 Dial in Hangup is not supported',
        '1:50 Say in Reject is not supported',
        '1:79 x in Pause is not supported',
      ],
    },
  },
]
