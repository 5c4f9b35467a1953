/**
 * What image names stand for where tasks are processes: a file, or flags.
 */
import {
  formatComplaint,
  isAcceptable,
  nearestName,
  readYaml,
  type PathStep,
} from '@skep/manifest';
import { CommandFault, readSources, type Surroundings } from '../surroundings.js';
import type { LocalClusters } from './local-clusters.js';

type UpOptions = NonNullable<Parameters<LocalClusters['up']>[0]>;

/** Images by their names. */
export type Images = NonNullable<UpOptions['images']>;

type Image = Images[string];

/** Where images are named. */
export interface ImageOptions {
  /** Files: a mapping from names to commands, or to fields. */
  readonly images?: readonly string[];
  /** `NAME=COMMAND`. */
  readonly image?: readonly string[];
}

const LISTS: readonly string[] = ['command', 'args', 'env'];
const TEXTS: readonly string[] = ['workingDir', 'user', 'stopSignal'];
const FIELDS: readonly string[] = [...LISTS, ...TEXTS, 'healthCheck'];

/** All images; flags go over files. @throws CommandFault for what is none, with its place. */
export function imagesOf(options: ImageOptions, surroundings: Surroundings): Images {
  const paths = options.images ?? [];
  const files = paths.length === 0 ? [] : readSources(paths, surroundings);
  const read = files.map((file) => imagesIn(file));
  const flags = (options.image ?? []).map(imageOfFlag);
  return Object.assign({}, ...read, Object.fromEntries(flags)) as Images;
}

function imagesIn(file: Parameters<typeof readYaml>[0]): Images {
  const { value, locate, complaints } = readYaml(file);
  if (!isAcceptable(complaints)) {
    throw new CommandFault(complaints.map(formatComplaint).join('\n'));
  }
  const fail = (steps: readonly PathStep[], message: string): never => {
    const { path, line, column } = locate(steps);
    const field = steps.length === 0 ? '' : `${steps.join('.')}: `;
    throw new CommandFault(`${path}:${line}:${column}: error: ${field}${message}`);
  };
  if (!isFields(value)) return fail([], "write NAME: COMMAND, such as 'vote:1: [node, vote.js]'");
  return Object.fromEntries(
    Object.entries(value).map(([name, image]) => [name, imageOf(name, image, fail)]),
  );
}

type Fail = (steps: readonly PathStep[], message: string) => never;

/** A command as text or list, or the fields of an image. */
function imageOf(name: string, value: unknown, fail: Fail): Image {
  if (typeof value === 'string') return { command: words(value) };
  if (isTexts(value)) return { command: value };
  if (!isFields(value)) return fail([name], 'must be a command, or fields such as command');
  for (const [field, content] of Object.entries(value)) {
    if (!FIELDS.includes(field)) {
      const nearest = nearestName(field, FIELDS);
      const hint =
        nearest === undefined ? `allowed: ${FIELDS.join(', ')}` : `did you mean ${nearest}?`;
      fail([name, field], `an image has no such field (${hint})`);
    }
    if (LISTS.includes(field) && !isTexts(content)) fail([name, field], 'must be a list of texts');
    if (TEXTS.includes(field) && typeof content !== 'string') fail([name, field], 'must be a text');
    if (field === 'healthCheck' && !isHealthCheck(content)) {
      fail([name, field], 'must have a test, a list of texts such as [CMD, true]');
    }
  }
  return value;
}

/** Reads `vote:1=node vote.js` or `vote:1=["node", "vote.js"]`. */
function imageOfFlag(text: string): readonly [string, Image] {
  const at = text.indexOf('=');
  const [name, command] = [text.slice(0, at), text.slice(at + 1).trim()];
  if (at < 1 || command === '') {
    throw new CommandFault(`--image ${text}: write NAME=COMMAND, such as 'vote:1=node vote.js'`);
  }
  if (!command.startsWith('[')) return [name, { command: words(command) }];
  const list = listIn(command);
  if (list !== undefined) return [name, { command: list }];
  throw new CommandFault(`--image ${text}: write a JSON list of texts: ["node", "vote.js"]`);
}

function listIn(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isTexts(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHealthCheck(value: unknown): boolean {
  return isFields(value) && isTexts(value['test']);
}
