/**
 * What kind of value each option of the builders takes, for files in which anything may stand.
 */
import type { NodeOptions, TaskOptions } from '../build/options.js';

interface Shape {
  /** `must be …` */
  readonly words: string;
  readonly holds: (value: unknown) => boolean;
}

const isRecord = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number';
const listOf =
  (isItem: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(isItem);
const either =
  (...checks: readonly ((value: unknown) => boolean)[]) =>
  (value: unknown): boolean =>
    checks.some((check) => check(value));
const recordOf =
  (isField: (field: unknown) => boolean) =>
  (value: unknown): boolean =>
    isRecord(value) && Object.values(value as object).every(isField);

const NUMBER: Shape = { words: 'a number', holds: isNumber };
const TEXT: Shape = { words: 'a text', holds: isText };
const RECORD: Shape = { words: 'an object', holds: isRecord };
const OBJECTS: Shape = { words: 'a list of objects', holds: listOf(isRecord) };
const TEXTS: Shape = { words: 'a text or a list of texts', holds: either(isText, listOf(isText)) };
const LABELS: Shape = { words: 'an object of texts', holds: recordOf(isText) };
const SIZE: Shape = { words: 'a number of bytes or a size', holds: either(isNumber, isText) };
const GPUS: Shape = {
  words: 'a number or an object with a count',
  holds: either(isNumber, hasCount),
};

function hasCount(value: unknown): boolean {
  return isRecord(value) && isNumber((value as { count?: unknown }).count);
}

function oneOf(...words: readonly string[]): Shape {
  return {
    words: `one of ${words.join(', ')}`,
    holds: (value) => typeof value === 'string' && words.includes(value),
  };
}

const GENERIC: Shape = {
  words: 'an object of numbers or lists of names',
  holds: recordOf(either(isNumber, listOf(isText))),
};

/** By the kind of builder. */
export const OPTION_SHAPES: {
  readonly node: Readonly<Record<keyof NodeOptions, Shape>>;
  readonly task: Readonly<Record<keyof TaskOptions, Shape>>;
} = {
  node: {
    id: TEXT,
    cpus: NUMBER,
    memory: SIZE,
    gpus: GPUS,
    devices: OBJECTS,
    generic: GENERIC,
    labels: LABELS,
    engineLabels: LABELS,
    role: oneOf('worker', 'manager'),
    availability: oneOf('active', 'pause', 'drain'),
    state: oneOf('ready', 'down', 'disconnected', 'unknown'),
    os: TEXT,
    architecture: TEXT,
    address: TEXT,
    taints: OBJECTS,
    plugins: OBJECTS,
    images: OBJECTS,
    topology: LABELS,
  },
  task: {
    cpus: NUMBER,
    memory: SIZE,
    gpus: GPUS,
    devices: OBJECTS,
    generic: { words: 'an object of numbers', holds: recordOf(isNumber) },
    constraints: TEXTS,
    spread: TEXTS,
    maxPerNode: NUMBER,
    hostPorts: { words: 'a list of ports', holds: listOf(either(isNumber, isText)) },
    priority: NUMBER,
    placement: RECORD,
    template: RECORD,
    service: TEXT,
    slot: NUMBER,
    version: NUMBER,
    on: TEXT,
    preassignedTo: TEXT,
  },
};
