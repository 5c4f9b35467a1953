/**
 * `skep why`: the commits that led to the state of an object.
 */
import { describe, expect, it } from '@jest/globals';
import { EXIT } from '../src/surroundings.js';
import { skep, type Outcome } from './shell.js';

const STACK = `
services:
  web: { image: web:1, networks: [web, back], deploy: { replicas: 2 } }
networks: { web: {}, back: {} }
`;

const why = (words: string): Promise<Outcome> =>
  skep(['why', ...words.split(' '), '-f', 's.yml'], { 's.yml': STACK });

async function told(words: string): Promise<string> {
  const { code, out, err } = await why(words);
  expect({ code, err }).toEqual({ code: EXIT.ok, err: '' });
  return out;
}

/** Who wrote the commits of an answer, by which rule, to what. */
function steps(out: string): readonly string[] {
  return out.split('\n').flatMap((line) => /^r\d+ +(.*?)(\.[a-z0-9]{25})?$/.exec(line)?.[1] ?? []);
}

describe('skep why', () => {
  it('leads from where a task is back to who wanted it', async () => {
    const out = await told('web.1 --field status.nodeId');
    const [first, second, ...others] = steps(out);
    expect(first).toMatch(/^user +created Service web$/);
    expect(second).toMatch(/^orchestrator +scale-up: created Task web\.\d$/);
    expect(others.at(-1)).toMatch(/^scheduler +place: updated Task web\.1$/);
    expect(out).toMatch(/status\.nodeId = "/);
  });

  it('says why something is there at all', async () => {
    const out = await told('web.2 --change created');
    expect(steps(out)).toEqual([
      expect.stringMatching(/^user +created Service web$/),
      expect.stringMatching(/^orchestrator +scale-up: created Task web\.2$/),
    ]);
  });

  it.each([
    ['a network', 'back', 'created Network back'],
    ['a node', 'NODE/node1', 'Node node1'],
    ['one of several kinds', 'Network/web', 'created Network web'],
  ])('is about %s', async (_what, words, expected) => {
    expect(await told(words)).toContain(expected);
  });

  it('for programs', async () => {
    const parsed = JSON.parse(await told('Service/web --json')) as readonly object[];
    expect(parsed[0]).toMatchObject({ actor: 'user', change: 'created', end: 'origin' });
    expect(parsed.at(-1)).toMatchObject({ object: { kind: 'Service', name: 'web' } });
  });

  it('answers that nothing of the sort happened', async () => {
    const { code, out } = await why('back --change deleted');
    expect({ code, out }).toEqual({
      code: EXIT.unsettled,
      out: 'The trace knows of no such change.\n',
    });
  });

  it.each([
    ['web', /'web' may mean several objects \(write one of Network\/web, Service\/web\)/],
    ['nope', /nothing is meant by 'nope' \(write a name, SERVICE\.SLOT, or KIND\/NAME\)/],
    [
      'Pod/web',
      /the kind Pod is not known \(there are: Cluster, Config, .*Service, Task, Volume\)/,
    ],
    [
      'Network/front',
      /there is no Network 'front' \(there are: back, bridge, host, ingress, web\)/,
    ],
    ['web.1 --change moved', /Allowed choices are created, updated, deleted/],
  ])('says what is wrong with %s', async (words, message) => {
    const { code, out, err } = await why(words);
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: '' });
    expect(err).toMatch(message);
  });
});
