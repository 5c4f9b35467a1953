import { describe, expect, it } from '@jest/globals';
import { parseCpu, parseSize } from './amount.js';
import { parseDuration } from './duration.js';
import { parseEnvFile } from './env-file.js';
import { cleanPath, directoryOf, isWindowsAbsolute, resolvePath } from './file-path.js';
import { familiarImage, imageFault } from './image-reference.js';
import { nearestName } from './nearest-name.js';
import { splitShellWords } from './shell-words.js';

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['10s', 10e9],
    ['1h30m', 5400e9],
    ['1.5s', 1.5e9],
    ['.5m', 30e9],
    ['100ms', 100e6],
    ['3us', 3000],
    ['3µs', 3000],
    ['7ns', 7],
    ['-1s', -1e9],
    ['+2s', 2e9],
  ])('reads %s', (text, nanos) => {
    expect(parseDuration(text)).toBe(nanos);
  });

  it.each(['', '-', '10', 's', '1d', '1 s', '.s', '1e3s', '99999999999h', '1s x'])(
    'refuses %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('parseSize', () => {
  it.each([
    ['512', 512],
    ['1k', 1024],
    ['64M', 67_108_864],
    ['1.5GiB', 1_610_612_736],
    ['.5g', 536_870_912],
    ['10 kb', 10_240],
    ['7b', 7],
    ['1e3', 1000],
    ['2T', 2 * 1024 ** 4],
    ['1P', 1024 ** 5],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'M', '-1', '10x', '1kib2', '1kx', '1.2.3M', '0x10', '10  M', 'bb'])(
    'refuses %j',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );
});

describe('parseCpu', () => {
  it.each([
    ['0.5', 500_000_000],
    ['2', 2_000_000_000],
    ['1/4', 250_000_000],
    ['.001', 1_000_000],
    ['5e-1', 500_000_000],
    ['-1', -1_000_000_000],
  ])('reads %s', (text, nanos) => {
    expect(parseCpu(text)).toBe(nanos);
  });

  it('says what is wrong', () => {
    expect(parseCpu('half')).toBe('not a number');
    expect(parseCpu('1/0')).toBe('not a number');
    expect(parseCpu('.')).toBe('not a number');
    expect(parseCpu('1/3')).toBe('more precise than a billionth of a processor');
  });
});

describe('splitShellWords', () => {
  it.each<[string, string[]]>([
    ['a b  c', ['a', 'b', 'c']],
    ['a "b c" d', ['a', 'b c', 'd']],
    ["a 'b \" c'", ['a', 'b " c']],
    ['a\\ b', ['a b']],
    ['"a\\"b"', ['a"b']],
    ["x''y", ['xy']],
    ["''", ['']],
    ['a # b\nc', ['a', 'c']],
    ['a#b', ['a#b']],
    ['--x={{.Y}} é', ['--x={{.Y}}', 'é']],
    ['', []],
  ])('splits %j', (text, words) => {
    expect(splitShellWords(text)).toEqual({ words });
  });

  it('says what is wrong', () => {
    expect(splitShellWords('a "b')).toEqual({ fault: 'it ends inside a quotation' });
    expect(splitShellWords("a 'b")).toEqual({ fault: 'it ends inside a quotation' });
    expect(splitShellWords('a\\')).toEqual({ fault: 'it ends after a backslash' });
  });
});

describe('paths', () => {
  it.each([
    ['/a/./b/../c//d/', '/a/c/d'],
    ['../x', '../x'],
    ['/..', '/'],
    ['a/../..', '..'],
    ['', '.'],
  ])('cleans %j', (path, clean) => {
    expect(cleanPath(path)).toBe(clean);
  });

  it('resolves against a directory that is only a text', () => {
    expect(resolvePath('$WORKDIR', './a/../b')).toBe('$WORKDIR/b');
    expect(resolvePath('$WORKDIR', '')).toBe('$WORKDIR');
    expect(resolvePath('/w', '/abs/./x')).toBe('/abs/./x');
    expect(directoryOf('/x/y.yml')).toBe('/x');
    expect(directoryOf('y.yml')).toBe('.');
    expect(directoryOf('/y.yml')).toBe('/');
  });

  it('knows absolute paths of Windows', () => {
    for (const path of ['C:\\x', 'c:/x', '\\\\server\\share\\x', '//server/share/x']) {
      expect(isWindowsAbsolute(path)).toBe(true);
    }
    for (const path of ['C:', 'C:x', '\\x', 'x', '\\\\server']) {
      expect(isWindowsAbsolute(path)).toBe(false);
    }
  });
});

describe('parseEnvFile', () => {
  it('reads lines, keeps quotes, skips comments', () => {
    const text = '\ufeffA=1\n  # no\n\nB="x y"\r\n  C=a=b \nD\nE=\n';
    expect(parseEnvFile(text)).toEqual({
      lines: [
        { name: 'A', value: '1' },
        { name: 'B', value: '"x y"' },
        { name: 'C', value: 'a=b ' },
        { name: 'D' },
        { name: 'E', value: '' },
      ],
    });
  });

  it.each([
    ['A=1\n=2', 2, /no variable name/],
    ['A B=1', 1, /white space/],
    ['A=\ufffd', 1, /UTF-8/],
    [`A=${'x'.repeat(70_000)}`, 1, /longer/],
  ])('refuses a line', (text, line, fault) => {
    expect(parseEnvFile(text)).toEqual({ line, fault: expect.stringMatching(fault) });
  });
});

describe('images', () => {
  const hex = 'a'.repeat(64);

  it.each([
    ['nginx', 'nginx:latest'],
    ['library/nginx', 'nginx:latest'],
    ['docker.io/library/nginx:1', 'nginx:1'],
    ['docker.io/grafana/grafana', 'grafana/grafana:latest'],
    ['index.docker.io/nginx', 'nginx:latest'],
    ['ghcr.io/a/b', 'ghcr.io/a/b:latest'],
    ['localhost:5000/x:1', 'localhost:5000/x:1'],
    ['localhost/x', 'localhost/x:latest'],
    [`nginx@sha256:${hex}`, `nginx@sha256:${hex}`],
    [`nginx:1@sha256:${hex}`, `nginx:1@sha256:${hex}`],
    [hex, hex],
  ])('%s is sent as %s', (image, sent) => {
    expect(imageFault(image)).toBeUndefined();
    expect(familiarImage(image)).toBe(sent);
  });

  it.each([
    'Nginx',
    'a b',
    ':tag',
    'x:',
    'x/',
    '/x',
    'x@sha256:abc',
    `x@sha256:${'z'.repeat(64)}`,
    `x@md5:${'a'.repeat(32)}`,
    'a'.repeat(300),
    'x:-bad',
    'http://x',
  ])('refuses %s and leaves it as it is', (image) => {
    expect(imageFault(image)).toBeDefined();
    expect(familiarImage(image)).toBe(image);
  });
});

describe('nearestName', () => {
  it('finds what was meant, or nothing', () => {
    const names = ['image', 'environment', 'deploy', 'ports', 'volumes'];
    expect(nearestName('imgae', names)).toBe('image');
    expect(nearestName('enviroment', names)).toBe('environment');
    expect(nearestName('Deploy', names)).toBe('deploy');
    expect(nearestName('port', names)).toBe('ports');
    expect(nearestName('xyz', names)).toBeUndefined();
    expect(nearestName('x'.repeat(1000), names)).toBeUndefined();
  });

  it('breaks ties by the order of the names', () => {
    expect(nearestName('ab', ['b', 'a'])).toBe('a');
  });
});
