/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const routerMutations = [
  {
    name: 'the cost budget: a principal may spend any amount',
    edits: [
      [
        'router/src/admission/counters.ts',
        'if (minute.spent + points > limit) {',
        'if (minute.spent + points < 0) {',
      ],
    ],
    tests: 'router/test/rates',
  },
  {
    name: 'the limit of WebSocket connections: one address may open any number',
    edits: [
      ['router/src/live/connection-limits.ts', 'if (own >= limits.perAddress)', 'if (own < 0)'],
    ],
    tests: 'websocket-limits',
  },
  {
    name: 'the exclusion of mutations from retries: a mutation is sent twice',
    edits: [
      [
        'router/src/executor/subgraph-client.ts',
        'const http = isMutation(query) ? this.#http : this.#reads;',
        'const http = this.#reads;',
      ],
    ],
    tests: 'router/test/subgraph-client',
  },
  {
    name: 'the start of a new trace: a client decides that its request is exported',
    edits: [
      [
        'router/src/http/operation-span.ts',
        '{ links: [named && unsampled(named)] }',
        '{ links: [named] }',
      ],
    ],
    tests: 'router/test/operation-span',
  },
  {
    name: "the check of a version's host: a wrong notification shows another host's booking",
    edits: [
      [
        'router/src/live/owner-feed.ts',
        'result?.versions.filter(isOwn) ?? []',
        'result?.versions ?? []',
      ],
    ],
    tests: 'host-subscriptions',
  },
  {
    name: 'the names of its own in a plan: an alias becomes the key of an entity',
    edits: [
      [
        'router/src/executor/operations.ts',
        'toPlannedDocument(document, this.#plannerNames);',
        '{ document, clientNames: new Map(), clientVariables: new Map() };',
      ],
    ],
    tests: 'router/test/oracle-collisions',
  },
  {
    name: 'the parts of a query: two fields compute with the same arguments of a required one',
    edits: [
      [
        'router/src/executor/conflicting-requires.ts',
        'if (count === 1) return [document];',
        'return [document];',
      ],
    ],
    tests: 'router/test/executor-plan-faults',
  },
  {
    name: 'the check of a plan: a field is computed without what it requires',
    edits: [['router/src/executor/operations.ts', 'this.#checkPlan(plan);', '']],
    tests: 'router/test/oracle-collisions',
  },
  {
    name: "the object's own type: an interface object replaces it by the interface",
    edits: [
      [
        'router/src/executor/fetch.ts',
        'if (entity.__typename && types.isAbstract(received.__typename)) {',
        'if (!received) {',
      ],
    ],
    tests: 'router/test/oracle-collisions',
  },
  {
    name: 'the role at the queue console: every signed-in user reads the queues',
    edits: [['router/src/console/operators.ts', "?? null, 'operator')", "?? null, 'customer')"]],
    tests: 'router/test/console',
  },
];
