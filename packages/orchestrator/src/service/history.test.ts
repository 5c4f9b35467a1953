import { describe, expect, it } from '@jest/globals';
import { Service, newObject, withMeta, type ServiceSpec } from '@skep/api';
import { HISTORY_MAX, previousRevision, recordRevision, rollbackTarget } from './history.js';

function spec(image: string, replicas?: number): ServiceSpec {
  return {
    task: { container: { image } },
    ...(replicas === undefined ? {} : { mode: { type: 'replicated', replicas } }),
  };
}

/** A service whose generations had these specs, the last one being the present. */
function service(...specs: readonly ServiceSpec[]): Service {
  const history = specs
    .map((revision, index) => ({ specVersion: index + 1, spec: revision }))
    .reverse();
  const present = specs.at(-1) ?? spec('a');
  const status = { observedGeneration: 0, createdTasks: 0, history };
  const object = newObject(Service, { id: 's', name: 's', spec: present, status });
  return withMeta(object, { generation: specs.length });
}

describe('history', () => {
  it('keeps ten revisions, the present one first', () => {
    let object = service(spec('0'));
    for (let generation = 2; generation <= 15; generation += 1) {
      const next = { ...object, spec: spec(String(generation)) };
      object = withMeta(next, { generation });
      const history = recordRevision(object);
      object = { ...object, status: { ...object.status, history } };
      expect(recordRevision(object)).toBe(history);
    }
    const versions = object.status.history?.map((revision) => revision.specVersion);
    expect(versions).toHaveLength(HISTORY_MAX);
    expect(versions?.[0]).toBe(15);
  });

  it.each<[string, readonly ServiceSpec[], ServiceSpec | undefined]>([
    ['nothing', [spec('a')], undefined],
    ['the one before', [spec('a'), spec('b')], spec('a')],
    ['forth and back', [spec('a'), spec('b'), spec('a')], spec('b')],
    ['a scale as well', [spec('a', 1), spec('a', 2)], spec('a', 1)],
  ])('a manual rollback goes to %s', (_name, specs, expected) => {
    expect(previousRevision(service(...specs))?.spec).toEqual(expected);
  });

  it.each<[string, readonly ServiceSpec[], ServiceSpec | undefined]>([
    ['nothing', [spec('a', 1), spec('a', 2)], undefined],
    ['the one before, as a whole', [spec('a', 1), spec('b', 2)], spec('a', 1)],
    ['the last with other tasks', [spec('a', 1), spec('b', 1), spec('b', 5)], spec('a', 5)],
    ['it, with what changed then', [spec('a', 1), spec('b', 5), spec('b', 5)], spec('a', 1)],
  ])('a failed update goes back to %s', (_name, specs, expected) => {
    expect(rollbackTarget(service(...specs))?.spec).toEqual(expected);
  });
});
