// Is it correct, and does it keep the house bans? Layout is Biome's, layers are dependency-cruiser's.
import tseslint from 'typescript-eslint'

const worldOnly =
  'time and chance are handed in (protocol/world.ts); only adapters may take them from the system'

/** What would let time or chance in beside the World; a banned name and the way to ask for it. */
const bannedProperties = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['performance', 'now'],
  ['crypto', 'randomUUID'],
  ['crypto', 'getRandomValues'],
].map(([object, property]) => ({ object, property, message: worldOnly }))

const leaking = {
  object: 'AbortSignal',
  property: 'any',
  message: 'use anyOf or underAnyOf of node/signals.ts, which leave nothing behind',
}

const bannedGlobals = ['setTimeout', 'setInterval', 'performance'].map((name) => ({
  name,
  message: worldOnly,
}))

const bannedImports = [
  { name: 'node:timers', message: worldOnly },
  { name: 'node:timers/promises', message: worldOnly },
  { name: 'node:perf_hooks', message: worldOnly },
  {
    name: 'node:crypto',
    importNames: ['randomBytes', 'randomUUID', 'randomInt', 'randomFillSync'],
    message: worldOnly,
  },
]

const syntax = [
  {
    selector: "ThrowStatement > NewExpression[callee.name='Error']",
    message:
      'throw a CellarError with a code (protocol/errors.ts); TypeError and RangeError are for our own bugs',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: worldOnly,
  },
]

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', '**/assembly/', 'test/bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './node/dashboard/page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // A plain async method that never awaits is an implementation of an async interface, not a mistake.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      // `return void print()` ends a command early and says that there is no result.
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // The reason of an AbortSignal is passed on as it is.
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingUnknown: true, allowThrowingAny: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['protocol/**/*.ts', 'storage/**/*.ts', 'node/**/*.ts', 'cli/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...syntax] },
  },
  {
    files: ['protocol/**/*.ts', 'storage/**/*.ts', 'node/**/*.ts'],
    // The page of the dashboard runs in a browser, which is the world it has.
    ignores: ['*/adapters/**', 'node/dashboard/page/**'],
    rules: {
      'no-restricted-properties': ['error', leaking, ...bannedProperties],
      'no-restricted-globals': ['error', ...bannedGlobals],
      '@typescript-eslint/no-restricted-imports': ['error', { paths: bannedImports }],
    },
  },
  { files: ['*/adapters/**'], rules: { 'no-restricted-properties': ['error', leaking] } },
  {
    // What people see is written here, and a test may say what it measured.
    files: ['cli/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // In tests a wrong guess fails the test, which is what it is for. Promises are held as strictly as elsewhere.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
)
