import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogProgress } from './log-progress.js';

describe('LogProgress', () => {
  it('asks for all that was asked for at first, until something was told', () => {
    const progress = new LogProgress();
    const first = { tail: 5, since: 100, follow: true } as const;
    expect(progress.selection(['a', 'b'], first)).toEqual(first);
    progress.told('a', { time: 300 });
    expect(progress.selection(['a'], first)).toEqual({ since: 300, follow: true });
    progress.told('b', { time: 200 });
    expect(progress.selection(['a', 'b'], first)).toEqual({ since: 200, follow: true });
    expect(progress.selection(['a', 'c'], first)).toEqual({ since: 100, follow: true });
    progress.forget('a');
    expect(progress.selection(['a'], first)).toEqual(first);
    expect(progress.selection(['b'], { since: 900 })).toEqual({ since: 900 });
  });

  it('loses no line and tells none twice, wherever the first answer broke off', () => {
    const steps = fc.array(fc.nat({ max: 2 }), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.nat({ max: 30 }), (gaps, brokenAt) => {
        let time = 1_000;
        const lines = gaps.map((gap, index) => ({ time: (time += gap * 1_000), text: `${index}` }));
        const progress = new LogProgress();
        const told = lines.slice(0, brokenAt);
        for (const line of told) progress.told('a', line);
        const { since = 0 } = progress.selection(['a'], {});
        const isUnseen = progress.unseen();
        const answer = lines.filter((line) => line.time >= since);
        const rest = answer.filter((line) => isUnseen('a', line));
        expect([...told, ...rest]).toEqual(lines);
      }),
    );
  });
});
