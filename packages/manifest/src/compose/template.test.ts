import { describe, expect, it } from '@jest/globals';
import { substitute } from './template.js';

const values: Record<string, string> = { A: 'a', EMPTY: '', _x1: 'u', A2: 'two' };

function fill(text: string, allowsAlternative = true) {
  return substitute(text, (name) => values[name], { allowsAlternative });
}

describe('substitute', () => {
  it.each([
    ['$A-', 'a'],
    ['x${A}y', 'xay'],
    ['$$A ${A}$$', '$A a$'],
    ['$_x1 $A2', 'u two'],
    ['${NO:-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${NO-d}', 'd'],
    ['${A:-d}', 'a'],
    ['${NO:-}', ''],
    ['${A:?m}', 'a'],
    ['${EMPTY?m}', ''],
    ['${NO:-a:b-c?d}', 'a:b-c?d'],
    ['${A:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${EMPTY+x}', 'x'],
    ['${NO+x}', ''],
    ['no variables', 'no variables'],
    ['$NO', ''],
  ])('%s gives %j', (text, result) => {
    expect(fill(text)).toMatchObject({ text: result });
    expect(fill(text).fault).toBeUndefined();
  });

  it.each(['$', '${', '${}', '$(x)', '${1A}', '${A', 'a $ b', '${A.B}', '${A!x}'])(
    'refuses %j',
    (text) => {
      expect(fill(text).fault).toMatchObject({ code: 'invalid-interpolation' });
    },
  );

  it('knows ${A:+x} only where the Compose specification is followed', () => {
    expect(fill('${A:+x}', false).fault).toMatchObject({ code: 'invalid-interpolation' });
  });

  it.each([
    ['${NO:?say it}', 'the required variable NO is missing a value: say it'],
    ['${EMPTY:?}', 'the required variable EMPTY is missing a value'],
    ['${NO?}', 'the required variable NO is missing a value'],
  ])('%s asks for the variable', (text, message) => {
    expect(fill(text).fault).toMatchObject({ code: 'missing-variable', message });
  });

  it('follows the client where a default ends at the first brace, and says so', () => {
    const result = fill('${NO:-${A}}');
    expect(result.text).toBe('${A}');
    expect(result.notes).toMatchObject([{ code: 'unexpanded-variable' }]);
  });

  it('follows the client where $A-b is a default, and says so', () => {
    expect(fill('$NO-b').text).toBe('b');
    expect(fill('$A-b').text).toBe('a');
    expect(fill('$A-b').notes).toMatchObject([{ code: 'unexpanded-variable' }]);
  });

  it('follows the client in forgiving a missing variable when another follows', () => {
    const result = fill('${NO?gone} $A');
    expect(result).toMatchObject({ text: ' a' });
    expect(result.fault).toBeUndefined();
    expect(result.notes).toMatchObject([{ code: 'missing-variable' }]);
  });

  it('notes variables that are not set', () => {
    expect(fill('$NO').notes).toMatchObject([{ code: 'unset-variable' }]);
  });
});
