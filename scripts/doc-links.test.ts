import { describe, expect, it } from '@jest/globals';
import { anchorsOf, linkFaults } from './doc-links.js';

const files: Readonly<Record<string, string>> = {
  'docs/a.md': '# A page\n\n## What it *does*, and `not`\n\n## Twice\n\n## Twice\n',
  'packages/x': '',
};
const faultsIn = (text: string) =>
  linkFaults('docs/here.md', text, (path) => files[path]).map(({ line, fault }) => [line, fault]);

describe('anchorsOf', () => {
  it('makes anchors of headings, numbers equal ones, and leaves code alone', () => {
    const text = `${files['docs/a.md']}\n\`\`\`sh\n# a comment\n\`\`\`\n### [A link](a.md)\n`;
    expect([...anchorsOf(text)]).toEqual([
      'a-page',
      'what-it-does-and-not',
      'twice',
      'twice-1',
      'a-link',
    ]);
  });
});

describe('linkFaults', () => {
  it.each([
    ['a file', 'see [a](a.md)'],
    ['a folder', '[x](../packages/x)'],
    ['a heading', '[a](a.md#what-it-does-and-not) and [b](a.md#twice-1)'],
    ['a heading of the same page', '# Here\n[up](#here)'],
    ['the web', '[w](https://example.org/no.md#at-all)'],
    ['code', '`[a](b.md)`\n```ts\n[a](b.md)\n```'],
  ])('says nothing of a link to %s', (_, text) => {
    expect(faultsIn(text)).toEqual([]);
  });

  it('names the line and the link that leads nowhere', () => {
    expect(faultsIn('fine\n[a](b.md), [c](../a.md)\n[d](a.md#thrice) [e](#nowhere)')).toEqual([
      [2, 'the link b.md leads to no file'],
      [2, 'the link ../a.md leads to no file'],
      [3, 'the link a.md#thrice leads to no heading of docs/a.md'],
      [3, 'the link #nowhere leads to no heading of docs/here.md'],
    ]);
  });
});
