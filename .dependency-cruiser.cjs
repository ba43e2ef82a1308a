// Does the house stand: layers, doors, circles, and who may touch disk and network.

const layers = ['protocol', 'storage', 'node', 'cli']

/** Which other layers a layer may look into; always by the door. */
const mayUse = {
  protocol: [],
  storage: ['protocol'],
  node: ['storage', 'protocol'],
  cli: ['node', 'protocol'],
}

/**
 * Where a layer is entered. Beside the whole door there may be a light one, for programs that must start at once:
 * the codes of errors, and the client of a running node.
 */
const doors = { protocol: 'index|errors', storage: 'index', node: 'index|client', cli: 'index' }

const layerRules = layers.map((layer) => ({
  name: `${layer}-stands-on-${mayUse[layer].join('-and-') || 'nothing'}`,
  comment: 'Data flows cli -> node -> storage -> protocol (README.md); a lower layer knows no higher one.',
  severity: 'error',
  from: { path: `^${layer}/` },
  to: {
    path: `^(${[...layers, 'test'].filter((it) => it !== layer && !mayUse[layer].includes(it)).join('|')})/`,
  },
}))

const doorRules = layers.flatMap((layer) => [
  {
    name: `${layer}-by-its-door`,
    comment: `Another layer enters ${layer}/ by its door only.`,
    severity: 'error',
    from: { path: `^(${layers.filter((it) => it !== layer).join('|')})/` },
    to: { path: `^${layer}/`, pathNot: `^${layer}/(${doors[layer]})\\.ts$` },
  },
  {
    name: `${layer}-not-its-own-door`,
    comment: 'Inside a layer its own door makes circles: import the file itself.',
    severity: 'error',
    from: { path: `^${layer}/`, pathNot: `^${layer}/index\\.ts$` },
    to: { path: `^${layer}/index\\.ts$` },
  },
])

module.exports = {
  forbidden: [
    ...layerRules,
    ...doorRules,
    {
      name: 'no-circles',
      comment:
        'A circle, also one of types only, means that two files are one thing or that a third is missing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'libp2p-in-adapters',
      comment:
        'libp2p is known to node/adapters/ only: the rest speaks to node/network.ts, so that it can be simulated.',
      severity: 'error',
      from: { path: '^(protocol|storage|node|cli)/', pathNot: '^node/adapters/' },
      to: { path: 'node_modules/(libp2p|@libp2p|@chainsafe|@multiformats)/' },
    },
    {
      name: 'protocol-does-no-io',
      comment:
        'protocol/ is pure: bytes in, bytes out. node:crypto (synchronous) and node:buffer are all it needs.',
      severity: 'error',
      from: { path: '^protocol/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(crypto|buffer)$' },
    },
    {
      name: 'disk-in-storage-adapters',
      comment:
        'In storage/ the disk is reached through adapters/ only. Worker threads read and append packs themselves ' +
        '(place.ts, appender.ts), and the twin in memory lends them real files.',
      severity: 'error',
      from: {
        path: '^storage/',
        pathNot: '^storage/(adapters/|pack/(place|appender)\\.ts$|(memory-store|memory-loans)\\.ts$)',
      },
      to: { dependencyTypes: ['core'], path: '^(node:)?(fs|child_process|net|http|https|dgram|os)(/|$)' },
    },
    {
      name: 'level-in-storage-adapters',
      comment: 'The database is behind the Catalog and the index of storage/adapters/.',
      severity: 'error',
      from: { path: '^(protocol|storage|node|cli)/', pathNot: '^storage/adapters/' },
      to: { path: 'node_modules/(level|classic-level|abstract-level)/' },
    },
    {
      name: 'files-of-people',
      comment:
        'In node/ only adapters, the workers on files of people (backup, restore) and the control socket touch the ' +
        'disk; version.ts reads package.json.',
      severity: 'error',
      from: { path: '^node/', pathNot: '^node/((adapters|backup|restore|control)/|version\\.ts$)' },
      to: { dependencyTypes: ['core'], path: '^(node:)?(fs|child_process)(/|$)' },
    },
    {
      name: 'sockets-in-adapters',
      comment:
        'In node/ only adapters and the control socket open connections; mesh/ asks what an IP address is.',
      severity: 'error',
      from: { path: '^node/', pathNot: '^node/(adapters|control|mesh)/' },
      to: { dependencyTypes: ['core'], path: '^(node:)?(net|http|https|http2|tls|dgram|dns)(/|$)' },
    },
    {
      name: 'schemas-only-when-asked',
      comment:
        'Schemas of the API take longer to load than a short command runs. What needs only their types imports them ' +
        'with `import type`; what checks and publishes them is loaded with the first call.',
      severity: 'error',
      from: {
        path: '^(node|cli)/',
        pathNot: '^node/(api-|methods\\.ts|control/(validate|published|error-schema)\\.ts)',
      },
      to: { path: '^node/(api-[a-z]+|methods)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'koffi-in-adapters',
      comment: 'Foreign calls are in one file.',
      severity: 'error',
      from: { path: '^(protocol|storage|node|cli)/', pathNot: '^node/adapters/' },
      to: { path: 'node_modules/(koffi|zstd-napi|@bokuweb/zstd-wasm)/' },
    },
    {
      name: 'commander-in-cli',
      comment: 'The command line is cli/ only.',
      severity: 'error',
      from: { path: '^(protocol|storage|node)/' },
      to: { path: 'node_modules/commander/' },
    },
    {
      name: 'product-without-development-packages',
      comment: 'What runs on a device is in dependencies of package.json.',
      severity: 'error',
      from: { path: '^(protocol|storage|node|cli)/', pathNot: '/assembly/|^node/dashboard/page/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      comment: 'What is imported exists.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that is no entry is dead.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '\\.test\\.ts$',
          '/main\\.ts$',
          '-worker\\.ts$',
          '/main\\.tsx$',
          '^protocol/world\\.ts$',
          '\\.d\\.ts$',
        ],
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '/assembly/', '^scripts/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
    },
    skipAnalysisNotInRules: true,
  },
}
