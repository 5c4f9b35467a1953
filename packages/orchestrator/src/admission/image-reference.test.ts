import { describe, expect, it } from '@jest/globals';
import { isImageReference } from './image-reference.js';

describe('isImageReference', () => {
  it.each([
    'nginx',
    'nginx:1.27-alpine',
    'library/nginx',
    'my_org/my--image__x.y',
    'registry:5000/alpine:frozen',
    'docker.elastic.co/kibana/kibana-oss:6.4.0',
    'REG.example/a',
    'localhost/a',
    `a@sha256:${'f'.repeat(64)}`,
    `a:b@sha256:${'f'.repeat(64)}`,
  ])('takes %s', (text) => {
    expect(isImageReference(text)).toBe(true);
  });

  it.each([
    '',
    ' ',
    'Nginx',
    'a:',
    'a:b:c',
    'a@sha256:12',
    '-a',
    'a-',
    'a..b',
    'a/',
    '/a',
    'a//b',
    '-x.io/a',
    `a:${'t'.repeat(129)}`,
    'a'.repeat(256),
    `${'a-'.repeat(100)}!`,
  ])('refuses %j', (text) => {
    expect(isImageReference(text)).toBe(false);
  });
});
