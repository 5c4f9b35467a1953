import { describe, expect, it } from '@jest/globals';
import { BUILT_IN_KINDS } from 'skep';
import { OBJECTS, smallView, taskOf, serviceOf, nodeOf } from '../__fixtures__/objects.js';
import { KindWords } from './kind-words.js';
import { expandedTask, isMeant, named, targetsOf } from './references.js';

const kinds = new KindWords(
  BUILT_IN_KINDS.map(({ name, plural, hasUniqueName }) => ({
    name,
    plural,
    hasUniqueName,
    isDeclarable: true,
  })),
);
const plain = (...words: readonly string[]) =>
  targetsOf(words, kinds).map(({ kind, names }) => [kind.info.name, names]);

describe('targetsOf', () => {
  it.each([
    [['svc'], [['Service', undefined]]],
    [
      ['svc,no'],
      [
        ['Service', undefined],
        ['Node', undefined],
      ],
    ],
    [['svc', 'web', 'db'], [['Service', ['web', 'db']]]],
    [
      ['svc/web', 'no/n1', 'services/db'],
      [
        ['Service', ['web', 'db']],
        ['Node', ['n1']],
      ],
    ],
  ])('%j', (words, targets) => {
    expect(plain(...words)).toEqual(targets);
  });

  it.each([
    [[], /say of which kind/],
    [['svc/web', 'db'], /'db' names no object \(write KIND\/NAME/],
    [['svc/'], /'svc\/' names no object/],
  ])('refuses %j', (words, message) => {
    expect(() => plain(...words)).toThrow(message);
  });
});

describe('isMeant', () => {
  it.each([
    [
      taskOf('web', 1),
      ['web.1', 'web.1.web1a', 'web1abcdefghij', 'web1a', 'WEB.1'],
      ['web', 'web1'],
    ],
    [serviceOf('web'), ['web', 'Web', 'id-web'], ['we', 'id-w']],
    [nodeOf('node1'), ['node1', 'id-no'], ['node']],
  ])('%#', (object, names, others) => {
    expect(names.filter((name) => !isMeant(object, name))).toEqual([]);
    expect(others.filter((name) => isMeant(object, name))).toEqual([]);
  });
});

describe('named', () => {
  const services = OBJECTS.filter(({ kind }) => kind === 'Service');
  const [target] = targetsOf(['svc', 'web', 'web', 'db'], kinds);

  it('gives each object once, in the order of the names', () => {
    expect(named(services, target!).map(({ meta }) => meta.name)).toEqual(['web', 'db']);
  });

  it.each([
    ['wbe', /there is no Service 'wbe' \(did you mean web\?\)/],
    ['nothing', /there is no Service 'nothing' \(there are: db, web\)/],
  ])('says what there is instead of %s', (name, message) => {
    expect(() => named(services, { kind: target!.kind, names: [name] })).toThrow(message);
  });
});

describe('expandedTask', () => {
  it.each([
    ['web.1', 'web.1'],
    ['web', 'web'],
    ['task/web.1', 'web.1'],
    ['web.1.web1a', 'web1abcdefghij'],
    ['web1ab', 'web1abcdefghij'],
    ['nobody', 'nobody'],
  ])('%s → %s', async (given, expanded) => {
    expect(expandedTask(await smallView(), given)).toBe(expanded);
  });
});
