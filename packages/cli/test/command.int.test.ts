/**
 * The command as a whole: help that teaches, exit codes, `validate`.
 */
import { describe, expect, it } from '@jest/globals';
import { EXIT } from '../src/surroundings.js';
import { skep, skepIn } from './shell.js';

const GOOD = { 's.yml': 'services: { web: { image: nginx }, api: { image: nginx } }\n' };

describe('skep --help', () => {
  it.each([['--help'], ['-h'], ['help']])(
    '%s says what there is and how to begin',
    async (word) => {
      const { code, out, err } = await skep([word]);
      expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
      for (const name of ['simulate', 'validate', 'convert']) {
        expect(out).toMatch(new RegExp(`^ {2}${name} \\[options\\] +\\w`, 'm'));
        expect(out).toContain(`  skep ${name} -f stack.yml`);
      }
      expect(out).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}69 .*\n {2}70 /);
    },
  );

  it.each(['simulate', 'validate', 'convert'])('help %s has examples', async (name) => {
    const asked = await skep(['help', name]);
    const flagged = await skep([name, '--help']);
    expect(asked).toEqual(flagged);
    expect(asked.out).toMatch(/Examples:\n( {2}skep .*\n)/);
    expect(asked.out).toMatch(/^ {2}-f, --file <path> +\w/m);
  });

  it('fits into a hundred columns', async () => {
    for (const args of [
      ['--help'],
      ['help', 'simulate'],
      ['help', 'validate'],
      ['help', 'convert'],
    ]) {
      const { out } = await skep(args);
      expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
    }
  });
});

describe('every example of skep help simulate and skep help convert runs', () => {
  const files = {
    'stack.yml': 'services: { web: { image: nginx } }\n',
    'production.yml': 'services: { web: { deploy: { replicas: 2 } } }\n',
    'nodes.yml': 'apiVersion: skep/v1\nkind: Node\nmetadata: { name: node2 }\n',
  };

  it.each(['--help', 'help simulate', 'help validate', 'help convert'])('%s', async (line) => {
    const { out } = await skep(line.split(' '));
    const examples = [
      ...out.matchAll(/^ {2}skep ((?:simulate|validate|convert) [^\n]*?)(?: {2,}|\n| >)/gm),
    ];
    expect(examples.length).toBeGreaterThan(1);
    for (const [, example = ''] of examples) {
      const { code, err } = await skep(example.trim().split(' '), files);
      expect({ example, code, err }).toEqual({ example, code: EXIT.ok, err: '' });
    }
  });

  it('the manifest in skep help simulate', async () => {
    const { out } = await skep(['help', 'simulate']);
    const lines = out
      .split('\n')
      .filter((line) => /^ {2}(?:apiVersion|kind|metadata|spec): /.test(line));
    expect(lines).toHaveLength(4);
    const text = lines.map((line) => `${line.slice(2)}\n`).join('');
    const { code, err } = await skep(['validate', '-f', 'n.yml'], { 'n.yml': text });
    expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
  });
});

describe('skep validate', () => {
  it('says what it found', async () => {
    expect(await skep(['validate', '-f', 's.yml'], GOOD)).toEqual({
      code: EXIT.ok,
      out: 'valid: 1 Network, 2 Services\n',
      err: '',
    });
  });

  it('--json: verdict, objects and complaints as data, also of what is refused', async () => {
    const good = await skep(['validate', '-f', 's.yml', '--json'], GOOD);
    expect(good).toMatchObject({ code: EXIT.ok, err: '' });
    expect(JSON.parse(good.out)).toEqual({
      valid: true,
      objects: [
        { kind: 'Network', name: 'default' },
        { kind: 'Service', name: 'api' },
        { kind: 'Service', name: 'web' },
      ],
      complaints: [],
    });
    const bad = await skep(['validate', '-f', 's.yml', '--json'], {
      's.yml': 'services: { web: { imge: nginx } }\n',
    });
    expect(bad).toMatchObject({ code: EXIT.badInput, err: '' });
    expect(JSON.parse(bad.out)).toMatchObject({
      valid: false,
      objects: [],
      complaints: [
        {
          severity: 'error',
          code: 'unknown-field',
          path: 's.yml',
          line: 1,
          column: 20,
          field: 'services.web.imge',
          hint: 'did you mean image?',
        },
      ],
    });
  });

  it('--client lets through what only a manager refuses', async () => {
    const files = {
      's.yml': 'services: { web: { image: x, deploy: { placement: { constraints: [a = b] } } } }\n',
    };
    expect((await skep(['validate', '-f', 's.yml'], files)).code).toBe(EXIT.badInput);
    expect((await skep(['validate', '-f', 's.yml', '--client'], files)).code).toBe(EXIT.ok);
  });

  it('a warning is no reason to refuse', async () => {
    const files = { 's.yml': 'services: { web: { image: "x:$TAG", build: . } }\n' };
    const { code, err } = await skep(['validate', '-f', 's.yml'], files, { TAG: '1' });
    expect(code).toBe(EXIT.ok);
    expect(err).toMatch(
      /^s\.yml:1:\d+: warning: services\.web\.build: .*\[unsupported-option\]\n$/,
    );
  });
});

describe('a fault of skep itself', () => {
  it('is told as such, with its trace, and ends with 70', async () => {
    const { code, out, err } = await skepIn(['validate', '-f', 's.yml'], {
      readFile: () => 5 as unknown as Uint8Array,
      environment: {},
      workingDirectory: '/work',
      homeDirectory: '/home/me',
    });
    expect({ code, out }).toEqual({ code: EXIT.fault, out: '' });
    expect(err).toMatch(
      /^skep: this is a fault of skep, not of the input; please report it\n\w*Error/,
    );
  });
});
