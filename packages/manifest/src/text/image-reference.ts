/**
 * The grammar of image names: `[registry[:port]/]path[:tag][@digest]`.
 * **Source:** distribution/reference, `ParseAnyReference` and regexp.go.
 */

const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const DOMAIN_PART = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[(?:[a-fA-F0-9:]+)\\])`;
const TAG = '[\\w][\\w.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(
  `^((?:${HOST}(?::[0-9]+)?/)?${PART}(?:/${PART})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`,
);
const IDENTIFIER = /^[a-f0-9]{64}$/;
const BARE_DIGEST = /^sha256:[a-f0-9]{64}$|^sha384:[a-f0-9]{96}$|^sha512:[a-f0-9]{128}$/;
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const NAME_LENGTH_MAX = 255;
const HUB = 'docker.io';
const LIBRARY = 'library/';

/** What is wrong with an image name; undefined when nothing is. */
export function imageFault(image: string): string | undefined {
  if (IDENTIFIER.test(image) || BARE_DIGEST.test(image)) return undefined;
  const { domain, remainder } = splitDomain(image);
  const [path = ''] = remainder.split(':', 1);
  const [bare = ''] = path.split('@', 1);
  if (bare.toLowerCase() !== bare) return 'the name must be in lower case';
  const match = REFERENCE.exec(`${domain}/${remainder}`);
  if (!match) return 'it is not of the form [registry/]name[:tag][@digest]';
  if (bare.length > NAME_LENGTH_MAX) return `the name is longer than ${NAME_LENGTH_MAX} characters`;
  const digest = match[3];
  if (digest !== undefined) {
    const [algorithm = '', hex = ''] = digest.split(':');
    const length = DIGEST_LENGTHS[algorithm];
    if (length === undefined || hex.length !== length || !/^[a-f0-9]+$/.test(hex)) {
      return `the digest '${digest}' is not valid`;
    }
  }
  return undefined;
}

/**
 * The image as the Docker client sends it: without Docker Hub's registry and `library/`, with the
 * tag `latest` where neither tag nor digest is given. A malformed name stays as it is.
 * **Source:** docker client `imageWithTagString`, distribution/reference `FamiliarString`.
 */
export function familiarImage(image: string): string {
  if (IDENTIFIER.test(image)) return image;
  const { domain, remainder } = splitDomain(image);
  const match = REFERENCE.exec(`${domain}/${remainder}`);
  if (!match || imageFault(image) !== undefined) return image;
  const hasVersion = match[2] !== undefined || match[3] !== undefined;
  const full = hasVersion ? remainder : `${remainder}:latest`;
  if (domain !== HUB) return `${domain}/${full}`;
  const own = full.startsWith(LIBRARY) ? full.slice(LIBRARY.length) : full;
  const [path = ''] = own.split(/[:@]/, 1);
  return path.includes('/') ? full : own;
}

/** Splits the registry off, as the Docker client does: a name without one is Docker Hub's. */
function splitDomain(image: string): { domain: string; remainder: string } {
  const slash = image.indexOf('/');
  if (slash < 0) return { domain: HUB, remainder: LIBRARY + image };
  const first = image.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = !isDomain || first === 'index.docker.io' ? HUB : first;
  const remainder = isDomain ? image.slice(slash + 1) : image;
  return {
    domain,
    remainder: domain === HUB && !remainder.includes('/') ? LIBRARY + remainder : remainder,
  };
}
