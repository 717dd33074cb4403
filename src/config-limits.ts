// What one peer, account or tenant may take: every bound with what it is and what holds where a configuration says
// nothing of it. Where each applies, and what is refused there, is in limits/.

import { count, defaultsTo, ms, section } from './config-forms.js'

/** What each is called, how it is refused and how it is counted: src/limits. */
export const Limits = section('How much one peer, account or tenant may take; docs/limits.md has more.', {
  connections: defaultsTo(
    15_000,
    count(
      'Connections of the hub at once, of every kind; fewer where the process may not have so many files.',
    ),
  ),
  connectionsPerAddress: defaultsTo(
    5_000,
    count('Connections from one address at once; of IPv6 the first 64 bits count. See listen.trustProxy.'),
  ),
  connectionsPerAccount: defaultsTo(
    100,
    count('Sessions of one account at once, those that wait for their client to come back too.'),
  ),
  devicesPerAccount: defaultsTo(20, count('Devices of one account at once.')),
  takeoversPerMinute: defaultsTo(
    10,
    count('How often a minute a device may be taken from one live connection by another.'),
  ),
  helloMs: defaultsTo(5_000, ms('How soon a connection must have said a valid hello, in milliseconds.', 1)),
  closeMs: defaultsTo(5_000, ms('How soon a client must finish its side of a close, in milliseconds.', 1)),
  messageBytes: defaultsTo(64 * 1024, count('The largest message of a client, in bytes.')),
  framesPerSecond: defaultsTo(
    100,
    count('Messages, pings and pongs of one connection a second; twice as many at once.'),
  ),
  bytesPerSecond: defaultsTo(
    256 * 1024,
    count('Bytes of the messages of one connection a second; twice as many at once.'),
  ),
  gatewayFactor: defaultsTo(
    20,
    count('How many times as much a gateway (call:inbound) may do: frames, bytes, requests and calls.'),
  ),
  waitingFrames: defaultsTo(32, count('Frames of one connection that wait while its token is verified.')),
  waitingBytes: defaultsTo(256 * 1024, count('The bytes of those frames, in all.')),
  crowdedBytes: defaultsTo(
    1024 * 1024,
    count('Unsent bytes of one connection from which on its presence waits for a later snapshot.'),
  ),
  unsentBytes: defaultsTo(8 * 1024 * 1024, count('Unsent bytes of one connection at most.')),
  unackedFrames: defaultsTo(1_000, count('Frames about calls that one session keeps for a resume.')),
  unackedBytes: defaultsTo(1024 * 1024, count('What those frames carry, in bytes.')),
  subscriptionsPerSession: defaultsTo(1_000, count('Destinations that one session watches.')),
  requestsPerSecond: defaultsTo(100, count('HTTP requests of one account a second; twice as many at once.')),
  bodyBytes: defaultsTo(
    64 * 1024 * 1024,
    count('Bytes of the bodies of HTTP requests that are on their way to the hub, in all.'),
  ),
  bodyBytesPerAccount: defaultsTo(16 * 1024 * 1024, count('The same, of one account.')),
  unreadBytesPerAccount: defaultsTo(
    32 * 1024 * 1024,
    count(
      'Bytes of the HTTP answers of one account that wait to be read, or of one address where no token is asked for.',
    ),
  ),
  streamsPerAccount: defaultsTo(
    1_000,
    count('Event streams, and requests that wait for their call, of one account at once.'),
  ),
  callsPerTenant: defaultsTo(1_000, count('Live calls of one tenant.')),
  callsPerMinutePerAccount: defaultsTo(
    30,
    count("Calls that one account places a minute; ten seconds' worth of them at once."),
  ),
  callsPerMinutePerTenant: defaultsTo(
    3_000,
    count("Calls that are placed in one tenant a minute; ten seconds' worth of them at once."),
  ),
  params: defaultsTo(64, count('Parameters of one call.')),
  paramsBytes: defaultsTo(4096, count('The names and values of those, in bytes of UTF-8.')),
  callBytes: defaultsTo(
    64 * 1024,
    count('Characters kept of what the caller of one call was told, and as many of its timeline.'),
  ),
  endedCallsPerTenant: defaultsTo(10_000, count('Ended calls of one tenant that stay readable.')),
  endedCallBytesPerTenant: defaultsTo(32 * 1024 * 1024, count('The characters of those, in all.')),
  callersPerTenant: defaultsTo(
    10_000,
    count('Callers of one tenant of whom it is remembered who talked to them last (sticky).'),
  ),
  waitingRecords: defaultsTo(
    1_000,
    count('Records of ended calls that wait for the disk, from which on no new call is taken.'),
  ),
  idempotencyKeysPerTenant: defaultsTo(10_000, count('Idempotency keys of one tenant that are remembered.')),
  overridesPerTenant: defaultsTo(10_000, count('Accounts of one tenant whose status is overridden.')),
  revocationsPerTenant: defaultsTo(10_000, count('Revocations of one tenant that are in force.')),
  groupsPerTenant: defaultsTo(
    1_000,
    count('Groups of one tenant, those of its configuration too; no more are made at run time.'),
  ),
  membersPerGroup: defaultsTo(10_000, count('Members of one group that was changed at run time.')),
  directoryBytesPerTenant: defaultsTo(
    8 * 1024 * 1024,
    count('Characters of the groups of one tenant that were changed at run time.'),
  ),
  deliveriesPerTenant: defaultsTo(
    10_000,
    count('Callbacks and webhooks of one tenant that wait to be delivered.'),
  ),
  deliveryBytesPerTenant: defaultsTo(16 * 1024 * 1024, count('The characters of those, in all.')),
  cachedTokens: defaultsTo(
    10_000,
    count('Verified tokens that are remembered, so that they cost less again.'),
  ),
  cachedDocuments: defaultsTo(
    1_000,
    count('Instruction documents that are remembered for as long as they say themselves.'),
  ),
  cachedDocumentBytes: defaultsTo(8 * 1024 * 1024, count('The bytes of those, in all.')),
  refusalLinesPerSecond: defaultsTo(
    100,
    count('Lines of the log about refusals of one address a second; twice as many at once.'),
  ),
})
