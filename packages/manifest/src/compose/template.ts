/**
 * Variables in texts: `$A`, `${A}`, `${A:-default}`, `${A-default}`, `${A:?message}`,
 * `${A?message}`,
 * `$$`; beyond the Docker client `${A:+value}` and `${A+value}`.
 *
 * Where the Docker client accepts a text, the result is the client's, oddities included (a default
 * ends at the first `}`, a missing variable is forgiven when another one follows); each oddity
 * gives a note, so that it does not pass in silence.
 *
 * **Source:** docker/cli `cli/compose/template`; Compose specification, "Interpolation", for `+`.
 */
import type { ComplaintCode } from '../complaint.js';

/** A variable's value; undefined when it is not set. */
export type VariableLookup = (name: string) => string | undefined;

/** Something about a text that its writer should know. */
export interface TemplateNote {
  readonly code: ComplaintCode;
  readonly message: string;
  readonly hint?: string;
}

/** The text with the variables filled in; with a fault, `text` has no meaning. */
export interface TemplateResult {
  readonly text: string;
  readonly fault?: TemplateNote;
  readonly notes: readonly TemplateNote[];
}

const NAME = '[_a-z][_a-z0-9]*';
const DOCKER_FORM = `${NAME}(?::?[-?][^}]*)?`;
const DOCKER_PATTERN = new RegExp(`\\$(?:(\\$)|(${DOCKER_FORM})|\\{(${DOCKER_FORM})\\}|())`, 'giu');
const COMPOSE_PATTERN = new RegExp(
  `\\$(?:(\\$)|(${DOCKER_FORM})|\\{(${DOCKER_FORM}|${NAME}:?\\+[^}]*)\\}|())`,
  'giu',
);

/** Whether a text has anything to fill in. */
export function hasVariables(text: string): boolean {
  return text.includes('$');
}

/** Fills in the variables of a text. `allowsAlternative` turns on `${A:+value}`. */
export function substitute(
  text: string,
  lookup: VariableLookup,
  options: { readonly allowsAlternative: boolean },
): TemplateResult {
  const notes: TemplateNote[] = [];
  let fault: TemplateNote | undefined;
  const pattern = options.allowsAlternative ? COMPOSE_PATTERN : DOCKER_PATTERN;
  const result = text.replace(
    pattern,
    (whole: string, escaped?: string, named?: string, braced?: string) => {
      if (escaped !== undefined) return escaped;
      const form = named ?? braced;
      if (form === undefined) {
        fault = invalidFormat(text);
        return '';
      }
      if (fault !== undefined) notes.push(forgiven(fault));
      fault = undefined;
      if (named !== undefined && !/^\w+$/.test(named)) notes.push(swallowed(whole, named));
      if (braced?.includes('${')) notes.push(nested(whole));
      const value = evaluate(form, lookup, notes);
      if (typeof value === 'string') return value;
      fault = value;
      return '';
    },
  );
  return fault === undefined ? { text: result, notes } : { text, fault, notes };
}

/** The value of what stands between the braces, or what is wrong. */
function evaluate(
  form: string,
  lookup: VariableLookup,
  notes: TemplateNote[],
): string | TemplateNote {
  const alternative = /^(\w+?)(:?)\+(.*)$/su.exec(form);
  if (alternative) {
    const [, name = '', colon, text = ''] = alternative;
    const value = lookup(name);
    return value === undefined || (colon === ':' && value === '') ? '' : text;
  }
  // The client looks for the operators in this order, wherever they stand.
  for (const operator of [':-', '-', ':?', '?'] as const) {
    const at = form.indexOf(operator);
    if (at < 0) continue;
    const name = form.slice(0, at);
    const rest = form.slice(at + operator.length);
    const value = lookup(name);
    const isPresent = value !== undefined && !(operator.startsWith(':') && value === '');
    if (isPresent) return value;
    if (operator.endsWith('-')) {
      if (!/^\w+$/.test(name)) notes.push(misread(form, rest));
      return rest;
    }
    return {
      code: 'missing-variable',
      message: `the required variable ${name} is missing a value${rest === '' ? '' : `: ${rest}`}`,
      hint: `set ${name}, or give it a default: \${${name}:-value}`,
    };
  }
  const value = lookup(form);
  if (value !== undefined) return value;
  notes.push({
    code: 'unset-variable',
    message: `the variable ${form} is not set and stands for nothing`,
    hint: `set it, or give it a default: \${${form}:-value}`,
  });
  return '';
}

function invalidFormat(text: string): TemplateNote {
  const shown = text.length > 80 ? `${text.slice(0, 77)}…` : text;
  return {
    code: 'invalid-interpolation',
    message: `invalid variable in ${JSON.stringify(shown)}`,
    hint: 'a $ that is meant as one is written $$; a variable is ${NAME}',
  };
}

function forgiven(fault: TemplateNote): TemplateNote {
  return {
    code: fault.code,
    message: `${fault.message}; it is left empty because another variable follows in this text`,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  };
}

function swallowed(whole: string, named: string): TemplateNote {
  const [name = ''] = named.split(/[:?-]/, 1);
  return {
    code: 'unexpanded-variable',
    message: `'${whole}' is read as the variable ${name} with what follows as its default`,
    hint: `write \${${name}}${named.slice(name.length)} for the variable followed by this text`,
  };
}

function nested(whole: string): TemplateNote {
  return {
    code: 'unexpanded-variable',
    message: `the variable inside '${whole}' is not filled in: a default ends at the first }`,
    hint: 'set the variable itself in place of nesting',
  };
}

function misread(form: string, rest: string): TemplateNote {
  return {
    code: 'unexpanded-variable',
    message: `'\${${form}}' is read as the default '${rest}'`,
    hint: 'leave - out of the message of a required variable',
  };
}
