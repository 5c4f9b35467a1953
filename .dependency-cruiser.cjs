/** The arrows of docs/architecture.md as rules. */
const arrows = {
  api: [],
  manifest: ['api'],
  scheduler: ['api'],
  network: ['api'],
  store: ['api'],
  controller: ['api', 'store'],
  orchestrator: ['api', 'store', 'controller', 'scheduler', 'network'],
  adapter: ['api', 'network'],
  'adapter-simulator': ['api', 'adapter', 'network'],
  'adapter-hosts': ['api', 'adapter', 'network'],
  'store-lmdb': ['api', 'store'],
  testing: [
    'api',
    'manifest',
    'store',
    'scheduler',
    'network',
    'controller',
    'orchestrator',
    'adapter',
    'adapter-simulator',
  ],
  'metrics-prometheus': ['api'],
  skep: [
    'metrics-prometheus',
    'api',
    'manifest',
    'store',
    'scheduler',
    'network',
    'controller',
    'orchestrator',
    'adapter',
    'adapter-simulator',
  ],
  control: [
    'api',
    'manifest',
    'store',
    'scheduler',
    'network',
    'controller',
    'orchestrator',
    'skep',
  ],
  'local-cluster': [
    'api',
    'network',
    'store',
    'store-lmdb',
    'orchestrator',
    'adapter',
    'adapter-hosts',
    'control',
    'skep',
  ],
  cli: [
    'api',
    'manifest',
    'network',
    'scheduler',
    'store',
    'orchestrator',
    'adapter-simulator',
    'adapter-hosts',
    'control',
    'local-cluster',
    'skep',
    'testing',
  ],
};
const all = Object.keys(arrows);
const test = '\\.test\\.ts$|/test/|/__fixtures__/';

const forbidden = all.map((name) => ({
  name: `arrows-of-${name}`,
  severity: 'error',
  comment: `${name} may import ${arrows[name].join(', ') || 'no other package'}`,
  from: { path: `^packages/${name}/src/`, pathNot: '\\.test\\.ts$' },
  to: {
    path: `^packages/(${all.filter((other) => other !== name && !arrows[name].includes(other)).join('|')})/`,
  },
}));

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'no-cycles',
      severity: 'error',
      from: { pathNot: test },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'inversify-only-in-skep',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/skep/' },
      to: { path: 'node_modules/(inversify|reflect-metadata)/' },
    },
    {
      name: 'rxjs-only-for-watches',
      severity: 'error',
      from: {
        path: '^packages/',
        pathNot: '^packages/(store|controller|orchestrator|skep|testing)/',
      },
      to: { path: 'node_modules/rxjs/' },
    },
    {
      name: 'io-only-at-the-edges',
      severity: 'error',
      from: {
        path: '^packages/',
        pathNot: `^packages/(adapter-hosts|store-lmdb|store-etcd|control|local-cluster|cli)/|^packages/api/src/system\\.ts$|${test}`,
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'dev-dependencies-only-in-tests',
      severity: 'error',
      from: { path: '^packages/', pathNot: test },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.check.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@skep/source', 'import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
