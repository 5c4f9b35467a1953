import { describe, expect, it } from '@jest/globals';
import { defineKind, withStatus, type StandardSchema } from '@skep/api';
import { defineController, noChanges, update } from '@skep/controller';
import { EXIT } from '../src/surroundings.js';
import { skep, skepIn, type Outcome } from './shell.js';

interface PolicySpec {
  readonly size: number;
}

const schema: StandardSchema<PolicySpec> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as PolicySpec).size === 'number'
        ? { value: value as PolicySpec }
        : { issues: [{ message: 'expected a number', path: ['size'] }] },
  },
};

const Policy = defineKind<PolicySpec, { readonly isSeen?: boolean }>({
  name: 'Policy',
  plural: 'policies',
  schema,
  initialStatus: {},
});

let seen = 0;
const watching = defineController({
  name: 'watching',
  for: Policy,
  plan: (view, key) => {
    const policy = view.get(Policy, key);
    if (policy?.status.isSeen !== undefined || policy === undefined) return noChanges;
    seen += 1;
    return { changes: [update(withStatus(policy, { isSeen: true }))] };
  },
});

const policy = (name: string, size: string): string => `apiVersion: skep/v1
kind: Policy
metadata: { name: ${name} }
spec: { size: ${size} }
`;

function run(args: readonly string[], text: string, module: unknown): Promise<Outcome> {
  return skepIn([...args, '-f', 'p.yml', '--kinds', 'kinds.mjs'], {
    readFile: () => new TextEncoder().encode(text),
    importModule: (path) => {
      if (path !== '/work/kinds.mjs') throw new Error(`no module ${path}`);
      if (module === undefined) throw new Error('SyntaxError');
      return Promise.resolve(module as Record<string, unknown>);
    },
    environment: {},
    workingDirectory: '/work',
    homeDirectory: '/home/somebody',
  });
}

const OWN = { kinds: [Policy], controllers: [watching] };

describe('--kinds', () => {
  it('lets files hold kinds of one’s own, and judges them', async () => {
    const text = `${policy('a', '1')}---\n${policy('b', '2')}`;
    expect(await run(['validate'], text, OWN)).toEqual({
      code: EXIT.ok,
      out: 'valid: 2 Policies\n',
      err: '',
    });
    const { code, err } = await run(['validate'], policy('a', 'big'), OWN);
    expect(code).toBe(EXIT.badInput);
    expect(err).toContain('p.yml:4:15: error: spec.size: expected a number');
  });

  it('runs the controllers of the module in a simulation', async () => {
    seen = 0;
    const { code, err } = await run(['simulate'], policy('a', '1'), OWN);
    expect({ code, err, seen }).toEqual({ code: EXIT.ok, err: '', seen: 1 });
  });

  it('converts them', async () => {
    const { out } = await run(['convert', '--to', 'manifest'], policy('a', '1'), OWN);
    expect(JSON.parse(out)).toMatchObject({ kind: 'Policy', spec: { size: 1 } });
  });

  it.each<[string, unknown, string]>([
    ['a module that cannot be loaded', undefined, 'kinds.mjs: cannot be loaded: SyntaxError'],
    ['a module without kinds', {}, 'kinds.mjs: it exports no kinds'],
    ['kinds that are none', { kinds: [{}] }, 'kinds.mjs: it exports no kinds'],
    ['controllers that are none', { kinds: [], controllers: [1] }, 'controllers is no list'],
    ['one name twice', { kinds: [Policy, Policy] }, "there are two kinds with the name 'Policy'"],
  ])('refuses %s', async (_what, module, message) => {
    const { code, err } = await run(['simulate'], policy('a', '1'), module);
    expect(code).toBe(EXIT.badInput);
    expect(err).toContain(message);
  });

  it('does not know the kind without it', async () => {
    const { code, err } = await skep(['validate', '-f', 'p.yml'], { 'p.yml': policy('a', '1') });
    expect(code).toBe(EXIT.badInput);
    expect(err).toContain('the kind Policy is not known');
  });
});
