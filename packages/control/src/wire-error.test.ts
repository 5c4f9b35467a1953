import { describe, expect, it } from '@jest/globals';
import { SKEP_ERROR_CODES, SkepError } from '@skep/api';
import { errorBody, errorOf, statusOf } from './wire-error.js';

describe('errors on the wire', () => {
  it('come out as they went in, whatever the code', () => {
    for (const code of SKEP_ERROR_CODES) {
      const error = new SkepError(code, 'no', { details: { field: 'x', list: [1, { a: null }] } });
      const sent = JSON.parse(JSON.stringify(errorBody(error))) as unknown;
      expect(errorOf(sent)).toMatchObject({ code, message: 'no', details: error.details });
      expect(statusOf(code)).toBeGreaterThanOrEqual(400);
    }
  });

  it('are internal when they are none of ours, and lose details that JSON cannot say', () => {
    expect(errorBody(new TypeError('oh'))).toEqual({
      code: 'internal',
      message: 'oh',
      details: {},
    });
    expect(errorBody('text')).toEqual({ code: 'internal', message: 'text', details: {} });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(errorBody(new SkepError('conflict', 'x', { details: circular })).details).toEqual({});
    expect(errorBody(new SkepError('conflict', 'x', { details: { n: 1n } })).details).toEqual({});
  });

  it.each([
    [null],
    ['text'],
    [[]],
    [{}],
    [{ code: 'unknown', message: 'x' }],
    [{ code: 'conflict', message: 7 }],
  ])('%j is none', (body) => {
    expect(errorOf(body)).toBeUndefined();
  });

  it('may be without details', () => {
    for (const details of [undefined, null, [], 'x']) {
      expect(errorOf({ code: 'conflict', message: 'x', details })?.details).toEqual({});
    }
  });
});
