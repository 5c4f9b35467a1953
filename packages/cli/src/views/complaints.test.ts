import { describe, expect, it } from '@jest/globals';
import type { Complaint } from '@skep/manifest';
import { reportComplaints } from './complaints.js';

function complaint(severity: 'error' | 'warning', line: number, message: string): Complaint {
  const code = severity === 'error' ? 'invalid-type' : 'unset-variable';
  return { severity, code, message, path: 's.yml', line, column: 3, field: 'services.web' };
}

function reported(...complaints: readonly Complaint[]): string {
  let text = '';
  reportComplaints(complaints, (more) => {
    text += more;
  });
  return text;
}

describe('reportComplaints', () => {
  it('says nothing about nothing', () => {
    expect(reported()).toBe('');
  });

  it('says place, field, what is wrong, what would be right, and the code', () => {
    expect(reported({ ...complaint('error', 4, 'must be a list'), hint: 'write - 80' })).toBe(
      's.yml:4:3: error: services.web: must be a list (write - 80) [invalid-type]\n',
    );
  });

  it('puts errors first, each kind in the order of lines, and counts errors', () => {
    const text = reported(
      complaint('warning', 2, 'c'),
      complaint('error', 9, 'b'),
      complaint('warning', 1, 'd'),
      complaint('error', 4, 'a'),
    );
    expect(text.replaceAll(/services\.web: | \[.*\]/g, '')).toBe(
      [
        's.yml:4:3: error: a',
        's.yml:9:3: error: b',
        's.yml:1:3: warning: d',
        's.yml:2:3: warning: c',
        '2 errors',
        '',
      ].join('\n'),
    );
  });

  it('does not count what is one, or only warnings', () => {
    expect(reported(complaint('error', 1, 'a'))).not.toContain('1 error');
    const warnings = reported(complaint('warning', 1, 'a'), complaint('warning', 2, 'b'));
    expect(warnings.split('\n')).toHaveLength(3);
  });
});
