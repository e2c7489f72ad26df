const { readdirSync } = require('node:fs');

const contexts = readdirSync('subgraphs');

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(node:|bun:)' },
    },
    ...contexts.map((context) => ({
      name: `${context}-is-alone`,
      comment: 'No context imports another: they share event contracts only.',
      severity: 'error',
      from: { path: `^subgraphs/${context}/` },
      to: { path: [`^subgraphs/(?!${context}/)`, '^router/', `^prisma/(?!${context}/)`] },
    })),
    {
      name: 'domain-imports-itself',
      comment: 'The domain knows no technology; luxon is its calendar.',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/src/domain/' },
      to: { pathNot: ['^subgraphs/[^/]+/src/domain/', '^node_modules/(@types/)?luxon/'] },
    },
    {
      name: 'application-knows-no-technology',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/src/(application/|ports\\.ts$|booking-status-view\\.ts$)' },
      to: {
        pathNot: [
          '^subgraphs/[^/]+/src/(domain|application)/',
          '^subgraphs/[^/]+/src/(ports|booking-status-view)\\.ts$',
          '^contracts/',
        ],
      },
    },
    {
      name: 'contracts-import-zod-only',
      severity: 'error',
      from: { path: '^contracts/' },
      to: { pathNot: ['^contracts/', '^node_modules/zod/'] },
    },
    {
      name: 'platform-knows-no-context',
      severity: 'error',
      from: { path: '^platform/' },
      to: { path: '^(subgraphs|router|supervisor|prisma)/' },
    },
    {
      name: 'router-knows-no-context',
      severity: 'error',
      from: { path: '^router/' },
      to: {
        path: '^(subgraphs|prisma|contracts)/',
        // What mypage pushes passes through it.
        pathNot: '^contracts/(mypage|topology)\\.ts$',
      },
    },
    {
      name: 'router-folders-import-downwards',
      comment: 'main.ts and config.ts compose the folders, which receive their settings only.',
      severity: 'error',
      from: { path: '^router/src/[^/]+/' },
      to: { path: '^router/src/[^/]+\\.ts$' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '(^|/)(main|.*\\.test|.*config)\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^prisma/[^/]+/generated'] },
    exclude: { path: ['^dist/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    parser: 'tsc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json'],
    },
  },
};
