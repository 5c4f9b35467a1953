import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { LiveLines } from './live-lines.js';

describe('LiveLines', () => {
  it('goes up by as many lines as were drawn, cuts to the width, and clears', () => {
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 6 });
    const written = (): string => String(stream.read() ?? '').replaceAll('\u001b', 'ESC');
    const lines = new LiveLines(stream);
    lines.draw(['one', 'two or more']);
    expect(written()).toBe('oneESC[K\ntwo o…ESC[K\nESC[J');
    lines.draw(['three']);
    expect(written()).toBe('ESC[2A\rthreeESC[K\nESC[J');
    lines.clear();
    expect(written()).toBe('ESC[1A\rESC[J');
    lines.draw(['four']);
    expect(written()).toBe('fourESC[K\nESC[J');
  });
});
