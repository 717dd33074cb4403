// Say, Play, Gather and Record, which a gateway performs.

import type { Specimen } from './specimen.js'

export const gateway: readonly Specimen[] = [
  {
    title: 'a text to say',
    twiml: '<Response><Say voice="Polly.Amy" language="en-GB" loop="2">One moment, please</Say></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'say',
          with: { text: 'One moment, please', voice: 'Polly.Amy', language: 'en-GB', loop: 2 },
        },
      ],
    },
  },
  {
    title: 'markup of speech is not told, and what it marks is',
    twiml:
      '<Response><Say>Hello <emphasis level="strong">dear <w role="x">caller</w></emphasis>, wait<break time="1s"/>!</Say></Response>',
    gives: {
      steps: [{ verb: 'perform', what: 'say', with: { text: 'Hello dear caller, wait!' } }],
      warnings: [
        'Say at 1:11: emphasis is ignored',
        'Say at 1:11: w is ignored',
        'Say at 1:11: break is ignored',
      ],
    },
  },
  {
    title: 'nothing to say',
    twiml: '<Response><Say> </Say></Response>',
    gives: { steps: [], warnings: ['Say at 1:11: has no text, and is passed over'] },
  },
  {
    title: 'markup that nobody knows',
    twiml: '<Response><Say>a<blink>b</blink></Say></Response>',
    gives: { faults: ['1:17 blink in Say is not supported'] },
  },
  {
    title: 'more than anyone listens to',
    twiml: `<Response><Say>${'x'.repeat(4097)}</Say></Response>`,
    gives: { faults: ['1:11 Say must keep within 4096 characters'] },
  },
  {
    title: 'a sound, keys, and both',
    twiml:
      '<Response><Play loop="0">https://cdn.example.com/a.mp3</Play><Play digits="ww12#"/><Play>/b.wav</Play></Response>',
    gives: {
      steps: [
        { verb: 'perform', what: 'play', with: { url: 'https://cdn.example.com/a.mp3', loop: 0 } },
        { verb: 'perform', what: 'play', with: { digits: 'ww12#' } },
        { verb: 'perform', what: 'play', with: { url: '/b.wav' } },
      ],
    },
  },
  {
    title: 'sounds that are none',
    twiml:
      '<Response><Play/><Play>file:///etc/passwd</Play><Play digits="+">/a</Play><Play loop="-1">/a<b/></Play></Response>',
    gives: {
      faults: [
        '1:11 Play must have a URL or digits',
        '1:18 Play must be an http or https URL',
        '1:49 Play digits must be 1 to 64 of 0-9, *, #, A-D and w, not "+"',
        '1:75 Play loop must be a whole number, 0 to 1000, not "-1"',
        '1:93 b in Play is not supported',
      ],
    },
  },
  {
    title: 'a menu',
    twiml: `<Response>
  <Gather numDigits="1" timeout="5" action="/menu" hints="sales, support" language="en-GB">
    <Say>For sales press 1</Say>
    <Pause length="2"/>
    <Play>/or-two.mp3</Play>
  </Gather>
  <Redirect>/again</Redirect>
</Response>`,
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'gather',
          with: {
            input: ['dtmf'],
            numDigits: 1,
            timeoutMs: 5000,
            hints: 'sales, support',
            language: 'en-GB',
            prompts: [
              { say: { text: 'For sales press 1' } },
              { pause: { ms: 2000 } },
              { play: { url: '/or-two.mp3' } },
            ],
          },
          action: '/menu',
          method: 'POST',
        },
        { verb: 'redirect', url: '/again', method: 'POST' },
      ],
    },
  },
  {
    title: 'speech, and the end of it by itself',
    twiml:
      '<Response><Gather input="speech dtmf" speechTimeout="auto" timeout="auto" finishOnKey="" actionOnEmptyResult="true" method="GET"/></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'gather',
          with: {
            input: ['dtmf', 'speech'],
            speechTimeoutMs: 'auto',
            timeoutMs: 'auto',
            finishOnKey: '',
            prompts: [],
          },
          method: 'GET',
          evenEmpty: true,
        },
      ],
    },
  },
  {
    title: 'speech that is to end after so long',
    twiml: '<Response><Gather input="speech" speechTimeout="3"/></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'gather',
          with: { input: ['speech'], speechTimeoutMs: 3000, prompts: [] },
          method: 'POST',
        },
      ],
    },
  },
  {
    title: 'attributes that are for other machines are ignored',
    twiml: '<Response><Gather partialResultCallback="/p" enhanced="true">now</Gather></Response>',
    gives: {
      steps: [{ verb: 'perform', what: 'gather', with: { input: ['dtmf'], prompts: [] }, method: 'POST' }],
      warnings: [
        'Gather at 1:11: partialResultCallback is ignored',
        'Gather at 1:11: enhanced is ignored',
        'Gather at 1:11: the text "now" is ignored',
      ],
    },
  },
  {
    title: 'entries that are none',
    twiml:
      '<Response><Gather input="touch" numDigits="0" timeout="0" speechTimeout="soon" finishOnKey="Enter" actionOnEmptyResult="1"><Dial>a</Dial></Gather></Response>',
    gives: {
      faults: [
        '1:11 Gather input must be one or more of dtmf, speech, not "touch"',
        '1:11 Gather numDigits must be a whole number, 1 to 100, not "0"',
        '1:11 Gather timeout must be auto, or whole seconds, 1 to 604800, not "0"',
        '1:11 Gather speechTimeout must be auto, or whole seconds, 1 to 604800, not "soon"',
        '1:11 Gather finishOnKey must be up to 12 of 0-9, * and #, not "Enter"',
        '1:11 Gather actionOnEmptyResult must be one of true, false, not "1"',
        '1:124 Dial in Gather is not supported',
      ],
    },
  },
  {
    title: 'a recording',
    twiml:
      '<Response><Record timeout="3" maxLength="120" finishOnKey="#*" playBeep="false" trim="do-not-trim" action="/kept" transcribe="true"/></Response>',
    gives: {
      steps: [
        {
          verb: 'perform',
          what: 'record',
          with: {
            timeoutMs: 3000,
            maxLengthMs: 120000,
            finishOnKey: '#*',
            playBeep: false,
            trim: 'do-not-trim',
          },
          action: '/kept',
          method: 'POST',
        },
      ],
      warnings: ['Record at 1:11: transcribe is ignored'],
    },
  },
  {
    title: 'recordings that are none',
    twiml: '<Response><Record maxLength="0" trim="all" finishOnKey="a">x</Record></Response>',
    gives: {
      faults: [
        '1:11 Record maxLength must be whole seconds, 1 to 604800, not "0"',
        '1:11 Record trim must be one of trim-silence, do-not-trim, not "all"',
        '1:11 Record finishOnKey must be up to 12 of 0-9, * and #, not "a"',
      ],
    },
  },
]
