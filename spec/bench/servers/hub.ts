// The hub under load, as its users run it: from a configuration, on a port of its own. Nothing is turned off for
// speed; what bounds one peer is raised where a whole crowd comes from one address.

import type { ConfigInput } from '../../../src/config.js'
import { createHub } from '../../../src/hub.js'
import { serve } from './serve.js'

serve<ConfigInput>(async config => {
  const hub = await createHub({ ...config, listen: { port: 0 } })
  const { port } = await hub.listen()
  return { info: { port } }
})
