import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { parseTarget, type RequestTarget } from './request.js';

describe('parseTarget', () => {
  it.each<[string, RequestTarget]>([
    ['node1:8080', { host: 'node1', port: 8_080, path: '/' }],
    ['node1', { host: 'node1', port: 80, path: '/' }],
    ['http://vote/', { host: 'vote', port: 80, path: '/' }],
    ['http://vote', { host: 'vote', port: 80, path: '/' }],
    ['http://tasks.vote:81/a/b?c=d', { host: 'tasks.vote', port: 81, path: '/a/b?c=d' }],
    ['10.0.1.2:80/path', { host: '10.0.1.2', port: 80, path: '/path' }],
    ['[fd00::1]:8080', { host: 'fd00::1', port: 8_080, path: '/' }],
    ['http://[fd00::1]/', { host: 'fd00::1', port: 80, path: '/' }],
    ['node1:65535', { host: 'node1', port: 65_535, path: '/' }],
  ])('reads %s', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });

  it.each([
    '',
    ':8080',
    'node1:',
    'node1:0',
    'node1:65536',
    'node1:http',
    'node1:8080:1',
    'https://vote/',
    'http:///',
    'two words',
    'vote?x=1',
    '[fd00::1',
    '[]:80',
    'fd00::1',
  ])('refuses %j and says what would be right', (text) => {
    let thrown: unknown;
    try {
      parseTarget(text);
    } catch (error) {
      thrown = error;
    }
    expect(isSkepError(thrown, 'invalid-argument')).toBe(true);
    expect(String(thrown)).toContain('HOST:PORT');
  });
});
