// What a document is as XML, before anything of it is an instruction.

import type { Specimen } from './specimen.js'

export const xml: readonly Specimen[] = [
  {
    title: '[FX3] a byte order mark, and white space after the end',
    twiml: '\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n<Response>\r\n</Response>\r\n',
    gives: { steps: [] },
  },
  {
    title: '[FX3] white space before the declaration',
    twiml: ' <?xml version="1.0"?><Response/>',
    gives: { faults: ['1:7 an XML declaration must be at the start of the document'] },
  },
  {
    title: '[FX3] nothing',
    twiml: '',
    gives: { faults: ['1:0 document must contain a root element'] },
  },
  {
    title: '[FX3] no XML',
    twiml: 'Dial alice',
    gives: { faults: ['1:10 text data outside of root node'] },
  },
  {
    title: '[FX3] a page of HTML',
    twiml: '<!DOCTYPE html><html><body><h1>502</h1><br></body></html>',
    gives: { faults: ['1:15 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX3] another root',
    twiml: '<Dial>alice</Dial>',
    gives: { faults: ['1:1 the root must be Response, not Dial'] },
  },
  {
    title: '[FX3] two roots',
    twiml: `<Response/>
<Response/>`,
    gives: { faults: ['2:10 documents may contain only one root'] },
  },
  {
    title: '[FX3] text after the end',
    twiml: '<Response/> done',
    gives: { faults: ['1:16 text data outside of root node'] },
  },
  {
    title: '[FX3] an end that is missing',
    twiml: '<Response><Hangup/>',
    gives: { faults: ['1:19 unclosed tag: Response'] },
  },
  {
    title: '[FX3] ends that are crossed',
    twiml: '<Response><Dial><Client>a</Dial></Client></Response>',
    gives: { faults: ['1:32 unexpected close tag'] },
  },
  {
    title: '[FX3] an attribute twice',
    twiml: '<Response><Dial timeout="5" timeout="6">a</Dial></Response>',
    gives: { faults: ['1:40 duplicate attribute: timeout'] },
  },
  {
    title: '[FX3] an attribute without quotes',
    twiml: '<Response><Dial timeout=5>a</Dial></Response>',
    gives: { faults: ['1:25 unquoted attribute value'] },
  },
  {
    title: '[FX3] an attribute without a value',
    twiml: '<Response><Dial sequential>a</Dial></Response>',
    gives: { faults: ['1:27 attribute without value'] },
  },
  {
    title: '[FX3] a bracket in a value',
    twiml: '<Response><Dial callerId="a<b">a</Dial></Response>',
    gives: { faults: ['1:28 disallowed character'] },
  },
  {
    title: '[FX3] 20,000 levels',
    twiml: '<a>'.repeat(20_000),
    gives: { faults: ['1:51 elements more than 16 deep'] },
  },
  {
    title: '[FX3] 6,000 attributes',
    twiml: `<Response ${Array.from({ length: 6000 }, (_, n) => `a${n}=""`).join(' ')}/>`,
    gives: { faults: ['1:454 more than 64 attributes'] },
  },
  {
    title: '[FX3] 1,000 elements in the root',
    twiml: `<Response>${'<Hangup/>'.repeat(1000)}</Response>`,
    gives: { faults: ['1:9009 more than 1000 elements'] },
  },
  {
    title: '[FX3] more than is read',
    twiml: `<Response>${' '.repeat(65_536)}</Response>`,
    gives: { faults: ['1:1 is larger than 65536 bytes'] },
  },
  {
    title: '[FX3] UTF-16, read as UTF-8',
    twiml: '<\u0000R\u0000e\u0000/\u0000>\u0000',
    gives: { faults: ['1:2 disallowed character'] },
  },
  {
    title: '[FX2] a character that XML has not',
    twiml: '<Response><Say>\u0007</Say></Response>',
    gives: { faults: ['1:16 disallowed character'] },
  },
  {
    title: '[FX2] the same by its number',
    twiml: '<Response><Say>&#7;</Say></Response>',
    gives: { faults: ['1:19 malformed character entity'] },
  },
  {
    title: '[FX2] the character nil',
    twiml: `<Response>
<Say>&#0;</Say></Response>`,
    gives: { faults: ['2:9 malformed character entity'] },
  },
  {
    title: '[FX2] a number beyond Unicode',
    twiml: '<Response><Say>&#x110000;</Say></Response>',
    gives: { faults: ['1:25 malformed character entity'] },
  },
  {
    title: '[FX2] half of a surrogate pair by its number',
    twiml: '<Response><Say>&#xD83D;</Say></Response>',
    gives: { faults: ['1:23 malformed character entity'] },
  },
  {
    title: '[FX2] half of a surrogate pair',
    twiml: '<Response><Say>\ud83d</Say></Response>',
    gives: { faults: ['1:16 has half of a surrogate pair'] },
  },
  {
    title: '[FX2] numbers of characters that are some',
    twiml: '<Response><Dial>al&#105;&#x63;e</Dial></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'alice', params: {} }] }],
    },
  },
  {
    title: '[FX2] 1,001 references',
    twiml: `<Response><Say>${'&#65;'.repeat(1001)}</Say></Response>`,
    gives: { faults: ['1:5016 has more than 1000 references'] },
  },
  {
    title: '[FX2] a bare ampersand',
    twiml: '<Response><Redirect>/a?x=1&y=2</Redirect></Response>',
    gives: { faults: ['1:27 an & that begins no reference: write &amp;'] },
  },
  {
    title: '[FX1] a DOCTYPE',
    twiml: `<!DOCTYPE Response>
<Response/>`,
    gives: { faults: ['1:19 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX1] an entity of the document',
    twiml: '<!DOCTYPE Response [<!ENTITY a "alice">]><Response><Dial>&a;</Dial></Response>',
    gives: { faults: ['1:41 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX1] an entity from a file',
    twiml: '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response><Say>&x;</Say></Response>',
    gives: { faults: ['1:54 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX1] a parameter entity from the network',
    twiml: '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]><Response/>',
    gives: { faults: ['1:60 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX1] entities of entities',
    twiml:
      '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><Response><Say>&c;</Say></Response>',
    gives: { faults: ['1:83 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX1] one large entity, a thousand times',
    twiml: `<!DOCTYPE r [<!ENTITY x "${'x'.repeat(30_000)}">]><Response><Say>${'&x;'.repeat(1000)}</Say></Response>`,
    gives: { faults: ['1:30029 a DOCTYPE is not allowed'] },
  },
  {
    title: '[FX1] an entity that was never declared',
    twiml: '<Response><Say>caf&eacute;</Say></Response>',
    gives: { faults: ['1:26 undefined entity'] },
  },
  {
    title: '[FX1] the five that there are',
    twiml: '<Response><Redirect>/a?x=&lt;&gt;&quot;&apos;&amp;</Redirect></Response>',
    gives: { steps: [{ verb: 'redirect', url: '/a?x=<>"\'&', method: 'POST' }] },
  },
  {
    title: '[FX6] verbs and nouns in another case',
    twiml: `<Response><dial>alice</dial>
<HANGUP/><Dial><client>a</client></Dial></Response>`,
    gives: {
      faults: [
        '1:11 dial is not supported',
        '2:1 HANGUP is not supported',
        '2:16 client in Dial is not supported',
      ],
    },
  },
  {
    title: '[FX6] attributes in another case',
    twiml: '<Response><Dial Timeout="5" callerid="x">alice</Dial></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'alice', params: {} }] }],
      warnings: ['Dial at 1:11: Timeout is ignored', 'Dial at 1:11: callerid is ignored'],
    },
  },
  {
    title: '[FX6] words of values in another case',
    twiml: '<Response><Dial sequential="True" method="Get">alice</Dial></Response>',
    gives: {
      faults: [
        '1:11 Dial sequential must be one of true, false, not "True"',
        '1:11 Dial method must be one of GET, POST, not "Get"',
      ],
    },
  },
  {
    title: '[FX6] a root in a namespace',
    twiml: `<Response xmlns="urn:example">
<Hangup/></Response>`,
    gives: { faults: ['1:1 the root must be Response, not {urn:example}Response'] },
  },
  {
    title: '[FX6] a verb in a namespace',
    twiml: '<Response><t:Dial xmlns:t="urn:twiml">alice</t:Dial></Response>',
    gives: { faults: ['1:11 {urn:twiml}Dial is not supported'] },
  },
  {
    title: '[FX6] a prefix that nobody declared',
    twiml: `<Response>
<t:Dial>alice</t:Dial></Response>`,
    gives: { faults: ['2:8 unbound namespace prefix: "t"'] },
  },
  {
    title: '[FX6] what a schema adds is no attribute',
    twiml:
      '<Response xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="twiml.xsd"><Hangup/></Response>',
    gives: { steps: [{ verb: 'hangup' }] },
  },
  {
    title: '[FX6] comments, sections and instructions within a text',
    twiml: '<Response><?php echo 1 ?><Dial>al<!-- i --><![CDATA[ic]]><?x y?>e</Dial><!-- end --></Response>',
    gives: {
      steps: [{ verb: 'dial', sequential: false, method: 'POST', to: [{ name: 'alice', params: {} }] }],
    },
  },
  {
    title: '[FX6] a section that looks like markup is text',
    twiml: '<Response><Say><![CDATA[<Hangup/> & more]]></Say></Response>',
    gives: { steps: [{ verb: 'perform', what: 'say', with: { text: '<Hangup/> & more' } }] },
  },
  {
    title: '[FX6] a comment that is none',
    twiml: `<Response>
<!-- a -- b --><Hangup/></Response>`,
    gives: { faults: ['2:10 malformed comment'] },
  },
]
