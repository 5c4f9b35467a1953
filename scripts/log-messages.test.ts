import { expect, it } from '@jest/globals';
import ts from 'typescript';
import { documentedMessages, logFaults } from './log-messages.js';

const PAGE = `
| message | level |
|---|---|
| \`node state\` | info |
| \`lease not renewed\` | warn |
`;

function faultsOf(code: string): readonly string[] {
  const source = ts.createSourceFile('x.ts', code, ts.ScriptTarget.Latest, true);
  return logFaults(source, documentedMessages(PAGE)).map(({ fault }) => fault);
}

it('reads the messages of a page', () => {
  expect([...documentedMessages(PAGE)]).toEqual(['node state', 'lease not renewed']);
});

const cases: readonly (readonly [string, string, RegExp | undefined])[] = [
  ['a constant', "this.#logger.info('node state', { nodeId });", undefined],
  ['a template without holes', 'logger.warn(`lease not renewed`)', undefined],
  ['a template', 'parts.logger.warn(`node ${id}`);', /constant text/],
  ['a sum', "logger.error('node ' + id);", /constant text/],
  ['a variable', 'this.#parts.logger.debug(message);', /constant text/],
  ['nothing', 'log.info();', /constant text/],
  ['an unknown message', "logger.error('boom');", /'boom' is not in docs/],
  ['what is no log call', 'console.error(`x ${y}`); catalog.info(z);', undefined],
];

it.each(cases)('%s', (_what, code, expected) => {
  const [fault, ...more] = faultsOf(code);
  expect(more).toEqual([]);
  if (expected === undefined) expect(fault).toBeUndefined();
  else expect(fault).toMatch(expected);
});
