/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const messagingMutations = [
  {
    name: 'the question to the other nodes of a Redis Cluster: a connection stays at a node that is down',
    edits: [
      [
        'platform/redis/slot-client.ts',
        'if (!client.isReady) return askOthers();',
        'if (!client.isReady) return;',
      ],
    ],
    tests: 'slot-client',
  },
  {
    name: 'the copies of a connection that moves: workers wait for jobs at a node that is down',
    edits: [
      ['platform/redis/movable-client.ts', 'for (const copy of copies) copy.moveTo(newUrl);', ''],
    ],
    tests: 'slot-client',
  },
  {
    name: 'the hash tag of each queue: one master of a Redis Cluster stores all queues',
    edits: [['platform/messaging/queue-redis.ts', 'isCluster ? open(ownTag) : shared', 'shared']],
    tests: 'queue-cluster',
  },
  {
    name: "the consumer's inbox check: a redelivered event is processed again",
    edits: [
      [
        'platform/messaging/event-processor.ts',
        'const recorded = new Set(await inbox.findRecorded(batch.map(({ id }) => id)));',
        'const recorded = new Set<string>();',
      ],
    ],
    tests: 'dead-letters',
  },
  {
    name: 'the transient kind of failure: a failure of the infrastructure counts towards parking',
    edits: [
      [
        'platform/messaging/event-processor.ts',
        "if (kind === 'transient' || (await countFailure(event, error))) throw error;",
        'if (await countFailure(event, error)) throw error;',
      ],
    ],
    tests: 'dead-letters|redelivery',
  },
  {
    name: 'the SQLSTATEs of transient failures: a lock timeout counts towards parking',
    edits: [['platform/messaging/failures.ts', '|55P03|25006|25P03)$/', '|25P03)$/']],
    tests: 'book/test/failures|redelivery',
  },
  {
    name: 'the not-understood kind of failure: an event of a newer release is parked',
    edits: [
      [
        'platform/messaging/event-processor.ts',
        "if (kind === 'not-understood') return watch.notUnderstood(event, error);",
        '',
      ],
    ],
    tests: 'dead-letters|redelivery',
  },
  {
    name: 'the refusal to acknowledge what is not understood: the event counts as processed',
    edits: [
      [
        'platform/messaging/event-processor.ts',
        "if (kind === 'not-understood') return watch.notUnderstood(event, error);",
        "if (kind === 'not-understood') return void (await deadLetters.recordFailure(event, '', 1));",
      ],
    ],
    tests: 'dead-letters|redelivery',
  },
  {
    name: 'the limit of what may be a newer value: a malformed payload is never parked',
    edits: [
      [
        'platform/messaging/failures.ts',
        "code === 'invalid_value' && typeof valueAt(payload, path) === 'string'",
        "code !== 'custom' || typeof valueAt(payload, path) === 'string'",
      ],
    ],
    tests: 'dead-letters',
  },
  {
    name: 'the check of the schema version: a newer payload is parsed as if it were known',
    edits: [
      ['platform/messaging/event-payload.ts', 'if (version > present) {', 'if (version < 0) {'],
    ],
    tests: 'event-payload|dead-letters',
  },
  {
    name: 'the deletion of failures with the effect: a processed event stays FAILING',
    edits: [
      [
        'platform/messaging/inbox.ts',
        "WHERE event_id IN (SELECT event_id FROM recorded) AND state = 'FAILING'",
        "WHERE event_id IN (SELECT event_id FROM recorded) AND state = 'REPLAYED'",
      ],
    ],
    tests: 'platform/test/dead-letters',
  },
  {
    name: 'the lease: two relays claim the same event',
    edits: [
      [
        'platform/messaging/outbox.ts',
        "next_attempt_at = now() + interval '1 second'\n            *",
        "next_attempt_at = now() + interval '0 seconds'\n            *",
      ],
    ],
    tests: 'relay',
  },
  {
    name: "the consumer's acknowledgement: an event counts as processed once the queue has it",
    edits: [
      [
        'platform/messaging/acknowledgements.ts',
        'const recorded = await inboxes.findRecorded(consumer, ids);',
        'const recorded = new Set(ids);',
      ],
    ],
    tests: 'relay',
  },
  {
    name: 'the tail of traces: a failed one that is not sampled is not exported',
    edits: [
      ['platform/tracing/tail-keeper.ts', 'if (rules.isFailed(span)) trace.hasNotable = true;', ''],
    ],
    tests: 'platform/test/tracing.test',
  },
  {
    name: 'the limit of the export: spans pile up while the collector does not respond',
    edits: [
      [
        'platform/tracing/span-export.ts',
        "if (waiting >= maxQueueSize) return counts.dropped('queue', 1);",
        '',
      ],
    ],
    tests: 'platform/test/tracing.test',
  },
];
