/** @import { Mutation } from './mutation.ts' */

/** @type {readonly Mutation[]} */
export const lifecycleMutations = [
  {
    name: 'the drain: a stopping service reports that it is ready',
    edits: [
      [
        'platform/http/http-server.ts',
        "if (draining.aborted) return reply.code(503).send({ status: 'draining' });",
        '',
      ],
    ],
    tests: 'platform/test/drain',
  },
  {
    name: 'the drain: clients keep their connections to a stopping service',
    edits: [
      [
        'platform/http/http-server.ts',
        "if (draining.aborted) reply.header('connection', 'close');",
        '',
      ],
    ],
    tests: 'platform/test/drain',
  },
  {
    name: 'the connection of the readiness probe: it fails while the request pool is busy',
    edits: [
      [
        'platform/lifecycle/context.ts',
        'ready: () => parts.probe.check()',
        'ready: async () => void (await parts.requests.inbox.findRecorded([]))',
      ],
    ],
    tests: 'subgraphs/space/test/busy-pools',
  },
  {
    name: 'the log on a full disk: a line that cannot be written ends the process',
    edits: [
      [
        'platform/observability/logger.ts',
        "stdout.on('error', () => {\n    isFailing = true;\n  });",
        '',
      ],
    ],
    tests: 'platform/test/logger',
  },
  {
    name: 'the liveness of services: one that hangs is never started again',
    edits: [['supervisor/src/supervised-process.ts', "child.kill('SIGKILL');", '']],
    tests: 'supervisor/test/supervised-process',
  },
];
