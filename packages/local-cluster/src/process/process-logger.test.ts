import { expect, it } from '@jest/globals';
import { lineLogger } from './process-logger.js';

it('a log has a JSON object a line, of its level and above; no field hides what a line has', () => {
  const lines: string[] = [];
  const logger = lineLogger((line) => lines.push(line), 'warn');
  logger.info('not told');
  logger.warn('told', { task: 'x\n', message: 'own' });
  logger.error('told too');
  expect(lines.every((line) => /^[^\n]+\n$/.test(line))).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: expect.any(String), level: 'warn', message: 'told', task: 'x\n', message_: 'own' },
    { time: expect.any(String), level: 'error', message: 'told too' },
  ]);
});
