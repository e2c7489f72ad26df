const { readdirSync } = require('node:fs');

const contexts = readdirSync('subgraphs');

const product = '^(contracts|platform|router|subgraphs|supervisor)/';
/** What runs in production does not need it: tests, measures, builds and shows. */
const tools = '^(tests|bench|scripts|examples)/';

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
      from: { path: '^subgraphs/[^/]+/src/(application/|ports\\.ts$|[a-z-]+-view\\.ts$)' },
      to: {
        pathNot: [
          '^subgraphs/[^/]+/src/(domain|application)/',
          '^subgraphs/[^/]+/src/(ports|[a-z-]+-view)\\.ts$',
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
        // What mypage and book push passes through it.
        pathNot: '^contracts/(mypage|calendars|topology)\\.ts$',
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
      name: 'product-knows-no-tools',
      comment: 'The image holds neither tests nor benchmarks nor scripts.',
      severity: 'error',
      from: { path: product, pathNot: '/test/' },
      to: { path: tools },
    },
    {
      name: 'product-needs-no-development-package',
      comment: 'The image is installed without devDependencies; types are gone by then.',
      severity: 'error',
      from: { path: product, pathNot: '/test/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'tests-are-not-imported',
      comment: 'What two tests share is in a file of its own: an import would run the other tests.',
      severity: 'error',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'bench-knows-no-tests',
      severity: 'error',
      from: { path: '^bench/' },
      to: { path: '^(tests|scripts|examples)/' },
    },
    {
      name: 'scripts-know-no-tests',
      comment: 'But for the list of mutations, which belongs to the tests that detect them.',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { path: '^(tests|bench|examples)/', pathNot: '^tests/faults/muta' },
    },
    {
      name: 'scripts-know-no-context',
      comment: 'They read what contexts declare (schemas, settings), and run what is built.',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { path: '^(router|subgraphs)/' },
    },
    {
      name: 'examples-stand-alone',
      comment: 'A reader copies them: they use packages and the API alone.',
      severity: 'error',
      from: { path: '^examples/' },
      to: { path: [product, '^(prisma|tests|bench|scripts)/'] },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: {
        orphan: true,
        // Jest and readers run these, and name them by their paths.
        pathNot: ['(^|/)(main|.*\\.test|.*config)\\.ts$', '^examples/[^/]+\\.mjs$'],
      },
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
