/**
 * Names of images.
 *
 * **Source:** distribution/reference grammar: `[domain/]path[:tag][@digest]`.
 */

const DOMAIN_PART = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i;
const PATH_PART = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[a-z][a-z0-9]*(?:[-_+.][a-z][a-z0-9]*)*:[0-9a-f]{32,}$/i;
const NAME_MAX = 255;

/** Whether the text names an image. */
export function isImageReference(text: string): boolean {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !DIGEST.test(digest)) return false;
  const rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  if (hasTag && !TAG.test(rest.slice(colon + 1))) return false;
  return isRepository(hasTag ? rest.slice(0, colon) : rest);
}

function isRepository(name: string): boolean {
  if (name === '' || name.length > NAME_MAX) return false;
  const [first = '', ...rest] = name.split('/');
  const hasDomain = rest.length > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  if (hasDomain && !isDomain(first)) return false;
  return (hasDomain ? rest : [first, ...rest]).every((part) => PATH_PART.test(part));
}

function isDomain(text: string): boolean {
  const match = /^(.*?)(?::(\d+))?$/.exec(text);
  return (match?.[1] ?? '').split('.').every((part) => DOMAIN_PART.test(part));
}
