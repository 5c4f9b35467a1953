import { describe, expect, it } from '@jest/globals';
import type { KindInfo } from '@skep/control';
import { KindWords } from './kind-words.js';

const info = (name: string, plural = `${name.toLowerCase()}s`): KindInfo => ({
  name,
  plural,
  hasUniqueName: true,
  isDeclarable: true,
});
const words = new KindWords([
  info('Service'),
  info('Task'),
  info('Node'),
  info('Network'),
  info('Policy', 'policies'),
]);

describe('KindWords', () => {
  it.each(['Service', 'service', 'SERVICES', 'svc'])('%s means services', (word) => {
    expect(words.kind(word).token.name).toBe('Service');
  });

  it('knows kinds that this program has never heard of', () => {
    const { token } = words.kind('policies');
    expect(token).toMatchObject({ name: 'Policy', plural: 'policies', hasUniqueName: true });
  });

  it('reads lists, each kind once, and all', () => {
    const names = (text: string) => words.list(text).map((kind) => kind.info.name);
    expect(names('svc,tasks,services')).toEqual(['Service', 'Task']);
    expect(names('all')).toEqual(['Node', 'Network', 'Service', 'Task']);
  });

  it.each([
    ['servces', /no kind 'servces' \(did you mean services\?\)/],
    ['xyz', /no kind 'xyz' \(there are: networks, nodes, policies, services, tasks\)/],
  ])('refuses %s', (word, message) => {
    expect(() => words.kind(word)).toThrow(message);
  });

  it('refuses nothing at all', () => {
    expect(() => words.list(',')).toThrow(/names no kind/);
  });

  it('a kind of the user goes before a short name', () => {
    const own = new KindWords([info('Service'), info('Svc', 'svc')]);
    expect(own.kind('svc').token.name).toBe('Svc');
  });
});
