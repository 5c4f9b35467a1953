import { expect, it } from '@jest/globals';
import { processLogger } from './process-logger.js';

it('a log has a JSON object a line, of its level and above; no field hides what a line has', () => {
  const lines: string[] = [];
  const logger = processLogger({ write: (line) => void lines.push(line) }, 'warn');
  logger.info('not told');
  logger.warn('told', { task: 'x\n', message: 'own' });
  logger.error('told too');
  expect(lines.every((line) => /^[^\n]+\n$/.test(line))).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: expect.any(String), level: 'warn', message: 'told', task: 'x\n', message_: 'own' },
    { time: expect.any(String), level: 'error', message: 'told too' },
  ]);
});

it('an error that is a field is told with its message, not as {}', () => {
  const lines: string[] = [];
  const logger = processLogger({ write: (line) => void lines.push(line) });
  logger.error('control request failed', { path: '/v1/info', error: new TypeError('x is not') });
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    message: 'control request failed',
    path: '/v1/info',
    error: { type: 'TypeError', message: 'x is not', stack: expect.stringContaining('at ') },
  });
});
