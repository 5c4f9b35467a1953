/**
 * Complaints for people, on standard error.
 */
import { compareComplaints, formatComplaint, type Complaint } from '@skep/manifest';

/**
 * Writes each complaint on a line of its own, errors first, each kind in the order of the places,
 * and says how many errors there are when there are several.
 */
export function reportComplaints(
  complaints: readonly Complaint[],
  write: (text: string) => void,
): void {
  const sorted = [...complaints].sort(compareComplaints);
  const errors = sorted.filter(({ severity }) => severity === 'error');
  const warnings = sorted.filter(({ severity }) => severity === 'warning');
  for (const complaint of [...errors, ...warnings]) write(`${formatComplaint(complaint)}\n`);
  if (errors.length > 1) write(`${errors.length} errors\n`);
}
