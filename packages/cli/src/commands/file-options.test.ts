import { describe, expect, it } from '@jest/globals';
import type { Surroundings } from '../surroundings.js';
import { loadOptions, withStandIns, type FileOptions } from './file-options.js';

const OPTIONS: FileOptions = { file: ['stacks/a.yml'], missingFiles: 'error', env: true };

const SURROUNDINGS: Surroundings = {
  readFile: (path) => {
    if (path !== '/work/stacks/there') throw new Error('no such file');
    return new Uint8Array([120]);
  },
  environment: { A: '1', B: undefined },
  workingDirectory: '/work',
  homeDirectory: '/home/me',
  out: () => undefined,
  err: () => undefined,
};

describe('loadOptions', () => {
  it.each([
    ['the folder of the first file', {}, '/work/stacks'],
    ['of standard input: where one is', { file: ['-'] }, '/work'],
    ['the one that is given, as it is', { workdir: '$WORKDIR' }, '$WORKDIR'],
  ])('working directory: %s', (_name, options, folder) => {
    const loaded = loadOptions({ ...OPTIONS, ...options }, SURROUNDINGS);
    expect(loaded.workingDirectory).toBe(folder);
  });

  it('gives variables that are set, or none', () => {
    expect(loadOptions(OPTIONS, SURROUNDINGS).environment).toEqual({ A: '1' });
    expect(loadOptions({ ...OPTIONS, env: false }, SURROUNDINGS).environment).toEqual({});
  });

  it('reads files; one that cannot be read is undefined', () => {
    const { readFile } = loadOptions(OPTIONS, SURROUNDINGS);
    expect(readFile?.('/work/stacks/there')).toEqual(new Uint8Array([120]));
    expect(readFile?.('/work/stacks/gone')).toBeUndefined();
  });

  it('passes on what is given and leaves out what is not', () => {
    expect(loadOptions(OPTIONS, SURROUNDINGS)).not.toHaveProperty('stack');
    expect(
      loadOptions({ ...OPTIONS, stack: 'st', profile: ['dev'], home: '/h' }, SURROUNDINGS),
    ).toMatchObject({ stack: 'st', profiles: ['dev'], homeDirectory: '/h', missingFiles: 'error' });
  });
});

describe('withStandIns', () => {
  const empty = loadOptions({ ...OPTIONS, missingFiles: 'empty' }, SURROUNDINGS);

  it('gives one line break for a missing file below the working directory, and says so once', () => {
    const missing: string[] = [];
    const { readFile } = withStandIns(empty, (path) => missing.push(path));
    expect(readFile?.('/work/stacks/gone')).toEqual(new Uint8Array([10]));
    expect(readFile?.('/work/stacks/gone')).toEqual(new Uint8Array([10]));
    expect(readFile?.('/work/stacks/there')).toEqual(new Uint8Array([120]));
    expect(readFile?.('/etc/gone')).toBeUndefined();
    expect(missing).toEqual(['/work/stacks/gone']);
  });

  it('changes nothing when missing files are errors', () => {
    const options = loadOptions(OPTIONS, SURROUNDINGS);
    expect(withStandIns(options, () => undefined)).toBe(options);
  });
});
