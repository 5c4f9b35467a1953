/**
 * Reading what comes in: every field has its type, and there are no others.
 */
import { SkepError } from '@skep/api';

/** A JSON object of a request, or its query, field by field. */
export class Fields {
  readonly #where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /**
   * @throws invalid-argument when `value` is no object, or has fields that are not `known`.
   */
  constructor(where: string, value: unknown, known: readonly string[]) {
    this.#where = where;
    if (!isRecord(value)) throw this.fault('', `is ${nounOf(value)}`, 'send a JSON object');
    this.#values = value;
    for (const name of Object.keys(value)) {
      if (known.includes(name)) continue;
      const hint = known.length === 0 ? 'there are none' : `there are: ${known.join(', ')}`;
      throw this.fault(name, 'is no field that is known here', hint);
    }
  }

  /** Whether the field is there. */
  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  /** A text that has to be there. */
  text(name: string): string {
    return this.#require(name, this.maybeText(name), 'a text');
  }

  maybeText(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || typeof value === 'string') return value;
    throw this.#mistyped(name, 'a text');
  }

  maybeFlag(name: string): boolean | undefined {
    const value = this.#values[name];
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.#mistyped(name, 'true or false');
  }

  /** A whole number, 0 or more, that has to be there. */
  count(name: string): number {
    return this.#require(name, this.maybeCount(name), 'a whole number, 0 or more');
  }

  maybeCount(name: string): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#mistyped(name, 'a whole number, 0 or more');
  }

  /** One of several words. */
  maybeWord<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const word = words.find((known) => known === value);
    if (word !== undefined) return word;
    throw this.#mistyped(name, `one of ${words.join(', ')}`);
  }

  /** A list that has to be there. */
  list(name: string): readonly unknown[] {
    const value = this.#values[name];
    if (Array.isArray(value)) return value as readonly unknown[];
    throw this.#mistyped(name, 'a list');
  }

  /** An object whose fields may be anything. */
  maybeRecord(name: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.#values[name];
    if (value === undefined || isRecord(value)) return value;
    throw this.#mistyped(name, 'an object');
  }

  /** An object of texts. */
  maybeTexts(name: string): Readonly<Record<string, string>> | undefined {
    return this.#texts(name, 'texts', (value) => typeof value === 'string');
  }

  /** The same with `null` for what is to be removed. */
  maybeTextPatch(name: string): Readonly<Record<string, string | null>> | undefined {
    return this.#texts(name, 'texts or null', (value) => {
      return typeof value === 'string' || value === null;
    });
  }

  /** Anything at all that has to be there. */
  anything(name: string): unknown {
    return this.#require(name, this.#values[name], 'a value');
  }

  /** The error for a field that is not as it should be. */
  fault(name: string, message: string, hint: string): SkepError {
    const field = name === '' ? this.#where : `${this.#where}: ${name}`;
    return new SkepError('invalid-argument', `${field} ${message} (${hint})`, {
      details: { field: name },
    });
  }

  #texts<Value>(
    name: string,
    noun: string,
    isRight: (value: unknown) => boolean,
  ): Readonly<Record<string, Value>> | undefined {
    const record = this.maybeRecord(name);
    if (record === undefined) return undefined;
    for (const [key, value] of Object.entries(record)) {
      if (!isRight(value)) {
        throw this.fault(`${name}.${key}`, `is ${nounOf(value)}`, `write an object of ${noun}`);
      }
    }
    return record as Readonly<Record<string, Value>>;
  }

  #require<Value>(name: string, value: Value | undefined, noun: string): Value {
    if (value !== undefined) return value;
    throw this.fault(name, 'is missing', `give ${noun}`);
  }

  #mistyped(name: string, noun: string): SkepError {
    const value = this.#values[name];
    if (value === undefined) return this.fault(name, 'is missing', `give ${noun}`);
    return this.fault(name, `is ${nounOf(value)}`, `give ${noun}`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nounOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return JSON.stringify(value);
}
