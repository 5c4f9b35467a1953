/**
 * Options of log drivers, as far as plain processes have them.
 */
import { SkepError, type DriverConfig } from '@skep/api';

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/**
 * How many bytes are kept of what a task prints; 0 for the driver `none`.
 * `max-size` times `max-file` where they are given, as for the drivers `json-file` and `local`.
 * @throws unimplemented for other drivers, invalid-argument for other texts
 */
export function logLimit(driver: DriverConfig | undefined, byDefault: number): number {
  const { name = '', options = {} } = driver ?? {};
  if (name === 'none') return 0;
  if (!['', 'json-file', 'local'].includes(name)) {
    const text = `log driver '${name}' needs a container engine; processes have json-file and none`;
    throw new SkepError('unimplemented', text);
  }
  const size = options['max-size'];
  if (size === undefined) return byDefault;
  const [, number = '', unit = ''] = /^(\d+)([bkmg]?)b?$/i.exec(size) ?? [];
  const bytes = Number(number) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  const files = Number(options['max-file'] ?? 1);
  if (number !== '' && bytes > 0 && Number.isInteger(files) && files > 0) return bytes * files;
  throw new SkepError(
    'invalid-argument',
    `log options max-size '${size}' and max-file '${options['max-file'] ?? 1}': say 10m and 3`,
  );
}
