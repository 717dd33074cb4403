// A voice application in a process of its own, as a customer would run one. It is given its documents, by path, as
// one JSON object; it says in JSON lines where it listens, and what it is asked.

import { createServer } from 'node:http'

const documents = JSON.parse(process.argv[2])
const tell = event => console.log(JSON.stringify(event))

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const form = Object.fromEntries(new URLSearchParams(body))
  tell({ event: 'asked', method: request.method, path: request.url, form })
  const document = documents[request.url]
  response.writeHead(document ? 200 : 404, { 'content-type': 'text/xml' }).end(document)
})

server.listen(0, '127.0.0.1', () => {
  tell({ event: 'listening', url: `http://127.0.0.1:${server.address().port}` })
})
