/**
 * Complaints about files as one error.
 */
import { SkepError } from '@skep/api';
import { formatComplaint, type Complaint } from '@skep/manifest';

/**
 * Every complaint that is an error, a line each; `details.complaints` holds all of them as data.
 */
export function manifestError(complaints: readonly Complaint[]): SkepError {
  const errors = complaints.filter(({ severity }) => severity === 'error');
  return new SkepError('invalid-argument', errors.map(formatComplaint).join('\n'), {
    details: { complaints },
  });
}
