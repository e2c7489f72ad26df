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
];
