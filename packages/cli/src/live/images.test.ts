import { describe, expect, it } from '@jest/globals';
import type { Surroundings } from '../surroundings.js';
import { imagesOf } from './images.js';

function images(file: string | undefined, ...image: readonly string[]) {
  const surroundings = {
    readFile: () => new TextEncoder().encode(file),
  } as unknown as Surroundings;
  return imagesOf(
    {
      ...(file === undefined ? {} : { images: ['i.yml'] }),
      ...(image.length > 0 ? { image } : {}),
    },
    surroundings,
  );
}

describe('imagesOf', () => {
  it('reads commands and fields; flags go over files', () => {
    const file = 'a: node a.js\nb: [sh, -c, "x y"]\nc: { command: [c], env: [X=1], user: me }\n';
    expect(images(file, 'a=node other.js', 'd=["sh", "-c", "x y"]')).toEqual({
      a: { command: ['node', 'other.js'] },
      b: { command: ['sh', '-c', 'x y'] },
      c: { command: ['c'], env: ['X=1'], user: 'me' },
      d: { command: ['sh', '-c', 'x y'] },
    });
    expect(images(undefined)).toEqual({});
  });

  it.each([
    ['- a\n', /i\.yml:1:1: error: write NAME: COMMAND/],
    ['a: 3\n', /i\.yml:1:4: error: a: must be a command/],
    [
      'a: { comand: [x] }\n',
      /error: a\.comand: an image has no such field \(did you mean command\?/,
    ],
    ['a: { command: x }\n', /error: a\.command: must be a list of texts/],
    ['a: { user: 3 }\n', /error: a\.user: must be a text/],
    ['a: { healthCheck: {} }\n', /error: a\.healthCheck: must have a test/],
    ['a: [\n', /^i\.yml:\d+:\d+: error: /],
  ])('refuses %j', (file, message) => {
    expect(() => images(file)).toThrow(message);
  });

  it.each(['vote', '=x', 'vote=', 'vote=[1]', 'vote=[x'])('refuses --image %s', (flag) => {
    expect(() => images(undefined, flag)).toThrow(/--image .*: write/);
  });
});
