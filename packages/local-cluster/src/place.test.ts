import { describe, expect, it } from '@jest/globals';
import { placeOf, shortNameOf, uplinkName } from './place.js';

describe('where a cluster is kept', () => {
  it('is a folder of its own below that of all clusters', () => {
    const paths = placeOf();
    expect(paths.folder).toBe('/var/lib/skep/skep');
    expect(paths.controlSocket).toBe('/var/lib/skep/skep/manager.sock');
    expect(placeOf({ cluster: 'demo', stateRoot: '/srv/./x/' }).folder).toBe('/srv/x/demo');
  });

  it.each(['', 'A', 'a.b', 'a/b', '..', 'x'.repeat(33)])('no cluster is called %j', (cluster) => {
    expect(() => placeOf({ cluster })).toThrow('small letters and digits');
  });

  it('the folder of all clusters is absolute, and not too deep for a socket', () => {
    expect(() => placeOf({ stateRoot: 'state' })).toThrow('an absolute path is needed');
    expect(() => placeOf({ stateRoot: `/${'x'.repeat(90)}` })).toThrow('less deep');
  });

  it('names of interfaces are the cluster’s own, and fit', () => {
    expect(uplinkName('skep')).toBe('skep');
    expect(uplinkName('a-name-of-15-xx')).toBe('a-name-of-15-xx');
    const [one = '', other = ''] = ['a', 'b'].map((end) => uplinkName(`a-rather-long-name-${end}`));
    expect(one).toMatch(/^a-rather-[0-9a-f]{6}$/);
    expect(one).not.toBe(other);
    expect(other.length).toBeLessThanOrEqual(15);
  });

  it('two folders have two short names', () => {
    const names = ['/a', '/b'].map((stateRoot) => shortNameOf(placeOf({ stateRoot })));
    expect(new Set(names).size).toBe(2);
  });
});
