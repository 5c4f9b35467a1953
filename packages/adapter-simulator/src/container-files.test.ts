import { describe, expect, it } from '@jest/globals';
import type { AssignedFile, ContainerSpec, FileTarget } from '@skep/api';
import { containerFiles } from './container-files.js';

const target = (name: string): FileTarget => ({ name, uid: '0', gid: '0', mode: 0o440 });
const assigned = (id: string): AssignedFile => ({ id, name: id, data: 'aGk=' });
const context = {
  secrets: new Map([['s1', assigned('s1')]]),
  configs: new Map([['c1', assigned('c1')]]),
};

function filesOf(container: Partial<ContainerSpec>): readonly string[] {
  const files = containerFiles({ container: { image: 'web', ...container } }, context);
  expect(files.every(({ data, mode }) => data === 'aGk=' && mode === 0o440)).toBe(true);
  return files.map(({ path, isSecret }) => `${isSecret ? 'secret' : 'config'} ${path}`);
}

describe('containerFiles', () => {
  it.each([
    ['key', 'secret /run/secrets/key'],
    ['tls/key', 'secret /run/secrets/tls/key'],
    ['/etc/key', 'secret /etc/key'],
  ])('puts the secret %s at %s', (name, path) => {
    const secrets = [{ secretId: 's1', secretName: 'key', file: target(name) }];
    expect(filesOf({ secrets })).toEqual([path]);
  });

  it.each([
    ['app.conf', 'config /app.conf'],
    ['/etc/app.conf', 'config /etc/app.conf'],
  ])('puts the config %s at %s', (name, path) => {
    const configs = [{ configId: 'c1', configName: 'app', file: target(name) }];
    expect(filesOf({ configs })).toEqual([path]);
  });

  it('gives no file for a config that is read at run time', () => {
    expect(filesOf({ configs: [{ configId: 'c2', configName: 'spec', isRuntime: true }] })).toEqual(
      [],
    );
  });

  it('finds a secret by its name where the reference has no id', () => {
    const secrets = [{ secretId: '', secretName: 's1', file: target('key') }];
    expect(filesOf({ secrets })).toEqual(['secret /run/secrets/key']);
  });

  it('leaves out what the node was not given', () => {
    const secrets = [{ secretId: 's2', secretName: 'other', file: target('other') }];
    expect(filesOf({ secrets })).toEqual([]);
  });
});
