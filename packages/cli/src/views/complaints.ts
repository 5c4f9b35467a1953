/**
 * Complaints for people, on standard error.
 */
import { formatComplaint, type Complaint } from '@skep/manifest';

/** Writes each complaint on a line of its own, errors first, and says how many there are. */
export function reportComplaints(
  complaints: readonly Complaint[],
  write: (text: string) => void,
): void {
  const errors = complaints.filter(({ severity }) => severity === 'error');
  const warnings = complaints.filter(({ severity }) => severity === 'warning');
  for (const complaint of [...errors, ...warnings]) write(`${formatComplaint(complaint)}\n`);
  if (errors.length > 1) write(`${errors.length} errors\n`);
}
