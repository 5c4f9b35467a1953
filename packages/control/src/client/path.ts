/**
 * Paths of requests.
 */
import { CONTROL_VERSION } from '../contract.js';

/** A parameter of a query; one that is undefined is left out. */
export type Parameter = string | number | boolean | readonly string[] | undefined;

/** `/v1/objects/Service/web?…`, everything escaped. A list becomes a parameter for each item. */
export function pathOf(
  steps: readonly string[],
  parameters: Readonly<Record<string, Parameter>> = {},
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const item of value) query.append(name, item);
    else query.append(name, String(value));
  }
  const path = [CONTROL_VERSION, ...steps.map(encodeURIComponent)].join('/');
  const text = query.toString();
  return text === '' ? `/${path}` : `/${path}?${text}`;
}
