import { describe, expect, it } from '@jest/globals';
import { loadManifests } from '@skep/manifest';
import { OBJECTS, serviceOf, taskOf } from '../../__fixtures__/objects.js';
import { isDataOutput, OUTPUTS, renderObjects } from './output.js';

const web = serviceOf('web');

describe('renderObjects', () => {
  it('JSON: a list, or the one object that was named', () => {
    expect(JSON.parse(renderObjects([web], 'json'))).toMatchObject({
      apiVersion: 'skep/v1',
      kind: 'List',
      items: [{ kind: 'Service', metadata: { name: 'web', version: 7 }, spec: web.spec }],
    });
    expect(JSON.parse(renderObjects([web], 'json', { isSingle: true }))).toMatchObject({
      kind: 'Service',
      metadata: { name: 'web' },
      status: { createdTasks: 2 },
    });
  });

  it('YAML: documents', () => {
    const text = renderObjects([web, web], 'yaml');
    expect(text).toMatch(/^apiVersion: skep\/v1\nkind: Service\nmetadata:\n {2}id: id-web\n/);
    expect(text.match(/^---$/gm)).toHaveLength(1);
    expect(text).toMatch(/^status:$/m);
  });

  it('names: what other commands take; of tasks the whole name', () => {
    expect(renderObjects([web, taskOf('web', 1)], 'name')).toBe(
      'service/web\ntask/web.1.web1abcdefghij\n',
    );
  });

  it('manifests can be declared again, as they were', () => {
    const declared = OBJECTS.filter(({ kind }) => kind === 'Service' || kind === 'Network');
    const text = renderObjects(declared, 'manifest');
    const { objects, complaints } = loadManifests([{ path: 'all.yml', text }]);
    expect(complaints.filter(({ severity }) => severity === 'error')).toEqual([]);
    const again = objects.map(({ kind, name, spec }) => ({ kind, name, spec }));
    for (const { kind, meta, spec } of declared) {
      expect(again).toContainEqual({ kind, name: meta.name, spec });
    }
  });

  it('tables are no data', () => {
    expect(OUTPUTS.filter(isDataOutput)).toEqual(['json', 'yaml', 'manifest', 'name']);
  });
});
