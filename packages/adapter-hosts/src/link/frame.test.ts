import { describe, expect, it } from '@jest/globals';
import type { AssignmentItem, AssignmentRemoval } from '@skep/api';
import fc from 'fast-check';
import { AssignmentParts, splitAssignment } from './assignment-parts.js';
import { encodeFrame, FRAME_BYTES_MAX, FrameReader } from './frame.js';

function read(reader: FrameReader, ...pieces: readonly (Buffer | string)[]): readonly unknown[] {
  return pieces.flatMap((piece) => [...reader.read(Buffer.from(piece))].map(({ frame }) => frame));
}

const message = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

describe('frames', () => {
  it('are the same however the stream is cut', () => {
    const frames = fc.array(fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(frames, fc.array(fc.nat()), (sent, cuts) => {
        const bytes = Buffer.from(sent.map((frame) => encodeFrame(frame)).join(''));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
          (a, b) => a - b,
        );
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const reader = new FrameReader();
        expect(read(reader, ...pieces)).toEqual(JSON.parse(JSON.stringify(sent)));
        expect(reader.isInside).toBe(false);
      }),
    );
  });

  it('are refused when they are no JSON objects in UTF-8', () => {
    for (const line of [
      '',
      'hello',
      '[1]',
      'null',
      '7',
      '{"a":',
      Buffer.from([0x7b, 0xff, 0x7d]),
    ]) {
      const text = Buffer.concat([Buffer.from(line), Buffer.from('\n')]);
      expect(message(() => read(new FrameReader(), text))).toMatch(/^a frame (is not|has to be)/);
    }
  });

  it('are read or refused, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (pieces) => {
        const reader = new FrameReader();
        const error = message(() => read(reader, ...pieces.map((piece) => Buffer.from(piece))));
        expect(error).toMatch(/^(none|a frame (is not JSON|has to be))/);
      }),
    );
  });

  it('have a bound, though no line break ever comes', () => {
    const reader = new FrameReader();
    const piece = Buffer.alloc(1 << 16, 'x');
    const all = Array.from({ length: FRAME_BYTES_MAX / piece.length }, () => piece);
    expect(read(reader, ...all)).toEqual([]);
    expect(message(() => read(reader, Buffer.from('x')))).toBe(
      `a frame is longer than ${FRAME_BYTES_MAX} bytes`,
    );
  });

  it('have the same bound when they are written', () => {
    const room = FRAME_BYTES_MAX - '{"a":""}'.length;
    expect(encodeFrame({ a: 'x'.repeat(room) })).toHaveLength(FRAME_BYTES_MAX + 1);
    expect(message(() => encodeFrame({ a: 'x'.repeat(room + 1) }))).toMatch(/is too long for the/);
    // Bytes count, not characters.
    expect(message(() => encodeFrame({ a: 'ä'.repeat(room / 2 + 1) }))).toMatch(/is too long/);
  });

  it('take no more than their bytes, though they come one by one', () => {
    const reader = new FrameReader();
    const bytes = Buffer.from(encodeFrame({ a: 'x'.repeat(5_000) }));
    const pieces = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(read(reader, ...pieces)).toEqual([{ a: 'x'.repeat(5_000) }]);
  });
});

describe('assignments in parts', () => {
  const secret = (id: string, length: number): AssignmentItem => ({
    kind: 'secret',
    key: id,
    value: { id, name: id, data: 'x'.repeat(length) },
  });

  const removal = (key: string): AssignmentRemoval => ({ kind: 'task', key });

  it('are the same when they are put together', () => {
    const items = fc.array(fc.nat(300_000), { maxLength: 6 });
    fc.assert(
      fc.property(items, fc.nat(3), fc.option(fc.nat()), (lengths, removed, appliesTo) => {
        const assignment = {
          type: appliesTo === null ? 'complete' : 'incremental',
          revision: 9,
          ...(appliesTo === null ? {} : { appliesTo }),
          upserts: lengths.map((length, index) => secret(`s${index}`, length)),
          removals: Array.from({ length: removed }, (_, n) => removal(`t${n}`)),
        } as const;
        const parts = splitAssignment(assignment);
        const into = new AssignmentParts();
        const whole = parts.map((part) => into.take(JSON.parse(JSON.stringify(part)), 1));
        expect(whole.slice(0, -1)).toEqual(parts.slice(0, -1).map(() => undefined));
        expect(whole.at(-1)).toEqual(assignment);
        for (const part of parts) encodeFrame(part);
      }),
      { numRuns: 25 },
    );
  });

  it('are refused when one item fits no frame, by its name', () => {
    const assignment = {
      type: 'complete',
      revision: 1,
      upserts: [secret('small', 1), secret('large', FRAME_BYTES_MAX)],
      removals: [],
    } as const;
    expect(message(() => splitAssignment(assignment))).toMatch(/^secret large takes \d+ bytes: no/);
  });

  it('are refused when they are mixed, or no assignments', () => {
    const part = (revision: number) => ({
      isPartial: true,
      assignment: { type: 'complete', revision, upserts: [], removals: [] },
    });
    const parts = new AssignmentParts();
    expect(parts.take(part(1), 1)).toBeUndefined();
    expect(message(() => parts.take(part(2), 1))).toBe('parts of two assignments are mixed');
    const whole = part(1).assignment;
    for (const wrong of [
      undefined,
      { ...whole, type: 'all' },
      { ...whole, revision: 1.5 },
      { ...whole, removals: undefined },
      { ...whole, upserts: [{ kind: 'nonsense', key: 'a', value: {} }] },
      { ...whole, upserts: [{ kind: 'task', key: 'a' }] },
      { ...whole, upserts: [null] },
      { ...whole, removals: [{ kind: 'task' }] },
    ]) {
      const text = message(() => new AssignmentParts().take({ assignment: wrong }, 1));
      expect(text).toMatch(/^an (assignment|item of an assignment) needs/);
    }
  });
});
